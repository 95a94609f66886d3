//! Files of arrays with words about them.
//!
//! They are safetensors files. Their metadata say which kind of file it is, which version, and
//! whatever else its readers need. Arrays are written and read a little at a time, so they may be
//! larger than the memory that is left.

use std::borrow::Cow;
use std::collections::HashMap;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::sync::{Mutex, PoisonError};

use safetensors::Dtype;
use safetensors::tensor::{Metadata, TensorInfo};

/// What a file says, or what is wrong with it as a part of a sentence about "it".
pub(crate) type Parsed<T> = Result<T, String>;

/// The words `format` and `version` in a file's metadata.
pub(crate) struct FileKind {
    pub(crate) format: &'static str,
    /// Says how to read the rest.
    pub(crate) version: &'static str,
}

/// Bytes of the number at the start, which is the header's length.
const LENGTH: usize = size_of::<u64>();

/// The header's length is a multiple of this, so that arrays begin at places for f64. Blanks at its
/// end fill it up.
const ALIGNMENT: usize = 8;

/// Longest header that is believed, in bytes.
pub(crate) const MAX_HEADER: u64 = 1 << 20;

/// Values that are written or read at a time.
const CHUNK: usize = 1 << 14;

impl FileKind {
    /// Writes a file of this kind.
    ///
    /// # Panics
    /// If the length of an array does not agree with its shape.
    pub(crate) fn write(
        &self,
        words: HashMap<&str, String>,
        mut tensors: Vec<(String, Tensor<'_>)>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let kind = [("format", self.format), ("version", self.version)].map(|(key, word)| (key, word.to_owned()));
        let words = words.into_iter().chain(kind).map(|(key, word)| (key.to_owned(), word)).collect();
        // Wide values come first, so that all are aligned.
        tensors.sort_by_key(|(_, tensor)| std::cmp::Reverse(tensor.size()));
        let mut end = 0;
        let infos = tensors.iter().map(|(name, tensor)| {
            let begin = end;
            end += tensor.size() * tensor.len();
            let info = TensorInfo { dtype: tensor.dtype(), shape: tensor.shape().to_vec(), data_offsets: (begin, end) };
            (name.clone(), info)
        });
        let header = Metadata::new(Some(words), infos.collect()).expect("lengths agree with shapes");
        let mut header = serde_json::to_vec(&header)?;
        header.resize(header.len().next_multiple_of(ALIGNMENT), b' ');
        out.write_all(&(header.len() as u64).to_le_bytes())?;
        out.write_all(&header)?;
        tensors.iter().try_for_each(|(_, tensor)| tensor.write(out))
    }

    /// Writes the file into memory; see [`FileKind::write`].
    pub(crate) fn to_bytes(&self, words: HashMap<&str, String>, tensors: Vec<(String, Tensor<'_>)>) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.write(words, tensors, &mut bytes).expect("memory can be written to");
        bytes
    }

    /// Reads the header of a file that [`FileKind::write`] wrote, `len` bytes from the start of
    /// `source`.
    ///
    /// Errors: it is not a safetensors file, or one of another kind or version.
    pub(crate) fn read<R: Read + Seek>(&self, mut source: R, len: u64) -> Parsed<TensorFile<R>> {
        source.seek(SeekFrom::Start(0)).map_err(unreadable)?;
        let mut length = [0; LENGTH];
        source.read_exact(&mut length).map_err(unreadable)?;
        let header_len = u64::from_le_bytes(length);
        if header_len > MAX_HEADER.min(len) {
            return Err(unreadable("its header is too long"));
        }
        let mut header = vec![0; header_len as usize];
        source.read_exact(&mut header).map_err(unreadable)?;
        let header: Metadata = serde_json::from_slice(&header).map_err(unreadable)?;
        let data = LENGTH as u64 + header_len;
        if header.data_len() as u64 != len.saturating_sub(data) {
            return Err(unreadable("it does not end where its header says"));
        }
        let file = TensorFile { header, data, source: Mutex::new(source) };
        if file.word("format") != self.format {
            return Err("it is a safetensors file of something else".to_owned());
        }
        if file.word("version") != self.version {
            return Err(format!("its version is `{}`, but this impasto reads {}", file.word("version"), self.version));
        }
        Ok(file)
    }
}

fn unreadable(reason: impl std::fmt::Display) -> String {
    format!("it cannot be read ({reason})")
}

/// A file whose header was read.
pub(crate) struct TensorFile<R> {
    header: Metadata,
    /// Where the arrays begin.
    data: u64,
    source: Mutex<R>,
}

impl<R: Read + Seek> TensorFile<R> {
    /// Returns the word that the metadata have for a key, empty if there is none.
    pub(crate) fn word(&self, key: &str) -> &str {
        let words = self.header.metadata().as_ref();
        words.and_then(|words| words.get(key)).map(String::as_str).unwrap_or_default()
    }

    /// Returns the number of values of an array, `None` if there is no such array.
    pub(crate) fn len(&self, name: &str) -> Option<usize> {
        Some(self.header.info(name)?.shape.iter().product())
    }

    /// Returns the shape of an array, `None` if there is no such array.
    pub(crate) fn shape(&self, name: &str) -> Option<&[usize]> {
        Some(&self.header.info(name)?.shape)
    }

    /// Checks that there is an F32 array of this shape.
    pub(crate) fn check_f32s(&self, name: &str, shape: &[usize]) -> Parsed<()> {
        self.offsets(name, Dtype::F32, shape).map(drop)
    }

    /// Reads an F32 array of this shape. Its values are finite.
    pub(crate) fn f32s(&self, name: &str, shape: &[usize]) -> Parsed<Vec<f32>> {
        let values = self.array(name, Dtype::F32, shape, f32::from_le_bytes)?;
        all(name, &values, f32::is_finite).map(|()| values)
    }

    /// Reads an F64 array of this shape. Its values are finite.
    pub(crate) fn f64s(&self, name: &str, shape: &[usize]) -> Parsed<Vec<f64>> {
        let values = self.array(name, Dtype::F64, shape, f64::from_le_bytes)?;
        all(name, &values, f64::is_finite).map(|()| values)
    }

    /// Reads a U32 array of this shape.
    pub(crate) fn u32s(&self, name: &str, shape: &[usize]) -> Parsed<Vec<u32>> {
        self.array(name, Dtype::U32, shape, u32::from_le_bytes)
    }

    /// Returns the place in the data of an array of this type and shape.
    fn offsets(&self, name: &str, dtype: Dtype, shape: &[usize]) -> Parsed<(usize, usize)> {
        let info = self.header.info(name).ok_or_else(|| format!("it has no `{name}`"))?;
        if info.dtype != dtype || info.shape != shape {
            return Err(format!("`{name}` is {:?} {:?}, not {dtype:?} {shape:?}", info.dtype, info.shape));
        }
        Ok(info.data_offsets)
    }

    /// Reads an array of this type and shape, whose values have `N` bytes.
    fn array<T, const N: usize>(
        &self,
        name: &str,
        dtype: Dtype,
        shape: &[usize],
        value: impl Fn([u8; N]) -> T,
    ) -> Parsed<Vec<T>> {
        let (begin, end) = self.offsets(name, dtype, shape)?;
        let mut source = self.source.lock().unwrap_or_else(PoisonError::into_inner);
        source.seek(SeekFrom::Start(self.data + begin as u64)).map_err(unreadable)?;
        let count = (end - begin) / N;
        let mut values = Vec::with_capacity(count);
        let mut chunk = vec![0; N * CHUNK.min(count)];
        while values.len() < count {
            let bytes = &mut chunk[..N * CHUNK.min(count - values.len())];
            source.read_exact(bytes).map_err(unreadable)?;
            values.extend(bytes.as_chunks::<N>().0.iter().map(|&bytes| value(bytes)));
        }
        Ok(values)
    }
}

/// An array on its way into a file: its shape and its values.
pub(crate) enum Tensor<'a> {
    F32(Vec<usize>, &'a [f32]),
    F64(Vec<usize>, Cow<'a, [f64]>),
    U32(Vec<usize>, &'a [u32]),
}

impl Tensor<'_> {
    fn dtype(&self) -> Dtype {
        match self {
            Self::F32(..) => Dtype::F32,
            Self::F64(..) => Dtype::F64,
            Self::U32(..) => Dtype::U32,
        }
    }

    fn shape(&self) -> &[usize] {
        match self {
            Self::F32(shape, _) | Self::F64(shape, _) | Self::U32(shape, _) => shape,
        }
    }

    /// Returns the number of values.
    fn len(&self) -> usize {
        match self {
            Self::F32(_, values) => values.len(),
            Self::F64(_, values) => values.len(),
            Self::U32(_, values) => values.len(),
        }
    }

    /// Returns the bytes of a value.
    fn size(&self) -> usize {
        match self {
            Self::F32(..) => size_of::<f32>(),
            Self::F64(..) => size_of::<f64>(),
            Self::U32(..) => size_of::<u32>(),
        }
    }

    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::F32(_, values) => write_values(values, f32::to_le_bytes, out),
            Self::F64(_, values) => write_values(values, f64::to_le_bytes, out),
            Self::U32(_, values) => write_values(values, u32::to_le_bytes, out),
        }
    }
}

fn write_values<T: Copy, const N: usize>(
    values: &[T],
    bytes: impl Fn(T) -> [u8; N],
    out: &mut dyn Write,
) -> io::Result<()> {
    let mut chunk = Vec::with_capacity(CHUNK.min(values.len()));
    for values in values.chunks(CHUNK) {
        chunk.clear();
        chunk.extend(values.iter().map(|&value| bytes(value)));
        out.write_all(chunk.as_flattened())?;
    }
    Ok(())
}

/// Refuses an array with values that make no sense.
pub(crate) fn all<T: Copy>(name: &str, values: &[T], is_allowed: impl Fn(T) -> bool) -> Parsed<()> {
    match values.iter().all(|&v| is_allowed(v)) {
        true => Ok(()),
        false => Err(format!("`{name}` has impossible values")),
    }
}

/// Says that a word is none of those that are known.
pub(crate) fn unknown(text: &str) -> String {
    format!("it says `{text}`, which this impasto does not know")
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    const KIND: FileKind = FileKind { format: "impasto-test", version: "2" };

    fn file(kind: &FileKind) -> Vec<u8> {
        let tensors = vec![
            ("a".to_owned(), Tensor::F32(vec![2, 1], &[0.1, f32::MAX])),
            ("b".to_owned(), Tensor::F64(vec![2], [0.1 + 0.2, f64::NAN][..].into())),
        ];
        kind.to_bytes(HashMap::from([("colour", "blue".to_owned())]), tensors)
    }

    #[test]
    fn what_is_written_is_read() {
        let bytes = file(&KIND);
        let file = KIND.read(Cursor::new(&bytes), bytes.len() as u64).unwrap();
        assert_eq!((file.word("colour"), file.word("shape")), ("blue", ""));
        assert_eq!((file.len("a"), file.len("c")), (Some(2), None));
        assert_eq!(file.f32s("a", &[2, 1]).unwrap(), [0.1, f32::MAX]);
        assert_eq!(file.f32s("a", &[2]).unwrap_err(), "`a` is F32 [2, 1], not F32 [2]");
        assert_eq!(file.f64s("a", &[2, 1]).unwrap_err(), "`a` is F32 [2, 1], not F64 [2, 1]");
        assert_eq!(file.f64s("b", &[2]).unwrap_err(), "`b` has impossible values");
        assert_eq!(file.f64s("c", &[2]).unwrap_err(), "it has no `c`");
    }

    #[test]
    fn any_reader_of_safetensors_reads_it() {
        let long: Vec<f32> = (0..2 * CHUNK + 5).map(|i| i as f32).collect();
        let tensors = vec![
            ("a".to_owned(), Tensor::F32(vec![1], &[0.5])),
            ("b".to_owned(), Tensor::F64(vec![2], [0.1, -2.0][..].into())),
            ("c".to_owned(), Tensor::F32(vec![long.len()], &long)),
        ];
        let bytes = KIND.to_bytes(HashMap::new(), tensors);
        let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let data = |name: &str| file.tensor(name).unwrap().data().to_vec();
        assert_eq!(data("a"), 0.5f32.to_le_bytes());
        assert_eq!(data("b"), [0.1f64, -2.0].map(f64::to_le_bytes).concat());
        assert_eq!(data("c"), long.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<_>>());
        assert!(file.tensor("b").unwrap().data().as_ptr().addr().wrapping_sub(bytes.as_ptr().addr()).is_multiple_of(8));
        let ours = KIND.read(Cursor::new(&bytes), bytes.len() as u64).unwrap();
        assert_eq!(ours.f32s("c", &[long.len()]).unwrap(), long);
    }

    #[test]
    fn other_kinds_and_versions_are_refused() {
        let read = |bytes: &[u8]| KIND.read(Cursor::new(bytes), bytes.len() as u64).err().unwrap();
        let problem = |kind: &FileKind| read(&file(kind));
        assert_eq!(problem(&FileKind { format: "other", ..KIND }), "it is a safetensors file of something else");
        assert_eq!(problem(&FileKind { version: "1", ..KIND }), "its version is `1`, but this impasto reads 2");
        for bytes in [&b"some notes"[..], &file(&KIND)[..200], &[file(&KIND), vec![0]].concat()] {
            assert!(read(bytes).starts_with("it cannot be read ("));
        }
    }
}
