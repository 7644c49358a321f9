//! Bytes of files: a folder of the data dir, or a bucket of S3, Google Cloud Storage or Azure.
//!
//! Keys are UUIDs; names and owners are the store's business. A file comes into the spool ([`Arriving`]), is looked at and
//! scanned there ([`Storage::scan`]), and only then kept. Nothing here knows whether a row owns a key.

mod bucket;
mod clamd;
mod config;
mod spool;

use std::{
    fs, io,
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream::BoxStream};
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt, local::LocalFileSystem, path};
use tokio::io::AsyncWriteExt;
use uuid::Uuid;

use self::{bucket::Bucket, clamd::Address, spool::Place};

pub use clamd::Refused;
pub use config::Config;
pub use spool::{Arrived, Arriving};

/// Where files are kept. Cloning shares it.
#[derive(Clone, Debug)]
pub struct Storage(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Arc<dyn ObjectStore>,
    home: Home,
    /// Files on their way in, and copies on their way to a reader.
    spool: PathBuf,
    /// What the scanner found.
    quarantine: PathBuf,
    scanner: Option<Address>,
    most: u64,
}

/// Where kept files are.
#[derive(Debug)]
enum Home {
    /// In this folder, beside the spool.
    Folder(PathBuf),
    /// Elsewhere.
    Bucket(Bucket),
}

/// Why storage did not do it.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The configuration names a store that cannot be used.
    #[error("the storage {url} cannot be used: {reason}")]
    Unusable {
        /// Which.
        url: String,
        /// Why.
        reason: String,
    },
    /// The folder cannot be made, read or written.
    #[error("the files' folder failed: {0}")]
    Folder(#[from] io::Error),
    /// There are no such bytes.
    #[error("there are no bytes under this key")]
    Missing,
    /// The store failed.
    #[error("the files' store failed: {0}")]
    Store(object_store::Error),
}

impl From<object_store::Error> for StorageError {
    #[expect(clippy::wildcard_enum_match_arm, reason = "what else goes wrong is one to us")]
    fn from(error: object_store::Error) -> Self {
        match error {
            object_store::Error::NotFound { .. } => Self::Missing,
            error => Self::Store(error),
        }
    }
}

impl Storage {
    /// Opens what the configuration names, with the spool in the data dir. Asks nothing of a bucket yet.
    pub fn open(config: &Config, data_dir: &Path) -> Result<Self, StorageError> {
        let root = Config::folder(data_dir);
        let (spool, quarantine) = (root.join("arriving"), root.join("quarantine"));
        private_folder(&spool)?;
        private_folder(&quarantine)?;
        let (store, home): (Arc<dyn ObjectStore>, _) = if config.url.is_empty() {
            let kept = root.join("kept");
            private_folder(&kept)?;
            (Arc::new(LocalFileSystem::new_with_prefix(&kept)?), Home::Folder(kept))
        } else {
            let (store, bucket) = bucket::open(config)?;
            (store, Home::Bucket(bucket))
        };
        let scanner = Address::parse(&config.clamd);
        Ok(Self(Arc::new(Inner { store, home, spool, quarantine, scanner, most: config.most() })))
    }

    /// Largest file that is taken, in bytes.
    pub fn most(&self) -> u64 {
        self.0.most
    }

    /// Begins to take a file in.
    pub fn receive(&self) -> Arriving {
        Arriving::begin(&self.0.spool)
    }

    /// Has a file looked at by the scanner, if there is one. What it finds is put where nobody comes across it.
    pub async fn scan(&self, file: &Arrived) -> Result<(), Refused> {
        let Some(scanner) = &self.0.scanner else { return Ok(()) };
        let unscanned = |error: io::Error| Refused::Unscanned(error.to_string());
        let mut bytes = tokio::fs::File::open(file.path()).await.map_err(unscanned)?;
        let scanned = scanner.scan(&mut bytes).await;
        if let Err(Refused::Infected(found)) = &scanned {
            let cell = self.0.quarantine.join(Uuid::now_v7().to_string());
            tracing::warn!(%found, sha256 = file.sha256, path = %cell.display(), "an infected file was put in quarantine");
            if let Err(error) = file.move_to(&cell).await {
                tracing::error!(%error, "an infected file could not be put in quarantine and is deleted");
            }
            let quarantine = self.0.quarantine.clone();
            let _ = tokio::task::spawn_blocking(move || keep_newest(&quarantine, QUARANTINED)).await;
        }
        scanned
    }

    /// Keeps a file under this key.
    pub async fn keep(&self, key: Uuid, file: Arrived) -> Result<(), StorageError> {
        match &self.0.home {
            Home::Folder(kept) => file.move_to(&kept.join(key.to_string())).await?,
            Home::Bucket(bucket) => bucket.put(&*self.0.store, &self.path(key), file.path()).await?,
        }
        Ok(())
    }

    /// The bytes under this key, all or these of them, a few KiB at a time.
    pub async fn read(
        &self,
        key: Uuid,
        range: Option<Range<u64>>,
    ) -> Result<BoxStream<'static, Result<Bytes, StorageError>>, StorageError> {
        let options = GetOptions { range: range.map(GetRange::Bounded), ..GetOptions::default() };
        let found = self.0.store.get_opts(&self.path(key), options).await?;
        Ok(found.into_stream().map_err(StorageError::from).boxed())
    }

    /// The bytes under this key as a file of this machine, for as long as what is returned lives.
    pub async fn local(&self, key: Uuid) -> Result<Local, StorageError> {
        if let Home::Folder(kept) = &self.0.home {
            return Ok(Local { path: kept.join(key.to_string()), _copy: None });
        }
        let copy = Place(self.0.spool.join(format!("copy-{}", Uuid::now_v7())));
        let mut options = tokio::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        options.mode(0o600);
        let mut file = options.open(&copy.0).await?;
        let mut bytes = self.read(key, None).await?;
        while let Some(piece) = bytes.try_next().await? {
            file.write_all(&piece).await?;
        }
        file.flush().await?;
        Ok(Local { path: copy.0.clone(), _copy: Some(copy) })
    }

    /// Removes what is under this key; that nothing is there is no error.
    pub async fn remove(&self, key: Uuid) -> Result<(), StorageError> {
        match self.0.store.delete(&self.path(key)).await.map_err(StorageError::from) {
            Ok(()) | Err(StorageError::Missing) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Whether it answers.
    pub async fn answers(&self) -> Result<(), StorageError> {
        match self.0.store.head(&self.path(Uuid::nil())).await.map_err(StorageError::from) {
            Ok(_) | Err(StorageError::Missing) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Clears from the spool what a process left that died, given that nothing takes longer than [`LONGEST`] to come in.
    pub async fn clear_spool(&self, now: SystemTime) -> Result<(), StorageError> {
        let spool = self.0.spool.clone();
        let clear = move || {
            for entry in fs::read_dir(spool)? {
                let entry = entry?;
                let old = entry.metadata()?.modified()?.checked_add(LONGEST).is_some_and(|end| end < now);
                if old {
                    fs::remove_file(entry.path())?;
                }
            }
            Ok::<_, io::Error>(())
        };
        Ok(tokio::task::spawn_blocking(clear).await.map_err(io::Error::other)??)
    }

    fn path(&self, key: Uuid) -> path::Path {
        match &self.0.home {
            Home::Folder(_) => path::Path::from(key.to_string()),
            Home::Bucket(bucket) => bucket.path(key),
        }
    }
}

/// A file of this machine.
#[derive(Debug)]
pub struct Local {
    path: PathBuf,
    _copy: Option<Place>,
}

impl Local {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

fn private_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(path)
}

/// Removes all but so many files, whose names tell when they came.
fn keep_newest(folder: &Path, most: usize) -> io::Result<()> {
    let mut paths: Vec<_> = fs::read_dir(folder)?.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    let surplus = paths.len().saturating_sub(most);
    paths.into_iter().take(surplus).try_for_each(fs::remove_file)
}

/// How long a file may take from its first byte to where it is kept. What is older and not kept never will be.
pub const LONGEST: Duration = Duration::from_secs(3600);
/// Infected files that are kept to be looked at; the oldest go first.
const QUARANTINED: usize = 100;
