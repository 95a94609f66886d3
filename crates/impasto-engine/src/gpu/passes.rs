//! Dispatches that are prepared once, when a workspace is made, and run in every evaluation.

use crate::gpu::device::{GpuBuffer, GpuClock, GpuDevice, Shader};
use crate::gpu::times::{PassLabel, PassTimes};
use crate::network::DeviceError;
use crate::plan::card::PRODUCT_SIDE;

/// Operations of a submission, at most. Windows ends what takes longer than about two seconds, and
/// slow cards make 200 billion a second.
const MOST_OPERATIONS: f64 = 20e9;

/// Workgroups along an axis of a dispatch, at most.
const MOST_GROUPS: usize = 65_535;

/// Threads in a workgroup of every function that goes through values one by one.
const THREADS: usize = 64;

/// Positions that a workgroup of a product can make. Fewer take more traffic, and fill a card with
/// a smaller map. They change no bit.
pub(super) const PRODUCT_TILES: [usize; 4] = [128, 64, 32, 16];

/// Workgroups that fill a card.
const FULL_CARD: usize = 64;

/// Channels that a workgroup of a product or of a sum makes.
const CHANNEL_TILE: usize = PRODUCT_SIDE;

/// One thing that the card does.
enum Pass {
    Dispatch(Dispatch),
    Copy { from: (GpuBuffer, usize), to: (GpuBuffer, usize), len: usize },
    Clear { buffer: GpuBuffer, len: usize },
}

/// A function of a shader with all that it needs.
struct Dispatch {
    pipeline: wgpu::ComputePipeline,
    bindings: wgpu::BindGroup,
    groups: [u32; 3],
    operations: f64,
    label: PassLabel,
}

/// What the card does, in this order. Each pass sees what those before it wrote.
#[derive(Default)]
pub(crate) struct Passes {
    passes: Vec<Pass>,
    /// What passes that are added belong to: the number of a convolution, and whether it is on the
    /// way back.
    part: (Option<usize>, bool),
}

impl Pass {
    fn dispatch(&self) -> Option<&Dispatch> {
        match self {
            Self::Dispatch(dispatch) => Some(dispatch),
            _ => None,
        }
    }
}

/// Some positions of a map, row by row.
#[derive(Clone, Copy)]
pub(crate) struct Window {
    pub(crate) top: usize,
    pub(crate) left: usize,
    pub(crate) height: usize,
    pub(crate) width: usize,
}

impl Window {
    /// All positions of a map.
    pub(crate) fn whole(height: usize, width: usize) -> Self {
        Self { top: 0, left: 0, height, width }
    }

    /// Number of positions.
    pub(crate) fn positions(&self) -> usize {
        self.height * self.width
    }
}

/// A product over the positions of a map.
pub(crate) struct Product<'a> {
    /// Height and width of the map.
    pub(crate) size: [usize; 2],
    pub(crate) window: Window,
    /// 9: a convolution. 1: each position by itself.
    pub(crate) taps: usize,
    /// In and out.
    pub(crate) channels: [usize; 2],
    pub(crate) wraps: bool,
    pub(crate) rectifies: bool,
    pub(crate) adds: bool,
    pub(crate) source: &'a GpuBuffer,
    pub(crate) filters: &'a GpuBuffer,
    pub(crate) bias: &'a GpuBuffer,
    /// With the number of the window's first position among them.
    pub(crate) weights: Option<(&'a GpuBuffer, usize)>,
    pub(crate) output: &'a GpuBuffer,
}

/// Returns the positions that a workgroup of a product makes. `others`: workgroups for the same
/// positions.
fn product_tile(positions: usize, others: usize) -> usize {
    let fits = |&tile: &usize| {
        let tiles = positions.div_ceil(tile);
        // Positions beyond the last one are work for nothing.
        tiles * others >= FULL_CARD && tiles * tile <= positions + positions / 4
    };
    let [.., smallest] = PRODUCT_TILES;
    PRODUCT_TILES.into_iter().find(fits).unwrap_or(smallest)
}

impl Passes {
    /// Says what the passes that are added next belong to: the number of a convolution if they are
    /// a part of one, and whether they are on the way back.
    pub(crate) fn are_of(&mut self, convolution: Option<usize>, is_backward: bool) {
        self.part = (convolution, is_backward);
    }

    /// Adds a function that goes through values one by one, with `threads` threads.
    pub(crate) fn each(
        &mut self,
        device: &GpuDevice,
        (shader, function): (Shader, &'static str),
        constants: &[(&'static str, u32)],
        params: &[u32],
        buffers: &[&GpuBuffer],
        threads: usize,
    ) {
        let groups = threads.div_ceil(THREADS);
        let groups = [groups.min(MOST_GROUPS), groups.div_ceil(MOST_GROUPS), 1];
        self.dispatch(device, (shader, function), constants, params, buffers, groups, 0.0);
    }

    /// Adds a function with these workgroups.
    pub(crate) fn dispatch(
        &mut self,
        device: &GpuDevice,
        (shader, function): (Shader, &'static str),
        constants: &[(&'static str, u32)],
        params: &[u32],
        buffers: &[&GpuBuffer],
        groups: [usize; 3],
        operations: f64,
    ) {
        let pipeline = device.pipeline(shader, function, constants);
        let bindings = device.bind(shader, params, buffers);
        let (convolution, is_backward) = self.part;
        let (label, groups) = (PassLabel { shader, function, convolution, is_backward }, groups.map(|n| n as u32));
        self.passes.push(Pass::Dispatch(Dispatch { pipeline, bindings, groups, operations, label }));
    }

    /// Adds a product.
    pub(crate) fn product(&mut self, device: &GpuDevice, product: &Product<'_>) {
        self.products(device, product, 1);
    }

    /// Adds `count` products of the same shape. Each has its own filters, and its window lies one
    /// row below that of the product before it.
    pub(crate) fn products(&mut self, device: &GpuDevice, product: &Product<'_>, count: usize) {
        let others = count * product.channels[1] / CHANNEL_TILE;
        self.products_in(product_tile(product.window.positions(), others), device, product, count);
    }

    /// Adds products with this many positions a workgroup, in as many dispatches as keep each one
    /// short.
    pub(super) fn products_in(&mut self, tile: usize, device: &GpuDevice, product: &Product<'_>, count: usize) {
        let Product { size: [height, width], window, taps, channels: [inputs, outputs], .. } = *product;
        let constants = [
            ("TILE", tile as u32),
            ("CHANNELS_IN", inputs as u32),
            ("CHANNELS_OUT", outputs as u32),
            ("TAPS", taps as u32),
            ("WRAPS", product.wraps.into()),
            ("RECTIFIES", product.rectifies.into()),
            ("ADDS", product.adds.into()),
            ("WEIGHTED", product.weights.is_some().into()),
        ];
        let (weights, first_weight) = product.weights.unwrap_or((product.bias, 0));
        let buffers = [product.source, product.filters, product.bias, weights];
        let buffers: Vec<&GpuBuffer> = buffers.into_iter().chain([product.output]).collect();
        let tiles = window.positions().div_ceil(tile);
        let of_tile = 2.0 * (count * tile * taps * inputs * outputs) as f64;
        let step = ((MOST_OPERATIONS / of_tile) as usize).clamp(1, MOST_GROUPS);
        for first in (0..tiles).step_by(step) {
            let here = step.min(tiles - first);
            let params =
                [height, width, window.top, window.left, window.width, window.positions(), first, first_weight];
            self.dispatch(
                device,
                (Shader::Product, "product"),
                &constants,
                &params.map(|n| n as u32),
                &buffers,
                [here, outputs / CHANNEL_TILE, count],
                here as f64 * of_tile,
            );
        }
    }

    /// Adds a copy of some values, from one place to another.
    pub(crate) fn copy_values(&mut self, from: (&GpuBuffer, usize), to: (&GpuBuffer, usize), len: usize) {
        let place = |(buffer, first): (&GpuBuffer, usize)| (buffer.clone(), first);
        self.passes.push(Pass::Copy { from: place(from), to: place(to), len });
    }

    /// Adds zeros for the first `len` values of a buffer.
    pub(crate) fn clear(&mut self, buffer: &GpuBuffer, len: usize) {
        self.passes.push(Pass::Clear { buffer: buffer.clone(), len });
    }

    /// Adds all passes of another list.
    pub(crate) fn append(&mut self, mut other: Self) {
        self.passes.append(&mut other.passes);
    }

    /// Submits all passes, and waits for none.
    pub(crate) fn run(&self, device: &GpuDevice) {
        Self::run_all(device, &[self]);
    }

    /// Submits several lists of passes, one after the other, and waits for none.
    pub(crate) fn run_all(device: &GpuDevice, lists: &[&Self]) {
        Self::submit(device, lists, None);
    }

    /// Submits all passes, waits for them, and adds their times.
    ///
    /// # Errors
    /// The card fails.
    pub(crate) fn run_timed(&self, device: &GpuDevice, times: &mut PassTimes) -> Result<(), DeviceError> {
        let dispatches: Vec<&Dispatch> = self.passes.iter().filter_map(Pass::dispatch).collect();
        let Some(clock) = device.clock(dispatches.len()) else {
            self.run(device);
            return Ok(());
        };
        Self::submit(device, &[self], Some(&clock));
        for (dispatch, time) in dispatches.into_iter().zip(device.read_clock(&clock)?) {
            times.add(dispatch.label, time);
        }
        Ok(())
    }

    fn submit(device: &GpuDevice, lists: &[&Self], clock: Option<&GpuClock>) {
        let (mut encoder, mut waiting, mut number) = (device.encoder(), 0.0, 0);
        for pass in lists.iter().flat_map(|list| &list.passes) {
            match pass {
                Pass::Dispatch(Dispatch { pipeline, bindings, groups: [x, y, z], operations, .. }) => {
                    if waiting + operations > MOST_OPERATIONS {
                        device.submit(std::mem::replace(&mut encoder, device.encoder()));
                        waiting = 0.0;
                    }
                    waiting += operations;
                    let timestamp_writes = clock.map(|clock| clock.writes(number));
                    number += 1;
                    let mut pass =
                        encoder.begin_compute_pass(&wgpu::ComputePassDescriptor { label: None, timestamp_writes });
                    pass.set_pipeline(pipeline);
                    pass.set_bind_group(0, bindings, &[]);
                    pass.dispatch_workgroups(*x, *y, *z);
                }
                Pass::Copy { from, to, len } => {
                    let [from_byte, to_byte, bytes] = [from.1, to.1, *len].map(|n| 4 * n as u64);
                    encoder.copy_buffer_to_buffer(&from.0.buffer, from_byte, &to.0.buffer, to_byte, bytes);
                }
                Pass::Clear { buffer, len } => encoder.clear_buffer(&buffer.buffer, 0, Some(4 * *len as u64)),
            }
        }
        device.submit(encoder);
    }
}
