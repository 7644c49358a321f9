//! Speaking models: a request a clause.
//!
//! The next clause is asked for once the one before it sounds, so that its first sound waits while that one is played;
//! what is not read is held back on its connection. Long clauses are asked for in pieces.

use std::{borrow::Cow, collections::VecDeque, sync::Arc};

use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::BoxStream};
use reqwest::{
    Response, Url,
    header::{self, HeaderMap, HeaderValue},
};

use super::{
    Config,
    account::Account,
    voices,
    wire::sound::{self, LONGEST, Sound, unfit},
};
use crate::{
    ErrorKind, ProviderError,
    generate::{Outlet, generate},
    net::{http, refusal::read_body},
    split::pieces,
    tts::{Clause, Speech, SpeechStream, TtsCapabilities, Voice},
};

/// One speaking model of one server. Dropping a speech closes its connections.
///
/// Waits only as long as its connection takes; wrap it in [`Timed`](crate::layers::Timed) to bound the rest.
#[derive(Debug)]
pub struct TextToSpeech {
    account: Account,
    model: String,
}

impl TextToSpeech {
    /// A model that reports its failures under this name, as configured: `openai/gpt-4o-mini-tts`.
    pub fn new(name: impl Into<Cow<'static, str>>, model: impl Into<String>, config: Arc<Config>) -> Self {
        Self { account: Account::new(name, config), model: model.into() }
    }

    fn mouth(&self, voice: &Voice) -> Result<Mouth, ProviderError> {
        let mut headers = self.account.headers()?;
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Ok(Mouth {
            url: self.account.address("audio/speech")?,
            headers,
            voice: voices::pick(voice, &self.model, &self.account.config),
            speed: voice.speed,
            model: self.model.clone(),
            account: self.account.clone(),
        })
    }
}

impl crate::TextToSpeech for TextToSpeech {
    fn capabilities(&self) -> TtsCapabilities {
        TtsCapabilities {
            word_timestamps: false,
            max_chars: None,
            languages: Vec::new(),
            voices: voices::names(&self.model, &self.account.config),
        }
    }

    fn speak(
        &self,
        voice: Voice,
        text: BoxStream<'static, Clause>,
    ) -> BoxFuture<'_, Result<SpeechStream, ProviderError>> {
        async move {
            let mouth = Arc::new(self.mouth(&voice)?);
            let speaking = Speaking { mouth, text, ended: false, waiting: VecDeque::new(), ahead: Ahead::Nothing };
            Ok(generate(|out| speaking.speak(out)))
        }
        .boxed()
    }
}

/// How one reply is asked for.
struct Mouth {
    account: Account,
    url: Url,
    headers: HeaderMap,
    model: String,
    voice: String,
    speed: f32,
}

impl Mouth {
    /// Asks for a text and waits until it begins to sound.
    async fn ask(self: Arc<Self>, text: String) -> Result<Response, ProviderError> {
        let body = sound::request(&self.model, &text, &self.voice, self.speed, &self.account.config);
        let (url, headers) = (self.url.clone(), self.headers.clone());
        let response = self.account.peer.post(url, headers, |request| request.body(body), |_| None).await?;
        let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        match unfit(kind.unwrap_or_default()) {
            Some(why) => {
                // Read to its end, so that the connection can be used again.
                let _ = read_body(response).await;
                Err(self.account.peer.error(ErrorKind::Protocol, &why))
            }
            None => Ok(response),
        }
    }
}

struct Speaking {
    mouth: Arc<Mouth>,
    text: BoxStream<'static, Clause>,
    /// The text has ended.
    ended: bool,
    /// What was taken of the text and not asked for.
    waiting: VecDeque<Piece>,
    ahead: Ahead,
}

/// A clause, or as much of it as is taken at once.
struct Piece {
    clause: u32,
    text: String,
    /// The clause ends with it.
    last: bool,
}

/// What comes after the piece that sounds.
enum Ahead {
    Nothing,
    Asked(Piece, BoxFuture<'static, Result<Response, ProviderError>>),
    Answered(Piece, Result<Response, ProviderError>),
}

impl Speaking {
    async fn speak(mut self, out: Outlet<Speech>) -> Result<(), ProviderError> {
        loop {
            self.fetch();
            let (piece, response) = match std::mem::replace(&mut self.ahead, Ahead::Nothing) {
                Ahead::Asked(piece, asking) => (piece, asking.await?),
                Ahead::Answered(piece, response) => (piece, response?),
                Ahead::Nothing => match self.waiting.pop_front() {
                    Some(silent) => {
                        done(&silent, &out).await;
                        continue;
                    }
                    None if self.ended => return Ok(()),
                    None => {
                        let clause = self.text.next().await;
                        self.take(clause);
                        continue;
                    }
                },
            };
            self.sound(&piece, response, &out).await?;
            done(&piece, &out).await;
        }
    }

    /// Gives the sound of a piece, and meanwhile asks for the next.
    async fn sound(
        &mut self,
        piece: &Piece,
        mut response: Response,
        out: &Outlet<Speech>,
    ) -> Result<(), ProviderError> {
        let mut sound = Sound::default();
        let mut sounds = false;
        loop {
            let bytes = tokio::select! { biased;
                // First, since sound may be there for as long as it takes to play it.
                () = self.look_ahead(), if sounds => continue,
                bytes = response.chunk() => bytes,
            };
            let bytes = bytes.map_err(|error| http::failure(&self.mouth.account.peer.provider, error))?;
            let Some(bytes) = bytes else { break };
            let clip = sound.feed(&bytes).map_err(|why| self.mouth.account.peer.error(ErrorKind::Protocol, &why))?;
            if !clip.samples.is_empty() {
                sounds = true;
                out.give(Speech::Audio { clause: piece.clause, clip }).await;
            }
        }
        let mute = || self.mouth.account.peer.error(ErrorKind::Unavailable, "a clause came without sound");
        if sounds { Ok(()) } else { Err(mute()) }
    }

    /// Takes one step towards the next piece; safe to be dropped halfway.
    async fn look_ahead(&mut self) {
        match &mut self.ahead {
            Ahead::Asked(_, asking) => {
                let response = asking.await;
                if let Ahead::Asked(piece, _) = std::mem::replace(&mut self.ahead, Ahead::Nothing) {
                    self.ahead = Ahead::Answered(piece, response);
                }
            }
            Ahead::Answered(..) => std::future::pending().await,
            // What has no sound waits for its turn, and all that follows with it.
            Ahead::Nothing if !self.waiting.is_empty() => {
                self.fetch();
                if matches!(self.ahead, Ahead::Nothing) {
                    std::future::pending().await
                }
            }
            Ahead::Nothing if self.ended => std::future::pending().await,
            Ahead::Nothing => {
                let clause = self.text.next().await;
                self.take(clause);
            }
        }
    }

    fn take(&mut self, clause: Option<Clause>) {
        match clause {
            Some(clause) => self.waiting.extend(split(&clause)),
            None => self.ended = true,
        }
    }

    /// Asks for what waits, if nothing was asked for and it has a sound.
    fn fetch(&mut self) {
        if !matches!(self.ahead, Ahead::Nothing) {
            return;
        }
        // Speech of what has no sound would be made up.
        if let Some(piece) = self.waiting.pop_front_if(|piece| piece.text.contains(char::is_alphanumeric)) {
            let asking = self.mouth.clone().ask(piece.text.clone()).boxed();
            self.ahead = Ahead::Asked(piece, asking);
        }
    }
}

async fn done(piece: &Piece, out: &Outlet<Speech>) {
    if piece.last {
        out.give(Speech::ClauseDone { clause: piece.clause }).await;
    }
}

/// The pieces of a clause, at least one.
fn split(clause: &Clause) -> VecDeque<Piece> {
    let piece = |text: &str| Piece { clause: clause.id, text: text.to_owned(), last: false };
    let ranges = pieces(&clause.text, LONGEST, |_| 1);
    let mut pieces: VecDeque<_> = ranges.into_iter().map(|range| piece(&clause.text[range])).collect();
    if pieces.is_empty() {
        pieces.push_back(piece(""));
    }
    if let Some(last) = pieces.back_mut() {
        last.last = true;
    }
    pieces
}
