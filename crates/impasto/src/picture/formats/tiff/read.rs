//! From the bytes of a TIFF file to the values that it stores.

use std::path::Path;

use image::metadata::Orientation;
use image::{DynamicImage, ImageBuffer};
use tiff::tags::Tag;

use crate::error::Result;
use crate::picture::exif;
use crate::picture::formats::raw::RawPicture;
use crate::picture::formats::tiff::directory::{Directory, TiffFile};
use crate::picture::formats::tiff::fault::TiffFault;
use crate::picture::formats::tiff::layout::{Layout, SampleKind};
use crate::picture::formats::tiff::pages::Pages;
use crate::picture::formats::tiff::samples::{Samples, samples};
use crate::picture::formats::tiff::write::XMP;
use crate::picture::formats::tiff::ycbcr::{Blocks, YCbCr};
use crate::picture::limits::check_pixels;
use crate::picture::loaded::Warning;

/// Which inks the channels are.
const INK_SET: Tag = Tag::Unknown(332);

/// What the values of a pixel mean, by `PhotometricInterpretation`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Meaning {
    WhiteIsZero,
    BlackIsZero,
    Rgb,
    Palette,
    Inks,
    YCbCr,
}

impl Meaning {
    fn of(page: &Directory<'_>) -> std::result::Result<Self, TiffFault> {
        let unsupported = |found: &str| Err(TiffFault::Unsupported(found.into()));
        match page.number(Tag::PhotometricInterpretation)? {
            Some(0) => Ok(Self::WhiteIsZero),
            Some(1) => Ok(Self::BlackIsZero),
            Some(2) => Ok(Self::Rgb),
            Some(3) => Ok(Self::Palette),
            Some(5) => Ok(Self::Inks),
            Some(6) => Ok(Self::YCbCr),
            Some(4) => unsupported("it is a mask of transparency"),
            Some(8..=10) => unsupported("its colours are L*a*b*"),
            Some(32844 | 32845) => unsupported("its brightness is logarithmic (LogLuv)"),
            Some(other) => unsupported(&format!("its values have the unknown meaning {other}")),
            None => unsupported("it does not say what its values mean"),
        }
    }

    /// Returns the values of a pixel that are its colour.
    fn channels(self) -> usize {
        match self {
            Self::WhiteIsZero | Self::BlackIsZero | Self::Palette => 1,
            Self::Rgb | Self::YCbCr => 3,
            Self::Inks => 4,
        }
    }
}

/// Reads the first page of a file, in the values of the file, not turned.
pub fn read(bytes: &[u8], name: &Path, memory: Option<u64>) -> Result<RawPicture> {
    let fault = |fault: TiffFault| fault.of(name);
    let Pages { page, first } = TiffFile::open(bytes).and_then(Pages::find).map_err(fault)?;
    let layout = Layout::new(&page).map_err(fault)?;
    check_pixels((layout.width as u32, layout.height as u32), layout.channels, bytes, name, memory)?;
    let mut warnings = Vec::new();
    let meaning = Meaning::of(&page).map_err(fault)?;
    let opacity = Opacity::of(&page, &layout, meaning).map_err(fault)?;
    let pixels = pixels(&page, &layout, meaning, opacity.channel).map_err(fault)?;
    if opacity.is_guessed {
        warnings.push(Warning::OpacityGuessed);
    }
    if opacity.others > 0 {
        warnings.push(Warning::ChannelsIgnored { count: opacity.others });
    }
    // What the file says of itself may stand in front of a smaller copy.
    let notes = match (exif::of_tiff(&page), &first) {
        (Ok(None), Some(first)) => exif::of_tiff(first),
        (notes, _) => notes,
    };
    let orientation = page.number(Tag::Orientation).ok().flatten().and_then(|noted| u8::try_from(noted).ok());
    Ok(RawPicture {
        is_cmyk: meaning == Meaning::Inks,
        is_premultiplied: opacity.is_premultiplied,
        icc: page.bytes(Tag::IccProfile).map(|icc| icc.map(<[u8]>::to_vec)).map_err(TiffFault::reason),
        exif: notes,
        xmp: page.bytes(XMP).ok().flatten().map(<[u8]>::to_vec),
        orientation: orientation.and_then(Orientation::from_exif),
        warnings,
        ..RawPicture::new(pixels)
    })
}

/// Reads the XMP packet of a file.
pub fn xmp(bytes: &[u8], name: &Path) -> Result<Option<Vec<u8>>> {
    let packet = TiffFile::open(bytes).and_then(Pages::find).and_then(|pages| pages.page.bytes(XMP));
    packet.map(|packet| packet.map(<[u8]>::to_vec)).map_err(|fault| fault.of(name))
}

/// The values of a pixel beside its colour.
struct Opacity {
    /// The channel of the opacity.
    channel: Option<usize>,
    /// Whether the colours are multiplied by it.
    is_premultiplied: bool,
    /// Whether the file does not say that it is one.
    is_guessed: bool,
    /// The number of the other channels.
    others: usize,
}

impl Opacity {
    /// Finds the channel. A fourth one beside red, green and blue is the opacity if the file says
    /// nothing about it.
    fn of(page: &Directory<'_>, layout: &Layout<'_>, meaning: Meaning) -> std::result::Result<Self, TiffFault> {
        const ASSOCIATED: u64 = 1;
        const UNASSOCIATED: u64 = 2;
        let (colours, channels) = (meaning.channels(), layout.channels);
        if channels < colours {
            return Err(TiffFault::Unsupported(format!("its pixels have {channels} values")));
        }
        let extra = page.numbers(Tag::ExtraSamples)?;
        let declared =
            extra.iter().take(channels - colours).position(|kind| matches!(*kind, ASSOCIATED | UNASSOCIATED));
        let is_guessed = extra.is_empty() && meaning == Meaning::Rgb && channels == 4;
        let channel = declared.map(|i| colours + i).or(is_guessed.then_some(3));
        Ok(Self {
            channel,
            is_premultiplied: declared.is_some_and(|i| extra[i] == ASSOCIATED),
            is_guessed,
            others: channels - colours - usize::from(channel.is_some()),
        })
    }
}

/// Reads the pixels. `opacity` is the channel of the opacity.
fn pixels(
    page: &Directory<'_>,
    layout: &Layout<'_>,
    meaning: Meaning,
    opacity: Option<usize>,
) -> std::result::Result<DynamicImage, TiffFault> {
    let (bits, channels) = (layout.bits, layout.channels);
    let kept: Vec<usize> = (0..meaning.channels()).chain(opacity).collect();
    match meaning {
        Meaning::Palette => {
            let palette = Palette::new(&page.numbers(Tag::ColorMap)?, bits)?;
            if layout.kind != SampleKind::Unsigned {
                return Err(TiffFault::Unsupported("its palette has indices that are fractions or signed".into()));
            }
            palette.image(layout, opacity.is_some(), samples(layout, &kept)?)
        }
        Meaning::YCbCr => {
            if bits != 8 || channels != 3 {
                let found = format!("its YCbCr has {channels} values of {bits} bits a pixel, not 3 of 8");
                return Err(TiffFault::Unsupported(found));
            }
            if layout.kind != SampleKind::Unsigned {
                return Err(TiffFault::Unsupported("its YCbCr values are signed or fractions".into()));
            }
            let conversion = YCbCr::new(page)?;
            let data = match Blocks::new(page, layout)? {
                Some(blocks) => blocks.read(layout)?,
                None => match samples(layout, &kept)? {
                    Samples::Bytes(data) => data,
                    _ => return Err(TiffFault::Unsupported("its YCbCr values are fractions".into())),
                },
            };
            let rgb = data.as_chunks::<3>().0.iter().flat_map(|&pixel| conversion.rgb(pixel)).collect();
            image(layout, 3, Samples::Floats(rgb))
        }
        Meaning::Inks => {
            // 1 is cyan, magenta, yellow and black.
            if page.number(INK_SET)?.is_some_and(|set| set != 1) {
                return Err(TiffFault::Unsupported("its inks are not cyan, magenta, yellow and black".into()));
            }
            if layout.kind == SampleKind::Float {
                return Err(TiffFault::Unsupported("its inks are fractions".into()));
            }
            if opacity.is_some() {
                return Err(TiffFault::Unsupported("it has inks and an opacity".into()));
            }
            image(layout, 4, samples(layout, &kept)?.scaled(bits))
        }
        Meaning::WhiteIsZero => image(layout, kept.len(), samples(layout, &kept)?.scaled(bits).inverted(kept.len())),
        Meaning::BlackIsZero | Meaning::Rgb => image(layout, kept.len(), samples(layout, &kept)?.scaled(bits)),
    }
}

/// Makes a picture of values that use all of their range: grey, grey and opacity, three colours, or
/// four.
fn image(layout: &Layout<'_>, channels: usize, samples: Samples) -> std::result::Result<DynamicImage, TiffFault> {
    fn buffer<P: image::Pixel>(width: u32, height: u32, data: Vec<P::Subpixel>) -> Option<DynamicImage>
    where
        DynamicImage: From<ImageBuffer<P, Vec<P::Subpixel>>>,
    {
        ImageBuffer::<P, _>::from_raw(width, height, data).map(DynamicImage::from)
    }
    use image::{Luma, LumaA, Rgb, Rgba};
    let (width, height) = (layout.width as u32, layout.height as u32);
    let found = match (samples, channels) {
        (Samples::Bytes(data), 1) => buffer::<Luma<u8>>(width, height, data),
        (Samples::Bytes(data), 2) => buffer::<LumaA<u8>>(width, height, data),
        (Samples::Bytes(data), 3) => buffer::<Rgb<u8>>(width, height, data),
        (Samples::Bytes(data), 4) => buffer::<Rgba<u8>>(width, height, data),
        (Samples::Words(data), 1) => buffer::<Luma<u16>>(width, height, data),
        (Samples::Words(data), 2) => buffer::<LumaA<u16>>(width, height, data),
        (Samples::Words(data), 3) => buffer::<Rgb<u16>>(width, height, data),
        (Samples::Words(data), 4) => buffer::<Rgba<u16>>(width, height, data),
        // Unlike colours, they are seldom in 0..1. They may be measured heights, for example.
        (Samples::Floats(_), 1 | 2) => {
            return Err(TiffFault::Unsupported("it is grey in fractions, but does not say their range".into()));
        }
        (Samples::Floats(data), 3) => buffer::<Rgb<f32>>(width, height, data),
        (Samples::Floats(data), 4) => buffer::<Rgba<f32>>(width, height, data),
        _ => return Err(TiffFault::Unsupported(format!("its pixels have {channels} values"))),
    };
    found.ok_or_else(|| TiffFault::Damaged("it has fewer pixels than it says".into()))
}

/// Colours in 16 bits, by their index.
struct Palette(Vec<[u16; 3]>);

impl Palette {
    fn new(values: &[u64], bits: usize) -> std::result::Result<Self, TiffFault> {
        if !matches!(bits, 1 | 2 | 4 | 8) {
            return Err(TiffFault::Unsupported(format!("its palette has indices of {bits} bits")));
        }
        let count = 1 << bits;
        if values.len() < 3 * count {
            let found = format!("its palette has {} values, but {} are needed", values.len(), 3 * count);
            return Err(TiffFault::Damaged(found));
        }
        let values: Vec<u16> = values[..3 * count].iter().map(|&v| u16::try_from(v).unwrap_or(u16::MAX)).collect();
        // Programs write 8 bits as they are, times 256, or times 257.
        let scale: fn(u16) -> u16 = if values.iter().all(|v| v < &256) {
            |v| 257 * v
        } else if values.iter().all(|v| v % 256 == 0) {
            |v| v / 256 * 257
        } else {
            |v| v
        };
        Ok(Self((0..count).map(|i| [0, 1, 2].map(|c| scale(values[c * count + i]))).collect()))
    }

    /// Makes a picture from indices. With `has_alpha` each has an opacity beside it.
    fn image(
        &self,
        layout: &Layout<'_>,
        has_alpha: bool,
        samples: Samples,
    ) -> std::result::Result<DynamicImage, TiffFault> {
        let Samples::Bytes(data) = samples else {
            return Err(TiffFault::Unsupported("its palette has indices that are fractions".into()));
        };
        let colour = |index: u8| self.0[usize::from(index)];
        if has_alpha {
            let most = u32::from(u16::MAX) / ((1 << layout.bits) - 1);
            let rgba = data.as_chunks::<2>().0.iter().flat_map(|&[index, alpha]| {
                let [r, g, b] = colour(index);
                [r, g, b, (most * u32::from(alpha)) as u16]
            });
            image(layout, 4, Samples::Words(rgba.collect()))
        } else {
            image(layout, 3, Samples::Words(data.into_iter().flat_map(colour).collect()))
        }
    }
}
