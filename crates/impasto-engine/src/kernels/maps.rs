//! Where convolutions read and write: feature maps, with rectifier, pooling, masks and gradients fused into the access.

use super::buffer::Shared;
use super::simd::Simd;
use super::winograd::{Border, Sink, Source};
use crate::FeatureMap;
use crate::pooling::Pooling;

/// Bit masks of a map `[H, W, C]`, one bit a value: `[H, W, C / 8]` bytes, channel `c` at bit `c % 8`.
///
/// The masks of a pooling's windows are four such maps, one after the other at each position: `[H, W, 4, C / 8]`, bit set where the
/// gradient goes through the pooling and the rectifier before it to the window's pixel `2 * dy + dx`.
pub(crate) type Mask = Vec<u8>;

/// Places of a window.
pub(crate) const WINDOW: usize = 4;

/// A feature map, and what lies beyond.
pub(crate) struct MapSource<'a>(pub &'a FeatureMap, pub Border);

impl Source for MapSource<'_> {
    fn shape(&self) -> [usize; 3] {
        [self.0.height(), self.0.width(), self.0.channels()]
    }

    fn border(&self) -> Border {
        self.1
    }

    #[inline(always)]
    unsafe fn load<S: Simd>(&self, s: S, y: usize, x: usize, c: usize) -> S::F {
        let map = self.0;
        // SAFETY: the caller's promise.
        unsafe { s.load(map.as_slice().as_ptr().add((y * map.width() + x) * map.channels() + c)) }
    }
}

/// The gradient before a rectifier and a pooling, given the gradient after them.
pub(crate) struct UnpoolSource<'a> {
    gradient: &'a FeatureMap,
    windows: &'a [u8],
    height: usize,
    width: usize,
    scale: f32,
    border: Border,
}

impl<'a> UnpoolSource<'a> {
    /// `gradient`: after the pooling; `height`, `width` and `border`: before it.
    pub(crate) fn new(
        gradient: &'a FeatureMap,
        windows: &'a [u8],
        pooling: Pooling,
        height: usize,
        width: usize,
        border: Border,
    ) -> Self {
        assert_eq!((gradient.height(), gradient.width()), (height / 2, width / 2));
        assert_eq!(windows.len() * 8, gradient.as_slice().len() * WINDOW);
        Self { gradient, windows, height, width, scale: pooling.gradient_scale(), border }
    }
}

impl Source for UnpoolSource<'_> {
    fn shape(&self) -> [usize; 3] {
        [self.height, self.width, self.gradient.channels()]
    }

    fn border(&self) -> Border {
        self.border
    }

    #[inline(always)]
    unsafe fn load<S: Simd>(&self, s: S, y: usize, x: usize, c: usize) -> S::F {
        let map = self.gradient;
        let (py, px) = (y / 2, x / 2);
        // A last odd row or column is in no window.
        if py >= map.height() || px >= map.width() {
            return s.splat(0.0);
        }
        let position = py * map.width() + px;
        let place = 2 * (y % 2) + x % 2;
        // SAFETY: the position is inside the pooled map.
        unsafe {
            let bits = s.load_bits(self.windows.as_ptr().add(((position * WINDOW + place) * map.channels() + c) / 8));
            let v = s.load(map.as_slice().as_ptr().add(position * map.channels() + c));
            s.mul(s.keep(v, bits), s.splat(self.scale))
        }
    }
}

/// A feature map's memory, written to by several threads.
#[derive(Clone, Copy)]
struct Target {
    values: Shared<f32>,
    height: usize,
    width: usize,
    channels: usize,
}

impl Target {
    fn new(map: &mut FeatureMap) -> Self {
        let (height, width, channels) = (map.height(), map.width(), map.channels());
        Self { values: Shared::new(map.as_mut_slice()), height, width, channels }
    }

    /// Index of a value.
    #[inline(always)]
    fn index(&self, y: usize, x: usize, c: usize) -> usize {
        (y * self.width + x) * self.channels + c
    }
}

/// `conv + bias`, or `max(conv + bias, 0)` with its mask.
pub(crate) struct MapSink<'a> {
    target: Target,
    bias: &'a [f32],
    /// Where the rectifier let the value through; none: no rectifier.
    mask: Option<Shared<u8>>,
}

impl<'a> MapSink<'a> {
    pub(crate) fn new(map: &mut FeatureMap, bias: &'a [f32], mask: Option<&mut Mask>) -> Self {
        assert_eq!(bias.len(), map.channels());
        assert!(mask.as_ref().is_none_or(|mask| mask.len() * 8 == map.as_slice().len()));
        Self { target: Target::new(map), bias, mask: mask.map(|mask| Shared::new(mask)) }
    }
}

impl Sink for MapSink<'_> {
    fn shape(&self) -> [usize; 3] {
        [self.target.height, self.target.width, self.target.channels]
    }

    #[inline(always)]
    unsafe fn store<S: Simd, const M: usize>(&self, s: S, y: usize, x: usize, k: usize, tile: &[[S::F; M]; M]) {
        let target = &self.target;
        // SAFETY: only places inside the map are touched, and the tile is this thread's alone.
        unsafe {
            let bias = s.load(self.bias.as_ptr().add(k));
            for i in 0..M {
                for j in 0..M {
                    if y + i < target.height && x + j < target.width {
                        let at = target.index(y + i, x + j, k);
                        let mut v = s.add(tile[i][j], bias);
                        if let Some(mask) = &self.mask {
                            s.store_bits(mask.at(at / 8), s.greater(v, s.splat(0.0)));
                            // NaN as first operand: it goes on to the loss, where it is noticed.
                            v = s.max(s.splat(0.0), v);
                        }
                        s.store(target.values.at(at), v);
                    }
                }
            }
        }
    }
}

/// `pool(max(conv + bias, 0))`, 2x2 windows with stride 2, and the windows' masks.
pub(crate) struct PoolSink<'a> {
    target: Target,
    bias: &'a [f32],
    windows: Shared<u8>,
    pooling: Pooling,
    height: usize,
    width: usize,
}

impl<'a> PoolSink<'a> {
    /// `map`: after the pooling; `height` and `width`: before it.
    pub(crate) fn new(
        map: &mut FeatureMap,
        bias: &'a [f32],
        windows: &mut Mask,
        pooling: Pooling,
        height: usize,
        width: usize,
    ) -> Self {
        assert_eq!(bias.len(), map.channels());
        assert_eq!((map.height(), map.width()), (height / 2, width / 2));
        assert_eq!(windows.len() * 8, map.as_slice().len() * WINDOW);
        Self { target: Target::new(map), bias, windows: Shared::new(windows), pooling, height, width }
    }
}

impl Sink for PoolSink<'_> {
    fn shape(&self) -> [usize; 3] {
        [self.height, self.width, self.target.channels]
    }

    #[inline(always)]
    unsafe fn store<S: Simd, const M: usize>(&self, s: S, y: usize, x: usize, k: usize, tile: &[[S::F; M]; M]) {
        let target = &self.target;
        let zero = s.splat(0.0);
        // SAFETY: only places inside the map are touched, and the tile is this thread's alone.
        unsafe {
            let bias = s.load(self.bias.as_ptr().add(k));
            for i in 0..M / 2 {
                for j in 0..M / 2 {
                    let (py, px) = (y / 2 + i, x / 2 + j);
                    if py >= target.height || px >= target.width {
                        continue;
                    }
                    let mut v = [zero; WINDOW];
                    for place in 0..WINDOW {
                        v[place] = s.max(zero, s.add(tile[2 * i + place / 2][2 * j + place % 2], bias));
                    }
                    let (pooled, bits) = pool(s, v, self.pooling);
                    let position = py * target.width + px;
                    for place in 0..WINDOW {
                        let at = (position * WINDOW + place) * target.channels + k;
                        s.store_bits(self.windows.at(at / 8), bits[place]);
                    }
                    s.store(target.values.at(position * target.channels + k), pooled);
                }
            }
        }
    }
}

/// Pools rectified values; the masks say which of them the gradient goes back to.
#[inline(always)]
fn pool<S: Simd>(s: S, v: [S::F; WINDOW], pooling: Pooling) -> (S::F, [u32; WINDOW]) {
    let zero = s.splat(0.0);
    let mut bits = [0; WINDOW];
    match pooling {
        Pooling::Max => {
            let largest = s.max(s.max(v[0], v[1]), s.max(v[2], v[3]));
            // The first of equals, and none where the rectifier cut off all four.
            let mut free = s.greater(largest, zero);
            for place in 0..WINDOW {
                bits[place] = free & s.at_least(v[place], largest);
                free &= !bits[place];
            }
            (largest, bits)
        }
        Pooling::Average => {
            for place in 0..WINDOW {
                bits[place] = s.greater(v[place], zero);
            }
            (s.mul(s.add(s.add(v[0], v[1]), s.add(v[2], v[3])), s.splat(0.25)), bits)
        }
    }
}

/// A gradient with respect to a map: added to what the losses put there, and cut by the rectifier's mask.
pub(crate) struct GradientSink<'a> {
    target: Target,
    mask: Option<&'a [u8]>,
    accumulate: bool,
}

impl<'a> GradientSink<'a> {
    /// `mask`: of the rectifier that made the map. `accumulate`: the map holds a gradient already, before the mask.
    pub(crate) fn new(map: &mut FeatureMap, mask: Option<&'a [u8]>, accumulate: bool) -> Self {
        assert!(mask.is_none_or(|mask| mask.len() * 8 == map.as_slice().len()));
        Self { target: Target::new(map), mask, accumulate }
    }
}

impl Sink for GradientSink<'_> {
    fn shape(&self) -> [usize; 3] {
        [self.target.height, self.target.width, self.target.channels]
    }

    #[inline(always)]
    unsafe fn store<S: Simd, const M: usize>(&self, s: S, y: usize, x: usize, k: usize, tile: &[[S::F; M]; M]) {
        let target = &self.target;
        // SAFETY: only places inside the map are touched, and the tile is this thread's alone.
        unsafe {
            for i in 0..M {
                for j in 0..M {
                    if y + i < target.height && x + j < target.width {
                        let at = target.index(y + i, x + j, k);
                        let mut v = tile[i][j];
                        if self.accumulate {
                            v = s.add(v, s.load(target.values.at(at)));
                        }
                        if let Some(mask) = self.mask {
                            v = s.keep(v, s.load_bits(mask.as_ptr().add(at / 8)));
                        }
                        s.store(target.values.at(at), v);
                    }
                }
            }
        }
    }
}
