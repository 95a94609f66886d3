//! How close a picture is to a content and a style.

use impasto_engine::{Image, Layer, Padding, Pooling};

use crate::checks::check_image;
use crate::error::{Error, PictureRole, Result};
use crate::loss::losses::Losses;
use crate::network::Network;
use crate::options::{Objective, OptimizerKind, Options, StyleLossKind, WeightedLayer, check_layers};
use crate::picture::mask::Mask;
use crate::reduce::norm;
use crate::session::memory::Needs;
use crate::session::schedule::Scale;
use crate::session::subject::Subject;
use crate::session::task::Task;
use crate::style::regions;
use crate::style::source::Style;
use crate::threads::{check_threads, thread_pool};

/// By what a picture is measured.
#[derive(Clone, Debug, PartialEq)]
pub struct MeasureOptions {
    /// Layers of eq. (1), each at most once; none = no content loss. Default relu4_2.
    pub content_layers: Vec<WeightedLayer>,
    /// Layers of eq. (2), each at most once; none = no style loss. Default as in [`Options`].
    pub style_layers: Vec<WeightedLayer>,
    /// What of the style's features is compared. Default Gram matrices.
    pub style_loss: StyleLossKind,
    /// How the network halves its maps. Default the maximum.
    pub pooling: Pooling,
    /// What the network sees beyond the border. Default zeros.
    pub padding: Padding,
    /// Threads to work with, 1 to 1024; `None` = one for each core. Default `None`.
    pub threads: Option<usize>,
    /// Peak resident memory in bytes that the process may reach; what does not fit is evaluated in bands. `None` = as much as it takes.
    /// Default `None`.
    pub memory: Option<u64>,
}

impl Default for MeasureOptions {
    fn default() -> Self {
        Self::for_objective(Objective::Paper)
    }
}

impl MeasureOptions {
    /// What a run with [`Options::for_objective`] compares.
    pub fn for_objective(objective: Objective) -> Self {
        let Options { content_layers, style_layers, style_loss, pooling, padding, threads, .. } =
            Options::for_objective(objective);
        Self { content_layers, style_layers, style_loss, pooling, padding, threads, memory: None }
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
    /// What `losses.style` is made of: one where all styles are for all of the picture. Empty where there are no style layers.
    pub regions: Vec<RegionLosses>,
    /// Norms of the gradients of the three.
    pub gradient_norm: GradientNorms,
}

/// The style losses in a part of a picture. The losses of the picture are the sum of `share · loss` over its parts.
#[derive(Clone, Debug, PartialEq)]
pub struct RegionLosses {
    /// Which of the styles are blended there, from 0.
    pub styles: Vec<usize>,
    /// Its area over that of all that is visible.
    pub share: f64,
    /// By layer, unweighted, in the order the layers were given.
    pub style: Vec<(Layer, f64)>,
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

/// [`measure_styles`] for all of one content picture and one style picture.
pub fn measure(
    network: &Network,
    picture: &Image,
    content: &Image,
    style: &Image,
    options: &MeasureOptions,
) -> Result<Measurement> {
    measure_styles(network, picture, &content.into(), &[style.into()], options)
}

/// The losses of `picture` by eqs. (1) to (3) and (5), and the norms of their gradients: those of a
/// [`Session::with_styles`](crate::Session::with_styles) whose picture it is. Nothing is resized but masks.
///
/// `subject`: the content, of the picture's size; where it is kept no style is looked for, and the picture is taken to have it. The
/// styles have any size.
///
/// Errors: sizes that differ, pictures without pixels or too small for a layer or with values outside 0..255, layers given
/// twice, masks that leave nothing, styles without weight, statistics that do not fit, a size that does not fit [`MeasureOptions::memory`].
pub fn measure_styles(
    network: &Network,
    picture: &Image,
    subject: &Subject,
    styles: &[Style],
    options: &MeasureOptions,
) -> Result<Measurement> {
    check_layers("content_layers", &options.content_layers)?;
    check_layers("style_layers", &options.style_layers)?;
    check_threads(options.threads)?;
    check_image(PictureRole::Picture, picture)?;
    check_image(PictureRole::Content, &subject.content)?;
    let styles = regions::normalised(styles)?;
    let size = (picture.width(), picture.height());
    let content_size = (subject.content.width(), subject.content.height());
    if size != content_size {
        return Err(Error::SizeMismatch { picture: size, content: content_size });
    }
    let (subject, styles) = without_keep(subject.normalised()?, styles);
    let weighted = |content_weight, style_weight, tv_weight| Options {
        content_weight,
        style_weight,
        tv_weight,
        content_layers: options.content_layers.clone(),
        style_layers: options.style_layers.clone(),
        style_loss: options.style_loss,
        pooling: options.pooling,
        padding: options.padding,
        memory: options.memory,
        // Nothing is optimised; the copies of picture and content are about as many as Adam's arrays.
        optimizer: OptimizerKind::Adam,
        ..Options::for_objective(Objective::Paper)
    };
    let pool = thread_pool(options.threads)?;
    let needs = Needs {
        options: &weighted(1.0, 1.0, 1.0),
        content: size,
        masks: usize::from(subject.opacity.is_some()) + styles.iter().filter(|style| style.region.is_some()).count(),
        styles: styles.iter().filter_map(Style::size).collect(),
        threads: pool.current_num_threads(),
    };
    let plan = needs.plan(&[Scale { width: size.0, height: size.1, steps: 1 }])?;
    let layouts = [&plan.scales[0].layout, &plan.scales[0].style_layout];

    pool.install(|| {
        let mut gradient = vec![0.0; picture.as_slice().len()];
        // One loss at a time, as a task of its own: its gradient is then the one wanted.
        let mut alone = |options: &Options| -> Result<(Task, Losses, f64)> {
            let mut task = Task::new(network, subject.clone(), &styles, 0, layouts, options)?;
            let losses = task.evaluate(picture.as_slice(), &mut gradient)?;
            Ok((task, losses, norm(&gradient)))
        };
        let (_, content, content_norm) = alone(&weighted(1.0, 0.0, 0.0))?;
        let (task, style, style_norm) = alone(&weighted(0.0, 1.0, 0.0))?;
        let regions = regions::by_region(&styles).into_iter().zip(task.style_by_region());
        let regions = regions.map(|((_, members), (share, style))| RegionLosses {
            styles: members.into_iter().map(|(i, _)| i).collect(),
            share,
            style,
        });
        let regions = regions.collect();
        drop(task);
        let (_, tv, tv_norm) = alone(&weighted(0.0, 0.0, 1.0))?;
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
            regions,
            gradient_norm: GradientNorms { content: content_norm, style: style_norm, tv: tv_norm },
        })
    })
}

/// What is kept as a part of the styles' regions: a [`Task`] would put it into the picture, which has it already.
fn without_keep(mut subject: Subject, mut styles: Vec<Style>) -> (Subject, Vec<Style>) {
    if let Some(keep) = subject.keep.take() {
        let painted = keep.inverted();
        let within = |region: Mask| region.resized(painted.width(), painted.height()).times(&painted);
        for style in &mut styles {
            style.region = Some(style.region.take().map_or_else(|| painted.clone(), within));
        }
    }
    (subject, styles)
}
