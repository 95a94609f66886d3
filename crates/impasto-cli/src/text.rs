//! What goes to stdout and stderr, and how numbers, times and tables are written there.

use std::io::{self, Write};
use std::time::Duration;

use serde::Serialize;

use crate::failure::{Failure, OrFail};

/// Names to the left, numbers to the right. A name is written once for the rows that it heads.
pub fn table(rows: &[[String; 3]]) -> String {
    let width = |column: usize| rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let (first, second, third) = (width(0), width(1), width(2));
    let mut text = String::new();
    let mut above = "";
    for [name, detail, value] in rows {
        let shown = if name == above { "" } else { name };
        text.push_str(&format!("  {shown:first$}  {detail:second$}  {value:>third$}\n"));
        above = name;
    }
    text
}

/// Five significant digits, without an exponent if a reader can do without.
pub fn number(value: f64) -> String {
    let magnitude = value.abs();
    if value == 0.0 {
        "0".to_owned()
    } else if (1e-3..1e6).contains(&magnitude) {
        let decimals = (4 - magnitude.log10().floor() as i32).max(0) as usize;
        format!("{value:.decimals$}")
    } else {
        format!("{value:.4e}")
    }
}

/// `0.4 s`, `12 s`, `2 min 31 s`, `1 h 05 min`.
pub fn duration(seconds: f64) -> String {
    let time = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
    let whole = time.as_secs_f64().round() as u64;
    match whole {
        0..10 => format!("{:.1} s", time.as_secs_f64()),
        10..60 => format!("{whole} s"),
        60..3600 => format!("{} min {:02} s", whole / 60, whole % 60),
        _ => format!("{} h {:02} min", whole / 3600, whole / 60 % 60),
    }
}

/// `1 step`, `2 steps`.
pub fn steps(count: usize) -> String {
    format!("{count} step{}", if count == 1 { "" } else { "s" })
}

/// One JSON object and a line end.
pub fn json(value: &impl Serialize) -> Result<String, Failure> {
    let mut text = serde_json::to_string_pretty(value).or_program()?;
    text.push('\n');
    Ok(text)
}

/// One JSON object on one line.
pub fn json_line(value: &impl Serialize) -> Result<String, Failure> {
    let mut text = serde_json::to_string(value).or_program()?;
    text.push('\n');
    Ok(text)
}

/// Writes to stdout. A reader that has gone (`impasto ... | head -1`) is no failure: the picture
/// is where it was asked for.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result.map_err(|error| anyhow::anyhow!("cannot write the report to stdout: {error}")).or_program(),
    }
}

/// Writes to stderr. A closed stderr leaves nobody to tell.
pub fn print_aside(text: &str) {
    drop(io::stderr().write_all(text.as_bytes()));
}

/// One line of an error on stderr.
pub fn print_error(message: &str) {
    let line = message.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    print_aside(&format!("impasto: {line}\n"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_five_digits() {
        let texts = [0.0, 1.0, 12.3456789, 0.00123456, 999_999.4, 1e6, 1.5e-4, -2.5].map(number);
        assert_eq!(texts, ["0", "1.0000", "12.346", "0.0012346", "999999", "1.0000e6", "1.5000e-4", "-2.5000"]);
        assert_eq!(number(f64::NAN), "NaN");
    }

    #[test]
    fn durations_are_read_at_a_glance() {
        let texts = [0.44, 9.4, 59.4, 59.9, 151.0, 3_900.0].map(duration);
        assert_eq!(texts, ["0.4 s", "9.4 s", "59 s", "1 min 00 s", "2 min 31 s", "1 h 05 min"]);
    }

    #[test]
    fn tables_are_aligned() {
        let row = |a: &str, b: &str, c: &str| [a.to_owned(), b.to_owned(), c.to_owned()];
        let rows = [row("style", "relu1_1", "1.0"), row("style", "relu2_1", "10.0"), row("tv", "", "3")];
        assert_eq!(table(&rows), "  style  relu1_1   1.0\n         relu2_1  10.0\n  tv                 3\n");
    }
}
