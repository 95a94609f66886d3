//! What holds for every shape, tried on random ones.

use proptest::prelude::*;

use super::*;

/// Few: a case runs the f64 reference and every instruction set.
const CASES: u32 = 16;

/// Sides of a map, in pixels.
fn sides() -> impl Strategy<Value = (usize, usize)> {
    (1usize..=40, 1usize..=40)
}

fn channels() -> impl Strategy<Value = usize> {
    prop_oneof![Just(64usize), Just(128)]
}

fn pooling() -> impl Strategy<Value = Pooling> {
    prop_oneof![Just(Pooling::Max), Just(Pooling::Average)]
}

/// A mask of as many bits, half of them set.
fn random_mask(bits: usize, seed: u64) -> BitMask {
    let mut noise = Noise(seed);
    (0..bits / 8).map(|_| (noise.next() * 128.0 + 128.0) as u8).collect()
}

/// `Σ a·b`, and the norms of both multiplied: what its rounding errors are in proportion to.
fn inner(a: &[f32], b: &[f32]) -> (f64, f64) {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>();
    (dot(a, b), (dot(a, a) * dot(b, b)).sqrt())
}

/// Filters as the way back wants them: turned by 180 degrees, from outputs to inputs.
fn turned(filters: &reference::ReferenceFilters, channels_out: usize) -> Filters {
    Filters::new(channels_out, filters.channels_in, |o, i| {
        std::array::from_fn(|place| filters.weights[(9 * i + 8 - place) * channels_out + o] as f32)
    })
}

/// The gradient before a rectifier and a pooling, as the masks say.
fn unpool(pooled: &FeatureMap, windows: &BitMask, pooling: Pooling, height: usize, width: usize) -> ReferenceMap {
    let channels = pooled.channels();
    let mut out = ReferenceMap::zeros(height, width, channels);
    for y in 0..height / 2 * 2 {
        for x in 0..width / 2 * 2 {
            let position = y / 2 * (width / 2) + x / 2;
            for c in 0..channels {
                if bit(windows, (position * WINDOW + 2 * (y % 2) + x % 2) * channels + c) {
                    let v: f64 = pooled.as_slice()[position * channels + c].into();
                    *out.at_mut(y, x, c) = v * f64::from(pooling.gradient_scale());
                }
            }
        }
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn a_convolution_is_the_references(
        (height, width) in sides(), channels_in in channels(), channels_out in channels(), pooling in pooling(), seed: u64,
    ) {
        let mut scratch = Scratch::default();
        let x = map(height, width, channels_in, seed);
        let (weights, bias, reference) = filters(channels_in, channels_out);
        let rectified = reference::rectify(&reference::convolve(&reference_map(&x), &reference));
        let expected = reference::pool(&rectified, pooling == Pooling::Average);
        for (isa, tile) in isas_and_tiles() {
            let mut out = FeatureMap::zeros(height, width, channels_out);
            let mut mask = vec![0; out.as_slice().len() / 8];
            convolve(tile, isa, MapSource::new(&x, Rows::all(&x), Border::Zero), whole_sink(&mut out, &bias, Some(&mut mask)), &weights, &mut scratch);
            prop_assert!(error(&out, &rectified) < bound(tile), "{isa} {tile:?}: {:e}", error(&out, &rectified));
            prop_assert!((0..out.as_slice().len()).all(|i| bit(&mask, i) == (out.as_slice()[i] > 0.0)), "{isa} {tile:?}");

            let mut pooled = FeatureMap::zeros(height / 2, width / 2, channels_out);
            let mut windows = vec![0; pooled.as_slice().len() * WINDOW / 8];
            let sink = whole_pool_sink(&mut pooled, &bias, &mut windows, pooling, (height, width));
            convolve(tile, isa, MapSource::new(&x, Rows::all(&x), Border::Zero), sink, &weights, &mut scratch);
            prop_assert!(error(&pooled, &expected) < bound(tile), "{isa} {tile:?}: {:e}", error(&pooled, &expected));
        }
    }

    #[test]
    fn a_gradient_is_the_references(
        (height, width) in sides(),
        channels_in in channels(),
        channels_out in channels(),
        pooling in proptest::option::of(pooling()),
        masked: bool,
        accumulate: bool,
        seed: u64,
    ) {
        let mut scratch = Scratch::default();
        let (weights, _, mut reference) = filters(channels_in, channels_out);
        reference.bias.fill(0.0);
        let own = map(height, width, channels_out, seed);
        let mask = random_mask(own.as_slice().len(), seed);
        let (upstream, windows, before) = match pooling {
            Some(pooling) => {
                let upstream = map(height / 2, width / 2, channels_in, !seed);
                let windows = random_mask(upstream.as_slice().len() * WINDOW, seed);
                let before = unpool(&upstream, &windows, pooling, height, width);
                (upstream, windows, before)
            }
            None => {
                let upstream = map(height, width, channels_in, !seed);
                let before = reference_map(&upstream);
                (upstream, BitMask::new(), before)
            }
        };
        let mut expected = reference::convolve(&before, &reference);
        for (i, v) in expected.data.iter_mut().enumerate() {
            if accumulate {
                *v += f64::from(own.as_slice()[i]);
            }
            if masked && !bit(&mask, i) {
                *v = 0.0;
            }
        }
        for (isa, tile) in isas_and_tiles() {
            let mut gradient = own.clone();
            let sink = GradientSink::new(&mut gradient, Rows::all(&own), 0..height, masked.then_some(&mask), accumulate);
            match pooling {
                Some(pooling) => {
                    let source = UnpoolSource::new(&upstream, Rows::all(&upstream), &windows, pooling, height, width, Border::Zero);
                    convolve(tile, isa, source, sink, &weights, &mut scratch);
                }
                None => convolve(tile, isa, MapSource::new(&upstream, Rows::all(&upstream), Border::Zero), sink, &weights, &mut scratch),
            }
            prop_assert!(error(&gradient, &expected) < bound(tile), "{isa} {tile:?}: {:e}", error(&gradient, &expected));
        }
    }

    /// `<conv(x), y> = <x, conv_back(y)>`; and as the rectifier and the pooling are linear where
    /// their masks say, with both in between as well.
    #[test]
    fn the_gradient_is_the_adjoint(
        (height, width) in sides(),
        channels_in in channels(),
        channels_out in channels(),
        pooling in proptest::option::of(pooling()),
        seed: u64,
    ) {
        let mut scratch = Scratch::default();
        let x = map(height, width, channels_in, seed);
        let (weights, _, reference) = filters(channels_in, channels_out);
        let back = turned(&reference, channels_out);
        let bias = vec![0.0; channels_out];
        for (isa, tile) in isas_and_tiles() {
            let mut gradient = FeatureMap::zeros(height, width, channels_in);
            let all = Rows::all(&gradient);
            let sink = GradientSink::new(&mut gradient, all, 0..height, None, false);
            let (out, upstream) = match pooling {
                Some(pooling) => {
                    let mut out = FeatureMap::zeros(height / 2, width / 2, channels_out);
                    let upstream = map(height / 2, width / 2, channels_out, !seed);
                    let mut windows = vec![0; out.as_slice().len() * WINDOW / 8];
                    let pool = whole_pool_sink(&mut out, &bias, &mut windows, pooling, (height, width));
                    convolve(tile, isa, MapSource::new(&x, Rows::all(&x), Border::Zero), pool, &weights, &mut scratch);
                    let source = UnpoolSource::new(&upstream, Rows::all(&upstream), &windows, pooling, height, width, Border::Zero);
                    convolve(tile, isa, source, sink, &back, &mut scratch);
                    (out, upstream)
                }
                None => {
                    let mut out = FeatureMap::zeros(height, width, channels_out);
                    let upstream = map(height, width, channels_out, !seed);
                    convolve(tile, isa, MapSource::new(&x, Rows::all(&x), Border::Zero), whole_sink(&mut out, &bias, None), &weights, &mut scratch);
                    convolve(tile, isa, MapSource::new(&upstream, Rows::all(&upstream), Border::Zero), sink, &back, &mut scratch);
                    (out, upstream)
                }
            };
            let (forward, scale) = inner(out.as_slice(), upstream.as_slice());
            let (backward, other_scale) = inner(x.as_slice(), gradient.as_slice());
            let error = (forward - backward).abs();
            prop_assert!(error <= bound(tile) * (scale + other_scale), "{isa} {tile:?}: {forward} is not {backward}");
        }
    }

    #[test]
    fn the_first_layers_gradient_is_its_adjoint((height, width) in sides(), seed: u64) {
        let layer = FirstLayer::new(&Noise(14).vector(64 * 27));
        let x = Noise(seed).vector(3 * height * width);
        let upstream = map(height, width, 64, !seed);
        let mut padded = vec![0.0; PADDED_CHANNELS * (height + 2) * (width + 2)];
        for (y, row) in x.chunks_exact(3 * width).enumerate() {
            padded[((y + 1) * (width + 2) + 1) * PADDED_CHANNELS..][..3 * width].copy_from_slice(row);
        }
        for isa in Isa::available() {
            let mut out = FeatureMap::zeros(height, width, 64);
            layer.forward(isa, &padded, &whole_sink(&mut out, &[0.0; 64], None));
            let mut gradient = vec![f32::NAN; x.len()];
            layer.input_gradient(isa, &upstream, Rows::all(&upstream), 0, &mut gradient);
            let (forward, scale) = inner(out.as_slice(), upstream.as_slice());
            let (backward, other_scale) = inner(&x, &gradient);
            let error = (forward - backward).abs();
            prop_assert!(error <= SUM_ERROR * (scale + other_scale), "{isa}: {forward} is not {backward}");
        }
    }

    #[test]
    fn a_gram_matrix_is_symmetric_and_the_references(
        (height, width) in sides(), channels in channels(), accumulate: bool, seed: u64,
    ) {
        let features = map(height, width, channels, seed);
        let own = map(height, width, channels, !seed);
        let expected = reference::gram(&reference_map(&features));
        let s: Vec<f32> = expected.iter().map(|&v| v as f32).collect();
        let mut expected_gradient = vec![0.0; own.as_slice().len()];
        for (row, out) in expected_gradient.chunks_exact_mut(channels).enumerate() {
            for j in 0..channels {
                let f = &features.as_slice()[row * channels..][..channels];
                out[j] = (0..channels).map(|i| f64::from(f[i]) * f64::from(s[i * channels + j])).sum();
                if accumulate {
                    out[j] += f64::from(own.as_slice()[row * channels + j]);
                }
            }
        }
        for isa in Isa::available() {
            let found = gram_matrix(isa, &features);
            let error = relative_error(found.iter().copied(), &expected);
            prop_assert!(error < SUM_ERROR, "{isa}: {error:e}");
            prop_assert!((0..channels).all(|i| (0..i).all(|j| found[i * channels + j] == found[j * channels + i])), "{isa}");

            let mut gradient = own.clone();
            gram_gradient(isa, channels, features.as_slice(), &s, gradient.as_mut_slice(), accumulate);
            let error = relative_error(gradient.as_slice().iter().map(|&v| v.into()), &expected_gradient);
            prop_assert!(error < SUM_ERROR, "{isa}: {error:e}");
        }
    }
}
