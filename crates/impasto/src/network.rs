//! The frozen network: its weights, and the backend that evaluates it.

use std::fmt;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use impasto_engine::cpu::{CpuBackend, Isa};
use impasto_engine::network::{Backend, Workspace, WorkspaceSpec};
use impasto_engine::weights::{Weights, WeightsError};

use crate::error::{Error, PictureRole, Result};
use crate::picture::file::read_error;

/// VGG-19 with its weights, which never change. Clones share them.
#[derive(Clone)]
pub struct Network {
    weights: Arc<Weights>,
    /// Made when something is first evaluated.
    backend: Arc<OnceLock<Box<dyn Backend>>>,
    checksum: Arc<OnceLock<u32>>,
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
        Ok(Self { weights: Arc::new(weights), backend: Arc::default(), checksum: Arc::default() })
    }

    /// Returns the CRC-32 of the weights' file, which tells networks apart.
    pub(crate) fn checksum(&self) -> u32 {
        *self.checksum.get_or_init(|| crc32fast::hash(self.weights.file()))
    }

    /// Makes a workspace of the network. `input` is the picture that it is for.
    ///
    /// Errors: the picture is too small for a layer, or it cannot wrap around as its padding asks;
    /// the CPU does not have the instruction set that is forced.
    pub(crate) fn workspace(&self, input: PictureRole, spec: WorkspaceSpec) -> Result<Box<dyn Workspace>> {
        self.backend()?.workspace(spec).map_err(|error| Error::of_spec(input, error))
    }

    /// Returns what evaluates the network.
    fn backend(&self) -> Result<&dyn Backend> {
        if let Some(backend) = self.backend.get() {
            return Ok(&**backend);
        }
        let isa = Isa::select()?;
        Ok(&**self.backend.get_or_init(|| Box::new(CpuBackend::new(self.weights.clone(), isa))))
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
