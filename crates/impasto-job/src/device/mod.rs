//! Which device evaluates the network: the CPU or a graphics card.
//!
//! A [`DeviceChoice`] is what was asked for, and a [`TakenDevice`] what was taken and why. `auto`
//! takes a card only if it computes what the CPU computes, and faster. Nothing changes the device in
//! the middle of a run.

#[cfg(feature = "gpu")]
pub mod cards;
#[cfg(feature = "gpu")]
mod tested;

use std::fmt;
use std::str::FromStr;

use impasto::Network;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::error::{OrWhose, Result};
use crate::machine::Limits;

/// Which device is to evaluate the network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum DeviceChoice {
    /// A card that passes its self-test and is faster than the CPU, or else the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// The first card that is no software.
    Gpu,
    /// The card with this number in the list of cards, from 0.
    Number(usize),
    /// The first card whose name contains this, in small or capital letters.
    Name(String),
}

/// What a choice may be, in words.
const NEEDS: &str = "auto, cpu, gpu, gpu:N or a part of a card's name";

/// What stands before a card's number.
const NUMBERED: &str = "gpu:";

impl FromStr for DeviceChoice {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<DeviceChoice, String> {
        let number = |digits: &str| digits.parse().map_err(|_| format!("needs {NEEDS}, with N a whole number"));
        Ok(match text.trim() {
            "" => return Err(format!("needs {NEEDS}")),
            "auto" => DeviceChoice::Auto,
            "cpu" => DeviceChoice::Cpu,
            "gpu" => DeviceChoice::Gpu,
            other => match other.strip_prefix(NUMBERED) {
                Some(digits) => DeviceChoice::Number(number(digits)?),
                None => DeviceChoice::Name(other.to_owned()),
            },
        })
    }
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DeviceChoice::Auto => f.write_str("auto"),
            DeviceChoice::Cpu => f.write_str("cpu"),
            DeviceChoice::Gpu => f.write_str("gpu"),
            DeviceChoice::Number(number) => write!(f, "{NUMBERED}{number}"),
            DeviceChoice::Name(name) => f.write_str(name),
        }
    }
}

impl Serialize for DeviceChoice {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DeviceChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<DeviceChoice, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|_| de::Error::invalid_value(de::Unexpected::Str(&text), &NEEDS))
    }
}

impl DeviceChoice {
    /// The device whose bits are named so: [`TakenDevice::identity`].
    pub fn of_identity(identity: &str) -> DeviceChoice {
        if identity.starts_with("cpu ") { DeviceChoice::Cpu } else { DeviceChoice::Name(identity.to_owned()) }
    }
}

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
fn on_card(network: &Network, choice: &DeviceChoice, limits: &Limits) -> Result<(Network, TakenDevice)> {
    use impasto::{Card, GpuKind};

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
                    return taken(card, on_card, Some(format!("{:.1} times as fast as the CPU", test.speed())));
                }
                Ok((_, test)) if !test.passes() => format!("{} fails its self-test", card.name()),
                Ok((_, test)) => format!("{} is only {:.1} times as fast", card.name(), test.speed()),
                Err(error) => format!("{} cannot be used: {error}", card.name()),
            };
            why.get_or_insert(refusal);
        }
    }
    on_cpu(network, Some(why.unwrap_or_else(|| "no graphics card".to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_reads_what_it_writes() {
        let choices = ["auto", "cpu", "gpu", "gpu:3", "RTX 4090"];
        for text in choices {
            let choice: DeviceChoice = text.parse().unwrap();
            assert_eq!(choice.to_string(), text);
            let json = serde_json::to_string(&choice).unwrap();
            assert_eq!(serde_json::from_str::<DeviceChoice>(&json).unwrap(), choice);
        }
        assert_eq!("gpu:3".parse(), Ok(DeviceChoice::Number(3)));
        for text in ["", " ", "gpu:", "gpu:x", "gpu:-1"] {
            assert!(text.parse::<DeviceChoice>().unwrap_err().starts_with("needs auto, cpu, gpu"), "{text}");
        }
        assert_eq!(DeviceChoice::of_identity("cpu avx2"), DeviceChoice::Cpu);
    }
}
