//! The losses and their gradients against float64 references that were made outside this program
//! (tests/golden).

use std::path::PathBuf;

use impasto_engine::network::{StyleTerm, Workspace, WorkspaceSpec};
use impasto_engine::{Image, Layer, Pooling};
use safetensors::SafeTensors;
use serde_json::Value;

use crate::error::PictureRole;
use crate::loss::statistics::gram_matrix;
use crate::loss::total_variation::add_total_variation_gradient;
use crate::measure::{MeasureOptions, measure};
use crate::network::Network;
use crate::options::{Objective, Options};
use crate::picture;
use crate::reduce::norm;
use crate::session::task::Task;

/// Bound on the relative error of each loss, and of each norm.
const MAX_LOSS_ERROR: f64 = 1e-4;

/// Bound on the relative error of each gradient, by the Euclidean norm of the difference.
const MAX_GRADIENT_ERROR: f64 = 1e-3;

const POOLINGS: [(&str, Pooling); 2] = [("max", Pooling::Max), ("avg", Pooling::Average)];

/// Their sizes are 64x48 with a style of 48x48, 80x80 with 72x45, and 37x51 with 40x64.
const NAMES: [&str; 3] = ["astronaut_starry", "chelsea_brick", "coffee_gravel"];

struct Case {
    content: Image,
    style: Image,
    picture: Image,
    numbers: Value,
    gradients: Vec<u8>,
}

impl Case {
    fn load(name: &str) -> Self {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
        let image = |role: &str| picture::load(&folder.join(format!("{name}.{role}.png"))).unwrap().image;
        let numbers: Value = serde_json::from_slice(&std::fs::read(folder.join("golden.json")).unwrap()).unwrap();
        Self {
            content: image("content"),
            style: image("style"),
            picture: image("x"),
            numbers: numbers[name].clone(),
            gradients: std::fs::read(folder.join(format!("{name}.safetensors"))).unwrap(),
        }
    }

    /// Reads an array as `[H, W, 3]`. The file has it as `[3, H, W]`, in RGB too.
    fn gradient(&self, name: &str) -> Vec<f32> {
        let file = SafeTensors::deserialize(&self.gradients).unwrap();
        let tensor = file.tensor(name).unwrap();
        assert_eq!(tensor.shape(), [3, self.picture.height(), self.picture.width()]);
        let planes: Vec<f32> = tensor.data().as_chunks().0.iter().map(|&b| f32::from_le_bytes(b)).collect();
        let plane = planes.len() / 3;
        (0..plane).flat_map(|i| [0, 1, 2].map(|c| planes[c * plane + i])).collect()
    }
}

fn assert_close(found: f64, expected: &Value, what: &str) {
    let expected = expected.as_f64().unwrap();
    let error = (found / expected - 1.0).abs();
    assert!(error < MAX_LOSS_ERROR, "{what}: {found}, expected {expected}, relative error {error:e}");
}

fn assert_gradient_close(found: &[f32], expected: &[f32], what: &str) {
    let difference: Vec<f32> = found.iter().zip(expected).map(|(a, b)| a - b).collect();
    let error = norm(&difference) / norm(expected);
    assert!(error < MAX_GRADIENT_ERROR, "{what}: relative error {error:e}");
}

#[test]
fn losses_and_gradient_norms_are_those_of_the_references() {
    let network = Network::embedded().unwrap();
    for name in NAMES {
        let case = Case::load(name);
        for (pooling_name, pooling) in POOLINGS {
            let expected = &case.numbers[pooling_name];
            let options = MeasureOptions { pooling, ..MeasureOptions::default() };
            let found = measure(&network, &case.picture, &case.content, &case.style, &options).unwrap();
            let what = |loss: &str| format!("{name} {pooling_name} {loss}");
            for (losses, key) in [(&found.losses.content, "content_loss"), (&found.losses.style, "style_loss")] {
                assert_eq!(losses.len(), expected[key].as_object().unwrap().len());
                for (layer, value) in losses {
                    assert_close(*value, &expected[key][layer.to_string()], &what(&layer.to_string()));
                }
            }
            assert_close(found.losses.tv, &expected["tv"], &what("tv"));
            let norms = found.gradient_norm;
            for (key, norm) in [("content", norms.content), ("style", norms.style), ("tv", norms.tv)] {
                assert_close(norm, &expected["grad_l2"][key], &what(key));
            }
        }
    }
}

#[test]
fn gradients_are_those_of_the_references() {
    let network = Network::embedded().unwrap();
    for name in NAMES {
        let case = Case::load(name);
        for (pooling_name, pooling) in POOLINGS {
            for (key, content_weight, style_weight) in [("content", 1.0, 0.0), ("style", 0.0, 1.0)] {
                let options = Options {
                    content_weight,
                    style_weight,
                    tv_weight: 0.0,
                    pooling,
                    ..Options::for_objective(Objective::Paper)
                };
                let mut task = Task::of_pair(&network, &case.content, &case.style, &options).unwrap();
                let mut gradient = vec![0.0; case.picture.as_slice().len()];
                task.evaluate(case.picture.as_slice(), &mut gradient).unwrap();
                let tensor = format!("{pooling_name}.grad_{key}");
                assert_gradient_close(&gradient, &case.gradient(&tensor), &format!("{name} {tensor}"));
            }
        }
    }
}

#[test]
fn the_total_variations_gradient_is_that_of_the_references() {
    for name in NAMES {
        let case = Case::load(name);
        let mut gradient = vec![0.0; case.picture.as_slice().len()];
        add_total_variation_gradient(case.picture.as_slice(), case.picture.width(), false, 1.0, &mut gradient);
        assert_gradient_close(&gradient, &case.gradient("grad_tv"), name);
    }
}

#[test]
fn gram_matrices_have_the_norms_of_the_references() {
    let network = Network::embedded().unwrap();
    for name in NAMES {
        let case = Case::load(name);
        for (pooling_name, pooling) in POOLINGS {
            let norms = case.numbers[pooling_name]["gram_frobenius"].as_object().unwrap();
            let layers: Vec<Layer> = norms.keys().map(|layer| layer.parse().unwrap()).collect();
            let (width, height) = (case.style.width(), case.style.height());
            let term = |&layer: &Layer| StyleTerm { layer, means: false, window: None, weights: None };
            let styles = layers.iter().map(term).collect();
            let spec = WorkspaceSpec { pooling, styles, ..WorkspaceSpec::new(width, height) };
            let mut workspace = network.workspace(PictureRole::Style, spec).unwrap();
            let sums = workspace.forward(case.style.as_slice()).unwrap();
            for ((layer, expected), sums) in layers.iter().zip(norms.values()).zip(&sums) {
                let squares = gram_matrix(sums).iter().map(|g| g * g).sum::<f64>();
                assert_close(squares.sqrt(), expected, &format!("{name} {pooling_name} {layer}"));
            }
        }
    }
}
