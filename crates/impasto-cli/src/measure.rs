//! `impasto measure`: the losses of any picture.

use impasto::{Layer, MeasureOptions, image_io};

use crate::args::MeasureArgs;
use crate::{Failure, OrFail, input, report};

/// Measures and prints.
pub fn run(args: &MeasureArgs) -> Result<(), Failure> {
    let defaults = MeasureOptions::default();
    let options = MeasureOptions {
        content_layers: args.network.content_layers.clone().unwrap_or(defaults.content_layers),
        style_layers: args.network.style_layers.clone(),
        pooling: args.network.engine.pooling.into(),
        threads: args.network.engine.threads,
    };

    input::check_stdin(&[&args.picture, &args.content, &args.style]).or_user()?;
    let picture = input::load(&args.picture, false).or_user()?.image;
    let content = input::load(&args.content, false).or_user()?.resized(picture.width(), picture.height()).image;
    let mut style = input::load(&args.style, false).or_user()?;
    let mut how = String::new();
    if let Some(size) = args.style_size {
        let (width, height) = image_io::fit(style.width(), style.height(), size);
        style = style.resized(width, height);
        how = format!(" at --style-size {size}");
    }
    let style = style.image;

    let style_layers: Vec<Layer> = input::layers(&options.style_layers).collect();
    let layers: Vec<Layer> = input::layers(&options.content_layers).chain(style_layers.iter().copied()).collect();
    input::check_sides(&args.picture, &picture, &layers, "", "").or_user()?;
    input::check_sides(&args.style, &style, &style_layers, &how, "").or_user()?;

    let network = input::network(&args.network.engine)?;
    let measurement = impasto::measure(&network, &picture, &content, &style, &options).or_user()?;
    let text = if args.json {
        report::json(&report::Measured::from(&measurement))?
    } else {
        report::measured_text(&args.picture, &measurement)
    };
    report::print(&text)
}
