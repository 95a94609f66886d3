//! Runs on a device that fails, or has too little memory.
//!
//! The device is the CPU behind a backend that says it is a card, and fails when it is told to.
#![allow(clippy::unwrap_used, reason = "the lint knows a test function, but not its helpers")]

use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use impasto::{Error, Image, Layer, Network, Options, Padding, SavedState, Scales, Session, StyleLossKind, picture};
use impasto_engine::cpu::{CpuBackend, Isa};
use impasto_engine::network::{
    Backend, Changes, DeviceError, EvaluationError, LayerFeatures, LayerTime, ReferenceSums, SpecError, Squares,
    StyleSums, Workspace, WorkspaceSpec,
};
use impasto_engine::plan::card::CardLimits;
use impasto_engine::plan::layout::Layout;
use impasto_engine::weights::Weights;

static NETWORK: LazyLock<Network> = LazyLock::new(|| Network::embedded().unwrap());

/// What goes wrong with the card.
#[derive(Clone, Default)]
struct Faults {
    /// The calls of an evaluation that fail, by their numbers from 0.
    failing: Vec<usize>,
    /// Whether the card cannot be opened again.
    stays_away: bool,
    /// Whether there is memory for the whole picture.
    is_small: bool,
}

/// The CPU in the place of a card.
struct FaultyCard {
    cpu: CpuBackend,
    faults: Faults,
    calls: Arc<AtomicUsize>,
}

impl FaultyCard {
    fn network(faults: Faults) -> (Network, Arc<AtomicUsize>) {
        let weights = Weights::from_static(impasto_weights::VGG19).unwrap();
        let cpu = CpuBackend::new(Arc::new(weights), Isa::select().unwrap());
        let calls = Arc::new(AtomicUsize::new(0));
        (NETWORK.with_backend(Arc::new(Self { cpu, faults, calls: calls.clone() })), calls)
    }
}

impl Backend for FaultyCard {
    fn workspace(&self, spec: WorkspaceSpec) -> Result<Box<dyn Workspace>, SpecError> {
        if self.faults.is_small && spec.layout == Layout::whole() {
            return Err(DeviceError::Memory { name: "the card".to_owned() }.into());
        }
        let workspace = self.cpu.workspace(spec)?;
        Ok(Box::new(FaultyWorkspace { workspace, faults: self.faults.clone(), calls: self.calls.clone() }))
    }

    fn identity(&self) -> &str {
        "the card"
    }

    fn card(&self) -> Option<CardLimits> {
        Some(CardLimits { memory: None, largest_buffer: u64::MAX, keeps_points: false })
    }

    fn reopen(&self) -> Result<(), DeviceError> {
        match self.faults.stays_away {
            true => Err(DeviceError::Open { name: "the card".to_owned(), reason: "it is gone".to_owned() }),
            false => Ok(()),
        }
    }
}

struct FaultyWorkspace {
    workspace: Box<dyn Workspace>,
    faults: Faults,
    calls: Arc<AtomicUsize>,
}

impl FaultyWorkspace {
    fn call(&self) -> Result<(), EvaluationError> {
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
        if self.faults.failing.contains(&number) {
            return Err(DeviceError::Failed { name: "the card".to_owned(), reason: "it was lost".to_owned() }.into());
        }
        Ok(())
    }
}

impl Workspace for FaultyWorkspace {
    fn set_reference(
        &mut self,
        image: &Image,
        make_file: &mut dyn FnMut() -> io::Result<File>,
    ) -> Result<ReferenceSums, EvaluationError> {
        self.call()?;
        self.workspace.set_reference(image, make_file)
    }

    fn forward(&mut self, image: &[f32]) -> Result<Vec<StyleSums>, EvaluationError> {
        self.call()?;
        self.workspace.forward(image)
    }

    fn renew_matches(&mut self) {
        self.workspace.renew_matches();
    }

    fn matches(&self) -> Vec<&[u32]> {
        self.workspace.matches()
    }

    fn set_matches(&mut self, matches: &[Vec<u32>]) -> bool {
        self.workspace.set_matches(matches)
    }

    fn backward(
        &mut self,
        image: &[f32],
        changes: &Changes<'_>,
        gradient: &mut [f32],
    ) -> Result<Squares, EvaluationError> {
        self.call()?;
        self.workspace.backward(image, changes, gradient)
    }

    fn features(&self, layer: Layer) -> Result<LayerFeatures<'_>, EvaluationError> {
        self.workspace.features(layer)
    }

    fn layer_times(&self) -> Vec<LayerTime> {
        self.workspace.layer_times()
    }

    fn identity(&self) -> &str {
        "the card"
    }
}

/// An example as a square of this many pixels a side.
fn example(name: &str, side: usize) -> Image {
    let examples = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples"));
    picture::resize(&picture::load(&examples.join(name)).unwrap().image, side, side)
}

fn session(network: &Network, options: &Options) -> impasto::Result<Session> {
    Session::new(network, &example("astronaut.jpg", 48), &example("starry_night.jpg", 48), options)
}

/// Two scales with strokes, whose matches are found anew once.
fn options() -> Options {
    Options {
        scales: Scales::Count(2),
        steps: 36,
        style_loss: StyleLossKind::Strokes,
        tolerance: 0.0,
        ..Options::default()
    }
}

fn finish(session: &mut Session) -> impasto::Result<()> {
    while session.step()?.is_none() {}
    Ok(())
}

#[test]
fn a_card_that_is_lost_once_does_not_change_a_bit() {
    let (network, calls) = FaultyCard::network(Faults::default());
    let mut undisturbed = session(&network, &options()).unwrap();
    let of_start = calls.load(Ordering::Relaxed);
    finish(&mut undisturbed).unwrap();
    let all = calls.load(Ordering::Relaxed);
    assert!(all > 60 && network.take_notes().is_empty(), "{all} calls");
    // A style, the reference, a way forward and one back, among them those that renew matches.
    for call in [0, 1, of_start - 1, of_start, 46, 47, 48, all - 1] {
        let (network, _) = FaultyCard::network(Faults { failing: vec![call], ..Faults::default() });
        let mut disturbed = session(&network, &options()).unwrap();
        finish(&mut disturbed).unwrap();
        assert!(disturbed.image() == undisturbed.image(), "call {call}");
        let notes = network.take_notes();
        assert_eq!(notes.len(), 1, "{notes:?}");
        let note = "the card failed (it was lost) and was opened again; the run goes on from the same point";
        assert_eq!(notes[0], note);
    }
}

#[test]
fn a_second_loss_ends_the_run_with_a_state_to_go_on_from() {
    let options = Options { scales: Scales::Count(1), steps: 8, ..Options::default() };
    let (healthy, _) = FaultyCard::network(Faults::default());
    let mut undisturbed = session(&healthy, &options).unwrap();
    finish(&mut undisturbed).unwrap();
    for (failing, stays_away) in [(vec![9, 13], false), (vec![9, 10], false), (vec![11], true)] {
        let (network, _) = FaultyCard::network(Faults { failing, stays_away, ..Faults::default() });
        let mut lost = session(&network, &options).unwrap();
        let error = finish(&mut lost).unwrap_err();
        assert!(matches!(error, Error::Device { .. }) && lost.is_intact() && lost.steps_done() > 0, "{error}");
        let message = error.to_string();
        assert!(message.starts_with("the card ") && message.contains("compute on the CPU"), "{message}");
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        lost.state().save(&state).unwrap();
        let mut resumed = session(&healthy, &options).unwrap();
        resumed.restore(&SavedState::open(&state).unwrap()).unwrap();
        finish(&mut resumed).unwrap();
        assert!(resumed.image() == undisturbed.image());
    }
}

#[test]
fn a_run_goes_on_with_another_device_and_says_that_the_last_bits_differ() {
    let options = Options { scales: Scales::Count(1), steps: 6, ..Options::default() };
    let (card, _) = FaultyCard::network(Faults { is_small: true, ..Faults::default() });
    let tall = |network: &Network| {
        let picture = |name| picture::resize(&example(name, 48), 32, 144);
        Session::new(network, &picture("astronaut.jpg"), &picture("starry_night.jpg"), &options)
    };
    let mut begun = tall(&card).unwrap();
    for _ in 0..3 {
        begun.step().unwrap();
    }
    // It had no memory for the whole picture.
    assert_eq!(
        card.take_notes()[0],
        "the card has no room for what was planned; it evaluates the picture in narrower bands"
    );
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    begun.state().save(&state).unwrap();
    let cpu = NETWORK.clone();
    let mut resumed = tall(&cpu).unwrap();
    let loss = begun.losses().total;
    resumed.restore(&SavedState::open(&state).unwrap()).unwrap();
    assert!((resumed.losses().total / loss - 1.0).abs() < 1e-4);
    let notes = cpu.take_notes();
    if resumed.losses().total != loss {
        assert!(notes[0].starts_with("the run was computed on the card before and goes on with cpu "), "{notes:?}");
    }
    finish(&mut resumed).unwrap();
    assert_eq!(resumed.steps_done(), 6);

    // Another picture has another loss, which no device explains.
    let mut other = Session::new(&cpu, &example("coffee.jpg", 48), &example("gravel.jpg", 48), &options).unwrap();
    assert!(matches!(other.restore(&SavedState::open(&state).unwrap()), Err(Error::UnfitState { .. })));
}

#[test]
fn a_picture_without_a_border_is_whole_or_refused() {
    let (network, _) = FaultyCard::network(Faults { is_small: true, ..Faults::default() });
    let options = Options { padding: Padding::Circular, steps: 1, scales: Scales::Count(1), ..Options::default() };
    let error = Session::texture(&network, &example("gravel.jpg", 64), 64, 64, &options).unwrap_err();
    assert!(error.to_string().starts_with("the card has too little free memory"), "{error}");
}
