//! `impasto inspect PHOTO -o SHEET`: what the layers of the network see.

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args;
use impasto::picture;
use impasto::{InspectOptions, Layer, Order, Preset, SizeOptions, View};
use impasto_job::files::InputFiles;
use impasto_job::job::paths::AnyPath;
use impasto_job::job::values::Count;
use impasto_job::machine::Compute;
use impasto_job::pictures::{self, ReadLimits, Remedy, Scaled, SizeHint};
use serde::Serialize;
use serde_with::serde_as;

use crate::args::ReportArgs;
use crate::args::engine::NetworkArgs;
use crate::failure::{Failure, OrFail};
use crate::terminal::FileMessages;
use crate::text;

const EXAMPLES: &str = "\
Examples:
  impasto inspect photo.jpg -o sheet.png
      The 16 strongest feature maps of each of the five style layers.
  impasto inspect photo.jpg --layer relu3_1 --maps all -o relu3_1.png
      All 256 of one layer, the strongest first.
  impasto inspect photo.jpg --layer conv1_1 --maps all --order channel -o conv1_1.png
      The first convolution, before its rectifier: 0 is mid-grey.
  impasto inspect painting.jpg --gram -o gram.png
      Which channels fire together: what the style loss compares.";

/// Show what the layers of the network make of a picture: a sheet of feature maps, or their Gram
/// matrices.
///
/// Each map is brightened by its own largest value, and captioned with its channel. Gram matrices
/// are shown on a square-root scale.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
#[command(mut_arg("memory", |arg| arg.help(
    "Memory that impasto may take at most: 4GiB, 800MB. A picture that does not fit is refused. [default: three quarters of what is free]"
)))]
#[command(mut_arg("json", |arg| arg.help("Print the report as one JSON object on stdout instead of text")))]
pub struct InspectArgs {
    /// The picture to look at (PNG, JPEG, TIFF, WebP, HEIC, AVIF, JPEG XL).
    pub photo: PathBuf,

    /// Where the sheet goes. Its extension (png, jpg, tif, webp) chooses the format. An existing
    /// file is replaced, as a result of `impasto` is.
    #[arg(short, long, value_name = "OUT")]
    pub output: PathBuf,

    /// Layers to show.
    #[arg(long, value_name = "LAYER,...", value_delimiter = ',', default_values_t = InspectOptions::default().layers)]
    pub layer: Vec<Layer>,

    /// How many maps of each layer.
    #[arg(long, value_name = "N|all", value_parser = maps, default_value = "16", allow_hyphen_values = true)]
    pub maps: Maps,

    /// Show the layers' Gram matrices instead of their maps.
    #[arg(long, conflicts_with = "maps")]
    pub gram: bool,

    /// The order of the channels.
    #[arg(long, value_enum, default_value_t)]
    pub order: Order,

    /// Longest side, in px, that the picture is scaled to first, never more than it has.
    #[arg(long, value_name = "PX", default_value_t = Count::new(Preset::default().size()).expect("a size"))]
    #[arg(allow_hyphen_values = true)]
    pub size: Count,

    #[command(flatten)]
    pub network: NetworkArgs,

    #[command(flatten)]
    pub compute: Compute,

    #[command(flatten)]
    pub report: ReportArgs,
}

/// `None`: all.
#[derive(Clone, Copy, Debug)]
pub struct Maps(Option<usize>);

fn maps(text: &str) -> Result<Maps, &'static str> {
    match text {
        "all" => Ok(Maps(None)),
        _ => match text.parse::<Count>() {
            Ok(count) => Ok(Maps(Some(count.get()))),
            Err(_) => Err("needs `all`, or a whole number of at least 1"),
        },
    }
}

#[serde_as]
#[derive(Debug, Serialize)]
struct Inspected {
    #[serde_as(as = "AnyPath")]
    output: PathBuf,
    /// Width and height of the sheet in px.
    size: [usize; 2],
    /// Width and height in px at which the network saw the picture.
    picture_size: [usize; 2],
    layers: Vec<String>,
    seconds: f64,
}

/// Makes the sheet and reports.
pub fn run(args: &InspectArgs) -> Result<(), Failure> {
    let started = Instant::now();
    let limits = args.compute.measure();
    let options = InspectOptions {
        layers: args.layer.clone(),
        view: if args.gram { View::Gram } else { View::Maps { count: args.maps.0 } },
        order: args.order,
        pooling: args.network.pooling(),
        threads: limits.threads,
        memory: limits.memory,
        ..InspectOptions::default()
    };
    let size = SizeOptions { size: args.size.get(), ..SizeOptions::default() };
    options.validate().or_user()?;
    size.validate().or_user()?;
    picture::check_output(&args.output, &picture::SaveOptions::default()).or_user()?;
    let inputs: Vec<&Path> = [args.photo.as_path()].into_iter().chain(args.network.weights()).collect();
    InputFiles::new(inputs).refuse_overwriting(&args.output)?;
    let read = ReadLimits { memory: limits.memory };
    let photo = args.photo.clone().into();
    let Scaled { image: scaled, own } =
        pictures::load_scaled(&photo, &size, read, &mut FileMessages { quiet: args.report.quiet })?;
    let hint = if own == (scaled.width(), scaled.height()) {
        SizeHint { at: String::new(), remedy: Remedy::Words("; choose a shallower --layer") }
    } else {
        let remedy = Remedy::Longest { option: "--size", own, enlarging: None };
        SizeHint { at: format!(" at --size {}", args.size), remedy }
    };
    pictures::check_sides(photo.name(), &scaled, &args.layer, &hint)?;
    let (network, _) = args.network.network_on(&limits)?;

    let sheet = impasto::inspect(&network, &scaled, &options).or_user()?;
    picture::save(&args.output, &sheet).or_program()?;

    let report = Inspected {
        output: args.output.clone(),
        size: [sheet.width(), sheet.height()],
        picture_size: [scaled.width(), scaled.height()],
        layers: args.layer.iter().map(Layer::to_string).collect(),
        seconds: started.elapsed().as_secs_f64(),
    };
    if args.report.json {
        text::print(&text::json(&report)?)
    } else if args.report.quiet {
        Ok(())
    } else {
        let [width, height] = report.size;
        text::print(&format!("{}: {width}x{height} px, {}\n", report.output.display(), report.layers.join(", ")))
    }
}
