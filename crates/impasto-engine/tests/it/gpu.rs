//! The conformance suite for the cards of the machine, and for the software that stands in for one.

use std::sync::{Arc, LazyLock};

use impasto_engine::cpu::Isa;
use impasto_engine::gpu::{GpuBackend, adapters};
use impasto_engine::network::Backend;
use impasto_engine::weights::Weights;

use crate::conformance::{bits, conformance_tests, gradients};

/// If this environment variable is set, it is a failure that there is no card.
const REQUIRE_GPU: &str = "IMPASTO_REQUIRE_GPU";

/// The cards of the machine.
fn backends() -> &'static [Box<dyn Backend>] {
    static BACKENDS: LazyLock<Vec<Box<dyn Backend>>> = LazyLock::new(|| {
        let weights = Weights::from_static(impasto_weights::VGG19).expect("the embedded weights are VGG-19");
        let (weights, isa) = (Arc::new(weights), Isa::select().expect("an instruction set"));
        let backend = |adapter| -> Box<dyn Backend> {
            Box::new(GpuBackend::new(weights.clone(), &adapter, None, isa).expect("the card can be opened"))
        };
        adapters().into_iter().map(backend).collect()
    });
    if BACKENDS.is_empty() {
        assert!(std::env::var_os(REQUIRE_GPU).is_none(), "{REQUIRE_GPU} is set, and there is no GPU adapter");
        eprintln!("SKIPPED: no GPU adapter");
    }
    &BACKENDS
}

conformance_tests!(small backends);

#[test]
#[ignore = "ten minutes on software in the place of a card"]
fn gradients_agree_with_central_differences() {
    gradients::gradients_agree_with_central_differences(backends());
}

#[test]
#[ignore = "minutes on software in the place of a card"]
fn after_a_reference_a_workspace_is_as_after_a_forward_pass() {
    bits::after_a_reference_a_workspace_is_as_after_a_forward_pass(backends());
}
