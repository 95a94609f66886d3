//! Statistics of a style, taken once and used for many photos.

use std::fmt::Debug;

use impasto_engine::{Layer, Layout};
use rayon::ThreadPool;

use crate::loss::Statistics;
use crate::memory::Needs;
use crate::schedule::{COARSEST, Scale, halved, wanted};
use crate::task::thread_pool;
use crate::{Network, Options, Padding, Pooling, Result, StyleLossKind, StylePicture};

/// Statistics of a style picture at several sizes, each half the one before: all that a run takes from it.
///
/// They serve every run that looks in the same way: with these layers (or some of them), the same style loss, pooling, padding and
/// network, and a style of one of these sizes, or one within 10 % of it.
#[derive(Clone, Debug, PartialEq)]
pub struct StyleStatistics {
    pub(crate) view: View,
    /// Largest first.
    pub(crate) sizes: Vec<SizeStatistics>,
}

/// How the network looked at the style.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct View {
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
    pub(crate) layers: Vec<(Layer, Statistics)>,
}

/// How many of `sizes`, each half the one before, a style has room for; one at least.
fn sizes_with_room(style: &StylePicture, sizes: usize, options: &Options) -> usize {
    let side = style.image.width().min(style.image.height());
    let fits = |halvings: usize| options.style_layers.iter().all(|of| side >> halvings >= of.layer.min_side());
    1 + (1..sizes).take_while(|&halvings| fits(halvings)).count()
}

/// How far, as a part of it, a size may be from that wanted.
const SIZE_TOLERANCE: f64 = 0.1;

impl View {
    pub(crate) fn new(network: &Network, options: &Options) -> Self {
        let Options { style_loss, pooling, padding, .. } = *options;
        Self { style_loss, pooling, padding, network: network.checksum() }
    }
}

impl StyleStatistics {
    /// Takes the statistics on a thread pool of its own: of the picture in its own size, in half of it, and so on.
    ///
    /// `sizes`: how many, at least 1; fewer are taken where a layer would see nothing. [`StyleStatistics::sizes_of_a_run`] says how many a
    /// run needs. Of `options`, the style's layers, the style loss, pooling, padding and threads matter.
    ///
    /// Errors: options that cannot be meant, a picture without pixels, too small for a layer, with values outside 0..255, a mask that
    /// leaves nothing, no threads to be had.
    pub fn new(network: &Network, style: &StylePicture, sizes: usize, options: &Options) -> Result<Self> {
        options.validate()?;
        let style = style.normalised()?;
        let layouts = vec![Layout::whole(); sizes_with_room(&style, sizes, options)];
        Self::take(network, &style, &layouts, &thread_pool(options.threads)?, options)
    }

    /// As [`StyleStatistics::new`], with as many sizes as a run with these options needs for a content of this width and height, and by
    /// evaluations that fit [`Options::memory`], which are those that the run is planned with. Such a run has the same bits with the
    /// statistics as with the picture; where masks beside the content make for other bands, the same but for rounding.
    ///
    /// Errors: as [`StyleStatistics::new`], and a size at which the run does not fit the memory.
    pub fn for_run(
        network: &Network,
        style: &StylePicture,
        content: (usize, usize),
        options: &Options,
    ) -> Result<Self> {
        options.validate()?;
        let style = style.normalised()?;
        let sizes = sizes_with_room(&style, wanted(content.0.max(content.1), options), options);
        let pool = thread_pool(options.threads)?;
        let needs = Needs {
            options,
            content,
            masks: 0,
            styles: vec![(style.image.width(), style.image.height())],
            threads: pool.current_num_threads(),
        };
        let scales = (0..sizes).rev().map(|halvings| {
            let (width, height) = halved(content, halvings);
            Scale { width, height, steps: 1 }
        });
        let plan = needs.plan(&scales.collect::<Vec<_>>())?;
        let layouts: Vec<Layout> = plan.scales.into_iter().rev().map(|scale| scale.style_layout).collect();
        Self::take(network, &style, &layouts, &pool, options)
    }

    /// The statistics of a normalised style at one size for each of `layouts`, largest first.
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
            let statistics = style.statistics(network, (width, height), &layers, layout, options)?;
            Ok(SizeStatistics { width, height, layers: layers.iter().copied().zip(statistics).collect() })
        };
        let sizes = pool.install(|| layouts.iter().enumerate().map(at).collect::<Result<_>>())?;
        Ok(Self { view: View::new(network, options), sizes })
    }

    /// How many sizes a run with [`Scales::Auto`](crate::Scales::Auto) needs for a result of `longest` pixels on its longest side.
    pub fn sizes_of_a_run(longest: usize) -> usize {
        1 + (1..usize::BITS).take_while(|&halvings| longest >> halvings >= COARSEST).count()
    }

    /// Longest sides of the style in pixels, largest first.
    pub fn sizes(&self) -> Vec<usize> {
        self.sizes.iter().map(|size| size.width.max(size.height)).collect()
    }

    /// Statistics in the order of `layers` for a style of `longest` pixels.
    ///
    /// Errors: what is different, in words, where the statistics are of another kind, of other layers or sizes.
    pub(crate) fn at(
        &self,
        view: &View,
        longest: usize,
        layers: &[Layer],
    ) -> std::result::Result<Vec<&Statistics>, String> {
        let differs = |option: &str, found: &dyn Debug, wanted: &dyn Debug| {
            let [found, wanted] = [found, wanted].map(|value| format!("{value:?}").to_lowercase());
            Err(format!("were taken with the {option} {found}, not {wanted}; choose that, or take them anew"))
        };
        let View { style_loss, pooling, padding, network } = self.view;
        if style_loss != view.style_loss {
            return differs("style loss", &style_loss, &view.style_loss);
        }
        if pooling != view.pooling {
            return differs("pooling", &pooling, &view.pooling);
        }
        if padding != view.padding {
            return differs("padding", &padding, &view.padding);
        }
        if network != view.network {
            return Err("were taken with other weights of the network; choose those, or take them anew".to_owned());
        }
        let Some(size) = self.nearest(longest) else {
            let sizes = self.sizes().iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
            return Err(format!(
                "are of {sizes} px, and those of {longest} px are needed; take them anew at such a size, with --size {longest} where the \
                 style scale is 1"
            ));
        };
        let of = |layer: &Layer| {
            let found = size.layers.iter().find(|(found, _)| found == layer);
            found.map(|(_, statistics)| statistics).ok_or_else(|| {
                let found = size.layers.iter().map(|(layer, _)| layer.to_string()).collect::<Vec<_>>().join(",");
                format!("are of the layers {found}, not of {layer}; choose among those, or take them anew")
            })
        };
        layers.iter().map(of).collect()
    }

    /// The size that serves a style of `longest` pixels.
    pub(crate) fn nearest(&self, longest: usize) -> Option<&SizeStatistics> {
        let distance = |size: &SizeStatistics| (size.width.max(size.height) as f64 / longest as f64).ln().abs();
        let nearest = self.sizes.iter().min_by(|a, b| distance(a).total_cmp(&distance(b)));
        nearest.filter(|size| distance(size) <= (1.0 + SIZE_TOLERANCE).ln())
    }
}
