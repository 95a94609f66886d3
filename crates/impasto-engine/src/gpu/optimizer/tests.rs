//! The arithmetic on the card against the same in f64.

use std::sync::Arc;

use crate::gpu::device::{GpuBuffer, GpuDevice};
use crate::gpu::optimizer::adam::GpuAdam;
use crate::gpu::optimizer::lbfgs::GpuLbfgs;
use crate::gpu::optimizer::pixels::TrialPasses;
use crate::gpu::testing::devices;
use crate::network::{
    KeptPart, PixelTerms, ResidentAdam, ResidentLbfgs, ResidentLbfgsSpec, TrialSums, WavePreconditioner,
};
use crate::reference::{Noise, relative_error};

/// Bound on the relative error (L2) of an array, and of a sum that nothing cancels in.
const ERROR: f64 = 2e-6;

/// The same for the way to a trial, which is rounded to the trial's last bits.
const WAY_ERROR: f64 = 2e-5;

/// Height and width of images: within a plane's 64, and beyond it with several sums.
const SIZES: [[usize; 2]; 3] = [[5, 3], [33, 49], [70, 81]];

/// An orthonormal basis of colours, of any kind.
const COLORS: [[f32; 3]; 3] = [[0.6, 0.8, 0.0], [-0.64, 0.48, 0.6], [0.48, -0.36, 0.8]];

/// A preconditioner with waves of a cosine transform and any gains.
fn preconditioner([height, width]: [usize; 2]) -> WavePreconditioner {
    let basis = |len: usize| -> Vec<f32> {
        let value = |i: usize| {
            let (k, n) = (i / len, i % len);
            let weight = if k == 0 { 1.0 } else { 2.0 } / len as f64;
            (weight.sqrt() * (std::f64::consts::PI * (n as f64 + 0.5) * k as f64 / len as f64).cos()) as f32
        };
        (0..len * len).map(value).collect()
    };
    let gains = Noise(9).vector(3 * height * width).iter().map(|v| 1.5 + v).collect();
    WavePreconditioner { colors: COLORS, rows: basis(width), columns: basis(height), gains }
}

/// `P x`, in f64.
fn applied(of: &WavePreconditioner, [height, width]: [usize; 2], x: &[f64]) -> Vec<f64> {
    let color = |c: usize, e: usize| f64::from(of.colors[c][e]);
    let row = |k: usize, n: usize| f64::from(of.rows[k * width + n]);
    let column = |k: usize, n: usize| f64::from(of.columns[k * height + n]);
    let mut changed = vec![0.0; x.len()];
    for c in 0..3 {
        let plane: Vec<f64> = (0..height * width).map(|p| (0..3).map(|e| color(c, e) * x[3 * p + e]).sum()).collect();
        let along = |plane: &[f64], of: &dyn Fn(usize, usize) -> f64, is_row: bool| -> Vec<f64> {
            let at = |p: usize| {
                let (y, x) = (p / width, p % width);
                if is_row {
                    (0..width).map(|n| of(x, n) * plane[y * width + n]).sum()
                } else {
                    (0..height).map(|n| of(y, n) * plane[n * width + x]).sum()
                }
            };
            (0..height * width).map(at).collect()
        };
        let waves = along(&along(&plane, &column, false), &row, true);
        let scaled: Vec<f64> = waves
            .iter()
            .enumerate()
            .map(|(p, wave)| wave * f64::from(of.gains[(p / width * 3 + c) * width + p % width]))
            .collect();
        let back = along(&along(&scaled, &|n, k| row(k, n), true), &|n, k| column(k, n), false);
        for (p, value) in back.iter().enumerate() {
            (0..3).for_each(|e| changed[3 * p + e] += color(c, e) * value);
        }
    }
    changed
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&v| f64::from(v)).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn read(device: &GpuDevice, buffer: &GpuBuffer) -> Vec<f32> {
    device.read(&[(buffer, 0..buffer.len)]).expect("the values come back").remove(0)
}

/// Points between the bounds, many of them at one.
fn point(len: usize) -> Vec<f32> {
    Noise(1).vector(len).iter().map(|v| (127.0 + 160.0 * v).clamp(0.0, 255.0)).collect()
}

/// What is free of `values` at this point with this gradient.
fn free(values: &[f64], x: &[f32], gradient: &[f32]) -> Vec<f64> {
    let is_frozen = |i: usize| x[i] <= 0.0 && gradient[i] > 0.0 || x[i] >= 255.0 && gradient[i] < 0.0;
    values.iter().enumerate().map(|(i, &v)| if is_frozen(i) { 0.0 } else { v }).collect()
}

/// The direction of the two-loop recursion, the oldest pair first.
fn direction(pairs: &[[Vec<f64>; 2]], down: Vec<f64>, p: &dyn Fn(&[f64]) -> Vec<f64>) -> Vec<f64> {
    let mut d = down;
    let mut alphas = vec![];
    for [s, y] in pairs.iter().rev() {
        let alpha = dot(s, &d) / dot(s, y);
        d.iter_mut().zip(y).for_each(|(d, y)| *d -= alpha * y);
        alphas.push(alpha);
    }
    let [s, y] = &pairs[pairs.len() - 1];
    let scale = dot(s, y) / dot(y, &p(y));
    d = p(&d).iter().map(|d| scale * d).collect();
    for ([s, y], alpha) in pairs.iter().zip(alphas.iter().rev()) {
        let beta = dot(y, &d) / dot(s, y);
        d.iter_mut().zip(s).for_each(|(d, s)| *d += (alpha - beta) * s);
    }
    d
}

/// L-BFGS on a card, with the trial and the gradient there.
fn lbfgs(
    device: &Arc<GpuDevice>,
    size: [usize; 2],
    history: usize,
    of: &WavePreconditioner,
) -> (GpuLbfgs, GpuBuffer, GpuBuffer) {
    let len = 3 * size[0] * size[1];
    let (trial, gradient) = (device.buffer(len), device.buffer(len));
    let spec = ResidentLbfgsSpec { history, min_cosine: 1e-6, preconditioner: of };
    (GpuLbfgs::new(device, &spec, size, &trial, &gradient), trial, gradient)
}

/// Puts the point at `x`, where this is the gradient.
fn begin(device: &GpuDevice, lbfgs: &mut GpuLbfgs, trial_gradient: &GpuBuffer, x: &[f32], gradient: &[f32]) {
    lbfgs.set_point(x);
    lbfgs.stay();
    device.write(trial_gradient, gradient);
    lbfgs.accept(false);
}

/// `usable`: whether each pair has curvature, the oldest first. The ring is longer than these, as
/// long, or shorter.
#[test]
fn the_direction_is_that_of_the_recursion_over_the_pairs_of_use() {
    for device in devices() {
        for size in SIZES {
            let of = preconditioner(size);
            let len = 3 * size[0] * size[1];
            let (x, gradient) = (point(len), Noise(2).vector(len));
            for (history, usable) in [
                (4, vec![true; 2]),
                (3, vec![true; 3]),
                (3, vec![true; 5]),
                (1, vec![true; 2]),
                (4, vec![true, false, true]),
                (3, vec![true, true, false]),
                (3, vec![false, false]),
            ] {
                let (mut lbfgs, trial, trial_gradient) = lbfgs(device, size, history, &of);
                begin(device, &mut lbfgs, &trial_gradient, &x, &gradient);
                let pair = |(i, usable): (usize, &bool)| {
                    let s: Vec<f32> = Noise(10 + i as u64).vector(len);
                    let noise = Noise(20 + i as u64).vector(len);
                    let sign = if *usable { 2.0 } else { -2.0 };
                    let y: Vec<f32> = s.iter().zip(noise).map(|(s, v)| sign * s + v).collect();
                    [s, y]
                };
                let pairs: Vec<[Vec<f32>; 2]> = usable.iter().enumerate().map(pair).collect();
                pairs.iter().for_each(|[s, y]| lbfgs.add_pair(s, y));
                let kept = pairs.len().saturating_sub(history);
                assert_eq!(lbfgs.pairs(), pairs.len() - kept);
                for (i, pair) in pairs[kept..].iter().enumerate() {
                    assert_eq!(lbfgs.pair(i).expect("a pair comes back"), *pair);
                }
                let of_use: Vec<[Vec<f64>; 2]> = pairs[kept..]
                    .iter()
                    .zip(&usable[kept..])
                    .filter(|(_, usable)| **usable)
                    .map(|(pair, _)| pair.each_ref().map(|values| free(&wide(values), &x, &gradient)))
                    .collect();
                let slope = lbfgs.follow_history().expect("the card works");
                if of_use.is_empty() {
                    assert_eq!(slope, None);
                    continue;
                }
                let down: Vec<f64> = gradient.iter().map(|&g| f64::from(-g)).collect();
                let p = |values: &[f64]| free(&applied(&of, size, values), &x, &gradient);
                let d = direction(&of_use, free(&down, &x, &gradient), &p);
                let there: Vec<f64> = x.iter().zip(&d).map(|(&x, d)| (f64::from(x) + d).clamp(0.0, 255.0)).collect();
                let from_x = |there: Vec<f64>| -> Vec<f64> {
                    there.iter().zip(&x).map(|(there, &x)| there - f64::from(x)).collect()
                };
                let (found, way) = (from_x(wide(&read(device, &trial))), from_x(there));
                let error = relative_error(found, &way);
                assert!(error < WAY_ERROR, "{size:?} {history} {usable:?}: {error:e}");
                let expected = dot(&wide(&gradient), &way);
                let slope = slope.expect("pairs are of use");
                assert!((slope / expected - 1.0).abs() < 1e-4, "{size:?} {usable:?}: {slope} {expected}");
            }
        }
    }
}

#[test]
fn a_step_down_and_what_it_shows_are_those_of_the_formulas() {
    for device in devices() {
        for size in SIZES {
            let of = preconditioner(size);
            let len = 3 * size[0] * size[1];
            let (x, gradient, there) = (point(len), Noise(2).vector(len), Noise(3).vector(len));
            let (mut lbfgs, trial, trial_gradient) = lbfgs(device, size, 2, &of);
            begin(device, &mut lbfgs, &trial_gradient, &x, &gradient);
            let down = free(&gradient.iter().map(|&g| f64::from(-g)).collect::<Vec<_>>(), &x, &gradient);
            let sum = lbfgs.face_downhill().expect("the card works");
            let expected: f64 = down.iter().map(|d| d.abs()).sum();
            assert!((sum / expected - 1.0).abs() < ERROR, "{sum} {expected}");
            lbfgs.stretch(40.0);
            let slope = lbfgs.go(0.5).expect("the card works");
            let goal: Vec<f64> =
                x.iter().zip(&down).map(|(&x, d)| (f64::from(x) + 20.0 * d).clamp(0.0, 255.0)).collect();
            let tried = read(device, &trial);
            assert!(relative_error(wide(&tried), &goal) < ERROR);
            let s: Vec<f32> = tried.iter().zip(&x).map(|(trial, x)| trial - x).collect();
            let y: Vec<f32> = there.iter().zip(&gradient).map(|(there, gradient)| there - gradient).collect();
            let expected = dot(&wide(&gradient), &wide(&s));
            assert!((slope / expected - 1.0).abs() < ERROR, "{slope} {expected}");

            device.write(&trial_gradient, &there);
            let TrialSums { gradient_square, product, s_square, y_square } = lbfgs.compare().expect("the card works");
            for (found, [a, b]) in
                [(gradient_square, [&there, &there]), (product, [&s, &y]), (s_square, [&s, &s]), (y_square, [&y, &y])]
            {
                let [a, b] = [a, b].map(|values| wide(values));
                let error = (found - dot(&a, &b)).abs();
                assert!(error < ERROR * dot(&a, &a).sqrt() * dot(&b, &b).sqrt(), "{found} {error:e}");
            }

            lbfgs.accept(true);
            assert_eq!(lbfgs.point().expect("the point comes back"), tried);
            assert_eq!(lbfgs.pair(0).expect("a pair comes back"), [s, y]);
            // Without a pair the point moves all the same, with its gradient.
            lbfgs.go(1.0).expect("the card works");
            let tried = read(device, &trial);
            lbfgs.accept(false);
            assert_eq!((lbfgs.point().expect("the point comes back"), lbfgs.pairs()), (tried, 1));
            lbfgs.forget();
            assert_eq!((lbfgs.pairs(), lbfgs.follow_history().expect("the card works")), (0, None));
        }
    }
}

#[test]
fn a_gradient_that_is_no_number_shows() {
    for device in devices() {
        let size = [33, 49];
        let len = 3 * size[0] * size[1];
        let of = preconditioner(size);
        let (mut lbfgs, _, trial_gradient) = lbfgs(device, size, 1, &of);
        begin(device, &mut lbfgs, &trial_gradient, &point(len), &vec![1.0; len]);
        for bad in [f32::NAN, f32::INFINITY] {
            let mut there = vec![1.0; len];
            there[len - 1] = bad;
            device.write(&trial_gradient, &there);
            assert!(!lbfgs.compare().expect("the card works").gradient_square.is_finite(), "{bad}");
            lbfgs.accept(false);
            lbfgs.face_downhill().expect("the card works");
            let slope = lbfgs.go(1.0).expect("the card works");
            assert!(slope.is_nan() || slope == f64::NEG_INFINITY, "{bad}: {slope}");
        }
    }
}

#[test]
fn adam_is_that_of_the_formula() {
    for device in devices() {
        for len in [9, 4851] {
            let (trial, gradient) = (device.buffer(len), device.buffer(len));
            let mut adam = GpuAdam::new(device, &trial, &gradient);
            let (mut x, mut m, mut r) = (wide(&point(len)), vec![0.0; len], vec![0.0; len]);
            let start = point(len);
            adam.set([&vec![7.0; len], &start, &vec![0.0; len], &vec![0.0; len]]);
            for step in 0..3 {
                let g = Noise(step).vector(len);
                device.write(&gradient, &g);
                let square = adam.gradient_square().expect("the card works");
                assert!((square / dot(&wide(&g), &wide(&g)) - 1.0).abs() < ERROR, "{square}");
                adam.update_means([0.9, 0.999]);
                assert!(adam.walk(0.25).expect("the card works"));
                for (i, g) in wide(&g).into_iter().enumerate() {
                    m[i] = 0.9 * m[i] + 0.1 * g;
                    r[i] = f64::sqrt(0.999 * r[i] * r[i] + 0.001 * g * g);
                    x[i] = (x[i] - 0.25 * m[i] / r[i]).clamp(0.0, 255.0);
                }
            }
            let arrays = adam.state().expect("the arrays come back");
            // 1 - 0.999 has four digits less in f32.
            for ((found, expected), bound) in arrays.iter().zip([&x, &m, &r]).zip([ERROR, ERROR, 1e-4]) {
                let error = relative_error(wide(found), expected);
                assert!(error < bound, "{len}: {error:e}");
            }
            assert_eq!(adam.point().expect("the point comes back"), vec![7.0; len]);
            adam.try_best();
            assert_eq!(read(device, &trial), vec![7.0; len]);
            adam.try_walker();
            assert_eq!(read(device, &trial), arrays[0]);
            adam.keep();
            assert_eq!(adam.point().expect("the point comes back"), arrays[0]);
            adam.walk(0.5).expect("the card works");
            adam.go_back();
            assert_eq!(adam.state().expect("the arrays come back")[0], arrays[0]);
            assert!(!adam.walk(0.0).expect("the card works"), "nothing moves");
        }
    }
}

#[test]
fn pixels_that_stay_and_total_variation_are_those_of_the_formulas() {
    for device in devices() {
        for [height, width] in SIZES.into_iter().chain([[1, 1], [1, 7], [6, 1]]) {
            let len = 3 * height * width;
            let (x, gradient) = (point(len), Noise(4).vector(len));
            let content = Noise(5).vector(len);
            let keep: Vec<f32> = Noise(6).vector(len / 3).iter().map(|v| (1.5 * v).clamp(0.0, 1.0)).collect();
            for (wraps, keeps) in [(false, false), (true, false), (false, true), (true, true)] {
                let kept = KeptPart { content: &content, keep: &keep };
                let terms = PixelTerms { variation: 0.25, wraps, keep: keeps.then_some(kept) };
                let (image, on_card) = (device.buffer(len), device.buffer_of(&gradient));
                let passes = TrialPasses::new(device, &terms, [height, width], &image, &on_card);
                device.write(&passes.trial, &x);
                passes.show.run(device);
                passes.add_terms.run(device);

                let stays = |i: usize| if keeps { f64::from(keep[i / 3]) } else { 0.0 };
                let shown: Vec<f64> =
                    (0..len).map(|i| stays(i) * f64::from(content[i]) + (1.0 - stays(i)) * f64::from(x[i])).collect();
                assert!(relative_error(wide(&read(device, &image)), &shown) < ERROR);
                let at = |y: isize, x: isize, c: usize| {
                    let [y, x] = [(y, height), (x, width)].map(|(at, len)| {
                        let at = if wraps { at.rem_euclid(len as isize) } else { at.clamp(0, len as isize - 1) };
                        at as usize
                    });
                    shown[(y * width + x) * 3 + c]
                };
                let mut squares = 0.0;
                let value = |i: usize| {
                    let (y, x, c) = ((i / 3 / width) as isize, (i / 3 % width) as isize, i % 3);
                    let here = at(y, x, c);
                    let around = [(y + 1, x), (y, x + 1), (y - 1, x), (y, x - 1)].map(|(y, x)| here - at(y, x, c));
                    squares += around[0].powi(2) + around[1].powi(2);
                    (1.0 - stays(i)) * (f64::from(gradient[i]) + 0.25 * around.iter().sum::<f64>())
                };
                let expected: Vec<f64> = (0..len).map(value).collect();
                let error = relative_error(wide(&read(device, &on_card)), &expected);
                assert!(error < 1e-5, "{height}x{width} {wraps} {keeps}: {error:e}");
                let variation: f64 = read(device, &passes.variation).iter().map(|&sum| f64::from(sum)).sum();
                let error = (variation - squares).abs();
                assert!(error <= ERROR * squares, "{height}x{width} {wraps}: {variation} {squares}");
            }
        }
    }
}
