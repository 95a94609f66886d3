//! Runs with one picture, `texture` and `reconstruct`: from the session to the report.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use impasto::picture::{self, SaveOptions};
use impasto::{Network, Objective, Options, Session, StopReason};
use serde::Serialize;

use crate::args::{EngineArgs, MemoryArgs, OptimizerName, PlanArgs, RecipeNoteArgs, ReportArgs, name_of, seed};
use crate::checkpoint::{CheckpointArgs, Checkpoints};
use crate::input::Reading;
use crate::interrupt::Interrupt;
use crate::plan::Plan;
use crate::progress::{Display, Progress};
use crate::{Failure, OrFail, input, report};

/// Options of both.
#[derive(Args, Debug)]
pub struct SynthesisArgs {
    /// Where the result goes; the extension (png, jpg, tif, webp) says as what. An existing file is replaced.
    #[arg(short, long, value_name = "OUT")]
    pub output: PathBuf,

    /// Seed of the noise to start from: the same seed gives the same picture, bit for bit.
    #[arg(long, value_name = "N", value_parser = seed, default_value_t = Options::default().seed)]
    #[arg(allow_hyphen_values = true, help_heading = "Optimisation")]
    pub seed: u64,

    /// The optimiser.
    #[arg(long, value_enum, default_value_t = name_of(Options::default().optimizer), help_heading = "Optimisation")]
    pub optimizer: OptimizerName,

    #[command(flatten)]
    pub recipe: RecipeNoteArgs,

    #[command(flatten)]
    pub engine: EngineArgs,

    #[command(flatten)]
    pub memory: MemoryArgs,

    #[command(flatten)]
    pub plan: PlanArgs,

    #[command(flatten)]
    pub checkpoint: CheckpointArgs,

    #[command(flatten)]
    pub report: ReportArgs,
}

impl SynthesisArgs {
    /// The library's options, as far as they are the same for both.
    pub fn options(&self) -> Options {
        Options {
            seed: self.seed,
            optimizer: self.optimizer.into(),
            pooling: self.engine.pooling.into(),
            threads: self.engine.threads,
            memory: self.memory.limit(),
            plan_threads: self.memory.resumed.as_ref().map(|limits| limits.threads),
            ..Options::default()
        }
    }

    /// Bytes that writing a result of this width and height takes.
    ///
    /// Errors: a name that says no format.
    pub fn aside(&self, (width, height): (usize, usize)) -> anyhow::Result<u64> {
        Ok(SaveOptions::default().memory(&self.output, width, height)?)
    }

    /// How its pictures are read.
    pub fn reading(&self) -> Reading {
        Reading { quiet: self.report.quiet, memory: self.memory.limit() }
    }

    /// Refuses an output that cannot be written or that would destroy an input.
    pub fn check_output(&self, inputs: &[PathBuf]) -> anyhow::Result<()> {
        let inputs: Vec<&Path> = inputs.iter().map(PathBuf::as_path).chain(self.engine.weights.as_deref()).collect();
        input::check_output(&self.output, &inputs)
    }
}

/// The result of a run.
#[derive(Debug, Serialize)]
struct Synthesised {
    output: String,
    /// Width and height in px.
    size: [usize; 2],
    steps: usize,
    steps_wanted: usize,
    /// `completed`, `interrupted` or `converged`.
    stopped: &'static str,
    seconds: f64,
    /// Unweighted.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    content_loss_by_layer: BTreeMap<String, f64>,
    /// Unweighted.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    style_loss: BTreeMap<String, f64>,
    tv: f64,
    total_loss: f64,
    /// The total of the start.
    start_loss: f64,
    scales: Vec<report::Scale>,
    seed: u64,
}

/// Runs a session to its end or to Ctrl-C, writes the picture with its `recipe` and reports. `inputs`: the files that it is of.
pub fn run(
    args: &SynthesisArgs,
    mut inputs: Vec<PathBuf>,
    options: &Options,
    recipe: Option<String>,
    started: Instant,
    session: impl FnOnce(&Network) -> anyhow::Result<Session>,
) -> Result<(), Failure> {
    let network = input::network(&args.engine)?;
    let display = Display::new(args.report.quiet, options.steps).or_program()?;
    let interrupt = Interrupt::install(display.clone()).or_program()?;
    let mut session = session(&network).or_user()?;
    let start_loss = session.losses().total;
    let plan = Plan::new(&args.output, &session, options.memory);
    if args.plan.plan {
        let text = if args.report.json { report::json(&plan)? } else { plan.text() };
        return report::print(&text);
    }
    display.note(&plan.line());
    inputs.extend(args.engine.weights.clone());
    let mut checkpoints =
        Checkpoints::begin(&args.checkpoint, &args.output, &inputs, options, &mut session, display.clone())
            .or_user()?;

    let mut progress = Progress::new(display.clone(), Objective::Balanced);
    let reason = session.run(&mut |state: &impasto::Progress<'_>| {
        interrupt.start();
        progress.update(state);
        checkpoints.update(state, &interrupt);
        // At the start there is no step to end after.
        if state.step > 0 && interrupt.requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    display.clear();
    let reason = reason.or_program()?;
    report::check_start_left(&session).or_user()?;

    let picture = session.picture();
    let written = {
        let _undisturbed = interrupt.undisturbed();
        picture::save_with(&args.output, &picture, &SaveOptions { recipe, ..SaveOptions::default() })
    };
    if reason == StopReason::Interrupted || written.is_err() {
        checkpoints.leave(&session, &interrupt);
    } else {
        checkpoints.remove();
    }
    written.or_program()?;
    let losses = session.losses();
    let report = Synthesised {
        output: args.output.display().to_string(),
        size: [picture.width(), picture.height()],
        steps: session.steps_done(),
        steps_wanted: options.steps,
        stopped: report::stopped(reason),
        seconds: checkpoints.seconds_before + started.elapsed().as_secs_f64(),
        content_loss_by_layer: report::by_layer(&losses.content),
        style_loss: report::by_layer(&losses.style),
        tv: losses.tv,
        total_loss: losses.total,
        start_loss,
        scales: session.scales().iter().map(report::Scale::from).collect(),
        seed: options.seed,
    };
    if args.report.json {
        report::print(&report::json(&report)?)
    } else if args.report.quiet {
        Ok(())
    } else {
        let Synthesised { output, size, steps, steps_wanted, stopped, seconds, .. } = &report;
        let headline = report::headline(output, *size, (*steps, *steps_wanted), stopped, *seconds);
        let mut rows = report::loss_rows(losses);
        rows.push(["total".to_owned(), String::new(), report::number(losses.total)]);
        report::print(&format!("{headline}{}", report::table(&rows)))
    }
}
