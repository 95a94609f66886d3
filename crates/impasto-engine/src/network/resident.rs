//! A point that stays on the device while it is optimised.
//!
//! Between the losses and the image there are only long arrays: the image, its gradient, and what
//! an optimiser remembers. On a graphics card an optimiser in the memory of the process would cost
//! more time than the network. So a workspace on a card also offers the arithmetic that optimisers
//! need. The arrays stay there, and a few sums come back.
//!
//! Two decisions are not made here: how far to go, and what to accept. Bounds are 0 and 255, those
//! of a pixel. All arrays have the image's length, `3 H W`.

use super::{Changes, DeviceError, EvaluationError, Squares, StyleSums};

/// The losses on pixels, which a workspace adds when it evaluates a point on the device.
#[derive(Clone, Copy, Debug)]
pub struct PixelTerms<'a> {
    /// Factor of the gradient of the total variation: each pixel's gradient grows by this times the
    /// sum of its differences from its neighbours.
    pub variation: f32,
    /// Whether the image lies on a torus.
    pub wraps: bool,
    /// The part of a picture that stays.
    pub keep: Option<KeptPart<'a>>,
}

/// The part of a picture that stays: the network sees `keep · content + (1 - keep) · point`.
#[derive(Clone, Copy, Debug)]
pub struct KeptPart<'a> {
    /// The picture, `[H, W, 3]`.
    pub content: &'a [f32],
    /// How much of each pixel stays, `[H, W]`, 0..1.
    pub keep: &'a [f32],
}

/// An operator `P` on images: `P = Bᵀ G B`. `B` is an orthonormal basis of colours and waves, and
/// `G` is diagonal.
#[derive(Clone, Debug, PartialEq)]
pub struct WavePreconditioner {
    /// The basis of colours, a row for each.
    pub colors: [[f32; 3]; 3],
    /// The basis of waves along a row, `[W, W]`: the waves, each with its values.
    pub rows: Vec<f32>,
    /// The basis of waves along a column, `[H, H]`.
    pub columns: Vec<f32>,
    /// `G`, by vertical wave, colour and horizontal wave: `[H, 3, W]`.
    pub gains: Vec<f32>,
}

/// What the arrays of L-BFGS are made for.
#[derive(Clone, Copy, Debug)]
pub struct ResidentLbfgsSpec<'a> {
    /// Pairs to remember, at least 1.
    pub history: usize,
    /// A pair is of use if the cosine between `s` and `y` on the free variables is above this.
    pub min_cosine: f32,
    /// `H` before any pair is seen, up to a factor.
    pub preconditioner: &'a WavePreconditioner,
}

/// Sums over the way from a point to its trial.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TrialSums {
    /// `|∇f(trial)|²`. It is not finite if the gradient is not.
    pub gradient_square: f64,
    /// `sᵀ y`, with `s` the change of the point and `y` that of the gradient.
    pub product: f64,
    /// `|s|²`.
    pub s_square: f64,
    /// `|y|²`.
    pub y_square: f64,
}

/// A workspace whose points can stay on the device.
///
/// The arrays of an optimiser belong to the workspace that made them. There is one optimiser at a
/// time: the next one takes its place. What it wants evaluated is its trial.
pub trait ResidentWorkspace: Send {
    /// Makes the arrays of L-BFGS, all zero.
    ///
    /// # Errors
    /// There is no memory for them.
    ///
    /// # Panics
    /// If an array of the spec or of the terms has another size than the workspace.
    fn lbfgs(
        &mut self,
        spec: &ResidentLbfgsSpec<'_>,
        terms: &PixelTerms<'_>,
    ) -> Result<Box<dyn ResidentLbfgs>, DeviceError>;

    /// Makes the arrays of Adam, all zero.
    ///
    /// # Errors
    /// There is no memory for them.
    ///
    /// # Panics
    /// If an array of the terms has another size than the workspace.
    fn adam(&mut self, terms: &PixelTerms<'_>) -> Result<Box<dyn ResidentAdam>, DeviceError>;

    /// Evaluates the network on the trial: [`Workspace::forward`](super::Workspace::forward).
    ///
    /// # Errors
    /// The device fails.
    ///
    /// # Panics
    /// If no optimiser was made.
    fn forward(&mut self) -> Result<Vec<StyleSums>, EvaluationError>;

    /// Makes the gradient of all terms at the trial, those on pixels included. It stays on the
    /// device. Returns the squares of the terms, and the sum of the squared differences between
    /// neighbours of the picture.
    ///
    /// # Errors
    /// The device fails.
    ///
    /// # Panics
    /// As [`Workspace::backward`](super::Workspace::backward), and if no optimiser was made.
    fn backward(&mut self, changes: &Changes<'_>) -> Result<(Squares, f64), EvaluationError>;
}

/// The arrays of L-BFGS between bounds, on a device.
///
/// A variable is frozen if it is at a bound and its gradient pushes against it. A direction is 0
/// there.
pub trait ResidentLbfgs: Send {
    /// Takes a point.
    fn set_point(&mut self, x: &[f32]);

    /// Makes the point the trial, so that its gradient can be taken by [`ResidentLbfgs::accept`].
    fn stay(&mut self);

    /// Remembers a pair `(s, y)`. If there are as many as can be, the oldest one is forgotten.
    fn add_pair(&mut self, s: &[f32], y: &[f32]);

    /// Points the direction along `-H g` by the two-loop recursion, and goes all of it to the
    /// trial. Returns the change of value that the gradient promises. `None`: no pair is of use,
    /// and the trial means nothing.
    ///
    /// # Errors
    /// The device fails.
    fn follow_history(&mut self) -> Result<Option<f64>, DeviceError>;

    /// Points the direction down the gradient. Returns the sum of its magnitudes.
    ///
    /// # Errors
    /// The device fails.
    fn face_downhill(&mut self) -> Result<f64, DeviceError>;

    /// Makes the direction so many times as long.
    fn stretch(&mut self, factor: f32);

    /// Goes this part of the direction to the trial, between the bounds. Returns the change of
    /// value that the gradient promises.
    ///
    /// # Errors
    /// The device fails.
    fn go(&mut self, length: f32) -> Result<f64, DeviceError>;

    /// Returns sums over the way to the trial, which has been evaluated.
    ///
    /// # Errors
    /// The device fails.
    fn compare(&self) -> Result<TrialSums, DeviceError>;

    /// Moves the point to the trial, which has been evaluated. `remembers`: the way becomes a pair.
    fn accept(&mut self, remembers: bool);

    /// Forgets all pairs.
    fn forget(&mut self);

    /// Returns the number of pairs.
    fn pairs(&self) -> usize;

    /// Reads a pair `[s, y]`. 0 is the oldest one.
    ///
    /// # Errors
    /// The device fails.
    ///
    /// # Panics
    /// If there are not so many.
    fn pair(&self, number: usize) -> Result<[Vec<f32>; 2], DeviceError>;

    /// Reads the point.
    ///
    /// # Errors
    /// The device fails.
    fn point(&self) -> Result<Vec<f32>, DeviceError>;
}

/// The arrays of Adam between bounds, on a device.
pub trait ResidentAdam: Send {
    /// Takes the best point, the walking point, and the running means of the gradient and of its
    /// square, the latter as its root.
    fn set(&mut self, arrays: [&[f32]; 4]);

    /// Makes the best point the trial.
    fn try_best(&mut self);

    /// Makes the walking point the trial.
    fn try_walker(&mut self);

    /// Returns `|∇f|²` at the trial, which has been evaluated. It is not finite if the gradient is
    /// not.
    ///
    /// # Errors
    /// The device fails.
    fn gradient_square(&self) -> Result<f64, DeviceError>;

    /// Makes the walking point the best one.
    fn keep(&mut self);

    /// Goes back to the best point.
    fn go_back(&mut self);

    /// Adds the gradient at the trial to the running means, of which the parts `keep` stay.
    fn update_means(&mut self, keep: [f32; 2]);

    /// Walks `scale · mean / root mean square`, between the bounds. Returns whether a value has
    /// changed.
    ///
    /// # Errors
    /// The device fails.
    fn walk(&mut self, scale: f32) -> Result<bool, DeviceError>;

    /// Reads the best point.
    ///
    /// # Errors
    /// The device fails.
    fn point(&self) -> Result<Vec<f32>, DeviceError>;

    /// Reads the walking point and the running means, as they are set.
    ///
    /// # Errors
    /// The device fails.
    fn state(&self) -> Result<[Vec<f32>; 3], DeviceError>;
}
