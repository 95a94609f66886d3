//! What the picture is painted like: styles, and what is taken from them.
//!
//! A [`source::Style`] is a picture, or statistics that were taken from one before, with a weight
//! and a part of the content that it goes to. At each scale [`regions`] blends the statistics of
//! the styles that share a part. These are the targets of the style losses.

pub(crate) mod file;
pub(crate) mod picture;
pub(crate) mod regions;
pub(crate) mod source;
pub(crate) mod statistics;
pub(crate) mod strokes;
pub(crate) mod turn;
