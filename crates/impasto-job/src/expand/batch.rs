//! Every photo with every style.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use impasto::picture::Format;

use crate::error::{Error, Result};
use crate::files;
use crate::job::Job;
use crate::job::inputs::{Inputs, StyleInput};
use crate::job::output::Output;

/// One job for each photo and style, photo by photo: FOLDER/PHOTO-STYLE.png. `template` has all
/// else.
///
/// Errors: names that cannot be meant, or that two of the pictures would have.
pub fn jobs(template: &Job, photos: &[PathBuf], styles: &[StyleInput], folder: &Path) -> Result<Vec<Job>> {
    let paths = photos.iter().chain(styles.iter().map(|style| &style.file.path));
    for path in paths {
        let name = path.display();
        if files::is_stream(path) {
            return Err(Error::user("`-` is standard input, which a batch does not read; name a file"));
        }
        if path.is_dir() {
            return Err(Error::user(format!("{name} is a folder; name the pictures in it, as in {name}/*.jpg")));
        }
    }
    if let Some(style) = styles.iter().find(|style| style.weight.is_some()) {
        return Err(Error::user(format!(
            "the style {} has a weight, but a batch blends no styles: each makes its own pictures; leave the weight out",
            style.file.path.display()
        )));
    }
    let extension = template.output.format.unwrap_or(Format::Png).extension();
    let mut names: HashMap<OsString, (&Path, &Path)> = HashMap::new();
    let mut jobs = Vec::new();
    for photo in photos {
        for style in styles {
            let style_path = &style.file.path;
            let name = name(photo, style_path, extension);
            let file = folder.join(&name);
            // To some file systems upper and lower case are one.
            if let Some((other, other_style)) = names.insert(name.to_ascii_lowercase(), (photo, style_path)) {
                return Err(Error::user(format!(
                    "{} would be the name of {} with {}, and of {} with {}; rename one, or give it a batch of its own",
                    file.display(),
                    other.display(),
                    other_style.display(),
                    photo.display(),
                    style_path.display()
                )));
            }
            jobs.push(Job {
                inputs: Inputs {
                    content: Some(photo.clone().into()),
                    styles: vec![style.clone()],
                    ..template.inputs.clone()
                },
                output: Output { file: Some(file), ..template.output.clone() },
                ..template.clone()
            });
        }
    }
    Ok(jobs)
}

/// `PHOTO-STYLE.png`.
fn name(photo: &Path, style: &Path, extension: &str) -> OsString {
    let mut name = OsString::from(photo.file_stem().unwrap_or_default());
    name.push("-");
    name.push(style.file_stem().unwrap_or_default());
    name.push(".");
    name.push(extension);
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_of_both_pictures() {
        assert_eq!(name(Path::new("a/beach.v2.jpg"), Path::new("night.jpeg"), "png"), "beach.v2-night.png");
        assert_eq!(name(Path::new("beach"), Path::new("b/s.impasto-style"), "jpg"), "beach-s.jpg");
    }
}
