//! What no backend can evaluate.

use impasto_engine::Padding;
use impasto_engine::network::{SpecError, WorkspaceSpec};
use impasto_engine::plan::layout::Layout;

use super::{Backends, layers, layout};

pub fn what_cannot_be_evaluated_is_refused(backends: &Backends) {
    for backend in backends {
        let made = |width, height, names: &[&str], padding, layout: Layout| {
            let spec = WorkspaceSpec { shown: layers(names), padding, layout, ..WorkspaceSpec::new(width, height) };
            backend.workspace(spec).map(drop)
        };
        let whole = Layout::whole;
        let zero = Padding::Zero;
        let error = made(40, 15, &["relu1_1", "relu5_1"], zero, whole()).expect_err("too small").to_string();
        assert_eq!(error, "an image of 40x15 px is too small: relu5_1 needs at least 16 px a side");
        assert_eq!(made(40, 15, &[], zero, whole()), Err(SpecError::NoLayers));
        assert_eq!(made(40, 16, &["relu5_1"], zero, whole()), Ok(()));

        let circular = Padding::Circular;
        let error = made(40, 24, &["relu1_1", "conv5_1"], circular, whole()).expect_err("uneven").to_string();
        assert_eq!(error, "an image of 40x24 px cannot wrap around: relu5_1 needs sides that are multiples of 16 px");
        assert_eq!(made(40, 24, &["relu1_1", "relu4_4"], circular, whole()), Ok(()));
        assert!(made(40, 25, &["relu1_1", "relu4_4"], circular, whole()).is_err());
        assert_eq!(made(41, 25, &["relu1_1", "relu1_2"], circular, whole()), Ok(()));

        let in_bands = || layout(&[(5, Some(24))], 1);
        assert_eq!(made(32, 320, &["relu3_1"], circular, in_bands()), Err(SpecError::Bands));
        assert_eq!(made(32, 320, &["relu3_1"], circular, whole()), Ok(()));
        assert_eq!(made(32, 320, &["relu3_1"], zero, in_bands()), Ok(()));
        // So few rows are one band.
        assert_eq!(made(32, 16, &["relu3_1"], circular, in_bands()), Ok(()));
    }
}
