//! A file on its way in: written as it comes, measured and fingerprinted, gone again unless it is kept.

use std::{
    fmt::Write as _,
    fs::{File, OpenOptions},
    io::{self, Write as _},
    mem,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use sha2::{Digest, Sha256};
use tokio::task::{JoinHandle, spawn_blocking};
use uuid::Uuid;

/// A file that still comes. What came is hashed and written a batch at a time off the runtime's threads, while the next batch is
/// received: at most two batches of 96 KiB are in memory.
#[derive(Debug)]
pub struct Arriving {
    place: Arc<Place>,
    size: u64,
    batch: Vec<u8>,
    writing: Option<JoinHandle<io::Result<Sink>>>,
}

/// Where batches go. It keeps its place: who leaves while something is written leaves nothing behind.
#[derive(Debug)]
struct Sink {
    file: File,
    hash: Sha256,
    /// Room for the next batch but one.
    spare: Vec<u8>,
    _place: Arc<Place>,
}

/// A file that came whole and nobody keeps yet: dropped, it is gone.
#[derive(Debug)]
pub struct Arrived {
    place: Arc<Place>,
    /// In bytes.
    pub size: u64,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
}

/// A path that is cleared when this is dropped.
#[derive(Debug)]
pub(super) struct Place(pub(super) PathBuf);

impl Arriving {
    /// Begins a file of no name in this folder, which its owner alone can read.
    pub(super) fn begin(folder: &Path) -> Self {
        let place = Arc::new(Place(folder.join(Uuid::now_v7().to_string())));
        let opened = Arc::clone(&place);
        let writing = spawn_blocking(move || Sink::open(opened));
        Self { place, size: 0, batch: Vec::new(), writing: Some(writing) }
    }

    /// Takes what came. What cannot be written fails a later call, or [`Self::finish`].
    pub async fn write(&mut self, piece: Bytes) -> io::Result<()> {
        if !self.batch.is_empty() && self.batch.len() + piece.len() > BATCH {
            let mut sink = self.sink().await?;
            let batch = mem::replace(&mut self.batch, mem::take(&mut sink.spare));
            self.writing = Some(spawn_blocking(move || sink.write(batch)));
        }
        self.size += piece.len() as u64;
        // Copied, since a piece may be all that is left in use of a larger buffer.
        self.batch.extend_from_slice(&piece);
        Ok(())
    }

    /// How much came so far, in bytes.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// It came whole.
    pub async fn finish(mut self) -> io::Result<Arrived> {
        let sink = self.sink().await?;
        let batch = self.batch;
        let sha256 = spawn_blocking(move || sink.write(batch)?.finish());
        Ok(Arrived { place: self.place, size: self.size, sha256: sha256.await?? })
    }

    /// The sink, once the batch before is written.
    async fn sink(&mut self) -> io::Result<Sink> {
        match self.writing.take() {
            Some(writing) => writing.await?,
            None => Err(io::Error::other("the file could not be written before")),
        }
    }
}

impl Sink {
    fn open(place: Arc<Place>) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        Ok(Self { file: options.open(&place.0)?, hash: Sha256::new(), spare: Vec::new(), _place: place })
    }

    fn write(mut self, mut batch: Vec<u8>) -> io::Result<Self> {
        self.hash.update(&batch);
        self.file.write_all(&batch)?;
        batch.clear();
        Ok(Self { spare: batch, ..self })
    }

    /// What is written stays, also when the machine stops; its SHA-256 in hexadecimal.
    fn finish(self) -> io::Result<String> {
        self.file.sync_all()?;
        let digits = self.hash.finalize().iter().fold(String::with_capacity(64), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        });
        Ok(digits)
    }
}

impl Arrived {
    /// Where it lies meanwhile.
    pub fn path(&self) -> &Path {
        &self.place.0
    }

    /// Gives the file to another place of the same file system.
    pub(super) async fn move_to(&self, path: &Path) -> io::Result<()> {
        tokio::fs::rename(self.path(), path).await
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Moved on, it is not here any more. What cannot be removed now is cleared at the next start.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// How much is hashed and written at once, in bytes. A piece of a body is at most 64 KiB, so what one upload holds is less than
/// 256 KiB with what its connection reads ahead.
const BATCH: usize = 96 << 10;
