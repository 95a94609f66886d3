//! The preconditioner of L-BFGS: `P = Bᵀ G B`, by products with the bases.
//!
//! The sides of the planes are filled up with zeros to multiples of 64, which the products ask for.
//! With a basis `R` of the rows and `C` of the columns, the waves of a plane are `C X Rᵀ`. The
//! planes lie row by row, `[rows, 3, columns]`. So `C` times the planes is one product, and each
//! row of each plane is a position for the product with `Rᵀ`.

use crate::gpu::device::{GpuBuffer, GpuDevice, Shader};
use crate::gpu::optimizer::{THREADS, sum_groups};
use crate::gpu::passes::{Passes, Product, Window};
use crate::network::WavePreconditioner;
use crate::plan::card::PRODUCT_SIDE;

/// The bases on the card, and planes for an image and its waves.
pub(super) struct Waves {
    /// Of the image.
    height: usize,
    width: usize,
    /// Of a plane.
    rows: usize,
    columns: usize,
    colors: [[f32; 3]; 3],
    planes: GpuBuffer,
    other_planes: GpuBuffer,
    gains: GpuBuffer,
    column_waves: GpuBuffer,
    column_values: GpuBuffer,
    row_waves: GpuBuffer,
    row_values: GpuBuffer,
    /// Zeros, as many as a product has outputs.
    bias: GpuBuffer,
}

impl Waves {
    /// Lays the bases out for images of this size.
    ///
    /// # Panics
    /// If a basis or the gains have another size.
    pub(super) fn new(device: &GpuDevice, of: &WavePreconditioner, [height, width]: [usize; 2]) -> Self {
        let WavePreconditioner { colors, rows: row_basis, columns: column_basis, gains } = of;
        assert_eq!(gains.len(), 3 * height * width, "the gains have the size of the image");
        let [rows, columns] = [height, width].map(|side| side.next_multiple_of(PRODUCT_SIDE));
        let planes = || device.buffer(rows * 3 * columns);
        let filled_up = |values: &[f32], from: usize, to: [usize; 2]| {
            let mut filled = vec![0.0; to[0] * to[1]];
            for (to, from) in filled.chunks_mut(to[1]).zip(values.chunks(from)) {
                to[..from.len()].copy_from_slice(from);
            }
            filled
        };
        let square = |basis: &[f32], side: usize, filled_side: usize| {
            assert_eq!(basis.len(), side * side, "a basis has the size of the image");
            let waves = filled_up(basis, side, [filled_side; 2]);
            let transposed: Vec<f32> = (0..filled_side * filled_side)
                .map(|i| waves[i % filled_side * filled_side + i / filled_side])
                .collect();
            [waves, transposed].map(|values| device.buffer_of(&values))
        };
        let [column_waves, column_values] = square(column_basis, height, rows);
        let [row_waves, row_values] = square(row_basis, width, columns);
        let gains = device.buffer_of(&filled_up(gains, width, [rows * 3, columns]));
        Self {
            height,
            width,
            rows,
            columns,
            colors: *colors,
            planes: planes(),
            other_planes: planes(),
            gains,
            column_waves,
            column_values,
            row_waves,
            row_values,
            bias: device.buffer(3 * columns),
        }
    }

    /// Adds passes for `image = P image`.
    pub(super) fn apply(&self, device: &GpuDevice, passes: &mut Passes, image: &GpuBuffer, sums: &GpuBuffer) {
        self.to_waves(device, passes, image, sums);
        self.each(device, passes, "gain", image, sums, self.gains.len);
        self.along_rows(device, passes, &self.row_waves, [&self.planes, &self.other_planes]);
        self.along_columns(device, passes, &self.column_values, [&self.other_planes, &self.planes]);
        self.each(device, passes, "unpack", image, sums, self.height * self.width);
    }

    /// Adds passes for sums of `imageᵀ P image`, and returns how many these are.
    pub(super) fn square(&self, device: &GpuDevice, passes: &mut Passes, image: &GpuBuffer, sums: &GpuBuffer) -> usize {
        self.to_waves(device, passes, image, sums);
        let groups = sum_groups(self.gains.len);
        self.each(device, passes, "square", image, sums, groups * THREADS);
        groups
    }

    /// From an image to its waves, in `planes`.
    fn to_waves(&self, device: &GpuDevice, passes: &mut Passes, image: &GpuBuffer, sums: &GpuBuffer) {
        self.each(device, passes, "pack", image, sums, self.height * self.width);
        self.along_columns(device, passes, &self.column_waves, [&self.planes, &self.other_planes]);
        self.along_rows(device, passes, &self.row_values, [&self.other_planes, &self.planes]);
    }

    /// `to = from · basis`.
    fn along_rows(&self, device: &GpuDevice, passes: &mut Passes, basis: &GpuBuffer, [from, to]: [&GpuBuffer; 2]) {
        self.product(device, passes, [from, basis, to], [3 * self.rows, self.columns, self.columns]);
    }

    /// `to = basis · from`.
    fn along_columns(&self, device: &GpuDevice, passes: &mut Passes, basis: &GpuBuffer, [from, to]: [&GpuBuffer; 2]) {
        self.product(device, passes, [basis, from, to], [self.rows, self.rows, 3 * self.columns]);
    }

    /// `to = left · right`, `[n, k] [k, m]` with the sides `[n, k, m]`.
    fn product(
        &self,
        device: &GpuDevice,
        passes: &mut Passes,
        [left, right, to]: [&GpuBuffer; 3],
        [n, k, m]: [usize; 3],
    ) {
        let product = Product {
            size: [n, 1],
            window: Window::whole(n, 1),
            taps: 1,
            channels: [k, m],
            wraps: false,
            rectifies: false,
            adds: false,
            source: left,
            filters: right,
            bias: &self.bias,
            weights: None,
            output: to,
        };
        passes.product(device, &product);
    }

    fn each(
        &self,
        device: &GpuDevice,
        passes: &mut Passes,
        function: &'static str,
        image: &GpuBuffer,
        sums: &GpuBuffer,
        threads: usize,
    ) {
        let count = if function == "square" { self.gains.len } else { threads };
        let sizes = [self.height, self.width, self.columns, count, sum_groups(self.gains.len), 0, 0, 0];
        let sizes = sizes.map(|n| n as u32).into_iter();
        let colors = self.colors.iter().flat_map(|color| color.iter().copied().chain([0.0]).map(f32::to_bits));
        let params: Vec<u32> = sizes.chain(colors).collect();
        let buffers = [image, &self.planes, &self.gains, sums];
        passes.each(device, (Shader::Waves, function), &[], &params, &buffers, threads);
    }
}
