//! A contact sheet: the pictures of a sweep, made one after the other.

use std::path::{Path, PathBuf};
use std::slice;
use std::time::Instant;

use impasto::Image;
use impasto::picture::{self, Picture, SaveOptions};
use impasto::sheet::{Block, Tile, sheet};
use serde::Serialize;
use serde_with::{serde_as, skip_serializing_none};

use crate::batch_runner::read_shared;
use crate::checkpoint::CheckpointPlan;
use crate::error::{Error, Result};
use crate::events::{Events, Unwatched};
use crate::expand::sweep::{Cell, Sweep, stem, sweep};
use crate::job::Job;
use crate::job::paths::AnyPath;
use crate::machine::{Limits, Machine};
use crate::pictures::{self, ReadLimits};
use crate::prepared::check_room;
use crate::read_once::ReadOnce;
use crate::recipe;
use crate::report::Report;
use crate::resolve;
use crate::runner::{self, Destiny, Runner};

/// The result of a sweep.
#[serde_as]
#[derive(Debug, Serialize)]
pub struct SweepReport {
    /// Where the sheet was written.
    #[serde_as(as = "AnyPath")]
    pub output: PathBuf,
    /// Width and height of the sheet in px.
    pub size: [usize; 2],
    /// How many pictures are in a row.
    pub columns: usize,
    /// Row by row.
    pub pictures: Vec<SweptPicture>,
    /// Wall-clock time.
    pub seconds: f64,
}

/// One picture of a sheet.
#[serde_as]
#[skip_serializing_none]
#[derive(Debug, Serialize)]
pub struct SweptPicture {
    /// The style that it is made with.
    #[serde_as(as = "AnyPath")]
    pub style: PathBuf,
    /// Longest side of the style as a multiple of the result's.
    pub style_scale: f64,
    /// The strength, if the options do not weigh the content otherwise.
    pub strength: Option<f64>,
    /// What is varied, in words.
    #[serde(skip)]
    pub caption: String,
    /// How it was made.
    #[serde(flatten)]
    pub report: Report,
}

/// Makes the pictures of a sweep and writes them as one sheet. `before_each` gets the number of
/// each picture, from 1, how many there are, and its caption.
///
/// Errors: as for a transfer; nothing to vary.
pub fn run(
    job: &Job,
    machine: &Machine,
    before_each: &mut dyn FnMut(usize, usize, &str),
    events: &mut dyn Events,
) -> Result<SweepReport> {
    let started = Instant::now();
    if machine.checkpoints.checkpoint.is_some() {
        return Err(Error::user("a sweep keeps no checkpoints; leave `checkpoint` out"));
    }
    let limits = machine.measure();
    resolve::check_inputs(job)?;
    let mut job = job.clone();
    ReadOnce::default().hold(&mut job.inputs)?;
    let Sweep { job, cells, columns } = sweep(&job)?;
    let resolved = resolve::resolve_within(&job, limits.clone(), CheckpointPlan::none())?;
    let output = resolved.output()?.to_owned();
    let mut runner = Runner::sharing();
    let (_, device) = runner.network(&job, &limits)?;
    let first = resolve::resolve_within(&cells[0].job, limits.clone(), CheckpointPlan::none())?;
    let shown = runner.content(&first, events)?.scaled;
    let read = ReadLimits { memory: limits.memory };
    // A misspelt name is found before the work.
    read_shared(slice::from_ref(&job), &limits, events)?;
    let above = sources(&job, &shown, read)?;
    let layout = |tiles: Vec<Tile>| {
        let above = Block { heading: String::new(), columns: above.len(), tiles: above.clone() };
        sheet(&[above, Block { heading: String::new(), columns, tiles }])
    };
    // The sheet's size is known before hours of work: what its format has no room for is refused.
    let blank = layout(cells.iter().map(|cell| tile(cell, shown.image.clone())).collect());
    let size = [blank.width(), blank.height()];
    check_room(&resolved, size.into())?;
    let recipe = recipe::text(&resolved.job, &output, size, &device.identity, resolved.notes_folder);
    drop(blank);

    let (mut tiles, mut pictures) = (Vec::new(), Vec::new());
    for (i, cell) in cells.iter().enumerate() {
        before_each(i + 1, cells.len(), &cell.caption);
        let painted = paint(&mut runner, cell, &limits, events)?;
        let Some((image, report)) = painted else {
            return Err(Error::interrupted("interrupted; there is no sheet"));
        };
        tiles.push(tile(cell, image));
        pictures.push(SweptPicture {
            style: cell.job.inputs.styles[0].file.path.clone(),
            style_scale: cell.style_scale,
            strength: cell.strength,
            caption: cell.caption.clone(),
            report,
        });
    }
    let sheet = layout(tiles);
    let save = SaveOptions { recipe, ..resolved.save.clone() };
    runner::write(&output, &sheet, &save, events)?;
    let seconds = started.elapsed().as_secs_f64();
    Ok(SweepReport { output, size: [sheet.width(), sheet.height()], columns, pictures, seconds })
}

/// Makes one picture; `None`: the run was asked to stop.
fn paint(
    runner: &mut Runner,
    cell: &Cell,
    limits: &Limits,
    events: &mut dyn Events,
) -> Result<Option<(Image, Report)>> {
    let resolved = resolve::resolve_within(&cell.job, limits.clone(), CheckpointPlan::none())?;
    let painted = runner.paint(&resolved, Destiny::Taken, events)?;
    Ok(painted.map(|painted| (painted.image, painted.report)))
}

fn tile(cell: &Cell, image: Image) -> Tile {
    Tile { image, caption: cell.caption.clone() }
}

/// The photo and the styles that are pictures, half as large as the cells.
fn sources(job: &Job, scaled: &Picture, limits: ReadLimits) -> Result<Vec<Tile>> {
    let longest = scaled.width().max(scaled.height()).div_ceil(2);
    let tile = |path: &Path, picture: &Picture| {
        let (width, height) = picture::fit(picture.width(), picture.height(), longest);
        Tile { image: picture.resized(width, height).image, caption: stem(path) }
    };
    let mut tiles: Vec<Tile> = job.inputs.content.iter().map(|content| tile(&content.path, scaled)).collect();
    for style in &job.inputs.styles {
        let file = &style.file;
        if !pictures::is_style_file(file)? {
            tiles.push(tile(&file.path, &pictures::load_input(file, limits, &mut Unwatched)?));
        }
    }
    Ok(tiles)
}
