//! The pictures that a run writes in between.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use impasto::picture::{self, SaveOptions};
use impasto::{Image, Progress};

use crate::error::{Error, Result};
use crate::events::{Event, Events, while_writing};

/// The pictures of `save-every`.
pub(crate) struct Snapshots<'a> {
    every: usize,
    output: &'a Path,
    save: SaveOptions,
    steps: usize,
    pub(crate) saved: Vec<PathBuf>,
    /// A snapshot that cannot be written ends the snapshots, not the run: the picture itself may
    /// still be saved.
    failure: Option<impasto::Error>,
}

impl<'a> Snapshots<'a> {
    /// Every `every` of `steps` steps a picture beside `output`, without a recipe: that leads to
    /// the result, not to what was there before.
    pub(crate) fn new(every: usize, output: &'a Path, save: &SaveOptions, steps: usize) -> Snapshots<'a> {
        let save = SaveOptions { recipe: None, ..save.clone() };
        Snapshots { every, output, save, steps, saved: Vec::new(), failure: None }
    }

    /// Writes a picture if one is due; `finish` brings it to the result's size and colours.
    pub(crate) fn update(
        &mut self,
        progress: &Progress<'_>,
        finish: impl FnOnce(&Image) -> Image,
        events: &mut dyn Events,
    ) {
        if progress.step == 0 || !progress.step.is_multiple_of(self.every) || self.failure.is_some() {
            return;
        }
        let path = path(self.output, progress.step, self.steps);
        match while_writing(events, || picture::save_with(&path, &finish(progress.image()), &self.save)) {
            Ok(()) => {
                self.saved.push(path.clone());
                events.event(Event::Saved { path });
            }
            Err(error) => self.failure = Some(error),
        }
    }

    /// Errors: a picture could not be written.
    pub(crate) fn check(&self) -> Result<()> {
        match &self.failure {
            Some(error) => Err(Error::program(format!(
                "{} is written, but not all that `save-every` asks for: {error}",
                self.output.display()
            ))),
            None => Ok(()),
        }
    }
}

/// `out.png` at step 50 is `out-0050.png`; enough digits for the names to sort.
pub(crate) fn path(output: &Path, step: usize, steps: usize) -> PathBuf {
    let digits = steps.to_string().len().max(4);
    let mut name = OsString::from(output.file_stem().unwrap_or_default());
    name.push(format!("-{step:0digits$}"));
    if let Some(extension) = output.extension() {
        name.push(".");
        name.push(extension);
    }
    output.with_file_name(name)
}

/// The number after the last hyphen of the name, where [`path`] writes the step.
pub(crate) fn step_in_name(path: &Path) -> Option<usize> {
    // Other bytes than those of Unicode may stand before the hyphen.
    path.file_stem()?.to_string_lossy().rsplit_once('-')?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snapshots_carry_the_step_and_sort() {
        let name = |step, steps| path(Path::new("a/out.v2.png"), step, steps);
        assert_eq!(name(50, 500), Path::new("a/out.v2-0050.png"));
        assert_eq!(name(50, 20_000), Path::new("a/out.v2-00050.png"));
        assert_eq!(path(Path::new("out.jpg"), 5, 5), Path::new("out-0005.jpg"));
        assert_eq!(step_in_name(&name(50, 20_000)), Some(50));
        assert_eq!(step_in_name(Path::new("out.png")), None);
    }
}
