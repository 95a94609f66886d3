//! A run before anything of it is computed: its pictures are checked, its scales and its memory are
//! planned, and its time can be estimated.

use std::time::{Duration, Instant};

use impasto_engine::Layer;
use impasto_engine::plan::layout::Layout;
use rayon::ThreadPool;

use crate::checks::check_image;
use crate::error::{PictureRole, Result};
use crate::network::Network;
use crate::noise::white_noise;
use crate::options::Options;
use crate::session::memory::needs::Needs;
use crate::session::memory::plan::MemoryPlan;
use crate::session::schedule::{Scale, halved, schedule};
use crate::session::subject::Subject;
use crate::session::task::Task;
use crate::session::time::{RunCost, ScaleCost, evaluation_cost};
use crate::style::regions;
use crate::style::source::{Style, StyleSource};
use crate::style::strokes::MOST_CANDIDATES;
use crate::threads::thread_pool;

/// A run of which nothing has been computed yet.
pub(crate) struct Blueprint {
    /// Normalised.
    pub(crate) subject: Subject,
    /// Normalised.
    pub(crate) styles: Vec<Style>,
    pub(crate) scales: Vec<Scale>,
    pub(crate) memory: MemoryPlan,
    pub(crate) cost: RunCost,
    pub(crate) pool: ThreadPool,
}

impl Blueprint {
    /// Checks what a run is made of, and plans it.
    ///
    /// Errors: those of [`Session::with_styles`](crate::Session::with_styles), except for those of
    /// the start and of its evaluation.
    pub(crate) fn new(network: &Network, subject: &Subject, styles: &[Style], options: &Options) -> Result<Self> {
        options.validate()?;
        check_image(PictureRole::Content, &subject.content)?;
        let subject = subject.normalised()?;
        let styles = regions::normalised(styles)?;
        let scales = scales_of(&subject, &styles, options)?;
        regions::check_statistics(network, &styles, scales.len(), options)?;
        let pool = thread_pool(options.threads)?;
        let threads = options.planned_threads(pool.current_num_threads());
        let memory = needs(network, options, &subject, &styles, threads).plan(&scales)?;
        let cost = cost_of(&scales, &memory, &styles, options);
        Ok(Self { subject, styles, scales, memory, cost, pool })
    }
}

/// What a run will take, known without computing anything of it.
#[derive(Clone, Debug)]
pub struct RunPlan {
    /// Width and height of the result in pixels.
    pub size: (usize, usize),
    /// The sizes that the picture is worked on at, coarsest first, and the steps at each.
    pub scales: Vec<Scale>,
    /// How much memory the run takes, and what is done so that it fits.
    pub memory: MemoryPlan,
    cost: RunCost,
    /// Those that decide how long an evaluation takes.
    options: Options,
}

impl RunPlan {
    /// Plans the run of [`Session::with_styles`](crate::Session::with_styles).
    ///
    /// Errors: those of that function, except for those of the start and of its evaluation.
    pub fn new(network: &Network, subject: &Subject, styles: &[Style], options: &Options) -> Result<Self> {
        let Blueprint { subject, scales, memory, cost, .. } = Blueprint::new(network, subject, styles, options)?;
        let Options { content_layers, content_weight, style_layers, style_weight, .. } = options.clone();
        let Options { pooling, padding, style_loss, objective, threads, .. } = *options;
        let options = Options {
            content_layers,
            content_weight,
            style_layers,
            style_weight,
            pooling,
            padding,
            style_loss,
            objective,
            threads,
            ..Options::default()
        };
        let size = (subject.content.width(), subject.content.height());
        Ok(Self { size, scales, memory, cost, options })
    }

    /// Estimates how long the run takes at most, its start included. A scale that converges early
    /// takes less. It measures an evaluation of 128x128 px, which takes some tenths of a second.
    ///
    /// Errors: threads that are not to be had.
    pub fn estimate(&self, network: &Network) -> Result<Duration> {
        let pool = thread_pool(self.options.threads)?;
        let evaluation = pool.install(|| probe(network, &self.options))?;
        let per_pixel = evaluation.div_f64(evaluation_cost(PROBE * PROBE));
        Ok(per_pixel.mul_f64(self.cost.of_scales(&self.scales, 0)))
    }
}

/// Sides of the picture that is evaluated to learn how fast the machine is, in pixels. It is large
/// enough for the kernels of larger pictures.
const PROBE: usize = 128;

/// Evaluations of the probe whose fastest counts.
const PROBE_RUNS: usize = 2;

/// Measures an evaluation of the probe.
fn probe(network: &Network, options: &Options) -> Result<Duration> {
    let [content, style] = [1, 2].map(|seed| white_noise(PROBE, PROBE, seed));
    let (subject, whole) = (Subject::from(&content).normalised()?, Layout::whole());
    let mut task = Task::new(network, subject, &[Style::from(&style)], 0, [&whole, &whole], options)?;
    let mut gradient = vec![0.0; content.as_slice().len()];
    // The first evaluation unpacks the weights.
    task.evaluate(content.as_slice(), &mut gradient)?;
    let mut fastest = Duration::MAX;
    for _ in 0..PROBE_RUNS {
        let started = Instant::now();
        task.evaluate(content.as_slice(), &mut gradient)?;
        fastest = fastest.min(started.elapsed());
    }
    Ok(fastest)
}

/// Returns the scales of a run, coarsest first.
fn scales_of(subject: &Subject, styles: &[Style], options: &Options) -> Result<Vec<Scale>> {
    let sizes: Vec<_> = styles.iter().filter_map(Style::size).collect();
    let leave_something = |halvings, size| regions::leave_something(subject, styles, size, halvings, options);
    schedule(&subject.content, &sizes, options, &leave_something)
}

/// Returns what a run needs whose `subject` and `styles` are normalised.
pub(crate) fn needs<'a>(
    network: &Network,
    options: &'a Options,
    subject: &Subject,
    styles: &[Style],
    threads: usize,
) -> Needs<'a> {
    let masks = [&subject.opacity, &subject.keep].into_iter().flatten().count();
    Needs {
        options,
        content: (subject.content.width(), subject.content.height()),
        masks: masks + styles.iter().filter(|style| style.region.is_some()).count(),
        styles: styles.iter().filter_map(Style::size).collect(),
        threads,
        card: network.card(),
    }
}

/// Returns the operations of a search for the matches of all regions, if the styles are about as
/// large as the picture.
fn search_operations(scale: &Scale, styles: &[Style], options: &Options) -> f64 {
    let regions = regions::by_region(styles).len();
    let of_layer = |layer: &Layer| {
        let positions = (scale.width >> layer.poolings()) * (scale.height >> layer.poolings());
        let candidates = regions * positions.min(MOST_CANDIDATES);
        2.0 * layer.channels() as f64 * positions as f64 * candidates as f64
    };
    options.stroke_layers().iter().map(of_layer).sum()
}

/// Returns what the scales of a run cost. Only pictures of styles are evaluated, each of their
/// turned copies once at every scale.
fn cost_of(scales: &[Scale], memory: &MemoryPlan, styles: &[Style], options: &Options) -> RunCost {
    let of_scale = |(i, (scale, plan))| {
        let halvings = scales.len() - 1 - i;
        let copies = styles.iter().filter(|_| options.style_weight > 0.0).flat_map(|style| match &style.source {
            StyleSource::Picture(picture) => {
                let (width, height) = halved((picture.image.width(), picture.image.height()), halvings);
                std::iter::repeat_n(width * height, picture.rotations)
            }
            StyleSource::Statistics { .. } => std::iter::repeat_n(0, 0),
        });
        ScaleCost::new(scale, plan, copies, search_operations(scale, styles, options))
    };
    RunCost(scales.iter().zip(&memory.scales).enumerate().map(of_scale).collect())
}
