//! The terms of a workspace on the card.

use std::sync::Arc;

use crate::cpu::Isa;
use crate::cpu::kernels::matches::{MapRows, find_matches};
use crate::gpu::device::{GpuBuffer, GpuDevice, Shader};
use crate::gpu::passes::{Passes, Product, Window};
use crate::layer::Layer;
use crate::network::{
    ContentSums, ContentTerm, MatchCandidates, MatchTerm, PositionWeights, StyleChange, StyleSums, StyleTerm,
};

/// Positions of a chunk whose sums are f32.
const CHUNK: usize = 512;

/// Sums that are added up to one on the card at a time, and the most that come to the CPU.
const FAN: usize = 16;

/// Values that a workgroup takes the squares of, four at a time.
const SQUARE_QUADS: usize = 256;

/// The map of a term's layer.
#[derive(Clone)]
pub(crate) struct TermMap {
    pub(crate) layer: Layer,
    pub(crate) height: usize,
    pub(crate) width: usize,
    pub(crate) values: GpuBuffer,
}

/// Weights of positions on the card.
struct TermWeights {
    values: GpuBuffer,
    roots: GpuBuffer,
    total: f64,
}

/// Sums over the positions of a map, made on the card.
struct MapSums {
    /// At most [`FAN`] sums, one after the other.
    output: GpuBuffer,
    count: usize,
    /// Values of each.
    len: usize,
}

/// `Σ w |F - Y|²` of a map, made on the card.
struct SquareSums {
    output: GpuBuffer,
}

/// A style term.
pub(crate) struct GpuStyle {
    map: TermMap,
    window: Window,
    weights: Option<TermWeights>,
    products: MapSums,
    features: Option<MapSums>,
    s: GpuBuffer,
    b: GpuBuffer,
}

/// A content term.
pub(crate) struct GpuContent {
    map: TermMap,
    weights: Option<TermWeights>,
    pub(crate) reference: GpuBuffer,
    factor: GpuBuffer,
    squares: SquareSums,
    /// Of the reference.
    reference_features: MapSums,
    reference_squares: SquareSums,
}

/// A match term.
pub(crate) struct GpuMatch {
    map: TermMap,
    wraps: bool,
    position_weights: Option<Arc<PositionWeights>>,
    weights: Option<TermWeights>,
    candidates: Arc<MatchCandidates>,
    /// `[n, C]`
    targets: GpuBuffer,
    /// As they are on the card.
    matches: Vec<u32>,
    on_card: GpuBuffer,
    factor: GpuBuffer,
    squares: SquareSums,
}

impl TermMap {
    fn channels(&self) -> usize {
        self.layer.channels()
    }

    fn size(&self) -> [usize; 2] {
        [self.height, self.width]
    }

    fn quads(&self) -> usize {
        self.height * self.width * self.channels() / 4
    }

    fn whole(&self) -> Window {
        Window::whole(self.height, self.width)
    }
}

impl TermWeights {
    /// # Panics
    /// If there are not as many weights as positions.
    fn new(device: &GpuDevice, weights: Option<&Arc<PositionWeights>>, positions: usize) -> Option<Self> {
        weights.map(|weights| {
            let values = weights.values();
            assert_eq!(values.len(), positions, "{} weights for {positions} positions", values.len());
            let roots: Vec<f32> = values.iter().map(|w| w.sqrt()).collect();
            Self { values: device.buffer_of(values), roots: device.buffer_of(&roots), total: weights.total() }
        })
    }
}

impl MapSums {
    /// Sums `f fᵀ` or `f` over the positions of a window, each times its weight.
    fn new(
        device: &GpuDevice,
        passes: &mut Passes,
        function: &'static str,
        map: &TermMap,
        window: Window,
        weights: Option<&GpuBuffer>,
    ) -> Self {
        let (channels, chunks) = (map.channels(), window.positions().div_ceil(CHUNK));
        let blocks = channels / 64;
        let (len, groups, of_position) = match function {
            "products" => (channels * channels, [blocks, blocks, chunks], channels * (channels + 64)),
            _ => (channels, [channels.div_ceil(256), chunks, 1], channels),
        };
        let constants = [("CHANNELS", channels as u32), ("WEIGHTED", weights.is_some().into())];
        let params = |count: usize, len: usize| {
            let window = [map.width, window.top, window.left, window.width, window.positions()];
            window.into_iter().chain([count, len, 0]).map(|n| n as u32).collect::<Vec<_>>()
        };
        let mut output = device.buffer(chunks * len);
        let buffers = [&map.values, weights.unwrap_or(&map.values), &output];
        let operations = (window.positions() * of_position) as f64;
        passes.dispatch(device, (Shader::Sums, function), &constants, &params(0, 0), &buffers, groups, operations);
        let mut count = chunks;
        while count > FAN {
            let fewer = count.div_ceil(FAN);
            let sums = device.buffer(fewer * len);
            let buffers = [&output, &output, &sums];
            let groups = [(len / 4).div_ceil(64), fewer, 1];
            let constants = [("CHANNELS", channels as u32), ("WEIGHTED", 0)];
            passes.dispatch(device, (Shader::Sums, "add_up"), &constants, &params(count, len), &buffers, groups, 0.0);
            (output, count) = (sums, fewer);
        }
        Self { output, count, len }
    }

    fn output(&self) -> (&GpuBuffer, usize) {
        (&self.output, self.count * self.len)
    }

    /// The sum of the sums that came back.
    fn total(&self, values: &[f32]) -> Vec<f64> {
        let mut total = vec![0.0; self.len];
        for sums in values.chunks_exact(self.len) {
            total.iter_mut().zip(sums).for_each(|(total, &sum)| *total += f64::from(sum));
        }
        total
    }
}

/// What is subtracted from a map.
enum Target<'a> {
    Nothing,
    Reference(&'a GpuBuffer),
    Matches { candidates: &'a GpuBuffer, matches: &'a GpuBuffer },
}

impl Target<'_> {
    /// The constants of a function of differences, and its buffers but for the output.
    fn bind<'a>(
        &'a self,
        map: &'a TermMap,
        weights: Option<&'a TermWeights>,
    ) -> ([(&'static str, u32); 3], [&'a GpuBuffer; 4]) {
        let nothing = &map.values;
        let (number, targets, matches) = match self {
            Self::Nothing => (0, nothing, nothing),
            Self::Reference(reference) => (1, *reference, nothing),
            Self::Matches { candidates, matches } => (2, *candidates, *matches),
        };
        let constants =
            [("CHANNELS", map.channels() as u32), ("TARGET", number), ("WEIGHTED", weights.is_some().into())];
        (constants, [&map.values, targets, matches, weights.map_or(nothing, |weights| &weights.values)])
    }

    /// Adds the gradient `w c (F - Y)`.
    fn add_gradient(
        &self,
        device: &GpuDevice,
        passes: &mut Passes,
        map: &TermMap,
        weights: Option<&TermWeights>,
        factor: &GpuBuffer,
        gradient: &GpuBuffer,
    ) {
        let (constants, [source, targets, matches, weights]) = self.bind(map, weights);
        let buffers = [source, targets, matches, weights, gradient, factor];
        let params = [map.quads() as u32, 0, 0, 0];
        let function = (Shader::Differences, "add_gradient");
        passes.each(device, function, &constants, &params, &buffers, map.quads());
    }
}

impl SquareSums {
    fn new(
        device: &GpuDevice,
        passes: &mut Passes,
        map: &TermMap,
        target: &Target<'_>,
        weights: Option<&TermWeights>,
    ) -> Self {
        let groups = map.quads().div_ceil(SQUARE_QUADS);
        let output = device.buffer(4 * groups);
        let (constants, [source, targets, matches, weights]) = target.bind(map, weights);
        let buffers = [source, targets, matches, weights, &output, source];
        let params = [map.quads() as u32, 0, 0, 0];
        passes.each(device, (Shader::Differences, "squares"), &constants, &params, &buffers, groups * 64);
        Self { output }
    }

    fn output(&self) -> (&GpuBuffer, usize) {
        (&self.output, self.output.len)
    }

    /// The sum of the sums that came back.
    fn total(values: &[f32]) -> f64 {
        values.iter().step_by(4).map(|&v| f64::from(v)).sum()
    }
}

impl GpuStyle {
    /// A term, whose sums are added to the passes.
    ///
    /// # Panics
    /// If the window is not inside the map, or the weights are not those of as many positions.
    pub(crate) fn new(device: &GpuDevice, sums: &mut Passes, term: &StyleTerm, map: TermMap) -> Self {
        let window = term.window.map_or(map.whole(), |window| Window {
            top: window.top,
            left: window.left,
            height: window.height,
            width: window.width,
        });
        assert!(
            window.top + window.height <= map.height && window.left + window.width <= map.width,
            "the window {:?} is not inside a map of {}x{} positions",
            term.window,
            map.width,
            map.height
        );
        let weights = TermWeights::new(device, term.weights.as_ref(), window.positions());
        let roots = weights.as_ref().map(|weights| &weights.roots);
        let products = MapSums::new(device, sums, "products", &map, window, roots);
        let values = weights.as_ref().map(|weights| &weights.values);
        let features = term.means.then(|| MapSums::new(device, sums, "features", &map, window, values));
        let channels = map.channels();
        let (s, b) = (device.buffer(channels * channels), device.buffer(channels));
        Self { map, window, weights, products, features, s, b }
    }

    pub(crate) fn layer(&self) -> Layer {
        self.map.layer
    }

    /// What comes back from the sums.
    pub(crate) fn outputs(&self) -> impl Iterator<Item = (&GpuBuffer, usize)> {
        [Some(&self.products), self.features.as_ref()].into_iter().flatten().map(MapSums::output)
    }

    /// The sums, from what came back.
    pub(crate) fn sums(&self, values: &mut impl Iterator<Item = Vec<f32>>) -> StyleSums {
        let mut next = || values.next().expect("every output comes back");
        let (channels, mut products) = (self.map.channels(), self.products.total(&next()));
        for i in 0..channels {
            for j in 0..i / 64 * 64 {
                products[i * channels + j] = products[j * channels + i];
            }
        }
        let features = self.features.as_ref().map_or(vec![], |features| features.total(&next()));
        let total = self.weights.as_ref().map_or(self.window.positions() as f64, |weights| weights.total);
        StyleSums { total, features, products }
    }

    /// Sends a change to the card.
    ///
    /// # Panics
    /// If the change is not of the term's size.
    pub(crate) fn set_change(&self, device: &GpuDevice, change: &StyleChange<'_>) {
        let channels = self.map.channels();
        assert_eq!(change.s.len(), channels * channels, "S is [C, C]");
        assert_eq!(
            change.b.len(),
            if self.features.is_some() { channels } else { 0 },
            "b is [C] if the term has means"
        );
        device.write(&self.s, change.s);
        if !change.b.is_empty() {
            device.write(&self.b, change.b);
        }
    }

    /// Adds `w (F S + b)` to the gradient at the layer.
    pub(crate) fn add_gradient(&self, device: &GpuDevice, passes: &mut Passes, gradient: &GpuBuffer) {
        let channels = self.map.channels();
        passes.product(
            device,
            &Product {
                size: self.map.size(),
                window: self.window,
                taps: 1,
                channels: [channels; 2],
                wraps: false,
                rectifies: false,
                adds: true,
                source: &self.map.values,
                filters: &self.s,
                bias: &self.b,
                weights: self.weights.as_ref().map(|weights| &weights.values),
                output: gradient,
            },
        );
    }
}

impl GpuContent {
    /// A term. `of_reference`: the passes that take the sums of the reference. `squares`: those
    /// that take the squared differences from it.
    pub(crate) fn new(
        device: &GpuDevice,
        of_reference: &mut Passes,
        squares: &mut Passes,
        term: &ContentTerm,
        map: TermMap,
    ) -> Self {
        let weights = TermWeights::new(device, term.weights.as_ref(), map.height * map.width);
        let reference = device.buffer(map.values.len);
        let values = weights.as_ref().map(|weights| &weights.values);
        of_reference.copy(&map.values, &reference);
        let reference_features = MapSums::new(device, of_reference, "features", &map, map.whole(), values);
        let reference_squares = SquareSums::new(device, of_reference, &map, &Target::Nothing, weights.as_ref());
        let squares = SquareSums::new(device, squares, &map, &Target::Reference(&reference), weights.as_ref());
        let factor = device.buffer(1);
        Self { map, weights, reference, factor, squares, reference_features, reference_squares }
    }

    pub(crate) fn layer(&self) -> Layer {
        self.map.layer
    }

    /// What comes back from the sums of the reference.
    pub(crate) fn reference_outputs(&self) -> [(&GpuBuffer, usize); 2] {
        [self.reference_features.output(), self.reference_squares.output()]
    }

    /// The sums of the reference, from what came back.
    pub(crate) fn reference_sums(&self, values: &mut impl Iterator<Item = Vec<f32>>) -> ContentSums {
        let mut next = || values.next().expect("every output comes back");
        let features = self.reference_features.total(&next());
        let positions = (self.map.height * self.map.width) as f64;
        let total = self.weights.as_ref().map_or(positions, |weights| weights.total);
        ContentSums { total, features, squares: SquareSums::total(&next()) }
    }

    pub(crate) fn output(&self) -> (&GpuBuffer, usize) {
        self.squares.output()
    }

    pub(crate) fn set_factor(&self, device: &GpuDevice, c: f32) {
        device.write(&self.factor, &[c]);
    }

    /// Adds `w c (F - Y)` to the gradient at the layer.
    pub(crate) fn add_gradient(&self, device: &GpuDevice, passes: &mut Passes, gradient: &GpuBuffer) {
        let target = Target::Reference(&self.reference);
        target.add_gradient(device, passes, &self.map, self.weights.as_ref(), &self.factor, gradient);
    }
}

impl GpuMatch {
    /// A term. `squares`: the passes that take the squared differences from the matches.
    pub(crate) fn new(device: &GpuDevice, squares: &mut Passes, term: &MatchTerm, map: TermMap, wraps: bool) -> Self {
        let MatchTerm { layer, weights: position_weights, candidates } = term.clone();
        assert_eq!(candidates.channels(), layer.channels(), "candidates of the term's layer");
        let positions = map.height * map.width;
        let weights = TermWeights::new(device, position_weights.as_ref(), positions);
        let of_candidate = |i: usize| {
            let centred = candidates.centred(i as u32).iter();
            centred.zip(candidates.mean()).map(|(centred, mean)| centred + mean).collect::<Vec<f32>>()
        };
        let targets: Vec<f32> = (0..candidates.len()).flat_map(of_candidate).collect();
        let (targets, on_card) = (device.buffer_of(&targets), device.buffer(positions));
        let target = Target::Matches { candidates: &targets, matches: &on_card };
        let squares = SquareSums::new(device, squares, &map, &target, weights.as_ref());
        let factor = device.buffer(1);
        let matches = vec![];
        Self { map, wraps, position_weights, weights, candidates, targets, matches, on_card, factor, squares }
    }

    pub(crate) fn layer(&self) -> Layer {
        self.map.layer
    }

    /// The map whose positions are matched.
    pub(crate) fn map(&self) -> (&GpuBuffer, usize) {
        (&self.map.values, self.map.values.len)
    }

    /// Finds the matches of the map's positions, on the CPU.
    pub(crate) fn search(&mut self, device: &GpuDevice, isa: Isa, values: &[f32]) {
        let TermMap { height, width, .. } = self.map;
        let map = MapRows { values, first: 0, height, width, wraps: self.wraps };
        let weights = self.position_weights.as_ref().map(|weights| weights.values());
        self.take_matches(device, find_matches(isa, map, 0..height, weights, &self.candidates));
    }

    fn take_matches(&mut self, device: &GpuDevice, matches: Vec<u32>) {
        device.write(&self.on_card, &matches);
        self.matches = matches;
    }

    /// The number of the candidate for each position of the map.
    pub(crate) fn matches(&self) -> &[u32] {
        &self.matches
    }

    /// Takes matches found before. Returns `false` if they are not those of the term's positions
    /// and candidates. Nothing has changed then.
    pub(crate) fn set_matches(&mut self, device: &GpuDevice, matches: &[u32]) -> bool {
        let is_weightless = |i: usize| self.position_weights.as_ref().is_some_and(|weights| weights.values()[i] == 0.0);
        let fits = matches.len() == self.map.height * self.map.width
            && matches.iter().enumerate().all(|(i, &m)| self.candidates.counts(m) || m == 0 && is_weightless(i));
        if fits {
            self.take_matches(device, matches.to_vec());
        }
        fits
    }

    pub(crate) fn output(&self) -> (&GpuBuffer, usize) {
        self.squares.output()
    }

    pub(crate) fn set_factor(&self, device: &GpuDevice, c: f32) {
        device.write(&self.factor, &[c]);
    }

    /// Adds `w c (F - Y)` to the gradient at the layer.
    pub(crate) fn add_gradient(&self, device: &GpuDevice, passes: &mut Passes, gradient: &GpuBuffer) {
        let target = Target::Matches { candidates: &self.targets, matches: &self.on_card };
        target.add_gradient(device, passes, &self.map, self.weights.as_ref(), &self.factor, gradient);
    }
}

/// `Σ w |F - Y|²` from what came back.
pub(crate) fn squares(values: &mut impl Iterator<Item = Vec<f32>>) -> f64 {
    SquareSums::total(&values.next().expect("every output comes back"))
}
