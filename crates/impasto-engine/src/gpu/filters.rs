//! The weights on the card.

use std::sync::{Arc, OnceLock};

use crate::gpu::device::{GpuBuffer, GpuDevice};
use crate::gpu::winograd::{transform_filters, uses_winograd};
use crate::layer::CONVOLUTIONS;
use crate::weights::{Preprocessing, Weights};

/// The filters of the frozen network on a card. Each convolution's weights are decoded, laid out
/// and sent once, when they are first needed.
pub(crate) struct GpuFilters {
    weights: Arc<Weights>,
    forward: [OnceLock<GpuBuffer>; CONVOLUTIONS],
    backward: [OnceLock<GpuBuffer>; CONVOLUTIONS],
    bias: [OnceLock<GpuBuffer>; CONVOLUTIONS],
    no_bias: OnceLock<GpuBuffer>,
}

/// Most outputs of a convolution.
const MOST_OUTPUTS: usize = 512;

impl GpuFilters {
    pub(crate) fn new(weights: Arc<Weights>) -> Self {
        Self {
            weights,
            forward: Default::default(),
            backward: Default::default(),
            bias: Default::default(),
            no_bias: OnceLock::new(),
        }
    }

    /// How pixels become the network's input.
    pub(crate) fn preprocessing(&self) -> Preprocessing {
        self.weights.preprocessing()
    }

    /// The filters of a convolution on the way forward, `[9][in][out]`, or `[36][in][out]` if it
    /// [uses Winograd](uses_winograd). The first convolution is for an image in RGB.
    pub(crate) fn forward(&self, device: &GpuDevice, convolution: usize) -> &GpuBuffer {
        self.forward[convolution].get_or_init(|| {
            let [outputs, inputs, ..] = Weights::shape(convolution);
            let stored = self.weights.filters(convolution);
            if uses_winograd(convolution) {
                return device.buffer_of(&transform_filters([inputs, outputs], |i, o| stored.at(o, i)));
            }
            let mut values = vec![0.0; 9 * inputs * outputs];
            let order = self.preprocessing().order;
            for o in 0..outputs {
                for i in 0..inputs {
                    let place = if convolution == 0 { order[i] } else { i };
                    for (tap, w) in stored.at(o, i).into_iter().enumerate() {
                        values[(tap * inputs + place) * outputs + o] = w;
                    }
                }
            }
            device.buffer_of(&values)
        })
    }

    /// The filters of a convolution on the way back, turned by 180 degrees: `[9][out][in]`, or
    /// `[36][out][in]` if it [uses Winograd](uses_winograd).
    pub(crate) fn backward(&self, device: &GpuDevice, convolution: usize) -> &GpuBuffer {
        self.backward[convolution].get_or_init(|| {
            let [outputs, inputs, ..] = Weights::shape(convolution);
            let stored = self.weights.filters(convolution);
            if uses_winograd(convolution) {
                let turned = |o, i| {
                    let mut filter = stored.at(o, i);
                    filter.reverse();
                    filter
                };
                return device.buffer_of(&transform_filters([outputs, inputs], turned));
            }
            let mut values = vec![0.0; 9 * inputs * outputs];
            for o in 0..outputs {
                for i in 0..inputs {
                    for (tap, w) in stored.at(o, i).into_iter().rev().enumerate() {
                        values[(tap * outputs + o) * inputs + i] = w;
                    }
                }
            }
            device.buffer_of(&values)
        })
    }

    /// The bias of a convolution.
    pub(crate) fn bias(&self, device: &GpuDevice, convolution: usize) -> &GpuBuffer {
        self.bias[convolution].get_or_init(|| device.buffer_of(self.weights.bias(convolution)))
    }

    /// Zeros in the place of a bias.
    pub(crate) fn no_bias(&self, device: &GpuDevice) -> &GpuBuffer {
        self.no_bias.get_or_init(|| device.buffer(MOST_OUTPUTS))
    }
}
