//! Small pictures, as JPEG.

use std::path::Path;

use impasto::Image;
use impasto::picture::{self, Format, SaveOptions};

/// Longest side of those that are stored, in px.
pub const STORED: usize = 1024;

const QUALITY: u8 = 85;

/// A picture as JPEG, its longest side at most `longest` px. Empty if the picture cannot be encoded.
pub fn of_picture(image: &Image, longest: usize) -> Vec<u8> {
    let longest = longest.min(image.width().max(image.height()));
    let (width, height) = picture::fit(image.width(), image.height(), longest);
    let small = picture::resize(image, width, height);
    jpeg(&small, QUALITY).unwrap_or_default()
}

/// A picture as JPEG.
pub fn jpeg(image: &Image, quality: u8) -> impasto::Result<Vec<u8>> {
    let options = SaveOptions { format: Some(Format::Jpeg), quality: Some(quality), ..SaveOptions::default() };
    picture::encode(image, Path::new("picture.jpg"), &options)
}
