//! What has been verified: a file unchanged in size and time since its hash was checked need not be hashed again.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::catalogue::{File, Model};

/// How an installed file is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// As pinned.
    Good,
    /// Not there.
    Missing,
    /// There, but with other bytes.
    Damaged,
}

/// The notes kept beside the models. Losing them costs one hash a file.
#[derive(Debug)]
pub(super) struct Ledger {
    dir: PathBuf,
    stamps: BTreeMap<String, Stamp>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
struct Stamp {
    size: u64,
    modified_ns: u128,
    sha256: String,
}

impl Ledger {
    pub(super) fn open(dir: &Path) -> Self {
        let stamps = fs::read(dir.join(NAME)).ok().and_then(|text| serde_json::from_slice(&text).ok());
        Self { dir: dir.to_owned(), stamps: stamps.unwrap_or_default() }
    }

    /// How a file is, trusting notes.
    pub(super) fn state(&mut self, file: &File) -> State {
        let path = self.dir.join(file.path);
        let Some(mut stamp) = Stamp::of(&path) else { return State::Missing };
        if let Some(known) = self.stamps.get(file.path)
            && (known.size, known.modified_ns) == (stamp.size, stamp.modified_ns)
            && known.sha256 == file.sha256
        {
            return State::Good;
        }
        if stamp.size != file.size || sha256(&path).ok().as_deref() != Some(file.sha256) {
            self.stamps.remove(file.path);
            return State::Damaged;
        }
        stamp.sha256 = file.sha256.to_owned();
        self.stamps.insert(file.path.to_owned(), stamp);
        State::Good
    }

    pub(super) fn is_complete(&mut self, model: &Model) -> bool {
        model.files.iter().all(|file| self.state(file) == State::Good)
    }

    /// Forgets the notes on a file, so that it is hashed when next asked for.
    pub(super) fn forget(&mut self, file: &File) {
        self.stamps.remove(file.path);
    }

    pub(super) fn save(&self) -> io::Result<()> {
        let text = serde_json::to_vec_pretty(&self.stamps).map_err(io::Error::other)?;
        let part = self.dir.join(format!("{NAME}.part"));
        fs::write(&part, text)?;
        fs::rename(part, self.dir.join(NAME))
    }
}

impl Stamp {
    fn of(path: &Path) -> Option<Self> {
        let data = fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
        let modified = data.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        Some(Self { size: data.len(), modified_ns: modified.as_nanos(), sha256: String::new() })
    }
}

/// A file's SHA-256 in lower-case hex.
pub(super) fn sha256(path: &Path) -> io::Result<String> {
    let mut file = fs::File::open(path)?;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            count => digest.update(&buffer[..count]),
        }
    }
    Ok(digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

const NAME: &str = "installed.json";
