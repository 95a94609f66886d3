//! The narrow waist: an image in, its losses and their gradient out.
//!
//! Optimisers know nothing of networks and losses, and networks and losses know nothing of
//! optimisers. A [`Task`] stands between the losses and the network's workspace. It hands the
//! workspace the terms once. In each evaluation it then turns sums into losses, and losses into
//! changes. It also holds the two things that concern pixels alone: total variation, and the parts
//! of the content that are kept.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{io, mem};

use impasto_engine::network::{
    self, ContentTerm, DeviceError, KeptPart, LayerTime, MatchTerm, PixelTerms, ShaderTime, StyleSums, StyleTerm,
    Workspace, WorkspaceSpec,
};
use impasto_engine::plan::layout::Layout;
use impasto_engine::{Image, Layer, Padding};

use crate::brush;
use crate::checks::check_room;
use crate::error::{Error, PictureRole, Result};
use crate::loss::content;
use crate::loss::losses::Losses;
use crate::loss::total_variation::{add_total_variation_gradient, gradient_factor, total_variation};
use crate::network::Network;
use crate::network::recovering::RecoveringWorkspace;
use crate::options::{Objective, Options, WeightedLayer, Weights};
use crate::picture::mask::Mask;
use crate::session::subject::Subject;
use crate::session::summands::{Summands, stroke_summands};
use crate::style::regions::{self, Region};
use crate::style::source::Style;

/// Eq. (4) plus eq. (5) for one content and its styles: the objective that a run minimises. The
/// style loss of a layer is the sum of the regions' losses there, each times the region's share of
/// the area.
pub(crate) struct Task {
    /// `None` if no loss looks at a feature map.
    workspace: Option<RecoveringWorkspace>,
    /// The losses on feature maps.
    summands: Summands,
    /// Whether the next forward pass finds matches.
    renews_matches: bool,
    /// Sums of the last forward pass, for each style term.
    sums: Vec<StyleSums>,
    /// Weight of the raw total variation.
    tv_weight: f64,
    /// What the weight of the total variation is divided by.
    tv_unit: f64,
    /// Whether the picture lies on a torus: [`Padding::Circular`].
    wraps: bool,
    width: usize,
    height: usize,
    /// The subject whose parts are kept. `None`: all of the picture is painted.
    subject: Option<Subject>,
    /// Memory for a picture with its kept parts.
    composed: Option<Vec<f32>>,
    /// The content, as long as the workspace holds the maps of a forward pass on it.
    mapped: Option<Image>,
    /// Folder for the file with the content's features.
    feature_cache: Option<PathBuf>,
}

/// The layers of each sum of eq. (4). A sum without weight is left out with its layers.
struct ActiveLayers {
    contents: Vec<WeightedLayer>,
    styles: Vec<WeightedLayer>,
    strokes: &'static [Layer],
}

/// Least unit of the total variation, in squared levels: that of a picture of one colour with a
/// little noise.
const MIN_TV: f64 = 1.0;

impl Task {
    /// Takes everything from two plain pictures; as [`Task::new`].
    pub(crate) fn of_pair(network: &Network, content: &Image, style: &Image, options: &Options) -> Result<Self> {
        let (subject, styles) = (Subject::from(content), regions::normalised(&[style.into()])?);
        Self::new(network, subject, &styles, 0, [&Layout::whole(); 2], options)
    }

    /// Takes the targets, on the current thread pool.
    ///
    /// `subject` has the size to work at, and the styles are halved `halvings` times. Both are
    /// normalised, and `options` are valid. The first layout is for every evaluation, the second
    /// for the styles.
    ///
    /// Errors: a picture too small for one of the layers, a mask that leaves nothing of one,
    /// statistics that do not fit, a file of features that cannot be written.
    pub(crate) fn new(
        network: &Network,
        subject: Subject,
        styles: &[Style],
        halvings: usize,
        [layout, style_layout]: [&Layout; 2],
        options: &Options,
    ) -> Result<Self> {
        let layers = ActiveLayers::new(options);
        let content = &subject.content;
        // A content that is too small is refused before the style takes its time. The style's
        // memory is free again before the content takes its own.
        check_room(PictureRole::Content, content, &layers.all())?;
        let regions = match layers.styles() {
            style_layers if style_layers.is_empty() => vec![],
            style_layers => {
                regions::regions(network, &subject, styles, halvings, &style_layers, style_layout, options)?
            }
        };
        let (workspace, strokes, stroke_variances) = match layers.all() {
            all if all.is_empty() => (None, vec![], vec![]),
            _ => {
                let spec = layers.spec(&subject, &regions, layout, options)?;
                let strokes = stroke_summands(&spec, &regions, layers.strokes.len());
                let variances = spec.matches.iter().map(|term| term.candidates.variance()).collect();
                (Some(network.workspace(PictureRole::Content, spec)?), strokes, variances)
            }
        };
        let wraps = options.padding == Padding::Circular;
        let is_balanced = options.objective == Objective::Balanced;
        let tv_unit =
            if is_balanced { total_variation(content.as_slice(), content.width(), wraps).max(MIN_TV) } else { 1.0 };
        let mut task = Self {
            workspace,
            renews_matches: !strokes.is_empty(),
            summands: Summands::new(&layers.styles, regions, (strokes, stroke_variances), options),
            sums: vec![],
            tv_weight: options.tv_weight / tv_unit,
            tv_unit,
            wraps,
            width: content.width(),
            height: content.height(),
            mapped: None,
            composed: subject.keep.is_some().then(|| content.as_slice().to_vec()),
            subject: None,
            feature_cache: options.feature_cache.clone(),
        };
        if is_balanced || !layers.contents.is_empty() {
            task.take_reference(content, &layers.contents, is_balanced)?;
        }
        task.subject = subject.keep.is_some().then_some(subject);
        Ok(task)
    }

    /// Takes the content as the reference of the content losses. If the objective `is_balanced`,
    /// takes every loss's unit from it.
    fn take_reference(&mut self, content: &Image, layers: &[WeightedLayer], is_balanced: bool) -> Result<()> {
        let Some(workspace) = &mut self.workspace else { return Ok(()) };
        let mut make_file = || match &self.feature_cache {
            Some(folder) => tempfile::tempfile_in(folder),
            None => Err(io::ErrorKind::NotFound.into()),
        };
        let sums = workspace.set_reference(content, &mut make_file);
        let sums = sums.map_err(|error| Error::of_evaluation(self.feature_cache.as_deref(), &error))?;
        for (layer, sums) in layers.iter().zip(&sums.contents) {
            let mut loss = content::loss(sums);
            if is_balanced {
                loss.set_unit(content::unit(sums));
            }
            self.summands.add_content(layer, loss);
        }
        if is_balanced {
            self.summands.calibrate_styles(&sums);
        }
        self.sums = sums.styles;
        self.mapped = Some(content.clone());
        Ok(())
    }

    /// Returns the picture that a point of the optimiser stands for, if parts of the content are
    /// kept. Otherwise the point is the picture.
    pub(crate) fn composed(&self, point: &[f32]) -> Option<Image> {
        let subject = self.subject.as_ref()?;
        let mut picture = Image::new(self.width, self.height, point.to_vec());
        subject.keep_in(picture.as_mut_slice());
        Some(picture)
    }

    /// Returns the losses of a picture of the content's size, and writes the gradient of their
    /// total, on the current thread pool.
    ///
    /// `pixels`: `[H, W, 3]`, 0..255. `gradient`: the same shape, overwritten. Errors: the file of
    /// the content's features cannot be read.
    pub(crate) fn evaluate(&mut self, pixels: &[f32], gradient: &mut [f32]) -> Result<Losses> {
        self.forward(pixels)?;
        self.backward(pixels, gradient)
    }

    /// The first half of [`Task::evaluate`]: the feature maps and their sums.
    pub(crate) fn forward(&mut self, pixels: &[f32]) -> Result<()> {
        if let (Some(subject), Some(composed)) = (&self.subject, &mut self.composed) {
            composed.copy_from_slice(pixels);
            subject.keep_in(composed);
        }
        let pixels = self.composed.as_deref().unwrap_or(pixels);
        let renews_matches = mem::take(&mut self.renews_matches);
        // The first point is often the content, whose maps and matches are there already.
        if self.mapped.as_ref().is_some_and(|content| content.as_slice() == pixels) {
            return Ok(());
        }
        self.mapped = None;
        if let Some(workspace) = &mut self.workspace {
            if renews_matches {
                workspace.renew_matches();
            }
            self.sums = workspace
                .forward(pixels)
                .map_err(|error| Error::of_evaluation(self.feature_cache.as_deref(), &error))?;
        }
        Ok(())
    }

    /// The second half of [`Task::evaluate`]: losses and gradient at `pixels`, the point of the
    /// last [`Task::forward`].
    pub(crate) fn backward(&mut self, pixels: &[f32], gradient: &mut [f32]) -> Result<Losses> {
        // The gradients take the maps' place.
        self.mapped = None;
        self.summands.evaluate_styles(&self.sums);
        let pixels = self.composed.as_deref().unwrap_or(pixels);
        match &mut self.workspace {
            Some(workspace) => {
                let squares = workspace.backward(pixels, &self.summands.changes(), gradient);
                let squares = squares.map_err(|error| Error::of_evaluation(self.feature_cache.as_deref(), &error))?;
                self.summands.take(&squares);
            }
            None => gradient.fill(0.0),
        }
        let width = self.width;
        if self.tv_weight > 0.0 {
            add_total_variation_gradient(pixels, width, self.wraps, self.tv_weight, gradient);
        }
        if let Some(subject) = &self.subject {
            subject.keep_out(gradient);
        }
        Ok(self.summands.losses(total_variation(pixels, width, self.wraps), self.tv_weight))
    }

    /// Makes an optimiser's arrays on the card of the workspace. `None`: it has none.
    ///
    /// Errors: there is no memory for them.
    pub(crate) fn on_card<T>(
        &mut self,
        make: impl FnOnce(&mut dyn network::ResidentWorkspace, &PixelTerms<'_>) -> std::result::Result<T, DeviceError>,
    ) -> Option<std::result::Result<T, DeviceError>> {
        let len = 3 * self.width * self.height;
        let keep = self.subject.as_ref().and_then(|subject| {
            let keep = subject.keep.as_ref()?;
            Some(KeptPart { content: subject.content.as_slice(), keep: keep.as_slice() })
        });
        let terms = PixelTerms { variation: gradient_factor(self.tv_weight, len), wraps: self.wraps, keep };
        Some(make(self.workspace.as_mut()?.resident()?, &terms))
    }

    /// Changes the weights of the objective from the next evaluation on. An optimiser that has been
    /// made for other weights must not go on.
    pub(crate) fn set_weights(&mut self, weights: Weights) {
        let Weights { content_weight, tv_weight } = weights;
        self.summands.set_content_weight(content_weight);
        self.tv_weight = tv_weight / self.tv_unit;
    }

    /// Returns whether the card has failed since the task was made.
    pub(crate) fn has_failed(&self) -> bool {
        self.workspace.as_ref().is_some_and(RecoveringWorkspace::has_failed)
    }

    /// Drops what an optimiser had on the card.
    pub(crate) fn leave_card(&mut self) {
        if let Some(workspace) = &mut self.workspace {
            workspace.forget_points();
        }
    }

    /// Goes on after the card has failed and the arrays of an optimiser are lost.
    ///
    /// Errors: the card cannot be opened again.
    pub(crate) fn reopen(&mut self) -> Result<()> {
        self.mapped = None;
        match &mut self.workspace {
            Some(workspace) => workspace.reopen().map_err(|error| Error::of_evaluation(None, &error)),
            None => Ok(()),
        }
    }

    /// Returns the losses of an optimiser's trial on the card, where their gradient stays. The
    /// optimiser's arrays are from [`Task::on_card`].
    pub(crate) fn evaluate_on_card(&mut self) -> Result<Losses> {
        self.mapped = None;
        let renews_matches = mem::take(&mut self.renews_matches);
        let workspace = self.workspace.as_mut().expect("the workspace made the arrays");
        if renews_matches {
            workspace.renew_matches();
        }
        let resident = workspace.resident().expect("the workspace made the arrays");
        let of_evaluation = |error| Error::of_evaluation(None, &error);
        self.sums = resident.forward().map_err(of_evaluation)?;
        self.summands.evaluate_styles(&self.sums);
        let (squares, variation) = resident.backward(&self.summands.changes()).map_err(of_evaluation)?;
        self.summands.take(&squares);
        Ok(self.summands.losses(variation / (3 * self.width * self.height) as f64, self.tv_weight))
    }

    /// Returns whether positions are matched with the style.
    pub(crate) fn has_matches(&self) -> bool {
        self.summands.has_strokes()
    }

    /// Makes the next evaluation find matches anew. The loss of strokes is another one from then
    /// on.
    pub(crate) fn renew_matches(&mut self) {
        self.renews_matches = self.has_matches();
    }

    /// Returns the matches of each region and layer, for a state that is saved.
    pub(crate) fn matches(&self) -> Vec<&[u32]> {
        self.workspace.as_ref().map_or(vec![], |workspace| workspace.matches())
    }

    /// Takes matches from a state. Returns `false` if they are not those of this task.
    pub(crate) fn set_matches(&mut self, matches: &[Vec<u32>]) -> bool {
        self.renews_matches = false;
        // The maps of the content are there, with matches of its own.
        self.mapped = None;
        self.workspace.as_mut().map_or(matches.is_empty(), |workspace| workspace.set_matches(matches))
    }

    /// Returns each region's share of the area and its style losses at the last evaluation, by
    /// layer and unweighted.
    pub(crate) fn style_by_region(&self) -> Vec<(f64, Vec<(Layer, f64)>)> {
        self.summands.style_by_region()
    }

    /// Names what the bits of the losses depend on. It is empty if no loss looks at a feature map.
    pub(crate) fn identity(&self) -> &str {
        self.workspace.as_ref().map_or("", |workspace| workspace.identity())
    }

    /// Returns what each convolution took in the last evaluation.
    pub(crate) fn layer_times(&self) -> Vec<LayerTime> {
        self.workspace.as_ref().map_or(vec![], |workspace| workspace.layer_times())
    }

    /// Measures the time of every pass of a graphics card from now on.
    pub(crate) fn measure_passes(&mut self) {
        if let Some(workspace) = &mut self.workspace {
            workspace.measure_passes();
        }
    }

    /// Returns what each shader of a graphics card took in the last evaluation, the longest first.
    pub(crate) fn shader_times(&self) -> Vec<ShaderTime> {
        self.workspace.as_ref().map_or(vec![], |workspace| workspace.shader_times())
    }
}

impl ActiveLayers {
    fn new(options: &Options) -> Self {
        let active = |layers: &[WeightedLayer], weight: f64| if weight > 0.0 { layers.to_vec() } else { vec![] };
        Self {
            contents: active(&options.content_layers, options.content_weight),
            styles: active(&options.style_layers, options.style_weight)
                .into_iter()
                .map(|of| WeightedLayer { weight: of.weight * brush::layer_weight(options.brush, of.layer), ..of })
                .collect(),
            strokes: options.stroke_layers(),
        }
    }

    fn all(&self) -> Vec<Layer> {
        let weighted = self.contents.iter().chain(&self.styles).map(|weighted| weighted.layer);
        weighted.chain(self.strokes.iter().copied()).collect()
    }

    fn styles(&self) -> Vec<Layer> {
        self.styles.iter().map(|weighted| weighted.layer).collect()
    }

    /// Returns what the losses of a subject need from the network: a style term and a match term
    /// for each region and layer, and a content term for each layer.
    ///
    /// Errors: a mask that leaves nothing of a layer.
    fn spec(&self, subject: &Subject, regions: &[Region], layout: &Layout, options: &Options) -> Result<WorkspaceSpec> {
        let (width, height) = (subject.content.width(), subject.content.height());
        let mut spec = WorkspaceSpec {
            pooling: options.pooling,
            padding: options.padding,
            layout: layout.clone(),
            ..WorkspaceSpec::new(width, height)
        };
        let weights = |mask: Option<&Mask>, layer: Layer| {
            let weights = mask.map(|mask| mask.weights(layer).ok_or_else(|| subject.vanished(layer))).transpose()?;
            Ok::<_, Error>(weights.map(Arc::new))
        };
        for Region { mask, candidates, .. } in regions {
            for (&layer, candidates) in self.strokes.iter().zip(candidates) {
                let (weights, candidates) = (weights(mask.as_ref(), layer)?, candidates.clone());
                spec.matches.push(MatchTerm { layer, weights, candidates });
            }
            for &WeightedLayer { layer, .. } in &self.styles {
                let weights = weights(mask.as_ref(), layer)?;
                let means = options.style_loss.needs_means();
                spec.styles.push(StyleTerm { layer, means, window: None, weights });
            }
        }
        for &WeightedLayer { layer, .. } in &self.contents {
            let weights = weights(subject.opacity.as_ref(), layer)?;
            spec.contents.push(ContentTerm { layer, weights });
        }
        Ok(spec)
    }
}

/// Checks that features can be written to a file in this folder ([`Options::feature_cache`]).
///
/// Errors: they cannot.
pub fn check_feature_cache(folder: &Path) -> Result<()> {
    let made = tempfile::tempfile_in(folder);
    made.map(drop).map_err(|reason| Error::feature_cache(folder, &reason))
}

#[cfg(test)]
mod tests {
    use impasto_engine::plan::layout::LayoutPart;

    use super::*;
    use crate::options::StyleLossKind;
    use crate::picture;

    /// The losses are those of a run. Their gradients are a million times smaller than the
    /// features.
    #[test]
    fn a_picture_in_bands_has_the_losses_and_the_gradient_of_the_whole() {
        let network = Network::embedded().unwrap();
        let examples = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples"));
        let load = |name: &str| picture::resize(&picture::load(&examples.join(name)).unwrap().image, 181, 320);
        let (content, style) = (load("astronaut.jpg"), load("starry_night.jpg"));
        let evaluated = |image: &Image, layout: &Layout| {
            let (subject, styles) = (Subject::from(&content), regions::normalised(&[(&style).into()]).unwrap());
            let style_loss = StyleLossKind::Strokes;
            let options = Options { style_loss, feature_cache: Some(std::env::temp_dir()), ..Options::default() };
            let mut task = Task::new(&network, subject, &styles, 0, [layout, &Layout::whole()], &options).unwrap();
            let mut gradient = vec![f32::NAN; image.as_slice().len()];
            (task.evaluate(image.as_slice(), &mut gradient).unwrap().total, gradient)
        };
        let layout = |parts: &[(usize, Option<usize>)], reference_from| Layout {
            parts: parts.iter().map(|&(last_block, rows)| LayoutPart { last_block, rows }).collect(),
            reference_from,
            reference_file: false,
        };
        for image in [&content, &style] {
            let (loss, whole) = evaluated(image, &Layout::whole());
            for layout in [
                layout(&[(3, Some(48)), (5, None)], 1),
                layout(&[(2, Some(1)), (3, Some(1)), (4, Some(192)), (5, None)], 1),
                layout(&[(5, Some(48))], 6),
                Layout { reference_file: true, ..layout(&[(5, Some(48))], 6) },
            ] {
                let (in_bands, found) = evaluated(image, &layout);
                assert!((in_bands / loss - 1.0).abs() < 1e-5, "{layout:?}: {in_bands} {loss}");
                let norm =
                    |values: &mut dyn Iterator<Item = f32>| values.map(|v| f64::from(v).powi(2)).sum::<f64>().sqrt();
                let error = norm(&mut found.iter().zip(&whole).map(|(a, b)| a - b)) / norm(&mut whole.iter().copied());
                assert!(error < 1e-4, "{layout:?}: {error:e}");
            }
        }
    }
}
