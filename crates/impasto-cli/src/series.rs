//! Runs in a row, each with one style: what they share is read and computed once.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use impasto::picture::{Picture, SaveOptions};
use impasto::{ColorMode, Image, Network, StopReason, StyleStatistics};

use crate::args::TransferArgs;
use crate::checkpoint::{CheckpointArgs, Checkpoints};
use crate::input::Reading;
use crate::interrupt::Interrupt;
use crate::painting::{self, Painting, Wish};
use crate::progress::{Display, Progress};
use crate::styles::{self, LookArgs, Source, WeightedStyle};
use crate::{Failure, OrFail, input, options, report};

/// Statistics that are kept at most: those of photos of many sizes would fill the memory.
const KEPT: usize = 32;

/// The runs' network and styles.
pub struct Series<'a> {
    args: &'a TransferArgs,
    styles: Vec<(WeightedStyle, LookArgs)>,
    network: Network,
    init: Option<Picture>,
    /// Oldest first.
    taken: Vec<Taken>,
    pub display: Display,
}

/// Statistics of a style for results of one size.
struct Taken {
    /// The style's place among all, the content's width and height, the style's longest side in px.
    of: (usize, (usize, usize), usize),
    statistics: Arc<StyleStatistics>,
}

/// A picture, and how it came about.
pub struct Painted {
    /// In the result's colours.
    pub image: Image,
    pub report: report::Transfer,
    /// To be removed when the picture is written.
    pub checkpoints: Checkpoints,
}

/// The checkpoints of one of the runs.
pub struct Keep {
    pub args: CheckpointArgs,
    /// Every file that it reads.
    pub inputs: Vec<PathBuf>,
}

impl<'a> Series<'a> {
    /// Reads the network, and each style once, so that a name misspelt is found before hours of work.
    pub fn new(args: &'a TransferArgs, named: &[WeightedStyle]) -> Result<Series<'a>, Failure> {
        let looks = styles::looks(named, &args.look).or_user()?;
        let styles: Vec<_> = named.iter().cloned().zip(looks).collect();
        for (style, look) in &styles {
            styles::load_one(style, look, args.reading()).or_user()?;
        }
        let init = painting::load_init(args).or_user()?;
        let network = input::network(&args.network.engine)?;
        let display = Display::of_many(args.report.quiet, options::steps(args)).or_program()?;
        Ok(Series { args, styles, network, init, taken: Vec::new(), display })
    }

    /// How the style at a place is looked at.
    pub fn look(&self, style: usize) -> &LookArgs {
        &self.styles[style].1
    }

    /// Makes the picture of `wish` with the style at the place `style`, which is the only one of the wish's files; `None` where the
    /// user has ended it.
    ///
    /// `content`: as [`Wish::scale`] left it. `save`: how it is going to be written. `kept`: what checkpoints it has.
    pub fn paint(
        &mut self,
        wish: Wish<'_>,
        style: usize,
        content: Picture,
        save: &SaveOptions,
        kept: Option<&Keep>,
        interrupt: &Interrupt,
    ) -> anyhow::Result<Option<Painted>> {
        let started = Instant::now();
        let files = wish.files;
        let source = self.source(&wish, style, &content.image)?;
        let mut painting = Painting::new(wish, content, [Ok(source)], self.init.as_ref())?;
        painting.set_limits(&files.output, save)?;
        let mut session = painting.session(&self.network)?;
        painting.leave_styles();
        let options = painting.options();
        self.make_room(session.memory().peak, options.memory);
        let mut checkpoints = match kept {
            Some(Keep { args, inputs }) => {
                Checkpoints::begin(args, &files.output, inputs, options, &mut session, self.display.clone())?
            }
            None => Checkpoints::none(self.display.clone()),
        };
        let mut progress = Progress::new(self.display.clone(), painting.options().objective);
        let reason = session.run(&mut |state: &impasto::Progress<'_>| {
            progress.update(state);
            checkpoints.update(state, interrupt);
            if interrupt.requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        self.display.clear();
        if let Err(impasto::Error::FeatureCache { .. }) = reason {
            checkpoints.leave_failed(&session, interrupt);
        }
        let reason = reason?;
        if reason == StopReason::Interrupted {
            checkpoints.leave_quietly(&session, interrupt);
            return Ok(None);
        }
        let image = painting.finish(session.image());
        let seconds = checkpoints.seconds_before + started.elapsed().as_secs_f64();
        let report = report::Transfer::new(files, &session, &painting, reason, seconds, vec![]);
        Ok(Some(Painted { image, report, checkpoints }))
    }

    /// Forgets statistics that do not fit into `memory` beside a run of `peak` bytes.
    fn make_room(&mut self, peak: u64, memory: Option<u64>) {
        let kept: u64 = self.taken.iter().map(|taken| taken.statistics.bytes()).sum();
        if memory.is_some_and(|memory| peak + kept > memory) {
            self.taken.clear();
        }
    }

    /// The style for a content at its size: statistics, wherever they are all that is needed.
    fn source(&mut self, wish: &Wish<'_>, style: usize, content: &Image) -> anyhow::Result<Source> {
        let size = (content.width(), content.height());
        let style_longest = wish.size.style_longest(size.0.max(size.1))?;
        let of = (style, size, style_longest);
        if let Some(taken) = self.taken.iter().find(|taken| taken.of == of) {
            return Ok(Source::Statistics(Arc::clone(&taken.statistics)));
        }
        let (named, look) = &self.styles[style];
        // What could not be used of the file was said when it was first read.
        let reading = Reading { quiet: true, ..self.args.reading() };
        let statistics = match styles::load_one(named, look, reading)? {
            Source::Statistics(statistics) => statistics,
            Source::Picture(picture) => {
                let depends_on_photo =
                    matches!(self.args.colors.colors.into(), ColorMode::Luminance | ColorMode::Matched);
                if depends_on_photo || wish.options.style_weight == 0.0 {
                    return Ok(Source::Picture(picture));
                }
                let picture = styles::resized(&named.path, picture, style_longest, &wish.size, &wish.options)?;
                Arc::new(StyleStatistics::for_run(&self.network, &picture, size, &wish.options)?)
            }
        };
        if self.taken.len() == KEPT {
            self.taken.remove(0);
        }
        self.taken.push(Taken { of, statistics: Arc::clone(&statistics) });
        Ok(Source::Statistics(statistics))
    }
}
