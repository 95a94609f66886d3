//! The frozen network: its weights, and the backend that evaluates it.

#[cfg(feature = "gpu")]
pub(crate) mod card;
mod notes;
pub(crate) mod recovering;

use std::fmt;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use impasto_engine::Padding;
use impasto_engine::cpu::{CpuBackend, Isa};
use impasto_engine::network::{Backend, DeviceError, SpecError, WorkspaceSpec};
use impasto_engine::plan::card::CardLimits;
use impasto_engine::weights::{Weights, WeightsError};

use crate::error::{Error, PictureRole, Result};
use crate::network::notes::Notes;
use crate::network::recovering::RecoveringWorkspace;
use crate::picture::file::read_error;

/// VGG-19 with its weights, which never change. Clones share them.
#[derive(Clone)]
pub struct Network {
    weights: Arc<Weights>,
    /// Made when something is first evaluated, unless it is given.
    backend: Arc<OnceLock<Arc<dyn Backend>>>,
    checksum: Arc<OnceLock<u32>>,
    notes: Notes,
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Network").field("weights", &self.weights).finish_non_exhaustive()
    }
}

impl Network {
    /// Returns the network with the weights in the program: the Caffe release of VGG-19, as 8-bit
    /// k-means (see assets/NOTICE).
    ///
    /// A layer is unpacked when it is first used.
    pub fn embedded() -> Result<Self> {
        Self::new(Weights::from_static(impasto_weights::VGG19), "the embedded weights")
    }

    /// Reads the weights from a safetensors file. Its tensors have the names of the embedded file
    /// (`conv1_1.weight`) or those of torchvision (`features.0.weight`).
    ///
    /// Errors: the file cannot be read, is not a safetensors file, or a tensor is missing or has
    /// another shape.
    pub fn load(path: &Path) -> Result<Self> {
        if path.is_dir() {
            return Err(Error::Folder { path: path.to_owned(), wanted: "a safetensors file" });
        }
        let bytes = std::fs::read(path).map_err(|e| read_error(path, e))?;
        Self::new(Weights::from_bytes(bytes), &path.display().to_string())
    }

    /// Takes the weights from the bytes of a file, as [`Network::load`] does.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self> {
        Self::new(Weights::from_bytes(bytes), "the weights")
    }

    fn new(weights: std::result::Result<Weights, WeightsError>, name: &str) -> Result<Self> {
        let weights = weights.map_err(|reason| Error::Weights { name: name.to_owned(), reason })?;
        Ok(Self {
            weights: Arc::new(weights),
            backend: Arc::default(),
            checksum: Arc::default(),
            notes: Notes::default(),
        })
    }

    /// Returns the network with the same weights, evaluated by another backend. Without this call
    /// it is the CPU.
    ///
    /// The backend must have the weights of this network, or results mean nothing.
    #[must_use]
    pub fn with_backend(&self, backend: Arc<dyn Backend>) -> Self {
        let (backend, notes) = (Arc::new(OnceLock::from(backend)), Notes::default());
        Self { backend, notes, ..self.clone() }
    }

    /// Returns what evaluates the network and what the last bits of all results depend on, such as
    /// `cpu avx512` or `vulkan NVIDIA H100 80GB HBM3 NVIDIA 580.95.05`.
    ///
    /// Errors: the CPU does not have the instruction set that is forced.
    pub fn identity(&self) -> Result<&str> {
        Ok(self.backend()?.identity())
    }

    /// Returns what has happened since the last call that whoever runs the network should know: a
    /// card that was opened again or had less memory than planned, or a run that goes on with other
    /// last bits.
    pub fn take_notes(&self) -> Vec<String> {
        self.notes.take()
    }

    pub(crate) fn notes(&self) -> &Notes {
        &self.notes
    }

    /// Returns what a card has, if the network is on one.
    pub(crate) fn card(&self) -> Option<CardLimits> {
        self.backend.get().and_then(|backend| backend.card())
    }

    /// Returns the CRC-32 of the weights' file, which tells networks apart.
    pub(crate) fn checksum(&self) -> u32 {
        *self.checksum.get_or_init(|| crc32fast::hash(self.weights.file()))
    }

    /// Makes a workspace of the network. `input` is the picture that it is for. If a card has too
    /// little memory, the workspace has narrower bands than its spec says.
    ///
    /// Errors: the picture is too small for a layer, or it cannot wrap around as its padding asks;
    /// the CPU does not have the instruction set that is forced; a card has not even the memory for
    /// the narrowest bands.
    pub(crate) fn workspace(&self, input: PictureRole, mut spec: WorkspaceSpec) -> Result<RecoveringWorkspace> {
        let backend = self.backend()?;
        let wanted = spec.layout.clone();
        loop {
            let refusal = match RecoveringWorkspace::make(backend, &spec, &self.notes) {
                Ok(workspace) => {
                    if spec.layout != wanted {
                        let name = backend.identity();
                        self.notes.add(format!(
                            "{name} has no room for what was planned; it evaluates the picture in narrower bands"
                        ));
                    }
                    return Ok(workspace);
                }
                Err(refusal) => refusal,
            };
            let is_full =
                matches!(refusal, SpecError::Device(DeviceError::Memory { .. } | DeviceError::MapTooLarge { .. }));
            let narrower = spec.layout.narrower_on_card(spec.height).filter(|_| spec.padding != Padding::Circular);
            match narrower.filter(|_| is_full) {
                Some(layout) => spec.layout = layout,
                None => return Err(Error::of_spec(input, refusal)),
            }
        }
    }

    /// Returns what evaluates the network.
    fn backend(&self) -> Result<&Arc<dyn Backend>> {
        if let Some(backend) = self.backend.get() {
            return Ok(backend);
        }
        let isa = Isa::select()?;
        Ok(self.backend.get_or_init(|| Arc::new(CpuBackend::new(self.weights.clone(), isa))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_file_and_a_folder_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("vgg.safetensors");
        let error = Network::load(&missing).unwrap_err().to_string();
        assert_eq!(error, format!("there is no file {}", missing.display()));
        let error = Network::load(folder.path()).unwrap_err().to_string();
        assert_eq!(error, format!("{} is a folder, not a safetensors file", folder.path().display()));
    }

    #[test]
    fn a_file_of_other_content_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes.safetensors");
        std::fs::write(&path, "some notes").unwrap();
        let error = Network::load(&path).unwrap_err().to_string();
        assert!(error.starts_with(&format!("{}: ", path.display())), "{error}");
    }
}
