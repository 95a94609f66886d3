//! Where the result goes, as what, and the pictures beside it.

use std::ffi::OsString;
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use impasto::picture::{Picture, SaveOptions};
use impasto::{Image, picture};

use crate::args::{FileArgs, InitFrom, TransferArgs};
use crate::input::Inputs;
use crate::interrupt::Interrupt;
use crate::painting::Painting;
use crate::{Failure, input, options, report, styles};

/// How the result is written; what comes with the content is put in later.
pub fn save_options(args: &TransferArgs) -> SaveOptions {
    SaveOptions {
        format: args.output.format.map(picture::Format::from),
        bit_depth: args.output.bit_depth,
        quality: args.output.quality,
        ..SaveOptions::default()
    }
}

/// The same for the picture made of `content`: with its transparency, colour profile and camera's notes.
pub fn with_content(save: &SaveOptions, content: &Picture) -> SaveOptions {
    let Picture { alpha, profile, exif, .. } = content.clone();
    SaveOptions { alpha, profile, exif, ..save.clone() }
}

/// What errors call the output.
pub fn name(files: &FileArgs) -> &Path {
    if input::is_stream(&files.output) { Path::new("standard output") } else { &files.output }
}

/// Writes the picture to where it shall go.
pub fn write(output: &Path, image: &Image, save: &SaveOptions) -> anyhow::Result<()> {
    if !input::is_stream(output) {
        return Ok(picture::save_with(output, image, save)?);
    }
    let mut stdout = io::stdout().lock();
    picture::write(image, Path::new("standard output"), save, &mut stdout)?;
    stdout.flush().context("cannot write the picture to standard output")
}

/// Prints the report of a picture that went to `output`: to stderr where stdout has the picture itself.
pub fn report(output: &Path, text: &str) -> Result<(), Failure> {
    if input::is_stream(output) {
        report::print_aside(text);
        return Ok(());
    }
    report::print(text)
}

/// Refuses a size that the format has no room for.
pub fn check_room(files: &FileArgs, save: &SaveOptions, (width, height): (usize, usize)) -> anyhow::Result<()> {
    let most = save.validate(name(files))?.max_side();
    if width.max(height) > most {
        let name = name(files).display();
        bail!(
            "{name} would be {width}x{height} px, and its format has room for {most} a side; choose a smaller --size"
        );
    }
    Ok(())
}

/// Every picture and style that is read.
pub fn pictures(files: &FileArgs, args: &TransferArgs) -> Vec<PathBuf> {
    let mut pictures = vec![files.content.clone()];
    pictures.extend(styles::paths(&styles::named(files), &args.look, &args.regions));
    if let InitFrom::File(path) = &args.optimization.init {
        pictures.push(path.clone());
    }
    pictures
}

/// Refuses an output that cannot be written or that would destroy an input.
pub fn check(files: &FileArgs, args: &TransferArgs, save: &SaveOptions) -> anyhow::Result<()> {
    let pictures = pictures(files, args);
    let pictures: Vec<&Path> = pictures.iter().map(PathBuf::as_path).collect();
    input::check_stdin(&pictures)?;
    if input::is_stream(&files.output) {
        return check_stdout(files, save);
    }
    picture::check_output(&files.output, save)?;
    let mut inputs = pictures;
    inputs.retain(|path| !input::is_stream(path));
    inputs.extend(args.network.engine.weights.as_deref());
    let files_read = Inputs::new(inputs.iter().copied());
    files_read.refuse_overwriting(&files.output)?;
    let Some(every) = files.save_every else {
        return Ok(());
    };
    // Only the steps that an input's name ends with can meet it, be it its own name or that of the file it links to.
    let names = inputs.iter().flat_map(|input| [Some(input.to_path_buf()), fs::canonicalize(input).ok()]).flatten();
    let steps = options::steps(args);
    for step in names.filter_map(|name| step_in_name(&name)) {
        if (1..=steps).contains(&step) && step.is_multiple_of(every) {
            files_read.refuse_overwriting(&snapshot_path(&files.output, step, steps))?;
        }
    }
    Ok(())
}

/// Refuses what cannot go to standard output.
fn check_stdout(files: &FileArgs, save: &SaveOptions) -> anyhow::Result<()> {
    if save.format.is_none() {
        bail!("`-o -` has no extension; say with --format as what the picture shall be written");
    }
    save.validate(name(files))?;
    if files.save_every.is_some() {
        bail!("--save-every writes pictures beside the result, and `-o -` has no place beside it; name a file");
    }
    if io::stdout().is_terminal() {
        bail!("`-o -` writes the picture to standard output, which is the terminal; redirect it to a file or program");
    }
    Ok(())
}

/// The pictures of `--save-every`.
pub struct Snapshots<'a> {
    save: &'a SaveOptions,
    every: Option<usize>,
    painting: &'a Painting<'a>,
    output: &'a Path,
    pub saved: Vec<String>,
    /// A snapshot that cannot be written ends the snapshots, not the run: the picture itself may still be saved.
    failure: Option<anyhow::Error>,
}

impl<'a> Snapshots<'a> {
    pub fn new(files: &'a FileArgs, save: &'a SaveOptions, painting: &'a Painting<'a>) -> Snapshots<'a> {
        let (every, output) = (files.save_every, files.output.as_path());
        Snapshots { save, every, painting, output, saved: Vec::new(), failure: None }
    }

    pub fn take(&mut self, state: &impasto::Progress<'_>, interrupt: &Interrupt) {
        let is_due = self.every.is_some_and(|every| state.step > 0 && state.step.is_multiple_of(every));
        if !is_due || self.failure.is_some() {
            return;
        }
        let path = snapshot_path(self.output, state.step, self.painting.options().steps);
        let _undisturbed = interrupt.undisturbed();
        match picture::save_with(&path, &self.painting.finish(state.image), self.save) {
            Ok(()) => self.saved.push(path.display().to_string()),
            Err(error) => self.failure = Some(error.into()),
        }
    }

    pub fn result(&mut self) -> anyhow::Result<()> {
        let output = self.output.display();
        match self.failure.take() {
            Some(error) => bail!("{output} is written, but not all that --save-every asks for: {error}"),
            None => Ok(()),
        }
    }
}

/// `out.png` at step 50 is `out-0050.png`; enough digits for the names to sort.
fn snapshot_path(output: &Path, step: usize, steps: usize) -> PathBuf {
    let digits = steps.to_string().len().max(4);
    let mut name = OsString::from(output.file_stem().unwrap_or_default());
    name.push(format!("-{step:0digits$}"));
    if let Some(extension) = output.extension() {
        name.push(".");
        name.push(extension);
    }
    output.with_file_name(name)
}

/// The number after the last hyphen of the name, where [`snapshot_path`] writes the step.
fn step_in_name(path: &Path) -> Option<usize> {
    path.file_stem()?.to_str()?.rsplit_once('-')?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snapshots_carry_the_step_and_sort() {
        let name = |step, steps| snapshot_path(Path::new("a/out.v2.png"), step, steps);
        assert_eq!(name(50, 500), Path::new("a/out.v2-0050.png"));
        assert_eq!(name(50, 20_000), Path::new("a/out.v2-00050.png"));
        assert_eq!(snapshot_path(Path::new("out.jpg"), 5, 5), Path::new("out-0005.jpg"));
        assert_eq!(step_in_name(&name(50, 20_000)), Some(50));
        assert_eq!(step_in_name(Path::new("out.png")), None);
    }
}
