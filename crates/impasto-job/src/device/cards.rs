//! The cards of the machine, for a list of them.

use impasto::{Card, GpuKind, Network, SelfTest};
use serde::Serialize;

use crate::device::choice::DeviceChoice;
use crate::device::tested;
use crate::error::{Error, Result};
use crate::machine::Limits;

/// A graphics card, and what came of its self-test.
#[derive(Clone, Debug, Serialize)]
pub struct CardReport {
    /// Its number in the list, for `gpu:N`.
    pub number: usize,
    /// Its name.
    pub name: String,
    /// What it is: discrete, integrated, virtual, software, unknown.
    pub kind: &'static str,
    /// The interface that it is driven by.
    pub interface: &'static str,
    /// Its driver, with the version.
    pub driver: String,
    /// Bytes of the largest buffer.
    pub largest_buffer: u64,
    /// Bytes that the threads of a group share.
    pub group_memory: u32,
    /// Whether shaders can compute in f16.
    pub f16: bool,
    /// Whether it multiplies small matrices by itself.
    pub cooperative_matrices: bool,
    /// Whether it measures the time of a shader.
    pub timestamps: bool,
    /// `None`: it was not asked for.
    pub self_test: Option<SelfTestReport>,
}

/// What came of a self-test.
#[derive(Clone, Debug, Serialize)]
pub struct SelfTestReport {
    /// The card computes what the CPU computes.
    pub passed: bool,
    /// Relative error of the loss; `None`: there is no result.
    pub loss_error: Option<f64>,
    /// Relative error of the gradient.
    pub gradient_error: Option<f64>,
    /// How many times as fast as the CPU it is.
    pub speed: Option<f64>,
    /// The same in words, or why there is no result.
    pub summary: String,
}

/// The cards of the machine. `tests`: they are tested anew.
pub fn reports(network: &Network, limits: &Limits, tests: bool) -> Vec<CardReport> {
    let report = |(number, card): (usize, Card)| CardReport {
        number,
        name: card.name().to_owned(),
        kind: word(card.kind()),
        interface: card.interface(),
        driver: card.driver(),
        largest_buffer: card.largest_buffer(),
        group_memory: card.group_memory(),
        f16: card.has_f16(),
        cooperative_matrices: card.has_cooperative_matrices(),
        timestamps: card.has_timestamps(),
        self_test: tests.then(|| tested::anew(network, &card, limits).into()),
    };
    impasto::cards().into_iter().enumerate().map(report).collect()
}

impl From<Result<SelfTest>> for SelfTestReport {
    fn from(result: Result<SelfTest>) -> SelfTestReport {
        // JSON has no infinity, which is the error of what is no number.
        let number = |value: f64| Some(value).filter(|value| value.is_finite());
        match result {
            Ok(test) => SelfTestReport {
                passed: test.passes(),
                loss_error: number(test.loss_error),
                gradient_error: number(test.gradient_error),
                speed: Some(test.speed()),
                summary: test.to_string(),
            },
            Err(error) => SelfTestReport {
                passed: false,
                loss_error: None,
                gradient_error: None,
                speed: None,
                summary: format!("FAILED: {error}"),
            },
        }
    }
}

fn word(kind: GpuKind) -> &'static str {
    match kind {
        GpuKind::Discrete => "discrete",
        GpuKind::Integrated => "integrated",
        GpuKind::Virtual => "virtual",
        GpuKind::Software => "software",
        GpuKind::Unknown => "unknown",
    }
}

/// The card that was asked for.
///
/// Errors: it is not there.
pub(crate) fn chosen<'a>(cards: &'a [Card], choice: &DeviceChoice) -> Result<&'a Card> {
    let found = match choice {
        DeviceChoice::Number(number) => cards.get(*number),
        DeviceChoice::Name(name) => {
            let wanted = name.to_lowercase();
            let by_identity = cards.iter().find(|card| card.identity() == *name);
            by_identity.or_else(|| cards.iter().find(|card| card.name().to_lowercase().contains(&wanted)))
        }
        _ => {
            let best = |kind: GpuKind| cards.iter().find(move |card| card.kind() == kind);
            [GpuKind::Discrete, GpuKind::Integrated, GpuKind::Virtual, GpuKind::Unknown].into_iter().find_map(best)
        }
    };
    found.ok_or_else(|| {
        let named = |(number, card): (usize, &Card)| format!("gpu:{number} ({}, {})", card.name(), word(card.kind()));
        let names: Vec<String> = cards.iter().enumerate().map(named).collect();
        let there = if names.is_empty() {
            "there is no graphics card, or none with a driver for Vulkan or Metal".to_owned()
        } else {
            format!("there are {}", names.join(", "))
        };
        Error::user(format!("no graphics card is \"{choice}\": {there}; choose with `device`, or leave it to auto"))
    })
}
