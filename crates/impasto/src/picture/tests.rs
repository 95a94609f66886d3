use std::fs::File;
use std::path::Path;

use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};
use image::{GrayImage, ImageBuffer, Luma, Rgb, RgbImage};
use tempfile::TempDir;

use impasto_engine::Image;

use super::*;
use crate::error::Error;
use crate::picture::mask::Mask;
use crate::picture::resize::{softened, specks};

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn gradient(width: usize, height: usize) -> Image {
    Image::new(width, height, (0..3 * width * height).map(|i| (i * 7 % 256) as f32).collect())
}

fn message(path: &Path) -> String {
    let message = load(path).unwrap_err().to_string();
    assert!(!message.contains('\n'), "{message}");
    message.replace(&path.display().to_string(), "PATH")
}

#[test]
fn lossless_formats_keep_every_value() {
    let folder = folder();
    let image = gradient(17, 23);
    for name in ["a.png", "a.tif", "a.TIFF", "a.webp"] {
        let path = folder.path().join(name);
        save(&path, &image).unwrap();
        assert_eq!(load(&path).unwrap().image, image, "{name}");
    }
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 4, "temporary files stay behind: {left:?}");
}

#[test]
fn jpeg_keeps_the_picture() {
    let folder = folder();
    let image = Image::filled(20, 10, [200.0, 100.0, 30.0]);
    let path = folder.path().join("a.jpg");
    save(&path, &image).unwrap();
    let back = load(&path).unwrap().image;
    assert_eq!((back.width(), back.height()), (20, 10));
    for (a, b) in back.as_slice().iter().zip(image.as_slice()) {
        assert!((a - b).abs() <= 3.0, "{a} {b}");
    }
}

#[test]
fn the_content_decides_not_the_name() {
    let folder = folder();
    let (png, jpg) = (folder.path().join("a.png"), folder.path().join("b.jpg"));
    let image = gradient(5, 4);
    save(&png, &image).unwrap();
    std::fs::rename(&png, &jpg).unwrap();
    assert_eq!(load(&jpg).unwrap().image, image);
}

#[test]
fn rounding_is_to_the_nearest_and_clamped() {
    let folder = folder();
    let path = folder.path().join("a.png");
    let image = Image::new(2, 1, vec![-7.0, 0.49, 0.5, 254.6, 300.0, 127.51]);
    save(&path, &image).unwrap();
    assert_eq!(load(&path).unwrap().image.as_slice(), [0.0, 0.0, 1.0, 255.0, 255.0, 128.0]);
}

#[test]
fn values_that_are_not_numbers_are_not_written() {
    let folder = folder();
    let path = folder.path().join("a.png");
    let error = save(&path, &Image::new(1, 1, vec![0.0, f32::NAN, 0.0])).unwrap_err().to_string();
    assert!(error.ends_with("the picture holds values that are not numbers"), "{error}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn grey_and_16_bits_become_rgb() {
    let folder = folder();
    let path = folder.path().join("a.png");

    GrayImage::from_pixel(2, 2, Luma([77])).save(&path).unwrap();
    assert_eq!(load(&path).unwrap().image, Image::filled(2, 2, [77.0; 3]));

    ImageBuffer::from_pixel(1, 1, Rgb([65535u16, 257 * 50, 128])).save(&path).unwrap();
    for (v, expected) in load(&path).unwrap().image.as_slice().iter().zip([255.0, 50.0, 128.0 / 257.0]) {
        assert!((v - expected).abs() < 1e-4, "{v} {expected}");
    }
}

#[test]
fn the_orientation_of_the_camera_is_applied() {
    // A TIFF block with the one entry "Orientation = 6": turn by 90 degrees clockwise to view.
    let exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
    let folder = folder();
    let path = folder.path().join("a.png");
    let mut picture = RgbImage::new(3, 2);
    picture.put_pixel(0, 0, Rgb([255, 0, 0]));
    let mut encoder = PngEncoder::new(File::create(&path).unwrap());
    encoder.set_exif_metadata(exif.to_vec()).unwrap();
    encoder.write_image(picture.as_raw(), 3, 2, ExtendedColorType::Rgb8).unwrap();

    let image = load(&path).unwrap().image;
    assert_eq!((image.width(), image.height()), (2, 3));
    assert_eq!(image.as_slice()[3..6], [255.0, 0.0, 0.0]);
}

#[test]
fn unreadable_files_are_told_apart() {
    let folder = folder();
    assert_eq!(message(folder.path()), "PATH is a folder, not a picture");

    let path = folder.path().join("notes.jpg");
    assert_eq!(message(&path), "there is no file PATH");

    let not_a_picture = "PATH is not a picture that impasto can read (AVIF, HEIC, JPEG, JPEG XL, PNG, TIFF, WebP)";
    for content in ["some notes", "GIF89a and so on"] {
        std::fs::write(&path, content).unwrap();
        assert_eq!(message(&path), not_a_picture);
    }
    std::fs::write(&path, "").unwrap();
    assert_eq!(message(&path), "PATH is empty (0 bytes); a copy or a download may have failed");
}

#[test]
fn truncated_files_are_damaged() {
    let folder = folder();
    for name in ["a.png", "a.jpg", "a.tif", "a.webp"] {
        let path = folder.path().join(name);
        save(&path, &gradient(40, 30)).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        for kept in [16, bytes.len() / 2] {
            std::fs::write(&path, &bytes[..kept]).unwrap();
            let message = message(&path);
            assert!(message.starts_with("PATH is damaged: "), "{name} {kept}: {message}");
        }
    }
}

#[test]
fn a_picture_of_too_many_pixels_is_refused_before_decoding() {
    let folder = folder();
    let path = folder.path().join("bomb.png");
    save(&path, &gradient(3, 3)).unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    // Width and height in the header, and its checksum.
    bytes[16..24].copy_from_slice(&[0, 0, 0x4e, 0x20, 0, 0, 0x4e, 0x20]);
    let checksum = crc32(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&checksum.to_be_bytes());
    std::fs::write(&path, bytes).unwrap();
    let expected = "PATH is 20000x20000 px, 400 megapixels; impasto reads up to 100; make it smaller first";
    assert_eq!(message(&path), expected);
    // If memory is given, it decides: 36 bytes a pixel, 14 GB.
    let refused = load_within(&path, Some(14_000_000_000)).unwrap_err();
    assert!(matches!(refused, Error::ReadingMemory { needed: 14_400_000_000.., .. }), "{refused}");
}

/// Computes the checksum of PNG (ISO 3309), bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |c, _| if c & 1 == 1 { 0xedb8_8320 ^ (c >> 1) } else { c >> 1 })
    })
}

#[test]
fn outputs_that_cannot_be_written_are_found_before_the_work() {
    let folder = folder();
    let problem = |path: &Path| {
        let message = check_output(path, &SaveOptions::default()).unwrap_err().to_string();
        let prefix = format!("cannot write {}: ", path.display());
        message.strip_prefix(&prefix).unwrap_or_else(|| panic!("{message}")).to_owned()
    };
    assert_eq!(
        problem(&folder.path().join("a.gif")),
        "there is no picture format for the extension `gif`; use .png, .jpg, .tif or .webp"
    );
    assert_eq!(
        problem(Path::new("out")),
        "there is no picture format for a name without an extension; use .png, .jpg, .tif or .webp"
    );
    let missing = folder.path().join("no");
    assert_eq!(problem(&missing.join("a.png")), format!("there is no folder {}; create it first", missing.display()));
    let named_as_picture = folder.path().join("folder.png");
    std::fs::create_dir(&named_as_picture).unwrap();
    let example = named_as_picture.join("out.png");
    assert_eq!(problem(&named_as_picture), format!("it is a folder; name the file too, as in {}", example.display()));
    check_output(&folder.path().join("a.png"), &SaveOptions::default()).unwrap();
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "the check leaves something behind");
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_without_write_permission_is_found_before_the_work() {
    // Nobody can create files there, root included.
    let error = check_output(Path::new("/proc/a.png"), &SaveOptions::default()).unwrap_err().to_string();
    assert!(error.starts_with("cannot write /proc/a.png: the folder /proc cannot be written to: "), "{error}");
}

#[cfg(unix)]
#[test]
fn permissions_are_those_of_an_ordinary_file() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder();
    let (ordinary, ours) = (folder.path().join("ordinary"), folder.path().join("ours.png"));
    std::fs::write(&ordinary, "").unwrap();
    save(&ours, &gradient(2, 2)).unwrap();
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode();
    assert_eq!(mode(&ours), mode(&ordinary));
}

#[test]
fn resizing_keeps_flat_colours_and_the_range() {
    let flat = Image::filled(9, 7, [255.0, 0.0, 100.0]);
    let sizes = [(1, 1), (4, 3), (30, 20), (9, 7)];
    for (resize, (width, height)) in [resize, resize_style].into_iter().flat_map(|f| sizes.map(|size| (f, size))) {
        let resized = resize(&flat, width, height);
        assert_eq!((resized.width(), resized.height()), (width, height));
        for pixel in resized.as_slice().chunks(3) {
            for (v, expected) in pixel.iter().zip([255.0, 0.0, 100.0]) {
                assert!((v - expected).abs() < 0.01, "{v} {expected}");
            }
        }
    }
    let checks = Image::new(8, 1, (0..24).map(|i| if i / 6 % 2 == 0 { 0.0 } else { 255.0 }).collect());
    for resize in [resize, resize_style] {
        assert!(resize(&checks, 37, 5).as_slice().iter().all(|v| (0.0..=255.0).contains(v)));
    }
}

#[test]
fn resizing_averages_light_not_codes() {
    // Black and white lines seen from afar are half the light: 188 in sRGB, not 128.
    let lines = Image::new(64, 64, (0..64 * 64 * 3).map(|i| if i / 3 % 2 == 0 { 0.0 } else { 255.0 }).collect());
    for resize in [resize, resize_style] {
        let small = resize(&lines, 8, 8);
        let middle = small.as_slice()[3 * (4 * 8 + 4)];
        assert!((middle - 187.5).abs() < 1.5, "{middle}");
    }
}

#[test]
fn a_style_is_resized_almost_without_overshoot() {
    // A bright stroke of 9 px on a dark ground, at half the size.
    let stroke = Image::new(
        60,
        20,
        (0..60 * 20 * 3).map(|i| if (26..35).contains(&(i / 3 % 60)) { 220.0 } else { 60.0 }).collect(),
    );
    let darkest = |image: Image| image.as_slice().iter().fold(255.0, |least: f32, &v| least.min(v));
    let [photo, style] = [resize, resize_style].map(|resize| 60.0 - darkest(resize(&stroke, 30, 10)));
    assert!(photo > 40.0 && style < 0.5 * photo, "{photo} {style}");
}

/// Flat strokes of 8 px, under a grain of one pixel and of `grain` levels.
fn painting(side: usize, grain: f32) -> Picture {
    const STROKE: usize = 8;
    let mut noise = 1u32;
    let values = (0..side * side).flat_map(|i| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let grain = if noise >> 29 == 0 { grain } else { 0.0 };
        [if (i / STROKE).is_multiple_of(2) { 80.0 } else { 140.0 } + grain; 3]
    });
    Picture::new(Image::new(side, side, values.collect()))
}

#[test]
fn a_grainy_style_at_its_own_size_has_no_more_specks_than_at_half_of_it() {
    let picture = painting(96, 60.0);
    let at = |side: usize| specks(&picture.resized_as_style(side, side).image);
    let (half, own) = (at(48), at(96));
    assert!(specks(&picture.image) > 0.05, "the file has grains");
    assert!(own <= half + 0.005, "{own} at its own size, {half} at half of it");
}

#[test]
fn a_style_without_grain_stays_as_it_is_at_its_own_size() {
    let picture = painting(96, 0.0);
    assert!(picture.resized_as_style(96, 96) == picture);
}

#[test]
fn softening_keeps_what_is_flat_and_shows_nothing_hidden() {
    let flat = Image::filled(9, 7, [255.0, 0.0, 100.0]);
    let soft = softened(&flat, None);
    assert!(soft.as_slice().iter().zip(flat.as_slice()).all(|(a, b)| (a - b).abs() < 0.01));
    // The hidden half is white, the visible one dark.
    let image = Image::new(8, 2, (0..48).map(|i| if i / 3 % 8 < 4 { 40.0 } else { 255.0 }).collect());
    let alpha = Mask::new(8, 2, (0..16).map(|i| if i % 8 < 4 { 1.0 } else { 0.0 }).collect());
    let soft = softened(&image, Some(&alpha));
    assert!((0..16).filter(|i| i % 8 < 4).all(|i| (soft.as_slice()[3 * i] - 40.0).abs() < 0.01));
}

#[test]
fn sizes_fit_with_at_least_a_pixel() {
    assert_eq!(fit(4000, 3000, 512), (512, 384));
    assert_eq!(fit(3000, 4000, 512), (384, 512));
    assert_eq!(fit(1000, 3, 10), (10, 1));
    assert_eq!(fit(100, 66, 100), (100, 66));
    assert_eq!(fit(0, 66, 100), (0, 0));
}

#[test]
fn what_takes_more_memory_to_read_than_there_is_is_refused() {
    let folder = folder();
    let path = folder.path().join("a.png");
    for (alpha, least) in [(false, 36), (true, 52)] {
        let alpha = alpha.then(|| Mask::filled(1000, 900, 0.5));
        save_with(&path, &gradient(1000, 900), &SaveOptions { alpha, ..SaveOptions::default() }).unwrap();
        let least = least * 1000 * 900 + (24 << 20) + std::fs::metadata(&path).unwrap().len();
        assert!(load_within(&path, Some(least)).is_ok());
        let refused = load_within(&path, Some(least - 1)).unwrap_err();
        assert!(matches!(&refused, Error::ReadingMemory { needed, .. } if *needed == least), "{refused}");
        let text = refused.to_string();
        assert!(text.contains("a.png is 1000x900 px; reading it takes ") && text.contains("make it smaller"), "{text}");
    }
}

#[test]
fn the_memory_of_writing_is_that_of_the_file_and_its_values_but_for_png() {
    let image = gradient(300, 200);
    let pixels = 300 * 200;
    for (name, bit_depth) in [
        ("a.png", BitDepth::Eight),
        ("a.png", BitDepth::Sixteen),
        ("a.jpg", BitDepth::Eight),
        ("a.tif", BitDepth::Sixteen),
        ("a.webp", BitDepth::Eight),
    ] {
        let name = Path::new(name);
        let alpha = Some(Mask::filled(300, 200, 0.5));
        for options in [
            SaveOptions { bit_depth, ..SaveOptions::default() },
            SaveOptions { bit_depth, alpha, ..SaveOptions::default() },
        ] {
            let memory = options.memory(name, 300, 200).unwrap();
            let opacity = if options.alpha.is_some() { 4 * pixels } else { 0 };
            if name == Path::new("a.png") {
                assert_eq!(memory, opacity);
            } else {
                let file = encode(&image, name, &options).unwrap().len() as u64;
                assert!(memory >= file + 3 * pixels + opacity, "{name:?} {file}");
            }
        }
    }
}
