//! Pictures from and to files, and to other sizes.
//!
//! In between, a picture is an [`Image`](crate::Image): RGB, f32, 0..255, as encoded (sRGB), with its opacity beside it in a [`Picture`].
//! Rounding to 8 or 16 bits happens once, when a file is written.
//!
//! What a file carries besides its pixels, and what becomes of it:
//!
//! | | JPEG | PNG | TIFF | WebP |
//! |---|---|---|---|---|
//! | colour profile (RGB) | kept | kept | kept | kept |
//! | EXIF | kept | kept | kept, but for makers' own blocks of TIFF files that are read | kept |
//! | transparency | laid over white | kept | kept | kept |
//! | recipe | comments | iTXt `impasto` | XMP | XMP |
//! | bits a value | 8 | 8, 16 | 8, 16 | 8 |

pub(crate) mod cmyk;
pub(crate) mod decode;
pub(crate) mod decoder_error;
pub(crate) mod encode;
pub(crate) mod exif;
pub(crate) mod file;
pub(crate) mod format;
pub(crate) mod jpeg;
pub(crate) mod limits;
pub(crate) mod loaded;
pub(crate) mod mask;
pub(crate) mod prepare;
pub(crate) mod profile;
pub(crate) mod raw;
pub(crate) mod recipe;
pub(crate) mod resize;
pub(crate) mod save;
#[cfg(test)]
mod tests;
pub(crate) mod tiff;

pub use decode::{decode, decode_within, load, load_within};
pub use encode::{SaveOptions, encode, write};
pub use exif::Exif;
pub use file::{check_writable, is_part, write_whole};
pub use format::{BitDepth, Format};
pub use limits::{MAX_FILE, MAX_PIXELS};
pub use loaded::{Picture, Warning};
pub use profile::Profile;
pub use recipe::{decode_recipe, recipe};
pub use resize::{fit, resize};
pub use save::{check_output, save, save_with};
