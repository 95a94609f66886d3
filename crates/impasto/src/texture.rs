//! Runs with one picture: a texture from a style, a content from what the network keeps of it.

use impasto_engine::Image;

use crate::error::Result;
use crate::network::Network;
use crate::options::{Init, Objective, Options};
use crate::session::Session;
use crate::style::regions;
use crate::style::source::Style;

impl Session {
    /// A texture of `width` x `height` pixels: the style alone, from noise.
    ///
    /// `options` as in [`Session::new`], but that `content_weight` counts as 0 and that a start from the content is one from noise. With
    /// [`Objective::Balanced`] a layer's loss is in units of its distance from a picture of the style's mean colour, the total variation
    /// in units of the style's. Of the style's picture, transparent and masked parts do not count. With [`Padding::Circular`](crate::Padding::Circular) the texture can be laid beside itself without a seam:
    /// `width` and `height` are then multiples of the deepest style layer's [`min_side`](crate::Layer::min_side).
    ///
    /// Errors: as [`Session::new`], and a size without pixels.
    pub fn texture(
        network: &Network,
        style: impl Into<Style>,
        width: usize,
        height: usize,
        options: &Options,
    ) -> Result<Self> {
        let styles = regions::normalised(&[style.into()])?;
        let appearance = styles[0].appearance(0)?;
        let mut options = Options { content_weight: 0.0, ..options.clone() };
        if options.init == Init::Content {
            options.init = Init::Noise;
        }
        if options.objective == Objective::Balanced {
            // The picture of one colour below has no total variation to be the unit.
            options.tv_weight /= appearance.total_variation.max(1.0);
        }
        Self::with_styles(network, &Image::filled(width, height, appearance.colour).into(), &styles, &options)
    }

    /// What the content layers keep of a photo: their losses alone, by default from noise.
    ///
    /// `options` as in [`Session::new`], but that `style_weight` counts as 0 and that a start from the content, where there would be
    /// nothing to do, is one from noise.
    ///
    /// Errors: as [`Session::new`].
    pub fn reconstruct(network: &Network, photo: &Image, options: &Options) -> Result<Self> {
        let mut options = Options { style_weight: 0.0, ..options.clone() };
        if options.init == Init::Content {
            options.init = Init::Noise;
        }
        Self::new(network, photo, photo, &options)
    }
}
