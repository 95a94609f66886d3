//! Errors and notes in the words of the command line.
//!
//! A job has fields, and messages about it name them in backquotes: `options.strength`. The user
//! typed flags. Which flags there are is asked of the command line itself, so a new option is
//! known here.

use std::process::ExitCode;

use clap::{Args, Command};
use impasto_job::error::{Cause, Error};

use crate::args::PictureArgs;
use crate::failure::{Failure, INTERRUPTED};

/// What there is to say of a failure, and the exit status.
pub fn message(failure: &Failure) -> (String, ExitCode) {
    let (error, status) = match failure {
        Failure::User(error) => (error, 2),
        Failure::Program(error) => (error, 1),
        Failure::Interrupted(error) => (error, INTERRUPTED),
    };
    let text = match (error.downcast_ref::<Error>(), error.downcast_ref::<impasto::Error>()) {
        (Some(error), _) => wording(error),
        (None, Some(error)) => library_wording(error),
        (None, None) => format!("{error:#}"),
    };
    (text, ExitCode::from(status))
}

/// An error of a job in the words of the command line: a job has fields, the user typed flags.
pub fn wording(error: &Error) -> String {
    match &error.cause {
        Cause::Field { field, problem } => in_flags(&format!("`{field}` {problem}")),
        Cause::Numerics { about: None, error } => library_wording(error),
        Cause::Numerics { about: Some(path), error } => format!("{}: {}", path.display(), library_wording(error)),
        cause => in_flags(&cause.to_string()),
    }
}

/// The library names its options' fields; the user typed `--style-weight`.
fn library_wording(error: &impasto::Error) -> String {
    match error {
        impasto::Error::Option { option, problem } => format!("--{} {problem}", option.replace('_', "-")),
        impasto::Error::FeatureCache { folder, reason } => format!(
            "cannot keep the photo's features in {}: {reason}; make room there, or name another folder with \
             --feature-cache",
            folder.display()
        ),
        impasto::Error::NothingToMinimise => {
            "nothing to minimise: --content-weight, --style-weight and --tv-weight are all 0; make one of them positive"
                .to_owned()
        }
        // They name options of the machine, which are no fields of the library's.
        error @ (impasto::Error::Device { .. } | impasto::Error::CardMemory { .. }) => in_flags(&error.to_string()),
        error => error.to_string(),
    }
}

/// Fields of a job that the command line calls otherwise.
const OTHER_NAMES: [(&str, &str); 3] =
    [("output.file", "--output"), ("inputs.content", "the photo"), ("inputs.styles", "--style")];

/// Names in backquotes that are fields of a job, as flags: `` `options.steps` `` is --steps.
pub fn in_flags(text: &str) -> String {
    let mut parts = text.split('`').peekable();
    let mut result = parts.next().unwrap_or_default().to_owned();
    while let Some(name) = parts.next() {
        let is_closed = parts.peek().is_some();
        match flag(name).filter(|_| is_closed) {
            Some(flag) => result.push_str(&flag),
            None => {
                result.push('`');
                result.push_str(name);
                if is_closed {
                    result.push('`');
                }
            }
        }
        result.push_str(parts.next().unwrap_or_default());
    }
    result
}

/// The flag of a field; `None`: the name is no field.
fn flag(name: &str) -> Option<String> {
    if let Some((_, flag)) = OTHER_NAMES.iter().find(|(field, _)| *field == name) {
        return Some((*flag).to_owned());
    }
    let groups = ["options.", "output.", "inputs."];
    let field = groups.into_iter().find_map(|group| name.strip_prefix(group)).unwrap_or(name);
    let command = PictureArgs::augment_args(Command::new("flags"));
    let is_flag = command.get_arguments().any(|arg| arg.get_long() == Some(field));
    is_flag.then(|| format!("--{field}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_become_flags() {
        let error = Error::field("options.strength", "is a dial; use `content-weight`, as in `impasto a b`");
        assert_eq!(wording(&error), "--strength is a dial; use --content-weight, as in `impasto a b`");
        let error = Error::user("choose another name for `output.file`");
        assert_eq!(wording(&error), "choose another name for --output");
        assert_eq!(in_flags("one ` alone"), "one ` alone");
    }
}
