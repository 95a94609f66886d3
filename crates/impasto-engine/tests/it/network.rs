//! The whole network against the f64 reference: maps, and gradients by central differences.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use crate::reference::{Border, Map, Network, Noise, relative_error};
use impasto_engine::Image;
use impasto_engine::Layer;
use impasto_engine::Padding;
use impasto_engine::Pooling;
use impasto_engine::cpu::Isa;
use impasto_engine::cpu::evaluator::{Evaluator, EvaluatorError, GradientBand};
use impasto_engine::cpu::packed_filters::Vgg19;

/// Bound on the relative error (L2) of a feature map: measured 3e-6 at relu5_4, a tenth of it before block 3 (docs/numerics.md).
const FEATURE_ERROR: f64 = 1e-5;

/// Bound on the relative error of a directional derivative, taken by central differences in f64.
const GRADIENT_ERROR: f64 = 1e-4;

fn layers(names: &[&str]) -> Vec<Layer> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

fn picture(height: usize, width: usize, seed: u64) -> Image {
    let values = Noise(seed).vector(3 * height * width);
    Image::new(width, height, values.into_iter().map(|v| 127.5 + 127.5 * v).collect())
}

fn f64s(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&v| v.into()).collect()
}

#[test]
fn maps_agree_with_the_reference_on_ugly_sizes() {
    let network = Arc::new(Vgg19::from_static(impasto_weights::VGG19).unwrap());
    let reference = Network::new(impasto_weights::VGG19);
    let names =
        ["relu1_1", "conv1_2", "relu1_2", "relu2_2", "conv3_1", "relu3_1", "conv4_2", "relu4_4", "relu5_1", "conv5_4"];
    for (height, width) in [(17, 23), (16, 16), (33, 19)] {
        let image = picture(height, width, 1);
        for pooling in [Pooling::Max, Pooling::Average] {
            let average = pooling == Pooling::Average;
            let expected = reference.features(height, width, &f64s(image.as_slice()), average, Border::Zero, &names);
            for isa in Isa::available() {
                let layers = layers(&names);
                let mut evaluator = Evaluator::with_isa(isa, network.clone(), width, height, &layers, pooling).unwrap();
                evaluator.forward(&image);
                for (&layer, expected) in layers.iter().zip(&expected) {
                    let map = evaluator.features(layer);
                    assert_eq!(
                        (map.height(), map.width(), map.channels()),
                        (expected.height, expected.width, expected.channels)
                    );
                    let error = relative_error(f64s(map.as_slice()), &expected.data);
                    assert!(error < FEATURE_ERROR, "{isa} {layer} at {width}x{height}, {pooling:?}: {error:e}");
                }
            }
        }
    }
}

/// From 128x128 pixels on, the way forward takes larger tiles.
#[test]
fn maps_of_a_larger_image_agree_with_the_reference() {
    let network = Arc::new(Vgg19::from_static(impasto_weights::VGG19).unwrap());
    let (height, width) = (130, 131);
    let image = picture(height, width, 7);
    let names = ["relu1_1", "relu2_1", "relu3_1"];
    let layers = layers(&names);
    let reference = Network::new(impasto_weights::VGG19);
    let expected = reference.features(height, width, &f64s(image.as_slice()), false, Border::Zero, &names);
    for isa in Isa::available() {
        let mut evaluator = Evaluator::with_isa(isa, network.clone(), width, height, &layers, Pooling::Max).unwrap();
        evaluator.forward(&image);
        for (&layer, expected) in layers.iter().zip(&expected) {
            let error = relative_error(f64s(evaluator.features(layer).as_slice()), &expected.data);
            assert!(error < FEATURE_ERROR, "{isa} {layer}: {error:e}");
        }
    }
}

#[test]
fn the_border_is_as_asked_for() {
    let network = Arc::new(Vgg19::from_static(impasto_weights::VGG19).unwrap());
    let reference = Network::new(impasto_weights::VGG19);
    for (height, width) in [(1, 1), (1, 5), (3, 2), (17, 23)] {
        let image = picture(height, width, 8);
        let [replicated, circular, zero] = [Border::Replicate, Border::Circular, Border::Zero].map(|border| {
            reference.features(height, width, &f64s(image.as_slice()), false, border, &["relu1_1"]).remove(0)
        });
        let layer = "relu1_1".parse().unwrap();
        for isa in Isa::available() {
            let mut evaluator =
                Evaluator::with_isa(isa, network.clone(), width, height, &[layer], Pooling::Max).unwrap();
            // The last as the first: what one padding leaves behind must not show in another.
            for (padding, expected) in [
                (Padding::Zero, &zero),
                (Padding::Replicate, &replicated),
                (Padding::Circular, &circular),
                (Padding::Zero, &zero),
            ] {
                evaluator = evaluator.with_padding(padding).unwrap();
                evaluator.forward(&image);
                let error = relative_error(f64s(evaluator.features(layer).as_slice()), &expected.data);
                assert!(error < FEATURE_ERROR, "{isa} {width}x{height}, {padding:?}: {error:e}");
            }
        }
    }
}

/// All convolutions wrap around, in all tiles: from 128x128 pixels on, the way forward takes larger ones.
#[test]
fn circular_maps_agree_with_the_reference() {
    let network = Arc::new(Vgg19::from_static(impasto_weights::VGG19).unwrap());
    let reference = Network::new(impasto_weights::VGG19);
    let cases: [(usize, usize, &[&str]); 3] = [
        (16, 48, &["relu1_1", "conv1_2", "relu2_2", "relu3_1", "conv4_2", "relu5_1"]),
        (32, 16, &["relu1_2", "relu3_4", "conv5_1"]),
        (132, 128, &["relu2_1", "relu3_1"]),
    ];
    for (height, width, names) in cases {
        let (image, layers) = (picture(height, width, 9), layers(names));
        let expected = reference.features(height, width, &f64s(image.as_slice()), false, Border::Circular, names);
        for isa in Isa::available() {
            let mut evaluator = Evaluator::with_isa(isa, network.clone(), width, height, &layers, Pooling::Max)
                .unwrap()
                .with_padding(Padding::Circular)
                .unwrap();
            evaluator.forward(&image);
            for (&layer, expected) in layers.iter().zip(&expected) {
                let error = relative_error(f64s(evaluator.features(layer).as_slice()), &expected.data);
                assert!(error < FEATURE_ERROR, "{isa} {layer} at {width}x{height}: {error:e}");
            }
        }
    }
}

/// `[H, W, C]`, moved down and to the right around a torus.
fn rolled(values: &[f32], width: usize, channels: usize, (down, right): (usize, usize)) -> Vec<f32> {
    let height = values.len() / (width * channels);
    let mut out = vec![0.0; values.len()];
    for (i, value) in values.chunks_exact(channels).enumerate() {
        let (y, x) = ((i / width + down) % height, (i % width + right) % width);
        out[(y * width + x) * channels..][..channels].copy_from_slice(value);
    }
    out
}

/// On a torus no place is another's border: a picture moved by multiples of all poolings has the same maps, moved. Tiles lie
/// elsewhere then, so that the rounding differs.
#[test]
fn circular_maps_move_with_the_image() {
    let network = Arc::new(Vgg19::from_static(impasto_weights::VGG19).unwrap());
    let (height, width, layers) = (32, 48, layers(&["relu1_1", "relu2_1", "relu3_1"]));
    let image = picture(height, width, 10);
    let moved = Image::new(width, height, rolled(image.as_slice(), width, 3, (12, 36)));
    for isa in Isa::available() {
        let maps = |image: &Image, padding: Padding| -> Vec<impasto_engine::cpu::FeatureMap> {
            let evaluator = Evaluator::with_isa(isa, network.clone(), width, height, &layers, Pooling::Max).unwrap();
            let mut evaluator = evaluator.with_padding(padding).unwrap();
            evaluator.forward(image);
            layers.iter().map(|&layer| evaluator.features(layer).clone()).collect()
        };
        let error = |padding: Padding, i: usize| {
            let (here, there) = (&maps(&image, padding)[i], &maps(&moved, padding)[i]);
            let by = (12 >> i, 36 >> i);
            relative_error(f64s(there.as_slice()), &f64s(&rolled(here.as_slice(), here.width(), here.channels(), by)))
        };
        for i in 0..layers.len() {
            assert!(error(Padding::Circular, i) < FEATURE_ERROR, "{isa} {}", layers[i]);
            assert!(error(Padding::Replicate, i) > 1e-2, "{isa} {}", layers[i]);
        }
    }
}

#[test]
fn an_image_that_a_pooling_cannot_halve_does_not_wrap_around() {
    let network = Arc::new(Vgg19::from_static(impasto_weights::VGG19).unwrap());
    let wrapped = |width, height, layer: &str| {
        let evaluator = Evaluator::new(network.clone(), width, height, &layers(&["relu1_1", layer]), Pooling::Max);
        evaluator.unwrap().with_padding(Padding::Circular)
    };
    let error = wrapped(40, 24, "conv5_1").unwrap_err().to_string();
    assert_eq!(error, "an image of 40x24 px cannot wrap around: relu5_1 needs sides that are multiples of 16 px");
    assert!(wrapped(40, 24, "relu4_4").is_ok() && wrapped(40, 25, "relu4_4").is_err());
    assert!(wrapped(41, 25, "relu1_2").is_ok());
}

/// `Σ R·F` over the layers, for fixed random `R`.
fn linear_loss(maps: &[Map], factors: &[Vec<f32>]) -> f64 {
    maps.iter().zip(factors).map(|(map, r)| map.data.iter().zip(r).map(|(f, &r)| f * f64::from(r)).sum::<f64>()).sum()
}

#[test]
fn gradients_agree_with_central_differences() {
    let network = Arc::new(Vgg19::from_static(impasto_weights::VGG19).unwrap());
    let reference = Network::new(impasto_weights::VGG19);
    // With and without layers whose maps a pooling needs besides, before and after the rectifier, alone and together.
    let sets: [&[&str]; 4] = [
        &["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu4_2", "relu5_1"],
        &["conv1_1", "conv1_2", "relu1_2", "conv2_2"],
        &["relu2_2", "conv3_4", "relu3_4", "conv4_1"],
        &["conv5_2"],
    ];
    for (height, width) in [(17, 23), (16, 32)] {
        let image = picture(height, width, 2);
        let x = f64s(image.as_slice());
        for names in sets {
            for (pooling, padding, border) in [
                (Pooling::Max, Padding::Zero, Border::Zero),
                (Pooling::Average, Padding::Zero, Border::Zero),
                (Pooling::Max, Padding::Replicate, Border::Replicate),
                (Pooling::Max, Padding::Circular, Border::Circular),
                (Pooling::Average, Padding::Circular, Border::Circular),
            ] {
                if border == Border::Circular && !(height | width).is_multiple_of(16) {
                    continue;
                }
                let average = pooling == Pooling::Average;
                let maps = reference.features(height, width, &x, average, border, names);
                let factors: Vec<Vec<f32>> = maps.iter().map(|map| Noise(3).vector(map.data.len())).collect();
                let direction: Vec<f64> = f64s(&Noise(4).vector(x.len()));
                // Small enough that hardly a rectifier or a maximum switches within the step.
                let step = 1e-6;
                let moved = |sign: f64| {
                    let moved: Vec<f64> = x.iter().zip(&direction).map(|(x, d)| x + sign * step * d).collect();
                    linear_loss(&reference.features(height, width, &moved, average, border, names), &factors)
                };
                let expected = (moved(1.0) - moved(-1.0)) / (2.0 * step);
                for isa in Isa::available() {
                    let layers = layers(names);
                    let mut evaluator = Evaluator::with_isa(isa, network.clone(), width, height, &layers, pooling)
                        .unwrap()
                        .with_padding(padding)
                        .unwrap();
                    evaluator.forward(&image);
                    let mut gradient = vec![f32::NAN; x.len()];
                    let mut order = Vec::new();
                    let mut layer_gradient = |band: &mut GradientBand<'_>| {
                        let i = layers.iter().position(|l| *l == band.layer()).unwrap();
                        band.replace(|first, _, _, gradient| {
                            gradient.copy_from_slice(&factors[i][first..][..gradient.len()])
                        });
                        order.push(band.layer());
                        true
                    };
                    // Twice: what the first leaves behind must not show in the second.
                    evaluator.backward(image.as_slice(), &mut layer_gradient, &mut gradient).unwrap();
                    evaluator.forward(&image);
                    evaluator.backward(image.as_slice(), &mut layer_gradient, &mut gradient).unwrap();
                    assert!(order[..layers.len()].iter().rev().is_sorted(), "{order:?}");
                    let found: f64 = gradient.iter().zip(&direction).map(|(&g, d)| f64::from(g) * d).sum();
                    let scale = gradient.iter().map(|&g| f64::from(g).powi(2)).sum::<f64>().sqrt();
                    let error = (found - expected).abs() / scale;
                    let case = format!("{isa} {names:?} at {width}x{height}, {pooling:?}, {padding:?}");
                    assert!(error < GRADIENT_ERROR, "{case}: {error:e}");
                }
            }
        }
    }
}

#[test]
fn a_layer_without_gradient_adds_nothing() {
    let network = Arc::new(Vgg19::from_static(impasto_weights::VGG19).unwrap());
    let image = picture(20, 20, 5);
    let gradient_with = |names: &[&str]| {
        let mut evaluator = Evaluator::new(network.clone(), 20, 20, &layers(names), Pooling::Max).unwrap();
        evaluator.forward(&image);
        let mut gradient = vec![0.0; 3 * 20 * 20];
        evaluator.backward(image.as_slice(), &mut |band| band.layer().to_string() == "relu2_1", &mut gradient).unwrap();
        gradient
    };
    let alone = gradient_with(&["relu2_1"]);
    assert!(alone.iter().any(|&g| g != 0.0));
    let among_others = gradient_with(&["conv1_1", "relu1_1", "relu2_1", "conv2_2", "relu3_1"]);
    let error = relative_error(f64s(&among_others), &f64s(&alone));
    assert!(error < 1e-6, "{error:e}");
}

#[test]
fn the_number_of_threads_does_not_change_a_bit() {
    let network = Arc::new(Vgg19::from_static(impasto_weights::VGG19).unwrap());
    let names = ["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"];
    // Large enough for several tasks of every kind.
    let (height, width) = (131, 150);
    let image = picture(height, width, 6);
    for isa in Isa::available() {
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                // This padding takes all the passes that zeros take, and more.
                let mut evaluator =
                    Evaluator::with_isa(isa, network.clone(), width, height, &layers(&names), Pooling::Max)
                        .unwrap()
                        .with_padding(Padding::Replicate)
                        .unwrap();
                evaluator.forward(&image);
                let grams: Vec<Vec<f64>> = layers(&names)
                    .iter()
                    .map(|&layer| impasto_engine::cpu::gram::gram(isa, evaluator.features(layer)))
                    .collect();
                let mut gradient = vec![0.0; 3 * height * width];
                evaluator
                    .backward(
                        image.as_slice(),
                        &mut |band| {
                            let i = layers(&names).iter().position(|l| *l == band.layer()).unwrap();
                            let s: Vec<f32> = grams[i].iter().map(|&v| v as f32).collect();
                            let channels = band.layer().channels();
                            band.replace(|_, features, _, gradient| {
                                impasto_engine::cpu::gram::gram_gradient(isa, channels, features, &s, gradient, false);
                            });
                            true
                        },
                        &mut gradient,
                    )
                    .unwrap();
                (grams, gradient)
            })
        };
        let one = run(1);
        for threads in [2, 3] {
            let several = run(threads);
            assert_eq!(one.0, several.0, "Gram matrices, {isa}, {threads} threads");
            assert!(one.1.iter().zip(&several.1).all(|(a, b)| a.to_bits() == b.to_bits()), "{isa}, {threads} threads");
        }
    }
}

#[test]
fn too_small_an_image_and_no_layers_are_refused() {
    let network = Arc::new(Vgg19::from_static(impasto_weights::VGG19).unwrap());
    let error = Evaluator::new(network.clone(), 40, 15, &layers(&["relu1_1", "relu5_1"]), Pooling::Max).unwrap_err();
    assert_eq!(error.to_string(), "an image of 40x15 px is too small: relu5_1 needs at least 16 px a side");
    assert_eq!(Evaluator::new(network.clone(), 40, 15, &[], Pooling::Max).unwrap_err(), EvaluatorError::NoLayers);
    assert!(Evaluator::new(network, 40, 16, &layers(&["relu5_1"]), Pooling::Max).is_ok());
}
