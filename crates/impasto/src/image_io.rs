//! Pictures from and to files, and to other sizes.
//!
//! In between, a picture is an [`Image`]: RGB, f32, 0..255, as encoded (sRGB). Rounding to 8 bits happens once, in [`save`].

use std::fs::{File, Permissions};
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::F32x3;
use fast_image_resize::{FilterType, ResizeAlg, ResizeOptions, Resizer};
use image::codecs::{jpeg::JpegEncoder, png::PngEncoder, tiff::TiffEncoder, webp::WebPEncoder};
use image::metadata::Orientation;
use image::{
    DynamicImage, ExtendedColorType, ImageDecoder, ImageEncoder, ImageError, ImageFormat, ImageReader, Limits,
};
use rayon::prelude::*;
use tempfile::NamedTempFile;

use crate::reduce::CHUNK;
use crate::{Error, Image, Result};

/// A picture with more pixels is not decoded. The largest cameras stay below; a file of a few kilobytes that claims 2 gigapixels
/// does not.
pub const MAX_PIXELS: u64 = 100_000_000;

/// Memory that a decoder may take, in bytes: [`MAX_PIXELS`] of the widest pixel there is (RGBA f32).
const MAX_DECODER_MEMORY: u64 = MAX_PIXELS * 16;

/// Of 100: beyond it files grow quickly, and brush strokes look no different.
const JPEG_QUALITY: u8 = 95;

/// What is wrong with a truncated file.
const CUT_SHORT: &str = "it ends in the middle of the picture";

/// Reads a picture: JPEG, PNG, TIFF or WebP by its content, whatever its name.
///
/// The orientation noted by the camera is applied; grey, palette and 16-bit values become RGB in 0..255 (16 bits keep their
/// fractions); transparency is laid over white. Colour profiles are not looked at: values are taken as sRGB.
///
/// Errors tell a missing file, a folder, an unreadable file, a file that is no picture, a damaged one, and one above
/// [`MAX_PIXELS`] apart.
pub fn load(path: &Path) -> Result<Image> {
    if path.is_dir() {
        return Err(Error::Folder { path: path.to_owned(), wanted: "a picture" });
    }
    let file = File::open(path).map_err(|e| read_error(path, e))?;
    let mut reader = ImageReader::new(BufReader::new(file)).with_guessed_format().map_err(|e| read_error(path, e))?;
    let format = match reader.format() {
        Some(f @ (ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::Tiff | ImageFormat::WebP)) => f,
        _ => return Err(Error::NotAPicture { path: path.to_owned() }),
    };
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MAX_DECODER_MEMORY);
    reader.limits(limits);

    let mut decoder = reader.into_decoder().map_err(|e| decode_error(path, e))?;
    let (width, height) = decoder.dimensions();
    let (width, height) = (u64::from(width), u64::from(height));
    if width * height > MAX_PIXELS {
        return Err(Error::TooManyPixels { path: path.to_owned(), width, height });
    }
    if format == ImageFormat::Jpeg && !jpeg_has_an_end(&std::fs::read(path).map_err(|e| read_error(path, e))?) {
        return Err(Error::Damaged { path: path.to_owned(), reason: CUT_SHORT.into() });
    }
    // Broken metadata are no reason to refuse pixels that are in order.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|e| decode_error(path, e))?;
    picture.apply_orientation(orientation);

    let image = to_rgb(picture);
    if !image.as_slice().iter().all(|v| v.is_finite()) {
        return Err(Error::Damaged { path: path.to_owned(), reason: "it holds values that are not numbers".into() });
    }
    Ok(image)
}

/// Whether an end marker follows the start of the compressed data. The decoder would fill what is missing with grey, and nobody
/// wants half a picture painted.
///
/// Whatever else is wrong with the file is left for the decoder to find.
fn jpeg_has_an_end(bytes: &[u8]) -> bool {
    const START_OF_SCAN: u8 = 0xda;
    const END_OF_IMAGE: [u8; 2] = [0xff, 0xd9];

    // Segments before the scan are stepped over by their lengths: a thumbnail in one of them has an end marker of its own.
    let mut at = 2;
    while let Some(&[0xff, marker, high, low]) = bytes.get(at..at + 4) {
        match marker {
            START_OF_SCAN => return bytes[at..].windows(2).any(|pair| pair == END_OF_IMAGE),
            // Padding.
            0xff => at += 1,
            _ => at += 2 + usize::from(u16::from_be_bytes([high, low])),
        }
    }
    true
}

/// RGB in 0..255, over white where `picture` is transparent.
fn to_rgb(picture: DynamicImage) -> Image {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let data = match picture {
        // 8-bit values must stay whole numbers, which a detour by 0..1 would not promise.
        DynamicImage::ImageLuma8(_) | DynamicImage::ImageRgb8(_) => {
            picture.into_rgb8().into_raw().into_iter().map(f32::from).collect()
        }
        _ => {
            let rgba = picture.into_rgba32f().into_raw();
            let (pixels, _) = rgba.as_chunks::<4>();
            pixels
                .iter()
                .flat_map(|&[r, g, b, alpha]| {
                    [r, g, b].map(|v| ((v * alpha + (1.0 - alpha)) * 255.0).clamp(0.0, 255.0))
                })
                .collect()
        }
    };
    Image::new(width, height, data)
}

/// What the operating system said about reading `path`, as an error of ours.
pub(crate) fn read_error(path: &Path, reason: io::Error) -> Error {
    let path = path.to_owned();
    match reason.kind() {
        io::ErrorKind::NotFound => Error::Missing { path },
        _ => Error::Read { path, reason },
    }
}

fn decode_error(path: &Path, error: ImageError) -> Error {
    let path = path.to_owned();
    match error {
        ImageError::IoError(reason) if reason.kind() != io::ErrorKind::UnexpectedEof => Error::Read { path, reason },
        ImageError::IoError(_) => Error::Damaged { path, reason: CUT_SHORT.into() },
        ImageError::Unsupported(e) => Error::Unsupported { path, reason: one_line(&e) },
        ImageError::Limits(_) => {
            Error::Unsupported { path, reason: format!("it takes more than {} MB to decode", MAX_DECODER_MEMORY >> 20) }
        }
        other => Error::Damaged { path, reason: one_line(&other) },
    }
}

/// Some of the decoders' messages have a second line.
fn one_line(error: &dyn std::error::Error) -> String {
    error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Writes `image` in 8 bits, in the format of the extension: `png`, `jpg`/`jpeg` (quality 95), `tif`/`tiff`, `webp` (lossless).
///
/// Values are clamped to 0..255 and rounded. The file appears whole or not at all: it is written beside `path` under another
/// name and renamed. What was at `path` before is replaced.
///
/// Errors: as [`check_output`], a disk that is full, a picture too large for the format, and values that are not finite.
pub fn save(path: &Path, image: &Image) -> Result<()> {
    let failed = |problem: String| Error::Write { path: path.to_owned(), problem };
    let format = output_format(path)?;
    if !image.as_slice().iter().all(|v| v.is_finite()) {
        return Err(failed("the picture holds values that are not numbers".into()));
    }
    let bytes: Vec<u8> = image.as_slice().iter().map(|v| (v.clamp(0.0, 255.0) + 0.5) as u8).collect();

    let mut file = temporary_file(path)?;
    let mut writer = BufWriter::new(file.as_file_mut());
    let (width, height) = (image.width() as u32, image.height() as u32);
    let color = ExtendedColorType::Rgb8;
    let written = match format {
        OutputFormat::Png => PngEncoder::new(&mut writer).write_image(&bytes, width, height, color),
        OutputFormat::Jpeg => {
            JpegEncoder::new_with_quality(&mut writer, JPEG_QUALITY).write_image(&bytes, width, height, color)
        }
        OutputFormat::Tiff => TiffEncoder::new(&mut writer).write_image(&bytes, width, height, color),
        OutputFormat::WebP => WebPEncoder::new_lossless(&mut writer).write_image(&bytes, width, height, color),
    };
    written.map_err(|e| failed(one_line(&e)))?;
    writer.flush().map_err(|e| failed(e.to_string()))?;
    drop(writer);
    // Without this, a power cut soon after the renaming could leave an empty file under the final name.
    file.as_file().sync_all().map_err(|e| failed(e.to_string()))?;
    file.persist(path).map_err(|e| failed(e.error.to_string()))?;
    Ok(())
}

/// Whether [`save`] would be able to write `path`, to be asked before hours of work.
///
/// Errors: an unknown extension, `path` is a folder, its folder does not exist or cannot be written to (found out by making
/// a file there for a moment).
pub fn check_output(path: &Path) -> Result<()> {
    output_format(path)?;
    check_writable(path)
}

/// Whether a file of any kind can be written to `path`.
///
/// Errors: `path` is a folder, its folder does not exist or cannot be written to.
pub fn check_writable(path: &Path) -> Result<()> {
    temporary_file(path)?;
    Ok(())
}

/// The formats that are written.
#[derive(Clone, Copy, Debug, PartialEq)]
enum OutputFormat {
    Png,
    Jpeg,
    Tiff,
    WebP,
}

fn output_format(path: &Path) -> Result<OutputFormat> {
    let extension = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
    match extension.as_deref() {
        Some("png") => Ok(OutputFormat::Png),
        Some("jpg" | "jpeg") => Ok(OutputFormat::Jpeg),
        Some("tif" | "tiff") => Ok(OutputFormat::Tiff),
        Some("webp") => Ok(OutputFormat::WebP),
        other => {
            let found = other.map_or("a name without an extension".into(), |e| format!("the extension `{e}`"));
            let problem = format!("there is no picture format for {found}; use .png, .jpg, .tif or .webp");
            Err(Error::Write { path: path.to_owned(), problem })
        }
    }
}

/// A file in the folder of `path`, removed again unless it is persisted, with the permissions of an ordinary new file.
pub(crate) fn temporary_file(path: &Path) -> Result<NamedTempFile> {
    let failed = |problem| Error::Write { path: path.to_owned(), problem };
    if path.is_dir() {
        return Err(failed("it is a folder; give the name of a file".into()));
    }
    let folder = match path.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    if !folder.is_dir() {
        return Err(failed(format!("there is no folder {}; create it first", folder.display())));
    }
    let mut builder = tempfile::Builder::new();
    builder.prefix(".impasto-").suffix(".part");
    if let Some(permissions) = ordinary_permissions() {
        builder.permissions(permissions);
    }
    builder
        .tempfile_in(&folder)
        // The message of `tempfile` repeats the path of the temporary file, which nobody asked for.
        .map_err(|e| failed(format!("the folder {} cannot be written to: {}", folder.display(), e.kind())))
}

/// What a program asks for when it creates a file; the system takes the umask off. Temporary files are private otherwise.
#[cfg(unix)]
fn ordinary_permissions() -> Option<Permissions> {
    use std::os::unix::fs::PermissionsExt;
    Some(Permissions::from_mode(0o666))
}

/// The folder's own rules apply.
#[cfg(not(unix))]
fn ordinary_permissions() -> Option<Permissions> {
    None
}

/// `image` at `width` x `height` px: Lanczos-3 on linear light, so that fine light and dark detail keeps its mean brightness.
///
/// The result is within 0..255. A picture of that size already is returned as it is.
///
/// # Panics
/// If a side of `image` or of the result is 0, or above `u32::MAX`.
pub fn resize(image: &Image, width: usize, height: usize) -> Image {
    assert!(image.width() > 0 && image.height() > 0 && width > 0 && height > 0, "a picture has pixels");
    if (image.width(), image.height()) == (width, height) {
        return image.clone();
    }
    let side = |n: usize| u32::try_from(n).expect("a side fits 32 bits");

    let mut linear = vec![F32x3::new([0.0; 3]); image.width() * image.height()];
    let (pixels, _) = image.as_slice().as_chunks::<3>();
    linear.par_chunks_mut(CHUNK).zip(pixels.par_chunks(CHUNK)).for_each(|(linear, pixels)| {
        for (l, p) in linear.iter_mut().zip(pixels) {
            *l = F32x3::new(p.map(|v| srgb_to_linear(v / 255.0)));
        }
    });
    let source = TypedImageRef::new(side(image.width()), side(image.height()), &linear).expect("one value per pixel");
    let mut target = TypedImage::<F32x3>::new(side(width), side(height));
    Resizer::new()
        .resize_typed(
            &source,
            &mut target,
            &ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3)),
        )
        .expect("the whole of the source is inside the source");

    let mut data = vec![0.0; 3 * width * height];
    let (pixels, _) = data.as_chunks_mut::<3>();
    pixels.par_chunks_mut(CHUNK).zip(target.pixels().par_chunks(CHUNK)).for_each(|(pixels, linear)| {
        for (p, l) in pixels.iter_mut().zip(linear) {
            // Lanczos rings beyond the ends.
            *p = l.0.map(|v| 255.0 * linear_to_srgb(v.clamp(0.0, 1.0)));
        }
    });
    Image::new(width, height, data)
}

/// The sRGB transfer function (IEC 61966-2-1), 0..1 to 0..1.
fn srgb_to_linear(v: f32) -> f32 {
    if v <= 0.04045 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
}

/// Inverse of [`srgb_to_linear`].
fn linear_to_srgb(v: f32) -> f32 {
    if v <= 0.003_130_8 { 12.92 * v } else { (1.055 * v.powf(1.0 / 2.4) - 0.055).min(1.0) }
}

/// The size with the longest side `longest` and the shape of `width` x `height`, rounded to whole pixels, at least 1.
///
/// All in pixels. A size without pixels stays without.
pub fn fit(width: usize, height: usize, longest: usize) -> (usize, usize) {
    let from = width.max(height);
    if width.min(height) == 0 {
        return (0, 0);
    }
    let scaled = |side: usize| ((side as f64 * longest as f64 / from as f64).round() as usize).max(1);
    (scaled(width), scaled(height))
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{GrayImage, ImageBuffer, Luma, LumaA, Rgb, RgbImage, Rgba, RgbaImage};
    use tempfile::TempDir;

    fn folder() -> TempDir {
        tempfile::tempdir().unwrap()
    }

    fn gradient(width: usize, height: usize) -> Image {
        Image::new(width, height, (0..3 * width * height).map(|i| (i * 7 % 256) as f32).collect())
    }

    fn message(path: &Path) -> String {
        let message = load(path).unwrap_err().to_string();
        assert!(!message.contains('\n'), "{message}");
        message.replace(&path.display().to_string(), "PATH")
    }

    #[test]
    fn lossless_formats_keep_every_value() {
        let folder = folder();
        let image = gradient(17, 23);
        for name in ["a.png", "a.tif", "a.TIFF", "a.webp"] {
            let path = folder.path().join(name);
            save(&path, &image).unwrap();
            assert_eq!(load(&path).unwrap(), image, "{name}");
        }
        let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(left.len(), 4, "temporary files stay behind: {left:?}");
    }

    #[test]
    fn jpeg_keeps_the_picture() {
        let folder = folder();
        let image = Image::filled(20, 10, [200.0, 100.0, 30.0]);
        let path = folder.path().join("a.jpg");
        save(&path, &image).unwrap();
        let back = load(&path).unwrap();
        assert_eq!((back.width(), back.height()), (20, 10));
        for (a, b) in back.as_slice().iter().zip(image.as_slice()) {
            assert!((a - b).abs() <= 3.0, "{a} {b}");
        }
    }

    #[test]
    fn the_content_decides_not_the_name() {
        let folder = folder();
        let (png, jpg) = (folder.path().join("a.png"), folder.path().join("b.jpg"));
        let image = gradient(5, 4);
        save(&png, &image).unwrap();
        std::fs::rename(&png, &jpg).unwrap();
        assert_eq!(load(&jpg).unwrap(), image);
    }

    #[test]
    fn rounding_is_to_the_nearest_and_clamped() {
        let folder = folder();
        let path = folder.path().join("a.png");
        let image = Image::new(2, 1, vec![-7.0, 0.49, 0.5, 254.6, 300.0, 127.51]);
        save(&path, &image).unwrap();
        assert_eq!(load(&path).unwrap().as_slice(), [0.0, 0.0, 1.0, 255.0, 255.0, 128.0]);
    }

    #[test]
    fn values_that_are_not_numbers_are_not_written() {
        let folder = folder();
        let path = folder.path().join("a.png");
        let error = save(&path, &Image::new(1, 1, vec![0.0, f32::NAN, 0.0])).unwrap_err().to_string();
        assert!(error.ends_with("the picture holds values that are not numbers"), "{error}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn other_pixel_types_become_rgb() {
        let folder = folder();
        let path = folder.path().join("a.png");

        GrayImage::from_pixel(2, 2, Luma([77])).save(&path).unwrap();
        assert_eq!(load(&path).unwrap(), Image::filled(2, 2, [77.0; 3]));

        ImageBuffer::from_pixel(1, 1, Rgb([65535u16, 257 * 50, 128])).save(&path).unwrap();
        for (v, expected) in load(&path).unwrap().as_slice().iter().zip([255.0, 50.0, 128.0 / 257.0]) {
            assert!((v - expected).abs() < 1e-4, "{v} {expected}");
        }

        RgbaImage::from_pixel(1, 1, Rgba([255, 0, 100, 51])).save(&path).unwrap();
        for (v, expected) in load(&path).unwrap().as_slice().iter().zip([255.0, 204.0, 224.0]) {
            assert!((v - expected).abs() < 1e-3, "{v} {expected}");
        }

        ImageBuffer::from_pixel(1, 1, LumaA([10u8, 0])).save(&path).unwrap();
        assert_eq!(load(&path).unwrap(), Image::filled(1, 1, [255.0; 3]));
    }

    #[test]
    fn the_orientation_of_the_camera_is_applied() {
        // A TIFF block with the one entry "Orientation = 6": turn by 90 degrees clockwise to view.
        let exif = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0";
        let folder = folder();
        let path = folder.path().join("a.png");
        let mut picture = RgbImage::new(3, 2);
        picture.put_pixel(0, 0, Rgb([255, 0, 0]));
        let mut encoder = PngEncoder::new(File::create(&path).unwrap());
        encoder.set_exif_metadata(exif.to_vec()).unwrap();
        encoder.write_image(picture.as_raw(), 3, 2, ExtendedColorType::Rgb8).unwrap();

        let image = load(&path).unwrap();
        assert_eq!((image.width(), image.height()), (2, 3));
        assert_eq!(image.as_slice()[3..6], [255.0, 0.0, 0.0]);
    }

    #[test]
    fn unreadable_files_are_told_apart() {
        let folder = folder();
        assert_eq!(message(folder.path()), "PATH is a folder, not a picture");

        let path = folder.path().join("notes.jpg");
        assert_eq!(message(&path), "there is no file PATH");

        let not_a_picture = "PATH is not a picture that impasto can read (JPEG, PNG, TIFF, WebP)";
        for content in ["", "some notes", "GIF89a and so on"] {
            std::fs::write(&path, content).unwrap();
            assert_eq!(message(&path), not_a_picture);
        }
    }

    #[test]
    fn truncated_files_are_damaged() {
        let folder = folder();
        for name in ["a.png", "a.jpg", "a.tif", "a.webp"] {
            let path = folder.path().join(name);
            save(&path, &gradient(40, 30)).unwrap();
            let bytes = std::fs::read(&path).unwrap();
            for kept in [16, bytes.len() / 2] {
                std::fs::write(&path, &bytes[..kept]).unwrap();
                let message = message(&path);
                assert!(message.starts_with("PATH is damaged: "), "{name} {kept}: {message}");
            }
        }
    }

    #[test]
    fn a_picture_of_too_many_pixels_is_refused_before_decoding() {
        let folder = folder();
        let path = folder.path().join("bomb.png");
        save(&path, &gradient(3, 3)).unwrap();
        let mut bytes = std::fs::read(&path).unwrap();
        // Width and height in the header, and its checksum.
        bytes[16..24].copy_from_slice(&[0, 0, 0x4e, 0x20, 0, 0, 0x4e, 0x20]);
        let checksum = crc32(&bytes[12..29]);
        bytes[29..33].copy_from_slice(&checksum.to_be_bytes());
        std::fs::write(&path, bytes).unwrap();
        let expected = "PATH is 20000x20000 px, 400 megapixels; impasto reads up to 100: make it smaller first";
        assert_eq!(message(&path), expected);
    }

    /// The checksum of PNG (ISO 3309), bit by bit.
    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0, |crc, &byte| {
            (0..8).fold(crc ^ u32::from(byte), |c, _| if c & 1 == 1 { 0xedb8_8320 ^ (c >> 1) } else { c >> 1 })
        })
    }

    #[test]
    fn outputs_that_cannot_be_written_are_found_before_the_work() {
        let folder = folder();
        let problem = |path: &Path| {
            let message = check_output(path).unwrap_err().to_string();
            let prefix = format!("cannot write {}: ", path.display());
            message.strip_prefix(&prefix).unwrap_or_else(|| panic!("{message}")).to_owned()
        };
        assert_eq!(
            problem(&folder.path().join("a.gif")),
            "there is no picture format for the extension `gif`; use .png, .jpg, .tif or .webp"
        );
        assert_eq!(
            problem(Path::new("out")),
            "there is no picture format for a name without an extension; use .png, .jpg, .tif or .webp"
        );
        let missing = folder.path().join("no");
        assert_eq!(
            problem(&missing.join("a.png")),
            format!("there is no folder {}; create it first", missing.display())
        );
        let named_as_picture = folder.path().join("folder.png");
        std::fs::create_dir(&named_as_picture).unwrap();
        assert_eq!(problem(&named_as_picture), "it is a folder; give the name of a file");
        check_output(&folder.path().join("a.png")).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "the check leaves something behind");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_folder_without_write_permission_is_found_before_the_work() {
        // Nobody can create files there, root included.
        let error = check_output(Path::new("/proc/a.png")).unwrap_err().to_string();
        assert!(error.starts_with("cannot write /proc/a.png: the folder /proc cannot be written to: "), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn permissions_are_those_of_an_ordinary_file() {
        use std::os::unix::fs::PermissionsExt;
        let folder = folder();
        let (ordinary, ours) = (folder.path().join("ordinary"), folder.path().join("ours.png"));
        std::fs::write(&ordinary, "").unwrap();
        save(&ours, &gradient(2, 2)).unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode();
        assert_eq!(mode(&ours), mode(&ordinary));
    }

    #[test]
    fn resizing_keeps_flat_colours_and_the_range() {
        let flat = Image::filled(9, 7, [255.0, 0.0, 100.0]);
        for (width, height) in [(1, 1), (4, 3), (30, 20), (9, 7)] {
            let resized = resize(&flat, width, height);
            assert_eq!((resized.width(), resized.height()), (width, height));
            for pixel in resized.as_slice().chunks(3) {
                for (v, expected) in pixel.iter().zip([255.0, 0.0, 100.0]) {
                    assert!((v - expected).abs() < 0.01, "{v} {expected}");
                }
            }
        }
        let checks = Image::new(8, 1, (0..24).map(|i| if i / 6 % 2 == 0 { 0.0 } else { 255.0 }).collect());
        assert!(resize(&checks, 37, 5).as_slice().iter().all(|v| (0.0..=255.0).contains(v)));
    }

    #[test]
    fn resizing_averages_light_not_codes() {
        // Black and white lines seen from afar are half the light: 188 in sRGB, not 128.
        let lines = Image::new(64, 64, (0..64 * 64 * 3).map(|i| if i / 3 % 2 == 0 { 0.0 } else { 255.0 }).collect());
        let small = resize(&lines, 8, 8);
        let middle = small.as_slice()[3 * (4 * 8 + 4)];
        assert!((middle - 187.5).abs() < 1.5, "{middle}");
    }

    #[test]
    fn sizes_fit_with_at_least_a_pixel() {
        assert_eq!(fit(4000, 3000, 512), (512, 384));
        assert_eq!(fit(3000, 4000, 512), (384, 512));
        assert_eq!(fit(1000, 3, 10), (10, 1));
        assert_eq!(fit(100, 66, 100), (100, 66));
        assert_eq!(fit(0, 66, 100), (0, 0));
    }
}
