//! The recognisers, a connection an utterance.

use std::{
    borrow::Cow,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use audio::Frame;
use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::BoxStream};
use tokio::{sync::Notify, time::sleep};

use super::{
    Config,
    assembly::Assembly,
    link,
    wire::{self, Heard, Passage, Trouble, flux, nova},
};
use crate::{
    ProviderError,
    generate::{Outlet, generate},
    net::{
        pcm,
        warm::{Next, Spares, Terms},
        ws::{self, Received, Receiver, Sender},
    },
    stt::{FinalTranscript, SttCapabilities, SttOptions, Transcript, TranscriptStream},
};

/// One of Deepgram's models: `nova-3`, `nova-2-phonecall`, `flux-general-en`.
///
/// The caller tells when an utterance ends. What Deepgram takes for ends of speech and turns only settles text.
#[derive(Debug)]
pub struct SpeechToText {
    name: Cow<'static, str>,
    model: String,
    config: Arc<Config>,
    spares: Arc<Spares>,
}

impl SpeechToText {
    /// A model that reports its failures under this name, as configured: `deepgram/nova-3`.
    pub fn new(name: impl Into<Cow<'static, str>>, model: impl Into<String>, config: Arc<Config>) -> Self {
        let model = model.into();
        let terms = match Dialect::of(&model) {
            Dialect::Nova => Terms { keep: IDLE, sign: Some((PATIENCE, wire::KEEP_ALIVE)) },
            // It takes nothing but sound for a sign of life.
            Dialect::Flux => Terms { keep: SHORT, sign: None },
        };
        let spares = Spares::new(config.warm.then_some(terms));
        Self { name: name.into(), model, config, spares }
    }
}

impl crate::SpeechToText for SpeechToText {
    fn capabilities(&self) -> SttCapabilities {
        let languages = match self.model.as_str() {
            "nova-3" | "nova-3-general" => NOVA_3,
            "flux-general-multi" => FLUX,
            "flux-general-en" => "en",
            _ => "",
        };
        let languages = languages.split_whitespace().map(str::to_owned).collect();
        SttCapabilities { interim_results: true, word_timestamps: true, languages }
    }

    fn transcribe(
        &self,
        options: SttOptions,
        audio: BoxStream<'static, Frame>,
    ) -> BoxFuture<'_, Result<TranscriptStream, ProviderError>> {
        let dialect = Dialect::of(&self.model);
        async move {
            let (function, query) = match dialect {
                Dialect::Nova => ("v1/listen", nova::query(&self.model, &self.config, &options)),
                Dialect::Flux => ("v2/listen", flux::query(&self.model, &self.config, &options)),
            };
            let ((sender, receiver), next) =
                link::next(&self.spares, &self.name, &self.config, function, &query).await?;
            let (name, config) = (self.name.clone(), self.config.clone());
            let (fed, settle) = (Mutex::default(), Notify::new());
            let listening = Listening { name, config, dialect, options, fed, settle, _next: next };
            Ok(generate(move |out| listening.listen(sender, receiver, audio, out)))
        }
        .boxed()
    }
}

/// What is spoken on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Dialect {
    /// `/v1/listen`.
    Nova,
    /// `/v2/listen`.
    Flux,
}

impl Dialect {
    fn of(model: &str) -> Self {
        if model.starts_with("flux") { Self::Flux } else { Self::Nova }
    }
}

struct Listening {
    name: Cow<'static, str>,
    config: Arc<Config>,
    dialect: Dialect,
    options: SttOptions,
    fed: Mutex<Fed>,
    /// Asks the sending half to have guesses settled.
    settle: Notify,
    _next: Next,
}

/// What was sent.
#[derive(Default)]
struct Fed {
    /// The caller's audio.
    heard: Duration,
    /// Where silence of ours was put between, in the time of what was sent.
    padded: Vec<Duration>,
    ended: bool,
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
        let mut audio = audio.ready_chunks(BURST);
        let mut waiting = Vec::new();
        loop {
            tokio::select! { biased;
                frames = audio.next() => {
                    let Some(frames) = frames else { break };
                    for frame in &frames {
                        pcm::bytes(frame.samples(), &mut waiting);
                    }
                    self.fed().heard += Frame::DURATION * u32::try_from(frames.len()).unwrap_or(u32::MAX);
                    // Flux works best on pieces of 80 ms.
                    if self.dialect == Dialect::Nova || waiting.len() >= PIECE {
                        sender.binary(std::mem::take(&mut waiting)).await?;
                    }
                }
                () = self.settle.notified() => sender.text(wire::FINALIZE).await?,
                () = sleep(PATIENCE) => self.stay(sender, &mut waiting).await?,
            }
        }
        if !waiting.is_empty() {
            sender.binary(waiting).await?;
        }
        self.fed().ended = true;
        if self.dialect == Dialect::Nova {
            sender.text(wire::FINALIZE).await?;
        }
        sender.text(wire::CLOSE_STREAM).await
    }

    /// Keeps the connection while no audio comes: Deepgram hangs up after 10 s. Flux knows no other sign of life than
    /// sound.
    async fn stay(&self, sender: &mut Sender, waiting: &mut Vec<u8>) -> Result<(), ProviderError> {
        match self.dialect {
            Dialect::Nova => sender.text(wire::KEEP_ALIVE).await,
            Dialect::Flux => {
                {
                    let mut fed = self.fed();
                    let at = fed.sent();
                    fed.padded.push(at);
                }
                waiting.resize(waiting.len() + PIECE, 0);
                sender.binary(std::mem::take(waiting)).await
            }
        }
    }

    async fn receive(
        &self,
        receiver: &mut Receiver,
        out: &Outlet<Transcript>,
    ) -> Result<FinalTranscript, ProviderError> {
        let mut assembly = Assembly::default();
        loop {
            let over = match receiver.next().await? {
                Received::Text(text) => {
                    let heard = self.read(&text).map_err(|trouble| self.error(&trouble))?;
                    self.take(heard, &mut assembly)
                }
                Received::Binary(_) => false,
                Received::Closed(NORMAL | SILENT, _) if self.fed().ended => true,
                Received::Closed(code, reason) => return Err(self.error(&wire::goodbye(code, &reason))),
            };
            if over {
                let language = self.options.language.as_deref().map(wire::primary);
                return Ok(assembly.finish(language, self.fed().heard));
            }
            if self.options.interim
                && let Some(partial) = assembly.partial()
            {
                out.give(partial).await;
            }
        }
    }

    fn read(&self, text: &str) -> Result<Heard, Trouble> {
        match self.dialect {
            Dialect::Nova => nova::read_message(text),
            Dialect::Flux => flux::read_message(text),
        }
    }

    /// Adds what was heard, and tells whether it was the last.
    fn take(&self, heard: Heard, assembly: &mut Assembly) -> bool {
        let fed = self.fed();
        match heard {
            Heard::Guess(passage) => assembly.guess(fed.unpadded(passage)),
            Heard::Settled { passage, flushed } => {
                let passage = fed.unpadded(passage);
                let all = flushed && fed.ended && passage.end + Frame::DURATION >= fed.heard;
                assembly.settle(passage);
                return all;
            }
            Heard::Lull if !fed.ended && assembly.is_open() => {
                // Noise keeps silence from being heard, which would have settled this.
                tracing::debug!(provider = %self.name, "no word for a while, asking to settle what was heard");
                self.settle.notify_one();
            }
            Heard::Onset => tracing::debug!(provider = %self.name, "somebody begins to speak"),
            Heard::Done => return fed.ended,
            Heard::Lull | Heard::Other => {}
        }
        false
    }

    fn fed(&self) -> MutexGuard<'_, Fed> {
        self.fed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn error(&self, trouble: &Trouble) -> ProviderError {
        link::error(&self.name, &self.config, trouble)
    }
}

impl Fed {
    fn sent(&self) -> Duration {
        self.heard + PADDING * u32::try_from(self.padded.len()).unwrap_or(u32::MAX)
    }

    /// The passage in the caller's time.
    fn unpadded(&self, mut passage: Passage) -> Passage {
        let caller = |time: &mut Duration| {
            let padding = self.padded.iter().map(|at| time.saturating_sub(*at).min(PADDING)).sum();
            *time = time.saturating_sub(padding);
        };
        caller(&mut passage.start);
        caller(&mut passage.end);
        for word in &mut passage.words {
            caller(&mut word.start);
            caller(&mut word.end);
        }
        passage
    }
}

/// Frames in a message where many are ready.
const BURST: usize = 10;
/// Bytes of the pieces that suit Flux.
const PIECE: usize = 4 * Frame::SAMPLES * 2;
/// How long such a piece lasts.
const PADDING: Duration = Duration::from_millis(80);
/// Deepgram advises 3 to 5 s.
const PATIENCE: Duration = Duration::from_secs(4);
/// How long to keep a connection that may not be needed.
const IDLE: Duration = Duration::from_secs(60);
/// The same where it cannot be kept from ending after 10 s.
const SHORT: Duration = Duration::from_secs(8);
/// Goodbyes that end a stream well: Nova's, and Flux's, which has no code (RFC 6455, 7.4.1).
const NORMAL: u16 = 1000;
const SILENT: u16 = 1005;
/// What `nova-3` detects, and understands when told.
const NOVA_3: &str = "af ar be bg bn bs ca cs da de el en es et fa fi fr gl gu he hi hr hu id it ja kn ko lt lv mk mr ms \
                      nl no pl pt ro ru sk sl sr sv ta te th tl tr uk vi xh zh zu";
const FLUX: &str = "de en es fr hi it ja nl pt ru";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_of_ours_is_taken_out_of_times() {
        let at = |millis| Duration::from_millis(millis);
        let fed = Fed { heard: at(3_000), padded: vec![at(1_000), at(1_080), at(2_160)], ended: false };
        assert_eq!(fed.sent(), at(3_240));
        for (sent, caller) in
            [(500, 500), (1_000, 1_000), (1_100, 1_000), (1_160, 1_000), (2_160, 2_000), (3_240, 3_000)]
        {
            let passage = fed.unpadded(Passage { end: at(sent), ..Passage::default() });
            assert_eq!(passage.end, at(caller), "{sent}");
        }
    }
}
