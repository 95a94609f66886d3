//! Where convolutions read and write: feature maps, or some rows of them.
//!
//! Rectifier, pooling, masks and the gradients of losses are fused into the access, so no map is
//! read or written twice. Rows that are not there read as zeros.

use std::ops::Range;

use super::buffer::Shared;
use super::feature_map::FeatureMap;
use super::simd::Simd;
use super::winograd::{Border, Sink, Source};
use crate::pooling::{Pooling, WINDOW};

/// Bit masks of a map `[H, W, C]`, one bit a value: `[H, W, C / 8]` bytes, channel `c` at bit `c %
/// 8`.
///
/// The masks of a pooling's windows are four such maps, one after the other at each position: `[H,
/// W, 4, C / 8]`. A bit is set if the gradient goes through the pooling and the rectifier before it
/// to the window's position `2 * dy + dx`.
pub(crate) type BitMask = Vec<u8>;

/// Where some consecutive rows belong in their map.
#[derive(Clone, Copy)]
pub(crate) struct Rows {
    /// The first of the rows.
    pub(crate) first: usize,
    /// Rows of the whole map.
    pub(crate) height: usize,
}

impl Rows {
    /// All rows of a map.
    pub(crate) fn all(map: &FeatureMap) -> Self {
        Self { first: 0, height: map.height() }
    }

    fn of(self, map: &FeatureMap) -> Range<usize> {
        self.first..self.first + map.height()
    }
}

/// A feature map or some rows of it, and what lies beyond its border.
pub(crate) struct MapSource<'a> {
    map: &'a FeatureMap,
    rows: Rows,
    /// The row behind the last one that is read.
    end: usize,
    border: Border,
}

impl<'a> MapSource<'a> {
    /// A source of the `rows` of a map.
    pub(crate) fn new(map: &'a FeatureMap, rows: Rows, border: Border) -> Self {
        let end = rows.of(map).end;
        assert!(end <= rows.height);
        Self { map, rows, end, border }
    }

    /// The same source without the rows from `end` on. These hold something else, and read as
    /// zeros.
    pub(crate) fn up_to(self, end: usize) -> Self {
        Self { end: end.min(self.end), ..self }
    }
}

impl Source for MapSource<'_> {
    fn shape(&self) -> [usize; 3] {
        [self.rows.height, self.map.width(), self.map.channels()]
    }

    #[inline(always)]
    fn rows(&self) -> Range<usize> {
        self.rows.first..self.end
    }

    fn border(&self) -> Border {
        self.border
    }

    #[inline(always)]
    unsafe fn load<S: Simd>(&self, s: S, y: usize, x: usize, c: usize) -> S::F {
        let map = self.map;
        // SAFETY: the caller's promise.
        unsafe { s.load(map.as_slice().as_ptr().add(((y - self.rows.first) * map.width() + x) * map.channels() + c)) }
    }
}

/// The gradient before a rectifier and a pooling, made from the gradient behind them.
pub(crate) struct UnpoolSource<'a> {
    gradient: &'a FeatureMap,
    /// The rows of `gradient`.
    rows: Rows,
    windows: &'a [u8],
    height: usize,
    width: usize,
    scale: f32,
    border: Border,
}

impl<'a> UnpoolSource<'a> {
    /// `gradient`: the `rows` of the map behind the pooling. `windows`: masks from the first of
    /// these rows on. `height`, `width` and `border`: those of the map before the pooling.
    pub(crate) fn new(
        gradient: &'a FeatureMap,
        rows: Rows,
        windows: &'a [u8],
        pooling: Pooling,
        height: usize,
        width: usize,
        border: Border,
    ) -> Self {
        assert_eq!((rows.height, gradient.width()), (height / 2, width / 2));
        assert!(rows.of(gradient).end <= rows.height);
        assert!(windows.len() * 8 >= gradient.as_slice().len() * WINDOW);
        Self { gradient, rows, windows, height, width, scale: pooling.gradient_scale(), border }
    }
}

impl Source for UnpoolSource<'_> {
    fn shape(&self) -> [usize; 3] {
        [self.height, self.width, self.gradient.channels()]
    }

    #[inline(always)]
    fn rows(&self) -> Range<usize> {
        let rows = self.rows.of(self.gradient);
        // A last odd row, which is in no window, belongs to the last rows.
        2 * rows.start..if rows.end == self.rows.height { self.height } else { 2 * rows.end }
    }

    fn border(&self) -> Border {
        self.border
    }

    #[inline(always)]
    unsafe fn load<S: Simd>(&self, s: S, y: usize, x: usize, c: usize) -> S::F {
        let map = self.gradient;
        let (py, px) = (y / 2, x / 2);
        // A last odd row or column is in no window.
        if py >= self.rows.height || px >= map.width() {
            return s.splat(0.0);
        }
        let position = (py - self.rows.first) * map.width() + px;
        let place = 2 * (y % 2) + x % 2;
        // SAFETY: the position is inside the pooled map.
        unsafe {
            let bits = s.load_bits(self.windows.as_ptr().add(((position * WINDOW + place) * map.channels() + c) / 8));
            let v = s.load(map.as_slice().as_ptr().add(position * map.channels() + c));
            s.mul(s.keep(v, bits), s.splat(self.scale))
        }
    }
}

/// Some rows of a map that several threads write to.
#[derive(Clone)]
struct WrittenRows {
    values: Shared<f32>,
    rows: Rows,
    /// The rows to write.
    wanted: Range<usize>,
    width: usize,
    channels: usize,
}

impl WrittenRows {
    fn new(map: &mut FeatureMap, rows: Rows, wanted: Range<usize>) -> Self {
        let there = rows.of(map);
        assert!(there.start <= wanted.start && wanted.end <= there.end && there.end <= rows.height);
        let (width, channels) = (map.width(), map.channels());
        Self { values: Shared::new(map.as_mut_slice()), rows, wanted, width, channels }
    }

    /// Returns the index of a value.
    #[inline(always)]
    fn index(&self, y: usize, x: usize, c: usize) -> usize {
        ((y - self.rows.first) * self.width + x) * self.channels + c
    }
}

/// `conv + bias`, or `max(conv + bias, 0)` with its mask.
pub(crate) struct MapSink<'a> {
    target: WrittenRows,
    bias: &'a [f32],
    /// Bits of the values that the rectifier let through. `None`: there is no rectifier.
    mask: Option<Shared<u8>>,
}

impl<'a> MapSink<'a> {
    /// A sink into the `wanted` ones of the `rows` of a map. `mask`: the mask from the first of the
    /// rows on.
    pub(crate) fn new(
        map: &mut FeatureMap,
        rows: Rows,
        wanted: Range<usize>,
        bias: &'a [f32],
        mask: Option<&mut [u8]>,
    ) -> Self {
        assert_eq!(bias.len(), map.channels());
        assert!(mask.as_ref().is_none_or(|mask| mask.len() * 8 >= map.as_slice().len()));
        Self { target: WrittenRows::new(map, rows, wanted), bias, mask: mask.map(Shared::new) }
    }
}

impl Sink for MapSink<'_> {
    fn shape(&self) -> [usize; 3] {
        [self.target.rows.height, self.target.width, self.target.channels]
    }

    fn rows(&self) -> Range<usize> {
        self.target.wanted.clone()
    }

    #[inline(always)]
    unsafe fn store<S: Simd, const M: usize>(&self, s: S, y: usize, x: usize, k: usize, tile: &[[S::F; M]; M]) {
        let target = &self.target;
        // SAFETY: only places inside the map are touched, and the tile is this thread's alone.
        unsafe {
            let bias = s.load(self.bias.as_ptr().add(k));
            for i in 0..M {
                for j in 0..M {
                    if y + i < target.wanted.end && x + j < target.width {
                        let at = target.index(y + i, x + j, k);
                        let mut v = s.add(tile[i][j], bias);
                        if let Some(mask) = &self.mask {
                            s.store_bits(mask.at(at / 8), s.greater(v, s.splat(0.0)));
                            // NaN as the second operand is kept: it reaches the loss, which is
                            // checked.
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
    target: WrittenRows,
    bias: &'a [f32],
    windows: Shared<u8>,
    pooling: Pooling,
    wanted: Range<usize>,
    height: usize,
    width: usize,
}

impl<'a> PoolSink<'a> {
    /// A sink into the `rows` of the map behind the pooling. `windows`: masks from the first of
    /// these rows on. `height`, `width` and `wanted`: those of the map before the pooling. `wanted`
    /// begins with an even row, and ends with an even row or with the map.
    pub(crate) fn new(
        map: &mut FeatureMap,
        rows: Rows,
        wanted: Range<usize>,
        bias: &'a [f32],
        windows: &mut [u8],
        pooling: Pooling,
        height: usize,
        width: usize,
    ) -> Self {
        assert_eq!(bias.len(), map.channels());
        assert_eq!((rows.height, map.width()), (height / 2, width / 2));
        assert!(windows.len() * 8 >= map.as_slice().len() * WINDOW);
        assert!(wanted.start.is_multiple_of(2) && (wanted.end.is_multiple_of(2) || wanted.end == height));
        let target = WrittenRows::new(map, rows, wanted.start / 2..wanted.end / 2);
        Self { target, bias, windows: Shared::new(windows), pooling, wanted, height, width }
    }
}

impl Sink for PoolSink<'_> {
    fn shape(&self) -> [usize; 3] {
        [self.height, self.width, self.target.channels]
    }

    fn rows(&self) -> Range<usize> {
        self.wanted.clone()
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
                    if py >= target.wanted.end || px >= target.width {
                        continue;
                    }
                    let mut v = [zero; WINDOW];
                    for place in 0..WINDOW {
                        v[place] = s.max(zero, s.add(tile[2 * i + place / 2][2 * j + place % 2], bias));
                    }
                    let (pooled, bits) = pool(s, v, self.pooling);
                    let position = (py - target.rows.first) * target.width + px;
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

/// Pools rectified values. The masks say to which of them the gradient goes back.
#[inline(always)]
fn pool<S: Simd>(s: S, v: [S::F; WINDOW], pooling: Pooling) -> (S::F, [u32; WINDOW]) {
    let zero = s.splat(0.0);
    let mut bits = [0; WINDOW];
    match pooling {
        Pooling::Max => {
            let largest = s.max(s.max(v[0], v[1]), s.max(v[2], v[3]));
            // Of equal values the first, and none if the rectifier cut off all four.
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

/// A gradient with respect to a map. It is added to the gradient that a loss put there, and the
/// rectifier's mask cuts it.
pub(crate) struct GradientSink<'a> {
    target: WrittenRows,
    mask: Option<&'a [u8]>,
    accumulate: bool,
}

impl<'a> GradientSink<'a> {
    /// A sink into the `wanted` ones of the `rows` of a map. `mask`: the mask of the rectifier that
    /// made the map, from the first of the rows on. `accumulate`: the map holds a gradient already,
    /// which the mask has not cut yet.
    pub(crate) fn new(
        map: &mut FeatureMap,
        rows: Rows,
        wanted: Range<usize>,
        mask: Option<&'a [u8]>,
        accumulate: bool,
    ) -> Self {
        assert!(mask.is_none_or(|mask| mask.len() * 8 >= map.as_slice().len()));
        Self { target: WrittenRows::new(map, rows, wanted), mask, accumulate }
    }
}

impl Sink for GradientSink<'_> {
    fn shape(&self) -> [usize; 3] {
        [self.target.rows.height, self.target.width, self.target.channels]
    }

    fn rows(&self) -> Range<usize> {
        self.target.wanted.clone()
    }

    #[inline(always)]
    unsafe fn store<S: Simd, const M: usize>(&self, s: S, y: usize, x: usize, k: usize, tile: &[[S::F; M]; M]) {
        let target = &self.target;
        // SAFETY: only places inside the map are touched, and the tile is this thread's alone.
        unsafe {
            for i in 0..M {
                for j in 0..M {
                    if y + i < target.wanted.end && x + j < target.width {
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
