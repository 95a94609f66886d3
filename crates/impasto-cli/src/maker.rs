//! The commands that make pictures: whose options recipes note and impasto.toml may hold.

use clap::{ArgMatches, Args, Command};

use crate::args::{FileArgs, PlanArgs, TransferArgs};
use crate::batch::BatchArgs;
use crate::checkpoint::CheckpointArgs;
use crate::reconstruct::ReconstructArgs;
use crate::sweep::SweepArgs;
use crate::texture::TextureArgs;

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

    /// Of the subcommand; `None` for the transfer.
    pub fn name(self) -> Option<&'static str> {
        match self {
            Maker::Transfer => None,
            Maker::Batch => Some("batch"),
            Maker::Sweep => Some("sweep"),
            Maker::Texture => Some("texture"),
            Maker::Reconstruct => Some("reconstruct"),
        }
    }

    /// The one with that [`Maker::name`].
    pub fn named(name: Option<&str>) -> Option<Maker> {
        Maker::ALL.into_iter().find(|maker| maker.name() == name)
    }

    /// The one that a command line asks for; `None` if it asks for something else than pictures.
    pub fn of(matches: &ArgMatches) -> Option<Maker> {
        Maker::named(matches.subcommand_name())
    }

    /// Its own part of the matches of a command line.
    pub fn matches(self, matches: &ArgMatches) -> &ArgMatches {
        self.name().and_then(|name| matches.subcommand_matches(name)).unwrap_or(matches)
    }

    /// Its arguments, as a command of their own.
    pub fn command(self) -> Command {
        let command = Command::new(self.name().unwrap_or("impasto"));
        match self {
            Maker::Transfer => {
                let command = TransferArgs::augment_args(FileArgs::augment_args(command));
                PlanArgs::augment_args(CheckpointArgs::augment_args(command))
            }
            Maker::Batch => BatchArgs::augment_args(command),
            Maker::Sweep => SweepArgs::augment_args(command),
            Maker::Texture => TextureArgs::augment_args(command),
            Maker::Reconstruct => ReconstructArgs::augment_args(command),
        }
    }

    /// Whether it has the options of a transfer, some of whose defaults follow from others.
    pub fn transfers(self) -> bool {
        matches!(self, Maker::Transfer | Maker::Batch | Maker::Sweep)
    }
}
