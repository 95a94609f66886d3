//! Runs that are interrupted, and continued by another session.
#![allow(clippy::unwrap_used, reason = "the lint knows a test function, but not its helpers")]

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::LazyLock;

use impasto::{
    Adjustment, Error, Image, Init, Mask, Network, OptimizerKind, Options, Progress, SavedState, Scales, Session,
    SizeOptions, StopReason, StyleLossKind, Subject, picture, prepare,
};

static NETWORK: LazyLock<Network> = LazyLock::new(|| Network::embedded().unwrap());

/// The astronaut and the starry night, 65 px on their longest side.
static PAIR: LazyLock<(Image, Image)> = LazyLock::new(|| {
    let examples = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples"));
    let image = |name| picture::load(&examples.join(name)).unwrap();
    let options = SizeOptions { size: 65, ..SizeOptions::default() };
    let (content, style) = prepare(&image("astronaut.jpg"), &image("starry_night.jpg"), &options).unwrap();
    (content.image, style.image)
});

/// A quarter of the content is kept.
fn session(options: &Options) -> Session {
    let (content, style) = &*PAIR;
    let (width, height) = (content.width(), content.height());
    let keep = (0..width * height).map(|i| if i % width < width / 4 { 1.0 } else { 0.0 }).collect();
    let subject = Subject { keep: Some(Mask::new(width, height, keep)), ..content.into() };
    Session::with_styles(&NETWORK, &subject, &[style.into()], options).unwrap()
}

/// Runs to the end, and saves the state after each step.
fn run(session: &mut Session, folder: Option<&Path>) -> (StopReason, Vec<u64>) {
    let mut totals = Vec::new();
    let reason = session.run(&mut |progress: &Progress<'_>| {
        totals.push(progress.losses.total.to_bits());
        if let Some(folder) = folder {
            progress.state().save(&folder.join(progress.step.to_string())).unwrap();
        }
        ControlFlow::Continue(())
    });
    (reason.unwrap(), totals)
}

/// After an interruption at any of these steps, the run ends as if nothing had happened.
fn check(options: &Options, steps: usize, broken_off: impl IntoIterator<Item = usize>) {
    let folder = tempfile::tempdir().unwrap();
    let mut whole = session(options);
    let (reason, totals) = run(&mut whole, Some(folder.path()));
    assert_eq!(whole.steps_done(), steps);
    for step in broken_off {
        let state = SavedState::open(&folder.path().join(step.to_string())).unwrap();
        assert_eq!(state.steps_done(), step);
        let mut resumed = session(&Options { threads: Some(1 + step % 2), ..options.clone() });
        resumed.restore(&state).unwrap();
        assert_eq!(resumed.steps_done(), step);
        let (resumed_reason, resumed_totals) = run(&mut resumed, None);
        let what = format!("{:?} from step {step}", options.optimizer);
        assert!(resumed.picture() == whole.picture(), "{what}");
        assert_eq!(resumed_totals, totals[step..], "{what}");
        assert_eq!((resumed_reason, resumed.losses()), (reason, whole.losses()), "{what}");
        assert_eq!((resumed.scales(), resumed.steps_done()), (whole.scales(), steps), "{what}");
    }
}

fn options() -> Options {
    Options { steps: 5, scales: Scales::Count(2), init: Init::Noise, ..Options::default() }
}

#[test]
fn lbfgs_goes_on_with_the_same_bits_from_every_step() {
    check(&options(), 5, 0..=5);
}

/// Adjustments at the start, inside a scale and between two scales.
fn adjusted(optimizer: OptimizerKind) -> Options {
    let adjustment = |step, content_weight, tv_weight| Adjustment { step, content_weight, tv_weight };
    let adjustments = vec![
        adjustment(0, Some(0.5), None),
        adjustment(1, Some(2.0), Some(0.1)),
        adjustment(2, None, Some(0.0)),
        adjustment(4, Some(0.05), None),
    ];
    Options { optimizer, adjustments, ..options() }
}

#[test]
fn a_run_whose_weights_change_goes_on_with_the_same_bits_from_every_step() {
    for optimizer in [OptimizerKind::Lbfgs, OptimizerKind::Adam] {
        check(&adjusted(optimizer), 5, 0..=5);
    }
}

#[test]
fn weights_that_change_while_a_run_goes_on_make_the_picture_of_those_known_before() {
    for optimizer in [OptimizerKind::Lbfgs, OptimizerKind::Adam] {
        let options = adjusted(optimizer);
        let mut known = session(&options);
        run(&mut known, None);
        let mut told = session(&Options { adjustments: vec![], ..options.clone() });
        for step in 0..=5 {
            assert_eq!(told.steps_done(), step);
            for &adjustment in options.adjustments.iter().filter(|adjustment| adjustment.step == step) {
                let made = told.adjust(adjustment.content_weight, adjustment.tv_weight).unwrap();
                assert_eq!(made, adjustment);
            }
            told.step().unwrap();
        }
        assert!(told.picture() == known.picture(), "{optimizer:?}");
        assert_eq!(told.losses(), known.losses(), "{optimizer:?}");
        let mut plain = session(&Options { adjustments: vec![], ..options });
        run(&mut plain, None);
        assert!(plain.picture() != known.picture(), "{optimizer:?}: weights count");
    }
}

#[test]
fn adjustments_that_cannot_be_made_change_nothing() {
    let mut session = session(&options());
    session.step().unwrap();
    for (content_weight, tv_weight) in [(None, None), (Some(0.0), None), (Some(f64::NAN), None), (None, Some(-1.0))] {
        let error = session.adjust(content_weight, tv_weight).unwrap_err().to_string();
        assert!(error.starts_with("`adjustments` "), "{error}");
    }
    let unsorted = vec![
        Adjustment { step: 2, tv_weight: Some(1.0), ..Adjustment::default() },
        Adjustment { step: 1, tv_weight: Some(1.0), ..Adjustment::default() },
    ];
    assert!(Options { adjustments: unsorted, ..options() }.validate().is_err());
    run(&mut session, None);
    let mut plain = self::session(&options());
    run(&mut plain, None);
    assert!(session.picture() == plain.picture());
}

#[test]
fn adam_goes_on_with_the_same_bits_from_every_step() {
    check(&Options { optimizer: OptimizerKind::Adam, ..options() }, 5, 0..=5);
}

#[test]
fn strokes_go_on_with_the_same_bits_from_within_an_interval() {
    // Each scale has 17 steps. Strokes are matched anew after 15 of them.
    let strokes = Options { steps: 34, style_loss: StyleLossKind::Strokes, ..options() };
    check(&strokes, 34, [0, 3, 15, 16, 17, 20, 32, 33]);
    check(&Options { optimizer: OptimizerKind::Adam, ..strokes }, 34, [14, 15, 33]);
}

#[test]
fn a_scale_that_ends_early_ends_at_the_same_step() {
    // Ten steps never gain that much, so each scale ends after ten.
    check(&Options { steps: 60, tolerance: 1e6, ..options() }, 20, [9, 10, 15]);
}

#[test]
fn the_state_of_another_run_is_refused_and_changes_nothing() {
    let mut other = session(&options());
    other.step().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    other.state().save(&path).unwrap();
    for (options, words) in [
        (Options { style_weight: 2.0, ..options() }, "its picture has another loss here"),
        (
            Options { optimizer: OptimizerKind::Adam, ..options() },
            "its optimiser is lbfgs, but that of the run is adam",
        ),
        (Options { steps: 6, ..options() }, "it has the scales 33x"),
        (Options { scales: Scales::Count(1), ..options() }, "it has the scales 33x"),
    ] {
        let mut session = session(&options);
        let before = (session.picture(), session.losses().clone());
        let error = session.restore(&SavedState::open(&path).unwrap()).unwrap_err();
        assert!(matches!(error, Error::UnfitState { .. }) && error.to_string().contains(words), "{error}");
        assert!((session.picture(), session.losses().clone()) == before, "{words}");
        assert_eq!(session.steps_done(), 0);
        assert_eq!(session.step().unwrap(), None);
    }
}
