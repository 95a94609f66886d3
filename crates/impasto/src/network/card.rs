//! Graphics cards: which there are, whether they compute what the CPU computes, and how fast.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use impasto_engine::cpu::Isa;
pub use impasto_engine::gpu::GpuKind;
use impasto_engine::gpu::{GpuAdapter, GpuBackend, adapters};

use crate::error::{Error, Result};
use crate::network::Network;
use crate::noise::white_noise;
use crate::options::Options;
use crate::session::task::Task;
use crate::threads::thread_pool;

/// A graphics card that can evaluate the network, by its driver's word.
#[derive(Clone, Debug)]
pub struct Card(GpuAdapter);

/// Returns the cards of the machine, in the order of their drivers. Software in the place of a card
/// is among them.
pub fn cards() -> Vec<Card> {
    adapters().into_iter().map(Card).collect()
}

impl Card {
    /// Returns the card's name, such as `NVIDIA H100 80GB HBM3`.
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// Names what the bits of all results on the card depend on: interface, name, driver.
    pub fn identity(&self) -> String {
        self.0.identity()
    }

    /// Returns the interface that the card is driven by: `vulkan` or `metal`.
    pub fn interface(&self) -> &'static str {
        self.0.interface()
    }

    /// Returns the driver and its version, as far as it says.
    pub fn driver(&self) -> String {
        self.0.driver()
    }

    /// Returns what the card is.
    pub fn kind(&self) -> GpuKind {
        self.0.kind()
    }

    /// Returns the bytes of the largest buffer. A picture with larger maps is evaluated in bands.
    pub fn largest_buffer(&self) -> u64 {
        self.0.largest_map()
    }

    /// Returns the bytes of memory that the threads of a group share.
    pub fn group_memory(&self) -> u32 {
        self.0.group_memory()
    }

    /// Returns whether shaders can compute in f16. impasto computes in f32.
    pub fn has_f16(&self) -> bool {
        self.0.has_f16()
    }

    /// Returns whether the card multiplies small matrices by itself. impasto does not use it.
    pub fn has_cooperative_matrices(&self) -> bool {
        self.0.has_cooperative_matrices()
    }

    /// Returns whether the card measures the time of a shader.
    pub fn has_timestamps(&self) -> bool {
        self.0.has_timestamps()
    }
}

/// Most relative error of losses in the self-test.
const LOSS_ERROR: f64 = 1e-4;

/// Most relative error of the gradient in the self-test, in the Euclidean norm.
const GRADIENT_ERROR: f64 = 1e-3;

/// Sides of the pictures of the self-test, in pixels: that whose results are compared, and that
/// whose time is taken.
const SIDES: [usize; 2] = [64, 128];

/// How long evaluations are timed.
const TIMED: Duration = Duration::from_millis(50);

/// What came of a card's self-test.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SelfTest {
    /// Relative error of the total loss on the card, beside the CPU.
    pub loss_error: f64,
    /// Relative error of its gradient, in the Euclidean norm.
    pub gradient_error: f64,
    /// Time of an evaluation of 128x128 px on the card.
    pub card: Duration,
    /// The same on the CPU.
    pub cpu: Duration,
}

impl SelfTest {
    /// Returns whether the errors are within 1e-4 for losses and 1e-3 for gradients.
    pub fn passes(&self) -> bool {
        self.loss_error <= LOSS_ERROR && self.gradient_error <= GRADIENT_ERROR
    }

    /// Returns how many times as fast as the CPU the card is.
    pub fn speed(&self) -> f64 {
        self.cpu.as_secs_f64() / self.card.as_secs_f64().max(1e-9)
    }

    /// Says how fast the card is: `9.3 times as fast as the CPU`.
    pub fn speed_in_words(&self) -> String {
        let speed = self.speed();
        let decimals = if speed >= 10.0 { 0 } else { usize::from(speed < 1.0) + 1 };
        format!("{speed:.decimals$} times as fast as the CPU")
    }
}

impl fmt::Display for SelfTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.passes() { "passed" } else { "FAILED" };
        write!(f, "{word}: loss {:.1e}, gradient {:.1e}; ", self.loss_error, self.gradient_error)?;
        f.write_str(&self.speed_in_words())
    }
}

impl Network {
    /// Returns the network with the same weights on a graphics card.
    ///
    /// `memory`: bytes of the card's memory that it may take, for plans; `None`: as many as the
    /// driver gives.
    ///
    /// Errors: the driver does not open the card; the CPU does not have the instruction set that is
    /// forced.
    pub fn on_card(&self, card: &Card, memory: Option<u64>) -> Result<Self> {
        let backend = GpuBackend::new(self.weights.clone(), &card.0, memory, Isa::select()?)
            .map_err(|reason| Error::Device { reason })?;
        Ok(self.with_backend(Arc::new(backend)))
    }

    /// Evaluates the same pictures on a card and on the CPU. `self` is on the CPU, and `on_card` is
    /// the same network on the card.
    ///
    /// Errors: the card fails; threads that are not to be had.
    pub fn self_test(&self, on_card: &Self, threads: Option<usize>) -> Result<SelfTest> {
        let pool = thread_pool(threads)?;
        pool.install(|| {
            let [compared, timed] = SIDES;
            let (cpu_loss, cpu_gradient, _) = evaluated(self, compared, Duration::ZERO)?;
            let (loss, gradient, _) = evaluated(on_card, compared, Duration::ZERO)?;
            let norm = |values: &mut dyn Iterator<Item = f32>| values.map(|v| f64::from(v).powi(2)).sum::<f64>().sqrt();
            let mut differences = gradient.iter().zip(&cpu_gradient).map(|(a, b)| a - b);
            let gradient_error = norm(&mut differences) / norm(&mut cpu_gradient.iter().copied());
            let [(.., cpu), (.., card)] = [evaluated(self, timed, TIMED)?, evaluated(on_card, timed, TIMED)?];
            let loss_error = (loss / cpu_loss - 1.0).abs();
            // What is no number has no error that could be compared.
            let number = |error: f64| if error.is_nan() { f64::INFINITY } else { error };
            Ok(SelfTest { loss_error: number(loss_error), gradient_error: number(gradient_error), card, cpu })
        })
    }
}

/// Evaluates noise with the default losses. Returns the total loss, its gradient, and the least
/// time of the evaluations that fit into `time`; at least one is made.
fn evaluated(network: &Network, side: usize, time: Duration) -> Result<(f64, Vec<f32>, Duration)> {
    let [content, style, picture] = [1, 2, 3].map(|seed| white_noise(side, side, seed));
    let mut task = Task::of_pair(network, &content, &style, &Options::default())?;
    let mut gradient = vec![0.0; picture.as_slice().len()];
    let (begun, mut fastest) = (Instant::now(), Duration::MAX);
    loop {
        let started = Instant::now();
        let losses = task.evaluate(picture.as_slice(), &mut gradient)?;
        fastest = fastest.min(started.elapsed());
        if begun.elapsed() >= time {
            return Ok((losses.total, gradient, fastest));
        }
    }
}
