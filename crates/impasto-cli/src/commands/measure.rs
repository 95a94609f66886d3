//! `impasto measure`: the losses of any picture.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use impasto::picture;
use impasto::{
    ColorMode, Layer, MeasureOptions, Measurement, Objective, Padding, RegionLosses, Style, StyleLossKind,
    WeightedLayer,
};
use impasto_job::files;
use impasto_job::job::inputs::{InputFile, StyleInput};
use impasto_job::job::paths::AnyPath;
use impasto_job::job::values::Count;
use impasto_job::machine::Compute;
use impasto_job::pictures::{self, LoadedStyle, ReadLimits, Remedy, SizeHint};
use impasto_job::report::LossByLayer;
use serde::Serialize;
use serde_with::serde_as;

use crate::args::engine::NetworkArgs;
use crate::args::inputs::{LookArgs, RegionArgs, WeightedStyle, style_inputs};
use crate::failure::{Failure, OrFail};
use crate::report::loss_rows;
use crate::terminal::FileMessages;
use crate::text::{self, number, table};

const EXAMPLES: &str = "\
Examples:
  impasto measure out.png --content photo.jpg --style painting.jpg
  impasto measure out.png --content photo.jpg --style art.jpg --style-size 512 --objective balanced
      What a run of 512 px reports of its result, or as close as a file's whole numbers are.
  impasto measure out.png --content photo.jpg --style sky.jpg --style ground.jpg --mask m.png --json
      As one JSON object, with the losses of each part of the mask.";

/// Print the losses of any picture: content, style and total variation, by layer and without alpha
/// and beta.
///
/// A picture of the content's size is measured as it is. If the sizes differ, the content is
/// scaled to the picture's. Styles keep their own size unless --style-size is given. What is
/// transparent in the content or a style does not count, as in a run.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
#[command(mut_arg("memory", |arg| arg.help(
    "Memory that impasto may take at most: 4GiB, 800MB. A picture that does not fit is evaluated in bands, which takes longer. \
     [default: three quarters of what is free]"
)))]
#[command(mut_arg("mask", |arg| arg.help(
    "Where on the content the styles are looked for, as the run had it. The losses of each part are then printed too. Without a \
     mask several styles are blended"
)))]
#[command(mut_arg("keep", |arg| arg.help(
    "What the run left as it was: white is kept and no style is looked for there, black is painted, greys count in part"
)))]
pub struct MeasureArgs {
    /// The picture to measure.
    pub picture: PathBuf,

    /// The content picture.
    #[arg(long, value_name = "FILE")]
    pub content: PathBuf,

    /// A style picture, or a file of `impasto style save`. Several are blended by their weights
    /// (default 1), or each has its part of --mask.
    #[arg(id = "styles", long = "style", value_name = "FILE[:WEIGHT]", value_parser = WeightedStyle::parser())]
    #[arg(required = true)]
    pub styles: Vec<WeightedStyle>,

    /// Longest side, in px, that the styles are scaled to first, as a run does it. A style longer
    /// than 2:1 gets the area of a 2:1 picture of this side. [default: the pixels of the file as
    /// they are, the largest size of a style file]
    #[arg(long, value_name = "PX", allow_hyphen_values = true)]
    pub style_size: Option<Count>,

    /// The objective whose losses are printed, before its units and weights. It decides about
    /// --content-layers, --style-loss and --padding if they are not given.
    #[arg(long, value_enum, default_value_t = Objective::Paper)]
    pub objective: Objective,

    /// How the style is compared. [default: gram; moments with --objective balanced]
    #[arg(long, value_enum)]
    pub style_loss: Option<StyleLossKind>,

    #[command(flatten)]
    pub regions: RegionArgs,

    #[command(flatten)]
    pub look: LookArgs,

    /// Layers that the content is compared at, each with an optional weight (default 1): relu4_2
    /// or conv4_2:2.5. [default: relu4_2; relu4_2,relu3_2:2,relu2_2:0.4 with --objective balanced]
    #[arg(long, value_name = "LAYER[:WEIGHT],...", value_delimiter = ',', help_heading = "Network")]
    pub content_layers: Option<Vec<WeightedLayer>>,

    /// Layers that the style is compared at, written in the same way. [default:
    /// relu1_1,relu2_1,relu3_1,relu4_1,relu5_1]
    #[arg(long, value_name = "LAYER[:WEIGHT],...", value_delimiter = ',', help_heading = "Network")]
    pub style_layers: Option<Vec<WeightedLayer>>,

    /// What the network sees beyond the picture's border. [default: zero; replicate with
    /// --objective balanced]
    #[arg(long, value_enum, help_heading = "Network")]
    pub padding: Option<Padding>,

    #[command(flatten)]
    pub network: NetworkArgs,

    #[command(flatten)]
    pub compute: Compute,

    /// Print one JSON object instead of a table.
    #[arg(long, help_heading = "Reporting")]
    pub json: bool,
}

/// The result for programs.
#[derive(Debug, Serialize)]
struct MeasureReport {
    size: [usize; 2],
    content_loss: f64,
    content_loss_by_layer: LossByLayer,
    style_loss: LossByLayer,
    #[serde(skip_serializing_if = "LossByLayer::is_empty")]
    strokes_loss: LossByLayer,
    /// The parts of the mask.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    regions: Vec<MeasuredRegion>,
    tv: f64,
    gradient_norm: BTreeMap<&'static str, f64>,
}

/// One of the parts of the mask.
#[serde_as]
#[derive(Debug, Serialize)]
struct MeasuredRegion {
    #[serde_as(as = "AnyPath")]
    style: PathBuf,
    /// Part of the area.
    share: f64,
    /// Unweighted.
    style_loss: LossByLayer,
}

/// Measures and prints.
pub fn run(args: &MeasureArgs) -> Result<(), Failure> {
    let options = options(args);
    let styles = style_inputs(args.styles.clone(), &args.look).or_user()?;
    let [mask, keep] = [&args.regions.mask, &args.regions.keep].map(|path| path.clone().map(InputFile::from));
    files::check_stdin(paths(args, &styles))?;

    let read = ReadLimits { memory: options.memory };
    let picture = pictures::load(&args.picture, read, &mut FileMessages { quiet: false })?.image;
    let content = pictures::load(&args.content, read, &mut FileMessages { quiet: false })?
        .resized(picture.width(), picture.height());
    let style_layers = options.style_loss.layers(&options.style_layers);
    let layers: Vec<Layer> = pictures::layers(&options.content_layers).chain(style_layers.iter().copied()).collect();
    pictures::check_sides(&args.picture, &picture, &layers, &SizeHint::NONE)?;
    let scaled = styles.iter().map(|style| scaled(style, args.style_size.map(Count::get), &style_layers, read));
    let scaled = scaled.collect::<Result<Vec<Style>, Failure>>()?;
    let in_regions = pictures::in_regions(scaled, &styles, mask.as_ref(), &args.content, &content.image, read)?;
    let subject = pictures::subject(&args.content, keep.as_ref(), &content, ColorMode::Style, read)?;
    drop(content);

    let (network, _) = args.network.network_on(&args.compute.measure())?;
    let measurement =
        impasto::measure_styles(&network, &picture, &subject, &in_regions, &options).map_err(|error| {
            pictures::with_name(error, Some(&args.content.clone().into()), &styles, mask.as_ref(), keep.as_ref())
        })?;
    // Without a mask there is one region, whose losses are the style's.
    let named: &[StyleInput] = if mask.is_some() { &styles } else { &[] };
    text::print(&if args.json {
        text::json(&MeasureReport::new(&measurement, named))?
    } else {
        measured_text(&args.picture, &measurement, named)
    })
}

/// What is measured.
fn options(args: &MeasureArgs) -> MeasureOptions {
    let (defaults, limits) = (MeasureOptions::for_objective(args.objective), args.compute.measure());
    MeasureOptions {
        content_layers: args.content_layers.clone().unwrap_or(defaults.content_layers),
        style_layers: args.style_layers.clone().unwrap_or(defaults.style_layers),
        style_loss: args.style_loss.unwrap_or(defaults.style_loss),
        pooling: args.network.pooling(),
        padding: args.padding.unwrap_or(defaults.padding),
        threads: limits.threads,
        memory: limits.memory,
    }
}

/// Every picture that is read.
fn paths<'a>(args: &'a MeasureArgs, styles: &'a [StyleInput]) -> impl Iterator<Item = &'a Path> {
    let of_styles = styles.iter().flat_map(|style| [Some(&style.file), style.mask.as_ref()]).flatten();
    let masks = [&args.regions.mask, &args.regions.keep].into_iter().flatten();
    let own = [&args.picture, &args.content].into_iter().chain(masks).map(PathBuf::as_path);
    own.chain(of_styles.map(|file| file.path.as_path()))
}

/// A style with the nominal side `size`; `None`: in its own size.
fn scaled(input: &StyleInput, size: Option<usize>, layers: &[Layer], limits: ReadLimits) -> Result<Style, Failure> {
    let style = match pictures::load_style(input, limits, &mut FileMessages { quiet: false })? {
        LoadedStyle::Statistics(statistics) => {
            let own = statistics.sizes().first().copied().unwrap_or_default();
            Style::from_statistics(statistics, size.unwrap_or(own))
        }
        LoadedStyle::Picture(style) => {
            let own = (style.image.width(), style.image.height());
            let target = size.map(|size| picture::fit_nominal(own.0, own.1, size));
            let remedy = Remedy::StyleSide { option: "--style-size", own };
            let at = size.map(|size| format!(" at --style-size {size}")).unwrap_or_default();
            pictures::fit_style(&input.file.path, style, target, layers, &SizeHint { at, remedy })?.into()
        }
    };
    Ok(style.with_weight(input.weight.map_or(1.0, |weight| weight.get())))
}

impl MeasureReport {
    /// `styles`: those that have a part of the mask each.
    fn new(measurement: &Measurement, styles: &[StyleInput]) -> MeasureReport {
        let Measurement { width, height, losses, gradient_norm, .. } = measurement;
        let region = |(style, region): (&StyleInput, &RegionLosses)| MeasuredRegion {
            style: style.file.path.clone(),
            share: region.share,
            style_loss: region.style.as_slice().into(),
        };
        MeasureReport {
            size: [*width, *height],
            content_loss: losses.content_loss(),
            content_loss_by_layer: losses.content.as_slice().into(),
            style_loss: losses.style.as_slice().into(),
            strokes_loss: losses.strokes.as_slice().into(),
            regions: regions(measurement, styles).map(region).collect(),
            tv: losses.tv,
            gradient_norm: BTreeMap::from([
                ("content", gradient_norm.content),
                ("style", gradient_norm.style),
                ("tv", gradient_norm.tv),
            ]),
        }
    }
}

/// The regions of `styles`, which have one each; none if the styles have none.
fn regions<'a>(
    measurement: &'a Measurement,
    styles: &'a [StyleInput],
) -> impl Iterator<Item = (&'a StyleInput, &'a RegionLosses)> {
    let named = |region: &'a RegionLosses| Some((styles.get(*region.styles.first()?)?, region));
    measurement.regions.iter().filter_map(named)
}

/// The result for people. `styles`: those that have a part of the mask each.
fn measured_text(picture: &Path, measurement: &Measurement, styles: &[StyleInput]) -> String {
    let losses = &measurement.losses;
    let mut rows = loss_rows([&losses.content, &losses.style, &losses.strokes], losses.tv);
    for (i, (style, region)) in regions(measurement, styles).enumerate() {
        let name = format!("part {}, {}", i + 1, style.file.path.display());
        rows.extend(region.style.iter().map(|(layer, loss)| [name.clone(), layer.to_string(), number(*loss)]));
    }
    let norm = &measurement.gradient_norm;
    for (name, value) in [("content", norm.content), ("style", norm.style), ("tv", norm.tv)] {
        rows.push(["gradient norm".to_owned(), name.to_owned(), number(value)]);
    }
    format!("{}: {}x{} px\n{}", picture.display(), measurement.width, measurement.height, table(&rows))
}
