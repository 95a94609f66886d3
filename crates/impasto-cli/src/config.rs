//! `impasto.toml`: options that need not be typed again.
//!
//! A key is the long name of an option of the transfer. The file is turned into arguments that stand before those of the command
//! line, without those that the command line overrules.

use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Arg, ArgMatches, Args, Command, CommandFactory, FromArgMatches};
use toml::{Table, Value};

use crate::again;
use crate::args::Cli;
use crate::maker::Maker;
use crate::settings::{self, Setting};

/// What is read when it is there.
const FILE: &str = "impasto.toml";

#[derive(Args, Debug)]
#[command(next_help_heading = "Configuration")]
pub struct ConfigArgs {
    /// A TOML file of options, whose keys are their long names: strength = 60. The command line overrules it.
    /// [default: impasto.toml, where there is one]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Do not read impasto.toml.
    #[arg(long, conflicts_with = "config")]
    pub no_config: bool,

    /// Print every option with its value as an impasto.toml, and do nothing else.
    #[arg(long)]
    pub print_config: bool,
}

/// What the command line asks for.
pub enum Request {
    /// To do this; the same once more as clap has it.
    Run(Box<Cli>, ArgMatches),
    /// To print this.
    Print(String),
}

/// Why there is nothing to do.
pub enum Refused {
    /// clap has said something: an error, or the help that was asked for.
    Line(clap::Error),
    /// The file of options is at fault.
    Config(anyhow::Error),
}

impl From<clap::Error> for Refused {
    fn from(error: clap::Error) -> Refused {
        Refused::Line(error)
    }
}

impl From<anyhow::Error> for Refused {
    fn from(error: anyhow::Error) -> Refused {
        Refused::Config(error)
    }
}

/// The program's command line.
pub fn command() -> Command {
    ConfigArgs::augment_args(Cli::command())
}

/// What `line`, the program's name first, asks for together with the file of options.
pub fn parse(line: &[OsString]) -> Result<Request, Refused> {
    let matches = reading(line, without_files()).try_get_matches_from(line)?;
    let config = ConfigArgs::from_arg_matches(&matches)?;
    let is_transfer = matches.subcommand_name().is_none();
    let file = if is_transfer { ConfigFile::find(&config)? } else { None };
    let line = match file {
        Some(file) => file.before(line, &matches)?,
        None => line.to_vec(),
    };
    if config.print_config {
        return Ok(Request::Print(text(&without_files().try_get_matches_from(line)?)?));
    }
    let (cli, matches) = parse_whole(line)?;
    Ok(Request::Run(Box::new(cli), matches))
}

/// What a line asks for in which all is said: no file of options is read.
pub fn parse_whole(line: Vec<OsString>) -> Result<(Cli, ArgMatches), clap::Error> {
    let matches = reading(&line, command()).try_get_matches_from(&line)?;
    let mut cli = Cli::from_arg_matches(&matches)?;
    cli.checkpoint.line = line;
    Ok((cli, matches))
}

/// The command line as `line` is to be read: the options of `again` are those of what made the picture.
fn reading(line: &[OsString], command: Command) -> Command {
    match line.get(1) {
        Some(word) if word == again::NAME => again::reading(command, line),
        _ => command,
    }
}

/// The command line with nothing that has to be there.
fn without_files() -> Command {
    settings::optional(command())
}

/// The option that names the result: no two results have the same.
const OUTPUT: &str = "output";

/// The options of a [`Maker`]'s command that a file may hold.
pub fn options(command: &Command) -> Vec<&Arg> {
    settings::options(command).into_iter().filter(|option| settings::name(option) != OUTPUT).collect()
}

struct ConfigFile {
    path: PathBuf,
    table: Table,
}

impl ConfigFile {
    /// The file that is asked for, or the one of the current folder.
    fn find(args: &ConfigArgs) -> anyhow::Result<Option<ConfigFile>> {
        if args.no_config {
            return Ok(None);
        }
        let path = args.config.as_deref().unwrap_or(Path::new(FILE));
        match fs::read_to_string(path) {
            Ok(text) => Ok(Some(ConfigFile { path: path.to_owned(), table: table(path, &text)? })),
            Err(error) if error.kind() == ErrorKind::NotFound && args.config.is_none() => Ok(None),
            Err(error) if error.kind() == ErrorKind::NotFound => bail!("there is no file {}", path.display()),
            Err(error) => bail!("cannot read {}: {error}", path.display()),
        }
    }

    /// `line` with the options of the file before its own.
    ///
    /// `matches`: those of `line`, which is in order, so that whatever clap finds now is in the file.
    fn before(&self, line: &[OsString], matches: &ArgMatches) -> anyhow::Result<Vec<OsString>> {
        let name = self.path.display();
        let command = Maker::Transfer.command();
        let options = options(&command);
        let positionals = command.get_positionals();
        let given = settings::given(&positionals.chain(options.iter().copied()).collect::<Vec<_>>(), matches);
        let with = |arguments: &[OsString]| [&line[..1], arguments, &line[1..]].concat();
        let problem = |arguments: &[OsString]| without_files().try_get_matches_from(with(arguments)).err();

        let mut all = Vec::new();
        for (key, value) in &self.table {
            let option = find(&command, &options, key).with_context(|| name.to_string())?;
            let setting = setting(option, value).with_context(|| format!("{name}: `{key}`"))?;
            if settings::gives_way(&command, option, &given) {
                continue;
            }
            let arguments = settings::arguments(option, &setting);
            if let Some(error) = problem(&arguments) {
                bail!("{name}: `{key}`: {}", crate::summary(&error));
            }
            all.extend(arguments);
        }
        match problem(&all) {
            Some(error) => bail!("{name}: {}", crate::summary(&error)),
            None => Ok(with(&all)),
        }
    }
}

fn table(path: &Path, text: &str) -> anyhow::Result<Table> {
    text.parse().map_err(|error: toml::de::Error| {
        let line = error.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
        let message = error.message().split_whitespace().collect::<Vec<_>>().join(" ");
        anyhow::anyhow!("{}, line {line}: {message}", path.display())
    })
}

/// The option that a key names.
fn find<'a>(command: &Command, options: &[&'a Arg], key: &str) -> anyhow::Result<&'a Arg> {
    if let Some(option) = options.iter().find(|option| settings::name(option) == key) {
        return Ok(option);
    }
    let line = ConfigArgs::augment_args(command.clone());
    if line.get_arguments().any(|arg| arg.get_long() == Some(key) || arg.get_id().as_str() == key) {
        bail!("`{key}` belongs on the command line; remove it from the file");
    }
    let names = options.iter().map(|option| settings::name(option));
    let likeness = |name: &str| strsim::jaro_winkler(name, key);
    match names.max_by(|a, b| likeness(a).total_cmp(&likeness(b))) {
        Some(nearest) => bail!("there is no option `{key}`; did you mean `{nearest}`?"),
        None => bail!("there is no option `{key}`; remove it"),
    }
}

/// What the file sets the option to; whether the option can have that value is for clap to say.
fn setting(option: &Arg, value: &Value) -> anyhow::Result<Setting> {
    let scalar = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        _ => None,
    };
    let found = value.type_str();
    match value {
        Value::Boolean(on) if settings::is_switch(option) => Ok(Setting::Switch(*on)),
        _ if settings::is_switch(option) => bail!("is a switch and has the type {found}; give true or false"),
        Value::Array(values) if settings::is_list(option) => {
            match values.iter().map(scalar).collect::<Option<Vec<_>>>() {
                Some(values) if !values.is_empty() => Ok(Setting::Many(values)),
                Some(_) => bail!("is an empty list; give a value, or leave the key out"),
                None => bail!("is a list of other things than text or numbers; give these alone"),
            }
        }
        _ => match scalar(value) {
            Some(value) => Ok(Setting::One(value)),
            None => bail!("has the type {found}; give text or a number"),
        },
    }
}

/// A file that sets every option to what it is now.
fn text(matches: &ArgMatches) -> anyhow::Result<String> {
    let command = Maker::Transfer.command();
    let settings = settings::in_force(Maker::Transfer, &options(&command), matches)?;
    let mut text = format!("# Options of impasto, read from {FILE} in the current folder or with --config.\n");
    let mut headings = Vec::new();
    for heading in settings.iter().map(|(option, _)| option.get_help_heading()) {
        if !headings.contains(&heading) {
            headings.push(heading);
        }
    }
    for heading in headings {
        text.push_str(&format!("\n# {}\n", heading.unwrap_or("Options")));
        for (option, setting) in settings.iter().filter(|(option, _)| option.get_help_heading() == heading) {
            text.push_str(&format!("\n# {}\n{}", comment(option), entry(option, setting)));
        }
    }
    Ok(text)
}

/// The first line of the help, and the words that may be given.
fn comment(option: &Arg) -> String {
    let help = option.get_help().map(ToString::to_string).unwrap_or_default();
    let mut line = help.lines().next().unwrap_or_default().to_owned();
    let words = option.get_possible_values();
    if !words.is_empty() && !settings::is_switch(option) {
        let words: Vec<&str> = words.iter().map(|word| word.get_name()).collect();
        line.push_str(&format!(" ({})", words.join(", ")));
    }
    line
}

/// A line that sets an option; a comment where it is not set.
fn entry(option: &Arg, setting: &Setting) -> String {
    let key = settings::name(option);
    let value = match setting {
        Setting::Unset => {
            let names = option.get_value_names().unwrap_or_default().join(" ");
            return format!("# {key} = {names}\n");
        }
        Setting::Switch(on) => Value::Boolean(*on),
        Setting::One(value) => scalar(value),
        Setting::Many(values) => Value::Array(values.iter().map(|value| scalar(value)).collect()),
    };
    format!("{key} = {value}\n")
}

/// As a number where that is written in the same way, else as text.
fn scalar(text: &str) -> Value {
    let number = text.parse().map(Value::Integer).or_else(|_| text.parse().map(Value::Float));
    match number {
        Ok(number) if number.to_string() == text => number,
        _ => Value::String(text.to_owned()),
    }
}
