//! Every kernel at the shapes that VGG-19 has at 512x512 px, with every instruction set of the
//! machine, on all cores.
//!
//! `cargo bench -p impasto-engine`; a name, `-- conv3_2/forward`, runs a part. The rate
//! ("elements") is in operations of the direct form: a convolution's are 18 for each pair of
//! channels and position, those of a Gram matrix or its gradient 2, symmetric or not. A search for
//! matches has 2 for each channel and pair of positions.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use impasto_engine::cpu::Isa;
use impasto_engine::cpu::internals::{ConvolutionBench, FeatureMap, FirstLayerBench, add_gram, gram_gradient, matches};
use impasto_engine::network::{CandidateMap, MatchCandidates};

/// Side of the image in pixels.
const SIDE: usize = 512;

/// A convolution that others of the network are like.
struct BenchedConvolution {
    name: &'static str,
    side: usize,
    channels_in: usize,
    channels_out: usize,
    /// A pooling follows, which is part of the kernel.
    pooled: bool,
}

const SHAPES: [BenchedConvolution; 8] = [
    BenchedConvolution { name: "conv1_2", side: SIDE, channels_in: 64, channels_out: 64, pooled: true },
    BenchedConvolution { name: "conv2_1", side: SIDE / 2, channels_in: 64, channels_out: 128, pooled: false },
    BenchedConvolution { name: "conv2_2", side: SIDE / 2, channels_in: 128, channels_out: 128, pooled: true },
    BenchedConvolution { name: "conv3_1", side: SIDE / 4, channels_in: 128, channels_out: 256, pooled: false },
    BenchedConvolution { name: "conv3_2", side: SIDE / 4, channels_in: 256, channels_out: 256, pooled: false },
    BenchedConvolution { name: "conv4_1", side: SIDE / 8, channels_in: 256, channels_out: 512, pooled: false },
    BenchedConvolution { name: "conv4_2", side: SIDE / 8, channels_in: 512, channels_out: 512, pooled: false },
    BenchedConvolution { name: "conv5_1", side: SIDE / 16, channels_in: 512, channels_out: 512, pooled: false },
];

/// Style layers: side and channels.
const STYLE: [(&str, usize, usize); 5] = [
    ("relu1_1", SIDE, 64),
    ("relu2_1", SIDE / 2, 128),
    ("relu3_1", SIDE / 4, 256),
    ("relu4_1", SIDE / 8, 512),
    ("relu5_1", SIDE / 16, 512),
];

/// Style layers whose positions are matched.
const MATCHED: [&str; 2] = ["relu3_1", "relu4_1"];

/// Uniform in -1..1, the same in every run: a 64-bit linear congruential generator (Knuth), upper
/// bits.
fn noise(len: usize) -> Vec<f32> {
    let mut state = 1u64;
    let mut value = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    (0..len).map(|_| value()).collect()
}

/// Half of the bits set.
fn mask(bits: usize) -> Vec<u8> {
    noise(bits / 8).iter().map(|v| (128.0 * v + 128.0) as u8).collect()
}

fn map(side: usize, channels: usize) -> FeatureMap {
    let mut map = FeatureMap::zeros(side, side, channels);
    map.as_mut_slice().copy_from_slice(&noise(side * side * channels));
    map
}

/// Times `work` once for each instruction set.
fn bench(c: &mut Criterion, kernel: &str, flops: usize, mut work: impl FnMut(Isa)) {
    let mut group = c.benchmark_group(kernel);
    group.throughput(Throughput::Elements(flops as u64)).sampling_mode(SamplingMode::Flat);
    for isa in Isa::available() {
        group.bench_function(BenchmarkId::from_parameter(isa), |b| b.iter(|| work(isa)));
    }
    group.finish();
}

fn first_layer(c: &mut Criterion) {
    let flops = 18 * 3 * 64 * SIDE * SIDE;
    let layer = FirstLayerBench::new(&noise(64 * 27));
    let padded = noise(FirstLayerBench::padded_len(SIDE, SIDE));
    let (mut output, mut mask) = (FeatureMap::zeros(SIDE, SIDE, 64), mask(SIDE * SIDE * 64));
    bench(c, "conv1_1/forward", flops, |isa| layer.forward(isa, black_box(&padded), &mut output, &mut mask));
    let mut image_gradient = vec![0.0; 3 * SIDE * SIDE];
    bench(c, "conv1_1/gradient", flops, |isa| layer.gradient(isa, black_box(&output), &mut image_gradient));
}

fn convolutions(c: &mut Criterion) {
    for BenchedConvolution { name, side, channels_in, channels_out, pooled } in SHAPES {
        let flops = 18 * channels_in * channels_out * side * side;
        let filters = noise(9 * channels_in * channels_out);
        let (forward, gradient) = (format!("{name}/forward"), format!("{name}/gradient"));
        let input = map(side, channels_in);
        let mut output = map(if pooled { side / 2 } else { side }, channels_out);
        // A window of a pooling has four bits.
        let mut output_mask = mask(side * side * channels_out);
        let mut convolution = ConvolutionBench::new(&filters, channels_out);
        bench(c, &forward, flops, |isa| {
            let input = black_box(&input);
            if pooled {
                convolution.forward_pooled(isa, input, &mut output, &mut output_mask);
            } else {
                convolution.forward(isa, input, &mut output, &mut output_mask);
            }
        });

        let (mut input_gradient, input_mask) = (input, mask(side * side * channels_in));
        let mut convolution = ConvolutionBench::new(&filters, channels_in);
        bench(c, &gradient, flops, |isa| {
            let upstream = black_box(&output);
            if pooled {
                convolution.gradient_unpooled(isa, upstream, &output_mask, &mut input_gradient, &input_mask);
            } else {
                convolution.gradient(isa, upstream, &mut input_gradient, &input_mask);
            }
        });
    }
}

fn gram_matrices(c: &mut Criterion) {
    for (name, side, channels) in STYLE {
        let flops = 2 * channels * channels * side * side;
        let mut features = map(side, channels);
        let mut sums = vec![0.0; channels * channels];
        bench(c, &format!("{name}/gram"), flops, |isa| {
            add_gram(isa, channels, black_box(features.as_slice()), &mut sums);
        });
        // The gradient takes the features' place; the identity leaves them what they are, run after
        // run.
        let mut identity = vec![0.0; channels * channels];
        identity.iter_mut().step_by(channels + 1).for_each(|v| *v = 1.0);
        bench(c, &format!("{name}/gram_gradient"), flops, |isa| {
            let all = 0..features.as_slice().len();
            features.replace(all, |_, features, out| gram_gradient(isa, channels, features, &identity, out, false));
        });
    }
}

fn searches(c: &mut Criterion) {
    for (name, side, channels) in STYLE.into_iter().filter(|(name, ..)| MATCHED.contains(name)) {
        let map = map(side, channels);
        let values = noise(side * side * channels).iter().map(|v| v.abs()).collect();
        let style = CandidateMap { height: side, width: side, values, counts: None };
        let candidates = MatchCandidates::new(channels, vec![style]).expect("all positions count");
        bench(c, &format!("{name}/matches"), 2 * channels * (side * side).pow(2), |isa| {
            black_box(matches(isa, black_box(&map), &candidates));
        });
    }
}

criterion_group! {
    name = kernels;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = first_layer, convolutions, gram_matrices, searches
}
criterion_main!(kernels);
