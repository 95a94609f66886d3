//! Gradients against central differences in f64.
//!
//! The loss is `Σ w (½ fᵀ S f + b·f) + Σ ½ w c |f - y|²` over the positions of all terms, where `y`
//! is the reference or the match. Its gradient is what a workspace makes of `S`, `b` and `c`.

use impasto_engine::network::{
    CandidateMap, Changes, ContentTerm, MapWindow, MatchCandidates, MatchTerm, Squares, StyleChange, StyleTerm,
    Workspace, WorkspaceSpec,
};
use impasto_engine::{Image, Layer, Padding, Pooling};

use super::{Backends, f64s, layers, no_file, picture, weights, workspace};
use crate::reference::{Noise, ReferenceBorder, ReferenceMap, ReferenceNetwork, relative_error};

/// Bound on the relative error of a directional derivative.
const GRADIENT_ERROR: f64 = 1e-4;

/// Terms at some layers, and how their losses change.
struct TestTerms {
    styles: Vec<StyleTerm>,
    contents: Vec<ContentTerm>,
    /// `S` and `b` of each style term.
    style_changes: Vec<(Vec<f32>, Vec<f32>)>,
    content_changes: Vec<f32>,
}

impl TestTerms {
    /// A style term at every layer and a content term at every other one. Means, windows and
    /// weights take turns. `maps`: features of the size that the terms are for; they are scaled so
    /// that every term counts.
    fn new(layers: &[Layer], maps: &[ReferenceMap]) -> Self {
        let mut terms = Self { styles: vec![], contents: vec![], style_changes: vec![], content_changes: vec![] };
        for (i, (&layer, map)) in layers.iter().zip(maps).enumerate() {
            let (height, width, channels) = (map.height, map.width, map.channels);
            let norm = (map.data.iter().map(|v| v * v).sum::<f64>() / map.data.len() as f64).sqrt();
            let window = (i % 3 == 2 && height > 2 && width > 3).then_some(MapWindow {
                top: 1,
                left: 2,
                height: height - 2,
                width: width - 3,
            });
            let count = window.map_or(height * width, |window| window.height * window.width);
            let is_weighted = i % 2 == 1;
            let of_style = is_weighted.then(|| weights(count, 7));
            terms.styles.push(StyleTerm { layer, means: i % 4 != 3, window, weights: of_style });
            terms.style_changes.push(change(channels, norm, i % 4 != 3));
            if i % 2 == 0 {
                let of_content = (i % 4 == 0).then(|| weights(height * width, 8));
                terms.contents.push(ContentTerm { layer, weights: of_content });
                terms.content_changes.push((1.0 / norm) as f32);
            }
        }
        terms
    }

    fn spec(&self, width: usize, height: usize, (padding, pooling): (Padding, Pooling)) -> WorkspaceSpec {
        let (styles, contents) = (self.styles.clone(), self.contents.clone());
        WorkspaceSpec { styles, contents, padding, pooling, ..WorkspaceSpec::new(width, height) }
    }

    fn changes(&self) -> Changes<'_> {
        let styles = self.style_changes.iter().map(|(s, b)| StyleChange { s, b });
        Changes { styles: styles.collect(), contents: self.content_changes.clone(), ..Changes::default() }
    }

    /// The loss of maps and those of a reference, in f64.
    fn loss(&self, layers: &[Layer], maps: &[ReferenceMap], reference: &[ReferenceMap]) -> f64 {
        let of = |layer: Layer| layers.iter().position(|other| *other == layer).expect("one of the layers");
        let styles = self.styles.iter().zip(&self.style_changes);
        let styles = styles.map(|(term, change)| style_loss(term, change, &maps[of(term.layer)]));
        let contents = self.contents.iter().zip(&self.content_changes);
        let contents = contents.map(|(term, &c)| {
            let (map, reference) = (&maps[of(term.layer)], &reference[of(term.layer)]);
            0.5 * f64::from(c) * squares(term, map, reference)
        });
        styles.sum::<f64>() + contents.sum::<f64>()
    }
}

/// Random `S` and `b` for features of this size.
fn change(channels: usize, norm: f64, means: bool) -> (Vec<f32>, Vec<f32>) {
    let (mut s, mut noise) = (vec![0.0; channels * channels], Noise(11));
    let scale = 1.0 / (norm * (channels as f64).sqrt());
    for i in 0..channels {
        for j in 0..=i {
            let value = (scale * noise.next()) as f32;
            (s[i * channels + j], s[j * channels + i]) = (value, value);
        }
    }
    (s, if means { noise.vector(channels) } else { vec![] })
}

/// `Σ w (½ fᵀ S f + b·f)`
fn style_loss(term: &StyleTerm, (s, b): &(Vec<f32>, Vec<f32>), map: &ReferenceMap) -> f64 {
    let channels = map.channels;
    let window = term.window.unwrap_or(MapWindow { top: 0, left: 0, height: map.height, width: map.width });
    let mut loss = 0.0;
    for i in 0..window.height * window.width {
        let position = (window.top + i / window.width) * map.width + window.left + i % window.width;
        let f = &map.data[position * channels..][..channels];
        let w = term.weights.as_ref().map_or(1.0, |weights| f64::from(weights.values()[i]));
        let quadratic: f64 = (0..channels)
            .map(|row| {
                let products = f.iter().zip(&s[row * channels..]).map(|(f, &s)| f * f64::from(s));
                f[row] * products.sum::<f64>()
            })
            .sum();
        let linear: f64 = b.iter().zip(f).map(|(&b, f)| f64::from(b) * f).sum();
        loss += w * (0.5 * quadratic + linear);
    }
    loss
}

/// `Σ w |f - y|²`
fn squares(term: &ContentTerm, map: &ReferenceMap, reference: &ReferenceMap) -> f64 {
    let squares = map.data.iter().zip(&reference.data).enumerate().map(|(i, (f, y))| {
        let w = term.weights.as_ref().map_or(1.0, |weights| f64::from(weights.values()[i / map.channels]));
        w * (f - y).powi(2)
    });
    squares.sum()
}

pub fn gradients_agree_with_central_differences(backends: &Backends) {
    let reference = ReferenceNetwork::new(impasto_weights::VGG19);
    // With and without layers whose maps a pooling needs besides, before and after the rectifier,
    // alone and together.
    let sets: [&[&str]; 4] = [
        &["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu4_2", "relu5_1"],
        &["conv1_1", "conv1_2", "relu1_2", "conv2_2"],
        &["relu2_2", "conv3_4", "relu3_4", "conv4_1"],
        &["conv5_2"],
    ];
    for (height, width) in [(17, 23), (16, 32)] {
        let (image, content) = (picture(height, width, 2), picture(height, width, 12));
        let x = f64s(image.as_slice());
        for names in sets {
            for (pooling, padding, border) in [
                (Pooling::Max, Padding::Zero, ReferenceBorder::Zero),
                (Pooling::Average, Padding::Zero, ReferenceBorder::Zero),
                (Pooling::Max, Padding::Replicate, ReferenceBorder::Replicate),
                (Pooling::Max, Padding::Circular, ReferenceBorder::Circular),
                (Pooling::Average, Padding::Circular, ReferenceBorder::Circular),
            ] {
                if border == ReferenceBorder::Circular && !(height | width).is_multiple_of(16) {
                    continue;
                }
                let features =
                    |rgb: &[f64]| reference.features(height, width, rgb, pooling == Pooling::Average, border, names);
                let (layers, maps) = (layers(names), features(&x));
                let terms = TestTerms::new(&layers, &maps);
                let of_content = features(&f64s(content.as_slice()));
                let direction: Vec<f64> = f64s(&Noise(4).vector(x.len()));
                // Small enough that hardly a rectifier or a maximum switches within the step.
                let step = 1e-6;
                let moved = |sign: f64| {
                    let moved: Vec<f64> = x.iter().zip(&direction).map(|(x, d)| x + sign * step * d).collect();
                    terms.loss(&layers, &features(&moved), &of_content)
                };
                let expected = (moved(1.0) - moved(-1.0)) / (2.0 * step);
                for backend in backends {
                    let case =
                        format!("{}: {names:?} at {width}x{height}, {pooling:?}, {padding:?}", backend.identity());
                    let mut workspace = workspace(&**backend, terms.spec(width, height, (padding, pooling)));
                    let (gradient, found) = evaluate(&mut *workspace, &terms, &image, &content);
                    for (term, found) in terms.contents.iter().zip(found.contents) {
                        let i = layers.iter().position(|layer| *layer == term.layer).expect("one of the layers");
                        let error = (found / squares(term, &maps[i], &of_content[i]) - 1.0).abs();
                        assert!(error < GRADIENT_ERROR, "{case}, {}: squares {error:e}", term.layer);
                    }
                    let found: f64 = gradient.iter().zip(&direction).map(|(&g, d)| f64::from(g) * d).sum();
                    let scale = gradient.iter().map(|&g| f64::from(g).powi(2)).sum::<f64>().sqrt();
                    let error = (found - expected).abs() / scale;
                    assert!(error < GRADIENT_ERROR, "{case}: {error:e}");
                }
            }
        }
    }
}

/// The gradient, and the squares of the content terms and the match terms.
fn evaluate(workspace: &mut dyn Workspace, terms: &TestTerms, image: &Image, content: &Image) -> (Vec<f32>, Squares) {
    let mut gradient = vec![f32::NAN; image.as_slice().len()];
    let mut squares = Squares::default();
    workspace.set_reference(content, &mut no_file).expect("an evaluation");
    // Twice: what the first leaves behind must not show in the second.
    for _ in 0..2 {
        workspace.forward(image.as_slice()).expect("an evaluation");
        squares = workspace.backward(image.as_slice(), &terms.changes(), &mut gradient).expect("an evaluation");
    }
    (gradient, squares)
}

/// A style term with means at a layer, all positions counting 1.
fn plain_term(layer: Layer) -> StyleTerm {
    StyleTerm { layer, means: true, window: None, weights: None }
}

pub fn layers_without_a_term_add_nothing(backends: &Backends) {
    let image = picture(20, 20, 5);
    for backend in backends {
        let gradient_with = |shown: &[&str]| {
            let (styles, shown) = (vec![plain_term(layers(&["relu2_1"])[0])], layers(shown));
            let mut workspace = workspace(&**backend, WorkspaceSpec { styles, shown, ..WorkspaceSpec::new(20, 20) });
            workspace.forward(image.as_slice()).expect("an evaluation");
            let (s, b) = change(128, 1.0, true);
            let changes = Changes { styles: vec![StyleChange { s: &s, b: &b }], ..Changes::default() };
            let mut gradient = vec![0.0; 3 * 20 * 20];
            workspace.backward(image.as_slice(), &changes, &mut gradient).expect("an evaluation");
            gradient
        };
        let alone = gradient_with(&[]);
        assert!(alone.iter().any(|&g| g != 0.0));
        let among_others = gradient_with(&["conv1_1", "relu1_1", "relu2_1", "conv2_2", "relu3_1"]);
        let error = relative_error(f64s(&among_others), &f64s(&alone));
        assert!(error < 1e-6, "{}: {error:e}", backend.identity());
    }
}

pub fn the_gradient_of_two_terms_is_the_sum_of_theirs(backends: &Backends) {
    let (height, width) = (21, 26);
    let image = picture(height, width, 6);
    let layer = layers(&["relu2_1"])[0];
    let weighted = StyleTerm { weights: Some(weights(10 * 13, 3)), means: false, ..plain_term(layer) };
    let (s, b) = change(128, 1.0, true);
    let changes = [StyleChange { s: &s, b: &b }, StyleChange { s: &s, b: &[] }];
    for backend in backends {
        let gradient = |terms: &[(StyleTerm, StyleChange<'_>)]| -> Vec<f64> {
            let styles = terms.iter().map(|(term, _)| term.clone()).collect();
            let mut workspace = workspace(&**backend, WorkspaceSpec { styles, ..WorkspaceSpec::new(width, height) });
            workspace.forward(image.as_slice()).expect("an evaluation");
            let changes = Changes { styles: terms.iter().map(|(_, change)| *change).collect(), ..Changes::default() };
            let mut gradient = vec![0.0; image.as_slice().len()];
            workspace.backward(image.as_slice(), &changes, &mut gradient).expect("an evaluation");
            f64s(&gradient)
        };
        let (first, second) = ((plain_term(layer), changes[0]), (weighted.clone(), changes[1]));
        let both = gradient(&[first.clone(), second.clone()]);
        let sum: Vec<f64> = gradient(&[first]).iter().zip(gradient(&[second])).map(|(a, b)| a + b).collect();
        let error = relative_error(both, &sum);
        assert!(error < 1e-4, "{}: {error:e}", backend.identity());
    }
}

pub fn the_reference_itself_has_no_content_gradient(backends: &Backends) {
    let image = picture(20, 33, 9);
    for backend in backends {
        let content = |layer: Layer| ContentTerm { layer, weights: None };
        let contents: Vec<_> = layers(&["relu2_2", "conv3_1"]).into_iter().map(content).collect();
        let mut workspace = workspace(&**backend, WorkspaceSpec { contents, ..WorkspaceSpec::new(33, 20) });
        workspace.set_reference(&image, &mut no_file).expect("an evaluation");
        let mut gradient = vec![f32::NAN; image.as_slice().len()];
        let changes = Changes { contents: vec![1.0, 2.0], ..Changes::default() };
        let squares = workspace.backward(image.as_slice(), &changes, &mut gradient).expect("an evaluation");
        assert_eq!(squares.contents, [0.0, 0.0], "{}", backend.identity());
        assert!(gradient.iter().all(|&g| g == 0.0), "{}", backend.identity());
    }
}

/// Matches against a naive search, and the gradient of the differences from them against central
/// differences. Matches that are kept give the same, in another workspace too.
pub fn matches_are_the_nearest_and_their_gradient_is_that_of_the_differences(backends: &Backends) {
    let reference = ReferenceNetwork::new(impasto_weights::VGG19);
    let (height, width, names) = (32, 48, ["relu2_1", "relu3_1"]);
    let image = picture(height, width, 2);
    let x = f64s(image.as_slice());
    for (padding, border) in
        [(Padding::Replicate, ReferenceBorder::Replicate), (Padding::Circular, ReferenceBorder::Circular)]
    {
        let features = |rgb: &[f64]| reference.features(height, width, rgb, false, border, &names);
        let (layers, maps) = (layers(&names), features(&x));
        let style = reference.features(19, 27, &f64s(picture(19, 27, 5).as_slice()), false, border, &names);
        let terms: Vec<MatchTerm> = (layers.iter().zip(&style).enumerate())
            .map(|(i, (&layer, map))| {
                let values = map.data.iter().map(|&v| v as f32).collect();
                let counts = (i == 0).then(|| (0..map.height * map.width).map(|i| i % 3 != 0).collect());
                let map = CandidateMap { height: map.height, width: map.width, values, counts };
                let candidates = MatchCandidates::new(layer.channels(), vec![map]).expect("some positions count");
                let positions = (width >> layer.poolings()) * (height >> layer.poolings());
                let weights = (i == 1).then(|| weights(positions, 8));
                MatchTerm { layer, weights, candidates: candidates.into() }
            })
            .collect();
        let scales: Vec<f32> = maps.iter().map(|map| 1.0 / map.data.iter().sum::<f64>() as f32).collect();
        for backend in backends {
            let case = format!("{}: {padding:?}", backend.identity());
            let spec = WorkspaceSpec { padding, matches: terms.clone(), ..WorkspaceSpec::new(width, height) };
            let mut workspace = workspace(&**backend, spec);
            workspace.renew_matches();
            workspace.forward(image.as_slice()).expect("an evaluation");
            let matches: Vec<Vec<u32>> = workspace.matches().iter().map(|matches| matches.to_vec()).collect();
            for ((term, found), (map, style)) in terms.iter().zip(&matches).zip(maps.iter().zip(&style)) {
                check_matches(term, found, map, style, padding == Padding::Circular, &case);
            }
            let changes = Changes { matches: scales.clone(), ..Changes::default() };
            let mut gradient = vec![f32::NAN; image.as_slice().len()];
            let squares = workspace.backward(image.as_slice(), &changes, &mut gradient).expect("an evaluation").matches;
            let squares_of = |maps: &[ReferenceMap]| -> Vec<f64> {
                let of_term =
                    |((term, matches), (map, style)): ((&MatchTerm, &Vec<u32>), (&ReferenceMap, &ReferenceMap))| {
                        let n = map.channels;
                        let gathered = matches.iter().flat_map(|&m| &style.data[m as usize * n..][..n]);
                        let reference = ReferenceMap { data: gathered.copied().collect(), ..map.clone() };
                        let content = ContentTerm { layer: term.layer, weights: term.weights.clone() };
                        super::gradients::squares(&content, map, &reference)
                    };
                terms.iter().zip(&matches).zip(maps.iter().zip(&style)).map(of_term).collect()
            };
            for (found, expected) in squares.iter().zip(squares_of(&maps)) {
                assert!((found / expected - 1.0).abs() < GRADIENT_ERROR, "{case}: {found} {expected}");
            }
            let direction: Vec<f64> = f64s(&Noise(4).vector(x.len()));
            let step = 1e-6;
            let moved = |sign: f64| -> f64 {
                let moved: Vec<f64> = x.iter().zip(&direction).map(|(x, d)| x + sign * step * d).collect();
                squares_of(&features(&moved)).iter().zip(&scales).map(|(square, &c)| 0.5 * f64::from(c) * square).sum()
            };
            let expected = (moved(1.0) - moved(-1.0)) / (2.0 * step);
            let found: f64 = gradient.iter().zip(&direction).map(|(&g, d)| f64::from(g) * d).sum();
            let scale = gradient.iter().map(|&g| f64::from(g).powi(2)).sum::<f64>().sqrt();
            let error = (found - expected).abs() / scale;
            assert!(error < GRADIENT_ERROR, "{case}: {error:e}");

            // On another picture the matches would be others, but they are kept.
            let other = picture(height, width, 3);
            workspace.forward(other.as_slice()).expect("an evaluation");
            assert!(
                workspace.matches().iter().zip(&matches).all(|(kept, matches)| *kept == matches.as_slice()),
                "{case}"
            );
            workspace.renew_matches();
            workspace.forward(other.as_slice()).expect("an evaluation");
            assert!(
                workspace.matches().iter().zip(&matches).any(|(new, matches)| *new != matches.as_slice()),
                "{case}"
            );
            assert!(workspace.set_matches(&matches), "{case}");
            let mut again = vec![f32::NAN; gradient.len()];
            workspace.forward(image.as_slice()).expect("an evaluation");
            workspace.backward(image.as_slice(), &changes, &mut again).expect("an evaluation");
            assert!(again == gradient, "{case}");
            // Position 0 of the first term's style does not count.
            let mut wrong = matches.clone();
            wrong[0][7] = 0;
            assert!(!workspace.set_matches(&wrong) && !workspace.set_matches(&matches[..1]), "{case}");
        }
    }
}

/// A match is the naive one, or its cosine is as large except for rounding.
fn check_matches(term: &MatchTerm, found: &[u32], map: &ReferenceMap, style: &ReferenceMap, wraps: bool, case: &str) {
    let n = map.channels;
    let counting: Vec<usize> = (0..style.height * style.width).filter(|&i| term.candidates.counts(i as u32)).collect();
    let mean: Vec<f64> =
        (0..n).map(|c| counting.iter().map(|i| style.data[i * n + c]).sum::<f64>() / counting.len() as f64).collect();
    let patch = |map: &ReferenceMap, i: usize, wraps: bool| -> Vec<f64> {
        let near = |v: usize, offset: usize, side: usize| match wraps {
            true => (v + offset + side - 1) % side,
            false => (v + offset).saturating_sub(1).min(side - 1),
        };
        let of = |o: usize| near(i / map.width, o / 3, map.height) * map.width + near(i % map.width, o % 3, map.width);
        let values = (0..9).flat_map(|o| map.data[of(o) * n..][..n].iter().zip(&mean).map(|(v, mean)| v - mean));
        let values: Vec<f64> = values.collect();
        let norm = values.iter().map(|v| v * v).sum::<f64>().sqrt();
        values.iter().map(|v| v / norm).collect()
    };
    let patches: Vec<(usize, Vec<f64>)> = counting.iter().map(|&i| (i, patch(style, i, false))).collect();
    for (i, &m) in found.iter().enumerate() {
        if term.weights.as_ref().is_some_and(|weights| weights.values()[i] == 0.0) {
            continue;
        }
        let here = patch(map, i, wraps);
        let cosine = |other: &[f64]| here.iter().zip(other).map(|(a, b)| a * b).sum::<f64>();
        let best = patches.iter().map(|(_, other)| cosine(other)).fold(f64::NEG_INFINITY, f64::max);
        let own = patches.iter().find(|(j, _)| *j == m as usize).map(|(_, other)| cosine(other));
        assert!(own.is_some_and(|own| own > best - 1e-5), "{case}: {} at {i}: {own:?} instead of {best}", term.layer);
    }
}
