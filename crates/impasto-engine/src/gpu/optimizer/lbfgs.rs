//! The arrays of L-BFGS on a card.

use std::sync::Arc;

use crate::gpu::device::{GpuBuffer, GpuDevice, Shader};
use crate::gpu::optimizer::waves::Waves;
use crate::gpu::optimizer::{HOST_NUMBERS, THREADS, added_up, sum_groups, totals};
use crate::gpu::passes::Passes;
use crate::network::{DeviceError, ResidentLbfgs, ResidentLbfgsSpec, TrialSums};
use crate::plan::card::PRODUCT_SIDE;

/// Places of the numbers that are factors, as in `recursion.wgsl`.
const ZERO: usize = 0;
const ONE: usize = 1;
const SCALE: usize = 4;

/// Numbers that each pair has on the card: curvature, alpha, factor and norms.
const PAIR_NUMBERS: usize = 4;

/// L-BFGS on a card, with a preconditioner.
pub(crate) struct GpuLbfgs {
    device: Arc<GpuDevice>,
    point: GpuBuffer,
    numbers: GpuBuffer,
    sums: GpuBuffer,
    /// Sums of an array.
    groups: usize,
    /// Places of pairs.
    slots: Vec<PairPasses>,
    /// Place of the oldest pair.
    oldest: usize,
    /// Pairs.
    count: usize,
    face: Passes,
    finish_curvatures: Passes,
    /// `direction = P direction`.
    precondition: Passes,
    stretch: Passes,
    go: Passes,
    compare: Passes,
    /// To the trial, without a pair.
    advance: Passes,
    /// The trial back to the point.
    stay: Passes,
}

/// A place of a pair, and what is done with it.
struct PairPasses {
    s: GpuBuffer,
    y: GpuBuffer,
    norms: Passes,
    curvature: Passes,
    /// The first product of the recursion, `sᵀ direction`.
    begin: Passes,
    /// From a product to alpha.
    alpha: Passes,
    /// Takes `alpha y` from the direction, and makes the product with the pair before.
    down: Passes,
    /// The factor of the preconditioner, if this pair gives it.
    scale: Passes,
    /// Scales the direction, and makes the product with this `y`.
    turn: Passes,
    /// From a product to the factor of s.
    beta: Passes,
    /// Adds this part of `s` to the direction, and makes the product with the pair after.
    up: Passes,
    accept: Passes,
}

impl GpuLbfgs {
    /// Prepares arrays for images of this size. `trial` is what will be evaluated, `trial_gradient`
    /// the gradient there.
    pub(crate) fn new(
        device: &Arc<GpuDevice>,
        spec: &ResidentLbfgsSpec<'_>,
        size: [usize; 2],
        trial: &GpuBuffer,
        trial_gradient: &GpuBuffer,
    ) -> Self {
        let device = device.clone();
        let array = || device.buffer(trial.len);
        let history = spec.history.max(1);
        let waves = Waves::new(&device, spec.preconditioner, size);
        let groups = sum_groups(trial.len);
        // The planes of the waves are larger than the image.
        let wave_groups =
            sum_groups(3 * size.map(|side| side.next_multiple_of(PRODUCT_SIDE)).iter().product::<usize>());
        let arrays = Arrays {
            device: &device,
            point: array(),
            gradient: array(),
            direction: array(),
            scratch: array(),
            free: device.buffer(trial.len.div_ceil(4)),
            trial: trial.clone(),
            trial_gradient: trial_gradient.clone(),
            numbers: device.buffer(HOST_NUMBERS + PAIR_NUMBERS * history),
            sums: device.buffer((history.max(4) * groups).max(wave_groups)),
            groups,
            history,
            min_cosine: spec.min_cosine,
        };
        let pairs: Vec<[GpuBuffer; 2]> = (0..history).map(|_| [array(), array()]).collect();
        let slots = (0..history).map(|slot| arrays.pair_passes(slot, &pairs, &waves)).collect();
        let mut precondition = Passes::default();
        waves.apply(&device, &mut precondition, &arrays.direction, &arrays.sums);
        let mut advance = Passes::default();
        advance.copy_values((trial, 0), (&arrays.point, 0), trial.len);
        advance.copy_values((trial_gradient, 0), (&arrays.gradient, 0), trial.len);
        let mut stay = Passes::default();
        stay.copy_values((&arrays.point, 0), (trial, 0), trial.len);
        let [point, gradient] = [&arrays.point, &arrays.gradient];
        Self {
            slots,
            oldest: 0,
            count: 0,
            face: arrays.recursion("face_downhill", [0, 0, 0], [&arrays.direction, point, gradient]),
            finish_curvatures: arrays.finish("finish_curvatures", 0, groups, history),
            precondition,
            stretch: arrays.motion("stretch", arrays.quads()),
            go: arrays.motion("go", groups * THREADS),
            compare: arrays.motion("compare", groups * THREADS),
            advance,
            stay,
            point: arrays.point.clone(),
            numbers: arrays.numbers.clone(),
            sums: arrays.sums.clone(),
            groups,
            device: device.clone(),
        }
    }

    /// Sends the numbers of the host.
    fn set_numbers(&self, length: f32, factor: f32) {
        self.device.write(&self.numbers, &[0.0, 1.0, length, factor]);
    }

    /// Places of the pairs, the newest first.
    fn newest_first(&self) -> Vec<usize> {
        (0..self.count).rev().map(|i| (self.oldest + i) % self.slots.len()).collect()
    }

    /// Makes the direction by the recursion over pairs at these places, the newest first, and goes
    /// all of it. The pair at `scaling` gives the factor of the preconditioner. Returns the slope,
    /// and the curvature of the pair at each place.
    fn run_recursion(&self, places: &[usize], scaling: usize) -> Result<(f64, Vec<f32>), DeviceError> {
        let at = |place: usize| &self.slots[place];
        let (newest, oldest) = (places[0], places[places.len() - 1]);
        let mut lists = vec![&self.face];
        lists.extend(places.iter().map(|&place| &at(place).curvature));
        lists.push(&self.finish_curvatures);
        lists.push(&at(newest).begin);
        for &place in places {
            lists.extend([&at(place).alpha, &at(place).down]);
        }
        lists.extend([&self.precondition, &at(scaling).scale, &at(oldest).turn]);
        for &place in places.iter().rev() {
            lists.extend([&at(place).beta, &at(place).up]);
        }
        lists.push(&self.go);
        self.set_numbers(1.0, 1.0);
        Passes::run_all(&self.device, &lists);
        let curvatures = HOST_NUMBERS..HOST_NUMBERS + self.slots.len();
        let mut values = self.device.read(&[(&self.sums, 0..self.groups), (&self.numbers, curvatures)])?;
        let curvatures = values.pop().unwrap_or_default();
        Ok((added_up::<1>(&values[0])[0], curvatures))
    }

    /// Makes room for a pair, and returns its place.
    fn next_place(&mut self) -> usize {
        let history = self.slots.len();
        if self.count < history {
            self.count += 1;
        } else {
            self.oldest = (self.oldest + 1) % history;
        }
        (self.oldest + self.count - 1) % history
    }
}

/// All arrays but the pairs, while passes are prepared.
struct Arrays<'a> {
    device: &'a GpuDevice,
    point: GpuBuffer,
    gradient: GpuBuffer,
    direction: GpuBuffer,
    scratch: GpuBuffer,
    /// Four bits for four values.
    free: GpuBuffer,
    trial: GpuBuffer,
    trial_gradient: GpuBuffer,
    numbers: GpuBuffer,
    sums: GpuBuffer,
    groups: usize,
    history: usize,
    min_cosine: f32,
}

impl Arrays<'_> {
    fn pair_passes(&self, slot: usize, pairs: &[[GpuBuffer; 2]], waves: &Waves) -> PairPasses {
        let [s, y] = &pairs[slot];
        let direction = &self.direction;
        // The places are a ring. Before the first pair and after the last one, a product is made
        // for nothing.
        let [s_before, _] = &pairs[(slot + self.history - 1) % self.history];
        let [_, y_after] = &pairs[(slot + 1) % self.history];
        let factor = HOST_NUMBERS + 2 * self.history + slot;
        let mut scale = self.recursion("update", [ZERO, ONE, slot], [&self.scratch, y, y]);
        let groups = waves.square(self.device, &mut scale, &self.scratch, &self.sums);
        scale.append(self.finish("finish_scale", slot, groups, 1));
        let mut norms = self.recursion("squares", [0, 0, slot], [direction, s, y]);
        norms.append(self.finish("finish_norms", slot, self.groups, 1));
        PairPasses {
            norms,
            curvature: self.recursion("curvature", [0, 0, slot], [direction, s, y]),
            begin: self.recursion("update", [ONE, ZERO, slot], [direction, s, s]),
            alpha: self.finish("finish_alpha", slot, self.groups, 1),
            down: self.recursion("update", [ONE, factor, slot], [direction, y, s_before]),
            scale,
            turn: self.recursion("update", [SCALE, ZERO, slot], [direction, y, y]),
            beta: self.finish("finish_beta", slot, self.groups, 1),
            up: self.recursion("update", [ONE, factor, slot], [direction, s, y_after]),
            accept: self.motion_of("accept", [s, y], self.quads()),
            s: s.clone(),
            y: y.clone(),
        }
    }

    /// The parameters of `recursion.wgsl`.
    fn params(&self, [first, second, pair]: [usize; 3], groups: usize) -> [u32; 8] {
        let [quads, first, second, pair, groups, history] =
            [self.quads(), first, second, pair, groups, self.history].map(|n| n as u32);
        [quads, first, second, pair, groups, history, self.min_cosine.to_bits(), 0]
    }

    /// A function over all values: with the places of two factors and the pair, and with the array
    /// that it changes and the two that it reads.
    fn recursion(&self, function: &'static str, numbers: [usize; 3], arrays: [&GpuBuffer; 3]) -> Passes {
        let [to, from, with] = arrays;
        let buffers = [&self.numbers, &self.sums, &self.free, to, from, with];
        let params = self.params(numbers, self.groups);
        let mut passes = Passes::default();
        passes.each(self.device, (Shader::Recursion, function), &[], &params, &buffers, self.groups * THREADS);
        passes
    }

    /// A function that makes numbers from sums, with one workgroup for each of `count` pairs.
    fn finish(&self, function: &'static str, slot: usize, groups: usize, count: usize) -> Passes {
        let buffers = [&self.numbers, &self.sums, &self.free, &self.direction, &self.scratch, &self.scratch];
        let params = self.params([0, 0, slot], groups);
        let mut passes = Passes::default();
        passes.dispatch(self.device, (Shader::Recursion, function), &[], &params, &buffers, [count, 1, 1], 0.0);
        passes
    }

    /// Values of an array, four at a time.
    fn quads(&self) -> usize {
        self.point.len.div_ceil(4)
    }

    /// A function of `motion.wgsl` on the direction.
    fn motion(&self, function: &'static str, threads: usize) -> Passes {
        // No change of the gradient is written. A buffer must be bound all the same.
        self.motion_of(function, [&self.direction, &self.scratch], threads)
    }

    /// A function of `motion.wgsl` with its way and its change.
    fn motion_of(&self, function: &'static str, [way, change]: [&GpuBuffer; 2], threads: usize) -> Passes {
        let Self { numbers, sums, point, gradient, trial, trial_gradient, .. } = self;
        let buffers = [numbers, sums, point, gradient, trial, trial_gradient, way, change];
        let params = [self.quads() as u32, self.groups as u32, 0, 0];
        let mut passes = Passes::default();
        passes.each(self.device, (Shader::Motion, function), &[], &params, &buffers, threads);
        passes
    }
}

impl ResidentLbfgs for GpuLbfgs {
    fn set_point(&mut self, x: &[f32]) {
        assert_eq!(x.len(), self.point.len, "the point has the size of the image");
        self.device.write(&self.point, x);
    }

    fn stay(&mut self) {
        self.stay.run(&self.device);
    }

    fn add_pair(&mut self, s: &[f32], y: &[f32]) {
        assert_eq!([s.len(), y.len()], [self.point.len; 2], "a pair has the size of the image");
        let place = self.next_place();
        let slot = &self.slots[place];
        self.device.write(&slot.s, s);
        self.device.write(&slot.y, y);
        slot.norms.run(&self.device);
    }

    fn follow_history(&mut self) -> Result<Option<f64>, DeviceError> {
        let places = self.newest_first();
        let Some(&newest) = places.first() else { return Ok(None) };
        let (slope, curvatures) = self.run_recursion(&places, newest)?;
        match places.iter().find(|&&place| curvatures[place] > 0.0) {
            None => Ok(None),
            Some(&useful) if useful == newest => Ok(Some(slope)),
            // The newest pair is seldom of no use, so nothing waits for the curvatures before.
            Some(&useful) => Ok(Some(self.run_recursion(&places, useful)?.0)),
        }
    }

    fn face_downhill(&mut self) -> Result<f64, DeviceError> {
        self.face.run(&self.device);
        Ok(totals::<1>(&self.device, &self.sums, self.groups)?[0])
    }

    fn stretch(&mut self, factor: f32) {
        self.set_numbers(1.0, factor);
        self.stretch.run(&self.device);
    }

    fn go(&mut self, length: f32) -> Result<f64, DeviceError> {
        self.set_numbers(length, 1.0);
        self.go.run(&self.device);
        Ok(totals::<1>(&self.device, &self.sums, self.groups)?[0])
    }

    fn compare(&self) -> Result<TrialSums, DeviceError> {
        self.compare.run(&self.device);
        let [gradient_square, product, s_square, y_square] = totals(&self.device, &self.sums, self.groups)?;
        Ok(TrialSums { gradient_square, product, s_square, y_square })
    }

    fn accept(&mut self, remembers: bool) {
        if remembers {
            let place = self.next_place();
            Passes::run_all(&self.device, &[&self.slots[place].accept, &self.slots[place].norms]);
        } else {
            self.advance.run(&self.device);
        }
    }

    fn forget(&mut self) {
        (self.oldest, self.count) = (0, 0);
    }

    fn pairs(&self) -> usize {
        self.count
    }

    fn pair(&self, number: usize) -> Result<[Vec<f32>; 2], DeviceError> {
        assert!(number < self.count, "there are {} pairs", self.count);
        let PairPasses { s, y, .. } = &self.slots[(self.oldest + number) % self.slots.len()];
        let mut values = self.device.read(&[(s, 0..s.len), (y, 0..y.len)])?.into_iter();
        Ok([(); 2].map(|()| values.next().unwrap_or_default()))
    }

    fn point(&self) -> Result<Vec<f32>, DeviceError> {
        Ok(self.device.read(&[(&self.point, 0..self.point.len)])?.remove(0))
    }
}
