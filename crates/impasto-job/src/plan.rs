//! What a run takes, known before its first step.

use std::path::{Path, PathBuf};
use std::time::Duration;

use impasto::{MemoryPlan, OptimizerKind, RunPlan, Scale, Session};
use serde::Serialize;
use serde_with::serde_as;

use crate::device::TakenDevice;
use crate::job::paths::AnyPath;

/// What a run takes.
#[serde_as]
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    /// Where the picture goes; empty if it goes nowhere.
    #[serde_as(as = "AnyPath")]
    pub output: PathBuf,
    /// Width and height in px.
    pub size: [usize; 2],
    /// Peak resident memory of the process in bytes, at most.
    pub peak_memory: u64,
    /// The limit in bytes that the run is planned for; `null`: none.
    pub memory: Option<u64>,
    /// Peak memory of buffers on a graphics card in bytes, at most; 0: the run is on the CPU.
    pub card_memory: u64,
    /// What evaluates the network, with all that the last bits depend on: `cpu avx512`.
    pub device: String,
    /// The same in words, with the reason: `on the CPU (no graphics card)`.
    pub device_summary: String,
    /// Seconds that the run takes, at most. After the start of a run: those that are left.
    pub seconds: f64,
    /// The sizes that the picture is worked on at, coarsest first.
    pub scales: Vec<PlannedScale>,
}

/// One of the sizes that the picture is worked on at.
#[derive(Clone, Debug, Serialize)]
pub struct PlannedScale {
    /// Width and height in px.
    pub size: [usize; 2],
    /// Steps of the optimiser.
    pub steps: usize,
    /// Peak resident memory of the process at this scale in bytes, at most.
    pub peak_memory: u64,
    /// The picture is evaluated in bands instead of whole.
    pub in_bands: bool,
    /// Work of an evaluation, as a multiple of that of the whole picture.
    pub work: f64,
    /// The optimiser.
    pub optimizer: OptimizerKind,
    /// Steps that L-BFGS remembers; 0 for Adam.
    pub history: usize,
    /// The arrays of the optimiser are on a graphics card, and not in the process.
    pub optimizer_on_card: bool,
    /// Bytes at most of the photo's features that are in a file.
    pub feature_cache: u64,
    /// The same in words.
    #[serde(skip)]
    pub summary: String,
}

impl Plan {
    /// The plan of a session that has just begun. `memory`: the limit in bytes.
    pub(crate) fn of_session(
        output: Option<&Path>,
        session: &Session,
        memory: Option<u64>,
        device: &TakenDevice,
    ) -> Plan {
        let (size, scales) = (session.content_size(), session.scales());
        Plan::new(output, size, scales, session.memory(), session.estimate(), memory, device)
    }

    /// The plan of a run that takes `time`. `memory`: the limit in bytes.
    pub(crate) fn of_run(
        output: Option<&Path>,
        run: &RunPlan,
        time: Duration,
        memory: Option<u64>,
        device: &TakenDevice,
    ) -> Plan {
        Plan::new(output, run.size, &run.scales, &run.memory, time, memory, device)
    }

    fn new(
        output: Option<&Path>,
        size: (usize, usize),
        scales: &[Scale],
        plan: &MemoryPlan,
        time: Duration,
        memory: Option<u64>,
        device: &TakenDevice,
    ) -> Plan {
        let scales = scales.iter().zip(&plan.scales).map(|(scale, plan)| PlannedScale {
            size: [scale.width, scale.height],
            steps: scale.steps,
            peak_memory: plan.peak,
            in_bands: plan.in_bands,
            work: plan.work,
            optimizer: plan.optimizer,
            history: plan.history,
            optimizer_on_card: plan.optimizer_on_card,
            feature_cache: plan.feature_cache_bytes,
            summary: plan.to_string(),
        });
        Plan {
            output: output.map(Path::to_owned).unwrap_or_default(),
            size: size.into(),
            peak_memory: plan.peak,
            memory,
            card_memory: plan.card_peak,
            device: device.identity.clone(),
            device_summary: device.to_string(),
            seconds: time.as_secs_f64(),
            scales: scales.collect(),
        }
    }
}
