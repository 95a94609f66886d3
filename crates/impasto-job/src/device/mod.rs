//! Which device evaluates the network: the CPU or a graphics card.
//!
//! A [`DeviceChoice`] is what was asked for, and a [`TakenDevice`] what was taken and why. `auto`
//! takes a card only if it computes what the CPU computes, and faster. Nothing changes the device
//! in the middle of a run.

#[cfg(feature = "gpu")]
pub mod cards;
pub(crate) mod choice;
#[cfg(feature = "gpu")]
mod tested;

use std::fmt;

use impasto::Network;

pub use crate::device::choice::DeviceChoice;
use crate::error::{OrWhose, Result};
use crate::machine::Limits;

/// The device that evaluates the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenDevice {
    /// Names the device and all that the last bits of a result depend on: `cpu avx512`.
    pub identity: String,
    /// What a person calls it: `the CPU`, or the card's name.
    pub name: String,
    /// Why it was taken, and why no other; `None`: it was asked for.
    pub why: Option<String>,
}

impl fmt::Display for TakenDevice {
    /// `on the CPU (no graphics card)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "on {}", self.name)?;
        self.why.as_ref().map_or(Ok(()), |why| write!(f, " ({why})"))
    }
}

/// Takes a device for a network, which is on the CPU.
///
/// Errors: a card that is not there or cannot be opened.
pub fn taken(network: &Network, limits: &Limits) -> Result<(Network, TakenDevice)> {
    match &limits.device {
        DeviceChoice::Cpu => on_cpu(network, None),
        choice => on_card(network, choice, limits),
    }
}

fn on_cpu(network: &Network, why: Option<String>) -> Result<(Network, TakenDevice)> {
    let identity = network.identity().or_user()?.to_owned();
    Ok((network.clone(), TakenDevice { identity, name: "the CPU".to_owned(), why }))
}

#[cfg(not(feature = "gpu"))]
fn on_card(network: &Network, choice: &DeviceChoice, _limits: &Limits) -> Result<(Network, TakenDevice)> {
    match choice {
        DeviceChoice::Auto => on_cpu(network, None),
        choice => Err(crate::error::Error::user(format!(
            "`device` is {choice}, and this program was built without graphics cards; give cpu, or build it with the \
             feature gpu"
        ))),
    }
}

#[cfg(feature = "gpu")]
const NO_CARD: &str = "no graphics card";

/// Whether it makes sense to ask the drivers for a card. On a machine without one some of them
/// write to stderr.
#[cfg(all(feature = "gpu", target_os = "linux"))]
fn may_have_card() -> bool {
    // Cards of all vendors, NVIDIA's own driver in a container, and Windows' under Linux.
    ["/dev/dri", "/dev/nvidiactl", "/dev/dxg"].iter().any(|path| std::path::Path::new(path).exists())
}

#[cfg(all(feature = "gpu", not(target_os = "linux")))]
fn may_have_card() -> bool {
    true
}

#[cfg(feature = "gpu")]
fn on_card(network: &Network, choice: &DeviceChoice, limits: &Limits) -> Result<(Network, TakenDevice)> {
    use impasto::{Card, GpuKind};

    if *choice == DeviceChoice::Auto && !may_have_card() {
        return on_cpu(network, Some(NO_CARD.to_owned()));
    }
    let found = impasto::cards();
    let taken = |card: &Card, on_card: Network, why| {
        let identity = card.identity();
        Ok((on_card, TakenDevice { identity, name: card.name().to_owned(), why }))
    };
    if *choice != DeviceChoice::Auto {
        let card = cards::chosen(&found, choice)?;
        return taken(card, network.on_card(card, limits.device_memory).or_user()?, None);
    }
    // Why no card was taken: what there is to say of the best one.
    let mut why = None;
    for kind in [GpuKind::Discrete, GpuKind::Integrated] {
        for card in found.iter().filter(|card| card.kind() == kind) {
            let tested = tested::result(network, card, limits);
            let refusal = match tested {
                Ok((on_card, test)) if test.passes() && test.speed() > 1.0 => {
                    return taken(card, on_card, Some(test.speed_in_words()));
                }
                Ok((_, test)) if !test.passes() => format!("{} fails its self-test", card.name()),
                Ok((_, test)) => format!("{} is {}", card.name(), test.speed_in_words()),
                Err(error) => format!("{} cannot be used: {error}", card.name()),
            };
            why.get_or_insert(refusal);
        }
    }
    on_cpu(network, Some(why.unwrap_or_else(|| NO_CARD.to_owned())))
}
