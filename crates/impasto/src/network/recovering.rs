//! A workspace on a device that may fail: a driver that is updated, or a card that is asked too
//! much.
//!
//! All that a workspace is told is in memory besides: its spec, the reference, the matches. So
//! after a failure the device is opened again, another workspace takes the place of the first, and
//! the call that failed is made again. It returns what it would have returned, to the bit. A second
//! failure of the same workspace is an error: such a device is of no use.

use std::fs::File;
use std::io;
use std::sync::Arc;

use impasto_engine::network::{
    Backend, Changes, DeviceError, EvaluationError, LayerFeatures, LayerTime, ReferenceSums, ShaderTime, SpecError,
    Squares, StyleSums, Workspace, WorkspaceSpec,
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
    notes: Notes,
}

impl RecoveringWorkspace {
    /// Makes a workspace, which recovers if it is on a card. In the memory of the process nothing
    /// is lost.
    pub(crate) fn make(
        backend: &Arc<dyn Backend>,
        spec: &WorkspaceSpec,
        notes: &Notes,
    ) -> Result<Box<dyn Workspace>, SpecError> {
        let workspace = backend.workspace(spec.clone())?;
        if backend.card().is_none() {
            return Ok(workspace);
        }
        Ok(Box::new(Self {
            backend: backend.clone(),
            spec: spec.clone(),
            workspace,
            reference: None,
            renews_matches: false,
            has_failed: false,
            notes: notes.clone(),
        }))
    }

    /// Puts another workspace in the place of one that failed with this error, as it was before the
    /// call that failed.
    ///
    /// Errors: it is not the first time, or the device does not come back.
    fn recover(&mut self, error: EvaluationError) -> Result<(), EvaluationError> {
        let EvaluationError::Device(DeviceError::Failed { name, reason }) = &error else {
            return Err(error);
        };
        if std::mem::replace(&mut self.has_failed, true) {
            return Err(error);
        }
        self.backend.reopen()?;
        let mut workspace = self.backend.workspace(self.spec.clone()).map_err(|refusal| match refusal {
            SpecError::Device(error) => EvaluationError::from(error),
            // The spec was good before.
            _ => DeviceError::Failed { name: name.clone(), reason: refusal.to_string() }.into(),
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
        self.notes.add(format!("{name} failed ({reason}) and was opened again; the run goes on from the same point"));
        self.workspace = workspace;
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
        self.reference = Some(image.clone());
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
