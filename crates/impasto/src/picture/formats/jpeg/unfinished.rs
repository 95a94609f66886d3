//! What the decoder does not say: whether it had to invent something, and whether it left something
//! out.
//!
//! A JPEG without an end marker is continued in several ways. If the decoder makes the same picture
//! of all of them, it did not look at any, and the picture is whole. The scans of a progressive file
//! are counted too, because the decoder makes a picture without the last ones.
//!
//! In the same way the last scan of a sequential file is replaced. If the decoder makes the same
//! picture without it, it has stopped at an earlier one. That happens to `zune-jpeg` 0.5 if the
//! colours are in scans of their own.

use crate::error::Result;
use crate::picture::formats::jpeg::segments::END_OF_IMAGE;

/// Bytes of a continuation. They outlast the few blocks whose loss could go unseen.
const FILLER: usize = 64;

/// How a file is continued. The first four begin with all pairs of bits, so that at least two of
/// them are decoded differently. The last two begin another restart interval.
const CONTINUATIONS: [(&[u8], u8); 6] =
    [(&[], 0x00), (&[], 0x5a), (&[], 0xa5), (&[], 0xfa), (&[0xff, 0xd0], 0x00), (&[0xff, 0xd0], 0x5a)];

/// Decodes a file without an end marker. Returns `None` if any of its pixels is missing.
///
/// Errors: those of `decode`.
pub(super) fn decode<T: PartialEq>(bytes: &[u8], decode: impl Fn(&[u8]) -> Result<T>) -> Result<Option<T>> {
    let cut = bytes.len() - bytes.iter().rev().take_while(|&&byte| byte == 0xff).count();
    if !has_all_scans(&bytes[..cut]) {
        return Ok(None);
    }
    let mut picture = None;
    for (marker, filler) in CONTINUATIONS {
        let continued = [&bytes[..cut], marker, &[filler; FILLER], &END_OF_IMAGE].concat();
        let found = decode(&continued)?;
        if picture.as_ref().is_some_and(|picture| *picture != found) {
            return Ok(None);
        }
        picture = Some(found);
    }
    Ok(picture)
}

/// Returns whether the decoder looked at the last scan when it made `picture` of a file.
///
/// Errors: those of `decode`.
pub(super) fn is_from_all_scans<T: PartialEq>(
    bytes: &[u8],
    picture: &T,
    decode: impl Fn(&[u8]) -> Result<T>,
) -> Result<bool> {
    let mut scans = 0;
    let (mut at, mut last) = (2, 0);
    while let Some((marker, length)) = next_segment(bytes, &mut at) {
        at += length;
        match marker {
            0xc2 => return Ok(true),
            0xda => (scans, last) = (scans + 1, at),
            _ => {}
        }
    }
    let Some(before) = bytes.get(..last).filter(|_| scans > 1) else {
        return Ok(true);
    };
    for filler in [0x5a, 0xa5] {
        if decode(&[before, &[filler; FILLER], &END_OF_IMAGE].concat())? != *picture {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Coefficients of a block.
const COEFFICIENTS: usize = 64;

/// Stands for a coefficient of which no bit has come yet.
const NOTHING: u8 = u8::MAX;

/// Returns whether there is a scan for every bit of every component.
fn has_all_scans(bytes: &[u8]) -> bool {
    let mut components: Vec<(u8, [u8; COEFFICIENTS])> = Vec::new();
    let mut is_progressive = false;
    let mut at = 2;
    while let Some((marker, length)) = next_segment(bytes, &mut at) {
        let Some(content) = bytes.get(at + 2..at + length) else {
            break;
        };
        at += length;
        match marker {
            // Start of frame, but not DHT, JPG and DAC.
            0xc0..=0xcf if ![0xc4, 0xc8, 0xcc].contains(&marker) => {
                is_progressive = marker == 0xc2;
                let described = content.get(6..).unwrap_or_default().as_chunks::<3>().0;
                components = described.iter().map(|[name, ..]| (*name, [NOTHING; COEFFICIENTS])).collect();
            }
            0xda => {
                let count = usize::from(content.first().copied().unwrap_or(0));
                let Some(&[first, last, bits]) = content.get(1 + 2 * count..4 + 2 * count) else {
                    return false;
                };
                let range = if is_progressive { usize::from(first)..usize::from(last) + 1 } else { 0..COEFFICIENTS };
                let low = if is_progressive { bits & 0xf } else { 0 };
                for name in content[1..1 + 2 * count].iter().step_by(2) {
                    let component = components.iter_mut().find(|(found, _)| found == name);
                    if let Some(sent) = component.and_then(|(_, sent)| sent.get_mut(range.clone())) {
                        sent.fill(low);
                    }
                }
            }
            _ => {}
        }
    }
    !components.is_empty() && components.iter().all(|(_, sent)| sent.iter().all(|&low| low == 0))
}

/// Steps over compressed data to the next segment. Returns its marker and its length, which counts
/// its own two bytes. `at` is then the place of the length.
fn next_segment(bytes: &[u8], at: &mut usize) -> Option<(u8, usize)> {
    loop {
        *at += bytes.get(*at..)?.iter().position(|&byte| byte == 0xff)?;
        match bytes.get(*at + 1)? {
            0xff => *at += 1,
            // A byte 0xff of the data, or a marker without content.
            0x00 | 0x01 | 0xd0..=0xd9 => *at += 2,
            &marker => {
                *at += 2;
                let length = bytes.get(*at..*at + 2)?.try_into().ok()?;
                return Some((marker, usize::from(u16::from_be_bytes(length)).max(2)));
            }
        }
    }
}
