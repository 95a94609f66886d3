//! High dynamic range: the curves PQ and HLG (ITU-R BT.2100), as far as sRGB can show them.
//!
//! White paper becomes white, and what is brighter is cut off. A picture painted from it then has
//! the brightness that its motif has on an ordinary screen.

use moxcms::{ToneReprCurve, TransferCharacteristics};

/// Light of white paper in a picture of high dynamic range, in cd/m² (ITU-R BT.2408).
const WHITE: f64 = 203.0;
/// Values of a curve that is written as a table. Half a step is 0.1 of 255 in the dark of PQ.
const STEPS: u16 = 4096;

/// A curve of high dynamic range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HdrCurve {
    /// SMPTE ST 2084.
    Pq,
    /// ARIB STD-B67.
    Hlg,
}

impl HdrCurve {
    /// Takes a number of ITU-T H.273. Returns `None` for all other curves.
    pub(super) fn of(transfer: u8) -> Option<Self> {
        match TransferCharacteristics::try_from(transfer) {
            Ok(TransferCharacteristics::Smpte2084) => Some(Self::Pq),
            Ok(TransferCharacteristics::Hlg) => Some(Self::Hlg),
            _ => None,
        }
    }

    /// Its name in messages.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Pq => "PQ",
            Self::Hlg => "HLG",
        }
    }

    /// Returns the curve up to white paper, for a profile.
    pub(super) fn until_white(self) -> ToneReprCurve {
        let light = |i: u16| self.light(f64::from(i) / f64::from(STEPS - 1));
        ToneReprCurve::Lut((0..STEPS).map(|i| (65_535.0 * (light(i) / WHITE).min(1.0) + 0.5) as u16).collect())
    }

    /// Light in cd/m² of a value in 0..1: ITU-R BT.2100, tables 4 and 5.
    ///
    /// That of HLG is on a screen of 1000 cd/m². The screen's curve belongs to the brightness of a
    /// pixel, but is applied to each channel here, because a profile cannot do otherwise.
    fn light(self, value: f64) -> f64 {
        match self {
            Self::Pq => {
                let (m1, m2) = (2610.0 / 16384.0, 2523.0 / 4096.0 * 128.0);
                let (c1, c2, c3) = (3424.0 / 4096.0, 2413.0 / 4096.0 * 32.0, 2392.0 / 4096.0 * 32.0);
                let root = value.powf(1.0 / m2);
                10_000.0 * ((root - c1).max(0.0) / (c2 - c3 * root)).powf(1.0 / m1)
            }
            Self::Hlg => {
                let (a, b, c) = (0.178_832_77, 0.284_668_92, 0.559_910_73);
                let scene = if value <= 0.5 { value * value / 3.0 } else { (f64::exp((value - c) / a) + b) / 12.0 };
                1000.0 * scene.powf(1.2)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::picture::profile::{Channels, DeclaredColours};

    #[test]
    fn white_paper_becomes_white() {
        assert!((HdrCurve::Pq.light(1.0) - 10_000.0).abs() < 1e-6);
        assert!((HdrCurve::Hlg.light(1.0) - 1000.0).abs() < 1e-2);
        // ITU-R BT.2408: white paper is at 58 % of PQ and at 75 % of HLG.
        for (curve, transfer, paper) in [(HdrCurve::Pq, 16, 0.580_69), (HdrCurve::Hlg, 18, 0.75)] {
            assert!((curve.light(paper) - WHITE).abs() < 1.0, "{curve:?}: {}", curve.light(paper));
            assert_eq!(HdrCurve::of(transfer), Some(curve));
            let colours = DeclaredColours::of_cicp(9, transfer).unwrap().unwrap();
            let srgb = |value: f64| {
                let (values, profile) = colours.to_srgb(vec![(255.0 * value) as f32; 3], Channels::Rgb);
                assert_eq!(profile, Ok(None));
                values
            };
            assert!(srgb(paper).iter().all(|v| (v - 255.0).abs() < 1.0), "{curve:?}: {:?}", srgb(paper));
            assert!(srgb(1.0).iter().all(|v| (v - 255.0).abs() < 0.5));
            assert!(srgb(0.0).iter().all(|&v| v < 0.5));
        }
        assert_eq!(HdrCurve::of(13), None);
    }
}
