//! Adam on a graphics card.

use impasto_engine::network::ResidentAdam;

use crate::error::{Error, Result};
use crate::optimizer::adam::{AdamSettings, Course, Means, Walk};
use crate::optimizer::on_card::{CardOptimizer, Evaluate};
use crate::optimizer::state::{AdamState, OptimizerState};
use crate::optimizer::step::Outcome;

/// Adam with its arrays on a card.
pub(crate) struct AdamOnCard {
    course: Course,
    arrays: Box<dyn ResidentAdam>,
}

impl AdamOnCard {
    /// Makes a minimiser whose best point is `x`. With a state it is the one that the state was
    /// taken from. Returns the mean square of the gradient at `x` too.
    ///
    /// Errors: that of the evaluation, or the card fails.
    pub(crate) fn begin(
        mut arrays: Box<dyn ResidentAdam>,
        settings: AdamSettings,
        x: &[f32],
        state: Option<&AdamState<'_>>,
        evaluate: &mut Evaluate<'_>,
    ) -> Result<(Self, f64)> {
        let mut course = Course { settings, steps: 0, attempts: 0, best: f64::NAN };
        match state {
            Some(AdamState { steps, attempts, walker, mean, root_mean_square }) => {
                arrays.set([x, walker, mean, root_mean_square]);
                (course.steps, course.attempts) = (*steps, *attempts);
            }
            None => {
                let zeros = vec![0.0; x.len()];
                arrays.set([x, x, &zeros, &zeros]);
            }
        }
        let mut adam = Self { course, arrays };
        adam.evaluate_best(evaluate)?;
        let square = adam.arrays.gradient_square().map_err(Error::of_device)?;
        if state.is_none() {
            adam.course.set_out(&mut MeansOnCard(&mut *adam.arrays))?;
        }
        Ok((adam, square / x.len() as f64))
    }

    fn evaluate_best(&mut self, evaluate: &mut Evaluate<'_>) -> Result<()> {
        self.arrays.try_best();
        self.course.best = evaluate()?;
        Ok(())
    }
}

impl CardOptimizer for AdamOnCard {
    fn step(&mut self, evaluate: &mut Evaluate<'_>) -> Result<Outcome> {
        self.course.step(&mut StepOnCard { means: MeansOnCard(&mut *self.arrays), evaluate })
    }

    fn renew(&mut self, evaluate: &mut Evaluate<'_>) -> Result<()> {
        self.evaluate_best(evaluate)?;
        let square = self.arrays.gradient_square().map_err(Error::of_device)?;
        let total = self.course.best;
        if total.is_finite() && square.is_finite() { Ok(()) } else { Err(Error::NotFinite { total }) }
    }

    fn state(&self) -> Result<OptimizerState<'static>> {
        let [walker, mean, root_mean_square] = self.arrays.state().map_err(Error::of_device)?.map(Into::into);
        let Course { steps, attempts, .. } = self.course;
        Ok(OptimizerState::Adam(AdamState { steps, attempts, walker, mean, root_mean_square }))
    }

    fn point(&self) -> Result<Vec<f32>> {
        self.arrays.point().map_err(Error::of_device)
    }
}

struct MeansOnCard<'a>(&'a mut dyn ResidentAdam);

impl Means for MeansOnCard<'_> {
    fn update(&mut self, keep: [f64; 2]) {
        self.0.update_means(keep.map(|keep| keep as f32));
    }

    fn walk(&mut self, scale: f64) -> Result<bool> {
        self.0.walk(scale as f32).map_err(Error::of_device)
    }
}

/// A step, with what it works on.
struct StepOnCard<'a, 'f> {
    means: MeansOnCard<'a>,
    evaluate: &'a mut Evaluate<'f>,
}

impl Means for StepOnCard<'_, '_> {
    fn update(&mut self, keep: [f64; 2]) {
        self.means.update(keep);
    }

    fn walk(&mut self, scale: f64) -> Result<bool> {
        self.means.walk(scale)
    }
}

impl Walk for StepOnCard<'_, '_> {
    fn evaluate(&mut self) -> Result<Option<f64>> {
        self.means.0.try_walker();
        let value = (self.evaluate)()?;
        let square = self.means.0.gradient_square().map_err(Error::of_device)?;
        Ok((value.is_finite() && square.is_finite()).then_some(value))
    }

    fn keep(&mut self) {
        self.means.0.keep();
    }

    fn go_back(&mut self) {
        self.means.0.go_back();
    }
}
