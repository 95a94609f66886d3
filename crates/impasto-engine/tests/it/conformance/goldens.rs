//! Losses and gradients against float64 references made outside this program
//! (`crates/impasto/tests/golden`).

use std::path::PathBuf;

use impasto_engine::network::{Backend, Changes, ContentTerm, StyleChange, StyleSums, StyleTerm, WorkspaceSpec};
use impasto_engine::{Image, Layer, Pooling};
use safetensors::SafeTensors;
use serde_json::Value;

use super::{Backends, f64s, layers, no_file, workspace};
use crate::reference::relative_error;

/// Bound on the relative error of each loss.
const LOSS_ERROR: f64 = 1e-4;

/// Bound on the relative error (L2) of each gradient.
const GRADIENT_ERROR: f64 = 1e-3;

/// Sizes: 64x48 with a style of 48x48, 80x80 with 72x45, 37x51 with 40x64.
const NAMES: [&str; 3] = ["astronaut_starry", "chelsea_brick", "coffee_gravel"];

const POOLINGS: [(&str, Pooling); 2] = [("max", Pooling::Max), ("avg", Pooling::Average)];

const STYLE_LAYERS: [&str; 5] = ["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"];

struct GoldenCase {
    name: &'static str,
    content: Image,
    style: Image,
    picture: Image,
    numbers: Value,
    gradients: Vec<u8>,
}

impl GoldenCase {
    fn load(name: &'static str) -> Self {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../impasto/tests/golden");
        let read = |file: String| std::fs::read(folder.join(file)).expect("a golden file");
        let image = |role: &str| decoded(&read(format!("{name}.{role}.png")));
        let numbers: Value = serde_json::from_slice(&read("golden.json".to_owned())).expect("numbers");
        Self {
            name,
            content: image("content"),
            style: image("style"),
            picture: image("x"),
            numbers: numbers[name].clone(),
            gradients: read(format!("{name}.safetensors")),
        }
    }

    /// `[H, W, 3]`; the file has `[3, H, W]`, in RGB too.
    fn gradient(&self, name: &str) -> Vec<f64> {
        let file = SafeTensors::deserialize(&self.gradients).expect("a safetensors file");
        let tensor = file.tensor(name).expect("a gradient");
        assert_eq!(tensor.shape(), [3, self.picture.height(), self.picture.width()]);
        let planes: Vec<f32> = tensor.data().as_chunks().0.iter().map(|&b| f32::from_le_bytes(b)).collect();
        let plane = planes.len() / 3;
        (0..plane).flat_map(|i| [0, 1, 2].map(|c| f64::from(planes[c * plane + i]))).collect()
    }
}

/// An 8-bit RGB PNG.
fn decoded(bytes: &[u8]) -> Image {
    let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().expect("a PNG");
    let (width, height) = (reader.info().width as usize, reader.info().height as usize);
    let mut pixels = vec![0; 3 * width * height];
    reader.next_frame(&mut pixels).expect("pixels");
    Image::new(width, height, pixels.into_iter().map(f32::from).collect())
}

/// Eq. (3).
fn gram(sums: &StyleSums) -> Vec<f64> {
    sums.products.iter().map(|v| v / (sums.total * sums.channels() as f64)).collect()
}

/// The sums of an image at the style's layers.
fn style_sums(backend: &dyn Backend, image: &Image, pooling: Pooling) -> Vec<StyleSums> {
    let styles = layers(&STYLE_LAYERS).into_iter().map(style_term).collect();
    let spec = WorkspaceSpec { styles, pooling, ..WorkspaceSpec::new(image.width(), image.height()) };
    workspace(backend, spec).forward(image.as_slice()).expect("an evaluation")
}

fn style_term(layer: Layer) -> StyleTerm {
    StyleTerm { layer, means: false, window: None, weights: None }
}

fn each(backends: &Backends, check: impl Fn(&dyn Backend, &GoldenCase, &str, Pooling)) {
    for name in NAMES {
        let case = GoldenCase::load(name);
        for (backend, (pooling_name, pooling)) in backends.iter().flat_map(|backend| POOLINGS.map(|p| (backend, p))) {
            check(&**backend, &case, pooling_name, pooling);
        }
    }
}

fn assert_close(found: f64, expected: &Value, what: &str) {
    let expected = expected.as_f64().expect("a number");
    let error = (found / expected - 1.0).abs();
    assert!(error < LOSS_ERROR, "{what}: {found}, expected {expected}, relative error {error:e}");
}

pub fn losses_are_those_of_the_references(backends: &Backends) {
    each(backends, |backend, case, pooling_name, pooling| {
        let expected = &case.numbers[pooling_name];
        let what = |what: &str| format!("{}: {} {pooling_name} {what}", backend.identity(), case.name);
        let (styles, pictures) =
            (style_sums(backend, &case.style, pooling), style_sums(backend, &case.picture, pooling));
        for ((layer, style), picture) in STYLE_LAYERS.iter().zip(&styles).zip(&pictures) {
            let (style, picture) = (gram(style), gram(picture));
            let norm = style.iter().map(|g| g * g).sum::<f64>().sqrt();
            assert_close(norm, &expected["gram_frobenius"][layer], &what(layer));
            let loss: f64 = picture.iter().zip(&style).map(|(a, b)| (a - b).powi(2)).sum();
            assert_close(loss, &expected["style_loss"][layer], &what(layer));
        }
    });
}

pub fn gradients_are_those_of_the_references(backends: &Backends) {
    each(backends, |backend, case, pooling_name, pooling| {
        let check = |found: &[f32], key: &str| {
            let expected = case.gradient(&format!("{pooling_name}.{key}"));
            let error = relative_error(f64s(found), &expected);
            let identity = backend.identity();
            assert!(error < GRADIENT_ERROR, "{identity}: {} {pooling_name} {key}: {error:e}", case.name);
        };
        let (width, height, pixels) = (case.picture.width(), case.picture.height(), case.picture.as_slice());
        let mut gradient = vec![f32::NAN; pixels.len()];

        let layer = layers(&["relu4_2"])[0];
        let contents = vec![ContentTerm { layer, weights: None }];
        let spec = WorkspaceSpec { contents, pooling, ..WorkspaceSpec::new(width, height) };
        let count = (spec.positions(layer) * layer.channels()) as f64;
        let mut of_content = workspace(backend, spec);
        of_content.set_reference(&case.content, &mut no_file).expect("an evaluation");
        of_content.forward(pixels).expect("an evaluation");
        let changes = Changes { contents: vec![(2.0 / count) as f32], ..Changes::default() };
        let squares = of_content.backward(pixels, &changes, &mut gradient).expect("an evaluation");
        let expected = &case.numbers[pooling_name]["content_loss"]["relu4_2"];
        assert_close(squares.contents[0] / count, expected, &format!("{}: {} relu4_2", backend.identity(), case.name));
        check(&gradient, "grad_content");

        let styles = layers(&STYLE_LAYERS).into_iter().map(style_term).collect();
        let spec = WorkspaceSpec { styles, pooling, ..WorkspaceSpec::new(width, height) };
        let mut of_style = workspace(backend, spec);
        let sums = of_style.forward(pixels).expect("an evaluation");
        let change = |(style, picture): (&StyleSums, &StyleSums)| -> Vec<f32> {
            let scale = 4.0 / (picture.total * picture.channels() as f64);
            gram(picture).iter().zip(gram(style)).map(|(a, b)| (scale * (a - b)) as f32).collect()
        };
        let changes: Vec<_> = style_sums(backend, &case.style, pooling).iter().zip(&sums).map(change).collect();
        let styles = changes.iter().map(|s| StyleChange { s, b: &[] }).collect();
        of_style.backward(pixels, &Changes { styles, ..Changes::default() }, &mut gradient).expect("an evaluation");
        check(&gradient, "grad_style");
    });
}
