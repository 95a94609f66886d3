//! Names of files, made from what people call their pictures.

use std::path::Path;

/// Longest name, in characters.
const LONGEST: usize = 80;

/// A name that is safe as a file's on any system: letters, digits, spaces and `._-()` of the last
/// part of a path, not empty, without a dot at its start.
pub fn cleaned(path: &Path) -> String {
    let name = path.to_string_lossy();
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let is_safe = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | ' ' | '(' | ')');
    let safe: String = name.chars().map(|c| if is_safe(c) { c } else { '_' }).collect();
    let safe = safe.trim_matches([' ', '.']);
    let skipped = safe.chars().count().saturating_sub(LONGEST);
    // The end has the extension.
    let short: String = safe.chars().skip(skipped).collect();
    if short.is_empty() { "file".to_owned() } else { short }
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

/// What a job is called: `photo × painting`.
pub fn title<'a>(files: impl IntoIterator<Item = &'a Path>) -> String {
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
        assert_eq!(cleaned(&format!("{}.png", "x".repeat(500))).len(), LONGEST);
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
