//! Pictures of runs in this process as they are now, for those who watch.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use impasto::Image;
use impasto::picture::{self, Format, SaveOptions};

/// Quality of live pictures as JPEG.
pub const QUALITY: u8 = 88;

/// The newest picture of each run in this process. Clones share them.
#[derive(Clone, Default)]
pub struct LivePictures(Arc<Mutex<HashMap<String, LivePicture>>>);

/// A picture of a run. Clones share it.
#[derive(Clone)]
pub struct LivePicture {
    /// In the result's size and colours.
    pub image: Arc<Image>,
    /// The same as JPEG, once somebody has asked for it.
    jpeg: Arc<Mutex<Option<Bytes>>>,
}

impl LivePicture {
    /// A picture that nobody has asked for yet.
    pub fn new(image: Image) -> LivePicture {
        LivePicture { image: Arc::new(image), jpeg: Arc::default() }
    }

    /// The picture as JPEG. However many ask, it is made once.
    pub fn jpeg(&self, quality: u8) -> impasto::Result<Bytes> {
        let mut made = self.jpeg.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(jpeg) = &*made {
            return Ok(jpeg.clone());
        }
        let options = SaveOptions { format: Some(Format::Jpeg), quality: Some(quality), ..SaveOptions::default() };
        let jpeg = Bytes::from(picture::encode(&self.image, Path::new("live.jpg"), &options)?);
        Ok(made.insert(jpeg).clone())
    }
}

impl LivePictures {
    /// The newest picture of a job; `None`: it does not run in this process, or has none yet.
    pub fn get(&self, job: &str) -> Option<LivePicture> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(job).cloned()
    }

    pub(crate) fn set(&self, job: &str, picture: LivePicture) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(job.to_owned(), picture);
    }

    /// Removes a picture, unless there is a newer one of the job.
    pub(crate) fn remove(&self, job: &str, picture: &LivePicture) {
        let mut pictures = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if pictures.get(job).is_some_and(|newest| Arc::ptr_eq(&newest.image, &picture.image)) {
            pictures.remove(job);
        }
    }
}
