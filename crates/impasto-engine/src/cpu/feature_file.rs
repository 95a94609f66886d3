//! Features of a picture in a file, because the memory does not hold them.
//!
//! A map is written row by row from the top, and read in any order. A row is written as bits that
//! tell which of its values are not +0, and then those values: rectifiers leave about half. All
//! bits of all values come back.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;

use rayon::prelude::*;

use crate::layer::Layer;
use crate::plan::feature_store::{ROWS_AT_ONCE, WORD};

/// Maps in a file.
pub(crate) struct FeatureFile {
    file: File,
    /// Bytes written.
    len: u64,
    maps: Vec<StoredMap>,
}

struct StoredMap {
    layer: Layer,
    /// Values of a row.
    row: usize,
    /// Where each row is in the file, in bytes.
    rows: Vec<Range<u64>>,
}

impl FeatureFile {
    /// No maps yet, in an empty file.
    pub(crate) fn new(file: File) -> Self {
        Self { file, len: 0, maps: vec![] }
    }

    /// Adds whole rows of a layer's map, of `row` values each, below those that it has.
    pub(crate) fn write(&mut self, layer: Layer, row: usize, values: &[f32]) -> io::Result<()> {
        let Self { file, len, maps } = self;
        let i = maps.iter().position(|map| map.layer == layer).unwrap_or_else(|| {
            maps.push(StoredMap { layer, row, rows: vec![] });
            maps.len() - 1
        });
        file.seek(SeekFrom::Start(*len))?;
        for some in values.chunks(ROWS_AT_ONCE * row) {
            let packed: Vec<Vec<u8>> = some.par_chunks(row).map(pack).collect();
            for bytes in packed {
                file.write_all(&bytes)?;
                let start = *len;
                *len += bytes.len() as u64;
                maps[i].rows.push(start..*len);
            }
        }
        Ok(())
    }

    /// Reads some rows of a layer's map. Returns `None` if the file has no map of the layer.
    pub(crate) fn read(&mut self, layer: Layer, rows: Range<usize>) -> Option<io::Result<Vec<f32>>> {
        let Self { file, maps, .. } = self;
        let map = maps.iter().find(|map| map.layer == layer)?;
        let mut values = vec![0.0; rows.len() * map.row];
        let read = || {
            for (places, out) in map.rows[rows].chunks(ROWS_AT_ONCE).zip(values.chunks_mut(ROWS_AT_ONCE * map.row)) {
                let packed: Vec<Vec<u8>> =
                    places.iter().map(|place| bytes_at(file, place)).collect::<io::Result<_>>()?;
                out.par_chunks_mut(map.row).zip(packed).for_each(|(out, bytes)| unpack(&bytes, out));
            }
            Ok(())
        };
        Some(read().map(|()| values))
    }
}

fn bytes_at(file: &mut File, place: &Range<u64>) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; (place.end - place.start) as usize];
    file.seek(SeekFrom::Start(place.start))?;
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn is_stored(value: f32) -> bool {
    value.to_bits() != 0
}

fn pack(values: &[f32]) -> Vec<u8> {
    let stored = values.iter().filter(|&&value| is_stored(value)).count();
    let mut bytes = Vec::with_capacity(size_of::<u64>() * values.len().div_ceil(WORD) + size_of::<f32>() * stored);
    for values in values.chunks(WORD) {
        let word = values.iter().rev().fold(0, |word, &value| word << 1 | u64::from(is_stored(value)));
        bytes.extend_from_slice(&word.to_le_bytes());
    }
    for value in values.iter().filter(|&&value| is_stored(value)) {
        bytes.extend_from_slice(&value.to_le_bytes());
    }
    bytes
}

/// Undoes [`pack`]. `out`: zeros.
fn unpack(bytes: &[u8], out: &mut [f32]) {
    let (words, values) = bytes.split_at(size_of::<u64>() * out.len().div_ceil(WORD));
    let mut values = values.as_chunks().0.iter().map(|&value| f32::from_le_bytes(value));
    for (out, &word) in out.chunks_mut(WORD).zip(words.as_chunks().0) {
        let mut left = u64::from_le_bytes(word);
        while left != 0
            && let Some(value) = values.next()
        {
            out[left.trailing_zeros() as usize] = value;
            left &= left - 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::feature_store::file_bytes;

    fn layer(name: &str) -> Layer {
        name.parse().expect("a layer")
    }

    fn file() -> FeatureFile {
        FeatureFile::new(tempfile::tempfile().expect("a file"))
    }

    /// Two of three values are zero.
    fn values(count: usize) -> Vec<f32> {
        let value = |i: usize| if i.is_multiple_of(3) { i as f32 - 40.5 } else { 0.0 };
        (0..count).map(value).collect()
    }

    #[test]
    fn all_bits_come_back_from_rows_of_any_length() {
        for row in [5, 64, 131] {
            let height = 3 * ROWS_AT_ONCE + 5;
            let mut values = values(height * row);
            (values[1], values[2], values[4]) = (-0.0, f32::NAN, f32::MIN_POSITIVE / 4.0);
            let mut file = file();
            for rows in [0..4, 4..5, 5..height] {
                let values = &values[rows.start * row..rows.end * row];
                file.write(layer("relu1_1"), row, values).unwrap();
                // Another map in between changes nothing.
                file.write(layer("relu2_1"), 7, &[rows.start as f32; 7]).unwrap();
            }
            for rows in [0..height, 3..6, height - 1..height, 2..2] {
                let found = file.read(layer("relu1_1"), rows.clone()).expect("it has the layer").unwrap();
                let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
                assert_eq!(bits(&found), bits(&values[rows.start * row..rows.end * row]), "{row} {rows:?}");
            }
            let other = file.read(layer("relu2_1"), 1..3).expect("it has the layer").unwrap();
            assert_eq!(other, [[4.0; 7], [5.0; 7]].concat());
            assert!(file.read(layer("relu3_1"), 0..1).is_none());
        }
    }

    #[test]
    fn no_map_takes_more_than_was_said() {
        let (height, row) = (7, 130);
        for (values, least) in
            [(vec![1.0; height * row], 1.0), (values(height * row), 0.3), (vec![0.0; height * row], 0.0)]
        {
            let mut file = file();
            file.write(layer("relu1_1"), row, &values).unwrap();
            let most = file_bytes(height, row);
            assert!(file.len <= most && file.len as f64 >= least * most as f64, "{} of {most}", file.len);
        }
    }

    #[test]
    fn a_file_cut_short_is_an_error() {
        let mut file = file();
        file.write(layer("relu1_1"), 64, &values(640)).unwrap();
        file.file.set_len(file.len - 1).unwrap();
        assert!(file.read(layer("relu1_1"), 0..9).expect("it has the layer").is_ok());
        assert!(file.read(layer("relu1_1"), 9..10).expect("it has the layer").is_err());
    }
}
