//! Minimisers of smooth functions of many variables between bounds. They know a function by its value and gradient only.

mod adam;
mod lbfgs;
mod preconditioner;
mod state;

pub(crate) use adam::{ADAM_ARRAYS, Adam, AdamSettings};
pub(crate) use lbfgs::{LBFGS_ARRAYS, LEAST_HISTORY, Lbfgs, LbfgsSettings, history_for};
pub(crate) use preconditioner::Preconditioner;
pub(crate) use state::{AdamState, OptimizerState, Variables};

/// The function to minimise: takes x, writes the gradient there (same length, overwritten), returns the value.
///
/// A value or gradient that is not finite marks an x where the function cannot be used.
pub(crate) type Function<'a> = dyn FnMut(&[f32], &mut [f32]) -> f64 + 'a;

/// How a step went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// `x` is a better point now: the one at which the function was evaluated last.
    Improved,
    /// Work was done, but `x` is the best point still.
    NotImproved,
    /// `x` is the best point, and no step leads on from it.
    Stuck,
}

/// A minimiser with all it remembers between steps. It is made with the value and gradient at its start, or of a state besides: then it goes
/// on as the one that the state was taken of would, with the same bits.
pub(crate) trait Optimizer: Send {
    /// One step. `x` is the best point found so far before and after it, within the bounds: the value at `x` never rises.
    fn step(&mut self, x: &mut [f32], function: &mut Function<'_>) -> Outcome;

    /// What is remembered besides the value and the gradient at the best point.
    fn state(&self) -> OptimizerState<'_>;
}

/// Functions to try minimisers on.
#[cfg(test)]
pub(crate) mod testing {
    use super::*;

    /// Of the valley `(1 - x)^2 + 100 (y - x^2)^2`, minimum 0 at (1, 1).
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

    /// Steps until the minimiser is stuck or `steps` are done, checking that the value at `x` never rises, that `x` stays in
    /// `bounds`, and that an improved `x` is the point of the last evaluation. Returns the last value and the number of steps.
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
}
