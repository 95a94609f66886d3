//! The narrow waist: an image in, its losses and their gradient out.
//!
//! Optimisers know nothing of networks and losses, and networks and losses know nothing of
//! optimisers. A [`Task`] stands between the losses and the network's workspace. It hands the
//! workspace the terms once. In each evaluation it then turns sums into losses, and losses into
//! changes. It also holds the two things that concern pixels alone: total variation, and the parts
//! of the content that are kept.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{io, iter, mem};

use impasto_engine::network::{
    Changes, ContentTerm, LayerTime, MatchTerm, PositionWeights, ReferenceSums, ShaderTime, StyleSums, StyleTerm,
    Workspace, WorkspaceSpec,
};
use impasto_engine::plan::layout::Layout;
use impasto_engine::{Image, Layer, Padding};

use crate::brush;
use crate::checks::check_room;
use crate::error::{Error, PictureRole, Result};
use crate::loss::content;
use crate::loss::gram::GramLoss;
use crate::loss::losses::{Losses, WeightedSum};
use crate::loss::mean_square::MeanSquareLoss;
use crate::loss::moments::MomentsLoss;
use crate::loss::strokes;
use crate::loss::style_loss::{LayerValue, StyleLoss};
use crate::loss::total_variation::{add_total_variation_gradient, total_variation};
use crate::network::Network;
use crate::options::{Objective, Options, StyleLossKind, WeightedLayer};
use crate::picture::mask::Mask;
use crate::session::subject::Subject;
use crate::style::regions::{self, Region};
use crate::style::source::Style;

/// Eq. (4) plus eq. (5) for one content and its styles: the objective that a run minimises. The
/// style loss of a layer is the sum of the regions' losses there, each times the region's share of
/// the area.
pub(crate) struct Task {
    /// `None` if no loss looks at a feature map.
    workspace: Option<Box<dyn Workspace>>,
    /// Number of regions.
    regions: usize,
    /// Losses by region and layer.
    styles: Vec<Summand<Box<dyn StyleLoss>>>,
    contents: Vec<Summand<MeanSquareLoss>>,
    /// Losses by region and layer.
    strokes: Vec<Summand<MeanSquareLoss>>,
    /// Variance of the style's features, for each of `strokes`.
    stroke_variances: Vec<f64>,
    /// Whether the next forward pass finds matches.
    renews_matches: bool,
    /// Sums of the last forward pass, in the order of `styles`.
    sums: Vec<StyleSums>,
    content_weight: f64,
    style_weight: f64,
    /// Weight of the raw total variation.
    tv_weight: f64,
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

/// One summand of eq. (4): the loss of a layer.
struct Summand<L> {
    layer: Layer,
    /// Weight of the layer and the region within their sum, before alpha or beta.
    weight: f64,
    /// The region's share of the area, which is part of the weight.
    share: f64,
    /// Factor of the weight in the objective alone.
    emphasis: f64,
    loss: L,
    /// The loss at the last evaluation, unweighted.
    value: LayerValue,
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
            regions: regions.len(),
            styles: style_summands(&layers.styles, regions, options.style_loss),
            contents: vec![],
            renews_matches: !strokes.is_empty(),
            strokes,
            stroke_variances,
            sums: vec![],
            content_weight: options.content_weight,
            style_weight: options.style_weight,
            tv_weight: options.tv_weight / tv_unit,
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
            self.contents.push(Summand::new(layer, 1.0, loss));
        }
        if is_balanced {
            self.calibrate_styles(&sums);
        }
        self.sums = sums.styles;
        self.mapped = Some(content.clone());
        Ok(())
    }

    /// Takes the units of the style losses from the sums of the content.
    ///
    /// The unit of a loss is the content's own. If there is a content loss besides, the losses of a
    /// region weigh more by one factor: the inverse root of the geometric mean of its
    /// [`unlikeness`](crate::loss::style_loss::unlikeness). So a strength means nearly the same for
    /// a dark painting as for a bright one, and the layers keep their balance. Without the root it
    /// would mean less of the same at different sizes, because a smaller photo is more like a
    /// painting in strength.
    fn calibrate_styles(&mut self, sums: &ReferenceSums) {
        let unlikeness: Vec<f64> =
            self.styles.iter_mut().zip(&sums.styles).map(|(style, sums)| style.loss.calibrate(sums)).collect();
        let strokes = self.strokes.iter_mut().zip(&self.stroke_variances);
        for ((strokes, &variance), &squares) in strokes.zip(&sums.matches) {
            strokes.loss.set_unit(strokes::unit(strokes.loss.value(squares).raw, variance));
        }
        if self.contents.is_empty() {
            return;
        }
        // Every region has as many losses.
        let regions = self.regions.max(1);
        let (styles, strokes) = (self.styles.len() / regions, self.strokes.len() / regions);
        for (i, region) in unlikeness.chunks(styles.max(1)).enumerate() {
            let mean = region.iter().sum::<f64>() / region.len() as f64;
            let emphasis = (-0.5 * mean).exp();
            self.styles.iter_mut().skip(i * styles).take(styles).for_each(|style| style.emphasis = emphasis);
            self.strokes.iter_mut().skip(i * strokes).take(strokes).for_each(|strokes| strokes.emphasis = emphasis);
        }
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
        for (style, sums) in self.styles.iter_mut().zip(&self.sums) {
            style.value = style.loss.evaluate(sums, self.style_weight * style.weight * style.emphasis);
        }
        let pixels = self.composed.as_deref().unwrap_or(pixels);
        match &mut self.workspace {
            Some(workspace) => {
                let change =
                    |content: &Summand<MeanSquareLoss>| content.loss.change(self.content_weight * content.weight);
                let stroke_change = |strokes: &Summand<MeanSquareLoss>| {
                    strokes.loss.change(self.style_weight * strokes.weight * strokes.emphasis)
                };
                let changes = Changes {
                    styles: self.styles.iter().map(|style| style.loss.change()).collect(),
                    contents: self.contents.iter().map(change).collect(),
                    matches: self.strokes.iter().map(stroke_change).collect(),
                };
                let squares = workspace.backward(pixels, &changes, gradient);
                let squares = squares.map_err(|error| Error::of_evaluation(self.feature_cache.as_deref(), &error))?;
                for (content, squares) in self.contents.iter_mut().zip(squares.contents) {
                    content.value = content.loss.value(squares);
                }
                for (strokes, squares) in self.strokes.iter_mut().zip(squares.matches) {
                    strokes.value = strokes.loss.value(squares);
                }
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
        Ok(self.losses(total_variation(pixels, width, self.wraps)))
    }

    /// Returns whether positions are matched with the style.
    pub(crate) fn has_matches(&self) -> bool {
        !self.strokes.is_empty()
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
        let mut regions: Vec<(f64, Vec<(Layer, f64)>)> = Vec::new();
        for style in &self.styles {
            let loss = (style.layer, style.value.raw);
            match regions.last_mut() {
                // Every region begins with the same layer.
                Some((_, losses)) if losses[0].0 != style.layer => losses.push(loss),
                _ => regions.push((style.share, vec![loss])),
            }
        }
        regions
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

    fn losses(&self, tv: f64) -> Losses {
        let (content, style) = (WeightedValues::of(&self.contents), WeightedValues::of(&self.styles));
        let strokes = WeightedValues::of(&self.strokes);
        let of_style = style.in_objective + strokes.in_objective;
        Losses {
            tv,
            total: self.content_weight * content.in_objective + self.style_weight * of_style + self.tv_weight * tv,
            content_sum: content.sum,
            style_sum: style.sum,
            content: content.by_layer,
            style: style.by_layer,
            strokes: strokes.by_layer,
        }
    }
}

/// One of the two sums of eq. (4), from the last evaluation.
struct WeightedValues {
    /// Raw losses, unweighted.
    by_layer: Vec<(Layer, f64)>,
    /// Sum of the losses in their units, weighted as in the objective.
    in_objective: f64,
    sum: WeightedSum,
}

impl WeightedValues {
    fn of<L>(summands: &[Summand<L>]) -> Self {
        let mut by_layer: Vec<(Layer, f64)> = Vec::new();
        for summand in summands {
            let value = summand.share * summand.value.raw;
            match by_layer.iter_mut().find(|(layer, _)| *layer == summand.layer) {
                Some((_, sum)) => *sum += value,
                None => by_layer.push((summand.layer, value)),
            }
        }
        let in_units = summands.iter().map(|summand| summand.weight * summand.value.in_units).sum::<f64>();
        let of_objective = |summand: &Summand<L>| summand.emphasis * summand.weight * summand.value.in_units;
        let in_objective = summands.iter().map(of_objective).sum();
        let weights: f64 = summands.iter().map(|summand| summand.weight).sum();
        let raw = summands.iter().map(|summand| summand.weight * summand.value.raw).sum();
        let mean_in_units = if weights > 0.0 { in_units / weights } else { 0.0 };
        Self { by_layer, in_objective, sum: WeightedSum { raw, mean_in_units } }
    }
}

impl<L> Summand<L> {
    fn new(layer: &WeightedLayer, share: f64, loss: L) -> Self {
        Self {
            layer: layer.layer,
            weight: layer.weight * share,
            share,
            emphasis: 1.0,
            loss,
            value: LayerValue::default(),
        }
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

/// Returns the style losses of all regions, in the order of their terms.
fn style_summands(
    layers: &[WeightedLayer],
    regions: Vec<Region>,
    kind: StyleLossKind,
) -> Vec<Summand<Box<dyn StyleLoss>>> {
    let mut summands = Vec::new();
    for Region { share, targets, .. } in regions {
        for (layer, target) in layers.iter().zip(targets) {
            let loss: Box<dyn StyleLoss> = match kind {
                StyleLossKind::Gram => Box::new(GramLoss::new(target)),
                StyleLossKind::Moments | StyleLossKind::Strokes => Box::new(MomentsLoss::new(target)),
            };
            summands.push(Summand::new(layer, share, loss));
        }
    }
    summands
}

/// Returns the losses of matched strokes of all regions, in the order of their terms. Each region
/// has `layers` of them.
fn stroke_summands(spec: &WorkspaceSpec, regions: &[Region], layers: usize) -> Vec<Summand<MeanSquareLoss>> {
    let shares = regions.iter().flat_map(|region| iter::repeat_n(region.share, layers));
    let summand = |(term, share): (&MatchTerm, f64)| {
        let positions = term.weights.as_deref().map_or(spec.positions(term.layer) as f64, PositionWeights::total);
        let loss = MeanSquareLoss::new(positions * term.layer.channels() as f64);
        Summand::new(&WeightedLayer { layer: term.layer, weight: strokes::WEIGHT }, share, loss)
    };
    spec.matches.iter().zip(shares).map(summand).collect()
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
