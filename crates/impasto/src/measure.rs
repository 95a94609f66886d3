//! How close a picture is to a content and a style.
//!
//! A measurement uses the losses of a run without minimising anything. Each of the three losses is
//! evaluated on its own, because its gradient is wanted on its own. The result says how strongly
//! each loss pulls at the picture.

use impasto_engine::{Image, Layer, Padding, Pooling};

use crate::checks::check_image;
use crate::error::{Error, PictureRole, Result};
use crate::loss::losses::Losses;
use crate::network::Network;
use crate::options::{Objective, OptimizerKind, Options, StyleLossKind, WeightedLayer, check_layers};
use crate::picture::mask::Mask;
use crate::reduce::norm;
use crate::session::blueprint::needs;
use crate::session::memory::plan::ScalePlan;
use crate::session::schedule::Scale;
use crate::session::subject::Subject;
use crate::session::task::Task;
use crate::style::regions;
use crate::style::source::Style;
use crate::threads::{check_threads, thread_pool};

/// What a picture is measured by.
#[derive(Clone, Debug, PartialEq)]
pub struct MeasureOptions {
    /// Layers of eq. (1), each at most once. Without any there is no content loss. Default relu4_2.
    pub content_layers: Vec<WeightedLayer>,
    /// Layers of eq. (2), each at most once. Without any there is no style loss. Default as in
    /// [`Options`].
    pub style_layers: Vec<WeightedLayer>,
    /// How the style is compared. Default by Gram matrices.
    pub style_loss: StyleLossKind,
    /// How the network halves its maps. Default the maximum.
    pub pooling: Pooling,
    /// What the network sees beyond the border. Default zeros.
    pub padding: Padding,
    /// Threads to work with, 1 to 1024, or `None` for one for each core. Default `None`.
    pub threads: Option<usize>,
    /// Peak resident memory in bytes that the process may reach, or `None` for as much as it takes.
    /// If the picture does not fit, it is evaluated in bands. Default `None`.
    pub memory: Option<u64>,
}

impl Default for MeasureOptions {
    fn default() -> Self {
        Self::for_objective(Objective::Paper)
    }
}

impl MeasureOptions {
    /// Returns what a run with [`Options::for_objective`] compares.
    pub fn for_objective(objective: Objective) -> Self {
        let Options { content_layers, style_layers, style_loss, pooling, padding, threads, .. } =
            Options::for_objective(objective);
        Self { content_layers, style_layers, style_loss, pooling, padding, threads, memory: None }
    }

    fn validate(&self) -> Result<()> {
        check_layers("content_layers", &self.content_layers)?;
        check_layers("style_layers", &self.style_layers)?;
        check_threads(self.threads)
    }

    /// Returns the options of a run that evaluates content, style and total variation with these
    /// weights.
    fn weighted(&self, [content_weight, style_weight, tv_weight]: [f64; 3]) -> Options {
        Options {
            content_weight,
            style_weight,
            tv_weight,
            content_layers: self.content_layers.clone(),
            style_layers: self.style_layers.clone(),
            style_loss: self.style_loss,
            pooling: self.pooling,
            padding: self.padding,
            memory: self.memory,
            // Nothing is optimised, but the copies of picture and content are about as many as
            // Adam's arrays.
            optimizer: OptimizerKind::Adam,
            ..Options::for_objective(Objective::Paper)
        }
    }
}

/// The losses of a picture, and how strongly each of them pulls at it.
#[derive(Clone, Debug, PartialEq)]
pub struct Measurement {
    /// Width of the picture in pixels.
    pub width: usize,
    /// Height of the picture in pixels.
    pub height: usize,
    /// Eqs. (1), (2) and (5). `total` is their plain sum, with layers counting by their weights.
    pub losses: Losses,
    /// The parts of `losses.style`. There is one part if all styles apply to all of the picture,
    /// and none if there are no style layers.
    pub regions: Vec<RegionLosses>,
    /// Norms of the gradients of the three losses.
    pub gradient_norm: GradientNorms,
}

/// The style losses in a part of a picture. The losses of the picture are the sum of `share · loss`
/// over its parts.
#[derive(Clone, Debug, PartialEq)]
pub struct RegionLosses {
    /// The styles that are blended there, by their place among all, from 0.
    pub styles: Vec<usize>,
    /// Area of the part as a fraction of everything visible.
    pub share: f64,
    /// Losses by layer, unweighted, in the order in which the layers were given.
    pub style: Vec<(Layer, f64)>,
}

/// Euclidean norms of the gradients with respect to the pixels (0..255), without alpha, beta and
/// `tv_weight`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GradientNorms {
    /// Norm of the content loss's gradient. Its layers are weighted.
    pub content: f64,
    /// Norm of the style loss's gradient. Its layers are weighted.
    pub style: f64,
    /// Norm of the total variation's gradient.
    pub tv: f64,
}

/// Measures a picture against one content picture and one style picture; see [`measure_styles`].
pub fn measure(
    network: &Network,
    picture: &Image,
    content: &Image,
    style: &Image,
    options: &MeasureOptions,
) -> Result<Measurement> {
    measure_styles(network, picture, &content.into(), &[style.into()], options)
}

/// Measures the losses of `picture`, eqs. (1) to (3) and (5), and the norms of their gradients.
///
/// They are those of a [`Session::with_styles`](crate::Session::with_styles) that has this picture.
/// Only masks are resized.
///
/// `subject` holds the content, in the picture's size. No style is looked for in its kept parts;
/// the picture is taken to have them. The styles have any size.
///
/// Errors: sizes that differ; pictures without pixels, too small for a layer, or with values
/// outside 0..255; layers given twice; masks that leave nothing; styles without weight; statistics
/// that do not fit; a size that does not fit in [`MeasureOptions::memory`].
pub fn measure_styles(
    network: &Network,
    picture: &Image,
    subject: &Subject,
    styles: &[Style],
    options: &MeasureOptions,
) -> Result<Measurement> {
    options.validate()?;
    check_image(PictureRole::Picture, picture)?;
    check_image(PictureRole::Content, &subject.content)?;
    let styles = regions::normalised(styles)?;
    let size = (picture.width(), picture.height());
    let content_size = (subject.content.width(), subject.content.height());
    if size != content_size {
        return Err(Error::SizeMismatch { picture: size, content: content_size });
    }
    let (subject, styles) = without_keep(subject.normalised()?, styles);
    let pool = thread_pool(options.threads)?;
    let scale = Scale { width: size.0, height: size.1, steps: 1 };
    let (weighted, threads) = (options.weighted([1.0; 3]), pool.current_num_threads());
    let plan = needs(network, &weighted, &subject, &styles, threads).plan(&[scale])?;
    let single_loss = SingleLoss { network, picture, subject: &subject, styles: &styles, plan: &plan.scales[0] };

    pool.install(|| {
        let (_, content, content_norm) = single_loss.evaluate(&options.weighted([1.0, 0.0, 0.0]))?;
        let (task, style, style_norm) = single_loss.evaluate(&options.weighted([0.0, 1.0, 0.0]))?;
        let regions = region_losses(&task, &styles);
        drop(task);
        let (_, tv, tv_norm) = single_loss.evaluate(&options.weighted([0.0, 0.0, 1.0]))?;
        Ok(Measurement {
            width: picture.width(),
            height: picture.height(),
            losses: Losses {
                total: content.total + style.total + tv.total,
                content: content.content,
                content_sum: content.content_sum,
                style: style.style,
                strokes: style.strokes,
                style_sum: style.style_sum,
                tv: tv.tv,
            },
            regions,
            gradient_norm: GradientNorms { content: content_norm, style: style_norm, tv: tv_norm },
        })
    })
}

/// One of the losses of a picture. It is a task of its own, so that its gradient is the one that is
/// wanted.
struct SingleLoss<'a> {
    network: &'a Network,
    picture: &'a Image,
    subject: &'a Subject,
    styles: &'a [Style],
    plan: &'a ScalePlan,
}

impl SingleLoss<'_> {
    /// Evaluates the loss that has a weight in `options`. Returns the norm of its gradient too.
    fn evaluate(&self, options: &Options) -> Result<(Task, Losses, f64)> {
        let layouts = [&self.plan.layout, &self.plan.style_layout];
        let mut task = Task::new(self.network, self.subject.clone(), self.styles, 0, layouts, options)?;
        let mut gradient = vec![0.0; self.picture.as_slice().len()];
        let losses = task.evaluate(self.picture.as_slice(), &mut gradient)?;
        Ok((task, losses, norm(&gradient)))
    }
}

/// Returns the style losses of each part, from a task that has evaluated the style.
fn region_losses(task: &Task, styles: &[Style]) -> Vec<RegionLosses> {
    let regions = regions::by_region(styles).into_iter().zip(task.style_by_region());
    let regions = regions.map(|((_, members), (share, style))| RegionLosses {
        styles: members.into_iter().map(|(i, _)| i).collect(),
        share,
        style,
    });
    regions.collect()
}

/// Makes the kept parts a part of the styles' regions. A [`Task`] would put them into the picture,
/// which has them already.
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
