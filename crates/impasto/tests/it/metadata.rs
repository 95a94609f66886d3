//! What files say besides their pixels, where programs leave it, and files without their end.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::borrow::Cow;
use std::io::Cursor;
use std::path::Path;

use image::ImageEncoder;
use impasto::picture::{self, Format, Picture, SaveOptions, Warning, decode, encode};
use impasto::{Error, Image};

/// A TIFF block with the one entry "Orientation": 6 is to be turned clockwise, 8 the other way.
fn exif(orientation: u8) -> Vec<u8> {
    let entry = [0x12, 1, 3, 0, 1, 0, 0, 0, orientation, 0, 0, 0];
    [b"II*\0\x08\0\0\0\x01\0", &entry[..], &[0; 4]].concat()
}

fn xmp(orientation: u8) -> String {
    format!(
        "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:Description xmlns:tiff=\"http://ns.adobe.com/tiff/1.0/\" \
         tiff:Orientation=\"{orientation}\"/></x:xmpmeta>"
    )
}

/// ImageMagick's text for a block.
fn raw_profile(name: &str, block: &[u8]) -> String {
    let lines: Vec<String> =
        block.chunks(36).map(|line| line.iter().map(|byte| format!("{byte:02x}")).collect()).collect();
    format!("\n{name}\n{:8}\n{}\n", block.len(), lines.join("\n"))
}

/// 3x2 px whose first is red.
const PIXELS: [u8; 18] = [255, 0, 0, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9];

/// Writes [`PIXELS`] as a PNG.
fn png_with(info: impl FnOnce(&mut png::Info<'_>), texts: impl FnOnce(&mut png::Encoder<'_, &mut Vec<u8>>)) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut described = png::Info::with_size(3, 2);
    info(&mut described);
    let mut encoder = png::Encoder::with_info(&mut bytes, described).unwrap();
    encoder.set_color(png::ColorType::Rgb);
    texts(&mut encoder);
    encoder.write_header().unwrap().write_image_data(&PIXELS).unwrap();
    bytes
}

fn plain_png() -> Vec<u8> {
    png_with(|_| {}, |_| {})
}

fn chunk(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let checked = [&kind[..], content].concat();
    let length = (content.len() as u32).to_be_bytes();
    [&length[..], &checked, &crc32fast::hash(&checked).to_be_bytes()].concat()
}

fn with_wrong_checksum(mut chunk: Vec<u8>) -> Vec<u8> {
    *chunk.last_mut().unwrap() ^= 1;
    chunk
}

/// The PNG with chunks before its pixels.
fn with_chunks(png: &[u8], chunks: &[Vec<u8>]) -> Vec<u8> {
    const HEADER: usize = 8 + 25;
    [&png[..HEADER], &chunks.concat(), &png[HEADER..]].concat()
}

/// The PNG with chunks behind its pixels.
fn with_late_chunks(png: &[u8], chunks: &[Vec<u8>]) -> Vec<u8> {
    let end = png.len() - 12;
    [&png[..end], &chunks.concat(), &png[end..]].concat()
}

/// Returns the orientation that was applied, of 1, 6 and 8.
#[track_caller]
fn turned(bytes: &[u8]) -> u8 {
    let picture = decode(bytes, Path::new("picture")).unwrap();
    assert_eq!(picture.warnings, []);
    let red = picture.image.as_slice().as_chunks::<3>().0.iter().position(|pixel| pixel[0] > 200.0 && pixel[1] < 60.0);
    match (picture.width(), picture.height(), red) {
        (3, 2, Some(0)) => 1,
        (2, 3, Some(1)) => 6,
        (2, 3, Some(4)) => 8,
        found => panic!("{found:?}"),
    }
}

#[test]
fn exif_is_found_wherever_png_files_have_it() {
    assert_eq!(turned(&plain_png()), 1);
    assert_eq!(turned(&with_late_chunks(&plain_png(), &[chunk(b"eXIf", &exif(6))])), 6);
    let prefixed = [b"Exif\0\0", &exif(6)[..]].concat();
    for (name, block) in [("exif", exif(6)), ("exif", prefixed.clone()), ("APP1", prefixed)] {
        let (keyword, text) = (format!("Raw profile type {name}"), raw_profile(name, &block));
        let plain = png_with(|_| {}, |png| png.add_text_chunk(keyword.clone(), text.clone()).unwrap());
        let packed = png_with(|_| {}, |png| png.add_ztxt_chunk(keyword.clone(), text.clone()).unwrap());
        let utf8 = png_with(|_| {}, |png| png.add_itxt_chunk(keyword.clone(), text.clone()).unwrap());
        for bytes in [plain, packed, utf8] {
            assert_eq!(turned(&bytes), 6, "{name}");
            assert!(decode(&bytes, Path::new("a.png")).unwrap().exif.is_some(), "{name}");
        }
        let content = [keyword.as_bytes(), b"\0", text.as_bytes()].concat();
        assert_eq!(turned(&with_late_chunks(&plain_png(), &[chunk(b"tEXt", &content)])), 6, "{name}");
    }
    // The chunk of the standard counts before the text.
    let text = raw_profile("exif", &exif(6));
    let both = png_with(|_| {}, |png| png.add_text_chunk("Raw profile type exif".into(), text.clone()).unwrap());
    assert_eq!(turned(&with_late_chunks(&both, &[chunk(b"eXIf", &exif(8))])), 8);
}

#[test]
fn broken_exif_of_png_files_is_told_of() {
    let reason = || Warning::Exif { reason: "it is broken".into() };
    for text in ["", "exif", "\nexif\n 3\n0a0b\n", "\nexif\n 2\n0a0g\n", "\nexif\n x\n0a0b\n", "\nexif\n 2\n0a0b1\n"] {
        let bytes = png_with(|_| {}, |png| png.add_text_chunk("Raw profile type exif".into(), text.into()).unwrap());
        assert_eq!(decode(&bytes, Path::new("a.png")).unwrap().warnings, [reason()], "{text:?}");
    }
    let bytes = with_late_chunks(&plain_png(), &[with_wrong_checksum(chunk(b"eXIf", &exif(6)))]);
    assert_eq!(decode(&bytes, Path::new("a.png")).unwrap().warnings, [reason()]);
}

#[test]
fn xmp_says_how_to_turn_a_picture_if_exif_does_not() {
    let webp = |exif: Option<Vec<u8>>, xmp: Option<String>| {
        let mut bytes = Vec::new();
        let mut encoder = image_webp::WebPEncoder::new(&mut bytes);
        exif.into_iter().for_each(|exif| encoder.set_exif_metadata(exif));
        xmp.into_iter().for_each(|xmp| encoder.set_xmp_metadata(xmp.into_bytes()));
        encoder.encode(&PIXELS, 3, 2, image_webp::ColorType::Rgb8).unwrap();
        bytes
    };
    let png = |exif: Option<Vec<u8>>, xmp: Option<String>| {
        let exif = |info: &mut png::Info<'_>| info.exif_metadata = exif.map(Cow::Owned);
        png_with(exif, |png| {
            xmp.into_iter().for_each(|xmp| png.add_itxt_chunk("XML:com.adobe.xmp".into(), xmp).unwrap());
        })
    };
    let jpeg = |exif: Option<Vec<u8>>, xmp: Option<String>| {
        let mut bytes = Vec::new();
        let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 100);
        // Blocks of 8 px hold a pixel of the picture each.
        let large: Vec<u8> =
            (0..16 * 24).flat_map(|i| PIXELS[3 * (i / 24 / 8 * 3 + i % 24 / 8)..][..3].to_vec()).collect();
        encoder.write_image(&large, 24, 16, image::ExtendedColorType::Rgb8).unwrap();
        let segment = |prefix: &[u8], content: &[u8]| {
            let length = ((2 + prefix.len() + content.len()) as u16).to_be_bytes();
            [b"\xff\xe1", &length[..], prefix, content].concat()
        };
        let exif = exif.map(|exif| segment(b"Exif\0\0", &exif)).unwrap_or_default();
        let xmp = xmp.map(|xmp| segment(b"http://ns.adobe.com/xap/1.0/\0", xmp.as_bytes())).unwrap_or_default();
        [&bytes[..2], &exif, &xmp, &bytes[2..]].concat()
    };
    let jpeg_turned = |bytes: &[u8]| {
        let picture = decode(bytes, Path::new("a.jpg")).unwrap();
        assert_eq!(picture.warnings, []);
        let red = |x: usize, y: usize| picture.image.as_slice()[3 * (y * picture.width() + x)] > 200.0;
        match (picture.width(), picture.height()) {
            (24, 16) if red(3, 3) => 1,
            (16, 24) if red(12, 3) => 6,
            (16, 24) if red(3, 20) => 8,
            found => panic!("{found:?}"),
        }
    };
    type Make<'a> = &'a dyn Fn(Option<Vec<u8>>, Option<String>) -> Vec<u8>;
    type Turned<'a> = &'a dyn Fn(&[u8]) -> u8;
    let kinds: [(Make<'_>, Turned<'_>, &str); 3] =
        [(&png, &|bytes| turned(bytes), "PNG"), (&webp, &|bytes| turned(bytes), "WebP"), (&jpeg, &jpeg_turned, "JPEG")];
    // Of a make, but without an orientation.
    let speechless = b"II*\0\x08\0\0\0\x01\0\x0f\x01\x02\0\x02\0\0\0A\0\0\0\0\0\0\0".to_vec();
    for (make, turned, name) in kinds {
        assert_eq!(turned(&make(None, None)), 1, "{name}");
        assert_eq!(turned(&make(None, Some(xmp(6)))), 6, "{name}");
        assert_eq!(turned(&make(Some(exif(8)), Some(xmp(6)))), 8, "{name}");
        assert_eq!(turned(&make(Some(exif(1)), Some(xmp(6)))), 1, "{name}");
        assert_eq!(turned(&make(Some(speechless.clone()), Some(xmp(6)))), 6, "{name}");
    }
    let packet = [b"http://ns.adobe.com/xap/1.0/\0", xmp(6).as_bytes()].concat();
    for (name, block) in [("APP1", packet), ("xmp", xmp(6).into_bytes())] {
        let (keyword, text) = (format!("Raw profile type {name}"), raw_profile(name, &block));
        assert_eq!(turned(&png_with(|_| {}, |png| png.add_text_chunk(keyword, text).unwrap())), 6, "{name}");
    }
}

#[test]
fn a_tiff_s_own_orientation_counts_before_that_of_xmp() {
    let tiff = |own: Option<u16>| {
        let mut bytes = Cursor::new(Vec::new());
        let mut encoder = tiff::encoder::TiffEncoder::new(&mut bytes).unwrap();
        let mut picture = encoder.new_image::<tiff::encoder::colortype::RGB8>(3, 2).unwrap();
        picture.encoder().write_tag(tiff::tags::Tag::Unknown(700), xmp(6).as_bytes()).unwrap();
        if let Some(own) = own {
            picture.encoder().write_tag(tiff::tags::Tag::Orientation, own).unwrap();
        }
        picture.write_data(&PIXELS).unwrap();
        bytes.into_inner()
    };
    assert_eq!(turned(&tiff(None)), 6);
    assert_eq!(turned(&tiff(Some(8))), 8);
    assert_eq!(turned(&tiff(Some(1))), 1);
}

/// One colour in a PNG with these chunks.
fn coloured(rgb: [u8; 3], chunks: &[Vec<u8>]) -> Picture {
    let image = Image::filled(3, 2, rgb.map(f32::from));
    let png = encode(&image, Path::new("a.png"), &SaveOptions::default()).unwrap();
    decode(&with_chunks(&png, chunks), Path::new("a.png")).unwrap()
}

fn cicp(primaries: u8, transfer: u8, matrix: u8, range: u8) -> Vec<u8> {
    chunk(b"cICP", &[primaries, transfer, matrix, range])
}

fn gamma(scaled: u32) -> Vec<u8> {
    chunk(b"gAMA", &scaled.to_be_bytes())
}

fn chromaticities(values: [f64; 8]) -> Vec<u8> {
    chunk(b"cHRM", values.map(|v| ((v * 1e5).round() as u32).to_be_bytes()).as_flattened())
}

/// White, red, green and blue.
const SRGB: [f64; 8] = [0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06];
const ADOBE: [f64; 8] = [0.3127, 0.3290, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06];

/// The curve of sRGB, from light to 0..255.
fn encoded(light: f64) -> f64 {
    let light = light.clamp(0.0, 1.0);
    255.0 * if light <= 0.003_130_8 { 12.92 * light } else { 1.055 * light.powf(1.0 / 2.4) - 0.055 }
}

/// The same from 0..255 to light.
fn light(value: f64) -> f64 {
    let value = value / 255.0;
    if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
}

/// Display P3 to sRGB in linear light, from its definition.
fn p3_to_srgb(p3: [f64; 3]) -> [f64; 3] {
    const MATRIX: [[f64; 3]; 3] =
        [[1.224_940, -0.224_940, 0.0], [-0.042_057, 1.042_057, 0.0], [-0.019_638, -0.078_636, 1.098_274]];
    MATRIX.map(|row| row.iter().zip(p3).map(|(m, v)| m * v).sum())
}

/// Adobe RGB (1998) to sRGB in linear light. Green and blue are as in sRGB but for red's share.
fn adobe_to_srgb(adobe: [f64; 3]) -> [f64; 3] {
    const MATRIX: [[f64; 3]; 3] = [[1.398_28, -0.398_28, 0.0], [0.0, 1.0, 0.0], [0.0, -0.042_93, 1.042_93]];
    MATRIX.map(|row| row.iter().zip(adobe).map(|(m, v)| m * v).sum())
}

#[track_caller]
fn is(picture: &Picture, expected: [f64; 3]) {
    for (found, expected) in picture.image.as_slice()[..3].iter().zip(expected) {
        assert!((f64::from(*found) - expected).abs() < 0.6, "{:?}, not {expected:?}", &picture.image.as_slice()[..3]);
    }
}

const RGB: [u8; 3] = [200, 120, 60];
const PLAIN: [f64; 3] = [200.0, 120.0, 60.0];

#[test]
fn colours_that_a_png_declares_are_applied() {
    let p3 = p3_to_srgb(PLAIN.map(light)).map(encoded);
    let picture = coloured(RGB, &[cicp(12, 13, 0, 1)]);
    is(&picture, p3);
    assert_eq!(picture.warnings, []);
    assert!(picture.profile.is_some());

    let linear = PLAIN.map(|v| encoded(v / 255.0));
    for (chunks, expected, has_profile) in [
        (vec![cicp(1, 13, 0, 1)], PLAIN, false),
        (vec![cicp(2, 2, 0, 1)], PLAIN, false),
        (vec![cicp(1, 8, 0, 1)], linear, false),
        (vec![gamma(45_455)], PLAIN, false),
        (vec![gamma(45_455), chromaticities(SRGB)], PLAIN, false),
        (vec![chromaticities(SRGB)], PLAIN, false),
        (vec![gamma(100_000)], linear, false),
        (vec![gamma(50_000)], PLAIN.map(|v| encoded((v / 255.0).powi(2))), false),
        (vec![chunk(b"sRGB", &[0]), gamma(100_000), chromaticities(ADOBE)], PLAIN, false),
        (vec![chromaticities(ADOBE)], adobe_to_srgb(PLAIN.map(light)).map(encoded), true),
        (
            vec![gamma(45_455), chromaticities(ADOBE)],
            adobe_to_srgb(PLAIN.map(|v| (v / 255.0).powf(2.2))).map(encoded),
            true,
        ),
        (vec![gamma(100_000), chromaticities(ADOBE)], adobe_to_srgb(PLAIN.map(|v| v / 255.0)).map(encoded), false),
        (vec![cicp(12, 13, 0, 1), chunk(b"sRGB", &[0])], p3, true),
        (vec![cicp(2, 13, 0, 1), chunk(b"sRGB", &[0])], PLAIN, false),
        (vec![cicp(12, 13, 0, 1), gamma(100_000)], p3, true),
    ] {
        let picture = coloured(RGB, &chunks);
        is(&picture, expected);
        assert_eq!((picture.warnings, picture.profile.is_some()), (vec![], has_profile));
    }
}

#[test]
fn a_profile_counts_before_gamma_and_after_cicp() {
    let wide = picture::load(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pictures/wide_png.png"))).unwrap();
    let image = Image::filled(3, 2, PLAIN.map(|v| v as f32));
    let options = SaveOptions { profile: wide.profile.clone(), ..SaveOptions::default() };
    let png = encode(&image, Path::new("a.png"), &options).unwrap();
    let read = |chunks: &[Vec<u8>]| decode(&with_chunks(&png, chunks), Path::new("a.png")).unwrap();
    let is_wide = |picture: &Picture| {
        is(picture, PLAIN);
        assert_eq!((&picture.profile, &picture.warnings), (&wide.profile, &vec![]));
    };
    is_wide(&read(&[]));
    is_wide(&read(&[gamma(100_000), chromaticities(ADOBE)]));
    // What cannot be applied leaves the word to the profile.
    is_wide(&read(&[cicp(99, 13, 0, 1)]));
    let by_cicp = read(&[cicp(1, 13, 0, 1)]);
    assert_eq!((by_cicp.profile, by_cicp.warnings), (None, vec![]));
    assert!((by_cicp.image.as_slice()[0] - 200.0).abs() > 3.0);

    // ImageMagick's text stands for the chunk.
    let text = raw_profile("icc", wide.profile.as_ref().unwrap().as_bytes());
    let bytes = png_with(|_| {}, |png| png.add_ztxt_chunk("Raw profile type icc".into(), text).unwrap());
    assert_eq!(decode(&bytes, Path::new("a.png")).unwrap().profile, wide.profile);
    let broken = with_chunks(&plain_png(), &[chunk(b"iCCP", b"name\0\0no deflate")]);
    let reason = "it is broken".into();
    assert_eq!(decode(&broken, Path::new("a.png")).unwrap().warnings, [Warning::Profile { reason }]);
}

#[test]
fn colours_that_cannot_be_applied_are_told_of() {
    for (chunks, reason) in [
        (vec![cicp(12, 13, 0, 0)], "they have the limited range of video"),
        (vec![cicp(12, 13, 1, 1)], "its cICP chunk is broken"),
        (vec![cicp(12, 13, 0, 7)], "its cICP chunk is broken"),
        (vec![cicp(99, 13, 0, 1)], "there are no primaries 99"),
        (vec![cicp(12, 99, 0, 1)], "there are no transfer characteristics 99"),
        (vec![with_wrong_checksum(cicp(12, 13, 0, 1))], "its cICP chunk is broken"),
        (vec![gamma(0)], "its chunk gAMA or cHRM is broken"),
        (vec![gamma(1)], "gAMA gives the exponent 100000"),
        (
            vec![chromaticities([0.3127, 0.329, 0.3, 0.3, 0.4, 0.4, 0.5, 0.5])],
            "cHRM gives primaries that make no colours",
        ),
        (
            vec![chromaticities([0.3127, 0.0, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06])],
            "cHRM gives primaries that make no colours",
        ),
    ] {
        let picture = coloured(RGB, &chunks);
        is(&picture, PLAIN);
        assert_eq!(picture.warnings, [Warning::Colours { reason: reason.into() }]);
        let text = picture.warnings[0].to_string();
        assert_eq!(
            text,
            format!("the colours that it declares are ignored ({reason}); its colours may look different")
        );
    }
}

#[test]
fn a_png_of_high_dynamic_range_is_shown_up_to_white() {
    for (transfer, curve) in [(16, "PQ"), (18, "HLG")] {
        let picture = coloured(RGB, &[cicp(9, transfer, 0, 1)]);
        assert_eq!((picture.warnings.as_slice(), picture.profile), (&[Warning::HighDynamicRange { curve }][..], None));
        assert_ne!(picture.image, Image::filled(3, 2, PLAIN.map(|v| v as f32)));
    }
}

#[test]
fn a_result_can_be_written_in_declared_colours() {
    for chunks in [vec![cicp(12, 13, 0, 1)], vec![cicp(9, 1, 0, 1)], vec![gamma(45_455), chromaticities(ADOBE)]] {
        let picture = coloured(RGB, &chunks);
        for format in [Format::Png, Format::Jpeg, Format::Tiff, Format::WebP] {
            let options =
                SaveOptions { format: Some(format), profile: picture.profile.clone(), ..SaveOptions::default() };
            let bytes = encode(&picture.image, Path::new("result"), &options).unwrap();
            // The stored values are those of the file that was read.
            let stored = image::load_from_memory(&bytes).unwrap().into_rgb8();
            let nearest = |(a, b): (&u8, &u8)| a.abs_diff(*b) <= if format == Format::Jpeg { 3 } else { 1 };
            assert!(stored.get_pixel(1, 1).0.iter().zip(&RGB).all(nearest), "{format:?}: {:?}", stored.get_pixel(1, 1));
            let back = decode(&bytes, Path::new("result")).unwrap();
            assert_eq!((back.warnings, back.profile), (vec![], picture.profile.clone()), "{format:?}");
        }
    }
}

/// A JPEG with the parts of a profile: number, count, content.
fn jpeg_with_parts(parts: &[(u8, u8, &[u8])]) -> Vec<u8> {
    let jpeg = encode(&Image::filled(3, 2, [90.0; 3]), Path::new("a.jpg"), &SaveOptions::default()).unwrap();
    let segments = parts.iter().flat_map(|(number, count, part)| {
        let length = ((2 + 14 + part.len()) as u16).to_be_bytes();
        [b"\xff\xe2", &length[..], b"ICC_PROFILE\0", &[*number, *count], part].concat()
    });
    [&jpeg[..2], &segments.collect::<Vec<_>>(), &jpeg[2..]].concat()
}

#[test]
fn the_parts_of_a_jpeg_s_profile_are_joined_or_told_of() {
    let wide = picture::load(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pictures/wide_png.png"))).unwrap();
    let profile = wide.profile.unwrap();
    let (first, second) = profile.as_bytes().split_at(100);
    let read = |parts: &[(u8, u8, &[u8])]| decode(&jpeg_with_parts(parts), Path::new("a.jpg")).unwrap();
    for parts in [
        vec![(1, 2, first), (2, 2, second)],
        vec![(2, 2, second), (1, 2, first)],
        vec![(1, 2, first), (1, 2, first), (2, 2, second)],
        vec![(1, 1, profile.as_bytes())],
    ] {
        let picture = read(&parts);
        assert_eq!((picture.warnings, picture.profile.as_ref()), (vec![], Some(&profile)));
    }
    for (parts, reason) in [
        (vec![(1, 2, first)], "its part 2 of 2 is missing"),
        (vec![(1, 3, first), (3, 3, second)], "its part 2 of 3 is missing"),
        (vec![(1, 2, first), (2, 3, second)], "its parts do not agree how many they are"),
        (vec![(0, 2, first), (1, 2, second)], "it has a part 0 of 2"),
        (vec![(1, 2, first), (3, 2, second)], "it has a part 3 of 2"),
        (vec![(1, 2, first), (1, 2, second)], "it has part 1 of 2 twice"),
    ] {
        let picture = read(&parts);
        assert_eq!((picture.warnings, picture.profile), (vec![Warning::Profile { reason: reason.into() }], None));
    }
}

/// Cuts a file at every place. It is whole with its end, told of without it, and damaged without
/// any of its pixels. `scan` is the place where these end.
#[track_caller]
fn cut_everywhere(bytes: &[u8], scan: usize, missing: &'static str, what: &str) {
    let name = Path::new("cut");
    let whole = decode(bytes, name).unwrap();
    for length in 16..bytes.len() {
        match decode(&bytes[..length], name) {
            Ok(picture) => {
                assert!(length >= scan, "{what}: {length} bytes of {} are read", bytes.len());
                assert_eq!(picture.image, whole.image, "{what}: {length}");
                // A block that is cut off is told of too.
                let is_fit =
                    |warning: &Warning| *warning == Warning::End { missing } || matches!(warning, Warning::Exif { .. });
                assert!(picture.warnings.iter().all(is_fit), "{what}: {length}: {:?}", picture.warnings);
            }
            Err(error) => {
                assert!(length < scan, "{what}: {length} bytes of {}: {error}", bytes.len());
                assert!(matches!(error, Error::Damaged { .. }), "{what}: {error}");
            }
        }
    }
    let warnings = decode(&bytes[..scan], name).unwrap().warnings;
    assert_eq!(warnings, [Warning::End { missing }], "{what}");
    assert_eq!(
        warnings[0].to_string(),
        format!("its end is cut off ({missing} is missing), but all of its pixels are there")
    );
}

#[test]
fn a_png_that_lacks_only_its_end_is_read() {
    let image = Image::new(20, 15, (0..900).map(|i| (i * 37 % 256) as f32).collect());
    let png = encode(&image, Path::new("a.png"), &SaveOptions::default()).unwrap();
    cut_everywhere(&png, png.len() - 12, "IEND", "PNG");
    let late = with_late_chunks(&png, &[chunk(b"eXIf", &exif(1)), chunk(b"tEXt", b"a\0b")]);
    cut_everywhere(&late, png.len() - 12, "IEND", "chunks behind the pixels");
    let interlaced = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pictures/palette_png.png")).unwrap();
    cut_everywhere(&interlaced, interlaced.len() - 12, "IEND", "palette");
}

#[test]
fn a_jpeg_that_lacks_only_its_end_is_read() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pictures"));
    for name in ["progressive_jpeg.jpg", "grey_jpeg.jpg", "ycck_jpeg.jpg", "restart_jpeg.jpg"] {
        let bytes = std::fs::read(folder.join(name)).unwrap();
        cut_everywhere(&bytes, bytes.len() - 2, "EOI", name);
    }
    let image = Image::new(40, 25, (0..3000).map(|i| (i * i % 251) as f32).collect());
    for quality in [30, 100] {
        let options = SaveOptions { quality: Some(quality), ..SaveOptions::default() };
        let bytes = encode(&image, Path::new("a.jpg"), &options).unwrap();
        cut_everywhere(&bytes, bytes.len() - 2, "EOI", "baseline");
    }
}

#[test]
fn a_jpeg_whose_last_scan_the_decoder_leaves_out_is_refused() {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pictures/scans_jpeg.jpg"));
    let text = picture::load(path).unwrap_err().to_string();
    assert!(
        text.contains("scans_jpeg.jpg cannot be read: each of its colours is in a scan of its own; save"),
        "{text}"
    );
}

#[test]
fn what_follows_a_picture_does_not_matter() {
    let image = Image::filled(7, 5, [90.0, 30.0, 60.0]);
    for name in ["a.png", "a.jpg", "a.webp", "a.tif"] {
        let mut bytes = encode(&image, Path::new(name), &SaveOptions::default()).unwrap();
        let whole = decode(&bytes, Path::new(name)).unwrap();
        bytes.extend(b"\0\0\0\x17trailing bytes of any kind\xff\xd8");
        assert_eq!(decode(&bytes, Path::new(name)).unwrap(), whole, "{name}");
    }
}

#[test]
fn a_webp_without_its_padding_byte_is_read() {
    for width in 1..40 {
        let image = Image::new(width, 3, (0..9 * width).map(|i| (i * 91 % 256) as f32).collect());
        let bytes = encode(&image, Path::new("a.webp"), &SaveOptions::default()).unwrap();
        let length = u32::from_le_bytes(bytes[16..20].try_into().unwrap()) as usize;
        if length % 2 == 1 {
            assert_eq!(bytes.len(), 20 + length + 1);
            assert_eq!(decode(&bytes[..20 + length], Path::new("a.webp")).unwrap().image, image);
            return;
        }
    }
    panic!("no picture has an odd length");
}

#[test]
fn damage_is_told_of_in_plain_words() {
    let mut png = plain_png();
    let at = png.windows(4).position(|w| w == b"IDAT").unwrap() + 8;
    png[at] ^= 0x40;
    assert_eq!(
        decode(&png, Path::new("a.png")).unwrap_err().to_string(),
        "a.png is damaged: the checksum of its IDAT chunk is wrong; get another copy of it"
    );
    let late_header = [&plain_png()[..33], &plain_png()[8..]].concat();
    let text = decode(&late_header, Path::new("a.png")).unwrap_err().to_string();
    assert!(!text.contains(['{', '"']) && text.contains("IHDR"), "{text}");
}
