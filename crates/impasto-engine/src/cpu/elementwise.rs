//! Rectifier, pooling and their gradients as passes of their own.
//!
//! Elsewhere they are fused with a convolution. They cannot be if a loss looks at the map in
//! between.

use rayon::prelude::*;

use crate::pooling::{Pooling, WINDOW};

/// Returns bit `c` of a mask.
fn bit(mask: &[u8], c: usize) -> bool {
    mask[c / 8] >> (c % 8) & 1 == 1
}

/// `out = max(map, 0)`, and its mask. The arguments are values of the same rows, of `row` values
/// each.
pub(crate) fn rectify(row: usize, map: &[f32], out: &mut [f32], mask: &mut [u8]) {
    assert!(map.len() == out.len() && mask.len() * 8 == map.len());
    let rows = map.par_chunks(row).zip(out.par_chunks_mut(row)).zip(mask.par_chunks_mut(row / 8));
    rows.for_each(|((map, out), mask)| {
        for ((map, out), mask) in map.as_chunks::<8>().0.iter().zip(out.as_chunks_mut::<8>().0).zip(mask) {
            *mask = 0;
            for i in 0..8 {
                *mask |= u8::from(map[i] > 0.0) << i;
                // NaN reaches the loss, which is checked.
                out[i] = if map[i] < 0.0 { 0.0 } else { map[i] };
            }
        }
    });
}

/// Pools rows of a rectified map and writes the windows' masks, which tell where the gradient goes.
/// `map`: the values from an even row on. `width` and `channels`: those of the map.
pub(crate) fn pool([width, channels]: [usize; 2], map: &[f32], out: &mut [f32], windows: &mut [u8], pooling: Pooling) {
    let out_row = width / 2 * channels;
    assert!(windows.len() * 8 == out.len() * WINDOW && out.len() / out_row == map.len() / (width * channels) / 2);
    let rows = out.par_chunks_mut(out_row).zip(windows.par_chunks_mut(out_row * WINDOW / 8));
    rows.enumerate().for_each(|(y, (out, windows))| {
        windows.fill(0);
        for (i, out) in out.iter_mut().enumerate() {
            let (x, c) = (i / channels, i % channels);
            let v: [f32; WINDOW] =
                std::array::from_fn(|place| map[((2 * y + place / 2) * width + 2 * x + place % 2) * channels + c]);
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

/// Gradient before rectifier and pooling, from `pooled` behind them. `accumulate`: `gradient` holds
/// the gradient of a loss between the two, and it is added. The arguments are values of the same
/// rows, from an even one on. `width` and `channels`: those of `gradient`.
pub(crate) fn unpool(
    [width, channels]: [usize; 2],
    pooled: &[f32],
    windows: &[u8],
    pooling: Pooling,
    mask: &[u8],
    gradient: &mut [f32],
    accumulate: bool,
) {
    let (gradient_row, pooled_width) = (width * channels, width / 2);
    let pooled_height = pooled.len() / (pooled_width * channels);
    assert!(windows.len() * 8 == pooled.len() * WINDOW && mask.len() * 8 == gradient.len());
    let scale = pooling.gradient_scale();
    let rows = gradient.par_chunks_mut(gradient_row).zip(mask.par_chunks(gradient_row / 8));
    rows.enumerate().for_each(|(y, (gradient, mask))| {
        for (i, gradient) in gradient.iter_mut().enumerate() {
            let (x, c) = (i / channels, i % channels);
            let own = if accumulate && bit(mask, i) { *gradient } else { 0.0 };
            let (py, px) = (y / 2, x / 2);
            // A last odd row or column is in no window.
            let inside = py < pooled_height && px < pooled_width;
            let position = py * pooled_width + px;
            let from_pooled = if inside && bit(windows, (position * WINDOW + 2 * (y % 2) + x % 2) * channels + c) {
                scale * pooled[position * channels + c]
            } else {
                0.0
            };
            *gradient = own + from_pooled;
        }
    });
}

/// Makes the gradient 0 where the rectifier cut off the value. A row has `row` values.
pub(crate) fn cut(row: usize, gradient: &mut [f32], mask: &[u8]) {
    assert_eq!(mask.len() * 8, gradient.len());
    gradient.par_chunks_mut(row).zip(mask.par_chunks(row / 8)).for_each(|(gradient, mask)| {
        for (i, gradient) in gradient.iter_mut().enumerate() {
            if !bit(mask, i) {
                *gradient = 0.0;
            }
        }
    });
}

/// `gradient += other`. A row has `row` values.
pub(crate) fn add(row: usize, gradient: &mut [f32], other: &[f32]) {
    assert_eq!(gradient.len(), other.len());
    gradient.par_chunks_mut(row).zip(other.par_chunks(row)).for_each(|(gradient, other)| {
        for (gradient, other) in gradient.iter_mut().zip(other) {
            *gradient += other;
        }
    });
}
