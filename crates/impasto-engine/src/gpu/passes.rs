//! Dispatches that are prepared once, when a workspace is made, and run in every evaluation.

use crate::gpu::device::{GpuBuffer, GpuDevice, Shader};

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
const CHANNEL_TILE: usize = 64;

/// One thing that the card does.
enum Pass {
    Dispatch { pipeline: wgpu::ComputePipeline, bindings: wgpu::BindGroup, groups: [u32; 3], operations: f64 },
    Copy { from: GpuBuffer, to: GpuBuffer },
    Clear { buffer: GpuBuffer, len: usize },
}

/// What the card does, in this order. Each pass sees what those before it wrote.
#[derive(Default)]
pub(crate) struct Passes(Vec<Pass>);

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
    pub(crate) weights: Option<&'a GpuBuffer>,
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
        self.0.push(Pass::Dispatch { pipeline, bindings, groups: groups.map(|n| n as u32), operations });
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
        let buffers = [product.source, product.filters, product.bias, product.weights.unwrap_or(product.bias)];
        let buffers: Vec<&GpuBuffer> = buffers.into_iter().chain([product.output]).collect();
        let tiles = window.positions().div_ceil(tile);
        let of_tile = 2.0 * (count * tile * taps * inputs * outputs) as f64;
        let step = ((MOST_OPERATIONS / of_tile) as usize).clamp(1, MOST_GROUPS);
        for first in (0..tiles).step_by(step) {
            let here = step.min(tiles - first);
            let params = [height, width, window.top, window.left, window.width, window.positions(), first, 0];
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

    /// Adds a copy of a whole buffer.
    pub(crate) fn copy(&mut self, from: &GpuBuffer, to: &GpuBuffer) {
        self.0.push(Pass::Copy { from: from.clone(), to: to.clone() });
    }

    /// Adds zeros for the first `len` values of a buffer.
    pub(crate) fn clear(&mut self, buffer: &GpuBuffer, len: usize) {
        self.0.push(Pass::Clear { buffer: buffer.clone(), len });
    }

    /// Submits all passes, and waits for none.
    pub(crate) fn run(&self, device: &GpuDevice) {
        let (mut encoder, mut waiting) = (device.encoder(), 0.0);
        for pass in &self.0 {
            match pass {
                Pass::Dispatch { pipeline, bindings, groups: [x, y, z], operations } => {
                    if waiting + operations > MOST_OPERATIONS {
                        device.submit(std::mem::replace(&mut encoder, device.encoder()));
                        waiting = 0.0;
                    }
                    waiting += operations;
                    let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
                    pass.set_pipeline(pipeline);
                    pass.set_bind_group(0, bindings, &[]);
                    pass.dispatch_workgroups(*x, *y, *z);
                }
                Pass::Copy { from, to } => {
                    encoder.copy_buffer_to_buffer(&from.buffer, 0, &to.buffer, 0, 4 * from.len as u64);
                }
                Pass::Clear { buffer, len } => encoder.clear_buffer(&buffer.buffer, 0, Some(4 * *len as u64)),
            }
        }
        device.submit(encoder);
    }
}
