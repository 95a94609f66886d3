//! Weights files: the two namings, and what is refused.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashMap;
use std::sync::Arc;

use crate::reference::{Noise, relative_error};
use impasto_engine::cpu::{CpuBackend, Isa};
use impasto_engine::network::{Backend, WorkspaceSpec};
use impasto_engine::weights::{Weights, WeightsError};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

/// A tensor to be written.
type Tensor = (Dtype, Vec<usize>, Vec<u8>);

/// The embedded file's tensors.
fn tensors() -> HashMap<String, Tensor> {
    let file = SafeTensors::deserialize(impasto_weights::VGG19).unwrap();
    file.tensors()
        .into_iter()
        .map(|(name, tensor)| (name, (tensor.dtype(), tensor.shape().to_vec(), tensor.data().to_vec())))
        .collect()
}

fn write(tensors: &HashMap<String, Tensor>) -> Vec<u8> {
    let views = tensors
        .iter()
        .map(|(name, (dtype, shape, data))| (name.as_str(), TensorView::new(*dtype, shape.clone(), data).unwrap()));
    safetensors::serialize(views, None).unwrap()
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|b| f32::from_le_bytes(b.try_into().unwrap())).collect()
}

fn bytes(floats: &[f32]) -> Vec<u8> {
    floats.iter().flat_map(|v| v.to_le_bytes()).collect()
}

/// The embedded weights as plain f32.
fn plain() -> HashMap<String, Tensor> {
    let mut plain = tensors();
    let names: Vec<String> = plain.keys().filter_map(|name| name.strip_suffix(".weight").map(str::to_owned)).collect();
    for name in names {
        let codebook = floats(&plain.remove(&format!("{name}.codebook")).unwrap().2);
        let (dtype, _, data) = plain.get_mut(&format!("{name}.weight")).unwrap();
        *data = bytes(&data.iter().map(|&i| codebook[usize::from(i)]).collect::<Vec<_>>());
        *dtype = Dtype::F32;
    }
    plain
}

/// Features of a layer, `[24 / n, 20 / n, C]`.
fn features_of(weights: Weights, layer: &str) -> Vec<f32> {
    let layer = layer.parse().unwrap();
    let values = Noise(1).vector(3 * 24 * 20);
    let image: Vec<f32> = values.into_iter().map(|v| 127.5 + 127.5 * v).collect();
    let backend = CpuBackend::new(Arc::new(weights), Isa::select().unwrap());
    let mut workspace = backend.workspace(WorkspaceSpec { shown: vec![layer], ..WorkspaceSpec::new(20, 24) }).unwrap();
    workspace.forward(&image).unwrap();
    workspace.features(layer).unwrap().values.into_owned()
}

#[test]
fn plain_floats_are_the_same_network() {
    let quantised = features_of(Weights::from_static(impasto_weights::VGG19).unwrap(), "relu3_1");
    let plain = features_of(Weights::from_bytes(write(&plain())).unwrap(), "relu3_1");
    assert_eq!(quantised, plain);
}

/// The same network with torchvision's names: its first layer folds that preprocessing back into
/// the Caffe release's.
#[test]
fn torchvision_names_come_with_their_preprocessing() {
    const INDEX: [usize; 16] = [0, 2, 5, 7, 10, 12, 14, 16, 19, 21, 23, 25, 28, 30, 32, 34];
    const MEAN: [f32; 3] = [0.485, 0.456, 0.406];
    const STD: [f32; 3] = [0.229, 0.224, 0.225];
    const CAFFE_MEAN: [f32; 3] = [123.68, 116.779, 103.939];
    let caffe = plain();
    let mut file = HashMap::new();
    let names = [2, 2, 4, 4, 4].into_iter().enumerate().flat_map(|(b, n)| (1..=n).map(move |i| (b + 1, i)));
    for ((block, i), index) in names.zip(INDEX) {
        for part in ["weight", "bias"] {
            file.insert(format!("features.{index}.{part}"), caffe[&format!("conv{block}_{i}.{part}")].clone());
        }
    }
    // Other tensors of such a file are passed over.
    file.insert("classifier.0.bias".to_owned(), (Dtype::F32, vec![1], bytes(&[f32::NAN])));
    let old = floats(&file["features.0.weight"].2);
    let mut new = old.clone();
    let mut bias = floats(&file["features.0.bias"].2);
    for k in 0..64 {
        for c in 0..3 {
            for place in 0..9 {
                let w = old[(k * 3 + 2 - c) * 9 + place];
                new[(k * 3 + c) * 9 + place] = w * 255.0 * STD[c];
                bias[k] += w * (255.0 * MEAN[c] - CAFFE_MEAN[c]);
            }
        }
    }
    file.get_mut("features.0.weight").unwrap().2 = bytes(&new);
    file.get_mut("features.0.bias").unwrap().2 = bytes(&bias);

    let caffe = features_of(Weights::from_static(impasto_weights::VGG19).unwrap(), "relu2_1");
    let torchvision = features_of(Weights::from_bytes(write(&file)).unwrap(), "relu2_1");
    // The means differ by up to half a level, which the zero padding shows at the border: compared
    // is what lies inside.
    let inside = |map: &[f32]| -> Vec<f64> {
        let (height, width, channels) = (12, 10, 128);
        (2..height - 2)
            .flat_map(|y| &map[(y * width + 2) * channels..(y * width + width - 2) * channels])
            .map(|&v| v.into())
            .collect()
    };
    let error = relative_error(inside(&torchvision), &inside(&caffe));
    assert!(error < 1e-5, "{error:e}");
}

#[test]
fn unusable_files_are_refused_by_name() {
    let refused = |change: &dyn Fn(&mut HashMap<String, Tensor>)| {
        let mut file = tensors();
        change(&mut file);
        Weights::from_bytes(write(&file)).unwrap_err()
    };
    let nan = f32::NAN.to_le_bytes();
    assert!(matches!(Weights::from_bytes(b"not a safetensors file".to_vec()), Err(WeightsError::Format(_))));
    assert_eq!(refused(&|file| file.clear()), WeightsError::NoNetwork);
    assert_eq!(refused(&|file| drop(file.remove("conv3_2.bias"))).to_string(), "tensor `conv3_2.bias` is missing");
    assert_eq!(
        refused(&|file| file.get_mut("conv1_2.weight").unwrap().1 = vec![64, 64, 9, 1]).to_string(),
        "tensor `conv1_2.weight` has shape [64, 64, 9, 1]; VGG-19 needs [64, 64, 3, 3]"
    );
    assert_eq!(
        refused(&|file| file.get_mut("conv2_1.bias").unwrap().0 = Dtype::I32).to_string(),
        "tensor `conv2_1.bias` has type I32; needed is F32, or U8 with a `.codebook`"
    );
    assert_eq!(
        refused(&|file| file.get_mut("conv5_4.codebook").unwrap().2[..4].copy_from_slice(&nan)).to_string(),
        "tensor `conv5_4.codebook` has values that are infinite or not a number"
    );
    let mut file = plain();
    file.get_mut("conv4_1.weight").unwrap().2[40..44].copy_from_slice(&nan);
    assert_eq!(Weights::from_bytes(write(&file)).unwrap_err(), WeightsError::NotFinite("conv4_1.weight".to_owned()));
}
