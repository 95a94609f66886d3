//! Plans and reports in words.

use bytesize::ByteSize;
use impasto::{Layer, Objective, StopReason};
use impasto_job::plan::{Plan, PlannedScale};
use impasto_job::report::Report;

use crate::text::{duration, number, steps, table};

/// The report of a run.
pub fn report_text(report: &Report) -> String {
    let Report { output, size: [width, height], steps: done, steps_wanted, stopped, seconds, .. } = report;
    let output = output.display();
    let how = match stopped {
        StopReason::Completed => steps(*done),
        reason => format!("{reason} after {done} of {steps_wanted} steps"),
    };
    let by_layer = [&report.content_loss_by_layer.0, &report.style_loss.0, &report.strokes_loss.0];
    let mut rows = loss_rows(by_layer.map(Vec::as_slice), report.tv);
    rows.push(["total".to_owned(), String::new(), number(report.total_loss)]);
    if report.objective == Some(Objective::Balanced) {
        for (name, value) in [("content", report.content_in_units), ("style", report.style_in_units)] {
            rows.push(["in units".to_owned(), name.to_owned(), number(value.unwrap_or(f64::NAN))]);
        }
    }
    format!("{output}: {width}x{height} px, {how}, {}\n{}", duration(*seconds), table(&rows))
}

/// The report of one of many runs, on one line without its end.
pub fn report_line(report: &Report) -> String {
    let Report { output, size: [width, height], seconds, content_in_units, style_in_units, .. } = report;
    let mut line = format!("{}: {width}x{height} px, {}", output.display(), duration(*seconds));
    for (separator, name, value) in [(", ", "content", content_in_units), ("  ", "style", style_in_units)] {
        if let Some(value) = value {
            line.push_str(&format!("{separator}{name} {}", number(*value)));
        }
    }
    line
}

/// The losses that count, by layer, and the total variation.
pub fn loss_rows([content, style, strokes]: [&[(Layer, f64)]; 3], tv: f64) -> Vec<[String; 3]> {
    let rows = |name: &'static str, terms: &[(Layer, f64)]| -> Vec<[String; 3]> {
        terms.iter().map(|(layer, loss)| [name.to_owned(), layer.to_string(), number(*loss)]).collect()
    };
    let mut all = rows("content", content);
    all.extend(rows("style", style));
    all.extend(rows("strokes", strokes));
    all.push(["tv".to_owned(), String::new(), number(tv)]);
    all
}

/// `512x341 px on the CPU (no graphics card), at most 540.0 MiB of memory, about 55 s`, and what
/// would be otherwise with more memory.
pub fn plan_line(plan: &Plan) -> String {
    let Plan { size: [width, height], peak_memory, card_memory, device_summary, seconds, scales, .. } = plan;
    let mut line = format!("{width}x{height} px {device_summary}, at most {} of memory", bytes(*peak_memory));
    if *card_memory > 0 {
        line.push_str(&format!(" and {} of the card's", bytes(*card_memory)));
    }
    line.push_str(&format!(", about {}", duration(*seconds)));
    let is_short = |scale: &&PlannedScale| scale.in_bands || *card_memory > 0 && !scale.optimizer_on_card;
    for scale in scales.iter().filter(is_short) {
        line.push_str(&format!("; {} {}", size(scale.size), scale.summary));
    }
    line
}

/// The line and a table of the scales.
pub fn plan_text(plan: &Plan) -> String {
    let row = |scale: &PlannedScale| {
        let memory = format!("{}, {}", steps(scale.steps), bytes(scale.peak_memory));
        [size(scale.size), scale.summary.clone(), memory]
    };
    let rows: Vec<[String; 3]> = plan.scales.iter().map(row).collect();
    let limit = plan.memory.map_or(String::new(), |memory| format!(" (of {} allowed)", bytes(memory)));
    format!("{}: {}{limit}\n{}", plan.output.display(), plan_line(plan), table(&rows))
}

fn size([width, height]: [usize; 2]) -> String {
    format!("{width}x{height}")
}

fn bytes(bytes: u64) -> impl std::fmt::Display {
    ByteSize(bytes).display().iec()
}
