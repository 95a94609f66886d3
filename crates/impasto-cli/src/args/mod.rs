//! The command line: what can be asked for, in which words. What it means is the library's `Options`.

mod memory;
mod network;
mod optimization;
mod output;
mod report;
mod size;
mod values;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::again::{AgainArgs, RecipeArgs};
use crate::batch::BatchArgs;
use crate::bench::BenchArgs;
use crate::checkpoint::{CheckpointArgs, ResumeArgs};
use crate::colors::ColorArgs;
use crate::input::Reading;
use crate::inspect::InspectArgs;
use crate::manual::{CompletionsArgs, ManArgs};
use crate::measure::MeasureArgs;
use crate::reconstruct::ReconstructArgs;
use crate::style_file::StyleFileArgs;
use crate::styles::{LookArgs, RegionArgs, WeightedStyle};
use crate::sweep::SweepArgs;
use crate::texture::TextureArgs;

pub use memory::{Limits, MemoryArgs, PlanArgs, ScratchArgs};
pub use network::{EngineArgs, NetworkArgs};
pub use optimization::{InitFrom, ObjectiveName, OptimizationArgs, OptimizerName, PaddingName, StyleLossName};
pub use output::{FormatName, OutputArgs, RecipeNoteArgs};
pub use report::ReportArgs;
pub use size::{OutputSize, SizeArgs};
pub use values::{count, factor, name_of, scales, seed, strength, weight};

const EXAMPLES: &str = "\
Examples:
  impasto photo.jpg painting.jpg -o out.png
      The photo, 512 px on its longest side, painted like the painting.
  impasto photo.jpg painting.jpg -o out.png --strength 70
      More of the painting, less of the photo.
  impasto photo.jpg painting.jpg -o draft.png --preset draft
      The composition in 10 to 20 s, before --preset fine takes its time.
  impasto photo.jpg painting.jpg -o out.png --size 1024 --save-every 40
      Larger, and with a look in between: out-0040.png, out-0080.png ...
  impasto photo.jpg painting.jpg -o out.png --style-layers relu1_1,relu2_1,relu3_1:0.5
      Only the finer strokes.
  impasto photo.jpg --style a.jpg:2 --style b.jpg -o out.png
      Two styles blended, two parts of the first to one of the second.
  impasto photo.jpg --style sky.jpg --style ground.jpg --mask m.png -o out.png
      The first where m.png is white, the second where it is black.
  impasto photo.jpg painting.jpg -o out.png --keep face.png
      All but what is white in face.png.
  impasto batch photos/*.jpg --style painting.jpg -o painted
      Every photo, each as painted/PHOTO-painting.png.
  impasto sweep photo.jpg painting.jpg -o sheet.png
      Small pictures of several strengths on one sheet, to choose from.
  impasto texture painting.jpg -o texture.png --tileable
      The painting's texture alone, to be laid side by side without a seam.
  impasto photo.jpg painting.jpg -o large.png --size 4096 --memory 6GiB --plan
      What a large picture would take; without --plan it is made, in 6 GiB.
  impasto resume out.png.checkpoint
      On with a run that a crash, a power cut or Ctrl-C has broken off.
  impasto measure out.png --content photo.jpg --style painting.jpg --json
      The losses of a finished picture.
  impasto bench --size 512,1024
      How long a step takes on this machine.

Ctrl-C (or SIGTERM) ends the run after the current step and still writes the picture: exit status 0, and `interrupted` in \
the report. Where there are checkpoints (see --checkpoint), `impasto resume` goes on from there. Before the first step there \
is no picture yet and it leaves at once, as a second Ctrl-C does at any time: nothing is written, exit status 130.

Exit status: 0 the picture was written, 1 a failure such as a full disk, 2 an option or file that has to be changed, 130 left \
without a picture.";

/// Paint a photo in the manner of a painting (neural style transfer, on the CPU).
///
/// The photo stays recognisable, while the structures, colours and strokes of the painting are laid over it. The network
/// (VGG-19) is part of the program: nothing is downloaded.
#[derive(Debug, Parser)]
#[command(
    name = "impasto",
    version,
    after_long_help = EXAMPLES,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    disable_help_subcommand = true,
    max_term_width = 110
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    /// `None` under a subcommand.
    #[command(flatten)]
    pub files: Option<FileArgs>,
    #[command(flatten)]
    pub transfer: TransferArgs,
    #[command(flatten)]
    pub checkpoint: CheckpointArgs,
    #[command(flatten)]
    pub plan: PlanArgs,
}

impl Cli {
    /// The checkpoints and the memory of the run that is asked for; `None` where it is none that can be taken up again.
    pub fn run_mut(&mut self) -> Option<(&mut CheckpointArgs, &mut MemoryArgs)> {
        match &mut self.command {
            None => Some((&mut self.checkpoint, &mut self.transfer.memory)),
            Some(
                Command::Texture(TextureArgs { synthesis, .. })
                | Command::Reconstruct(ReconstructArgs { synthesis, .. }),
            ) => Some((&mut synthesis.checkpoint, &mut synthesis.memory)),
            Some(_) => None,
        }
    }
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Batch(BatchArgs),
    Sweep(SweepArgs),
    Texture(TextureArgs),
    Reconstruct(ReconstructArgs),
    Inspect(InspectArgs),
    Measure(MeasureArgs),
    Bench(BenchArgs),
    Recipe(RecipeArgs),
    Again(AgainArgs),
    Completions(CompletionsArgs),
    Man(ManArgs),
    Style(StyleFileArgs),
    Resume(ResumeArgs),
}

/// The options of a transfer, whatever its files: all have defaults.
#[derive(Args, Debug)]
pub struct TransferArgs {
    #[command(flatten)]
    pub output: OutputArgs,

    #[command(flatten)]
    pub size: SizeArgs,

    #[command(flatten)]
    pub colors: ColorArgs,

    #[command(flatten)]
    pub regions: RegionArgs,

    #[command(flatten)]
    pub look: LookArgs,

    #[command(flatten)]
    pub optimization: OptimizationArgs,

    #[command(flatten)]
    pub network: NetworkArgs,

    #[command(flatten)]
    pub memory: MemoryArgs,

    #[command(flatten)]
    pub scratch: ScratchArgs,

    #[command(flatten)]
    pub report: ReportArgs,
}

impl TransferArgs {
    /// How its pictures are read.
    pub fn reading(&self) -> Reading {
        Reading { quiet: self.report.quiet, memory: self.memory.limit() }
    }
}

#[derive(Args, Debug)]
pub struct FileArgs {
    /// The picture to be painted, usually a photo (PNG, JPEG, TIFF, WebP); `-` reads standard input.
    pub content: PathBuf,

    /// The picture whose manner is taken, usually a painting (PNG, JPEG, TIFF, WebP), or a file of `impasto style save`;
    /// `-` reads standard input.
    #[arg(required_unless_present = "styles", conflicts_with = "styles")]
    pub style: Option<PathBuf>,

    /// A style, in place of the second name; several are blended by their weights (default 1), or each has its part of --mask.
    #[arg(id = "styles", long = "style", value_name = "FILE[:WEIGHT]", value_parser = WeightedStyle::parser())]
    #[arg(help_heading = "Styles and regions")]
    pub styles: Vec<WeightedStyle>,

    /// Where the result goes; the extension (png, jpg, tif, webp) says as what. An existing file is replaced. `-` writes the
    /// picture to standard output and the report to standard error.
    #[arg(short, long, value_name = "OUT")]
    pub output: PathBuf,

    /// Also write the picture every N steps, with the step in its name: out-0050.png. [default: never]
    #[arg(long, value_name = "N", value_parser = count, allow_hyphen_values = true)]
    pub save_every: Option<usize>,
}
