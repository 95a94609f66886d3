//! Names of files, made from what people call their pictures.

use std::path::Path;

use impasto_job::job::Job;
use impasto_job::job::inputs::InputFile;

/// Longest name, in bytes. Systems allow 255, and numbers are added.
const LONGEST: usize = 120;

/// A name that is harmless as a file's: letters, digits, spaces and `._-()` of the last part of a
/// path, not empty, without a dot at its start.
pub fn cleaned(path: &Path) -> String {
    let name = path.to_string_lossy();
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let is_safe = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | ' ' | '(' | ')');
    let safe: String = name.chars().map(|c| if is_safe(c) { c } else { '_' }).collect();
    // The end has the extension.
    let mut start = safe.len().saturating_sub(LONGEST);
    while !safe.is_char_boundary(start) {
        start += 1;
    }
    let short = safe[start..].trim_matches([' ', '.']);
    if short.is_empty() { "file".to_owned() } else { short.to_owned() }
}

/// The name, with a number if it is among those that are taken. It is taken then.
pub fn unused(name: &str, taken: &mut Vec<String>) -> String {
    let numbered = |number: usize| match name.rsplit_once('.') {
        _ if number == 1 => name.to_owned(),
        Some((stem, extension)) => format!("{stem}-{number}.{extension}"),
        None => format!("{name}-{number}"),
    };
    // Some systems take capital letters for small ones.
    let is_free = |name: &String| !taken.iter().any(|other| other.to_lowercase() == name.to_lowercase());
    let name = (1..).map(numbered).find(is_free).unwrap_or_default();
    taken.push(name.clone());
    name
}

/// Gives each input of a job a name of its own, made from what people called it. Returns the names.
pub fn name_inputs(job: &mut Job) -> Vec<String> {
    let mut taken = Vec::new();
    for InputFile { path, .. } in job.inputs.files_mut() {
        *path = unused(&cleaned(path), &mut taken).into();
    }
    taken
}

/// What a job is called: `photo × painting`.
pub fn title_of(job: &Job) -> String {
    let content = job.inputs.content.iter().map(|file| file.path.as_path());
    title(content.chain(job.inputs.styles.iter().map(|style| style.file.path.as_path())))
}

fn title<'a>(files: impl IntoIterator<Item = &'a Path>) -> String {
    let stems = files.into_iter().map(|path| {
        let name = cleaned(path);
        name.rsplit_once('.').map_or(name.clone(), |(stem, _)| stem.to_owned())
    });
    stems.collect::<Vec<_>>().join(" × ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_harmless_and_keep_what_people_know() {
        let cleaned = |name: &str| cleaned(Path::new(name));
        assert_eq!(cleaned("Ferien (2) Küste.JPG"), "Ferien (2) Küste.JPG");
        assert_eq!(cleaned("../../etc/passwd"), "passwd");
        assert_eq!(cleaned(r"C:\photos\a.png"), "a.png");
        assert_eq!(cleaned(".."), "file");
        assert_eq!(cleaned(".bashrc"), "bashrc");
        assert_eq!(cleaned("a\0b\n<c>.png"), "a_b__c_.png");
        for letter in ["x", "ü", "😀", "𐐷"] {
            let long = cleaned(&format!("{}.png", letter.repeat(500)));
            assert!(long.len() <= LONGEST && long.ends_with(".png"), "{long}");
        }
        assert_eq!(cleaned(&format!("a.{}", "b".repeat(119))), "b".repeat(119));
    }

    #[test]
    fn no_two_files_have_one_name() {
        let mut taken = vec![];
        let names = ["a.png", "A.png", "a.png", "b"].map(|name| unused(name, &mut taken));
        assert_eq!(names, ["a.png", "A-2.png", "a-3.png", "b"]);
    }

    #[test]
    fn a_title_names_what_went_in() {
        assert_eq!(title(["x/photo.jpg", "night.png"].map(Path::new)), "photo × night");
    }
}
