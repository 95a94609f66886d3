//! What is planned.

use std::fmt;

use impasto_engine::plan::layout::Layout;

use crate::options::OptimizerKind;

/// What a run will take, before its first step.
#[derive(Clone, Debug, PartialEq)]
pub struct MemoryPlan {
    /// Most bytes of resident memory that the process reaches.
    ///
    /// It is right if nobody else holds the style pictures: the session drops them when it has
    /// started the last scale.
    pub peak: u64,
    /// Most bytes of buffers on a graphics card; 0 if the run is on the CPU.
    pub card_peak: u64,
    /// Threads at work that the plan is for.
    pub threads: usize,
    /// How every scale is evaluated, coarsest first.
    pub scales: Vec<ScalePlan>,
}

/// What is done to a scale so that it fits in the memory.
#[derive(Clone, Debug, PartialEq)]
pub struct ScalePlan {
    /// Most bytes of resident memory that the process reaches at this scale.
    pub peak: u64,
    /// Most bytes of buffers on a graphics card at this scale; 0 if the run is on the CPU.
    pub card_peak: u64,
    /// Whether the picture is evaluated in bands.
    pub in_bands: bool,
    /// Work of an evaluation, as a multiple of the work for the whole picture at once. It counts
    /// multiplications, and is 1 unless the picture is evaluated in bands.
    pub work: f64,
    /// The optimiser. It is [`OptimizerKind::Adam`] too if not even a short history of L-BFGS fits.
    pub optimizer: OptimizerKind,
    /// Steps that L-BFGS remembers.
    pub history: usize,
    /// Whether the arrays of the optimiser are on a graphics card, the picture among them.
    /// Otherwise they are in the process.
    pub optimizer_on_card: bool,
    /// Most bytes of the content's features in the file, in
    /// [`Options::feature_cache`](crate::Options::feature_cache).
    pub feature_cache_bytes: u64,
    pub(crate) layout: Layout,
    /// How the styles are evaluated.
    pub(crate) style_layout: Layout,
}

impl fmt::Display for ScalePlan {
    /// Says what differs from a run with enough memory: `in bands, 1.20 times the work; L-BFGS
    /// remembers 5 steps`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.in_bands {
            let place = if self.card_peak > 0 { " on the card" } else { "" };
            write!(f, "in bands{place}, {:.2} times the work", self.work)?;
            if self.feature_cache_bytes > 0 {
                write!(
                    f,
                    "; at most {} of the photo in a file",
                    bytesize::ByteSize(self.feature_cache_bytes).display().iec()
                )?;
            }
        } else {
            f.write_str("whole")?;
        }
        let place = match (self.optimizer_on_card, self.card_peak > 0) {
            (true, _) => " on the card",
            // Elsewhere nobody would expect anything else.
            (false, true) => " in memory",
            (false, false) => "",
        };
        match self.optimizer {
            OptimizerKind::Lbfgs => write!(f, "; L-BFGS{place} remembers {} steps", self.history),
            OptimizerKind::Adam => write!(f, "; Adam{place}"),
        }
    }
}
