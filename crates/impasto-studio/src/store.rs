//! Where files are: uploads, checkpoints and results, in a folder or in S3.
//!
//! Every name in the store is made here, from checksums, the names of jobs and numbers. None comes
//! from a person.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::TryStreamExt;
use object_store::ClientConfigKey;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::buffered::BufWriter;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::{ObjectStore, ObjectStoreExt};
use tokio::io::{AsyncRead, AsyncWriteExt};

use crate::error::{Error, Result};

/// A request to S3 may take so long.
const REQUEST: &str = "300s";

/// More bytes than these go to S3 in parts.
const WHOLE: usize = 8 << 20;

/// A store of files. Clones share it.
#[derive(Clone)]
pub struct Store {
    objects: Arc<dyn ObjectStore>,
    /// The folder, if it is one of this machine.
    folder: Option<PathBuf>,
}

/// What a file in the store is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Name<'a> {
    /// An upload, by its checksum.
    Upload(&'a str),
    /// A small picture of an upload, by the upload's checksum.
    Thumbnail(&'a str),
    /// A part of a checkpoint of a job.
    Checkpoint(&'a str, i64, &'static str),
    /// The result of a job, by the job and the lease under which it was made.
    Result(&'a str, i64),
    /// The result of a job, by the name that [`Name::Result`] had.
    Stored(&'a str),
    /// A small JPEG of a result, by the result's name.
    Small(&'a str),
    /// The result with 16 bits a value, to be converted from, by the result's name.
    Master(&'a str),
    /// The live picture of a job, for servers that are not its worker.
    Live(&'a str),
}

impl Name<'_> {
    fn key(&self) -> Key {
        Key::from(match self {
            Name::Upload(sha256) => format!("files/{sha256}"),
            Name::Thumbnail(sha256) => format!("thumbnails/{sha256}.jpg"),
            Name::Checkpoint(job, number, part) => format!("jobs/{job}/checkpoint-{number}/{part}"),
            Name::Result(job, lease) => format!("jobs/{job}/result-{lease}"),
            Name::Stored(result) => (*result).to_owned(),
            Name::Small(result) => format!("{result}.small.jpg"),
            Name::Master(result) => format!("{result}.master.png"),
            Name::Live(job) => format!("jobs/{job}/live.jpg"),
        })
    }
}

impl std::fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.key().fmt(f)
    }
}

impl Store {
    /// The store in a folder, which is made if it is not there.
    pub fn folder(path: &Path) -> Result<Store> {
        fs::create_dir_all(path)
            .map_err(|error| Error::new(format!("cannot make the folder {}: {error}", path.display())))?;
        let path = fs::canonicalize(path)?;
        let objects = LocalFileSystem::new_with_prefix(&path)?.with_fsync(true).with_automatic_cleanup(true);
        Ok(Store { objects: Arc::new(objects), folder: Some(path) })
    }

    /// The store at an address: `s3://bucket/folder`, or the path of a folder. What S3 needs
    /// besides (keys, region, endpoint) is read from the usual variables, `AWS_ACCESS_KEY_ID` ...
    ///
    /// Errors: an address of another kind; settings that cannot be used.
    pub fn open(address: &str) -> Result<Store> {
        let Some((scheme, rest)) = address.split_once("://") else {
            return Store::folder(Path::new(address));
        };
        if scheme != "s3" {
            return Err(Error::new(format!(
                "the store {address} is neither a folder nor s3://BUCKET; give one of these"
            )));
        }
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() {
            return Err(Error::new("the store s3:// names no bucket; give s3://BUCKET or s3://BUCKET/FOLDER"));
        }
        // The provider that is installed first stays. Another one does as well.
        drop(rustls::crypto::ring::default_provider().install_default());
        let timeout = AmazonS3ConfigKey::Client(ClientConfigKey::Timeout);
        let s3 = AmazonS3Builder::from_env().with_config(timeout, REQUEST).with_bucket_name(bucket).build()?;
        let objects: Arc<dyn ObjectStore> = match prefix.trim_matches('/') {
            "" => Arc::new(s3),
            prefix => Arc::new(object_store::prefix::PrefixStore::new(s3, prefix)),
        };
        Ok(Store { objects, folder: None })
    }

    /// The folder, if the store is one of this machine.
    pub fn local_folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// Writes a file, whole or not at all.
    pub async fn put(&self, name: &Name<'_>, bytes: Bytes) -> Result<()> {
        if self.folder.is_some() || bytes.len() <= WHOLE {
            self.objects.put(&name.key(), bytes.into()).await?;
            return Ok(());
        }
        self.write(name, &mut bytes.as_ref()).await
    }

    /// Puts a file of this machine into the store, whole or not at all. The file must not change
    /// in place afterwards.
    pub async fn put_file(&self, name: &Name<'_>, path: &Path) -> Result<()> {
        if let Some(folder) = &self.folder {
            return linked(path.to_owned(), folder.join(name.key().as_ref())).await;
        }
        self.write(name, &mut tokio::fs::File::open(path).await?).await
    }

    /// Writes what a reader gives, in parts. Nothing of it stays after an error.
    async fn write(&self, name: &Name<'_>, from: &mut (impl AsyncRead + Unpin)) -> Result<()> {
        let mut writer = BufWriter::new(Arc::clone(&self.objects), name.key());
        let written = async {
            tokio::io::copy(from, &mut writer).await?;
            writer.shutdown().await
        };
        let written = written.await;
        if written.is_err() {
            // If this fails too, the error that came first says more.
            drop(writer.abort().await);
        }
        Ok(written?)
    }

    /// The bytes of a file; `None`: there is none.
    pub async fn get(&self, name: &Name<'_>) -> Result<Option<Bytes>> {
        match self.objects.get(&name.key()).await {
            Ok(found) => Ok(Some(found.bytes().await?)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Puts a file of the store at a path of this machine. Returns `false` if there is none.
    pub async fn get_file(&self, name: &Name<'_>, path: &Path) -> Result<bool> {
        if let Some(folder) = &self.folder {
            let from = folder.join(name.key().as_ref());
            if !from.exists() {
                return Ok(false);
            }
            linked(from, path.to_owned()).await?;
            return Ok(true);
        }
        let found = match self.objects.get(&name.key()).await {
            Ok(found) => found,
            Err(object_store::Error::NotFound { .. }) => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        let mut file = tokio::fs::File::create(path).await?;
        let mut parts = found.into_stream();
        while let Some(part) = parts.try_next().await? {
            file.write_all(&part).await?;
        }
        file.sync_all().await?;
        Ok(true)
    }

    /// Whether there is such a file.
    pub async fn has(&self, name: &Name<'_>) -> Result<bool> {
        match self.objects.head(&name.key()).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes a file, if there is one.
    pub async fn remove(&self, name: &Name<'_>) -> Result<()> {
        match self.objects.delete(&name.key()).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes everything of a job.
    pub async fn remove_job(&self, job: &str) -> Result<()> {
        self.remove_of_job(job, |_| true).await
    }

    /// Removes what a job that has ended no longer needs: checkpoints and the live picture.
    pub async fn remove_passing(&self, job: &str) -> Result<()> {
        self.remove_of_job(job, |name| !name.starts_with("result-")).await
    }

    /// Removes what a job has under names that `is_meant` accepts.
    async fn remove_of_job(&self, job: &str, is_meant: impl Fn(&str) -> bool) -> Result<()> {
        let listed: Vec<_> = self.objects.list(Some(&Key::from(format!("jobs/{job}")))).try_collect().await?;
        let prefix = format!("jobs/{job}/");
        let is_meant = |key: &Key| key.as_ref().strip_prefix(&prefix).is_some_and(&is_meant);
        for object in listed.into_iter().filter(|object| is_meant(&object.location)) {
            match self.objects.delete(&object.location).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

/// As [`link`], apart from the threads that answer: another disk needs a copy.
async fn linked(from: PathBuf, to: PathBuf) -> Result<()> {
    let linked = tokio::task::spawn_blocking(move || link(&from, &to)).await;
    linked.map_err(|error| Error::new(error.to_string()))?
}

/// Gives a file a second name, without copying it if the two are on one disk.
///
/// Errors: there is no such file. Nothing is made then.
fn link(from: &Path, to: &Path) -> Result<()> {
    fs::metadata(from)?;
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    // No name that is made from a person's begins with a dot or has this sign.
    let name = to.file_name().unwrap_or_default().to_string_lossy();
    let new = to.with_file_name(format!(".{name}~new"));
    match fs::remove_file(&new) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    if fs::hard_link(from, &new).is_err() {
        fs::copy(from, &new)?;
        fs::File::open(&new)?.sync_all()?;
    }
    // Renaming a link to another link of the same file does nothing and leaves both.
    fs::rename(&new, to)?;
    #[cfg(unix)]
    if let Some(folder) = to.parent() {
        // The name itself survives a power cut then.
        fs::File::open(folder)?.sync_all()?;
    }
    match fs::remove_file(&new) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_folder_keeps_what_is_put_there() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::folder(&folder.path().join("store")).unwrap();
        let name = Name::Upload("ab");
        assert_eq!(store.get(&name).await.unwrap(), None);
        store.put(&name, Bytes::from_static(b"one")).await.unwrap();
        assert_eq!(store.get(&name).await.unwrap().unwrap(), "one");
        let path = folder.path().join("copy");
        assert!(store.get_file(&name, &path).await.unwrap());
        assert!(store.get_file(&name, &path).await.unwrap(), "a second time");
        assert_eq!(fs::read(&path).unwrap(), b"one");

        let part = Name::Checkpoint("job", 3, "state");
        store.put_file(&part, &path).await.unwrap();
        assert!(store.has(&part).await.unwrap());
        store.remove_job("job").await.unwrap();
        assert!(!store.has(&part).await.unwrap());
        store.remove(&part).await.unwrap();
        assert!(!store.get_file(&part, &path).await.unwrap());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "nothing else is left");
    }

    #[test]
    fn other_stores_are_refused_in_words() {
        let refused = |address: &str| Store::open(address).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(refused("ftp://a/b").contains("s3://BUCKET"));
        assert!(refused("s3:///b").contains("names no bucket"));
    }
}
