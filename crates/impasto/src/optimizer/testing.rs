//! Functions to try minimisers on.

use std::io;
use std::path::Path;

use crate::error::Error;
use crate::optimizer::state::OptimizerState;
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
            Ok(latest.1)
        });
        let outcome = outcome.expect("the function has no errors");
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

/// Makes a minimiser at x, where the function has this value and gradient, from a state if there is
/// one.
pub(crate) type Make<'a> = &'a dyn Fn(&[f32], f64, Vec<f32>, Option<OptimizerState<'static>>) -> Box<dyn Optimizer>;

/// Checks that a step can be made again if one of its evaluations fails. The same minimiser makes
/// it, or another one made from the state after the failure. Points, outcomes and states must have
/// the bits of a run without failures.
///
/// Returns the evaluations and the outcome of each step.
pub(crate) fn check_failures(
    make: Make<'_>,
    start: &[f32],
    steps: usize,
    function: &dyn Fn(&[f32], &mut [f32]) -> f64,
) -> Vec<(usize, Outcome)> {
    let (whole, evaluations) = trajectory(make, start, steps, function, None);
    for failing in 0..evaluations.iter().sum() {
        for is_made_anew in [false, true] {
            let (found, _) = trajectory(make, start, steps, function, Some((failing, is_made_anew)));
            assert!(found == whole, "evaluation {failing} failed, made anew: {is_made_anew}");
        }
    }
    evaluations.into_iter().zip(whole.iter().map(|step| step.0)).collect()
}

/// What there is after a step: the outcome, the bits of x, and the state.
type After = (Outcome, Vec<u32>, OptimizerState<'static>);

/// Makes steps until the minimiser is stuck, or so many. `failing` is the evaluation that fails
/// once, and whether the minimiser is then made anew. Returns what there is after each step, and
/// the evaluations that it took.
fn trajectory(
    make: Make<'_>,
    start: &[f32],
    steps: usize,
    function: &dyn Fn(&[f32], &mut [f32]) -> f64,
    failing: Option<(usize, bool)>,
) -> (Vec<After>, Vec<usize>) {
    let begun = |x: &[f32], state| {
        let mut gradient = vec![0.0; x.len()];
        let value = function(x, &mut gradient);
        make(x, value, gradient, state)
    };
    let mut x = start.to_vec();
    let mut optimizer = begun(&x, None);
    let mut evaluations = 0;
    let (mut seen, mut counts) = (vec![], vec![]);
    for _ in 0..steps {
        let (before, evaluations_before) = (x.clone(), evaluations);
        let mut evaluated = |x: &[f32], gradient: &mut [f32]| {
            evaluations += 1;
            if failing.is_some_and(|(failing, _)| failing + 1 == evaluations) {
                gradient.fill(f32::NAN);
                return Err(Error::feature_cache(Path::new("here"), &io::ErrorKind::NotFound.into()));
            }
            Ok(function(x, gradient))
        };
        let outcome = optimizer.step(&mut x, &mut evaluated).unwrap_or_else(|_| {
            assert_eq!(x, before);
            if failing.is_some_and(|(_, is_made_anew)| is_made_anew) {
                optimizer = begun(&x, Some(optimizer.state().into_owned()));
            }
            optimizer.step(&mut x, &mut evaluated).expect("an evaluation fails once")
        });
        seen.push((outcome, x.iter().map(|v| v.to_bits()).collect(), optimizer.state().into_owned()));
        counts.push(evaluations - evaluations_before);
        if outcome == Outcome::Stuck {
            break;
        }
    }
    (seen, counts)
}
