//! A graphics card as a backend.

use std::sync::Arc;

use crate::cpu::Isa;
use crate::gpu::adapters::GpuAdapter;
use crate::gpu::device::GpuDevice;
use crate::gpu::filters::GpuFilters;
use crate::gpu::workspace::GpuWorkspace;
use crate::network::{Backend, DeviceError, SpecError, Workspace, WorkspaceSpec};
use crate::weights::Weights;

/// The network on a graphics card. Clones share the card and the filters on it.
#[derive(Clone)]
pub struct GpuBackend {
    device: Arc<GpuDevice>,
    filters: Arc<GpuFilters>,
    isa: Isa,
}

impl GpuBackend {
    /// Opens a card for these weights. Filters are laid out on it when they are first needed. The
    /// search for matches is on the CPU, with an instruction set of it.
    ///
    /// # Errors
    /// The driver refuses.
    pub fn new(weights: Arc<Weights>, adapter: &GpuAdapter, isa: Isa) -> Result<Self, DeviceError> {
        Ok(Self { device: Arc::new(adapter.open()?), filters: Arc::new(GpuFilters::new(weights)), isa })
    }
}

impl Backend for GpuBackend {
    fn workspace(&self, spec: WorkspaceSpec) -> Result<Box<dyn Workspace>, SpecError> {
        spec.check()?;
        Ok(Box::new(GpuWorkspace::new(self.device.clone(), &self.filters, self.isa, spec)?))
    }

    fn identity(&self) -> &str {
        self.device.identity()
    }
}
