//! Results of self-tests, kept in a file of the user's cache for each card, driver, CPU and version
//! of the program. Without that file every run with `auto` would test the card again.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use etcetera::BaseStrategy;
use impasto::{Card, Network, SelfTest, picture};
use serde::{Deserialize, Serialize};

use crate::error::{OrWhose, Result};
use crate::job::PROGRAM;
use crate::machine::Limits;

/// A result in the file.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, Serialize)]
struct Kept {
    loss_error: f64,
    gradient_error: f64,
    card_s: f64,
    cpu_s: f64,
}

impl From<SelfTest> for Kept {
    fn from(test: SelfTest) -> Kept {
        let SelfTest { loss_error, gradient_error, card, cpu } = test;
        Kept { loss_error, gradient_error, card_s: card.as_secs_f64(), cpu_s: cpu.as_secs_f64() }
    }
}

impl Kept {
    fn test(self) -> Option<SelfTest> {
        let Kept { loss_error, gradient_error, card_s, cpu_s } = self;
        let time = |seconds| Duration::try_from_secs_f64(seconds).ok();
        Some(SelfTest { loss_error, gradient_error, card: time(card_s)?, cpu: time(cpu_s)? })
    }
}

/// The network on a card, and what came of the card's self-test, now or earlier.
///
/// Errors: the card cannot be opened, or fails.
pub(super) fn result(network: &Network, card: &Card, limits: &Limits) -> Result<(Network, SelfTest)> {
    let (key, file) = (key(network, card, limits)?, file());
    let kept = file.as_deref().and_then(|file| read(file).get(&key).copied()).and_then(Kept::test);
    let on_card = network.on_card(card, limits.device_memory).or_user()?;
    let test = match kept {
        Some(test) => test,
        None => {
            let test = network.self_test(&on_card, limits.threads).or_program()?;
            keep(file.as_deref(), key, test);
            test
        }
    };
    Ok((on_card, test))
}

/// What comes of a card's self-test now.
///
/// Errors: the card cannot be opened, or fails.
pub(super) fn anew(network: &Network, card: &Card, limits: &Limits) -> Result<SelfTest> {
    let on_card = network.on_card(card, limits.device_memory).or_user()?;
    let test = network.self_test(&on_card, limits.threads).or_program()?;
    keep(file().as_deref(), key(network, card, limits)?, test);
    Ok(test)
}

/// What a result depends on.
fn key(network: &Network, card: &Card, limits: &Limits) -> Result<String> {
    let threads = limits.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    Ok(format!("{PROGRAM}; {}; {}, {threads} threads", card.identity(), network.identity().or_user()?))
}

/// The file; `None`: there is no home folder.
fn file() -> Option<PathBuf> {
    Some(etcetera::choose_base_strategy().ok()?.cache_dir().join("impasto").join("devices.json"))
}

/// What the file holds: nothing if there is none, or if it cannot be understood.
fn read(file: &Path) -> BTreeMap<String, Kept> {
    fs::read(file).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

/// Adds a result to the file. If that is not possible, the next run tests again.
fn keep(file: Option<&Path>, key: String, test: SelfTest) {
    let (Some(file), true) = (file, test.loss_error.is_finite() && test.gradient_error.is_finite()) else { return };
    let mut all = read(file);
    all.insert(key, test.into());
    let written = file.parent().map(fs::create_dir_all);
    if let (Some(Ok(())), Ok(bytes)) = (written, serde_json::to_vec_pretty(&all)) {
        drop(picture::write_whole(file, &bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_is_kept_and_a_damaged_file_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("impasto").join("devices.json");
        let seconds = Duration::from_secs_f64;
        let test = SelfTest { loss_error: 1e-6, gradient_error: 2e-6, card: seconds(0.01), cpu: seconds(0.25) };
        keep(Some(&file), "a".to_owned(), test);
        keep(Some(&file), "b".to_owned(), SelfTest { loss_error: 1.0, ..test });
        keep(Some(&file), "c".to_owned(), SelfTest { loss_error: f64::INFINITY, ..test });
        let kept = |key: &str| read(&file).get(key).copied().and_then(Kept::test);
        assert_eq!(kept("a"), Some(test));
        assert!(!kept("b").unwrap().passes());
        assert_eq!(kept("c"), None);
        fs::write(&file, "{").unwrap();
        assert_eq!(kept("a"), None);
        keep(None, "a".to_owned(), test);
    }
}
