//! Statistics of a style as a file.
//!
//! It is a safetensors file. Its metadata say how the network looked at the style. For each size it
//! has the mean colour `[3]` and the total variation `[1]`. For each size and layer it has the
//! matrix, row by row from its diagonal on, `[C (C + 1) / 2]`, and the means `[C]` if the style
//! loss has them. For matched strokes it has the feature maps of each size and layer, `[H, W, C]`,
//! and `[H, W]` with 1 for the positions that count. Colours and maps are F32, what counts is U32,
//! and everything else F64, to the last bit.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Cursor, Read, Seek};
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use impasto_engine::network::CandidateMap;
use impasto_engine::{Layer, Pooling};

use crate::error::{Error, Result};
use crate::loss::statistics::Statistics;
use crate::loss::strokes;
use crate::options::StyleLossKind;
use crate::picture::file::{read_error, write_whole};
use crate::style::picture::Appearance;
use crate::style::statistics::{SizeStatistics, StatisticsSettings, StyleStatistics};
use crate::style::strokes::StrokeMaps;
use crate::tensor_file::{FileKind, MAX_HEADER, Parsed, Tensor, TensorFile, all, unknown};

const KIND: FileKind = FileKind { format: "impasto-style", version: "3" };

/// Most bytes of a style file. It is several times what any use makes.
const MAX_BYTES: u64 = 1 << 29;

impl StyleStatistics {
    /// Returns whether a file begins like a safetensors file. Pictures do not.
    ///
    /// Errors: a missing or unreadable file.
    pub fn is_style_file(path: &Path) -> Result<bool> {
        if path.is_dir() {
            return Ok(false);
        }
        let file = File::open(path).map_err(|e| read_error(path, e))?;
        let mut start = Vec::new();
        file.take(9).read_to_end(&mut start).map_err(|e| read_error(path, e))?;
        Ok(Self::is_style(&start))
    }

    /// Returns whether the bytes of a file begin like those of a safetensors file, as
    /// [`StyleStatistics::is_style_file`] does.
    pub fn is_style(bytes: &[u8]) -> bool {
        match bytes.split_first_chunk::<8>() {
            Some((length, [b'{', ..])) => u64::from_le_bytes(*length) <= MAX_HEADER,
            _ => false,
        }
    }

    /// Writes the statistics, to the last bit, whole or not at all. The five default layers take
    /// 2.5 MB for each size.
    ///
    /// Errors: the path cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        write_whole(path, &self.to_bytes())
    }

    /// Reads what [`StyleStatistics::save`] wrote.
    ///
    /// Errors: a missing or unreadable file, one that is not a style file, and a damaged one.
    pub fn load(path: &Path) -> Result<Self> {
        if path.is_dir() {
            return Err(Error::Folder { path: path.to_owned(), wanted: "a style file" });
        }
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(|e| read_error(path, e))?;
        file.take(MAX_BYTES).read_to_end(&mut bytes).map_err(|e| read_error(path, e))?;
        Self::decode(&bytes, path)
    }

    /// Reads the statistics as [`StyleStatistics::load`] does, from the bytes of a file. Errors
    /// call it `name`.
    pub fn decode(bytes: &[u8], name: &Path) -> Result<Self> {
        Self::from_bytes(bytes).map_err(|problem| Error::StyleFile { path: name.to_owned(), problem })
    }

    fn to_bytes(&self) -> Vec<u8> {
        let StatisticsSettings { style_loss, pooling, padding, network } = self.view;
        let sizes: Vec<String> = self.sizes.iter().map(|size| format!("{}x{}", size.width, size.height)).collect();
        let words = HashMap::from([
            ("style_loss", style_loss.to_string()),
            ("pooling", pooling.to_string()),
            ("padding", padding.to_string()),
            ("network", format!("{network:08x}")),
            ("sizes", sizes.join(",")),
        ]);
        let mut tensors = Vec::new();
        let counts: Vec<Vec<u32>> = self.stroke_maps().map(|(_, map)| counts_of(map)).collect();
        for ((name, map), counts) in self.stroke_maps().zip(&counts) {
            let (shape, channels) = (vec![map.height, map.width], map.values.len() / counts.len().max(1));
            let shape_of_values = [shape.as_slice(), &[channels]].concat();
            tensors.push((format!("{name}.{VALUES}"), Tensor::F32(shape_of_values, &map.values)));
            tensors.push((format!("{name}.{COUNTS}"), Tensor::U32(shape, counts)));
        }
        for (i, size) in self.sizes.iter().enumerate() {
            let Appearance { colour, total_variation } = &size.appearance;
            tensors.push((format!("{i}.{COLOUR}"), Tensor::F32(vec![3], colour)));
            tensors.push((format!("{i}.{VARIATION}"), Tensor::F64(vec![1], vec![*total_variation].into())));
            for (layer, Statistics { mean, matrix }) in &size.layers {
                let channels = layer.channels();
                let upper: Vec<f64> =
                    (0..channels).flat_map(|r| &matrix[r * channels + r..(r + 1) * channels]).copied().collect();
                tensors.push((format!("{i}.{layer}.{MATRIX}"), Tensor::F64(vec![upper.len()], upper.into())));
                if !mean.is_empty() {
                    tensors.push((format!("{i}.{layer}.{MEAN}"), Tensor::F64(vec![channels], mean.into())));
                }
            }
        }
        KIND.to_bytes(words, tensors)
    }

    /// Returns the maps for matched strokes and the first part of their names.
    fn stroke_maps(&self) -> impl Iterator<Item = (String, &CandidateMap)> {
        let of_layer = |(size, layer, maps): (usize, Layer, &'_ Arc<StrokeMaps>)| {
            let names = (0..maps.len()).map(move |map| format!("{size}.{STROKES}.{layer}.{map}"));
            names.collect::<Vec<_>>()
        };
        let sizes = self.sizes.iter().enumerate();
        let layers = sizes.flat_map(|(i, size)| {
            strokes::layers().iter().zip(&size.strokes).map(move |(&layer, maps)| (i, layer, maps))
        });
        layers.flat_map(move |part| of_layer(part).into_iter().zip(part.2.iter()))
    }

    fn from_bytes(bytes: &[u8]) -> Parsed<Self> {
        let file = KIND.read(Cursor::new(bytes), bytes.len() as u64)?;
        let get = |key: &str| file.word(key);
        let view = StatisticsSettings {
            style_loss: choice(get("style_loss"))?,
            pooling: if get("pooling") == AVERAGE { Pooling::Average } else { choice(get("pooling"))? },
            padding: choice(get("padding"))?,
            network: u32::from_str_radix(get("network"), 16).map_err(|_| unknown(get("network")))?,
        };
        let sizes = get("sizes").split(',').enumerate().map(|(i, size)| {
            let side = |text: &str| text.parse().ok().filter(|side: &usize| (1..=MAX_SIDE).contains(side));
            let (width, height) = size
                .split_once('x')
                .and_then(|(width, height)| Some((side(width)?, side(height)?)))
                .ok_or_else(|| unknown(size))?;
            let (appearance, layers) = (appearance(&file, i)?, layers(&file, i, view.style_loss)?);
            let strokes = match view.style_loss {
                StyleLossKind::Strokes => strokes::layers().iter().map(|layer| stroke_maps(&file, i, *layer)).collect(),
                StyleLossKind::Moments | StyleLossKind::Gram => Ok(vec![]),
            };
            Ok(SizeStatistics { width, height, appearance, layers, strokes: strokes? })
        });
        Ok(Self { view, sizes: sizes.collect::<Parsed<_>>()? })
    }
}

const COLOUR: &str = "mean_colour";
const VARIATION: &str = "total_variation";
const MATRIX: &str = "matrix";
const MEAN: &str = "mean";
const STROKES: &str = "strokes";
const VALUES: &str = "features";
const COUNTS: &str = "counts";

/// The word for [`Pooling::Average`] in files that were written before choices had words.
const AVERAGE: &str = "average";

/// Longest side of a style that is believed, in pixels.
const MAX_SIDE: usize = 1 << 24;

/// Longest side of a map that is believed, in positions: that of relu3_1 for a style of 32768 px.
const MAX_MAP_SIDE: usize = 1 << 13;

/// Reads what the style is without the network at a size.
fn appearance<R: Read + Seek>(file: &TensorFile<R>, size: usize) -> Parsed<Appearance> {
    let [colour_name, variation_name] = [COLOUR, VARIATION].map(|name| format!("{size}.{name}"));
    let colour = file.f32s(&colour_name, &[3])?;
    all(&colour_name, &colour, |v| (0.0..=255.0).contains(&v))?;
    let variation = file.f64s(&variation_name, &[1])?;
    all(&variation_name, &variation, |v| v >= 0.0)?;
    Ok(Appearance { colour: [colour[0], colour[1], colour[2]], total_variation: variation[0] })
}

/// Reads the statistics at a size.
fn layers<R: Read + Seek>(file: &TensorFile<R>, size: usize, kind: StyleLossKind) -> Parsed<Vec<(Layer, Statistics)>> {
    let prefix = format!("{size}.");
    let mut layers = Vec::new();
    for layer in Layer::all() {
        let name = format!("{prefix}{layer}.");
        if file.len(&format!("{name}{MATRIX}")).is_none() {
            continue;
        }
        let channels = layer.channels();
        let upper = file.f64s(&format!("{name}{MATRIX}"), &[channels * (channels + 1) / 2])?;
        let mut matrix = vec![0.0; channels * channels];
        let mut values = upper.into_iter();
        for r in 0..channels {
            for (c, value) in (r..channels).zip(&mut values) {
                matrix[r * channels + c] = value;
                matrix[c * channels + r] = value;
            }
        }
        let mean = match kind {
            StyleLossKind::Moments | StyleLossKind::Strokes => file.f64s(&format!("{name}{MEAN}"), &[channels])?,
            StyleLossKind::Gram => vec![],
        };
        layers.push((layer, Statistics { mean, matrix }));
    }
    if layers.is_empty() { Err(format!("it has no layers for its size {}", size + 1)) } else { Ok(layers) }
}

/// Returns 1 for every position that counts.
fn counts_of(map: &CandidateMap) -> Vec<u32> {
    let all = || vec![1; map.height * map.width];
    map.counts.as_ref().map_or_else(all, |counts| counts.iter().map(|&counts| counts.into()).collect())
}

/// Reads the maps for matched strokes at a size and a layer.
fn stroke_maps<R: Read + Seek>(file: &TensorFile<R>, size: usize, layer: Layer) -> Parsed<Arc<StrokeMaps>> {
    let mut maps = Vec::new();
    loop {
        let [values, counts] = [VALUES, COUNTS].map(|array| format!("{size}.{STROKES}.{layer}.{}.{array}", maps.len()));
        let Some(&[height, width]) = file.shape(&counts) else { break };
        if !(1..=MAX_MAP_SIDE).contains(&height) || !(1..=MAX_MAP_SIDE).contains(&width) {
            return Err(format!("it has strokes of {width}x{height} positions"));
        }
        let values = file.f32s(&values, &[height, width, layer.channels()])?;
        let counts: Vec<bool> = file.u32s(&counts, &[height, width])?.iter().map(|&counts| counts > 0).collect();
        let counts = counts.contains(&false).then_some(counts);
        maps.push(CandidateMap { height, width, values, counts });
    }
    let counts = |map: &CandidateMap| counts_of(map).contains(&1);
    if maps.iter().any(counts) {
        Ok(Arc::new(maps))
    } else {
        Err(format!("it has no strokes of {layer} for its size {}", size + 1))
    }
}

/// Parses the word of a choice.
fn choice<T: FromStr>(word: &str) -> Parsed<T> {
    word.parse().map_err(|_| unknown(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use impasto_engine::Padding;
    use proptest::prelude::*;

    /// Two maps at each layer, of which the second has positions that do not count.
    fn strokes(width: usize) -> Vec<Arc<StrokeMaps>> {
        let map = |layer: &Layer, counts| {
            let values = (0..2 * 3 * layer.channels()).map(|i| (i * width) as f32 / 7.0).collect();
            CandidateMap { height: 2, width: 3, values, counts }
        };
        let counts = || Some(vec![true, false, true, true, true, false]);
        strokes::layers().iter().map(|layer| Arc::new(vec![map(layer, None), map(layer, counts())])).collect()
    }

    fn statistics(kind: StyleLossKind) -> StyleStatistics {
        let layers: Vec<Layer> = ["relu1_1", "conv2_2"].iter().map(|name| name.parse().unwrap()).collect();
        let at = |width: usize| {
            let of = |layer: Layer| {
                let n = layer.channels();
                let mean = if kind != StyleLossKind::Gram { vec![0.1 * width as f64; n] } else { vec![] };
                Statistics { mean, matrix: (0..n * n).map(|i| ((i / n) * (i % n)) as f64 / 3.0).collect() }
            };
            let appearance = Appearance { colour: [0.1, 254.9, width as f32], total_variation: 1.0 / 3.0 };
            SizeStatistics {
                width,
                height: 9,
                appearance,
                layers: layers.iter().map(|&layer| (layer, of(layer))).collect(),
                strokes: if kind == StyleLossKind::Strokes { strokes(width) } else { vec![] },
            }
        };
        let view = StatisticsSettings {
            style_loss: kind,
            pooling: Pooling::Average,
            padding: Padding::Zero,
            network: 0x0bad_cafe,
        };
        StyleStatistics { view, sizes: vec![at(40), at(20)] }
    }

    #[test]
    fn what_is_saved_is_loaded() {
        let folder = tempfile::tempdir().unwrap();
        for kind in [StyleLossKind::Gram, StyleLossKind::Moments, StyleLossKind::Strokes] {
            let path = folder.path().join("s.impasto-style");
            statistics(kind).save(&path).unwrap();
            assert!(StyleStatistics::is_style_file(&path).unwrap());
            assert_eq!(StyleStatistics::load(&path).unwrap(), statistics(kind));
        }
        let other = folder.path().join("other");
        std::fs::write(&other, "some notes").unwrap();
        assert!(!StyleStatistics::is_style_file(&other).unwrap());
        let message = StyleStatistics::load(&other).unwrap_err().to_string();
        assert!(
            message.contains("other is not a usable style file") && message.contains("impasto style save"),
            "{message}"
        );
    }

    #[test]
    fn choices_have_these_words_in_a_file() {
        let mut statistics = statistics(StyleLossKind::Moments);
        let mut words = |style_loss, pooling, padding| {
            statistics.view = StatisticsSettings { style_loss, pooling, padding, network: 0 };
            let bytes = statistics.to_bytes();
            let file = KIND.read(Cursor::new(&bytes), bytes.len() as u64).unwrap();
            ["style_loss", "pooling", "padding"].map(|key| file.word(key).to_owned())
        };
        let first = words(StyleLossKind::Moments, Pooling::Max, Padding::Replicate);
        assert_eq!(first, ["moments", "max", "replicate"]);
        assert_eq!(words(StyleLossKind::Gram, Pooling::Average, Padding::Zero), ["gram", "avg", "zero"]);
        assert_eq!(words(StyleLossKind::Gram, Pooling::Max, Padding::Circular)[2], "circular");
    }

    #[test]
    fn the_word_of_earlier_files_is_still_read() {
        let statistics = statistics(StyleLossKind::Gram);
        assert_eq!(statistics.view.pooling, Pooling::Average);
        let bytes = statistics.to_bytes();
        let end = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        let header = std::str::from_utf8(&bytes[8..end]).unwrap().replace("\"avg\"", "\"average\"");
        assert!(header.contains("average"));
        let mut earlier = (header.len() as u64).to_le_bytes().to_vec();
        earlier.extend([header.as_bytes(), &bytes[end..]].concat());
        assert_eq!(StyleStatistics::from_bytes(&earlier).unwrap(), statistics);
    }

    #[test]
    fn a_map_without_positions_is_refused() {
        let mut statistics = statistics(StyleLossKind::Strokes);
        let empty = CandidateMap { height: 0, width: 3, values: vec![], counts: None };
        statistics.sizes[0].strokes[0] = Arc::new(vec![empty]);
        let problem = StyleStatistics::from_bytes(&statistics.to_bytes()).unwrap_err();
        assert_eq!(problem, "it has strokes of 3x0 positions");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]
        #[test]
        fn a_broken_file_is_an_error_or_means_something(
            place in 0usize..1200, byte: u8, part in 0.0..1.0, cuts: bool
        ) {
            let mut bytes = statistics(StyleLossKind::Moments).to_bytes();
            bytes[place] = byte;
            if cuts {
                bytes.truncate((part * bytes.len() as f64) as usize);
            }
            if let Ok(found) = StyleStatistics::from_bytes(&bytes) {
                prop_assert!(!cuts, "half a file is no file");
                prop_assert!(found.sizes.iter().all(|size| !size.layers.is_empty()));
            }
        }
    }
}
