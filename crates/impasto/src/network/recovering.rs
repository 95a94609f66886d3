//! A workspace on a device that may fail: a driver that is updated, or a card that is asked too
//! much.
//!
//! All that a workspace is told is in memory besides: its spec, the reference, the matches. So
//! after a failure the device is opened again, another workspace takes the place of the first, and
//! the call that failed is made again. It returns what it would have returned, to the bit. A second
//! failure of the same workspace is an error: such a device is of no use.
//!
//! The arrays of an optimiser on the device are in no memory besides. If there are any, the first
//! failure is an error too, and whoever made them goes back to an earlier state.

use std::fs::File;
use std::io;
use std::sync::Arc;

use impasto_engine::network::{
    Backend, Changes, DeviceError, EvaluationError, LayerFeatures, LayerTime, PixelTerms, ReferenceSums, ResidentAdam,
    ResidentLbfgs, ResidentLbfgsSpec, ResidentWorkspace, ShaderTime, SpecError, Squares, StyleSums, Workspace,
    WorkspaceSpec,
};
use impasto_engine::{Image, Layer};

use crate::network::notes::Notes;

/// A workspace that is made again if its device fails.
pub(crate) struct RecoveringWorkspace {
    backend: Arc<dyn Backend>,
    spec: WorkspaceSpec,
    workspace: Box<dyn Workspace>,
    reference: Option<Image>,
    /// Whether matches are to be found anew by the next forward pass.
    renews_matches: bool,
    has_failed: bool,
    is_on_card: bool,
    /// Whether an optimiser has its arrays on the device.
    keeps_points: bool,
    notes: Notes,
}

impl RecoveringWorkspace {
    /// Makes a workspace, which recovers if it is on a card. In the memory of the process nothing
    /// is lost.
    pub(crate) fn make(backend: &Arc<dyn Backend>, spec: &WorkspaceSpec, notes: &Notes) -> Result<Self, SpecError> {
        Ok(Self {
            workspace: backend.workspace(spec.clone())?,
            is_on_card: backend.card().is_some(),
            backend: backend.clone(),
            spec: spec.clone(),
            reference: None,
            renews_matches: false,
            has_failed: false,
            keeps_points: false,
            notes: notes.clone(),
        })
    }

    /// Puts another workspace in the place of one that failed with this error, as it was before the
    /// call that failed.
    ///
    /// Errors: it is not the first time, an optimiser's arrays are lost, or the device does not come
    /// back.
    fn recover(&mut self, error: EvaluationError) -> Result<(), EvaluationError> {
        let EvaluationError::Device(DeviceError::Failed { name, reason }) = &error else {
            return Err(error);
        };
        if !self.is_on_card || self.keeps_points || self.has_failed {
            return Err(error);
        }
        self.reopen()?;
        self.notes.add(format!("{name} failed ({reason}) and was opened again; the run goes on from the same point"));
        Ok(())
    }

    /// Opens the device again after it has failed, and makes the workspace anew. If an optimiser had
    /// its arrays there, they are gone.
    ///
    /// Errors: the device does not come back.
    pub(crate) fn reopen(&mut self) -> Result<(), EvaluationError> {
        self.has_failed = true;
        self.backend.reopen()?;
        let mut workspace = self.backend.workspace(self.spec.clone()).map_err(|refusal| match refusal {
            SpecError::Device(error) => EvaluationError::from(error),
            // The spec was good before.
            _ => DeviceError::Failed { name: self.backend.identity().to_owned(), reason: refusal.to_string() }.into(),
        })?;
        if let Some(reference) = &self.reference {
            workspace.set_reference(reference, &mut no_file)?;
        }
        let matches: Vec<Vec<u32>> = self.workspace.matches().iter().map(|matches| matches.to_vec()).collect();
        if matches.iter().any(|matches| !matches.is_empty()) {
            workspace.set_matches(&matches);
        }
        if self.renews_matches {
            workspace.renew_matches();
        }
        self.workspace = workspace;
        self.keeps_points = false;
        Ok(())
    }
}

/// A card keeps no features in a file.
fn no_file() -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}

impl Workspace for RecoveringWorkspace {
    fn set_reference(
        &mut self,
        image: &Image,
        make_file: &mut dyn FnMut() -> io::Result<File>,
    ) -> Result<ReferenceSums, EvaluationError> {
        (self.reference, self.renews_matches) = (None, false);
        let sums = match self.workspace.set_reference(image, make_file) {
            Ok(sums) => sums,
            Err(error) => {
                self.recover(error)?;
                self.workspace.set_reference(image, make_file)?
            }
        };
        self.reference = self.is_on_card.then(|| image.clone());
        Ok(sums)
    }

    fn forward(&mut self, image: &[f32]) -> Result<Vec<StyleSums>, EvaluationError> {
        let sums = match self.workspace.forward(image) {
            Ok(sums) => sums,
            Err(error) => {
                self.recover(error)?;
                self.workspace.forward(image)?
            }
        };
        self.renews_matches = false;
        Ok(sums)
    }

    fn renew_matches(&mut self) {
        self.renews_matches = true;
        self.workspace.renew_matches();
    }

    fn matches(&self) -> Vec<&[u32]> {
        self.workspace.matches()
    }

    fn set_matches(&mut self, matches: &[Vec<u32>]) -> bool {
        self.workspace.set_matches(matches)
    }

    fn backward(
        &mut self,
        image: &[f32],
        changes: &Changes<'_>,
        gradient: &mut [f32],
    ) -> Result<Squares, EvaluationError> {
        match self.workspace.backward(image, changes, gradient) {
            Ok(squares) => Ok(squares),
            Err(error) => {
                self.recover(error)?;
                // The maps of the pass before were lost.
                self.workspace.forward(image)?;
                self.workspace.backward(image, changes, gradient)
            }
        }
    }

    fn features(&self, layer: Layer) -> Result<LayerFeatures<'_>, EvaluationError> {
        self.workspace.features(layer)
    }

    fn resident(&mut self) -> Option<&mut dyn ResidentWorkspace> {
        self.workspace.resident()?;
        Some(self)
    }

    fn measure_passes(&mut self) {
        self.workspace.measure_passes();
    }

    fn layer_times(&self) -> Vec<LayerTime> {
        self.workspace.layer_times()
    }

    fn shader_times(&self) -> Vec<ShaderTime> {
        self.workspace.shader_times()
    }

    fn identity(&self) -> &str {
        self.workspace.identity()
    }
}

impl RecoveringWorkspace {
    /// Returns whether the device has failed.
    pub(crate) fn has_failed(&self) -> bool {
        self.has_failed
    }

    /// Tells that the arrays of the optimiser are given up.
    pub(crate) fn forget_points(&mut self) {
        self.keeps_points = false;
    }

    fn of_resident(&mut self) -> &mut dyn ResidentWorkspace {
        self.workspace.resident().expect("the workspace keeps points")
    }
}

impl ResidentWorkspace for RecoveringWorkspace {
    fn lbfgs(
        &mut self,
        spec: &ResidentLbfgsSpec<'_>,
        terms: &PixelTerms<'_>,
    ) -> Result<Box<dyn ResidentLbfgs>, DeviceError> {
        let made = self.of_resident().lbfgs(spec, terms);
        self.keeps_points = made.is_ok();
        made
    }

    fn adam(&mut self, terms: &PixelTerms<'_>) -> Result<Box<dyn ResidentAdam>, DeviceError> {
        let made = self.of_resident().adam(terms);
        self.keeps_points = made.is_ok();
        made
    }

    fn forward(&mut self) -> Result<Vec<StyleSums>, EvaluationError> {
        let sums = self.of_resident().forward()?;
        self.renews_matches = false;
        Ok(sums)
    }

    fn backward(&mut self, changes: &Changes<'_>) -> Result<(Squares, f64), EvaluationError> {
        self.of_resident().backward(changes)
    }
}
