//! Which device is asked for.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

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

    fn from_str(text: &str) -> Result<DeviceChoice, String> {
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
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DeviceChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<DeviceChoice, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|_| de::Error::invalid_value(de::Unexpected::Str(&text), &NEEDS))
    }
}

impl DeviceChoice {
    /// The device whose bits are named so:
    /// [`TakenDevice::identity`](crate::device::TakenDevice::identity).
    pub fn of_identity(identity: &str) -> DeviceChoice {
        if identity.starts_with("cpu ") { DeviceChoice::Cpu } else { DeviceChoice::Name(identity.to_owned()) }
    }
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
