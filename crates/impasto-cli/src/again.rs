//! `impasto recipe` and `impasto again`: how a picture was made, and to make it once more.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::bail;
use clap::error::Error;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};

use crate::maker::Maker;
use crate::recipe::{self, Recipe};
use crate::settings::Setting;
use crate::{Failure, OrFail, config, report, settings};

/// Options that decide what others come to.
const DIALS: [&str; 2] = ["preset", "objective"];

/// The subcommand.
pub const NAME: &str = "again";

/// Its arguments that are no options of what made the picture.
const OWN: [&str; 2] = ["picture", "changed_inputs"];

/// The role of a style, be it the second name or that of `--style`.
const STYLE: &str = "style";

/// Print how a picture was made: its options, and the files that went in.
#[derive(Args, Debug)]
pub struct RecipeArgs {
    /// A picture that impasto has written.
    pub picture: PathBuf,
}

/// A picture and what is to be different: every option of what made it.
#[derive(Debug)]
pub struct AgainArgs {
    picture: PathBuf,
    changed_inputs: bool,
    /// What was given besides.
    changes: ArgMatches,
}

impl Args for AgainArgs {
    fn augment_args(command: Command) -> Command {
        command
            .about("Make a picture once more, from the same files with the same options but for those that are given")
            .after_long_help(
                "The options are those of a transfer. A picture of `texture`, `reconstruct` or `sweep` takes those of that command; one of \
                 `batch` is made alone, as by a transfer.",
            )
            .arg(
                Arg::new("picture")
                    .required(true)
                    .value_name("PICTURE")
                    .value_parser(clap::value_parser!(PathBuf))
                    .help("A picture that impasto has written"),
            )
            .arg(
                Arg::new("changed_inputs")
                    .long("changed-inputs")
                    .action(ArgAction::SetTrue)
                    .help("Take files that went in as they are, even if they have changed since"),
            )
            .args(changes(Maker::Transfer))
    }

    fn augment_args_for_update(command: Command) -> Command {
        AgainArgs::augment_args(command)
    }
}

impl FromArgMatches for AgainArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<AgainArgs, Error> {
        let picture = matches.get_one::<PathBuf>("picture").cloned().unwrap_or_default();
        Ok(AgainArgs { picture, changed_inputs: matches.get_flag("changed_inputs"), changes: matches.clone() })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = AgainArgs::from_arg_matches(matches)?;
        Ok(())
    }
}

/// What may be different of a picture that `maker` made: its options, none of which has to be given.
fn changes(maker: Maker) -> Vec<Arg> {
    let command = settings::optional(maker.command());
    let options = command.get_arguments().filter(|arg| !arg.is_positional());
    options
        .map(|option| match option.get_long() {
            Some("output") => option
                .clone()
                .help("Where the result goes. [default: beside the picture, as PICTURE-again, with a number where that is taken]"),
            _ => option.clone(),
        })
        .collect()
}

/// `impasto again` with the options of what made the picture that `line` names.
///
/// Which it is decides how the line is read, and only from the line is it known which picture it is: the first reading that makes
/// sense says. Where none does, it is read as the change of a transfer.
pub fn reading(command: Command, line: &[OsString]) -> Command {
    let read_as = |maker: Maker| {
        command.clone().mut_subcommand(NAME, |again| {
            let kept =
                Command::new(NAME).args(again.get_arguments().filter(|arg| OWN.contains(&arg.get_id().as_str())));
            let kept = kept.about(again.get_about().cloned().unwrap_or_default());
            kept.after_long_help(again.get_after_long_help().cloned().unwrap_or_default()).args(changes(maker))
        })
    };
    let picture = |maker: Maker| {
        let matches = read_as(maker).try_get_matches_from(line).ok()?;
        matches.subcommand_matches(NAME)?.get_one::<PathBuf>("picture").cloned()
    };
    // What is wrong with the picture or its recipe is said when it is made.
    let recipe = Maker::ALL.into_iter().find_map(picture).and_then(|picture| Recipe::of(&picture).ok());
    match recipe.and_then(|recipe| recipe.maker()) {
        Some(maker) => read_as(maker),
        None => command,
    }
}

/// Prints the recipe.
pub fn print(args: &RecipeArgs) -> Result<(), Failure> {
    report::print(&report::json(&Recipe::of(&args.picture).or_user()?)?)
}

/// Makes the picture again.
pub fn run(args: &AgainArgs) -> Result<(), Failure> {
    let recipe = Recipe::of(&args.picture).or_user()?;
    let line = line(args, &recipe).or_user()?;
    let parsed = config::parse_whole(line).map_err(|error| {
        anyhow::anyhow!("{}, as it was made by {}: {}", args.picture.display(), recipe.program, crate::summary(&error))
    });
    let (cli, matches) = parsed.or_user()?;
    crate::run(&cli, &matches)
}

/// The command line that makes the picture again.
fn line(args: &AgainArgs, recipe: &Recipe) -> anyhow::Result<Vec<OsString>> {
    let maker = recipe.maker().unwrap_or(Maker::Transfer);
    let command = settings::optional(maker.command());
    let options = settings::options(&command);
    let given = settings::given(&options, &args.changes);
    let is_changed = |role: &str| {
        let option = options.iter().find(|option| settings::name(option) == role);
        option.is_some_and(|option| settings::gives_way(&command, option, &given))
    };

    let mut line: Vec<OsString> = vec!["impasto".into()];
    line.extend(maker.name().map(OsString::from));
    line.push("--no-config".into());
    let derives = given.iter().any(|option| DIALS.contains(&settings::name(option)));
    let left_out = if derives { derived(maker, &command, recipe)? } else { Vec::new() };
    for argument in &recipe.arguments {
        if !is_changed(settings::name_in(argument.as_ref()).unwrap_or_default())
            && !left_out.iter().any(|derived| derived == argument.as_str())
        {
            line.push(argument.into());
        }
    }
    let mut positionals = Vec::new();
    for input in recipe.inputs.iter().filter(|input| !is_changed(&input.role)) {
        let path = input.find(&args.picture, args.changed_inputs)?;
        let is_option = options.iter().any(|option| settings::name(option) == input.role);
        if !is_option && command.get_positionals().any(|arg| recipe::role(arg) == input.role) {
            positionals.push(path.into_os_string());
            continue;
        }
        let mut argument = OsString::from(format!("--{}=", input.role));
        // A style may be the second name of the line, or among those of `--style`.
        argument.push(if input.role == STYLE { weighted(path, input.weight) } else { path.into_os_string() });
        line.push(argument);
    }
    for option in &given {
        line.extend(settings::arguments(option, &settings::setting(option, &args.changes)?));
    }
    if !given.iter().any(|option| settings::name(option) == "output") {
        line.extend(["--output".into(), free_name(&args.picture)?.into_os_string()]);
    }
    // Behind this, a name that begins with a hyphen is a name.
    line.push("--".into());
    line.extend(positionals);
    Ok(line)
}

/// A style as `--style` takes it.
pub fn weighted(path: PathBuf, weight: Option<f64>) -> OsString {
    let mut text = path.into_os_string();
    // What follows the last colon of a name could be taken for its weight.
    let ends_in_a_number =
        text.to_str().and_then(|text| text.rsplit_once(':')).is_some_and(|(_, end)| end.parse::<f64>().is_ok());
    if let Some(weight) = weight.or(ends_in_a_number.then_some(1.0)) {
        text.push(format!(":{weight}"));
    }
    text
}

/// The arguments that follow from the [`DIALS`] of the recipe alone. They follow anew where one of these is changed.
fn derived(maker: Maker, command: &Command, recipe: &Recipe) -> anyhow::Result<Vec<OsString>> {
    let dials = recipe
        .arguments
        .iter()
        .filter(|argument| settings::name_in(argument.as_ref()).is_some_and(|name| DIALS.contains(&name)));
    let matches = command.clone().no_binary_name(true).try_get_matches_from(dials)?;
    let options = settings::options(command);
    let mut arguments = Vec::new();
    for (option, setting) in settings::in_force(maker, &options, &matches)? {
        if settings::setting(option, &matches)? == Setting::Unset {
            arguments.extend(settings::arguments(option, &setting));
        }
    }
    Ok(arguments)
}

/// `out-again.png` for `out.png`, or `out-again-2.png` and so on where there is such a file.
fn free_name(picture: &Path) -> anyhow::Result<PathBuf> {
    const MOST: usize = 1000;
    let name = |number: usize| {
        let mut name = OsString::from(picture.file_stem().unwrap_or_default());
        name.push(if number == 1 { "-again".to_owned() } else { format!("-again-{number}") });
        if let Some(extension) = picture.extension() {
            name.push(".");
            name.push(extension);
        }
        picture.with_file_name(name)
    };
    match (1..=MOST).map(name).find(|path| !path.exists()) {
        Some(path) => Ok(path),
        None => bail!("there are {MOST} pictures beside {} already; name one with --output", picture.display()),
    }
}
