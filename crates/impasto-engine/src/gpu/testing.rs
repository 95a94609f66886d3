//! What the tests of cards share.

use std::sync::{Arc, LazyLock};

use crate::gpu::adapters;
use crate::gpu::device::GpuDevice;

/// The cards of the machine, and the software that stands in for one.
///
/// Without any, it says that the test is skipped. If `IMPASTO_REQUIRE_GPU` is set, that is a
/// failure.
pub(super) fn devices() -> &'static [Arc<GpuDevice>] {
    static DEVICES: LazyLock<Vec<Arc<GpuDevice>>> = LazyLock::new(|| {
        adapters().iter().map(|adapter| Arc::new(adapter.open().expect("the card can be opened"))).collect()
    });
    if DEVICES.is_empty() {
        assert!(std::env::var_os("IMPASTO_REQUIRE_GPU").is_none(), "there is no GPU adapter");
        eprintln!("SKIPPED: no GPU adapter");
    }
    &DEVICES
}
