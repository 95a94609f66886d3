//! Adam in the memory of the process.

use std::borrow::Cow;
use std::ops::RangeInclusive;

use rayon::prelude::*;

use crate::error::Result;
use crate::optimizer::adam::{AdamSettings, Course, Means, Walk};
use crate::optimizer::state::{AdamState, OptimizerState};
use crate::optimizer::step::{Function, Optimizer, Outcome};
use crate::reduce::{CHUNK, norm};

/// Number of f32 arrays in an [`Adam`], each with one value for each variable.
pub(crate) const ADAM_ARRAYS: usize = 4;

/// Adam in the memory of the process.
pub(crate) struct Adam {
    course: Course,
    arrays: AdamArrays,
}

struct AdamArrays {
    bounds: RangeInclusive<f32>,
    /// The point that walks. The next step evaluates the function there.
    walker: Vec<f32>,
    /// Memory for the gradient at the walker. It means nothing between steps.
    gradient: Vec<f32>,
    mean: Vec<f32>,
    /// Running mean of the squared gradient, as its root. In f32 the root holds the gradients of
    /// any weights; the square would overflow.
    root_mean_square: Vec<f32>,
}

impl Adam {
    /// Makes a minimiser that starts at `x`. The function has this value and gradient there; both
    /// are finite, and `x` is within the bounds.
    pub(crate) fn new(settings: AdamSettings, x: &[f32], value: f64, gradient: Vec<f32>) -> Self {
        let zeros = || Cow::Owned(vec![0.0; x.len()]);
        let walker = Cow::Owned(x.to_vec());
        let state = AdamState { steps: 0, attempts: 0, walker, mean: zeros(), root_mean_square: zeros() };
        let mut adam = Self::of_state(settings, value, gradient, state);
        adam.course.set_out(&mut adam.arrays).expect("memory does not fail");
        adam
    }

    /// Makes the minimiser that the state was taken from. `value` is that of the best point.
    /// `gradient` has one value for each variable, of any kind.
    pub(crate) fn of_state(settings: AdamSettings, value: f64, gradient: Vec<f32>, state: AdamState<'static>) -> Self {
        let AdamState { steps, attempts, walker, mean, root_mean_square } = state;
        let [walker, mean, root_mean_square] = [walker, mean, root_mean_square].map(Cow::into_owned);
        let bounds = settings.bounds.clone();
        let course = Course { settings, steps, attempts, best: value };
        Self { course, arrays: AdamArrays { bounds, walker, gradient, mean, root_mean_square } }
    }
}

impl Means for AdamArrays {
    fn update(&mut self, [keep1, keep2]: [f64; 2]) {
        let means = self.mean.par_chunks_mut(CHUNK).zip(self.root_mean_square.par_chunks_mut(CHUNK));
        means.zip(self.gradient.par_chunks(CHUNK)).for_each(|((mean, root_mean_square), gradient)| {
            for ((m, r), &g) in mean.iter_mut().zip(root_mean_square).zip(gradient) {
                let g = f64::from(g);
                *m = (keep1 * f64::from(*m) + (1.0 - keep1) * g) as f32;
                *r = (keep2 * f64::from(*r).powi(2) + (1.0 - keep2) * g * g).sqrt() as f32;
            }
        });
    }

    fn walk(&mut self, scale: f64) -> Result<bool> {
        let (low, high) = (*self.bounds.start(), *self.bounds.end());
        let scale = scale as f32;
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
        Ok(moved.reduce(|| false, |a, b| a | b))
    }
}

/// A step, with what it works on.
struct StepInMemory<'a, 'f> {
    arrays: &'a mut AdamArrays,
    x: &'a mut [f32],
    function: &'a mut Function<'f>,
}

impl Means for StepInMemory<'_, '_> {
    fn update(&mut self, keep: [f64; 2]) {
        self.arrays.update(keep);
    }

    fn walk(&mut self, scale: f64) -> Result<bool> {
        self.arrays.walk(scale)
    }
}

impl Walk for StepInMemory<'_, '_> {
    fn evaluate(&mut self) -> Result<Option<f64>> {
        let AdamArrays { walker, gradient, .. } = &mut *self.arrays;
        let value = (self.function)(walker, gradient)?;
        Ok((value.is_finite() && norm(gradient).is_finite()).then_some(value))
    }

    fn keep(&mut self) {
        self.x.copy_from_slice(&self.arrays.walker);
    }

    fn go_back(&mut self) {
        self.arrays.walker.copy_from_slice(self.x);
    }
}

impl Optimizer for Adam {
    fn step(&mut self, x: &mut [f32], function: &mut Function<'_>) -> Result<Outcome> {
        self.course.step(&mut StepInMemory { arrays: &mut self.arrays, x, function })
    }

    /// The next evaluation is still at the walker, which moved by the gradient before. The new one
    /// at its last place is not known.
    fn renew(&mut self, value: f64, _gradient: Vec<f32>) {
        self.course.best = value;
    }

    fn state(&self) -> OptimizerState<'_> {
        let AdamArrays { walker, mean, root_mean_square, .. } = &self.arrays;
        OptimizerState::Adam(AdamState {
            steps: self.course.steps,
            attempts: self.course.attempts,
            walker: walker.as_slice().into(),
            mean: mean.as_slice().into(),
            root_mean_square: root_mean_square.as_slice().into(),
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
