//! `--colors` reaches the picture and those of `--save-every`.

use std::path::Path;

use crate::common::Desk;
use image::{GrayImage, Luma};

/// The furthest any pixel is from grey, in levels.
fn colorfulness(path: &Path) -> u8 {
    let picture = image::open(path).unwrap().into_rgb8();
    picture.pixels().map(|p| p.0.iter().max().unwrap() - p.0.iter().min().unwrap()).max().unwrap()
}

#[test]
fn a_grey_photo_stays_grey_with_its_own_colours() {
    let desk = Desk::new();
    GrayImage::from_fn(48, 36, |x, y| Luma([(5 * x % 200 + y) as u8])).save(desk.path("content.png")).unwrap();
    for (colors, grey) in [("style", false), ("content", true), ("luminance", true)] {
        desk.transfer(&["--colors", colors, "--strength", "90", "--save-every", "1", "--scales", "2"]);
        for name in ["out.png", "out-0001.png"] {
            assert_eq!(colorfulness(&desk.path(name)) <= 1, grey, "{colors}, {name}");
        }
    }
}
