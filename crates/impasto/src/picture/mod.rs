//! Pictures from and to files, and at other sizes.
//!
//! In memory a picture is an [`Image`](crate::Image): RGB, f32, 0..255, as encoded (sRGB). Its
//! opacity lies beside it in a [`Picture`]. Values are rounded to 8 or 16 bits once, when a file is
//! written.
//!
//! A file carries more than pixels, and a result keeps most of it:
//!
//! | | JPEG | PNG | TIFF | WebP |
//! |---|---|---|---|---|
//! | colour profile (RGB) | kept | kept | kept | kept |
//! | EXIF | kept | kept | kept, except for makers' own blocks of TIFF files that are read | kept |
//! | transparency | laid over white | kept | kept | kept |
//! | recipe | comments | iTXt `impasto` | XMP | XMP |
//! | bits a value | 8 | 8, 16 | 8, 16 | 8 |
//!
//! ```
//! use impasto::picture::{self, SaveOptions};
//!
//! # fn main() -> impasto::Result<()> {
//! # let folder = tempfile::tempdir().expect("a temporary folder");
//! # let photo = std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/astronaut.jpg"));
//! let photo = picture::load(photo)?;
//! let small = photo.resized(64, 64);
//! let options = SaveOptions { profile: small.profile.clone(), quality: Some(80), ..SaveOptions::default() };
//! picture::save_with(&folder.path().join("small.jpg"), &small.image, &options)
//! # }
//! ```

pub(crate) mod decode;
pub(crate) mod encode;
pub(crate) mod exif;
pub(crate) mod file;
pub(crate) mod format;
pub(crate) mod formats;
pub(crate) mod guard;
pub(crate) mod hdr;
pub(crate) mod limits;
pub(crate) mod loaded;
pub(crate) mod mask;
pub(crate) mod prepare;
pub(crate) mod profile;
pub(crate) mod recipe;
pub(crate) mod resize;
pub(crate) mod save;
#[cfg(test)]
mod tests;
pub(crate) mod xmp;

pub use decode::{ReadOptions, decode, decode_with, decode_within, load, load_with, load_within};
pub use encode::{SaveOptions, encode, write};
pub use exif::Exif;
pub use file::{check_kind, check_writable, is_part, is_written_through, write_whole};
pub use format::{BitDepth, Format};
pub use limits::{MAX_FILE, MAX_PIXELS};
pub use loaded::{Picture, Warning};
pub use profile::Profile;
pub use recipe::{decode_recipe, recipe};
pub use resize::{fit, fit_nominal, nominal_side, resize, resize_style};
pub use save::{check_output, save, save_with};
