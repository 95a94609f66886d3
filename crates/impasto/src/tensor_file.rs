//! Files of arrays with words about them: safetensors files whose metadata say of what kind they are, and how they are to be read.

use std::borrow::Cow;
use std::collections::HashMap;

use safetensors::{Dtype, SafeTensors, View};

/// What a file says, or what is wrong with it: a part of a sentence about "it".
pub(crate) type Parsed<T> = Result<T, String>;

/// What the metadata's `format` and `version` say.
pub(crate) struct Kind {
    pub(crate) format: &'static str,
    /// How the rest is to be read.
    pub(crate) version: &'static str,
}

impl Kind {
    /// A file of this kind.
    ///
    /// # Panics
    /// If an array has another length than its shape.
    pub(crate) fn to_bytes(&self, words: HashMap<&str, String>, tensors: Vec<(String, Tensor<'_>)>) -> Vec<u8> {
        let kind = [("format", self.format), ("version", self.version)].map(|(key, word)| (key, word.to_owned()));
        let metadata = words.into_iter().chain(kind).map(|(key, word)| (key.to_owned(), word)).collect();
        safetensors::serialize(tensors, Some(metadata)).expect("lengths agree with shapes")
    }

    /// Reads what [`Kind::to_bytes`] made.
    ///
    /// Errors: no safetensors file, one of another kind or version.
    pub(crate) fn read<'a>(&self, bytes: &'a [u8]) -> Parsed<TensorFile<'a>> {
        let unreadable = |e| format!("it cannot be read ({e})");
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(unreadable)?;
        let tensors = SafeTensors::deserialize(bytes).map_err(unreadable)?;
        let file = TensorFile { words: header.metadata().clone().unwrap_or_default(), tensors };
        if file.word("format") != self.format {
            return Err("it is a safetensors file of something else".to_owned());
        }
        if file.word("version") != self.version {
            return Err(format!("its version is `{}`, and this impasto reads {}", file.word("version"), self.version));
        }
        Ok(file)
    }
}

/// A file that was read.
pub(crate) struct TensorFile<'a> {
    words: HashMap<String, String>,
    tensors: SafeTensors<'a>,
}

impl TensorFile<'_> {
    /// What the metadata say to a key; empty where they say nothing.
    pub(crate) fn word(&self, key: &str) -> &str {
        self.words.get(key).map(String::as_str).unwrap_or_default()
    }

    /// How many values an array has; `None` where there is no such array.
    pub(crate) fn len(&self, name: &str) -> Option<usize> {
        Some(self.tensors.tensor(name).ok()?.shape().iter().product())
    }

    /// An array of finite F32 of this shape.
    pub(crate) fn f32s(&self, name: &str, shape: &[usize]) -> Parsed<Vec<f32>> {
        let values = self.array(name, Dtype::F32, shape, f32::from_le_bytes)?;
        all(name, &values, f32::is_finite).map(|()| values)
    }

    /// An array of finite F64 of this shape.
    pub(crate) fn f64s(&self, name: &str, shape: &[usize]) -> Parsed<Vec<f64>> {
        let values = self.array(name, Dtype::F64, shape, f64::from_le_bytes)?;
        all(name, &values, f64::is_finite).map(|()| values)
    }

    /// An array of this type, whose values have `N` bytes, and of this shape.
    fn array<T, const N: usize>(
        &self,
        name: &str,
        dtype: Dtype,
        shape: &[usize],
        value: impl Fn([u8; N]) -> T,
    ) -> Parsed<Vec<T>> {
        let tensor = self.tensors.tensor(name).map_err(|_| format!("it has no `{name}`"))?;
        if tensor.dtype() != dtype || tensor.shape() != shape {
            let (found, other) = (tensor.dtype(), tensor.shape());
            return Err(format!("`{name}` is {found:?} {other:?}, not {dtype:?} {shape:?}"));
        }
        Ok(tensor.data().as_chunks::<N>().0.iter().map(|&bytes| value(bytes)).collect())
    }
}

/// An array on its way into a file: its shape and values.
pub(crate) enum Tensor<'a> {
    F32(Vec<usize>, &'a [f32]),
    F64(Vec<usize>, Cow<'a, [f64]>),
}

impl View for Tensor<'_> {
    fn dtype(&self) -> Dtype {
        match self {
            Self::F32(..) => Dtype::F32,
            Self::F64(..) => Dtype::F64,
        }
    }

    fn shape(&self) -> &[usize] {
        match self {
            Self::F32(shape, _) | Self::F64(shape, _) => shape,
        }
    }

    fn data(&self) -> Cow<'_, [u8]> {
        match self {
            Self::F32(_, values) => values.iter().map(|v| v.to_le_bytes()).collect::<Vec<_>>().into_flattened().into(),
            Self::F64(_, values) => values.iter().map(|v| v.to_le_bytes()).collect::<Vec<_>>().into_flattened().into(),
        }
    }

    fn data_len(&self) -> usize {
        match self {
            Self::F32(_, values) => size_of_val(*values),
            Self::F64(_, values) => size_of_val(&**values),
        }
    }
}

/// Refuses values that cannot be.
pub(crate) fn all<T: Copy>(name: &str, values: &[T], is_allowed: impl Fn(T) -> bool) -> Parsed<()> {
    match values.iter().all(|&v| is_allowed(v)) {
        true => Ok(()),
        false => Err(format!("`{name}` has values that cannot be")),
    }
}

/// What is wrong with a word that is none of those there are.
pub(crate) fn unknown(text: &str) -> String {
    format!("it says `{text}`, which means nothing to this impasto")
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: Kind = Kind { format: "impasto-test", version: "2" };

    fn file(kind: &Kind) -> Vec<u8> {
        let tensors = vec![
            ("a".to_owned(), Tensor::F32(vec![2, 1], &[0.1, f32::MAX])),
            ("b".to_owned(), Tensor::F64(vec![2], [0.1 + 0.2, f64::NAN][..].into())),
        ];
        kind.to_bytes(HashMap::from([("colour", "blue".to_owned())]), tensors)
    }

    #[test]
    fn what_is_written_is_read() {
        let bytes = file(&KIND);
        let file = KIND.read(&bytes).unwrap();
        assert_eq!((file.word("colour"), file.word("shape")), ("blue", ""));
        assert_eq!((file.len("a"), file.len("c")), (Some(2), None));
        assert_eq!(file.f32s("a", &[2, 1]).unwrap(), [0.1, f32::MAX]);
        assert_eq!(file.f32s("a", &[2]).unwrap_err(), "`a` is F32 [2, 1], not F32 [2]");
        assert_eq!(file.f64s("a", &[2, 1]).unwrap_err(), "`a` is F32 [2, 1], not F64 [2, 1]");
        assert_eq!(file.f64s("b", &[2]).unwrap_err(), "`b` has values that cannot be");
        assert_eq!(file.f64s("c", &[2]).unwrap_err(), "it has no `c`");
    }

    #[test]
    fn other_kinds_and_versions_are_refused() {
        let problem = |kind: &Kind| KIND.read(&file(kind)).err().unwrap();
        assert_eq!(problem(&Kind { format: "other", ..KIND }), "it is a safetensors file of something else");
        assert_eq!(problem(&Kind { version: "1", ..KIND }), "its version is `1`, and this impasto reads 2");
        assert!(KIND.read(b"some notes").err().unwrap().starts_with("it cannot be read ("));
    }
}
