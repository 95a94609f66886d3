//! The terms of a workspace on the card.

use std::ops::Range;
use std::sync::Arc;

use crate::cpu::Isa;
use crate::cpu::kernels::matches::{MapRows, find_matches};
use crate::gpu::device::{GpuBuffer, GpuDevice, Shader};
use crate::gpu::passes::{Passes, Product, Window};
use crate::layer::Layer;
use crate::network::{
    ContentSums, ContentTerm, MatchCandidates, MatchTerm, PositionWeights, StyleChange, StyleSums, StyleTerm,
};
use crate::plan::card::{SUM_CHUNK, SUM_FAN, SUMS_BACK};

/// Values that a workgroup takes the squares of, four at a time.
const SQUARE_QUADS: usize = 256;

/// The map of a term's layer for a band of the image, and the rows of it that count.
#[derive(Clone)]
pub(crate) struct TermMap {
    pub(crate) layer: Layer,
    /// Rows of the map, those around the band included.
    pub(crate) height: usize,
    pub(crate) width: usize,
    /// The rows that count.
    pub(crate) counted: Range<usize>,
    /// The row of the whole image's map that they begin at.
    pub(crate) first_row: usize,
    pub(crate) values: GpuBuffer,
}

/// Weights of the positions of a term on the card.
struct TermWeights {
    values: GpuBuffer,
    roots: GpuBuffer,
    total: f64,
}

/// Buffers for sums on their way to a total. All terms share them, because their sums follow one
/// another.
pub(crate) struct Scratch([GpuBuffer; 2]);

/// Sums over the positions of a map, made on the card.
struct MapSums {
    /// At most [`SUMS_BACK`] sums, one after the other.
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
    layer: Layer,
    /// Of the whole image's map.
    window: Window,
    weights: Option<TermWeights>,
    means: bool,
    s: GpuBuffer,
    b: GpuBuffer,
    /// `None`: nothing of the window lies in the band.
    bands: Vec<Option<StyleBand>>,
}

/// A style term in a band.
struct StyleBand {
    map: TermMap,
    /// Of the band's map.
    window: Window,
    /// Number of the window's first position among those of the whole window.
    first: usize,
    products: MapSums,
    features: Option<MapSums>,
}

/// A content term.
pub(crate) struct GpuContent {
    layer: Layer,
    /// Positions of the whole map.
    positions: usize,
    weights: Option<TermWeights>,
    factor: GpuBuffer,
    bands: Vec<ContentBand>,
}

/// A content term in a band.
struct ContentBand {
    map: TermMap,
    /// The counted rows of the reference.
    reference: GpuBuffer,
    squares: SquareSums,
    /// Of the reference.
    reference_features: MapSums,
    reference_squares: SquareSums,
}

/// A match term.
pub(crate) struct GpuMatch {
    layer: Layer,
    /// Height and width of the whole map.
    size: [usize; 2],
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
    bands: Vec<(TermMap, SquareSums)>,
}

impl TermMap {
    fn channels(&self) -> usize {
        self.layer.channels()
    }

    fn size(&self) -> [usize; 2] {
        [self.height, self.width]
    }

    /// The rows that count.
    fn window(&self) -> Window {
        Window { top: self.counted.start, left: 0, height: self.counted.len(), width: self.width }
    }

    /// Where the values that count begin, and how many there are.
    pub(crate) fn counted_values(&self) -> Range<usize> {
        let row = self.width * self.channels();
        self.counted.start * row..self.counted.end * row
    }

    /// Number of the first position that counts in the whole image's map.
    fn first_position(&self) -> usize {
        self.first_row * self.width
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

impl Scratch {
    /// Room for the products of the positions of any of these layers, for a band of `pixels`.
    pub(crate) fn new(device: &GpuDevice, layers: &[Layer], pixels: usize) -> Self {
        let values = |layer: &Layer| {
            let chunks = (pixels >> (2 * layer.poolings())).div_ceil(SUM_CHUNK) + 1;
            (chunks * layer.channels().pow(2), chunks.div_ceil(SUM_FAN) * layer.channels().pow(2))
        };
        let most = |of: fn((usize, usize)) -> usize| layers.iter().map(|layer| of(values(layer))).max().unwrap_or(0);
        Self([device.buffer(most(|(all, _)| all)), device.buffer(most(|(_, fewer)| fewer))])
    }
}

impl MapSums {
    /// Sums `f fᵀ` or `f` over the positions of a window, each times its weight. `first`: number of
    /// the window's first position among the weights.
    fn new(
        device: &GpuDevice,
        passes: &mut Passes,
        scratch: &Scratch,
        function: &'static str,
        map: &TermMap,
        window: Window,
        weights: Option<(&GpuBuffer, usize)>,
    ) -> Self {
        let (channels, chunks) = (map.channels(), window.positions().div_ceil(SUM_CHUNK));
        let blocks = channels / 64;
        let (len, groups, of_position) = match function {
            "products" => (channels * channels, [blocks, blocks, chunks], channels * (channels + 64)),
            _ => (channels, [channels.div_ceil(256), chunks, 1], channels),
        };
        let (weight_values, first) = weights.unwrap_or((&map.values, 0));
        let constants = [("CHANNELS", channels as u32), ("WEIGHTED", weights.is_some().into())];
        let params = |count: usize, len: usize| {
            let window = [map.width, window.top, window.left, window.width, window.positions()];
            window.into_iter().chain([count, len, first]).map(|n| n as u32).collect::<Vec<_>>()
        };
        let output = device.buffer(chunks.min(SUMS_BACK) * len);
        let [mut sums, mut spare] = if chunks > SUMS_BACK { scratch.0.each_ref() } else { [&output, &output] };
        let operations = (window.positions() * of_position) as f64;
        let buffers = [&map.values, weight_values, sums];
        passes.dispatch(device, (Shader::Sums, function), &constants, &params(0, 0), &buffers, groups, operations);
        let mut count = chunks;
        while count > SUMS_BACK {
            let fewer = count.div_ceil(SUM_FAN);
            let next = if fewer > SUMS_BACK { spare } else { &output };
            let groups = [(len / 4).div_ceil(64), fewer, 1];
            let constants = [("CHANNELS", channels as u32), ("WEIGHTED", 0)];
            let buffers = [sums, sums, next];
            passes.dispatch(device, (Shader::Sums, "add_up"), &constants, &params(count, len), &buffers, groups, 0.0);
            (sums, spare, count) = (next, sums, fewer);
        }
        Self { output, count, len }
    }

    fn output(&self) -> (&GpuBuffer, usize) {
        (&self.output, self.count * self.len)
    }

    /// Adds the sums that came back to a total.
    fn add(&self, values: &[f32], total: &mut [f64]) {
        for sums in values.chunks_exact(self.len) {
            total.iter_mut().zip(sums).for_each(|(total, &sum)| *total += f64::from(sum));
        }
    }
}

/// What is subtracted from a map.
enum Target<'a> {
    Nothing,
    Reference(&'a GpuBuffer),
    Matches { candidates: &'a GpuBuffer, matches: &'a GpuBuffer },
}

impl Target<'_> {
    /// The constants of a function of differences, its parameters, and its buffers but for the
    /// output.
    fn bind<'a>(
        &'a self,
        map: &'a TermMap,
        weights: Option<&'a TermWeights>,
    ) -> ([(&'static str, u32); 3], [u32; 4], [&'a GpuBuffer; 4]) {
        let nothing = &map.values;
        let (number, targets, matches) = match self {
            Self::Nothing => (0, nothing, nothing),
            Self::Reference(reference) => (1, *reference, nothing),
            Self::Matches { candidates, matches } => (2, *candidates, *matches),
        };
        let constants =
            [("CHANNELS", map.channels() as u32), ("TARGET", number), ("WEIGHTED", weights.is_some().into())];
        let values = map.counted_values();
        let params = [values.len() / 4, values.start / 4, map.first_position(), 0].map(|n| n as u32);
        (constants, params, [&map.values, targets, matches, weights.map_or(nothing, |weights| &weights.values)])
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
        let (constants, params, [source, targets, matches, weights]) = self.bind(map, weights);
        let buffers = [source, targets, matches, weights, gradient, factor];
        let function = (Shader::Differences, "add_gradient");
        passes.each(device, function, &constants, &params, &buffers, map.counted_values().len() / 4);
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
        let groups = (map.counted_values().len() / 4).div_ceil(SQUARE_QUADS);
        let output = device.buffer(4 * groups);
        let (constants, params, [source, targets, matches, weights]) = target.bind(map, weights);
        let buffers = [source, targets, matches, weights, &output, source];
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

/// The next of the values that came back.
fn next(values: &mut impl Iterator<Item = Vec<f32>>) -> Vec<f32> {
    values.next().expect("every output comes back")
}

impl GpuStyle {
    /// A term on images whose map of the layer has this height and width.
    ///
    /// # Panics
    /// If the window is not inside the map, or the weights are not those of as many positions.
    pub(crate) fn new(device: &GpuDevice, term: &StyleTerm, [height, width]: [usize; 2]) -> Self {
        let window = term.window.map_or(Window::whole(height, width), |window| Window {
            top: window.top,
            left: window.left,
            height: window.height,
            width: window.width,
        });
        assert!(
            window.top + window.height <= height && window.left + window.width <= width,
            "the window {:?} is not inside a map of {width}x{height} positions",
            term.window,
        );
        let weights = TermWeights::new(device, term.weights.as_ref(), window.positions());
        let channels = term.layer.channels();
        let (s, b) = (device.buffer(channels * channels), device.buffer(channels));
        Self { layer: term.layer, window, weights, means: term.means, s, b, bands: vec![] }
    }

    /// Adds a band, and its sums to the passes.
    pub(crate) fn add_band(&mut self, device: &GpuDevice, sums: &mut Passes, scratch: &Scratch, map: TermMap) {
        let Window { top, left, height, width } = self.window;
        let end_row = map.first_row + map.counted.len();
        let (first, end) = (top.max(map.first_row), (top + height).min(end_row));
        if first >= end {
            self.bands.push(None);
            return;
        }
        let window = Window { top: map.counted.start + first - map.first_row, left, height: end - first, width };
        let first = (first - top) * width;
        let weighted = |of: fn(&TermWeights) -> &GpuBuffer| self.weights.as_ref().map(|weights| (of(weights), first));
        let roots = weighted(|weights| &weights.roots);
        let products = MapSums::new(device, sums, scratch, "products", &map, window, roots);
        let values = weighted(|weights| &weights.values);
        let features = self.means.then(|| MapSums::new(device, sums, scratch, "features", &map, window, values));
        self.bands.push(Some(StyleBand { map, window, first, products, features }));
    }

    pub(crate) fn layer(&self) -> Layer {
        self.layer
    }

    /// What comes back from the sums of a band.
    pub(crate) fn outputs(&self, band: usize) -> impl Iterator<Item = (&GpuBuffer, usize)> {
        let band = self.bands[band].as_ref();
        let sums = band.into_iter().flat_map(|band| [Some(&band.products), band.features.as_ref()]);
        sums.flatten().map(MapSums::output)
    }

    /// Sums of no position.
    pub(crate) fn no_sums(&self) -> StyleSums {
        let channels = self.layer.channels();
        StyleSums {
            total: self.weights.as_ref().map_or(self.window.positions() as f64, |weights| weights.total),
            features: vec![0.0; if self.means { channels } else { 0 }],
            products: vec![0.0; channels * channels],
        }
    }

    /// Adds the sums of a band, from what came back.
    pub(crate) fn add_sums(&self, band: usize, values: &mut impl Iterator<Item = Vec<f32>>, sums: &mut StyleSums) {
        let Some(band) = &self.bands[band] else { return };
        band.products.add(&next(values), &mut sums.products);
        if let Some(features) = &band.features {
            features.add(&next(values), &mut sums.features);
        }
    }

    /// Fills in the products that were left out, because the matrix is symmetric.
    pub(crate) fn complete(&self, sums: &mut StyleSums) {
        let channels = self.layer.channels();
        for i in 0..channels {
            for j in 0..i / 64 * 64 {
                sums.products[i * channels + j] = sums.products[j * channels + i];
            }
        }
    }

    /// Sends a change to the card.
    ///
    /// # Panics
    /// If the change is not of the term's size.
    pub(crate) fn set_change(&self, device: &GpuDevice, change: &StyleChange<'_>) {
        let channels = self.layer.channels();
        assert_eq!(change.s.len(), channels * channels, "S is [C, C]");
        assert_eq!(change.b.len(), if self.means { channels } else { 0 }, "b is [C] if the term has means");
        device.write(&self.s, change.s);
        if !change.b.is_empty() {
            device.write(&self.b, change.b);
        }
    }

    /// Adds `w (F S + b)` to the gradient at the layer in a band.
    pub(crate) fn add_gradient(&self, device: &GpuDevice, passes: &mut Passes, band: usize, gradient: &GpuBuffer) {
        let Some(StyleBand { map, window, first, .. }) = &self.bands[band] else { return };
        passes.product(
            device,
            &Product {
                size: map.size(),
                window: *window,
                taps: 1,
                channels: [map.channels(); 2],
                wraps: false,
                rectifies: false,
                adds: true,
                source: &map.values,
                filters: &self.s,
                bias: &self.b,
                weights: self.weights.as_ref().map(|weights| (&weights.values, *first)),
                output: gradient,
            },
        );
    }
}

impl GpuContent {
    /// A term on images whose map of the layer has so many positions.
    pub(crate) fn new(device: &GpuDevice, term: &ContentTerm, positions: usize) -> Self {
        let weights = TermWeights::new(device, term.weights.as_ref(), positions);
        Self { layer: term.layer, positions, weights, factor: device.buffer(1), bands: vec![] }
    }

    /// Adds a band. `of_reference`: the passes that take the sums of the reference. `squares`:
    /// those that take the squared differences from it.
    pub(crate) fn add_band(
        &mut self,
        device: &GpuDevice,
        of_reference: &mut Passes,
        squares: &mut Passes,
        scratch: &Scratch,
        map: TermMap,
    ) {
        let counted = map.counted_values();
        let reference = device.buffer(counted.len());
        let weights = self.weights.as_ref();
        let values = weights.map(|weights| (&weights.values, map.first_position()));
        of_reference.copy_values((&map.values, counted.start), (&reference, 0), counted.len());
        let reference_features = MapSums::new(device, of_reference, scratch, "features", &map, map.window(), values);
        let reference_squares = SquareSums::new(device, of_reference, &map, &Target::Nothing, weights);
        let squares = SquareSums::new(device, squares, &map, &Target::Reference(&reference), weights);
        self.bands.push(ContentBand { map, reference, squares, reference_features, reference_squares });
    }

    pub(crate) fn layer(&self) -> Layer {
        self.layer
    }

    /// What comes back from the sums of the reference in a band.
    pub(crate) fn reference_outputs(&self, band: usize) -> [(&GpuBuffer, usize); 2] {
        let band = &self.bands[band];
        [band.reference_features.output(), band.reference_squares.output()]
    }

    /// Sums of no position.
    pub(crate) fn no_reference_sums(&self) -> ContentSums {
        let total = self.weights.as_ref().map_or(self.positions as f64, |weights| weights.total);
        ContentSums { total, features: vec![0.0; self.layer.channels()], squares: 0.0 }
    }

    /// Adds the sums of the reference in a band, from what came back.
    pub(crate) fn add_reference_sums(
        &self,
        band: usize,
        values: &mut impl Iterator<Item = Vec<f32>>,
        sums: &mut ContentSums,
    ) {
        self.bands[band].reference_features.add(&next(values), &mut sums.features);
        sums.squares += SquareSums::total(&next(values));
    }

    pub(crate) fn output(&self, band: usize) -> (&GpuBuffer, usize) {
        self.bands[band].squares.output()
    }

    pub(crate) fn set_factor(&self, device: &GpuDevice, c: f32) {
        device.write(&self.factor, &[c]);
    }

    /// Adds `w c (F - Y)` to the gradient at the layer in a band.
    pub(crate) fn add_gradient(&self, device: &GpuDevice, passes: &mut Passes, band: usize, gradient: &GpuBuffer) {
        let ContentBand { map, reference, .. } = &self.bands[band];
        let target = Target::Reference(reference);
        target.add_gradient(device, passes, map, self.weights.as_ref(), &self.factor, gradient);
    }
}

impl GpuMatch {
    /// A term on images whose map of the layer has this height and width.
    pub(crate) fn new(device: &GpuDevice, term: &MatchTerm, size: [usize; 2], wraps: bool) -> Self {
        let MatchTerm { layer, weights: position_weights, candidates } = term.clone();
        assert_eq!(candidates.channels(), layer.channels(), "candidates of the term's layer");
        let positions = size[0] * size[1];
        let weights = TermWeights::new(device, position_weights.as_ref(), positions);
        let of_candidate = |i: usize| {
            let centred = candidates.centred(i as u32).iter();
            centred.zip(candidates.mean()).map(|(centred, mean)| centred + mean).collect::<Vec<f32>>()
        };
        let targets: Vec<f32> = (0..candidates.len()).flat_map(of_candidate).collect();
        let (targets, on_card) = (device.buffer_of(&targets), device.buffer(positions));
        let (matches, factor, bands) = (vec![], device.buffer(1), vec![]);
        Self { layer, size, wraps, position_weights, weights, candidates, targets, matches, on_card, factor, bands }
    }

    /// Adds a band. `squares`: the passes that take the squared differences from the matches.
    pub(crate) fn add_band(&mut self, device: &GpuDevice, squares: &mut Passes, map: TermMap) {
        let squares = SquareSums::new(device, squares, &map, &self.target(), self.weights.as_ref());
        self.bands.push((map, squares));
    }

    pub(crate) fn layer(&self) -> Layer {
        self.layer
    }

    fn target(&self) -> Target<'_> {
        Target::Matches { candidates: &self.targets, matches: &self.on_card }
    }

    /// The rows of a band whose positions are matched.
    pub(crate) fn map(&self, band: usize) -> &TermMap {
        &self.bands[band].0
    }

    /// Finds the matches of all positions of the whole map, on the CPU.
    pub(crate) fn search(&mut self, device: &GpuDevice, isa: Isa, values: &[f32]) {
        let [height, width] = self.size;
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
        let fits = matches.len() == self.size[0] * self.size[1]
            && matches.iter().enumerate().all(|(i, &m)| self.candidates.counts(m) || m == 0 && is_weightless(i));
        if fits {
            self.take_matches(device, matches.to_vec());
        }
        fits
    }

    pub(crate) fn output(&self, band: usize) -> (&GpuBuffer, usize) {
        self.bands[band].1.output()
    }

    pub(crate) fn set_factor(&self, device: &GpuDevice, c: f32) {
        device.write(&self.factor, &[c]);
    }

    /// Adds `w c (F - Y)` to the gradient at the layer in a band.
    pub(crate) fn add_gradient(&self, device: &GpuDevice, passes: &mut Passes, band: usize, gradient: &GpuBuffer) {
        let (map, _) = &self.bands[band];
        self.target().add_gradient(device, passes, map, self.weights.as_ref(), &self.factor, gradient);
    }
}

/// `Σ w |F - Y|²` from what came back.
pub(crate) fn squares(values: &mut impl Iterator<Item = Vec<f32>>) -> f64 {
    SquareSums::total(&next(values))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gpu::testing::devices;
    use crate::reference::{Noise, relative_error};

    /// Bound on the relative error (L2) of sums, also of values with both signs.
    const ERROR: f64 = 1e-6;

    #[test]
    fn sums_of_many_positions_are_those_in_f64() {
        let (side, layer): (usize, Layer) = (230, "conv1_1".parse().expect("a layer"));
        let channels = layer.channels();
        let term = StyleTerm { layer, means: true, window: None, weights: None };
        for rectified in [false, true] {
            let values: Vec<f32> = Noise(1)
                .vector(side * side * channels)
                .iter()
                .map(|v| if rectified { v.max(0.0) } else { *v })
                .collect();
            let (mut products, mut features) = (vec![0.0; channels * channels], vec![0.0; channels]);
            for position in values.chunks_exact(channels) {
                for (i, &a) in position.iter().enumerate() {
                    features[i] += f64::from(a);
                    for (j, &b) in position.iter().enumerate() {
                        products[i * channels + j] += f64::from(a) * f64::from(b);
                    }
                }
            }
            for device in devices() {
                let (values, scratch) = (device.buffer_of(&values), Scratch::new(device, &[layer], side * side));
                let map = TermMap { layer, height: side, width: side, counted: 0..side, first_row: 0, values };
                let mut style = GpuStyle::new(device, &term, [side; 2]);
                let mut passes = Passes::default();
                style.add_band(device, &mut passes, &scratch, map);
                passes.run(device);
                let outputs: Vec<_> = style.outputs(0).map(|(buffer, len)| (buffer, 0..len)).collect();
                let mut read = device.read(&outputs).expect("the sums come back").into_iter();
                let mut sums = style.no_sums();
                style.add_sums(0, &mut read, &mut sums);
                style.complete(&mut sums);
                let error = relative_error(sums.products.iter().copied(), &products);
                assert!(error < ERROR, "{}: products {error:e}", device.identity());
                // The sum of noise with both signs is small beside what was added.
                let magnitude = (side * side) as f64 / 2.0;
                let worst = sums.features.iter().zip(&features).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
                assert!(worst < ERROR * magnitude, "{}: features {worst:e}", device.identity());
            }
        }
    }
}
