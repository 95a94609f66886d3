//! How long one step of a run takes on this machine, without its optimiser: forward pass, losses,
//! gradient.

use std::time::{Duration, Instant};

use impasto_engine::Pooling;
pub use impasto_engine::network::LayerTime;
use rayon::ThreadPool;

use crate::error::Result;
use crate::network::Network;
use crate::noise::white_noise;
use crate::options::{Objective, Options};
use crate::session::task::Task;
use crate::threads::{check_threads, thread_pool};

/// The time that one evaluation took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Iteration {
    /// Time of the forward pass to relu5_1.
    pub forward: Duration,
    /// Time of the losses, their gradients, and the gradient with respect to the image.
    pub backward: Duration,
}

impl Iteration {
    /// Returns the sum of both.
    pub fn total(&self) -> Duration {
        self.forward + self.backward
    }
}

/// The evaluation that every step of a run makes, on noise.
///
/// It consists of the forward pass to relu5_1, Gram losses (eq. (2)) at relu1_1, relu2_1, relu3_1,
/// relu4_1 and relu5_1, the content loss (eq. (1)) at relu4_2, and the gradient of their sum with
/// respect to the image.
pub struct Benchmark {
    pool: ThreadPool,
    task: Task,
    pixels: Vec<f32>,
    gradient: Vec<f32>,
}

/// Seeds of two pictures of noise: the one that is evaluated, and the one that is its target.
const SEEDS: [u64; 2] = [0, 1];

impl Benchmark {
    /// Returns the smallest side, in pixels, of an image that can be evaluated.
    pub fn min_side() -> usize {
        let options = options(Pooling::default());
        let layers = options.content_layers.iter().chain(&options.style_layers);
        layers.map(|weighted| weighted.layer.min_side()).max().unwrap_or(1)
    }

    /// Takes the targets from noise and evaluates once. Later iterations then find the weights
    /// unpacked and the memory in place.
    ///
    /// `width` and `height` are those of all images, in pixels. `threads` is 1 to 1024, or `None`
    /// for one for each core.
    ///
    /// Errors: a side is below [`Benchmark::min_side`]; the threads are not to be had; the CPU does
    /// not have the instruction set that is forced.
    pub fn new(
        network: &Network,
        width: usize,
        height: usize,
        pooling: Pooling,
        threads: Option<usize>,
    ) -> Result<Self> {
        check_threads(threads)?;
        let [image, target] = SEEDS.map(|seed| white_noise(width, height, seed));
        let pool = thread_pool(threads)?;
        let task = pool.install(|| Task::of_pair(network, &target, &target, &options(pooling)))?;
        let mut benchmark =
            Self { pool, task, gradient: vec![0.0; image.as_slice().len()], pixels: image.as_slice().to_vec() };
        benchmark.run();
        Ok(benchmark)
    }

    /// Evaluates once.
    pub fn run(&mut self) -> Iteration {
        let Self { pool, task, pixels, gradient } = self;
        pool.install(|| {
            let start = Instant::now();
            task.forward(pixels).expect("whole maps are in memory");
            let forward = start.elapsed();
            task.backward(pixels, gradient).expect("whole maps are in memory");
            Iteration { forward, backward: start.elapsed() - forward }
        })
    }

    /// Returns the time that each convolution of the last iteration took, in network order.
    pub fn layer_times(&self) -> &[LayerTime] {
        self.task.layer_times()
    }

    /// Returns what the bits of the evaluation depend on: `cpu avx512`.
    pub fn identity(&self) -> &str {
        self.task.identity()
    }

    /// Returns the number of threads in use.
    pub fn threads(&self) -> usize {
        self.pool.current_num_threads()
    }
}

/// Raw losses. Units would mean more work before the first iteration, and none in it.
fn options(pooling: Pooling) -> Options {
    Options { pooling, content_weight: 1.0, style_weight: 1.0, ..Options::for_objective(Objective::Paper) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    #[test]
    fn an_iteration_is_that_of_a_session() {
        let network = Network::embedded().unwrap();
        let mut benchmark = Benchmark::new(&network, 32, 18, Pooling::Max, Some(2)).unwrap();
        let iteration = benchmark.run();
        assert!(iteration.forward > Duration::ZERO && iteration.backward > Duration::ZERO);
        assert_eq!(benchmark.threads(), 2);

        let layers = benchmark.layer_times();
        assert_eq!(layers.len(), 13);
        assert_eq!(layers[12].layer, "relu5_1".parse().unwrap());
        assert!(layers.iter().map(|layer| layer.forward).sum::<Duration>() <= iteration.forward);
        assert!(layers.iter().map(|layer| layer.backward).sum::<Duration>() <= iteration.backward);

        let [image, target] = SEEDS.map(|seed| white_noise(32, 18, seed));
        let mut task = Task::of_pair(&network, &target, &target, &options(Pooling::Max)).unwrap();
        let mut gradient = vec![0.0; image.as_slice().len()];
        let losses = task.evaluate(image.as_slice(), &mut gradient).unwrap();
        assert_eq!((losses.content.len(), losses.style.len()), (1, 5));
        assert_eq!(benchmark.gradient, gradient);
    }

    #[test]
    fn the_smallest_side_is_the_deepest_layers() {
        let network = Network::embedded().unwrap();
        let least = Benchmark::min_side();
        assert_eq!(least, 16);
        assert!(Benchmark::new(&network, least, least, Pooling::Average, None).is_ok());
        assert!(matches!(
            Benchmark::new(&network, least, least - 1, Pooling::Max, None),
            Err(Error::TooSmall { width: 16, height: 15, .. })
        ));
        assert!(matches!(
            Benchmark::new(&network, 16, 16, Pooling::Max, Some(0)),
            Err(Error::Option { option: "threads", .. })
        ));
    }
}
