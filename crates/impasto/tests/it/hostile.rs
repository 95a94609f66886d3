//! No file, however broken, makes the library panic or run out of memory.

use std::path::{Path, PathBuf};

use impasto::picture::{BitDepth, Format, SaveOptions, decode, encode};
use impasto::{Image, Mask};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::TestRunner;
use rayon::prelude::*;

use crate::tiff_file::{Gradient, Numbers, Packing};

/// Returns the files that mutations begin with.
fn seeds() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pictures"));
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    paths.retain(|path| path.extension().is_some_and(|e| e != "py") && !path.to_string_lossy().contains(".srgb."));
    let mut seeds: Vec<(String, Vec<u8>)> =
        paths.iter().map(|path| (path.display().to_string(), std::fs::read(path).expect("a picture"))).collect();
    assert!(seeds.len() > 15, "{} pictures", seeds.len());

    let image = Image::new(6, 5, (0..90).map(|i| (i * 37 % 256) as f32).collect());
    let alpha = Mask::new(6, 5, (0..30).map(|i| i as f32 / 29.0).collect());
    for format in [Format::Png, Format::Tiff, Format::WebP, Format::Jpeg] {
        for bit_depth in [BitDepth::Eight, BitDepth::Sixteen] {
            let name = format!("{format:?} {bit_depth:?}");
            let options = SaveOptions {
                format: Some(format),
                bit_depth,
                alpha: Some(alpha.clone()),
                recipe: Some("{\"a\": 1}".into()),
                ..SaveOptions::default()
            };
            if let Ok(bytes) = encode(&image, Path::new(&name), &options) {
                seeds.push((name, bytes));
            }
        }
    }
    let jpeg = encode(&image, Path::new("a.jpg"), &SaveOptions::default()).expect("a JPEG");
    for (name, gradient) in tiffs() {
        seeds.push((name, gradient.file()));
    }
    let length = (2 + 6 + EXIF.len() as u16).to_be_bytes();
    let segment = [b"\xff\xe1", &length[..], b"Exif\0\0", EXIF].concat();
    seeds.push(("EXIF".into(), [&jpeg[..2], &segment, &jpeg[2..]].concat()));
    seeds
}

/// Returns TIFF pictures that are cut, packed and numbered in different ways.
fn tiffs() -> Vec<(String, Gradient)> {
    let of = Gradient::default;
    let tile = Some((16, 16));
    let one = Numbers::Unsigned(1);
    let kinds = [
        Gradient { tile, is_planar: true, ..of() },
        Gradient { tile, packing: Packing::Lzw, predictor: 2, is_big: true, ..of() },
        Gradient { packing: Packing::PackBits, is_reversed: true, is_big_endian: true, channels: 4, ..of() },
        Gradient { packing: Packing::Deflate, predictor: 3, numbers: Numbers::Float(32), tile, ..of() },
        Gradient { packing: Packing::Jpeg, tile, ..of() },
        Gradient { packing: Packing::Fax, numbers: one, channels: 1, more: vec![(262, vec![0])], ..of() },
        Gradient { numbers: Numbers::Unsigned(12), is_big: true, is_big_endian: true, ..of() },
        Gradient { numbers: Numbers::Signed(16), packing: Packing::Deflate, predictor: 2, channels: 1, ..of() },
        Gradient { tile, more: vec![(262, vec![6]), (530, vec![1, 1])], ..of() },
    ];
    kinds.into_iter().map(|gradient| (format!("{gradient:?}"), gradient)).collect()
}

/// It has orientation 3, an EXIF directory with the size, and a thumbnail of four bytes.
const EXIF: &[u8] = b"II*\0\x08\0\0\0\
    \x02\0\x12\x01\x03\0\x01\0\0\0\x03\0\0\0\x69\x87\x04\0\x01\0\0\0\x26\0\0\0\x38\0\0\0\
    \x01\0\x02\xa0\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0\
    \x02\0\x01\x02\x04\0\x01\0\0\0\x56\0\0\0\x02\x02\x04\0\x01\0\0\0\x04\0\0\0\0\0\0\0\
    \xff\xd8\xff\xd9";

/// What can happen to a file.
#[derive(Clone, Debug)]
pub(crate) enum Damage {
    Byte(Index, u8),
    Long(Index, u32),
    Cut(Index),
    Doubled(Index, Index),
}

pub(crate) fn damage() -> impl Strategy<Value = Damage> {
    let long = prop_oneof![Just(0), Just(1), Just(u32::MAX), Just(i32::MAX as u32), any::<u32>()];
    prop_oneof![
        6 => (any::<Index>(), any::<u8>()).prop_map(|(at, v)| Damage::Byte(at, v)),
        2 => (any::<Index>(), long).prop_map(|(at, v)| Damage::Long(at, v)),
        1 => any::<Index>().prop_map(Damage::Cut),
        1 => (any::<Index>(), any::<Index>()).prop_map(|(a, b)| Damage::Doubled(a, b)),
    ]
}

pub(crate) fn apply(bytes: &mut Vec<u8>, damage: &Damage) {
    if bytes.is_empty() {
        return;
    }
    let length = bytes.len();
    match damage {
        Damage::Byte(at, value) => bytes[at.index(length)] = *value,
        Damage::Long(at, value) => {
            for (byte, v) in bytes[at.index(length)..].iter_mut().zip(value.to_be_bytes()) {
                *byte = v;
            }
        }
        Damage::Cut(at) => bytes.truncate(at.index(length)),
        Damage::Doubled(a, b) => {
            let (a, b) = (a.index(length), b.index(length));
            let part = bytes[a.min(b)..a.max(b)].to_vec();
            bytes.splice(a.min(b)..a.min(b), part);
        }
    }
}

/// PNG's decoder ignores everything whose checksum is wrong.
fn mend_checksums(bytes: &mut [u8]) {
    let mut at = 8;
    while let Some(length) = bytes.get(at..at + 4) {
        let length = u32::from_be_bytes(length.try_into().expect("four bytes")) as usize;
        let end = at.saturating_add(8).saturating_add(length);
        let Some(chunk) = bytes.get(at + 4..end) else {
            return;
        };
        let checksum = crc32(chunk).to_be_bytes();
        let Some(place) = bytes.get_mut(end..end + 4) else {
            return;
        };
        place.copy_from_slice(&checksum);
        at = end + 4;
    }
}

/// Computes the checksum of PNG (ISO 3309), bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |c, _| if c & 1 == 1 { 0xedb8_8320 ^ (c >> 1) } else { c >> 1 })
    })
}

#[test]
fn damaged_files_are_errors_or_pictures() {
    seeds().into_par_iter().for_each(|(name, seed)| {
        crate::harness::read_and_write(&seed);
        let mut runner =
            TestRunner::new(ProptestConfig { cases: 200, failure_persistence: None, ..Default::default() });
        let outcome = runner.run(&vec(damage(), 1..6), |damages| {
            let mut bytes = seed.clone();
            damages.iter().for_each(|damage| apply(&mut bytes, damage));
            if bytes.starts_with(b"\x89PNG") {
                mend_checksums(&mut bytes);
            }
            crate::harness::read_and_write(&bytes);
            Ok(())
        });
        if let Err(error) = outcome {
            panic!("{name}: {error}");
        }
    });
}

#[test]
fn damaged_tiffs_make_no_decoder_panic() {
    tiffs().into_par_iter().for_each(|(name, gradient)| {
        let seed = gradient.file();
        let mut runner =
            TestRunner::new(ProptestConfig { cases: 400, failure_persistence: None, ..Default::default() });
        let outcome = runner.run(&vec(damage(), 1..6), |damages| {
            let mut bytes = seed.clone();
            damages.iter().for_each(|damage| apply(&mut bytes, damage));
            // The guard would make an error of a panic.
            let failed =
                decode(&bytes, Path::new("a.tif")).is_err_and(|e| e.to_string().contains("its decoder failed"));
            prop_assert!(!failed, "a panic in {bytes:?}");
            Ok(())
        });
        if let Err(error) = outcome {
            panic!("{name}: {error}");
        }
    });
}

#[test]
fn truncated_files_are_errors_or_pictures() {
    seeds().par_iter().for_each(|(_, seed)| {
        let step = (seed.len() / 100).max(1);
        (0..seed.len()).step_by(step).for_each(|length| crate::harness::read_and_write(&seed[..length]));
    });
}
