//! Speech over one multi-context WebSocket a reply, one context a clause.
//!
//! A context of its own tells exactly where a clause's sound ends; each clause is flushed at once, so nothing waits in
//! the vendor's buffers. The next clause is asked for once the one before it sounds: its first sound then waits while the
//! one before it is played. A context is closed only when it sounds, since a close that overtakes the synthesis silences
//! it (pipecat-ai/pipecat#4681, #5271); its end then comes right behind its last sound. Dropping the speech drops the
//! socket, and with it every context.

use std::{borrow::Cow, collections::VecDeque, ops::Range, sync::Arc, time::Duration};

use audio::{Clip, SampleRate};
use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::BoxStream};
use tokio::{sync::mpsc, time::sleep};

use super::{
    Config,
    link::Account,
    wire::{
        fault::{self, Fault},
        languages,
        speech::{self, Chunk, Message},
        words::{Timed, Words},
    },
};
use crate::{
    ProviderError,
    generate::{Outlet, generate},
    net::{
        pcm::Samples,
        ws::{self, Received, Receiver, Sender},
    },
    split,
    tts::{Clause, Speech, SpeechStream, TtsCapabilities, Voice},
};

/// One speaking model of one account. Dropping a speech closes its connection.
#[derive(Debug)]
pub struct TextToSpeech {
    account: Account,
    model: String,
}

impl TextToSpeech {
    /// A model that reports its failures under this name, as configured: `elevenlabs/eleven_flash_v2_5`.
    pub fn new(name: impl Into<Cow<'static, str>>, model: impl Into<String>, config: Arc<Config>) -> Self {
        Self { account: Account { name: name.into(), config }, model: model.into() }
    }

    async fn open(&self, voice: &Voice) -> Result<(Sender, Receiver), ProviderError> {
        let path = format!("v1/text-to-speech/{}/multi-stream-input", self.account.config.voice_id(&voice.name));
        let mut url = self.account.address(&path)?;
        {
            let mut query = url.query_pairs_mut();
            query.append_pair("model_id", &self.model).append_pair("output_format", &self.account.config.output_format);
            query.append_pair("auto_mode", "true").append_pair("sync_alignment", "true");
            query.append_pair("inactivity_timeout", "180");
            query.append_pair("apply_text_normalization", self.account.config.apply_text_normalization.name());
            if let Some(code) = languages::code(&self.model, voice.language.as_deref()) {
                query.append_pair("language_code", code);
            }
            if !self.account.config.enable_logging {
                query.append_pair("enable_logging", "false");
            }
        }
        self.account.open(&url).await
    }
}

impl crate::TextToSpeech for TextToSpeech {
    fn capabilities(&self) -> TtsCapabilities {
        TtsCapabilities {
            word_timestamps: true,
            max_chars: Some(LIMIT),
            languages: languages::spoken(&self.model),
            voices: self.account.config.names(),
        }
    }

    fn speak(
        &self,
        voice: Voice,
        text: BoxStream<'static, Clause>,
    ) -> BoxFuture<'_, Result<SpeechStream, ProviderError>> {
        async move {
            let (mut sender, receiver) = self.open(&voice).await?;
            let (orders, ordered) = mpsc::channel(ORDERS);
            let speaking = Speaking {
                account: self.account.clone(),
                speed: voice.speed,
                orders,
                asked: 0,
                contexts: VecDeque::new(),
                waiting: VecDeque::new(),
                before: Duration::ZERO,
            };
            Ok(generate(|out| async move {
                ws::converse(send(&mut sender, ordered), speaking.speak(text, receiver, out)).await?;
                sender.leave();
                Ok(())
            }))
        }
        .boxed()
    }
}

async fn send(sender: &mut Sender, mut ordered: mpsc::Receiver<String>) -> Result<(), ProviderError> {
    while let Some(order) = ordered.recv().await {
        sender.text(order).await?;
    }
    Ok(())
}

/// One reply being spoken.
struct Speaking {
    account: Account,
    speed: f32,
    /// To the sending half. Never full while the vendor reads: each context takes three.
    orders: mpsc::Sender<String>,
    /// Contexts opened so far.
    asked: u32,
    /// Those open, in the order of the text; the reader hears the first.
    contexts: VecDeque<Context>,
    /// What is left of the clause taken last.
    waiting: VecDeque<Piece>,
    /// Length of the pieces of this clause that were given already.
    before: Duration,
}

/// What is said in one context: a clause, or as much of it as the vendor takes at once.
struct Piece {
    clause: u32,
    text: String,
    /// Where it begins in the clause.
    at: usize,
    /// The clause ends with it.
    last: bool,
}

struct Context {
    id: String,
    piece: Piece,
    words: Words,
    bytes: Samples,
    /// Samples so far.
    samples: usize,
    sounds: bool,
    ended: bool,
    /// What came before its turn.
    held: Vec<Speech>,
}

impl Speaking {
    async fn speak(
        mut self,
        mut text: BoxStream<'static, Clause>,
        mut receiver: Receiver,
        out: Outlet<Speech>,
    ) -> Result<(), ProviderError> {
        let mut ended = false;
        loop {
            self.advance(&out).await;
            if ended && self.contexts.is_empty() {
                return Ok(());
            }
            tokio::select! { biased;
                received = receiver.next() => self.receive(received?, &out).await?,
                clause = text.next(), if !ended && self.waiting.is_empty() => match clause {
                    Some(clause) => self.waiting = pieces(&clause),
                    None => ended = true,
                },
                () = sleep(KEEP_ALIVE), if self.contexts.is_empty() => self.order(speech::ALIVE.to_owned()),
            }
        }
    }

    /// Hands on what has its turn, and asks for what may come next, until neither changes anything.
    async fn advance(&mut self, out: &Outlet<Speech>) {
        loop {
            if let Some(first) = self.contexts.front_mut() {
                let held = std::mem::take(&mut first.held);
                for speech in held {
                    out.give(shifted(speech, self.before)).await;
                }
            }
            if let Some(first) = self.contexts.pop_front_if(|first| first.ended) {
                self.before += self.account.config.rate().duration_of(first.samples);
                if first.piece.last {
                    self.before = Duration::ZERO;
                    out.give(Speech::ClauseDone { clause: first.piece.clause }).await;
                }
                continue;
            }
            match self.waiting.pop_front_if(|next| may_follow(&self.contexts, next)) {
                Some(piece) => self.ask(piece),
                None => return,
            }
        }
    }

    fn ask(&mut self, piece: Piece) {
        let id = format!("{}-{}", piece.clause, self.asked);
        self.asked += 1;
        let mute = !piece.text.contains(char::is_alphanumeric);
        if !mute {
            self.order(speech::open(&id, &self.account.config, self.speed));
            self.order(speech::say(&id, &piece.text));
        }
        let words = Words::new(&piece.text);
        let context = Context {
            id,
            piece,
            words,
            bytes: Samples::default(),
            samples: 0,
            sounds: false,
            ended: mute,
            held: Vec::new(),
        };
        self.contexts.push_back(context);
    }

    fn order(&self, order: String) {
        // Full only when the vendor has not read for long; then the timeouts around this adapter decide.
        let _ = self.orders.try_send(order);
    }

    async fn receive(&mut self, received: Received, out: &Outlet<Speech>) -> Result<(), ProviderError> {
        let text = match received {
            Received::Text(text) => text,
            Received::Binary(_) => return Ok(()),
            Received::Closed(code, reason) => return Err(self.account.fault(&fault::closed(code, &reason))),
        };
        let chunk = match speech::read(&text).map_err(|why| self.account.fault(&Fault::broken(why)))? {
            Message::Chunk(chunk) => chunk,
            Message::Refused(fault) => return Err(self.account.fault(&fault)),
        };
        let whose = match &chunk.context {
            Some(id) => self.contexts.iter().position(|context| context.id == *id),
            None => (self.contexts.len() == 1).then_some(0),
        };
        let Some(context) = whose.and_then(|at| self.contexts.get_mut(at)) else { return Ok(()) };
        let first_sound = !context.sounds && !chunk.sound.is_empty();
        context.take(chunk, self.account.config.rate()).map_err(|fault| self.account.fault(&fault))?;
        if first_sound {
            let close = speech::close(&context.id);
            self.order(close);
        }
        self.advance(out).await;
        Ok(())
    }
}

impl Context {
    fn take(&mut self, chunk: Chunk, rate: SampleRate) -> Result<(), Fault> {
        let mut timed = Vec::new();
        if let Some(times) = &chunk.times {
            self.words.time(times, &mut timed);
        }
        if chunk.last {
            self.words.finish(&mut timed);
        }
        let (clause, at) = (self.piece.clause, self.piece.at);
        let words = timed.into_iter().map(|Timed { range: Range { start: from, end: to }, start, end }| Speech::Word {
            clause,
            range: at + from..at + to,
            start,
            end,
        });
        self.held.extend(words);
        if !chunk.sound.is_empty() {
            self.sounds = true;
            let samples = self.bytes.feed(&chunk.sound);
            self.samples += samples.len();
            if self.samples > LONGEST {
                return Err(Fault::broken("a clause sounds for over twenty minutes".to_owned()));
            }
            self.held.push(Speech::Audio { clause, clip: Clip::new(rate, samples) });
        }
        if chunk.last {
            self.ended = true;
            if !self.sounds {
                return Err(Fault {
                    kind: crate::ErrorKind::Unavailable,
                    detail: "a clause came without sound".to_owned(),
                });
            }
        }
        Ok(())
    }
}

/// Whether a piece may be asked for: first, or short and behind one that sounds already. What comes before its turn is
/// held, so the vendor's haste costs about half a minute of sound at most.
fn may_follow(contexts: &VecDeque<Context>, next: &Piece) -> bool {
    match contexts.len() {
        0 => true,
        1 => contexts[0].sounds && next.text.chars().count() <= AHEAD,
        _ => false,
    }
}

fn pieces(clause: &Clause) -> VecDeque<Piece> {
    let mut ranges = split::pieces(&clause.text, LIMIT, |_| 1);
    if ranges.is_empty() {
        ranges.push(0..0);
    }
    let end = ranges.len() - 1;
    let piece = |(n, range): (usize, Range<usize>)| {
        let (at, text) = (range.start, clause.text[range].to_owned());
        Piece { clause: clause.id, text, at, last: n == end }
    };
    ranges.into_iter().enumerate().map(piece).collect()
}

fn shifted(speech: Speech, by: Duration) -> Speech {
    match speech {
        Speech::Word { clause, range, start, end } => Speech::Word { clause, range, start: start + by, end: end + by },
        Speech::Audio { .. } | Speech::ClauseDone { .. } => speech,
    }
}

/// Characters a context takes at once.
const LIMIT: usize = 5_000;
/// Characters of a clause that is asked for ahead of its turn: about half a minute.
const AHEAD: usize = 500;
/// Samples of one context: twenty minutes at the highest rate; 5000 characters take about six.
const LONGEST: usize = 20 * 60 * 48_000;
/// Two contexts of three messages, and signs of life.
const ORDERS: usize = 16;
/// Well within the vendor's 20 seconds without a context.
const KEEP_ALIVE: Duration = Duration::from_secs(10);
