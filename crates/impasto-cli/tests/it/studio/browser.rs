//! The page in a browser: the tests of `crates/impasto-studio/web/e2e`.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::text;
use crate::studio::servers::skip;

const WEB: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../impasto-studio/web");

/// The browser: the one that `CHROMIUM` names, or else that of the system. `None`: there is none.
fn browser() -> Option<PathBuf> {
    let path = std::env::var_os("CHROMIUM").unwrap_or_else(|| "/usr/bin/chromium".into());
    Some(PathBuf::from(path)).filter(|path| path.exists())
}

#[test]
fn the_page_works_in_a_browser() {
    if Command::new("node").arg("--version").output().is_err() {
        return skip("node (npm ci in crates/impasto-studio/web)");
    }
    let Some(browser) = browser() else {
        return skip("Chromium (CHROMIUM is its path)");
    };
    if !Path::new(WEB).join("node_modules/playwright-core").exists() {
        return skip("playwright-core (npm ci in crates/impasto-studio/web)");
    }
    let run = Command::new("node")
        .arg("e2e/run.mjs")
        .current_dir(WEB)
        .env("IMPASTO", assert_cmd::cargo::cargo_bin!("impasto"))
        .env("CHROMIUM", browser)
        .output()
        .unwrap();
    assert!(run.status.success(), "{}{}", text(&run.stdout), text(&run.stderr));
}
