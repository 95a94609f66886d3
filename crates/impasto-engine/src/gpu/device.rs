//! An open card: its shaders, its buffers, and what went wrong on it.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytemuck::cast_slice;
use wgpu::util::DeviceExt;

use crate::network::DeviceError;

/// A shader file and what its functions bind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Shader {
    Product,
    Winograd,
    Sums,
    Differences,
    Maps,
    First,
    Pixels,
    Recursion,
    Motion,
    Adam,
    Waves,
}

impl Shader {
    const ALL: [Self; 11] = [
        Self::Product,
        Self::Winograd,
        Self::Sums,
        Self::Differences,
        Self::Maps,
        Self::First,
        Self::Pixels,
        Self::Recursion,
        Self::Motion,
        Self::Adam,
        Self::Waves,
    ];

    fn source(self) -> &'static str {
        match self {
            Self::Product => include_str!("shaders/product.wgsl"),
            Self::Winograd => include_str!("shaders/winograd.wgsl"),
            Self::Sums => include_str!("shaders/sums.wgsl"),
            Self::Differences => concat!(include_str!("shaders/tree.wgsl"), include_str!("shaders/differences.wgsl")),
            Self::Maps => include_str!("shaders/maps.wgsl"),
            Self::First => include_str!("shaders/first.wgsl"),
            Self::Pixels => concat!(include_str!("shaders/tree.wgsl"), include_str!("shaders/pixels.wgsl")),
            Self::Recursion => concat!(include_str!("shaders/tree.wgsl"), include_str!("shaders/recursion.wgsl")),
            Self::Motion => concat!(include_str!("shaders/tree.wgsl"), include_str!("shaders/motion.wgsl")),
            Self::Adam => concat!(include_str!("shaders/tree.wgsl"), include_str!("shaders/adam.wgsl")),
            Self::Waves => concat!(include_str!("shaders/tree.wgsl"), include_str!("shaders/waves.wgsl")),
        }
    }

    /// The name of the file.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Product => "product",
            Self::Winograd => "winograd",
            Self::Sums => "sums",
            Self::Differences => "differences",
            Self::Maps => "maps",
            Self::First => "first",
            Self::Pixels => "pixels",
            Self::Recursion => "recursion",
            Self::Motion => "motion",
            Self::Adam => "adam",
            Self::Waves => "waves",
        }
    }

    /// Whether each of the buffers behind the parameters is written to.
    fn writes(self) -> &'static [bool] {
        match self {
            Self::Product => &[false, false, false, false, true],
            Self::Winograd | Self::Sums => &[false, false, true],
            Self::Differences => &[false, false, false, false, true, false],
            Self::Maps => &[false, true, true],
            Self::First => &[false, false, false, true],
            Self::Pixels => &[false, true, true, false, false, true],
            Self::Recursion => &[true, true, true, true, false, false],
            Self::Motion => &[false, true, true, true, true, true, true, true],
            Self::Adam => &[false, true, false, true, true, true],
            Self::Waves => &[true, true, false, true],
        }
    }
}

/// A shader's function with its constants.
type PipelineKey = (Shader, &'static str, Vec<(&'static str, u32)>);

/// An open card.
pub(crate) struct GpuDevice {
    device: wgpu::Device,
    queue: wgpu::Queue,
    identity: String,
    modules: HashMap<Shader, (wgpu::ShaderModule, wgpu::BindGroupLayout, wgpu::PipelineLayout)>,
    pipelines: Mutex<HashMap<PipelineKey, wgpu::ComputePipeline>>,
    /// What the card reported outside of a call that would return it.
    failure: Arc<Mutex<Option<String>>>,
}

/// A buffer of 32-bit values on the card.
#[derive(Clone, PartialEq)]
pub(crate) struct GpuBuffer {
    pub(crate) buffer: wgpu::Buffer,
    /// Values.
    pub(crate) len: usize,
}

/// Passes of a set of timestamps, which has two for each.
const CLOCKED_PASSES: usize = wgpu::QUERY_SET_MAX_QUERIES as usize / 2;

/// Timestamps of passes on the card.
pub(crate) struct GpuClock {
    sets: Vec<wgpu::QuerySet>,
    passes: usize,
}

impl GpuClock {
    /// What a pass writes, by its number from 0.
    pub(crate) fn writes(&self, number: usize) -> wgpu::ComputePassTimestampWrites<'_> {
        let first = 2 * (number % CLOCKED_PASSES) as u32;
        wgpu::ComputePassTimestampWrites {
            query_set: &self.sets[number / CLOCKED_PASSES],
            beginning_of_pass_write_index: Some(first),
            end_of_pass_write_index: Some(first + 1),
        }
    }
}

impl GpuDevice {
    /// Opens a card with all that its driver allows.
    pub(crate) fn open(adapter: &wgpu::Adapter, identity: String) -> Result<Self, DeviceError> {
        let limits = adapter.limits();
        let required_limits = wgpu::Limits {
            max_storage_buffer_binding_size: limits.max_storage_buffer_binding_size,
            max_buffer_size: limits.max_buffer_size,
            ..wgpu::Limits::default()
        };
        let required_features = adapter.features() & wgpu::Features::TIMESTAMP_QUERY;
        let options = wgpu::DeviceDescriptor { required_features, required_limits, ..Default::default() };
        let opened = pollster::block_on(adapter.request_device(&options));
        let (device, queue) =
            opened.map_err(|error| DeviceError::Open { name: identity.clone(), reason: error.to_string() })?;
        let failure = Arc::new(Mutex::new(None));
        let note = |failure: &Arc<Mutex<Option<String>>>| {
            let failure = failure.clone();
            move |message: String| {
                failure.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(message);
            }
        };
        let (uncaptured, lost) = (note(&failure), note(&failure));
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| uncaptured(error.to_string())));
        device.set_device_lost_callback(move |reason, message| {
            // A device that is dropped is no loss.
            if reason != wgpu::DeviceLostReason::Destroyed {
                lost(format!("the device was lost: {message}"));
            }
        });
        let modules = Shader::ALL.into_iter().map(|shader| (shader, Self::module(&device, shader))).collect();
        Ok(Self { device, queue, identity, modules, pipelines: Mutex::default(), failure })
    }

    fn module(
        device: &wgpu::Device,
        shader: Shader,
    ) -> (wgpu::ShaderModule, wgpu::BindGroupLayout, wgpu::PipelineLayout) {
        let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
            label: None,
            source: wgpu::ShaderSource::Wgsl(shader.source().into()),
        });
        let buffers = shader.writes().iter().map(|writes| wgpu::BufferBindingType::Storage { read_only: !writes });
        let entries: Vec<_> = std::iter::once(wgpu::BufferBindingType::Uniform)
            .chain(buffers)
            .enumerate()
            .map(|(i, ty)| wgpu::BindGroupLayoutEntry {
                binding: i as u32,
                visibility: wgpu::ShaderStages::COMPUTE,
                ty: wgpu::BindingType::Buffer { ty, has_dynamic_offset: false, min_binding_size: None },
                count: None,
            })
            .collect();
        let layout =
            device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: None, entries: &entries });
        let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
            bind_group_layouts: &[Some(&layout)],
            ..Default::default()
        });
        (module, layout, pipeline_layout)
    }

    /// Names what the bits of all results depend on.
    pub(crate) fn identity(&self) -> &str {
        &self.identity
    }

    /// Returns a shader's function with some constants, compiled once.
    pub(crate) fn pipeline(
        &self,
        shader: Shader,
        function: &'static str,
        constants: &[(&'static str, u32)],
    ) -> wgpu::ComputePipeline {
        let mut pipelines = self.pipelines.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (shader, function, constants.to_vec());
        let make = || {
            let constants: Vec<_> = constants.iter().map(|&(name, value)| (name, f64::from(value))).collect();
            let (module, _, layout) = &self.modules[&shader];
            self.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: Some(function),
                layout: Some(layout),
                module,
                entry_point: Some(function),
                compilation_options: wgpu::PipelineCompilationOptions {
                    constants: &constants,
                    zero_initialize_workgroup_memory: false,
                },
                cache: None,
            })
        };
        pipelines.entry(key).or_insert_with(make).clone()
    }

    /// Binds parameters and buffers for the functions of a shader.
    pub(crate) fn bind(&self, shader: Shader, params: &[u32], buffers: &[&GpuBuffer]) -> wgpu::BindGroup {
        assert_eq!(buffers.len(), shader.writes().len(), "one buffer for each binding of {shader:?}");
        let params = self.device.create_buffer_init(&wgpu::util::BufferInitDescriptor {
            label: None,
            contents: cast_slice(params),
            usage: wgpu::BufferUsages::UNIFORM,
        });
        let buffers = std::iter::once(&params).chain(buffers.iter().map(|buffer| &buffer.buffer));
        let entries: Vec<_> = buffers
            .enumerate()
            .map(|(i, buffer)| wgpu::BindGroupEntry { binding: i as u32, resource: buffer.as_entire_binding() })
            .collect();
        let layout = &self.modules[&shader].1;
        self.device.create_bind_group(&wgpu::BindGroupDescriptor { label: None, layout, entries: &entries })
    }

    /// Returns a buffer of `len` values, all 0. Shaders that take four at a time find zeros behind
    /// the last one.
    pub(crate) fn buffer(&self, len: usize) -> GpuBuffer {
        let usage = wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_SRC | wgpu::BufferUsages::COPY_DST;
        let size = 4 * len.next_multiple_of(4) as u64;
        let buffer =
            self.device.create_buffer(&wgpu::BufferDescriptor { label: None, size, usage, mapped_at_creation: false });
        GpuBuffer { buffer, len }
    }

    /// Returns a buffer with some values.
    pub(crate) fn buffer_of<T: bytemuck::Pod>(&self, values: &[T]) -> GpuBuffer {
        let buffer = self.buffer(size_of_val(values) / 4);
        self.write(&buffer, values);
        buffer
    }

    /// Writes to the start of a buffer, before everything that is submitted later.
    pub(crate) fn write<T: bytemuck::Pod>(&self, buffer: &GpuBuffer, values: &[T]) {
        self.queue.write_buffer(&buffer.buffer, 0, cast_slice(values));
    }

    /// Returns a list of commands to fill.
    pub(crate) fn encoder(&self) -> wgpu::CommandEncoder {
        self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default())
    }

    /// Submits a list of commands.
    pub(crate) fn submit(&self, encoder: wgpu::CommandEncoder) {
        self.queue.submit([encoder.finish()]);
    }

    /// Waits for all that was submitted, and returns some values of some buffers.
    pub(crate) fn read(&self, buffers: &[(&GpuBuffer, Range<usize>)]) -> Result<Vec<Vec<f32>>, DeviceError> {
        let bytes: u64 = buffers.iter().map(|(_, values)| 4 * values.len() as u64).sum();
        let usage = wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST;
        let staging = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: None,
            size: bytes.max(4),
            usage,
            mapped_at_creation: false,
        });
        let mut encoder = self.encoder();
        let mut offset = 0;
        for (buffer, values) in buffers {
            let [first, bytes] = [values.start, values.len()].map(|n| 4 * n as u64);
            encoder.copy_buffer_to_buffer(&buffer.buffer, first, &staging, offset, bytes);
            offset += bytes;
        }
        self.submit(encoder);
        let (sender, receiver) = std::sync::mpsc::channel();
        staging.map_async(wgpu::MapMode::Read, .., move |result| {
            // Nobody waits if the wait below has failed.
            let _ = sender.send(result);
        });
        let waited = self.device.poll(wgpu::PollType::wait_indefinitely());
        self.check()?;
        let failed = |reason: String| DeviceError::Failed { name: self.identity.clone(), reason };
        waited.map_err(|error| failed(error.to_string()))?;
        let mapped = receiver.recv().map_err(|_| failed("it answered nothing".to_owned()))?;
        mapped.map_err(|error| failed(error.to_string()))?;
        let view = staging.get_mapped_range(..).map_err(|error| failed(error.to_string()))?;
        let mut rest: &[u8] = &view;
        let values = buffers.iter().map(|(_, values)| {
            let (here, after) = rest.split_at(4 * values.len());
            rest = after;
            here.as_chunks::<4>().0.iter().map(|&value| f32::from_le_bytes(value)).collect()
        });
        Ok(values.collect())
    }

    /// Returns a clock for so many passes; `None`: the card has none.
    pub(crate) fn clock(&self, passes: usize) -> Option<GpuClock> {
        let has_clock = self.device.features().contains(wgpu::Features::TIMESTAMP_QUERY);
        let set = |first: usize| {
            let count = 2 * CLOCKED_PASSES.min(passes - first) as u32;
            self.device.create_query_set(&wgpu::QuerySetDescriptor {
                label: None,
                ty: wgpu::QueryType::Timestamp,
                count,
            })
        };
        has_clock.then(|| GpuClock { sets: (0..passes).step_by(CLOCKED_PASSES).map(set).collect(), passes })
    }

    /// Waits for all that was submitted, and returns the time of each pass of a clock.
    pub(crate) fn read_clock(&self, clock: &GpuClock) -> Result<Vec<Duration>, DeviceError> {
        let usage = wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC;
        let mut stamps: Vec<u64> = Vec::with_capacity(2 * clock.passes);
        for (number, set) in clock.sets.iter().enumerate() {
            let count = 2 * CLOCKED_PASSES.min(clock.passes - number * CLOCKED_PASSES);
            let size = (count * size_of::<u64>()) as u64;
            let buffer = self.device.create_buffer(&wgpu::BufferDescriptor {
                label: None,
                size,
                usage,
                mapped_at_creation: false,
            });
            let mut encoder = self.encoder();
            encoder.resolve_query_set(set, 0..count as u32, &buffer, 0);
            self.submit(encoder);
            let words = self.read(&[(&GpuBuffer { buffer, len: 2 * count }, 0..2 * count)])?.remove(0);
            let whole = |words: &[f32; 2]| u64::from(words[0].to_bits()) | u64::from(words[1].to_bits()) << 32;
            stamps.extend(words.as_chunks::<2>().0.iter().map(whole));
        }
        let period = f64::from(self.queue.get_timestamp_period());
        let time = |[begin, end]: &[u64; 2]| Duration::from_nanos((end.saturating_sub(*begin) as f64 * period) as u64);
        Ok(stamps.as_chunks::<2>().0.iter().map(time).collect())
    }

    /// Makes buffers, or says that there is no memory for them.
    pub(crate) fn within_memory<T>(&self, make: impl FnOnce() -> T) -> Result<T, DeviceError> {
        // What is done with a buffer that was not made is invalid.
        let validation = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let memory = self.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let made = make();
        let full = pollster::block_on(memory.pop());
        let invalid = pollster::block_on(validation.pop());
        match (full, invalid) {
            (Some(_), _) => Err(DeviceError::Memory { name: self.identity.clone() }),
            (None, Some(error)) => Err(DeviceError::Failed { name: self.identity.clone(), reason: error.to_string() }),
            (None, None) => self.check().map(|()| made),
        }
    }

    /// Returns the largest number of values in a buffer that a shader can read.
    pub(crate) fn largest_buffer(&self) -> usize {
        let limits = self.device.limits();
        (limits.max_storage_buffer_binding_size.min(limits.max_buffer_size) / 4) as usize
    }

    /// Reports what has gone wrong since the last call.
    fn check(&self) -> Result<(), DeviceError> {
        match self.failure.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(reason) => Err(DeviceError::Failed { name: self.identity.clone(), reason }),
            None => Ok(()),
        }
    }
}
