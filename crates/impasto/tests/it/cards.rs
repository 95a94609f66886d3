//! Runs whose optimiser is on a graphics card, or on the software that stands in for one. The card
//! fails when it is told to.
#![allow(clippy::unwrap_used, reason = "the lint knows a test function, but not its helpers")]

use std::cell::Cell;
use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use impasto::{
    Adjustment, Error, Image, Layer, Mask, Network, OptimizerKind, Options, Progress, SavedState, Scales, Session,
    StyleLossKind, StylePicture, Subject, WeightedLayer, picture,
};
use impasto_engine::cpu::Isa;
use impasto_engine::gpu::{GpuBackend, adapters};
use impasto_engine::network::{
    Backend, Changes, DeviceError, EvaluationError, LayerFeatures, LayerTime, PixelTerms, ReferenceSums, ResidentAdam,
    ResidentLbfgs, ResidentLbfgsSpec, ResidentWorkspace, SpecError, Squares, StyleSums, TrialSums, Workspace,
    WorkspaceSpec,
};
use impasto_engine::plan::card::CardLimits;
use impasto_engine::weights::Weights;

static NETWORK: LazyLock<Network> = LazyLock::new(|| Network::embedded().unwrap());

/// What goes wrong with the card.
#[derive(Clone, Default)]
struct Faults {
    /// Calls about points on the card that fail, by their numbers from 0. All calls fail from then
    /// on, until the card is opened again.
    failing: Vec<usize>,
    /// Whether there is no memory for the arrays of an optimiser.
    has_no_room: bool,
    /// Whether the optimiser is kept in the process.
    keeps_no_points: bool,
}

/// The first card of the machine, with faults.
struct FaultyCard {
    card: GpuBackend,
    fuse: Fuse,
}

/// Returns a network on the first card, and the number of calls about points on it. `None`: there
/// is no card.
fn network(faults: Faults) -> Option<(Network, Arc<AtomicUsize>)> {
    let Some(adapter) = adapters().into_iter().next() else {
        assert!(std::env::var_os("IMPASTO_REQUIRE_GPU").is_none(), "there is no GPU adapter");
        eprintln!("SKIPPED: no GPU adapter");
        return None;
    };
    let weights = Arc::new(Weights::from_static(impasto_weights::VGG19).unwrap());
    let card = GpuBackend::new(weights, &adapter, None, Isa::select().unwrap()).unwrap();
    let calls = Arc::new(AtomicUsize::new(0));
    let fuse = Fuse { faults, calls: calls.clone(), is_lost: Arc::default() };
    Some((NETWORK.with_backend(Arc::new(FaultyCard { card, fuse })), calls))
}

impl Backend for FaultyCard {
    fn workspace(&self, spec: WorkspaceSpec) -> Result<Box<dyn Workspace>, SpecError> {
        self.fuse.check()?;
        let workspace = self.card.workspace(spec)?;
        Ok(Box::new(FaultyWorkspace { workspace, fuse: self.fuse.clone() }))
    }

    fn identity(&self) -> &str {
        self.card.identity()
    }

    fn card(&self) -> Option<CardLimits> {
        self.card.card().map(|limits| CardLimits { keeps_points: !self.fuse.faults.keeps_no_points, ..limits })
    }

    fn reopen(&self) -> Result<(), DeviceError> {
        self.fuse.is_lost.store(false, Ordering::Relaxed);
        self.card.reopen()
    }
}

/// Fails in time.
#[derive(Clone)]
struct Fuse {
    faults: Faults,
    calls: Arc<AtomicUsize>,
    is_lost: Arc<AtomicBool>,
}

impl Fuse {
    /// A call about a point on the card.
    fn call(&self) -> Result<(), DeviceError> {
        let number = self.calls.fetch_add(1, Ordering::Relaxed);
        if self.faults.failing.contains(&number) {
            self.is_lost.store(true, Ordering::Relaxed);
        }
        self.check()
    }

    fn check(&self) -> Result<(), DeviceError> {
        match self.is_lost.load(Ordering::Relaxed) {
            true => Err(DeviceError::Failed { name: "the card".to_owned(), reason: "it was lost".to_owned() }),
            false => Ok(()),
        }
    }
}

struct FaultyWorkspace {
    workspace: Box<dyn Workspace>,
    fuse: Fuse,
}

impl Workspace for FaultyWorkspace {
    fn set_reference(
        &mut self,
        image: &Image,
        make_file: &mut dyn FnMut() -> io::Result<File>,
    ) -> Result<ReferenceSums, EvaluationError> {
        self.fuse.check()?;
        self.workspace.set_reference(image, make_file)
    }

    fn forward(&mut self, image: &[f32]) -> Result<Vec<StyleSums>, EvaluationError> {
        self.fuse.check()?;
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
        self.fuse.check()?;
        self.workspace.backward(image, changes, gradient)
    }

    fn features(&self, layer: Layer) -> Result<LayerFeatures<'_>, EvaluationError> {
        self.workspace.features(layer)
    }

    fn layer_times(&self) -> Vec<LayerTime> {
        self.workspace.layer_times()
    }

    fn resident(&mut self) -> Option<&mut dyn ResidentWorkspace> {
        Some(self)
    }

    fn identity(&self) -> &str {
        self.workspace.identity()
    }
}

impl FaultyWorkspace {
    fn on_card(&mut self) -> &mut dyn ResidentWorkspace {
        self.workspace.resident().unwrap()
    }

    fn make<T>(
        &mut self,
        make: impl FnOnce(&mut dyn ResidentWorkspace) -> Result<T, DeviceError>,
    ) -> Result<T, DeviceError> {
        self.fuse.check()?;
        match self.fuse.faults.has_no_room {
            true => Err(DeviceError::Memory { name: "the card".to_owned() }),
            false => make(self.on_card()),
        }
    }
}

impl ResidentWorkspace for FaultyWorkspace {
    fn lbfgs(
        &mut self,
        spec: &ResidentLbfgsSpec<'_>,
        terms: &PixelTerms<'_>,
    ) -> Result<Box<dyn ResidentLbfgs>, DeviceError> {
        let arrays = self.make(|card| card.lbfgs(spec, terms))?;
        Ok(Box::new(FaultyArrays { arrays, fuse: self.fuse.clone() }))
    }

    fn adam(&mut self, terms: &PixelTerms<'_>) -> Result<Box<dyn ResidentAdam>, DeviceError> {
        let arrays = self.make(|card| card.adam(terms))?;
        Ok(Box::new(FaultyArrays { arrays, fuse: self.fuse.clone() }))
    }

    fn forward(&mut self) -> Result<Vec<StyleSums>, EvaluationError> {
        self.fuse.call()?;
        self.on_card().forward()
    }

    fn backward(&mut self, changes: &Changes<'_>) -> Result<(Squares, f64), EvaluationError> {
        self.fuse.call()?;
        self.on_card().backward(changes)
    }
}

struct FaultyArrays<T: ?Sized> {
    fuse: Fuse,
    arrays: Box<T>,
}

impl ResidentLbfgs for FaultyArrays<dyn ResidentLbfgs> {
    fn set_point(&mut self, x: &[f32]) {
        self.arrays.set_point(x);
    }

    fn stay(&mut self) {
        self.arrays.stay();
    }

    fn add_pair(&mut self, s: &[f32], y: &[f32]) {
        self.arrays.add_pair(s, y);
    }

    fn follow_history(&mut self) -> Result<Option<f64>, DeviceError> {
        self.fuse.call()?;
        self.arrays.follow_history()
    }

    fn face_downhill(&mut self) -> Result<f64, DeviceError> {
        self.fuse.call()?;
        self.arrays.face_downhill()
    }

    fn stretch(&mut self, factor: f32) {
        self.arrays.stretch(factor);
    }

    fn go(&mut self, length: f32) -> Result<f64, DeviceError> {
        self.fuse.call()?;
        self.arrays.go(length)
    }

    fn compare(&self) -> Result<TrialSums, DeviceError> {
        self.fuse.call()?;
        self.arrays.compare()
    }

    fn accept(&mut self, remembers: bool) {
        self.arrays.accept(remembers);
    }

    fn forget(&mut self) {
        self.arrays.forget();
    }

    fn pairs(&self) -> usize {
        self.arrays.pairs()
    }

    fn pair(&self, number: usize) -> Result<[Vec<f32>; 2], DeviceError> {
        self.fuse.call()?;
        self.arrays.pair(number)
    }

    fn point(&self) -> Result<Vec<f32>, DeviceError> {
        self.fuse.call()?;
        self.arrays.point()
    }
}

impl ResidentAdam for FaultyArrays<dyn ResidentAdam> {
    fn set(&mut self, arrays: [&[f32]; 4]) {
        self.arrays.set(arrays);
    }

    fn try_best(&mut self) {
        self.arrays.try_best();
    }

    fn try_walker(&mut self) {
        self.arrays.try_walker();
    }

    fn gradient_square(&self) -> Result<f64, DeviceError> {
        self.fuse.call()?;
        self.arrays.gradient_square()
    }

    fn keep(&mut self) {
        self.arrays.keep();
    }

    fn go_back(&mut self) {
        self.arrays.go_back();
    }

    fn update_means(&mut self, keep: [f32; 2]) {
        self.arrays.update_means(keep);
    }

    fn walk(&mut self, scale: f32) -> Result<bool, DeviceError> {
        self.fuse.call()?;
        self.arrays.walk(scale)
    }

    fn point(&self) -> Result<Vec<f32>, DeviceError> {
        self.fuse.call()?;
        self.arrays.point()
    }

    fn state(&self) -> Result<[Vec<f32>; 3], DeviceError> {
        self.fuse.call()?;
        self.arrays.state()
    }
}

fn example(name: &str) -> Image {
    let examples = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples"));
    picture::resize(&picture::load(&examples.join(name)).unwrap().image, 40, 33)
}

/// Shallow layers, because software in the place of a card is slow.
fn options(optimizer: OptimizerKind) -> Options {
    let layers = |names: &[&str]| {
        names.iter().map(|name| WeightedLayer { layer: name.parse().unwrap(), weight: 1.0 }).collect::<Vec<_>>()
    };
    Options {
        optimizer,
        content_layers: layers(&["relu2_2"]),
        style_layers: layers(&["relu1_1", "relu2_1"]),
        scales: Scales::Count(2),
        steps: 10,
        tolerance: 0.0,
        tv_weight: 1e-3,
        ..Options::default()
    }
}

/// A session with a part of the photo that stays.
fn session(network: &Network, options: &Options) -> impasto::Result<Session> {
    let keep = Mask::new(40, 33, (0..40 * 33).map(|i| if i % 40 < 10 { 0.75 } else { 0.0 }).collect());
    let subject = Subject { keep: Some(keep), ..example("astronaut.jpg").into() };
    Session::with_styles(network, &subject, &[StylePicture::from(example("starry_night.jpg")).into()], options)
}

fn finish(session: &mut Session) -> impasto::Result<()> {
    while session.step()?.is_none() {}
    Ok(())
}

/// Calls of a step of L-BFGS after the first one: the direction, a way forward and one back, and
/// what they have shown.
const STEP: usize = 4;

/// Steps between two searches for matches.
const RENEWAL: usize = 15;

const BOTH: [OptimizerKind; 2] = [OptimizerKind::Lbfgs, OptimizerKind::Adam];

/// Returns the mean absolute difference of two pictures, in levels.
fn difference(a: &Image, b: &Image) -> f64 {
    let differences = a.as_slice().iter().zip(b.as_slice()).map(|(a, b)| f64::from((a - b).abs()));
    differences.sum::<f64>() / a.as_slice().len() as f64
}

#[test]
fn an_optimiser_on_a_card_makes_the_picture_of_one_in_the_process() {
    for optimizer in BOTH {
        let Some((on_card, calls)) = network(Faults::default()) else { return };
        let (in_process, no_calls) = network(Faults { keeps_no_points: true, ..Faults::default() }).unwrap();
        let options = Options { steps: 4, scales: Scales::Count(1), ..options(optimizer) };
        let [mut there, mut here] = [&on_card, &in_process].map(|network| session(network, &options).unwrap());
        let of_begin = calls.load(Ordering::Relaxed);
        assert!(there.memory().scales[0].optimizer_on_card && !here.memory().scales[0].optimizer_on_card);
        for session in [&mut there, &mut here] {
            finish(session).unwrap();
        }
        assert!(calls.load(Ordering::Relaxed) > of_begin && no_calls.load(Ordering::Relaxed) == 0);
        assert_eq!(on_card.take_notes(), [""; 0]);
        let difference = difference(there.image(), here.image());
        assert!(difference < 0.05, "{optimizer:?}: {difference} levels");
        let losses = there.losses().total / here.losses().total;
        assert!((losses - 1.0).abs() < 1e-4, "{optimizer:?}: {losses}");
        // What stays is the photo's.
        let (stays, photo) = (there.image().as_slice()[0], example("astronaut.jpg").as_slice()[0]);
        assert!((stays - photo).abs() <= 0.25 * 255.0, "{stays} {photo}");
    }
}

#[test]
fn an_image_comes_from_the_card_only_when_it_is_shown() {
    let Some((network, calls)) = network(Faults::default()) else { return };
    let options = Options { scales: Scales::Count(1), steps: 4, ..options(OptimizerKind::Lbfgs) };
    let mut session = session(&network, &options).unwrap();
    session.step().unwrap();
    session.step().unwrap();
    let before = calls.load(Ordering::Relaxed);
    session.step().unwrap();
    assert_eq!(calls.load(Ordering::Relaxed) - before, STEP);
    let shown = session.image().clone();
    assert_eq!(calls.load(Ordering::Relaxed) - before, STEP + 1);
    assert!(*session.image() == shown && session.picture() == shown);
    assert_eq!(calls.load(Ordering::Relaxed) - before, STEP + 1);
    let seen = Cell::new(0);
    session
        .run(&mut |progress: &Progress<'_>| {
            assert_eq!(progress.size, (40, 33));
            assert!(progress.image().as_slice().iter().all(|v| (0.0..=255.0).contains(v)));
            seen.set(seen.get() + 1);
            std::ops::ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(seen.get(), 2);
}

/// Makes all steps. Every step must be one more.
fn finish_in_order(session: &mut Session) {
    let mut done = session.steps_done();
    while session.step().unwrap().is_none() {
        assert_eq!(session.steps_done(), done + 1);
        done += 1;
    }
}

const LOST: &str = "the card failed (it was lost) and was opened again; ";

#[test]
fn a_card_that_is_lost_once_at_a_scale_does_not_change_a_bit() {
    for optimizer in BOTH {
        let Some((healthy, calls)) = network(Faults::default()) else { return };
        let mut undisturbed = session(&healthy, &options(optimizer)).unwrap();
        let of_start = calls.load(Ordering::Relaxed);
        finish(&mut undisturbed).unwrap();
        let all = calls.load(Ordering::Relaxed);
        // The very first, in the middle of a scale, between the two scales, and at the end.
        for call in [0, of_start + 3, all / 2, all - 1] {
            let (network, _) = network(Faults { failing: vec![call], ..Faults::default() }).unwrap();
            let mut disturbed = session(&network, &options(optimizer)).unwrap();
            finish_in_order(&mut disturbed);
            assert!(disturbed.image() == undisturbed.image(), "{optimizer:?}, call {call} of {all}");
            assert!(disturbed.losses() == undisturbed.losses(), "{optimizer:?}, call {call} of {all}");
            let notes = network.take_notes();
            assert!(notes.len() == 1 && notes[0].starts_with(LOST), "{optimizer:?}, call {call} of {all}: {notes:?}");
        }
    }
}

/// The optimiser begins anew where weights change. A card that is lost before, there or after that
/// does not change a bit.
#[test]
fn weights_change_on_a_card_whose_loss_does_not_matter() {
    for optimizer in BOTH {
        let Some((healthy, calls)) = network(Faults::default()) else { return };
        let adjustment = |step, weight| Adjustment { step, content_weight: Some(weight), tv_weight: Some(weight) };
        let options = Options { adjustments: vec![adjustment(1, 2.0), adjustment(3, 0.1)], ..options(optimizer) };
        let mut undisturbed = session(&healthy, &options).unwrap();
        let of_start = calls.load(Ordering::Relaxed);
        finish(&mut undisturbed).unwrap();
        let all = calls.load(Ordering::Relaxed);
        for call in (of_start + 1..all).step_by(((all - of_start) / 6).max(1)) {
            let (network, _) = network(Faults { failing: vec![call], ..Faults::default() }).unwrap();
            let mut disturbed = session(&network, &options).unwrap();
            finish_in_order(&mut disturbed);
            assert!(disturbed.image() == undisturbed.image(), "{optimizer:?}, call {call} of {all}");
            assert!(disturbed.losses() == undisturbed.losses(), "{optimizer:?}, call {call} of {all}");
        }
    }
}

/// Two losses are not too many if they are at two scales.
#[test]
fn a_card_that_is_lost_when_someone_looks_does_not_change_a_bit() {
    for optimizer in BOTH {
        let Some((healthy, calls)) = network(Faults::default()) else { return };
        let mut undisturbed = session(&healthy, &options(optimizer)).unwrap();
        let of_start = calls.load(Ordering::Relaxed);
        for _ in 0..3 {
            undisturbed.step().unwrap();
        }
        let of_steps = calls.load(Ordering::Relaxed);
        finish(&mut undisturbed).unwrap();
        let all = calls.load(Ordering::Relaxed);
        for looks_at_state in [false, true] {
            let failing = vec![of_steps, of_start + all];
            let (network, calls) = network(Faults { failing, ..Faults::default() }).unwrap();
            let mut disturbed = session(&network, &options(optimizer)).unwrap();
            for _ in 0..3 {
                disturbed.step().unwrap();
            }
            assert_eq!(calls.load(Ordering::Relaxed), of_steps);
            // There is a picture and a state all the same, those of the start.
            if looks_at_state {
                assert_eq!(disturbed.state().steps_done(), 0);
            } else {
                let start = session(&healthy, &options(optimizer)).unwrap();
                assert!(disturbed.image() == start.image());
            }
            finish_in_order(&mut disturbed);
            assert!(disturbed.image() == undisturbed.image(), "{optimizer:?}");
            let notes = network.take_notes();
            assert_eq!(notes[0], format!("{LOST}the last 3 steps were made again"));
            assert!(notes.len() == 2 && notes[1].starts_with(LOST), "{notes:?}");
        }
    }
}

#[test]
fn strokes_are_matched_on_a_card_as_in_the_process_and_after_a_loss_too() {
    let Some((healthy, calls)) = network(Faults::default()) else { return };
    let options = Options {
        style_loss: StyleLossKind::Strokes,
        scales: Scales::Count(1),
        steps: RENEWAL + 2,
        ..options(OptimizerKind::Lbfgs)
    };
    let [photo, painting] = ["astronaut.jpg", "starry_night.jpg"].map(|name| picture::resize(&example(name), 24, 20));
    let session = |network: &Network| Session::new(network, &photo, &painting, &options).unwrap();
    let mut undisturbed = session(&healthy);
    while undisturbed.steps_done() + 1 < RENEWAL {
        undisturbed.step().unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    undisturbed.state().save(&path).unwrap();
    finish(&mut undisturbed).unwrap();
    let resumed = |network: &Network| {
        let mut session = session(network);
        session.restore(&SavedState::open(&path).unwrap()).unwrap();
        session.step().unwrap();
        session
    };
    let before = calls.load(Ordering::Relaxed);
    let mut other = resumed(&healthy);
    let of_renewal = calls.load(Ordering::Relaxed) - before;
    finish(&mut other).unwrap();
    assert!(other.image() == undisturbed.image());
    // The way back with the new matches.
    let (network, _) = network(Faults { failing: vec![of_renewal + 1], ..Faults::default() }).unwrap();
    let mut disturbed = resumed(&network);
    finish_in_order(&mut disturbed);
    assert!(disturbed.image() == undisturbed.image() && disturbed.losses() == undisturbed.losses());
    assert_eq!(network.take_notes(), [format!("{LOST}the last step was made again")]);
}

#[test]
fn a_second_loss_ends_the_run_with_a_state_to_go_on_from() {
    for optimizer in BOTH {
        let Some((healthy, calls)) = network(Faults::default()) else { return };
        let options = Options { scales: Scales::Count(1), steps: 5, ..options(optimizer) };
        let mut undisturbed = session(&healthy, &options).unwrap();
        let of_start = calls.load(Ordering::Relaxed);
        finish(&mut undisturbed).unwrap();
        let failing = vec![of_start + 9, of_start + 16];
        let (network, _) = network(Faults { failing, ..Faults::default() }).unwrap();
        let mut lost = session(&network, &options).unwrap();
        let error = finish(&mut lost).unwrap_err();
        assert!(matches!(error, Error::Device { .. }) && lost.is_intact(), "{error}");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        lost.state().save(&path).unwrap();
        assert_eq!(lost.image().width(), 40);
        let mut resumed = session(&healthy, &options).unwrap();
        resumed.restore(&SavedState::open(&path).unwrap()).unwrap();
        // The session itself can go on too.
        for session in [&mut resumed, &mut lost] {
            finish(session).unwrap();
            assert!(session.image() == undisturbed.image(), "{optimizer:?}");
        }
    }
}

#[test]
fn a_state_from_the_card_leads_to_the_same_bits() {
    for optimizer in BOTH {
        let Some((network, _)) = network(Faults::default()) else { return };
        let options = options(optimizer);
        let mut whole = session(&network, &options).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        while whole.steps_done() < 8 {
            whole.step().unwrap();
        }
        whole.state().save(&path).unwrap();
        finish(&mut whole).unwrap();
        // A new session, and one that has gone further, which begins with an older state.
        let mut resumed = session(&network, &options).unwrap();
        resumed.restore(&SavedState::open(&path).unwrap()).unwrap();
        assert_eq!(resumed.steps_done(), 8);
        finish(&mut resumed).unwrap();
        assert!(resumed.image() == whole.image(), "{optimizer:?}");
        resumed.restore(&SavedState::open(&path).unwrap()).unwrap();
        finish(&mut resumed).unwrap();
        assert!(resumed.image() == whole.image(), "{optimizer:?}");
    }
}

/// The card is lost before the session can bring its point to memory.
#[test]
fn a_session_whose_card_is_lost_takes_a_state_or_is_at_its_last_one() {
    let options = Options { scales: Scales::Count(1), steps: 5, ..options(OptimizerKind::Lbfgs) };
    let Some((healthy, calls)) = network(Faults::default()) else { return };
    let mut whole = session(&healthy, &options).unwrap();
    for _ in 0..3 {
        whole.step().unwrap();
    }
    let of_steps = calls.load(Ordering::Relaxed);
    let start = session(&healthy, &options).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let [path, other] = ["state", "other"].map(|name| folder.path().join(name));
    whole.state().save(&path).unwrap();
    let (photo, painting) = (example("coffee.jpg"), example("gravel.jpg"));
    Session::new(&healthy, &photo, &painting, &options).unwrap().state().save(&other).unwrap();
    finish(&mut whole).unwrap();

    for is_fit in [true, false] {
        let (network, calls) = network(Faults { failing: vec![of_steps], ..Faults::default() }).unwrap();
        let mut lost = session(&network, &options).unwrap();
        for _ in 0..3 {
            lost.step().unwrap();
        }
        assert_eq!(calls.load(Ordering::Relaxed), of_steps);
        if is_fit {
            lost.restore(&SavedState::open(&path).unwrap()).unwrap();
            assert_eq!(lost.steps_done(), 3);
        } else {
            let error = lost.restore(&SavedState::open(&other).unwrap()).unwrap_err();
            assert!(matches!(error, Error::UnfitState { .. }), "{error}");
            assert!(lost.steps_done() == 0 && lost.image() == start.image() && lost.losses() == start.losses());
        }
        finish(&mut lost).unwrap();
        assert!(lost.image() == whole.image(), "{is_fit}");
    }
}

#[test]
fn without_room_for_its_arrays_the_optimiser_is_in_the_process_and_a_note_says_so() {
    for optimizer in BOTH {
        let Some((network, _)) = network(Faults { has_no_room: true, ..Faults::default() }) else { return };
        let options = Options { scales: Scales::Count(1), steps: 2, ..options(optimizer) };
        let mut session = session(&network, &options).unwrap();
        finish(&mut session).unwrap();
        let notes = network.take_notes();
        let end = " has no room for what the optimiser remembers; the optimiser computes on the CPU";
        assert!(notes.len() == 1 && notes[0].ends_with(end), "{notes:?}");
    }
}

#[test]
fn a_gradient_beyond_the_sums_of_a_card_is_left_to_the_cpu() {
    for (optimizer, factor) in
        [(OptimizerKind::Lbfgs, 1e24), (OptimizerKind::Lbfgs, 1e-24), (OptimizerKind::Adam, 1e-24)]
    {
        let Some((network, calls)) = network(Faults::default()) else { return };
        let options = Options {
            scales: Scales::Count(1),
            steps: 2,
            content_weight: factor,
            style_weight: 10.0 * factor,
            tv_weight: 0.0,
            ..options(optimizer)
        };
        let mut session = session(&network, &options).unwrap();
        let (start, of_start) = (session.losses().total, calls.load(Ordering::Relaxed));
        finish(&mut session).unwrap();
        assert!(session.losses().total < start && calls.load(Ordering::Relaxed) == of_start, "{factor:e}");
        let notes = network.take_notes();
        assert!(notes.len() == 1 && notes[0].contains(" makes no sums of a gradient as large "), "{notes:?}");
    }
}

#[test]
fn what_no_card_evaluates_is_left_to_the_cpu() {
    let Some((network, calls)) = network(Faults::default()) else { return };
    let options = Options {
        scales: Scales::Count(1),
        steps: 2,
        content_weight: 0.0,
        style_weight: 0.0,
        tv_weight: 1.0,
        ..options(OptimizerKind::Lbfgs)
    };
    let mut session = session(&network, &options).unwrap();
    assert!(!session.memory().scales[0].optimizer_on_card);
    finish(&mut session).unwrap();
    assert!(calls.load(Ordering::Relaxed) == 0 && network.take_notes().is_empty());
}
