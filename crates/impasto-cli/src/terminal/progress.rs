//! Progress on stderr: a bar on a terminal, a line now and then anywhere else.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use impasto_job::events::Step;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::text::{duration, number};

/// Without a terminal: a line at each tenth of the steps ...
const LINES: usize = 10;

/// ... and after this long in any case, so that a slow run is seen to be alive.
const LONGEST_SILENCE: Duration = Duration::from_secs(30);

/// Redraws the bar's clock while a step takes seconds.
const TICK: Duration = Duration::from_millis(500);

/// Where progress is shown. Clones share the bar.
#[derive(Clone)]
pub enum Display {
    Bar(ProgressBar),
    Lines,
    /// Lines of other things than progress.
    Notes,
    Silent,
}

impl Display {
    /// A bar if stderr is a terminal, lines if it is not.
    pub fn new(quiet: bool) -> anyhow::Result<Display> {
        if quiet {
            return Ok(Display::Silent);
        }
        if !io::stderr().is_terminal() {
            return Ok(Display::Lines);
        }
        let style = ProgressStyle::with_template("{pos}/{len} {wide_bar} {msg}  {elapsed}{prefix}")?;
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr()).with_style(style);
        Ok(Display::Bar(bar))
    }

    /// As [`Display::new`] for one of many runs: a bar, but no lines.
    pub fn of_many(quiet: bool) -> anyhow::Result<Display> {
        Ok(match Display::new(quiet)? {
            Display::Lines => Display::Notes,
            other => other,
        })
    }

    /// Tells of something that is not as it should be.
    pub fn warn(&self, text: &str) {
        self.note(&format!("impasto: warning: {text}"));
    }

    /// Takes the bar away: nothing or the report follows.
    pub fn clear(&self) {
        if let Display::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }

    /// Writes a line, above the bar if there is one.
    pub fn note(&self, text: &str) {
        match self {
            Display::Bar(bar) => bar.println(text),
            // A closed stderr leaves nobody to tell.
            Display::Lines | Display::Notes => drop(writeln!(io::stderr(), "{text}")),
            Display::Silent => {}
        }
    }
}

/// Follows runs, one after the other.
pub struct RunProgress {
    display: Display,
    last_line: Instant,
}

impl RunProgress {
    pub fn new(display: Display) -> RunProgress {
        RunProgress { display, last_line: Instant::now() }
    }

    /// A run begins: starts the clock.
    pub fn begin(&mut self) {
        self.last_line = Instant::now();
        if let Display::Bar(bar) = &self.display {
            bar.reset();
            bar.enable_steady_tick(TICK);
        }
    }

    /// Shows the state after a step, and the time that the rest takes.
    pub fn update(&mut self, step: &Step) {
        let mut terms = String::new();
        if step.scales > 1 {
            terms.push_str(&format!("{}x{}  ", step.size[0], step.size[1]));
        }
        for (name, value) in [("content", step.content), ("style", step.style)] {
            if let Some(value) = value {
                terms.push_str(&format!("{name} {}  ", number(value)));
            }
        }
        terms.push_str(&format!("total {}", number(step.total)));
        let left = match step.step {
            0 => format!("  about {} to go", duration(step.seconds_left)),
            done if done < step.steps => format!("  {} left", duration(step.seconds_left)),
            _ => String::new(),
        };
        match &self.display {
            Display::Bar(bar) => {
                bar.set_message(terms);
                // Not indicatif's own estimate, which is `0s` until the first step is done.
                bar.set_prefix(left);
                // A scale that converged leaves steps out.
                bar.set_length(step.steps as u64);
                bar.set_position(step.step as u64);
            }
            Display::Lines => {
                let now = Instant::now();
                if is_due(step.step, step.steps) || now - self.last_line >= LONGEST_SILENCE {
                    self.last_line = now;
                    self.display.note(&format!("step {}/{}  {terms}{left}", step.step, step.steps));
                }
            }
            Display::Notes | Display::Silent => {}
        }
    }
}

/// Whether a line is due at `step`: at the start, at every tenth of the way, at the end.
fn is_due(step: usize, steps: usize) -> bool {
    let tenths = |step: usize| step * LINES / steps.max(1);
    step == 0 || tenths(step) != tenths(step - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_at_every_tenth() {
        let due = |steps| (0..=steps).filter(|&step| is_due(step, steps)).collect::<Vec<_>>();
        assert_eq!(due(3), [0, 1, 2, 3]);
        assert_eq!(due(20), [0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20]);
        assert_eq!(due(1_000).len(), 11);
    }
}
