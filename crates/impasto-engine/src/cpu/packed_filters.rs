//! The filters of all convolutions, laid out for the kernels.

use std::sync::{Arc, OnceLock};

use crate::cpu::kernels::first_layer::FirstLayer;
use crate::cpu::kernels::winograd::Filters;
use crate::layer::CONVOLUTIONS;
use crate::weights::{Preprocessing, Weights};

/// The filters of the frozen network. Each convolution's weights are decoded and laid out once,
/// when they are first needed.
pub(crate) struct PackedFilters {
    weights: Arc<Weights>,
    first: OnceLock<FirstLayer>,
    /// `[in][3][3][out]`, by convolution. The first convolution has a layout of its own.
    forward: [OnceLock<Filters>; CONVOLUTIONS],
    /// `[out][3][3][in]`, turned by 180 degrees.
    backward: [OnceLock<Filters>; CONVOLUTIONS],
}

impl PackedFilters {
    pub(crate) fn new(weights: Arc<Weights>) -> Self {
        Self { weights, first: OnceLock::new(), forward: Default::default(), backward: Default::default() }
    }

    /// How pixels become the network's input.
    pub(crate) fn preprocessing(&self) -> Preprocessing {
        self.weights.preprocessing()
    }

    /// The bias of a convolution.
    pub(crate) fn bias(&self, convolution: usize) -> &[f32] {
        self.weights.bias(convolution)
    }

    /// The filters of the first convolution, for an image in RGB.
    pub(crate) fn first(&self) -> &FirstLayer {
        self.first.get_or_init(|| {
            let (stored, order) = (self.weights.filters(0), self.preprocessing().order);
            let mut rgb = vec![0.0; 64 * 27];
            for k in 0..64 {
                for c in 0..3 {
                    rgb[(k * 3 + order[c]) * 9..][..9].copy_from_slice(&stored.at(k, c));
                }
            }
            FirstLayer::new(&rgb)
        })
    }

    /// The filters of a convolution on the way forward.
    pub(crate) fn forward(&self, convolution: usize) -> &Filters {
        self.forward[convolution].get_or_init(|| {
            let [outputs, inputs, ..] = Weights::shape(convolution);
            let stored = self.weights.filters(convolution);
            Filters::new(inputs, outputs, |i, o| stored.at(o, i))
        })
    }

    /// The filters of a convolution on the way back: the gradient with respect to its input is the
    /// convolution of the gradient with these.
    pub(crate) fn backward(&self, convolution: usize) -> &Filters {
        self.backward[convolution].get_or_init(|| {
            let [outputs, inputs, ..] = Weights::shape(convolution);
            let stored = self.weights.filters(convolution);
            Filters::new(outputs, inputs, |o, i| {
                let mut filter = stored.at(o, i);
                filter.reverse();
                filter
            })
        })
    }
}
