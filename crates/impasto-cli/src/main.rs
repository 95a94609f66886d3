//! The `impasto` program: words at a terminal.
//!
//! A command turns its arguments into a [`Job`](impasto_job::job::Job) and a
//! [`Machine`](impasto_job::machine::Machine), and `impasto-job` does the rest. What is left here
//! is the command line ([`cli`], [`args`], [`commands`]), the configuration file ([`config`]),
//! what a person sees while a run goes on ([`terminal`]) and the words of reports and errors
//! ([`report`], [`text`], [`failure`], [`wording`]).

mod args;
mod cli;
mod commands;
mod config;
mod failure;
mod report;
mod terminal;
mod text;
mod wording;

use std::env;
use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::anyhow;
use clap::FromArgMatches;

use crate::cli::{Cli, Command};
use crate::commands::{
    again, batch, bench, inspect, manual, measure, recipe, reconstruct, resume, run, schema, style, sweep, texture,
    transfer,
};
use crate::failure::Failure;

fn main() -> ExitCode {
    let line: Vec<OsString> = env::args_os().collect();
    let matches = cli::command().try_get_matches_from(&line);
    let cli = match matches.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => cli,
        Err(error) => return cli::refuse(&error, &line),
    };
    match dispatch(&cli, &line) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let (message, status) = wording::message(&failure);
            text::print_error(&message);
            status
        }
    }
}

fn dispatch(cli: &Cli, line: &[OsString]) -> Result<(), Failure> {
    match &cli.command {
        None => match cli::mistyped(line) {
            Some(message) => Err(Failure::User(anyhow!(message))),
            None => transfer::run(&cli.transfer),
        },
        Some(Command::Batch(args)) => batch::run(args),
        Some(Command::Sweep(args)) => sweep::run(args),
        Some(Command::Texture(args)) => texture::run(args),
        Some(Command::Reconstruct(args)) => reconstruct::run(args),
        Some(Command::Inspect(args)) => inspect::run(args),
        Some(Command::Measure(args)) => measure::run(args),
        Some(Command::Bench(args)) => bench::run(args),
        #[cfg(feature = "gpu")]
        Some(Command::Devices(args)) => commands::devices::run(args),
        Some(Command::Run(args)) => run::run(args),
        #[cfg(feature = "studio")]
        Some(Command::Studio(args)) => commands::studio::run(args),
        #[cfg(feature = "studio")]
        Some(Command::Worker(args)) => commands::worker::run(args),
        #[cfg(feature = "studio")]
        Some(Command::Submit(args)) => commands::submit::run(args),
        Some(Command::Schema(args)) => schema::run(args),
        Some(Command::Recipe(args)) => recipe::run(args),
        Some(Command::Again(args)) => again::run(args),
        Some(Command::Resume(args)) => resume::run(args),
        Some(Command::Style(args)) => style::run(args),
        Some(Command::Completions(args)) => manual::completions(args, &mut cli::command()),
        Some(Command::Man(args)) => manual::man(args, cli::command()),
    }
}
