//! Voices of the operating system as child processes: flite, then espeak-ng, where the embedded voice cannot be had.
//!
//! A process of their own keeps their licences (espeak-ng is GPL) and their crashes apart. Text and sound travel in files
//! of a private folder that lives as long as the call; no shell sees the text. Dropping the speech kills the process.

use std::{path::Path, process::Stdio, sync::Arc, time::Duration};

use audio::{Clip, SampleRate, WavError, wav};
use futures_util::{StreamExt, future::BoxFuture, stream::BoxStream};
use tokio::{process, sync::Semaphore, task, time};

use super::{
    ahead::{self, Listener},
    piece, spoken,
};
use crate::{
    ErrorKind, ProviderError,
    tts::{Clause, Speech, SpeechStream, TextToSpeech, TtsCapabilities, Voice},
};

/// A speaking program.
#[derive(Clone, Debug)]
pub struct Command {
    program: Program,
    /// Processes at once: one a core, since each keeps one busy.
    running: Arc<Semaphore>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Program {
    Flite,
    Espeak,
}

impl Command {
    /// flite 2, usually with its voice slt: understood about as well as the embedded voice, and cheap, but plainly a machine.
    pub fn flite() -> Self {
        Self::new(Program::Flite)
    }

    /// espeak-ng: the last resort, since one word in five is misheard.
    pub fn espeak() -> Self {
        Self::new(Program::Espeak)
    }

    fn new(program: Program) -> Self {
        Self { program, running: Arc::new(Semaphore::new(super::pool::Pool::cores())) }
    }

    /// Whether the program is installed.
    ///
    /// # Errors
    /// `Unavailable` with the line that installs it.
    pub fn available(&self) -> Result<(), ProviderError> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let found = std::env::split_paths(&path).any(|folder| folder.join(self.program.name()).is_file());
        if found { Ok(()) } else { Err(self.program.missing()) }
    }

    async fn run(
        self,
        voice: &'static str,
        speed: f32,
        mut text: BoxStream<'static, Clause>,
        listener: Listener,
    ) -> Result<(), ProviderError> {
        while let Some(Clause { id, text }) = text.next().await {
            let mut words = blocking(self.program, move || Ok(spoken::words(&text))).await?;
            while !words.is_empty() {
                let rest = words.split_off(piece::length(&words, false));
                let text: Vec<_> = words.into_iter().map(|word| word.spoken).collect();
                words = rest;
                let sound = self.say(text.join(" "), voice, speed).await?;
                if !listener.give(ahead::clips(id, &sound).collect()).await {
                    return Ok(());
                }
            }
            if !listener.give(vec![Speech::ClauseDone { clause: id }]).await {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Has the program say one piece.
    async fn say(&self, text: String, voice: &'static str, speed: f32) -> Result<Clip, ProviderError> {
        let program = self.program;
        let _turn = self.running.acquire().await;
        let folder = blocking(program, move || {
            let folder = tempfile::tempdir().map_err(|e| program.failed(e))?;
            std::fs::write(folder.path().join(TEXT), text).map_err(|e| program.failed(e))?;
            Ok(folder)
        })
        .await?;
        let spawned = program.command(folder.path(), voice, speed).spawn();
        let absent = |e: &std::io::Error| e.kind() == std::io::ErrorKind::NotFound;
        let mut child = spawned.map_err(|e| if absent(&e) { program.missing() } else { program.failed(e) })?;
        let ended = time::timeout(PATIENCE, child.wait()).await;
        let status = ended
            .map_err(|_| ProviderError::new(program.provider(), ErrorKind::Timeout, "took too long"))?
            .map_err(|e| program.failed(e))?;
        if !status.success() {
            return Err(program.failed(status));
        }
        blocking(program, move || {
            let file = std::fs::read(folder.path().join(SOUND)).map_err(|e| program.failed(e))?;
            let broken = |e: String| ProviderError::new(program.provider(), ErrorKind::Protocol, e);
            let clip = match wav::read(&file) {
                // Nothing in the piece that this voice has a sound for.
                Err(WavError::NoData) => Clip::new(SampleRate::HZ_24000, Vec::new()),
                other => other.map_err(|e| broken(e.to_string()))?,
            };
            clip.resampled(SampleRate::HZ_24000).map_err(|e| broken(e.to_string()))
        })
        .await
    }
}

impl TextToSpeech for Command {
    fn capabilities(&self) -> TtsCapabilities {
        TtsCapabilities {
            word_timestamps: false,
            max_chars: None,
            languages: vec!["en".to_owned()],
            voices: self.program.voices().iter().map(|voice| (*voice).to_owned()).collect(),
        }
    }

    fn speak(
        &self,
        voice: Voice,
        text: BoxStream<'static, Clause>,
    ) -> BoxFuture<'_, Result<SpeechStream, ProviderError>> {
        let (command, name) = (self.clone(), self.program.voice(&voice.name));
        let speed = if voice.speed.is_finite() { voice.speed.clamp(0.25, 4.0) } else { 1.0 };
        Box::pin(async move {
            command.available()?;
            Ok(ahead::stream(move |listener| command.run(name, speed, text, listener)))
        })
    }
}

impl Program {
    fn name(self) -> &'static str {
        match self {
            Self::Flite => "flite",
            Self::Espeak => "espeak-ng",
        }
    }

    fn provider(self) -> &'static str {
        match self {
            Self::Flite => "local/flite",
            Self::Espeak => "local/espeak",
        }
    }

    /// Its voices, the usual one first.
    const fn voices(self) -> &'static [&'static str] {
        match self {
            Self::Flite => &["slt", "rms", "awb", "kal16"],
            Self::Espeak => &["en-us", "en-us+f3"],
        }
    }

    /// The voice of this name, or the usual one.
    fn voice(self, name: &str) -> &'static str {
        let voices = self.voices();
        voices.iter().find(|voice| **voice == name).unwrap_or(&voices[0])
    }

    fn command(self, folder: &Path, voice: &str, speed: f32) -> process::Command {
        let mut command = process::Command::new(self.name());
        match self {
            Self::Flite => command.args(["-voice", voice, "--setf", &format!("duration_stretch={}", 1.0 / speed)]),
            Self::Espeak => command.args(["-v", voice, "-s", &(175.0 * speed).clamp(80.0, 450.0).round().to_string()]),
        };
        command.arg("-f").arg(folder.join(TEXT));
        command.arg(if self == Self::Flite { "-o" } else { "-w" }).arg(folder.join(SOUND));
        // Keys may live in the environment; the child needs none of it.
        command.env_clear().envs(std::env::var_os("PATH").map(|path| ("PATH", path)));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        command
    }

    fn missing(self) -> ProviderError {
        let name = self.name();
        let detail = format_args!("{name} is not installed: apt-get install {name}");
        ProviderError::new(self.provider(), ErrorKind::Unavailable, detail)
    }

    fn failed(self, detail: impl std::fmt::Display) -> ProviderError {
        ProviderError::new(self.provider(), ErrorKind::Unavailable, detail)
    }
}

/// Files and long loops, off the runtime's threads.
async fn blocking<T: Send + 'static>(
    program: Program,
    work: impl FnOnce() -> Result<T, ProviderError> + Send + 'static,
) -> Result<T, ProviderError> {
    task::spawn_blocking(work).await.map_err(|e| program.failed(e))?
}

const TEXT: &str = "text";
const SOUND: &str = "sound.wav";
/// A piece takes both programs well under a second, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(15);
