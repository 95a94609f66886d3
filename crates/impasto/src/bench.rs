//! How long one step of a run takes on this machine, without its optimiser: forward pass, losses,
//! gradient.

use std::time::{Duration, Instant};

use impasto_engine::network::direct_flops;
pub use impasto_engine::network::{LayerTime, ShaderTime};
use impasto_engine::{Layer, LayerKind, Pooling};
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
    size: (usize, usize),
    deepest: Layer,
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
        let options = options(pooling);
        let layers = options.content_layers.iter().chain(&options.style_layers).map(|weighted| weighted.layer);
        let mut benchmark = Self {
            pool,
            task,
            gradient: vec![0.0; image.as_slice().len()],
            pixels: image.as_slice().to_vec(),
            size: (width, height),
            deepest: layers.max().expect("there are layers"),
        };
        benchmark.run()?;
        Ok(benchmark)
    }

    /// Evaluates once.
    ///
    /// Errors: a graphics card fails.
    pub fn run(&mut self) -> Result<Iteration> {
        let Self { pool, task, pixels, gradient, .. } = self;
        pool.install(|| {
            let start = Instant::now();
            task.forward(pixels)?;
            let forward = start.elapsed();
            task.backward(pixels, gradient)?;
            Ok(Iteration { forward, backward: start.elapsed() - forward })
        })
    }

    /// Returns the operations of the convolutions in one iteration in their direct form, forward
    /// and backward. A multiply-add counts as two.
    pub fn direct_flops(&self) -> u64 {
        let of_layer = |layer| 2 * direct_flops(layer, self.size.0, self.size.1);
        Layer::all().filter(|layer| layer.kind() == LayerKind::Relu && *layer <= self.deepest).map(of_layer).sum()
    }

    /// Measures the time of every pass of a graphics card from now on, which takes a little time
    /// itself. The CPU always measures its own.
    pub fn measure_passes(&mut self) {
        self.task.measure_passes();
    }

    /// Returns the time that each convolution of the last iteration took, in network order. It is
    /// empty on a graphics card that does not measure.
    pub fn layer_times(&self) -> Vec<LayerTime> {
        self.task.layer_times()
    }

    /// Returns the time that each shader of a graphics card took in the last iteration, the longest
    /// first.
    pub fn shader_times(&self) -> Vec<ShaderTime> {
        self.task.shader_times()
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
        let iteration = benchmark.run().unwrap();
        assert!(iteration.forward > Duration::ZERO && iteration.backward > Duration::ZERO);
        assert_eq!(benchmark.threads(), 2);

        let layers = benchmark.layer_times();
        assert_eq!(layers.len(), 13);
        assert_eq!(layers[12].layer, "relu5_1".parse().unwrap());
        assert_eq!(benchmark.direct_flops(), layers.iter().map(|layer| 2 * layer.direct_flops).sum::<u64>());
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
