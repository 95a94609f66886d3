//! What is printed on stdout: tables for people, JSON for programs.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use anyhow::bail;
use impasto::{Layer, Losses, Measurement, Objective, RegionLosses, Session, StopReason};
use serde::Serialize;

use crate::args::FileArgs;
use crate::painting::Painting;
use crate::styles::WeightedStyle;
use crate::{Failure, OrFail};

/// The result of a run.
#[derive(Debug, Serialize)]
pub struct Transfer {
    /// Where the picture was written.
    pub output: String,
    /// Width and height in px.
    pub size: [usize; 2],
    /// Steps done.
    pub steps: usize,
    /// Steps asked for.
    pub steps_wanted: usize,
    /// `completed`, `interrupted` or `converged`.
    pub stopped: &'static str,
    /// Wall-clock time from the start of the program to the written picture.
    pub seconds: f64,
    /// Weighted by layer, without alpha.
    pub content_loss: f64,
    /// Eq. (1), unweighted.
    pub content_loss_by_layer: BTreeMap<String, f64>,
    /// Eq. (2), unweighted.
    pub style_loss: BTreeMap<String, f64>,
    /// Total variation, unweighted.
    pub tv: f64,
    /// What was minimised.
    pub total_loss: f64,
    /// `balanced` or `paper`.
    pub objective: &'static str,
    /// Mean over the content layers in the objective's units; balanced: 0 = the content itself, 1 = nothing of its layout left.
    pub content_in_units: f64,
    /// Mean over the style layers in the objective's units; balanced: 0 = the style itself, 1 = as far from it as the content.
    pub style_in_units: f64,
    /// The sizes worked at, coarsest first.
    pub scales: Vec<Scale>,
    /// Seed of the noise.
    pub seed: u64,
    /// The pictures that `--save-every` wrote.
    pub saved: Vec<String>,
}

impl Transfer {
    /// `reason`: why the session ended, after `seconds`.
    pub fn new(
        files: &FileArgs,
        session: &Session,
        painting: &Painting<'_>,
        reason: StopReason,
        seconds: f64,
        saved: Vec<String>,
    ) -> Transfer {
        let (losses, options) = (session.losses(), painting.options());
        Transfer {
            output: files.output.display().to_string(),
            size: painting.size().into(),
            steps: session.steps_done(),
            steps_wanted: options.steps,
            stopped: stopped(reason),
            seconds,
            content_loss: losses.content_loss(),
            content_loss_by_layer: by_layer(&losses.content),
            style_loss: by_layer(&losses.style),
            tv: losses.tv,
            total_loss: losses.total,
            objective: objective(options.objective),
            content_in_units: losses.content_in_units(),
            style_in_units: losses.style_in_units(),
            scales: session.scales().iter().map(Scale::from).collect(),
            seed: options.seed,
            saved,
        }
    }
}

/// One size of a run.
#[derive(Debug, Serialize)]
pub struct Scale {
    /// Width and height in px.
    size: [usize; 2],
    /// Steps, fewer than planned where it converged.
    steps: usize,
}

impl From<&impasto::Scale> for Scale {
    fn from(scale: &impasto::Scale) -> Scale {
        Scale { size: [scale.width, scale.height], steps: scale.steps }
    }
}

/// The result of `measure`.
#[derive(Debug, Serialize)]
pub struct Measured {
    size: [usize; 2],
    content_loss: f64,
    content_loss_by_layer: BTreeMap<String, f64>,
    style_loss: BTreeMap<String, f64>,
    /// The parts of the mask.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    regions: Vec<MeasuredRegion>,
    tv: f64,
    gradient_norm: GradientNorm,
}

/// One of the parts of the mask.
#[derive(Debug, Serialize)]
struct MeasuredRegion {
    style: String,
    /// Of the area.
    share: f64,
    /// Unweighted.
    style_loss: BTreeMap<String, f64>,
}

#[derive(Debug, Serialize)]
struct GradientNorm {
    content: f64,
    style: f64,
    tv: f64,
}

impl Measured {
    /// `styles`: those that have a part of the mask each.
    pub fn new(measurement: &Measurement, styles: &[WeightedStyle]) -> Measured {
        let Measurement { width, height, losses, gradient_norm, .. } = measurement;
        let region = |(style, region): (&WeightedStyle, &RegionLosses)| MeasuredRegion {
            style: style.path.display().to_string(),
            share: region.share,
            style_loss: by_layer(&region.style),
        };
        Measured {
            size: [*width, *height],
            content_loss: losses.content_loss(),
            content_loss_by_layer: by_layer(&losses.content),
            style_loss: by_layer(&losses.style),
            regions: regions(measurement, styles).map(region).collect(),
            tv: losses.tv,
            gradient_norm: GradientNorm {
                content: gradient_norm.content,
                style: gradient_norm.style,
                tv: gradient_norm.tv,
            },
        }
    }
}

/// A map for JSON.
pub fn by_layer(losses: &[(Layer, f64)]) -> BTreeMap<String, f64> {
    losses.iter().map(|(layer, loss)| (layer.to_string(), *loss)).collect()
}

const BALANCED: &str = "balanced";

/// The word for what was minimised.
pub fn objective(objective: Objective) -> &'static str {
    match objective {
        Objective::Balanced => BALANCED,
        _ => "paper",
    }
}

/// The word for the end of a run.
pub fn stopped(reason: StopReason) -> &'static str {
    match reason {
        StopReason::Completed => "completed",
        // The observer stops only when the user asks for it.
        StopReason::Interrupted => "interrupted",
        StopReason::Converged => "converged",
    }
}

/// The report of one of many runs for people, on one line without its end.
pub fn transfer_line(report: &Transfer) -> String {
    let Transfer { output, size: [width, height], seconds, content_in_units, style_in_units, .. } = report;
    let losses = format!("content {}  style {}", number(*content_in_units), number(*style_in_units));
    format!("{output}: {width}x{height} px, {}, {losses}", duration(Duration::from_secs_f64(*seconds)))
}

/// Refuses the end of a run that has found no step from its start, where there is a loss to lower: its picture would be the start.
pub fn check_start_left(session: &Session) -> anyhow::Result<()> {
    let total = session.losses().total;
    if session.steps_done() == 0 && total > 0.0 {
        bail!(
            "no step lowers the loss of the start ({total:e}), which the picture would be; nothing is written: change the weights of the losses"
        );
    }
    Ok(())
}

/// The report of a run for people.
pub fn transfer_text(report: &Transfer, losses: &Losses) -> String {
    let headline =
        headline(&report.output, report.size, (report.steps, report.steps_wanted), report.stopped, report.seconds);
    let mut rows = loss_rows(losses);
    rows.push(["total".to_owned(), String::new(), number(losses.total)]);
    if report.objective == BALANCED {
        for (name, value) in [("content", report.content_in_units), ("style", report.style_in_units)] {
            rows.push(["in units".to_owned(), name.to_owned(), number(value)]);
        }
    }
    format!("{headline}{}", table(&rows))
}

/// `1 step`, `2 steps`.
pub fn steps(count: usize) -> String {
    format!("{count} step{}", if count == 1 { "" } else { "s" })
}

/// What was written, after how many steps, of how many, in how many seconds.
pub fn headline(
    output: &str,
    [width, height]: [usize; 2],
    (steps, steps_wanted): (usize, usize),
    stopped: &str,
    seconds: f64,
) -> String {
    let how = match stopped {
        "completed" => self::steps(steps),
        how => format!("{how} after {steps} of {steps_wanted} steps"),
    };
    format!("{output}: {width}x{height} px, {how}, {}\n", duration(Duration::from_secs_f64(seconds)))
}

/// The regions of `styles`, which have one each; none where the styles have none.
fn regions<'a>(
    measurement: &'a Measurement,
    styles: &'a [WeightedStyle],
) -> impl Iterator<Item = (&'a WeightedStyle, &'a RegionLosses)> {
    let of = |region: &'a RegionLosses| Some((styles.get(*region.styles.first()?)?, region));
    measurement.regions.iter().filter_map(of)
}

/// The report of `measure` for people. `styles`: those that have a part of the mask each.
pub fn measured_text(picture: &Path, measurement: &Measurement, styles: &[WeightedStyle]) -> String {
    let mut rows = loss_rows(&measurement.losses);
    for (i, (style, region)) in regions(measurement, styles).enumerate() {
        let name = format!("part {}, {}", i + 1, style.path.display());
        rows.extend(region.style.iter().map(|(layer, loss)| [name.clone(), layer.to_string(), number(*loss)]));
    }
    let norm = &measurement.gradient_norm;
    for (name, value) in [("content", norm.content), ("style", norm.style), ("tv", norm.tv)] {
        rows.push(["gradient norm".to_owned(), name.to_owned(), number(value)]);
    }
    format!("{}: {}x{} px\n{}", picture.display(), measurement.width, measurement.height, table(&rows))
}

/// The losses that count, by layer, and the total variation.
pub fn loss_rows(losses: &Losses) -> Vec<[String; 3]> {
    let of = |name: &'static str, terms: &[(Layer, f64)]| -> Vec<[String; 3]> {
        terms.iter().map(|(layer, loss)| [name.to_owned(), layer.to_string(), number(*loss)]).collect()
    };
    let mut rows = of("content", &losses.content);
    rows.extend(of("style", &losses.style));
    rows.push(["tv".to_owned(), String::new(), number(losses.tv)]);
    rows
}

/// Names to the left, numbers to the right; a name is written once for the rows it heads.
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

/// Five significant digits, without an exponent where a reader can do without.
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
pub fn duration(time: Duration) -> String {
    let seconds = time.as_secs_f64().round() as u64;
    match seconds {
        0..10 => format!("{:.1} s", time.as_secs_f64()),
        10..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
    }
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

/// Writes to stdout. A reader that has gone (`impasto ... | head -1`) is no failure: the picture is where it was asked for.
pub fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result.map_err(|error| anyhow::anyhow!("cannot write the report to stdout: {error}")).or_program(),
    }
}

/// Writes to stderr, where the picture itself goes to stdout. A closed stderr leaves nobody to tell.
pub fn print_aside(text: &str) {
    drop(io::stderr().write_all(text.as_bytes()));
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
        let texts = [0.44, 9.4, 59.4, 59.9, 151.0, 3_900.0].map(|s| duration(Duration::from_secs_f64(s)));
        assert_eq!(texts, ["0.4 s", "9.4 s", "59 s", "1 min 00 s", "2 min 31 s", "1 h 05 min"]);
    }

    #[test]
    fn tables_are_aligned() {
        let row = |a: &str, b: &str, c: &str| [a.to_owned(), b.to_owned(), c.to_owned()];
        let rows = [row("style", "relu1_1", "1.0"), row("style", "relu2_1", "10.0"), row("tv", "", "3")];
        assert_eq!(table(&rows), "  style  relu1_1   1.0\n         relu2_1  10.0\n  tv                 3\n");
    }
}
