//! The losses of eqs. (1) to (3) and (5): from sums to values, and to how the values change.
//!
//! A loss on feature maps never sees a map. The network's workspace gives it sums over the
//! positions of a layer, and takes from it a few matrices that say how the loss changes with the
//! features ([`impasto_engine::network`]). What stays here is what only a loss knows: targets,
//! units, weights, and the arithmetic on matrices of `C x C`, in f64. The matrices that go back are
//! f32.
//!
//! `gram` and `moments` are the two kinds of style loss, `statistics` is what both compare.
//! `strokes` draws single positions to their matches in the style. `content` is the content loss.
//! Each of these two is a `mean_square`. `total_variation` is the one loss on pixels, and computes
//! its own gradient.

pub(crate) mod content;
pub(crate) mod gram;
pub(crate) mod losses;
pub(crate) mod mean_square;
pub(crate) mod moments;
pub(crate) mod statistics;
pub(crate) mod strokes;
pub(crate) mod style_loss;
#[cfg(test)]
pub(crate) mod testing;
pub(crate) mod total_variation;
