//! Rectifier, pooling and their gradients as passes of their own: for the layers where a loss needs the map in between, so that
//! they cannot be part of a convolution.

use rayon::prelude::*;

use crate::FeatureMap;
use crate::kernels::{Mask, WINDOW};
use crate::pooling::Pooling;

/// Bit `c` of a mask.
fn bit(mask: &[u8], c: usize) -> bool {
    mask[c / 8] >> (c % 8) & 1 == 1
}

/// Values by row, for a map of that many columns and channels.
fn row(map: &FeatureMap) -> usize {
    map.width() * map.channels()
}

/// `out = max(map, 0)`, and its mask.
pub(crate) fn rectify(map: &FeatureMap, out: &mut FeatureMap, mask: &mut Mask) {
    let row = row(map);
    let rows =
        map.as_slice().par_chunks(row).zip(out.as_mut_slice().par_chunks_mut(row)).zip(mask.par_chunks_mut(row / 8));
    rows.for_each(|((map, out), mask)| {
        for ((map, out), mask) in map.as_chunks::<8>().0.iter().zip(out.as_chunks_mut::<8>().0).zip(mask) {
            *mask = 0;
            for i in 0..8 {
                *mask |= u8::from(map[i] > 0.0) << i;
                // NaN goes on to the loss, where it is noticed.
                out[i] = if map[i] < 0.0 { 0.0 } else { map[i] };
            }
        }
    });
}

/// Pools a rectified map, and says where the gradient goes.
pub(crate) fn pool(map: &FeatureMap, out: &mut FeatureMap, windows: &mut Mask, pooling: Pooling) {
    let (width, channels) = (map.width(), map.channels());
    let out_row = row(out);
    let rows = out.as_mut_slice().par_chunks_mut(out_row).zip(windows.par_chunks_mut(out_row * WINDOW / 8));
    rows.enumerate().for_each(|(y, (out, windows))| {
        windows.fill(0);
        for (i, out) in out.iter_mut().enumerate() {
            let (x, c) = (i / channels, i % channels);
            let v: [f32; WINDOW] = std::array::from_fn(|place| {
                map.as_slice()[((2 * y + place / 2) * width + 2 * x + place % 2) * channels + c]
            });
            let mut mark = |place: usize| {
                let at = (x * WINDOW + place) * channels + c;
                windows[at / 8] |= 1 << (at % 8);
            };
            match pooling {
                Pooling::Max => {
                    let mut first = 0;
                    for place in 1..WINDOW {
                        if v[place] > v[first] {
                            first = place;
                        }
                    }
                    *out = v[first];
                    if v[first] > 0.0 {
                        mark(first);
                    }
                }
                Pooling::Average => {
                    *out = 0.25 * ((v[0] + v[1]) + (v[2] + v[3]));
                    (0..WINDOW).filter(|&place| v[place] > 0.0).for_each(&mut mark);
                }
            }
        }
    });
}

/// The gradient before rectifier and pooling, from `pooled` after them; `accumulate`: and from what `gradient` holds, which lies
/// between them.
pub(crate) fn unpool(
    pooled: &FeatureMap,
    windows: &[u8],
    pooling: Pooling,
    mask: &[u8],
    gradient: &mut FeatureMap,
    accumulate: bool,
) {
    let (channels, gradient_row) = (gradient.channels(), row(gradient));
    let scale = pooling.gradient_scale();
    let rows = gradient.as_mut_slice().par_chunks_mut(gradient_row).zip(mask.par_chunks(gradient_row / 8));
    rows.enumerate().for_each(|(y, (gradient, mask))| {
        for (i, gradient) in gradient.iter_mut().enumerate() {
            let (x, c) = (i / channels, i % channels);
            let own = if accumulate && bit(mask, i) { *gradient } else { 0.0 };
            let (py, px) = (y / 2, x / 2);
            // A last odd row or column is in no window.
            let inside = py < pooled.height() && px < pooled.width();
            let position = py * pooled.width() + px;
            let from_pooled = if inside && bit(windows, (position * WINDOW + 2 * (y % 2) + x % 2) * channels + c) {
                scale * pooled.as_slice()[position * channels + c]
            } else {
                0.0
            };
            *gradient = own + from_pooled;
        }
    });
}

/// Sets to 0 what the rectifier cut off.
pub(crate) fn cut(gradient: &mut FeatureMap, mask: &[u8]) {
    let row = row(gradient);
    gradient.as_mut_slice().par_chunks_mut(row).zip(mask.par_chunks(row / 8)).for_each(|(gradient, mask)| {
        for (i, gradient) in gradient.iter_mut().enumerate() {
            if !bit(mask, i) {
                *gradient = 0.0;
            }
        }
    });
}

/// `gradient += other`
pub(crate) fn add(gradient: &mut FeatureMap, other: &FeatureMap) {
    let row = row(gradient);
    gradient.as_mut_slice().par_chunks_mut(row).zip(other.as_slice().par_chunks(row)).for_each(|(gradient, other)| {
        for (gradient, other) in gradient.iter_mut().zip(other) {
            *gradient += other;
        }
    });
}
