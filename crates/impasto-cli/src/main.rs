//! The `impasto` program: neural style transfer on the command line.

mod again;
mod args;
mod batch;
mod bench;
mod checkpoint;
mod colors;
mod config;
mod derived;
mod input;
mod inspect;
mod interrupt;
mod maker;
mod manual;
mod measure;
mod options;
mod output;
mod painting;
mod plan;
mod progress;
mod recipe;
mod reconstruct;
mod report;
mod run_file;
mod series;
mod settings;
mod style_file;
mod styles;
mod sweep;
mod synthesis;
mod texture;
mod transfer;

use std::env;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::ArgMatches;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::args::{Cli, Command};
use crate::config::{Refused, Request};
use crate::maker::Maker;

/// Why the program did not do its job.
enum Failure {
    /// Something the user can put right: exit status 2.
    User(anyhow::Error),
    /// Anything else, a full disk say: exit status 1.
    Program(anyhow::Error),
    /// The user has ended it before there was a result: exit status 130.
    Interrupted(anyhow::Error),
}

/// Says on which side an error lies.
trait OrFail<T> {
    /// The user can put it right.
    fn or_user(self) -> Result<T, Failure>;
    /// The user cannot.
    fn or_program(self) -> Result<T, Failure>;
}

impl<T, E: Into<anyhow::Error>> OrFail<T> for Result<T, E> {
    fn or_user(self) -> Result<T, Failure> {
        self.map_err(|error| Failure::User(error.into()))
    }

    fn or_program(self) -> Result<T, Failure> {
        self.map_err(|error| Failure::Program(error.into()))
    }
}

/// An error in the words of the command line: the library names its options' fields, the user typed `--style-weight`.
fn wording(error: &anyhow::Error) -> String {
    match error.downcast_ref() {
        Some(impasto::Error::Option { option, problem }) => format!("--{} {problem}", option.replace('_', "-")),
        Some(impasto::Error::FeatureCache { folder, reason }) => format!(
            "cannot keep the photo's features in {}: {reason}; make room there, or name another folder with --scratch",
            folder.display()
        ),
        Some(impasto::Error::NothingToMinimise) => {
            "nothing to minimise: --content-weight, --style-weight and --tv-weight are all 0; make one of them positive"
                .to_owned()
        }
        _ => format!("{error:#}"),
    }
}

fn main() -> ExitCode {
    let result = match config::parse(&env::args_os().collect::<Vec<_>>()) {
        Ok(Request::Run(cli, matches)) => run(&cli, &matches),
        Ok(Request::Print(text)) => report::print(&text),
        Err(Refused::Line(error)) => return refuse_arguments(&error),
        Err(Refused::Config(error)) => Err(Failure::User(error)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::User(error)) => {
            print_error(&wording(&error));
            ExitCode::from(2)
        }
        Err(Failure::Program(error)) => {
            print_error(&wording(&error));
            ExitCode::from(1)
        }
        Err(Failure::Interrupted(error)) => {
            print_error(&wording(&error));
            ExitCode::from(interrupt::LEFT)
        }
    }
}

/// Does what is asked for; `matches`: the same as clap has it.
fn run(cli: &Cli, matches: &ArgMatches) -> Result<(), Failure> {
    match (&cli.command, &cli.files) {
        (Some(Command::Batch(args)), _) => batch::run(args, Maker::Batch.matches(matches)),
        (Some(Command::Sweep(args)), _) => sweep::run(args, Maker::Sweep.matches(matches)),
        (Some(Command::Texture(args)), _) => texture::run(args, Maker::Texture.matches(matches)),
        (Some(Command::Reconstruct(args)), _) => reconstruct::run(args, Maker::Reconstruct.matches(matches)),
        (Some(Command::Inspect(args)), _) => inspect::run(args),
        (Some(Command::Measure(args)), _) => measure::run(args),
        (Some(Command::Bench(args)), _) => bench::run(args),
        (Some(Command::Recipe(args)), _) => again::print(args),
        (Some(Command::Again(args)), _) => again::run(args),
        (Some(Command::Resume(args)), _) => checkpoint::resume(args),
        (Some(Command::Completions(args)), _) => manual::completions(args),
        (Some(Command::Man(args)), _) => manual::man(args),
        (Some(Command::Style(args)), _) => style_file::run(args),
        (None, Some(files)) => transfer::run(files, &cli.transfer, &cli.checkpoint, cli.plan.plan, matches),
        (None, None) => Err(Failure::User(anyhow::anyhow!("nothing to do; see `impasto --help`"))),
    }
}

/// `--help` and `--version` arrive as errors too; the real ones are cut to one line, without the usage.
fn refuse_arguments(error: &clap::Error) -> ExitCode {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        // A reader that has gone (`impasto --help | head -1`) is no failure.
        drop(error.print());
        return ExitCode::SUCCESS;
    }
    print_error(&summary(error));
    ExitCode::from(2)
}

/// The first paragraph of clap's message and its tips: the usage and the pointer to `--help` that follow are left out.
fn summary(error: &clap::Error) -> String {
    if let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand)
        && config::command().find_subcommand(word).is_none()
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

/// One line on stderr. A closed stderr leaves nobody to tell.
fn print_error(message: &str) {
    let line = message.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    drop(writeln!(io::stderr(), "impasto: {line}"));
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    #[test]
    fn claps_messages_become_one_line() {
        let refused = |args: &[&str]| {
            let line: Vec<OsString> = std::iter::once(&"impasto").chain(args).map(OsString::from).collect();
            summary(&config::command().try_get_matches_from(line).unwrap_err())
        };
        assert_eq!(
            refused(&["a", "b"]),
            "the following required arguments were not provided: --output <OUT>; see `impasto --help`"
        );
        assert_eq!(
            refused(&["a", "b", "-o", "c", "--size", "0"]),
            "invalid value '0' for '--size <PX|original>': needs a whole number of at least 1, or `original`"
        );
        assert_eq!(
            refused(&["a", "b", "c"]),
            "unexpected argument 'c'; the result's name goes after --output, see `impasto --help`"
        );
        let unknown = refused(&["a", "b", "-o", "c", "--stile-weight", "1"]);
        assert!(unknown.starts_with("unexpected argument '--stile-weight' found; "), "{unknown}");
        assert!(unknown.contains("'--style-weight'"), "{unknown}");
    }

    #[test]
    fn the_arguments_are_consistent() {
        config::command().debug_assert();
    }
}
