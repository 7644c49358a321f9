//! A file on its way in: written as it comes, measured and fingerprinted, gone again unless it is kept.

use std::{
    fmt::Write,
    io,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use sha2::{Digest, Sha256};
use tokio::{
    fs::{File, OpenOptions},
    io::AsyncWriteExt,
};
use uuid::Uuid;

/// A file that still comes.
#[derive(Debug)]
pub struct Arriving {
    place: Place,
    file: File,
    size: u64,
    hash: Sha256,
}

/// A file that came whole and nobody keeps yet: dropped, it is gone.
#[derive(Debug)]
pub struct Arrived {
    place: Place,
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
    pub(super) async fn begin(folder: &Path) -> io::Result<Self> {
        let place = Place(folder.join(Uuid::now_v7().to_string()));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        options.mode(0o600);
        let mut file = options.open(&place.0).await?;
        file.set_max_buf_size(PIECE);
        Ok(Self { place, file, size: 0, hash: Sha256::new() })
    }

    /// Writes what came.
    pub async fn write(&mut self, mut bytes: Bytes) -> io::Result<()> {
        while !bytes.is_empty() {
            let piece = bytes.split_to(bytes.len().min(PIECE));
            self.hash.update(&piece);
            self.size += piece.len() as u64;
            self.file.write_all(&piece).await?;
        }
        Ok(())
    }

    /// How much came so far, in bytes.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// It came whole.
    pub async fn finish(mut self) -> io::Result<Arrived> {
        self.file.flush().await?;
        self.file.sync_all().await?;
        let sha256 = self.hash.finalize().iter().fold(String::with_capacity(64), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        });
        Ok(Arrived { place: self.place, size: self.size, sha256 })
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

/// How much is hashed and written at once, in bytes: less than half a millisecond of the runtime's time.
pub(super) const PIECE: usize = 64 << 10;
