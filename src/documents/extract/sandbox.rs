//! Reads a file in a process of its own, which a hostile file may take down without harm.
//!
//! The process is this very program as `voice-relay extract-file`; it knows nothing of the server's environment, limits
//! itself before it opens the file ([`super::confine`]), and says what it read in one JSON document on standard output.

use std::{
    env,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use tokio::{
    io::{AsyncRead, AsyncReadExt, copy, sink},
    process::{Child, Command},
    time::timeout,
};
use tracing::debug;

use super::{Extracted, Failed, Limits};
use crate::documents::kind::Kind;

/// What the child says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It read the file.
    Extracted(Extracted),
    /// It could not.
    Failed(Failed),
}

/// Where files are read.
#[derive(Clone, Debug)]
pub struct Sandbox {
    program: PathBuf,
    limits: Limits,
}

impl Sandbox {
    /// Reads files with this very program.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        // On Linux this stays right when the file is replaced by the next release.
        let program = if cfg!(target_os = "linux") { Ok("/proc/self/exe".into()) } else { env::current_exe() };
        Self::with_program(program.unwrap_or_else(|_| "voice-relay".into()), limits)
    }

    /// Reads files with the `voice-relay` at this path.
    #[must_use]
    pub const fn with_program(program: PathBuf, limits: Limits) -> Self {
        Self { program, limits }
    }

    /// The same, within other limits.
    #[must_use]
    pub fn within(&self, limits: Limits) -> Self {
        Self { program: self.program.clone(), limits }
    }

    /// Reads the file at `path`, which [`Kind::of`] found to be `kind`. Dropping the future ends the process, and what it
    /// started.
    ///
    /// Each call is a process that may take a core and [`Limits::memory_bytes`]: how many run at once is the caller's to
    /// bound.
    ///
    /// # Errors
    /// [`Failed`], in words for the file's owner, whatever the file made of its reader.
    pub async fn extract(&self, path: &Path, kind: Kind) -> Result<Extracted, Failed> {
        let unavailable = |error: &dyn std::fmt::Display| Failed::Unavailable(error.to_string());
        let path = std::path::absolute(path).map_err(|error| unavailable(&error))?;
        let limits = serde_json::to_string(&self.limits).map_err(|error| unavailable(&error))?;
        let mut command = Command::new(&self.program);
        command.arg("extract-file").arg(kind.name()).arg(limits).arg(path).current_dir("/").env_clear();
        command.env("PATH", env::var_os("PATH").unwrap_or_default());
        // The allocator takes a gibibyte of addresses at once otherwise, which would all be spare memory.
        command.env("MIMALLOC_ARENA_RESERVE", "32768");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        #[cfg(unix)]
        command.process_group(0);
        let mut child = command.spawn().map_err(|error| unavailable(&error))?;
        let mut group = Group::of(&child);
        let within = Duration::from_secs(u64::from(self.limits.seconds));
        let Ok(ended) = timeout(within, self.listen(&mut child)).await else {
            return Err(Failed::TooLong(self.limits.seconds));
        };
        let Ended { status, output, complaint } = ended.map_err(|error| unavailable(&error))?;
        group.disarm();
        match serde_json::from_slice(&output) {
            Ok(Verdict::Extracted(extracted)) => Ok(extracted),
            Ok(Verdict::Failed(failed)) => Err(failed),
            Err(_) => {
                let complaint = String::from_utf8_lossy(&complaint);
                debug!(%status, %kind, complaint = %complaint.trim(), "the reader of a file did not survive it");
                Err(self.cause(status, &complaint))
            }
        }
    }

    /// Takes what the child says until it ends.
    async fn listen(&self, child: &mut Child) -> std::io::Result<Ended> {
        // JSON writes a line feed, a tab, a quote and a backslash as two bytes each; the text has no other controls.
        let most = self.limits.text_bytes * 2 + BESIDE_TEXT;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let (output, complaint) = tokio::try_join!(bounded(stdout, most), bounded(stderr, COMPLAINT))?;
        Ok(Ended { status: child.wait().await?, output, complaint })
    }

    /// Why a child ended that did not say.
    fn cause(&self, status: ExitStatus, complaint: &str) -> Failed {
        #[cfg(target_os = "linux")]
        {
            use std::os::unix::process::ExitStatusExt;

            use rustix::process::Signal;

            let signal = status.signal();
            if signal == Some(Signal::XCPU.as_raw()) {
                return Failed::TooLong(self.limits.seconds);
            }
            // Nobody else kills it but the system that runs out of memory.
            if signal == Some(Signal::KILL.as_raw()) {
                return Failed::TooMuchMemory;
            }
        }
        match complaint.contains("memory allocation of") {
            true => Failed::TooMuchMemory,
            false if status.success() => Failed::Unavailable("the reader said nothing".into()),
            false => Failed::Crashed,
        }
    }
}

struct Ended {
    status: ExitStatus,
    output: Vec<u8>,
    complaint: Vec<u8>,
}

/// Reads to the end and keeps the first bytes, so that the writer never waits.
async fn bounded(pipe: Option<impl AsyncRead + Unpin>, most: usize) -> std::io::Result<Vec<u8>> {
    let Some(mut pipe) = pipe else { return Ok(Vec::new()) };
    let mut kept = Vec::new();
    (&mut pipe).take(most as u64).read_to_end(&mut kept).await?;
    copy(&mut pipe, &mut sink()).await?;
    Ok(kept)
}

/// The child's process group, ended when this is dropped: programs that the child started do not outlive it.
struct Group {
    #[cfg(target_os = "linux")]
    leader: Option<rustix::process::Pid>,
}

impl Group {
    #[cfg(target_os = "linux")]
    fn of(child: &Child) -> Self {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Self { leader: id.and_then(rustix::process::Pid::from_raw) }
    }

    /// The leader was waited for: its number may be another's.
    #[cfg(target_os = "linux")]
    const fn disarm(&mut self) {
        self.leader = None;
    }

    #[cfg(not(target_os = "linux"))]
    const fn of(_: &Child) -> Self {
        Self {}
    }

    #[cfg(not(target_os = "linux"))]
    const fn disarm(&mut self) {}
}

#[cfg(target_os = "linux")]
impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.leader {
            // An error says that it is gone already.
            let _ = rustix::process::kill_process_group(leader, rustix::process::Signal::KILL);
        }
    }
}

/// Room for a preview, metadata and warnings, in bytes.
const BESIDE_TEXT: usize = 1 << 20;

/// What is kept of a dying child's last words, in bytes.
const COMPLAINT: usize = 2048;
