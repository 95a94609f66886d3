//! What an evaluation takes, and how it is cut into bands.

pub(crate) mod bands;
pub mod choice;
pub(crate) mod feature_store;
pub mod layout;
pub(crate) mod stage_plan;
pub(crate) mod tile;
