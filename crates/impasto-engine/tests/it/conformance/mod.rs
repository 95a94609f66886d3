//! What every backend has to hold, as functions over [`Backend`].
//!
//! [`conformance_tests`] makes one test of each check. A check takes all backends of one kind,
//! because the reference that they are compared with is slow: VGG-19 in f64, written as plainly as
//! the formulas.
//!
//! - `maps`: feature maps against the reference, with every padding and pooling
//! - `sums`: sums of weighted positions and windows against those of the features
//! - `gradients`: central differences in f64
//! - `bands`: an image in bands against the whole image, and the reference in memory, in a file, or
//!   computed again
//! - `bits`: the same calls have the same bits, at any number of threads
//! - `goldens`: losses and gradients made outside this program
//! - `refusals`: what no backend can evaluate

pub mod bands;
pub mod bits;
pub mod goldens;
pub mod gradients;
pub mod maps;
pub mod refusals;
pub mod sums;

use std::fs::File;
use std::io;
use std::sync::Arc;

use impasto_engine::network::{Backend, CandidateMap, MatchCandidates, PositionWeights, Workspace, WorkspaceSpec};
use impasto_engine::plan::layout::{Layout, LayoutPart};
use impasto_engine::{Image, Layer};

use crate::reference::Noise;

/// Backends of one kind, such as the CPU with each of its instruction sets.
pub type Backends = [Box<dyn Backend>];

/// Makes a test of every check. `$backends`: a function that returns the backends to check. With
/// `small`, the checks of large images in bands and of the threads of a CPU are left out, and two
/// that take minutes on software in the place of a card.
macro_rules! conformance_tests {
    ($backends:path) => {
        crate::conformance::conformance_tests! { small $backends }
        crate::conformance::conformance_tests! { @each $backends;
            gradients gradients_agree_with_central_differences,
            bands an_image_in_bands_has_the_sums_and_the_gradient_of_the_whole,
            bands features_of_the_reference_have_the_same_bits_in_memory_and_in_a_file,
            bits the_number_of_threads_does_not_change_a_bit,
            bits after_a_reference_a_workspace_is_as_after_a_forward_pass,
        }
    };
    (small $backends:path) => {
        crate::conformance::conformance_tests! { @each $backends;
            maps maps_agree_with_the_reference_on_ugly_sizes,
            maps maps_of_a_larger_image_agree_with_the_reference,
            maps the_border_is_as_asked_for,
            maps circular_maps_agree_with_the_reference,
            maps circular_maps_move_with_the_image,
            sums sums_are_those_of_the_features,
            sums sums_of_the_reference_are_those_of_its_features,
            gradients layers_without_a_term_add_nothing,
            gradients matches_are_the_nearest_and_their_gradient_is_that_of_the_differences,
            gradients the_gradient_of_two_terms_is_the_sum_of_theirs,
            gradients the_reference_itself_has_no_content_gradient,
            bands a_narrow_image_in_bands_has_the_sums_and_the_gradient_of_the_whole,
            bits two_runs_have_the_same_bits,
            goldens losses_are_those_of_the_references,
            goldens gradients_are_those_of_the_references,
            refusals what_cannot_be_evaluated_is_refused,
        }
    };
    (@each $backends:path; $($module:ident $check:ident,)*) => {
        $(
            #[test]
            fn $check() {
                crate::conformance::$module::$check($backends());
            }
        )*
    };
}
pub(crate) use conformance_tests;

pub fn layers(names: &[&str]) -> Vec<Layer> {
    names.iter().map(|name| name.parse().expect("a layer")).collect()
}

/// Noise, the same for one seed.
pub fn picture(height: usize, width: usize, seed: u64) -> Image {
    let values = Noise(seed).vector(3 * height * width);
    Image::new(width, height, values.into_iter().map(|v| 127.5 + 127.5 * v).collect())
}

pub fn f64s(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&v| v.into()).collect()
}

/// Parts of the network by their last blocks and rows of a band, for a reference whose features
/// before the block `reference_from` are computed again.
pub fn layout(parts: &[(usize, Option<usize>)], reference_from: usize) -> Layout {
    let parts = parts.iter().map(|&(last_block, rows)| LayoutPart { last_block, rows });
    Layout { parts: parts.collect(), reference_from, reference_file: false }
}

/// Weights for some positions, with zeros among them.
pub fn weights(positions: usize, seed: u64) -> Arc<PositionWeights> {
    let mut values: Vec<f32> = Noise(seed).vector(positions).iter().map(|v| v.abs()).collect();
    values.iter_mut().skip(1).step_by(3).for_each(|w| *w = 0.0);
    values[0] = 1.0;
    Arc::new(PositionWeights::new(values).expect("more than a position is left"))
}

/// Candidates at a layer: two maps of noise with zeros in it, as features have them. Some positions
/// of the first do not count.
pub fn candidates(layer: Layer, seed: u64) -> Arc<MatchCandidates> {
    let map = |height: usize, width: usize, seed: u64| {
        let values = Noise(seed).vector(height * width * layer.channels()).iter().map(|v| v.max(0.0)).collect();
        CandidateMap { height, width, values, counts: None }
    };
    let counts = Some((0..5 * 9).map(|i| i % 4 != 1).collect());
    let maps = vec![CandidateMap { counts, ..map(5, 9, seed) }, map(1, 3, seed + 1)];
    Arc::new(MatchCandidates::new(layer.channels(), maps).expect("some positions count"))
}

/// A workspace that keeps no features in a file.
pub fn workspace(backend: &dyn Backend, spec: WorkspaceSpec) -> Box<dyn Workspace> {
    backend.workspace(spec).expect("the spec can be evaluated")
}

/// Where no file is asked for.
pub fn no_file() -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}
