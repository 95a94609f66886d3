//! A point that stays on the card, with the arrays of its optimiser.
//!
//! - [`pixels`]: what the network sees of a point, and the terms on pixels
//! - [`waves`]: the preconditioner of L-BFGS
//! - [`lbfgs`], [`adam`]: the arrays and what is done to them
//!
//! Sums are made in f32 for 1,024 values at a time. The CPU adds these up in f64 where they decide
//! how far to go and what to accept. The factors of the two-loop recursion stay on the card, in
//! f32, and so does the choice of the pairs that are of use. They make a direction better or worse,
//! and no loss wrong.

pub(super) mod adam;
pub(super) mod lbfgs;
pub(super) mod pixels;
#[cfg(test)]
mod tests;
mod waves;

use crate::gpu::device::{GpuBuffer, GpuDevice};
use crate::network::DeviceError;

/// Values of an array that a workgroup adds up.
const SUM_VALUES: usize = 1024;

/// Numbers at the start of a buffer of numbers, most of them of the host.
const HOST_NUMBERS: usize = 8;

/// Threads in a workgroup that adds values up.
const THREADS: usize = 64;

/// Returns how many workgroups add up so many values.
fn sum_groups(values: usize) -> usize {
    values.div_ceil(SUM_VALUES)
}

/// Reads the first `groups * N` partial sums, and returns the totals.
fn totals<const N: usize>(device: &GpuDevice, sums: &GpuBuffer, groups: usize) -> Result<[f64; N], DeviceError> {
    let values = device.read(&[(sums, 0..groups * N)])?.remove(0);
    Ok(added_up(&values))
}

/// Adds up partial sums, `N` side by side.
fn added_up<const N: usize>(values: &[f32]) -> [f64; N] {
    let mut totals = [0.0; N];
    for sums in values.as_chunks::<N>().0 {
        totals.iter_mut().zip(sums).for_each(|(total, &sum)| *total += f64::from(sum));
    }
    totals
}
