//! Adam, between bounds.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use rayon::prelude::*;

use crate::error::Result;
use crate::optimizer::state::{AdamState, OptimizerState};
use crate::optimizer::step::{Function, Optimizer, Outcome};
use crate::reduce::{CHUNK, norm};

/// Attempts at a step if the function has no finite values ahead. Each is half as long as the one
/// before.
const TRIALS: u8 = 20;

/// Number of f32 arrays in an [`Adam`], each with one value for each variable.
pub(crate) const ADAM_ARRAYS: usize = 4;

/// How an [`Adam`] works.
#[derive(Clone, Debug)]
pub(crate) struct AdamSettings {
    /// Most that a variable changes in a step, roughly, in the unit of x. The default of 8 is in
    /// levels of a pixel. On real pairs, transfers with 8 levels end a quarter below those with 4.
    /// From 8 to 16 the gain is half of that.
    pub(crate) learning_rate: f64,
    /// Fraction of the mean gradient that is kept from step to step. Default 0.9, as in the paper.
    pub(crate) beta1: f64,
    /// Fraction of the mean squared gradient that is kept from step to step. Default 0.999, as in
    /// the paper.
    pub(crate) beta2: f64,
    /// Bounds of every variable. Default 0..=255.
    pub(crate) bounds: RangeInclusive<f32>,
}

impl Default for AdamSettings {
    fn default() -> Self {
        Self { learning_rate: 8.0, beta1: 0.9, beta2: 0.999, bounds: 0.0..=255.0 }
    }
}

/// `x -= rate · m / sqrt(v)`, clamped to the bounds (Kingma and Ba 2015, algorithm 1).
///
/// `m` and `v` are the running means of the gradient and its square, corrected for their start at
/// 0.
///
/// It departs from the paper in three ways:
/// - It has no epsilon, which would have to know the scale of the gradient. If `v` is 0, so is `m`,
///   and nothing moves.
/// - The value may rise on the way, so the best point is kept apart from the point that walks.
/// - If the function has no finite values ahead, the walk continues from the best point with a
///   shorter step.
///
/// An evaluation may fail, and then nothing may be lost. So a step begins with the evaluation: the
/// walker moves at the end of the step before, to a point that the function has not seen yet. This
/// takes no copies of the arrays. The attempts of a step that led to no finite values are
/// remembered, and are not made again.
pub(crate) struct Adam {
    settings: AdamSettings,
    /// Gradients in the running means.
    steps: i32,
    /// Attempts of the next step so far. [`TRIALS`] if it leads nowhere.
    attempts: u8,
    /// The point that walks. The next step evaluates the function there.
    walker: Vec<f32>,
    /// Memory for the gradient at the walker. It means nothing between steps.
    gradient: Vec<f32>,
    mean: Vec<f32>,
    /// Running mean of the squared gradient, as its root. In f32 the root holds the gradients of
    /// any weights; the square would overflow.
    root_mean_square: Vec<f32>,
    /// Value at the best point.
    best: f64,
}

impl Adam {
    /// Makes a minimiser that starts at `x`. The function has this value and gradient there; both
    /// are finite, and `x` is within the bounds.
    pub(crate) fn new(settings: AdamSettings, x: &[f32], value: f64, gradient: Vec<f32>) -> Self {
        let zeros = vec![0.0; x.len()];
        let mut adam = Self {
            settings,
            steps: 0,
            attempts: 0,
            walker: x.to_vec(),
            gradient,
            mean: zeros.clone(),
            root_mean_square: zeros,
            best: value,
        };
        adam.set_out();
        adam
    }

    /// Makes the minimiser that the state was taken from. `value` is that of the best point.
    /// `gradient` has one value for each variable, of any kind.
    pub(crate) fn of_state(settings: AdamSettings, value: f64, gradient: Vec<f32>, state: AdamState<'static>) -> Self {
        let AdamState { steps, attempts, walker, mean, root_mean_square } = state;
        let [walker, mean, root_mean_square] = [walker, mean, root_mean_square].map(Cow::into_owned);
        Self { settings, steps, attempts, walker, gradient, mean, root_mean_square, best: value }
    }

    /// Sets out for the next step. `gradient` is the one at the walker.
    fn set_out(&mut self) {
        self.update_means();
        self.attempts = 0;
        self.move_walker();
    }

    /// Adds the walker's gradient to the running means.
    fn update_means(&mut self) {
        let (keep1, keep2) = (self.settings.beta1, self.settings.beta2);
        self.steps = self.steps.saturating_add(1);
        let means = self.mean.par_chunks_mut(CHUNK).zip(self.root_mean_square.par_chunks_mut(CHUNK));
        means.zip(self.gradient.par_chunks(CHUNK)).for_each(|((mean, root_mean_square), gradient)| {
            for ((m, r), &g) in mean.iter_mut().zip(root_mean_square).zip(gradient) {
                let g = f64::from(g);
                *m = (keep1 * f64::from(*m) + (1.0 - keep1) * g) as f32;
                *r = (keep2 * f64::from(*r).powi(2) + (1.0 - keep2) * g * g).sqrt() as f32;
            }
        });
    }

    /// `walker = clamp(walker - rate · m / sqrt(v))`. Every attempt halves the rate. If the walker
    /// does not move, no attempts are left.
    fn move_walker(&mut self) {
        let rate = self.settings.learning_rate * 0.5f64.powi(self.attempts.into());
        let (low, high) = (*self.settings.bounds.start(), *self.settings.bounds.end());
        let (beta1, beta2) = (self.settings.beta1, self.settings.beta2);
        let scale = (rate * (1.0 - beta2.powi(self.steps)).sqrt() / (1.0 - beta1.powi(self.steps))) as f32;
        let means = self.mean.par_chunks(CHUNK).zip(self.root_mean_square.par_chunks(CHUNK));
        let moved = self.walker.par_chunks_mut(CHUNK).zip(means).map(|(walker, (mean, root_mean_square))| {
            let mut moved = false;
            for ((walker, &m), &r) in walker.iter_mut().zip(mean).zip(root_mean_square) {
                let change = if r > 0.0 { scale * (m / r) } else { 0.0 };
                let there = (*walker - change).clamp(low, high);
                moved |= there != *walker;
                *walker = there;
            }
            moved
        });
        if !moved.reduce(|| false, |a, b| a | b) {
            self.attempts = TRIALS;
        }
    }
}

impl Optimizer for Adam {
    fn step(&mut self, x: &mut [f32], function: &mut Function<'_>) -> Result<Outcome> {
        while self.attempts < TRIALS {
            let value = function(&self.walker, &mut self.gradient)?;
            if value.is_finite() && norm(&self.gradient).is_finite() {
                let improves = value < self.best;
                if improves {
                    self.best = value;
                    x.copy_from_slice(&self.walker);
                }
                self.set_out();
                return Ok(if improves { Outcome::Improved } else { Outcome::NotImproved });
            }
            // The walker's last place is not kept, but the best point is a place with finite
            // values.
            self.walker.copy_from_slice(x);
            self.attempts += 1;
            self.move_walker();
        }
        Ok(Outcome::Stuck)
    }

    /// The next evaluation is still at the walker, which moved by the gradient before. The new one
    /// at its last place is not known.
    fn renew(&mut self, value: f64, _gradient: Vec<f32>) {
        self.best = value;
    }

    fn state(&self) -> OptimizerState<'_> {
        OptimizerState::Adam(AdamState {
            steps: self.steps,
            attempts: self.attempts,
            walker: self.walker.as_slice().into(),
            mean: self.mean.as_slice().into(),
            root_mean_square: self.root_mean_square.as_slice().into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::test_values;
    use crate::optimizer::testing::{check_failures, minimise, quadratic};

    fn run(
        x: &mut [f32],
        settings: AdamSettings,
        steps: usize,
        mut function: impl FnMut(&[f32], &mut [f32]) -> f64,
    ) -> (f64, usize) {
        let mut gradient = vec![0.0; x.len()];
        let value = function(x, &mut gradient);
        let bounds = settings.bounds.clone();
        minimise(&mut Adam::new(settings, x, value, gradient), x, bounds, steps, function)
    }

    #[test]
    fn a_quadratic_is_minimised_whatever_its_scale() {
        let center: Vec<f32> = test_values(60, 1).iter().map(|v| 127.5 + 40.0 * v).collect();
        for scale in [1e-20, 1.0, 1e20] {
            let mut quadratic = quadratic(1e4, center.clone());
            let mut x = vec![127.5; 60];
            let (value, _) = run(&mut x, AdamSettings::default(), 500, |x, gradient| {
                let value = scale * quadratic(x, gradient);
                gradient.iter_mut().for_each(|g| *g = (scale * f64::from(*g)) as f32);
                value
            });
            assert!(value < 1e3 * scale, "{value} at scale {scale}");
            for (x, c) in x.iter().zip(&center) {
                assert!((x - c).abs() < 2.0, "{x} {c}");
            }
        }
    }

    #[test]
    fn a_step_is_as_long_as_the_learning_rate_and_stays_in_the_bounds() {
        let mut x = [100.0, 3.0];
        let mut slope = |x: &[f32], gradient: &mut [f32]| {
            gradient.fill(7.0);
            7.0 * f64::from(x[0] + x[1])
        };
        let (.., steps) = run(&mut x, AdamSettings::default(), 1, &mut slope);
        assert_eq!((x, steps), ([92.0, 0.0], 1));
    }

    #[test]
    fn a_region_without_values_is_kept_out_of() {
        let mut x = [100.0, 100.0];
        run(&mut x, AdamSettings::default(), 300, |x: &[f32], gradient: &mut [f32]| {
            let value = quadratic(10.0, vec![200.0, 50.0])(x, gradient);
            if x[0] > 150.0 { f64::NAN } else { value }
        });
        assert!(x[0] > 149.0 && x[0] <= 150.0, "{x:?}");
    }

    #[test]
    fn a_step_whose_evaluation_fails_can_be_made_again() {
        let make = |x: &[f32], value, gradient, state| -> Box<dyn Optimizer> {
            Box::new(match state {
                Some(OptimizerState::Adam(state)) => Adam::of_state(AdamSettings::default(), value, gradient, state),
                Some(OptimizerState::Lbfgs(_)) => panic!("the state of another minimiser"),
                None => Adam::new(AdamSettings::default(), x, value, gradient),
            })
        };
        let valley = |x: &[f32], gradient: &mut [f32]| quadratic(10.0, vec![200.0, 50.0])(x, gradient);
        let steps = check_failures(&make, &[100.0, 100.0], 40, &valley);
        assert!(steps.iter().any(|(_, outcome)| *outcome == Outcome::NotImproved), "{steps:?}");
        let walled = |x: &[f32], gradient: &mut [f32]| if x[0] > 150.0 { f64::NAN } else { valley(x, gradient) };
        let steps = check_failures(&make, &[100.0, 100.0], 60, &walled);
        let is_shortened = |&(evaluations, outcome)| evaluations > 2 && outcome == Outcome::Improved;
        assert!(steps.iter().any(is_shortened), "{steps:?}");
    }

    #[test]
    fn a_function_without_slope_or_values_leaves_the_start() {
        let mut x = [3.0; 4];
        let mut flat = Adam::new(AdamSettings::default(), &x, 1.0, vec![0.0; 4]);
        assert_eq!(flat.step(&mut x, &mut |_, _| panic!("there is nothing to evaluate")).unwrap(), Outcome::Stuck);
        let mut failing = Adam::new(AdamSettings::default(), &x, 1.0, vec![1.0; 4]);
        assert_eq!(failing.step(&mut x, &mut |_, _| Ok(f64::NAN)).unwrap(), Outcome::Stuck);
        assert_eq!(x, [3.0; 4]);
    }
}
