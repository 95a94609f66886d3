//! HEIC: pixels coded as HEVC (ITU-T H.265). `heic-decoder` reads the whole file.
//!
//! It copies each tile out of the file, and allocates what the HEVC headers say. Both are checked
//! first, because a few hundred bytes could ask for gigabytes.

use std::path::Path;

use heic_decoder::DecodedImage;
use heic_decoder::bitreader::strip_emulation_prevention;
use heic_decoder::hevc::nal::NAL_SPS;
use heic_decoder::hevc::params::parse_sps;
use heic_decoder::isobmff::{ParsedHeif, ResolvedImage};

use crate::picture::formats::heif::container::Container;
use crate::picture::formats::heif::fault::Fault;
use crate::picture::formats::heif::notes::{Notes, raw_picture, size_of};
use crate::picture::formats::heif::planes;
use crate::picture::formats::raw::RawPicture;
use crate::picture::guard::guarded_threads;
use crate::picture::limits::check_pixels;

/// How often the bytes of a file may be copied. Once is usual.
const MAX_COPIES: u64 = 4;
/// Bytes that may be copied on top of that: the headers, once for each tile.
const MAX_HEADERS: u64 = 4 << 20;

/// Reads the picture of a file.
pub(super) fn read(bytes: &[u8], container: &Container, name: &Path, memory: Option<u64>) -> Result<RawPicture, Fault> {
    if let Some(primary) = container.primary() {
        check_pixels(size_of(container, primary)?, 3, bytes, name, memory)?;
    }
    check_copies(bytes, container)?;
    let parsed = heic_decoder::isobmff::parse(bytes)?;
    let channels = if parsed.alpha.is_some() { 4 } else { 3 };
    let alpha = parsed.alpha.as_ref().map(|alpha| &*alpha.image);
    for part in [Some(&parsed), alpha].into_iter().flatten() {
        check_pixels(size(part)?, channels, bytes, name, memory)?;
    }
    let is_animated = parsed.sequence.is_some_and(|sequence| sequence.sample_count > 1);
    drop(parsed);

    let mut image = guarded_threads(|| -> Result<DecodedImage, Fault> { Ok(heic_decoder::decode(bytes)?) })?;
    let metadata = std::mem::take(&mut image.metadata);
    let numbers = image.color_info.map(|info| (info.color_primaries, info.transfer_characteristics));
    let is_premultiplied = image.alpha.as_ref().is_some_and(|alpha| alpha.premultiplied);
    let pixels = guarded_threads(|| planes::pixels(&image))?;
    let notes = Notes { icc: metadata.icc_profile, numbers, exif: metadata.exif, is_premultiplied, is_animated };
    Ok(raw_picture(pixels, notes))
}

/// Refuses a file whose parts overlap so much that copies of them would fill the memory.
fn check_copies(bytes: &[u8], container: &Container) -> Result<(), Fault> {
    let cost = |id| {
        let headers = container.properties(id).map(|(_, body)| body.0.len() as u64);
        headers.fold(container.length(id), u64::saturating_add)
    };
    let tiles = container.all_references(*b"dimg").flat_map(|(_, tiles)| tiles).map(|&id| cost(id));
    let alphas = container.all_references(*b"auxl").map(|(from, _)| cost(from));
    let primary = container.primary().map_or(0, cost);
    let all = tiles.chain(alphas).fold(primary, u64::saturating_add);
    match all > MAX_COPIES * bytes.len() as u64 + MAX_HEADERS {
        true => Err(Fault::Damaged("its parts overlap".into())),
        false => Ok(()),
    }
}

/// Returns the size of a picture, or a size with as many pixels as are coded if those are more.
fn size(parsed: &ParsedHeif) -> Result<(u32, u32), Fault> {
    let mut coded = 0;
    let mut largest = (0, 0);
    for image in parsed.images.iter().chain(&parsed.reference_image) {
        let size = coded_size(image)?;
        coded += pixels(size);
        largest = if pixels(size) > pixels(largest) { size } else { largest };
    }
    if let Some(grid) = parsed.grid {
        let all = (u64::from(grid.columns) * u64::from(largest.0), u64::from(grid.rows) * u64::from(largest.1));
        // What the tiles do not cover would be black.
        if all.0 < u64::from(grid.output_width) || all.1 < u64::from(grid.output_height) {
            let (width, height) = (grid.output_width, grid.output_height);
            return Err(Fault::Damaged(format!("its tiles have {}x{} px, not {width}x{height}", all.0, all.1)));
        }
    }
    let shown = parsed.grid.map_or(largest, |grid| (grid.output_width, grid.output_height));
    Ok(match pixels(shown) >= coded || coded <= 2 * pixels(shown) {
        true => shown,
        // The width is of no use to anyone here. What counts is how many pixels there are.
        false => (largest.0, u32::try_from(coded.div_ceil(u64::from(largest.0.max(1)))).unwrap_or(u32::MAX)),
    })
}

fn pixels((width, height): (u32, u32)) -> u64 {
    u64::from(width) * u64::from(height)
}

/// Returns the largest size in the headers of a coded picture.
fn coded_size(image: &ResolvedImage) -> Result<(u32, u32), Fault> {
    let mut largest = (0, 0);
    for unit in image.hevc_config.nalus_of_type(NAL_SPS) {
        // Two bytes say what the unit is.
        let header = parse_sps(&strip_emulation_prevention(unit.get(2..).unwrap_or_default()))?;
        let size = (header.pic_width_in_luma_samples, header.pic_height_in_luma_samples);
        largest = if pixels(size) > pixels(largest) { size } else { largest };
    }
    Ok(largest)
}
