//! `impasto.toml`: options read from a file, and printed as one.
//!
//! The file is a partial job: its keys are the options' long names. Keys in a table are for the
//! command of its name. The command line overrules the file, and the table overrules what stands
//! above it. Groups of options are merged as maps, so nothing here knows a single option.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::{Arg, ArgAction, Args, Command};
use impasto_job::error::Error;
use impasto_job::expand::sweep::leaves_strengths_open;
use impasto_job::job::inputs::{InitFrom, Inputs, StyleInput, StyleLook};
use impasto_job::job::output::Output;
use impasto_job::job::values::{Rotations, Seconds};
use impasto_job::job::{Job, Kind, from_map, to_map};
use impasto_job::machine::{CHECKPOINT_EVERY, CheckpointOptions};
use impasto_job::resolve;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use toml::Table;

use crate::args::inputs::LookArgs;
use crate::args::{Maker, PictureArgs};
use crate::wording::wording;

/// The file that is read if there is one in the current folder.
const FILE: &str = "impasto.toml";

/// Where options come from besides the command line.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Configuration")]
pub struct ConfigArgs {
    /// Read options from FILE (TOML) by their long names: strength = 60. Keys in a table are for
    /// the command of its name: [sweep]. The command line overrules the file. [default:
    /// impasto.toml, if there is one]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Do not read impasto.toml.
    #[arg(long, conflicts_with = "config")]
    pub no_config: bool,

    /// Print every option with its value as an impasto.toml, and stop.
    #[arg(long)]
    pub print_config: bool,
}

/// The options of a command together with those of the file. `names_style`: the command line names
/// a style, which takes the place of those in the file.
///
/// Errors: options that do not go with the command; a file that cannot be read; keys that are no
/// options, values that they cannot have.
pub fn configured(
    maker: Maker,
    config: &ConfigArgs,
    args: PictureArgs,
    names_style: bool,
) -> anyhow::Result<PictureArgs> {
    refuse_others(maker, &args)?;
    let Some(file) = ConfigFile::find(config)? else {
        return Ok(args);
    };
    let command = maker.options();
    let mut settings = settings(&args);
    let given: BTreeSet<String> = settings.keys().cloned().chain(names_style.then(|| "styles".to_owned())).collect();
    let found = file.options(maker, &command, &given)?;
    let from_file: BTreeSet<String> = found.keys().cloned().collect();
    settings.extend(found);
    let args = from_settings(settings, &args).map_err(|error| anyhow::anyhow!("{}: {error}", file.name()))?;
    Ok(if maker == Maker::Sweep { with_open_strengths(args, &from_file) } else { args })
}

/// Refuses options of a command line that do not go with the command: they would have no effect.
pub fn refuse_others(maker: Maker, args: &PictureArgs) -> anyhow::Result<()> {
    let set = settings(args);
    let command = maker.options();
    let is_other = |arg: &&Arg| set.contains_key(&key(arg)) && !maker.has(arg.get_id().as_str());
    match command.get_arguments().find(is_other) {
        Some(arg) => {
            let of = maker.name().unwrap_or("transfer");
            bail!("--{} does not go with a {of}; leave it out", name(arg))
        }
        None => Ok(()),
    }
}

/// Leaves out a weight of the content that the file has set, if a sweep would try strengths
/// without it: the file means single runs.
fn with_open_strengths(args: PictureArgs, from_file: &BTreeSet<String>) -> PictureArgs {
    let mut open = args.clone();
    if from_file.contains("strength") {
        open.options.strength = None;
    }
    if from_file.contains("content-weight") {
        open.options.content_weight = None;
    }
    let job = Job { inputs: inputs_with_a_style(&open), ..open.job(Kind::Sweep) };
    if leaves_strengths_open(&job) { open } else { args }
}

/// The name of an option in a map of settings.
fn key(arg: &Arg) -> String {
    arg.get_id().as_str().replace('_', "-")
}

/// Every option that is set, in one map.
fn settings(args: &PictureArgs) -> Map<String, Value> {
    let PictureArgs {
        output,
        batch,
        styles,
        regions,
        look,
        options,
        init,
        weights,
        compute,
        feature_cache,
        checkpoints,
        only,
        report,
    } = args;
    let mut output = to_map(output);
    // A file names no result.
    output.remove("file");
    let groups = [
        output,
        to_map(batch),
        to_map(styles),
        to_map(regions),
        to_map(&look.look),
        to_map(&look.masks),
        to_map(options),
        to_map(init),
        to_map(weights),
        to_map(compute),
        to_map(feature_cache),
        to_map(checkpoints),
        to_map(only),
        to_map(report),
    ];
    groups.into_iter().flatten().collect()
}

/// The groups of a map of settings; the output is that of `args`.
fn from_settings(settings: Map<String, Value>, args: &PictureArgs) -> Result<PictureArgs, Error> {
    let mut output: Output = group(&settings)?;
    output.file.clone_from(&args.output.file);
    Ok(PictureArgs {
        output,
        batch: group(&settings)?,
        styles: group(&settings)?,
        regions: group(&settings)?,
        look: LookArgs { look: group(&settings)?, masks: group(&settings)? },
        options: group(&settings)?,
        init: group(&settings)?,
        weights: group(&settings)?,
        compute: group(&settings)?,
        feature_cache: group(&settings)?,
        checkpoints: group(&settings)?,
        only: group(&settings)?,
        report: group(&settings)?,
    })
}

/// One group of a map of settings.
fn group<G: Args + DeserializeOwned>(settings: &Map<String, Value>) -> Result<G, Error> {
    let keys: BTreeSet<String> = G::augment_args(Command::new("group")).get_arguments().map(key).collect();
    from_map(settings.iter().filter(|(name, _)| keys.contains(*name)).map(|(k, v)| (k.clone(), v.clone())).collect())
}

/// Options that a file may hold: those with a long name, but for the result's name and for
/// `--dry-run`, which makes no picture.
fn options(command: &Command) -> impl Iterator<Item = &Arg> {
    let is_of_line = |arg: &Arg| arg.get_id() == "output" || arg.get_id() == "dry_run";
    command.get_arguments().filter(move |arg| arg.get_long().is_some() && !is_of_line(arg))
}

/// The long name of an option.
fn name(option: &Arg) -> &str {
    option.get_long().unwrap_or_default()
}

/// Whether an option is called so, in the help or from former times.
fn is_called(option: &Arg, name: &str) -> bool {
    option.get_long() == Some(name) || option.get_all_aliases().is_some_and(|aliases| aliases.contains(&name))
}

fn is_switch(option: &Arg) -> bool {
    matches!(option.get_action(), ArgAction::SetTrue)
}

fn is_list(option: &Arg) -> bool {
    option.get_value_delimiter().is_some() || matches!(option.get_action(), ArgAction::Append)
}

/// The keys of the options that an option conflicts with, on either's word.
pub fn conflicts<'a>(command: &'a Command, option: &'a Arg) -> impl Iterator<Item = String> + 'a {
    let names = |a: &Arg, b: &Arg| command.get_arg_conflicts_with(a).iter().any(|other| other.get_id() == b.get_id());
    command.get_arguments().filter(move |other| names(option, other) || names(other, option)).map(key)
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

    fn name(&self) -> String {
        self.path.display().to_string()
    }

    /// The options of the file for `maker`: those at the top, and those in the table of its name,
    /// which overrule them. Options at the top that go with other commands only are left aside.
    fn options(&self, maker: Maker, command: &Command, given: &BTreeSet<String>) -> anyhow::Result<Map<String, Value>> {
        let (own, shared) = self.entries(maker)?;
        let mut all = Map::new();
        // A value overrules the same option further on. Unless it is `false`, it also overrules the
        // options that this one conflicts with.
        let (mut set, mut in_effect) = (given.clone(), given.clone());
        for (is_own, entries) in [(true, own), (false, shared)] {
            let mut here: Vec<&Arg> = Vec::new();
            for (path, value) in entries {
                let named = path.rsplit('.').next().unwrap_or_default();
                let Some(option) = find(command, named, is_own).with_context(|| self.name())? else {
                    continue;
                };
                let value = setting(option, value).and_then(|value| checked(maker, option, value));
                match value {
                    // What fits a transfer and not this command is left aside: one file serves
                    // all.
                    Err(_) if !is_own && maker != Maker::Transfer && fits_a_transfer(named, self.table.get(named)) => {}
                    Err(error) => bail!("{}: `{path}`: {error:#}", self.name()),
                    Ok(_) if set.contains(&key(option)) => {}
                    Ok(value) if value == Value::Bool(false) => drop(all.insert(key(option), value)),
                    Ok(_) if conflicts(command, option).any(|other| in_effect.contains(&other)) => {}
                    Ok(value) => {
                        if let Some(other) =
                            here.iter().find(|other| conflicts(command, option).any(|id| id == key(other)))
                        {
                            bail!(
                                "{}: `{path}` cannot be used with `{}`; remove one of them",
                                self.name(),
                                name(other)
                            );
                        }
                        here.push(option);
                        all.insert(key(option), value);
                    }
                }
            }
            in_effect.extend(here.into_iter().map(key));
            set.extend(all.keys().cloned());
        }
        Ok(all)
    }

    /// The entries of the table for `maker`, and those at the top, each with its path.
    #[expect(clippy::type_complexity, reason = "two lists of the same kind")]
    fn entries(&self, maker: Maker) -> anyhow::Result<(Vec<(String, &toml::Value)>, Vec<(String, &toml::Value)>)> {
        let (mut own, mut shared) = (Vec::new(), Vec::new());
        for (key, value) in &self.table {
            let toml::Value::Table(table) = value else {
                shared.push((key.clone(), value));
                continue;
            };
            let Some(of) = Maker::ALL.into_iter().find(|maker| maker.name() == Some(key)) else {
                let known: Vec<String> =
                    Maker::ALL.into_iter().filter_map(Maker::name).map(|name| format!("[{name}]")).collect();
                bail!("{}: [{key}] is no command with options here; there are {}", self.name(), known.join(", "));
            };
            if of == maker {
                own.extend(table.iter().map(|(inner, value)| (format!("{key}.{inner}"), value)));
            }
        }
        Ok((own, shared))
    }
}

/// A value that the option can have for this command. Text that the option cannot have is taken
/// for the number that it spells.
fn checked(maker: Maker, option: &Arg, value: Value) -> anyhow::Result<Value> {
    match (check(maker, option, &value), as_number(&value)) {
        (Ok(()), _) => Ok(value),
        (Err(_), Some(number)) => check(maker, option, &number).map(|()| number),
        (Err(error), None) => Err(error),
    }
}

/// The number that a text spells, or the list of numbers for a list of such texts.
fn as_number(value: &Value) -> Option<Value> {
    match value {
        Value::String(text) => serde_json::from_str(text.trim()).ok().filter(Value::is_number),
        Value::Array(values) => values.iter().map(as_number).collect::<Option<Vec<Value>>>().map(Value::Array),
        _ => None,
    }
}

/// Refuses a value that the option cannot have for this command.
fn check(maker: Maker, option: &Arg, value: &Value) -> anyhow::Result<()> {
    let map = Map::from_iter([(key(option), value.clone())]);
    // Words in backquotes are values here. Only a message about fields is put into flags.
    let read = from_settings(map, &PictureArgs::default());
    let args = read.map_err(|error| anyhow::anyhow!("{}", without_path(&error.to_string())))?;
    let job = Job { options: args.options.clone(), ..args.job(maker.kind()) };
    // A dial of one objective is refused with the other, which may follow from another key.
    resolve::complete(&job).map_err(|error| anyhow::anyhow!("{}", wording(&error)))?;
    Ok(())
}

/// An error without the path that stands before it: the file's own key says the same.
fn without_path(message: &str) -> &str {
    match message.strip_prefix('`').and_then(|rest| rest.split_once("`: ")) {
        Some((_, rest)) => rest,
        None => message,
    }
}

/// Whether an option with that name and value goes with a transfer.
fn fits_a_transfer(name: &str, value: Option<&toml::Value>) -> bool {
    let command = Maker::Transfer.options();
    let option = options(&command).find(|option| !option.is_hide_set() && is_called(option, name));
    let (Some(option), Some(value)) = (option, value) else {
        return false;
    };
    setting(option, value).and_then(|value| checked(Maker::Transfer, option, value)).is_ok()
}

fn table(path: &Path, text: &str) -> anyhow::Result<Table> {
    text.parse().map_err(|error: toml::de::Error| {
        let line = error.span().map_or(1, |span| text[..span.start].matches('\n').count() + 1);
        let message = error.message().split_whitespace().collect::<Vec<_>>().join(" ");
        anyhow::anyhow!("{}, line {line}: {message}", path.display())
    })
}

/// The option that a key names; `None`: it is one of another command, which a table of one's own
/// cannot have. Above the tables an alias does not count if it is another command's name for an
/// option: `content-layers` there are a transfer's, and no layers of a reconstruction.
fn find<'a>(command: &'a Command, key: &str, is_own: bool) -> anyhow::Result<Option<&'a Arg>> {
    let own = || options(command).filter(|option| !option.is_hide_set());
    let commands = Maker::ALL.map(Maker::options);
    let of_all: Vec<&Arg> = commands.iter().flat_map(options).filter(|option| !option.is_hide_set()).collect();
    let takes_aliases = is_own || of_all.iter().all(|option| name(option) != key);
    if let Some(option) = own().find(|option| name(option) == key || takes_aliases && is_called(option, key)) {
        return Ok(Some(option));
    }
    match of_all.iter().any(|option| is_called(option, key)) {
        true if is_own => bail!("`{key}` is no option of that command; put it above the tables, or remove it"),
        true => return Ok(None),
        false => {}
    }
    let line = ConfigArgs::augment_args(PictureArgs::augment_args(Command::new("line")));
    if line.get_arguments().any(|arg| arg.get_long() == Some(key)) {
        bail!("`{key}` belongs on the command line; remove it from the file");
    }
    let candidates: Vec<&Arg> = if is_own { own().collect() } else { of_all };
    let likeness = |name: &str| strsim::jaro_winkler(name, key);
    match candidates.into_iter().map(name).max_by(|a, b| likeness(a).total_cmp(&likeness(b))) {
        Some(nearest) => bail!("there is no option `{key}`; did you mean `{nearest}`?"),
        None => bail!("there is no option `{key}`; remove it"),
    }
}

/// What the file sets an option to. Whether the option can have that value is for the job to say.
fn setting(option: &Arg, value: &toml::Value) -> anyhow::Result<Value> {
    let found = value.type_str();
    let scalar = |value: &toml::Value| match value {
        toml::Value::String(text) => Some(Value::from(text.as_str())),
        toml::Value::Integer(number) => Some(Value::from(*number)),
        toml::Value::Float(number) => Some(Value::from(*number)).filter(|value| !value.is_null()),
        _ => None,
    };
    match value {
        toml::Value::String(text) if option.get_value_delimiter().is_some_and(|delimiter| text.contains(delimiter)) => {
            let delimiter = option.get_value_delimiter().unwrap_or(',');
            Ok(Value::Array(text.split(delimiter).map(|part| Value::from(part.trim())).collect()))
        }
        toml::Value::Boolean(on) if is_switch(option) => Ok(Value::Bool(*on)),
        _ if is_switch(option) => bail!("is a switch and has the type {found}; give true or false"),
        toml::Value::Array(values) if is_list(option) => match values.iter().map(scalar).collect::<Option<Vec<_>>>() {
            Some(values) if !values.is_empty() => Ok(Value::Array(values)),
            Some(_) => bail!("is an empty list; give a value, or leave the key out"),
            None => bail!("is a list of other things than text or numbers; give these alone"),
        },
        toml::Value::Float(number) if !number.is_finite() => bail!("is {number}; give a finite number"),
        _ => match scalar(value) {
            Some(value) if is_list(option) => Ok(Value::Array(vec![value])),
            Some(value) => Ok(value),
            None => bail!("has the type {found}; give text or a number"),
        },
    }
}

/// A file that sets every option of a command to what it comes to. Those of a subcommand are a
/// table, which can stand below the others.
///
/// Errors: options that contradict each other.
pub fn printed(maker: Maker, args: &PictureArgs) -> anyhow::Result<String> {
    let command = maker.options();
    let job = Job { inputs: inputs_with_a_style(args), ..args.job(maker.kind()) };
    let complete = resolve::complete(&job).map_err(|error| anyhow::anyhow!("{}", wording(&error)))?;
    let mut settings = default_settings(args);
    settings.extend(self::settings(args));
    settings.extend(to_map(&complete.options));
    if maker == Maker::Sweep && leaves_strengths_open(&job) {
        settings.remove("strength");
    }
    if let Some(init) = &complete.init {
        settings.insert("init".to_owned(), init_word(init)?);
    }
    let mut text = match maker.name() {
        None => format!("# Options of impasto, read from {FILE} in the current folder or with --config.\n"),
        Some(name) => format!(
            "# Options of `impasto {name}`, read from {FILE} in the current folder or with --config.\n[{name}]\n"
        ),
    };
    let shown: Vec<&Arg> = options(&command).filter(|option| !option.is_hide_set()).collect();
    let mut headings = Vec::new();
    for heading in shown.iter().map(|option| option.get_help_heading()) {
        if !headings.contains(&heading) {
            headings.push(heading);
        }
    }
    for heading in headings {
        text.push_str(&format!("\n# {}\n", heading.unwrap_or("Options")));
        for option in shown.iter().filter(|option| option.get_help_heading() == heading) {
            text.push_str(&format!("\n# {}\n{}", comment(option), entry(option, settings.get(&key(option)))?));
        }
    }
    Ok(text)
}

/// Defaults of options that do not belong to a job's own.
fn default_settings(args: &PictureArgs) -> Map<String, Value> {
    let save = resolve::save_options(&args.output);
    let mut defaults = to_map(&Output { bit_depth: Some(save.bit_depth), ..Output::default() });
    defaults.extend(to_map(&StyleLook { rotations: Rotations::new(1), ..StyleLook::default() }));
    let every = Seconds::new(CHECKPOINT_EVERY);
    defaults.extend(to_map(&CheckpointOptions { checkpoint_every: every, ..CheckpointOptions::default() }));
    defaults
}

/// The inputs of a configuration with the styles of `--style`, or else with one style: the command
/// line then names it. A sweep asks how many there are, and no file is read.
fn inputs_with_a_style(args: &PictureArgs) -> Inputs {
    let mut styles: Vec<StyleInput> = args.styles.styles.iter().cloned().map(StyleInput::from).collect();
    if styles.is_empty() {
        styles.push("STYLE".into());
    }
    Inputs { styles, ..args.job(Kind::Transfer).inputs }
}

fn init_word(init: &InitFrom) -> anyhow::Result<Value> {
    Ok(serde_json::to_value(init)?)
}

/// The first line of the help, and the words that may be given.
fn comment(option: &Arg) -> String {
    let help = option.get_help().map(ToString::to_string).unwrap_or_default();
    let mut line = help.split_whitespace().collect::<Vec<_>>().join(" ");
    let words = option.get_possible_values();
    if !words.is_empty() && !is_switch(option) {
        let words: Vec<&str> = words.iter().map(|word| word.get_name()).collect();
        line.push_str(&format!(" ({})", words.join(", ")));
    }
    line
}

/// A line that sets an option; a comment if it is not set.
fn entry(option: &Arg, value: Option<&Value>) -> anyhow::Result<String> {
    let key = name(option);
    Ok(match value {
        None if is_switch(option) => format!("{key} = false\n"),
        None => format!("# {key} = {}\n", option.get_value_names().unwrap_or_default().join(" ")),
        Some(value) => format!("{key} = {}\n", in_toml(value)?),
    })
}

/// A value as TOML writes it. An integer that is too large for TOML becomes text.
fn in_toml(value: &Value) -> anyhow::Result<toml::Value> {
    Ok(match value {
        Value::Bool(on) => toml::Value::Boolean(*on),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(number), _) => toml::Value::Integer(number),
            (None, Some(float)) if number.is_f64() => toml::Value::Float(float),
            _ => toml::Value::String(number.to_string()),
        },
        Value::String(text) => toml::Value::String(text.clone()),
        Value::Array(values) => toml::Value::Array(values.iter().map(in_toml).collect::<anyhow::Result<_>>()?),
        other => bail!("{other} has no form in a configuration file"),
    })
}
