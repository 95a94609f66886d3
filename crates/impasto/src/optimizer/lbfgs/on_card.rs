//! L-BFGS on a graphics card.

use impasto_engine::network::{DeviceError, ResidentLbfgs, TrialSums};

use crate::error::{Error, Result};
use crate::optimizer::lbfgs::{Descent, MIN_COSINE, step};
use crate::optimizer::on_card::{CardOptimizer, Evaluate};
use crate::optimizer::state::{OptimizerState, Variables};
use crate::optimizer::step::Outcome;

/// L-BFGS with its arrays on a card, and with a preconditioner.
pub(crate) struct LbfgsOnCard {
    arrays: Box<dyn ResidentLbfgs>,
    variables: usize,
    /// Value at the point.
    value: f64,
    first_step: f64,
}

impl LbfgsOnCard {
    /// Makes a minimiser at `x` that remembers these pairs, for which `arrays` have room. Returns
    /// the mean square of the gradient there too.
    ///
    /// Errors: that of the evaluation, or the card fails.
    pub(crate) fn begin(
        mut arrays: Box<dyn ResidentLbfgs>,
        first_step: f64,
        x: &[f32],
        pairs: &[[Variables<'_>; 2]],
        evaluate: &mut Evaluate<'_>,
    ) -> Result<(Self, f64)> {
        arrays.set_point(x);
        pairs.iter().for_each(|[s, y]| arrays.add_pair(s, y));
        let mut lbfgs = Self { arrays, variables: x.len(), value: f64::NAN, first_step };
        let square = lbfgs.take_gradient(evaluate)?;
        Ok((lbfgs, square / x.len() as f64))
    }

    /// Evaluates the function at the point, and takes its value and gradient. Returns the
    /// gradient's square.
    fn take_gradient(&mut self, evaluate: &mut Evaluate<'_>) -> Result<f64> {
        self.arrays.stay();
        let value = evaluate()?;
        let square = of(self.arrays.compare())?.gradient_square;
        self.arrays.accept(false);
        self.value = value;
        Ok(square)
    }
}

impl CardOptimizer for LbfgsOnCard {
    fn step(&mut self, evaluate: &mut Evaluate<'_>) -> Result<Outcome> {
        let Self { arrays, variables, value, first_step } = self;
        let mut on_card =
            StepOnCard { arrays: &mut **arrays, variables: *variables, evaluate, sums: TrialSums::default() };
        step(&mut on_card, value, *first_step)
    }

    fn renew(&mut self, evaluate: &mut Evaluate<'_>) -> Result<()> {
        let square = self.take_gradient(evaluate)?;
        if square.is_finite() && self.value.is_finite() { Ok(()) } else { Err(Error::NotFinite { total: self.value }) }
    }

    fn state(&self) -> Result<OptimizerState<'static>> {
        let pair = |number| Ok(self.arrays.pair(number).map_err(Error::of_device)?.map(Variables::from));
        Ok(OptimizerState::Lbfgs((0..self.arrays.pairs()).map(pair).collect::<Result<_>>()?))
    }

    fn point(&self) -> Result<Vec<f32>> {
        self.arrays.point().map_err(Error::of_device)
    }
}

/// A step, with what it works on.
struct StepOnCard<'a, 'f> {
    arrays: &'a mut dyn ResidentLbfgs,
    variables: usize,
    evaluate: &'a mut Evaluate<'f>,
    /// Over the way to the trial of the last evaluation.
    sums: TrialSums,
}

fn of<T>(result: std::result::Result<T, DeviceError>) -> Result<T> {
    result.map_err(Error::of_device)
}

impl Descent for StepOnCard<'_, '_> {
    fn variables(&self) -> usize {
        self.variables
    }

    fn follow_history(&mut self) -> Result<Option<f64>> {
        of(self.arrays.follow_history())
    }

    fn face_downhill(&mut self) -> Result<f64> {
        of(self.arrays.face_downhill())
    }

    fn stretch(&mut self, factor: f64) {
        self.arrays.stretch(factor as f32);
    }

    fn go(&mut self, length: f64) -> Result<f64> {
        of(self.arrays.go(length as f32))
    }

    fn evaluate(&mut self) -> Result<Option<f64>> {
        let value = (self.evaluate)()?;
        self.sums = of(self.arrays.compare())?;
        Ok((value.is_finite() && self.sums.gradient_square.is_finite()).then_some(value))
    }

    fn accept(&mut self) {
        let TrialSums { product, s_square, y_square, .. } = self.sums;
        self.arrays.accept(product > MIN_COSINE * s_square.sqrt() * y_square.sqrt());
    }

    fn forget(&mut self) {
        self.arrays.forget();
    }
}
