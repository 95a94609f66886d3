//! `impasto CONTENT STYLE -o OUT`: the transfer itself.

use std::ops::ControlFlow;
use std::time::Instant;

use clap::ArgMatches;
use impasto::picture::SaveOptions;
use impasto::{Init, StopReason};

use crate::args::{FileArgs, TransferArgs};
use crate::checkpoint::{CheckpointArgs, Checkpoints};
use crate::interrupt::Interrupt;
use crate::maker::Maker;
use crate::output::{self, Snapshots};
use crate::painting::{self, Painting, Wish};
use crate::plan::Plan;
use crate::progress::{Display, Progress};
use crate::{Failure, OrFail, input, recipe, report, styles};

/// Makes the picture and reports.
///
/// `only_plan`: says what it would take, and stops. `matches`: what `files` and `args` were read from, for the recipe.
pub fn run(
    files: &FileArgs,
    args: &TransferArgs,
    checkpoint: &CheckpointArgs,
    only_plan: bool,
    matches: &ArgMatches,
) -> Result<(), Failure> {
    let started = Instant::now();
    let mut wish = Wish::new(files, args).or_user()?;
    let save = output::save_options(args);
    output::check(files, args, &save).or_user()?;

    let content = input::load(&files.content, args.reading()).or_user()?;
    let scaled = wish.scale(&content).or_user()?;
    output::check_room(files, &save, (scaled.width(), scaled.height())).or_user()?;
    // The file's own size can be much larger, and is not needed any more.
    drop(content.image);
    let init = painting::load_init(args).or_user()?;
    let named = styles::named(files);
    let sources = styles::load(&named, &args.look, args.reading()).or_user()?;
    let mut painting = Painting::new(wish, scaled, sources, init.as_ref()).or_user()?;
    drop(init);
    let recipe = recipe::noted(Maker::Transfer, matches, &files.output, painting.size())?;
    let save = SaveOptions { alpha: content.alpha, profile: content.profile, exif: content.exif, recipe, ..save };
    painting.set_limits(output::name(files), &save).or_user()?;
    let network = input::network(&args.network.engine)?;

    let display = Display::new(args.report.quiet, painting.options().steps).or_program()?;
    let interrupt = Interrupt::install(display.clone()).or_program()?;
    let mut session = painting.session(&network).or_user()?;
    painting.leave_styles();
    let options = painting.options();
    let plan = Plan::new(&files.output, &session, options.memory);
    if only_plan {
        let text = if args.report.json { report::json(&plan)? } else { plan.text() };
        return report::print(&text);
    }
    display.note(&plan.line());

    let mut inputs = output::pictures(files, args);
    inputs.extend(args.network.engine.weights.clone());
    let mut checkpoints =
        Checkpoints::begin(checkpoint, &files.output, &inputs, options, &mut session, display.clone()).or_user()?;

    let mut progress = Progress::new(display.clone(), options.objective);
    // The recipe leads to the result, not to what was there before.
    let save_snapshots = SaveOptions { recipe: None, ..save.clone() };
    let mut snapshots = Snapshots::new(files, &save_snapshots, &painting);
    let reason = session.run(&mut |state: &impasto::Progress<'_>| {
        interrupt.start();
        progress.update(state);
        snapshots.take(state, &interrupt);
        checkpoints.update(state, &interrupt);
        // At the start there is no step to end after.
        if state.step > 0 && interrupt.requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    display.clear();
    if let Err(impasto::Error::FeatureCache { .. }) = reason {
        checkpoints.leave_failed(&session, &interrupt);
    }
    let reason = reason.or_program()?;
    // The photo itself is a result: `--strength 0` asks for little else.
    if options.init != Init::Content {
        report::check_start_left(&session).or_user()?;
    }

    let written = {
        let _undisturbed = interrupt.undisturbed();
        output::write(&files.output, &painting.finish(session.image()), &save)
    };
    if reason == StopReason::Interrupted || written.is_err() {
        checkpoints.leave(&session, &interrupt);
    } else {
        checkpoints.remove();
    }
    written.or_program()?;
    snapshots.result().or_program()?;

    let seconds = checkpoints.seconds_before + started.elapsed().as_secs_f64();
    let report = report::Transfer::new(files, &session, &painting, reason, seconds, snapshots.saved);
    let text = if args.report.json {
        report::json(&report)?
    } else if args.report.quiet {
        return Ok(());
    } else {
        report::transfer_text(&report, session.losses())
    };
    output::report(&files.output, &text)
}
