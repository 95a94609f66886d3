//! The seam between the losses and whatever evaluates the network.
//!
//! A loss on the features of a layer needs two things from the network: sums over the positions of
//! the layer's map, and a gradient that goes back to the image. Both can be said in a few matrices
//! of `C x C` values, because the gradient of every loss that impasto knows is affine in the
//! features:
//!
//! ```text
//! dL/dF(p) = Σ over the style terms   w(p) (F(p) S + b)
//!          + Σ over the content terms w(p) c (F(p) - Y(p))
//!          + Σ over the match terms   w(p) c (F(p) - Y(m(p)))
//! ```
//!
//! `Y` is the map of a reference picture, or that of a style. In a style, `m(p)` is the match of
//! the position: where the style is most like the picture around it. Matches stay until they are
//! renewed, so the gradient is affine all the same.
//!
//! So a [`Backend`] knows no loss. It is told once which terms there are ([`WorkspaceSpec`]). Then
//! each evaluation is a pair of calls on the [`Workspace`] that it makes: [`Workspace::forward`]
//! returns the sums of every style term, and [`Workspace::backward`] takes `S`, `b` and `c` of
//! every term and returns the gradient with respect to the image. Feature maps, weights of
//! positions and the reference `Y` never leave the backend. At 512 px an image goes in, a gradient
//! comes out, and 2.4 MB of matrices cross in each direction. On a card the image and its gradient
//! can stay there, with the arrays of an optimiser ([`ResidentWorkspace`]).
//!
//! Losses keep what is theirs: targets, units, weights, and all arithmetic on the matrices (in
//! f64).
//!
//! Every backend has to pass the same conformance suite (`tests/it/conformance`). Two backends do
//! not have to agree on the last bits. One backend has to return the same bits for the same calls,
//! at any number of threads, and [`Workspace::identity`] names those bits.

mod error;
mod matches;
mod position_weights;
mod resident;
mod terms;

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::time::Duration;

pub use error::{DeviceError, EvaluationError, SpecError};
pub(crate) use matches::CentredMap;
pub use matches::{CandidateMap, MOST_CANDIDATES, MatchCandidates, PATCH};
pub use position_weights::PositionWeights;
pub use resident::{
    KeptPart, PixelTerms, ResidentAdam, ResidentLbfgs, ResidentLbfgsSpec, ResidentWorkspace, TrialSums,
    WavePreconditioner,
};
pub use terms::{
    Changes, ContentSums, ContentTerm, MapWindow, MatchTerm, ReferenceSums, Squares, StyleChange, StyleSums, StyleTerm,
    WorkspaceSpec,
};

use crate::layer::Layer;
use crate::plan::card::CardLimits;
use crate::tensor::Image;
use crate::weights::Weights;

/// Makes workspaces: the network with its weights, on one device.
pub trait Backend: Send + Sync {
    /// Returns a workspace for images of one size and one set of terms.
    ///
    /// # Errors
    /// [`WorkspaceSpec::check`].
    ///
    /// # Panics
    /// If the weights of a term are not those of as many positions as the term has.
    fn workspace(&self, spec: WorkspaceSpec) -> Result<Box<dyn Workspace>, SpecError>;

    /// Names the backend and all that its bits depend on, such as `cpu avx512`.
    fn identity(&self) -> &str;

    /// Returns what a card has, if the maps are on one. `None`: they are in the memory of the
    /// process.
    fn card(&self) -> Option<CardLimits> {
        None
    }

    /// Opens the device again after it has failed ([`DeviceError::Failed`]). Workspaces made before
    /// are of no use then.
    ///
    /// # Errors
    /// It cannot be opened.
    fn reopen(&self) -> Result<(), DeviceError> {
        Ok(())
    }
}

/// A place where images of one size are evaluated for one set of terms.
///
/// All images are `[H, W, 3]`, RGB in 0..255. Memory is made once and reused.
pub trait Workspace: Send {
    /// Takes a picture as the reference `Y` that the content terms compare with, and returns the
    /// sums of all terms on it. It also finds the matches of its positions. The workspace is then
    /// as after [`Workspace::forward`] on that picture.
    ///
    /// `make_file` returns an empty file to write and read. It is called only if the layout keeps
    /// features of the reference in a file.
    ///
    /// # Errors
    /// The file cannot be made or written. The workspace then has no reference.
    ///
    /// # Panics
    /// If the image has another size than the workspace.
    fn set_reference(
        &mut self,
        image: &Image,
        make_file: &mut dyn FnMut() -> io::Result<File>,
    ) -> Result<ReferenceSums, EvaluationError>;

    /// Evaluates the network on an image and returns the sums of every style term, in the order of
    /// [`WorkspaceSpec::styles`].
    ///
    /// # Errors
    /// The device fails.
    ///
    /// # Panics
    /// If the image has another size than the workspace.
    fn forward(&mut self, image: &[f32]) -> Result<Vec<StyleSums>, EvaluationError>;

    /// Makes the next forward pass find the matches of every match term anew.
    fn renew_matches(&mut self);

    /// Returns the match of each position of the map for every match term, in the order of
    /// [`WorkspaceSpec::matches`]: the number of a position of its [`MatchCandidates`]. They are
    /// empty before the first search.
    fn matches(&self) -> Vec<&[u32]>;

    /// Takes matches that [`Workspace::matches`] returned before. Returns `false` if they are not
    /// those of these terms. Some of the terms may have taken theirs then.
    fn set_matches(&mut self, matches: &[Vec<u32>]) -> bool;

    /// Writes the gradient of all terms with respect to the image, and returns `Σ w |F - Y|²` of
    /// every content term and every match term.
    ///
    /// `image` is the one of the forward pass just before. The call uses up that pass: another
    /// gradient needs another one. `gradient` is `[H, W, 3]`, with respect to the values in 0..255,
    /// and is overwritten.
    ///
    /// # Errors
    /// The file with the features of the reference cannot be read, or the device fails. The
    /// gradient then means nothing.
    ///
    /// # Panics
    /// If the image, the gradient or the changes have other sizes than the workspace, if there are
    /// content terms and no reference, or match terms and no matches.
    fn backward(
        &mut self,
        image: &[f32],
        changes: &Changes<'_>,
        gradient: &mut [f32],
    ) -> Result<Squares, EvaluationError>;

    /// Returns the features of one of [`WorkspaceSpec::shown`] from the last forward pass. It is
    /// meant for looking at maps, not for losses: it may copy the whole map.
    ///
    /// # Errors
    /// The device fails.
    ///
    /// # Panics
    /// If the layer is none of [`WorkspaceSpec::shown`].
    fn features(&self, layer: Layer) -> Result<LayerFeatures<'_>, EvaluationError>;

    /// Returns what evaluates points that stay on the device. `None`: the maps are in the memory of
    /// the process, where an optimiser's arrays belong too.
    fn resident(&mut self) -> Option<&mut dyn ResidentWorkspace> {
        None
    }

    /// Measures the time of every pass from now on, if the device can and does not do so in any
    /// case. The passes take a little longer with it.
    fn measure_passes(&mut self) {}

    /// Returns how long each convolution took in the last forward and the last backward pass, in
    /// network order. Returns nothing if that was not measured.
    fn layer_times(&self) -> Vec<LayerTime>;

    /// Returns how long each shader of a card took in the last forward and the last backward pass,
    /// the longest first. Returns nothing if that was not measured.
    fn shader_times(&self) -> Vec<ShaderTime> {
        vec![]
    }

    /// Names what the bits of all results depend on: [`Backend::identity`].
    fn identity(&self) -> &str;
}

/// The features of a layer.
#[derive(Clone, Debug)]
pub struct LayerFeatures<'a> {
    /// The layer.
    pub layer: Layer,
    /// Rows of the map.
    pub height: usize,
    /// Columns of the map.
    pub width: usize,
    /// The values, `[H, W, C]`.
    pub values: Cow<'a, [f32]>,
}

/// How long a card took for all passes of a shader's function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShaderTime {
    /// The shader.
    pub shader: &'static str,
    /// The function.
    pub function: &'static str,
    /// How often it ran.
    pub passes: usize,
    /// The time of all its passes.
    pub time: Duration,
}

/// Returns the operations of the direct form of a layer's convolution on an image of this size. A
/// multiply-add counts as two. The gradient with respect to its input takes as many.
pub fn direct_flops(layer: Layer, width: usize, height: usize) -> u64 {
    let [outputs, inputs, ..] = Weights::shape(layer.convolution());
    let positions = (width >> layer.poolings()) * (height >> layer.poolings());
    2 * 9 * (outputs * inputs * positions) as u64
}

/// How long the last passes took for one convolution and what is fused with it. The gradients that
/// the terms put in are not counted.
#[derive(Clone, Copy, Debug)]
pub struct LayerTime {
    /// The rectifier of the convolution.
    pub layer: Layer,
    /// Operations of the direct form of the convolution on the whole picture. A multiply-add counts
    /// as two. The backward pass has as many.
    pub direct_flops: u64,
    /// Time of the forward pass.
    pub forward: Duration,
    /// Time of the gradient with respect to the input.
    pub backward: Duration,
}
