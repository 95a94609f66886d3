//! Which statistics are wanted where, at one scale.
//!
//! Styles with the same region share it: their statistics are blended by their weights. A region's
//! losses count by its share of the visible area.

use std::sync::Arc;

use impasto_engine::Layer;
use impasto_engine::network::MatchCandidates;
use impasto_engine::plan::layout::Layout;

use crate::error::{Error, PictureRole, Result};
use crate::loss::statistics::Statistics;
use crate::network::Network;
use crate::options::Options;
use crate::picture::mask::Mask;
use crate::session::schedule::halved;
use crate::session::subject::Subject;
use crate::style::picture::StyleSample;
use crate::style::source::{Style, StyleSource};
use crate::style::statistics::{StatisticsSettings, StyleStatistics};
use crate::style::strokes::together;

/// A part of the picture that has styles of its own.
pub(crate) struct Region {
    /// The part, in the content's size, or `None` for all of it.
    pub(crate) mask: Option<Mask>,
    /// Area of the part as a fraction of everything visible. Its losses count by this.
    pub(crate) share: f64,
    /// The statistics that are wanted there, in the order of the style's layers.
    pub(crate) targets: Vec<Statistics>,
    /// What positions there are matched with, in the order of [`Options::stroke_layers`].
    pub(crate) candidates: Vec<Arc<MatchCandidates>>,
}

/// Normalises the pictures and checks the weights. Everything here holds at any scale.
///
/// Errors: those of the pictures; no style; weights that make no sense.
pub(crate) fn normalised(styles: &[Style]) -> Result<Vec<Style>> {
    if styles.is_empty() {
        return Err(Error::option("style", "is missing; give at least one"));
    }
    let styles: Vec<Style> = styles
        .iter()
        .map(|style| {
            if !(style.weight.is_finite() && style.weight >= 0.0) {
                return Err(Error::option(
                    "style",
                    format!("has the weight {}; give a finite number, 0 or above", style.weight),
                ));
            }
            if style.region.as_ref().is_some_and(|mask| mask.as_slice().is_empty()) {
                return Err(Error::Empty { input: PictureRole::Mask });
            }
            let source = match &style.source {
                StyleSource::Picture(picture) => StyleSource::Picture(picture.normalised()?),
                statistics => statistics.clone(),
            };
            Ok(Style { source, ..style.clone() })
        })
        .collect::<Result<_>>()?;
    for (_, members) in by_region(&styles) {
        if members.iter().all(|(_, style)| style.weight == 0.0) {
            return Err(Error::option(
                "style",
                "has the weight 0, like every style of its region; give one of them a weight above 0",
            ));
        }
    }
    Ok(styles)
}

/// Checks that statistics fit every scale. If something is missing at the last scale, the run would
/// otherwise fail after all the others.
///
/// `scales` is their number. Errors: statistics that do not fit.
pub(crate) fn check_statistics(network: &Network, styles: &[Style], scales: usize, options: &Options) -> Result<()> {
    if options.style_weight == 0.0 {
        return Ok(());
    }
    let layers: Vec<Layer> = options.style_layers.iter().map(|weighted| weighted.layer).collect();
    for (i, style) in styles.iter().enumerate() {
        if let StyleSource::Statistics { statistics, size } = &style.source {
            let view = StatisticsSettings::new(network, options);
            for halvings in 0..scales {
                taken(statistics, &view, *size, halvings, &layers).map_err(unfit(i))?;
            }
        }
    }
    Ok(())
}

/// Returns the statistics of a style whose nominal side is `size` pixels at the finest scale.
fn taken(
    statistics: &StyleStatistics,
    view: &StatisticsSettings,
    size: usize,
    halvings: usize,
    layers: &[Layer],
) -> std::result::Result<StyleSample, String> {
    statistics.at(view, halved((size, size), halvings).0, layers)
}

fn unfit(style: usize) -> impl Fn(String) -> Error {
    move |problem| Error::UnfitStatistics { style: style + 1, problem }
}

/// A region, and its styles with their places among all.
pub(crate) type Members<'a> = (Option<&'a Mask>, Vec<(usize, &'a Style)>);

/// Groups the styles that share a region, in the order of the first of each.
pub(crate) fn by_region(styles: &[Style]) -> Vec<Members<'_>> {
    let mut regions: Vec<Members<'_>> = Vec::new();
    for (i, style) in styles.iter().enumerate() {
        match regions.iter_mut().find(|(region, _)| *region == style.region.as_ref()) {
            Some((_, members)) => members.push((i, style)),
            None => regions.push((style.region.as_ref(), vec![(i, style)])),
        }
    }
    regions
}

/// Returns where the styles of a region count, in the size of `painted`, or `None` for everywhere.
fn mask_of(region: Option<&Mask>, painted: &Option<Mask>, (width, height): (usize, usize)) -> Option<Mask> {
    let region = region.map(|mask| mask.resized(width, height));
    let mask = match (region, painted) {
        (Some(region), Some(painted)) => Some(region.times(painted)),
        (region, painted) => region.or_else(|| painted.clone()),
    };
    mask.filter(|mask| mask.as_slice().iter().any(|&w| w < 1.0))
}

/// Returns whether every layer sees something at a scale.
///
/// The subject has `size` there, and the style pictures are halved `halvings` times. Masks must
/// leave a part of each, and statistics must have that size. All are normalised.
pub(crate) fn leave_something(
    subject: &Subject,
    styles: &[Style],
    size: (usize, usize),
    halvings: usize,
    options: &Options,
) -> bool {
    let (content_layers, style_layers) = (options.active_content_layers(), options.active_style_layers());
    let fits = |mask: Option<&Mask>, layers: &[Layer]| {
        mask.is_none_or(|mask| layers.iter().all(|layer| mask.weights(*layer).is_some()))
    };
    let (opacity, painted) = subject.masks(size);
    if !fits(opacity.as_ref(), &content_layers) {
        return false;
    }
    let style_fits = |style: &Style| match &style.source {
        StyleSource::Picture(picture) if style.weight > 0.0 => {
            let size = halved((picture.image.width(), picture.image.height()), halvings);
            picture.masks(size).iter().all(|mask| fits(Some(mask), &style_layers))
        }
        StyleSource::Statistics { statistics, size } if style.weight > 0.0 => {
            statistics.nearest(halved((*size, *size), halvings).0).is_some()
        }
        _ => true,
    };
    options.style_weight == 0.0
        || by_region(styles).iter().all(|(region, members)| {
            fits(mask_of(*region, &painted, size).as_ref(), &style_layers)
                && members.iter().all(|(_, style)| style_fits(style))
        })
}

/// Returns the regions at a scale, with both pictures halved `halvings` times. It runs on the
/// current thread pool.
///
/// `subject` has the size of the scale. It and the styles are normalised. `layout` is that of the
/// styles' evaluations.
///
/// Errors: a style too small for a layer; statistics that do not fit; a region or style mask that
/// covers nothing.
pub(crate) fn regions(
    network: &Network,
    subject: &Subject,
    styles: &[Style],
    halvings: usize,
    layers: &[Layer],
    layout: &Layout,
    options: &Options,
) -> Result<Vec<Region>> {
    let (width, height) = (subject.content.width(), subject.content.height());
    let painted = subject.painted();
    let visible = subject.opacity.as_ref().map_or(1.0, Mask::coverage);
    let statistics = |i: usize, style: &Style| match &style.source {
        StyleSource::Picture(picture) => {
            let size = halved((picture.image.width(), picture.image.height()), halvings);
            picture.statistics(network, size, layers, layout, options)
        }
        StyleSource::Statistics { statistics, size } => {
            let view = StatisticsSettings::new(network, options);
            taken(statistics, &view, *size, halvings, layers).map_err(unfit(i))
        }
    };
    by_region(styles)
        .into_iter()
        .map(|(region, members)| {
            let mask = mask_of(region, &painted, (width, height));
            let share = mask.as_ref().map_or(1.0, Mask::coverage) / visible;
            let members: Vec<(f64, StyleSample)> = members
                .into_iter()
                .filter(|(_, style)| style.weight > 0.0)
                .map(|(i, style)| Ok((style.weight, statistics(i, style)?)))
                .collect::<Result<_>>()?;
            let targets = (0..layers.len()).map(|i| {
                let parts: Vec<_> = members.iter().map(|(weight, sample)| (*weight, &sample.statistics[i])).collect();
                Statistics::blend(&parts)
            });
            let candidates = options.stroke_layers().iter().enumerate().map(|(i, &layer)| {
                let styles: Vec<_> = members.iter().map(|(weight, sample)| (*weight, &*sample.strokes[i])).collect();
                let maps = together(&styles, layer.channels());
                let vanished = || Error::MaskVanishes { input: PictureRole::StyleMask, layer, width, height };
                MatchCandidates::new(layer.channels(), maps).map(Arc::new).ok_or_else(vanished)
            });
            Ok(Region { mask, share, targets: targets.collect(), candidates: candidates.collect::<Result<_>>()? })
        })
        .collect()
}
