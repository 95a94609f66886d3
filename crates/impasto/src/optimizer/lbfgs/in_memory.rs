//! L-BFGS in the memory of the process.
//!
//! Everything beside the function is arithmetic on long arrays: sums in f64, changes in f32. At 512
//! px with 20 pairs it reads 250 MB in a step, so passes are joined where that spares reading. Each
//! pass is shared among the threads in chunks of [`CHUNK`], and sums are added in the order of the
//! chunks. So the bits are the same at any number of threads.

use std::collections::VecDeque;
use std::mem;

use rayon::prelude::*;

use crate::error::Result;
use crate::optimizer::lbfgs::{Descent, LbfgsSettings, MIN_COSINE, step};
use crate::optimizer::state::{OptimizerState, Variables};
use crate::optimizer::step::{Function, Optimizer, Outcome};
use crate::reduce::{CHUNK, dot, dot_after, dot_of_differences, norm, sum_abs};

/// Number of f32 arrays in an [`Lbfgs`] with a preconditioner, without its history. Each has one
/// value for each variable.
pub(crate) const LBFGS_ARRAYS: usize = 5;

/// L-BFGS in the memory of the process.
pub(crate) struct Lbfgs {
    settings: LbfgsSettings,
    /// Value at x.
    value: f64,
    /// Gradient at x.
    gradient: Vec<f32>,
    /// Pairs, the oldest first.
    history: VecDeque<Pair>,
    frozen: Frozen,
    /// Where the step leads. It is zero where x may not move.
    direction: Vec<f32>,
    trial: Vec<f32>,
    trial_gradient: Vec<f32>,
}

/// Places where x may not move, for each [`CHUNK`]. They are few: sums run over all variables, and
/// what these places added is taken away again.
type Frozen = Vec<Vec<u16>>;

// A place in a chunk fits in 16 bits.
const _: () = assert!(CHUNK <= 1 << 16);

/// Variables that are tested for a bound together.
const BLOCK: usize = 16;

/// What one step has shown about the curvature.
struct Pair {
    /// Change of x.
    s: Vec<f32>,
    /// Change of the gradient.
    y: Vec<f32>,
    /// `sᵀ y`.
    product: f64,
    /// `|s| |y|`.
    norms: f64,
}

impl Pair {
    fn new(len: usize) -> Self {
        Self { s: vec![0.0; len], y: vec![0.0; len], product: 0.0, norms: 0.0 }
    }

    /// Returns `sᵀ y` on the free variables.
    fn curvature(&self, frozen: &Frozen) -> f64 {
        let chunks = frozen.iter().zip(self.s.chunks(CHUNK).zip(self.y.chunks(CHUNK)));
        self.product - chunks.map(|(frozen, (s, y))| dot_at(frozen, s, y)).sum::<f64>()
    }
}

impl Lbfgs {
    /// Makes a minimiser that starts where the function has this value and gradient. Both are
    /// finite, and the point is within the bounds.
    pub(crate) fn new(settings: LbfgsSettings, value: f64, gradient: Vec<f32>) -> Self {
        let len = gradient.len();
        Self {
            settings,
            value,
            gradient,
            history: VecDeque::new(),
            frozen: vec![vec![]; len.div_ceil(CHUNK)],
            direction: vec![0.0; len],
            trial: vec![0.0; len],
            trial_gradient: vec![0.0; len],
        }
    }

    /// Makes the minimiser that remembers these pairs. `value` and `gradient` are those of the best
    /// point.
    pub(crate) fn of_pairs(
        settings: LbfgsSettings,
        value: f64,
        gradient: Vec<f32>,
        pairs: Vec<[Variables<'static>; 2]>,
    ) -> Self {
        let pair = |[s, y]: [Variables<'static>; 2]| {
            let (s, y) = (s.into_owned(), y.into_owned());
            let (product, norms) = (dot(&s, &y), norm(&s) * norm(&y));
            Pair { s, y, product, norms }
        };
        Self { history: pairs.into_iter().map(pair).collect(), ..Self::new(settings, value, gradient) }
    }

    /// Freezes what may not move, and points `direction` down the slope elsewhere.
    fn face_downhill(&mut self, x: &[f32]) {
        let (low, high) = (*self.settings.bounds.start(), *self.settings.bounds.end());
        let chunks = self.direction.par_chunks_mut(CHUNK).zip(&mut self.frozen);
        chunks.zip(x.par_chunks(CHUNK).zip(self.gradient.par_chunks(CHUNK))).for_each(
            |((direction, frozen), (x, gradient))| {
                frozen.clear();
                for (block, (direction, (x, gradient))) in
                    direction.chunks_mut(BLOCK).zip(x.chunks(BLOCK).zip(gradient.chunks(BLOCK))).enumerate()
                {
                    direction.iter_mut().zip(gradient).for_each(|(d, g)| *d = -g);
                    // Few variables are at a bound, and this test uses vector registers.
                    if !x.iter().fold(false, |any, &x| any | (x <= low) | (x >= high)) {
                        continue;
                    }
                    for i in 0..x.len() {
                        if x[i] <= low && gradient[i] > 0.0 || x[i] >= high && gradient[i] < 0.0 {
                            direction[i] = 0.0;
                            frozen.push((block * BLOCK + i) as u16);
                        }
                    }
                }
            },
        );
    }

    /// `direction = H · direction` on the free variables, by the two-loop recursion.
    ///
    /// Returns `false` if no pair is of use there. The direction is then unchanged.
    fn apply_history(&mut self) -> bool {
        let Self { history, frozen, direction, trial, settings, .. } = self;
        // On the free variables alone a pair may have lost its curvature. The newest pair comes
        // first.
        let used: Vec<(&Pair, f64)> = history
            .par_iter()
            .rev()
            .map(|pair| (pair, pair.curvature(frozen)))
            .filter(|(pair, curvature)| *curvature > MIN_COSINE * pair.norms)
            .collect();
        let (Some(&(newest, newest_curvature)), Some(&(oldest, _))) = (used.first(), used.last()) else {
            return false;
        };
        let mut alphas = Vec::with_capacity(used.len());
        let mut product = dot(&newest.s, direction);
        for (i, (pair, curvature)) in used.iter().enumerate() {
            let alpha = product / curvature;
            alphas.push(alpha);
            let factor = -alpha as f32;
            let add = move |d: f32, y: f32| d + factor * y;
            match used.get(i + 1) {
                Some((next, _)) => product = update_and_dot(direction, &pair.y, frozen, add, &next.s),
                None => update(direction, &pair.y, frozen, add),
            }
        }
        // The factor makes `H` agree with the newest pair: yᵀ H y = sᵀ y. `trial` is free until the
        // direction is known.
        update(trial, &newest.y, frozen, |_, y| y);
        let square = match &mut settings.preconditioner {
            Some(preconditioner) => {
                preconditioner.apply(direction);
                preconditioner.square(trial)
            }
            None => dot(trial, trial),
        };
        let scale = (newest_curvature / square) as f32;
        product = update_and_dot(direction, &oldest.y, frozen, move |d, _| d * scale, &oldest.y);
        for i in (0..used.len()).rev() {
            let (pair, curvature) = used[i];
            let factor = (alphas[i] - product / curvature) as f32;
            let add = move |d: f32, s: f32| d + factor * s;
            match i.checked_sub(1) {
                Some(next) => product = update_and_dot(direction, &pair.s, frozen, add, &used[next].0.y),
                None => update(direction, &pair.s, frozen, add),
            }
        }
        true
    }

    /// `trial = clamp(x + length · direction)`. Returns the change of value that the gradient
    /// promises.
    fn move_from(&mut self, x: &[f32], length: f64) -> f64 {
        let (low, high) = (*self.settings.bounds.start(), *self.settings.bounds.end());
        let length = length as f32;
        let there = self.trial.par_chunks_mut(CHUNK).zip(x.par_chunks(CHUNK));
        let slopes: Vec<f64> = there
            .zip(self.direction.par_chunks(CHUNK).zip(self.gradient.par_chunks(CHUNK)))
            .map(|((trial, x), (direction, gradient))| {
                for ((trial, x), direction) in trial.iter_mut().zip(x).zip(direction) {
                    *trial = (x + length * direction).clamp(low, high);
                }
                let changes = trial.iter().zip(x).zip(gradient);
                changes.map(|((trial, x), gradient)| f64::from(*gradient) * f64::from(trial - x)).sum()
            })
            .collect();
        slopes.iter().sum()
    }

    /// Moves to `trial`, and remembers the way.
    fn accept(&mut self, x: &mut [f32]) {
        let (s, y) = ([&*self.trial, &*x], [&*self.trial_gradient, &*self.gradient]);
        // The oldest pair makes room only for one with curvature.
        let product = dot_of_differences(s, y);
        let norms = dot_of_differences(s, s).sqrt() * dot_of_differences(y, y).sqrt();
        if product > MIN_COSINE * norms {
            let oldest = if self.history.len() < self.settings.history { None } else { self.history.pop_front() };
            let mut pair = oldest.unwrap_or_else(|| Pair::new(x.len()));
            difference(&mut pair.s, s);
            difference(&mut pair.y, y);
            (pair.product, pair.norms) = (product, norms);
            self.history.push_back(pair);
        }
        x.par_chunks_mut(CHUNK).zip(self.trial.par_chunks(CHUNK)).for_each(|(x, trial)| x.copy_from_slice(trial));
        mem::swap(&mut self.gradient, &mut self.trial_gradient);
    }
}

impl Optimizer for Lbfgs {
    fn step(&mut self, x: &mut [f32], function: &mut Function<'_>) -> Result<Outcome> {
        let (mut value, first_step) = (self.value, self.settings.first_step);
        let outcome = step(&mut StepInMemory { lbfgs: self, x, function }, &mut value, first_step)?;
        self.value = value;
        Ok(outcome)
    }

    fn renew(&mut self, value: f64, gradient: Vec<f32>) {
        (self.value, self.gradient) = (value, gradient);
    }

    fn state(&self) -> OptimizerState<'_> {
        OptimizerState::Lbfgs(
            self.history.iter().map(|Pair { s, y, .. }| [s.as_slice().into(), y.as_slice().into()]).collect(),
        )
    }
}

/// A step, with what it works on.
struct StepInMemory<'a, 'f> {
    lbfgs: &'a mut Lbfgs,
    x: &'a mut [f32],
    function: &'a mut Function<'f>,
}

impl Descent for StepInMemory<'_, '_> {
    fn variables(&self) -> usize {
        self.x.len()
    }

    fn follow_history(&mut self) -> Result<Option<f64>> {
        self.lbfgs.face_downhill(self.x);
        Ok(if self.lbfgs.apply_history() { Some(self.lbfgs.move_from(self.x, 1.0)) } else { None })
    }

    fn face_downhill(&mut self) -> Result<f64> {
        self.lbfgs.face_downhill(self.x);
        Ok(sum_abs(&self.lbfgs.direction))
    }

    fn stretch(&mut self, factor: f64) {
        self.lbfgs.direction.par_chunks_mut(CHUNK).for_each(|direction| {
            direction.iter_mut().for_each(|d| *d = (factor * f64::from(*d)) as f32);
        });
    }

    fn go(&mut self, length: f64) -> Result<f64> {
        Ok(self.lbfgs.move_from(self.x, length))
    }

    fn evaluate(&mut self) -> Result<Option<f64>> {
        let Lbfgs { trial, trial_gradient, .. } = &mut *self.lbfgs;
        let value = (self.function)(trial, trial_gradient)?;
        Ok((value.is_finite() && norm(trial_gradient).is_finite()).then_some(value))
    }

    fn accept(&mut self) {
        self.lbfgs.accept(self.x);
    }

    fn forget(&mut self) {
        self.lbfgs.history.clear();
    }
}

/// `sum a_i · b_i` at these places of a chunk.
fn dot_at(places: &[u16], a: &[f32], b: &[f32]) -> f64 {
    places.iter().map(|&i| f64::from(a[usize::from(i)]) * f64::from(b[usize::from(i)])).sum()
}

/// `to = a - b`.
fn difference(to: &mut [f32], [a, b]: [&[f32]; 2]) {
    to.par_chunks_mut(CHUNK).zip(a.par_chunks(CHUNK).zip(b.par_chunks(CHUNK))).for_each(|(to, (a, b))| {
        for (to, (a, b)) in to.iter_mut().zip(a.iter().zip(b)) {
            *to = a - b;
        }
    });
}

/// `to = of(to, from)`, and 0 where frozen.
///
/// `of` is copied into the loop, so that the numbers in it stay in registers.
fn update(to: &mut [f32], from: &[f32], frozen: &Frozen, of: impl Fn(f32, f32) -> f32 + Copy + Send + Sync) {
    to.par_chunks_mut(CHUNK).zip(from.par_chunks(CHUNK).zip(frozen)).for_each(move |(to, (from, frozen))| {
        let of = of;
        for (to, from) in to.iter_mut().zip(from) {
            *to = of(*to, *from);
        }
        for &i in frozen {
            to[usize::from(i)] = 0.0;
        }
    });
}

/// Does [`update`] and then returns `toᵀ with`, in one pass.
fn update_and_dot(
    to: &mut [f32],
    from: &[f32],
    frozen: &Frozen,
    of: impl Fn(f32, f32) -> f32 + Copy + Send + Sync,
    with: &[f32],
) -> f64 {
    let chunks = to.par_chunks_mut(CHUNK).zip(from.par_chunks(CHUNK)).zip(with.par_chunks(CHUNK).zip(frozen));
    let sums: Vec<f64> = chunks
        .map(move |((to, from), (with, frozen))| {
            let sum = dot_after(to, with, from, of);
            let excess = dot_at(frozen, to, with);
            for &i in frozen {
                to[usize::from(i)] = 0.0;
            }
            sum - excess
        })
        .collect();
    sums.iter().sum()
}

#[cfg(test)]
mod tests {
    use std::ops::RangeInclusive;

    use super::*;
    use crate::noise::test_values;
    use crate::optimizer::lbfgs::{HISTORY_TRIALS, STEEPEST_TRIALS};
    use crate::optimizer::preconditioner::Preconditioner;
    use crate::optimizer::testing::{check_failures, minimise, quadratic, rosenbrock};

    const UNBOUNDED: RangeInclusive<f32> = f32::NEG_INFINITY..=f32::INFINITY;

    /// Minimises from `x`, which ends at the minimum. Returns the last value, the steps, and the
    /// evaluations that they took.
    fn run(
        x: &mut [f32],
        bounds: RangeInclusive<f32>,
        steps: usize,
        mut function: impl FnMut(&[f32], &mut [f32]) -> f64,
    ) -> (f64, usize, usize) {
        let mut gradient = vec![0.0; x.len()];
        let value = function(x, &mut gradient);
        let settings = LbfgsSettings { bounds: bounds.clone(), ..LbfgsSettings::default() };
        let mut lbfgs = Lbfgs::new(settings, value, gradient);
        let mut evaluations = 0;
        let (value, steps) = minimise(&mut lbfgs, x, bounds, steps, |x, gradient| {
            evaluations += 1;
            function(x, gradient)
        });
        // `minimise` evaluates the start once more.
        (value, steps, evaluations - 1)
    }

    #[test]
    fn the_direction_is_that_of_the_recursion_on_the_free_variables() {
        let (width, height) = (150, 41);
        let len = 3 * width * height;
        assert!(len > CHUNK);
        for preconditioned in [false, true] {
            let preconditioner = || preconditioned.then(|| Preconditioner::new(width, height, false));
            let gradient = test_values(len, 1);
            // Values go from 0 to 255, and many are at the ends.
            let x: Vec<f32> = test_values(len, 2).iter().map(|v| (127.0 + 100.0 * v).clamp(0.0, 255.0)).collect();
            let settings = LbfgsSettings { preconditioner: preconditioner(), ..LbfgsSettings::default() };
            let pairs: Vec<[Vec<f32>; 2]> = (0..4)
                .map(|i| {
                    let s = test_values(len, 10 + i);
                    let y = s.iter().zip(test_values(len, 20 + i)).map(|(s, v)| 2.0 * s + v).collect();
                    [s, y]
                })
                .collect();
            let state = pairs.iter().cloned().map(|pair| pair.map(Variables::from)).collect();
            let mut lbfgs = Lbfgs::of_pairs(settings, 1.0, gradient.clone(), state);
            lbfgs.face_downhill(&x);
            assert!(lbfgs.apply_history());

            let free: Vec<bool> =
                x.iter().zip(&gradient).map(|(&x, &g)| !(x == 0.0 && g > 0.0 || x == 255.0 && g < 0.0)).collect();
            assert!(free.iter().filter(|free| !**free).count() > len / 50);
            let only =
                |a: &[f32]| -> Vec<f32> { a.iter().zip(&free).map(|(a, f)| if *f { *a } else { 0.0 }).collect() };
            let add = |to: &mut [f32], factor: f64, a: &[f32]| {
                to.iter_mut().zip(a).for_each(|(to, a)| *to = (f64::from(*to) + factor * f64::from(*a)) as f32);
            };
            let pairs: Vec<[Vec<f32>; 2]> = pairs.iter().map(|pair| pair.each_ref().map(|a| only(a))).collect();
            let mut d = only(&gradient.iter().map(|g| -g).collect::<Vec<f32>>());
            let mut alphas = vec![];
            for [s, y] in pairs.iter().rev() {
                alphas.push(dot(s, &d) / dot(s, y));
                add(&mut d, -alphas[alphas.len() - 1], y);
            }
            let [s, y] = &pairs[pairs.len() - 1];
            let mut scaled = y.clone();
            if let Some(mut preconditioner) = preconditioner() {
                preconditioner.apply(&mut scaled);
                preconditioner.apply(&mut d);
            }
            let scale = dot(s, y) / dot(y, &scaled);
            let mut d: Vec<f32> = only(&d).iter().map(|d| (scale * f64::from(*d)) as f32).collect();
            for ([s, y], alpha) in pairs.iter().zip(alphas.iter().rev()) {
                let beta = dot(y, &d) / dot(s, y);
                add(&mut d, alpha - beta, s);
            }
            let mut error = d.clone();
            add(&mut error, -1.0, &lbfgs.direction);
            assert!(norm(&error) < 1e-5 * norm(&d), "{} of {}", norm(&error), norm(&d));
        }
    }

    #[test]
    fn a_preconditioner_changes_the_way_but_not_the_minimum() {
        // In this picture every neighbour pulls, and a bound holds some of it.
        let (width, height) = (24, 18);
        let center: Vec<f32> = test_values(3 * width * height, 5).iter().map(|v| 100.0 + 80.0 * v).collect();
        let mut spring = |x: &[f32], gradient: &mut [f32]| {
            let mut value = 0.0;
            for i in 0..x.len() {
                let pull = f64::from(x[i] - center[i]);
                value += 0.005 * pull * pull;
                gradient[i] = (0.01 * pull) as f32;
            }
            for i in 3..x.len() {
                let difference = x[i] - x[i - 3];
                value += 0.5 * f64::from(difference * difference);
                gradient[i] += difference;
                gradient[i - 3] -= difference;
            }
            value
        };
        let mut minimum = |preconditioner| {
            let mut x = vec![50.0; center.len()];
            let mut gradient = vec![0.0; x.len()];
            let value = spring(&x, &mut gradient);
            let bounds = 0.0..=105.0;
            let settings = LbfgsSettings { bounds: bounds.clone(), preconditioner, ..LbfgsSettings::default() };
            minimise(&mut Lbfgs::new(settings, value, gradient), &mut x, bounds, 300, &mut spring)
        };
        let (plain, _) = minimum(None);
        let (preconditioned, _) = minimum(Some(Preconditioner::new(width, height, false)));
        assert!((preconditioned / plain - 1.0).abs() < 1e-4, "{preconditioned} {plain}");
    }

    #[test]
    fn an_ill_conditioned_quadratic_is_minimised() {
        let center = test_values(100, 1);
        let mut x = vec![0.0; 100];
        let start = quadratic(1e4, center.clone())(&x, &mut [0.0; 100]);
        let (value, steps, evaluations) = run(&mut x, UNBOUNDED, 500, quadratic(1e4, center.clone()));
        assert!(value < 1e-10 * start, "{value} of {start} after {steps} steps");
        for (x, c) in x.iter().zip(center) {
            assert!((x - c).abs() < 1e-3, "{x} {c}");
        }
        assert!(evaluations < steps + steps / 4 + STEEPEST_TRIALS + HISTORY_TRIALS, "{evaluations} for {steps} steps");
    }

    #[test]
    fn arrays_of_several_chunks_are_minimised_with_the_same_bits_on_any_threads() {
        let len = 2 * CHUNK + 3;
        let center = test_values(len, 2);
        let on = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let mut x = vec![0.0; len];
            let (value, ..) = pool.install(|| run(&mut x, -1.0..=1.0, 15, quadratic(100.0, center.clone())));
            (x, value.to_bits())
        };
        assert!(on(1) == on(3));
    }

    #[test]
    fn rosenbrocks_valley_is_followed_to_its_end() {
        let mut x = [-1.2, 1.0];
        let (value, steps, evaluations) = run(&mut x, UNBOUNDED, 200, rosenbrock);
        assert!(value < 1e-8, "{value} at {x:?} after {steps} steps, {evaluations} evaluations");
    }

    #[test]
    fn a_minimum_outside_the_box_is_found_on_its_side() {
        // With coupled variables it would be wrong to clamp the free minimum.
        let coupled = |x: &[f32], gradient: &mut [f32]| {
            let (a, b) = (f64::from(x[0]), f64::from(x[1]));
            gradient[0] = (2.0 * (a - 3.0) + 1.5 * (b - 1.0)) as f32;
            gradient[1] = (2.0 * (b - 1.0) + 1.5 * (a - 3.0)) as f32;
            (a - 3.0).powi(2) + (b - 1.0).powi(2) + 1.5 * (a - 3.0) * (b - 1.0)
        };
        let mut x = [0.5, 0.5];
        run(&mut x, 0.0..=2.0, 100, coupled);
        // At a = 2: b = 1 + 0.75.
        assert_eq!(x[0], 2.0);
        assert!((x[1] - 1.75).abs() < 1e-3, "{x:?}");
    }

    #[test]
    fn many_active_bounds_are_found() {
        let center: Vec<f32> = test_values(200, 3).iter().map(|v| 2.0 * v).collect();
        let mut x = vec![0.0; 200];
        run(&mut x, -1.0..=1.0, 300, quadratic(1e3, center.clone()));
        for (x, c) in x.iter().zip(&center) {
            assert!((x - c.clamp(-1.0, 1.0)).abs() < 1e-3, "{x} {c}");
        }
    }

    #[test]
    fn a_region_without_values_is_kept_out_of() {
        // The minimum of the first variable is at 2, but beyond 1 there are no values.
        let walled = |x: &[f32], gradient: &mut [f32]| {
            let value = quadratic(10.0, vec![2.0, -1.0])(x, gradient);
            if x[0] > 1.0 { f64::NAN } else { value }
        };
        let mut x = [0.0, 0.0];
        run(&mut x, UNBOUNDED, 200, walled);
        assert!(x[0] > 0.9 && x[0] <= 1.0, "{x:?}");
    }

    #[test]
    fn a_gradient_that_is_no_number_is_taken_back() {
        let center = test_values(50, 4);
        for bad in [f32::NAN, f32::INFINITY] {
            let mut quadratic = quadratic(100.0, center.clone());
            let mut calls = 0;
            let mut x = vec![0.0; 50];
            let (value, ..) = run(&mut x, UNBOUNDED, 200, |x, gradient| {
                calls += 1;
                let value = quadratic(x, gradient);
                if calls % 5 == 0 {
                    gradient[17] = bad;
                }
                value
            });
            assert!(value < 1e-8, "{value}");
        }
    }

    #[test]
    fn a_function_that_only_fails_leaves_the_start() {
        let mut lbfgs = Lbfgs::new(LbfgsSettings::default(), 1.0, vec![1.0, -1.0]);
        let mut x = [100.0, 100.0];
        let mut calls = 0;
        let outcome = lbfgs.step(&mut x, &mut |_, gradient| {
            calls += 1;
            gradient.fill(f32::NAN);
            Ok(f64::NAN)
        });
        assert_eq!((outcome.unwrap(), x), (Outcome::Stuck, [100.0, 100.0]));
        assert!(calls <= STEEPEST_TRIALS);
    }

    #[test]
    fn a_step_whose_evaluation_fails_can_be_made_again() {
        let make = |_: &[f32], value, gradient, state| -> Box<dyn Optimizer> {
            let settings = LbfgsSettings { history: 3, bounds: UNBOUNDED, ..LbfgsSettings::default() };
            Box::new(match state {
                Some(OptimizerState::Lbfgs(pairs)) => Lbfgs::of_pairs(settings, value, gradient, pairs),
                Some(OptimizerState::Adam(_)) => panic!("the state of another minimiser"),
                None => Lbfgs::new(settings, value, gradient),
            })
        };
        let valley = check_failures(&make, &[-1.2, 1.0], 50, &rosenbrock);
        assert!(valley.iter().any(|(evaluations, _)| *evaluations > 1), "{valley:?}");
        // The history leads into the region without values, and is given up. Some way down is left.
        let walled = |x: &[f32], gradient: &mut [f32]| {
            let value = rosenbrock(x, gradient);
            if x[0] > 0.4 { f64::NAN } else { value }
        };
        let walled = check_failures(&make, &[-1.2, 1.0], 200, &walled);
        let is_reset = |&(evaluations, outcome)| evaluations > HISTORY_TRIALS && outcome == Outcome::Improved;
        assert!(walled.iter().any(is_reset), "{walled:?}");
    }

    #[test]
    fn a_flat_function_and_a_corner_are_minima() {
        let never = |_: &[f32], _: &mut [f32]| -> Result<f64> { panic!("there is nothing to evaluate") };
        let mut flat = Lbfgs::new(LbfgsSettings::default(), 1.0, vec![0.0; 3]);
        assert_eq!(flat.step(&mut [1.0; 3], &mut { never }).unwrap(), Outcome::Stuck);
        let mut corner = Lbfgs::new(LbfgsSettings::default(), 1.0, vec![5.0, -5.0]);
        assert_eq!(corner.step(&mut [0.0, 255.0], &mut { never }).unwrap(), Outcome::Stuck);
    }

    #[test]
    fn the_first_step_is_of_the_length_asked_for() {
        let mut x = vec![100.0; 40];
        let mut function = |x: &[f32], gradient: &mut [f32]| {
            gradient.fill(1e6);
            Ok(x.iter().map(|&v| 1e6 * f64::from(v)).sum())
        };
        let mut gradient = vec![0.0; 40];
        let value = function(&x, &mut gradient).unwrap();
        Lbfgs::new(LbfgsSettings::default(), value, gradient).step(&mut x, &mut function).unwrap();
        assert!(x.iter().all(|v| (v - 99.0).abs() < 1e-4), "{x:?}");
    }
}
