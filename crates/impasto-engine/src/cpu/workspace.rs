//! The seam on the CPU: an [`Evaluator`] shows every term the features of its layer.
//!
//! The evaluator knows no terms. It hands out features band by band, and asks for the gradient that
//! takes their place. This file adds up the terms' sums from the first, and makes the second out of
//! `S`, `b` and `c`.

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::sync::Arc;

use crate::cpu::content_work::ContentWork;
use crate::cpu::evaluator::{BandFeatures, Evaluator, GradientBand};
use crate::cpu::kernels::feature_map::FeatureMap;
use crate::cpu::kernels::isa::Isa;
use crate::cpu::match_work::MatchWork;
use crate::cpu::packed_filters::PackedFilters;
use crate::cpu::style_work::StyleWork;
use crate::layer::Layer;
use crate::network::{
    Changes, ContentTerm, EvaluationError, LayerFeatures, LayerTime, MatchTerm, ReferenceSums, Squares, StyleSums,
    StyleTerm, Workspace, WorkspaceSpec,
};
use crate::padding::Padding;
use crate::tensor::Image;

/// The terms of a spec and what evaluates them.
pub(crate) struct CpuWorkspace {
    evaluator: Evaluator,
    styles: Vec<StyleWork>,
    contents: Vec<ContentWork>,
    matches: Vec<MatchWork>,
    /// Whether the next forward pass finds the matches anew.
    renews_matches: bool,
    shown: ShownMaps,
    isa: Isa,
}

/// Features to look at.
struct ShownMaps {
    layers: Vec<Layer>,
    /// If the image is evaluated in bands, the maps that have been collected from them. Otherwise
    /// the evaluator has them.
    collected: Option<Vec<(Layer, FeatureMap)>>,
}

impl CpuWorkspace {
    /// A workspace for a spec that has been checked.
    pub(crate) fn new(filters: Arc<PackedFilters>, isa: Isa, spec: WorkspaceSpec) -> Self {
        let evaluator = Evaluator::new(filters, isa, &spec);
        let has_bands = spec.layout.has_bands(spec.width, spec.height, &spec.layers());
        let wraps = spec.padding == Padding::Circular;
        let WorkspaceSpec { width, height, styles, contents, matches, shown, .. } = spec;
        let size = |layer: Layer| (height >> layer.poolings(), width >> layer.poolings());
        let style = |term: StyleTerm| {
            let (height, width) = size(term.layer);
            StyleWork::new(isa, term, height, width)
        };
        let content = |term: ContentTerm| {
            let (height, width) = size(term.layer);
            ContentWork::new(term, height, width)
        };
        let matches = matches.into_iter().map(|term: MatchTerm| {
            let (height, width) = size(term.layer);
            MatchWork::new(isa, term, height, width, wraps)
        });
        let collected = has_bands.then(|| {
            let map = |&layer: &Layer| {
                let (height, width) = size(layer);
                (layer, FeatureMap::zeros(height, width, layer.channels()))
            };
            shown.iter().map(map).collect()
        });
        Self {
            evaluator,
            styles: styles.into_iter().map(style).collect(),
            contents: contents.into_iter().map(content).collect(),
            matches: matches.collect(),
            renews_matches: false,
            shown: ShownMaps { layers: shown, collected },
            isa,
        }
    }
}

impl Workspace for CpuWorkspace {
    fn set_reference(
        &mut self,
        image: &Image,
        make_file: &mut dyn FnMut() -> io::Result<File>,
    ) -> Result<ReferenceSums, EvaluationError> {
        let Self { evaluator, styles, contents, matches, shown, renews_matches, .. } = self;
        *renews_matches = false;
        styles.iter_mut().for_each(StyleWork::begin);
        contents.iter_mut().for_each(ContentWork::begin_reference);
        matches.iter_mut().for_each(MatchWork::begin_search);
        let layers: Vec<Layer> = contents.iter().map(ContentWork::layer).collect();
        evaluator.set_reference(image, &layers, make_file, &mut |features| {
            for style in styles.iter_mut().filter(|style| style.layer() == features.layer) {
                style.add(features.first, features.values);
            }
            for content in contents.iter_mut().filter(|content| content.layer() == features.layer) {
                content.add_reference(features.first, features.values);
            }
            for term in matches.iter_mut().filter(|term| term.layer() == features.layer) {
                term.search(features.first, features.values);
            }
            shown.collect(features);
        })?;
        Ok(ReferenceSums {
            styles: styles.iter_mut().map(StyleWork::take_sums).collect(),
            contents: contents.iter_mut().map(ContentWork::take_sums).collect(),
            matches: matches.iter().map(MatchWork::squares).collect(),
        })
    }

    fn forward(&mut self, image: &[f32]) -> Result<Vec<StyleSums>, EvaluationError> {
        let Self { evaluator, styles, matches, shown, renews_matches, .. } = self;
        let renews = std::mem::take(renews_matches);
        styles.iter_mut().for_each(StyleWork::begin);
        if renews {
            matches.iter_mut().for_each(MatchWork::begin_search);
        }
        evaluator.forward(image, &mut |features| {
            for style in styles.iter_mut().filter(|style| style.layer() == features.layer) {
                style.add(features.first, features.values);
            }
            for term in matches.iter_mut().filter(|term| renews && term.layer() == features.layer) {
                term.search(features.first, features.values);
            }
            shown.collect(features);
        });
        Ok(styles.iter_mut().map(StyleWork::take_sums).collect())
    }

    fn renew_matches(&mut self) {
        self.renews_matches = true;
    }

    fn matches(&self) -> Vec<&[u32]> {
        self.matches.iter().map(MatchWork::matches).collect()
    }

    fn set_matches(&mut self, matches: &[Vec<u32>]) -> bool {
        matches.len() == self.matches.len()
            && self.matches.iter_mut().zip(matches).all(|(term, matches)| term.set_matches(matches))
    }

    fn backward(
        &mut self,
        image: &[f32],
        changes: &Changes<'_>,
        gradient: &mut [f32],
    ) -> Result<Squares, EvaluationError> {
        let Self { evaluator, styles, contents, matches, .. } = self;
        assert_eq!(changes.styles.len(), styles.len(), "one change a style term");
        assert_eq!(changes.contents.len(), contents.len(), "one change a content term");
        styles.iter().zip(&changes.styles).for_each(|(style, change)| style.check(change));
        assert_eq!(changes.matches.len(), matches.len(), "one change a match term");
        assert!(matches.iter().all(|term| !term.matches().is_empty()), "matches have been found");
        contents.iter_mut().for_each(ContentWork::begin);
        matches.iter_mut().for_each(MatchWork::begin);
        evaluator.backward(image, &mut |band| put_gradient(band, styles, contents, matches, changes), gradient)?;
        Ok(Squares {
            contents: contents.iter().map(ContentWork::squares).collect(),
            matches: matches.iter().map(MatchWork::squares).collect(),
        })
    }

    fn features(&self, layer: Layer) -> Result<LayerFeatures<'_>, EvaluationError> {
        assert!(self.shown.layers.contains(&layer), "{layer} is none of the layers to show");
        let collected = self.shown.collected.iter().flatten().find(|(shown, _)| *shown == layer);
        let map = collected.map_or_else(|| self.evaluator.features(layer), |(_, map)| map);
        Ok(LayerFeatures { layer, height: map.height(), width: map.width(), values: Cow::Borrowed(map.as_slice()) })
    }

    fn layer_times(&self) -> Vec<LayerTime> {
        self.evaluator.layer_times().to_vec()
    }

    fn identity(&self) -> &str {
        self.isa.identity()
    }
}

impl ShownMaps {
    /// Keeps a band if its layer is to be shown and the evaluator does not keep it.
    fn collect(&mut self, features: BandFeatures<'_>) {
        let BandFeatures { layer, first, values } = features;
        for (_, map) in self.collected.iter_mut().flatten().filter(|(shown, _)| *shown == layer) {
            map.as_mut_slice()[first..first + values.len()].copy_from_slice(values);
        }
    }
}

/// Puts the gradient of all terms at the band's layer in the place of its features, and adds the
/// squared differences there. Returns false if there is no term at the layer.
fn put_gradient(
    band: &mut GradientBand<'_>,
    styles: &[StyleWork],
    contents: &mut [ContentWork],
    matches: &mut [MatchWork],
    changes: &Changes<'_>,
) -> bool {
    let layer = band.layer();
    let styles: Vec<_> = styles.iter().zip(&changes.styles).filter(|(style, _)| style.layer() == layer).collect();
    for content in contents.iter_mut().filter(|content| content.layer() == layer) {
        content.add(band.first(), band.features(), band.reference().expect("there is a reference"));
    }
    let contents: Vec<_> =
        contents.iter().zip(&changes.contents).filter(|(content, _)| content.layer() == layer).collect();
    for term in matches.iter_mut().filter(|term| term.layer() == layer) {
        term.add(band.first(), band.features());
    }
    let matches: Vec<_> = matches.iter().zip(&changes.matches).filter(|(term, _)| term.layer() == layer).collect();
    if styles.is_empty() && contents.is_empty() && matches.is_empty() {
        return false;
    }
    band.replace(|first, features, reference, gradient| {
        gradient.fill(0.0);
        for (style, change) in &styles {
            style.add_gradient(**change, first, features, gradient);
        }
        for (content, c) in &contents {
            let reference = reference.expect("there is a reference");
            content.add_gradient(**c, first, features, reference, gradient);
        }
        for (term, c) in &matches {
            term.add_gradient(**c, first, features, gradient);
        }
    });
    true
}
