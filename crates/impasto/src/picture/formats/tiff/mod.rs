//! TIFF files (TIFF 6.0). The `tiff` crate reads their numbers; this folder knows what they mean.

pub(crate) mod entries;
pub(crate) mod fault;
pub(crate) mod read;
pub(crate) mod samples;
pub(crate) mod write;
pub(crate) mod ycbcr;
