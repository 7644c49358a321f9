//! A virus scanner: ClamAV's daemon, spoken to by its `INSTREAM` command (clamd(8)).
//!
//! A connection a file. Only the answer `OK` lets a file in: whatever else happens, it was not scanned.

use std::{io, path::PathBuf, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// Where the daemon listens.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Address {
    /// `host:port`.
    Tcp(String),
    /// A socket's path.
    Unix(PathBuf),
}

/// Why a file is not let in.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The scanner knows it; the name is the scanner's.
    #[error("the scanner found {0}")]
    Infected(String),
    /// It could not be scanned: the scanner is down, busy, or takes no file so large.
    #[error("the file could not be scanned: {0}")]
    Unscanned(String),
}

impl Address {
    /// Reads `tcp://host:port` or `unix:/path`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if let Some(path) = text.strip_prefix("unix:") {
            let path = PathBuf::from(path);
            return path.is_absolute().then_some(Self::Unix(path));
        }
        let host = text.strip_prefix("tcp://")?;
        let (name, port) = host.rsplit_once(':')?;
        (!name.is_empty() && port.parse::<u16>().is_ok()).then(|| Self::Tcp(host.to_owned()))
    }

    /// Has the daemon look at all that `file` gives.
    pub(super) async fn scan(&self, file: &mut (impl AsyncRead + Unpin)) -> Result<(), Refused> {
        let unscanned = |error: io::Error| Refused::Unscanned(error.to_string());
        let asked = timeout(PATIENCE, async {
            match self {
                Self::Tcp(host) => ask(TcpStream::connect(host).await?, file).await,
                #[cfg(unix)]
                Self::Unix(path) => ask(tokio::net::UnixStream::connect(path).await?, file).await,
                #[cfg(not(unix))]
                Self::Unix(_) => Err(io::Error::new(io::ErrorKind::Unsupported, "no such sockets on this system")),
            }
        });
        let late = |_| Refused::Unscanned("the scanner took too long".to_owned());
        verdict(&asked.await.map_err(late)?.map_err(unscanned)?)
    }
}

/// Sends the file in pieces, each behind its length, and takes the answer.
async fn ask(
    mut daemon: impl AsyncRead + AsyncWrite + Unpin,
    file: &mut (impl AsyncRead + Unpin),
) -> io::Result<String> {
    let sent = send(&mut daemon, file).await;
    let mut answer = Vec::new();
    let heard = (&mut daemon).take(LONGEST_ANSWER).read_to_end(&mut answer).await;
    // A daemon that has read enough answers and hangs up: its words say more than the broken pipe.
    match (answer.is_empty(), sent, heard) {
        (true, Err(error), _) | (true, Ok(()), Err(error)) => Err(error),
        (true, Ok(()), Ok(_)) => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the scanner said nothing")),
        (false, _, _) => Ok(String::from_utf8_lossy(&answer).trim_end_matches(['\0', '\n']).to_owned()),
    }
}

async fn send(daemon: &mut (impl AsyncWrite + Unpin), file: &mut (impl AsyncRead + Unpin)) -> io::Result<()> {
    daemon.write_all(b"zINSTREAM\0").await?;
    let mut piece = vec![0; PIECE];
    loop {
        let length = file.read(&mut piece).await?;
        daemon.write_all(&(length as u32).to_be_bytes()).await?;
        if length == 0 {
            return daemon.flush().await;
        }
        daemon.write_all(&piece[..length]).await?;
    }
}

/// `stream: OK`, `stream: NAME FOUND`, or what went wrong.
fn verdict(answer: &str) -> Result<(), Refused> {
    let said = answer.strip_prefix("stream: ").unwrap_or(answer);
    match said.strip_suffix(" FOUND") {
        Some(name) => Err(Refused::Infected(name.to_owned())),
        None if answer == "stream: OK" => Ok(()),
        None => Err(Refused::Unscanned(said.chars().filter(|c| !c.is_control()).take(200).collect())),
    }
}

/// How long the scanner may take in all, as it allows itself by default for one file (`MaxScanTime`).
const PATIENCE: Duration = Duration::from_secs(120);
/// How much is sent at once, in bytes.
const PIECE: usize = 64 << 10;
/// An answer is one line, in bytes.
const LONGEST_ANSWER: u64 = 1 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ok_is_clean() {
        assert!(verdict("stream: OK").is_ok());
        let found = verdict("stream: Win.Test.EICAR_HDB-1 FOUND");
        assert!(matches!(found, Err(Refused::Infected(name)) if name == "Win.Test.EICAR_HDB-1"));
        for answer in ["", "OK", "stream: ", "INSTREAM size limit exceeded. ERROR", "UNKNOWN COMMAND", "stream: OK no"]
        {
            assert!(matches!(verdict(answer), Err(Refused::Unscanned(_))), "{answer}");
        }
    }
}
