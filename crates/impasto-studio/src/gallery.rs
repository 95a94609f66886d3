//! Styles and a photo to start with. They are part of the program, and are uploaded when a server
//! begins.

use rust_embed::RustEmbed;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::database::Database;
use crate::error::{Error, Result};
use crate::model::FileView;
use crate::store::{Name, Store};
use crate::uploads::{self, Described};

#[derive(RustEmbed)]
#[folder = "gallery/styles"]
struct Embedded;

/// The photo to start with: NASA's portrait of Eileen Collins.
const PHOTO: &[u8] = include_bytes!("../../../examples/astronaut.jpg");

/// Called so where it is shown.
const PHOTO_NAME: &str = "astronaut.jpg";

/// No picture of the gallery has more pixels.
const PIXELS: u64 = 4_000_000;

/// A style of the gallery.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct GalleryEntry {
    /// Names it.
    pub id: String,
    /// What it is called.
    pub title: String,
    /// Who made it.
    pub by: String,
    /// The file.
    pub file: FileView,
}

/// A photo and a style to start with.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Example {
    /// The photo.
    pub content: FileView,
    /// The style.
    pub style: FileView,
}

/// The gallery of a server.
#[derive(Clone, Debug)]
pub struct Gallery {
    /// The styles.
    pub entries: Vec<GalleryEntry>,
    /// What the page shows first.
    pub example: Example,
}

/// An entry of `gallery.json`.
#[derive(Deserialize)]
struct Listed {
    id: String,
    file: String,
    title: String,
    by: String,
}

impl Gallery {
    /// Uploads the gallery where it is not yet.
    ///
    /// Errors: the database or the store.
    pub async fn install(database: &Database, store: &Store) -> Result<Gallery> {
        let list = Embedded::get("gallery.json").map(|file| file.data).unwrap_or_default();
        let list: Vec<Listed> = serde_json::from_slice(&list).map_err(|error| broken(&error.to_string()))?;
        let mut entries = Vec::new();
        for Listed { id, file, title, by } in list {
            let bytes = Embedded::get(&file).ok_or_else(|| broken(&format!("{file} is not there")))?.data.into_owned();
            entries.push(GalleryEntry { id, title, by, file: installed(database, store, &file, bytes).await? });
        }
        let content = installed(database, store, PHOTO_NAME, PHOTO.to_vec()).await?;
        let style = entries.first().ok_or_else(|| broken("it is empty"))?.file.clone();
        Ok(Gallery { entries, example: Example { content, style } })
    }
}

fn broken(problem: &str) -> Error {
    Error::new(format!("the gallery in the program is broken: {problem}"))
}

async fn installed(database: &Database, store: &Store, name: &str, bytes: Vec<u8>) -> Result<FileView> {
    let sha256 = uploads::checksum(&bytes);
    if let Some(known) = database.file(&sha256).await?
        && store.has(&Name::Upload(&sha256)).await?
    {
        database.use_file(&sha256).await?;
        return Ok(known);
    }
    let described = uploads::described(&bytes, name, sha256, PIXELS);
    let described = described.map_err(|unfit| broken(&format!("{unfit:?}")))?;
    uploads::keep(database, store, &described, bytes.into()).await?;
    let Described { file, .. } = described;
    Ok(file)
}
