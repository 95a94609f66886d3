//! `impasto devices`: what can evaluate the network on this machine.

use bytesize::ByteSize;
use clap::Args;
use impasto::Network;
use impasto_job::device::cards::{self, CardReport};
use impasto_job::job::values::Count;
use impasto_job::machine::{Compute, DeviceOptions, Limits};
use serde::Serialize;

use crate::failure::{Failure, OrFail};
use crate::text;

const EXAMPLES: &str = "\
Examples:
  impasto devices
  impasto devices --self-test
      Evaluate a small picture on every card and on the CPU, and compare results and times.
  impasto photo.jpg painting.jpg -o out.png --device gpu:1
  IMPASTO_DEVICE=cpu impasto photo.jpg painting.jpg -o out.png

A card needs nothing but its driver: Vulkan on Linux and Windows, Metal on macOS. If a card is missing, slow or wrong, send us the \
text of `impasto devices --self-test`.";

/// List the graphics cards that can evaluate the network.
///
/// A run takes one by itself if it passes the self-test and is faster than the CPU. --device
/// chooses another.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub struct DevicesArgs {
    /// Evaluate a small picture on every card and on the CPU, and compare results and times.
    #[arg(long)]
    pub self_test: bool,

    /// Threads that the CPU computes the self-test with. [default: one for each core]
    #[arg(long, value_name = "N", allow_hyphen_values = true, help_heading = "Machine")]
    pub threads: Option<Count>,

    /// Print one JSON object instead of text.
    #[arg(long, help_heading = "Reporting")]
    pub json: bool,
}

/// What there is.
#[derive(Serialize)]
struct DevicesReport {
    /// The program and its version.
    program: String,
    /// Names the instruction set that the CPU computes with.
    cpu: String,
    cards: Vec<CardReport>,
}

/// Lists the devices.
pub fn run(args: &DevicesArgs) -> Result<(), Failure> {
    let network = Network::embedded().or_program()?;
    let compute = Compute { device: DeviceOptions::default(), threads: args.threads, memory: None };
    let limits: Limits = compute.measure();
    let report = DevicesReport {
        program: impasto_job::job::PROGRAM.to_owned(),
        cpu: network.identity().or_user()?.to_owned(),
        cards: cards::reports(&network, &limits, args.self_test),
    };
    text::print(&if args.json { text::json(&report)? } else { devices_text(&report) })
}

fn devices_text(report: &DevicesReport) -> String {
    let DevicesReport { program, cpu, cards } = report;
    let mut text = format!("{program}\n\n{cpu}\n");
    if cards.is_empty() {
        text.push_str("\nno graphics card, or none with a driver for Vulkan or Metal\n");
    }
    for card in cards {
        let CardReport { number, name, kind, interface, driver, .. } = card;
        let yes = |has: bool| if has { "yes" } else { "no" };
        let bytes = |bytes: u64| ByteSize(bytes).display().iec();
        text.push_str(&format!("\ngpu:{number}  {name}\n"));
        let rows = [
            ("type", (*kind).to_owned()),
            ("driver", format!("{interface} {driver}")),
            ("memory", "the driver does not say".to_owned()),
            ("largest buffer", bytes(card.largest_buffer).to_string()),
            ("group memory", bytes(card.group_memory.into()).to_string()),
            ("f16", yes(card.f16).to_owned()),
            ("cooperative matrices", yes(card.cooperative_matrices).to_owned()),
            ("timestamps", yes(card.timestamps).to_owned()),
        ];
        let test = card.self_test.as_ref().map(|test| ("self-test", test.summary.clone()));
        for (name, value) in rows.into_iter().chain(test) {
            text.push_str(&format!("  {name:<22}{value}\n"));
        }
    }
    text
}
