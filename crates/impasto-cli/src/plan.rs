//! What a run takes, said before its first step.

use std::path::Path;
use std::time::Duration;

use bytesize::ByteSize;
use impasto::{OptimizerKind, Session};
use serde::Serialize;

use crate::report::{self, duration, table};

/// What a run takes.
#[derive(Debug, Serialize)]
pub struct Plan {
    /// Where the picture goes.
    output: String,
    /// Width and height in px.
    size: [usize; 2],
    /// Peak resident memory of the process in bytes, at most.
    peak_memory: u64,
    /// The limit in bytes that it was planned for; `null`: none.
    memory: Option<u64>,
    /// Of the steps, at most.
    seconds: f64,
    scales: Vec<Scale>,
}

/// One of the sizes that the picture is worked on at.
#[derive(Debug, Serialize)]
struct Scale {
    size: [usize; 2],
    steps: usize,
    peak_memory: u64,
    /// Evaluated in bands instead of whole.
    in_bands: bool,
    /// Of an evaluation, as a multiple of that of the whole picture.
    work: f64,
    optimizer: &'static str,
    /// Steps that L-BFGS remembers; 0 for Adam.
    history: usize,
    /// Bytes at most of the photo's features that are in a file.
    scratch: u64,
    #[serde(skip)]
    how: String,
}

impl Plan {
    /// `memory`: the limit in bytes.
    pub fn new(output: &Path, session: &Session, memory: Option<u64>) -> Plan {
        let plan = session.memory();
        let scales: Vec<Scale> = session
            .scales()
            .iter()
            .zip(&plan.scales)
            .map(|(scale, plan)| Scale {
                size: [scale.width, scale.height],
                steps: scale.steps,
                peak_memory: plan.peak,
                in_bands: plan.in_bands,
                work: plan.work,
                optimizer: match plan.optimizer {
                    OptimizerKind::Lbfgs => "lbfgs",
                    OptimizerKind::Adam => "adam",
                },
                history: plan.history,
                scratch: plan.feature_cache_bytes,
                how: plan.to_string(),
            })
            .collect();
        let content = session.content_size();
        Plan {
            output: output.display().to_string(),
            size: content.into(),
            peak_memory: plan.peak,
            memory,
            seconds: session.estimate().as_secs_f64(),
            scales,
        }
    }

    /// `512x341 px, at most 540.0 MiB of memory, about 55 s`, and what is not as it would be with more memory.
    pub fn line(&self) -> String {
        let Plan { size: [width, height], peak_memory, seconds, .. } = self;
        let (memory, time) = (bytes(*peak_memory), duration(Duration::from_secs_f64(*seconds)));
        let mut line = format!("{width}x{height} px, at most {memory} of memory, about {time}");
        for scale in self.scales.iter().filter(|scale| scale.in_bands) {
            line.push_str(&format!("; {} {}", size(scale.size), scale.how));
        }
        line
    }

    /// The line and a table of the scales.
    pub fn text(&self) -> String {
        let rows: Vec<[String; 3]> = self
            .scales
            .iter()
            .map(|scale| {
                let memory = format!("{}, {}", report::steps(scale.steps), bytes(scale.peak_memory));
                [size(scale.size), scale.how.clone(), memory]
            })
            .collect();
        let limit = self.memory.map_or(String::new(), |memory| format!(" (of {} allowed)", bytes(memory)));
        format!("{}: {}{limit}\n{}", self.output, self.line(), table(&rows))
    }
}

fn size([width, height]: [usize; 2]) -> String {
    format!("{width}x{height}")
}

fn bytes(bytes: u64) -> impl std::fmt::Display {
    ByteSize(bytes).display().iec()
}
