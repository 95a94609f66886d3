//! HEIC, AVIF and JPEG XL. `pictures/make_modern.py` makes the files, and Debian's programs decode
//! them for comparison.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::path::{Path, PathBuf};

use impasto::picture::{self, Picture, Warning, decode};

/// Largest difference to the other decoder, of 255.
const BOUND: f32 = 2.0;

/// The same for HEICs with colours of half size. libheif repeats each of them, and impasto
/// interpolates.
const BOUND_HALF: f32 = 5.0;

/// The same for colours that are stored multiplied by the opacity, in 8 bits.
const BOUND_MULTIPLIED: f32 = 3.0;

fn file(name: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pictures")).join(name)
}

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(file(name)).unwrap()
}

/// Returns the picture, and how far it is from what the other decoder made of it. Hidden colours do
/// not count, and the opacity counts as a colour.
fn compare(name: &str) -> (Picture, f32) {
    let found = picture::load(&file(name)).unwrap();
    let expected = picture::load(&file(&format!("{}.srgb.png", name.replace('.', "_")))).unwrap();
    assert_eq!((found.width(), found.height()), (expected.width(), expected.height()), "{name}");
    assert_eq!(found.alpha.is_some(), expected.alpha.is_some(), "{name}");
    let mut most: f32 = 0.0;
    let pixels = found.image.as_slice().as_chunks::<3>().0.iter().zip(expected.image.as_slice().as_chunks::<3>().0);
    for (i, (a, b)) in pixels.enumerate() {
        let opacity = |picture: &Picture| picture.alpha.as_ref().map_or(1.0, |alpha| alpha.as_slice()[i]);
        most = most.max(255.0 * (opacity(&found) - opacity(&expected)).abs());
        // The less is seen of a colour, the coarser it is stored.
        let seen = opacity(&expected);
        most = a.iter().zip(b).map(|(a, b)| seen * (a - b).abs()).fold(most, f32::max);
    }
    (found, most)
}

#[test]
fn every_kind_is_what_debians_programs_make_of_it() {
    let mut failures = Vec::new();
    for (name, has_profile, warnings) in [
        ("plain.heic", false, vec![]),
        ("full.heic", false, vec![]),
        ("video.heic", false, vec![]),
        ("half.heic", false, vec![]),
        ("alpha.heic", false, vec![]),
        ("grey.heic", false, vec![]),
        ("ten.heic", false, vec![]),
        ("wide.heic", true, vec![]),
        ("p3.heic", true, vec![]),
        ("turned.heic", false, vec![]),
        ("grid.heic", false, vec![]),
        ("small.avif", false, vec![]),
        ("full.avif", false, vec![]),
        ("video.avif", false, vec![]),
        ("half.avif", false, vec![]),
        ("ten.avif", false, vec![]),
        ("twelve.avif", false, vec![]),
        ("alpha.avif", false, vec![]),
        ("premultiplied.avif", false, vec![]),
        ("grey.avif", false, vec![]),
        ("p3.avif", true, vec![]),
        ("wide.avif", true, vec![]),
        ("turned.avif", false, vec![]),
        ("grid.avif", false, vec![]),
        ("animated.avif", false, vec![Warning::Animation]),
        ("plain.jxl", false, vec![]),
        ("full.jxl", false, vec![]),
        ("progressive.jxl", false, vec![]),
        ("ten.jxl", false, vec![]),
        ("sixteen.jxl", false, vec![]),
        ("alpha.jxl", false, vec![]),
        ("grey.jxl", false, vec![]),
        ("wide.jxl", true, vec![]),
        ("p3.jxl", true, vec![]),
        ("turned.jxl", false, vec![]),
        ("animated.jxl", false, vec![Warning::Animation]),
    ] {
        let (picture, most) = compare(name);
        println!("{name}: {most}");
        let bound = match name {
            "plain.heic" | "half.heic" | "grid.heic" => BOUND_HALF,
            "premultiplied.avif" => BOUND_MULTIPLIED,
            _ => BOUND,
        };
        let found = (most <= bound, picture.profile.is_some(), picture.warnings);
        if found != (true, has_profile, warnings) {
            failures.push(format!("{name}: off by {most}, profile {}, {:?}", found.1, found.2));
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}

#[test]
fn notes_of_the_camera_come_along_and_do_not_turn_twice() {
    for name in ["turned.heic", "turned.jxl", "wide.avif"] {
        let picture = picture::load(&file(name)).unwrap();
        assert!(picture.warnings.is_empty(), "{name}: {:?}", picture.warnings);
        let notes = picture.exif.unwrap_or_else(|| panic!("{name} has no EXIF")).for_size(37, 29);
        assert!(notes.windows(16).any(|part| part == b"Camera of a test"), "{name}");
    }
}

/// Replaces the first `from` of a file.
fn replaced(name: &str, from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut bytes = bytes(name);
    let at = bytes.windows(from.len()).position(|part| part == from).unwrap();
    bytes[at..at + to.len()].copy_from_slice(to);
    bytes
}

fn error(bytes: &[u8]) -> String {
    decode(bytes, Path::new("a.heic")).unwrap_err().to_string()
}

#[test]
fn high_dynamic_range_is_said() {
    for (number, curve) in [(16, "PQ"), (18, "HLG")] {
        let bytes = replaced("p3.avif", b"nclx\0\x0c\0\x0d", &[b"nclx\0\x0c\0".as_slice(), &[number]].concat());
        let picture = decode(&bytes, Path::new("a.avif")).unwrap();
        assert_eq!(picture.warnings, [Warning::HighDynamicRange { curve }]);
        assert_eq!(picture.profile, None);
    }
    let bytes = replaced("p3.avif", b"nclx\0\x0c\0\x0d", b"nclx\0\x0c\0\x4d");
    let picture = decode(&bytes, Path::new("a.avif")).unwrap();
    assert!(matches!(&picture.warnings[..], [Warning::Colours { .. }]), "{:?}", picture.warnings);
}

#[test]
fn what_has_no_decoder_is_named() {
    let advice = "; save it as an ordinary PNG or JPEG first";
    for (kind, is_stored) in [
        (b"jpeg", "stored as JPEG, not as HEVC or AV1"),
        (b"avc1", "stored as H.264 video, not as HEVC or AV1"),
        (b"unci", "stored without compression, not as HEVC or AV1"),
        (b"xxxx", "coded as xxxx, not as HEVC or AV1"),
    ] {
        let reason = format!("a.heic cannot be read: its pixels are {is_stored}{advice}");
        assert_eq!(error(&replaced("small.avif", b"av01", kind)), reason);
    }
}

#[test]
fn a_file_that_lacks_its_end_is_damaged() {
    for name in ["plain.heic", "grid.heic", "small.avif", "grid.avif", "plain.jxl", "sixteen.jxl"] {
        let bytes = bytes(name);
        for length in [bytes.len() / 2, bytes.len() * 3 / 4, bytes.len() - 5] {
            let found = error(&bytes[..length]);
            assert!(found.starts_with("a.heic is damaged: "), "{name}, {length} bytes: {found}");
        }
    }
}

#[test]
fn tiles_that_do_not_cover_the_picture_are_damage() {
    let size = [&300u32.to_be_bytes()[..], &29u32.to_be_bytes()].concat();
    let ispe = [b"ispe\0\0\0\0".as_slice(), &size].concat();
    let found = error(&replaced("small.avif", b"ispe", &ispe));
    assert_eq!(found, "a.heic is damaged: it has 37x29 px, not 300x29");
    let found = error(&replaced("grid.heic", b"idat\0\0\x01\x01", b"idat\0\0\x01\x01\x01\0\0\x40"));
    assert_eq!(found, "a.heic is damaged: its tiles have 128x128 px, not 256x64");
}

/// Makes the header of a JPEG XL of `side` times `side` pixels.
fn jxl_header(side: u64) -> Vec<u8> {
    // Not small, 30 bits for the height, as wide as high, and everything else as usual.
    let bits = 0b11 << 1 | (side - 1) << 3 | 1 << 33 | 0b11 << 36;
    [b"\xff\x0a".as_slice(), &bits.to_le_bytes()].concat()
}

#[test]
fn too_many_pixels_are_refused_before_they_are_decoded() {
    let size = |bytes: &[u8]| {
        let found = error(bytes);
        assert!(found.contains("impasto reads up to"), "{found}");
        found.split_whitespace().nth(2).unwrap().to_owned()
    };
    let wide = [&20_000u32.to_be_bytes()[..], &10_000u32.to_be_bytes()].concat();
    let ispe = [b"ispe\0\0\0\0".as_slice(), &wide].concat();
    assert_eq!(size(&replaced("small.avif", b"ispe", &ispe)), "20000x10000");
    let grid = replaced("grid.heic", b"\0\0\0\x64\0\0\0\x5a", &wide);
    assert_eq!(size(&grid), "20000x10000");
    let found = error(&jxl_header(20_000));
    assert!(found.contains("its 20000x20000 px are more than the memory may hold"), "{found}");
    assert!(error(&jxl_header(1 << 30)).contains("takes more than"), "{}", error(&jxl_header(1 << 30)));
    // The memory counts, too.
    let memory = |name: &str| picture::decode_within(&bytes(name), Path::new("a"), Some(1 << 20)).unwrap_err();
    for name in ["plain.heic", "small.avif", "plain.jxl"] {
        assert!(memory(name).to_string().contains("reading it takes"), "{name}: {}", memory(name));
    }
}

/// Reads damaged files, one after another, for as many seconds as `IMPASTO_DAMAGE_SECONDS` says, or
/// for ten, and prints what came out.
///
/// The decoders of one format at a time, so that each has its time: the extension is in
/// `IMPASTO_DAMAGE_FORMAT`.
#[test]
#[ignore = "it takes as long as it is told to"]
fn damaged_files_for_minutes() {
    use proptest::collection::vec;
    use proptest::strategy::{Strategy, ValueTree};
    use proptest::test_runner::TestRunner;

    let setting = |name: &str, default: &str| std::env::var(name).unwrap_or(default.into());
    let seconds: u64 = setting("IMPASTO_DAMAGE_SECONDS", "10").parse().unwrap();
    let format = setting("IMPASTO_DAMAGE_FORMAT", "jxl");
    let folder = std::fs::read_dir(file("")).unwrap().map(|entry| entry.unwrap().path());
    let mut seeds: Vec<PathBuf> = folder.filter(|path| path.extension().is_some_and(|e| e == &*format)).collect();
    seeds.sort();
    let seeds: Vec<Vec<u8>> = seeds.iter().map(|path| std::fs::read(path).unwrap()).collect();
    assert!(!seeds.is_empty(), "no file ends with .{format}");

    let mut runner = TestRunner::default();
    let (mut count, mut read, mut panicked) = (0u64, 0u64, std::collections::BTreeMap::<String, u64>::new());
    let mut slowest = (std::time::Duration::ZERO, Vec::new());
    let start = std::time::Instant::now();
    while start.elapsed().as_secs() < seconds {
        let mut bytes = seeds[count as usize % seeds.len()].clone();
        let damages = vec(crate::hostile::damage(), 1..6).new_tree(&mut runner).unwrap().current();
        damages.iter().for_each(|damage| crate::hostile::apply(&mut bytes, damage));
        let begin = std::time::Instant::now();
        let outcome = decode(&bytes, Path::new("a"));
        if begin.elapsed() > slowest.0 {
            slowest = (begin.elapsed(), bytes);
        }
        count += 1;
        match outcome.map_err(|error| error.to_string()) {
            Ok(_) => read += 1,
            Err(error) if error.contains("its decoder failed") => *panicked.entry(error).or_default() += 1,
            Err(_) => {}
        }
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let memory = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or("VmHWM unknown");
    let caught: u64 = panicked.values().sum();
    println!("{format}: {count} files, {read} read, {} refused, {caught} panics caught", count - read - caught);
    println!("{format}: slowest {:?}, {} bytes, {memory}", slowest.0, slowest.1.len());
    panicked.iter().for_each(|(error, count)| println!("{count}: {error}"));
}
