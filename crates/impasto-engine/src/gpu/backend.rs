//! A graphics card as a backend.

use std::sync::{Arc, Mutex, PoisonError};

use crate::cpu::Isa;
use crate::gpu::adapters::GpuAdapter;
use crate::gpu::device::GpuDevice;
use crate::gpu::filters::GpuFilters;
use crate::gpu::workspace::GpuWorkspace;
use crate::network::{Backend, DeviceError, SpecError, Workspace, WorkspaceSpec};
use crate::plan::card::CardLimits;
use crate::weights::Weights;

/// The network on a graphics card.
pub struct GpuBackend {
    adapter: GpuAdapter,
    identity: String,
    weights: Arc<Weights>,
    open: Mutex<OpenCard>,
    limits: CardLimits,
    isa: Isa,
}

/// A card that is open, with the filters on it.
#[derive(Clone)]
struct OpenCard {
    device: Arc<GpuDevice>,
    filters: Arc<GpuFilters>,
}

impl GpuBackend {
    /// Opens a card for these weights. Filters are laid out on it when they are first needed.
    ///
    /// `memory`: bytes of the card's memory that buffers may take, for plans; `None`: as many as
    /// the driver gives. The search for matches is on the CPU, with the instruction set `isa`.
    ///
    /// # Errors
    /// The driver refuses.
    pub fn new(
        weights: Arc<Weights>,
        adapter: &GpuAdapter,
        memory: Option<u64>,
        isa: Isa,
    ) -> Result<Self, DeviceError> {
        let open = Mutex::new(OpenCard::new(adapter, &weights)?);
        let limits = CardLimits { memory, largest_buffer: adapter.largest_map(), keeps_points: true };
        Ok(Self { adapter: adapter.clone(), identity: adapter.identity(), weights, open, limits, isa })
    }

    fn open(&self) -> OpenCard {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl OpenCard {
    fn new(adapter: &GpuAdapter, weights: &Arc<Weights>) -> Result<Self, DeviceError> {
        Ok(Self { device: Arc::new(adapter.open()?), filters: Arc::new(GpuFilters::new(weights.clone())) })
    }
}

impl Backend for GpuBackend {
    fn workspace(&self, spec: WorkspaceSpec) -> Result<Box<dyn Workspace>, SpecError> {
        spec.check()?;
        let OpenCard { device, filters } = self.open();
        match GpuWorkspace::new(device, &filters, self.isa, spec) {
            Ok(workspace) => Ok(Box::new(workspace)),
            Err(error) => {
                // A filter may have found no memory, and would be kept without its values.
                let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
                open.filters = Arc::new(GpuFilters::new(self.weights.clone()));
                Err(error.into())
            }
        }
    }

    fn identity(&self) -> &str {
        &self.identity
    }

    fn card(&self) -> Option<CardLimits> {
        Some(self.limits)
    }

    fn reopen(&self) -> Result<(), DeviceError> {
        let open = OpenCard::new(&self.adapter, &self.weights)?;
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) = open;
        Ok(())
    }
}
