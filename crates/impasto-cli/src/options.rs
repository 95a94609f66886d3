//! What the options of the command line come to: the library's `Options` and sizes.

use anyhow::bail;
use impasto::{Init, Objective, Options, Padding, Preset, SizeOptions, StyleLossKind};

use crate::args::{InitFrom, OutputSize, TransferArgs};

/// The size to work in; that of the content is put in once the content is known.
pub fn size_options(args: &TransferArgs) -> anyhow::Result<SizeOptions> {
    let preset = Preset::from(args.optimization.preset);
    let size = match args.size.size {
        Some(OutputSize::Original) if args.size.upscale => {
            bail!("--upscale enlarges, and --size original keeps the content's size; leave one of them out")
        }
        Some(OutputSize::Longest(size)) => size,
        Some(OutputSize::Original) | None => preset.size(),
    };
    Ok(SizeOptions { size, upscale: args.size.upscale, style_scale: args.size.style_scale })
}

/// The library's options; a picture to start from is read and put in later.
pub fn options(args: &TransferArgs) -> anyhow::Result<Options> {
    let (optimization, network) = (&args.optimization, &args.network);
    let defaults = Options::for_objective(optimization.objective.into());
    if optimization.strength.is_some() {
        check_dial(defaults.objective)?;
    }
    let strength = optimization.strength.map(impasto::content_weight_at);
    Ok(Options {
        steps: steps(args),
        content_weight: optimization.content_weight.or(strength).unwrap_or(defaults.content_weight),
        style_weight: optimization.style_weight.unwrap_or(defaults.style_weight),
        tv_weight: optimization.tv_weight.unwrap_or(defaults.tv_weight),
        content_layers: network.content_layers.clone().unwrap_or(defaults.content_layers),
        style_layers: network.style_layers.clone(),
        init: match optimization.init {
            InitFrom::Noise => Init::Noise,
            InitFrom::Content | InitFrom::File(_) => Init::Content,
        },
        seed: optimization.seed,
        optimizer: optimization.optimizer.into(),
        pooling: network.engine.pooling.into(),
        padding: optimization.padding.map_or(defaults.padding, Padding::from),
        style_loss: optimization.style_loss.map_or(defaults.style_loss, StyleLossKind::from),
        scales: optimization.scales.unwrap_or(defaults.scales),
        tolerance: optimization.tolerance,
        objective: defaults.objective,
        threads: network.engine.threads,
        memory: args.memory.limit(),
        reserved_bytes: 0,
        plan_threads: args.memory.resumed.as_ref().map(|limits| limits.threads),
        feature_cache: None,
    })
}

/// Refuses a strength where there is no such dial.
pub fn check_dial(objective: Objective) -> anyhow::Result<()> {
    if objective != Objective::Balanced {
        bail!(
            "--strength is a dial of the balanced objective; weigh the paper's with --content-weight and --style-weight"
        );
    }
    Ok(())
}

/// Steps that the run may take.
pub fn steps(args: &TransferArgs) -> usize {
    args.optimization.steps.unwrap_or(Preset::from(args.optimization.preset).steps())
}
