//! `impasto bench`: how long one iteration takes.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;
use impasto::bench::{Benchmark, Iteration, ShaderTime};
use impasto::picture;
use impasto_job::device::TakenDevice;
use impasto_job::job::values::Count;
use serde::Serialize;

use crate::args::engine::EngineArgs;
use crate::failure::{Failure, OrFail};
use crate::text;

const EXAMPLES: &str = "\
Examples:
  impasto bench
  impasto bench --size 256,512,1920x1080 --runs 9 --json
  IMPASTO_ISA=avx2 impasto bench --device cpu --threads 1 --layers
  impasto bench --device gpu --size 512,1024

Rates count the operations of direct convolution (18 * channels in * channels out * pixels, forward and backward each), whatever \
the kernels make of them. Peak memory is the process's until then, as Linux counts it; elsewhere it is left out.

IMPASTO_ISA=portable|avx2|avx512 forces an instruction set, here and in every other use of the program.";

/// Print how long one iteration takes on this machine: forward pass, losses and image gradient, on
/// noise.
///
/// That is what every step of a run does, but for its optimiser: Gram losses at relu1_1, relu2_1,
/// relu3_1, relu4_1 and relu5_1, content loss at relu4_2. Times are medians; one iteration more,
/// the first, is not counted.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub struct BenchArgs {
    /// Sizes of the image in px, a side or WIDTHxHEIGHT; the smallest is run first, so that each
    /// has a peak memory of its own.
    #[arg(long, value_name = "PX|WxH,...", value_delimiter = ',', default_values_t = [BenchSize::square(512)])]
    #[arg(allow_hyphen_values = true)]
    pub size: Vec<BenchSize>,

    /// Iterations that are counted, for each size.
    #[arg(long, value_name = "N", default_value = "5", allow_hyphen_values = true)]
    pub runs: Count,

    #[command(flatten)]
    pub engine: EngineArgs,

    /// Print each convolution's times as well, medians too. On a graphics card that measures them,
    /// also those of each shader.
    #[arg(long, help_heading = "Reporting")]
    pub layers: bool,

    /// Print one JSON object a line for each size instead of a table.
    #[arg(long, help_heading = "Reporting")]
    pub json: bool,
}

/// A size that can be benchmarked, in px.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BenchSize {
    pub width: usize,
    pub height: usize,
}

impl BenchSize {
    const fn square(side: usize) -> BenchSize {
        BenchSize { width: side, height: side }
    }
}

impl fmt::Display for BenchSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.width, self.height) {
            (width, height) if width == height => write!(f, "{width}"),
            (width, height) => write!(f, "{width}x{height}"),
        }
    }
}

impl FromStr for BenchSize {
    type Err = String;

    /// `512` or `768x512`.
    fn from_str(text: &str) -> Result<BenchSize, String> {
        let text = text.trim();
        let (width, height) = text.split_once('x').unwrap_or((text, text));
        let (Ok(width), Ok(height)) = (width.parse(), height.parse()) else {
            return Err("needs px, as in 512 or 768x512".to_owned());
        };
        let least = Benchmark::min_side();
        if least > Ord::min(width, height) {
            return Err(format!("needs at least {least} px a side"));
        }
        // What cannot be a picture is no size to measure.
        let most = picture::MAX_PIXELS;
        if (width as u64).checked_mul(height as u64).is_none_or(|pixels| pixels > most) {
            return Err(format!("needs at most {} megapixels", most / 1_000_000));
        }
        Ok(BenchSize { width, height })
    }
}

/// What one size took.
#[derive(Debug, Serialize)]
struct BenchReport {
    /// Width and height in px.
    size: [usize; 2],
    /// Median; forward and backward.
    iteration_s: f64,
    iteration_min_s: f64,
    iteration_max_s: f64,
    /// Median.
    forward_s: f64,
    /// Median.
    backward_s: f64,
    /// In MiB, of the process so far; `None` where the system does not tell.
    peak_rss_mb: Option<f64>,
    threads: usize,
    /// The instruction set; `None` on a graphics card.
    isa: Option<String>,
    /// What evaluated the network, with all that the last bits depend on.
    device: String,
    /// 1e9 operations of direct convolution, forward and backward, a second of the whole
    /// iteration.
    gflops_direct: f64,
    /// Iterations counted.
    runs: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    layers: Option<Vec<BenchLayer>>,
    /// What each shader of a graphics card took; of the last iteration.
    #[serde(skip_serializing_if = "Option::is_none")]
    shaders: Option<Vec<BenchShader>>,
}

/// What all passes of a shader's function took.
#[derive(Debug, Serialize)]
struct BenchShader {
    shader: &'static str,
    function: &'static str,
    s: f64,
    passes: usize,
}

/// What one convolution and what is fused with it took; medians.
#[derive(Debug, Serialize)]
struct BenchLayer {
    layer: String,
    forward_s: f64,
    backward_s: f64,
    forward_gflops_direct: f64,
    backward_gflops_direct: f64,
}

/// Runs the sizes and prints each when it is done.
pub fn run(args: &BenchArgs) -> Result<(), Failure> {
    let (network, device) = args.engine.network()?;
    let mut sizes = args.size.clone();
    // A peak that a larger image left would hide a smaller one's.
    sizes.sort_by_key(|size| size.width * size.height);
    for (i, &BenchSize { width, height }) in sizes.iter().enumerate() {
        let (pooling, threads) = (args.engine.pooling(), args.engine.threads());
        let benchmark = Benchmark::new(&network, width, height, pooling, threads).or_user()?;
        let measured = measure(benchmark, [width, height], &device, args).or_program()?;
        let text = if args.json {
            text::json_line(&measured)?
        } else if i == 0 || args.layers {
            format!("{}{}", header(), row(&measured))
        } else {
            row(&measured)
        };
        text::print(&text)?;
    }
    Ok(())
}

fn measure(
    mut benchmark: Benchmark,
    size: [usize; 2],
    device: &TakenDevice,
    args: &BenchArgs,
) -> impasto::Result<BenchReport> {
    if args.layers {
        benchmark.measure_passes();
        // Of the passes before, a card knows no times.
        benchmark.run()?;
    }
    let mut iterations = Vec::with_capacity(args.runs.get());
    // By layer, then by iteration.
    let mut layers = vec![Vec::with_capacity(args.runs.get()); benchmark.layer_times().len()];
    for _ in 0..args.runs.get() {
        iterations.push(benchmark.run()?);
        for (layer, time) in layers.iter_mut().zip(benchmark.layer_times()) {
            layer.push(time);
        }
    }
    let seconds = |time: fn(&Iteration) -> Duration| iterations.iter().map(move |i| time(i).as_secs_f64());
    let iteration_s = median(seconds(Iteration::total));
    let flops = benchmark.direct_flops();
    let on_card = !device.identity.starts_with("cpu ");
    let shader = |ShaderTime { shader, function, passes, time }: ShaderTime| BenchShader {
        shader,
        function,
        s: time.as_secs_f64(),
        passes,
    };
    let shaders = benchmark.shader_times().into_iter().map(shader).collect();
    let layers = layers.iter().map(|times| {
        let forward_s = median(times.iter().map(|time| time.forward.as_secs_f64()));
        let backward_s = median(times.iter().map(|time| time.backward.as_secs_f64()));
        let gflop = times[0].direct_flops as f64 / 1e9;
        BenchLayer {
            layer: times[0].layer.to_string(),
            forward_s,
            backward_s,
            forward_gflops_direct: gflop / forward_s,
            backward_gflops_direct: gflop / backward_s,
        }
    });
    Ok(BenchReport {
        size,
        iteration_s,
        iteration_min_s: seconds(Iteration::total).fold(f64::INFINITY, f64::min),
        iteration_max_s: seconds(Iteration::total).fold(0.0, f64::max),
        forward_s: median(seconds(|i| i.forward)),
        backward_s: median(seconds(|i| i.backward)),
        peak_rss_mb: peak_memory(),
        threads: benchmark.threads(),
        isa: device.identity.strip_prefix("cpu ").map(str::to_owned),
        device: device.identity.clone(),
        gflops_direct: flops as f64 / iteration_s / 1e9,
        runs: args.runs.get(),
        layers: args.layers.then(|| layers.collect()),
        shaders: (args.layers && on_card).then_some(shaders),
    })
}

/// The middle one of an odd number of values, the mean of the two in the middle of an even one.
///
/// # Panics
/// Without values.
fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    (values[(values.len() - 1) / 2] + values[values.len() / 2]) / 2.0
}

/// The most memory that this process had at any time, in MiB.
fn peak_memory() -> Option<f64> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    peak_of_status(&std::fs::read_to_string("/proc/self/status").ok()?)
}

/// `VmHWM:    1234 kB` in the text of `/proc/self/status`, in MiB.
fn peak_of_status(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: f64 = line.strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024.0)
}

/// The head of the table of sizes.
fn header() -> String {
    line(&SIZE_WIDTHS, SIZE_HEADS.map(str::to_owned))
}

const SIZE_HEADS: [&str; 9] =
    ["size", "iteration", "min..max", "forward", "backward", "direct GFLOP/s", "peak memory", "threads", "device"];

/// As wide as any machine's numbers, since a row is printed before the next is known.
const SIZE_WIDTHS: [usize; 9] = [11, 10, 19, 10, 10, 14, 11, 7, 12];

const LAYER_HEADS: [&str; 5] = ["layer", "forward", "direct GFLOP/s", "backward", "direct GFLOP/s"];

const SHADER_HEADS: [&str; 4] = ["shader", "function", "time", "passes"];

const SHADER_WIDTHS: [usize; 4] = [11, 16, 12, 7];

const LAYER_WIDTHS: [usize; 5] = [11, 10, 14, 10, 14];

/// The row of one size, and below it those of its layers.
fn row(measured: &BenchReport) -> String {
    let [width, height] = measured.size;
    let seconds = |s: f64| format!("{s:.4} s");
    let mut text = line(
        &SIZE_WIDTHS,
        [
            format!("{width}x{height}"),
            seconds(measured.iteration_s),
            format!("{:.4}..{}", measured.iteration_min_s, seconds(measured.iteration_max_s)),
            seconds(measured.forward_s),
            seconds(measured.backward_s),
            format!("{:.1}", measured.gflops_direct),
            measured.peak_rss_mb.map_or_else(|| "-".to_owned(), |mb| format!("{mb:.0} MiB")),
            measured.threads.to_string(),
            measured.isa.as_ref().unwrap_or(&measured.device).clone(),
        ],
    );
    if let Some(layers) = &measured.layers {
        text.push_str(&line(&LAYER_WIDTHS, LAYER_HEADS.map(str::to_owned)));
        for layer in layers {
            let cells = [
                layer.layer.clone(),
                format!("{:.3} ms", 1e3 * layer.forward_s),
                format!("{:.1}", layer.forward_gflops_direct),
                format!("{:.3} ms", 1e3 * layer.backward_s),
                format!("{:.1}", layer.backward_gflops_direct),
            ];
            text.push_str(&line(&LAYER_WIDTHS, cells));
        }
        if layers.is_empty() {
            text.push_str("this device does not measure its passes\n");
        }
    }
    for (number, BenchShader { shader, function, s, passes }) in measured.shaders.iter().flatten().enumerate() {
        if number == 0 {
            text.push_str(&line(&SHADER_WIDTHS, SHADER_HEADS.map(str::to_owned)));
        }
        let cells = [(*shader).to_owned(), (*function).to_owned(), format!("{:.3} ms", 1e3 * s), passes.to_string()];
        text.push_str(&line(&SHADER_WIDTHS, cells));
    }
    text
}

/// Cells to the right of their columns.
fn line<const N: usize>(widths: &[usize; N], cells: [String; N]) -> String {
    let cells: Vec<String> = widths.iter().zip(cells).map(|(&width, cell)| format!("{cell:>width$}")).collect();
    format!("{}\n", cells.join("  "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median([3.0, 1.0, 9.0].into_iter()), 3.0);
        assert_eq!(median([4.0, 1.0, 9.0, 3.0].into_iter()), 3.5);
        assert_eq!(median([7.0].into_iter()), 7.0);
    }

    #[test]
    fn peak_memory_is_read_from_linux_status() {
        assert_eq!(peak_of_status("Name:\timpasto\nVmHWM:\t  524800 kB\nVmRSS:\t  1024 kB\n"), Some(512.5));
        assert_eq!(peak_of_status("Name:\timpasto\n"), None);
        assert_eq!(peak_memory().is_some(), cfg!(target_os = "linux"));
    }
}
