//! What an evaluation takes, and how it is cut into bands of rows.
//!
//! Memory decides how large an image can be. So an evaluation can be cut twice: the network into
//! parts (`layout`), and each part's input into bands of rows (`bands`). A `stage_plan` says what
//! some consecutive convolutions do, a `tile` in which squares they do it, and a `feature_store`
//! where the features of the reference are meanwhile. `estimate` says what a layout takes, and
//! `choice` finds the cheapest one that fits.
//!
//! Nothing here computes or knows a device.

pub(crate) mod bands;
pub mod card;
pub mod choice;
mod estimate;
pub(crate) mod feature_store;
pub mod layout;
pub(crate) mod stage_plan;
pub(crate) mod tile;

pub(crate) use estimate::MATCH_BLOCK;
pub use estimate::search_bytes;
