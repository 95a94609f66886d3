//! The kernels one by one, for `benches/kernels.rs`.
//!
//! A benchmark is a crate of its own and sees only public items, and the kernels are not public.
//! Nothing else uses this module. It is no part of the interface.
//!
//! Masks are those that the kernels write: one bit a value, four bits a window of a pooling.

use crate::cpu::kernels::buffer::Scratch;
pub use crate::cpu::kernels::feature_map::FeatureMap;
use crate::cpu::kernels::first_layer::{FirstLayer, PADDED_CHANNELS};
pub use crate::cpu::kernels::gram::{add_gram, gram_gradient};
use crate::cpu::kernels::isa::Isa;
use crate::cpu::kernels::maps::{GradientSink, MapSink, MapSource, PoolSink, Rows, UnpoolSource};
use crate::cpu::kernels::matches::{MapRows, find_matches};
use crate::cpu::kernels::winograd::{Border, Filters, convolve};
use crate::network::MatchCandidates;
use crate::plan::tile::WinogradTile;
use crate::pooling::Pooling;

/// Filters and memory of one convolution.
pub struct ConvolutionBench {
    filters: Filters,
    bias: Vec<f32>,
    scratch: Scratch,
}

impl ConvolutionBench {
    /// A convolution without bias. `filters`: `[channels_in][3][3][channels_out]`.
    pub fn new(filters: &[f32], channels_out: usize) -> Self {
        let channels_in = filters.len() / (9 * channels_out);
        let filter = |i: usize, o: usize| std::array::from_fn(|place| filters[(9 * i + place) * channels_out + o]);
        let filters = Filters::new(channels_in, channels_out, filter);
        Self { filters, bias: vec![0.0; channels_out], scratch: Scratch::default() }
    }

    /// Convolution, rectifier and its mask.
    pub fn forward(&mut self, isa: Isa, input: &FeatureMap, output: &mut FeatureMap, mask: &mut [u8]) {
        let Self { filters, bias, scratch } = self;
        convolve(
            tile(WinogradTile::Six, input, output.channels()),
            isa,
            MapSource::new(input, Rows::all(input), Border::Zero),
            MapSink::new(output, Rows::all(input), 0..input.height(), bias, Some(mask)),
            filters,
            scratch,
        );
    }

    /// Convolution, rectifier, maximum pooling and the windows' masks.
    pub fn forward_pooled(&mut self, isa: Isa, input: &FeatureMap, output: &mut FeatureMap, windows: &mut [u8]) {
        let Self { filters, bias, scratch } = self;
        let (height, width, all) = (input.height(), input.width(), Rows::all(output));
        let tile = tile(WinogradTile::Six, input, output.channels());
        let sink = PoolSink::new(output, all, 0..height, bias, windows, Pooling::Max, height, width);
        let source = MapSource::new(input, Rows::all(input), Border::Zero);
        convolve(tile, isa, source, sink, filters, scratch);
    }

    /// Gradient with respect to the input, before the input's own rectifier. The filters are those
    /// of the way back.
    pub fn gradient(&mut self, isa: Isa, upstream: &FeatureMap, output: &mut FeatureMap, mask: &[u8]) {
        let (all, tile) = (Rows::all(upstream), tile(WinogradTile::Eight, upstream, output.channels()));
        let sink = GradientSink::new(output, all, 0..all.height, Some(mask), false);
        let source = MapSource::new(upstream, all, Border::Zero);
        convolve(tile, isa, source, sink, &self.filters, &mut self.scratch);
    }

    /// [`ConvolutionBench::gradient`], from the gradient behind a maximum pooling.
    pub fn gradient_unpooled(
        &mut self,
        isa: Isa,
        upstream: &FeatureMap,
        windows: &[u8],
        output: &mut FeatureMap,
        mask: &[u8],
    ) {
        let (height, width) = (output.height(), output.width());
        let (all, upstream_rows) = (Rows::all(output), Rows::all(upstream));
        let tile = WinogradTile::choose(WinogradTile::Eight, height, width, upstream.channels(), output.channels());
        let source = UnpoolSource::new(upstream, upstream_rows, windows, Pooling::Max, height, width, Border::Zero);
        let sink = GradientSink::new(output, all, 0..height, Some(mask), false);
        convolve(tile, isa, source, sink, &self.filters, &mut self.scratch);
    }
}

/// The tile that the network's passes choose.
fn tile(largest: WinogradTile, input: &FeatureMap, channels_out: usize) -> WinogradTile {
    WinogradTile::choose(largest, input.height(), input.width(), input.channels(), channels_out)
}

/// Filters of conv1_1.
pub struct FirstLayerBench {
    layer: FirstLayer,
    bias: Vec<f32>,
}

impl FirstLayerBench {
    /// conv1_1 without bias. `weights`: `[64, 3, 3, 3]`, OIHW.
    pub fn new(weights: &[f32]) -> Self {
        Self { layer: FirstLayer::new(weights), bias: vec![0.0; 64] }
    }

    /// Returns how many values an image with a margin of one pixel has.
    pub fn padded_len(height: usize, width: usize) -> usize {
        (height + 2) * (width + 2) * PADDED_CHANNELS
    }

    /// Convolution, rectifier and its mask. `padded`: `[H + 2, W + 2, 3]`.
    pub fn forward(&self, isa: Isa, padded: &[f32], output: &mut FeatureMap, mask: &mut [u8]) {
        let all = Rows::all(output);
        self.layer.forward(isa, padded, &MapSink::new(output, all, 0..all.height, &self.bias, Some(mask)));
    }

    /// Gradient with respect to the image, `[H, W, 3]`.
    pub fn gradient(&self, isa: Isa, upstream: &FeatureMap, image_gradient: &mut [f32]) {
        self.layer.input_gradient(isa, upstream, Rows::all(upstream), 0, image_gradient);
    }
}

/// Returns the match of every position of a map among the candidates.
pub fn matches(isa: Isa, map: &FeatureMap, candidates: &MatchCandidates) -> Vec<u32> {
    let (height, width) = (map.height(), map.width());
    let rows = MapRows { values: map.as_slice(), first: 0, height, width, wraps: false };
    find_matches(isa, rows, 0..height, None, candidates)
}
