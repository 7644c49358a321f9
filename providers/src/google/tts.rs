//! The voices.
//!
//! Nothing in a stream of sound tells which text it voices, so every clause has a call of its own, on a connection that
//! is there already. The first call is begun before there is a clause: then only its text has to travel.

use std::{borrow::Cow, sync::Arc, time::Duration};

use audio::{Clip, SampleRate};
use bytes::Bytes;
use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::BoxStream};

use tokio::time::sleep;

use super::{
    Config,
    access::{Access, Pass},
    languages, voices,
    wire::synthesize::{self, Response},
};
use crate::{
    ErrorKind, ProviderError,
    generate::{Outlet, generate},
    net::{
        grpc::{Answers, Asking, Method},
        pcm::Samples,
    },
    split::pieces,
    tts::{Clause, Speech, SpeechStream, TtsCapabilities, Voice},
};

/// Google's voices. `en-US-Chirp3-HD-Kore` speaks where a reply asks for none of them; with `chirp3-hd`, the configured
/// one.
pub struct TextToSpeech {
    mouth: Arc<Mouth>,
    model: String,
}

impl TextToSpeech {
    /// A voice that reports its failures under this name, as configured: `google/chirp3-hd`.
    pub fn new(name: impl Into<Cow<'static, str>>, model: impl Into<String>, config: Arc<Config>) -> Self {
        let name = name.into();
        let access = Access::new(name.clone(), config.clone(), synthesize::AUDIENCE);
        Self { mouth: Arc::new(Mouth { name, config, access }), model: model.into() }
    }
}

impl crate::TextToSpeech for TextToSpeech {
    fn capabilities(&self) -> TtsCapabilities {
        TtsCapabilities {
            word_timestamps: false,
            max_chars: None,
            languages: languages::all_spoken(),
            voices: voices::all().map(str::to_owned).collect(),
        }
    }

    fn speak(
        &self,
        voice: Voice,
        text: BoxStream<'static, Clause>,
    ) -> BoxFuture<'_, Result<SpeechStream, ProviderError>> {
        let name = voices::pick(&voice, &self.model, &self.mouth.config.voice);
        let mouth = self.mouth.clone();
        async move {
            let mut speaking =
                Speaking { mouth, streams: voices::streams(&name), voice: name, speed: voice.speed, begun: None };
            if speaking.streams {
                speaking.begun = Some(speaking.mouth.begin(&speaking.voice, speaking.speed).await?);
            }
            Ok(generate(move |out| speaking.speak(text, out)))
        }
        .boxed()
    }
}

struct Mouth {
    name: Cow<'static, str>,
    config: Arc<Config>,
    access: Access,
}

impl Mouth {
    async fn begin(&self, voice: &str, speed: f32) -> Result<(Asking, Answers), ProviderError> {
        let (asking, answers) = self.call(synthesize::STREAMING).await?;
        asking.ask(&synthesize::start(voice, speed)).await?;
        Ok((asking, answers))
    }

    async fn call(&self, path: &str) -> Result<(Asking, Answers), ProviderError> {
        let Pass { headers, secret, .. } = self.access.pass().await?;
        Method { provider: &self.name, base_url: &self.config.tts_url, path, headers, secret }.call().await
    }
}

struct Speaking {
    mouth: Arc<Mouth>,
    voice: String,
    speed: f32,
    streams: bool,
    /// A stream that waits for its text.
    begun: Option<(Asking, Answers)>,
}

impl Speaking {
    async fn speak(mut self, text: BoxStream<'static, Clause>, out: Outlet<Speech>) -> Result<(), ProviderError> {
        let spoken = self.clauses(text, &out).await;
        if let Err(error) = &spoken {
            self.mouth.access.note(error).await;
        }
        spoken
    }

    async fn clauses(
        &mut self,
        mut text: BoxStream<'static, Clause>,
        out: &Outlet<Speech>,
    ) -> Result<(), ProviderError> {
        while let Some(clause) = self.next(&mut text).await? {
            let longest = if self.streams { LONGEST } else { LONGEST_WHOLE };
            for range in pieces(&clause.text, longest, char::len_utf8) {
                let piece = &clause.text[range];
                // What has no sound is an invalid argument to Google.
                if piece.contains(char::is_alphanumeric) {
                    let answers = self.say(piece).await?;
                    if !hear(answers, clause.id, out).await? {
                        let mute = "a clause came without sound";
                        return Err(ProviderError::new(self.mouth.name.clone(), ErrorKind::Unavailable, mute));
                    }
                }
            }
            out.give(Speech::ClauseDone { clause: clause.id }).await;
        }
        Ok(())
    }

    /// The next clause. Should it be long in coming, it gets another stream than the one that waits for it.
    async fn next(&mut self, text: &mut BoxStream<'static, Clause>) -> Result<Option<Clause>, ProviderError> {
        if let Some((_, answers)) = &mut self.begun {
            tokio::select! { biased;
                ended = answers.next::<Response>() => match ended {
                    Err(error) if error.kind != ErrorKind::Unavailable => return Err(error),
                    Ok(_) | Err(_) => self.begun = None,
                },
                clause = text.next() => return Ok(clause),
                () = sleep(STALE) => self.begun = None,
            }
        }
        Ok(text.next().await)
    }

    async fn say(&mut self, text: &str) -> Result<Answers, ProviderError> {
        if !self.streams {
            let (asking, answers) = self.mouth.call(synthesize::WHOLE).await?;
            asking.ask(&synthesize::whole(&self.voice, self.speed, text)).await?;
            asking.end().await?;
            return Ok(answers);
        }
        let (asking, answers) = match self.begun.take() {
            Some(begun) => begun,
            None => self.mouth.begin(&self.voice, self.speed).await?,
        };
        // Where this fails the call is over, and its answers say why.
        if asking.ask(&synthesize::say(text)).await.is_ok() {
            let _ = asking.end().await;
        }
        Ok(answers)
    }
}

/// Gives the sound of a piece until all of it has come; whether there was any.
async fn hear(mut answers: Answers, clause: u32, out: &Outlet<Speech>) -> Result<bool, ProviderError> {
    let mut samples = Samples::default();
    let mut sounds = false;
    while let Some(Response { audio_content }) = answers.next().await? {
        let mut rest: Bytes = synthesize::samples(audio_content);
        while !rest.is_empty() {
            let bytes = rest.split_to(rest.len().min(SECOND));
            let clip = Clip::new(SampleRate::HZ_24000, samples.feed(&bytes));
            if !clip.samples.is_empty() {
                sounds = true;
                out.give(Speech::Audio { clause, clip }).await;
            }
        }
    }
    Ok(sounds)
}

/// Bytes of text in a call: 5000 are allowed.
const LONGEST: usize = 5_000;
/// Where all sound comes at once, and is waited for.
const LONGEST_WHOLE: usize = 1_000;
/// A stream that waits for its text is given up by Google after 5 s.
const STALE: Duration = Duration::from_secs(4);
/// Bytes of sound given at once.
const SECOND: usize = 48_000;
