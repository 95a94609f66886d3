//! The losses of a picture, as a run reports them.

use impasto_engine::Layer;

/// The losses of a picture.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Losses {
    /// Eq. (1) by layer, unweighted, in the order in which the layers were given. Empty if the
    /// content does not count.
    pub content: Vec<(Layer, f64)>,
    /// The style loss by layer, eq. (2) or that of the moments, unweighted, in the order in which
    /// the layers were given. Empty if the style does not count.
    pub style: Vec<(Layer, f64)>,
    /// The loss of matched strokes by layer, unweighted: the mean squared difference from the
    /// matches. Empty unless the style is compared by
    /// [`StyleLossKind::Strokes`](crate::StyleLossKind::Strokes).
    pub strokes: Vec<(Layer, f64)>,
    /// Eq. (5), unweighted.
    pub tv: f64,
    /// The objective, which a run minimises: alpha times content, plus beta times style, plus
    /// `tv_weight` times `tv`, each loss in the objective's unit. Matched strokes are a part of the
    /// style.
    pub total: f64,
    pub(crate) content_sum: WeightedSum,
    pub(crate) style_sum: WeightedSum,
}

/// One of the two sums of eq. (4), layers counting by their weights.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct WeightedSum {
    pub(crate) raw: f64,
    /// Over the sum of the layers' weights, so that it means the same for any number of layers.
    pub(crate) mean_in_units: f64,
}

impl Losses {
    /// Returns the first sum of eq. (4): each content layer's loss times the layer's weight, before
    /// alpha.
    pub fn content_loss(&self) -> f64 {
        self.content_sum.raw
    }

    /// Returns the second sum of eq. (4): each style layer's loss times the layer's weight, before
    /// beta.
    pub fn style_loss(&self) -> f64 {
        self.style_sum.raw
    }

    /// Returns the mean of the content layers' losses in the objective's units, by the layers'
    /// weights. With [`Objective::Balanced`](crate::Objective::Balanced) 0 is the content itself,
    /// and at 1 nothing of its layout is left.
    pub fn content_in_units(&self) -> f64 {
        self.content_sum.mean_in_units
    }

    /// Returns the mean of the style layers' losses in the objective's units, by the layers'
    /// weights. With [`Objective::Balanced`](crate::Objective::Balanced) 0 is the style itself, and
    /// 1 is as far from it as the content is.
    pub fn style_in_units(&self) -> f64 {
        self.style_sum.mean_in_units
    }
}
