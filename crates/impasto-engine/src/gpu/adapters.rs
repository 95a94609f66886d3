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

/// Returns the cards of the machine that can compute, in the order of their drivers. Software that
/// stands in for a card is among them ([`GpuAdapter::is_software`]).
pub fn adapters() -> Vec<GpuAdapter> {
    let mut options = wgpu::InstanceDescriptor::new_without_display_handle();
    options.backends = wgpu::Backends::VULKAN | wgpu::Backends::METAL;
    // Drivers and layers that a user installs for debugging are not asked for.
    options.flags = wgpu::InstanceFlags::empty();
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

    /// Returns whether the card has memory of its own.
    pub fn is_discrete(&self) -> bool {
        self.info.device_type == wgpu::DeviceType::DiscreteGpu
    }

    /// Returns whether the card is the processor, with software in the place of a driver.
    pub fn is_software(&self) -> bool {
        self.info.device_type == wgpu::DeviceType::Cpu
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
