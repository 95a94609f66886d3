//! `impasto texture STYLE -o OUT`: the style alone, from noise.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::bail;
use clap::{ArgMatches, Args};
use impasto::picture;
use impasto::{Layer, Options, Padding, Scales, Session, Style, StyleLossKind, StyleStatistics, WeightedLayer};

use crate::args::{StyleLossName, count, name_of, scales, weight};
use crate::maker::Maker;
use crate::styles::{self, LookArgs, RegionArgs, Source, WeightedStyle};
use crate::synthesis::{self, SynthesisArgs};
use crate::{Failure, OrFail, input, recipe};

const EXAMPLES: &str = "\
Examples:
  impasto texture gravel.jpg -o more-gravel.png
      A picture of gravel, 512 px a side, that shows no place of the one given.
  impasto texture gravel.jpg -o tile.png --size 512 --tileable
      A tile: laid side by side, it shows no seam.
  impasto texture painting.jpg -o sky.png --style-crop 5%,5%,90%,40%
      The painting's sky alone.
  impasto texture painting.jpg -o strokes.png --size 1024x768 --style-size 512 --seed 7
      The painting's strokes at half the size that fits, from other noise.
  impasto style save gravel.jpg -o gravel.impasto-style --tileable
  impasto texture gravel.impasto-style -o tile.png --tileable
      A tile from a style file, without the picture.

What is in the style comes back in the texture: leave a frame or a white margin out with --style-crop or --style-mask.

Ctrl-C ends the run after the current step and still writes the picture.";

/// A picture of a style alone: its colours, strokes and structures, but none of its places.
///
/// Made from noise by the style loss alone, from small to large. A texture of the size of its style has structures of the same
/// size; a larger one has more of them.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub struct TextureArgs {
    /// The style: the picture whose manner is taken (PNG, JPEG, TIFF, WebP), or a file of `impasto style save`.
    pub style: PathBuf,

    /// Width and height of the result in px: a side, or WIDTHxHEIGHT.
    #[arg(long, value_name = "PX|WxH", value_parser = size, default_value = "512", help_heading = "Size")]
    #[arg(allow_hyphen_values = true)]
    pub size: (usize, usize),

    /// Make a picture that goes on at the opposite side, with no seam where copies of it meet. Its sides have to be multiples of 16 px,
    /// or of what the deepest of --style-layers needs.
    #[arg(long, help_heading = "Size")]
    pub tileable: bool,

    /// Longest side, in px, to which the style is scaled first: the smaller, the finer the structures. [default: its own size, but at
    /// most that of the result; of a style file the largest size that it holds and that is not larger]
    #[arg(long, value_name = "PX", value_parser = count, allow_hyphen_values = true, help_heading = "Size")]
    pub style_size: Option<usize>,

    /// Steps of the optimiser, over all scales; each is one pass forward and one back through the network.
    #[arg(long, value_name = "N", value_parser = count, default_value_t = Options::default().steps)]
    #[arg(allow_hyphen_values = true, help_heading = "Optimisation")]
    pub steps: usize,

    /// How many sizes to work at, from coarse to fine, each half the next.
    #[arg(long, value_name = "auto|N", value_parser = scales, default_value = "auto")]
    #[arg(allow_hyphen_values = true, help_heading = "Optimisation")]
    pub scales: Scales,

    /// How the style is compared.
    #[arg(long, value_enum, default_value_t = name_of(Options::default().style_loss), help_heading = "Optimisation")]
    pub style_loss: StyleLossName,

    /// Weight of the total variation, in units of the style's; 0 for none.
    #[arg(long, value_name = "WEIGHT", value_parser = weight, default_value_t = TV_WEIGHT)]
    #[arg(allow_hyphen_values = true, help_heading = "Optimisation")]
    pub tv_weight: f64,

    /// Layers on which the style is compared, each with an optional weight (default 1): relu4_1 or conv3_1:2.5.
    #[arg(long, value_name = "LAYER[:WEIGHT],...", value_delimiter = ',', default_values_t = Options::default().style_layers)]
    #[arg(help_heading = "Network")]
    pub style_layers: Vec<WeightedLayer>,

    #[command(flatten)]
    pub look: LookArgs,

    #[command(flatten)]
    pub synthesis: SynthesisArgs,
}

/// Enough against the speckles that noise leaves; how smooth the texture is, the style's statistics say.
const TV_WEIGHT: f64 = 0.02;

/// Makes the texture and reports.
pub fn run(args: &TextureArgs, matches: &ArgMatches) -> Result<(), Failure> {
    let started = Instant::now();
    let options = Options {
        reserved_bytes: args.synthesis.aside(args.size).or_user()?,
        steps: args.steps,
        content_weight: 0.0,
        tv_weight: args.tv_weight,
        style_layers: args.style_layers.clone(),
        style_loss: StyleLossKind::from(args.style_loss),
        scales: args.scales,
        padding: if args.tileable { Padding::Circular } else { Padding::Replicate },
        ..args.synthesis.options()
    };
    options.validate().or_user()?;
    check_size(args).or_user()?;
    let (named, regions) = ([WeightedStyle { path: args.style.clone(), weight: None }], RegionArgs::default());
    let inputs = styles::paths(&named, &args.look, &regions);
    args.synthesis.check_output(&inputs).or_user()?;
    let [named_style] = &named;
    let looks = styles::looks(&named, &args.look).or_user()?;
    let source = styles::load_one(named_style, &looks[0], args.synthesis.reading()).or_user()?;
    let style = scaled_style(args, source).or_user()?;
    let (width, height) = args.size;
    let recipe = recipe::noted(Maker::Texture, matches, &args.synthesis.output, (width, height))?;
    synthesis::run(&args.synthesis, inputs, &options, recipe, started, |network| {
        let session = Session::texture(network, style, width, height, &options);
        session.map_err(|error| styles::with_name(error, &named, &regions))
    })
}

/// Refuses a size that a layer sees nothing of, or that cannot wrap around.
fn check_size(args: &TextureArgs) -> anyhow::Result<()> {
    let (width, height) = args.size;
    let Some(deepest) = input::layers(&args.style_layers).max_by_key(|layer| layer.min_side()) else {
        return Ok(());
    };
    let least = deepest.min_side();
    if width.min(height) < least {
        bail!("--size is {width}x{height} px; {deepest} needs at least {least} px a side");
    }
    if args.tileable && !(width.is_multiple_of(least) && height.is_multiple_of(least)) {
        let [below, above] = [usize::div_euclid, usize::div_ceil]
            .map(|divided| [width, height].map(|side| divided(side, least) * least));
        bail!(
            "--size is {width}x{height} px; --tileable with {deepest} needs multiples of {least} px, as {}x{} or {}x{}",
            below[0],
            below[1],
            above[0],
            above[1]
        );
    }
    Ok(())
}

/// The style at the size it is worked on.
fn scaled_style(args: &TextureArgs, source: Source) -> anyhow::Result<Style> {
    let most = args.size.0.max(args.size.1);
    let style = match source {
        Source::Picture(style) => style,
        Source::Statistics(statistics) => {
            let longest = args.style_size.unwrap_or_else(|| largest(&statistics, most));
            return Ok(Style::from_statistics(statistics, longest));
        }
    };
    let (own_width, own_height) = (style.image.width(), style.image.height());
    let own = own_width.max(own_height);
    let longest = args.style_size.unwrap_or(own.min(most));
    let layers: Vec<Layer> = input::layers(&args.style_layers).collect();
    let (how, advice) = match args.style_size {
        _ if longest == own && args.look.style_crop.is_some() => (" in --style-crop".to_owned(), "; take more of it"),
        _ if longest == own => (String::new(), "; take a larger picture"),
        Some(size) => (format!(" at --style-size {size}"), "; choose a larger --style-size"),
        None => (" at this --size".to_owned(), "; choose a larger --size, or --style-size"),
    };
    let target = picture::fit(own_width, own_height, longest);
    styles::brought_to(&args.style, style, target, &layers, &how, advice).map(Style::from)
}

/// The largest size of a style file that is at most `most` px, or its smallest.
fn largest(statistics: &StyleStatistics, most: usize) -> usize {
    let sizes = statistics.sizes();
    let smallest = sizes.last().copied().unwrap_or(most);
    sizes.into_iter().find(|&size| size <= most).unwrap_or(smallest)
}

/// `512`, or `768x512`.
fn size(text: &str) -> Result<(usize, usize), String> {
    let (width, height) = text.split_once('x').unwrap_or((text, text));
    let (Ok(width), Ok(height)) = (count(width), count(height)) else {
        return Err("needs px of at least 1, as in 512 or 768x512".to_owned());
    };
    let most = picture::MAX_PIXELS;
    match (width as u64).checked_mul(height as u64) {
        Some(pixels) if pixels <= most => Ok((width, height)),
        _ => Err(format!("needs at most {} megapixels", most / 1_000_000)),
    }
}
