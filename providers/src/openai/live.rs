//! Utterances heard as they are spoken: a realtime transcription session each.
//!
//! Sound goes as it comes; the server ends no utterance of its own accord, since the caller knows better. Nothing is
//! waited for before the first sound: the server reads in order.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use audio::{Frame, Resampler, SampleRate};
use futures_util::{StreamExt, stream::BoxStream};
use tokio::sync::Notify;

use super::{
    account::Account,
    stt::fallback,
    wire::{
        dictation::{self, Heard},
        utterance::Utterance,
    },
};
use crate::{
    ErrorKind, ProviderError,
    generate::{Outlet, generate},
    net::{
        events::Broken,
        warm::{Next, Spares, Terms},
        ws::{self, Received, Receiver, Sender},
    },
    stt::{FinalTranscript, SttOptions, Transcript, TranscriptStream},
};

/// One model that listens.
#[derive(Debug)]
pub(super) struct Live {
    account: Account,
    model: String,
    spares: Arc<Spares>,
}

impl Live {
    pub(super) fn new(account: Account, model: String) -> Self {
        let spares = Spares::new(account.config.warm.then_some(IDLE));
        Self { account, model, spares }
    }

    pub(super) async fn transcribe(
        &self,
        options: SttOptions,
        audio: BoxStream<'static, Frame>,
    ) -> Result<TranscriptStream, ProviderError> {
        let settings = dictation::configure(&self.model, &self.account.config, &options);
        let (account, key) = (self.account.clone(), settings.clone());
        let opening = move || open(account.clone(), settings.clone());
        let ((sender, receiver), next) = self.spares.link(key, opening).await?;
        let listening = Listening {
            account: self.account.clone(),
            options,
            heard: AtomicU64::new(0),
            ended: AtomicBool::new(false),
            nothing: Notify::new(),
            _next: next,
        };
        Ok(generate(|out| listening.listen(sender, receiver, audio, out)))
    }
}

async fn open(account: Account, settings: String) -> Result<(Sender, Receiver), ProviderError> {
    // No model in the URL: that would make a conversation of it.
    let (mut sender, receiver) = account.open("realtime", &[("intent", "transcription")]).await?;
    sender.text(settings).await?;
    Ok((sender, receiver))
}

struct Listening {
    account: Account,
    options: SttOptions,
    /// Frames of the caller's that were sent.
    heard: AtomicU64,
    /// All was sent, and a commit.
    ended: AtomicBool,
    /// There was no sound at all.
    nothing: Notify,
    _next: Next,
}

impl Listening {
    async fn listen(
        self,
        mut sender: Sender,
        mut receiver: Receiver,
        audio: BoxStream<'static, Frame>,
        out: Outlet<Transcript>,
    ) -> Result<(), ProviderError> {
        let last = ws::converse(self.send(&mut sender, audio), self.receive(&mut receiver, &out)).await?;
        sender.leave();
        out.give(Transcript::Final(last)).await;
        Ok(())
    }

    async fn send(&self, sender: &mut Sender, audio: BoxStream<'static, Frame>) -> Result<(), ProviderError> {
        let rates = Resampler::aligned(Frame::RATE, SampleRate::HZ_24000);
        let mut rates = rates.map_err(|error| self.account.peer.error(ErrorKind::Rejected, &error.to_string()))?;
        let mut audio = audio.ready_chunks(BURST);
        let (mut samples, mut sent) = (Vec::new(), 0);
        while let Some(frames) = audio.next().await {
            for frame in &frames {
                rates.process(frame.samples(), &mut samples);
            }
            self.heard.fetch_add(frames.len() as u64, Ordering::Relaxed);
            if samples.len() >= LEAST_PIECE {
                sent += samples.len();
                sender.text(dictation::append(&std::mem::take(&mut samples))).await?;
            }
        }
        if self.heard.load(Ordering::Relaxed) == 0 {
            self.nothing.notify_one();
            return Ok(());
        }
        rates.flush(&mut samples);
        // Less than 100 ms is refused.
        let missing = LEAST.saturating_sub(sent + samples.len());
        samples.resize(samples.len() + missing, 0);
        if !samples.is_empty() {
            sender.text(dictation::append(&samples)).await?;
        }
        self.ended.store(true, Ordering::Relaxed);
        sender.text(dictation::COMMIT).await
    }

    async fn receive(
        &self,
        receiver: &mut Receiver,
        out: &Outlet<Transcript>,
    ) -> Result<FinalTranscript, ProviderError> {
        let mut told = Told::default();
        loop {
            let received = tokio::select! { biased;
                () = self.nothing.notified() => return Ok(self.finish(told.utterance)),
                received = receiver.next() => received?,
            };
            let over = match received {
                Received::Text(text) => {
                    let heard = dictation::read(&text).map_err(|broken| self.account.broken(&broken))?;
                    let ended = self.ended.load(Ordering::Relaxed);
                    told.take(heard, ended).map_err(|broken| self.account.broken(&broken))?
                }
                Received::Binary(_) => false,
                Received::Closed(code, reason) => {
                    return Err(self.account.broken(&dictation::goodbye(code, &reason)));
                }
            };
            if over {
                return Ok(self.finish(told.utterance));
            }
            if self.options.interim
                && let Some(partial) = told.utterance.partial()
            {
                out.give(partial).await;
            }
        }
    }

    fn finish(&self, utterance: Utterance) -> FinalTranscript {
        let frames = u32::try_from(self.heard.load(Ordering::Relaxed)).unwrap_or(u32::MAX);
        let duration: Duration = Frame::DURATION * frames;
        utterance.finish(fallback(&self.options, &self.account.config), duration)
    }
}

/// What the server has told of an utterance.
#[derive(Default)]
struct Told {
    utterance: Utterance,
    commits: Commits,
    /// The item that the server ended by its own ear last.
    stopped: Option<String>,
}

/// Which commits the server has told of.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Commits {
    /// None yet; some servers never do.
    #[default]
    None,
    /// Some of its own.
    Others,
    /// The one at the end.
    Ours,
}

/// A session may last an hour, whether it hears anything or not. Kept for as long as the next turn may take.
const IDLE: Terms = Terms { keep: Duration::from_secs(120), sign: None };
impl Told {
    /// Adds what was heard, and tells whether it was the last. `ended`: all sound was sent, and a commit.
    fn take(&mut self, heard: Heard, ended: bool) -> Result<bool, Broken> {
        let mut untold = false;
        match heard {
            Heard::Words { item, delta } => self.utterance.append(&item, &delta),
            Heard::Settled { item, text, language } => {
                self.utterance.settle(&item, &text, language);
                untold = self.commits == Commits::None;
            }
            Heard::Stopped { item } => self.stopped = Some(item),
            Heard::Committed { item } => {
                self.utterance.expect(&item);
                let ours = ended && self.stopped.as_ref() != Some(&item);
                self.commits = if ours { Commits::Ours } else { Commits::Others };
            }
            // A server that ends utterances by its own ear has nothing left to commit.
            Heard::Nothing if ended => self.commits = Commits::Ours,
            Heard::Nothing => return Err(Broken::protocol("a commit was refused before there was one")),
            Heard::Other => {}
        }
        Ok(ended && self.utterance.is_settled() && (untold || self.commits == Commits::Ours))
    }
}

/// Frames in a message where many are ready: half a second.
const BURST: usize = 25;
/// Samples of the smallest piece sent while more is to come: 20 ms, less the resampler's delay.
const LEAST_PIECE: usize = 240;
/// Samples of the least that is transcribed.
const LEAST: usize = 2_400;
