//! Reading and checking what the user names: pictures, weights, layers.

use std::collections::HashMap;
use std::fs;
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use impasto::picture::{self, Picture, SaveOptions};
use impasto::{Image, Layer, Network, SizeOptions, WeightedLayer};
use sha2::{Digest, Sha256};

use crate::args::EngineArgs;
use crate::{Failure, OrFail};

/// The network that the options ask for.
pub fn network(args: &EngineArgs) -> Result<Network, Failure> {
    match &args.weights {
        Some(path) => Network::load(path).or_user(),
        None => Network::embedded().or_program(),
    }
}

/// Standard input or output, by the name that it has on the command line. A file of that name is `./-`.
pub fn is_stream(path: &Path) -> bool {
    path == Path::new("-")
}

/// Refuses more than one picture from standard input, and a person typing one.
pub fn check_stdin(inputs: &[&Path]) -> anyhow::Result<()> {
    match inputs.iter().filter(|path| is_stream(path)).count() {
        0 => Ok(()),
        1 if io::stdin().is_terminal() => {
            bail!("`-` reads a picture from standard input, which is the terminal; redirect a file to it")
        }
        1 => Ok(()),
        _ => bail!("`-` is given more than once; standard input holds one picture"),
    }
}

/// How pictures are read.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reading {
    /// Says nothing of what could not be used of them.
    pub quiet: bool,
    /// Bytes that the process may take.
    pub memory: Option<u64>,
}

/// Reads a picture, from standard input if `path` is `-`; says on stderr what could not be used of it.
pub fn load(path: &Path, reading: Reading) -> anyhow::Result<Picture> {
    let picture = if is_stream(path) {
        let mut bytes = Vec::new();
        let limited = io::stdin().lock().take(picture::MAX_FILE + 1).read_to_end(&mut bytes);
        limited.context("cannot read standard input")?;
        picture::decode_within(&bytes, Path::new("standard input"), reading.memory)?
    } else {
        picture::load_within(path, reading.memory)?
    };
    for warning in picture.warnings.iter().filter(|_| !reading.quiet) {
        // A closed stderr leaves nobody to tell.
        drop(writeln!(io::stderr(), "impasto: warning: {}: {warning}", path.display()));
    }
    Ok(picture)
}

/// Reads a picture that is the only one of a run, at the size it is worked on, and says whether that is not its own.
pub fn load_scaled(path: &Path, size: &SizeOptions, reading: Reading) -> anyhow::Result<(Image, bool)> {
    let picture = load(path, reading)?;
    let own = (picture.width(), picture.height());
    let target = picture::fit(own.0, own.1, size.content_longest(own.0, own.1));
    Ok((picture.resized(target.0, target.1).image, target != own))
}

/// SHA-256 of a file's bytes, in hexadecimal: whether an input is still what it was.
pub fn sha256(path: &Path) -> anyhow::Result<String> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Refuses a picture of which a layer would see nothing.
///
/// `advice`: what helps besides another picture, or an empty string.
pub fn check_sides(path: &Path, image: &Image, layers: &[Layer], how: &str, advice: &str) -> anyhow::Result<()> {
    let (width, height) = (image.width(), image.height());
    let Some(layer) = layers.iter().copied().max_by_key(|layer| (layer.min_side(), std::cmp::Reverse(*layer))) else {
        return Ok(());
    };
    let least = layer.min_side();
    if width.min(height) < least {
        bail!("{} is {width}x{height} px{how}; {layer} needs at least {least} px a side{advice}", path.display());
    }
    Ok(())
}

/// The layers without their weights.
pub fn layers(weighted: &[WeightedLayer]) -> impl Iterator<Item = Layer> {
    weighted.iter().map(|weighted| weighted.layer)
}

/// Refuses an output that cannot be written or that would destroy an input.
pub fn check_output(output: &Path, inputs: &[&Path]) -> anyhow::Result<()> {
    picture::check_output(output, &SaveOptions::default())?;
    Inputs::new(inputs.iter().copied()).refuse_overwriting(output)
}

/// Inputs by the files behind their names: two spellings of one path and links to it are one.
pub struct Inputs<'a>(HashMap<PathBuf, &'a Path>);

impl<'a> Inputs<'a> {
    pub fn new(paths: impl Iterator<Item = &'a Path>) -> Inputs<'a> {
        Inputs(paths.flat_map(|path| files(path).into_iter().flatten().map(move |file| (file, path))).collect())
    }

    /// Refuses an output that would destroy one of them.
    pub fn refuse_overwriting(&self, output: &Path) -> anyhow::Result<()> {
        match files(output).into_iter().flatten().find_map(|file| self.0.get(&file)) {
            Some(input) => bail!(
                "{} is to be written, but it is also an input ({}); choose another name for --output",
                output.display(),
                input.display()
            ),
            None => Ok(()),
        }
    }
}

/// The file behind a name, at the end of all links, and the name in its real folder.
fn files(path: &Path) -> [Option<PathBuf>; 2] {
    [fs::canonicalize(path).ok(), entry(path)]
}

/// The name in its real folder: what a rename replaces, be it a link or a file.
fn entry(path: &Path) -> Option<PathBuf> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    Some(fs::canonicalize(folder).ok()?.join(path.file_name()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deepest_layer_decides_about_the_size() {
        let picture = Image::filled(20, 12, [0.0; 3]);
        let layers: Vec<Layer> = ["relu5_2", "relu5_1", "relu1_1"].iter().map(|name| name.parse().unwrap()).collect();
        let message = check_sides(Path::new("photo.jpg"), &picture, &layers, "", "").unwrap_err().to_string();
        assert_eq!(message, "photo.jpg is 20x12 px; relu5_1 needs at least 16 px a side");
        assert!(check_sides(Path::new("photo.jpg"), &picture, &layers[2..], "", "").is_ok());
    }

    #[test]
    fn another_spelling_is_the_same_file() {
        let folder = tempfile::tempdir().unwrap();
        let photo = folder.path().join("photo.png");
        fs::write(&photo, "x").unwrap();
        fs::create_dir(folder.path().join("sub")).unwrap();
        let spelling = folder.path().join("sub/../photo.png");
        let other = folder.path().join("other.png");
        let inputs = Inputs::new([photo.as_path()].into_iter());
        let message = inputs.refuse_overwriting(&spelling).unwrap_err().to_string();
        assert!(message.contains(&format!("also an input ({})", photo.display())), "{message}");
        assert!(inputs.refuse_overwriting(&other).is_ok());
    }
}
