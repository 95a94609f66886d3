//! The narrow waist: an image in, its losses and their gradient out. Optimisers know nothing else of networks and losses, and
//! those know nothing of optimisers.

use std::io;
use std::path::{Path, PathBuf};

use impasto_engine::cpu::evaluator::Evaluator;
use impasto_engine::plan::layout::Layout;
use impasto_engine::{Image, Layer, Padding};

use crate::checks::check_room;
use crate::error::{Error, PictureRole, Result};
use crate::loss::{
    ContentLoss, GramLoss, LayerValue, Local, Losses, MomentsLoss, Reduction, StyleLoss, Sum, Weights,
    add_total_variation_gradient, total_variation,
};
use crate::network::Network;
use crate::options::{Objective, Options, StyleLossKind, WeightedLayer};
use crate::picture::mask::Mask;
use crate::session::subject::Subject;
use crate::style::regions::{self, Region};
use crate::style::source::Style;

/// Eq. (4) plus eq. (5) for one content and its styles: what a run minimises. The style's loss of a layer is the sum of the regions'
/// losses there, each times the region's share of the area.
pub(crate) struct Task {
    /// `None` when no loss looks at a feature map.
    evaluator: Option<Evaluator>,
    terms: Vec<Term>,
    content_weight: f64,
    style_weight: f64,
    /// In units of raw total variation.
    tv_weight: f64,
    /// The picture is on a torus: [`Padding::Circular`].
    wraps: bool,
    width: usize,
    height: usize,
    /// What parts of the picture are kept from; `None`: all of it is painted.
    subject: Option<Subject>,
    /// Memory for a picture with its kept parts.
    composed: Option<Vec<f32>>,
    /// The content, while the evaluator's maps and the styles' sums are still its own, from taking the targets.
    mapped: Option<Image>,
    /// Where the bands are that are not evaluated here.
    reduction: Box<dyn Reduction>,
    /// Of the file of the content's features.
    feature_cache: Option<PathBuf>,
}

/// Which sum of eq. (4) a term belongs to.
#[derive(Clone, Copy, PartialEq)]
enum Role {
    Content,
    Style,
}

/// Of a layer.
enum Loss {
    Content(ContentLoss),
    Style(Box<dyn StyleLoss>),
}

/// One summand of eq. (4).
struct Term {
    layer: Layer,
    /// Of the layer and the region within its sum, before alpha or beta.
    weight: f64,
    /// The region's part of it.
    share: f64,
    loss: Loss,
    /// From the last evaluation, unweighted.
    value: LayerValue,
}

/// The least total variation that a content is taken to have, in squared levels: that of a picture of one colour with a little
/// noise.
const MIN_TV: f64 = 1.0;

impl Task {
    /// Everything from two plain pictures; as [`Task::new`].
    pub(crate) fn of_pair(network: &Network, content: &Image, style: &Image, options: &Options) -> Result<Self> {
        let (subject, styles) = (Subject::from(content), regions::normalised(&[style.into()])?);
        Self::new(network, subject, &styles, 0, [&Layout::whole(); 2], options)
    }

    /// Takes the targets, on the current thread pool. A loss without weight is left out with its layers.
    ///
    /// `subject` has the size to work at, the styles are halved `halvings` times; both are normalised, `options` are valid. `layout`: of
    /// every evaluation, and of the styles'. Errors: a picture too small for one of the layers, a mask that leaves nothing of one, statistics
    /// that do not fit, a file of features that cannot be written.
    pub(crate) fn new(
        network: &Network,
        subject: Subject,
        styles: &[Style],
        halvings: usize,
        [layout, style_layout]: [&Layout; 2],
        options: &Options,
    ) -> Result<Self> {
        let active = |layers: &[WeightedLayer], weight: f64| if weight > 0.0 { layers.to_vec() } else { vec![] };
        let content_layers = active(&options.content_layers, options.content_weight);
        let style_layers = active(&options.style_layers, options.style_weight);
        let layers = |weighted: &[WeightedLayer]| weighted.iter().map(|layer| layer.layer).collect::<Vec<_>>();
        let all_layers = layers(&[content_layers.as_slice(), &style_layers].concat());
        let content = &subject.content;

        // Too small a content is found before the style takes its time, whose memory is free again before the content's is taken.
        check_room(PictureRole::Content, content, &all_layers)?;
        let regions = match style_layers.as_slice() {
            [] => vec![],
            _ => regions::regions(network, &subject, styles, halvings, &layers(&style_layers), style_layout, options)?,
        };
        let mut evaluator = (!all_layers.is_empty())
            .then(|| {
                let (pooling, padding) = (options.pooling, options.padding);
                network.evaluator(PictureRole::Content, content, &all_layers, layout, pooling, padding)
            })
            .transpose()?;
        let weights = |mask: &Option<Mask>, input: PictureRole, layer: Layer| match mask {
            None => Ok(None),
            Some(mask) => match Weights::new(mask, layer) {
                None => Err(Error::MaskVanishes { input, layer, width: content.width(), height: content.height() }),
                weights => Ok(weights),
            },
        };
        let wraps = options.padding == Padding::Circular;
        let mut terms = Vec::new();
        if let Some(evaluator) = &evaluator {
            let isa = evaluator.isa();
            for Region { mask, share, targets } in regions {
                for (layer, target) in style_layers.iter().zip(targets) {
                    let weights = weights(&mask, PictureRole::Mask, layer.layer)?;
                    let loss: Box<dyn StyleLoss> = match options.style_loss {
                        StyleLossKind::Gram => Box::new(GramLoss::new(isa, layer.layer.channels(), target, weights)),
                        StyleLossKind::Moments => Box::new(MomentsLoss::new(isa, target, weights)),
                    };
                    terms.push(Term::new(layer, share, Loss::Style(loss)));
                }
            }
        }
        for layer in &content_layers {
            let weights = weights(&subject.opacity, PictureRole::Opacity, layer.layer)?;
            let halvings = layer.layer.block() - 1;
            let positions = (content.width() >> halvings) * (content.height() >> halvings);
            let loss = ContentLoss::new(positions, layer.layer.channels(), weights);
            terms.push(Term::new(layer, 1.0, Loss::Content(loss)));
        }
        let reduction: Box<dyn Reduction> = Box::new(Local);
        let balanced = options.objective == Objective::Balanced;
        let mapped = balanced || !content_layers.is_empty();
        if let Some(evaluator) = evaluator.as_mut().filter(|_| mapped) {
            let make_file = || match &options.feature_cache {
                Some(folder) => tempfile::tempfile_in(folder),
                None => Err(io::ErrorKind::NotFound.into()),
            };
            let kept = evaluator.set_reference(content, &layers(&content_layers), make_file, &mut |features| {
                for term in terms.iter_mut().filter(|term| term.layer == features.layer) {
                    match &mut term.loss {
                        Loss::Content(loss) if balanced => loss.add_reference(features.first, features.values),
                        Loss::Content(_) => {}
                        Loss::Style(loss) => loss.sums().add(features.first, features.values),
                    }
                }
            });
            kept.map_err(|reason| feature_cache_error(options.feature_cache.as_ref(), &reason))?;
            for term in &mut terms {
                match &mut term.loss {
                    Loss::Content(loss) if balanced => loss.calibrate(&*reduction),
                    Loss::Content(_) => {}
                    Loss::Style(loss) => {
                        loss.sums().reduce(&*reduction);
                        if balanced {
                            loss.calibrate();
                        }
                    }
                }
            }
        }
        let tv_unit =
            if balanced { total_variation(content.as_slice(), content.width(), wraps).max(MIN_TV) } else { 1.0 };
        Ok(Self {
            evaluator,
            terms,
            content_weight: options.content_weight,
            style_weight: options.style_weight,
            tv_weight: options.tv_weight / tv_unit,
            wraps,
            width: content.width(),
            height: content.height(),
            mapped: mapped.then(|| content.clone()),
            composed: subject.keep.is_some().then(|| content.as_slice().to_vec()),
            subject: subject.keep.is_some().then_some(subject),
            reduction,
            feature_cache: options.feature_cache.clone(),
        })
    }

    /// The picture that a point of the optimiser stands for, where that is another: parts of the content are kept.
    pub(crate) fn composed(&self, point: &[f32]) -> Option<Image> {
        let subject = self.subject.as_ref()?;
        let mut picture = Image::new(self.width, self.height, point.to_vec());
        subject.keep_in(picture.as_mut_slice());
        Some(picture)
    }

    /// The losses of a picture of the content's size, and the gradient of their total, on the current thread pool.
    ///
    /// `pixels`: `[H, W, 3]`, 0..255. `gradient`: the same shape, overwritten. Errors: the file of the content's features cannot be read.
    pub(crate) fn evaluate(&mut self, pixels: &[f32], gradient: &mut [f32]) -> Result<Losses> {
        self.forward(pixels);
        self.backward(pixels, gradient)
    }

    /// The first half of [`Task::evaluate`]: the feature maps.
    pub(crate) fn forward(&mut self, pixels: &[f32]) {
        if let (Some(subject), Some(composed)) = (&self.subject, &mut self.composed) {
            composed.copy_from_slice(pixels);
            subject.keep_in(composed);
        }
        let pixels = self.composed.as_deref().unwrap_or(pixels);
        // The first point is often the content.
        if self.mapped.as_ref().is_some_and(|content| content.as_slice() == pixels) {
            return;
        }
        self.mapped = None;
        if let Some(evaluator) = &mut self.evaluator {
            let terms = &mut self.terms;
            let mut styles: Vec<(Layer, &mut Box<dyn StyleLoss>)> = terms.iter_mut().filter_map(Term::style).collect();
            styles.iter_mut().for_each(|(_, loss)| loss.sums().clear());
            evaluator.forward_with(pixels, &mut |features| {
                for (_, loss) in styles.iter_mut().filter(|(layer, _)| *layer == features.layer) {
                    loss.sums().add(features.first, features.values);
                }
            });
            styles.iter_mut().for_each(|(_, loss)| loss.sums().reduce(&*self.reduction));
        }
    }

    /// The second half of [`Task::evaluate`]: losses and gradient at the point of the last [`Task::forward`], `pixels`.
    pub(crate) fn backward(&mut self, pixels: &[f32], gradient: &mut [f32]) -> Result<Losses> {
        // The gradients take the maps' place.
        self.mapped = None;
        let pixels = self.composed.as_deref().unwrap_or(pixels);
        match &mut self.evaluator {
            Some(evaluator) => {
                let terms = &mut self.terms;
                for term in terms.iter_mut() {
                    match &mut term.loss {
                        Loss::Content(loss) => loss.begin(self.content_weight * term.weight),
                        Loss::Style(loss) => term.value = loss.evaluate(self.style_weight * term.weight),
                    }
                }
                let read = evaluator.backward(
                    pixels,
                    &mut |band| {
                        let here: Vec<&mut Term> = terms.iter_mut().filter(|term| term.layer == band.layer()).collect();
                        if here.is_empty() {
                            return false;
                        }
                        let mut content = None;
                        let mut styles = Vec::new();
                        for term in here {
                            match &mut term.loss {
                                Loss::Content(loss) => {
                                    let reference = band.reference().expect("content layers are the reference's");
                                    loss.add(band.first(), band.features(), reference);
                                    content = Some(&*loss);
                                }
                                Loss::Style(loss) => styles.push(&*loss),
                            }
                        }
                        band.replace(|first, features, reference, gradient| {
                            gradient.fill(0.0);
                            styles.iter().for_each(|loss| loss.add_gradient(first, features, gradient));
                            if let (Some(loss), Some(reference)) = (content, reference) {
                                loss.add_gradient(first, features, reference, gradient);
                            }
                        });
                        true
                    },
                    gradient,
                );
                read.map_err(|reason| feature_cache_error(self.feature_cache.as_ref(), &reason))?;
                for term in terms.iter_mut() {
                    if let Loss::Content(loss) = &term.loss {
                        term.value = loss.value(&*self.reduction);
                    }
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

    /// Share and style losses of each region, in their order, from the last evaluation: by layer, unweighted.
    pub(crate) fn style_by_region(&self) -> Vec<(f64, Vec<(Layer, f64)>)> {
        let mut regions: Vec<(f64, Vec<(Layer, f64)>)> = Vec::new();
        for term in self.terms.iter().filter(|term| term.role() == Role::Style) {
            let loss = (term.layer, term.value.raw);
            match regions.last_mut() {
                // Every region begins with the same layer.
                Some((_, losses)) if losses[0].0 != term.layer => losses.push(loss),
                _ => regions.push((term.share, vec![loss])),
            }
        }
        regions
    }

    /// The name of the instruction set that the losses are computed with; empty when no loss looks at a feature map.
    pub(crate) fn isa(&self) -> &'static str {
        self.evaluator.as_ref().map_or("", |evaluator| evaluator.isa().name())
    }

    /// What computes the feature maps; `None` when no loss looks at one.
    pub(crate) fn evaluator(&self) -> Option<&Evaluator> {
        self.evaluator.as_ref()
    }

    fn losses(&self, tv: f64) -> Losses {
        let terms = |role| self.terms.iter().filter(move |term| term.role() == role);
        let values = |role| {
            let mut values: Vec<(Layer, f64)> = Vec::new();
            for term in terms(role) {
                let value = term.share * term.value.raw;
                match values.iter_mut().find(|(layer, _)| *layer == term.layer) {
                    Some((_, sum)) => *sum += value,
                    None => values.push((term.layer, value)),
                }
            }
            values
        };
        let in_units = |role| terms(role).map(|term| term.weight * term.value.in_units).sum::<f64>();
        let sum = |role| {
            let weights: f64 = terms(role).map(|term| term.weight).sum();
            Sum {
                raw: terms(role).map(|term| term.weight * term.value.raw).sum(),
                mean_in_units: if weights > 0.0 { in_units(role) / weights } else { 0.0 },
            }
        };
        Losses {
            content: values(Role::Content),
            style: values(Role::Style),
            tv,
            total: self.content_weight * in_units(Role::Content)
                + self.style_weight * in_units(Role::Style)
                + self.tv_weight * tv,
            content_sum: sum(Role::Content),
            style_sum: sum(Role::Style),
        }
    }
}

impl Term {
    fn new(layer: &WeightedLayer, share: f64, loss: Loss) -> Self {
        Self { layer: layer.layer, weight: layer.weight * share, share, loss, value: LayerValue::default() }
    }

    fn role(&self) -> Role {
        match self.loss {
            Loss::Content(_) => Role::Content,
            Loss::Style(_) => Role::Style,
        }
    }

    /// The layer and its loss, if it is one of the style.
    fn style(&mut self) -> Option<(Layer, &mut Box<dyn StyleLoss>)> {
        match &mut self.loss {
            Loss::Content(_) => None,
            Loss::Style(loss) => Some((self.layer, loss)),
        }
    }
}

/// Whether features can be written to a file in this folder ([`Options::feature_cache`]).
///
/// Errors: they cannot.
pub fn check_feature_cache(folder: &Path) -> Result<()> {
    let made = tempfile::tempfile_in(folder);
    made.map(drop).map_err(|reason| feature_cache_error(Some(&folder.to_owned()), &reason))
}

/// Why the file of the content's features is of no use.
fn feature_cache_error(folder: Option<&PathBuf>, reason: &io::Error) -> Error {
    Error::FeatureCache { folder: folder.cloned().unwrap_or_default(), reason: reason.to_string() }
}

#[cfg(test)]
mod tests {
    use impasto_engine::plan::layout::LayoutPart;

    use super::*;
    use crate::picture;

    /// With the losses of a run, whose gradients are a million times smaller than the features.
    #[test]
    fn a_picture_in_bands_has_the_losses_and_the_gradient_of_the_whole() {
        let network = Network::embedded().unwrap();
        let examples = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples"));
        let load = |name: &str| picture::resize(&picture::load(&examples.join(name)).unwrap().image, 181, 320);
        let (content, style) = (load("astronaut.jpg"), load("starry_night.jpg"));
        let evaluated = |image: &Image, layout: &Layout| {
            let (subject, styles) = (Subject::from(&content), regions::normalised(&[(&style).into()]).unwrap());
            let options = Options { feature_cache: Some(std::env::temp_dir()), ..Options::default() };
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
