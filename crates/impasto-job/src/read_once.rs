//! Inputs that can be read only once: pipes, devices, standard input.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;

use impasto::picture;

use crate::error::{Error, Result};
use crate::files::{is_read_once, is_stream};
use crate::job::inputs::{InputFile, Inputs};

/// Reads pipes and standard input, each once, and keeps their bytes with the files that name them.
#[derive(Default)]
pub(crate) struct ReadOnce(HashMap<PathBuf, Arc<[u8]>>);

impl ReadOnce {
    /// Holds the inputs of a job. Those that can be read again stay as they are.
    pub(crate) fn hold(&mut self, inputs: &mut Inputs) -> Result<()> {
        inputs.files_mut().into_iter().try_for_each(|file| self.hold_file(file))
    }

    /// Holds one file.
    pub(crate) fn hold_file(&mut self, file: &mut InputFile) -> Result<()> {
        if file.held.is_some() || !is_read_once(&file.path) {
            return Ok(());
        }
        let bytes = match self.0.get(&file.path) {
            Some(bytes) => Arc::clone(bytes),
            None => {
                let bytes: Arc<[u8]> = read_stream(file)?.into();
                self.0.insert(file.path.clone(), Arc::clone(&bytes));
                bytes
            }
        };
        file.held = Some(bytes);
        Ok(())
    }
}

/// All bytes of a stream, unless they are more than those of any picture.
fn read_stream(file: &InputFile) -> Result<Vec<u8>> {
    let name = file.name().display();
    let failed = |error: io::Error| Error::user(format!("cannot read {name}: {error}"));
    let most = picture::MAX_FILE;
    let mut bytes = Vec::new();
    if is_stream(&file.path) {
        io::stdin().lock().take(most + 1).read_to_end(&mut bytes).map_err(failed)?;
    } else {
        File::open(&file.path).map_err(failed)?.take(most + 1).read_to_end(&mut bytes).map_err(failed)?;
    }
    if bytes.len() as u64 > most {
        return Err(Error::user(format!("{name} holds more than {} MB; give a file", most / 1_000_000)));
    }
    Ok(bytes)
}
