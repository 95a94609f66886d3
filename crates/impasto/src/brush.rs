//! One dial for how broad the strokes are.
//!
//! Three things make strokes broad. A style picture that is larger than the result has larger
//! strokes. A run that begins at a smaller size lays them out while they are few. Shallow layers
//! see colours and edges, deep ones see patterns: more weight for the shallow ones gives smooth
//! strokes with clean edges. The dial moves all three together. It has the same effect at every
//! size, because each of the three is relative to the size of the result or to what the network
//! sees.

use impasto_engine::Layer;

/// Default width of the strokes. Everything that depends on the dial is then as it is without it.
pub const DEFAULT_BRUSH: f64 = 50.0;

/// Size of the style at 100, as a multiple of that at 50. At 0 it is as much smaller.
const STYLE_SCALE: f64 = 1.5;

/// Least longest side of the coarsest scale at 50, as a multiple of that at 100. At 0 it is as much
/// larger.
const COARSEST: f64 = 2.0;

/// Weight of a block's layers at 100, as a multiple of that of the next block's. At 0 it is as much
/// smaller.
const LAYERS: f64 = 1.6;

/// Returns -1 for 0, 0 for 50 and 1 for 100.
fn position(brush: f64) -> f64 {
    (brush - DEFAULT_BRUSH) / DEFAULT_BRUSH
}

/// Returns the size of the style as a multiple of its size at 50.
pub(crate) fn style_scale(brush: f64) -> f64 {
    STYLE_SCALE.powf(position(brush))
}

/// Returns the least longest side of the coarsest scale as a multiple of that at 50.
pub(crate) fn coarsest(brush: f64) -> f64 {
    COARSEST.powf(-position(brush))
}

/// Returns the weight of a style layer as a multiple of that at 50. The weights of one layer in
/// each of the five blocks add up to 5 at any width.
pub(crate) fn layer_weight(brush: f64, layer: Layer) -> f64 {
    let of_block = |block: usize| LAYERS.powf(position(brush) * (3.0 - block as f64));
    5.0 * of_block(layer.block()) / (1..=5).map(of_block).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_changes_nothing_and_broader_is_never_finer() {
        let layers: Vec<Layer> =
            ["relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"].map(|l| l.parse().unwrap()).into();
        let at = |brush: f64| {
            let weights: Vec<f64> = layers.iter().map(|&layer| layer_weight(brush, layer)).collect();
            assert!((weights.iter().sum::<f64>() - 5.0).abs() < 1e-12);
            [style_scale(brush), 1.0 / coarsest(brush), weights[0] / weights[4]]
        };
        assert_eq!(at(DEFAULT_BRUSH), [1.0; 3]);
        for brush in 0..100 {
            let (finer, broader) = (at(brush.into()), at((brush + 1).into()));
            assert!(finer.iter().zip(&broader).all(|(finer, broader)| finer < broader), "{brush}");
        }
        assert_eq!([at(0.0)[0], at(100.0)[0]], [1.0 / STYLE_SCALE, STYLE_SCALE]);
    }
}
