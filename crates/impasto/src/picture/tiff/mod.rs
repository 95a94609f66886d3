//! TIFF files (TIFF 6.0): the `tiff` crate reads their numbers, and what these mean is said here.

pub(crate) mod entries;
pub(crate) mod fault;
pub(crate) mod read;
pub(crate) mod samples;
pub(crate) mod write;
pub(crate) mod ycbcr;
