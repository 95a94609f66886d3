//! Colour profiles (ICC.1): from the values of a file to sRGB, and back.

use std::sync::Arc;

use moxcms::{ColorProfile, DataColorSpace, Layout, RenderingIntent, TransformExecutor, TransformOptions};
use rayon::prelude::*;

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
