//! Adam between bounds: `x -= rate · m / sqrt(v)`, clamped to the bounds (Kingma and Ba 2015,
//! algorithm 1).
//!
//! `m` and `v` are the running means of the gradient and its square, corrected for their start at
//! 0.
//!
//! It departs from the paper in three ways:
//! - It has no epsilon, which would have to know the scale of the gradient. If `v` is 0, so is `m`,
//!   and nothing moves.
//! - The value may rise on the way, so the best point is kept apart from the point that walks.
//! - If the function has no finite values ahead, the walk continues from the best point with a
//!   shorter step.
//!
//! An evaluation may fail, and then nothing may be lost. So a step begins with the evaluation: the
//! walker moves at the end of the step before, to a point that the function has not seen yet. This
//! takes no copies of the arrays. The attempts of a step that led to no finite values are
//! remembered, and are not made again.
//!
//! - this file: how a step goes
//! - [`in_memory`]: the arrays in the memory of the process
//! - [`on_card`]: the arrays on a graphics card

pub(crate) mod in_memory;
pub(crate) mod on_card;

use std::ops::RangeInclusive;

use crate::error::Result;
use crate::optimizer::step::Outcome;

/// Attempts at a step if the function has no finite values ahead. Each is half as long as the one
/// before.
const TRIALS: u8 = 20;

/// How Adam works.
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

/// The walking point and the running means, wherever they are.
trait Means {
    /// Adds the walker's gradient to the running means of the gradient and of its square, of which
    /// these fractions stay.
    fn update(&mut self, keep: [f64; 2]);

    /// `walker = clamp(walker - scale · mean / root mean square)`. Returns whether it has moved.
    fn walk(&mut self, scale: f64) -> Result<bool>;
}

/// What a step works on besides.
trait Walk: Means {
    /// Evaluates the function at the walker. Returns its value, or `None` if the value or the
    /// gradient is not finite.
    fn evaluate(&mut self) -> Result<Option<f64>>;

    /// Makes the walker the best point.
    fn keep(&mut self);

    /// Puts the walker at the best point.
    fn go_back(&mut self);
}

/// How far a minimiser is.
struct Course {
    settings: AdamSettings,
    /// Gradients in the running means.
    steps: i32,
    /// Attempts of the next step so far. [`TRIALS`] if it leads nowhere.
    attempts: u8,
    /// Value at the best point.
    best: f64,
}

impl Course {
    /// Makes a step.
    ///
    /// Errors: the first one of an evaluation, or of a device.
    fn step(&mut self, walk: &mut impl Walk) -> Result<Outcome> {
        while self.attempts < TRIALS {
            if let Some(value) = walk.evaluate()? {
                let improves = value < self.best;
                if improves {
                    self.best = value;
                    walk.keep();
                }
                self.set_out(walk)?;
                return Ok(if improves { Outcome::Improved } else { Outcome::NotImproved });
            }
            // The walker's last place is not kept, but the best point is a place with finite
            // values.
            walk.go_back();
            self.attempts += 1;
            self.move_walker(walk)?;
        }
        Ok(Outcome::Stuck)
    }

    /// Sets out for the next step. The gradient is the one at the walker.
    fn set_out(&mut self, means: &mut impl Means) -> Result<()> {
        self.steps = self.steps.saturating_add(1);
        means.update([self.settings.beta1, self.settings.beta2]);
        self.attempts = 0;
        self.move_walker(means)
    }

    /// Moves the walker. Every attempt halves the rate. If it does not move, no attempts are left.
    fn move_walker(&mut self, means: &mut impl Means) -> Result<()> {
        let AdamSettings { learning_rate, beta1, beta2, .. } = self.settings;
        let rate = learning_rate * 0.5f64.powi(self.attempts.into());
        let scale = rate * (1.0 - beta2.powi(self.steps)).sqrt() / (1.0 - beta1.powi(self.steps));
        if !means.walk(scale)? {
            self.attempts = TRIALS;
        }
        Ok(())
    }
}
