//! The operations in plain Rust, which the compiler can vectorise for any target.

use super::gemm;
use super::simd::{Gemm, Kernel, Simd};

/// The token of plain Rust, which every CPU runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Portable;

/// Eight lanes: two SSE or NEON registers, and whole bytes of mask.
const LANES: usize = 8;

/// Rows of a register tile: as many as 16 (SSE) or 32 (NEON) registers hold, with 2 x 2 of them for
/// B.
const MR: usize = if cfg!(target_arch = "aarch64") { 5 } else { 2 };

/// `f(a, b)` lane by lane.
#[inline(always)]
fn zip(a: [f32; LANES], b: [f32; LANES], f: impl Fn(f32, f32) -> f32) -> [f32; LANES] {
    let mut out = a;
    for i in 0..LANES {
        out[i] = f(a[i], b[i]);
    }
    out
}

/// Bit `i`: `f(a[i], b[i])`.
#[inline(always)]
fn compare(a: [f32; LANES], b: [f32; LANES], f: impl Fn(f32, f32) -> bool) -> u32 {
    let mut bits = 0;
    for i in 0..LANES {
        bits |= u32::from(f(a[i], b[i])) << i;
    }
    bits
}

impl Simd for Portable {
    type F = [f32; LANES];

    const LANES: usize = LANES;

    /// Two vectors.
    const NR: usize = 16;

    #[inline(always)]
    fn splat(self, x: f32) -> Self::F {
        [x; LANES]
    }

    #[inline(always)]
    unsafe fn load(self, p: *const f32) -> Self::F {
        // SAFETY: the caller's promise, and an array of f32 is aligned as an f32.
        unsafe { p.cast::<Self::F>().read() }
    }

    #[inline(always)]
    unsafe fn store(self, p: *mut f32, v: Self::F) {
        // SAFETY: the caller's promise, and an array of f32 is aligned as an f32.
        unsafe { p.cast::<Self::F>().write(v) }
    }

    #[inline(always)]
    fn add(self, a: Self::F, b: Self::F) -> Self::F {
        zip(a, b, |a, b| a + b)
    }

    #[inline(always)]
    fn sub(self, a: Self::F, b: Self::F) -> Self::F {
        zip(a, b, |a, b| a - b)
    }

    #[inline(always)]
    fn mul(self, a: Self::F, b: Self::F) -> Self::F {
        zip(a, b, |a, b| a * b)
    }

    #[inline(always)]
    fn mul_add(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F {
        let mut out = c;
        for i in 0..LANES {
            // Without an instruction for it, `mul_add` would be a call into the C library.
            out[i] = if cfg!(target_arch = "aarch64") { a[i].mul_add(b[i], c[i]) } else { a[i] * b[i] + c[i] };
        }
        out
    }

    #[inline(always)]
    fn neg_mul_add(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F {
        self.mul_add(zip(a, b, |a, _| -a), b, c)
    }

    #[inline(always)]
    fn max(self, a: Self::F, b: Self::F) -> Self::F {
        zip(a, b, |a, b| if a > b { a } else { b })
    }

    #[inline(always)]
    fn at_least(self, a: Self::F, b: Self::F) -> u32 {
        compare(a, b, |a, b| a >= b)
    }

    #[inline(always)]
    fn greater(self, a: Self::F, b: Self::F) -> u32 {
        compare(a, b, |a, b| a > b)
    }

    #[inline(always)]
    fn keep(self, v: Self::F, bits: u32) -> Self::F {
        let mut out = v;
        for i in 0..LANES {
            out[i] = if bits >> i & 1 == 1 { v[i] } else { 0.0 };
        }
        out
    }

    /// Does nothing: there is no portable prefetch.
    #[inline(always)]
    fn prefetch_for_writing(self, _p: *mut f32) {}

    #[inline(always)]
    fn prefetch(self, _p: *const f32) {}

    #[inline(always)]
    unsafe fn gemm(self, g: Gemm) {
        // SAFETY: the caller's promise.
        unsafe { gemm::gemm::<Self, MR, 2>(self, g) }
    }

    #[inline(always)]
    fn vectorize<K: Kernel>(self, kernel: K) {
        kernel.run(self);
    }
}
