//! Pictures of every kind, in and out. `pictures/make.py` makes the files and says what they have
//! to be.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::path::{Path, PathBuf};

use image::{DynamicImage, ImageBuffer, Luma, LumaA, Pixel, Rgb, Rgba};
use impasto::picture::{self, BitDepth, Format, Picture, ReadOptions, SaveOptions, Warning, decode, encode};
use impasto::{Image, Mask};

fn file(name: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pictures")).join(name)
}

/// Returns the largest difference of two values.
fn difference(a: &Image, b: &Image) -> f32 {
    assert_eq!((a.width(), a.height()), (b.width(), b.height()));
    a.as_slice().iter().zip(b.as_slice()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn every_kind_of_file_is_what_a_second_implementation_makes_of_it() {
    for (name, has_profile) in [
        ("wide_png.png", true),
        ("wide_jpeg.jpg", true),
        ("wide_tiff.tif", true),
        ("wide_webp.webp", true),
        ("grey_png.png", false),
        ("grey_rgb_profile.png", true),
        ("cmyk_jpeg.jpg", false),
        ("ycck_jpeg.jpg", false),
        ("cmyk_plain_jpeg.jpg", false),
        ("inks_jpeg.jpg", false),
        ("inks_tiff.tif", false),
        ("palette_png.png", false),
        ("bits_png.png", false),
        ("bits_tiff.tif", false),
        ("palette_tiff.tif", false),
        ("palette1_tiff.tif", false),
        ("palette2_tiff.tif", false),
        ("palette4_tiff.tif", false),
        ("ycbcr_tiff.tif", false),
        ("ycbcr22_tiff.tif", false),
        ("ycbcr41_tiff.tif", false),
        ("ycbcr_studio_tiff.tif", false),
        ("ycbcr_jpeg_tiff.tif", false),
        ("pages_tiff.tif", false),
        ("progressive_jpeg.jpg", false),
        ("grey_jpeg.jpg", false),
        ("lossy_webp.webp", false),
    ] {
        let picture = picture::load(&file(name)).unwrap();
        let stem = name.split('.').next().unwrap();
        let expected = picture::load(&file(&format!("{stem}.srgb.png"))).unwrap();
        let found = difference(&picture.image, &expected.image);
        assert!(found <= 2.0, "{name} is off by {found}");
        assert_eq!(picture.profile.is_some(), has_profile, "{name}");
        assert_eq!((picture.alpha, picture.warnings), (None, vec![]), "{name}");
    }
}

#[test]
fn a_grey_tiff_keeps_its_opacity() {
    let [picture, expected] =
        ["grey_alpha_tiff.tif", "grey_alpha_tiff.srgb.png"].map(|name| picture::load(&file(name)).unwrap());
    assert!(picture.alpha.is_some());
    assert_eq!(picture, expected);
}

/// Makes a little-endian TIFF of one strip, with the entries as numbers of 16 bits. `None` stands
/// for the place of the strip.
fn tiff(entries: &[(u16, Option<Vec<u16>>)], strip: &[u8]) -> Vec<u8> {
    let start = 8 + 2 + 12 * entries.len() + 4;
    let mut rest = Vec::new();
    let mut table = (entries.len() as u16).to_le_bytes().to_vec();
    for (tag, values) in entries {
        let values = values.clone().unwrap_or(vec![start as u16]);
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        table.extend([tag.to_le_bytes(), 3u16.to_le_bytes()].concat());
        table.extend((values.len() as u32).to_le_bytes());
        match bytes.len() {
            0..=4 => table.extend([bytes, vec![0; 4 - 2 * values.len()]].concat()),
            _ => {
                table.extend(((start + strip.len() + rest.len()) as u32).to_le_bytes());
                rest.extend(bytes);
            }
        }
    }
    [b"II*\0\x08\0\0\0", &table[..], &[0; 4], strip, &rest].concat()
}

/// Makes a picture of 4x1 px with one value of `bits` bits a pixel, or several. `more` replaces
/// entries.
fn small_tiff(kind: u16, bits: u16, channels: u16, more: &[(u16, Vec<u16>)], strip: &[u8]) -> Vec<u8> {
    let mut entries = std::collections::BTreeMap::from(
        [(256, 4), (257, 1), (258, bits), (259, 1), (262, kind), (277, channels), (278, 1)]
            .map(|(tag, value)| (tag, Some(vec![value]))),
    );
    entries.extend([(273, None), (279, Some(vec![strip.len() as u16]))]);
    entries.extend(more.iter().cloned().map(|(tag, values)| (tag, Some(values))));
    tiff(&entries.into_iter().collect::<Vec<_>>(), strip)
}

#[test]
fn tiffs_of_every_depth_and_order_keep_their_values() {
    let values = |bytes: &[u8]| decode(bytes, Path::new("a.tif")).unwrap().image.as_slice().to_vec();
    let grey = |values: [f32; 4]| values.iter().flat_map(|&v| [v; 3]).collect::<Vec<_>>();
    assert_eq!(values(&small_tiff(1, 1, 1, &[], &[0b0110_0000])), grey([0.0, 255.0, 255.0, 0.0]));
    assert_eq!(values(&small_tiff(0, 1, 1, &[], &[0b0110_0000])), grey([255.0, 0.0, 0.0, 255.0]));
    assert_eq!(values(&small_tiff(1, 2, 1, &[], &[0b0001_1011])), grey([0.0, 85.0, 170.0, 255.0]));
    assert_eq!(values(&small_tiff(1, 4, 1, &[], &[0x0f, 0x1e])), grey([0.0, 255.0, 17.0, 238.0]));
    let fractions: Vec<u8> = [0.0f64, 0.2, 1.0, -3.0].repeat(3).iter().flat_map(|v| v.to_le_bytes()).collect();
    let expected: Vec<f32> = [0.0, 51.0, 255.0, 0.0].repeat(3);
    assert_eq!(values(&small_tiff(2, 64, 3, &[(339, vec![3])], &fractions)), expected);
    let planes = [1, 2, 3, 4, 11, 12, 13, 14, 21, 22, 23, 24];
    let together: Vec<f32> = (1..=4).flat_map(|i| [i as f32, 10.0 + i as f32, 20.0 + i as f32]).collect();
    let at = |i: u16| 8 + 2 + 12 * 10 + 4 + 4 * i;
    let more = [(284, vec![2]), (273, vec![at(0), at(1), at(2)]), (279, vec![4; 3])];
    assert_eq!(values(&small_tiff(2, 8, 3, &more, &planes)), together);
    // Palettes of 8 bits come at any scale.
    for scale in [1, 256, 257] {
        let palette: Vec<u16> = [200, 10, 20, 30, 40, 50].iter().map(|v| v * scale).collect();
        let expected = [[200.0, 20.0, 40.0], [10.0, 30.0, 50.0], [200.0, 20.0, 40.0], [10.0, 30.0, 50.0]].concat();
        assert_eq!(values(&small_tiff(3, 1, 1, &[(320, palette)], &[0b0101_0000])), expected, "{scale}");
    }
    let palette: Vec<u16> = (0..768).map(|i| 257 * (i % 256)).collect();
    let with_alpha = small_tiff(3, 8, 2, &[(320, palette), (338, vec![2])], &[7, 255, 8, 51, 9, 255, 9, 102]);
    let picture = decode(&with_alpha, Path::new("a.tif")).unwrap();
    assert_eq!(picture.image.as_slice().to_vec(), grey([7.0, 8.0, 9.0, 9.0]));
    assert_eq!(picture.alpha, Some(Mask::new(4, 1, vec![1.0, 0.2, 1.0, 0.4])));
}

#[test]
fn tiffs_that_cannot_be_read_are_refused_by_name() {
    let message = |bytes: &[u8]| decode(bytes, Path::new("a.tif")).unwrap_err().to_string();
    let unsupported = |bytes: &[u8]| {
        let message = message(bytes);
        let reason = message.strip_prefix("a.tif cannot be read: ").and_then(|rest| rest.split(';').next());
        reason.unwrap_or_else(|| panic!("{message}")).to_owned()
    };
    let ones = [1; 64];
    assert_eq!(
        unsupported(&small_tiff(1, 32, 1, &[], &ones)),
        "its values are whole numbers of 32 bits, and may be negative or beyond 16 bits"
    );
    assert_eq!(
        unsupported(&small_tiff(1, 32, 1, &[(339, vec![3])], &ones)),
        "it is grey in fractions, but does not say their range"
    );
    assert_eq!(unsupported(&small_tiff(1, 65, 1, &[], &ones)), "its values have 65 bits");
    assert_eq!(unsupported(&small_tiff(3, 16, 1, &[(320, vec![0; 6])], &ones)), "its palette has indices of 16 bits");
    assert_eq!(unsupported(&small_tiff(6, 16, 3, &[], &ones)), "its YCbCr has 3 values of 16 bits a pixel, not 3 of 8");
    assert_eq!(
        unsupported(&small_tiff(6, 8, 3, &[(530, vec![2, 1]), (317, vec![2])], &ones)),
        "its YCbCr has blocks of 2x1 px and a predictor"
    );
    assert_eq!(unsupported(&small_tiff(5, 8, 5, &[(338, vec![2])], &ones)), "it has inks and an opacity");
    assert_eq!(
        message(&small_tiff(3, 2, 1, &[(320, vec![0; 6])], &ones)),
        "a.tif is damaged: its palette has 6 values, but 12 are needed"
    );
    assert_eq!(
        message(&small_tiff(6, 8, 3, &[(530, vec![3, 1])], &ones)),
        "a.tif is damaged: its YCbCr has blocks of [3, 1] px"
    );
}

/// Writes one colour and opacity with `image`'s encoders, and reads the file.
fn read<P: Pixel>(pixel: P, format: image::ImageFormat) -> Picture
where
    DynamicImage: From<ImageBuffer<P, Vec<P::Subpixel>>>,
{
    let mut bytes = std::io::Cursor::new(Vec::new());
    DynamicImage::from(ImageBuffer::from_pixel(3, 2, pixel)).write_to(&mut bytes, format).unwrap();
    decode(&bytes.into_inner(), Path::new("picture")).unwrap()
}

#[test]
fn every_depth_and_kind_of_colour_keeps_its_values() {
    use image::ImageFormat::{Png, Tiff, WebP};
    let is = |picture: Picture, rgb: [f32; 3], alpha: Option<f32>, what: &str| {
        assert!(difference(&picture.image, &Image::filled(3, 2, rgb)) < 1e-4, "{what}: {:?}", picture.image);
        match (picture.alpha, alpha) {
            (None, None) => {}
            (Some(found), Some(alpha)) => assert_eq!(found, Mask::filled(3, 2, alpha), "{what}"),
            (found, alpha) => panic!("{what}: {found:?}, not {alpha:?}"),
        }
    };
    let half = 32_768.0 / 65_535.0;
    for format in [Png, Tiff] {
        let what = format!("{format:?}");
        is(read(Luma([77u8]), format), [77.0; 3], None, &what);
        is(read(Luma([257 * 50 + 1u16]), format), [50.0 + 1.0 / 257.0; 3], None, &what);
        is(read(Rgb([65_535u16, 0, 128]), format), [255.0, 0.0, 128.0 / 257.0], None, &what);
        is(read(Rgba([257u16, 514, 771, 32_768]), format), [1.0, 2.0, 3.0], Some(half), &what);
    }
    is(read(LumaA([10u8, 51]), Png), [10.0; 3], Some(0.2), "grey, alpha");
    is(read(LumaA([2570u16, 32_768]), Png), [10.0; 3], Some(half), "grey, alpha, 16 bits");
    for format in [Png, Tiff, WebP] {
        let what = format!("{format:?}");
        is(read(Rgb([1u8, 2, 3]), format), [1.0, 2.0, 3.0], None, &what);
        is(read(Rgba([255u8, 0, 100, 51]), format), [255.0, 0.0, 100.0], Some(0.2), &what);
        is(read(Rgba([255u8, 0, 100, 255]), format), [255.0, 0.0, 100.0], None, &what);
        is(read(Rgba([255u8, 0, 100, 0]), format), [255.0; 3], Some(0.0), &what);
    }
    is(read(Rgb([0.2f32, 1.5, -3.0]), Tiff), [51.0, 255.0, 0.0], None, "beyond the ends");
}

#[test]
fn what_is_hidden_does_not_matter() {
    let with_hidden = |hidden: [u8; 3]| {
        let picture = ImageBuffer::from_fn(8, 8, |x, y| match (x, y) {
            (0..4, _) => Rgba([200u8, 40, 90, 255]),
            (4, _) => Rgba([200, 40, 90, 100]),
            _ => Rgba([hidden[0], hidden[1], hidden[2], 0]),
        });
        let mut bytes = std::io::Cursor::new(Vec::new());
        DynamicImage::from(picture).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
        decode(&bytes.into_inner(), Path::new("picture")).unwrap()
    };
    let picture = with_hidden([0, 255, 0]);
    assert_eq!(picture, with_hidden([255, 0, 255]));
    // One colour is visible, so no other may appear at any size.
    for (width, height) in [(8, 8), (3, 3), (5, 7), (21, 17), (1, 1)] {
        let resized = picture.resized(width, height);
        let found = difference(&resized.image, &Image::filled(width, height, [200.0, 40.0, 90.0]));
        assert!(found < 0.01, "{width}x{height}: {found}");
        assert_eq!(resized.alpha, Some(picture.alpha.clone().unwrap().resized(width, height)));
    }
}

#[test]
fn colours_are_sharp_where_all_is_opaque() {
    let image = Image::new(64, 8, (0..64 * 8 * 3).map(|i| if i / 3 % 3 == 0 { 230.0 } else { 20.0 }).collect());
    let alpha = Mask::new(64, 8, (0..64 * 8).map(|i| if i % 64 < 40 { 1.0 } else { 0.0 }).collect());
    let picture = Picture { alpha: Some(alpha), ..Picture::new(image.clone()) };
    let (seen, plain) = (picture.resized(32, 8), picture::resize(&image, 32, 8));
    for x in 0..16 {
        for c in 0..3 {
            let (a, b) = (seen.image.as_slice()[3 * x + c], plain.as_slice()[3 * x + c]);
            assert!((a - b).abs() < 0.01, "{x}: {a} {b}");
        }
    }
}

#[test]
fn transparency_comes_out_as_it_went_in() {
    let image = Image::new(16, 16, (0..768).map(|i| (i % 256) as f32).collect());
    let alpha = |most: f32| Mask::new(16, 16, (0..256).map(|i| (i as f32 * most / 255.0).round() / most).collect());
    for (format, bit_depth, most) in [
        (Format::Png, BitDepth::Eight, 255.0),
        (Format::Png, BitDepth::Sixteen, 65_535.0),
        (Format::Tiff, BitDepth::Eight, 255.0),
        (Format::Tiff, BitDepth::Sixteen, 65_535.0),
        (Format::WebP, BitDepth::Eight, 255.0),
    ] {
        let options =
            SaveOptions { format: Some(format), bit_depth, alpha: Some(alpha(most)), ..SaveOptions::default() };
        let bytes = encode(&image, Path::new("picture"), &options).unwrap();
        let back = decode(&bytes, Path::new("picture")).unwrap();
        assert_eq!(back.alpha, options.alpha, "{format:?} {bit_depth:?}");
        assert_eq!(back.image.as_slice()[3..], image.as_slice()[3..], "{format:?} {bit_depth:?}");
    }
    let options = SaveOptions { alpha: Some(Mask::filled(4, 4, 0.2)), ..SaveOptions::default() };
    let black = Image::filled(16, 16, [0.0; 3]);
    let jpeg = decode(&encode(&black, Path::new("a.jpg"), &options).unwrap(), Path::new("a.jpg")).unwrap();
    assert!(difference(&jpeg.image, &Image::filled(16, 16, [204.0; 3])) <= 1.0, "{:?}", jpeg.image);
    let png = decode(&encode(&black, Path::new("a.png"), &options).unwrap(), Path::new("a.png")).unwrap();
    assert_eq!(png.alpha, Some(Mask::filled(16, 16, 0.2)), "scaled to the picture");
}

#[test]
fn premultiplied_tiffs_are_divided() {
    // Black is transparent in both readings. 100 at an opacity of 0.4 is the colour 250.
    let image = Image::filled(2, 1, [100.0; 3]);
    let alpha = Some(Mask::filled(2, 1, 0.4));
    let options = SaveOptions { alpha: alpha.clone(), ..SaveOptions::default() };
    let mut bytes = encode(&image, Path::new("a.tif"), &options).unwrap();
    // ExtraSamples (338), 16 bits, one value: 2 = not multiplied becomes 1 = multiplied.
    let entry = [338u16.to_ne_bytes(), 3u16.to_ne_bytes()].concat();
    let at = bytes.windows(4).position(|w| w == entry).unwrap() + 8;
    bytes[at..at + 2].copy_from_slice(&1u16.to_ne_bytes());
    let back = decode(&bytes, Path::new("a.tif")).unwrap();
    assert!(difference(&back.image, &Image::filled(2, 1, [250.0; 3])) < 0.01, "{:?}", back.image);
    assert_eq!(back.alpha, alpha);
}

#[test]
fn sixteen_bits_round_to_the_nearest() {
    let image = Image::new(2, 1, vec![0.0, 0.5 / 257.0, 100.25, 255.0, 300.0, -4.0]);
    for name in ["a.png", "a.tif"] {
        let options = SaveOptions { bit_depth: BitDepth::Sixteen, ..SaveOptions::default() };
        let bytes = encode(&image, Path::new(name), &options).unwrap();
        let DynamicImage::ImageRgb16(back) = image::load_from_memory(&bytes).unwrap() else {
            panic!("{name} has no 16 bits");
        };
        assert_eq!(back.into_raw(), [0, 1, 25_764, 65_535, 65_535, 0], "{name}");
    }
}

#[test]
fn profiles_are_kept_and_colours_right_in_them() {
    let picture = picture::load(&file("wide_png.png")).unwrap();
    let options = |format| SaveOptions {
        format: Some(format),
        profile: picture.profile.clone(),
        bit_depth: if matches!(format, Format::Png | Format::Tiff) { BitDepth::Sixteen } else { BitDepth::Eight },
        quality: (format == Format::Jpeg).then_some(100),
        ..SaveOptions::default()
    };
    let flat = Image::filled(16, 16, [120.0, 60.0, 200.0]);
    for format in [Format::Png, Format::Jpeg, Format::Tiff, Format::WebP] {
        let bytes = encode(&flat, Path::new("picture"), &options(format)).unwrap();
        let back = decode(&bytes, Path::new("picture")).unwrap();
        assert_eq!(back.profile, picture.profile, "{format:?}");
        assert!(difference(&back.image, &flat) <= 2.0, "{format:?}: {:?}", &back.image.as_slice()[..3]);
        // The values themselves differ from those in sRGB.
        let stored = image::load_from_memory(&bytes).unwrap().into_rgb8();
        assert!(stored.get_pixel(8, 8).0[0].abs_diff(120) > 3, "{format:?}: {:?}", stored.get_pixel(8, 8));
    }
}

#[test]
fn a_broken_profile_is_told_of() {
    let mut bytes = std::fs::read(file("wide_tiff.tif")).unwrap();
    let at = bytes.windows(4).position(|w| w == b"rXYZ").unwrap();
    bytes[at..at + 4].copy_from_slice(b"none");
    let at = bytes.windows(8).position(|w| w == b"mntrRGB ").unwrap();
    bytes[at + 4..at + 8].copy_from_slice(b"CMYK");
    let picture = decode(&bytes, Path::new("a.tif")).unwrap();
    assert_eq!(picture.profile, None);
    let [Warning::Profile { reason }] = &picture.warnings[..] else {
        panic!("{:?}", picture.warnings);
    };
    assert!(!reason.is_empty() && !reason.contains('\n'), "{reason}");
    let plain = image::open(file("wide_tiff.tif")).unwrap().into_rgb8().into_raw();
    assert_eq!(picture.image.as_slice(), plain.iter().map(|&v| f32::from(v)).collect::<Vec<_>>(), "taken as sRGB");
}

/// It is little endian, with the camera `Cam` and orientation 6: to be turned by 90 degrees
/// clockwise.
const EXIF: &[u8] = b"II*\0\x08\0\0\0\x02\0\x0f\x01\x02\0\x04\0\0\0Cam\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";

#[test]
fn exif_is_kept_and_says_upright() {
    let mut png = Vec::new();
    let mut encoder = image::codecs::png::PngEncoder::new(&mut png);
    image::ImageEncoder::set_exif_metadata(&mut encoder, EXIF.to_vec()).unwrap();
    let pixels = [[255, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 255], [0, 0, 0], [0, 0, 0]].concat();
    image::ImageEncoder::write_image(encoder, &pixels, 3, 2, image::ExtendedColorType::Rgb8).unwrap();
    let picture = decode(&png, Path::new("a.png")).unwrap();
    let upright = [[0, 0, 255], [255, 0, 0], [0; 3], [0; 3], [0; 3], [0; 3]].concat();
    assert_eq!(picture.image.as_slice(), upright.iter().map(|&v| v as f32).collect::<Vec<_>>());

    for name in ["a.png", "a.webp", "a.jpg", "a.tif"] {
        let options = SaveOptions { exif: picture.exif.clone(), ..SaveOptions::default() };
        let bytes = encode(&picture.image, Path::new(name), &options).unwrap();
        let back = decode(&bytes, Path::new(name)).unwrap();
        assert_eq!((back.width(), back.height()), (2, 3), "{name} is turned again");
        let mut expected = EXIF.to_vec();
        expected[30] = 1;
        assert_eq!(back.exif.unwrap().for_size(2, 3), expected, "{name}");
    }
}

#[test]
fn the_notes_of_a_tiff_are_kept_in_every_format() {
    // It is turned by 90 degrees, with a camera, an EXIF directory with a maker's block, and a
    // place.
    let picture = picture::load(&file("exif_tiff.tif")).unwrap();
    assert_eq!(picture.warnings, []);
    assert_eq!((picture.width(), picture.height()), (12, 8));
    let upright = picture::load(&file("exif_tiff.srgb.png")).unwrap();
    assert_eq!(picture.image, upright.image);
    let block = picture.exif.clone().unwrap().for_size(12, 8);
    let has = |bytes: &[u8], text: &[u8]| bytes.windows(text.len()).any(|window| window == text);
    assert!(has(&block, b"Camera of a test\0") && has(&block, b"2026:11:25 12:00:00\0"), "{block:?}");
    assert!(!has(&block, b"of the maker"), "its offsets would be wrong");
    for name in ["a.png", "a.webp", "a.jpg", "a.tif"] {
        let options = SaveOptions { exif: picture.exif.clone(), ..SaveOptions::default() };
        let bytes = encode(&picture.image, Path::new(name), &options).unwrap();
        let back = decode(&bytes, Path::new(name)).unwrap();
        assert_eq!((back.width(), back.height()), (12, 8), "{name} is turned again");
        assert_eq!(back.exif, picture.exif, "{name}");
    }
}

#[test]
fn the_notes_of_a_jpeg_are_a_tiffs_own() {
    // A maker's block survives in a TIFF that is written, because it stays where it was.
    for is_big_endian in [false, true] {
        let swap = |text: &[u8]| if is_big_endian { text.iter().rev().copied().collect() } else { text.to_vec() };
        let entry = |tag: u16, kind: u16, count: u32, value: &[u8]| {
            [swap(&tag.to_le_bytes()), swap(&kind.to_le_bytes()), swap(&count.to_le_bytes()), value.to_vec()].concat()
        };
        let block = [
            if is_big_endian { b"MM\0*".to_vec() } else { b"II*\0".to_vec() },
            swap(&8u32.to_le_bytes()),
            swap(&2u16.to_le_bytes()),
            entry(0x010f, 2, 4, b"Cam\0"),
            entry(0x8769, 4, 1, &swap(&38u32.to_le_bytes())),
            vec![0; 4],
            swap(&1u16.to_le_bytes()),
            entry(0x927c, 7, 12, &swap(&56u32.to_le_bytes())),
            vec![0; 4],
            b"of the maker".to_vec(),
        ]
        .concat();
        let options = SaveOptions::default();
        let jpeg = encode(&Image::filled(3, 2, [9.0; 3]), Path::new("a.jpg"), &options).unwrap();
        let length = (2 + 6 + block.len() as u16).to_be_bytes();
        let segment = [b"\xff\xe1", &length[..], b"Exif\0\0", &block, &jpeg[2..]].concat();
        let picture = decode(&[&jpeg[..2], &segment].concat(), Path::new("a.jpg")).unwrap();
        for bit_depth in [BitDepth::Eight, BitDepth::Sixteen] {
            let image = Image::new(3, 2, (0..18).map(|i| 10.0 * i as f32).collect());
            let options = SaveOptions { exif: picture.exif.clone(), bit_depth, ..SaveOptions::default() };
            let tiff = encode(&image, Path::new("a.tif"), &options).unwrap();
            assert_eq!(tiff[8..block.len()], block[8..], "the block stays where it was");
            let back = decode(&tiff, Path::new("a.tif")).unwrap();
            assert_eq!((back.image, back.warnings), (image, vec![]));
            let notes = back.exif.unwrap().for_size(3, 2);
            assert!(notes.windows(4).any(|window| window == b"Cam\0"));
        }
    }
}

#[test]
fn broken_notes_of_a_tiff_are_told_of() {
    let bytes = std::fs::read(file("exif_tiff.tif")).unwrap();
    // This is the pointer to EXIF's directory.
    let at = bytes.windows(4).position(|window| window == [0x69, 0x87, 4, 0]).unwrap() + 8;
    let mut broken = bytes.clone();
    broken[at..at + 4].copy_from_slice(&0x7fff_ffffu32.to_le_bytes());
    let picture = decode(&broken, Path::new("a.tif")).unwrap();
    assert_eq!((picture.width(), picture.exif), (12, None));
    assert_eq!(picture.warnings, [Warning::Exif { reason: "it is broken".into() }]);
    // This value would have 4 GB.
    let at = bytes.windows(4).position(|window| window == [0x10, 0x01, 2, 0]).unwrap() + 4;
    let mut large = bytes;
    large[at..at + 4].fill(0xff);
    let picture = decode(&large, Path::new("a.tif")).unwrap();
    assert_eq!(picture.warnings, [Warning::Exif { reason: "it takes more than 63 KB".into() }]);
}

#[test]
fn broken_exif_is_told_of() {
    let options = SaveOptions::default();
    let jpeg = encode(&Image::filled(3, 2, [9.0; 3]), Path::new("a.jpg"), &options).unwrap();
    let segment = [b"\xff\xe1\0\x0eExif\0\0II*\0\xff\xff", &jpeg[2..]].concat();
    let picture = decode(&[&jpeg[..2], &segment].concat(), Path::new("a.jpg")).unwrap();
    assert_eq!(picture.exif, None);
    assert_eq!(picture.warnings, [Warning::Exif { reason: "it is broken".into() }]);
}

#[test]
fn recipes_are_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let image = Image::filled(5, 4, [90.0; 3]);
    let long = format!("{{\"style\": \"Nacht & <Sterne> über\", \"notes\": \"{}\"}}", "x&".repeat(50_000));
    for name in ["a.png", "a.jpg", "a.tif", "a.webp"] {
        let path = folder.path().join(name);
        for recipe in [None, Some("{}".to_owned()), Some(long.clone())] {
            let options = SaveOptions { recipe, ..SaveOptions::default() };
            picture::save_with(&path, &image, &options).unwrap();
            assert!(picture::recipe(&path).unwrap() == options.recipe, "{name}");
            assert!(difference(&picture::load(&path).unwrap().image, &image) <= 1.0, "{name}");
        }
    }
    let error = picture::recipe(&folder.path().join("no.png")).unwrap_err().to_string();
    assert!(error.starts_with("there is no file "), "{error}");
    std::fs::write(folder.path().join("a.png"), "notes").unwrap();
    let error = picture::recipe(&folder.path().join("a.png")).unwrap_err().to_string();
    assert!(error.contains("is not a picture that impasto can read"), "{error}");
}

#[test]
fn settings_that_a_format_does_not_have_are_refused() {
    let default = SaveOptions::default;
    let message = |name: &str, options: SaveOptions| {
        encode(&Image::filled(2, 2, [0.0; 3]), Path::new(name), &options).unwrap_err().to_string()
    };
    let sixteen = || SaveOptions { bit_depth: BitDepth::Sixteen, ..default() };
    assert_eq!(message("a.jpg", sixteen()), "`bit_depth` is 16, and JPEG has 8 bits; write PNG or TIFF, or give 8");
    assert_eq!(
        message("a.png", SaveOptions { format: Some(Format::WebP), ..sixteen() }),
        "`bit_depth` is 16, and WebP has 8 bits; write PNG or TIFF, or give 8"
    );
    assert_eq!(message("a.jpg", SaveOptions { quality: Some(0), ..default() }), "`quality` is 0; give 1 to 100");
    assert_eq!(
        message("a.png", SaveOptions { quality: Some(90), ..default() }),
        "`quality` is for JPEG, and PNG is lossless; leave it out"
    );
    let wide = Image::filled(16_385, 1, [0.0; 3]);
    assert_eq!(
        encode(&wide, Path::new("a.webp"), &default()).unwrap_err().to_string(),
        "cannot write a.webp: 16385x1 px are too many for WebP, which has room for 16384 a side"
    );
    let size = |quality| {
        let options = SaveOptions { quality, ..default() };
        encode(&Image::new(16, 16, (0..768).map(|i| (i * 91 % 256) as f32).collect()), Path::new("a.jpg"), &options)
            .unwrap()
            .len()
    };
    assert!(size(Some(20)) < size(Some(80)) && size(Some(80)) < size(None) && size(None) < size(Some(100)));
    assert_eq!(size(None), size(Some(95)));
}

/// Returns the values of a PNG as they are in the file.
fn stored(bytes: &[u8]) -> Vec<u8> {
    image::load_from_memory_with_format(bytes, image::ImageFormat::Png).unwrap().into_bytes()
}

/// The file has pure colours of Display P3, which lie outside of sRGB.
#[test]
fn what_is_kept_has_the_colours_of_the_file() {
    let eight = std::fs::read(file("p3_saturated.png")).unwrap();
    let profile = picture::load(&file("p3_saturated.png")).unwrap().profile;
    // 16 bits: every value that there is, in one of the channels.
    let mut pixels = ImageBuffer::from_fn(256, 256, |x, y| {
        let v = (256 * y + x) as u16;
        Rgb([v, v.wrapping_mul(40_503), u16::MAX - v])
    });
    pixels.put_pixel(0, 0, Rgb([0, u16::MAX, 0]));
    let mut sixteen = Vec::new();
    let mut info = png::Info::with_size(256, 256);
    (info.color_type, info.bit_depth) = (png::ColorType::Rgb, png::BitDepth::Sixteen);
    info.icc_profile = Some(profile.as_ref().unwrap().as_bytes().to_vec().into());
    let mut writer = png::Encoder::with_info(&mut sixteen, info).unwrap().write_header().unwrap();
    let values: Vec<u8> = pixels.as_raw().iter().flat_map(|v: &u16| v.to_be_bytes()).collect();
    writer.write_image_data(&values).unwrap();
    writer.finish().unwrap();

    for (file, bit_depth) in [(&eight, BitDepth::Eight), (&sixteen, BitDepth::Sixteen)] {
        let name = Path::new("photo.png");
        let read = |own_values| picture::decode_with(file, name, ReadOptions { own_values, memory: None }).unwrap();
        let photo = read(true);
        assert_eq!(read(false).own_values, None);
        let kept = |keep: f32| {
            let (width, height) = (photo.width(), photo.height());
            let offset = photo.kept_offset(&Mask::new(width, height, vec![keep; width * height])).unwrap();
            let save = SaveOptions { bit_depth, offset, profile: photo.profile.clone(), ..SaveOptions::default() };
            stored(&encode(&photo.image, name, &save).unwrap())
        };
        assert!(kept(1.0) == stored(file), "{bit_depth:?}");
        assert!(kept(0.0) != stored(file), "{bit_depth:?}: sRGB has no room for these colours");
    }
    // A picture in sRGB has nothing to add.
    let photo = picture::load_with(&file("bits_png.png"), ReadOptions { own_values: true, memory: None }).unwrap();
    assert_eq!((photo.own_values.as_ref(), photo.kept_offset(&Mask::new(1, 1, vec![1.0])).unwrap()), (None, None));
}

#[test]
fn an_offset_has_the_size_of_its_picture() {
    let options = SaveOptions { offset: Some(Image::filled(2, 2, [0.0; 3])), ..SaveOptions::default() };
    let error = encode(&Image::filled(3, 2, [9.0; 3]), Path::new("a.png"), &options).unwrap_err();
    assert_eq!(error.to_string(), "`offset` is 2x2 px, the picture 3x2; give both one size");
}
