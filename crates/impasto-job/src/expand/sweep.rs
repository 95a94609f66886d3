//! One photo over strengths, style scales and styles.

use std::path::Path;

use impasto::{Objective, Preset};

use crate::error::{Error, Result};
use crate::files;
use crate::job::inputs::{Inputs, StyleInput};
use crate::job::options::JobOptions;
use crate::job::output::Output;
use crate::job::values::{Factor, OutputSize, Strength};
use crate::job::{Job, Kind};
use crate::resolve;

/// Strengths that are tried if nothing else is varied.
pub const STRENGTHS: [f64; 5] = [10.0, 30.0, 50.0, 70.0, 90.0];

/// Cells beside each other if there is but one thing to vary.
const MOST_COLUMNS: usize = 6;

/// The pictures of a sheet.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// The sweep with the strengths that it comes to.
    pub job: Job,
    /// The pictures, row by row.
    pub cells: Vec<Cell>,
    /// How many are in a row.
    pub columns: usize,
}

/// One picture of a sheet.
#[derive(Clone, Debug)]
pub struct Cell {
    /// The transfer that makes it.
    pub job: Job,
    /// The style scale.
    pub style_scale: f64,
    /// The strength, if the options do not weigh the content otherwise.
    pub strength: Option<f64>,
    /// What is varied, in words.
    pub caption: String,
}

/// What is varied: the product of all.
struct Axes {
    styles: Vec<StyleInput>,
    style_scales: Vec<Option<Factor>>,
    strengths: Vec<Option<Strength>>,
}

/// Whether a sweep tries the strengths of [`STRENGTHS`]: nothing else is varied, and no weight of
/// the content is asked for.
pub fn leaves_strengths_open(job: &Job) -> bool {
    let JobOptions { strengths, style_scales, strength, content_weight, objective, .. } = &job.options;
    job.inputs.styles.len() == 1
        && strengths.is_none()
        && style_scales.is_none()
        && strength.is_none()
        && content_weight.is_none()
        && objective.unwrap_or_default() == Objective::Balanced
}

/// The pictures of a sweep: styles below each other, strengths beside each other, style scales
/// where there is room.
///
/// Errors: nothing to vary, or more than two things; weights of styles; styles from standard input.
pub fn sweep(job: &Job) -> Result<Sweep> {
    let mut job = job.clone();
    if leaves_strengths_open(&job) {
        job.options.strengths = Some(STRENGTHS.into_iter().filter_map(Strength::new).collect());
    }
    let complete = resolve::complete(&job)?;
    let axes = Axes::new(&job)?;
    let mut cells = Vec::new();
    for style in &axes.styles {
        for &style_scale in &axes.style_scales {
            for &strength in &axes.strengths {
                cells.push(axes.cell(&job, style, style_scale, strength, complete.size.style_scale));
            }
        }
    }
    let varied: Vec<usize> = axes.counts().into_iter().filter(|&count| count > 1).collect();
    let columns = match varied.as_slice() {
        [_, columns] => *columns,
        _ => cells.len().min(MOST_COLUMNS),
    };
    Ok(Sweep { job, cells, columns })
}

impl Axes {
    fn new(job: &Job) -> Result<Axes> {
        let (styles, options) = (&job.inputs.styles, &job.options);
        if let Some(style) = styles.iter().find(|style| style.weight.is_some()) {
            return Err(Error::user(format!(
                "the style {} has a weight, but a sweep blends no styles: each makes its own pictures; leave the weight \
                 out",
                style.file.path.display()
            )));
        }
        if styles.iter().any(|style| files::is_stream(&style.file.path)) {
            return Err(Error::user("`-` is standard input, from which a sweep reads no styles; name a file"));
        }
        let strengths = options.strengths.as_ref().map(|strengths| strengths.iter().copied().map(Some).collect());
        let style_scales = options.style_scales.as_ref().map(|scales| scales.iter().copied().map(Some).collect());
        let axes = Axes {
            styles: styles.clone(),
            style_scales: style_scales.unwrap_or(vec![options.style_scale]),
            strengths: strengths.unwrap_or(vec![options.strength]),
        };
        match axes.counts().into_iter().filter(|&count| count > 1).count() {
            0 => Err(Error::user("there is nothing to vary; give several of `strengths`, `style-scales` or `style`")),
            3 => Err(Error::user(
                "a sheet has rows and columns; vary two of `strengths`, `style-scales` and `style`, not all three",
            )),
            _ => Ok(axes),
        }
    }

    fn counts(&self) -> [usize; 3] {
        [self.styles.len(), self.style_scales.len(), self.strengths.len()]
    }

    fn cell(
        &self,
        sweep: &Job,
        style: &StyleInput,
        style_scale: Option<Factor>,
        strength: Option<Strength>,
        usual_scale: f64,
    ) -> Cell {
        let scale = style_scale.map_or(usual_scale, Factor::get);
        let mut caption = Vec::new();
        if self.styles.len() > 1 {
            caption.push(stem(&style.file.path));
        }
        if self.style_scales.len() > 1 {
            caption.push(format!("scale {scale}"));
        }
        if let Some(strength) = strength.filter(|_| self.strengths.len() > 1) {
            caption.push(format!("strength {strength}"));
        }
        let options = JobOptions {
            size: sweep.options.size.or(Some(OutputSize::Longest(resolve::SWEEP_SIZE))),
            preset: sweep.options.preset.or(Some(Preset::Draft)),
            strengths: None,
            style_scales: None,
            style_scale,
            strength,
            ..sweep.options.clone()
        };
        let job = Job {
            kind: Kind::Transfer,
            inputs: Inputs { styles: vec![style.clone()], ..sweep.inputs.clone() },
            options,
            // The sheet has the recipe.
            output: Output { no_recipe: true, ..sweep.output.clone() },
            ..sweep.clone()
        };
        Cell { job, style_scale: scale, strength: strength.map(Strength::get), caption: caption.join(", ") }
    }
}

/// A file's name without folder and extension.
pub(crate) fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}
