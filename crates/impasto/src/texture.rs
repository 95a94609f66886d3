//! Runs from one picture: a texture from a style, and a photo from what the network keeps of it.

use impasto_engine::Image;

use crate::error::Result;
use crate::network::Network;
use crate::options::{Init, Objective, Options};
use crate::session::Session;
use crate::session::blueprint::RunPlan;
use crate::session::subject::Subject;
use crate::style::regions;
use crate::style::source::Style;

impl Session {
    /// Starts a texture of `width` x `height` pixels, from the style alone and from noise.
    ///
    /// `options` mean what they mean in [`Session::new`], with two exceptions: `content_weight`
    /// counts as 0, and [`Init::Content`] as [`Init::Noise`]. Masked and transparent parts of the
    /// style picture do not count.
    ///
    /// With [`Objective::Balanced`] the unit of a layer's loss is its value for a picture of the
    /// style's mean colour, and the unit of the total variation is the style's.
    ///
    /// With [`Padding::Circular`](crate::Padding::Circular) copies of the texture fit together
    /// without a seam. `width` and `height` are then multiples of the deepest style layer's
    /// [`min_side`](crate::Layer::min_side).
    ///
    /// Errors: those of [`Session::new`], and a size without pixels.
    pub fn texture(
        network: &Network,
        style: impl Into<Style>,
        width: usize,
        height: usize,
        options: &Options,
    ) -> Result<Self> {
        let (subject, styles, options) = texture_of(style.into(), width, height, options)?;
        Self::with_styles(network, &subject, &styles, &options)
    }

    /// Starts the reconstruction of a photo from its content layers alone, by default from noise.
    ///
    /// `options` mean what they mean in [`Session::new`], with two exceptions: `style_weight`
    /// counts as 0, and [`Init::Content`], which would leave nothing to do, as [`Init::Noise`].
    ///
    /// Errors: those of [`Session::new`].
    pub fn reconstruct(network: &Network, photo: &Image, options: &Options) -> Result<Self> {
        Self::new(network, photo, photo, &reconstruction_options(options))
    }
}

impl RunPlan {
    /// Plans the run of [`Session::texture`].
    ///
    /// Errors: those of [`RunPlan::new`].
    pub fn texture(
        network: &Network,
        style: impl Into<Style>,
        width: usize,
        height: usize,
        options: &Options,
    ) -> Result<Self> {
        let (subject, styles, options) = texture_of(style.into(), width, height, options)?;
        Self::new(network, &subject, &styles, &options)
    }

    /// Plans the run of [`Session::reconstruct`].
    ///
    /// Errors: those of [`RunPlan::new`].
    pub fn reconstruct(network: &Network, photo: &Image, options: &Options) -> Result<Self> {
        Self::new(network, &photo.into(), &[photo.into()], &reconstruction_options(options))
    }
}

/// Returns what the run of a texture is made of.
fn texture_of(style: Style, width: usize, height: usize, options: &Options) -> Result<(Subject, Vec<Style>, Options)> {
    let styles = regions::normalised(&[style])?;
    let appearance = styles[0].appearance(0)?;
    let mut options = Options { content_weight: 0.0, ..from_noise(options) };
    if options.objective == Objective::Balanced {
        // The picture of one colour below has no total variation that could be the unit.
        options.tv_weight /= appearance.total_variation.max(1.0);
    }
    Ok((Image::filled(width, height, appearance.colour).into(), styles, options))
}

fn reconstruction_options(options: &Options) -> Options {
    Options { style_weight: 0.0, ..from_noise(options) }
}

/// Returns options that do not start from the content.
fn from_noise(options: &Options) -> Options {
    let mut options = options.clone();
    if options.init == Init::Content {
        options.init = Init::Noise;
    }
    options
}
