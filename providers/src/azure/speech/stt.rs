//! The recogniser, a connection an utterance.
//!
//! The service divides an utterance into phrases as it sees fit, and may end its turn before the speaker has ended theirs:
//! then the next turn begins with what the last did not account for, as the SDK does it (`ServiceRecognizerBase.ts`,
//! `ReplayableAudioNode.ts`).

use std::{
    borrow::Cow,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use audio::Frame;
use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::BoxStream};
use tokio::{
    sync::Notify,
    time::{Sleep, sleep},
};

use super::{
    Config,
    link::{Account, Turn},
    locales,
    phrases::Phrases,
    tail::{Over, Tail},
    wire::{
        Message,
        listen::{self, Heard, Plan},
        trouble::{self, Trouble},
    },
};
use crate::{
    ProviderError,
    deepgram::terms::terms,
    generate::{Outlet, generate},
    net::{
        pcm,
        ws::{self, Received, Receiver, Sender},
    },
    stt::{FinalTranscript, SttCapabilities, SttOptions, Transcript, TranscriptStream},
};

/// A recogniser of one Speech resource.
///
/// Its model is `speech` for the usual one; `interactive`, `conversation` or `dictation` for the addresses older servers
/// and containers have; or the id of a custom model's deployment.
#[derive(Debug)]
pub struct SpeechToText {
    account: Account,
    model: String,
}

impl SpeechToText {
    /// A recogniser that reports its failures under this name, as configured: `azure/speech`.
    pub fn new(name: impl Into<Cow<'static, str>>, model: impl Into<String>, config: Arc<Config>) -> Self {
        Self { account: Account { name: name.into(), config }, model: model.into() }
    }
}

impl crate::SpeechToText for SpeechToText {
    fn capabilities(&self) -> SttCapabilities {
        SttCapabilities { interim_results: true, word_timestamps: true, languages: locales::languages().collect() }
    }

    fn transcribe(
        &self,
        options: SttOptions,
        audio: BoxStream<'static, Frame>,
    ) -> BoxFuture<'_, Result<TranscriptStream, ProviderError>> {
        let languages = self.account.config.expected(options.language.as_deref());
        let phrases = terms(options.prompt.as_deref().unwrap_or_default());
        let plan = Plan::new(&self.model, languages, options.interim, phrases);
        async move {
            let (account, config) = (self.account.clone(), &self.account.config);
            let (sender, receiver) = account.open(config.listens(&plan.function), &plan.query(config)).await?;
            let listening = Listening { account, plan, options, tail: Mutex::new(Tail::new()), again: Notify::new() };
            Ok(generate(move |out| listening.listen(sender, receiver, audio, out)))
        }
        .boxed()
    }
}

struct Listening {
    account: Account,
    plan: Plan,
    options: SttOptions,
    tail: Mutex<Tail>,
    /// Asks the sending half to begin another turn.
    again: Notify,
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
        let mut pace = Pace::new();
        let turn = self.tail().turn().clone();
        sender.text(turn.hello()).await?;
        self.begin(sender, &turn).await?;
        loop {
            tokio::select! { biased;
                () = self.again.notified() => self.resume(sender, &mut pace).await?,
                frames = audio.next() => {
                    let Some(frames) = frames else { break };
                    let turn = {
                        let mut tail = self.tail();
                        tail.keep(&frames).then(|| tail.turn().clone())
                    };
                    if let Some(turn) = turn {
                        pace.sound(sender, &turn, &frames).await?;
                    }
                }
            }
        }
        while !self.tail().end() {
            self.resume(sender, &mut pace).await?;
        }
        let turn = self.tail().turn().clone();
        sender.binary(turn.audio(None, &[])).await
    }

    async fn begin(&self, sender: &mut Sender, turn: &Turn) -> Result<(), ProviderError> {
        sender.text(turn.json("speech.context", &self.plan.context(&self.account.config))).await?;
        sender.binary(turn.audio(Some("audio/x-wav"), &listen::riff())).await
    }

    async fn resume(&self, sender: &mut Sender, pace: &mut Pace) -> Result<(), ProviderError> {
        let resumed = self.tail().resume();
        let Some((turn, frames)) = resumed else { return Ok(()) };
        tracing::debug!(provider = %self.account.name, frames = frames.len(), "the turn is over, another goes on");
        self.begin(sender, &turn).await?;
        for frames in frames.chunks(BURST) {
            pace.sound(sender, &turn, frames).await?;
            // The service takes no more of a turn that it has ended.
            if *self.tail().turn() != turn {
                break;
            }
        }
        Ok(())
    }

    async fn receive(
        &self,
        receiver: &mut Receiver,
        out: &Outlet<Transcript>,
    ) -> Result<FinalTranscript, ProviderError> {
        let mut phrases = Phrases::default();
        loop {
            let received = receiver.next().await?;
            let over = self.take(&received, &mut phrases).map_err(|trouble| self.account.error(&trouble))?;
            if over {
                let asked = self.options.language.as_deref().map(locales::primary);
                return Ok(phrases.finish(asked, self.tail().heard()));
            }
            if self.options.interim
                && let Some(partial) = phrases.partial()
            {
                out.give(partial).await;
            }
        }
    }

    /// Adds what was heard, and tells whether it was the last.
    fn take(&self, received: &Received, phrases: &mut Phrases) -> Result<bool, Trouble> {
        let message = match received {
            Received::Text(text) => Message::text(text)?,
            Received::Binary(bytes) => Message::binary(bytes)?,
            Received::Closed(code, reason) => return Err(trouble::goodbye(*code, reason)),
        };
        let mut tail = self.tail();
        if !message.answers(&tail.turn().request) {
            return Ok(false);
        }
        match listen::read(&message)? {
            Heard::Guess(passage) => phrases.guess(tail.placed(passage)),
            Heard::Settled(passage) => {
                tail.settle(passage.end);
                phrases.settle(tail.placed(passage));
            }
            Heard::Nothing(end) => {
                tail.settle(end);
                phrases.forget();
            }
            Heard::Over => match tail.over()? {
                Over::Done => return Ok(true),
                Over::Again => {
                    // What was guessed will be heard again.
                    phrases.forget();
                    self.again.notify_one();
                }
            },
            Heard::Other => {}
        }
        Ok(false)
    }

    fn tail(&self) -> MutexGuard<'_, Tail> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How fast sound is sent: the first seconds at once, what follows at twice the speed of speech, as the SDK does. Sound
/// that comes as it is spoken never waits.
struct Pace {
    sent: Duration,
    rest: Pin<Box<Sleep>>,
}

impl Pace {
    fn new() -> Self {
        Self { sent: Duration::ZERO, rest: Box::pin(sleep(Duration::ZERO)) }
    }

    async fn sound(&mut self, sender: &mut Sender, turn: &Turn, frames: &[Frame]) -> Result<(), ProviderError> {
        if self.sent >= UNPACED {
            (&mut self.rest).await;
        }
        let length = Frame::DURATION * u32::try_from(frames.len()).unwrap_or(u32::MAX);
        self.sent += length;
        self.rest = Box::pin(sleep(length / 2));
        let mut bytes = Vec::with_capacity(frames.len() * Frame::SAMPLES * 2);
        for frame in frames {
            pcm::bytes(frame.samples(), &mut bytes);
        }
        sender.binary(turn.audio(None, &bytes)).await
    }
}

/// Frames in a message where many are ready; the service takes 8192 bytes.
const BURST: usize = 10;
/// `SPEECH-TransmitLengthBeforThrottleMs` of the SDK.
const UNPACED: Duration = Duration::from_secs(5);
