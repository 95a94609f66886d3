//! Functions to try minimisers on.

use crate::optimizer::step::{Optimizer, Outcome};

/// The valley `(1 - x)^2 + 100 (y - x^2)^2`, with the minimum 0 at (1, 1).
pub(crate) fn rosenbrock(x: &[f32], gradient: &mut [f32]) -> f64 {
    let (a, b) = (f64::from(x[0]), f64::from(x[1]));
    gradient[0] = (-2.0 * (1.0 - a) - 400.0 * a * (b - a * a)) as f32;
    gradient[1] = (200.0 * (b - a * a)) as f32;
    (1.0 - a).powi(2) + 100.0 * (b - a * a).powi(2)
}

/// `sum d_i (x_i - c_i)^2 / 2`, with `d` from 1 to `condition` in equal ratios.
pub(crate) fn quadratic(condition: f64, center: Vec<f32>) -> impl FnMut(&[f32], &mut [f32]) -> f64 {
    move |x, gradient| {
        let last = (x.len() - 1) as f64;
        let mut value = 0.0;
        for i in 0..x.len() {
            let d = condition.powf(i as f64 / last);
            let distance = f64::from(x[i] - center[i]);
            value += d * distance * distance / 2.0;
            gradient[i] = (d * distance) as f32;
        }
        value
    }
}

/// Steps until the minimiser is stuck or `steps` are done. Returns the last value and the number of
/// steps.
///
/// It checks that the value at `x` never rises, that `x` stays in `bounds`, and that an improved
/// `x` is the point of the last evaluation.
pub(crate) fn minimise(
    optimizer: &mut dyn Optimizer,
    x: &mut [f32],
    bounds: std::ops::RangeInclusive<f32>,
    steps: usize,
    mut function: impl FnMut(&[f32], &mut [f32]) -> f64,
) -> (f64, usize) {
    let mut best = function(x, &mut vec![0.0; x.len()]);
    for step in 0..steps {
        let before = x.to_vec();
        let mut latest = (vec![], f64::NAN);
        let outcome = optimizer.step(x, &mut |x, gradient| {
            latest = (x.to_vec(), function(x, gradient));
            latest.1
        });
        assert!(x.iter().all(|v| bounds.contains(v)), "outside the bounds: {x:?}");
        if outcome == Outcome::Improved {
            assert_eq!(x, latest.0);
            assert!(latest.1 < best, "step {step}: {} after {best}", latest.1);
            best = latest.1;
        } else {
            assert_eq!(x, before);
        }
        if outcome == Outcome::Stuck {
            return (best, step);
        }
    }
    (best, steps)
}
