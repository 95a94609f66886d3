//! What options come to whose defaults are not clap's, because they follow from other options.

use clap::ValueEnum;
use impasto::{DEFAULT_STRENGTH, Objective, Scales, WeightedLayer};

use crate::args::{OutputSize, PaddingName, StyleLossName, TransferArgs, name_of};
use crate::options;
use crate::settings::Setting;

/// The options whose defaults follow from other options, with what they come to.
///
/// Errors: options that contradict each other.
pub fn settings(args: &TransferArgs) -> anyhow::Result<Vec<(&'static str, Setting)>> {
    let (size, options) = (options::size_options(args)?, options::options(args)?);
    let layers = |layers: &[WeightedLayer]| Setting::Many(layers.iter().map(WeightedLayer::to_string).collect());
    let mut settings = vec![
        ("size", Setting::One(args.size.size.unwrap_or(OutputSize::Longest(size.size)).to_string())),
        ("steps", Setting::One(options.steps.to_string())),
        ("scales", Setting::One(scales_word(options.scales))),
        ("style-loss", Setting::One(word::<StyleLossName, _>(options.style_loss))),
        ("style-weight", Setting::One(options.style_weight.to_string())),
        ("tv-weight", Setting::One(options.tv_weight.to_string())),
        ("content-layers", layers(&options.content_layers)),
        ("padding", Setting::One(word::<PaddingName, _>(options.padding))),
    ];
    // The dial is the content's weight in other words: one of the two is set.
    match options.objective {
        Objective::Balanced if args.optimization.content_weight.is_none() => {
            let strength = args.optimization.strength.unwrap_or(DEFAULT_STRENGTH);
            settings.push(("strength", Setting::One(strength.to_string())));
        }
        _ => settings.push(("content-weight", Setting::One(options.content_weight.to_string()))),
    }
    Ok(settings)
}

fn word<N: ValueEnum + Copy + Into<T>, T: PartialEq>(value: T) -> String {
    let word = name_of::<N, T>(value).to_possible_value().expect("no value is hidden from the command line");
    word.get_name().to_owned()
}

fn scales_word(scales: Scales) -> String {
    match scales {
        Scales::Auto => "auto".to_owned(),
        Scales::Count(count) => count.to_string(),
    }
}
