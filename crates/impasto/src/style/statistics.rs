//! Statistics of a style, taken once and used for many photos.
//!
//! A run takes nothing from a style but its statistics: at each layer a few sums over its features.
//! Taken beforehand, they spare the network a look at the style for every photo.

use std::fmt::Display;
use std::sync::Arc;

use impasto_engine::plan::layout::Layout;
use impasto_engine::{Layer, Padding, Pooling};
use rayon::ThreadPool;

use crate::error::Result;
use crate::loss::statistics::Statistics;
use crate::network::Network;
use crate::options::{Options, StyleLossKind};
use crate::picture::resize::nominal_side;
use crate::session::memory::needs::Needs;
use crate::session::schedule::{COARSEST_TEXTURE, Scale, halved, wanted};
use crate::style::picture::{Appearance, StylePicture, StyleSample};
use crate::style::strokes::StrokeMaps;
use crate::threads::thread_pool;

/// Statistics of a style picture at several sizes, each half the one before: everything that a run
/// takes from it.
///
/// They serve every run that looks in the same way. It has these layers or some of them, the same
/// style loss, pooling, padding and network, and a style of one of these sizes, or within 10 % of
/// it.
#[derive(Clone, Debug, PartialEq)]
pub struct StyleStatistics {
    pub(crate) view: StatisticsSettings,
    /// Largest first.
    pub(crate) sizes: Vec<SizeStatistics>,
}

/// How the network looked at the style.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct StatisticsSettings {
    pub(crate) style_loss: StyleLossKind,
    pub(crate) pooling: Pooling,
    pub(crate) padding: Padding,
    /// [`Network::checksum`].
    pub(crate) network: u32,
}

/// Statistics at one size.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SizeStatistics {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) appearance: Appearance,
    pub(crate) layers: Vec<(Layer, Statistics)>,
    /// The maps for matched strokes, in the order of [`Options::stroke_layers`].
    pub(crate) strokes: Vec<Arc<StrokeMaps>>,
}

/// Returns how many of `sizes`, each half the one before, show something of a normalised style to
/// every layer. It is at least one.
fn sizes_that_show(style: &StylePicture, sizes: usize, options: &Options) -> usize {
    let (width, height) = (style.image.width(), style.image.height());
    let shows = |halvings: usize| {
        let masks = style.masks(halved((width, height), halvings));
        options.active_style_layers().iter().all(|layer| {
            width.min(height) >> halvings >= layer.min_side() && masks.iter().all(|mask| mask.weights(*layer).is_some())
        })
    };
    1 + (1..sizes).take_while(|&halvings| shows(halvings)).count()
}

/// Largest difference between a size and the wanted one, as a fraction.
const SIZE_TOLERANCE: f64 = 0.1;

impl StatisticsSettings {
    pub(crate) fn new(network: &Network, options: &Options) -> Self {
        let Options { style_loss, pooling, padding, .. } = *options;
        Self { style_loss, pooling, padding, network: network.checksum() }
    }
}

impl StyleStatistics {
    /// Takes the statistics of the picture in its own size, in half of it, and so on. It makes a
    /// thread pool of its own.
    ///
    /// `sizes` is their number, at least 1. Fewer are taken if a layer would see nothing of the
    /// picture or of the part that its mask leaves. [`StyleStatistics::sizes_of_a_run`] says how
    /// many a run needs. Of `options`, the style's layers, the style loss, pooling, padding, memory
    /// and threads matter.
    ///
    /// Errors: options that make no sense; a picture without pixels, too small for a layer, or with
    /// values outside 0..255; a mask that leaves nothing; a size that does not fit in the memory;
    /// threads that are not to be had.
    pub fn new(network: &Network, style: &StylePicture, sizes: usize, options: &Options) -> Result<Self> {
        options.validate()?;
        let style = style.normalised()?;
        let pool = thread_pool(options.threads)?;
        let needs = Needs {
            options,
            content: (0, 0),
            masks: 0,
            styles: vec![(style.image.width(), style.image.height())],
            threads: options.planned_threads(pool.current_num_threads()),
            card: network.card(),
        };
        let sizes = sizes_that_show(&style, sizes, options);
        let layouts = (0..sizes).map(|halvings| needs.style_layout(halvings)).collect::<Result<Vec<_>>>()?;
        Self::take(network, &style, &layouts, &pool, options)
    }

    /// Takes as many sizes as a run with these options needs, for a content of this width and
    /// height.
    ///
    /// The evaluations fit in [`Options::memory`] and are those that the run is planned with. So
    /// the run has the same bits with the statistics as with the picture. If masks beside the
    /// content lead to other bands, it is the same except for rounding.
    ///
    /// Errors: those of [`StyleStatistics::new`], and a size at which the run does not fit in the
    /// memory.
    pub fn for_run(
        network: &Network,
        style: &StylePicture,
        content: (usize, usize),
        options: &Options,
    ) -> Result<Self> {
        options.validate()?;
        let style = style.normalised()?;
        let sizes = sizes_that_show(&style, wanted(content.0.max(content.1), options), options);
        let pool = thread_pool(options.threads)?;
        let needs = Needs {
            options,
            content,
            masks: 0,
            styles: vec![(style.image.width(), style.image.height())],
            threads: options.planned_threads(pool.current_num_threads()),
            card: network.card(),
        };
        let scales = (0..sizes).rev().map(|halvings| {
            let (width, height) = halved(content, halvings);
            Scale { width, height, steps: 1 }
        });
        let plan = needs.plan(&scales.collect::<Vec<_>>())?;
        let layouts: Vec<Layout> = plan.scales.into_iter().rev().map(|scale| scale.style_layout).collect();
        Self::take(network, &style, &layouts, &pool, options)
    }

    /// Takes the statistics of a normalised style at one size for each of `layouts`, largest first.
    fn take(
        network: &Network,
        style: &StylePicture,
        layouts: &[Layout],
        pool: &ThreadPool,
        options: &Options,
    ) -> Result<Self> {
        let layers: Vec<Layer> = options.style_layers.iter().map(|weighted| weighted.layer).collect();
        let at = |(halvings, layout)| {
            let (width, height) = halved((style.image.width(), style.image.height()), halvings);
            let StyleSample { statistics, strokes } =
                style.statistics(network, (width, height), &layers, layout, options)?;
            let appearance = style.appearance((width, height));
            let layers = layers.iter().copied().zip(statistics).collect();
            Ok(SizeStatistics { width, height, appearance, layers, strokes })
        };
        let sizes = pool.install(|| layouts.iter().enumerate().map(at).collect::<Result<_>>())?;
        Ok(Self { view: StatisticsSettings::new(network, options), sizes })
    }

    /// Returns how many sizes a run with [`Scales::Auto`](crate::Scales::Auto) needs at most, for a
    /// result of `longest` pixels on its longest side. Runs from noise need most.
    pub fn sizes_of_a_run(longest: usize) -> usize {
        1 + (1..usize::BITS).take_while(|&halvings| longest >> halvings >= COARSEST_TEXTURE).count()
    }

    /// Returns the [nominal sides](crate::picture::nominal_side) of the style in pixels, largest
    /// first.
    pub fn sizes(&self) -> Vec<usize> {
        self.sizes.iter().map(|size| nominal_side(size.width, size.height)).collect()
    }

    /// Returns the bytes of memory that they take.
    pub fn bytes(&self) -> u64 {
        let layers = self.sizes.iter().flat_map(|size| &size.layers);
        let of_layers = layers.map(|(_, Statistics { mean, matrix })| size_of_val(&**mean) + size_of_val(&**matrix));
        let maps = self.sizes.iter().flat_map(|size| size.strokes.iter().flat_map(|maps| maps.iter()));
        (of_layers.sum::<usize>() + maps.map(|map| size_of_val(&*map.values)).sum::<usize>()) as u64
    }

    /// Returns the statistics in the order of `layers`, and the maps for matched strokes, for a
    /// style with the nominal side `side`.
    ///
    /// Errors: the statistics are of another kind, of other layers or sizes. They say what differs.
    pub(crate) fn at(
        &self,
        view: &StatisticsSettings,
        side: usize,
        layers: &[Layer],
    ) -> std::result::Result<StyleSample, String> {
        let differs = |option: &str, found: &dyn Display, wanted: &dyn Display| {
            Err(format!("were taken with the {option} {found}, not {wanted}; choose {found}, or take them again"))
        };
        let StatisticsSettings { style_loss, pooling, padding, network } = self.view;
        // Strokes are moments, and more.
        let has_moments = (style_loss, view.style_loss) == (StyleLossKind::Strokes, StyleLossKind::Moments);
        if style_loss != view.style_loss && !has_moments {
            return differs("style loss", &style_loss, &view.style_loss);
        }
        if pooling != view.pooling {
            return differs("pooling", &pooling, &view.pooling);
        }
        match (padding, view.padding) {
            (found, wanted) if found == wanted => {}
            (Padding::Circular, _) => return Err("were taken for a tile; take them again for a picture".to_owned()),
            (_, Padding::Circular) => {
                return Err("were not taken for a tile; take them again with --tileable".to_owned());
            }
            (found, wanted) => return differs("padding", &found, &wanted),
        }
        if network != view.network {
            return Err("were taken with other weights of the network; choose those, or take them again".to_owned());
        }
        let size = self.of_size(side)?;
        let of = |layer: &Layer| {
            let found = size.layers.iter().find(|(found, _)| found == layer);
            found.map(|(_, statistics)| statistics.clone()).ok_or_else(|| {
                let found = size.layers.iter().map(|(layer, _)| layer.to_string()).collect::<Vec<_>>().join(",");
                format!("are of the layers {found}, not of {layer}; choose among those, or take them again")
            })
        };
        let statistics = layers.iter().map(of).collect::<std::result::Result<_, _>>()?;
        Ok(StyleSample { statistics, strokes: size.strokes.clone() })
    }

    /// Returns what serves a style with the nominal side `side`.
    ///
    /// Errors: nothing does. They say which sizes there are.
    pub(crate) fn of_size(&self, side: usize) -> std::result::Result<&SizeStatistics, String> {
        self.nearest(side).ok_or_else(|| {
            let sizes = self.sizes().iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
            format!(
                "are of {sizes} px, but those of {side} px are needed; take them again at such a size, with \
                 --size {side} if the style scale is 1"
            )
        })
    }

    /// Returns what serves a style with the nominal side `side`, if anything does.
    pub(crate) fn nearest(&self, side: usize) -> Option<&SizeStatistics> {
        let distance = |size: &SizeStatistics| (nominal_side(size.width, size.height) as f64 / side as f64).ln().abs();
        let nearest = self.sizes.iter().min_by(|a, b| distance(a).total_cmp(&distance(b)));
        nearest.filter(|size| distance(size) <= (1.0 + SIZE_TOLERANCE).ln())
    }
}
