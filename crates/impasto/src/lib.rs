//! Neural style transfer: a photograph and a painting go in, and the photograph comes out, painted
//! in that manner.
//!
//! The library minimises `alpha * content + beta * style + tv_weight * TV` over the pixels of the
//! result. The layers of a frozen VGG-19 compare content and style (Gatys, Ecker and Bethge, CVPR
//! 2016). [`picture`] reads and writes pictures and [`prepare`] resizes them. A [`Session`] makes
//! the picture step by step. [`measure`] says how close any picture is to a content and a style.
//! [`inspect`] shows what the network sees, and [`mod@bench`] says how fast all this is.
//!
//! ```
//! use std::ops::ControlFlow;
//!
//! use impasto::{Network, Options, Progress, Session, SizeOptions, picture, prepare};
//!
//! # fn main() -> impasto::Result<()> {
//! # let folder = tempfile::tempdir().expect("a temporary folder");
//! # let examples = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples"));
//! let photo = picture::load(&examples.join("astronaut.jpg"))?;
//! let painting = picture::load(&examples.join("starry_night.jpg"))?;
//! let (content, style) = prepare(&photo, &painting, &SizeOptions { size: 48, ..SizeOptions::default() })?;
//!
//! let network = Network::embedded()?;
//! let options = Options { steps: 3, content_weight: 0.1, ..Options::default() };
//! let mut session = Session::new(&network, &content.image, &style.image, &options)?;
//! let start = session.losses().total;
//! session.run(&mut |progress: &Progress<'_>| {
//!     // `progress.image()` could be shown or saved here; `ControlFlow::Break(())` would stop the run.
//!     assert!(progress.losses.total <= start);
//!     ControlFlow::Continue(())
//! })?;
//! assert!(session.losses().total < start);
//!
//! picture::save(&folder.path().join("astronaut-starry.png"), session.image())
//! # }
//! ```
//!
//! Nothing here prints, exits, or panics on user input. Results have the same bits at any number of
//! threads, because every sum is taken in a fixed order.
//!
//! The library knows pictures and numbers, but no command line and no run that outlives the
//! process. A [`SavedState`] on disk is all that it keeps of a run.

pub mod bench;
mod brush;
mod checks;
mod colors;
mod error;
mod inspect;
mod loss;
mod measure;
mod network;
mod noise;
mod optimizer;
mod options;
pub mod picture;
mod reduce;
mod session;
pub mod sheet;
mod style;
mod tensor_file;
mod texture;
mod threads;
mod torus;

#[cfg(test)]
mod golden;

pub use brush::DEFAULT_BRUSH;
pub use colors::ColorMode;
pub use error::{Error, PictureRole, Result};
pub use impasto_engine::{Image, Layer, LayerKind, Padding, Pooling, UnknownWord};
pub use inspect::{InspectOptions, Order, View, inspect};
pub use loss::losses::Losses;
pub use measure::{GradientNorms, MeasureOptions, Measurement, RegionLosses, measure, measure_styles};
pub use network::Network;
#[cfg(feature = "gpu")]
pub use network::card::{Card, GpuKind, SelfTest, cards};
pub use options::{
    Adjustment, BALANCED_WEIGHTS, DEFAULT_STRENGTH, Init, Objective, OptimizerKind, Options, PAPER_WEIGHTS, Preset,
    Scales, StyleLossKind, WeightedLayer, content_weight_at,
};
pub use picture::mask::Mask;
pub use picture::prepare::{SizeOptions, prepare};
pub use session::blueprint::RunPlan;
pub use session::memory::plan::{MemoryPlan, ScalePlan};
pub use session::position::StopReason;
pub use session::schedule::Scale;
pub use session::state::{SavedState, SessionState};
pub use session::subject::Subject;
pub use session::task::check_feature_cache;
pub use session::{Observer, Progress, Session};
pub use style::picture::StylePicture;
pub use style::source::{Style, StyleSource};
pub use style::statistics::StyleStatistics;
