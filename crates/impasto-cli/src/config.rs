//! `impasto.toml`: options that need not be typed again.
//!
//! A key is the long name of an option: at the top for all commands that have it, in a table for the command of its name. The file is
//! turned into arguments that stand before those of the command line, without those that the command line overrules.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::error::ErrorKind;
use clap::{Arg, ArgMatches, Args, Command, CommandFactory, FromArgMatches};
use toml::{Table, Value};

use crate::again;
use crate::args::{self, Cli};
use crate::maker::Maker;
use crate::settings::{self, Setting};

/// What is read when it is there.
const FILE: &str = "impasto.toml";

#[derive(Args, Debug)]
#[command(next_help_heading = "Configuration")]
pub struct ConfigArgs {
    /// A TOML file of options, whose keys are their long names: strength = 60. Keys in a table are for the command of its name: [sweep]. The
    /// command line overrules it.
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
    let names = Maker::ALL.into_iter().filter_map(Maker::name);
    names.fold(ConfigArgs::augment_args(Cli::command()), |command, name| {
        command.mut_subcommand(name, ConfigArgs::augment_args)
    })
}

/// What `line`, the program's name first, asks for together with the file of options.
pub fn parse(line: &[OsString]) -> Result<Request, Refused> {
    let matches = match reading(line, without_files()).try_get_matches_from(line) {
        // The help is that of the command as it is, with what has to be there.
        Err(error) if error.kind() == ErrorKind::DisplayHelp => reading(line, command()).try_get_matches_from(line)?,
        matches => matches?,
    };
    let Some(maker) = Maker::of(&matches) else {
        let (cli, matches) = parse_whole(line.to_vec())?;
        return Ok(Request::Run(Box::new(cli), matches));
    };
    let own = maker.matches(&matches);
    let config = ConfigArgs::from_arg_matches(own)?;
    let found = match ConfigFile::find(&config)? {
        Some(file) => file.arguments(maker, line, own)?,
        None => Vec::new(),
    };
    let line = with(maker, line, &found);
    if config.print_config {
        let matches = without_files().try_get_matches_from(line)?;
        return Ok(Request::Print(text(maker, maker.matches(&matches))?));
    }
    let (mut cli, matches) = parse_whole(line)?;
    if let Some(args::Command::Sweep(sweep)) = &mut cli.command {
        let sets = |name: &str| found.iter().any(|argument| settings::name_in(argument) == Some(name));
        sweep.weight_from_file = sets("strength") || sets("content-weight");
    }
    Ok(Request::Run(Box::new(cli), matches))
}

/// `line` with arguments before its own.
fn with(maker: Maker, line: &[OsString], arguments: &[OsString]) -> Vec<OsString> {
    // The program's name, and that of the subcommand, before which there can be no options.
    let (names, own) = line.split_at(if maker.name().is_some() { 2 } else { 1 });
    [names, arguments, own].concat()
}

/// What a line asks for in which all is said: no file of options is read.
pub fn parse_whole(line: Vec<OsString>) -> Result<(Cli, ArgMatches), clap::Error> {
    let matches = reading(&line, command()).try_get_matches_from(&line)?;
    let mut cli = Cli::from_arg_matches(&matches)?;
    if let Some((checkpoint, _)) = cli.run_mut() {
        checkpoint.line = line;
    }
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
    let names = Maker::ALL.into_iter().filter_map(Maker::name);
    names.fold(settings::optional(command()), |command, name| command.mut_subcommand(name, settings::optional))
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
            Err(error) if error.kind() == io::ErrorKind::NotFound && args.config.is_none() => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => bail!("there is no file {}", path.display()),
            Err(error) => bail!("cannot read {}: {error}", path.display()),
        }
    }

    /// The options of the file for `maker`, as arguments to stand before those of `line`: those at the top, and those in the table of its
    /// name, which overrule them. What `maker` does not have, but another command does, is left aside.
    ///
    /// `matches`: the maker's own of `line`, which is in order, so that whatever clap finds now is in the file.
    fn arguments(&self, maker: Maker, line: &[OsString], matches: &ArgMatches) -> anyhow::Result<Vec<OsString>> {
        let name = self.path.display();
        let command = maker.command();
        let options = options(&command);
        let positionals = command.get_positionals();
        let given = settings::given(&positionals.chain(options.iter().copied()).collect::<Vec<_>>(), matches);
        let problem = |arguments: &[OsString]| without_files().try_get_matches_from(with(maker, line, arguments)).err();

        let mut shared = Vec::new();
        let mut own = Vec::new();
        for (key, value) in &self.table {
            let Value::Table(table) = value else {
                shared.push((key.clone(), value));
                continue;
            };
            let Some(of) = Maker::named(Some(key)) else {
                let known: Vec<String> =
                    Maker::ALL.into_iter().filter_map(Maker::name).map(|name| format!("[{name}]")).collect();
                bail!("{name}: [{key}] is no command with options here; there are {}", known.join(", "));
            };
            if of == maker {
                own.extend(table.iter().map(|(inner, value)| (format!("{key}.{inner}"), value)));
            }
        }

        let mut all = Vec::new();
        let mut set: Vec<&Arg> = given;
        for (is_own, entries) in [(true, own), (false, shared)] {
            let mut set_here = Vec::new();
            for (path, value) in entries {
                let key = path.rsplit('.').next().unwrap_or_default();
                let Some(option) = find(&options, key, is_own).with_context(|| name.to_string())? else {
                    continue;
                };
                let arguments = setting(option, value).map(|setting| settings::arguments(option, &setting));
                let arguments = arguments.with_context(|| format!("{name}: `{path}`")).and_then(|arguments| {
                    match problem(&arguments).filter(|_| !settings::gives_way(&command, option, &set)) {
                        Some(error) => bail!("{name}: `{path}`: {}", crate::summary(&error)),
                        None => Ok(arguments),
                    }
                });
                match arguments {
                    _ if !is_own && maker != Maker::Transfer && is_of_transfer(key, value) && arguments.is_err() => {}
                    Err(error) => return Err(error),
                    Ok(_) if settings::gives_way(&command, option, &set) => {}
                    Ok(arguments) => {
                        set_here.push(option);
                        all.extend(arguments);
                    }
                }
            }
            set.extend(set_here);
        }
        match problem(&all) {
            Some(error) => bail!("{name}: {}", crate::summary(&error)),
            None => Ok(all),
        }
    }
}

/// Whether it is a setting of the transfer, which another command has in other words: `init = "content"` of a reconstruction.
fn is_of_transfer(key: &str, value: &Value) -> bool {
    let command = Maker::Transfer.command();
    let Some(option) = options(&command).into_iter().find(|option| settings::name(option) == key) else {
        return false;
    };
    let line = |setting: Setting| [vec!["impasto".into()], settings::arguments(option, &setting)].concat();
    setting(option, value).is_ok_and(|setting| without_files().try_get_matches_from(line(setting)).is_ok())
}

fn table(path: &Path, text: &str) -> anyhow::Result<Table> {
    text.parse().map_err(|error: toml::de::Error| {
        let line = error.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
        let message = error.message().split_whitespace().collect::<Vec<_>>().join(" ");
        anyhow::anyhow!("{}, line {line}: {message}", path.display())
    })
}

/// The option that a key names; `None` where it is one of another command, which a table of one's own cannot have.
fn find<'a>(options: &[&'a Arg], key: &str, is_own: bool) -> anyhow::Result<Option<&'a Arg>> {
    if let Some(option) = options.iter().find(|option| settings::name(option) == key) {
        return Ok(Some(option));
    }
    let commands = Maker::ALL.map(Maker::command);
    let of_all: Vec<&Arg> = commands.iter().flat_map(self::options).collect();
    match of_all.iter().any(|option| settings::name(option) == key) {
        true if is_own => bail!("`{key}` is no option of that command; put it above the tables, or remove it"),
        true => return Ok(None),
        false => {}
    }
    let line = ConfigArgs::augment_args(Command::new("config"));
    let on_the_line = commands.iter().chain([&line]).flat_map(Command::get_arguments);
    let is_named = |arg: &&Arg| arg.get_long() == Some(key) || arg.get_id().as_str() == key;
    if on_the_line.filter(|arg| !of_all.iter().any(|option| option.get_id() == arg.get_id())).any(|arg| is_named(&arg))
    {
        bail!("`{key}` belongs on the command line; remove it from the file");
    }
    let candidates = if is_own { options } else { &of_all };
    let likeness = |name: &str| strsim::jaro_winkler(name, key);
    match candidates.iter().map(|option| settings::name(option)).max_by(|a, b| likeness(a).total_cmp(&likeness(b))) {
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

/// A file that sets every option of `maker` to what it is now; those of a subcommand are a table, which can stand below the others.
fn text(maker: Maker, matches: &ArgMatches) -> anyhow::Result<String> {
    let command = maker.command();
    let settings = settings::in_force(maker, &options(&command), matches)?;
    let mut text = match maker.name() {
        None => format!("# Options of impasto, read from {FILE} in the current folder or with --config.\n"),
        Some(name) => {
            format!(
                "# Options of `impasto {name}`, read from {FILE} in the current folder or with --config.\n[{name}]\n"
            )
        }
    };
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
