//! The layers of VGG-19 by name.

use std::fmt;
use std::str::FromStr;

/// Convolutions in each of the five blocks. A pooling follows each block except the last one used.
pub(crate) const CONVS_PER_BLOCK: [usize; 5] = [2, 2, 4, 4, 4];

/// Output channels of each block's convolutions.
pub(crate) const BLOCK_CHANNELS: [usize; 5] = [64, 128, 256, 512, 512];

/// Number of convolutions in VGG-19.
pub const CONVOLUTIONS: usize = 16;

/// Before or after the rectifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LayerKind {
    /// The convolution with its bias, before the rectifier: `conv4_2`.
    Conv,
    /// After the rectifier: `relu4_2`.
    Relu,
}

/// One of VGG-19's layers, `convB_N` or `reluB_N`: convolution `N` of block `B`, 1..=5. Layers are
/// ordered as in the network.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Layer {
    block: u8,
    index: u8,
    kind: LayerKind,
}

impl Layer {
    /// Returns the channels of every map of a block, 1..=5.
    pub(crate) fn channels_of_block(block: usize) -> usize {
        BLOCK_CHANNELS[block - 1]
    }

    /// Returns every layer, in network order.
    pub fn all() -> impl Iterator<Item = Layer> {
        (1..=5u8).flat_map(|block| {
            (1..=CONVS_PER_BLOCK[usize::from(block) - 1] as u8).flat_map(move |index| {
                [LayerKind::Conv, LayerKind::Relu].into_iter().map(move |kind| Layer { block, index, kind })
            })
        })
    }

    /// Returns the block, 1..=5.
    pub fn block(self) -> usize {
        self.block.into()
    }

    /// Returns the convolution within the block, from 1.
    pub fn index(self) -> usize {
        self.index.into()
    }

    /// Returns whether the layer is before or after the rectifier.
    pub fn kind(self) -> LayerKind {
        self.kind
    }

    /// Returns the channels of the layer's feature map.
    pub fn channels(self) -> usize {
        Self::channels_of_block(self.block())
    }

    /// Returns the smallest side, in pixels, of an image for which the layer's map is not empty:
    /// `2^(block-1)`.
    pub fn min_side(self) -> usize {
        1 << (self.block() - 1)
    }

    /// Returns how many poolings are before the layer. Each halves the sides of its map.
    pub fn poolings(self) -> usize {
        self.block() - 1
    }

    /// Returns the layer after the same convolution's rectifier.
    pub(crate) fn rectified(self) -> Self {
        Self { kind: LayerKind::Relu, ..self }
    }

    /// Returns the position of the layer's convolution among the 16.
    pub(crate) fn convolution(self) -> usize {
        CONVS_PER_BLOCK[..self.block() - 1].iter().sum::<usize>() + self.index() - 1
    }

    /// Returns the layer of the convolution at position `convolution` among the 16.
    pub(crate) fn at(convolution: usize, kind: LayerKind) -> Layer {
        let mut first = 0;
        for (block, &n) in CONVS_PER_BLOCK.iter().enumerate() {
            if convolution < first + n {
                return Layer { block: block as u8 + 1, index: (convolution - first) as u8 + 1, kind };
            }
            first += n;
        }
        panic!("VGG-19 has {CONVOLUTIONS} convolutions, there is none at {convolution}");
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            LayerKind::Conv => "conv",
            LayerKind::Relu => "relu",
        };
        write!(f, "{kind}{}_{}", self.block, self.index)
    }
}

crate::as_text!(Layer);

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Layer {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Layer".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let names: Vec<String> = Layer::all().map(|layer| layer.to_string()).collect();
        schemars::json_schema!({ "type": "string", "description": "A layer of VGG-19.", "enum": names })
    }
}

impl fmt::Debug for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The error about a name that no layer of VGG-19 has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no layer `{name}` in VGG-19; did you mean `{nearest}`?")]
pub struct ParseLayerError {
    /// The name that was given.
    pub name: String,
    /// The layer with the closest name.
    pub nearest: Layer,
}

impl FromStr for Layer {
    type Err = ParseLayerError;

    /// Spaces around the name, as in a list, do not count.
    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let name = name.trim();
        Layer::all().find(|layer| layer.to_string() == name).ok_or_else(|| {
            let nearest = Layer::all()
                .min_by_key(|layer| {
                    let candidate = layer.to_string();
                    // Of names that are equally far in letters, the one with the nearest digits
                    // wins.
                    let digits: u32 = candidate.bytes().zip(name.bytes()).map(|(a, b)| u32::from(a.abs_diff(b))).sum();
                    (edit_distance(&candidate, name), digits)
                })
                .expect("the network has layers");
            ParseLayerError { name: name.to_owned(), nearest }
        })
    }
}

/// Levenshtein distance in characters. Of a long name only the first characters are compared.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(32).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &cb) in b.iter().enumerate() {
            let substitution = diagonal + usize::from(ca != cb);
            diagonal = row[j + 1];
            row[j + 1] = substitution.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_positions_round_trip() {
        let names: Vec<String> = Layer::all().map(|l| l.to_string()).collect();
        assert_eq!(names.len(), 2 * CONVOLUTIONS);
        assert!(Layer::all().is_sorted());
        for layer in Layer::all() {
            assert_eq!(layer.to_string().parse(), Ok(layer));
            assert_eq!(Layer::at(layer.convolution(), layer.kind()), layer);
        }
    }

    #[test]
    fn an_unknown_name_suggests_a_near_one() {
        let message = |name: &str| name.parse::<Layer>().unwrap_err().to_string();
        assert_eq!(message("relu6_1"), "no layer `relu6_1` in VGG-19; did you mean `relu5_1`?");
        assert_eq!(message("relu4-2"), "no layer `relu4-2` in VGG-19; did you mean `relu4_2`?");
        assert_eq!(message("con3_4"), "no layer `con3_4` in VGG-19; did you mean `conv3_4`?");
    }
}
