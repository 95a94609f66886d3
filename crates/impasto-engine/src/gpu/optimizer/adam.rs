//! The arrays of Adam on a card.

use std::sync::Arc;

use crate::gpu::device::{GpuBuffer, GpuDevice, Shader};
use crate::gpu::optimizer::{HOST_NUMBERS, THREADS, sum_groups, totals};
use crate::gpu::passes::Passes;
use crate::network::{DeviceError, ResidentAdam};

/// Adam on a card.
pub(crate) struct GpuAdam {
    device: Arc<GpuDevice>,
    best: GpuBuffer,
    walker: GpuBuffer,
    mean: GpuBuffer,
    root_mean_square: GpuBuffer,
    /// The parts of the means that stay, and the length of a step.
    numbers: GpuBuffer,
    sums: GpuBuffer,
    square: Passes,
    update_means: Passes,
    walk: Passes,
    keep: Passes,
    go_back: Passes,
    try_best: Passes,
    try_walker: Passes,
}

impl GpuAdam {
    /// Prepares arrays. `trial` is what will be evaluated, `gradient` the gradient there.
    pub(crate) fn new(device: &Arc<GpuDevice>, trial: &GpuBuffer, gradient: &GpuBuffer) -> Self {
        let device = device.clone();
        let (len, groups) = (trial.len, sum_groups(trial.len));
        let [best, walker, mean, root_mean_square] = [(); 4].map(|()| device.buffer(len));
        let (numbers, sums) = (device.buffer(HOST_NUMBERS), device.buffer(groups));
        let params = [len.div_ceil(4), groups, 0, 0].map(|n| n as u32);
        let buffers = [&numbers, &sums, gradient, &walker, &mean, &root_mean_square];
        let each = |function: &'static str, threads: usize| {
            let mut passes = Passes::default();
            passes.each(&device, (Shader::Adam, function), &[], &params, &buffers, threads);
            passes
        };
        let copy = |from: &GpuBuffer, to: &GpuBuffer| {
            let mut passes = Passes::default();
            passes.copy_values((from, 0), (to, 0), len);
            passes
        };
        Self {
            square: each("square", groups * THREADS),
            update_means: each("update_means", len.div_ceil(4)),
            walk: each("walk", groups * THREADS),
            keep: copy(&walker, &best),
            go_back: copy(&best, &walker),
            try_best: copy(&best, trial),
            try_walker: copy(&walker, trial),
            best,
            walker,
            mean,
            root_mean_square,
            numbers,
            sums,
            device,
        }
    }
}

impl ResidentAdam for GpuAdam {
    fn set(&mut self, arrays: [&[f32]; 4]) {
        for (buffer, values) in [&self.best, &self.walker, &self.mean, &self.root_mean_square].into_iter().zip(arrays) {
            assert_eq!(values.len(), buffer.len, "an array has the size of the image");
            self.device.write(buffer, values);
        }
    }

    fn try_best(&mut self) {
        self.try_best.run(&self.device);
    }

    fn try_walker(&mut self) {
        self.try_walker.run(&self.device);
    }

    fn gradient_square(&self) -> Result<f64, DeviceError> {
        self.square.run(&self.device);
        Ok(totals::<1>(&self.device, &self.sums, self.sums.len)?[0])
    }

    fn keep(&mut self) {
        self.keep.run(&self.device);
    }

    fn go_back(&mut self) {
        self.go_back.run(&self.device);
    }

    fn update_means(&mut self, keep: [f32; 2]) {
        self.device.write(&self.numbers, &keep);
        self.update_means.run(&self.device);
    }

    fn walk(&mut self, scale: f32) -> Result<bool, DeviceError> {
        self.device.write(&self.numbers, &[0.0, 0.0, scale]);
        self.walk.run(&self.device);
        Ok(totals::<1>(&self.device, &self.sums, self.sums.len)?[0] > 0.0)
    }

    fn point(&self) -> Result<Vec<f32>, DeviceError> {
        Ok(self.device.read(&[(&self.best, 0..self.best.len)])?.remove(0))
    }

    fn state(&self) -> Result<[Vec<f32>; 3], DeviceError> {
        let buffers = [&self.walker, &self.mean, &self.root_mean_square].map(|buffer| (buffer, 0..buffer.len));
        let mut values = self.device.read(&buffers)?.into_iter();
        Ok([(); 3].map(|()| values.next().unwrap_or_default()))
    }
}
