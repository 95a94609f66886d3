//! The command line as a whole: which commands there are, and what clap says of a wrong one.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Parser, Subcommand};

use crate::args::Maker;
use crate::commands::again::AgainArgs;
use crate::commands::batch::BatchArgs;
use crate::commands::bench::BenchArgs;
#[cfg(feature = "gpu")]
use crate::commands::devices::DevicesArgs;
use crate::commands::inspect::InspectArgs;
use crate::commands::manual::{CompletionsArgs, ManArgs};
use crate::commands::measure::MeasureArgs;
use crate::commands::recipe::RecipeArgs;
use crate::commands::reconstruct::ReconstructArgs;
use crate::commands::resume::ResumeArgs;
use crate::commands::run::RunArgs;
use crate::commands::schema::SchemaArgs;
#[cfg(feature = "studio")]
use crate::commands::studio::StudioArgs;
use crate::commands::style::StyleFileArgs;
#[cfg(feature = "studio")]
use crate::commands::submit::SubmitArgs;
use crate::commands::sweep::SweepArgs;
use crate::commands::texture::TextureArgs;
use crate::commands::transfer::{EXAMPLES, TransferArgs};
#[cfg(feature = "studio")]
use crate::commands::worker::WorkerArgs;
use crate::text;

/// Paint a photo in the manner of a painting (neural style transfer, on the CPU or a graphics
/// card).
///
/// The photo stays recognisable. The structures, colours and strokes of the painting are laid over
/// it. The network (VGG-19) is part of the program: nothing is downloaded.
#[derive(Debug, Parser)]
#[command(
    name = "impasto",
    version,
    after_long_help = EXAMPLES,
    override_usage = "impasto [OPTIONS] --output <OUT> <CONTENT> <STYLE>\n       impasto <COMMAND>",
    args_conflicts_with_subcommands = true,
    max_term_width = 110
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub transfer: TransferArgs,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Batch(Box<BatchArgs>),
    Sweep(Box<SweepArgs>),
    Texture(Box<TextureArgs>),
    Reconstruct(Box<ReconstructArgs>),
    Inspect(InspectArgs),
    Measure(Box<MeasureArgs>),
    Bench(BenchArgs),
    #[cfg(feature = "gpu")]
    Devices(DevicesArgs),
    Run(Box<RunArgs>),
    #[cfg(feature = "studio")]
    Studio(Box<StudioArgs>),
    #[cfg(feature = "studio")]
    Worker(Box<WorkerArgs>),
    #[cfg(feature = "studio")]
    Submit(SubmitArgs),
    Schema(SchemaArgs),
    Recipe(RecipeArgs),
    Again(Box<AgainArgs>),
    Resume(ResumeArgs),
    Style(StyleFileArgs),
    Completions(CompletionsArgs),
    Man(ManArgs),
}

/// The program's command line. Each command that makes pictures shows the options that go with it.
pub fn command() -> clap::Command {
    let adapt = |command: clap::Command, maker: Maker| match maker.name() {
        None => maker.adapt(command),
        Some(name) => command.mut_subcommand(name, |command| maker.adapt(command)),
    };
    Maker::ALL.into_iter().fold(Cli::command(), adapt)
}

/// `--help` and `--version` arrive as errors too. Real errors are cut to one line, without the
/// usage.
pub fn refuse(error: &clap::Error, line: &[OsString]) -> ExitCode {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            // A reader that has gone (`impasto --help | head -1`) is no failure.
            drop(error.print());
            return ExitCode::SUCCESS;
        }
        // `impasto style` alone: the help, on stderr.
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => drop(error.print()),
        _ => text::print_error(&mistyped(line).unwrap_or_else(|| summary(error, line))),
    }
    ExitCode::from(2)
}

/// How alike a word and a command's name have to be to be taken for one another.
const LIKENESS: f64 = 0.85;

/// What there is to say if the first word is meant for a command: it is no file and nearly a
/// command's name.
pub fn mistyped(line: &[OsString]) -> Option<String> {
    let word = line.get(1)?.to_str()?;
    let is_word = word.chars().all(char::is_alphabetic);
    let command = command();
    if !is_word || command.find_subcommand(word).is_some() || Path::new(word).exists() {
        return None;
    }
    let likeness = |name: &str| strsim::jaro_winkler(name, word);
    let names = command.get_subcommands().map(clap::Command::get_name).chain(["help"]);
    let nearest = names.max_by(|a, b| likeness(a).total_cmp(&likeness(b))).filter(|name| likeness(name) > LIKENESS)?;
    (nearest != word).then(|| format!("there is no command or file `{word}`; did you mean `impasto {nearest}`?"))
}

/// Whether the first word is a command, which then reads the rest.
fn names_a_command(line: &[OsString]) -> bool {
    let mut command = command();
    // With the command `help`, which clap adds.
    command.build();
    line.get(1).is_some_and(|word| command.find_subcommand(word).is_some())
}

/// The first paragraph of clap's message and its tips. The usage and the pointer to `--help` that
/// follow are left out.
fn summary(error: &clap::Error, line: &[OsString]) -> String {
    if let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand)
        && !names_a_command(line)
    {
        // clap takes the third word for a subcommand; what was forgotten is `-o`.
        return format!("unexpected argument '{word}'; the result's name goes after --output, see `impasto --help`");
    }
    let message = error.render().to_string();
    let message = message.strip_prefix("error: ").unwrap_or(&message);
    let first: Vec<&str> = message.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
    let mut text = first.join(" ");
    for tip in message.lines().filter_map(|line| line.trim().strip_prefix("tip: ")) {
        text.push_str("; ");
        text.push_str(tip);
    }
    if error.kind() == ErrorKind::MissingRequiredArgument {
        text.push_str("; see `impasto --help`");
    }
    text
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    #[test]
    fn claps_messages_become_one_line() {
        let refused = |args: &[&str]| {
            let line: Vec<OsString> = std::iter::once(&"impasto").chain(args).map(OsString::from).collect();
            summary(&command().try_get_matches_from(&line).unwrap_err(), &line)
        };
        assert_eq!(
            refused(&["resume"]),
            "the following required arguments were not provided: <DIR>; see `impasto --help`"
        );
        assert_eq!(
            refused(&["a", "b", "-o", "c", "--steps", "0"]),
            "invalid value '0' for '--steps <N>': needs a whole number of at least 1"
        );
        assert_eq!(
            refused(&["a", "b", "c"]),
            "unexpected argument 'c'; the result's name goes after --output, see `impasto --help`"
        );
        let unknown = refused(&["style", "sav"]);
        assert_eq!(unknown, "unrecognized subcommand 'sav'; a similar subcommand exists: 'save'");
        assert_eq!(refused(&["help", "nothing"]), "unrecognized subcommand 'nothing'");
        let unknown = refused(&["a", "b", "-o", "c", "--stile-weight", "1"]);
        assert!(unknown.starts_with("unexpected argument '--stile-weight' found; "), "{unknown}");
        assert!(unknown.contains("'--style-weight'"), "{unknown}");
    }

    #[test]
    fn a_word_that_is_nearly_a_command_is_taken_for_it() {
        let mistyped = |word: &str| mistyped(&["impasto", word].map(OsString::from));
        assert_eq!(mistyped("batc").unwrap(), "there is no command or file `batc`; did you mean `impasto batch`?");
        for (word, meant) in [("swep", "sweep"), ("resumes", "resume"), ("textur", "texture"), ("hepl", "help")] {
            assert!(mistyped(word).is_some_and(|message| message.contains(&format!("`impasto {meant}`"))), "{word}");
        }
        // Commands, options, files and words for them.
        for word in ["batch", "help", "--steps", "batc.jpg", "photos/batc", "content", "me", "-"] {
            assert_eq!(mistyped(word), None);
        }
    }

    #[test]
    fn the_arguments_are_consistent() {
        command().debug_assert();
    }
}
