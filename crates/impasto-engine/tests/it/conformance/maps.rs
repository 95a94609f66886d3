//! Feature maps against the f64 reference.

use impasto_engine::network::{Backend, WorkspaceSpec};
use impasto_engine::{Image, Layer, Padding, Pooling};

use super::{Backends, f64s, layers, picture, workspace};
use crate::reference::{ReferenceBorder, ReferenceMap, ReferenceNetwork, relative_error};

/// Bound on the relative error (L2) of a feature map: measured 3e-6 at relu5_4, a tenth of it
/// before block 3 (docs/numerics.md).
const FEATURE_ERROR: f64 = 1e-5;

/// The maps of some layers, each `[H, W, C]`.
fn maps_of(
    backend: &dyn Backend,
    image: &Image,
    layers: &[Layer],
    (padding, pooling): (Padding, Pooling),
) -> Vec<Vec<f32>> {
    let shown = layers.to_vec();
    let spec = WorkspaceSpec { padding, pooling, shown, ..WorkspaceSpec::new(image.width(), image.height()) };
    let mut workspace = workspace(backend, spec);
    workspace.forward(image.as_slice()).expect("an evaluation");
    let map = |&layer: &Layer| workspace.features(layer).expect("features").values.into_owned();
    layers.iter().map(map).collect()
}

/// Checks the maps of some layers on every backend.
fn check(
    backends: &Backends,
    image: &Image,
    names: &[&str],
    (padding, pooling): (Padding, Pooling),
    expected: &[ReferenceMap],
) {
    for backend in backends {
        let layers = layers(names);
        let maps = maps_of(&**backend, image, &layers, (padding, pooling));
        for ((layer, map), expected) in layers.iter().zip(&maps).zip(expected) {
            let error = relative_error(f64s(map), &expected.data);
            let (identity, width, height) = (backend.identity(), image.width(), image.height());
            let case = format!("{identity}: {layer} at {width}x{height}, {pooling:?}, {padding:?}");
            assert!(error < FEATURE_ERROR, "{case}: {error:e}");
        }
    }
}

pub fn maps_agree_with_the_reference_on_ugly_sizes(backends: &Backends) {
    let reference = ReferenceNetwork::new(impasto_weights::VGG19);
    let names =
        ["relu1_1", "conv1_2", "relu1_2", "relu2_2", "conv3_1", "relu3_1", "conv4_2", "relu4_4", "relu5_1", "conv5_4"];
    for (height, width) in [(17, 23), (16, 16), (33, 19)] {
        let image = picture(height, width, 1);
        for pooling in [Pooling::Max, Pooling::Average] {
            let (average, rgb) = (pooling == Pooling::Average, f64s(image.as_slice()));
            let expected = reference.features(height, width, &rgb, average, ReferenceBorder::Zero, &names);
            check(backends, &image, &names, (Padding::Zero, pooling), &expected);
        }
    }
}

/// Backends may work in larger tiles where an image has more pixels.
pub fn maps_of_a_larger_image_agree_with_the_reference(backends: &Backends) {
    let (height, width) = (130, 131);
    let image = picture(height, width, 7);
    let names = ["relu1_1", "relu2_1", "relu3_1"];
    let reference = ReferenceNetwork::new(impasto_weights::VGG19);
    let rgb = f64s(image.as_slice());
    let expected = reference.features(height, width, &rgb, false, ReferenceBorder::Zero, &names);
    check(backends, &image, &names, (Padding::Zero, Pooling::Max), &expected);
}

pub fn the_border_is_as_asked_for(backends: &Backends) {
    let reference = ReferenceNetwork::new(impasto_weights::VGG19);
    for (height, width) in [(1, 1), (1, 5), (3, 2), (17, 23)] {
        let image = picture(height, width, 8);
        for (padding, border) in [
            (Padding::Zero, ReferenceBorder::Zero),
            (Padding::Replicate, ReferenceBorder::Replicate),
            (Padding::Circular, ReferenceBorder::Circular),
        ] {
            let expected = reference.features(height, width, &f64s(image.as_slice()), false, border, &["relu1_1"]);
            check(backends, &image, &["relu1_1"], (padding, Pooling::Max), &expected);
        }
    }
}

/// All convolutions wrap around, also in larger tiles.
pub fn circular_maps_agree_with_the_reference(backends: &Backends) {
    let reference = ReferenceNetwork::new(impasto_weights::VGG19);
    let cases: [(usize, usize, &[&str]); 3] = [
        (16, 48, &["relu1_1", "conv1_2", "relu2_2", "relu3_1", "conv4_2", "relu5_1"]),
        (32, 16, &["relu1_2", "relu3_4", "conv5_1"]),
        (132, 128, &["relu2_1", "relu3_1"]),
    ];
    for (height, width, names) in cases {
        let image = picture(height, width, 9);
        let rgb = f64s(image.as_slice());
        let expected = reference.features(height, width, &rgb, false, ReferenceBorder::Circular, names);
        check(backends, &image, names, (Padding::Circular, Pooling::Max), &expected);
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

/// On a torus no place is another's border: an image moved by multiples of all poolings has the
/// same maps, moved. Tiles lie elsewhere then, so the rounding differs.
pub fn circular_maps_move_with_the_image(backends: &Backends) {
    let (height, width, layers) = (32, 48, layers(&["relu1_1", "relu2_1", "relu3_1"]));
    let image = picture(height, width, 10);
    let moved = Image::new(width, height, rolled(image.as_slice(), width, 3, (12, 36)));
    for backend in backends {
        let maps = |image: &Image, padding| maps_of(&**backend, image, &layers, (padding, Pooling::Max));
        for padding in [Padding::Circular, Padding::Replicate] {
            for ((layer, here), there) in layers.iter().zip(maps(&image, padding)).zip(maps(&moved, padding)) {
                let (poolings, channels) = (layer.poolings(), layer.channels());
                let expected = rolled(&here, width >> poolings, channels, (12 >> poolings, 36 >> poolings));
                let error = relative_error(f64s(&there), &f64s(&expected));
                let moves = if padding == Padding::Circular { error < FEATURE_ERROR } else { error > 1e-2 };
                assert!(moves, "{}: {layer}, {padding:?}: {error:e}", backend.identity());
            }
        }
    }
}
