//! What jobs that are done one after the other share: pictures that were read, statistics that were
//! taken.
//!
//! The pictures come out as from single runs, to the last bit. Statistics are kept by all that they
//! depend on, and forgotten when a run needs the memory.

use std::sync::Arc;

use impasto::picture::Picture;
use impasto::{StyleLossKind, StyleStatistics, WeightedLayer};

use crate::content::Content;
use crate::error::Result;
use crate::events::{Events, Unwatched};
use crate::job::Job;
use crate::job::inputs::{InputFile, StyleInput};
use crate::job::options::JobOptions;
use crate::job::values::{OutputSize, Weight};
use crate::pictures::{self, LoadedStyle, ReadLimits};
use crate::resolve::Resolved;

/// Statistics that are kept at most: those of photos of many sizes would fill the memory.
const KEPT: usize = 32;

/// What jobs share.
#[derive(Default)]
pub(crate) struct SharedInputs {
    /// The last content, with what decides about its size.
    content: Option<(ContentKey, Content)>,
    init: Option<(InputFile, Picture)>,
    /// Oldest first.
    statistics: Vec<(StyleKey, Arc<StyleStatistics>)>,
}

/// What a content at its size depends on.
#[derive(PartialEq)]
struct ContentKey {
    file: Option<InputFile>,
    size: Option<OutputSize>,
    upscale: bool,
    /// Whether parts of it are kept.
    is_kept: bool,
    /// The layers that it must not be too small for, and whether they count.
    layers: [Option<Vec<WeightedLayer>>; 2],
    style_loss: Option<StyleLossKind>,
    weights: [Option<Weight>; 2],
}

/// What statistics of a style depend on.
#[derive(Clone, PartialEq)]
pub(crate) struct StyleKey {
    style: StyleInput,
    /// Width and height of the content in px.
    content: (usize, usize),
    /// Nominal side of the style in px.
    side: usize,
    /// The options but for those that only weigh the losses.
    options: JobOptions,
    /// The network, if it is not the one in the program.
    weights: Option<InputFile>,
}

impl StyleKey {
    pub(crate) fn new(style: &StyleInput, content: (usize, usize), side: usize, job: &Job) -> StyleKey {
        let options = &job.options;
        // Whether the content counts at all decides about the scales.
        let counts = options.content_weight.is_none_or(|weight| weight.get() > 0.0);
        let options = JobOptions {
            strength: None,
            content_weight: if counts { None } else { Weight::new(0.0) },
            style_scale: None,
            ..options.clone()
        };
        let weights = job.inputs.weights.clone();
        StyleKey { style: StyleInput { weight: None, ..style.clone() }, content, side, options, weights }
    }
}

impl SharedInputs {
    /// The content of a job: that of the job before, if it is the same.
    ///
    /// Errors: as [`Content::read`].
    pub(crate) fn content(&mut self, resolved: &Resolved, events: &mut dyn Events) -> Result<Content> {
        let job = &resolved.job;
        let options = &job.options;
        let key = ContentKey {
            file: job.inputs.content.clone(),
            size: options.size,
            upscale: options.upscale,
            is_kept: job.inputs.keep.is_some(),
            layers: [options.content_layers.clone(), options.style_layers.clone()],
            style_loss: options.style_loss,
            weights: [options.content_weight, options.style_weight],
        };
        if let Some((known, content)) = &self.content
            && *known == key
        {
            return Ok(content.clone());
        }
        self.content = None;
        let content = Content::read(resolved, events)?;
        self.content = Some((key, content.clone()));
        Ok(content)
    }

    /// The picture that jobs start from.
    pub(crate) fn init(&mut self, file: &InputFile, limits: ReadLimits) -> Result<Picture> {
        if let Some((known, picture)) = &self.init
            && known == file
        {
            return Ok(picture.clone());
        }
        let picture = pictures::load_input(file, limits, &mut Unwatched)?;
        self.init = Some((file.clone(), picture.clone()));
        Ok(picture)
    }

    /// A style: statistics that were taken before, or what `take` makes of the file.
    pub(crate) fn style(
        &mut self,
        key: StyleKey,
        limits: ReadLimits,
        take: impl FnOnce(LoadedStyle) -> Result<LoadedStyle>,
    ) -> Result<LoadedStyle> {
        if let Some((_, statistics)) = self.statistics.iter().find(|(known, _)| *known == key) {
            return Ok(LoadedStyle::Statistics(Arc::clone(statistics)));
        }
        // What could not be used of the file was reported when it was first read.
        let taken = take(pictures::load_style(&key.style, limits, &mut Unwatched)?)?;
        if let LoadedStyle::Statistics(statistics) = &taken {
            if self.statistics.len() == KEPT {
                self.statistics.remove(0);
            }
            self.statistics.push((key, Arc::clone(statistics)));
        }
        Ok(taken)
    }

    /// Forgets statistics that do not fit into `memory` beside a run of `peak` bytes.
    pub(crate) fn make_room(&mut self, peak: u64, memory: Option<u64>) {
        let kept: u64 = self.statistics.iter().map(|(_, statistics)| statistics.bytes()).sum();
        if memory.is_some_and(|memory| peak + kept > memory) {
            self.statistics.clear();
        }
    }
}
