//! Convolutions by Winograd's minimal filtering F(4x4, 3x3), in pieces.
//!
//! A convolution takes its tiles in rounds. The inputs of a round become 36 matrices. Each of them
//! is multiplied with its transformed filters, and the 36 products become the outputs. All
//! convolutions of a workspace share two buffers for these matrices. The buffers are small enough
//! for the level-2 cache of large cards. The direct form, [`Passes::product`] with nine taps, is
//! the reference.

use rayon::prelude::*;

use crate::cpu::kernels::transform::{F4, Points};
use crate::gpu::device::{GpuBuffer, GpuDevice, Shader};
use crate::gpu::passes::{Passes, Product, Window};
use crate::layer::{Layer, LayerKind};
use crate::plan::card::{LAST_WINOGRAD_BLOCK, ROUND_BYTES};
use crate::weights::Weights;

/// Side of a tile of outputs.
const SIDE: usize = 4;

/// Matrices of a round: one for each of the 6x6 inputs of a tile.
const MATRICES: usize = 36;

/// Most values of the transformed inputs of a round, and most values of its products.
const ROUND: usize = ROUND_BYTES / 2 / size_of::<f32>();

/// A round that is not the last one has a multiple of this many tiles. The products work on as many
/// at a time.
const ROUND_STEP: usize = 128;

/// `G` of F(4, 3), in f64.
const FILTER: [[f64; 3]; 6] = {
    let ([small, large], [[_, small_square], [_, large_square]]) = (F4::POINTS, F4::EVEN_POWERS);
    let [small_norm, large_norm] = F4::NORMS;
    [
        [1.0 / F4::PRODUCT[0], 0.0, 0.0],
        [small_norm, small_norm * small, small_norm * small_square],
        [small_norm, -small_norm * small, small_norm * small_square],
        [large_norm, large_norm * large, large_norm * large_square],
        [large_norm, -large_norm * large, large_norm * large_square],
        [0.0, 0.0, 1.0],
    ]
};

/// Returns whether a convolution uses Winograd. The first one has too few channels.
pub(crate) fn uses_winograd(convolution: usize) -> bool {
    convolution > 0 && Layer::at(convolution, LayerKind::Conv).block() <= LAST_WINOGRAD_BLOCK
}

/// Returns `G g Gᵀ` of all filters of a convolution, `[36][in][out]`, each value rounded once.
/// `filter` returns the 3x3 filter from an input channel to an output channel, row by row.
pub(crate) fn transform_filters(
    [inputs, outputs]: [usize; 2],
    filter: impl Fn(usize, usize) -> [f32; 9] + Sync,
) -> Vec<f32> {
    let filters: Vec<[f32; 9]> =
        (0..inputs * outputs).into_par_iter().map(|i| filter(i / outputs, i % outputs)).collect();
    let mut values = vec![0.0; MATRICES * inputs * outputs];
    values.par_chunks_mut(outputs).enumerate().for_each(|(chunk, values)| {
        let (matrix, input) = (chunk / inputs, chunk % inputs);
        let weights: [f64; 9] = std::array::from_fn(|i| FILTER[matrix / 6][i / 3] * FILTER[matrix % 6][i % 3]);
        for (value, filter) in values.iter_mut().zip(&filters[input * outputs..]) {
            *value = weights.iter().zip(filter).map(|(w, &g)| w * f64::from(g)).sum::<f64>() as f32;
        }
    });
    values
}

/// Returns the number of tiles of a map.
fn tiles([height, width]: [usize; 2]) -> usize {
    height.div_ceil(SIDE) * width.div_ceil(SIDE)
}

/// Returns the most tiles of a round.
fn round([inputs, outputs]: [usize; 2]) -> usize {
    let most = ROUND / (MATRICES * inputs.max(outputs));
    assert!(most >= ROUND_STEP, "a round has room for {inputs} and {outputs} channels");
    most / ROUND_STEP * ROUND_STEP
}

/// The matrices of a round, for one convolution after the other.
pub(crate) struct WinogradMatrices {
    /// `[36][tiles][in]`
    inputs: GpuBuffer,
    /// `[36][tiles][out]`
    products: GpuBuffer,
    /// Zeros in the place of the bias of a product.
    no_bias: GpuBuffer,
}

impl WinogradMatrices {
    /// Matrices for the convolutions up to `deepest`, of images of this height and width.
    pub(crate) fn new(device: &GpuDevice, [height, width]: [usize; 2], deepest: usize) -> Self {
        let convolutions = (0..=deepest).filter(|&i| uses_winograd(i)).map(|i| {
            let poolings = Layer::at(i, LayerKind::Conv).poolings();
            let [outputs, inputs, ..] = Weights::shape(i);
            ([height >> poolings, width >> poolings], [inputs, outputs])
        });
        Self::of(device, convolutions)
    }

    /// Matrices for convolutions of these sizes and channels.
    fn of(device: &GpuDevice, convolutions: impl Iterator<Item = ([usize; 2], [usize; 2])>) -> Self {
        let (mut most, mut most_channels) = (1, 1);
        for (size, channels) in convolutions {
            let larger = channels[0].max(channels[1]);
            most = most.max(MATRICES * tiles(size).min(round(channels)) * larger);
            most_channels = most_channels.max(larger);
        }
        let [inputs, products] = [(); 2].map(|()| device.buffer(most));
        Self { inputs, products, no_bias: device.buffer(most_channels) }
    }
}

impl Passes {
    /// Adds convolution number `convolution`, or its way back. It has the form that
    /// [`uses_winograd`] decides, and so have its filters.
    pub(crate) fn convolution(
        &mut self,
        device: &GpuDevice,
        matrices: &WinogradMatrices,
        convolution: usize,
        product: &Product<'_>,
    ) {
        if uses_winograd(convolution) {
            self.winograd(device, matrices, product);
        } else {
            self.product(device, product);
        }
    }

    /// Adds a convolution of a whole map by Winograd. The filters are `[36][in][out]`.
    fn winograd(&mut self, device: &GpuDevice, matrices: &WinogradMatrices, convolution: &Product<'_>) {
        let Product { size: [height, width], window, channels: [inputs, outputs], .. } = *convolution;
        assert_eq!(convolution.taps, 9, "a convolution");
        assert_eq!(window.positions(), height * width, "a whole map");
        assert!(!convolution.adds && convolution.weights.is_none(), "outputs replace what was there");
        let constants = |channels: usize| {
            [
                ("CHANNELS", channels as u32),
                ("WRAPS", convolution.wraps.into()),
                ("RECTIFIES", convolution.rectifies.into()),
            ]
        };
        let (tiles, step) = (tiles(convolution.size), round(convolution.channels));
        for first in (0..tiles).step_by(step) {
            let count = step.min(tiles - first);
            let params = [height, width, first, count].map(|n| n as u32);
            self.each(
                device,
                (Shader::Winograd, "transform_inputs"),
                &constants(inputs),
                &params,
                &[convolution.source, convolution.bias, &matrices.inputs],
                count * inputs / 4,
            );
            self.products(
                device,
                &Product {
                    size: [MATRICES, count],
                    window: Window::whole(1, count),
                    taps: 1,
                    wraps: false,
                    rectifies: false,
                    source: &matrices.inputs,
                    bias: &matrices.no_bias,
                    output: &matrices.products,
                    ..*convolution
                },
                MATRICES,
            );
            self.each(
                device,
                (Shader::Winograd, "transform_outputs"),
                &constants(outputs),
                &params,
                &[&matrices.products, convolution.bias, convolution.output],
                count * outputs / 4,
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu::passes::PRODUCT_TILES;
    use crate::gpu::testing::devices;
    use crate::reference::{Noise, relative_error};

    /// Bound on the relative error (L2) of a convolution by Winograd against the direct form.
    /// Measured on llvmpipe: 1.3e-6.
    const ERROR: f64 = 5e-6;

    /// A convolution of noise with noise.
    #[derive(Clone, Debug)]
    struct Case {
        size: [usize; 2],
        channels: [usize; 2],
        wraps: bool,
        rectifies: bool,
        /// Whether it is the way back of a convolution with these channels.
        backward: bool,
    }

    impl Case {
        fn random(noise: &mut Noise) -> Self {
            let mut below = |n: usize| ((0.5 + 0.5 * noise.next()) * n as f64) as usize;
            Self {
                size: [1 + below(40), 1 + below(40)],
                channels: [64 << below(2), 64 << below(2)],
                wraps: below(2) == 0,
                rectifies: below(2) == 0,
                backward: below(2) == 0,
            }
        }

        /// In and out, in the direction of the case.
        fn ends(&self) -> [usize; 2] {
            let [inputs, outputs] = self.channels;
            if self.backward { [outputs, inputs] } else { [inputs, outputs] }
        }

        fn source(&self) -> Vec<f32> {
            Noise(1).vector(self.size[0] * self.size[1] * self.ends()[0])
        }

        /// The filter between two channels in the direction of the case, from noise in `weights`,
        /// `[out][in][9]`.
        fn filter(&self, weights: &[f32], from: usize, to: usize) -> [f32; 9] {
            let (i, o) = if self.backward { (to, from) } else { (from, to) };
            let first = 9 * (o * self.channels[0] + i);
            std::array::from_fn(|tap| weights[first + if self.backward { 8 - tap } else { tap }])
        }

        /// The outputs by Winograd or in the direct form, from `source`.
        fn outputs(&self, device: &GpuDevice, by_winograd: bool, source: &[f32]) -> Vec<f32> {
            let [height, width] = self.size;
            let ends @ [inputs, outputs] = self.ends();
            let weights = Noise(2).vector(9 * inputs * outputs);
            let filters = if by_winograd {
                transform_filters(ends, |i, o| self.filter(&weights, i, o))
            } else {
                let at = |tap: usize, i: usize| (0..outputs).map(move |o| (tap, i, o));
                let all = (0..9).flat_map(|tap| (0..inputs).flat_map(move |i| at(tap, i)));
                all.map(|(tap, i, o)| self.filter(&weights, i, o)[tap]).collect()
            };
            let output = device.buffer(height * width * outputs);
            let product = Product {
                size: self.size,
                window: Window::whole(height, width),
                taps: 9,
                channels: ends,
                wraps: self.wraps,
                rectifies: self.rectifies,
                adds: false,
                source: &device.buffer_of(source),
                filters: &device.buffer_of(&filters),
                bias: &device.buffer_of(&Noise(3).vector(outputs)),
                weights: None,
                output: &output,
            };
            let mut passes = Passes::default();
            if by_winograd {
                let matrices = WinogradMatrices::of(device, [(self.size, ends)].into_iter());
                passes.winograd(device, &matrices, &product);
            } else {
                passes.product(device, &product);
            }
            passes.run(device);
            read(device, &output)
        }
    }

    fn read(device: &GpuDevice, buffer: &GpuBuffer) -> Vec<f32> {
        device.read(&[(buffer, 0..buffer.len)]).expect("the values come back").remove(0)
    }

    fn bits(values: &[f32]) -> Vec<u32> {
        values.iter().map(|value| value.to_bits()).collect()
    }

    #[test]
    fn it_agrees_with_the_direct_form() {
        let mut noise = Noise(4);
        let several_rounds =
            Case { size: [181, 170], channels: [64; 2], wraps: true, rectifies: false, backward: false };
        assert!(tiles(several_rounds.size) > round(several_rounds.channels));
        let tiny = [[1, 1], [2, 40], [4, 4], [5, 3]].map(|size| Case { size, ..several_rounds.clone() });
        let random = (0..16).map(|_| Case::random(&mut noise));
        let cases: Vec<_> = random.chain(tiny).chain([several_rounds]).collect();
        for device in devices() {
            for case in &cases {
                let [found, expected] = [true, false].map(|by| case.outputs(device, by, &case.source()));
                let expected: Vec<f64> = expected.into_iter().map(f64::from).collect();
                let error = relative_error(found.into_iter().map(f64::from), &expected);
                assert!(error < ERROR, "{}: {case:?}: {error:e}", device.identity());
            }
        }
    }

    #[test]
    fn two_runs_have_the_same_bits() {
        let case = Case { size: [37, 22], channels: [64, 128], wraps: false, rectifies: true, backward: false };
        for device in devices() {
            let run = || bits(&case.outputs(device, true, &case.source()));
            assert!(run() == run(), "{}", device.identity());
        }
    }

    #[test]
    fn rows_have_the_same_bits_in_a_map_that_begins_a_tile_later() {
        let whole = Case { size: [23, 18], channels: [64; 2], wraps: false, rectifies: false, backward: false };
        let part = Case { size: [23 - SIDE, 18], ..whole.clone() };
        let row = 18 * 64;
        for device in devices() {
            let source = whole.source();
            let of_whole = whole.outputs(device, true, &source);
            let of_part = part.outputs(device, true, &source[SIDE * row..]);
            // The first tiles of the part read zeros above it.
            assert!(bits(&of_whole[2 * SIDE * row..]) == bits(&of_part[SIDE * row..]), "{}", device.identity());
        }
    }

    #[test]
    fn positions_of_a_workgroup_change_no_bit() {
        let (height, width, channels) = (19, 23, 128);
        let weights_of = |window: Window| Noise(5).vector(window.positions());
        let inner = Window { top: 3, left: 2, height: 11, width: 17 };
        let row = Window::whole(1, width);
        for device in devices() {
            let filters = device.buffer_of(&Noise(6).vector(height * channels * channels));
            let source = device.buffer_of(&Noise(7).vector(height * width * channels));
            let bias = device.buffer_of(&Noise(8).vector(channels));
            // A convolution, the gradient of a weighted term, and a product for each row of a map.
            for (window, taps, adds, count) in
                [(Window::whole(height, width), 9, false, 1), (inner, 1, true, 1), (row, 1, false, height)]
            {
                let weights = adds.then(|| device.buffer_of(&weights_of(window)));
                let results = PRODUCT_TILES.map(|tile| {
                    let output = device.buffer_of(&Noise(9).vector(height * width * channels));
                    let product = Product {
                        size: [height, width],
                        window,
                        taps,
                        channels: [channels; 2],
                        wraps: taps == 9,
                        rectifies: false,
                        adds,
                        source: &source,
                        filters: &filters,
                        bias: &bias,
                        weights: weights.as_ref().map(|weights| (weights, 0)),
                        output: &output,
                    };
                    let mut passes = Passes::default();
                    passes.products_in(tile, device, &product, count);
                    passes.run(device);
                    bits(&read(device, &output))
                });
                assert!(results.iter().all(|bits| *bits == results[0]), "{}: {taps} taps", device.identity());
            }
        }
    }
}
