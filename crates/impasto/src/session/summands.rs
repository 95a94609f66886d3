//! The losses on feature maps: the summands of eq. (4).

use std::iter;

use impasto_engine::Layer;
use impasto_engine::network::{Changes, MatchTerm, PositionWeights, ReferenceSums, Squares, StyleSums, WorkspaceSpec};

use crate::loss::gram::GramLoss;
use crate::loss::losses::{Losses, WeightedSum};
use crate::loss::mean_square::MeanSquareLoss;
use crate::loss::moments::MomentsLoss;
use crate::loss::strokes;
use crate::loss::style_loss::{LayerValue, StyleLoss};
use crate::options::{Options, StyleLossKind, WeightedLayer};
use crate::style::regions::Region;

/// All losses on feature maps, in the order of the workspace's terms.
pub(crate) struct Summands {
    /// Number of regions.
    regions: usize,
    /// Losses by region and layer.
    styles: Vec<Summand<Box<dyn StyleLoss>>>,
    contents: Vec<Summand<MeanSquareLoss>>,
    /// Losses by region and layer.
    strokes: Vec<Summand<MeanSquareLoss>>,
    /// Variance of the style's features, for each of `strokes`.
    stroke_variances: Vec<f64>,
    content_weight: f64,
    style_weight: f64,
}

/// One summand of eq. (4): the loss of a layer.
pub(crate) struct Summand<L> {
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

impl Summands {
    /// Takes the targets of all regions. `strokes` are the losses of matched strokes, each with the
    /// variance of the style's features. Losses of content are added later.
    pub(crate) fn new(
        layers: &[WeightedLayer],
        regions: Vec<Region>,
        (strokes, stroke_variances): (Vec<Summand<MeanSquareLoss>>, Vec<f64>),
        options: &Options,
    ) -> Self {
        Self {
            regions: regions.len(),
            styles: style_summands(layers, regions, options.style_loss),
            contents: vec![],
            strokes,
            stroke_variances,
            content_weight: options.content_weight,
            style_weight: options.style_weight,
        }
    }

    /// Adds the loss of a content layer.
    pub(crate) fn add_content(&mut self, layer: &WeightedLayer, loss: MeanSquareLoss) {
        self.contents.push(Summand::new(layer, 1.0, loss));
    }

    /// Changes alpha of eq. (4).
    pub(crate) fn set_content_weight(&mut self, weight: f64) {
        self.content_weight = weight;
    }

    /// Returns whether positions are matched with the style.
    pub(crate) fn has_strokes(&self) -> bool {
        !self.strokes.is_empty()
    }

    /// Takes the units of the style losses from the sums of the content.
    ///
    /// The unit of a loss is the content's own. If there is a content loss besides, the losses of a
    /// region weigh more by one factor: the inverse root of the geometric mean of its
    /// [`unlikeness`](crate::loss::style_loss::unlikeness). So a strength means nearly the same for
    /// a dark painting as for a bright one, and the layers keep their balance. Without the root it
    /// would mean less of the same at different sizes, because a smaller photo is more like a
    /// painting in strength.
    pub(crate) fn calibrate_styles(&mut self, sums: &ReferenceSums) {
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

    /// Evaluates the style losses from the sums of a forward pass.
    pub(crate) fn evaluate_styles(&mut self, sums: &[StyleSums]) {
        for (style, sums) in self.styles.iter_mut().zip(sums) {
            style.value = style.loss.evaluate(sums, self.style_weight * style.weight * style.emphasis);
        }
    }

    /// Returns how all losses change with the features, after [`Summands::evaluate_styles`].
    pub(crate) fn changes(&self) -> Changes<'_> {
        let content = |content: &Summand<MeanSquareLoss>| content.loss.change(self.content_weight * content.weight);
        let strokes = |strokes: &Summand<MeanSquareLoss>| {
            strokes.loss.change(self.style_weight * strokes.weight * strokes.emphasis)
        };
        Changes {
            styles: self.styles.iter().map(|style| style.loss.change()).collect(),
            contents: self.contents.iter().map(content).collect(),
            matches: self.strokes.iter().map(strokes).collect(),
        }
    }

    /// Takes the squares of a backward pass.
    pub(crate) fn take(&mut self, squares: &Squares) {
        for (content, &squares) in self.contents.iter_mut().zip(&squares.contents) {
            content.value = content.loss.value(squares);
        }
        for (strokes, &squares) in self.strokes.iter_mut().zip(&squares.matches) {
            strokes.value = strokes.loss.value(squares);
        }
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

    /// Returns the losses of the last evaluation, with a total variation of this weight.
    pub(crate) fn losses(&self, tv: f64, tv_weight: f64) -> Losses {
        let (content, style) = (WeightedValues::of(&self.contents), WeightedValues::of(&self.styles));
        let strokes = WeightedValues::of(&self.strokes);
        let of_style = style.in_objective + strokes.in_objective;
        Losses {
            tv,
            total: self.content_weight * content.in_objective + self.style_weight * of_style + tv_weight * tv,
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
pub(crate) fn stroke_summands(spec: &WorkspaceSpec, regions: &[Region], layers: usize) -> Vec<Summand<MeanSquareLoss>> {
    let shares = regions.iter().flat_map(|region| iter::repeat_n(region.share, layers));
    let summand = |(term, share): (&MatchTerm, f64)| {
        let positions = term.weights.as_deref().map_or(spec.positions(term.layer) as f64, PositionWeights::total);
        let loss = MeanSquareLoss::new(positions * term.layer.channels() as f64);
        Summand::new(&WeightedLayer { layer: term.layer, weight: strokes::WEIGHT }, share, loss)
    };
    spec.matches.iter().zip(shares).map(summand).collect()
}
