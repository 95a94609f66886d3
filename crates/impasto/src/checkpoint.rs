//! The state of a run: what it takes to go on with it, in memory and as a file.
//!
//! The file is a safetensors file with the CRC-32 of all before it as its last four bytes (little-endian). Metadata: where in the
//! schedule the run is. Tensors: `point` F32 `[H, W, 3]`, what the optimiser works on; `totals` F64, the objective at the start of the
//! scale and after each of its steps; those of the optimiser F32, with as many values as the point: `s.0`, `y.0`, ... of L-BFGS (oldest
//! first), or `walker`, `gradient`, `mean` and `root_mean_square` of Adam.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use crate::image_io::{read_error, write_whole};
use crate::optimizer::{OptimizerState, Values};
use crate::tensor_file::{Kind, Parsed, Tensor, all, unknown};
use crate::{Error, Result, Scale, StopReason};

const KIND: Kind = Kind { format: "impasto-state", version: "1" };

/// Bytes of the checksum at the end.
const CHECKSUM: usize = size_of::<u32>();

/// Everything that a [`Session`](crate::Session) has changed since it was made, to the last bit: the picture, the optimiser's memory,
/// the place in the schedule. Pictures, options and weights are not in it.
///
/// Made by [`Session::state`](crate::Session::state), or read from a file; taken up by
/// [`Session::restore`](crate::Session::restore).
#[derive(Clone, Debug, PartialEq)]
pub struct SessionState<'a> {
    /// The instruction set; empty when no loss looks at a feature map.
    pub(crate) isa: String,
    /// Those that are done have the steps that they took.
    pub(crate) scales: Vec<Scale>,
    /// Index into `scales`.
    pub(crate) scale: usize,
    /// The objective at the start of the scale and after each of its steps.
    pub(crate) totals: Cow<'a, [f64]>,
    /// What the optimiser works on, `[H, W, 3]`, 0..255.
    pub(crate) point: Values<'a>,
    pub(crate) optimizer: OptimizerState<'a>,
    pub(crate) elapsed: Duration,
    pub(crate) finished: Option<StopReason>,
}

impl SessionState<'_> {
    /// Steps done so far, at all scales.
    pub fn steps_done(&self) -> usize {
        let before = self.scales[..self.scale].iter().map(|scale| scale.steps);
        before.fold(self.totals.len() - 1, usize::saturating_add)
    }

    /// How long the run had taken.
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// Writes the state, to the last bit; whole or not at all. A picture of 512x512 px takes 129 MB with L-BFGS, one of 1024x1024 px 264 MB.
    ///
    /// Errors: a path that cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        write_whole(path, &self.to_bytes())
    }

    /// Refuses a state that is not of a run with these scales.
    pub(crate) fn check_scales(&self, scales: &[Scale]) -> Result<()> {
        let fits = self.scales.len() == scales.len()
            && self.scales.iter().zip(scales).enumerate().all(|(i, (own, other))| {
                let steps = if i > self.scale { own.steps == other.steps } else { own.steps <= other.steps };
                steps && (own.width, own.height) == (other.width, other.height)
            });
        if fits {
            return Ok(());
        }
        Err(Error::UnfitState {
            problem: format!(
                "it is of the scales {}, and the run has {}",
                scale_list(&self.scales),
                scale_list(scales)
            ),
        })
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut words = HashMap::from([
            ("isa", self.isa.clone()),
            ("scales", scale_list(&self.scales)),
            ("scale", self.scale.to_string()),
            ("optimizer", self.optimizer.name().to_owned()),
            ("seconds", self.elapsed.as_secs_f64().to_string()),
            ("finished", word(self.finished).to_owned()),
        ]);
        let Scale { width, height, .. } = self.scales[self.scale];
        let mut tensors = vec![
            ("point".to_owned(), Tensor::F32(vec![height, width, 3], &self.point)),
            ("totals".to_owned(), Tensor::F64(vec![self.totals.len()], (&*self.totals).into())),
        ];
        let mut add = |name: String, values| tensors.push((name, Tensor::F32(vec![self.point.len()], values)));
        match &self.optimizer {
            OptimizerState::Lbfgs(pairs) => {
                words.insert("pairs", pairs.len().to_string());
                for (i, [s, y]) in pairs.iter().enumerate() {
                    add(format!("s.{i}"), s);
                    add(format!("y.{i}"), y);
                }
            }
            OptimizerState::Adam { steps, walker, gradient, mean, root_mean_square } => {
                words.insert("steps", steps.to_string());
                add("walker".to_owned(), walker);
                add("gradient".to_owned(), gradient);
                add("mean".to_owned(), mean);
                add("root_mean_square".to_owned(), root_mean_square);
            }
        }
        let mut bytes = KIND.to_bytes(words, tensors);
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        bytes
    }
}

impl SessionState<'static> {
    /// Reads what [`SessionState::save`] wrote.
    ///
    /// Errors: a missing or unreadable file, one that holds no state, or a damaged one.
    pub fn load(path: &Path) -> Result<Self> {
        if path.is_dir() {
            return Err(Error::Folder { path: path.to_owned(), wanted: "the state of a run" });
        }
        let mut bytes = Vec::new();
        File::open(path).and_then(|mut file| file.read_to_end(&mut bytes)).map_err(|e| read_error(path, e))?;
        Self::from_bytes(&bytes).map_err(|problem| Error::StateFile { path: path.to_owned(), problem })
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Parsed<Self> {
        let (body, checksum) = bytes.split_last_chunk::<CHECKSUM>().ok_or("it is too short")?;
        if crc32fast::hash(body) != u32::from_le_bytes(*checksum) {
            return Err("it is damaged, its checksum is another".to_owned());
        }
        Self::from_body(body)
    }

    /// From the bytes without the checksum.
    fn from_body(body: &[u8]) -> Parsed<Self> {
        let file = KIND.read(body)?;
        let get = |key: &str| file.word(key);
        let scales = get("scales").split(',').map(scale).collect::<Parsed<Vec<_>>>()?;
        let index: usize = number(get("scale"))?;
        let Some(&Scale { width, height, steps }) = scales.get(index) else {
            return Err(format!("its scale {index} is not there"));
        };
        let len = width.checked_mul(height).and_then(|n| n.checked_mul(3)).ok_or("its picture is too large")?;
        let values = |name: &str, shape: &[usize]| -> Parsed<Values<'static>> { Ok(file.f32s(name, shape)?.into()) };
        let pixels = |name: &str, shape: &[usize]| {
            let values = values(name, shape)?;
            all(name, &values, |v| (0.0..=255.0).contains(&v)).map(|()| values)
        };
        let optimizer = match get("optimizer") {
            "lbfgs" => {
                let pair = |i: usize| Ok([values(&format!("s.{i}"), &[len])?, values(&format!("y.{i}"), &[len])?]);
                OptimizerState::Lbfgs((0..number(get("pairs"))?).map(pair).collect::<Parsed<_>>()?)
            }
            "adam" => OptimizerState::Adam {
                steps: number::<u32>(get("steps"))?.try_into().map_err(|_| unknown(get("steps")))?,
                walker: pixels("walker", &[len])?,
                gradient: values("gradient", &[len])?,
                mean: values("mean", &[len])?,
                root_mean_square: values("root_mean_square", &[len])?,
            },
            other => return Err(unknown(other)),
        };
        let count = file.len("totals").unwrap_or(0);
        let totals = file.f64s("totals", &[count])?;
        let finished = finished(get("finished"))?;
        let done = count.checked_sub(1).filter(|&done| done <= steps).ok_or("its steps are more than there are")?;
        let is_last = index + 1 == scales.len();
        if finished.is_some() && !is_last || finished.is_none() && is_last && done == steps {
            return Err("its end is not where its steps end".to_owned());
        }
        let elapsed = Duration::try_from_secs_f64(number(get("seconds"))?).map_err(|_| unknown(get("seconds")))?;
        let point = pixels("point", &[height, width, 3])?;
        let (isa, totals) = (get("isa").to_owned(), totals.into());
        Ok(Self { isa, scales, scale: index, totals, point, optimizer, elapsed, finished })
    }
}

/// `256x171:40,512x341:40`: width, height and steps of each.
fn scale_list(scales: &[Scale]) -> String {
    let word = |scale: &Scale| format!("{}x{}:{}", scale.width, scale.height, scale.steps);
    scales.iter().map(word).collect::<Vec<_>>().join(",")
}

fn scale(text: &str) -> Parsed<Scale> {
    let (size, steps) = text.split_once(':').ok_or_else(|| unknown(text))?;
    let (width, height) = size.split_once('x').ok_or_else(|| unknown(text))?;
    match (number(width)?, number(height)?, number(steps)?) {
        (0, ..) | (_, 0, _) | (.., 0) => Err(unknown(text)),
        (width, height, steps) => Ok(Scale { width, height, steps }),
    }
}

fn word(finished: Option<StopReason>) -> &'static str {
    match finished {
        Some(StopReason::Completed) => "completed",
        Some(StopReason::Converged) => "converged",
        Some(StopReason::Stopped) | None => "no",
    }
}

fn finished(text: &str) -> Parsed<Option<StopReason>> {
    let reasons = [None, Some(StopReason::Completed), Some(StopReason::Converged)];
    reasons.into_iter().find(|&reason| word(reason) == text).ok_or_else(|| unknown(text))
}

fn number<T: std::str::FromStr>(text: &str) -> Parsed<T> {
    text.parse().map_err(|_| unknown(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise::test_values;
    use proptest::prelude::*;

    const SCALES: [Scale; 2] = [Scale { width: 4, height: 3, steps: 7 }, Scale { width: 8, height: 6, steps: 5 }];

    fn state(adam: bool) -> SessionState<'static> {
        let values = |seed| Values::from(test_values(4 * 3 * 3, seed));
        let pixels = |seed| Values::from(test_values(4 * 3 * 3, seed).iter().map(|v| 100.0 + v).collect::<Vec<_>>());
        let optimizer = match adam {
            true => OptimizerState::Adam {
                steps: 4,
                walker: pixels(1),
                gradient: values(2),
                mean: values(3),
                root_mean_square: values(4),
            },
            false => OptimizerState::Lbfgs(vec![[values(1), values(2)], [values(3), values(4)]]),
        };
        SessionState {
            isa: "avx2".to_owned(),
            scales: SCALES.to_vec(),
            scale: 0,
            totals: vec![0.1 + 0.2, 1e-300, f64::MIN_POSITIVE / 8.0].into(),
            point: pixels(5),
            optimizer,
            elapsed: Duration::from_millis(1_234),
            finished: None,
        }
    }

    #[test]
    fn what_is_saved_is_loaded() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        for adam in [false, true] {
            state(adam).save(&path).unwrap();
            assert_eq!(SessionState::load(&path).unwrap(), state(adam));
        }
        assert_eq!(state(true).steps_done(), 2);
    }

    #[test]
    fn a_bit_that_has_flipped_is_found() {
        let bytes = state(false).to_bytes();
        for place in (0..bytes.len()).step_by(7) {
            let mut damaged = bytes.clone();
            damaged[place] ^= 1 << (place % 8);
            let problem = SessionState::from_bytes(&damaged).unwrap_err();
            assert!(problem.contains("checksum"), "{place}: {problem}");
        }
    }

    #[test]
    fn an_end_that_does_not_agree_with_the_steps_is_refused() {
        let last = |finished, totals: usize| {
            let scales = vec![Scale { width: 4, height: 3, steps: 2 }];
            let state = SessionState { scales, finished, totals: vec![1.0; totals].into(), ..state(false) };
            SessionState::from_bytes(&state.to_bytes())
        };
        assert!(last(Some(StopReason::Completed), 3).is_ok() && last(None, 2).is_ok());
        for (finished, totals) in [(None, 3), (None, 4), (None, 0)] {
            assert!(last(finished, totals).is_err(), "{finished:?} {totals}");
        }
        let early = SessionState { finished: Some(StopReason::Converged), ..state(false) };
        assert!(SessionState::from_bytes(&early.to_bytes()).is_err());
    }

    #[test]
    fn a_state_of_other_scales_does_not_fit() {
        assert!(state(false).check_scales(&SCALES).is_ok());
        let with_steps = |i: usize, steps| {
            let mut scales = SCALES;
            scales[i].steps = steps;
            state(false).check_scales(&scales)
        };
        // The scale may have ended early.
        assert!(with_steps(0, 8).is_ok());
        for (i, steps) in [(0, 6), (1, 4), (1, 6)] {
            let message = with_steps(i, steps).unwrap_err().to_string();
            assert!(message.contains("it is of the scales 4x3:7,8x6:5, and the run has "), "{message}");
        }
        assert!(state(false).check_scales(&SCALES[..1]).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]
        #[test]
        fn a_broken_file_is_an_error_or_means_something(
            places in prop::collection::vec((0usize..3000, any::<u8>()), 0..4), part in 0.0..1.0, cuts: bool, adam: bool
        ) {
            let bytes = state(adam).to_bytes();
            let mut body = bytes[..bytes.len() - CHECKSUM].to_vec();
            for (place, byte) in places {
                let place = place % body.len();
                body[place] = byte;
            }
            if cuts {
                body.truncate((part * body.len() as f64) as usize);
            }
            // Without the checksum, which would end nearly all of these.
            if let Ok(found) = SessionState::from_body(&body) {
                prop_assert!(!cuts, "half a file is no file");
                prop_assert!(found.point.iter().all(|v| (0.0..=255.0).contains(v)));
                prop_assert!(found.steps_done() < usize::MAX);
                drop(found.check_scales(&SCALES));
            }
        }
    }
}
