//! Runs that fail on the way, and continue.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use impasto::SavedState;
use impasto_job::checkpoint::{self, CheckpointPlan};
use impasto_job::events::{Event, Events, Unwatched};
use impasto_job::job::{Job, VERSION};
use impasto_job::machine::Machine;
use impasto_job::{resolve, runner};
use serde_json::json;

/// Cuts the file of features after a step, and collects the folders to resume from.
struct Saboteur<'a> {
    feature_cache: &'a Path,
    step: usize,
    can_resume: Vec<PathBuf>,
}

impl Events for Saboteur<'_> {
    fn event(&mut self, event: Event) {
        match event {
            Event::Step(step) if step.step == self.step => cut_open_files(self.feature_cache),
            Event::CanResume { folder, .. } => self.can_resume.push(folder),
            _ => {}
        }
    }
}

/// Cuts what this process has open in a folder.
fn cut_open_files(folder: &Path) {
    for open in fs::read_dir("/proc/self/fd").unwrap() {
        let open = open.unwrap().path();
        if fs::read_link(&open).is_ok_and(|file| file.starts_with(folder)) {
            File::options().write(true).open(open).unwrap().set_len(1000).unwrap();
        }
    }
}

/// There is no other checkpoint: they are an hour apart.
#[test]
fn a_run_whose_features_are_lost_leaves_a_checkpoint_of_all_its_steps() {
    let folder = tempfile::tempdir().unwrap();
    let [cache, kept, output] = ["cache", "kept", "out.png"].map(|name| folder.path().join(name));
    fs::create_dir(&cache).unwrap();
    let examples = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples"));
    let job = Job::from_json_value(&json!({
        "version": VERSION,
        "kind": "transfer",
        "inputs": {
            "content": examples.join("astronaut.jpg"),
            "styles": [{ "file": examples.join("starry_night.jpg") }],
        },
        "options": { "size": 384, "upscale": true, "scales": 1, "steps": 4 },
        "output": { "file": output },
    }))
    .unwrap();
    let machine: Machine = serde_json::from_value(json!({
        "memory": "300MiB", "feature-cache": cache, "checkpoint": kept, "checkpoint-every": 3600.0,
    }))
    .unwrap();
    runner::run(&resolve::resolve(&job, &machine).unwrap(), &mut Unwatched).unwrap();
    let undisturbed = fs::read(&output).unwrap();
    fs::remove_file(&output).unwrap();

    let mut events = Saboteur { feature_cache: &cache, step: 2, can_resume: vec![] };
    let error = runner::run(&resolve::resolve(&job, &machine).unwrap(), &mut events).unwrap_err();
    assert!(error.to_string().contains("cannot keep the photo's features in "), "{error}");
    assert_eq!(events.can_resume, std::slice::from_ref(&kept));
    assert_eq!(SavedState::open(&kept.join("state")).unwrap().steps_done(), 2);

    let resumed = checkpoint::open(&kept).unwrap();
    let limits = machine.measure_resumed(&resumed.manifest.planned);
    let job = resumed.manifest.job.clone();
    let checkpoints = CheckpointPlan::new(&machine).resuming(resumed);
    runner::run(&resolve::resolve_within(&job, limits, checkpoints).unwrap(), &mut Unwatched).unwrap();
    assert!(fs::read(&output).unwrap() == undisturbed);
}
