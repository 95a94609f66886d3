//! The two ways of halving a map.

/// How a block's last map is halved for the next block: 2x2 windows with stride 2; a last odd row or column is left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pooling {
    /// The largest value: what the network was trained with.
    #[default]
    Max,
    /// The mean: smoother gradients (Gatys et al., 2016).
    Average,
}

impl Pooling {
    /// What the gradient after the pooling is multiplied with on its way to the places of a window that it goes to.
    pub(crate) fn gradient_scale(self) -> f32 {
        match self {
            Pooling::Max => 1.0,
            Pooling::Average => 0.25,
        }
    }
}
