//! The network: frozen weights, laid out for the kernels.

use std::fmt;
use std::sync::OnceLock;

use crate::cpu::kernels::first_layer::FirstLayer;
use crate::cpu::kernels::winograd::Filters;
use crate::layer::CONVOLUTIONS;
use crate::weights::{Preprocessing, Weights, WeightsError};

/// The frozen network. Each convolution's weights are decoded and laid out when they are first needed, once.
pub struct Vgg19 {
    weights: Weights,
    first: OnceLock<FirstLayer>,
    /// `[in][3][3][out]`, by convolution; the first has its own layout.
    forward: [OnceLock<Filters>; CONVOLUTIONS],
    /// `[out][3][3][in]`, turned by 180 degrees.
    backward: [OnceLock<Filters>; CONVOLUTIONS],
}

impl fmt::Debug for Vgg19 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vgg19").field("preprocessing", &self.weights.preprocessing()).finish_non_exhaustive()
    }
}

impl Vgg19 {
    /// The network from a safetensors file that is part of the program; see [`crate::weights`] for what is understood.
    ///
    /// # Errors
    /// If the file is not a VGG-19.
    pub fn from_static(bytes: &'static [u8]) -> Result<Self, WeightsError> {
        Weights::from_static(bytes).map(Self::new)
    }

    /// The network from a safetensors file; see [`crate::weights`] for what is understood.
    ///
    /// # Errors
    /// If the file is not a VGG-19.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, WeightsError> {
        Weights::from_vec(bytes).map(Self::new)
    }

    fn new(weights: Weights) -> Self {
        Self { weights, first: OnceLock::new(), forward: Default::default(), backward: Default::default() }
    }

    /// The safetensors file that the network is from.
    pub fn file(&self) -> &[u8] {
        self.weights.file()
    }

    pub(crate) fn preprocessing(&self) -> Preprocessing {
        self.weights.preprocessing()
    }

    pub(crate) fn bias(&self, convolution: usize) -> &[f32] {
        self.weights.bias(convolution)
    }

    pub(crate) fn first(&self) -> &FirstLayer {
        self.first.get_or_init(|| {
            let order = self.preprocessing().order;
            let mut rgb = vec![0.0; 64 * 27];
            for k in 0..64 {
                for c in 0..3 {
                    rgb[(k * 3 + order[c]) * 9..][..9].copy_from_slice(&self.weights.filter(0, k, c));
                }
            }
            FirstLayer::new(&rgb)
        })
    }

    pub(crate) fn forward(&self, convolution: usize) -> &Filters {
        self.forward[convolution].get_or_init(|| {
            let [outputs, inputs, ..] = Weights::shape(convolution);
            Filters::new(inputs, outputs, |i, o| self.weights.filter(convolution, o, i))
        })
    }

    pub(crate) fn backward(&self, convolution: usize) -> &Filters {
        self.backward[convolution].get_or_init(|| {
            let [outputs, inputs, ..] = Weights::shape(convolution);
            Filters::new(outputs, inputs, |o, i| {
                let mut filter = self.weights.filter(convolution, o, i);
                filter.reverse();
                filter
            })
        })
    }
}
