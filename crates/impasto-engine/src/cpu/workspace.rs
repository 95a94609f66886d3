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
use crate::cpu::evaluator::{Evaluator, GradientBand};
use crate::cpu::kernels::isa::Isa;
use crate::cpu::packed_filters::PackedFilters;
use crate::cpu::style_work::StyleWork;
use crate::layer::Layer;
use crate::network::{
    Changes, ContentTerm, EvaluationError, LayerFeatures, LayerTime, ReferenceSums, StyleSums, StyleTerm, Workspace,
    WorkspaceSpec,
};
use crate::tensor::Image;

/// The terms of a spec and what evaluates them.
pub(crate) struct CpuWorkspace {
    evaluator: Evaluator,
    styles: Vec<StyleWork>,
    contents: Vec<ContentWork>,
    shown: Vec<Layer>,
    isa: Isa,
}

impl CpuWorkspace {
    /// A workspace for a spec that has been checked.
    pub(crate) fn new(filters: Arc<PackedFilters>, isa: Isa, spec: WorkspaceSpec) -> Self {
        let evaluator = Evaluator::new(filters, isa, &spec);
        let WorkspaceSpec { width, height, styles, contents, shown, .. } = spec;
        let size = |layer: Layer| (height >> layer.poolings(), width >> layer.poolings());
        let style = |term: StyleTerm| {
            let (height, width) = size(term.layer);
            StyleWork::new(isa, term, height, width)
        };
        let content = |term: ContentTerm| {
            let (height, width) = size(term.layer);
            ContentWork::new(term, height, width)
        };
        Self {
            evaluator,
            styles: styles.into_iter().map(style).collect(),
            contents: contents.into_iter().map(content).collect(),
            shown,
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
        let Self { evaluator, styles, contents, .. } = self;
        styles.iter_mut().for_each(StyleWork::begin);
        contents.iter_mut().for_each(ContentWork::begin_reference);
        let layers: Vec<Layer> = contents.iter().map(ContentWork::layer).collect();
        evaluator.set_reference(image, &layers, make_file, &mut |features| {
            for style in styles.iter_mut().filter(|style| style.layer() == features.layer) {
                style.add(features.first, features.values);
            }
            for content in contents.iter_mut().filter(|content| content.layer() == features.layer) {
                content.add_reference(features.first, features.values);
            }
        })?;
        Ok(ReferenceSums {
            styles: styles.iter_mut().map(StyleWork::take_sums).collect(),
            contents: contents.iter_mut().map(ContentWork::take_sums).collect(),
        })
    }

    fn forward(&mut self, image: &[f32]) -> Result<Vec<StyleSums>, EvaluationError> {
        let Self { evaluator, styles, .. } = self;
        styles.iter_mut().for_each(StyleWork::begin);
        evaluator.forward(image, &mut |features| {
            for style in styles.iter_mut().filter(|style| style.layer() == features.layer) {
                style.add(features.first, features.values);
            }
        });
        Ok(styles.iter_mut().map(StyleWork::take_sums).collect())
    }

    fn backward(
        &mut self,
        image: &[f32],
        changes: &Changes<'_>,
        gradient: &mut [f32],
    ) -> Result<Vec<f64>, EvaluationError> {
        let Self { evaluator, styles, contents, .. } = self;
        assert_eq!(changes.styles.len(), styles.len(), "one change a style term");
        assert_eq!(changes.contents.len(), contents.len(), "one change a content term");
        styles.iter().zip(&changes.styles).for_each(|(style, change)| style.check(change));
        contents.iter_mut().for_each(ContentWork::begin);
        evaluator.backward(image, &mut |band| put_gradient(band, styles, contents, changes), gradient)?;
        Ok(contents.iter().map(ContentWork::squares).collect())
    }

    fn features(&self, layer: Layer) -> Result<LayerFeatures<'_>, EvaluationError> {
        assert!(self.shown.contains(&layer), "{layer} is none of the layers to show");
        let map = self.evaluator.features(layer);
        Ok(LayerFeatures { layer, height: map.height(), width: map.width(), values: Cow::Borrowed(map.as_slice()) })
    }

    fn layer_times(&self) -> &[LayerTime] {
        self.evaluator.layer_times()
    }

    fn identity(&self) -> &str {
        self.isa.identity()
    }
}

/// Puts the gradient of all terms at the band's layer in the place of its features, and adds the
/// squared differences there. Returns false if there is no term at the layer.
fn put_gradient(
    band: &mut GradientBand<'_>,
    styles: &[StyleWork],
    contents: &mut [ContentWork],
    changes: &Changes<'_>,
) -> bool {
    let layer = band.layer();
    let styles: Vec<_> = styles.iter().zip(&changes.styles).filter(|(style, _)| style.layer() == layer).collect();
    for content in contents.iter_mut().filter(|content| content.layer() == layer) {
        content.add(band.first(), band.features(), band.reference().expect("there is a reference"));
    }
    let contents: Vec<_> =
        contents.iter().zip(&changes.contents).filter(|(content, _)| content.layer() == layer).collect();
    if styles.is_empty() && contents.is_empty() {
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
    });
    true
}
