//! TIFF files, cut, packed and numbered in every way. `tiff_file.rs` makes them.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::path::Path;

use impasto::picture::{Picture, Warning, decode};

use crate::tiff_file::{Gradient, Numbers, Packing, TiffFile};

fn read(bytes: &[u8]) -> Picture {
    decode(bytes, Path::new("a.tif")).unwrap()
}

fn message(bytes: &[u8]) -> String {
    decode(bytes, Path::new("a.tif")).unwrap_err().to_string()
}

/// Checks that a file is read as the picture that it was made of.
fn check(gradient: &Gradient, bound: f32) {
    let picture = decode(&gradient.file(), Path::new("a.tif")).unwrap_or_else(|error| panic!("{gradient:?}: {error}"));
    assert_eq!((picture.width(), picture.height()), (gradient.width, gradient.height), "{gradient:?}");
    let found = picture.image.as_slice().iter().zip(gradient.colours()).map(|(a, b)| (a - b).abs());
    let found = found.fold(0.0, f32::max);
    assert!(found <= bound, "{gradient:?} is off by {found}");
    assert_eq!(picture.warnings, [], "{gradient:?}");
    if gradient.channels == 4 {
        let alpha = picture.alpha.unwrap();
        for (i, alpha) in alpha.as_slice().iter().enumerate() {
            let expected = gradient.value(i % gradient.width, i / gradient.width, 3) / 255.0;
            assert!((alpha - expected).abs() <= bound / 255.0, "{gradient:?}: opacity {alpha}, not {expected}");
        }
    }
}

/// The ways to cut a picture of 19x13 px, none of which fits it.
const CUTS: [Option<(usize, usize)>; 4] = [None, Some((16, 16)), Some((8, 4)), Some((32, 32))];

const LOSSLESS: [Packing; 4] = [Packing::None, Packing::Lzw, Packing::Deflate, Packing::PackBits];

#[test]
fn tiffs_cut_in_every_way_keep_their_values_at_every_depth() {
    use Numbers::{Float, Signed, Unsigned};
    let numbers = [1, 2, 4, 8, 10, 12, 14, 16].map(Unsigned).into_iter();
    let numbers = numbers.chain([8, 16].map(Signed)).chain([16, 32, 64].map(Float));
    for numbers in numbers {
        let predictors: &[u64] = match numbers {
            Float(_) => &[1, 2, 3],
            Unsigned(8 | 16) | Signed(_) => &[1, 2],
            Unsigned(_) => &[1],
        };
        for channels in [1, 3, 4] {
            // Grey fractions do not say their range. An opacity of few bits would be 0 somewhere.
            if matches!((numbers, channels), (Float(_), 1) | (Unsigned(..8), 4)) {
                continue;
            }
            for (tile, packing) in CUTS.into_iter().flat_map(|tile| LOSSLESS.map(|packing| (tile, packing))) {
                for &predictor in predictors {
                    for bits in 0..16 {
                        let is = |bit: u32| bits >> bit & 1 == 1;
                        let (is_planar, is_big_endian, is_big, is_reversed) = (is(0), is(1), is(2), is(3));
                        let gradient = Gradient { channels, numbers, tile, packing, predictor, ..Gradient::default() };
                        check(&Gradient { is_planar, is_big_endian, is_big, is_reversed, ..gradient }, 0.01);
                    }
                }
            }
        }
    }
}

#[test]
fn tiffs_in_jpeg_are_read_however_they_are_cut() {
    for tile in CUTS {
        for (channels, is_planar) in [(1, false), (3, false), (3, true)] {
            // The rows of strips are whole blocks of 8. Small tiles have an edge to what is beyond the
            // picture.
            check(&Gradient { channels, is_planar, tile, rows: 8, packing: Packing::Jpeg, ..Gradient::default() }, 6.0);
        }
    }
}

#[test]
fn fax_is_read_however_it_is_cut() {
    for tile in CUTS {
        for is_reversed in [false, true] {
            for white in [0, 1] {
                let fax = Gradient {
                    channels: 1,
                    numbers: Numbers::Unsigned(1),
                    tile,
                    packing: Packing::Fax,
                    is_reversed,
                    more: vec![(262, vec![white])],
                    ..Gradient::default()
                };
                let picture = read(&fax.file());
                let expected: Vec<f32> =
                    fax.colours().iter().map(|v| if white == 0 { 255.0 - v } else { *v }).collect();
                assert_eq!(picture.image.as_slice(), expected, "{fax:?}");
            }
        }
    }
}

#[test]
fn grey_whose_white_is_0_is_turned_over_at_every_depth() {
    for numbers in [1, 2, 4, 8, 12, 16].map(Numbers::Unsigned) {
        let gradient =
            Gradient { channels: 1, numbers, tile: Some((16, 16)), more: vec![(262, vec![0])], ..Gradient::default() };
        let picture = read(&gradient.file());
        for (found, expected) in picture.image.as_slice().iter().zip(gradient.colours()) {
            assert!((found + expected - 255.0).abs() < 0.01, "{numbers:?}: {found} and {expected}");
        }
    }
}

#[test]
fn a_channel_that_is_not_declared_is_told_of() {
    let opaque = Gradient { channels: 4, ..Gradient::default() };
    let colours = opaque.colours();
    let with = |extra: Option<u64>| {
        let mut gradient = opaque.clone();
        gradient.more = extra.map(|extra| (338, vec![extra])).into_iter().collect();
        let mut entries = gradient.entries();
        if extra.is_none() {
            entries.remove(&338);
        }
        let mut file = TiffFile::new(false, false);
        entries.extend(file.chunks(&gradient.chunks(), false));
        file.page(&entries);
        read(&file.into_bytes())
    };
    let unspecified = with(Some(0));
    assert_eq!(unspecified.warnings, [Warning::ChannelsIgnored { count: 1 }]);
    assert_eq!((unspecified.alpha, unspecified.image.as_slice()), (None, &colours[..]));
    let missing = with(None);
    assert_eq!(missing.warnings, [Warning::OpacityGuessed]);
    assert_eq!(missing.alpha, with(Some(2)).alpha);
    let warnings = [Warning::OpacityGuessed, Warning::ChannelsIgnored { count: 2 }].map(|w| w.to_string());
    assert_eq!(warnings[0], "it does not say what its fourth channel is, so this is taken as the opacity");
    assert_eq!(warnings[1], "2 of its channels are ignored, because they are neither colours nor declared as opacity");
}

/// Makes a page of one colour, of 3x2 px or half of it.
fn page(file: &mut TiffFile, grey: u8, is_reduced: bool, more: &[(u16, Vec<u64>)]) -> crate::tiff_file::Entries {
    let (width, height) = if is_reduced { (1, 1) } else { (3, 2) };
    let gradient = Gradient { width, height, channels: 1, ..Gradient::default() };
    let mut entries = gradient.entries();
    entries.extend(file.chunks(&[vec![grey; width * height]], false));
    entries.insert(278, vec![height as u64]);
    if is_reduced {
        entries.insert(254, vec![1]);
    }
    entries.extend(more.iter().cloned());
    entries
}

/// The grey of a page, whether it is a smaller copy, and entries that are added.
type Page<'a> = (u8, bool, &'a [(u16, Vec<u64>)]);

/// Makes a file of pages. `below` are the pages below the first one.
fn pages(pages: &[Page<'_>], below: &[Page<'_>]) -> Vec<u8> {
    let mut file = TiffFile::new(false, false);
    let places: Vec<u64> = below
        .iter()
        .map(|(grey, is_reduced, more)| {
            let entries = page(&mut file, *grey, *is_reduced, more);
            file.directory(&entries)
        })
        .collect();
    for (i, (grey, is_reduced, more)) in pages.iter().enumerate() {
        let mut entries = page(&mut file, *grey, *is_reduced, more);
        if i == 0 && !places.is_empty() {
            entries.insert(330, places.clone());
        }
        file.page(&entries);
    }
    file.into_bytes()
}

#[test]
fn the_first_page_that_is_no_smaller_copy_is_read() {
    let grey = |bytes: &[u8]| {
        let picture = read(bytes);
        (picture.width(), picture.image.as_slice()[0])
    };
    assert_eq!(grey(&pages(&[(10, false, &[]), (20, false, &[])], &[])), (3, 10.0));
    assert_eq!(grey(&pages(&[(10, true, &[]), (20, false, &[]), (30, false, &[])], &[])), (3, 20.0));
    assert_eq!(grey(&pages(&[(10, true, &[])], &[(40, true, &[]), (50, false, &[])])), (3, 50.0));
    assert_eq!(grey(&pages(&[(10, false, &[])], &[(40, true, &[])])), (3, 10.0));
    // Nothing else is there.
    assert_eq!(grey(&pages(&[(10, true, &[])], &[])), (1, 10.0));
    // A mask of transparency, and the older way to call a page a copy.
    assert_eq!(grey(&pages(&[(10, false, &[(254, vec![4])]), (20, false, &[])], &[])), (3, 20.0));
    assert_eq!(grey(&pages(&[(10, false, &[(255, vec![2])]), (20, false, &[])], &[])), (3, 20.0));
}

#[test]
fn raw_files_of_cameras_are_refused_by_name() {
    let advice = "; export it as TIFF or JPEG with your raw converter first";
    let text = |text: &str| text.bytes().map(u64::from).collect::<Vec<_>>();
    let sensor: &[(u16, Vec<u64>)] = &[(262, vec![32803])];
    let linear: &[(u16, Vec<u64>)] = &[(262, vec![34892])];
    let dng: &[(u16, Vec<u64>)] = &[(50706, vec![1, 4, 0, 0])];
    let refused = |bytes: &[u8], kind: &str| {
        assert_eq!(message(bytes), format!("a.tif is a camera's raw file ({kind}){advice}"));
    };
    refused(&pages(&[(10, true, dng)], &[(50, false, sensor)]), "DNG");
    refused(&pages(&[(10, true, dng), (50, false, linear)], &[]), "DNG");
    refused(&pages(&[(10, true, &[])], &[(50, false, sensor)]), "TIFF from a sensor");
    refused(&pages(&[(10, true, &[]), (50, false, sensor)], &[]), "TIFF from a sensor");
    for (make, kind) in [("NIKON CORPORATION", "NEF"), ("SONY", "ARW"), ("PENTAX Corporation", "PEF")] {
        refused(&pages(&[(10, true, &[(271, text(make))])], &[(50, false, sensor)]), kind);
    }
    for (start, kind) in [
        (&b"II*\0\x10\0\0\0CR\x02\0"[..], "CR2"),
        (b"IIRO\x08\0\0\0", "ORF"),
        (b"IIU\0\x18\0\0\0", "RW2"),
        (b"FUJIFILMCCD-RAW 0201", "RAF"),
        (b"\0\0\0\x18ftypcrx \0\0\0\0", "CR3"),
    ] {
        refused(start, kind);
    }
}

#[test]
fn what_is_not_read_of_tiff_is_refused_by_its_name() {
    let reason = |more: Vec<(u16, Vec<u64>)>, channels: usize| {
        let message = message(&Gradient { channels, more, ..Gradient::default() }.file());
        let end = "; save it as an ordinary PNG or JPEG first";
        message.strip_prefix("a.tif cannot be read: ").and_then(|rest| rest.strip_suffix(end)).unwrap().to_owned()
    };
    for (compression, name) in [
        (2, "fax coding (CCITT, one dimension)"),
        (3, "fax coding (CCITT Group 3)"),
        (6, "old-style JPEG"),
        (32809, "ThunderScan's coding"),
        (34712, "JPEG 2000"),
        (34887, "LERC"),
        (34925, "LZMA"),
        (50000, "Zstandard"),
        (50001, "WebP"),
        (50002, "JPEG XL"),
        (12345, "method 12345"),
    ] {
        assert_eq!(reason(vec![(259, vec![compression])], 3), format!("its pixels are compressed with {name}"));
    }
    assert_eq!(reason(vec![(262, vec![8])], 3), "its colours are L*a*b*");
    assert_eq!(reason(vec![(262, vec![4])], 1), "it is a mask of transparency");
    assert_eq!(reason(vec![(262, vec![32845])], 3), "its brightness is logarithmic (LogLuv)");
    assert_eq!(reason(vec![(262, vec![5]), (332, vec![2])], 4), "its inks are not cyan, magenta, yellow and black");
    assert_eq!(reason(vec![(258, vec![5, 6, 5])], 3), "its channels have different depths: [5, 6, 5] bits");
    assert_eq!(reason(vec![(339, vec![6; 3])], 3), "its values are not of one common kind");
    assert_eq!(reason(vec![(339, vec![3; 3])], 3), "its values are fractions of 8 bits");
    assert_eq!(reason(vec![(258, vec![4; 3]), (317, vec![2])], 3), "its values of 4 bits have the predictor 2");
}

#[test]
fn a_tiff_that_lacks_pixels_is_damaged() {
    for packing in LOSSLESS {
        for tile in CUTS {
            let gradient = Gradient { tile, packing, ..Gradient::default() };
            let mut chunks = gradient.chunks();
            let last = chunks.last_mut().unwrap();
            // The rows of a tile below the picture need not be there.
            last.truncate(last.len() / 8);
            let mut file = TiffFile::new(false, false);
            let mut entries = gradient.entries();
            entries.extend(file.chunks(&chunks, tile.is_some()));
            file.page(&entries);
            assert_eq!(
                message(&file.into_bytes()),
                "a.tif is damaged: it ends in the middle of the picture",
                "{gradient:?}"
            );
        }
    }
}

#[test]
fn strips_without_lengths_end_where_the_next_one_begins() {
    let gradient = Gradient { packing: Packing::PackBits, ..Gradient::default() };
    let mut file = TiffFile::new(true, false);
    let mut entries = gradient.entries();
    entries.extend(file.chunks(&gradient.chunks(), false));
    entries.remove(&279);
    file.page(&entries);
    assert_eq!(read(&file.into_bytes()).image.as_slice(), gradient.colours());
}
