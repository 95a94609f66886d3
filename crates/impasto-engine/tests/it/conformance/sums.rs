//! Sums over weighted positions and windows against those of the features that a backend shows.

use std::sync::Arc;

use impasto_engine::Layer;
use impasto_engine::network::{ContentTerm, MapWindow, PositionWeights, StyleTerm, WorkspaceSpec};

use super::{Backends, f64s, layers, no_file, picture, weights, workspace};
use crate::reference::relative_error;

/// Bound on the relative error (L2) of sums of f32 features.
const SUM_ERROR: f64 = 1e-6;

const HEIGHT: usize = 53;
const WIDTH: usize = 86;

/// Before and after the rectifier, with many positions and with few.
const NAMES: [&str; 4] = ["relu1_1", "conv2_1", "relu3_1", "relu5_1"];

/// Sums as they are written: `Σ w`, `Σ w f`, `Σ w f fᵀ`.
struct NaiveSums {
    total: f64,
    features: Vec<f64>,
    products: Vec<f64>,
}

impl NaiveSums {
    /// `map`: `[H, W, C]` with `width` columns. `weights`: of the window's positions.
    fn new(map: &[f64], width: usize, channels: usize, window: MapWindow, weights: Option<&[f32]>) -> Self {
        let mut sums = Self { total: 0.0, features: vec![0.0; channels], products: vec![0.0; channels * channels] };
        for i in 0..window.height * window.width {
            let (y, x) = (window.top + i / window.width, window.left + i % window.width);
            let f = &map[(y * width + x) * channels..][..channels];
            let w = weights.map_or(1.0, |weights| f64::from(weights[i]));
            sums.total += w;
            for (row, a) in f.iter().enumerate() {
                sums.features[row] += w * a;
                for (column, b) in f.iter().enumerate() {
                    sums.products[row * channels + column] += w * a * b;
                }
            }
        }
        sums
    }
}

/// All of a layer's map.
fn whole(layer: Layer) -> MapWindow {
    MapWindow { top: 0, left: 0, height: HEIGHT >> layer.poolings(), width: WIDTH >> layer.poolings() }
}

/// A part of a layer's map that touches no border, if the map is large enough for one.
fn part(layer: Layer) -> MapWindow {
    let MapWindow { height, width, .. } = whole(layer);
    let (top, left) = (height / 3, width / 4);
    MapWindow { top, left, height: (height - top - 1).max(1), width: (width - left - 2).max(1) }
}

/// Every mixture of means, window and weights.
fn style_terms(layer: Layer) -> Vec<StyleTerm> {
    let mut terms = Vec::new();
    for window in [None, Some(part(layer))] {
        let MapWindow { height, width, .. } = window.unwrap_or(whole(layer));
        for weights in [None, Some(weights(height * width, 5))] {
            for means in [false, true] {
                terms.push(StyleTerm { layer, means, window, weights: weights.clone() });
            }
        }
    }
    terms
}

pub fn sums_are_those_of_the_features(backends: &Backends) {
    let (image, shown) = (picture(HEIGHT, WIDTH, 1), layers(&NAMES));
    let styles: Vec<StyleTerm> = shown.iter().flat_map(|&layer| style_terms(layer)).collect();
    for backend in backends {
        let spec = WorkspaceSpec { styles: styles.clone(), shown: shown.clone(), ..WorkspaceSpec::new(WIDTH, HEIGHT) };
        let mut workspace = workspace(&**backend, spec);
        let sums = workspace.forward(image.as_slice()).expect("an evaluation");
        for (term, sums) in styles.iter().zip(&sums) {
            let StyleTerm { layer, means, window, weights } = term;
            let map = f64s(&workspace.features(*layer).expect("features").values);
            let weights = weights.as_deref().map(PositionWeights::values);
            let (width, channels) = (WIDTH >> layer.poolings(), layer.channels());
            let expected = NaiveSums::new(&map, width, channels, window.unwrap_or(whole(*layer)), weights);
            let case = format!("{}: {layer}, {window:?}, weights: {}", backend.identity(), weights.is_some());
            assert!((sums.total / expected.total - 1.0).abs() < 1e-12, "{case}: {}", sums.total);
            let error = relative_error(sums.products.iter().copied(), &expected.products);
            assert!(error < SUM_ERROR, "{case}: products {error:e}");
            let is_symmetric = |i: usize| sums.products[i] == sums.products[i % channels * channels + i / channels];
            assert!((0..channels * channels).all(is_symmetric), "{case}");
            if *means {
                let error = relative_error(sums.features.iter().copied(), &expected.features);
                assert!(error < SUM_ERROR, "{case}: features {error:e}");
            } else {
                assert!(sums.features.is_empty(), "{case}");
            }
        }
    }
}

pub fn sums_of_the_reference_are_those_of_its_features(backends: &Backends) {
    let (image, shown) = (picture(HEIGHT, WIDTH, 2), layers(&NAMES));
    let with_weights = |layer: Layer| {
        let MapWindow { height, width, .. } = whole(layer);
        [None, Some(weights(height * width, 6))].map(|weights| ContentTerm { layer, weights })
    };
    let contents: Vec<ContentTerm> = shown.iter().flat_map(|&layer| with_weights(layer)).collect();
    let style = StyleTerm { layer: shown[0], means: true, window: None, weights: None };
    for backend in backends {
        let spec = WorkspaceSpec {
            contents: contents.clone(),
            styles: vec![style.clone()],
            shown: shown.clone(),
            ..WorkspaceSpec::new(WIDTH, HEIGHT)
        };
        let mut workspace = workspace(&**backend, spec);
        let sums = workspace.set_reference(&image, &mut no_file).expect("an evaluation");
        assert_eq!(sums.styles, workspace.forward(image.as_slice()).expect("an evaluation"));
        for (ContentTerm { layer, weights }, sums) in contents.iter().zip(&sums.contents) {
            let map = f64s(&workspace.features(*layer).expect("features").values);
            let weights: Option<&PositionWeights> = weights.as_ref().map(Arc::as_ref);
            let (width, channels) = (WIDTH >> layer.poolings(), layer.channels());
            let values = weights.map(PositionWeights::values);
            let expected = NaiveSums::new(&map, width, channels, whole(*layer), values);
            let squares: f64 = (0..channels).map(|i| expected.products[i * channels + i]).sum();
            let case = format!("{}: {layer}, weights: {}", backend.identity(), weights.is_some());
            assert!((sums.total / expected.total - 1.0).abs() < 1e-12, "{case}: {}", sums.total);
            assert!((sums.squares / squares - 1.0).abs() < SUM_ERROR, "{case}: {}", sums.squares);
            let error = relative_error(sums.features.iter().copied(), &expected.features);
            assert!(error < SUM_ERROR, "{case}: {error:e}");
        }
    }
}
