//! The ways to evaluate a picture.

use impasto_engine::plan::card::CardLayout;
use impasto_engine::plan::choice::LayoutChoices;
use impasto_engine::plan::layout::Layout;

/// Why nothing fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Shortage {
    /// The process needs so many bytes.
    Process(usize),
    /// The card needs so many bytes.
    Card(u64),
}

/// The ways to evaluate a picture.
pub(crate) enum Choices<'a> {
    Cpu(LayoutChoices<'a>),
    /// That with the least work, and bytes of the process.
    Card(Result<CardLayout, u64>, usize),
}

impl Choices<'_> {
    /// Returns the layout with the least work among those for which `fits` holds of its bytes in
    /// the process, and its work.
    pub(crate) fn best(&self, fits: &dyn Fn(usize) -> bool) -> Result<(f64, Layout), Shortage> {
        match self {
            Self::Cpu(choices) => choices.best(fits).map_err(Shortage::Process),
            Self::Card(Err(needed), _) => Err(Shortage::Card(*needed)),
            Self::Card(Ok(_), bytes) if !fits(*bytes) => Err(Shortage::Process(*bytes)),
            Self::Card(Ok(found), _) => Ok((found.work, found.layout.clone())),
        }
    }

    /// Returns the bytes of the process that a layout takes.
    pub(crate) fn memory(&self, layout: &Layout) -> usize {
        match self {
            Self::Cpu(choices) => choices.memory(layout),
            Self::Card(_, bytes) => *bytes,
        }
    }

    pub(crate) fn file_bytes(&self, layout: &Layout) -> u64 {
        match self {
            Self::Cpu(choices) => choices.file_bytes(layout),
            Self::Card(..) => 0,
        }
    }

    /// Returns the bytes on a card.
    pub(crate) fn card_bytes(&self) -> u64 {
        match self {
            Self::Card(Ok(found), _) => found.bytes,
            _ => 0,
        }
    }
}

impl Shortage {
    /// Returns the shortage with so many bytes more.
    pub(crate) fn and(self, more: usize) -> Self {
        match self {
            Self::Process(bytes) => Self::Process(bytes + more),
            Self::Card(bytes) => Self::Card(bytes),
        }
    }
}
