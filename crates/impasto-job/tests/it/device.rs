//! Runs whose device is lost, and the choice of a device.

use std::fs;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use impasto::{Image, Layer, Network, SavedState};
use impasto_engine::cpu::{CpuBackend, Isa};
use impasto_engine::network::{
    Backend, Changes, DeviceError, EvaluationError, LayerFeatures, LayerTime, ReferenceSums, SpecError, Squares,
    StyleSums, Workspace, WorkspaceSpec,
};
use impasto_engine::plan::card::CardLimits;
use impasto_engine::weights::Weights;
use impasto_job::checkpoint::{self, CheckpointPlan};
use impasto_job::events::{Event, Events, Unwatched};
use impasto_job::job::Job;
use impasto_job::machine::{DeviceOptions, Machine};
use impasto_job::resolve;
use impasto_job::runner::{self, Runner};
use serde_json::json;

/// The CPU in the place of a card that is lost for good after some calls.
struct LostCard {
    cpu: CpuBackend,
    calls: usize,
    made: Arc<AtomicUsize>,
}

impl LostCard {
    fn network(calls: usize) -> Network {
        let weights = Weights::from_static(impasto_weights::VGG19).unwrap();
        let cpu = CpuBackend::new(Arc::new(weights), Isa::select().unwrap());
        Network::embedded().unwrap().with_backend(Arc::new(LostCard { cpu, calls, made: Arc::default() }))
    }
}

impl Backend for LostCard {
    fn workspace(&self, spec: WorkspaceSpec) -> Result<Box<dyn Workspace>, SpecError> {
        Ok(Box::new(LostWorkspace(self.cpu.workspace(spec)?, self.calls, self.made.clone())))
    }

    fn identity(&self) -> &str {
        self.cpu.identity()
    }

    fn card(&self) -> Option<CardLimits> {
        Some(CardLimits { memory: None, largest_buffer: u64::MAX, keeps_points: false })
    }
}

struct LostWorkspace(Box<dyn Workspace>, usize, Arc<AtomicUsize>);

impl LostWorkspace {
    fn call(&self) -> Result<(), EvaluationError> {
        if self.2.fetch_add(1, Ordering::Relaxed) < self.1 {
            return Ok(());
        }
        Err(DeviceError::Failed { name: "a card".to_owned(), reason: "it was lost".to_owned() }.into())
    }
}

impl Workspace for LostWorkspace {
    fn set_reference(
        &mut self,
        image: &Image,
        make_file: &mut dyn FnMut() -> io::Result<File>,
    ) -> Result<ReferenceSums, EvaluationError> {
        self.call()?;
        self.0.set_reference(image, make_file)
    }

    fn forward(&mut self, image: &[f32]) -> Result<Vec<StyleSums>, EvaluationError> {
        self.call()?;
        self.0.forward(image)
    }

    fn renew_matches(&mut self) {
        self.0.renew_matches();
    }

    fn matches(&self) -> Vec<&[u32]> {
        self.0.matches()
    }

    fn set_matches(&mut self, matches: &[Vec<u32>]) -> bool {
        self.0.set_matches(matches)
    }

    fn backward(
        &mut self,
        image: &[f32],
        changes: &Changes<'_>,
        gradient: &mut [f32],
    ) -> Result<Squares, EvaluationError> {
        self.call()?;
        self.0.backward(image, changes, gradient)
    }

    fn features(&self, layer: Layer) -> Result<LayerFeatures<'_>, EvaluationError> {
        self.0.features(layer)
    }

    fn layer_times(&self) -> Vec<LayerTime> {
        self.0.layer_times()
    }

    fn identity(&self) -> &str {
        self.0.identity()
    }
}

/// Collects the folders to resume from.
#[derive(Default)]
struct Folders(Vec<PathBuf>);

impl Events for Folders {
    fn event(&mut self, event: Event) {
        if let Event::CanResume { folder, needs_feature_cache } = event {
            assert!(!needs_feature_cache);
            self.0.push(folder);
        }
    }
}

fn job(output: &Path) -> Job {
    let examples = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples"));
    Job::from_json_value(&json!({
        "kind": "transfer",
        "inputs": {
            "content": examples.join("astronaut.jpg"),
            "styles": [{ "file": examples.join("starry_night.jpg") }],
        },
        "options": { "size": 48, "steps": 8, "scales": 1 },
        "output": { "file": output },
    }))
    .unwrap()
}

/// Nobody has asked for checkpoints, and the run is too short for them.
#[test]
fn a_run_that_loses_its_card_leaves_a_checkpoint_of_all_its_steps() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out.png");
    let machine = Machine::default();
    let resolved = resolve::resolve(&job(&output), &machine).unwrap();
    Runner::with_network(LostCard::network(usize::MAX)).unwrap().run(&resolved, &mut Unwatched).unwrap();
    let undisturbed = fs::read(&output).unwrap();
    fs::remove_file(&output).unwrap();

    let mut events = Folders::default();
    let lost = Runner::with_network(LostCard::network(12)).unwrap().run(&resolved, &mut events);
    let error = lost.unwrap_err();
    assert!(error.to_string().starts_with("a card failed: it was lost; "), "{error}");
    let kept = folder.path().join("out.png.checkpoint");
    assert_eq!(events.0, std::slice::from_ref(&kept));
    assert!(!output.exists());
    let done = SavedState::open(&kept.join("state")).unwrap().steps_done();
    assert!((2..7).contains(&done), "{done} steps");

    let resumed = checkpoint::open(&kept).unwrap();
    let limits = machine.measure_resumed(&resumed.manifest.planned);
    let job = resumed.manifest.job.clone();
    let checkpoints = CheckpointPlan::new(&machine).resuming(resumed);
    runner::run(&resolve::resolve_within(&job, limits, checkpoints).unwrap(), &mut Unwatched).unwrap();
    assert!(fs::read(&output).unwrap() == undisturbed && !kept.exists());
}

#[test]
fn a_device_that_is_not_there_is_refused_before_the_work() {
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out.png");
    for choice in ["gpu:99", "a card of the year 2100"] {
        let mut machine = Machine::default();
        machine.compute.device = DeviceOptions { device: Some(choice.parse().unwrap()), device_memory: None };
        let resolved = resolve::resolve(&job(&output), &machine).unwrap();
        let error = runner::run(&resolved, &mut Unwatched).unwrap_err().to_string();
        // Without the feature there is no card at all.
        assert!(error.contains(choice) && error.contains("`device`"), "{error}");
    }
}
