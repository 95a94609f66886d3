//! VGG-19's weights, embedded: a crate of its own, so that the 20 MB are not compiled again with every change.

/// All 16 convolutions of VGG-19 as a safetensors file: `convB_N.weight` (u8 codebook indices, OIHW), `convB_N.codebook`
/// (256 f32), `convB_N.bias` (f32).
///
/// Caffe release: BGR input in 0..255 with the mean 103.939 / 116.779 / 123.68 subtracted. See `assets/NOTICE`.
pub static VGG19: &[u8] = include_bytes!("../../../assets/vgg19-kmeans8.safetensors");
