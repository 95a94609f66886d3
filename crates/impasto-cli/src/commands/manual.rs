//! `impasto completions` and `impasto man`: what a package installs beside the program.

use std::path::PathBuf;

use clap::{Args, Command};
use clap_complete::Shell;
use clap_mangen::Man;
use impasto::picture;

use crate::failure::{Failure, OrFail};
use crate::text;

/// Print a script that completes impasto's options in a shell.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  impasto completions bash > ~/.local/share/bash-completion/completions/impasto
  impasto completions zsh > ~/.zfunc/_impasto
  impasto completions fish > ~/.config/fish/completions/impasto.fish")]
pub struct CompletionsArgs {
    /// The shell that the script is for.
    #[arg(value_enum)]
    pub shell: Shell,
}

/// Print the manual page, or write it and those of the subcommands into a folder.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  impasto man | man -l -
  impasto man -o ~/.local/share/man/man1")]
pub struct ManArgs {
    /// The folder that the pages go to, as impasto.1, impasto-measure.1 and so on. [default: the
    /// first page alone, to stdout]
    #[arg(short, long, value_name = "FOLDER")]
    pub output: Option<PathBuf>,
}

/// Prints the script.
pub fn completions(args: &CompletionsArgs, command: &mut Command) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, command, "impasto", &mut script);
    text::print(&String::from_utf8(script).or_program()?)
}

/// Prints or writes the pages.
pub fn man(args: &ManArgs, command: Command) -> Result<(), Failure> {
    let mut command = without_help(command);
    let Some(folder) = &args.output else {
        return text::print(&String::from_utf8(page(&Man::new(command)).or_program()?).or_program()?);
    };
    if folder.exists() && !folder.is_dir() {
        return Err(anyhow::anyhow!("{} is a file; give --output the folder that the pages go to", folder.display()))
            .or_user();
    }
    if !folder.is_dir() {
        return Err(anyhow::anyhow!("there is no folder {}; create it first", folder.display())).or_user();
    }
    command.build();
    for man in with_subcommands(&command).into_iter().cloned().map(Man::new) {
        let path = folder.join(man.get_filename());
        picture::write_whole(&path, &page(&man).or_program()?).or_program()?;
    }
    Ok(())
}

/// The command and those below it without `help`: a page is no place to ask for another.
fn without_help(command: Command) -> Command {
    command.disable_help_subcommand(true).mut_subcommands(without_help)
}

/// The command, and those below it at any depth.
fn with_subcommands(command: &Command) -> Vec<&Command> {
    std::iter::once(command).chain(command.get_subcommands().flat_map(with_subcommands)).collect()
}

fn page(man: &Man) -> anyhow::Result<Vec<u8>> {
    let mut page = Vec::new();
    man.render(&mut page)?;
    Ok(page)
}
