//! An image in bands has the features of the whole image, bit for bit, and nearly its gradient.
//!
//! The conformance suite sees sums of features only, and a gradient that is affine in them. These
//! tests see the features themselves and put any gradient in their place.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::cpu::evaluator::Evaluator;
use crate::cpu::kernels::isa::Isa;
use crate::cpu::packed_filters::PackedFilters;
use crate::layer::Layer;
use crate::network::WorkspaceSpec;
use crate::padding::Padding;
use crate::plan::layout::{Layout, LayoutPart};
use crate::pooling::Pooling;
use crate::reference::Noise;
use crate::tensor::Image;
use crate::weights::Weights;

/// Bound on the relative error of a gradient (L2). Tiles of the way back, which switches no
/// rectifier, begin elsewhere.
const MAX_GRADIENT_ERROR: f64 = 1e-4;

/// Scale of the gradients with respect to the features. The features are far larger: nothing of
/// them may be left in the gradients that take their place.
const GRADIENT: f32 = 1e-7;

fn filters() -> Arc<PackedFilters> {
    Arc::new(PackedFilters::new(Arc::new(Weights::from_static(impasto_weights::VGG19).unwrap())))
}

fn evaluator(
    filters: &Arc<PackedFilters>,
    (height, width): (usize, usize),
    layers: &[Layer],
    (padding, pooling): (Padding, Pooling),
    layout: &Layout,
) -> Evaluator {
    let (shown, layout) = (layers.to_vec(), layout.clone());
    let spec = WorkspaceSpec { padding, pooling, layout, shown, ..WorkspaceSpec::new(width, height) };
    Evaluator::new(filters.clone(), Isa::select().unwrap(), &spec)
}

fn picture(height: usize, width: usize, seed: u64) -> Image {
    let values = Noise(seed).vector(3 * height * width).iter().map(|v| 128.0 + 100.0 * v).collect();
    Image::new(width, height, values)
}

fn layers(names: &[&str]) -> Vec<Layer> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

fn layout(parts: &[(usize, Option<usize>)], reference_from: usize) -> Layout {
    let parts = parts.iter().map(|&(last_block, rows)| LayoutPart { last_block, rows });
    Layout { parts: parts.collect(), reference_from, reference_file: false }
}

/// The same with a file for the reference's features before `reference_from`.
fn with_file(parts: &[(usize, Option<usize>)], reference_from: usize) -> Layout {
    Layout { reference_file: true, ..layout(parts, reference_from) }
}

/// Features by layer, and the gradient of `sum (a + b r) x` with noise `a`, `b` and the features
/// `r` of a reference.
fn evaluate(
    evaluator: &mut Evaluator,
    image: &Image,
    reference: &Image,
    of_reference: &[Layer],
) -> (BTreeMap<Layer, Vec<f32>>, Vec<f32>) {
    evaluator.set_reference(reference, of_reference, &mut tempfile::tempfile, &mut |_| {}).unwrap();
    let mut gradient = vec![f32::NAN; image.as_slice().len()];
    let mut features = BTreeMap::<Layer, Vec<f32>>::new();
    // Twice: what the first leaves behind must not show in the second.
    for _ in 0..2 {
        features.clear();
        evaluator.forward(image.as_slice(), &mut |found| {
            let values = features.entry(found.layer).or_default();
            assert_eq!(values.len(), found.first, "{}", found.layer);
            values.extend_from_slice(found.values);
        });
        let read = evaluator.backward(
            image.as_slice(),
            &mut |band| {
                let (layer, start) = (band.layer(), band.first());
                let values = &features[&layer];
                let noise = Noise(1 + layer.channels() as u64).vector(2 * values.len());
                // The way back has the features of the way forward, to the bit.
                assert!(band.features() == &values[start..][..band.features().len()], "{layer}");
                assert_eq!(band.reference().is_some(), of_reference.contains(&layer));
                band.replace(|first, _, reference, gradient| {
                    for (i, g) in gradient.iter_mut().enumerate() {
                        let r = reference.map_or(0.0, |values| values[i]);
                        *g = GRADIENT * (noise[2 * (first + i)] + 0.01 * noise[2 * (first + i) + 1] * r);
                    }
                });
                true
            },
            &mut gradient,
        );
        read.unwrap();
    }
    (features, gradient)
}

fn check(height: usize, width: usize, names: &[&str], padding: Padding, pooling: Pooling, layouts: &[Layout]) {
    let filters = filters();
    let (image, reference) = (picture(height, width, 1), picture(height, width, 2));
    let layers = layers(names);
    let of_reference: Vec<Layer> = layers.iter().copied().skip(1).step_by(2).collect();
    let on = |layout: &Layout| {
        let mut evaluator = evaluator(&filters, (height, width), &layers, (padding, pooling), layout);
        evaluate(&mut evaluator, &image, &reference, &of_reference)
    };
    let (features, gradient) = on(&Layout::whole());
    for layout in layouts {
        let case = format!("{names:?} at {width}x{height}, {padding:?}, {pooling:?}, {layout:?}");
        assert!(layout.has_bands(width, height, &layers), "{case}");
        let (in_bands, found) = on(layout);
        assert!(in_bands.keys().eq(features.keys()), "{case}");
        for (layer, values) in &features {
            assert!(&in_bands[layer] == values, "{case}, {layer}: not the same bits");
        }
        let error = distance(&found, &gradient);
        assert!(error < MAX_GRADIENT_ERROR, "{case}: {error:e}");
    }
}

/// Euclidean, as a part of the norm of `expected`.
fn distance(found: &[f32], expected: &[f32]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let square = |v: f32| f64::from(v).powi(2);
    let error: f64 = found.iter().zip(expected).map(|(a, b)| square(a - b)).sum();
    (error / expected.iter().map(|&v| square(v)).sum::<f64>()).sqrt()
}

const BALANCED: [&str; 8] = ["relu1_1", "relu2_1", "relu2_2", "relu3_1", "relu3_2", "relu4_1", "relu4_2", "relu5_1"];

#[test]
fn every_cut_and_band_height_gives_the_same() {
    let layouts = [
        layout(&[(2, Some(24)), (3, None), (5, None)], 1),
        layout(&[(2, Some(72)), (3, Some(96)), (4, Some(96)), (5, Some(200))], 6),
        layout(&[(1, Some(24)), (3, Some(1)), (5, Some(1))], 1),
        layout(&[(3, Some(48)), (5, Some(96))], 6),
        layout(&[(3, Some(48)), (5, Some(96))], 4),
        layout(&[(5, Some(48))], 3),
        with_file(&[(2, Some(72)), (3, Some(96)), (4, Some(96)), (5, Some(200))], 6),
        with_file(&[(3, Some(48)), (5, None)], 3),
    ];
    check(401, 52, &BALANCED, Padding::Replicate, Pooling::Max, &layouts);
    check(1001, 18, &BALANCED, Padding::Zero, Pooling::Max, &[layout(&[(5, Some(1))], 1)]);
}

#[test]
fn odd_sizes_paddings_and_poolings() {
    let layouts =
        [with_file(&[(2, Some(48)), (5, Some(96))], 6), layout(&[(2, Some(96)), (3, Some(48)), (5, None)], 1)];
    for (height, width) in [(251, 53), (286, 41), (239, 67)] {
        check(height, width, &BALANCED, Padding::Zero, Pooling::Max, &layouts[..1]);
        check(height, width, &BALANCED, Padding::Replicate, Pooling::Average, &layouts);
    }
}

#[test]
fn maps_before_the_rectifier_and_before_poolings() {
    let sets: [&[&str]; 3] = [
        &["conv1_1", "conv1_2", "relu1_2", "conv2_2"],
        &["relu2_2", "conv3_4", "relu3_4", "conv4_1"],
        &["conv5_2", "relu5_3"],
    ];
    let layouts = [
        layout(&[(1, Some(24)), (2, Some(24)), (3, Some(48)), (4, Some(96)), (5, Some(96))], 6),
        layout(&[(2, Some(48)), (4, Some(96)), (5, None)], 1),
        with_file(&[(2, Some(48)), (4, Some(96)), (5, None)], 6),
    ];
    for names in sets {
        check(317, 36, names, Padding::Zero, Pooling::Max, &layouts);
    }
}

/// Bits and gradients are those of features that are kept, and a file that fails is an error.
#[test]
fn a_reference_in_a_file() {
    let (image, reference) = (picture(190, 61, 1), picture(190, 61, 2));
    let layers = layers(&BALANCED);
    let parts = [(3, Some(48)), (5, Some(96))];
    let evaluator = |layout: Layout| evaluator(&filters(), (190, 61), &layers, (Padding::Zero, Pooling::Max), &layout);
    let kept = evaluate(&mut evaluator(layout(&parts, 1)), &image, &reference, &layers[..3]);
    assert!(kept == evaluate(&mut evaluator(with_file(&parts, 6)), &image, &reference, &layers[..3]));

    let mut without = evaluator(with_file(&parts, 6));
    let mut full = || Err(std::io::ErrorKind::StorageFull.into());
    let error = without.set_reference(&reference, &layers[..3], &mut full, &mut |_| {}).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::StorageFull);

    let file = tempfile::tempfile().unwrap();
    let same_file = file.try_clone().unwrap();
    let mut file = Some(file);
    let mut evaluator = evaluator(with_file(&parts, 6));
    evaluator.set_reference(&reference, &layers[..3], &mut || Ok(file.take().unwrap()), &mut |_| {}).unwrap();
    let mut backward = || {
        evaluator.forward(image.as_slice(), &mut |_| {});
        let mut gradient = vec![0.0; image.as_slice().len()];
        evaluator.backward(image.as_slice(), &mut |_| false, &mut gradient)
    };
    assert!(backward().is_ok());
    same_file.set_len(1000).unwrap();
    assert_eq!(backward().unwrap_err().kind(), std::io::ErrorKind::UnexpectedEof);
}

#[test]
fn the_number_of_threads_does_not_change_a_bit() {
    let filters = filters();
    let (image, reference) = (picture(190, 61, 1), picture(190, 61, 2));
    let layers = layers(&BALANCED);
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let layout = layout(&[(2, Some(48)), (5, Some(96))], 6);
            let mut evaluator = evaluator(&filters, (190, 61), &layers, (Padding::Zero, Pooling::Max), &layout);
            evaluate(&mut evaluator, &image, &reference, &layers[..3])
        })
    };
    let one = on(1);
    assert!(one == on(2) && one == on(3));
}
