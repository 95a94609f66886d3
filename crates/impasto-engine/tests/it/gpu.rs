//! The conformance suite for the cards of the machine, and for the software that stands in for one.

use std::sync::{Arc, LazyLock};

use impasto_engine::cpu::Isa;
use impasto_engine::gpu::{GpuBackend, adapters};
use impasto_engine::network::{
    Backend, Changes, ContentTerm, PixelTerms, StyleChange, StyleSums, StyleTerm, WorkspaceSpec,
};
use impasto_engine::plan::layout::Layout;
use impasto_engine::weights::Weights;

use crate::conformance::{bits, conformance_tests, gradients, layers, layout, no_file, picture, workspace};

/// If this environment variable is set, it is a failure that there is no card.
const REQUIRE_GPU: &str = "IMPASTO_REQUIRE_GPU";

/// The cards of the machine.
fn backends() -> &'static [Box<dyn Backend>] {
    static BACKENDS: LazyLock<Vec<Box<dyn Backend>>> = LazyLock::new(|| {
        let weights = Weights::from_static(impasto_weights::VGG19).expect("the embedded weights are VGG-19");
        let (weights, isa) = (Arc::new(weights), Isa::select().expect("an instruction set"));
        let backend = |adapter| -> Box<dyn Backend> {
            Box::new(GpuBackend::new(weights.clone(), &adapter, None, isa).expect("the card can be opened"))
        };
        adapters().into_iter().map(backend).collect()
    });
    if BACKENDS.is_empty() {
        assert!(std::env::var_os(REQUIRE_GPU).is_none(), "{REQUIRE_GPU} is set, and there is no GPU adapter");
        eprintln!("SKIPPED: no GPU adapter");
    }
    &BACKENDS
}

conformance_tests!(small backends);

#[test]
#[ignore = "ten minutes on software in the place of a card"]
fn gradients_agree_with_central_differences() {
    gradients::gradients_agree_with_central_differences(backends());
}

#[test]
#[ignore = "minutes on software in the place of a card"]
fn after_a_reference_a_workspace_is_as_after_a_forward_pass() {
    bits::after_a_reference_a_workspace_is_as_after_a_forward_pass(backends());
}

/// Changes that come from the sums of a style term, as those of a loss do.
fn change(sums: &StyleSums) -> (Vec<f32>, Vec<f32>) {
    let f32s = |values: &[f64]| -> Vec<f32> { values.iter().map(|&v| (1e-9 * v) as f32).collect() };
    (f32s(&sums.products), f32s(&sums.features))
}

/// Whole and in bands. The total variation has no weight, so the gradient is that of the network's
/// terms.
#[test]
fn a_point_on_the_card_has_the_sums_and_the_gradient_of_one_that_is_sent() {
    let (width, height) = (21, 97);
    let (image, content) = (picture(height, width, 1), picture(height, width, 2));
    let len = image.as_slice().len();
    for backend in backends() {
        for layout in [Layout::whole(), layout(&[(5, Some(32))], 6)] {
            let [style_layer, content_layer] = layers(&["relu2_1", "relu2_2"])[..] else { panic!("two layers") };
            let spec = WorkspaceSpec {
                styles: vec![StyleTerm { layer: style_layer, means: true, window: None, weights: None }],
                contents: vec![ContentTerm { layer: content_layer, weights: None }],
                layout: layout.clone(),
                ..WorkspaceSpec::new(width, height)
            };
            let mut workspace = workspace(&**backend, spec);
            workspace.set_reference(&content, &mut no_file).expect("an evaluation");
            let sums = workspace.forward(image.as_slice()).expect("an evaluation");
            let (s, b) = change(&sums[0]);
            let changes = Changes { styles: vec![StyleChange { s: &s, b: &b }], contents: vec![1.0], matches: vec![] };
            let mut gradient = vec![f32::NAN; len];
            let squares = workspace.backward(image.as_slice(), &changes, &mut gradient).expect("an evaluation");

            let on_card = workspace.resident().expect("points can stay on a card");
            let terms = PixelTerms { variation: 0.0, wraps: false, keep: None };
            let mut adam = on_card.adam(&terms).expect("there is room");
            let zeros = vec![0.0; len];
            adam.set([&zeros, image.as_slice(), &zeros, &zeros]);
            adam.try_walker();
            assert!(on_card.forward().expect("an evaluation") == sums, "{layout:?}");
            let (found, variation) = on_card.backward(&changes).expect("an evaluation");
            assert_eq!(found, squares, "{layout:?}");
            let pixel = |y: usize, x: usize, c: usize| f64::from(image.as_slice()[(y * width + x) * 3 + c]);
            let across = (0..height).flat_map(|y| (1..width).map(move |x| [y, x, y, x - 1]));
            let down = (1..height).flat_map(|y| (0..width).map(move |x| [y, x, y - 1, x]));
            let squares: f64 = across
                .chain(down)
                .flat_map(|[y, x, v, u]| (0..3).map(move |c| [y, x, v, u, c]))
                .map(|[y, x, v, u, c]| (pixel(y, x, c) - pixel(v, u, c)).powi(2))
                .sum();
            assert!((variation / squares - 1.0).abs() < 1e-6, "{variation} {squares}");
            // If nothing stays of the mean, it is the gradient.
            adam.update_means([0.0, 0.0]);
            let [_, found, _] = adam.state().expect("the arrays come back");
            assert!(found == gradient, "{layout:?}");
        }
    }
}
