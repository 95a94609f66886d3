//! TIFF files (TIFF 6.0, BigTIFF).
//!
//! `directory` reads what a file says about its pictures, and `pages` chooses one of them. `layout`
//! knows where its values lie, `compression` and `samples` make numbers of them, and `read` and
//! `ycbcr` know what the numbers mean. `write` goes the other way.
//!
//! Reading does not go through the `tiff` crate. That one has no values of 12 bits, no reversed
//! order of bits and no tiles of few bits, and it panics at tiles with channels stored apart. Its
//! names of tags are used.

pub(crate) mod compression;
pub(crate) mod directory;
pub(crate) mod fault;
pub(crate) mod layout;
pub(crate) mod pages;
pub(crate) mod read;
pub(crate) mod samples;
pub(crate) mod write;
pub(crate) mod ycbcr;
