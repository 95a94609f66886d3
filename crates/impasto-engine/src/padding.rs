//! What convolutions see beyond the image.

crate::words! {
    /// What conv1_1 reads beyond the image, one pixel wide. The deeper convolutions read zeros
    /// beyond their maps, unless the picture is on a torus.
    #[derive(Default)]
    pub enum Padding {
        /// The border's own pixels: nothing happens there.
        ///
        /// Each pixel beyond the border repeats the nearest one, so conv1_1 finds no edge.
        Replicate => "replicate",
        /// Zeros (the mean colour), as the network was trained.
        ///
        /// They are zeros after the mean has been subtracted. To the network, the border is an
        /// edge.
        #[default]
        Zero => "zero",
        /// The opposite border, in every convolution: the image lies on a torus and has no border.
        ///
        /// Its sides have to be multiples of the deepest layer's
        /// [`min_side`](crate::layer::Layer::min_side), so that every pooling halves them. Nobody
        /// chooses this by its word: it goes with an image that tiles. So serde writes it, but does
        /// not read it, and a command line does not have it.
        #[serde(skip_deserializing)]
        #[cfg_attr(feature = "clap", value(skip))]
        Circular => "circular",
    }
}

impl Padding {
    /// Returns the index of the pixel that is seen at `place` along an axis of `len` pixels. The
    /// pixels are at the places `1..=len`, with a margin of one before and behind. `None` stands
    /// for zero.
    pub(crate) fn index(self, place: usize, len: usize) -> Option<usize> {
        match self {
            _ if (1..=len).contains(&place) => Some(place - 1),
            Padding::Zero => None,
            Padding::Replicate => Some(place.clamp(1, len) - 1),
            Padding::Circular => Some((place + len - 1) % len),
        }
    }
}
