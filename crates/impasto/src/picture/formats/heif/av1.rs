//! AVIF: pixels coded as AV1, which `re_rav1d` decodes.

use std::path::Path;

use heic_decoder::{AlphaPlane, ChromaSampling, ColorInfo, DecodedImage, Metadata};
use image::DynamicImage;
use re_rav1d::pixel::{ChromaLocation, YUVRange};
use re_rav1d::{Decoder, Picture, PixelLayout, PlanarImageComponent, Settings};

use crate::picture::formats::heif::container::{Bytes, Container};
use crate::picture::formats::heif::fault::Fault;
use crate::picture::formats::heif::notes::{Notes, is_transform, raw_picture, size_of};
use crate::picture::formats::heif::planes;
use crate::picture::formats::raw::RawPicture;
use crate::picture::guard::guarded_threads;
use crate::picture::limits::check_pixels;

/// What an auxiliary picture is called if it is the opacity.
const ALPHA: [&[u8]; 2] = [b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha", b"urn:mpeg:hevc:2015:auxid:1"];

/// Reads the picture of a file.
pub(super) fn read(
    bytes: &[u8],
    container: &Container,
    primary: u32,
    name: &Path,
    memory: Option<u64>,
) -> Result<RawPicture, Fault> {
    let alpha = container.referring(primary, *b"auxl").find(|&id| is_alpha(container, id));
    let channels = if alpha.is_some() { 4 } else { 3 };
    let colour_layout = Layout::of(container, primary)?;
    let alpha_layout = alpha.map(|id| Layout::of(container, id)).transpose()?;
    for layout in [Some(&colour_layout), alpha_layout.as_ref()].into_iter().flatten() {
        check_pixels(layout.most, channels, bytes, name, memory)?;
    }
    if alpha_layout.as_ref().is_some_and(|alpha| alpha.size != colour_layout.size) {
        return Err(Fault::Unsupported("its opacity has another size than its colours".into()));
    }

    let mut image = colour_layout.decode(container)?;
    let labels = labels(container, primary)?;
    if let Some(info) = labels.info {
        image.color_info = Some(info);
    }
    let mut is_premultiplied = false;
    if let (Some(id), Some(layout)) = (alpha, alpha_layout) {
        is_premultiplied = container.references(primary, *b"prem").contains(&id);
        image.alpha = Some(opacity(layout.decode(container)?)?);
    }
    let numbers = image.color_info.map(|info| (info.color_primaries, info.transfer_characteristics));
    let pixels = guarded_threads(|| planes::pixels(&image))?;
    drop(image);
    let pixels = transformed(pixels, container, primary)?;
    let is_animated = container.has_tracks();
    let exif = exif(container, primary);
    Ok(raw_picture(pixels, Notes { icc: labels.icc, numbers, exif, is_premultiplied, is_animated }))
}

fn is_alpha(container: &Container, id: u32) -> bool {
    container.properties(id).any(|(kind, body)| {
        // Version and flags stand in front of the name, and a zero behind it.
        let name = body.0.get(4..).and_then(|rest| rest.split(|&byte| byte == 0).next());
        kind == *b"auxC" && name.is_some_and(|name| ALPHA.contains(&name))
    })
}

/// What an item says about its colours.
#[derive(Default)]
struct Labels {
    icc: Option<Vec<u8>>,
    info: Option<ColorInfo>,
}

/// Reads the boxes `colr` of a picture, or those of its first tile if it has none.
fn labels(container: &Container, primary: u32) -> Result<Labels, Fault> {
    let mut labels = Labels::default();
    let tile = container.references(primary, *b"dimg").first().copied();
    for id in [Some(primary), tile].into_iter().flatten() {
        for (_, mut body) in container.properties(id).filter(|(kind, _)| kind == b"colr") {
            match &body.name()? {
                b"prof" | b"rICC" if labels.icc.is_none() => labels.icc = Some(body.0.to_vec()),
                b"nclx" if labels.info.is_none() => {
                    labels.info = Some(ColorInfo {
                        color_primaries: body.number(2)? as u16,
                        transfer_characteristics: body.number(2)? as u16,
                        matrix_coefficients: body.number(2)? as u16,
                        full_range: body.number(1)? >> 7 == 1,
                    });
                }
                _ => {}
            }
        }
    }
    Ok(labels)
}

/// Returns the EXIF block of a picture, if there is one that can be found.
fn exif(container: &Container, primary: u32) -> Option<Vec<u8>> {
    let about = |id: &u32| container.references(*id, *b"cdsc").contains(&primary);
    let id = container.items_of(*b"Exif").find(about).or_else(|| container.items_of(*b"Exif").next())?;
    let data = container.data(id).ok()?;
    // The distance to the block's header stands in front.
    let (distance, rest) = data.split_first_chunk::<4>()?;
    rest.get(u32::from_be_bytes(*distance) as usize..).map(<[u8]>::to_vec)
}

/// Turns and cuts the pixels as the file says, in its order.
fn transformed(mut pixels: DynamicImage, container: &Container, primary: u32) -> Result<DynamicImage, Fault> {
    for (kind, mut body) in container.properties(primary).filter(|(kind, _)| is_transform(*kind)) {
        pixels = match &kind {
            b"clap" => {
                let (left, width) = cut(&mut body.clone(), pixels.width())?;
                // Numbers of 4 bytes, in pairs: width, height, and how far the middle lies aside.
                let mut vertical = Bytes(body.0.get(8..).unwrap_or_default());
                let (top, height) = cut(&mut vertical, pixels.height())?;
                pixels.crop_imm(left, top, width, height)
            }
            b"irot" => match body.number(1)? & 3 {
                0 => pixels,
                1 => pixels.rotate270(),
                2 => pixels.rotate180(),
                _ => pixels.rotate90(),
            },
            _ => match body.number(1)? & 1 {
                0 => pixels.flipv(),
                _ => pixels.fliph(),
            },
        };
    }
    Ok(pixels)
}

/// Returns where a cut along one axis begins, and how many of `all` pixels it leaves.
///
/// Reads the two numbers of the length, skips those of the other axis, and reads the two of the
/// distance between the middles.
fn cut(body: &mut Bytes, all: u32) -> Result<(u32, u32), Fault> {
    let mut next = || body.number(4).map(|number| number as u32);
    let (length, parts) = (next()?, next()?);
    next()?;
    next()?;
    let (distance, distance_parts) = (next()? as i32, next()?);
    let bad = || Fault::Damaged("it is cut outside of its pixels".into());
    let length = length.checked_div(parts).filter(|&length| length > 0 && length <= all).ok_or_else(bad)?;
    // Twice the start, in parts. A start between two pixels goes to the left.
    let parts = i128::from(distance_parts);
    let twice = i128::from(all - length) * parts + 2 * i128::from(distance);
    let start = twice.checked_div(2 * parts).and_then(|start| u32::try_from(start).ok()).ok_or_else(bad)?;
    match start <= all - length {
        true => Ok((start, length)),
        false => Err(bad()),
    }
}

/// How a picture is put together.
struct Layout {
    /// Width and height in pixels.
    size: (u32, u32),
    /// The same, or a size with as many pixels as all tiles have, if those are more.
    most: (u32, u32),
    columns: usize,
    /// The items with the pixels, row by row: one, or those of a grid.
    tiles: Vec<u32>,
    /// Most pixels of a tile.
    tile_pixels: u32,
}

impl Layout {
    fn of(container: &Container, id: u32) -> Result<Self, Fault> {
        let mut id = id;
        if container.kind(id) == Some(*b"iden") {
            id = container.references(id, *b"dimg").first().copied().unwrap_or(id);
        }
        if container.kind(id) != Some(*b"grid") {
            let size = size_of(container, id)?;
            let tile_pixels = u32::try_from(area(size)).unwrap_or(u32::MAX);
            return Ok(Self { size, most: size, columns: 1, tiles: vec![id], tile_pixels });
        }
        let data = container.data(id)?;
        let mut data = Bytes(&data);
        data.number(1)?;
        let wide = if data.number(1)? & 1 == 1 { 4 } else { 2 };
        let (rows, columns) = (data.number(1)? as usize + 1, data.number(1)? as usize + 1);
        let size = (data.number(wide)? as u32, data.number(wide)? as u32);
        let tiles = container.references(id, *b"dimg").to_vec();
        if tiles.len() != rows * columns || size.0 == 0 || size.1 == 0 {
            return Err(Fault::Damaged(format!("it has {} tiles, not {rows} times {columns}", tiles.len())));
        }
        let mut tile_pixels = 0;
        let mut all = 0;
        for &tile in &tiles {
            let pixels = area(size_of(container, tile)?);
            tile_pixels = tile_pixels.max(pixels);
            all += pixels;
        }
        // The last tiles stand out. They are never as many as the others.
        let height = u32::try_from(all.div_ceil(u64::from(size.0))).unwrap_or(u32::MAX);
        let most = if all > 4 * area(size) { (size.0, height) } else { size };
        Ok(Self { size, most, columns, tiles, tile_pixels: u32::try_from(tile_pixels).unwrap_or(u32::MAX) })
    }

    /// Decodes the tiles, and puts them together.
    fn decode(&self, container: &Container) -> Result<DecodedImage, Fault> {
        let mut whole: Option<(DecodedImage, usize, usize)> = None;
        for (i, &tile) in self.tiles.iter().enumerate() {
            let tile = decode(container, tile, self.tile_pixels)?;
            if i == 0 {
                self.check_cover(tile.width, tile.height)?;
                if self.tiles.len() == 1 && (tile.width as u32, tile.height as u32) == self.size {
                    return Ok(tile);
                }
            }
            let (canvas, width, height) =
                whole.get_or_insert_with(|| (canvas(&tile, self.size), tile.width, tile.height));
            let is_same = (tile.width, tile.height) == (*width, *height)
                && tile.chroma_format_idc == canvas.chroma_format_idc
                && tile.bit_depth_luma == canvas.bit_depth_luma;
            if !is_same {
                return Err(Fault::Damaged("its tiles are not alike".into()));
            }
            place(canvas, &tile, i % self.columns * *width, i / self.columns * *height)?;
        }
        whole.map(|(canvas, ..)| canvas).ok_or_else(|| Fault::Damaged("it has no tiles".into()))
    }

    /// Refuses tiles that are too small for the whole. What they do not cover would be black.
    fn check_cover(&self, width: usize, height: usize) -> Result<(), Fault> {
        let rows = self.tiles.len() / self.columns;
        let (all, most) = ((self.columns * width, rows * height), (self.size.0 as usize, self.size.1 as usize));
        match all.0 >= most.0 && all.1 >= most.1 {
            true => Ok(()),
            false => Err(Fault::Damaged(format!("it has {}x{} px, not {}x{}", all.0, all.1, most.0, most.1))),
        }
    }
}

fn area((width, height): (u32, u32)) -> u64 {
    u64::from(width) * u64::from(height)
}

/// Returns an empty picture of the kind of `tile`.
fn canvas(tile: &DecodedImage, (width, height): (u32, u32)) -> DecodedImage {
    let (width, height) = (width as usize, height as usize);
    let (cb_width, cb_height) = match tile.chroma_format_idc {
        0 => (0, 0),
        _ => {
            (width.div_ceil(tile.chroma_sampling.sub_x as usize), height.div_ceil(tile.chroma_sampling.sub_y as usize))
        }
    };
    DecodedImage {
        alpha: None,
        width,
        height,
        bit_depth_luma: tile.bit_depth_luma,
        bit_depth_chroma: tile.bit_depth_chroma,
        chroma_format_idc: tile.chroma_format_idc,
        color_info: tile.color_info,
        chroma_sampling: tile.chroma_sampling,
        y: vec![0; width * height],
        cb: vec![0; cb_width * cb_height],
        cr: vec![0; cb_width * cb_height],
        cb_width,
        cb_height,
        metadata: Metadata::default(),
    }
}

/// Copies a tile to its place. What stands out of the canvas is left out.
fn place(canvas: &mut DecodedImage, tile: &DecodedImage, x: usize, y: usize) -> Result<(), Fault> {
    let sub = (tile.chroma_sampling.sub_x as usize, tile.chroma_sampling.sub_y as usize);
    let (luma, chroma) = ((canvas.width, canvas.height), (canvas.cb_width, canvas.cb_height));
    copy(&mut canvas.y, luma, &tile.y, tile.width, (x, y));
    if tile.chroma_format_idc != 0 {
        if !x.is_multiple_of(sub.0) || !y.is_multiple_of(sub.1) {
            return Err(Fault::Unsupported("its tiles have odd sizes".into()));
        }
        let at = (x / sub.0, y / sub.1);
        copy(&mut canvas.cb, chroma, &tile.cb, tile.cb_width, at);
        copy(&mut canvas.cr, chroma, &tile.cr, tile.cb_width, at);
    }
    Ok(())
}

fn copy(to: &mut [i32], (width, height): (usize, usize), from: &[i32], stride: usize, (x, y): (usize, usize)) {
    let count = stride.min(width.saturating_sub(x));
    if count == 0 {
        return;
    }
    let rows = to.chunks_exact_mut(width).take(height).skip(y);
    for (to, from) in rows.zip(from.chunks_exact(stride)) {
        to[x..x + count].copy_from_slice(&from[..count]);
    }
}

/// Decodes one item of at most `most` pixels.
fn decode(container: &Container, id: u32, most: u32) -> Result<DecodedImage, Fault> {
    if container.kind(id) != Some(*b"av01") {
        return Err(Fault::Unsupported("some of its tiles are not coded as AV1".into()));
    }
    let mut settings = Settings::new();
    // Threads of the decoder would print their panics.
    settings.set_n_threads(1);
    settings.set_max_frame_delay(1);
    settings.set_all_layers(false);
    settings.set_frame_size_limit(most);
    if let Some((_, mut body)) = container.properties(id).find(|(kind, _)| kind == b"a1op") {
        settings.set_operating_point(body.number(1)? as u32 & 31);
    }
    let mut decoder = Decoder::with_settings(&settings).map_err(failed)?;
    let mut last = None;
    let data = container.data(id)?;
    if data.is_empty() {
        // The decoder would print that it was called without any.
        return Err(Fault::Damaged("a part of it is empty".into()));
    }
    let mut sent = decoder.send_data(data, None, None, None);
    loop {
        match decoder.get_picture() {
            // The last layer is the best.
            Ok(picture) => last = Some(picture),
            Err(error) if !error.is_again() => return Err(failed(error)),
            Err(_) => match sent {
                Ok(()) => break,
                Err(error) if !error.is_again() => return Err(failed(error)),
                Err(_) => {}
            },
        }
        if sent.is_err() {
            sent = decoder.send_pending_data();
        }
    }
    image_of(&last.ok_or_else(|| Fault::Damaged("its AV1 data have no picture".into()))?)
}

fn failed(error: re_rav1d::Error) -> Fault {
    match error {
        re_rav1d::Error::UnsupportedBitstream => Fault::Unsupported("its kind of AV1 has no decoder here".into()),
        re_rav1d::Error::NotEnoughMemory => Fault::Unsupported("its decoder ran out of memory".into()),
        re_rav1d::Error::UnknownError(_) => Fault::Damaged("it has more pixels than it says".into()),
        _ => Fault::Damaged("its AV1 data are broken".into()),
    }
}

/// Copies the planes of a decoded picture.
fn image_of(picture: &Picture) -> Result<DecodedImage, Fault> {
    let bits = picture.bits_per_component().map_or(8, |bits| bits.0 as u32);
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let (format, sub_x, sub_y) = match picture.pixel_layout() {
        PixelLayout::I400 => (0, 1, 1),
        PixelLayout::I420 => (1, 2, 2),
        PixelLayout::I422 => (2, 2, 1),
        PixelLayout::I444 => (3, 1, 1),
    };
    let (cb_width, cb_height) = match format {
        0 => (0, 0),
        _ => (width.div_ceil(sub_x), height.div_ceil(sub_y)),
    };
    let plane = |component, width, height| match format {
        0 if component != PlanarImageComponent::Y => Vec::new(),
        _ => plane(picture, component, width, height),
    };
    // A sample between two pixels, or at the left one of them.
    let middle = |sub: usize| if sub == 2 { 0.5 } else { 0.0 };
    let origin_x = if picture.chroma_location() == ChromaLocation::Left { 0.0 } else { middle(sub_x) };
    Ok(DecodedImage {
        alpha: None,
        width,
        height,
        bit_depth_luma: bits,
        bit_depth_chroma: bits,
        chroma_format_idc: format,
        color_info: Some(ColorInfo {
            color_primaries: picture.color_primaries() as u16,
            transfer_characteristics: picture.transfer_characteristic() as u16,
            matrix_coefficients: picture.matrix_coefficients() as u16,
            full_range: picture.color_range() == YUVRange::Full,
        }),
        chroma_sampling: ChromaSampling { sub_x: sub_x as u32, sub_y: sub_y as u32, origin_x, origin_y: middle(sub_y) },
        y: plane(PlanarImageComponent::Y, width, height),
        cb: plane(PlanarImageComponent::U, cb_width, cb_height),
        cr: plane(PlanarImageComponent::V, cb_width, cb_height),
        cb_width,
        cb_height,
        metadata: Metadata::default(),
    })
}

fn plane(picture: &Picture, component: PlanarImageComponent, width: usize, height: usize) -> Vec<i32> {
    let bytes = picture.plane(component);
    let rows = bytes.chunks_exact(picture.stride(component) as usize).take(height);
    match picture.bit_depth() {
        8 => rows.flat_map(|row| row[..width].iter().map(|&v| i32::from(v))).collect(),
        _ => rows
            .flat_map(|row| row[..2 * width].as_chunks::<2>().0.iter().map(|&pair| i32::from(u16::from_ne_bytes(pair))))
            .collect(),
    }
}

/// Makes an opacity of a grey picture, from 0 to the largest value. Some files have it in the range
/// of video.
fn opacity(image: DecodedImage) -> Result<AlphaPlane, Fault> {
    let is_full = image.color_info.is_none_or(|info| info.full_range);
    let (bit_depth, most) = (image.bit_depth_luma, (1 << image.bit_depth_luma) - 1);
    let (black, range) = (16 << (bit_depth - 8), 219 << (bit_depth - 8));
    let full = |v: i32| if is_full { v } else { ((v - black).clamp(0, range) * most + range / 2) / range };
    Ok(AlphaPlane { bit_depth, samples: image.y.into_iter().map(full).collect(), premultiplied: false })
}
