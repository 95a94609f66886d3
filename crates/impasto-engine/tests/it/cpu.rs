//! The conformance suite for the CPU, with every instruction set that the program has kernels for.

use std::sync::{Arc, LazyLock};

use impasto_engine::cpu::{CpuBackend, Isa};
use impasto_engine::network::Backend;
use impasto_engine::weights::Weights;

use crate::conformance::conformance_tests;

/// If this environment variable is set, an instruction set that the CPU lacks is a failure.
const REQUIRE_ALL: &str = "IMPASTO_REQUIRE_ALL_ISAS";

/// The CPU with each instruction set that it has, slowest first.
fn backends() -> &'static [Box<dyn Backend>] {
    static BACKENDS: LazyLock<Vec<Box<dyn Backend>>> = LazyLock::new(|| {
        let weights = Weights::from_static(impasto_weights::VGG19).expect("the embedded weights are VGG-19");
        let (weights, available) = (Arc::new(weights), Isa::available());
        let backend = |isa: Isa| -> Box<dyn Backend> { Box::new(CpuBackend::new(weights.clone(), isa)) };
        available.into_iter().map(backend).collect()
    });
    for name in Isa::NAMES {
        if !BACKENDS.iter().any(|backend| backend.identity() == format!("cpu {name}")) {
            assert!(std::env::var_os(REQUIRE_ALL).is_none(), "{REQUIRE_ALL} is set, and this CPU lacks {name}");
            eprintln!("SKIPPED: cpu {name}, which this CPU lacks");
        }
    }
    &BACKENDS
}

conformance_tests!(backends);
