//! The CPU as a backend.

use std::sync::Arc;

use crate::cpu::kernels::isa::Isa;
use crate::cpu::packed_filters::PackedFilters;
use crate::cpu::workspace::CpuWorkspace;
use crate::network::{Backend, SpecError, Workspace, WorkspaceSpec};
use crate::weights::Weights;

/// The network on the CPU, with one instruction set. Clones share the filters.
///
/// Evaluations run on the current rayon pool. Their bits depend on the instruction set, not on the
/// number of threads.
#[derive(Clone)]
pub struct CpuBackend {
    filters: Arc<PackedFilters>,
    isa: Isa,
    identity: &'static str,
}

impl CpuBackend {
    /// Returns the backend for these weights. Filters are laid out when they are first needed.
    pub fn new(weights: Arc<Weights>, isa: Isa) -> Self {
        Self { filters: Arc::new(PackedFilters::new(weights)), isa, identity: isa.identity() }
    }

    /// Returns the same backend with another instruction set. The two share the filters.
    #[must_use]
    pub fn with_isa(&self, isa: Isa) -> Self {
        Self { filters: self.filters.clone(), isa, identity: isa.identity() }
    }
}

impl Backend for CpuBackend {
    fn workspace(&self, spec: WorkspaceSpec) -> Result<Box<dyn Workspace>, SpecError> {
        spec.check()?;
        Ok(Box::new(CpuWorkspace::new(self.filters.clone(), self.isa, spec)))
    }

    fn identity(&self) -> &str {
        self.identity
    }
}
