//! Every kernel, on every instruction set that the machine has, against the f64 reference.

mod properties;

use super::buffer::Scratch;
use super::feature_map::FeatureMap;
use super::first_layer::{FirstLayer, PADDED_CHANNELS};
use super::gram;
use super::gram::gram_gradient;
use super::isa::Isa;
use super::maps::{BitMask, GradientSink, MapSink, MapSource, PoolSink, Rows, UnpoolSource};
use super::winograd::{Border, Filters, WorkOrder, convolve, convolve_in};
use crate::cpu::elementwise;
use crate::padding::Padding;
use crate::plan::tile::WinogradTile;
use crate::pooling::{Pooling, WINDOW};
use crate::reference::{self, Noise, ReferenceMap, relative_error};

/// Bound on the relative error (L2) of one Winograd convolution. Measured over 3,000 random cases:
/// 1.3e-6 in tiles of 4x4, 5.6e-6 in tiles of 6x6, 7.8e-5 in tiles of 8x8, worst on maps one tile
/// wide (docs/numerics.md).
fn bound(tile: WinogradTile) -> f64 {
    match tile {
        WinogradTile::Four => 2e-6,
        WinogradTile::Six => 1e-5,
        WinogradTile::Eight => 1e-4,
    }
}

const ORDERS: [WorkOrder; 3] = [WorkOrder::Tiles, WorkOrder::Filters, WorkOrder::Channels];

/// Bound on that of a plain f32 sum: of conv1_1, its gradient, Gram matrices and their gradient.
/// Measured 3e-7.
const SUM_ERROR: f64 = 1e-6;

const UGLY: [(usize, usize); 10] =
    [(1, 1), (1, 5), (3, 2), (4, 4), (5, 17), (17, 23), (16, 16), (40, 1), (39, 40), (2, 31)];

fn map(height: usize, width: usize, channels: usize, seed: u64) -> FeatureMap {
    let mut map = FeatureMap::zeros(height, width, channels);
    map.as_mut_slice().copy_from_slice(&Noise(seed).vector(height * width * channels));
    map
}

fn reference_map(map: &FeatureMap) -> ReferenceMap {
    ReferenceMap::from_f32(map.height(), map.width(), map.channels(), map.as_slice())
}

fn error(found: &FeatureMap, expected: &ReferenceMap) -> f64 {
    assert_eq!((found.height(), found.width(), found.channels()), (expected.height, expected.width, expected.channels));
    relative_error(found.as_slice().iter().map(|&v| v.into()), &expected.data)
}

/// `[in][3][3][out]` as the kernels take it.
fn pack(weights: &[f32], channels_in: usize, channels_out: usize) -> Filters {
    Filters::new(channels_in, channels_out, |i, o| {
        std::array::from_fn(|place| weights[(9 * i + place) * channels_out + o])
    })
}

/// Filters and a bias, for the kernels and for the reference.
fn filters(channels_in: usize, channels_out: usize) -> (Filters, Vec<f32>, reference::ReferenceFilters) {
    let weights = Noise(7).vector(9 * channels_in * channels_out);
    let bias = Noise(8).vector(channels_out);
    let f64s = |v: &[f32]| v.iter().map(|&v| v.into()).collect();
    let reference = reference::ReferenceFilters { channels_in, weights: f64s(&weights), bias: f64s(&bias) };
    (pack(&weights, channels_in, channels_out), bias, reference)
}

/// Into all of a map.
fn whole_sink<'a>(map: &mut FeatureMap, bias: &'a [f32], mask: Option<&mut [u8]>) -> MapSink<'a> {
    let all = Rows::all(map);
    MapSink::new(map, all, 0..all.height, bias, mask)
}

/// Into all of a map after a pooling; `height` and `width`: before it.
fn whole_pool_sink<'a>(
    map: &mut FeatureMap,
    bias: &'a [f32],
    windows: &mut [u8],
    pooling: Pooling,
    (height, width): (usize, usize),
) -> PoolSink<'a> {
    let all = Rows::all(map);
    PoolSink::new(map, all, 0..height, bias, windows, pooling, height, width)
}

/// Gram matrix `FᵀF / (H·W·C)`, eq. (3).
fn gram_matrix(isa: Isa, features: &FeatureMap) -> Vec<f64> {
    let scale = 1.0 / features.as_slice().len() as f64;
    let mut gram = vec![0.0; features.channels().pow(2)];
    gram::add_gram(isa, features.channels(), features.as_slice(), &mut gram);
    gram.iter().map(|v| v * scale).collect()
}

fn bit(mask: &[u8], i: usize) -> bool {
    mask[i / 8] >> (i % 8) & 1 == 1
}

fn isas_and_tiles() -> impl Iterator<Item = (Isa, WinogradTile)> {
    Isa::available()
        .into_iter()
        .flat_map(|isa| [(isa, WinogradTile::Four), (isa, WinogradTile::Six), (isa, WinogradTile::Eight)])
}

#[test]
fn convolutions_agree_with_the_reference() {
    let mut scratch = Scratch::default();
    for (channels_in, channels_out) in [(64, 64), (128, 64), (64, 192)] {
        let (weights, bias, reference) = filters(channels_in, channels_out);
        for (height, width) in UGLY {
            let x = map(height, width, channels_in, 9);
            let plain = reference::convolve(&reference_map(&x), &reference);
            let rectified = reference::rectify(&plain);
            for (isa, tile) in isas_and_tiles() {
                let case = format!("{isa} {tile:?} {height}x{width}, {channels_in} to {channels_out} channels");
                let mut out = FeatureMap::zeros(height, width, channels_out);
                for order in ORDERS {
                    let source = MapSource::new(&x, Rows::all(&x), Border::Zero);
                    convolve_in(order, tile, isa, source, whole_sink(&mut out, &bias, None), &weights, &mut scratch);
                    assert!(error(&out, &plain) < bound(tile), "{case}, {order:?}: {:e}", error(&out, &plain));
                }

                let mut mask = vec![0; out.as_slice().len() / 8];
                convolve(
                    tile,
                    isa,
                    MapSource::new(&x, Rows::all(&x), Border::Zero),
                    whole_sink(&mut out, &bias, Some(&mut mask)),
                    &weights,
                    &mut scratch,
                );
                assert!(error(&out, &rectified) < bound(tile), "{case}: {:e}", error(&out, &rectified));
                assert!((0..out.as_slice().len()).all(|i| bit(&mask, i) == (out.as_slice()[i] > 0.0)), "{case}");

                if height < 2 || width < 2 {
                    continue;
                }
                for pooling in [Pooling::Max, Pooling::Average] {
                    let expected = reference::pool(&rectified, pooling == Pooling::Average);
                    let mut pooled = FeatureMap::zeros(height / 2, width / 2, channels_out);
                    let mut windows = vec![0; pooled.as_slice().len() * WINDOW / 8];
                    let sink = whole_pool_sink(&mut pooled, &bias, &mut windows, pooling, (height, width));
                    convolve(tile, isa, MapSource::new(&x, Rows::all(&x), Border::Zero), sink, &weights, &mut scratch);
                    assert!(error(&pooled, &expected) < bound(tile), "{case}, {pooling:?}");
                    // The pass of its own must say the same, to the bit.
                    let mut again = FeatureMap::zeros(height / 2, width / 2, channels_out);
                    let mut windows_again = vec![0; windows.len()];
                    let shape = [width, channels_out];
                    elementwise::pool(shape, out.as_slice(), again.as_mut_slice(), &mut windows_again, pooling);
                    assert_eq!(pooled.as_slice(), again.as_slice(), "{case}, {pooling:?}");
                    assert_eq!(windows, windows_again, "{case}, {pooling:?}");
                }
            }
        }
    }
}

/// Maps as small as one value, which is then its own neighbour on every side; and gradients before
/// a pooling.
#[test]
fn convolutions_wrap_around() {
    let mut scratch = Scratch::default();
    let (weights, bias, reference) = filters(128, 64);
    for (height, width) in UGLY {
        let x = map(height, width, 128, 9);
        let expected = reference::convolve_beyond(&reference_map(&x), &reference, reference::ReferenceBorder::Circular);
        // As the maximum of an even map, each value at the first place of its window.
        let windows: BitMask =
            (0..x.as_slice().len() * WINDOW / 8).map(|i| if i / 16 % WINDOW == 0 { 0xff } else { 0 }).collect();
        let mut unpooled = ReferenceMap::zeros(2 * height, 2 * width, 128);
        for (i, &v) in x.as_slice().iter().enumerate() {
            *unpooled.at_mut(2 * (i / 128 / width), 2 * (i / 128 % width), i % 128) = v.into();
        }
        let expected_unpooled = reference::convolve_beyond(&unpooled, &reference, reference::ReferenceBorder::Circular);
        for (isa, tile) in isas_and_tiles() {
            let case = format!("{isa} {tile:?} {height}x{width}");
            let mut out = FeatureMap::zeros(height, width, 64);
            let sink = whole_sink(&mut out, &bias, None);
            convolve(tile, isa, MapSource::new(&x, Rows::all(&x), Border::Wrap), sink, &weights, &mut scratch);
            assert!(error(&out, &expected) < bound(tile), "{case}: {:e}", error(&out, &expected));

            let mut out = FeatureMap::zeros(2 * height, 2 * width, 64);
            let sink = whole_sink(&mut out, &bias, None);
            let source =
                UnpoolSource::new(&x, Rows::all(&x), &windows, Pooling::Max, 2 * height, 2 * width, Border::Wrap);
            convolve(tile, isa, source, sink, &weights, &mut scratch);
            assert!(error(&out, &expected_unpooled) < bound(tile), "{case}: {:e}", error(&out, &expected_unpooled));
        }
    }
}

/// More filters than are transformed at once, in more channels than are summed at once.
#[test]
fn many_channels_agree_with_the_reference() {
    let (weights, bias, reference) = filters(320, 384);
    let x = map(9, 13, 320, 20);
    let expected = reference::convolve(&reference_map(&x), &reference);
    for (isa, tile) in isas_and_tiles() {
        let mut out = FeatureMap::zeros(9, 13, 384);
        let sink = whole_sink(&mut out, &bias, None);
        convolve(tile, isa, MapSource::new(&x, Rows::all(&x), Border::Zero), sink, &weights, &mut Scratch::default());
        assert!(error(&out, &expected) < bound(tile), "{isa} {tile:?}: {:e}", error(&out, &expected));
    }
}

#[test]
fn gradients_are_masked_added_and_unpooled() {
    let mut scratch = Scratch::default();
    let (channels_in, channels_out) = (128, 64);
    let (weights, _, mut reference) = filters(channels_in, channels_out);
    reference.bias.fill(0.0);
    for (height, width) in UGLY {
        let upstream = map(height / 2, width / 2, channels_in, 10);
        let mut windows: BitMask = vec![0; upstream.as_slice().len() * WINDOW / 8];
        let mut noise = Noise(11);
        windows.iter_mut().for_each(|w| *w = (noise.next() * 128.0 + 128.0) as u8);
        let own = map(height, width, channels_out, 12);
        let mut mask: BitMask = vec![0; own.as_slice().len() / 8];
        mask.iter_mut().for_each(|m| *m = (noise.next() * 128.0 + 128.0) as u8);
        for pooling in [Pooling::Max, Pooling::Average] {
            let mut unpooled = ReferenceMap::zeros(height, width, channels_in);
            for y in 0..height / 2 * 2 {
                for x in 0..width / 2 * 2 {
                    for c in 0..channels_in {
                        let position = y / 2 * (width / 2) + x / 2;
                        if bit(&windows, (position * WINDOW + 2 * (y % 2) + x % 2) * channels_in + c) {
                            let v: f64 = upstream.as_slice()[position * channels_in + c].into();
                            *unpooled.at_mut(y, x, c) = v * f64::from(pooling.gradient_scale());
                        }
                    }
                }
            }
            let mut expected = reference::convolve(&unpooled, &reference);
            for (i, v) in expected.data.iter_mut().enumerate() {
                *v = if bit(&mask, i) { *v + f64::from(own.as_slice()[i]) } else { 0.0 };
            }
            for (isa, tile) in isas_and_tiles() {
                let mut gradient = own.clone();
                let source =
                    UnpoolSource::new(&upstream, Rows::all(&upstream), &windows, pooling, height, width, Border::Zero);
                let sink = GradientSink::new(&mut gradient, Rows::all(&own), 0..height, Some(&mask), true);
                convolve(tile, isa, source, sink, &weights, &mut scratch);
                let error = error(&gradient, &expected);
                assert!(error < bound(tile), "{isa} {tile:?} {height}x{width}, {pooling:?}: {error:e}");
            }
        }
    }
}

/// Two orders of work give the same bits, with more tiles than one round of the second holds. The
/// third adds up the input channels in parts.
#[test]
fn the_orders_of_work_agree() {
    let (weights, bias, _) = filters(64, 128);
    let x = map(180, 184, 64, 13);
    for (isa, tile) in isas_and_tiles() {
        let [tiles, filters, channels] = ORDERS.map(|order| {
            let mut out = FeatureMap::zeros(180, 184, 128);
            let (source, sink) = (MapSource::new(&x, Rows::all(&x), Border::Zero), whole_sink(&mut out, &bias, None));
            convolve_in(order, tile, isa, source, sink, &weights, &mut Scratch::default());
            out
        });
        assert!(tiles.as_slice() == filters.as_slice(), "{isa} {tile:?}");
        let error = error(&channels, &reference_map(&tiles));
        assert!(error < bound(tile), "{isa} {tile:?}: {error:e}");
    }
}

/// There are more threads than tiles and groups of filters.
#[test]
fn sixty_four_threads_give_the_bits_of_one() {
    let (weights, bias, _) = filters(64, 64);
    let x = map(9, 11, 64, 16);
    for (isa, tile) in isas_and_tiles() {
        for order in ORDERS {
            let [one, many] = [1, 64].map(|threads| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
                let mut out = FeatureMap::zeros(9, 11, 64);
                let sink = whole_sink(&mut out, &bias, None);
                let source = MapSource::new(&x, Rows::all(&x), Border::Zero);
                pool.install(|| convolve_in(order, tile, isa, source, sink, &weights, &mut Scratch::default()));
                out
            });
            assert!(one.as_slice() == many.as_slice(), "{isa} {tile:?} {order:?}");
        }
    }
}

#[test]
fn the_first_layer_agrees_with_the_reference() {
    let weights = Noise(14).vector(64 * 27);
    let bias = Noise(15).vector(64);
    let layer = FirstLayer::new(&weights);
    let mut reference = reference::ReferenceFilters {
        channels_in: 3,
        weights: vec![0.0; 27 * 64],
        bias: bias.iter().map(|&b| b.into()).collect(),
    };
    for (i, &w) in weights.iter().enumerate() {
        reference.weights[i % 27 * 64 + i / 27] = w.into();
    }
    for (height, width) in UGLY {
        let x = Noise(16).vector(3 * height * width);
        let mut padded = vec![0.0; 3 * (height + 2) * (width + 2)];
        for y in 0..height {
            padded[((y + 1) * (width + 2) + 1) * 3..][..3 * width].copy_from_slice(&x[y * width * 3..][..3 * width]);
        }
        let expected =
            reference::rectify(&reference::convolve(&ReferenceMap::from_f32(height, width, 3, &x), &reference));
        for isa in Isa::available() {
            let mut out = FeatureMap::zeros(height, width, 64);
            let mut mask = vec![0; out.as_slice().len() / 8];
            layer.forward(isa, &padded, &whole_sink(&mut out, &bias, Some(&mut mask)));
            assert!(error(&out, &expected) < SUM_ERROR, "{isa} {height}x{width}: {:e}", error(&out, &expected));
            assert!((0..out.as_slice().len()).all(|i| bit(&mask, i) == (out.as_slice()[i] > 0.0)));

            // The gradient is the adjoint: <G, conv(e)> for every unit image e.
            let gradient = map(height, width, 64, 17);
            let mut found = vec![f32::NAN; 3 * height * width];
            layer.input_gradient(isa, &gradient, Rows::all(&gradient), 0, &mut found);
            let mut expected = vec![0.0; found.len()];
            let mut expected_margins = [Padding::Replicate, Padding::Circular].map(|p| (p, vec![1.0; found.len()]));
            for y in 0..height {
                for x in 0..width {
                    for (i, j) in (0..9).map(|place| (place / 3, place % 3)) {
                        let nearest = ((y + i).clamp(1, height) - 1, (x + j).clamp(1, width) - 1);
                        let opposite = ((y + i + height - 1) % height, (x + j + width - 1) % width);
                        let add = |expected: &mut [f64], (yy, xx)| {
                            for c in 0..3 {
                                for k in 0..64 {
                                    let g: f64 = gradient.as_slice()[(y * width + x) * 64 + k].into();
                                    expected[(yy * width + xx) * 3 + c] +=
                                        g * f64::from(weights[((k * 3 + c) * 3 + i) * 3 + j]);
                                }
                            }
                        };
                        if (nearest.0 + 1, nearest.1 + 1) == (y + i, x + j) {
                            add(&mut expected, nearest);
                        } else {
                            add(&mut expected_margins[0].1, nearest);
                            add(&mut expected_margins[1].1, opposite);
                        }
                    }
                }
            }
            let error = relative_error(found.iter().map(|&v| v.into()), &expected);
            assert!(error < SUM_ERROR, "{isa} {height}x{width}: {error:e}");

            // What falls on a margin of the image's own pixels is added to what is there.
            for (padding, expected) in &expected_margins {
                let mut margin = vec![1.0; found.len()];
                layer.add_margin_gradient(*padding, &gradient, Rows::all(&gradient), 0, &mut margin);
                let error = relative_error(margin.iter().map(|&v| v.into()), expected);
                assert!(error < SUM_ERROR, "margin of {height}x{width}, {padding:?}: {error:e}");
            }
        }
    }
}

#[test]
fn gram_matrices_agree_with_the_reference() {
    // The last has several bands of positions, none of them full at the end.
    for (height, width, channels) in [(1, 1, 64), (3, 5, 128), (17, 23, 192), (97, 91, 64)] {
        let features = map(height, width, channels, 18);
        let expected = reference::gram(&reference_map(&features));
        let s: Vec<f32> = expected.iter().map(|&v| v as f32).collect();
        let own = map(height, width, channels, 19);
        for isa in Isa::available() {
            let case = format!("{isa} {height}x{width}x{channels}");
            let found = gram_matrix(isa, &features);
            let error = relative_error(found.iter().copied(), &expected);
            assert!(error < SUM_ERROR, "{case}: {error:e}");
            assert!(
                (0..channels * channels).all(|i| found[i] == found[i % channels * channels + i / channels]),
                "{case}"
            );

            let mut gradient = own.clone();
            gram_gradient(isa, channels, features.as_slice(), &s, gradient.as_mut_slice(), true);
            let mut overwritten = features.clone();
            let all = 0..overwritten.as_slice().len();
            overwritten.replace(all, |_, features, out| gram_gradient(isa, channels, features, &s, out, false));
            let mut product = vec![0.0; own.as_slice().len()];
            for (out, f) in product.chunks_exact_mut(channels).zip(features.as_slice().chunks_exact(channels)) {
                for j in 0..channels {
                    out[j] = (0..channels).map(|i| f64::from(f[i]) * f64::from(s[i * channels + j])).sum();
                }
            }
            let error = relative_error(overwritten.as_slice().iter().map(|&v| v.into()), &product);
            assert!(error < SUM_ERROR, "{case}: {error:e}");
            let added: Vec<f64> = product.iter().zip(own.as_slice()).map(|(p, &o)| p + f64::from(o)).collect();
            let error = relative_error(gradient.as_slice().iter().map(|&v| v.into()), &added);
            assert!(error < SUM_ERROR, "{case}: {error:e}");
        }
    }
}
