//! What a layer sees: its feature maps, or their Gram matrix, as pictures.

use colorous::{PURPLE_ORANGE, VIRIDIS};
use impasto_engine::network::{LayerFeatures, StyleSums, StyleTerm, Workspace, WorkspaceSpec};
use impasto_engine::{Image, Layer, LayerKind, Padding, Pooling, words};

use crate::checks::check_image;
use crate::error::{Error, PictureRole, Result};
use crate::loss::statistics::gram_matrix;
use crate::network::Network;
use crate::options::Options;
use crate::session::memory::process::check_forward;
use crate::sheet::{Block, Tile, sheet};
use crate::threads::{check_threads, thread_pool};

/// Longest side of a map on the sheet in pixels.
const MAP_SIDE: usize = 128;

/// Least side of a Gram matrix on the sheet in pixels. A matrix with more channels is larger.
const GRAM_SIDE: usize = 512;

/// Most pixels around a tile, its caption included.
const MARGIN: usize = 32;

/// Gram matrices beside each other.
const GRAM_COLUMNS: usize = 3;

/// What a sheet shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// The maps of the channels, each brightened by its own largest value.
    ///
    /// After a rectifier 0 is black. Before a rectifier the scale is symmetric: 0 is mid-grey, and
    /// the largest magnitude is black or white. Maps of more than 128 px are shrunk by the mean of
    /// blocks. Smaller ones are enlarged by whole factors, with their values as squares.
    Maps {
        /// How many maps: at least 1 and at most the layer's channels, or `None` for all.
        count: Option<usize>,
    },
    /// The Gram matrix of eq. (3), `[C, C]`, from dark to bright as `sqrt(g / largest)`.
    ///
    /// The root makes the brightness linear in the features. Before a rectifier entries have both
    /// signs and the scale is symmetric: 0 is white, orange negative, purple positive.
    Gram,
}

words! {
    /// The order of a layer's channels, in maps and Gram matrices.
    #[derive(Default)]
    pub enum Order {
        /// The strongest first, by the mean square of their values.
        #[default]
        Strength => "strength",
        /// As in the network.
        Channel => "channel",
    }
}

/// What [`inspect`] should show.
#[derive(Clone, Debug, PartialEq)]
pub struct InspectOptions {
    /// The layers, one below the other. Default the five of the style.
    pub layers: Vec<Layer>,
    /// Maps or Gram matrices. Default the first 16 maps.
    pub view: View,
    /// The order of the channels. Default the strongest first.
    pub order: Order,
    /// How the network halves its maps. Default the maximum.
    pub pooling: Pooling,
    /// What the network sees beyond the picture's border. Default the border's own pixels.
    pub padding: Padding,
    /// Threads to work with, 1 to 1024, or `None` for one for each core. Default `None`.
    pub threads: Option<usize>,
    /// Peak resident memory in bytes that the process may reach, or `None` for as much as it takes.
    /// Default `None`.
    pub memory: Option<u64>,
}

impl Default for InspectOptions {
    fn default() -> Self {
        let Options { style_layers, pooling, padding, threads, .. } = Options::default();
        Self {
            layers: style_layers.iter().map(|weighted| weighted.layer).collect(),
            view: View::Maps { count: Some(16) },
            order: Order::default(),
            pooling,
            padding,
            threads,
            memory: None,
        }
    }
}

impl InspectOptions {
    /// Checks that the options make sense. Errors name the field.
    pub fn validate(&self) -> Result<()> {
        if self.layers.is_empty() {
            return Err(Error::option("layers", "is empty; give a layer"));
        }
        if let View::Maps { count: Some(count) } = self.view {
            if count == 0 {
                return Err(Error::option("maps", "is 0; give at least 1"));
            }
            if let Some(layer) = self.layers.iter().find(|layer| layer.channels() < count) {
                let channels = layer.channels();
                return Err(Error::option(
                    "maps",
                    format!("is {count}; {layer} has {channels}, give at most that, or all"),
                ));
            }
        }
        check_threads(self.threads)
    }

    /// Estimates the bytes of the tiles and of the sheet that they go on.
    fn sheet_bytes(&self) -> usize {
        let pixels = |layer: &Layer| match self.view {
            View::Maps { count } => count.unwrap_or(layer.channels()) * (MAP_SIDE + MARGIN).pow(2),
            View::Gram => (GRAM_SIDE.max(layer.channels()) + MARGIN).pow(2),
        };
        2 * size_of::<[f32; 3]>() * self.layers.iter().map(pixels).sum::<usize>()
    }
}

/// Makes a contact sheet of what the layers make of a picture. Nothing is resized before the
/// network sees it.
///
/// Errors: those of [`InspectOptions::validate`]; a picture without pixels, too small for a layer,
/// or with values outside 0..255; a picture that does not fit in [`InspectOptions::memory`], which
/// is checked before anything is allocated.
pub fn inspect(network: &Network, image: &Image, options: &InspectOptions) -> Result<Image> {
    options.validate()?;
    check_image(PictureRole::Inspected, image)?;
    let pool = thread_pool(options.threads)?;
    let size = (image.width(), image.height());
    check_forward(size, &options.layers, options.sheet_bytes(), pool.current_num_threads(), options.memory)?;
    let mut spec = WorkspaceSpec {
        pooling: options.pooling,
        padding: options.padding,
        shown: options.layers.clone(),
        ..WorkspaceSpec::new(image.width(), image.height())
    };
    if options.view == View::Gram {
        let term = |&layer: &Layer| StyleTerm { layer, means: false, window: None, weights: None };
        spec.styles = options.layers.iter().map(term).collect();
    }
    let mut workspace = network.workspace(PictureRole::Inspected, spec)?;
    let failed = |error| Error::of_evaluation(None, &error);
    pool.install(|| {
        let sums = workspace.forward(image.as_slice()).map_err(failed)?;
        let shown = options.layers.iter().map(|&layer| workspace.features(layer).map_err(failed));
        let shown: Vec<LayerFeatures<'_>> = shown.collect::<Result<_>>()?;
        let blocks: Vec<Block> = match options.view {
            View::Maps { count } => shown.iter().map(|features| maps(features, count, options.order)).collect(),
            View::Gram => vec![Block {
                heading: String::new(),
                tiles: shown
                    .iter()
                    .zip(&sums)
                    .map(|(features, sums)| gram_tile(features, sums, options.order))
                    .collect(),
                columns: GRAM_COLUMNS,
            }],
        };
        Ok(sheet(&blocks))
    })
}

/// Returns the channels in the order that is asked for.
fn channels(features: &LayerFeatures<'_>, order: Order) -> Vec<usize> {
    let count = features.layer.channels();
    let mut channels: Vec<usize> = (0..count).collect();
    if order == Order::Strength {
        let mut squares = vec![0.0; count];
        for position in features.values.chunks_exact(count) {
            for (square, &v) in squares.iter_mut().zip(position) {
                *square += f64::from(v) * f64::from(v);
            }
        }
        // The sort is stable: equal channels keep the network's order.
        channels.sort_by(|&a, &b| squares[b].total_cmp(&squares[a]));
    }
    channels
}

/// Makes the maps of a layer, captioned with their channels.
fn maps(features: &LayerFeatures<'_>, count: Option<usize>, order: Order) -> Block {
    let &LayerFeatures { layer, width, height, .. } = features;
    let mut shown = channels(features, order);
    shown.truncate(count.unwrap_or(shown.len()));
    let tiles: Vec<Tile> = shown
        .iter()
        .map(|&channel| Tile { image: map_image(features, channel), caption: channel.to_string() })
        .collect();
    let of = match shown.len() {
        all if all == layer.channels() => format!("{all} channels"),
        some => format!("{some} of {} channels", layer.channels()),
    };
    Block {
        heading: format!("{layer}: {of}, {width}x{height}"),
        // Rows are about twice as long as there are rows. The layers' numbers of channels fill
        // them.
        columns: (2 * tiles.len()).isqrt().next_power_of_two(),
        tiles,
    }
}

/// Draws one channel in levels of grey; see [`View::Maps`].
fn map_image(features: &LayerFeatures<'_>, channel: usize) -> Image {
    let &LayerFeatures { layer, width, height, ref values } = features;
    let longest = width.max(height);
    let block = longest.div_ceil(MAP_SIDE);
    let (columns, rows) = (width.div_ceil(block), height.div_ceil(block));
    let mut means = Vec::with_capacity(columns * rows);
    for y in (0..height).step_by(block) {
        for x in (0..width).step_by(block) {
            let (rows, columns) = (y..height.min(y + block), x..width.min(x + block));
            let count = rows.len() * columns.len();
            let places = rows.flat_map(|y| columns.clone().map(move |x| (y, x)));
            let sum: f32 = places.map(|(y, x)| values[(y * width + x) * layer.channels() + channel]).sum();
            means.push(sum / count as f32);
        }
    }
    let most = means.iter().fold(f32::MIN_POSITIVE, |most, v| most.max(v.abs()));
    let level = |v: f32| match layer.kind() {
        LayerKind::Relu => 255.0 * v / most,
        LayerKind::Conv => 127.5 + 127.5 * v / most,
    };
    let factor = (MAP_SIDE / columns.max(rows)).max(1);
    enlarged(columns, rows, factor, |i| [level(means[i]); 3])
}

/// Draws the Gram matrix of a layer in colours; see [`View::Gram`].
fn gram_tile(features: &LayerFeatures<'_>, sums: &StyleSums, order: Order) -> Tile {
    let (layer, gram) = (features.layer, gram_matrix(sums));
    let order = channels(features, order);
    let count = order.len();
    let most = gram.iter().fold(f64::MIN_POSITIVE, |most, v| most.max(v.abs()));
    let colour = |i: usize| {
        let value = gram[order[i / count] * count + order[i % count]] / most;
        let root = value.abs().sqrt().copysign(value);
        let colour = match layer.kind() {
            LayerKind::Relu => VIRIDIS.eval_continuous(root),
            // Purple is the lower end.
            LayerKind::Conv => PURPLE_ORANGE.eval_continuous(0.5 - 0.5 * root),
        };
        colour.as_array().map(f32::from)
    };
    Tile {
        image: enlarged(count, count, GRAM_SIDE.div_ceil(count), colour),
        caption: format!("{layer}: {count} channels, largest {most:.3e}"),
    }
}

/// Draws squares of `factor` pixels, each in the colour of its index.
fn enlarged(columns: usize, rows: usize, factor: usize, colour: impl Fn(usize) -> [f32; 3]) -> Image {
    let mut values = Vec::with_capacity(3 * columns * rows * factor * factor);
    for y in 0..rows {
        let row: Vec<f32> = (0..columns * factor).flat_map(|x| colour(y * columns + x / factor)).collect();
        for _ in 0..factor {
            values.extend_from_slice(&row);
        }
    }
    Image::new(columns * factor, rows * factor, values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::test_values;

    fn features(layer: &str, [height, width]: [usize; 2], values: Vec<f32>) -> LayerFeatures<'static> {
        LayerFeatures { layer: layer.parse().unwrap(), height, width, values: values.into() }
    }

    #[test]
    fn the_strongest_channel_comes_first() {
        let mut values = test_values(5 * 4 * 64, 1);
        values.iter_mut().skip(9).step_by(64).for_each(|v| *v = -50.0);
        values.iter_mut().skip(3).step_by(64).for_each(|v| *v = 0.0);
        let map = features("relu1_1", [5, 4], values);
        let strongest = channels(&map, Order::Strength);
        assert_eq!((strongest[0], strongest[63]), (9, 3));
        assert!(channels(&map, Order::Channel).iter().copied().eq(0..64));
    }

    #[test]
    fn maps_are_scaled_by_whole_factors_and_brightened() {
        let mut values = vec![0.0; 2 * 3 * 64];
        values[64 * 4 + 7] = 2.0;
        values[64 * 2 + 7] = 1.0;
        let map = |layer: &str| features(layer, [2, 3], values.clone());
        let image = map_image(&map("relu1_1"), 7);
        assert_eq!((image.width(), image.height()), (42 * 3, 42 * 2));
        let at = |image: &Image, x: usize, y: usize| image.as_slice()[3 * (y * image.width() + x)];
        let corners = [(42, 42), (83, 83), (84, 41), (41, 83)].map(|(x, y)| at(&image, x, y));
        assert_eq!(corners, [255.0, 255.0, 127.5, 0.0]);
        assert_eq!(at(&map_image(&map("conv1_1"), 7), 0, 0), 127.5);
        // A channel that never fires is black, not NaN.
        assert!(map_image(&map("relu1_1"), 8).as_slice().iter().all(|&v| v == 0.0));
        // Blocks of 3x3 values, the last of one column.
        let mut values = vec![0.0; 6 * 262 * 64];
        values.chunks_exact_mut(64 * 262).for_each(|row| row[64 * 261] = 3.0);
        values[64 * 4] = 9.0;
        let image = map_image(&features("relu1_1", [6, 262], values), 0);
        assert_eq!((image.width(), image.height()), (88, 2));
        assert_eq!((at(&image, 87, 0), at(&image, 1, 0), at(&image, 1, 1)), (255.0, 255.0 / 3.0, 0.0));
    }
}
