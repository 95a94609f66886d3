//! `--colors`: whose colours the result has, in the command line's words.

use clap::{Args, ValueEnum};
use impasto::ColorMode;

#[derive(Args, Debug)]
#[command(next_help_heading = "Colours")]
pub struct ColorArgs {
    /// Whose colours the result has.
    #[arg(long, value_enum, default_value_t = ColorsName::Style)]
    pub colors: ColorsName,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum ColorsName {
    /// The style's.
    Style,
    /// The photo's: as `style`, then each pixel gets the photo's colour at the brightness that it has.
    Content,
    /// The photo's, and the style's count for nothing: only light and dark are transferred.
    Luminance,
    /// The style's strokes in the photo's palette: the style is recoloured like the photo first.
    Matched,
}

impl From<ColorsName> for ColorMode {
    fn from(name: ColorsName) -> ColorMode {
        match name {
            ColorsName::Style => ColorMode::Style,
            ColorsName::Content => ColorMode::Content,
            ColorsName::Luminance => ColorMode::Luminance,
            ColorsName::Matched => ColorMode::Matched,
        }
    }
}
