//! Transcription over Scribe's realtime WebSocket: one connection an utterance.
//!
//! Commits are asked for, never left to the vendor's own ear, which decides late and trims words: at the end of the
//! audio, and in long utterances at a hush now and then, so that the vendor's automatic commit (after 90 seconds) never
//! comes in between and the end waits for little.

use std::{borrow::Cow, sync::Arc, time::Duration};

use audio::{Frame, Level};
use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::BoxStream};
use tokio::{sync::mpsc, time::timeout};

use super::{
    Config,
    link::Account,
    wire::{
        fault::{self, Fault},
        languages,
        scribe::{self, Message},
        transcript::Parts,
    },
};
use crate::{
    ProviderError,
    generate::{Outlet, generate},
    net::ws::{self, Received, Receiver, Sender},
    split,
    stt::{FinalTranscript, SttCapabilities, SttOptions, Transcript, TranscriptStream},
};

/// One transcribing model of one account. Dropping a transcription closes its connection.
#[derive(Debug)]
pub struct SpeechToText {
    account: Account,
    model: String,
}

impl SpeechToText {
    /// A model that reports its failures under this name, as configured: `elevenlabs/scribe_v2_realtime`.
    pub fn new(name: impl Into<Cow<'static, str>>, model: impl Into<String>, config: Arc<Config>) -> Self {
        Self { account: Account { name: name.into(), config }, model: model.into() }
    }

    async fn open(&self, options: &SttOptions) -> Result<(Sender, Receiver), ProviderError> {
        let mut url = self.account.address("v1/speech-to-text/realtime")?;
        {
            let mut query = url.query_pairs_mut();
            query.append_pair("model_id", &self.model).append_pair("audio_format", "pcm_16000");
            query.append_pair("commit_strategy", "manual").append_pair("include_timestamps", "true");
            match &options.language {
                Some(tag) => query.append_pair("language_code", languages::primary(tag)),
                None => query.append_pair("include_language_detection", "true"),
            };
            if !self.account.config.enable_logging {
                query.append_pair("enable_logging", "false");
            }
            for term in self.terms(options) {
                query.append_pair("keyterms", term);
            }
        }
        self.account.open(&url).await
    }

    fn terms<'a>(&self, options: &'a SttOptions) -> impl Iterator<Item = &'a str> + use<'a> {
        let prompt = options.prompt.as_deref().filter(|_| self.account.config.keyterms);
        scribe::keyterms(prompt.unwrap_or_default())
    }

    /// What to tell as said before.
    fn previous(&self, options: &SttOptions) -> Option<String> {
        let prompt = options.prompt.as_deref().filter(|_| !self.account.config.keyterms)?;
        let first = split::pieces(prompt, PREVIOUS, |_| 1).into_iter().next()?;
        Some(prompt[first].to_owned())
    }
}

impl crate::SpeechToText for SpeechToText {
    fn capabilities(&self) -> SttCapabilities {
        SttCapabilities { interim_results: true, word_timestamps: true, languages: Vec::new() }
    }

    fn transcribe(
        &self,
        options: SttOptions,
        audio: BoxStream<'static, Frame>,
    ) -> BoxFuture<'_, Result<TranscriptStream, ProviderError>> {
        async move {
            let (mut sender, receiver) = self.open(&options).await?;
            let (asking, asked) = mpsc::channel(REPORTS);
            let previous = self.previous(&options);
            let ear = Ear { account: self.account.clone(), options, parts: Parts::default(), receiver, asked };
            Ok(generate(|out| async move {
                let mouth = Mouth { sender: &mut sender, asking, previous, heard: Heard::default() };
                let whole = ws::converse(mouth.send(audio), ear.hear(&out)).await?;
                sender.leave();
                out.give(Transcript::Final(whole)).await;
                Ok(())
            }))
        }
        .boxed()
    }
}

/// The sending half asked for a commit.
struct Asked {
    /// How much was heard by then.
    heard: Duration,
    /// The audio has ended.
    last: bool,
}

struct Mouth<'a> {
    sender: &'a mut Sender,
    asking: mpsc::Sender<Asked>,
    previous: Option<String>,
    heard: Heard,
}

/// How much was sent.
#[derive(Default)]
struct Heard {
    all: Duration,
    uncommitted: Duration,
}

impl Mouth<'_> {
    async fn send(mut self, audio: BoxStream<'static, Frame>) -> Result<(), ProviderError> {
        let mut audio = audio.ready_chunks(BURST);
        let mut frames = Vec::with_capacity(CHUNK);
        loop {
            match timeout(KEEP_ALIVE, audio.next()).await {
                Ok(Some(ready)) => frames.extend(ready),
                Ok(None) => break,
                Err(_) => self.transmit(&mut Vec::new(), false).await?,
            }
            if frames.len() >= CHUNK {
                let commit = self.heard.wants_commit(&frames);
                self.chunk(&mut frames, commit).await?;
            }
        }
        self.end(&mut frames).await
    }

    /// What is left, and a commit. The vendor passes over a commit of less than 0.3 seconds, so silence fills it up.
    async fn end(mut self, frames: &mut Vec<Frame>) -> Result<(), ProviderError> {
        let spoken = self.heard.all + Frame::DURATION * frames.len() as u32;
        while self.heard.uncommitted + Frame::DURATION * (frames.len() as u32) < LEAST {
            frames.push(Frame::SILENCE);
        }
        let _ = self.asking.send(Asked { heard: spoken, last: true }).await;
        self.transmit(frames, true).await
    }

    async fn chunk(&mut self, frames: &mut Vec<Frame>, commit: bool) -> Result<(), ProviderError> {
        let length = Frame::DURATION * frames.len() as u32;
        self.heard.all += length;
        self.heard.uncommitted += length;
        if commit {
            self.heard.uncommitted = Duration::ZERO;
            // First, so that the answer finds its question.
            let _ = self.asking.send(Asked { heard: self.heard.all, last: false }).await;
        }
        self.transmit(frames, commit).await
    }

    async fn transmit(&mut self, frames: &mut Vec<Frame>, commit: bool) -> Result<(), ProviderError> {
        let message = scribe::sound(frames, commit, self.previous.take().as_deref());
        frames.clear();
        self.sender.text(message).await
    }
}

impl Heard {
    /// Whether a commit should go with these frames: at a hush, or at the latest moment.
    fn wants_commit(&self, frames: &[Frame]) -> bool {
        let quiet = || frames.iter().all(|frame| Level::of(frame.samples()).rms.dbfs() < HUSH);
        self.uncommitted >= LATEST || self.uncommitted >= EARLIEST && quiet()
    }
}

struct Ear {
    account: Account,
    options: SttOptions,
    parts: Parts,
    receiver: Receiver,
    asked: mpsc::Receiver<Asked>,
}

impl Ear {
    async fn hear(mut self, out: &Outlet<Transcript>) -> Result<FinalTranscript, ProviderError> {
        let mut ended = None;
        let mut told = None;
        while ended.is_none() || !self.parts.is_answered() || self.parts.is_bare() {
            let message = tokio::select! { biased;
                Some(asked) = self.asked.recv(), if ended.is_none() => {
                    self.parts.ask(asked.heard);
                    ended = asked.last.then_some(asked.heard);
                    continue;
                }
                received = Self::next(&mut self.receiver, ended.is_some() && self.parts.is_answered()) => received,
            };
            let message = match message.transpose()? {
                Some(Received::Text(text)) => {
                    scribe::read(&text).map_err(|why| self.account.fault(&Fault::broken(why)))?
                }
                Some(Received::Binary(_)) => continue,
                Some(Received::Closed(..)) | None if ended.is_some() && self.parts.is_answered() => break,
                Some(Received::Closed(code, reason)) => return Err(self.account.fault(&fault::closed(code, &reason))),
                None => continue,
            };
            if let Message::Refused(fault) = message {
                return Err(self.account.fault(&fault));
            }
            let partial = self.parts.take(message).filter(|_| self.options.interim);
            if let Some(partial) = partial.filter(|partial| told.as_ref() != Some(partial)) {
                out.give(partial.clone()).await;
                told = Some(partial);
            }
        }
        Ok(self.parts.whole(ended.unwrap_or_default(), self.options.language.as_deref()))
    }

    /// The next message; nothing when only details are to come and they take too long.
    async fn next(receiver: &mut Receiver, only_details: bool) -> Option<Result<Received, ProviderError>> {
        if only_details {
            return timeout(DETAILS, receiver.next()).await.ok();
        }
        Some(receiver.next().await)
    }
}

/// Frames a message: 100 ms, the shortest the vendor recommends.
const CHUNK: usize = 5;
/// Frames a message when there is a backlog, as when an utterance is heard anew: one second, the longest recommended.
const BURST: usize = 50;
/// Least to be committed: more than the vendor's 0.3 seconds.
const LEAST: Duration = Duration::from_millis(400);
/// When a hush is welcome for a commit: "every 20 to 30 seconds is good practice".
const EARLIEST: Duration = Duration::from_secs(25);
/// When a commit is due, hush or not: well before the vendor's own at 90 seconds.
const LATEST: Duration = Duration::from_secs(75);
/// dBFS below which nobody speaks.
const HUSH: f32 = -50.0;
/// Words and times follow their text within this, or do not come.
const DETAILS: Duration = Duration::from_millis(500);
/// The vendor takes no ping for a sign of life.
const KEEP_ALIVE: Duration = Duration::from_secs(10);
/// "Keep it under 50 characters."
const PREVIOUS: usize = 50;
/// Commits asked for and not yet noted; sending waits while it is full.
const REPORTS: usize = 8;
