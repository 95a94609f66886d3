//! A run at a terminal: its events as a bar or as lines, and Ctrl-C.

mod interrupt;
mod progress;

use impasto_job::events::{Event, Events};

use crate::failure::{Failure, OrFail};
use crate::report;
use crate::terminal::interrupt::{Interrupt, KEEPS_PICTURE, LEAVES_PICTURE_OUT};
use crate::terminal::progress::{Display, RunProgress};
use crate::text;
use crate::wording::in_flags;

/// What a person at a terminal sees of runs, and how he ends them.
pub struct Terminal {
    display: Display,
    interrupt: Interrupt,
    progress: RunProgress,
    /// One run of many: its plan is not said.
    is_one_of_many: bool,
    /// Whether it was said that the runs are on a graphics card.
    has_told_card: bool,
}

impl Terminal {
    /// For a single run. The first Ctrl-C ends it after the current step, once there has been a
    /// step.
    pub fn single(quiet: bool) -> Result<Terminal, Failure> {
        let display = Display::new(quiet).or_program()?;
        let interrupt = Interrupt::install(display.clone(), KEEPS_PICTURE).or_program()?;
        Ok(Terminal {
            progress: RunProgress::new(display.clone()),
            display,
            interrupt,
            is_one_of_many: false,
            has_told_card: false,
        })
    }

    /// For many runs: a bar, but no lines of progress. The first Ctrl-C leaves at once until
    /// [`Terminal::start`] is called.
    pub fn many(quiet: bool) -> Result<Terminal, Failure> {
        let display = Display::of_many(quiet).or_program()?;
        let interrupt = Interrupt::install(display.clone(), LEAVES_PICTURE_OUT).or_program()?;
        Ok(Terminal {
            progress: RunProgress::new(display.clone()),
            display,
            interrupt,
            is_one_of_many: true,
            has_told_card: false,
        })
    }

    /// From now on the first Ctrl-C waits for the current step.
    pub fn start(&self) {
        self.interrupt.start();
    }

    /// What writes lines between runs, above the bar if there is one.
    pub fn display(&self) -> Display {
        self.display.clone()
    }
}

impl Events for Terminal {
    fn event(&mut self, event: Event) {
        match event {
            Event::Warning { about: Some(path), text } => {
                self.display.warn(&format!("{}: {}", path.display(), in_flags(&text)));
            }
            Event::Warning { about: None, text } => self.display.warn(&in_flags(&text)),
            Event::Note { about, text } => self.display.note(&format!("{}: {}", about.display(), in_flags(&text))),
            Event::Planned(plan) => {
                self.progress.begin();
                if !self.is_one_of_many {
                    self.display.note(&report::plan_line(&plan));
                } else if plan.card_memory > 0 && !self.has_told_card {
                    self.has_told_card = true;
                    self.display.note(&plan.device_summary);
                }
            }
            Event::Step(step) => {
                if !self.is_one_of_many {
                    // From the first step on there is a picture worth writing.
                    self.interrupt.start();
                }
                self.progress.update(&step);
            }
            Event::Ended => self.display.clear(),
            Event::CanResume { folder, needs_feature_cache } => {
                let option = if needs_feature_cache { " --feature-cache DIR" } else { "" };
                self.display.note(&format!("to continue: impasto resume {}{option}", folder.display()));
            }
            _ => {}
        }
    }

    fn stop_requested(&self) -> bool {
        self.interrupt.requested()
    }

    fn while_writing(&mut self, write: &mut dyn FnMut()) {
        let _undisturbed = self.interrupt.undisturbed();
        write();
    }
}

/// Messages about files on stderr, for commands that make no run.
pub struct FileMessages {
    /// Nothing is said.
    pub quiet: bool,
}

impl Events for FileMessages {
    fn event(&mut self, event: Event) {
        match event {
            _ if self.quiet => {}
            Event::Warning { about: Some(path), text } => {
                text::print_aside(&format!("impasto: warning: {}: {}\n", path.display(), in_flags(&text)));
            }
            Event::Note { about, text } => text::print_aside(&format!("{}: {}\n", about.display(), in_flags(&text))),
            _ => {}
        }
    }
}
