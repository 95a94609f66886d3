//! What it is painted like: pictures or statistics taken from them, and where each goes.

pub(crate) mod file;
pub(crate) mod picture;
pub(crate) mod regions;
pub(crate) mod source;
pub(crate) mod statistics;
pub(crate) mod turn;
