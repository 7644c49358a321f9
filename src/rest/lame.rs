//! MP3, as the program `lame` writes it where it is installed: its terms bind whoever ships it, so the relay does not.

use std::{env, io, process::Stdio, time::Duration};

use axum::{body::Bytes, http::StatusCode};
use futures_util::{Stream, StreamExt, stream};
use tokio::{
    io::AsyncWriteExt,
    process::{Child, ChildStdin, ChildStdout, Command},
    sync::{Semaphore, SemaphorePermit},
    time::timeout,
};
use tokio_util::{io::ReaderStream, task::AbortOnDropHandle};

use super::{
    fault::Fault,
    sound::{Broken, Sound},
};

/// A running encoder, which ends when this is dropped.
#[derive(Debug)]
pub(super) struct Lame {
    child: Child,
    stdin: ChildStdin,
    stdout: ChildStdout,
    running: SemaphorePermit<'static>,
}

/// Why there is no encoder.
#[derive(Debug, thiserror::Error)]
pub(super) enum Absent {
    /// The server has no such program.
    #[error("lame is not installed")]
    Missing,
    /// As many as there may be are at work.
    #[error("all encoders are taken")]
    Busy,
    /// It does not start.
    #[error("lame does not start")]
    Failed(#[source] io::Error),
}

impl Lame {
    /// Starts one: 24 kHz mono in, MPEG-2 layer III at 64 kbit/s out, each frame as soon as it is full (lame(1)).
    pub(super) fn start() -> Result<Self, Absent> {
        Self::start_as("lame")
    }

    fn start_as(program: &str) -> Result<Self, Absent> {
        let running = ENCODERS.try_acquire().map_err(|_| Absent::Busy)?;
        let mut command = Command::new(program);
        command.args(["-r", "-s", "24", "--signed", "--bitwidth", "16", "--little-endian", "-m", "m"]);
        command.args(["-b", "64", "-t", "--flush", "--silent", "-", "-"]);
        command.env_clear().env("PATH", env::var_os("PATH").unwrap_or_default()).current_dir("/");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let mut child = command.spawn().map_err(|error| {
            if error.kind() == io::ErrorKind::NotFound { Absent::Missing } else { Absent::Failed(error) }
        })?;
        let pipes = child.stdin.take().zip(child.stdout.take());
        let (stdin, stdout) = pipes.ok_or_else(|| Absent::Failed(io::ErrorKind::BrokenPipe.into()))?;
        Ok(Self { child, stdin, stdout, running })
    }

    /// Sound as MP3, as it comes.
    pub(super) fn write(self, sound: Sound) -> impl Stream<Item = Result<Bytes, Broken>> {
        let Self { mut child, stdin, stdout, running } = self;
        let feeding = AbortOnDropHandle::new(tokio::spawn(feed(stdin, sound)));
        let ending = async move {
            let _running = running;
            let fed = feeding.await.unwrap_or(Err(Broken));
            let ended = timeout(PATIENCE, child.wait()).await;
            let well = matches!(ended, Ok(Ok(status)) if status.success());
            if fed.is_ok() && !well {
                tracing::error!(?ended, "lame did not end well");
            }
            (fed.is_err() || !well).then_some(Err(Broken))
        };
        let written = ReaderStream::new(stdout).map(|read| {
            read.map_err(|error| {
                tracing::error!(%error, "what lame writes cannot be read");
                Broken
            })
        });
        written.chain(stream::once(ending).filter_map(std::future::ready))
    }
}

/// Hands on all of the sound, and then that it is over. An encoder that has gone says why by how it ended.
async fn feed(mut stdin: ChildStdin, mut sound: Sound) -> Result<(), Broken> {
    let mut bytes = Vec::new();
    while let Some(samples) = sound.next().await {
        bytes.clear();
        audio::Encoding::Pcm16.encode(&samples?, &mut bytes);
        if stdin.write_all(&bytes).await.is_err() {
            break;
        }
    }
    Ok(())
}

impl Absent {
    /// As the client is told it; `field` is where MP3 was asked for.
    pub(super) fn told(self, field: &str) -> Fault {
        match self {
            Self::Missing => {
                let message = "MP3 is made by `lame`, which is not installed on this server; `wav` and `pcm` (24 kHz, 16 bit) and \
                               `opus` (in Ogg) can be made.";
                Fault::invalid(field, message).coded("unsupported_format")
            }
            Self::Busy => {
                let message = "Too many are having MP3 made: try again in a moment, or take another format.";
                Fault::new(StatusCode::SERVICE_UNAVAILABLE, "busy", message).after(Duration::from_secs(2))
            }
            Self::Failed(error) => {
                tracing::error!(%error, "lame does not start");
                Fault::internal()
            }
        }
    }
}

/// At once, each a process of a few MiB.
static ENCODERS: Semaphore = Semaphore::const_new(32);
/// How long one may take for the rest once it has all.
const PATIENCE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;

    use super::*;

    #[tokio::test]
    async fn a_server_without_lame_says_so() {
        let missing = Lame::start_as("lame-that-nobody-has").unwrap_err();
        assert!(matches!(missing, Absent::Missing));
        assert_eq!(missing.told("format").into_response().status(), StatusCode::UNPROCESSABLE_ENTITY);
    }

    #[tokio::test]
    async fn an_encoder_that_fails_breaks_the_speech_off() {
        let sound = || stream::iter([Ok(vec![0; 2_400])]).boxed();
        let read = async |program| Lame::start_as(program).unwrap().write(sound()).collect::<Vec<_>>().await;
        assert_eq!(read("false").await, [Err(Broken)]);
    }

    #[tokio::test]
    async fn speech_that_breaks_off_is_not_taken_for_the_whole() {
        let sound = stream::iter([Ok(vec![0; 24_000]), Err(Broken)]).boxed();
        let read: Vec<_> = Lame::start().unwrap().write(sound).collect().await;
        assert_eq!(read.last(), Some(&Err(Broken)));
    }
}
