//! The recognisers.
//!
//! A stream lasts five minutes at most and wants sound all the time. An utterance is therefore a row of streams: where a
//! speaker pauses, the stream is ended, and the next one begins with the next sound; where time is over, what the old
//! stream had not understood for good is told to the next one again, so that no word is cut in two.

use std::{
    borrow::Cow,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use audio::Frame;
use futures_util::{
    FutureExt, StreamExt,
    future::BoxFuture,
    stream::{BoxStream, ReadyChunks},
};
use tokio::time::{sleep, timeout};

use super::{
    Config,
    access::Access,
    assembly::Assembly,
    languages::primary,
    tail::Tail,
    wire::recognize::{self, Response},
};
use crate::{
    ErrorKind, ProviderError,
    generate::{Outlet, generate},
    net::{
        grpc::{Answers, Asking, Method},
        pcm,
    },
    stt::{SttCapabilities, SttOptions, Transcript, TranscriptStream},
};

/// One of Google's models: `chirp_3`, `chirp_2`, `long`, `telephony`.
///
/// The caller tells when an utterance ends. What Google takes for ends of speech only settles text.
pub struct SpeechToText {
    ear: Arc<Ear>,
}

impl SpeechToText {
    /// A model that reports its failures under this name, as configured: `google/chirp_3`.
    pub fn new(name: impl Into<Cow<'static, str>>, model: impl Into<String>, config: Arc<Config>) -> Self {
        let name = name.into();
        let access = Access::new(name.clone(), config.clone(), recognize::AUDIENCE);
        Self { ear: Arc::new(Ear { name, model: model.into(), config, access }) }
    }
}

impl crate::SpeechToText for SpeechToText {
    fn capabilities(&self) -> SttCapabilities {
        let languages = if self.ear.model == "chirp_2" { CHIRP_2 } else { "" };
        let languages = languages.split_whitespace().map(str::to_owned).collect();
        SttCapabilities { interim_results: true, word_timestamps: self.ear.config.word_times, languages }
    }

    fn transcribe(
        &self,
        options: SttOptions,
        audio: BoxStream<'static, Frame>,
    ) -> BoxFuture<'_, Result<TranscriptStream, ProviderError>> {
        let listening = Listening { ear: self.ear.clone(), options, fed: Mutex::default() };
        async move {
            let call = listening.open().await?;
            Ok(generate(move |out| listening.listen(call, audio.ready_chunks(BURST), out)))
        }
        .boxed()
    }
}

struct Ear {
    name: Cow<'static, str>,
    model: String,
    config: Arc<Config>,
    access: Access,
}

struct Listening {
    ear: Arc<Ear>,
    options: SttOptions,
    fed: Mutex<Fed>,
}

/// What was taken of the audio.
#[derive(Default)]
struct Fed {
    tail: Tail,
    ended: bool,
}

type Microphone = ReadyChunks<BoxStream<'static, Frame>>;

/// Why a stream is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Over {
    /// There was nothing to hear.
    Silent,
    /// All audio was heard.
    Heard,
    /// No sound comes for now.
    Paused,
    /// Its time is over, and too much is not understood to be told again.
    Late,
    /// Its time is over; what it had not understood is to be told again.
    Again,
}

impl Listening {
    async fn listen(
        self,
        mut call: (Asking, Answers),
        mut audio: Microphone,
        out: Outlet<Transcript>,
    ) -> Result<(), ProviderError> {
        let mut text = Assembly::default();
        loop {
            let over = match self.stream(call, &mut audio, &mut text, &out).await {
                Ok(over) => over,
                Err(error) => {
                    self.ear.access.note(&error).await;
                    return Err(error);
                }
            };
            if over != Over::Again {
                let mut fed = self.fed();
                let heard = fed.tail.heard();
                fed.tail.settle(heard);
                text.close(heard);
            }
            match over {
                Over::Silent | Over::Heard => break,
                Over::Paused => match audio.next().await {
                    Some(frames) => _ = self.take(&frames),
                    None => break,
                },
                Over::Late | Over::Again => tracing::debug!(provider = %self.ear.name, "another stream takes over"),
            }
            call = self.open().await?;
        }
        let language = self.options.language.as_deref().map(primary);
        let last = text.finish(language, self.fed().tail.heard());
        out.give(Transcript::Final(last)).await;
        Ok(())
    }

    async fn open(&self) -> Result<(Asking, Answers), ProviderError> {
        let Ear { name, model, config, access } = &*self.ear;
        let pass = access.pass().await?;
        let project = config.project.as_ref().or(pass.project.as_ref());
        let unknown = || ProviderError::new(name.clone(), ErrorKind::Rejected, "no project is named");
        let start = recognize::start(model, project.ok_or_else(unknown)?, config, &self.options);
        let base_url = &config.speech_url(model);
        let method =
            Method { provider: name, base_url, path: recognize::METHOD, headers: pass.headers, secret: pass.secret };
        let (asking, answers) = method.call().await?;
        asking.ask(&start).await?;
        Ok((asking, answers))
    }

    /// One stream, from what is not understood yet.
    async fn stream(
        &self,
        (asking, mut answers): (Asking, Answers),
        audio: &mut Microphone,
        text: &mut Assembly,
        out: &Outlet<Transcript>,
    ) -> Result<Over, ProviderError> {
        let (base, again) = {
            let fed = self.fed();
            (fed.tail.settled(), fed.tail.samples())
        };
        let sending = pin!(self.send(asking, again, audio));
        let mut receiving = pin!(self.receive(&mut answers, base, text, out));
        tokio::select! { biased;
            received = &mut receiving => received.and_then(|()| self.left(base)),
            sent = sending => match sent {
                Ok(over @ (Over::Silent | Over::Again)) => Ok(over),
                Ok(over) => receiving.await.map(|()| over),
                // Google has often said why.
                Err(error) => match timeout(LAST_WORDS, receiving).await {
                    Ok(received) => received.and_then(|()| self.left(base)),
                    Err(_) => Err(error),
                },
            },
        }
    }

    /// Google ended a stream well before it was asked to, as models for short utterances do.
    fn left(&self, base: Duration) -> Result<Over, ProviderError> {
        let fed = self.fed();
        let (settled, whole) = (fed.tail.settled(), fed.tail.is_whole());
        if fed.ended && settled + Frame::DURATION >= fed.tail.heard() {
            return Ok(Over::Heard);
        }
        // One that understands nothing would be followed by another such, without end.
        if settled > base && whole {
            return Ok(Over::Again);
        }
        Err(ProviderError::new(self.ear.name.clone(), ErrorKind::Unavailable, "the stream ended early"))
    }

    async fn send(&self, asking: Asking, again: Vec<i16>, audio: &mut Microphone) -> Result<Over, ProviderError> {
        let mut sent = again.len();
        let mut bytes = Vec::with_capacity(sent * 2);
        pcm::bytes(&again, &mut bytes);
        for piece in bytes.chunks(recognize::LARGEST) {
            asking.ask(&recognize::sound(piece.to_vec())).await?;
        }
        let mut limit = pin!(sleep(LIMIT));
        let over = loop {
            tokio::select! { biased;
                () = &mut limit => break self.late(),
                frames = audio.next() => {
                    let Some(frames) = frames else {
                        self.fed().ended = true;
                        break if sent == 0 { Over::Silent } else { Over::Heard };
                    };
                    sent += frames.len() * Frame::SAMPLES;
                    asking.ask(&recognize::sound(self.take(&frames))).await?;
                    if sent >= LIMIT_SAMPLES {
                        break self.late();
                    }
                }
                () = sleep(PATIENCE), if sent > 0 => break Over::Paused,
            }
        };
        match over {
            Over::Silent | Over::Again => {}
            Over::Heard | Over::Paused | Over::Late => asking.end().await?,
        }
        Ok(over)
    }

    fn late(&self) -> Over {
        if self.fed().tail.is_whole() { Over::Again } else { Over::Late }
    }

    fn take(&self, frames: &[Frame]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(frames.len() * Frame::SAMPLES * 2);
        let mut fed = self.fed();
        for frame in frames {
            pcm::bytes(frame.samples(), &mut bytes);
            fed.tail.hear(frame.samples());
        }
        bytes
    }

    async fn receive(
        &self,
        answers: &mut Answers,
        base: Duration,
        text: &mut Assembly,
        out: &Outlet<Transcript>,
    ) -> Result<(), ProviderError> {
        while let Some(response) = answers.next::<Response>().await? {
            let (settled, guess) = response.heard();
            for passage in settled {
                let passage = passage.after(base);
                self.fed().tail.settle(passage.end);
                text.settle(passage);
            }
            if let Some(guess) = guess {
                text.guess(guess);
            }
            if self.options.interim
                && let Some(partial) = text.partial()
            {
                out.give(partial).await;
            }
        }
        Ok(())
    }

    fn fed(&self) -> MutexGuard<'_, Fed> {
        self.fed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Frames in a message where many are ready: well below the largest message.
const BURST: usize = 10;
/// Google ends a stream after five minutes, counted from its beginning and in sound.
const LIMIT: Duration = Duration::from_secs(270);
const LIMIT_SAMPLES: usize = 270 * 16_000;
/// Google gives up streams in which no sound comes for about ten seconds.
const PATIENCE: Duration = Duration::from_secs(4);
/// Enough for what is already under way.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// What `chirp_2` understands as it is spoken.
const CHIRP_2: &str = "de en es fr it ja ko pt yue zh";
