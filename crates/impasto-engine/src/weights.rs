//! Weights of VGG-19 from a safetensors file.
//!
//! A file can name its tensors in two ways, each with its own preprocessing:
//! - `convB_N.weight` and `convB_N.bias`, as in the release for Caffe: BGR in 0..255, minus the
//!   mean 103.939 / 116.779 / 123.68
//! - `features.N.weight` and `features.N.bias`, as in torchvision: RGB in 0..1, minus the mean .485
//!   / .456 / .406, divided by the standard deviation .229 / .224 / .225
//!
//! A weight is f32 `[out, in, 3, 3]`, or u8 indices of that shape into 256 f32 named `.codebook`.
//! Other tensors of a file are ignored.

use std::fmt;

use safetensors::{Dtype, SafeTensors};

use crate::layer::{CONVOLUTIONS, Layer, LayerKind};

/// Why a weights file cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WeightsError {
    /// The file is not a safetensors file.
    #[error("not a safetensors file ({0})")]
    Format(String),
    /// No tensor has a name of either kind.
    #[error("no VGG-19 in it: found neither `conv1_1.weight` nor torchvision's `features.0.weight`")]
    NoNetwork,
    /// A tensor is missing.
    #[error("tensor `{0}` is missing")]
    Missing(String),
    /// A tensor has another shape than its layer.
    #[error("tensor `{name}` has shape {found:?}; VGG-19 needs {expected:?}")]
    Shape {
        /// The tensor.
        name: String,
        /// Its shape.
        found: Vec<usize>,
        /// The shape of the layer.
        expected: Vec<usize>,
    },
    /// A tensor has a type that cannot be read.
    #[error("tensor `{name}` has type {found}; needed is F32, or U8 with a `.codebook`")]
    Type {
        /// The tensor.
        name: String,
        /// Its type.
        found: String,
    },
    /// A value is infinite or not a number.
    #[error("tensor `{0}` has values that are infinite or not a number")]
    NotFinite(String),
}

/// How pixels become the network's input: `x[c] · scale[c] - offset[c]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Preprocessing {
    /// By RGB channel.
    pub scale: [f32; 3],
    /// By RGB channel.
    pub offset: [f32; 3],
    /// RGB channel of each of the network's channels.
    pub order: [usize; 3],
}

impl Preprocessing {
    /// That of Simonyan and Zisserman's release for Caffe.
    const CAFFE: Self = Self { scale: [1.0; 3], offset: [123.68, 116.779, 103.939], order: [2, 1, 0] };

    /// That of torchvision's `VGG19_Weights.IMAGENET1K_V1`.
    const TORCHVISION: Self = Self {
        scale: [1.0 / (255.0 * 0.229), 1.0 / (255.0 * 0.224), 1.0 / (255.0 * 0.225)],
        offset: [0.485 / 0.229, 0.456 / 0.224, 0.406 / 0.225],
        order: [0, 1, 2],
    };
}

/// Position of each convolution in torchvision's `features`.
const TORCHVISION_INDEX: [usize; CONVOLUTIONS] = [0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34];

/// The bytes of a file.
enum Bytes {
    Static(&'static [u8]),
    Owned(Vec<u8>),
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        match self {
            Bytes::Static(bytes) => bytes,
            Bytes::Owned(bytes) => bytes,
        }
    }
}

/// Where a convolution's weights lie in the file.
struct StoredConvolution {
    /// f32, or u8 if there is a codebook.
    weight: std::ops::Range<usize>,
    codebook: Option<Vec<f32>>,
    bias: Vec<f32>,
}

/// The weights of VGG-19: a checked file, whose weights stay as they are stored.
pub struct Weights {
    bytes: Bytes,
    convolutions: Vec<StoredConvolution>,
    preprocessing: Preprocessing,
}

impl fmt::Debug for Weights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Weights").field("preprocessing", &self.preprocessing).finish_non_exhaustive()
    }
}

impl Weights {
    /// Checks a safetensors file that is part of the program. The module says what it may hold.
    ///
    /// # Errors
    /// The file is not a VGG-19.
    pub fn from_static(bytes: &'static [u8]) -> Result<Self, WeightsError> {
        Self::new(Bytes::Static(bytes))
    }

    /// Checks a safetensors file. The module says what it may hold.
    ///
    /// # Errors
    /// The file is not a VGG-19.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, WeightsError> {
        Self::new(Bytes::Owned(bytes))
    }

    fn new(bytes: Bytes) -> Result<Self, WeightsError> {
        let file = SafeTensors::deserialize(bytes.as_ref()).map_err(|error| WeightsError::Format(error.to_string()))?;
        let has = |name: &str| file.tensor(name).is_ok();
        let (preprocessing, torchvision) = match (has("conv1_1.weight"), has("features.0.weight")) {
            (true, _) => (Preprocessing::CAFFE, false),
            (false, true) => (Preprocessing::TORCHVISION, true),
            (false, false) => return Err(WeightsError::NoNetwork),
        };
        let convolutions = (0..CONVOLUTIONS)
            .map(|i| {
                let name = if torchvision {
                    format!("features.{}", TORCHVISION_INDEX[i])
                } else {
                    Layer::at(i, LayerKind::Conv).to_string()
                };
                StoredConvolution::find(&file, bytes.as_ref(), &name, Self::shape(i))
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { bytes, convolutions, preprocessing })
    }

    /// Returns the shape of a convolution's weights: out, in, 3, 3.
    pub(crate) fn shape(convolution: usize) -> [usize; 4] {
        let channels = |i| Layer::at(i, LayerKind::Conv).channels();
        [channels(convolution), if convolution == 0 { 3 } else { channels(convolution - 1) }, 3, 3]
    }

    /// Returns the safetensors file.
    pub fn file(&self) -> &[u8] {
        self.bytes.as_ref()
    }

    pub(crate) fn preprocessing(&self) -> Preprocessing {
        self.preprocessing
    }

    pub(crate) fn bias(&self, convolution: usize) -> &[f32] {
        &self.convolutions[convolution].bias
    }

    /// Returns the filters of a convolution.
    pub(crate) fn filters(&self, convolution: usize) -> StoredFilters<'_> {
        let StoredConvolution { weight, codebook, .. } = &self.convolutions[convolution];
        let values = &self.bytes.as_ref()[weight.clone()];
        StoredFilters { values, codebook: codebook.as_deref(), channels_in: Self::shape(convolution)[1] }
    }
}

/// The filters of a convolution, as they are stored.
pub(crate) struct StoredFilters<'a> {
    /// `[out][in][9]`
    values: &'a [u8],
    codebook: Option<&'a [f32]>,
    channels_in: usize,
}

impl StoredFilters<'_> {
    /// Returns the 9 weights between two channels.
    pub(crate) fn at(&self, channel_out: usize, channel_in: usize) -> [f32; 9] {
        let first = (channel_out * self.channels_in + channel_in) * 9;
        let mut filter = [0.0; 9];
        match self.codebook {
            Some(codebook) => {
                for (w, &index) in filter.iter_mut().zip(&self.values[first..first + 9]) {
                    *w = codebook[usize::from(index)];
                }
            }
            None => {
                for (w, value) in filter.iter_mut().zip(self.values[4 * first..].as_chunks::<4>().0) {
                    *w = f32::from_le_bytes(*value);
                }
            }
        }
        filter
    }
}

impl StoredConvolution {
    fn find(file: &SafeTensors<'_>, bytes: &[u8], name: &str, shape: [usize; 4]) -> Result<Self, WeightsError> {
        let weight_name = format!("{name}.weight");
        let weight = file.tensor(&weight_name).map_err(|_| WeightsError::Missing(weight_name.clone()))?;
        if weight.shape() != shape {
            return Err(WeightsError::Shape {
                name: weight_name,
                found: weight.shape().to_vec(),
                expected: shape.to_vec(),
            });
        }
        let codebook = match weight.dtype() {
            Dtype::U8 => Some(floats(file, &format!("{name}.codebook"), 256)?),
            Dtype::F32 => {
                if !weight.data().as_chunks::<4>().0.iter().all(|value| f32::from_le_bytes(*value).is_finite()) {
                    return Err(WeightsError::NotFinite(weight_name));
                }
                None
            }
            other => return Err(WeightsError::Type { name: weight_name, found: format!("{other:?}") }),
        };
        let start = weight.data().as_ptr() as usize - bytes.as_ptr() as usize;
        let bias = floats(file, &format!("{name}.bias"), shape[0])?;
        Ok(Self { weight: start..start + weight.data().len(), codebook, bias })
    }
}

/// Reads a vector of `len` finite f32.
fn floats(file: &SafeTensors<'_>, name: &str, len: usize) -> Result<Vec<f32>, WeightsError> {
    let tensor = file.tensor(name).map_err(|_| WeightsError::Missing(name.to_owned()))?;
    if tensor.shape() != [len] {
        let (found, expected) = (tensor.shape().to_vec(), vec![len]);
        return Err(WeightsError::Shape { name: name.to_owned(), found, expected });
    }
    if tensor.dtype() != Dtype::F32 {
        return Err(WeightsError::Type { name: name.to_owned(), found: format!("{:?}", tensor.dtype()) });
    }
    let values: Vec<f32> = tensor.data().as_chunks::<4>().0.iter().map(|value| f32::from_le_bytes(*value)).collect();
    if values.iter().all(|v| v.is_finite()) { Ok(values) } else { Err(WeightsError::NotFinite(name.to_owned())) }
}
