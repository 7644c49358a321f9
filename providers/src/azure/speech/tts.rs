//! The voices, a connection a reply, a request a clause.
//!
//! One request is under way at a time, as in the SDK (`Synthesizer.ts`); the service speaks far faster than anyone listens,
//! so the pause between is not heard.

use std::{borrow::Cow, sync::Arc, time::Duration};

use audio::{Clip, SampleRate};
use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::BoxStream};

use super::{
    Config,
    link::{Account, Turn},
    voices,
    wire::{
        Message,
        boundaries::Words,
        speak::{self, Spoken, Told},
        trouble::{self, Trouble},
    },
};
use crate::{
    ErrorKind, ProviderError,
    generate::{Outlet, generate},
    net::{
        pcm::Samples,
        ws::{self, Received, Receiver, Sender},
    },
    split,
    tts::{Clause, Speech, SpeechStream, TtsCapabilities, Voice},
};

/// The voices of one Speech resource.
///
/// Its model is the voice that speaks where a reply asks for none of Azure's, `en-GB-SoniaNeural`; or `speech`, for the
/// configured one.
#[derive(Debug)]
pub struct TextToSpeech {
    account: Account,
    model: String,
}

impl TextToSpeech {
    /// A voice that reports its failures under this name, as configured: `azure/en-US-AvaMultilingualNeural`.
    pub fn new(name: impl Into<Cow<'static, str>>, model: impl Into<String>, config: Arc<Config>) -> Self {
        Self { account: Account { name: name.into(), config }, model: model.into() }
    }

    fn voice(&self, asked: &Voice) -> String {
        let config = &self.account.config;
        if config.voice_deployment.is_some() {
            config.voice.clone()
        } else {
            voices::pick(asked, &self.model, &config.voice)
        }
    }
}

impl crate::TextToSpeech for TextToSpeech {
    fn capabilities(&self) -> TtsCapabilities {
        TtsCapabilities {
            word_timestamps: true,
            max_chars: None,
            languages: voices::languages(),
            voices: voices::all().collect(),
        }
    }

    fn speak(
        &self,
        voice: Voice,
        text: BoxStream<'static, Clause>,
    ) -> BoxFuture<'_, Result<SpeechStream, ProviderError>> {
        let (account, name, speed) = (self.account.clone(), self.voice(&voice), voice.speed);
        async move {
            let line = Some(Line::open(&account).await?);
            Ok(generate(move |out| Speaking { account, voice: name, speed, line }.speak(text, out)))
        }
        .boxed()
    }
}

struct Speaking {
    account: Account,
    voice: String,
    speed: f32,
    /// `None` once the service hung up while nothing was asked of it.
    line: Option<Line>,
}

impl Speaking {
    async fn speak(mut self, mut text: BoxStream<'static, Clause>, out: Outlet<Speech>) -> Result<(), ProviderError> {
        while let Some(clause) = self.next(&mut text).await? {
            let mut before = Duration::ZERO;
            for range in split::pieces(&clause.text, LONGEST, |_| 1) {
                let (at, piece) = (range.start, &clause.text[range]);
                if piece.contains(char::is_alphanumeric) {
                    let ssml = speak::ssml(&self.voice, self.speed, piece);
                    before += self.voice(&ssml, Piece::new(clause.id, piece, at, before), &out).await?;
                }
            }
            out.give(Speech::ClauseDone { clause: clause.id }).await;
        }
        Ok(())
    }

    /// The next clause. A service that hangs up meanwhile is no loss.
    async fn next(&mut self, text: &mut BoxStream<'static, Clause>) -> Result<Option<Clause>, ProviderError> {
        if let Some(line) = &mut self.line {
            tokio::select! { biased;
                gone = gone(&mut line.receiver) => match gone {
                    Ok(()) => self.line = None,
                    Err(trouble) => return Err(self.account.error(&trouble)),
                },
                clause = text.next() => return Ok(clause),
            }
        }
        Ok(text.next().await)
    }

    /// Has a piece spoken, and tells how long its sound is. A connection that was in use before and breaks before any of
    /// it sounded may have been idle for too long: then another is tried.
    async fn voice(&mut self, ssml: &str, mut piece: Piece, out: &Outlet<Speech>) -> Result<Duration, ProviderError> {
        let mut line = match self.line.take() {
            Some(line) => line,
            None => Line::open(&self.account).await?,
        };
        let mut voiced = line.voice(&self.account, ssml, &mut piece, out).await;
        let passing =
            matches!(&voiced, Err(error) if matches!(error.kind, ErrorKind::Unavailable | ErrorKind::Timeout));
        if passing && line.used && !piece.sounds() {
            drop(line);
            line = Line::open(&self.account).await?;
            voiced = line.voice(&self.account, ssml, &mut piece, out).await;
        }
        voiced?;
        if !piece.sounds() {
            return Err(self.account.error(&Trouble::new(ErrorKind::Unavailable, "a clause came without sound")));
        }
        line.used = true;
        self.line = Some(line);
        Ok(SampleRate::HZ_24000.duration_of(piece.samples))
    }
}

/// A connection. Let go of in the middle of a clause, it tells the service to be silent.
struct Line {
    sender: Sender,
    receiver: Receiver,
    /// It has spoken a clause to its end.
    used: bool,
    /// Whether it is known who speaks to the service.
    greeted: bool,
    /// What is being spoken.
    turn: Option<Turn>,
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some(turn) = self.turn.take() {
            let _ = self.sender.text(turn.json("synthesis.control", speak::STOP)).now_or_never();
        }
        self.sender.leave();
    }
}

impl Line {
    async fn open(account: &Account) -> Result<Self, ProviderError> {
        let config = &account.config;
        let deployment = config.voice_deployment.iter().map(|id| ("deploymentId", id.clone()));
        let query: Vec<_> = deployment.collect();
        let (sender, receiver) = account.open(config.speaks("tts/cognitiveservices/websocket/v1"), &query).await?;
        Ok(Self { sender, receiver, used: false, greeted: false, turn: None })
    }

    async fn voice(
        &mut self,
        account: &Account,
        ssml: &str,
        piece: &mut Piece,
        out: &Outlet<Speech>,
    ) -> Result<(), ProviderError> {
        let turn = self.turn.insert(Turn::new()).clone();
        let greeted = std::mem::replace(&mut self.greeted, true);
        let Self { sender, receiver, .. } = self;
        let say = async {
            if !greeted {
                sender.text(turn.hello()).await?;
            }
            sender.text(turn.json("synthesis.context", &speak::context())).await?;
            sender.text(turn.text("ssml", "application/ssml+xml", ssml)).await
        };
        ws::converse(say, hear(receiver, account, &turn, piece, out)).await?;
        self.turn = None;
        Ok(())
    }
}

/// Waits, while nothing is to be said, until the connection is gone, or something came that is no message.
async fn gone(receiver: &mut Receiver) -> Result<(), Trouble> {
    loop {
        match receiver.next().await {
            Ok(Received::Text(text)) => _ = Message::text(&text)?,
            Ok(Received::Binary(bytes)) => _ = Message::binary(&bytes)?,
            Ok(Received::Closed(..)) | Err(_) => return Ok(()),
        }
    }
}

/// Gives the sound and the words of a piece until all of it was sent.
async fn hear(
    receiver: &mut Receiver,
    account: &Account,
    turn: &Turn,
    piece: &mut Piece,
    out: &Outlet<Speech>,
) -> Result<(), ProviderError> {
    loop {
        let received = receiver.next().await?;
        let Some(told) = told(&received, turn).map_err(|trouble| account.error(&trouble))? else { continue };
        match told {
            Told::Sound(bytes) => {
                if let Some(speech) = piece.sound(bytes) {
                    out.give(speech).await;
                }
            }
            Told::Words(words) => {
                for speech in words.into_iter().filter_map(|spoken| piece.word(spoken)) {
                    out.give(speech).await;
                }
            }
            Told::Over => return Ok(()),
            Told::Other => {}
        }
    }
}

fn told<'a>(received: &'a Received, turn: &Turn) -> Result<Option<Told<'a>>, Trouble> {
    let message = match received {
        Received::Text(text) => Message::text(text)?,
        Received::Binary(bytes) => Message::binary(bytes)?,
        Received::Closed(code, reason) => return Err(trouble::goodbye(*code, reason)),
    };
    if message.answers(&turn.request) { speak::read(&message).map(Some) } else { Ok(None) }
}

/// What is said in one request: a clause, or as much of it as the service takes at once.
struct Piece {
    clause: u32,
    /// Where it begins in the clause's text.
    at: usize,
    /// Length of the sound of the clause before it.
    before: Duration,
    words: Words,
    bytes: Samples,
    /// Samples so far.
    samples: usize,
}

impl Piece {
    fn new(clause: u32, text: &str, at: usize, before: Duration) -> Self {
        Self { clause, at, before, words: Words::new(text), bytes: Samples::default(), samples: 0 }
    }

    fn sounds(&self) -> bool {
        self.samples > 0
    }

    fn sound(&mut self, bytes: &[u8]) -> Option<Speech> {
        let clip = Clip::new(SampleRate::HZ_24000, self.bytes.feed(bytes));
        self.samples += clip.samples.len();
        (!clip.samples.is_empty()).then_some(Speech::Audio { clause: self.clause, clip })
    }

    fn word(&mut self, spoken: Spoken) -> Option<Speech> {
        let range = self.words.find(&spoken.text)?;
        let range = self.at + range.start..self.at + range.end;
        let (start, end) = (self.before + spoken.start, self.before + spoken.end);
        Some(Speech::Word { clause: self.clause, range, start, end })
    }
}

/// Characters of a request: escaped, they stay far below 64 KB, and their sound below 10 minutes.
const LONGEST: usize = 3_000;
