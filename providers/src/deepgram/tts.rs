//! The voices, a connection a reply.
//!
//! One clause is in the works at a time: flushes sent too close to each other may be taken for one, and then nothing would
//! tell where a clause ends. Deepgram speaks far faster than anyone listens, so the pause between is not heard.
//!
//! A connection takes 20 flushes and 2400 characters a minute; flushes beyond are ignored. Once that much was sent on one,
//! however long it took, the next clause gets another connection: waiting would be heard, and the end of a reply is not
//! to be held up by what may follow.

use std::{borrow::Cow, sync::Arc, time::Duration};

use audio::{Clip, SampleRate};
use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::BoxStream};

use super::{
    Config, link, voices,
    wire::{self, Trouble, speak},
};
use crate::{
    ErrorKind, ProviderError,
    generate::{Outlet, generate},
    net::{
        pcm::Samples,
        warm::{Link, Next, Spares, Terms},
        ws::{self, Received, Receiver, Sender},
    },
    split::pieces,
    tts::{Clause, Speech, SpeechStream, TtsCapabilities, Voice},
};

/// Deepgram's voices. `aura-2-thalia-en` speaks where a reply asks for none of them; with `aura-2`, the configured one.
#[derive(Debug)]
pub struct TextToSpeech {
    name: Cow<'static, str>,
    model: String,
    config: Arc<Config>,
    spares: Arc<Spares>,
}

impl TextToSpeech {
    /// A voice that reports its failures under this name, as configured: `deepgram/aura-2-thalia-en`.
    pub fn new(name: impl Into<Cow<'static, str>>, model: impl Into<String>, config: Arc<Config>) -> Self {
        let spares = Spares::new(config.warm.then_some(IDLE));
        Self { name: name.into(), model: model.into(), config, spares }
    }
}

impl crate::TextToSpeech for TextToSpeech {
    fn capabilities(&self) -> TtsCapabilities {
        TtsCapabilities {
            word_timestamps: false,
            max_chars: None,
            languages: voices::languages().map(str::to_owned).collect(),
            voices: voices::all().collect(),
        }
    }

    fn speak(
        &self,
        voice: Voice,
        text: BoxStream<'static, Clause>,
    ) -> BoxFuture<'_, Result<SpeechStream, ProviderError>> {
        let model = voices::pick(&voice, &self.model, &self.config.voice);
        let query = speak::query(&model, voice.speed, &self.config);
        let (name, config) = (self.name.clone(), self.config.clone());
        async move {
            let (link, next) = link::next(&self.spares, &name, &config, SPEAK, &query).await?;
            let speaking = Speaking { name, config, query, line: Some(Line::new(link)), _next: next };
            Ok(generate(move |out| speaking.speak(text, out)))
        }
        .boxed()
    }
}

struct Speaking {
    name: Cow<'static, str>,
    config: Arc<Config>,
    query: Vec<(&'static str, String)>,
    /// `None` once Deepgram hung up while nothing was asked of it, as it does after an hour.
    line: Option<Line>,
    _next: Next,
}

impl Speaking {
    async fn speak(mut self, mut text: BoxStream<'static, Clause>, out: Outlet<Speech>) -> Result<(), ProviderError> {
        while let Some(clause) = self.next(&mut text).await? {
            for range in pieces(&clause.text, LONGEST, |_| 1) {
                let piece = &clause.text[range];
                // Deepgram has nothing to flush for what has no sound.
                if piece.contains(char::is_alphanumeric) {
                    let voiced = self.line(piece.chars().count()).await?.voice(clause.id, piece, &out).await?;
                    voiced.map_err(|trouble| self.error(&trouble))?;
                }
            }
            out.give(Speech::ClauseDone { clause: clause.id }).await;
        }
        Ok(())
    }

    async fn next(&mut self, text: &mut BoxStream<'static, Clause>) -> Result<Option<Clause>, ProviderError> {
        if let Some(line) = &mut self.line {
            tokio::select! { biased;
                trouble = idle(&mut line.receiver) => match trouble {
                    Some(trouble) => return Err(self.error(&trouble)),
                    None => self.line = None,
                },
                clause = text.next() => return Ok(clause),
            }
        }
        Ok(text.next().await)
    }

    /// A connection that takes this many more characters.
    async fn line(&mut self, characters: usize) -> Result<&mut Line, ProviderError> {
        let line = match self.line.take() {
            Some(line) if line.flushes < FLUSHES && line.characters + characters <= CHARACTERS => line,
            // The one used up is let go of before it counts against how many there may be at once.
            Some(_) | None => Line::open(&self.name, &self.config, &self.query).await?,
        };
        Ok(self.line.insert(line))
    }

    fn error(&self, trouble: &Trouble) -> ProviderError {
        link::error(&self.name, &self.config, trouble)
    }
}

/// A connection. Let go of in the middle of a clause, it tells Deepgram to throw the rest away.
struct Line {
    sender: Sender,
    receiver: Receiver,
    flushes: usize,
    characters: usize,
    voicing: bool,
}

impl Drop for Line {
    fn drop(&mut self) {
        let last = if self.voicing { speak::CLEAR } else { speak::CLOSE };
        let _ = self.sender.text(last).now_or_never();
        self.sender.leave();
    }
}

impl Line {
    async fn open(name: &str, config: &Config, query: &[(&'static str, String)]) -> Result<Self, ProviderError> {
        Ok(Self::new(link::open(name, config, SPEAK, query).await?))
    }

    fn new((sender, receiver): Link) -> Self {
        Self { sender, receiver, flushes: 0, characters: 0, voicing: false }
    }

    async fn voice(
        &mut self,
        clause: u32,
        text: &str,
        out: &Outlet<Speech>,
    ) -> Result<Result<(), Trouble>, ProviderError> {
        self.voicing = true;
        self.flushes += 1;
        self.characters += text.chars().count();
        let Self { sender, receiver, .. } = self;
        let say = async {
            sender.text(speak::text(text)).await?;
            sender.text(speak::FLUSH).await
        };
        let heard = ws::converse(say, hear(receiver, clause, out)).await?;
        self.voicing = heard.is_err();
        Ok(heard)
    }
}

/// Waits for trouble while nothing is to be said; `None` once the connection is gone.
async fn idle(receiver: &mut Receiver) -> Option<Trouble> {
    loop {
        match receiver.next().await {
            Ok(Received::Text(text)) => match speak::read_message(&text) {
                Ok(told) => note(&told),
                Err(trouble) => return Some(trouble),
            },
            Ok(Received::Binary(_)) => {}
            Ok(Received::Closed(..)) | Err(_) => return None,
        }
    }
}

/// Gives the sound of a clause until all of it was sent.
async fn hear(
    receiver: &mut Receiver,
    clause: u32,
    out: &Outlet<Speech>,
) -> Result<Result<(), Trouble>, ProviderError> {
    let mut samples = Samples::default();
    let mut sounds = false;
    loop {
        match receiver.next().await? {
            Received::Binary(bytes) => {
                let clip = Clip::new(SampleRate::HZ_24000, samples.feed(&bytes));
                if !clip.samples.is_empty() {
                    sounds = true;
                    out.give(Speech::Audio { clause, clip }).await;
                }
            }
            Received::Text(text) => match speak::read_message(&text) {
                Ok(speak::Told::Flushed) if sounds => return Ok(Ok(())),
                Ok(speak::Told::Flushed) => {
                    let detail = "a clause came without sound".to_owned();
                    return Ok(Err(Trouble { kind: ErrorKind::Unavailable, detail }));
                }
                Ok(told) => note(&told),
                Err(trouble) => return Ok(Err(trouble)),
            },
            Received::Closed(code, reason) => return Ok(Err(wire::goodbye(code, &reason))),
        }
    }
}

fn note(told: &speak::Told) {
    if let speak::Told::Warning(warning) = told {
        tracing::debug!(detail = warning.detail, "Deepgram warns");
    }
}

const SPEAK: &str = "v1/speak";
/// Connections end after an hour; one is kept for as long as the next turn may take.
const IDLE: Terms = Terms { keep: Duration::from_secs(60), sign: None };
/// Characters of a message; more are refused.
const LONGEST: usize = 2_000;
/// What one connection takes in a minute.
const FLUSHES: usize = 20;
const CHARACTERS: usize = 2_400;
