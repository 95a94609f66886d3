//! Why the program did not do its job, in the words of the command line, and its exit status.

use std::process::ExitCode;

use impasto_job::error::{Cause, Error, Whose};

/// Exit status of a process that Ctrl-C ended: 128 + SIGINT.
pub const INTERRUPTED: u8 = 130;

/// Why the program did not do its job.
#[derive(Debug)]
pub enum Failure {
    /// Something the user can put right: exit status 2.
    User(anyhow::Error),
    /// Anything else, a full disk say: exit status 1.
    Program(anyhow::Error),
    /// The user ended it before there was a result: exit status 130.
    Interrupted(anyhow::Error),
}

/// Says on which side an error lies.
pub trait OrFail<T> {
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

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        match error.whose {
            Whose::User => Failure::User(error.into()),
            Whose::Program => Failure::Program(error.into()),
            Whose::Interrupted => Failure::Interrupted(error.into()),
        }
    }
}

impl Failure {
    /// The same failure about a file that was written in the words of a job: its fields keep their
    /// paths.
    #[must_use]
    pub fn in_job_file(self, name: &str) -> Failure {
        let named = |error: anyhow::Error| match error.downcast_ref::<Error>() {
            Some(error) if matches!(error.cause, Cause::Field { .. }) => anyhow::anyhow!("{name}: {error}"),
            _ => error,
        };
        match self {
            Failure::User(error) => Failure::User(named(error)),
            other => other,
        }
    }

    /// What there is to say, and the exit status.
    pub fn message(&self) -> (String, ExitCode) {
        let (error, status) = match self {
            Failure::User(error) => (error, 2),
            Failure::Program(error) => (error, 1),
            Failure::Interrupted(error) => (error, INTERRUPTED),
        };
        let text = match error.downcast_ref::<Error>() {
            Some(error) => wording(error),
            None => match error.downcast_ref::<impasto::Error>() {
                Some(error) => library_wording(error),
                None => format!("{error:#}"),
            },
        };
        (text, ExitCode::from(status))
    }
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
        error => error.to_string(),
    }
}

/// Fields of a job that the command line calls otherwise.
const OTHER_NAMES: [(&str, &str); 3] =
    [("output.file", "--output"), ("inputs.content", "the photo"), ("inputs.styles", "--style")];

/// Names in backquotes that are fields of a job, as flags: `` `options.steps` `` is --steps.
fn in_flags(text: &str) -> String {
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
    let field = name.strip_prefix("options.").or(name.strip_prefix("output.")).or(name.strip_prefix("inputs."));
    let flag = field.unwrap_or(name);
    let is_flag = field.is_some() || FLAGS.contains(&name);
    is_flag.then(|| format!("--{flag}"))
}

/// Flags that messages name without their group.
const FLAGS: [&str; 21] = [
    "checkpoint",
    "colors",
    "content-weight",
    "format",
    "mask",
    "objective",
    "output",
    "save-every",
    "size",
    "strengths",
    "style",
    "style-crop",
    "style-mask",
    "style-rotations",
    "style-scale",
    "style-scales",
    "style-size",
    "style-weight",
    "tileable",
    "tv-weight",
    "upscale",
];

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
