//! The file that says what a run was asked for and what it read.

use std::ffi::OsString;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use impasto::picture;
use serde::{Deserialize, Serialize};

use crate::args::Limits;
use crate::input;

/// Changes when an older program would misread the file.
const VERSION: u32 = 5;

const PROGRAM: &str = concat!("impasto ", env!("CARGO_PKG_VERSION"));

/// What it takes to begin a run as it was begun.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Run {
    /// [`VERSION`].
    version: u32,
    /// The program and its version.
    program: String,
    /// The folder that it was begun in, absolute.
    pub folder: String,
    /// The command line, the program's name first, with what impasto.toml added to it.
    pub arguments: Vec<String>,
    inputs: Vec<Input>,
    /// What it was planned for.
    pub limits: Limits,
}

/// A file that the run reads.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
struct Input {
    path: String,
    /// [`input::sha256`].
    sha256: String,
}

/// The file.
#[derive(Deserialize, Serialize)]
struct Sealed {
    run: Run,
    /// Of `run` as it is written.
    crc32: u32,
}

/// What every version of the file says.
#[derive(Deserialize)]
struct OfAnyVersion {
    run: MadeBy,
}

#[derive(Deserialize)]
struct MadeBy {
    version: u32,
    program: String,
}

impl Run {
    /// The run of a command line, with its inputs as they are now.
    ///
    /// Errors: standard input among the inputs, which is gone afterwards; names that are no Unicode; inputs that cannot be read.
    pub fn new(line: &[OsString], inputs: &[PathBuf], limits: Limits) -> anyhow::Result<Run> {
        if inputs.iter().any(|path| input::is_stream(path)) {
            bail!("a run that reads standard input cannot be taken up again; give it a file");
        }
        let text = |argument: &OsString| {
            argument.to_str().map(str::to_owned).ok_or_else(|| anyhow!("{} is no Unicode", argument.display()))
        };
        let folder = std::env::current_dir().context("there is no current folder")?;
        Ok(Run {
            version: VERSION,
            program: PROGRAM.to_owned(),
            folder: text(&folder.into_os_string())?,
            arguments: line.iter().map(text).collect::<anyhow::Result<_>>()?,
            inputs: inputs.iter().map(|path| Input::new(path)).collect::<anyhow::Result<_>>()?,
            limits,
        })
    }

    /// Writes the file, whole or not at all.
    pub fn save(&self, path: &Path) -> anyhow::Result<()> {
        let sealed = Sealed { run: self.clone(), crc32: self.checksum()? };
        Ok(picture::write_whole(path, &serde_json::to_vec_pretty(&sealed)?)?)
    }

    /// Reads what [`Run::save`] wrote; `None` where there is no file.
    ///
    /// Errors: a file that cannot be read or is damaged, or one of another version of the program.
    pub fn load(path: &Path) -> anyhow::Result<Option<Run>> {
        let name = path.display();
        let bytes = match fs::read(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            bytes => bytes.with_context(|| format!("cannot read {name}"))?,
        };
        let damaged = || format!("{name} is damaged; begin the run anew");
        // Another version may have other fields, and compute other bits.
        let OfAnyVersion { run: MadeBy { version, program } } = serde_json::from_slice(&bytes).with_context(damaged)?;
        if version != VERSION || program != PROGRAM {
            bail!(
                "{name} is of a run of {program}, file version {version}, and this is {PROGRAM}, {VERSION}; go on with that program"
            );
        }
        let Sealed { run, crc32 } = serde_json::from_slice(&bytes).with_context(damaged)?;
        if run.checksum()? != crc32 {
            bail!(damaged());
        }
        Ok(Some(run))
    }

    /// Whether it was begun with that command line, in the folder that is the current one.
    pub fn is_of(&self, line: &[OsString]) -> anyhow::Result<bool> {
        let folder = std::env::current_dir().context("there is no current folder")?;
        Ok(folder.as_os_str() == self.folder.as_str()
            && line.iter().map(|word| word.to_str()).eq(self.arguments.iter().map(|word| Some(word.as_str()))))
    }

    /// Refuses inputs that are not as they were. The folder of the run is the current one.
    pub fn check_inputs(&self) -> anyhow::Result<()> {
        for input in &self.inputs {
            let name = Path::new(&self.folder).join(&input.path);
            if !Path::new(&input.path).exists() {
                bail!("{} is not there, which the run was begun with; put it back", name.display());
            }
            if Input::new(Path::new(&input.path))? != *input {
                bail!("{} has changed since the run was begun; put the old file back", name.display());
            }
        }
        Ok(())
    }

    fn checksum(&self) -> anyhow::Result<u32> {
        Ok(crc32fast::hash(&serde_json::to_vec(self)?))
    }
}

impl Input {
    fn new(path: &Path) -> anyhow::Result<Input> {
        let text = path.to_str().with_context(|| format!("{} is no Unicode", path.display()))?;
        Ok(Input { path: text.to_owned(), sha256: input::sha256(path)? })
    }
}
