//! Gram matrices: which channels fire together, wherever that is.

use crate::cpu::kernels::feature_map::FeatureMap;
use crate::cpu::kernels::gram;
use crate::cpu::kernels::isa::Isa;

/// Gram matrix `FᵀF / (H·W·C)`, eq. (3).
///
/// `features`: `[H, W, C]`, `C` a multiple of 64. Returns `[C, C]`, as [`products`] does.
pub fn gram(isa: Isa, features: &FeatureMap) -> Vec<f64> {
    let scale = 1.0 / features.as_slice().len() as f64;
    let mut gram = products(isa, features.channels(), features.as_slice());
    gram.iter_mut().for_each(|v| *v *= scale);
    gram
}

/// `FᵀF`: what some positions of a map contribute to the Gram matrix, before it is divided.
///
/// `features`: `[positions, C]`, `C` a multiple of 64. Returns `[C, C]`, symmetric to the bit. Products are f32; at most 1,024 positions
/// are summed in f32, the rest in f64, in an order that does not depend on the number of threads.
///
/// # Panics
/// If the features are not whole positions.
pub fn products(isa: Isa, channels: usize, features: &[f32]) -> Vec<f64> {
    gram::gram(isa, channels, features)
}

/// `gradient (+)= F·S` at some positions, for symmetric `S`.
///
/// With `S = 4 / (H·W·C) · (G - G_style)` it is the gradient of eq. (2), `Σ (G - G_style)²`, with respect to `F`.
/// `features` and `gradient`: `[positions, C]`, as [`crate::cpu::evaluator::GradientBand::replace`] hands them out; `s`: `[C, C]`. `accumulate`: add to what is
/// in `gradient`, else overwrite it. It works on the calling thread alone.
///
/// # Panics
/// If the lengths do not fit each other.
pub fn gram_gradient(isa: Isa, channels: usize, features: &[f32], s: &[f32], gradient: &mut [f32], accumulate: bool) {
    gram::gram_gradient(isa, channels, features, s, gradient, accumulate);
}
