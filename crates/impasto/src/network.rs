//! The frozen network.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use impasto_engine::cpu::evaluator::Evaluator;
use impasto_engine::cpu::packed_filters::Vgg19;
use impasto_engine::plan::layout::Layout;
use impasto_engine::weights::WeightsError;
use impasto_engine::{Image, Layer, Padding, Pooling};

use crate::error::{Error, PictureRole, Result};
use crate::picture::file::read_error;

/// VGG-19 with its weights, which never change. A clone shares them.
#[derive(Clone, Debug)]
pub struct Network {
    vgg19: Arc<Vgg19>,
    checksum: Arc<OnceLock<u32>>,
}

impl Network {
    /// The network with the weights embedded in the program: the Caffe release of VGG-19, 8-bit k-means (see assets/NOTICE).
    ///
    /// Layers are unpacked when they are first used.
    pub fn embedded() -> Result<Self> {
        Self::new(Vgg19::from_static(impasto_weights::VGG19), "the embedded weights")
    }

    /// The network with the weights of a safetensors file, named as the embedded ones (`conv1_1.weight`) or as torchvision
    /// names them (`features.0.weight`).
    ///
    /// Errors: a file that cannot be read, is no safetensors file, or lacks a tensor or has it in another shape.
    pub fn load(path: &Path) -> Result<Self> {
        if path.is_dir() {
            return Err(Error::Folder { path: path.to_owned(), wanted: "a safetensors file" });
        }
        let bytes = std::fs::read(path).map_err(|e| read_error(path, e))?;
        Self::new(Vgg19::from_bytes(bytes), &path.display().to_string())
    }

    /// The network with weights that are in memory already; as [`Network::load`].
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self> {
        Self::new(Vgg19::from_bytes(bytes), "the weights")
    }

    fn new(vgg19: std::result::Result<Vgg19, WeightsError>, name: &str) -> Result<Self> {
        let vgg19 = vgg19.map_err(|reason| Error::Weights { name: name.to_owned(), reason })?;
        Ok(Self { vgg19: Arc::new(vgg19), checksum: Arc::default() })
    }

    /// CRC-32 of the weights' file: tells networks apart.
    pub(crate) fn checksum(&self) -> u32 {
        *self.checksum.get_or_init(|| crc32fast::hash(self.vgg19.file()))
    }

    pub(crate) fn vgg19(&self) -> &Arc<Vgg19> {
        &self.vgg19
    }

    /// A workspace for a picture and some layers, each given as often as the caller likes.
    ///
    /// Errors: a picture that is too small for a layer, or that cannot wrap around as `padding` asks.
    pub(crate) fn evaluator(
        &self,
        input: PictureRole,
        image: &Image,
        layers: &[Layer],
        layout: &Layout,
        pooling: Pooling,
        padding: Padding,
    ) -> Result<Evaluator> {
        let mut layers = layers.to_vec();
        layers.sort();
        // A layer can serve the content and the style.
        layers.dedup();
        Evaluator::new(self.vgg19.clone(), image.width(), image.height(), &layers, pooling)
            .and_then(|evaluator| evaluator.with_padding(padding)?.with_layout(layout.clone()))
            .map_err(|error| Error::of_evaluator(input, error))
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
