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

/// Pure green of Display P3 lies outside of sRGB, which the network sees.
#[test]
fn kept_parts_have_the_photos_own_colours() {
    let desk = Desk::new();
    let photo = concat!(env!("CARGO_MANIFEST_DIR"), "/../impasto/tests/pictures/p3_saturated.png");
    std::fs::copy(photo, desk.path("content.png")).unwrap();
    let before = image::open(photo).unwrap().into_rgb8();
    let (width, height) = before.dimensions();
    let is_kept = |y: u32| y < height / 2;
    GrayImage::from_fn(width, height, |_, y| Luma([if is_kept(y) { 255 } else { 0 }]))
        .save(desk.path("keep.png"))
        .unwrap();
    for colors in ["style", "content", "matched"] {
        desk.transfer(&[
            "--size", "original", "--keep", "keep.png", "--steps", "1", "--scales", "1", "--colors", colors,
        ]);
        let after = image::open(desk.path("out.png")).unwrap().into_rgb8();
        let changed = before.enumerate_pixels().filter(|&(x, y, pixel)| after.get_pixel(x, y) != pixel);
        let (kept, painted): (Vec<_>, Vec<_>) = changed.partition(|&(_, y, _)| is_kept(y));
        assert!(kept.is_empty() && !painted.is_empty(), "{colors}: {}", kept.len());
    }
}
