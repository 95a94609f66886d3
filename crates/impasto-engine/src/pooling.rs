//! The two ways to halve a map.

crate::words! {
    /// How a block's last map is halved for the next block: 2x2 windows with stride 2. If the map
    /// has an odd side, its last row or column is left out.
    #[derive(Default)]
    pub enum Pooling {
        /// The largest of each 2x2 values, as VGG-19 was trained.
        #[default]
        Max => "max",
        /// The mean of each 2x2 values: smoother.
        ///
        /// Its gradients are smoother too (Gatys et al., 2016).
        Average => "avg",
    }
}

/// Positions of a window.
pub(crate) const WINDOW: usize = 4;

impl Pooling {
    /// Returns the factor of the gradient on its way back to a position of a window that it goes
    /// to.
    pub(crate) fn gradient_scale(self) -> f32 {
        match self {
            Pooling::Max => 1.0,
            Pooling::Average => 0.25,
        }
    }
}
