//! An image in bands against the whole image.

use std::fs::File;
use std::io;

use impasto_engine::network::{
    Backend, Changes, ContentTerm, MatchTerm, ReferenceSums, Squares, StyleChange, StyleSums, StyleTerm, WorkspaceSpec,
};
use impasto_engine::plan::layout::Layout;
use impasto_engine::{Image, Layer, Padding, Pooling};

use super::{Backends, candidates, f64s, layers, layout, picture, weights, workspace};
use crate::reference::{Noise, relative_error};

/// Bound on the relative error (L2) of a gradient. A backend may round differently in bands.
const GRADIENT_ERROR: f64 = 1e-4;

/// Bound on the relative error of sums, which are taken together differently in bands.
const SUM_ERROR: f64 = 1e-6;

/// Bound on the relative error (L2) of features on a card. Tiles at the edge of what a band sees
/// read other values beyond it, which changes the rounding of all that is in the tile.
const CARD_FEATURE_ERROR: f64 = 1e-5;

/// Scale of the changes. With it the gradients with respect to the features are a million times
/// smaller than the features: nothing of these may be left in what takes their place.
const CHANGE: f32 = 1e-7;

const BALANCED: [&str; 8] = ["relu1_1", "relu2_1", "relu2_2", "relu3_1", "relu3_2", "relu4_1", "relu4_2", "relu5_1"];

/// What an evaluation gives.
#[derive(PartialEq)]
struct Results {
    reference: ReferenceSums,
    sums: Vec<StyleSums>,
    squares: Squares,
    matches: Vec<Vec<u32>>,
    shown: Vec<f32>,
    gradient: Vec<f32>,
}

/// A picture, a reference, and terms: a style term at each layer, every other one weighted, and a
/// content term and a match term at every other layer. The deepest layer is shown.
struct BandCase {
    image: Image,
    reference: Image,
    layers: Vec<Layer>,
    padding: Padding,
    pooling: Pooling,
}

impl BandCase {
    fn new(height: usize, width: usize, names: &[&str], padding: Padding, pooling: Pooling) -> Self {
        let (image, reference) = (picture(height, width, 1), picture(height, width, 2));
        Self { image, reference, layers: layers(names), padding, pooling }
    }

    fn spec(&self, layout: &Layout) -> WorkspaceSpec {
        let (width, height) = (self.image.width(), self.image.height());
        let spec = WorkspaceSpec {
            padding: self.padding,
            pooling: self.pooling,
            layout: layout.clone(),
            ..WorkspaceSpec::new(width, height)
        };
        let of = |i: usize, layer: Layer| (i % 2 == 1).then(|| weights(spec.positions(layer), 4));
        let styles = self.layers.iter().enumerate();
        let styles = styles.map(|(i, &layer)| StyleTerm { layer, means: true, window: None, weights: of(i, layer) });
        let contents = self.layers.iter().enumerate().skip(1).step_by(2);
        let contents = contents.map(|(i, &layer)| ContentTerm { layer, weights: of(i / 2, layer) });
        let matches = self.layers.iter().enumerate().skip(1).step_by(2);
        let matches =
            matches.map(|(i, &layer)| MatchTerm { layer, weights: of(i / 2, layer), candidates: candidates(layer, 8) });
        let shown = vec![self.layers[self.layers.len() - 1]];
        let (styles, contents, matches) = (styles.collect(), contents.collect(), matches.collect());
        WorkspaceSpec { styles, contents, matches, shown, ..spec.clone() }
    }

    fn evaluate(&self, backend: &dyn Backend, layout: &Layout) -> Results {
        let spec = self.spec(layout);
        let (changes, contents) = (self.changes(), vec![CHANGE; spec.contents.len()]);
        let styles = changes.iter().map(|(s, b)| StyleChange { s, b }).collect();
        let changes = Changes { styles, matches: vec![CHANGE; spec.matches.len()], contents };
        let mut workspace = workspace(backend, spec);
        let reference = workspace.set_reference(&self.reference, &mut tempfile::tempfile).expect("an evaluation");
        let mut gradient = vec![f32::NAN; self.image.as_slice().len()];
        let (mut sums, mut squares, mut shown) = (vec![], Squares::default(), vec![]);
        let deepest = self.layers[self.layers.len() - 1];
        // Twice: what the first leaves behind must not show in the second.
        for _ in 0..2 {
            workspace.renew_matches();
            sums = workspace.forward(self.image.as_slice()).expect("an evaluation");
            shown = workspace.features(deepest).expect("an evaluation").values.to_vec();
            squares = workspace.backward(self.image.as_slice(), &changes, &mut gradient).expect("an evaluation");
        }
        let matches = workspace.matches().iter().map(|matches| matches.to_vec()).collect();
        Results { reference, sums, squares, matches, shown, gradient }
    }

    /// Random `S` and `b` of each style term.
    fn changes(&self) -> Vec<(Vec<f32>, Vec<f32>)> {
        let of_layer = |layer: &Layer| {
            let (channels, mut noise) = (layer.channels(), Noise(3));
            let mut s = vec![0.0; channels * channels];
            for i in 0..channels {
                for j in 0..=i {
                    let value = CHANGE / channels as f32 * noise.next() as f32;
                    (s[i * channels + j], s[j * channels + i]) = (value, value);
                }
            }
            (s, noise.vector(channels).iter().map(|v| CHANGE * v).collect())
        };
        self.layers.iter().map(of_layer).collect()
    }

    fn check(&self, backends: &Backends, layouts: &[Layout]) {
        for backend in backends {
            let whole = self.evaluate(&**backend, &Layout::whole());
            for layout in layouts {
                let (width, height) = (self.image.width(), self.image.height());
                let case = format!("{}: {width}x{height}, {:?}, {layout:?}", backend.identity(), self.layers);
                assert!(layout.has_bands(width, height, &self.layers), "{case}");
                let found = self.evaluate(&**backend, layout);
                let sums = whole.sums.iter().chain(&whole.reference.styles);
                for (found, whole) in found.sums.iter().chain(&found.reference.styles).zip(sums) {
                    assert!((found.total / whole.total - 1.0).abs() < 1e-12, "{case}");
                    close(&found.products, &whole.products, SUM_ERROR, &case);
                    close(&found.features, &whole.features, SUM_ERROR, &case);
                }
                for (found, whole) in found.reference.contents.iter().zip(&whole.reference.contents) {
                    close(&[found.total, found.squares], &[whole.total, whole.squares], SUM_ERROR, &case);
                    close(&found.features, &whole.features, SUM_ERROR, &case);
                }
                close(&found.reference.matches, &whole.reference.matches, SUM_ERROR, &case);
                close(&found.squares.contents, &whole.squares.contents, SUM_ERROR, &case);
                close(&found.squares.matches, &whole.squares.matches, SUM_ERROR, &case);
                assert!(found.matches == whole.matches, "{case}: other matches");
                if backend.card().is_some() {
                    close(&f64s(&found.shown), &f64s(&whole.shown), CARD_FEATURE_ERROR, &case);
                } else {
                    assert!(found.shown == whole.shown, "{case}: other features");
                }
                close(&f64s(&found.gradient), &f64s(&whole.gradient), GRADIENT_ERROR, &case);
            }
        }
    }
}

fn close(found: &[f64], expected: &[f64], bound: f64, case: &str) {
    let error = relative_error(found.iter().copied(), expected);
    assert!(error < bound, "{case}: {error:e}");
}

/// The same parts with a file for the reference's features before `reference_from`.
fn with_file(parts: &[(usize, Option<usize>)], reference_from: usize) -> Layout {
    Layout { reference_file: true, ..layout(parts, reference_from) }
}

pub fn an_image_in_bands_has_the_sums_and_the_gradient_of_the_whole(backends: &Backends) {
    let case = BandCase::new(401, 52, &BALANCED, Padding::Replicate, Pooling::Max);
    case.check(
        backends,
        &[
            layout(&[(2, Some(24)), (3, None), (5, None)], 1),
            layout(&[(1, Some(24)), (3, Some(1)), (5, Some(1))], 1),
            layout(&[(3, Some(48)), (5, Some(96))], 4),
            layout(&[(5, Some(48))], 6),
            with_file(&[(2, Some(72)), (3, Some(96)), (4, Some(96)), (5, Some(200))], 6),
            with_file(&[(3, Some(48)), (5, None)], 3),
        ],
    );
    let before_poolings = ["conv1_1", "conv1_2", "relu2_2", "conv3_4", "relu3_4", "conv4_1", "conv5_2"];
    let case = BandCase::new(251, 53, &before_poolings, Padding::Zero, Pooling::Average);
    case.check(backends, &[layout(&[(2, Some(48)), (5, Some(96))], 6), with_file(&[(5, Some(48))], 6)]);
}

pub fn a_narrow_image_in_bands_has_the_sums_and_the_gradient_of_the_whole(backends: &Backends) {
    let layers = ["relu1_1", "relu2_2", "relu3_1", "relu3_2"];
    let case = BandCase::new(219, 10, &layers, Padding::Replicate, Pooling::Max);
    case.check(backends, &[layout(&[(5, Some(32))], 1)]);
    let case = BandCase::new(151, 17, &["conv1_2", "relu2_2", "conv4_1"], Padding::Zero, Pooling::Average);
    case.check(backends, &[layout(&[(5, Some(64))], 1)]);
}

pub fn features_of_the_reference_have_the_same_bits_in_memory_and_in_a_file(backends: &Backends) {
    let case = BandCase::new(190, 61, &BALANCED, Padding::Zero, Pooling::Max);
    let parts = [(3, Some(48)), (5, Some(96))];
    for backend in backends {
        let in_memory = case.evaluate(&**backend, &layout(&parts, 1));
        for layout in [with_file(&parts, 6), with_file(&parts, 3), layout(&parts, 6)] {
            assert!(case.evaluate(&**backend, &layout) == in_memory, "{}: {layout:?}", backend.identity());
        }
        // A file that cannot be made is an error, unless the backend needs none.
        let mut asked = false;
        let mut full = || -> io::Result<File> {
            asked = true;
            Err(io::ErrorKind::StorageFull.into())
        };
        let mut workspace = workspace(&**backend, case.spec(&with_file(&parts, 6)));
        let taken = workspace.set_reference(&case.reference, &mut full);
        assert_eq!(taken.is_err(), asked, "{}", backend.identity());
    }
}
