//! Colour profiles (ICC.1): from the values of a file to sRGB, and back.

use std::sync::Arc;

use moxcms::{
    Chromaticity, CicpColorPrimaries, CicpProfile, ColorPrimaries, ColorProfile, DataColorSpace, Layout,
    LocalizableString, MatrixCoefficients, ProfileText, RenderingIntent, ToneReprCurve, TransferCharacteristics,
    TransformExecutor, TransformOptions, WHITE_POINT_D50,
};
use rayon::prelude::*;

use crate::picture::hdr::HdrCurve;
use crate::reduce::CHUNK;

/// Largest profile that is kept. JPEG has no room for a larger one, and none that is of use comes
/// near.
const MAX_BYTES: usize = 8 << 20;

/// Largest difference to sRGB, of 255, for a profile to count as sRGB. Its values then stay as they
/// are.
const SAME: f32 = 0.25;

/// An RGB profile. Values can be converted from it and to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile(Arc<[u8]>);

impl Profile {
    /// Returns the profile as it is in the file.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the conversion from sRGB to this profile.
    pub(super) fn conversion(&self) -> Result<Conversion, String> {
        Conversion::back(&parse(&self.0)?)
    }
}

/// What the channels of a picture are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channels {
    Grey,
    Rgb,
    Cmyk,
}

impl Channels {
    fn count(self) -> usize {
        match self {
            Self::Grey => 1,
            Self::Rgb => 3,
            Self::Cmyk => 4,
        }
    }
}

/// Converts `values`, channels in 0..255, to sRGB in 0..255 without a profile.
pub fn plain_to_srgb(values: Vec<f32>, channels: Channels) -> Vec<f32> {
    match channels {
        Channels::Rgb => values,
        Channels::Grey => values.iter().flat_map(|&v| [v; 3]).collect(),
        Channels::Cmyk => {
            let (pixels, _) = values.as_chunks::<4>();
            pixels.iter().flat_map(|&[c, m, y, k]| [c, m, y].map(|ink| (255.0 - ink) * (255.0 - k) / 255.0)).collect()
        }
    }
}

/// Converts `values`, channels in 0..255, to sRGB in 0..255 by the profile `icc`. Returns the
/// profile too, if results can be written in it.
///
/// If the profile cannot be used, the values are those of [`plain_to_srgb`], and the reason takes
/// the profile's place.
pub fn to_srgb(icc: Vec<u8>, values: Vec<f32>, channels: Channels) -> (Vec<f32>, Result<Option<Profile>, String>) {
    let profile = match parse(&icc) {
        Ok(profile) => profile,
        Err(reason) => return (plain_to_srgb(values, channels), Err(reason)),
    };
    // Many grey pictures have the RGB profile from before they lost their colour.
    let (values, channels) = match (channels, profile.color_space) {
        (Channels::Grey, DataColorSpace::Rgb) => (plain_to_srgb(values, Channels::Grey), Channels::Rgb),
        _ => (values, channels),
    };
    let there = match Conversion::there(&profile, channels) {
        Ok(there) => there,
        Err(reason) => return (plain_to_srgb(values, channels), Err(reason)),
    };
    let keeps = channels == Channels::Rgb && Conversion::back(&profile).is_ok();
    (there.apply(&values), Ok(keeps.then(|| Profile(icc.into()))))
}

/// Colours that a file declares by numbers, without a profile.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum DeclaredColours {
    /// sRGB.
    Srgb,
    /// Primaries and transfer characteristics by their numbers in ITU-T H.273.
    Cicp { primaries: u8, transfer: u8 },
    /// The chunks cHRM and gAMA of PNG.
    Chunks { chromaticities: Option<[[f32; 2]; 4]>, exponent: Option<f32> },
}

/// CIE x and y of white, red, green and blue in sRGB.
const SRGB_CHROMATICITIES: [[f32; 2]; 4] = [[0.3127, 0.3290], [0.64, 0.33], [0.30, 0.60], [0.15, 0.06]];

/// Largest difference of chromaticities that count as the same. Programs round them to 2 to 5
/// digits.
const SAME_CHROMATICITY: f32 = 0.001_5;

/// Largest difference of exponents that count as the same. gAMA has 5 digits.
const SAME_EXPONENT: f32 = 0.01;

/// Exponents of curves that can be meant.
const EXPONENTS: std::ops::RangeInclusive<f32> = 0.1..=10.0;

/// Exponents of curves that a result is written in. 8 bits show steps in others.
const RESULT_EXPONENTS: std::ops::RangeInclusive<f32> = 1.7..=3.0;

impl DeclaredColours {
    /// Takes numbers of ITU-T H.273. Returns `None` if they leave open what they mean.
    ///
    /// Errors say which of them cannot be used.
    pub(crate) fn of_cicp(primaries: u8, transfer: u8) -> Result<Option<Self>, String> {
        const UNSPECIFIED: u8 = 2;
        if primaries == UNSPECIFIED || transfer == UNSPECIFIED {
            return Ok(None);
        }
        match TransferCharacteristics::try_from(transfer) {
            Ok(TransferCharacteristics::Srgb) if primaries == CicpColorPrimaries::Bt709 as u8 => {
                return Ok(Some(Self::Srgb));
            }
            Ok(TransferCharacteristics::Reserved) | Err(_) => {
                return Err(format!("there are no transfer characteristics {transfer}"));
            }
            Ok(_) => {}
        }
        match CicpColorPrimaries::try_from(primaries) {
            Ok(CicpColorPrimaries::Reserved) | Err(_) => Err(format!("there are no primaries {primaries}")),
            Ok(_) => Ok(Some(Self::Cicp { primaries, transfer })),
        }
    }

    /// Takes the chromaticities of cHRM, and the exponent that gAMA is the inverse of.
    ///
    /// Errors say which of them cannot be meant.
    pub(crate) fn of_chunks(chromaticities: Option<[[f32; 2]; 4]>, exponent: Option<f32>) -> Result<Self, String> {
        if let Some(exponent) = exponent.filter(|exponent| !EXPONENTS.contains(exponent)) {
            return Err(format!("gAMA gives the exponent {exponent}"));
        }
        let is_same = |found: [[f32; 2]; 4]| {
            let pairs = found.as_flattened().iter().zip(SRGB_CHROMATICITIES.as_flattened());
            pairs.into_iter().all(|(a, b)| (a - b).abs() <= SAME_CHROMATICITY)
        };
        let chromaticities = chromaticities.filter(|&found| !is_same(found));
        if let Some(found) = chromaticities {
            let inside = |[x, y]: [f32; 2]| x >= 0.0 && y > 0.0 && x + y <= 1.0;
            let [_, [rx, ry], [gx, gy], [bx, by]] = found;
            let area = (gx - rx) * (by - ry) - (gy - ry) * (bx - rx);
            if !found.into_iter().all(inside) || area.abs() < 1e-3 {
                return Err("cHRM gives primaries that make no colours".into());
            }
        }
        let is_plain = exponent.is_none_or(|exponent| (exponent - 2.2).abs() <= SAME_EXPONENT);
        Ok(if chromaticities.is_none() && is_plain { Self::Srgb } else { Self::Chunks { chromaticities, exponent } })
    }

    /// Takes numbers of ITU-T H.273 from a HEIF or JPEG XL file. What they leave open is that of sRGB
    /// (ISO/IEC 23000-22, section 7.3.6.4). The curve of video counts as that of sRGB, because that is
    /// how other programs show such files.
    ///
    /// Errors say which of them cannot be used.
    pub(crate) fn of_still(primaries: u16, transfer: u16) -> Result<Self, String> {
        const UNSPECIFIED: u16 = 2;
        let primaries = if primaries == UNSPECIFIED { CicpColorPrimaries::Bt709 as u16 } else { primaries };
        let transfer = match transfer {
            // BT.709, BT.601, and BT.2020 with 10 and 12 bits.
            UNSPECIFIED | 1 | 6 | 14 | 15 => TransferCharacteristics::Srgb as u16,
            other => other,
        };
        // 255 is reserved, like all that is larger.
        let number = |number| u8::try_from(number).unwrap_or(u8::MAX);
        Ok(Self::of_cicp(number(primaries), number(transfer))?.unwrap_or(Self::Srgb))
    }

    /// Returns the curve if it is one of high dynamic range.
    pub(super) fn hdr_curve(self) -> Option<HdrCurve> {
        match self {
            Self::Cicp { transfer, .. } => HdrCurve::of(transfer),
            _ => None,
        }
    }

    /// Converts as [`to_srgb`] does.
    pub(crate) fn to_srgb(self, values: Vec<f32>, channels: Channels) -> (Vec<f32>, Result<Option<Profile>, String>) {
        if self == Self::Srgb {
            return (plain_to_srgb(values, channels), Ok(None));
        }
        match self.profile().encode() {
            Ok(icc) => {
                let (rgb, profile) = to_srgb(icc, values, channels);
                (rgb, profile.map(|profile| profile.filter(|_| self.is_for_results())))
            }
            Err(error) => (plain_to_srgb(values, channels), Err(error.to_string())),
        }
    }

    /// Returns whether a result may be written in these colours. A curve alone is no reason to.
    fn is_for_results(self) -> bool {
        match self {
            Self::Srgb => false,
            Self::Cicp { primaries, transfer } => {
                let is_linear = transfer == TransferCharacteristics::Linear as u8;
                let is_log = [TransferCharacteristics::Log100, TransferCharacteristics::Log100sqrt10]
                    .iter()
                    .any(|&log| transfer == log as u8);
                let is_hdr = HdrCurve::of(transfer).is_some();
                primaries != CicpColorPrimaries::Bt709 as u8 && !is_linear && !is_log && !is_hdr
            }
            Self::Chunks { chromaticities, exponent } => {
                chromaticities.is_some() && exponent.is_none_or(|exponent| RESULT_EXPONENTS.contains(&exponent))
            }
        }
    }

    /// Makes a profile of the same meaning.
    fn profile(self) -> ColorProfile {
        let mut profile = ColorProfile::new_srgb();
        let name = match self {
            Self::Srgb => return profile,
            Self::Cicp { primaries, transfer } => {
                // Both numbers were checked, so neither becomes the reserved one.
                let cicp = CicpProfile {
                    color_primaries: primaries.try_into().unwrap_or(CicpColorPrimaries::Bt709),
                    transfer_characteristics: transfer.try_into().unwrap_or(TransferCharacteristics::Srgb),
                    matrix_coefficients: MatrixCoefficients::Identity,
                    full_range: true,
                };
                profile = ColorProfile::new_from_cicp(cicp);
                profile.cicp = None;
                if let Some(hdr) = HdrCurve::of(transfer) {
                    let curve = Some(hdr.until_white());
                    profile.red_trc.clone_from(&curve);
                    profile.green_trc.clone_from(&curve);
                    profile.blue_trc = curve;
                }
                format!("CICP primaries {primaries}, transfer {transfer}")
            }
            Self::Chunks { chromaticities, exponent } => {
                if let Some([white, red, green, blue]) = chromaticities {
                    let [white, red, green, blue] = [white, red, green, blue].map(|[x, y]| Chromaticity::new(x, y));
                    profile.update_rgb_colorimetry(white.to_xyyb(), ColorPrimaries { red, green, blue });
                }
                if let Some(exponent) = exponent {
                    let curve = Some(ToneReprCurve::Parametric(vec![exponent]));
                    profile.red_trc.clone_from(&curve);
                    profile.green_trc.clone_from(&curve);
                    profile.blue_trc = curve;
                }
                profile.cicp = None;
                match exponent {
                    Some(exponent) => format!("RGB with the exponent {exponent:.2}"),
                    None => "RGB with the curve of sRGB".into(),
                }
            }
        };
        let text =
            |text: String| Some(ProfileText::Localizable(vec![LocalizableString::new("en".into(), "US".into(), text)]));
        profile.description = text(name);
        profile.copyright = text("Public Domain".into());
        profile.media_white_point = Some(WHITE_POINT_D50.to_xyzd());
        // It says nothing that conversions need, and `moxcms` has one for every white.
        profile.chromatic_adaptation = None;
        profile
    }
}

fn parse(icc: &[u8]) -> Result<ColorProfile, String> {
    if icc.len() > MAX_BYTES {
        return Err(format!("it takes {} MB", icc.len() >> 20));
    }
    ColorProfile::new_from_slice(icc).map_err(|e| format!("it is broken: {e}"))
}

/// A conversion from one space of values to another, both in 0..255.
pub struct Conversion {
    transform: Arc<dyn TransformExecutor<f32> + Send + Sync>,
    channels: Channels,
    /// Whether it changes nothing that could be seen.
    is_identity: bool,
}

impl Conversion {
    fn there(profile: &ColorProfile, channels: Channels) -> Result<Self, String> {
        let (expected, layout) = match channels {
            Channels::Grey => (DataColorSpace::Gray, Layout::Gray),
            Channels::Rgb => (DataColorSpace::Rgb, Layout::Rgb),
            Channels::Cmyk => (DataColorSpace::Cmyk, Layout::Rgba),
        };
        if profile.color_space != expected {
            return Err(format!("it is for {:?}, the picture is {channels:?}", profile.color_space));
        }
        let transform = profile.create_transform_f32(layout, &ColorProfile::new_srgb(), Layout::Rgb, options());
        Self::new(transform.map_err(|e| e.to_string())?, channels)
    }

    fn back(profile: &ColorProfile) -> Result<Self, String> {
        let transform = ColorProfile::new_srgb().create_transform_f32(Layout::Rgb, profile, Layout::Rgb, options());
        Self::new(transform.map_err(|e| e.to_string())?, Channels::Rgb)
    }

    /// Tries the transform. Some can be made, but not applied.
    fn new(transform: Arc<dyn TransformExecutor<f32> + Send + Sync>, channels: Channels) -> Result<Self, String> {
        const STEPS: usize = 9;
        let count = channels.count();
        let probe: Vec<f32> = (0..STEPS.pow(count as u32))
            .flat_map(|i| (0..count).map(move |c| (i / STEPS.pow(c as u32) % STEPS) as f32 / (STEPS - 1) as f32))
            .collect();
        let mut found = vec![0.0; probe.len() / count * 3];
        transform.transform(&probe, &mut found).map_err(|e| e.to_string())?;
        if !found.iter().all(|v| v.is_finite()) {
            return Err("it yields values that are not numbers".into());
        }
        let is_identity =
            channels == Channels::Rgb && probe.iter().zip(&found).all(|(a, b)| (a - b).abs() <= SAME / 255.0);
        Ok(Self { transform, channels, is_identity })
    }

    /// Converts the values. Each result is within 0..255.
    pub fn apply(&self, values: &[f32]) -> Vec<f32> {
        if self.is_identity {
            return values.to_vec();
        }
        let count = self.channels.count();
        let mut result = vec![0.0; values.len() / count * 3];
        result.par_chunks_mut(3 * CHUNK).zip(values.par_chunks(count * CHUNK)).for_each(|(result, values)| {
            let scaled: Vec<f32> = values.iter().map(|v| (v / 255.0).clamp(0.0, 1.0)).collect();
            self.transform.transform(&scaled, result).expect("whole pixels, as in the trial");
            result.iter_mut().for_each(|v| *v = if v.is_nan() { 0.0 } else { (255.0 * *v).clamp(0.0, 255.0) });
        });
        result
    }
}

fn options() -> TransformOptions {
    TransformOptions {
        rendering_intent: RenderingIntent::Perceptual,
        // The steps of fixed point would be seen in 16 bits.
        prefer_fixed_point: false,
        ..TransformOptions::default()
    }
}
