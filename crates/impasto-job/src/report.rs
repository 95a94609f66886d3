//! What a run says at its end, for programs. The words for a terminal belong to the command line.

use std::path::PathBuf;

use impasto::{Layer, Objective, StopReason};
use serde::{Serialize, Serializer};
use serde_with::{serde_as, skip_serializing_none};

use crate::job::paths::{AnyPath, AnyPaths};

/// The result of a run.
#[serde_as]
#[skip_serializing_none]
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Where the picture was written; empty if it was written nowhere.
    #[serde_as(as = "AnyPath")]
    pub output: PathBuf,
    /// Width and height in px.
    pub size: [usize; 2],
    /// Steps done.
    pub steps: usize,
    /// Steps asked for.
    pub steps_wanted: usize,
    /// Why the run ended.
    pub stopped: StopReason,
    /// Wall-clock time from reading the inputs to the written picture, that before an interruption
    /// included.
    pub seconds: f64,
    /// What evaluated the network, with all that the last bits depend on: `cpu avx512`.
    pub device: String,
    /// Eq. (1) weighted by layer, without alpha; of a transfer.
    pub content_loss: Option<f64>,
    /// Eq. (1) by layer, unweighted.
    #[serde(skip_serializing_if = "LossByLayer::is_empty")]
    pub content_loss_by_layer: LossByLayer,
    /// Eq. (2) by layer, unweighted.
    #[serde(skip_serializing_if = "LossByLayer::is_empty")]
    pub style_loss: LossByLayer,
    /// Mean squared difference from the matches in the style by layer, unweighted; of strokes.
    #[serde(skip_serializing_if = "LossByLayer::is_empty")]
    pub strokes_loss: LossByLayer,
    /// Total variation, eq. (5), unweighted.
    pub tv: f64,
    /// What was minimised, at the end.
    pub total_loss: f64,
    /// What was minimised, at the start.
    pub start_loss: Option<f64>,
    /// The objective of a transfer.
    pub objective: Option<Objective>,
    /// Mean over the content layers in the objective's units; of a transfer. Balanced: 0 is the
    /// content itself, 1 is nothing of its layout left.
    pub content_in_units: Option<f64>,
    /// Mean over the style layers in the objective's units; of a transfer. Balanced: 0 is the style
    /// itself, 1 is as far from it as the content.
    pub style_in_units: Option<f64>,
    /// The sizes worked at, coarsest first.
    pub scales: Vec<ReportedScale>,
    /// Seed of the noise.
    pub seed: u64,
    /// The pictures that `save-every` wrote; of a transfer.
    #[serde_as(as = "Option<AnyPaths>")]
    pub saved: Option<Vec<PathBuf>>,
}

/// One size of a run.
#[derive(Clone, Debug, Serialize)]
pub struct ReportedScale {
    /// Width and height in px.
    pub size: [usize; 2],
    /// Steps: fewer than planned if the scale converged.
    pub steps: usize,
}

impl From<&impasto::Scale> for ReportedScale {
    fn from(scale: &impasto::Scale) -> ReportedScale {
        ReportedScale { size: [scale.width, scale.height], steps: scale.steps }
    }
}

/// Losses by layer, in the order in which the layers were given. JSON has them as a map.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LossByLayer(pub Vec<(Layer, f64)>);

impl LossByLayer {
    /// Whether no layer counts.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&[(Layer, f64)]> for LossByLayer {
    fn from(losses: &[(Layer, f64)]) -> LossByLayer {
        LossByLayer(losses.to_vec())
    }
}

impl Serialize for LossByLayer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(layer, loss)| (layer.to_string(), loss)))
    }
}
