//! The same calls have the same bits.

use impasto_engine::network::{
    Backend, Changes, ContentTerm, MatchTerm, ReferenceSums, StyleChange, StyleSums, StyleTerm, WorkspaceSpec,
};
use impasto_engine::plan::layout::Layout;
use impasto_engine::{Image, Layer, Padding};

use super::{Backends, candidates, layers, layout, picture, weights, workspace};

/// Large enough for several tasks of every kind.
const HEIGHT: usize = 131;
const WIDTH: usize = 150;

/// All that an evaluation gives, as bits.
#[derive(PartialEq)]
struct Bits {
    reference: ReferenceSums,
    sums: Vec<StyleSums>,
    squares: Vec<u64>,
    matches: Vec<Vec<u32>>,
    gradient: Vec<u32>,
}

/// A weighted and a plain style term at some layers, and content terms. This padding takes all the
/// passes that zeros take, and more.
fn spec(layout: &Layout) -> WorkspaceSpec {
    let spec =
        WorkspaceSpec { padding: Padding::Replicate, layout: layout.clone(), ..WorkspaceSpec::new(WIDTH, HEIGHT) };
    let terms = |&layer: &Layer| {
        let weights = weights(spec.positions(layer), 2);
        let plain = StyleTerm { layer, means: true, window: None, weights: None };
        [plain, StyleTerm { layer, means: false, window: None, weights: Some(weights) }]
    };
    let styles = layers(&["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"]);
    let content = |layer| ContentTerm { layer, weights: Some(weights(spec.positions(layer), 3)) };
    let contents = layers(&["relu2_2", "relu4_2"]).into_iter().map(content).collect();
    let plain = |layer| MatchTerm { layer, weights: None, candidates: candidates(layer, 9) };
    let weighted = |layer| MatchTerm { weights: Some(weights(spec.positions(layer), 5)), ..plain(layer) };
    let matches =
        layers(&["relu3_1", "relu4_1"]).into_iter().flat_map(|layer| [plain(layer), weighted(layer)]).collect();
    WorkspaceSpec { styles: styles.iter().flat_map(terms).collect(), contents, matches, ..spec.clone() }
}

/// An evaluation with changes that come from its own sums, as those of losses do.
fn evaluate(backend: &dyn Backend, layout: &Layout, image: &Image, content: &Image) -> Bits {
    let mut workspace = workspace(backend, spec(layout));
    let reference = workspace.set_reference(content, &mut tempfile::tempfile).expect("an evaluation");
    workspace.renew_matches();
    let sums = workspace.forward(image.as_slice()).expect("an evaluation");
    let f32s = |values: &[f64]| -> Vec<f32> { values.iter().map(|&v| (1e-9 * v) as f32).collect() };
    let changes: Vec<_> = sums.iter().map(|sums| (f32s(&sums.products), f32s(&sums.features))).collect();
    let styles = changes.iter().map(|(s, b)| StyleChange { s, b }).collect();
    let mut gradient = vec![f32::NAN; image.as_slice().len()];
    let changes = Changes { styles, contents: vec![1.0, 2.0], matches: vec![1.0, 0.5, 2.0, 1.0] };
    let squares = workspace.backward(image.as_slice(), &changes, &mut gradient).expect("an evaluation");
    Bits {
        reference,
        sums,
        squares: squares.contents.iter().chain(&squares.matches).map(|v| v.to_bits()).collect(),
        matches: workspace.matches().iter().map(|matches| matches.to_vec()).collect(),
        gradient: gradient.iter().map(|v| v.to_bits()).collect(),
    }
}

/// Whole, and in bands with the reference computed again. A card repeats nothing in bands that it
/// does not do whole.
fn layouts(backend: &dyn Backend) -> Vec<Layout> {
    let in_bands = layout(&[(2, Some(48)), (5, Some(96))], 6);
    if backend.card().is_some() { vec![Layout::whole()] } else { vec![Layout::whole(), in_bands] }
}

pub fn two_runs_have_the_same_bits(backends: &Backends) {
    let (image, content) = (picture(HEIGHT, WIDTH, 6), picture(HEIGHT, WIDTH, 7));
    for (backend, layout) in
        backends.iter().flat_map(|backend| layouts(&**backend).into_iter().map(move |layout| (backend, layout)))
    {
        let run = || evaluate(&**backend, &layout, &image, &content);
        assert!(run() == run(), "{}: {layout:?}", backend.identity());
    }
}

pub fn the_number_of_threads_does_not_change_a_bit(backends: &Backends) {
    let (image, content) = (picture(HEIGHT, WIDTH, 6), picture(HEIGHT, WIDTH, 7));
    for (backend, layout) in
        backends.iter().flat_map(|backend| layouts(&**backend).into_iter().map(move |layout| (backend, layout)))
    {
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a thread pool");
            pool.install(|| evaluate(&**backend, &layout, &image, &content))
        };
        let one = run(1);
        for threads in [2, 3] {
            assert!(run(threads) == one, "{}: {threads} threads, {layout:?}", backend.identity());
        }
    }
}

pub fn after_a_reference_a_workspace_is_as_after_a_forward_pass(backends: &Backends) {
    let content = picture(HEIGHT, WIDTH, 7);
    let pixels = content.as_slice();
    for (backend, layout) in
        backends.iter().flat_map(|backend| layouts(&**backend).into_iter().map(move |layout| (backend, layout)))
    {
        let spec = spec(&layout);
        let changes = spec.styles.iter().map(|StyleTerm { layer, means, .. }| {
            let (s, b) = (vec![1e-6; layer.channels().pow(2)], vec![1e-3; layer.channels()]);
            (s, if *means { b } else { vec![] })
        });
        let changes: Vec<(Vec<f32>, Vec<f32>)> = changes.collect();
        let styles = changes.iter().map(|(s, b)| StyleChange { s, b }).collect();
        let (contents, matches) = (vec![1.0; spec.contents.len()], vec![1.0; spec.matches.len()]);
        let changes = Changes { styles, contents, matches };
        let mut workspace = workspace(&**backend, spec);
        let (mut at_once, mut after_forward) = (vec![0.0; pixels.len()], vec![0.0; pixels.len()]);
        let sums = workspace.set_reference(&content, &mut tempfile::tempfile).expect("an evaluation");
        workspace.backward(pixels, &changes, &mut at_once).expect("an evaluation");
        assert!(workspace.forward(pixels).expect("an evaluation") == sums.styles, "{}", backend.identity());
        workspace.backward(pixels, &changes, &mut after_forward).expect("an evaluation");
        assert!(at_once == after_forward, "{}: {layout:?}", backend.identity());
    }
}
