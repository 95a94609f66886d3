//! The state of a run, in memory and as a file: everything that continuing it takes.
//!
//! The file is a safetensors file with four more bytes, the CRC-32 of everything before them
//! (little-endian). Its metadata are the position in the schedule. Its tensors are
//! - `point`, F32 `[H, W, 3]`: what the optimiser works on;
//! - `totals`, F64: the objective at the start of the scale and after each of its steps;
//! - the optimiser's arrays, F32, with as many values as the point: `s.0`, `y.0`, ... of L-BFGS
//!   (oldest first), or `walker`, `mean` and `root_mean_square` of Adam;
//! - `matches.0`, ..., U32: the matches of each region and layer, if strokes are matched.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crc32fast::Hasher;

use crate::error::{Error, Result};
use crate::optimizer::state::{AdamState, OptimizerState, Variables};
use crate::options::OptimizerKind;
use crate::picture::file::{read_error, write_error, write_whole_with};
use crate::session::position::{SchedulePosition, StopReason, scale_list};
use crate::session::schedule::Scale;
use crate::tensor_file::{FileKind, Parsed, Tensor, TensorFile, all, unknown};

const KIND: FileKind = FileKind { format: "impasto-state", version: "3" };

/// Bytes of the checksum at the end.
const CHECKSUM: usize = size_of::<u32>();

/// Everything that a [`Session`](crate::Session) has changed since it was made, to the last bit.
///
/// It holds the picture, the optimiser's memory and the position in the schedule, but not the
/// pictures, options and weights that went in. [`Session::state`](crate::Session::state) makes it
/// and lends the arrays. In a file it is a [`SavedState`].
#[derive(Clone, Debug, PartialEq)]
pub struct SessionState<'a> {
    pub(crate) position: SchedulePosition<'a>,
    /// What the optimiser works on, `[H, W, 3]`, 0..255.
    pub(crate) point: Cow<'a, [f32]>,
    pub(crate) optimizer: OptimizerState<'a>,
    /// The matches of each region and layer. They were found at an earlier point.
    pub(crate) matches: Vec<Cow<'a, [u32]>>,
}

impl SessionState<'_> {
    /// Returns the same with arrays of its own.
    pub(crate) fn into_owned(self) -> SessionState<'static> {
        SessionState {
            position: self.position.into_owned(),
            point: self.point.into_owned().into(),
            optimizer: self.optimizer.into_owned(),
            matches: self.matches.into_iter().map(|matches| matches.into_owned().into()).collect(),
        }
    }

    /// Returns the same, with the arrays of this one.
    pub(crate) fn lent(&self) -> SessionState<'_> {
        SessionState {
            position: self.position.clone(),
            point: Cow::Borrowed(&self.point),
            optimizer: self.optimizer.lent(),
            matches: self.matches.iter().map(|matches| Cow::Borrowed(&**matches)).collect(),
        }
    }

    /// Returns the steps done so far, at all scales.
    pub fn steps_done(&self) -> usize {
        self.position.steps_done()
    }

    /// Writes the state, to the last bit, whole or not at all. With L-BFGS a picture of 512x512 px
    /// takes 129 MB, and one of 1024x1024 px 264 MB.
    ///
    /// Errors: the path cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        write_whole_with(path, |file| self.write(file).map_err(|e| write_error(path, &e)))
    }

    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let SchedulePosition { identity, scales, scale, totals, elapsed, finished, adjusted } = &self.position;
        let mut words = HashMap::from([
            ("identity", identity.clone()),
            ("scales", scale_list(scales)),
            ("scale", scale.to_string()),
            ("seconds", elapsed.as_secs_f64().to_string()),
            ("finished", word(*finished).to_owned()),
            ("adjusted", adjusted.to_string()),
        ]);
        let Scale { width, height, .. } = self.position.here();
        let mut tensors = vec![
            (POINT.to_owned(), Tensor::F32(vec![height, width, 3], &self.point)),
            (TOTALS.to_owned(), Tensor::F64(vec![totals.len()], (&**totals).into())),
        ];
        let mut add = |name: String, values| tensors.push((name, Tensor::F32(vec![self.point.len()], values)));
        match &self.optimizer {
            OptimizerState::Lbfgs(pairs) => {
                words.insert("optimizer", LBFGS.to_owned());
                words.insert("pairs", pairs.len().to_string());
                for (i, [s, y]) in pairs.iter().enumerate() {
                    pair_names(i).into_iter().zip([s, y]).for_each(|(name, values)| add(name, values));
                }
            }
            OptimizerState::Adam(AdamState { steps, attempts, walker, mean, root_mean_square }) => {
                words.insert("optimizer", ADAM.to_owned());
                words.insert("steps", steps.to_string());
                words.insert("attempts", attempts.to_string());
                let arrays = [walker, mean, root_mean_square];
                ADAM_NAMES.into_iter().zip(arrays).for_each(|(name, values)| add(name.to_owned(), values));
            }
        }
        words.insert(MATCHES, self.matches.len().to_string());
        for (i, matches) in self.matches.iter().enumerate() {
            tensors.push((matches_name(i), Tensor::U32(vec![matches.len()], matches)));
        }
        let mut summed = Checksummed { out, hasher: Hasher::new() };
        KIND.write(words, tensors, &mut summed)?;
        let Checksummed { out, hasher } = summed;
        out.write_all(&hasher.finalize().to_le_bytes())
    }
}

/// A state in a file. [`SessionState::save`] makes it, and
/// [`Session::restore`](crate::Session::restore) continues from it. Its arrays stay in the file
/// until then. They take as much memory as the session's own arrays, which they replace.
pub struct SavedState {
    path: PathBuf,
    contents: StateContents<File>,
}

impl fmt::Debug for SavedState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SavedState").field("path", &self.path).finish_non_exhaustive()
    }
}

impl SavedState {
    /// Opens the file and checks its checksum, for which it reads all of it once.
    ///
    /// Errors: a missing or unreadable file, one that holds no state, and a damaged one.
    pub fn open(path: &Path) -> Result<Self> {
        if path.is_dir() {
            return Err(Error::Folder { path: path.to_owned(), wanted: "the state of a run" });
        }
        let file = File::open(path).map_err(|e| read_error(path, e))?;
        let path = path.to_owned();
        match StateContents::of_file(file) {
            Ok(contents) => Ok(Self { path, contents }),
            Err(problem) => Err(Error::StateFile { path, problem }),
        }
    }

    /// Returns the steps done so far, at all scales.
    pub fn steps_done(&self) -> usize {
        self.contents.position.steps_done()
    }

    /// Returns how long the run had taken.
    pub fn elapsed(&self) -> Duration {
        self.contents.position.elapsed
    }

    /// Returns the position in the schedule.
    pub(crate) fn position(&self) -> &SchedulePosition<'static> {
        &self.contents.position
    }

    /// Refuses a state of another optimiser than this kind, or of one with a longer history.
    pub(crate) fn check_optimizer(&self, kind: OptimizerKind, history: usize) -> Result<()> {
        let problem = match (self.contents.optimizer, kind) {
            (Remembered::Lbfgs { pairs }, OptimizerKind::Lbfgs) if pairs > history => {
                format!("its optimiser remembers {pairs} steps, but that of the run {history}")
            }
            (Remembered::Lbfgs { .. }, OptimizerKind::Lbfgs) | (Remembered::Adam { .. }, OptimizerKind::Adam) => {
                return Ok(());
            }
            (Remembered::Lbfgs { .. }, OptimizerKind::Adam) => other_optimizer(LBFGS, ADAM),
            (Remembered::Adam { .. }, OptimizerKind::Lbfgs) => other_optimizer(ADAM, LBFGS),
        };
        Err(Error::UnfitState { problem })
    }

    /// Reads what the optimiser works on, `[H, W, 3]`, 0..255.
    ///
    /// Errors: it cannot be read, or has impossible values.
    pub(crate) fn point(&self) -> Result<Vec<f32>> {
        self.contents.point().map_err(self.unusable())
    }

    /// Reads what the optimiser remembers.
    ///
    /// Errors: it cannot be read, or has impossible values.
    pub(crate) fn optimizer(&self) -> Result<OptimizerState<'static>> {
        self.contents.optimizer().map_err(self.unusable())
    }

    /// Reads the matches of each region and layer.
    ///
    /// Errors: they cannot be read.
    pub(crate) fn matches(&self) -> Result<Vec<Vec<u32>>> {
        self.contents.matches().map_err(self.unusable())
    }

    fn unusable(&self) -> impl Fn(String) -> Error {
        |problem| Error::StateFile { path: self.path.clone(), problem }
    }
}

fn other_optimizer(found: &str, wanted: &str) -> String {
    format!("its optimiser is {found}, but that of the run is {wanted}")
}

const LBFGS: &str = "lbfgs";
const ADAM: &str = "adam";

/// What the optimiser of a state in a file remembers.
#[derive(Clone, Copy)]
enum Remembered {
    Lbfgs { pairs: usize },
    Adam { steps: i32, attempts: u8 },
}

/// A state in a file, with its arrays still there.
struct StateContents<R> {
    file: TensorFile<R>,
    position: SchedulePosition<'static>,
    optimizer: Remembered,
    /// Number of the arrays of matches.
    matches: usize,
}

impl<R: Read + Seek> StateContents<R> {
    fn of_file(mut source: R) -> Parsed<Self> {
        let unreadable = |e: io::Error| format!("it cannot be read ({e})");
        let len = source.seek(SeekFrom::End(0)).map_err(unreadable)?;
        let len = len.checked_sub(CHECKSUM as u64).ok_or("it is too short")?;
        source.rewind().map_err(unreadable)?;
        let mut sum = Checksummed { out: io::sink(), hasher: Hasher::new() };
        let copied = io::copy(&mut source.by_ref().take(len), &mut sum).map_err(unreadable)?;
        let mut checksum = [0; CHECKSUM];
        source.read_exact(&mut checksum).map_err(unreadable)?;
        if copied != len || sum.hasher.finalize() != u32::from_le_bytes(checksum) {
            return Err("it is damaged (its checksum is wrong)".to_owned());
        }
        Self::new(source, len)
    }

    /// Reads `len` bytes, which are all but the checksum.
    fn new(source: R, len: u64) -> Parsed<Self> {
        let file = KIND.read(source, len)?;
        let get = |key: &str| file.word(key);
        let scales = get("scales").split(',').map(scale).collect::<Parsed<Vec<_>>>()?;
        let index: usize = number(get("scale"))?;
        let Some(&Scale { width, height, steps }) = scales.get(index) else {
            return Err(format!("it has no scale {index}"));
        };
        let len = width.checked_mul(height).and_then(|n| n.checked_mul(3)).ok_or("its picture is too large")?;
        let optimizer = match get("optimizer") {
            LBFGS => Remembered::Lbfgs { pairs: number(get("pairs"))? },
            ADAM => Remembered::Adam {
                steps: number::<u32>(get("steps"))?.try_into().map_err(|_| unknown(get("steps")))?,
                attempts: number(get("attempts"))?,
            },
            other => return Err(unknown(other)),
        };
        match optimizer {
            Remembered::Lbfgs { pairs } => {
                (0..pairs).flat_map(pair_names).try_for_each(|name| file.check_f32s(&name, &[len]))?;
            }
            Remembered::Adam { .. } => ADAM_NAMES.iter().try_for_each(|name| file.check_f32s(name, &[len]))?,
        }
        file.check_f32s(POINT, &[height, width, 3])?;
        let count = file.len(TOTALS).unwrap_or(0);
        let totals = file.f64s(TOTALS, &[count])?;
        let finished = finished(get("finished"))?;
        let done = count.checked_sub(1).filter(|&done| done <= steps).ok_or("it has more steps than its schedule")?;
        let is_last = index + 1 == scales.len();
        if finished.is_some() && !is_last || finished.is_none() && is_last && done == steps {
            return Err("its end does not agree with its steps".to_owned());
        }
        let elapsed = Duration::try_from_secs_f64(number(get("seconds"))?).map_err(|_| unknown(get("seconds")))?;
        let identity = get("identity").to_owned();
        let adjusted = number(get("adjusted"))?;
        let position =
            SchedulePosition { identity, scales, scale: index, totals: totals.into(), elapsed, finished, adjusted };
        // States of before strokes were matched do not say.
        let matches = if get(MATCHES).is_empty() { 0 } else { number(get(MATCHES))? };
        if (0..matches).any(|i| file.len(&matches_name(i)).is_none()) {
            return Err("some of its matches are missing".to_owned());
        }
        Ok(Self { file, position, optimizer, matches })
    }

    fn point(&self) -> Parsed<Vec<f32>> {
        let Scale { width, height, .. } = self.position.here();
        self.pixels(POINT, &[height, width, 3])
    }

    fn matches(&self) -> Parsed<Vec<Vec<u32>>> {
        let of = |name: String| self.file.u32s(&name, &[self.file.len(&name).unwrap_or(0)]);
        (0..self.matches).map(|i| of(matches_name(i))).collect()
    }

    fn optimizer(&self) -> Parsed<OptimizerState<'static>> {
        let Scale { width, height, .. } = self.position.here();
        let shape = [3 * width * height];
        let values = |name: &str| -> Parsed<Variables<'static>> { Ok(self.file.f32s(name, &shape)?.into()) };
        Ok(match self.optimizer {
            Remembered::Lbfgs { pairs } => {
                let pair = |i: usize| {
                    let [s, y] = pair_names(i);
                    Ok([values(&s)?, values(&y)?])
                };
                OptimizerState::Lbfgs((0..pairs).map(pair).collect::<Parsed<_>>()?)
            }
            Remembered::Adam { steps, attempts } => {
                let [walker, mean, root_mean_square] = ADAM_NAMES;
                OptimizerState::Adam(AdamState {
                    steps,
                    attempts,
                    walker: self.pixels(walker, &shape)?.into(),
                    mean: values(mean)?,
                    root_mean_square: values(root_mean_square)?,
                })
            }
        })
    }

    /// Reads an array of values in 0..255.
    fn pixels(&self, name: &str, shape: &[usize]) -> Parsed<Vec<f32>> {
        let values = self.file.f32s(name, shape)?;
        all(name, &values, |v| (0.0..=255.0).contains(&v)).map(|()| values)
    }
}

/// Passes on what is written, and computes its CRC-32.
struct Checksummed<W> {
    out: W,
    hasher: Hasher,
}

impl<W: Write> Write for Checksummed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

const POINT: &str = "point";
const TOTALS: &str = "totals";
const MATCHES: &str = "matches";
const ADAM_NAMES: [&str; 3] = ["walker", "mean", "root_mean_square"];

/// Returns the name of an array of matches.
fn matches_name(index: usize) -> String {
    format!("{MATCHES}.{index}")
}

/// Returns the names of the arrays of a pair of L-BFGS.
fn pair_names(pair: usize) -> [String; 2] {
    [format!("s.{pair}"), format!("y.{pair}")]
}

fn scale(text: &str) -> Parsed<Scale> {
    let (size, steps) = text.split_once(':').ok_or_else(|| unknown(text))?;
    let (width, height) = size.split_once('x').ok_or_else(|| unknown(text))?;
    match (number(width)?, number(height)?, number(steps)?) {
        (0, ..) | (_, 0, _) | (.., 0) => Err(unknown(text)),
        (width, height, steps) => Ok(Scale { width, height, steps }),
    }
}

/// The word for a run that is not finished.
const UNFINISHED: &str = "no";

/// Returns the word for the end of a run. A run that was interrupted is not finished.
fn word(finished: Option<StopReason>) -> &'static str {
    match finished {
        Some(reason @ (StopReason::Completed | StopReason::Converged)) => reason.word(),
        Some(StopReason::Interrupted) | None => UNFINISHED,
    }
}

fn finished(text: &str) -> Parsed<Option<StopReason>> {
    match text.parse() {
        Ok(reason @ (StopReason::Completed | StopReason::Converged)) => Ok(Some(reason)),
        _ if text == UNFINISHED => Ok(None),
        _ => Err(unknown(text)),
    }
}

fn number<T: std::str::FromStr>(text: &str) -> Parsed<T> {
    text.parse().map_err(|_| unknown(text))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::noise::test_values;
    use proptest::prelude::*;

    const SCALES: [Scale; 2] = [Scale { width: 4, height: 3, steps: 7 }, Scale { width: 8, height: 6, steps: 5 }];

    fn values(seed: u64) -> Vec<f32> {
        test_values(4 * 3 * 3, seed)
    }

    fn pixels(seed: u64) -> Vec<f32> {
        values(seed).iter().map(|v| 100.0 + v).collect()
    }

    fn position() -> SchedulePosition<'static> {
        SchedulePosition {
            identity: "cpu avx2".to_owned(),
            scales: SCALES.to_vec(),
            scale: 0,
            totals: vec![0.1 + 0.2, 1e-300, f64::MIN_POSITIVE / 8.0].into(),
            elapsed: Duration::from_millis(1_234),
            finished: None,
            adjusted: 3,
        }
    }

    fn optimizer(adam: bool) -> OptimizerState<'static> {
        match adam {
            true => OptimizerState::Adam(AdamState {
                steps: 4,
                attempts: 2,
                walker: pixels(1).into(),
                mean: values(3).into(),
                root_mean_square: values(4).into(),
            }),
            false => {
                let pair = |first| [values(first).into(), values(first + 1).into()];
                OptimizerState::Lbfgs(vec![pair(1), pair(3)])
            }
        }
    }

    /// Matches of two layers.
    const FOUND: [&[u32]; 2] = [&[7, 1 << 30], &[]];

    /// Makes the bytes of a file.
    fn bytes(position: SchedulePosition<'_>, adam: bool) -> Vec<u8> {
        let mut bytes = Vec::new();
        state(position, adam).write(&mut bytes).unwrap();
        bytes
    }

    fn state(position: SchedulePosition<'_>, adam: bool) -> SessionState<'_> {
        let matches = FOUND.iter().map(|&matches| matches.into()).collect();
        SessionState { position, point: pixels(5).into(), optimizer: optimizer(adam), matches }
    }

    fn of_bytes(bytes: &[u8]) -> Parsed<StateContents<Cursor<&[u8]>>> {
        StateContents::of_file(Cursor::new(bytes))
    }

    #[test]
    fn what_is_saved_is_loaded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        for adam in [false, true] {
            state(position(), adam).save(&path).unwrap();
            let saved = SavedState::open(&path).unwrap();
            assert_eq!((saved.position(), saved.steps_done()), (&position(), 2));
            assert_eq!((saved.point().unwrap(), saved.optimizer().unwrap()), (pixels(5), optimizer(adam)));
            assert_eq!(saved.matches().unwrap(), FOUND);
            let kind = if adam { OptimizerKind::Adam } else { OptimizerKind::Lbfgs };
            assert!(saved.check_optimizer(kind, 2).is_ok());
            assert!(saved.check_optimizer(OptimizerKind::Lbfgs, 1).is_err());
        }
    }

    #[test]
    fn a_bit_that_has_flipped_is_found() {
        let bytes = bytes(position(), false);
        for at in (0..bytes.len()).step_by(7) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << (at % 8);
            let problem = of_bytes(&damaged).err().unwrap();
            assert!(problem.contains("checksum"), "{at}: {problem}");
        }
    }

    #[test]
    fn an_end_that_does_not_agree_with_the_steps_is_refused() {
        let is_read = |position| of_bytes(&bytes(position, false)).is_ok();
        let last = |finished, totals: usize| {
            let scales = vec![Scale { width: 4, height: 3, steps: 2 }];
            is_read(SchedulePosition { scales, finished, totals: vec![1.0; totals].into(), ..position() })
        };
        assert!(last(Some(StopReason::Completed), 3) && last(None, 2));
        for (finished, totals) in [(None, 3), (None, 4), (None, 0)] {
            assert!(!last(finished, totals), "{finished:?} {totals}");
        }
        assert!(!is_read(SchedulePosition { finished: Some(StopReason::Converged), ..position() }));
    }

    #[test]
    fn a_state_of_other_scales_does_not_fit() {
        assert!(position().check_scales(&SCALES).is_ok());
        let with_steps = |i: usize, steps| {
            let mut scales = SCALES;
            scales[i].steps = steps;
            position().check_scales(&scales)
        };
        // The scale may have ended early.
        assert!(with_steps(0, 8).is_ok());
        for (i, steps) in [(0, 6), (1, 4), (1, 6)] {
            let message = with_steps(i, steps).unwrap_err().to_string();
            assert!(message.contains("it has the scales 4x3:7,8x6:5, but the run has "), "{message}");
        }
        assert!(position().check_scales(&SCALES[..1]).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]
        #[test]
        fn a_broken_file_is_an_error_or_means_something(
            places in prop::collection::vec((0usize..3000, any::<u8>()), 0..4), part in 0.0..1.0, cuts: bool, adam: bool
        ) {
            let bytes = bytes(position(), adam);
            let mut body = bytes[..bytes.len() - CHECKSUM].to_vec();
            for (position, byte) in places {
                let position = position % body.len();
                body[position] = byte;
            }
            if cuts {
                body.truncate((part * body.len() as f64) as usize);
            }
            // The checksum is left out, because it would refuse nearly all of these.
            if let Ok(found) = StateContents::new(Cursor::new(&body), body.len() as u64) {
                prop_assert!(!cuts, "half a file is no file");
                if let Ok(point) = found.point() {
                    prop_assert!(point.iter().all(|v| (0.0..=255.0).contains(v)));
                }
                drop(found.optimizer());
                prop_assert!(found.position.steps_done() < usize::MAX);
                drop(found.position.check_scales(&SCALES));
            }
        }
    }
}
