//! One file a command: its arguments, its examples, and what it does.

pub mod again;
pub mod batch;
pub mod bench;
#[cfg(feature = "gpu")]
pub mod devices;
pub mod inspect;
pub mod make;
pub mod manual;
pub mod measure;
pub mod recipe;
pub mod reconstruct;
pub mod resume;
pub mod run;
pub mod schema;
#[cfg(feature = "studio")]
pub mod studio;
pub mod style;
#[cfg(feature = "studio")]
pub mod submit;
pub mod sweep;
pub mod texture;
pub mod transfer;
#[cfg(feature = "studio")]
pub mod worker;
