//! Arguments that commands share.
//!
//! A command that makes a picture has its names (a photo, a style) and [`PictureArgs`]: all groups
//! of options there are, one of which is the job's own [`JobOptions`]. So an option is declared
//! once, whatever commands have it. Options that do not go with a command are hidden from its
//! help, and [`config::configured`](crate::config::configured) refuses them by name.

pub mod engine;
pub mod inputs;

use clap::{Arg, Args, Command};
use impasto_job::job::inputs::{Inputs, StyleInput, StyleLook};
use impasto_job::job::options::JobOptions;
use impasto_job::job::output::Output;
use impasto_job::job::{Job, Kind};
use impasto_job::machine::{CheckpointOptions, Compute, FeatureCacheOptions, Machine};
use impasto_job::schema;
use serde::{Deserialize, Serialize};

use crate::args::inputs::{InitArgs, LookArgs, RegionArgs, StylesArgs, WeightedStyle, WeightsArgs};

/// Every group of options of a command that makes pictures.
#[derive(Args, Clone, Debug, Default)]
pub struct PictureArgs {
    #[command(flatten)]
    pub output: Output,
    #[command(flatten)]
    pub styles: StylesArgs,
    #[command(flatten)]
    pub regions: RegionArgs,
    #[command(flatten)]
    pub look: LookArgs,
    #[command(flatten)]
    pub options: JobOptions,
    #[command(flatten)]
    pub init: InitArgs,
    #[command(flatten)]
    pub weights: WeightsArgs,
    #[command(flatten)]
    pub compute: Compute,
    #[command(flatten)]
    pub feature_cache: FeatureCacheOptions,
    #[command(flatten)]
    pub batch: BatchOptions,
    #[command(flatten)]
    pub checkpoints: CheckpointOptions,
    #[command(flatten)]
    pub only: OnlyArgs,
    #[command(flatten)]
    pub report: ReportArgs,
}

/// What to do with pictures of a batch that are there already or are not finished.
#[derive(Args, Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct BatchOptions {
    /// Leave out results that are there and can be read as a picture, and continue runs that ended
    /// early and have checkpoints.
    #[arg(long)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub resume: bool,

    /// Keep checkpoints of every picture while it is made, in OUT.checkpoint beside it. [default:
    /// of those that take more than ten minutes]
    #[arg(long, conflicts_with = "no_checkpoint", help_heading = "Checkpoints")]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub checkpoints: bool,
}

/// What is done instead of making the picture.
#[derive(Args, Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct OnlyArgs {
    /// Print what the run would take (its sizes, memory and time), and stop.
    #[arg(long, help_heading = "Machine")]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub plan: bool,

    /// Print the job as JSON, and stop. `impasto run` takes it.
    #[arg(long, help_heading = "Reporting")]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
}

/// What a command prints that makes a picture.
#[derive(Args, Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[command(next_help_heading = "Reporting")]
#[serde(default, rename_all = "kebab-case")]
pub struct ReportArgs {
    /// Print nothing but errors (and the JSON object that --json asks for).
    #[arg(short, long)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub quiet: bool,

    /// Print the report as one JSON object on stdout instead of text. Progress stays on stderr.
    #[arg(long)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub json: bool,
}

impl PictureArgs {
    /// The machine that is asked for.
    pub fn machine(&self) -> Machine {
        Machine {
            compute: self.compute.clone(),
            feature_cache: self.feature_cache.clone(),
            checkpoints: self.checkpoints.clone(),
        }
    }

    /// A job of some kind with these options, and with inputs but for content and styles.
    pub fn job(&self, kind: Kind) -> Job {
        Job {
            kind,
            inputs: inputs::other_inputs(&self.regions, &self.init, &self.weights),
            options: self.options.clone(),
            output: self.output.clone(),
            ..Job::default()
        }
    }

    /// The styles: `named`, the second name, or else those of `--style`.
    ///
    /// Errors: more masks than styles.
    pub fn style_inputs(&self, named: Option<&std::path::PathBuf>) -> anyhow::Result<Vec<StyleInput>> {
        let named = named.map(|path| WeightedStyle { path: path.clone(), weight: None });
        let styles = match named {
            Some(style) => vec![style],
            None => self.styles.styles.clone(),
        };
        inputs::style_inputs(styles, &self.look)
    }
}

/// A job with its content and styles.
pub fn with_inputs(job: Job, content: Option<&std::path::PathBuf>, styles: Vec<StyleInput>) -> Job {
    let inputs = Inputs { content: content.cloned().map(Into::into), styles, ..job.inputs };
    Job { inputs, ..job }
}

/// How a file takes the place of another.
const RULES: &str = "A symbolic link is followed. The new file has the permissions of the one that it replaces, and its owner if the \
                     system allows that. Other names of the replaced file (hard links) keep the old picture. A pipe or a character \
                     device is written to directly. A folder, a socket or a disk is refused";

/// An option for the result's name with its help; `--help` adds how files are replaced.
pub fn with_rules(arg: Arg, help: &'static str) -> Arg {
    arg.help(help).long_help(format!("{help}.\n\n{RULES}"))
}

/// Whether an option says how a style picture is looked at.
fn is_look(id: &str) -> bool {
    StyleLook::augment_args(Command::new("look")).get_arguments().any(|arg| arg.get_id() == id)
}

/// A command that makes pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Maker {
    /// Without a subcommand.
    Transfer,
    Batch,
    Sweep,
    Texture,
    Reconstruct,
}

impl Maker {
    pub const ALL: [Maker; 5] = [Maker::Transfer, Maker::Batch, Maker::Sweep, Maker::Texture, Maker::Reconstruct];

    /// The subcommand's name; `None` for the transfer.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Maker::Transfer => None,
            Maker::Batch => Some("batch"),
            Maker::Sweep => Some("sweep"),
            Maker::Texture => Some("texture"),
            Maker::Reconstruct => Some("reconstruct"),
        }
    }

    /// The command that does one job of a kind.
    pub fn of(kind: Kind) -> Maker {
        match kind {
            Kind::Transfer => Maker::Transfer,
            Kind::Sweep => Maker::Sweep,
            Kind::Texture => Maker::Texture,
            Kind::Reconstruct => Maker::Reconstruct,
        }
    }

    /// The kind of job that it does.
    pub fn kind(self) -> Kind {
        match self {
            Maker::Transfer | Maker::Batch => Kind::Transfer,
            Maker::Sweep => Kind::Sweep,
            Maker::Texture => Kind::Texture,
            Maker::Reconstruct => Kind::Reconstruct,
        }
    }

    /// Hides the options that do not go with the command, and words those that mean something else
    /// there.
    pub fn adapt(self, command: Command) -> Command {
        command.mut_args(|arg| {
            let arg = self.worded(arg);
            if self.has(arg.get_id().as_str()) { arg } else { arg.hide(true) }
        })
    }

    /// Whether an option goes with the command.
    pub fn has(self, id: &str) -> bool {
        let field = id.replace('_', "-");
        let goes_with_kind = |group: &str| schema::goes_with(group, &field, self.kind());
        goes_with_kind("JobOptions") && goes_with_kind("Output") && !self.lacks(id)
    }

    /// Whether an option that goes with the kind of job does not go with the command.
    fn lacks(self, id: &str) -> bool {
        let is_of_batch = ["resume", "checkpoints"].contains(&id);
        match self {
            Maker::Transfer => is_of_batch,
            // Each of its pictures has a name of its own.
            Maker::Batch => ["save_every", "checkpoint", "plan"].contains(&id),
            Maker::Sweep => is_of_batch || ["checkpoint", "checkpoint_every", "no_checkpoint", "plan"].contains(&id),
            // It has no content, so it has no features to keep either.
            Maker::Texture => {
                let of_content = ["styles", "mask", "keep", "init", "feature_cache", "no_feature_cache"];
                is_of_batch || of_content.contains(&id)
            }
            Maker::Reconstruct => is_of_batch || is_look(id) || ["styles", "mask", "keep", "style_mask"].contains(&id),
        }
    }

    /// An option in the words of the command.
    fn worded(self, arg: Arg) -> Arg {
        match (self, arg.get_id().as_str()) {
            (Maker::Batch | Maker::Sweep, "styles") => arg.value_name("FILE").num_args(1..),
            (Maker::Batch, "output") => {
                with_rules(arg.value_name("FOLDER"), "The folder that the results go to. It is made if it is missing. Files with the names of results are replaced")
            }
            (Maker::Batch, "json") => arg.help("Print one JSON object a line for each picture on stdout instead of text. Progress stays on stderr"),
            (Maker::Batch, "dry_run") => arg.help("Print the jobs as a JSON list, and stop. `impasto run` takes it"),
            (Maker::Batch, "format") => arg.help("Format of the results. A result carries the photo's colour profile (RGB), its transparency (a JPEG is laid over white) and its EXIF data. [default: png]"),
            (Maker::Batch | Maker::Sweep, "mask") => arg.help("Where on the photo the style goes: white is painted, black is left to the content loss"),
            (Maker::Sweep, "output") => with_rules(arg, "Where the sheet goes. Its extension (png, jpg, tif, webp) chooses the format. An existing file is replaced"),
            (Maker::Sweep, "size") => arg.help("Longest side of each picture in px. It never exceeds the photo's own unless --upscale is given. `original` keeps the photo's size. [default: 256]"),
            (Maker::Sweep, "preset") => arg.help("How much work goes into each picture. [default: draft]"),
            (Maker::Texture, "size") => arg.value_name("PX|WxH").help("Width and height of the result in px: a side, or WIDTHxHEIGHT. [default: 512]"),
            (Maker::Texture, "format") => arg.help("Format of the result, whatever its name. `-o -` needs it. [default: by the extension]"),
            (Maker::Texture, "steps") => arg.help("Steps of the optimiser over all scales. Each is one pass forward and one back through the network. [default: 120]"),
            (Maker::Texture, "scales") => arg.help("How many sizes to work at, from coarse to fine. Each is half the next. [default: auto]"),
            (Maker::Texture, "style_loss") => arg.help("How the style is compared. [default: moments]"),
            (Maker::Texture, "tv_weight") => arg.help("Weight of the total variation, in units of the style's. 0 leaves it out. [default: 0.02]"),
            (Maker::Reconstruct, "size") => arg.value_name("PX").help("Longest side of the result in px. It never exceeds the picture's own. [default: 512]"),
            (Maker::Reconstruct, "steps") => arg.help("Steps of the optimiser. Each is one pass forward and one back through the network. [default: 200]"),
            (Maker::Reconstruct, "init") => arg.value_name("noise|grey").help("Where to start: from white `noise` or from mid-`grey`. [default: noise]"),
            (Maker::Reconstruct, "tv_weight") => arg.help("Weight of the total variation, in units of the picture's. 0 leaves it out. It decides what the layers leave open. [default: 0.003]"),
            (Maker::Reconstruct, "content_layers") => arg.long("layer").alias("content-layers").help("Layers that have to find the picture, each with an optional weight (default 1). [default: relu4_2]"),
            _ => arg,
        }
    }

    /// Its options as a command of their own.
    pub fn options(self) -> Command {
        self.adapt(PictureArgs::augment_args(Command::new(self.name().unwrap_or("impasto"))))
    }
}
