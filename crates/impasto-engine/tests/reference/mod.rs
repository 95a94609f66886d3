//! VGG-19 in f64, written as plainly as the formulas: what every kernel is checked against.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "each test program uses a part of it")]

/// A feature map, `[H, W, C]`.
#[derive(Clone, Debug)]
pub struct ReferenceMap {
    pub height: usize,
    pub width: usize,
    pub channels: usize,
    pub data: Vec<f64>,
}

impl ReferenceMap {
    pub fn zeros(height: usize, width: usize, channels: usize) -> Self {
        Self { height, width, channels, data: vec![0.0; height * width * channels] }
    }

    pub fn from_f32(height: usize, width: usize, channels: usize, data: &[f32]) -> Self {
        assert_eq!(data.len(), height * width * channels);
        Self { height, width, channels, data: data.iter().map(|&v| v.into()).collect() }
    }

    pub fn at(&self, y: usize, x: usize, c: usize) -> f64 {
        self.data[(y * self.width + x) * self.channels + c]
    }

    pub fn at_mut(&mut self, y: usize, x: usize, c: usize) -> &mut f64 {
        &mut self.data[(y * self.width + x) * self.channels + c]
    }
}

/// Weights `[in][3][3][out]` and bias of a convolution.
pub struct ReferenceFilters {
    pub channels_in: usize,
    pub weights: Vec<f64>,
    pub bias: Vec<f64>,
}

/// `Y[y, x, k] = b[k] + Σ X[y + i - 1, x + j - 1, c] · W[c, i, j, k]`, zero outside.
pub fn convolve(x: &ReferenceMap, filters: &ReferenceFilters) -> ReferenceMap {
    let outputs = filters.bias.len();
    let mut out = ReferenceMap::zeros(x.height, x.width, outputs);
    for row in 0..x.height {
        for column in 0..x.width {
            let sums = &mut out.data[(row * x.width + column) * outputs..][..outputs];
            sums.copy_from_slice(&filters.bias);
            for i in 0..3 {
                for j in 0..3 {
                    let (Some(y), Some(xx)) = ((row + i).checked_sub(1), (column + j).checked_sub(1)) else { continue };
                    if y >= x.height || xx >= x.width {
                        continue;
                    }
                    for c in 0..x.channels {
                        let v = x.at(y, xx, c);
                        if v != 0.0 {
                            let w = &filters.weights[((c * 3 + i) * 3 + j) * outputs..][..outputs];
                            for k in 0..outputs {
                                sums[k] += v * w[k];
                            }
                        }
                    }
                }
            }
        }
    }
    out
}

/// What lies beyond the border.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ReferenceBorder {
    Zero,
    /// The nearest pixel around the image, zeros around the maps.
    Replicate,
    /// The opposite border of image and maps.
    Circular,
}

/// [`convolve`] with the values of `X` outside that `border` says, and not zeros.
pub fn convolve_beyond(x: &ReferenceMap, filters: &ReferenceFilters, border: ReferenceBorder) -> ReferenceMap {
    let index = |place: usize, len: usize| match border {
        ReferenceBorder::Circular => (place + len - 1) % len,
        _ => place.clamp(1, len) - 1,
    };
    let mut padded = ReferenceMap::zeros(x.height + 2, x.width + 2, x.channels);
    for y in 0..padded.height {
        for xx in 0..padded.width {
            for c in 0..x.channels {
                *padded.at_mut(y, xx, c) = x.at(index(y, x.height), index(xx, x.width), c);
            }
        }
    }
    let padded = convolve(&padded, filters);
    let mut out = ReferenceMap::zeros(x.height, x.width, padded.channels);
    for y in 0..out.height {
        for xx in 0..out.width {
            for c in 0..out.channels {
                *out.at_mut(y, xx, c) = padded.at(y + 1, xx + 1, c);
            }
        }
    }
    out
}

/// `max(X, 0)`
pub fn rectify(x: &ReferenceMap) -> ReferenceMap {
    let mut out = x.clone();
    out.data.iter_mut().for_each(|v| *v = v.max(0.0));
    out
}

/// 2x2 windows, stride 2: the largest value, or the mean.
pub fn pool(x: &ReferenceMap, average: bool) -> ReferenceMap {
    let mut out = ReferenceMap::zeros(x.height / 2, x.width / 2, x.channels);
    for y in 0..out.height {
        for xx in 0..out.width {
            for c in 0..out.channels {
                let v = [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(i, j)| x.at(2 * y + i, 2 * xx + j, c));
                *out.at_mut(y, xx, c) =
                    if average { v.iter().sum::<f64>() / 4.0 } else { v.into_iter().fold(f64::MIN, f64::max) };
            }
        }
    }
    out
}

/// `XᵀX / (H·W·C)`, eq. (3).
pub fn gram(x: &ReferenceMap) -> Vec<f64> {
    let c = x.channels;
    let mut gram = vec![0.0; c * c];
    for position in x.data.chunks_exact(c) {
        for i in 0..c {
            for j in 0..c {
                gram[i * c + j] += position[i] * position[j] / x.data.len() as f64;
            }
        }
    }
    gram
}

/// VGG-19, read from a safetensors file without the engine's own code.
pub struct ReferenceNetwork {
    /// Name of each convolution (`conv1_1`), and its filters.
    convolutions: Vec<(String, ReferenceFilters)>,
}

impl ReferenceNetwork {
    /// The file of u8 indices and codebooks that the program carries.
    pub fn new(bytes: &[u8]) -> Self {
        let file = safetensors::SafeTensors::deserialize(bytes).unwrap();
        let floats = |name: &str| -> Vec<f64> {
            let data = file.tensor(name).unwrap().data();
            data.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap()).into()).collect()
        };
        let names = [2, 2, 4, 4, 4].into_iter().enumerate().flat_map(|(b, n)| (1..=n).map(move |i| (b + 1, i)));
        let convolutions = names.map(|(block, index)| {
            let name = format!("conv{block}_{index}");
            let weight = file.tensor(&format!("{name}.weight")).unwrap();
            let (outputs, inputs) = (weight.shape()[0], weight.shape()[1]);
            let codebook = floats(&format!("{name}.codebook"));
            let mut weights = vec![0.0; weight.data().len()];
            for (i, &index) in weight.data().iter().enumerate() {
                let (o, c, place) = (i / (9 * inputs), i / 9 % inputs, i % 9);
                weights[(c * 9 + place) * outputs + o] = codebook[usize::from(index)];
            }
            let bias = floats(&format!("{name}.bias"));
            (name, ReferenceFilters { channels_in: inputs, weights, bias })
        });
        Self { convolutions: convolutions.collect() }
    }

    /// The maps of the layers named, from an image `[H, W, 3]`, RGB in 0..255.
    pub fn features(
        &self,
        height: usize,
        width: usize,
        rgb: &[f64],
        average: bool,
        border: ReferenceBorder,
        layers: &[&str],
    ) -> Vec<ReferenceMap> {
        let mean = [103.939, 116.779, 123.68];
        let mut x = ReferenceMap::zeros(height, width, 3);
        for (bgr, rgb) in x.data.chunks_exact_mut(3).zip(rgb.chunks_exact(3)) {
            for c in 0..3 {
                bgr[c] = rgb[2 - c] - mean[c];
            }
        }
        let mut found: Vec<Option<ReferenceMap>> = vec![None; layers.len()];
        for (name, filters) in &self.convolutions {
            if name.ends_with("_1") && name != "conv1_1" {
                x = pool(&x, average);
            }
            x = match border {
                ReferenceBorder::Circular => convolve_beyond(&x, filters, border),
                ReferenceBorder::Replicate if name == "conv1_1" => convolve_beyond(&x, filters, border),
                _ => convolve(&x, filters),
            };
            if let Some(i) = layers.iter().position(|layer| layer == name) {
                found[i] = Some(x.clone());
            }
            x = rectify(&x);
            if let Some(i) = layers.iter().position(|layer| layer.strip_prefix("relu") == name.strip_prefix("conv")) {
                found[i] = Some(x.clone());
            }
            if found.iter().all(Option::is_some) {
                break;
            }
        }
        found.into_iter().map(|map| map.expect("a layer of VGG-19")).collect()
    }
}

/// Numbers that look random, the same in every run: a 64-bit linear congruential generator (Knuth),
/// upper bits.
pub struct Noise(pub u64);

impl Noise {
    /// Uniform in -1..1.
    pub fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }

    /// `n` values, uniform in -1..1, representable in f32.
    pub fn vector(&mut self, n: usize) -> Vec<f32> {
        (0..n).map(|_| self.next() as f32).collect()
    }
}

/// `|a - b| / |b|` in the L2 norm; `|a|` where `b` is zero.
pub fn relative_error(a: impl IntoIterator<Item = f64>, b: &[f64]) -> f64 {
    let (mut difference, mut norm, mut count) = (0.0, 0.0, 0);
    for (a, &b) in a.into_iter().zip(b) {
        difference += (a - b) * (a - b);
        norm += b * b;
        count += 1;
    }
    assert_eq!(count, b.len());
    if norm == 0.0 { difference.sqrt() } else { (difference / norm).sqrt() }
}
