//! How long passes take, by the card's own clock.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::gpu::device::Shader;
use crate::layer::{Layer, LayerKind};
use crate::network::{LayerTime, ShaderTime, direct_flops};

/// What a pass belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PassLabel {
    pub(crate) shader: Shader,
    pub(crate) function: &'static str,
    /// Number of the convolution that it is a part of, if it is one.
    pub(crate) convolution: Option<usize>,
    /// Whether it is on the way back.
    pub(crate) is_backward: bool,
}

/// Times of the passes of an evaluation.
#[derive(Default)]
pub(crate) struct PassTimes {
    shaders: BTreeMap<(&'static str, &'static str), (usize, Duration)>,
    /// Forward and backward, by convolution.
    layers: BTreeMap<usize, [Duration; 2]>,
}

impl PassTimes {
    pub(crate) fn add(&mut self, label: PassLabel, time: Duration) {
        let PassLabel { shader, function, convolution, is_backward } = label;
        let of_shader = self.shaders.entry((shader.name(), function)).or_default();
        *of_shader = (of_shader.0 + 1, of_shader.1 + time);
        if let Some(convolution) = convolution {
            self.layers.entry(convolution).or_default()[usize::from(is_backward)] += time;
        }
    }

    /// The times by convolution, for images of this size.
    pub(crate) fn layers(&self, width: usize, height: usize) -> Vec<LayerTime> {
        let of_layer = |(&convolution, &[forward, backward]): (&usize, &[Duration; 2])| {
            let layer = Layer::at(convolution, LayerKind::Relu);
            LayerTime { layer, direct_flops: direct_flops(layer, width, height), forward, backward }
        };
        self.layers.iter().map(of_layer).collect()
    }

    /// The times by shader, the longest first.
    pub(crate) fn shaders(&self) -> Vec<ShaderTime> {
        let of_shader =
            |(&(shader, function), &(passes, time)): (&(&'static str, &'static str), &(usize, Duration))| ShaderTime {
                shader,
                function,
                passes,
                time,
            };
        let mut all: Vec<ShaderTime> = self.shaders.iter().map(of_shader).collect();
        all.sort_by_key(|shader| std::cmp::Reverse(shader.time));
        all
    }
}
