//! Winograd's transforms `F(M, 3)`.
//!
//! A transform is a polynomial interpolation, so a few points define all three of its matrices.
//! They are computed from the points when the program is compiled.

use super::simd::Simd;

/// The one-dimensional transforms of `F(M, 3)`. The two-dimensional ones apply them to columns,
/// then to rows.
pub(crate) trait Transform<const M: usize, const N: usize> {
    /// `Bᵀ d`
    fn input<S: Simd>(s: S, d: [S::F; N]) -> [S::F; N];
    /// `G`
    const FILTER: [[f32; 3]; N];
    /// `G g`
    fn filter<S: Simd>(s: S, g: [S::F; 3]) -> [S::F; N];
    /// `Aᵀ m`
    fn output<S: Simd>(s: S, m: [S::F; N]) -> [S::F; M];
}

/// The points of a transform besides 0 and infinity: `±POINTS`.
///
/// Both signs of a point share the sums over even and over odd powers.
pub(crate) trait Points<const P: usize> {
    /// Points above 0, whose squares are exact in f32.
    const POINTS: [f64; P];

    /// Coefficients of `x⁰, x², ..` in `Π (x² - p²)` over the points besides `i`.
    const OTHERS: [[f64; P]; P] = {
        let mut others = [[0.0; P]; P];
        let mut i = 0;
        while i < P {
            others[i] = product_without(Self::POINTS, i);
            i += 1;
        }
        others
    };

    /// Coefficients of the product over all points, without the leading 1.
    const PRODUCT: [f64; P] = {
        let (others, square) = (Self::OTHERS[0], Self::POINTS[0] * Self::POINTS[0]);
        let mut product = [-square * others[0]; P];
        let mut k = 1;
        while k < P {
            product[k] = others[k - 1] - square * others[k];
            k += 1;
        }
        product
    };

    /// `p⁰, p², ..` of each point.
    const EVEN_POWERS: [[f64; P]; P] = {
        let mut powers = [[1.0; P]; P];
        let mut i = 0;
        while i < P {
            let mut k = 1;
            while k < P {
                powers[i][k] = powers[i][k - 1] * Self::POINTS[i] * Self::POINTS[i];
                k += 1;
            }
            i += 1;
        }
        powers
    };

    /// Factor of a filter's value at each point: one over the product of the distances to the other
    /// points.
    const NORMS: [f64; P] = {
        let mut norms = [0.0; P];
        let mut i = 0;
        while i < P {
            let (mut value, mut k) = (0.0, 0);
            while k < P {
                value += Self::OTHERS[i][k] * Self::EVEN_POWERS[i][k];
                k += 1;
            }
            norms[i] = 1.0 / (2.0 * Self::EVEN_POWERS[i][1] * value);
            i += 1;
        }
        norms
    };
}

const fn product_without<const P: usize>(points: [f64; P], left_out: usize) -> [f64; P] {
    let mut coefficients = [0.0; P];
    coefficients[0] = 1.0;
    let mut i = 0;
    while i < P {
        if i != left_out {
            let mut k = P;
            while k > 0 {
                k -= 1;
                let below = if k == 0 { 0.0 } else { coefficients[k - 1] };
                coefficients[k] = below - points[i] * points[i] * coefficients[k];
            }
        }
        i += 1;
    }
    coefficients
}

/// F(4, 3): 2.25 multiplications an output instead of 9.
///
/// Lavin and Gray use the points 0, ±1, ±2 and infinity. The points here lose fewer bits
/// (docs/numerics.md).
pub(crate) struct F4;

impl Points<2> for F4 {
    const POINTS: [f64; 2] = [std::f64::consts::FRAC_1_SQRT_2, std::f64::consts::SQRT_2];
}

/// F(6, 3): 1.78 multiplications an output.
pub(crate) struct F6;

impl Points<3> for F6 {
    const POINTS: [f64; 3] = [0.5, 1.0, 2.0];
}

/// F(8, 3): 1.56 multiplications an output.
pub(crate) struct F8;

impl Points<4> for F8 {
    const POINTS: [f64; 4] = [0.375, 0.75, 1.25, 2.25];
}

/// [`Transform`] from [`Points`], for `N = 2 P + 2` inputs.
macro_rules! transform {
    ($name:ident, $p:literal, $m:literal, $n:literal) => {
        impl Transform<$m, $n> for $name {
            const FILTER: [[f32; 3]; $n] = filter_matrix::<Self, $p, $n>();

            #[inline(always)]
            fn input<S: Simd>(s: S, d: [S::F; $n]) -> [S::F; $n] {
                input::<S, Self, $p, $n>(s, d)
            }

            #[inline(always)]
            fn filter<S: Simd>(s: S, g: [S::F; 3]) -> [S::F; $n] {
                filter::<S, Self, $p, $n>(s, g)
            }

            #[inline(always)]
            fn output<S: Simd>(s: S, m: [S::F; $n]) -> [S::F; $m] {
                output::<S, Self, $p, $m, $n>(s, m)
            }
        }
    };
}

transform!(F4, 2, 4, 6);
transform!(F6, 3, 6, 8);
transform!(F8, 4, 8, 10);

#[inline(always)]
fn input<S: Simd, Q: Points<P>, const P: usize, const N: usize>(s: S, d: [S::F; N]) -> [S::F; N] {
    let mut out = d;
    let (mut even, mut odd) = (d[2 * P], d[2 * P + 1]);
    for k in (0..P).rev() {
        let coefficient = s.splat(Q::PRODUCT[k] as f32);
        even = s.mul_add(coefficient, d[2 * k], even);
        odd = s.mul_add(coefficient, d[2 * k + 1], odd);
    }
    (out[0], out[N - 1]) = (even, odd);
    for i in 0..P {
        let (mut even, mut odd) = (d[2 * P], d[2 * P - 1]);
        for k in (0..P - 1).rev() {
            let coefficient = s.splat(Q::OTHERS[i][k] as f32);
            even = s.mul_add(coefficient, d[2 * k + 2], even);
            odd = s.mul_add(coefficient, d[2 * k + 1], odd);
        }
        let point = s.splat(Q::POINTS[i] as f32);
        out[1 + 2 * i] = s.mul_add(point, odd, even);
        out[2 + 2 * i] = s.neg_mul_add(point, odd, even);
    }
    out
}

const fn filter_matrix<Q: Points<P>, const P: usize, const N: usize>() -> [[f32; 3]; N] {
    let mut rows = [[0.0, 0.0, 1.0]; N];
    rows[0] = [(1.0 / Q::PRODUCT[0]) as f32, 0.0, 0.0];
    let mut i = 0;
    while i < P {
        let (norm, point) = (Q::NORMS[i], Q::POINTS[i]);
        let (constant, linear, square) = (norm as f32, (norm * point) as f32, (norm * Q::EVEN_POWERS[i][1]) as f32);
        rows[1 + 2 * i] = [constant, linear, square];
        rows[2 + 2 * i] = [constant, -linear, square];
        i += 1;
    }
    rows
}

#[inline(always)]
fn filter<S: Simd, Q: Points<P>, const P: usize, const N: usize>(s: S, g: [S::F; 3]) -> [S::F; N] {
    let rows = const { filter_matrix::<Q, P, N>() };
    let mut out = [g[2]; N];
    out[0] = s.mul(s.splat(rows[0][0]), g[0]);
    for i in 0..P {
        let [constant, linear, square] = rows[1 + 2 * i];
        let even = s.mul_add(s.splat(square), g[2], s.mul(s.splat(constant), g[0]));
        let odd = s.splat(linear);
        out[1 + 2 * i] = s.mul_add(odd, g[1], even);
        out[2 + 2 * i] = s.neg_mul_add(odd, g[1], even);
    }
    out
}

#[inline(always)]
fn output<S: Simd, Q: Points<P>, const P: usize, const M: usize, const N: usize>(s: S, m: [S::F; N]) -> [S::F; M] {
    let mut out = [m[0]; M];
    for i in 0..P {
        let sum = s.add(m[1 + 2 * i], m[2 + 2 * i]);
        let difference = s.mul(s.splat(Q::POINTS[i] as f32), s.sub(m[1 + 2 * i], m[2 + 2 * i]));
        out[0] = s.add(out[0], sum);
        out[1] = if i == 0 { difference } else { s.add(out[1], difference) };
        for k in 1..P {
            let power = s.splat(Q::EVEN_POWERS[i][k] as f32);
            let (even, odd) = (2 * k, 2 * k + 1);
            out[even] = if i == 0 { s.mul(power, sum) } else { s.mul_add(power, sum, out[even]) };
            out[odd] = if i == 0 { s.mul(power, difference) } else { s.mul_add(power, difference, out[odd]) };
        }
    }
    out[M - 1] = s.add(out[M - 1], m[N - 1]);
    out
}
