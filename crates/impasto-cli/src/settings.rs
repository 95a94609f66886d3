//! The options of the commands that make pictures as data: what they are called and what they are set to.
//!
//! All of it is asked of clap, so that an option is known here as soon as the command line has it.

use std::ffi::{OsStr, OsString};

use anyhow::anyhow;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, FromArgMatches};

use crate::args::TransferArgs;
use crate::derived;
use crate::maker::Maker;

/// What an option is set to, in the words of the command line.
#[derive(Clone, Debug, PartialEq)]
pub enum Setting {
    /// It is not, and has no default.
    Unset,
    /// Whether a switch is on.
    Switch(bool),
    /// The value of an option that takes one.
    One(String),
    /// The values of an option that takes several.
    Many(Vec<String>),
}

/// The command line with nothing that has to be there.
pub fn optional(command: Command) -> Command {
    command.mut_args(|arg| {
        if !arg.is_positional() {
            return arg.required(false);
        }
        // What a name is required unless, or conflicts with, cannot be taken back.
        let optional = Arg::new(arg.get_id().clone())
            .value_names(arg.get_value_names().unwrap_or_default().to_vec())
            .value_parser(arg.get_value_parser().clone())
            .action(arg.get_action().clone());
        match arg.get_num_args() {
            Some(count) => optional.num_args(count),
            None => optional,
        }
    })
}

/// Options with a long name: those that a file of options may hold, and those that have to be given.
pub fn options(command: &Command) -> Vec<&Arg> {
    let has_setting = |arg: &&Arg| takes_values(arg) || is_switch(arg);
    command.get_arguments().filter(|arg| arg.get_long().is_some()).filter(has_setting).collect()
}

/// The name without its hyphens.
///
/// # Panics
/// If the option is none of [`options`].
pub fn name(option: &Arg) -> &str {
    option.get_long().expect("options have a long name")
}

pub fn is_switch(option: &Arg) -> bool {
    matches!(option.get_action(), ArgAction::SetTrue)
}

fn takes_values(option: &Arg) -> bool {
    option.get_action().takes_values()
}

/// Whether it takes a list.
pub fn is_list(option: &Arg) -> bool {
    option.get_value_delimiter().is_some() || matches!(option.get_action(), ArgAction::Append)
}

/// The setting as it is given on the command line.
pub fn arguments(option: &Arg, setting: &Setting) -> Vec<OsString> {
    let name = name(option);
    let with = |value: &str| OsString::from(format!("--{name}={value}"));
    match (setting, option.get_value_delimiter()) {
        (Setting::Unset | Setting::Switch(false), _) => Vec::new(),
        (Setting::Switch(true), _) => vec![format!("--{name}").into()],
        (Setting::One(value), _) => vec![with(value)],
        (Setting::Many(values), Some(delimiter)) => vec![with(&values.join(&delimiter.to_string()))],
        (Setting::Many(values), None) => values.iter().map(|value| with(value)).collect(),
    }
}

/// `size` of `--size=512`.
pub fn name_in(argument: &OsStr) -> Option<&str> {
    argument.to_str()?.strip_prefix("--")?.split('=').next()
}

/// Whether the option, if it came from a file, has to give way to one on the command line: to itself or to one that it conflicts with.
pub fn gives_way(command: &Command, option: &Arg, given: &[&Arg]) -> bool {
    let conflict =
        |a: &Arg, b: &Arg| command.get_arg_conflicts_with(a).iter().any(|other| other.get_id() == b.get_id());
    given.iter().any(|other| other.get_id() == option.get_id() || conflict(option, other) || conflict(other, option))
}

/// Those of `options` that were given on the command line.
pub fn given<'a>(options: &[&'a Arg], matches: &ArgMatches) -> Vec<&'a Arg> {
    let is_given = |arg: &&&Arg| matches.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine);
    options.iter().filter(is_given).copied().collect()
}

/// What each of the options of `maker` is set to, defaults included: clap's own, and those that follow from other options.
///
/// Errors: options that contradict each other, values that are no Unicode.
pub fn in_force<'a>(
    maker: Maker,
    options: &[&'a Arg],
    matches: &ArgMatches,
) -> anyhow::Result<Vec<(&'a Arg, Setting)>> {
    let mut derived =
        if maker.transfers() { derived::settings(&TransferArgs::from_arg_matches(matches)?)? } else { Vec::new() };
    if maker == Maker::Sweep {
        // It has strengths of its own where none is given.
        derived.retain(|(name, _)| *name != "strength");
    }
    let of = |option: &'a Arg| {
        let setting =
            match (setting(option, matches)?, derived.iter().find(|(name, _)| Some(*name) == option.get_long())) {
                (Setting::Unset, Some((_, setting))) => setting.clone(),
                (setting, _) => setting,
            };
        Ok((option, setting))
    };
    options.iter().copied().map(of).collect()
}

/// What an option is set to, clap's own defaults included.
///
/// Errors: values that are no Unicode.
pub fn setting(option: &Arg, matches: &ArgMatches) -> anyhow::Result<Setting> {
    let id = option.get_id().as_str();
    if is_switch(option) {
        return Ok(Setting::Switch(matches.get_flag(id)));
    }
    let text = |value: &OsStr| {
        let found = || anyhow!("--{} is {}, which is no Unicode; rename the file", name(option), value.display());
        value.to_str().map(str::to_owned).ok_or_else(found)
    };
    let Some(values) = matches.get_raw(id) else {
        return Ok(Setting::Unset);
    };
    let mut values = values.map(text).collect::<anyhow::Result<Vec<_>>>()?;
    Ok(match values.len() {
        _ if is_list(option) => Setting::Many(values),
        1 => Setting::One(values.remove(0)),
        _ => Setting::Many(values),
    })
}
