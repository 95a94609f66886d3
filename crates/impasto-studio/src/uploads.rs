//! Files as the studio takes them in: checked, described, and kept under their checksum.

use std::path::Path;

use bytes::Bytes;
use impasto::picture::{self, ReadOptions};
use impasto_job::job::Job;
use sha2::{Digest, Sha256};

use crate::database::Database;
use crate::error::Result;
use crate::model::FileView;
use crate::store::{Name, Store};
use crate::thumbnails;

/// Bytes that reading takes for each pixel, at most: the values, and what decoders need beside.
const BYTES_A_PIXEL: u64 = 64;

/// A picture that can be kept.
pub struct Described {
    /// What there is to say of it.
    pub file: FileView,
    /// A small JPEG of it.
    pub small: Vec<u8>,
}

/// Why a file is not kept. The words say what was found, and what to do.
#[derive(Debug)]
pub enum Unfit {
    /// It has too many pixels.
    TooLarge(String),
    /// It is nothing that impasto reads.
    NoPicture(String),
}

/// SHA-256 of bytes in hexadecimal.
pub fn checksum(bytes: &[u8]) -> String {
    hexadecimal(&Sha256::digest(bytes))
}

/// Two digits for each byte.
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads a picture with at most `most` pixels, and describes it.
///
/// Errors: it cannot be read, or has too many pixels.
pub fn described(bytes: &[u8], name: &str, sha256: String, most: u64) -> Result<Described, Unfit> {
    let path = Path::new(name);
    let options = ReadOptions { memory: Some(most.saturating_mul(BYTES_A_PIXEL)), own_values: false };
    let picture = picture::decode_with(bytes, path, options).map_err(|error| match error {
        impasto::Error::ReadingMemory { .. } | impasto::Error::TooManyPixels { .. } => {
            Unfit::TooLarge(error.to_string())
        }
        error => Unfit::NoPicture(error.to_string()),
    })?;
    let (width, height) = (picture.width(), picture.height());
    if width as u64 * height as u64 > most {
        let most = most / 1_000_000;
        return Err(Unfit::TooLarge(format!("{name} is {width}x{height} px; send at most {most} million px")));
    }
    let recipe = picture::decode_recipe(bytes, path).ok().flatten();
    let recipe = recipe.and_then(|text| Job::from_json(&text).ok()).and_then(|job| serde_json::to_value(job).ok());
    let file = FileView {
        sha256,
        name: name.to_owned(),
        bytes: i64::try_from(bytes.len()).unwrap_or(i64::MAX),
        width: width as i64,
        height: height as i64,
        recipe,
    };
    Ok(Described { file, small: thumbnails::of_picture(&picture.image, thumbnails::STORED) })
}

/// Keeps a picture.
pub async fn keep(database: &Database, store: &Store, described: &Described, bytes: Bytes) -> Result<()> {
    let Described { file, small } = described;
    store.put(&Name::Thumbnail(&file.sha256), small.clone().into()).await?;
    store.put(&Name::Upload(&file.sha256), bytes).await?;
    // Last: what the database knows is in the store.
    database.add_file(file).await
}
