//! White noise to start from.

use impasto_engine::Image;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Mid-grey. No value is closer to one end of 0..255 than to the other.
const NOISE_MEAN: f32 = 127.5;

/// In levels. The ends of 0..255 are 3.2 standard deviations away, so one value in 700 is clamped
/// and the noise stays white.
const NOISE_DEVIATION: f32 = 40.0;

/// `127.5 + 40 n`, clamped to 0..255, with an independent `n` of mean 0 and variance 1 for each
/// pixel and channel.
///
/// `n` is the sum of twelve uniform numbers (Irwin-Hall). The eye cannot tell it from a Gaussian.
/// An exact Gaussian needs logarithms; this sum has the same bits on every platform.
pub(crate) fn white_noise(width: usize, height: usize, seed: u64) -> Image {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut value = || (NOISE_MEAN + NOISE_DEVIATION * standard_normal(&mut rng)).clamp(0.0, 255.0);
    Image::new(width, height, (0..3 * width * height).map(|_| value()).collect())
}

/// Returns the sum of twelve uniform 16-bit numbers, minus its mean, divided by its standard
/// deviation. It is exact in f32.
fn standard_normal(rng: &mut ChaCha8Rng) -> f32 {
    /// `12 * (2^16 - 1) / 2`.
    const MEAN: i32 = 6 * 0xffff;
    /// `sqrt(12 * (2^32 - 1) / 12)`, to within 1e-10.
    const DEVIATION: f32 = 65536.0;

    let sum: i32 = (0..3)
        .map(|_| {
            let bits = rng.next_u64();
            (0..4).map(|i| i32::from((bits >> (16 * i)) as u16)).sum::<i32>()
        })
        .sum();
    (sum - MEAN) as f32 / DEVIATION
}

/// Makes values with mean 0 and variance 1.
#[cfg(test)]
pub(crate) fn test_values(len: usize, seed: u64) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..len).map(|_| standard_normal(&mut rng)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_seeded_and_in_range() {
        let a = white_noise(31, 17, 5);
        assert_eq!(a, white_noise(31, 17, 5));
        assert_ne!(a, white_noise(31, 17, 6));
        assert!(a.as_slice().iter().all(|v| (0.0..=255.0).contains(v)));
    }

    #[test]
    fn noise_has_the_moments_it_promises() {
        let n: Vec<f64> = test_values(100_000, 1).into_iter().map(f64::from).collect();
        let moment = |p| n.iter().map(|v| v.powi(p)).sum::<f64>() / n.len() as f64;
        assert!(moment(1).abs() < 0.02, "{}", moment(1));
        assert!((moment(2) - 1.0).abs() < 0.02, "{}", moment(2));
        // A Gaussian has 3, the sum of twelve has 2.9.
        assert!((moment(4) - 2.9).abs() < 0.1, "{}", moment(4));
    }

    #[test]
    fn noise_has_the_same_bits_everywhere() {
        let noise = white_noise(2, 1, 0);
        let bits: Vec<u32> = noise.as_slice().iter().map(|v| v.to_bits()).collect();
        assert_eq!(bits, [1126832424, 1119723376, 1127324424, 1124547424, 1120047776, 1124756504]);
    }
}
