//! Values of options: from text, and back to a word.

use clap::ValueEnum;
use impasto::Scales;

/// The command line's word for a value of the library.
pub fn name_of<N: ValueEnum + Copy + Into<T>, T: PartialEq>(value: T) -> N {
    *N::value_variants()
        .iter()
        .find(|&&name| name.into() == value)
        .expect("the library's default has a name on the command line")
}

pub fn count(text: &str) -> Result<usize, &'static str> {
    text.parse().ok().filter(|&n| n > 0).ok_or("needs a whole number of at least 1")
}

pub fn seed(text: &str) -> Result<u64, &'static str> {
    text.parse().map_err(|_| "needs a whole number from 0 to 18446744073709551615")
}

pub fn weight(text: &str) -> Result<f64, &'static str> {
    text.parse().ok().filter(|&w: &f64| w.is_finite() && w >= 0.0).ok_or("needs a finite number of at least 0")
}

pub fn strength(text: &str) -> Result<f64, &'static str> {
    text.parse().ok().filter(|s| (0.0..=100.0).contains(s)).ok_or("needs a number from 0 to 100")
}

pub fn scales(text: &str) -> Result<Scales, &'static str> {
    match text {
        "auto" => Ok(Scales::Auto),
        _ => count(text).map(Scales::Count).map_err(|_| "needs `auto`, or a whole number of at least 1"),
    }
}

pub fn factor(text: &str) -> Result<f64, &'static str> {
    text.parse().ok().filter(|&f: &f64| f.is_finite() && f > 0.0).ok_or("needs a finite number above 0")
}
