//! The state of a run: what it takes to go on with it, in memory and as a file.
//!
//! The file is a safetensors file with the CRC-32 of all before it as its last four bytes (little-endian). Metadata: where in the
//! schedule the run is. Tensors: `point` F32 `[H, W, 3]`, what the optimiser works on; `totals` F64, the objective at the start of the
//! scale and after each of its steps; those of the optimiser F32, with as many values as the point: `s.0`, `y.0`, ... of L-BFGS (oldest
//! first), or `walker`, `gradient`, `mean` and `root_mean_square` of Adam.

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

const KIND: FileKind = FileKind { format: "impasto-state", version: "2" };

/// Bytes of the checksum at the end.
const CHECKSUM: usize = size_of::<u32>();

/// Everything that a [`Session`](crate::Session) has changed since it was made, to the last bit: the picture, the optimiser's memory,
/// the place in the schedule. Pictures, options and weights are not in it.
///
/// Made by [`Session::state`](crate::Session::state), whose arrays it borrows; as a file it is a [`SavedState`].
#[derive(Clone, Debug, PartialEq)]
pub struct SessionState<'a> {
    pub(crate) place: SchedulePosition<'a>,
    /// What the optimiser works on, `[H, W, 3]`, 0..255.
    pub(crate) point: &'a [f32],
    pub(crate) optimizer: OptimizerState<'a>,
}

impl SessionState<'_> {
    /// Steps done so far, at all scales.
    pub fn steps_done(&self) -> usize {
        self.place.steps_done()
    }

    /// Writes the state, to the last bit; whole or not at all. A picture of 512x512 px takes 129 MB with L-BFGS, one of 1024x1024 px 264 MB.
    ///
    /// Errors: a path that cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        write_whole_with(path, |file| self.write(file).map_err(|e| write_error(path, &e)))
    }

    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let SchedulePosition { identity, scales, scale, totals, elapsed, finished } = &self.place;
        let mut words = HashMap::from([
            ("identity", identity.clone()),
            ("scales", scale_list(scales)),
            ("scale", scale.to_string()),
            ("seconds", elapsed.as_secs_f64().to_string()),
            ("finished", word(*finished).to_owned()),
        ]);
        let Scale { width, height, .. } = self.place.here();
        let mut tensors = vec![
            (POINT.to_owned(), Tensor::F32(vec![height, width, 3], self.point)),
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
            OptimizerState::Adam(AdamState { steps, walker, gradient, mean, root_mean_square }) => {
                words.insert("optimizer", ADAM.to_owned());
                words.insert("steps", steps.to_string());
                let arrays = [walker, gradient, mean, root_mean_square];
                ADAM_NAMES.into_iter().zip(arrays).for_each(|(name, values)| add(name.to_owned(), values));
            }
        }
        let mut summed = Checksummed { out, hasher: Hasher::new() };
        KIND.write(words, tensors, &mut summed)?;
        let Checksummed { out, hasher } = summed;
        out.write_all(&hasher.finalize().to_le_bytes())
    }
}

/// A state in a file, made by [`SessionState::save`], that [`Session::restore`](crate::Session::restore) takes up. Its arrays stay in the
/// file until then: they take as much memory as those of the session that they replace.
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
    /// Opens the file, and reads all of it once for its checksum.
    ///
    /// Errors: a missing or unreadable file, one that holds no state, or a damaged one.
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

    /// Steps done so far, at all scales.
    pub fn steps_done(&self) -> usize {
        self.contents.place.steps_done()
    }

    /// How long the run had taken.
    pub fn elapsed(&self) -> Duration {
        self.contents.place.elapsed
    }

    /// Where in the schedule the run is.
    pub(crate) fn place(&self) -> &SchedulePosition<'static> {
        &self.contents.place
    }

    /// Refuses a state whose optimiser is another than one of this kind that remembers `history` steps.
    pub(crate) fn check_optimizer(&self, kind: OptimizerKind, history: usize) -> Result<()> {
        let problem = match (self.contents.optimizer, kind) {
            (Remembered::Lbfgs { pairs }, OptimizerKind::Lbfgs) if pairs > history => {
                format!("its optimiser remembers {pairs} steps, and the run {history}")
            }
            (Remembered::Lbfgs { .. }, OptimizerKind::Lbfgs) | (Remembered::Adam { .. }, OptimizerKind::Adam) => {
                return Ok(());
            }
            (Remembered::Lbfgs { .. }, OptimizerKind::Adam) => other_optimizer(LBFGS, ADAM),
            (Remembered::Adam { .. }, OptimizerKind::Lbfgs) => other_optimizer(ADAM, LBFGS),
        };
        Err(Error::UnfitState { problem })
    }

    /// What the optimiser works on, `[H, W, 3]`, 0..255.
    ///
    /// Errors: what cannot be read, values that cannot be.
    pub(crate) fn point(&self) -> Result<Vec<f32>> {
        self.contents.point().map_err(self.unusable())
    }

    /// What the optimiser remembers.
    ///
    /// Errors: what cannot be read, values that cannot be.
    pub(crate) fn optimizer(&self) -> Result<OptimizerState<'static>> {
        self.contents.optimizer().map_err(self.unusable())
    }

    fn unusable(&self) -> impl Fn(String) -> Error {
        |problem| Error::StateFile { path: self.path.clone(), problem }
    }
}

fn other_optimizer(found: &str, wanted: &str) -> String {
    format!("its optimiser is {found}, and that of the run {wanted}")
}

const LBFGS: &str = "lbfgs";
const ADAM: &str = "adam";

/// What the optimiser of a state in a file remembers.
#[derive(Clone, Copy)]
enum Remembered {
    Lbfgs { pairs: usize },
    Adam { steps: i32 },
}

/// A state in a file, its arrays still there.
struct StateContents<R> {
    file: TensorFile<R>,
    place: SchedulePosition<'static>,
    optimizer: Remembered,
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
            return Err("it is damaged, its checksum is another".to_owned());
        }
        Self::new(source, len)
    }

    /// From `len` bytes, which are all but the checksum.
    fn new(source: R, len: u64) -> Parsed<Self> {
        let file = KIND.read(source, len)?;
        let get = |key: &str| file.word(key);
        let scales = get("scales").split(',').map(scale).collect::<Parsed<Vec<_>>>()?;
        let index: usize = number(get("scale"))?;
        let Some(&Scale { width, height, steps }) = scales.get(index) else {
            return Err(format!("its scale {index} is not there"));
        };
        let len = width.checked_mul(height).and_then(|n| n.checked_mul(3)).ok_or("its picture is too large")?;
        let optimizer = match get("optimizer") {
            LBFGS => Remembered::Lbfgs { pairs: number(get("pairs"))? },
            ADAM => {
                Remembered::Adam { steps: number::<u32>(get("steps"))?.try_into().map_err(|_| unknown(get("steps")))? }
            }
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
        let done = count.checked_sub(1).filter(|&done| done <= steps).ok_or("its steps are more than there are")?;
        let is_last = index + 1 == scales.len();
        if finished.is_some() && !is_last || finished.is_none() && is_last && done == steps {
            return Err("its end is not where its steps end".to_owned());
        }
        let elapsed = Duration::try_from_secs_f64(number(get("seconds"))?).map_err(|_| unknown(get("seconds")))?;
        let identity = get("identity").to_owned();
        let place = SchedulePosition { identity, scales, scale: index, totals: totals.into(), elapsed, finished };
        Ok(Self { file, place, optimizer })
    }

    fn point(&self) -> Parsed<Vec<f32>> {
        let Scale { width, height, .. } = self.place.here();
        self.pixels(POINT, &[height, width, 3])
    }

    fn optimizer(&self) -> Parsed<OptimizerState<'static>> {
        let Scale { width, height, .. } = self.place.here();
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
            Remembered::Adam { steps } => {
                let [walker, gradient, mean, root_mean_square] = ADAM_NAMES;
                OptimizerState::Adam(AdamState {
                    steps,
                    walker: self.pixels(walker, &shape)?.into(),
                    gradient: values(gradient)?,
                    mean: values(mean)?,
                    root_mean_square: values(root_mean_square)?,
                })
            }
        })
    }

    /// An array of values in 0..255.
    fn pixels(&self, name: &str, shape: &[usize]) -> Parsed<Vec<f32>> {
        let values = self.file.f32s(name, shape)?;
        all(name, &values, |v| (0.0..=255.0).contains(&v)).map(|()| values)
    }
}

/// Passes on what is written, and takes its CRC-32.
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
const ADAM_NAMES: [&str; 4] = ["walker", "gradient", "mean", "root_mean_square"];

/// What the arrays of a pair of L-BFGS are called.
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

/// A run that was interrupted is not finished.
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

    fn place() -> SchedulePosition<'static> {
        SchedulePosition {
            identity: "cpu avx2".to_owned(),
            scales: SCALES.to_vec(),
            scale: 0,
            totals: vec![0.1 + 0.2, 1e-300, f64::MIN_POSITIVE / 8.0].into(),
            elapsed: Duration::from_millis(1_234),
            finished: None,
        }
    }

    fn optimizer(adam: bool) -> OptimizerState<'static> {
        match adam {
            true => OptimizerState::Adam(AdamState {
                steps: 4,
                walker: pixels(1).into(),
                gradient: values(2).into(),
                mean: values(3).into(),
                root_mean_square: values(4).into(),
            }),
            false => {
                let pair = |first| [values(first).into(), values(first + 1).into()];
                OptimizerState::Lbfgs(vec![pair(1), pair(3)])
            }
        }
    }

    /// The bytes of a file.
    fn bytes(place: SchedulePosition<'_>, adam: bool) -> Vec<u8> {
        let mut bytes = Vec::new();
        SessionState { place, point: &pixels(5), optimizer: optimizer(adam) }.write(&mut bytes).unwrap();
        bytes
    }

    fn of_bytes(bytes: &[u8]) -> Parsed<StateContents<Cursor<&[u8]>>> {
        StateContents::of_file(Cursor::new(bytes))
    }

    #[test]
    fn what_is_saved_is_loaded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        for adam in [false, true] {
            SessionState { place: place(), point: &pixels(5), optimizer: optimizer(adam) }.save(&path).unwrap();
            let saved = SavedState::open(&path).unwrap();
            assert_eq!((saved.place(), saved.steps_done()), (&place(), 2));
            assert_eq!((saved.point().unwrap(), saved.optimizer().unwrap()), (pixels(5), optimizer(adam)));
            let kind = if adam { OptimizerKind::Adam } else { OptimizerKind::Lbfgs };
            assert!(saved.check_optimizer(kind, 2).is_ok());
            assert!(saved.check_optimizer(OptimizerKind::Lbfgs, 1).is_err());
        }
    }

    #[test]
    fn a_bit_that_has_flipped_is_found() {
        let bytes = bytes(place(), false);
        for at in (0..bytes.len()).step_by(7) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << (at % 8);
            let problem = of_bytes(&damaged).err().unwrap();
            assert!(problem.contains("checksum"), "{at}: {problem}");
        }
    }

    #[test]
    fn an_end_that_does_not_agree_with_the_steps_is_refused() {
        let is_read = |place| of_bytes(&bytes(place, false)).is_ok();
        let last = |finished, totals: usize| {
            let scales = vec![Scale { width: 4, height: 3, steps: 2 }];
            is_read(SchedulePosition { scales, finished, totals: vec![1.0; totals].into(), ..place() })
        };
        assert!(last(Some(StopReason::Completed), 3) && last(None, 2));
        for (finished, totals) in [(None, 3), (None, 4), (None, 0)] {
            assert!(!last(finished, totals), "{finished:?} {totals}");
        }
        assert!(!is_read(SchedulePosition { finished: Some(StopReason::Converged), ..place() }));
    }

    #[test]
    fn a_state_of_other_scales_does_not_fit() {
        assert!(place().check_scales(&SCALES).is_ok());
        let with_steps = |i: usize, steps| {
            let mut scales = SCALES;
            scales[i].steps = steps;
            place().check_scales(&scales)
        };
        // The scale may have ended early.
        assert!(with_steps(0, 8).is_ok());
        for (i, steps) in [(0, 6), (1, 4), (1, 6)] {
            let message = with_steps(i, steps).unwrap_err().to_string();
            assert!(message.contains("it is of the scales 4x3:7,8x6:5, and the run has "), "{message}");
        }
        assert!(place().check_scales(&SCALES[..1]).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]
        #[test]
        fn a_broken_file_is_an_error_or_means_something(
            places in prop::collection::vec((0usize..3000, any::<u8>()), 0..4), part in 0.0..1.0, cuts: bool, adam: bool
        ) {
            let bytes = bytes(place(), adam);
            let mut body = bytes[..bytes.len() - CHECKSUM].to_vec();
            for (place, byte) in places {
                let place = place % body.len();
                body[place] = byte;
            }
            if cuts {
                body.truncate((part * body.len() as f64) as usize);
            }
            // Without the checksum, which would end nearly all of these.
            if let Ok(found) = StateContents::new(Cursor::new(&body), body.len() as u64) {
                prop_assert!(!cuts, "half a file is no file");
                if let Ok(point) = found.point() {
                    prop_assert!(point.iter().all(|v| (0.0..=255.0).contains(v)));
                }
                drop(found.optimizer());
                prop_assert!(found.place.steps_done() < usize::MAX);
                drop(found.place.check_scales(&SCALES));
            }
        }
    }
}
