//! The cards of the machine.

use std::fmt;

use crate::gpu::device::GpuDevice;
use crate::network::DeviceError;

/// A card, as its driver describes it.
#[derive(Clone)]
pub struct GpuAdapter {
    adapter: wgpu::Adapter,
    info: wgpu::AdapterInfo,
}

/// What a card is, by its driver's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GpuKind {
    /// A card with memory of its own.
    Discrete,
    /// It shares the memory of the processor.
    Integrated,
    /// A part of a card that is lent to a virtual machine.
    Virtual,
    /// The processor itself, with software in the place of a card.
    Software,
    /// The driver does not say.
    Unknown,
}

/// Part of the card's free memory, in per cent, that buffers may take. Beyond it some drivers give
/// memory of the computer, which is slower than bands.
const MEMORY_PERCENT: u8 = 90;

/// Returns the cards of the machine that can compute, in the order of their drivers. Software that
/// stands in for a card is among them.
pub fn adapters() -> Vec<GpuAdapter> {
    let mut options = wgpu::InstanceDescriptor::new_without_display_handle();
    options.backends = wgpu::Backends::VULKAN | wgpu::Backends::METAL;
    // Drivers and layers that a user installs for debugging are not asked for.
    options.flags = wgpu::InstanceFlags::empty();
    options.memory_budget_thresholds.for_resource_creation = Some(MEMORY_PERCENT);
    let instance = wgpu::Instance::new(options);
    let found = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::all()));
    let computes = |adapter: &wgpu::Adapter| {
        adapter.get_downlevel_capabilities().flags.contains(wgpu::DownlevelFlags::COMPUTE_SHADERS)
    };
    found.into_iter().filter(computes).map(|adapter| GpuAdapter { info: adapter.get_info(), adapter }).collect()
}

impl GpuAdapter {
    /// Returns the name of the card, such as `NVIDIA H100 80GB HBM3`.
    pub fn name(&self) -> &str {
        &self.info.name
    }

    /// Returns the interface that the card is driven by: `vulkan` or `metal`.
    pub fn interface(&self) -> &'static str {
        self.info.backend.to_str()
    }

    /// Returns the driver and its version, as far as it says.
    pub fn driver(&self) -> String {
        let parts = [self.info.driver.as_str(), self.info.driver_info.as_str()];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
    }

    /// Returns what the card is.
    pub fn kind(&self) -> GpuKind {
        match self.info.device_type {
            wgpu::DeviceType::DiscreteGpu => GpuKind::Discrete,
            wgpu::DeviceType::IntegratedGpu => GpuKind::Integrated,
            wgpu::DeviceType::VirtualGpu => GpuKind::Virtual,
            wgpu::DeviceType::Cpu => GpuKind::Software,
            wgpu::DeviceType::Other => GpuKind::Unknown,
        }
    }

    /// Returns the bytes of memory that the threads of a group share.
    pub fn group_memory(&self) -> u32 {
        self.adapter.limits().max_compute_workgroup_storage_size
    }

    /// Returns whether shaders can compute in f16. Nothing does so far.
    pub fn has_f16(&self) -> bool {
        self.adapter.features().contains(wgpu::Features::SHADER_F16)
    }

    /// Returns whether the card multiplies small matrices by itself. Nothing does so far.
    pub fn has_cooperative_matrices(&self) -> bool {
        self.adapter.features().contains(wgpu::Features::EXPERIMENTAL_COOPERATIVE_MATRIX)
    }

    /// Returns whether the card measures the time of a shader.
    pub fn has_timestamps(&self) -> bool {
        self.adapter.features().contains(wgpu::Features::TIMESTAMP_QUERY)
    }

    /// Returns the largest buffer that a shader can read, in bytes. No map can be larger.
    pub fn largest_map(&self) -> u64 {
        let limits = self.adapter.limits();
        limits.max_storage_buffer_binding_size.min(limits.max_buffer_size)
    }

    /// Names what the bits of all results depend on.
    pub fn identity(&self) -> String {
        format!("{} {} {}", self.interface(), self.name(), self.driver()).trim_end().to_owned()
    }

    /// Opens the card.
    pub(crate) fn open(&self) -> Result<GpuDevice, DeviceError> {
        GpuDevice::open(&self.adapter, self.identity())
    }
}

impl fmt::Debug for GpuAdapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GpuAdapter").field(&self.identity()).finish()
    }
}
