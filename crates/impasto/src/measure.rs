//! How close a picture is to a content and a style.

use crate::loss::Losses;
use crate::options::{check_layers, check_threads};
use crate::reduce::norm;
use crate::task::{Task, check_image, thread_pool};
use crate::{Error, Image, Input, Network, Objective, Options, Pooling, Result, WeightedLayer};

/// By what a picture is measured.
#[derive(Clone, Debug, PartialEq)]
pub struct MeasureOptions {
    /// Layers of eq. (1), each at most once; none = no content loss. Default relu4_2.
    pub content_layers: Vec<WeightedLayer>,
    /// Layers of eq. (2), each at most once; none = no style loss. Default as in [`Options`].
    pub style_layers: Vec<WeightedLayer>,
    /// How the network halves its maps. Default the maximum.
    pub pooling: Pooling,
    /// Threads to work with, 1 to 1024; `None` = one for each core. Default `None`.
    pub threads: Option<usize>,
}

impl Default for MeasureOptions {
    fn default() -> Self {
        let Options { content_layers, style_layers, pooling, threads, .. } = Options::for_objective(Objective::Paper);
        Self { content_layers, style_layers, pooling, threads }
    }
}

/// The losses of a picture and how strongly each pulls at it.
#[derive(Clone, Debug, PartialEq)]
pub struct Measurement {
    /// Width of the picture in pixels.
    pub width: usize,
    /// Height of the picture in pixels.
    pub height: usize,
    /// Eqs. (1), (2) and (5); `total` is their plain sum, layers counting by their weights.
    pub losses: Losses,
    /// Norms of the gradients of the three.
    pub gradient_norm: GradientNorms,
}

/// Euclidean norms of the gradients with respect to the pixels (0..255), without alpha, beta and `tv_weight`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GradientNorms {
    /// Of the content loss, its layers weighted.
    pub content: f64,
    /// Of the style loss, its layers weighted.
    pub style: f64,
    /// Of the total variation.
    pub tv: f64,
}

/// The losses of `picture` by eqs. (1) to (3) and (5), and the norms of their gradients. Nothing is resized.
///
/// `content` has the picture's size; `style` has any.
///
/// Errors: sizes that differ, pictures without pixels or too small for a layer or with values outside 0..255, layers given
/// twice.
pub fn measure(
    network: &Network,
    picture: &Image,
    content: &Image,
    style: &Image,
    options: &MeasureOptions,
) -> Result<Measurement> {
    check_layers("content_layers", &options.content_layers)?;
    check_layers("style_layers", &options.style_layers)?;
    check_threads(options.threads)?;
    for (input, image) in [(Input::Picture, picture), (Input::Content, content), (Input::Style, style)] {
        check_image(input, image)?;
    }
    let (size, content_size) = ((picture.width(), picture.height()), (content.width(), content.height()));
    if size != content_size {
        return Err(Error::SizeMismatch { picture: size, content: content_size });
    }

    thread_pool(options.threads)?.install(|| {
        let mut gradient = vec![0.0; picture.as_slice().len()];
        // One loss at a time, as a task of its own: its gradient is then the one wanted.
        let mut alone = |content_weight, style_weight, tv_weight| -> Result<(Losses, f64)> {
            let options = Options {
                content_weight,
                style_weight,
                tv_weight,
                content_layers: options.content_layers.clone(),
                style_layers: options.style_layers.clone(),
                pooling: options.pooling,
                ..Options::for_objective(Objective::Paper)
            };
            let losses = Task::of_pair(network, content, style, &options)?.evaluate(picture.as_slice(), &mut gradient);
            Ok((losses, norm(&gradient)))
        };
        let (content, content_norm) = alone(1.0, 0.0, 0.0)?;
        let (style, style_norm) = alone(0.0, 1.0, 0.0)?;
        let (tv, tv_norm) = alone(0.0, 0.0, 1.0)?;
        Ok(Measurement {
            width: picture.width(),
            height: picture.height(),
            losses: Losses {
                total: content.total + style.total + tv.total,
                content: content.content,
                content_sum: content.content_sum,
                style: style.style,
                style_sum: style.style_sum,
                tv: tv.tv,
            },
            gradient_norm: GradientNorms { content: content_norm, style: style_norm, tv: tv_norm },
        })
    })
}
