//! Results of jobs, and their pictures while they are made.

use std::path::Path as FilePath;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use impasto::Image;
use impasto::picture::{self, BitDepth, Format, SaveOptions};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::live;
use crate::model::JobView;
use crate::names;
use crate::server::compute::computed;
use crate::server::error::{ApiError, ApiResult};
use crate::server::extract::{Path, Query};
use crate::server::files::SizeQuery;
use crate::server::jobs::known;
use crate::server::state::Studio;
use crate::server::thumbnails;
use crate::store::Name;

/// In which form a result is wanted.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ResultQuery {
    /// The format. Without it the result comes as the job made it.
    format: Option<ResultFormat>,
    /// Bits of a value: 8, or 16 in PNG and TIFF. Default 8, or those of the job without a format.
    bits: Option<u8>,
    /// Show it, rather than save it as a file.
    inline: Option<bool>,
}

/// A format of results.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ResultFormat {
    Png,
    Jpg,
    Tif,
    Webp,
}

impl From<ResultFormat> for Format {
    fn from(format: ResultFormat) -> Format {
        match format {
            ResultFormat::Png => Format::Png,
            ResultFormat::Jpg => Format::Jpeg,
            ResultFormat::Tif => Format::Tiff,
            ResultFormat::Webp => Format::WebP,
        }
    }
}

fn media_type(format: Format) -> &'static str {
    match format {
        Format::Png => "image/png",
        Format::Jpeg => "image/jpeg",
        Format::Tiff => "image/tiff",
        Format::WebP => "image/webp",
    }
}

/// Get the result of a job.
///
/// As the job made it: the bytes that the command line writes. Another format, or 16 bits, is made
/// from a copy with 16 bits a value.
#[utoipa::path(get, path = "/api/v1/jobs/{id}/result", tag = "jobs",
    params(("id" = String, Path, description = "Name of the job."), ResultQuery),
    responses(
        (status = 200, description = "The picture.", content(
            (Vec<u8> = "image/png"), (Vec<u8> = "image/jpeg"), (Vec<u8> = "image/tiff"), (Vec<u8> = "image/webp"))),
        (status = 404, description = "There is no such job."),
        (status = 409, description = "The job has no result yet."),
        (status = 422, description = "The format has no such form."),
    ))]
pub async fn result(
    State(studio): State<Studio>,
    Path(id): Path<String>,
    Query(query): Query<ResultQuery>,
) -> ApiResult<Response> {
    let ResultQuery { format, bits, inline } = query;
    let bits = match bits {
        None => None,
        Some(8) => Some(BitDepth::Eight),
        Some(16) => Some(BitDepth::Sixteen),
        Some(bits) => return Err(ApiError::unprocessable(format!("`bits` is {bits}; give 8 or 16"))),
    };
    let job = known(&studio, &id).await?;
    let own = job.job.output.format.unwrap_or(Format::Png);
    let own_bits = job.job.output.bit_depth.unwrap_or_default();
    let wanted = format.map_or(own, Format::from);
    let bits = bits.unwrap_or(if format.is_none() { own_bits } else { BitDepth::Eight });
    let options = SaveOptions { format: Some(wanted), bit_depth: bits, ..SaveOptions::default() };
    options.validate(FilePath::new("result")).map_err(|error| ApiError::unprocessable(error.to_string()))?;
    let name = result_name(&studio, &job).await?;
    let bytes = studio.store.get(&Name::Stored(&name)).await?.ok_or_else(gone)?;
    let is_own = wanted == own && bits == own_bits;
    if let Some([width, height]) = job.size
        && width.max(height) > wanted.max_side() as u64
    {
        let most = wanted.max_side();
        return Err(ApiError::unprocessable(format!(
            "the picture is {width}x{height} px, and this format has at most {most} px a side; choose png or tif"
        )));
    }
    let bytes = if is_own { bytes } else { converted(&studio, &name, bytes, options).await? };
    let disposition = if inline.unwrap_or(false) { "inline" } else { "attachment" };
    let disposition = format!("{disposition}; {}", file_name(&job, wanted));
    let headers = [
        (header::CONTENT_TYPE, media_type(wanted).to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
        (header::CACHE_CONTROL, "private, max-age=3600".to_owned()),
    ];
    Ok((headers, bytes).into_response())
}

/// The result's name in the store.
async fn result_name(studio: &Studio, job: &JobView) -> ApiResult<String> {
    let name = studio.database.result_of(&job.id).await?;
    name.ok_or_else(|| ApiError::conflict(format!("the job is {}, and has no result", job.state.word())))
}

fn gone() -> ApiError {
    ApiError::not_found("the picture is no longer in the store; make it again")
}

/// `filename="photo-painting.png"`, and the same in Unicode if it has such letters.
fn file_name(job: &JobView, format: Format) -> String {
    let name = names::cleaned(FilePath::new(&format!("{}.{}", job.title.replace(" × ", "-"), format.extension())));
    let ascii: String = name.chars().map(|c| if c.is_ascii() { c } else { '_' }).collect();
    if name.is_ascii() {
        return format!("filename=\"{ascii}\"");
    }
    let encoded: String = name
        .bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_' => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        })
        .collect();
    format!("filename=\"{ascii}\"; filename*=UTF-8''{encoded}")
}

/// A result in another form, with what goes with it.
async fn converted(studio: &Studio, name: &str, result: Bytes, options: SaveOptions) -> ApiResult<Bytes> {
    let _permit = studio.pictures.acquire().await.map_err(ApiError::internal)?;
    let master = studio.store.get(&Name::Master(name)).await?.ok_or_else(gone)?;
    let encoded = computed(move || {
        let recipe = picture::decode_recipe(&result, FilePath::new("result"))?;
        let picture = picture::decode(&master, FilePath::new("result"))?;
        let options =
            SaveOptions { recipe, alpha: picture.alpha, profile: picture.profile, exif: picture.exif, ..options };
        picture::encode(&picture.image, FilePath::new("result"), &options)
    });
    Ok(encoded.await?.map_err(ApiError::internal)?.into())
}

/// Which part of a live picture is wanted.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PreviewQuery {
    /// Left, upper, width and height of a part, in px of the picture. It comes as PNG, without loss.
    #[param(pattern = r"^\d+,\d+,\d+,\d+$", example = "0,0,100,100")]
    region: Option<String>,
    /// Ignored. A page gives another one to get a newer picture.
    #[allow(dead_code)]
    v: Option<String>,
}

/// Get the picture of a job as it is now.
#[utoipa::path(get, path = "/api/v1/jobs/{id}/preview", tag = "jobs",
    params(("id" = String, Path, description = "Name of the job."), PreviewQuery),
    responses(
        (status = 200, description = "The picture: JPEG, or PNG of a part.", content(
            (Vec<u8> = "image/jpeg"), (Vec<u8> = "image/png"))),
        (status = 404, description = "There is no such job, or no picture of it yet."),
        (status = 422, description = "The part is not inside the picture."),
    ))]
pub async fn preview(
    State(studio): State<Studio>,
    Path(id): Path<String>,
    Query(PreviewQuery { region, .. }): Query<PreviewQuery>,
) -> ApiResult<Response> {
    let job = known(&studio, &id).await?;
    let region = region.as_deref().map(parse_region).transpose()?;
    studio.database.note_watched(&job.id).await?;
    let _permit = studio.pictures.acquire().await.map_err(ApiError::internal)?;
    let image = match studio.live.get(&job.id) {
        Some(live) if region.is_none() => {
            let jpeg = computed(move || live.jpeg(live::QUALITY)).await?.map_err(ApiError::internal)?;
            return Ok(([(header::CONTENT_TYPE, "image/jpeg")], jpeg).into_response());
        }
        Some(live) => live.image,
        None => {
            let none = || ApiError::not_found("there is no picture of this job yet");
            let bytes = match studio.database.result_of(&job.id).await? {
                Some(name) => studio.store.get(&Name::Stored(&name)).await?.ok_or_else(gone)?,
                None => studio.store.get(&Name::Live(&job.id)).await?.ok_or_else(none)?,
            };
            let decoded = computed(move || picture::decode(&bytes, FilePath::new("picture"))).await?;
            Arc::new(decoded.map_err(ApiError::internal)?.image)
        }
    };
    let Some(region) = region else {
        let jpeg =
            computed(move || crate::thumbnails::jpeg(&image, live::QUALITY)).await?.map_err(ApiError::internal)?;
        return Ok(([(header::CONTENT_TYPE, "image/jpeg")], jpeg).into_response());
    };
    let part = cropped(&image, region)?;
    let options = SaveOptions { format: Some(Format::Png), ..SaveOptions::default() };
    let png = computed(move || picture::encode(&part, FilePath::new("part.png"), &options)).await?;
    Ok(([(header::CONTENT_TYPE, "image/png")], png.map_err(ApiError::internal)?).into_response())
}

fn parse_region(text: &str) -> ApiResult<[usize; 4]> {
    let numbers: Option<Vec<usize>> = text.split(',').map(|number| number.parse().ok()).collect();
    numbers.and_then(|numbers| <[usize; 4]>::try_from(numbers).ok()).ok_or_else(|| {
        ApiError::unprocessable("`region` is not four numbers; give left, upper, width and height, as in 0,0,100,100")
    })
}

fn cropped(image: &Image, [x, y, width, height]: [usize; 4]) -> ApiResult<Image> {
    let is_inside = |start: usize, length: usize, side: usize| {
        length > 0 && start.checked_add(length).is_some_and(|end| end <= side)
    };
    if !is_inside(x, width, image.width()) || !is_inside(y, height, image.height()) {
        let (whole_width, whole_height) = (image.width(), image.height());
        return Err(ApiError::unprocessable(format!(
            "the region {x},{y},{width},{height} is not inside the picture, which is {whole_width}x{whole_height} px"
        )));
    }
    let rows = image.as_slice().chunks(3 * image.width()).skip(y).take(height);
    let values = rows.flat_map(|row| &row[3 * x..3 * (x + width)]).copied().collect();
    Ok(Image::new(width, height, values))
}

/// Get a small picture of a job.
///
/// Of its result; before that of the live picture; before that of the photo.
#[utoipa::path(get, path = "/api/v1/jobs/{id}/thumbnail", tag = "jobs",
    params(("id" = String, Path, description = "Name of the job."), SizeQuery),
    responses(
        (status = 200, description = "The picture.", body = Vec<u8>, content_type = "image/jpeg"),
        (status = 404, description = "There is no such job, or no picture of it."),
        (status = 422, description = "The size is out of its range."),
    ))]
pub async fn thumbnail(
    State(studio): State<Studio>,
    Path(id): Path<String>,
    Query(SizeQuery { size, .. }): Query<SizeQuery>,
) -> ApiResult<Response> {
    /// It changes while the job runs.
    const BRIEFLY: &str = "private, max-age=1";
    let size = thumbnails::check_size(size)?;
    let job = known(&studio, &id).await?;
    if let Some(name) = studio.database.result_of(&job.id).await? {
        let small = studio.store.get(&Name::Small(&name)).await?;
        let bytes = match small.filter(|_| size <= crate::thumbnails::STORED) {
            Some(small) => small,
            None => studio.store.get(&Name::Stored(&name)).await?.ok_or_else(gone)?,
        };
        return thumbnails::answer(&studio, bytes, size, "private, max-age=3600").await;
    }
    if let Some(live) = studio.live.get(&job.id) {
        let _permit = studio.pictures.acquire().await.map_err(ApiError::internal)?;
        let small = computed(move || crate::thumbnails::of_picture(&live.image, size)).await?;
        return Ok(([(header::CONTENT_TYPE, "image/jpeg"), (header::CACHE_CONTROL, BRIEFLY)], small).into_response());
    }
    if let Some(live) = studio.store.get(&Name::Live(&job.id)).await? {
        return thumbnails::answer(&studio, live, size, BRIEFLY).await;
    }
    let first = job.job.inputs.content.or(job.job.inputs.styles.into_iter().next().map(|style| style.file));
    let sha256 = first.and_then(|file| file.sha256).ok_or_else(gone)?;
    let bytes = studio.store.get(&Name::Thumbnail(&sha256)).await?.ok_or_else(gone)?;
    thumbnails::answer(&studio, bytes, size, BRIEFLY).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_cut_out_and_one_outside_is_refused() {
        let values: Vec<f32> = (0..3 * 4 * 2).map(|v| v as f32).collect();
        let image = Image::new(4, 2, values);
        let part = cropped(&image, [1, 1, 2, 1]).unwrap();
        assert_eq!((part.width(), part.height()), (2, 1));
        assert_eq!(part.as_slice(), [15.0, 16.0, 17.0, 18.0, 19.0, 20.0]);
        for region in [[0, 0, 5, 1], [0, 0, 0, 1], [3, 0, 2, 1], [usize::MAX, 0, 1, 1]] {
            assert!(cropped(&image, region).is_err(), "{region:?}");
        }
        assert!(parse_region("1,2,3").is_err());
        assert!(parse_region("1,2,3,-4").is_err());
    }
}
