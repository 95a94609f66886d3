//! Matrix products on register tiles.

use super::buffer::LINE;
use super::simd::{Gemm, Simd};

/// The product in register tiles of `MR` rows and `NV` vectors. The rest at the right and at the
/// bottom is in smaller tiles.
///
/// # Safety
/// The contract of [`Gemm`].
#[inline(always)]
pub(crate) unsafe fn gemm<S: Simd, const MR: usize, const NV: usize>(s: S, g: Gemm) {
    let mut column = 0;
    while column < g.cols {
        let vectors = ((g.cols - column) / S::LANES).min(NV);
        // SAFETY: `column + vectors * LANES <= cols`.
        unsafe {
            let part = Gemm { b: g.b.add(column), c: g.c.add(column), ..g };
            match vectors {
                v if v == NV => rows::<S, MR, NV>(s, part),
                3 => rows::<S, MR, 3>(s, part),
                2 => rows::<S, MR, 2>(s, part),
                _ => rows::<S, MR, 1>(s, part),
            }
        }
        column += vectors * S::LANES;
    }
}

/// All rows of one panel that is `NV` vectors wide.
///
/// # Safety
/// The contract of [`Gemm`], for `cols = NV * LANES`.
#[inline(always)]
unsafe fn rows<S: Simd, const MR: usize, const NV: usize>(s: S, g: Gemm) {
    let mut row = 0;
    // SAFETY: each tile's rows are within `rows`.
    unsafe {
        while row + MR <= g.rows {
            tile::<S, MR, NV>(s, at_row(g, row));
            row += MR;
        }
        let rest = at_row(g, row);
        match g.rows - row {
            0 => {}
            1 => tile::<S, 1, NV>(s, rest),
            2 => tile::<S, 2, NV>(s, rest),
            3 => tile::<S, 3, NV>(s, rest),
            4 => tile::<S, 4, NV>(s, rest),
            _ => tile::<S, 5, NV>(s, rest),
        }
    }
}

/// # Safety
/// `row <= g.rows`.
#[inline(always)]
unsafe fn at_row(g: Gemm, row: usize) -> Gemm {
    // SAFETY: the caller's promise.
    unsafe { Gemm { a: g.a.add(row * g.a_row), c: g.c.add(row * g.c_row), ..g } }
}

/// One register tile: `R` x `NV` accumulators. Besides them, `NV` vectors of B and one broadcast of
/// A are in registers at a time.
///
/// # Safety
/// The contract of [`Gemm`], for `rows = R` and `cols = NV * LANES`.
#[inline(always)]
unsafe fn tile<S: Simd, const R: usize, const NV: usize>(s: S, g: Gemm) {
    let mut acc = [[s.splat(0.0); NV]; R];
    // SAFETY: every access is within the three matrices.
    unsafe {
        let (mut line, mut b) = (g.a, g.b);
        for start in (0..g.depth).step_by(LINE) {
            let mut a = line;
            for _ in 0..LINE.min(g.depth - start) {
                let mut bv = [s.splat(0.0); NV];
                for v in 0..NV {
                    bv[v] = s.load(b.add(v * S::LANES));
                }
                for r in 0..R {
                    let av = s.splat(*a.add(r * g.a_row));
                    for v in 0..NV {
                        acc[r][v] = s.mul_add(av, bv[v], acc[r][v]);
                    }
                }
                // The last step leaves the pointers one step outside, but they are not used there.
                a = a.wrapping_add(g.a_col);
                b = b.wrapping_add(g.b_row);
            }
            line = line.wrapping_add(g.a_line);
        }
        for r in 0..R {
            for v in 0..NV {
                let c = g.c.add(r * g.c_row + v * S::LANES);
                let value = if g.accumulate { s.add(s.load(c), acc[r][v]) } else { acc[r][v] };
                s.store(c, value);
            }
        }
    }
}
