//! Terms as data: what a workspace is made for, what it returns, and what it is told.

use std::sync::Arc;

use super::error::SpecError;
use super::matches::MatchCandidates;
use super::position_weights::PositionWeights;
use crate::layer::Layer;
use crate::padding::Padding;
use crate::plan::layout::Layout;
use crate::pooling::Pooling;

/// What a workspace is made for. The network is evaluated as deep as the deepest layer in it.
#[derive(Clone, Debug)]
pub struct WorkspaceSpec {
    /// Width of all images in pixels.
    pub width: usize,
    /// Height of all images in pixels.
    pub height: usize,
    /// How the network halves its maps.
    pub pooling: Pooling,
    /// What the convolutions see beyond the image.
    pub padding: Padding,
    /// How an image is taken apart.
    pub layout: Layout,
    /// Terms that need the sums of a layer.
    pub styles: Vec<StyleTerm>,
    /// Terms that compare a layer with the reference.
    pub contents: Vec<ContentTerm>,
    /// Terms that compare a layer with the matches of its positions in a style.
    pub matches: Vec<MatchTerm>,
    /// Layers whose features can be looked at after a forward pass.
    pub shown: Vec<Layer>,
}

/// A loss on sums over the positions of a layer's map. Its gradient is `w(p) (F(p) S + b)`.
#[derive(Clone, Debug)]
pub struct StyleTerm {
    /// The layer.
    pub layer: Layer,
    /// Whether `Σ w f` is asked for, besides `Σ w f fᵀ`. Without it, the gradient has no `b`.
    pub means: bool,
    /// The part of the map that counts. `None`: all of it.
    pub window: Option<MapWindow>,
    /// Weights of the positions of the window, or of the whole map. `None`: each counts 1.
    pub weights: Option<Arc<PositionWeights>>,
}

/// A loss on the difference from the reference, position by position. Its gradient is
/// `w(p) c (F(p) - Y(p))`.
#[derive(Clone, Debug)]
pub struct ContentTerm {
    /// The layer.
    pub layer: Layer,
    /// Weights of the positions of the map. `None`: each counts 1.
    pub weights: Option<Arc<PositionWeights>>,
}

/// A loss on the difference from matches in a style, position by position. Its gradient is
/// `w(p) c (F(p) - Y(m(p)))`.
///
/// `m(p)` is the candidate whose patch of [`PATCH`](super::PATCH) x `PATCH` positions has the
/// largest cosine with that around `p`, both less the candidates' mean. The patch decides the match
/// alone. What is compared are the features of the two positions themselves.
#[derive(Clone, Debug)]
pub struct MatchTerm {
    /// The layer.
    pub layer: Layer,
    /// Weights of the positions of the map. `None`: each counts 1.
    pub weights: Option<Arc<PositionWeights>>,
    /// What the positions are matched with.
    pub candidates: Arc<MatchCandidates>,
}

/// A rectangle of positions of a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MapWindow {
    /// The first row.
    pub top: usize,
    /// The first column.
    pub left: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

/// Sums over the positions of a style term. Sums of at most 1,024 positions may be f32. Such sums
/// are added up in f64, or in f32 as a tree, whose rounding errors hardly grow with the positions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StyleSums {
    /// `Σ w`, the number of positions if all count 1.
    pub total: f64,
    /// `Σ w f`, `[C]`. Empty unless the term has [`StyleTerm::means`].
    pub features: Vec<f64>,
    /// `Σ w f fᵀ`, `[C, C]`, symmetric to the bit.
    pub products: Vec<f64>,
}

/// Sums of the reference over the positions of a content term.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ContentSums {
    /// `Σ w`, the number of positions if all count 1.
    pub total: f64,
    /// `Σ w y`, `[C]`.
    pub features: Vec<f64>,
    /// `Σ w |y|²`.
    pub squares: f64,
}

/// Sums of all terms on the reference.
#[derive(Clone, Debug, PartialEq)]
pub struct ReferenceSums {
    /// Sums of the style terms, in their order.
    pub styles: Vec<StyleSums>,
    /// Sums of the content terms, in their order.
    pub contents: Vec<ContentSums>,
    /// `Σ w |F - Y|²` of the match terms, in their order, with the matches of the reference.
    pub matches: Vec<f64>,
}

/// Squared differences of a picture, `Σ w |F - Y|²`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Squares {
    /// From the reference, of each content term in their order.
    pub contents: Vec<f64>,
    /// From the matches, of each match term in their order.
    pub matches: Vec<f64>,
}

/// How the loss of a style term changes with the features: by `w(p) (F(p) S + b)` at a position.
#[derive(Clone, Copy, Debug)]
pub struct StyleChange<'a> {
    /// `S`, `[C, C]`, symmetric.
    pub s: &'a [f32],
    /// `b`, `[C]`. Empty unless the term has [`StyleTerm::means`].
    pub b: &'a [f32],
}

/// How the losses of all terms change with the features.
#[derive(Clone, Debug, Default)]
pub struct Changes<'a> {
    /// Changes of the style terms, in their order.
    pub styles: Vec<StyleChange<'a>>,
    /// `c` of each content term, in their order: the change is `w(p) c (F(p) - Y(p))`.
    pub contents: Vec<f32>,
    /// `c` of each match term, in their order: the change is `w(p) c (F(p) - Y(m(p)))`.
    pub matches: Vec<f32>,
}

impl StyleSums {
    /// Returns `C`.
    pub fn channels(&self) -> usize {
        self.products.len().isqrt()
    }
}

impl WorkspaceSpec {
    /// Returns the spec of a workspace without terms: images that are evaluated whole, with maximum
    /// pooling and zero padding.
    pub fn new(width: usize, height: usize) -> Self {
        Self {
            width,
            height,
            pooling: Pooling::default(),
            padding: Padding::default(),
            layout: Layout::whole(),
            styles: vec![],
            contents: vec![],
            matches: vec![],
            shown: vec![],
        }
    }

    /// Returns every layer in the spec once, in network order.
    pub fn layers(&self) -> Vec<Layer> {
        let styles = self.styles.iter().map(|term| term.layer);
        let matches = self.matches.iter().map(|term| term.layer);
        let shown = self.shown.iter().copied();
        let mut layers: Vec<Layer> = styles.chain(self.content_layers()).chain(matches).chain(shown).collect();
        layers.sort();
        layers.dedup();
        layers
    }

    /// Returns the layers of the content terms, in their order.
    pub fn content_layers(&self) -> impl Iterator<Item = Layer> {
        self.contents.iter().map(|term| term.layer)
    }

    /// Refuses what no backend can evaluate.
    ///
    /// # Errors
    /// There is no layer. The image is too small for the deepest one. The image wraps around, and a
    /// pooling cannot halve it, or it is to be evaluated in bands.
    pub fn check(&self) -> Result<(), SpecError> {
        let (layers, width, height) = (self.layers(), self.width, self.height);
        let deepest = *layers.last().ok_or(SpecError::NoLayers)?;
        if width.min(height) < deepest.min_side() {
            return Err(SpecError::TooSmall { width, height, layer: deepest });
        }
        let wraps = self.padding == Padding::Circular;
        if wraps && !(width | height).is_multiple_of(deepest.min_side()) {
            return Err(SpecError::Uneven { width, height, layer: deepest.rectified() });
        }
        let has_bands = self.layout.has_bands(width, height, &layers);
        if wraps && has_bands { Err(SpecError::Bands) } else { Ok(()) }
    }

    /// Returns the number of positions of a layer's map.
    pub fn positions(&self, layer: Layer) -> usize {
        (self.width >> layer.poolings()) * (self.height >> layer.poolings())
    }
}
