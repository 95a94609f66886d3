//! `impasto sweep PHOTO STYLE -o SHEET`: one photo over strengths, styles and style scales, on a contact sheet.

use std::path::{Path, PathBuf};
use std::slice;
use std::time::{Duration, Instant};

use anyhow::bail;
use clap::{ArgMatches, Args};
use impasto::picture::{self, Picture, SaveOptions};
use impasto::sheet::{Block, Tile, sheet};
use impasto::{Image, Objective, StyleStatistics, content_weight_at};
use serde::Serialize;

use crate::args::{FileArgs, TransferArgs, factor, strength};
use crate::batch::REGION;
use crate::input::Reading;
use crate::interrupt::Interrupt;
use crate::maker::Maker;
use crate::painting::Wish;
use crate::recipe::Recipe;
use crate::series::Series;
use crate::styles::WeightedStyle;
use crate::{Failure, OrFail, input, options, output, report, settings};

const EXAMPLES: &str = "\
Examples:
  impasto sweep photo.jpg painting.jpg -o sheet.png
      Strengths 10, 30, 50, 70 and 90 side by side.
  impasto sweep photo.jpg painting.jpg -o sheet.png --strengths 30,60 --style-scales 0.5,1,2
      A row for each style scale, a column for each strength.
  impasto sweep photo.jpg --style a.jpg b.jpg c.jpg -o sheet.png --style-scales 0.5,1 --size 384
      A row for each style, a column for each style scale.

The pictures are those of single runs with the same options: `impasto photo.jpg painting.jpg -o out.png --size 256 --preset draft \
--strength 30`. All other options of a transfer apply to each.

Ctrl-C (or SIGTERM) leaves at once: no sheet is written, exit status 130.";

/// What is swept where nothing is said.
const STRENGTHS: [f64; 5] = [10.0, 30.0, 50.0, 70.0, 90.0];

/// Cells beside each other where there is but one thing to vary.
const MOST_COLUMNS: usize = 6;

/// Try a photo over strengths, styles or style scales: a contact sheet of small pictures with captions.
///
/// With two of them, one makes the rows, the other the columns. The photo and the styles stand above.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
#[command(mut_arg("size", |arg| arg.default_value("256").help(
    "Longest side of each picture in px, never more than the photo has unless --upscale is given; `original` for the photo's own size."
)))]
#[command(mut_arg("mask", |arg| arg.help(REGION)))]
#[command(mut_arg("preset", |arg| arg.default_value("draft")))]
#[command(mut_arg("format", |arg| arg.help("Format of the sheet, whatever its name; needed with `-o -`. [default: by the extension]")))]
pub struct SweepArgs {
    /// The picture to be painted (PNG, JPEG, TIFF, WebP).
    pub photo: PathBuf,

    /// The style: a picture, or a file of `impasto style save`.
    #[arg(required_unless_present = "styles", conflicts_with = "styles")]
    pub style: Option<PathBuf>,

    /// Styles, in place of the second name; each is tried.
    #[arg(id = "styles", long = "style", value_name = "FILE", value_parser = WeightedStyle::parser(), num_args = 1..)]
    #[arg(help_heading = "Sweep")]
    pub styles: Vec<WeightedStyle>,

    /// Strengths to try. [default: 10,30,50,70,90 where nothing else is varied]
    #[arg(long, value_name = "0..100,...", value_delimiter = ',', value_parser = strength, allow_hyphen_values = true)]
    #[arg(conflicts_with_all = ["strength", "content_weight"], help_heading = "Sweep")]
    pub strengths: Vec<f64>,

    /// Style scales to try: longest sides of the style picture, as multiples of the result's.
    #[arg(long, value_name = "FACTOR,...", value_delimiter = ',', value_parser = factor, allow_hyphen_values = true)]
    #[arg(conflicts_with = "style_scale", help_heading = "Sweep")]
    pub style_scales: Vec<f64>,

    /// Where the sheet goes; the extension (png, jpg, tif, webp) says as what. An existing file is replaced.
    #[arg(short, long, value_name = "OUT")]
    pub output: PathBuf,

    #[command(flatten)]
    pub transfer: TransferArgs,

    /// impasto.toml sets the strength or the content's weight: for a single run, where nothing is said to be varied.
    #[arg(skip)]
    pub weight_from_file: bool,
}

/// What is varied: the product of all.
struct Axes {
    styles: Vec<WeightedStyle>,
    style_scales: Vec<f64>,
    /// `None`: the weight that the options give.
    strengths: Vec<Option<f64>>,
}

/// One picture of the sheet.
struct Cell {
    /// The style's place among all.
    style: usize,
    style_scale: f64,
    strength: Option<f64>,
    caption: String,
}

#[derive(Serialize)]
struct Swept {
    output: String,
    /// Width and height of the sheet in px.
    size: [usize; 2],
    columns: usize,
    /// Row by row.
    pictures: Vec<SweptPicture>,
    seconds: f64,
}

#[derive(Serialize)]
struct SweptPicture {
    style: String,
    style_scale: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    strength: Option<f64>,
    #[serde(flatten)]
    report: report::Transfer,
}

/// Makes the sheet and reports.
pub fn run(args: &SweepArgs, matches: &ArgMatches) -> Result<(), Failure> {
    let started = Instant::now();
    let transfer = &args.transfer;
    let axes = Axes::new(args).or_user()?;
    let (cells, columns) = axes.cells();
    let files = |styles: &[WeightedStyle]| FileArgs {
        content: args.photo.clone(),
        style: None,
        styles: styles.to_vec(),
        output: args.output.clone(),
        save_every: None,
    };
    let all = files(&axes.styles);
    let each: Vec<FileArgs> = axes.styles.iter().map(|style| files(slice::from_ref(style))).collect();
    let save = output::save_options(transfer);
    for cell in &cells {
        cell.plan(&each, transfer).or_user()?;
    }
    output::check(&all, transfer, &save).or_user()?;
    let content = input::load(&args.photo, transfer.reading()).or_user()?;
    let mut series = Series::new(transfer, &axes.styles)?;
    let scaled = cells[0].plan(&each, transfer).and_then(|mut wish| wish.scale(&content)).or_user()?;
    // The file's own size can be much larger, and is not needed any more.
    drop(content);
    let sources = sources(args, &axes, &scaled).or_user()?;
    let layout = |tiles: Vec<Tile>| {
        let above = Block { heading: String::new(), columns: sources.len(), tiles: sources.clone() };
        sheet(&[above, Block { heading: String::new(), columns, tiles }])
    };
    let blank = layout(cells.iter().map(|cell| cell.tile(scaled.image.clone())).collect());
    output::check_room(&all, &save, (blank.width(), blank.height())).or_user()?;

    let recipe = recipe(args, &axes, matches, [blank.width(), blank.height()])?;

    let interrupt = Interrupt::install(series.display.clone()).or_program()?;
    let (mut tiles, mut pictures) = (Vec::new(), Vec::new());
    for (i, cell) in cells.iter().enumerate() {
        series.display.note(&format!("picture {} of {}: {}", i + 1, cells.len(), cell.caption));
        let mut wish = cell.plan(&each, transfer).or_user()?;
        let content = wish.scale(&scaled).or_user()?;
        let painted = series.paint(wish, cell.style, content, &save, None, &interrupt).or_user()?;
        let Some(painted) = painted else {
            return Err(Failure::Interrupted(anyhow::anyhow!("interrupted; there is no sheet")));
        };
        tiles.push(cell.tile(painted.image));
        pictures.push(SweptPicture {
            style: axes.styles[cell.style].path.display().to_string(),
            style_scale: cell.style_scale,
            strength: cell.strength,
            report: painted.report,
        });
    }
    let sheet = layout(tiles);
    let save = SaveOptions { recipe, ..save };
    {
        let _undisturbed = interrupt.undisturbed();
        output::write(&args.output, &sheet, &save).or_program()?;
    }
    let output = args.output.display().to_string();
    let size = [sheet.width(), sheet.height()];
    let swept = Swept { output, size, columns, pictures, seconds: started.elapsed().as_secs_f64() };
    let text = if transfer.report.json {
        report::json(&swept)?
    } else if transfer.report.quiet {
        return Ok(());
    } else {
        swept.text(&cells)
    };
    output::report(&args.output, &text)
}

/// What is noted in the sheet, if anything is: [`Recipe::new`].
fn recipe(args: &SweepArgs, axes: &Axes, matches: &ArgMatches, size: [usize; 2]) -> Result<Option<String>, Failure> {
    let Some(mut recipe) = Recipe::new(Maker::Sweep, matches, &args.output, size).or_user()? else {
        return Ok(None);
    };
    let strengths: Vec<String> = axes.strengths.iter().flatten().map(f64::to_string).collect();
    if args.strengths.is_empty() && strengths.len() > 1 {
        // What impasto.toml says of them is not what was done.
        let is_overruled = |argument: &String| {
            ["strength", "content-weight"].map(Some).contains(&settings::name_in(argument.as_ref()))
        };
        recipe.arguments.retain(|argument| !is_overruled(argument));
        recipe.arguments.push(format!("--strengths={}", strengths.join(",")));
    }
    recipe.to_json().or_program().map(Some)
}

impl Axes {
    /// Errors: nothing to vary, or more than two; weights of styles; styles from standard input.
    fn new(args: &SweepArgs) -> anyhow::Result<Axes> {
        let positional = args.style.iter().map(|path| WeightedStyle { path: path.clone(), weight: None });
        let styles: Vec<WeightedStyle> = positional.chain(args.styles.iter().cloned()).collect();
        if let Some(style) = styles.iter().find(|style| style.weight.is_some()) {
            let path = style.path.display();
            bail!(
                "--style {path} has a weight, but a sweep blends no styles: each makes its own pictures; leave the weight out"
            );
        }
        if styles.iter().any(|style| input::is_stream(&style.path)) {
            bail!("`-` is standard input, from which a sweep reads no styles; name a file");
        }
        let optimization = &args.transfer.optimization;
        let is_left_open = styles.len() == 1
            && args.style_scales.is_empty()
            && (args.weight_from_file || optimization.strength.is_none() && optimization.content_weight.is_none())
            && Objective::from(optimization.objective) == Objective::Balanced;
        let strengths = match args.strengths.as_slice() {
            [] if is_left_open => STRENGTHS.map(Some).to_vec(),
            [] => vec![optimization.strength],
            strengths => strengths.iter().copied().map(Some).collect(),
        };
        let style_scales = match args.style_scales.as_slice() {
            [] => vec![args.transfer.size.style_scale],
            scales => scales.to_vec(),
        };
        let axes = Axes { styles, style_scales, strengths };
        match axes.counts().into_iter().filter(|&count| count > 1).count() {
            0 => bail!("there is nothing to vary; give several of --strengths, --style-scales or --style"),
            3 => bail!(
                "a sheet has rows and columns; vary two of --strengths, --style-scales and --style, not all three"
            ),
            _ => Ok(axes),
        }
    }

    fn counts(&self) -> [usize; 3] {
        [self.styles.len(), self.style_scales.len(), self.strengths.len()]
    }

    /// The pictures row by row, and how many are in a row: styles below each other, strengths beside each other, style scales where
    /// there is room.
    fn cells(&self) -> (Vec<Cell>, usize) {
        let mut cells = Vec::new();
        for (style, named) in self.styles.iter().enumerate() {
            for &style_scale in &self.style_scales {
                for &strength in &self.strengths {
                    let mut parts = Vec::new();
                    if self.styles.len() > 1 {
                        parts.push(stem(&named.path));
                    }
                    if self.style_scales.len() > 1 {
                        parts.push(format!("scale {style_scale}"));
                    }
                    if let Some(strength) = strength.filter(|_| self.strengths.len() > 1) {
                        parts.push(format!("strength {strength}"));
                    }
                    cells.push(Cell { style, style_scale, strength, caption: parts.join(", ") });
                }
            }
        }
        let varied: Vec<usize> = self.counts().into_iter().filter(|&count| count > 1).collect();
        let columns = match varied.as_slice() {
            [_, columns] => *columns,
            _ => cells.len().min(MOST_COLUMNS),
        };
        (cells, columns)
    }
}

impl Cell {
    /// `each`: the files of runs with one style, in the order of the styles.
    fn plan<'a>(&self, each: &'a [FileArgs], args: &'a TransferArgs) -> anyhow::Result<Wish<'a>> {
        let mut wish = Wish::new(&each[self.style], args)?;
        wish.size.style_scale = self.style_scale;
        if let Some(strength) = self.strength {
            options::check_dial(wish.options.objective)?;
            wish.options.content_weight = content_weight_at(strength);
        }
        Ok(wish)
    }

    fn tile(&self, image: Image) -> Tile {
        Tile { image, caption: self.caption.clone() }
    }
}

/// The photo and the styles that are pictures, half as large as the cells.
fn sources(args: &SweepArgs, axes: &Axes, scaled: &Picture) -> anyhow::Result<Vec<Tile>> {
    let longest = scaled.width().max(scaled.height()).div_ceil(2);
    let tile = |path: &Path, picture: &Picture| {
        let (width, height) = picture::fit(picture.width(), picture.height(), longest);
        Tile { image: picture.resized(width, height).image, caption: stem(path) }
    };
    let mut tiles = vec![tile(&args.photo, scaled)];
    for style in &axes.styles {
        if !StyleStatistics::is_style_file(&style.path)? {
            tiles.push(tile(
                &style.path,
                &input::load(&style.path, Reading { quiet: true, ..args.transfer.reading() })?,
            ));
        }
    }
    Ok(tiles)
}

/// A file's name without folder and extension.
fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

impl Swept {
    fn text(&self, cells: &[Cell]) -> String {
        let Swept { output, size: [width, height], pictures, seconds, .. } = self;
        let seconds = report::duration(Duration::from_secs_f64(*seconds));
        let mut rows = Vec::new();
        for (cell, picture) in cells.iter().zip(pictures) {
            let [content, style] = [picture.report.content_in_units, picture.report.style_in_units];
            rows.push([cell.caption.clone(), "content".to_owned(), report::number(content)]);
            rows.push([cell.caption.clone(), "style".to_owned(), report::number(style)]);
        }
        format!("{output}: {width}x{height} px, {} pictures, {seconds}\n{}", pictures.len(), report::table(&rows))
    }
}
