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
use reqwest::Url;
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
    ErrorKind, ProviderError,
    generate::{Outlet, generate},
    net::{
        pcm::Samples,
        warm::{Next, Spares, Terms},
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
    spares: Arc<Spares>,
}

impl TextToSpeech {
    /// A model that reports its failures under this name, as configured: `elevenlabs/eleven_flash_v2_5`.
    pub fn new(name: impl Into<Cow<'static, str>>, model: impl Into<String>, config: Arc<Config>) -> Self {
        let spares = Spares::new(config.warm.then_some(IDLE));
        Self { account: Account { name: name.into(), config }, model: model.into(), spares }
    }

    fn address(&self, voice: &Voice) -> Result<Url, ProviderError> {
        let config = &self.account.config;
        let path = format!("v1/text-to-speech/{}/multi-stream-input", config.voice_id(&voice.name));
        let mut url = self.account.address(&path)?;
        let mut query = url.query_pairs_mut();
        query.append_pair("model_id", &self.model).append_pair("output_format", &config.output_format);
        query.append_pair("auto_mode", "true").append_pair("sync_alignment", "true");
        query.append_pair("inactivity_timeout", "180");
        query.append_pair("apply_text_normalization", config.apply_text_normalization.name());
        if let Some(code) = languages::code(&self.model, voice.language.as_deref()) {
            query.append_pair("language_code", code);
        }
        if !config.enable_logging {
            query.append_pair("enable_logging", "false");
        }
        drop(query);
        Ok(url)
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
            let url = self.address(&voice)?;
            let asked = Arc::new((self.account.clone(), url.clone()));
            let opening = move || {
                let asked = asked.clone();
                async move { asked.0.open(&asked.1).await }
            };
            let (link, next) = self.spares.link(url.to_string(), opening).await?;
            let speaking = Speaking {
                account: self.account.clone(),
                _next: next,
                speed: voice.speed,
                text,
                ended: false,
                asked: 0,
                finished: 0,
                contexts: VecDeque::new(),
                waiting: VecDeque::new(),
                before: Duration::ZERO,
            };
            Ok(generate(|out| speaking.speak(url, link, out)))
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
    _next: Next,
    speed: f32,
    text: BoxStream<'static, Clause>,
    /// The text has ended.
    ended: bool,
    /// Contexts opened so far.
    asked: u32,
    /// Contexts that ended on this connection.
    finished: u32,
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
    /// Nothing in it can be said, so nobody was asked.
    mute: bool,
    /// What came before its turn.
    held: Vec<Speech>,
}

/// What becomes of a connection.
enum Outcome {
    /// All is said.
    Done,
    /// It ended while nothing was lost by that.
    Gone,
}

/// To the sending half.
type Orders = mpsc::Sender<String>;

impl Speaking {
    /// Speaks all the text, over another connection should the vendor end one that is idle.
    async fn speak(mut self, url: Url, mut link: (Sender, Receiver), out: Outlet<Speech>) -> Result<(), ProviderError> {
        loop {
            let (mut sender, mut receiver) = link;
            let (orders, ordered) = mpsc::channel(ORDERS);
            let outcome = ws::converse(send(&mut sender, ordered), self.converse(&orders, &mut receiver, &out)).await?;
            sender.leave();
            if matches!(outcome, Outcome::Done) {
                return Ok(());
            }
            drop((sender, receiver));
            self.finished = 0;
            while self.waiting.is_empty() {
                match self.text.next().await {
                    Some(clause) => self.waiting = pieces(&clause),
                    None => return Ok(()),
                }
            }
            link = self.account.open(&url).await?;
        }
    }

    async fn converse(
        &mut self,
        orders: &Orders,
        receiver: &mut Receiver,
        out: &Outlet<Speech>,
    ) -> Result<Outcome, ProviderError> {
        loop {
            self.advance(orders, out).await?;
            if self.ended && self.contexts.is_empty() {
                return Ok(Outcome::Done);
            }
            tokio::select! { biased;
                received = receiver.next() => match received {
                    Ok(Received::Text(text)) => self.hear(&text, orders)?,
                    Ok(Received::Binary(_)) => {}
                    Ok(Received::Closed(code, reason)) => {
                        return self.lose(self.account.fault(&fault::closed(code, &reason)));
                    }
                    Err(error) => return self.lose(error),
                },
                clause = self.text.next(), if !self.ended && self.waiting.is_empty() => match clause {
                    Some(clause) => self.waiting = pieces(&clause),
                    None => self.ended = true,
                },
                () = sleep(KEEP_ALIVE), if self.contexts.is_empty() => {
                    if orders.capacity() > ORDERS / 2 {
                        order(orders, speech::ALIVE.to_owned());
                    }
                }
            }
        }
    }

    /// The connection is gone. An idle one is no loss, nor is one that ended as the next context was asked for.
    fn lose(&mut self, error: ProviderError) -> Result<Outcome, ProviderError> {
        let passing = matches!(error.kind, ErrorKind::Unavailable | ErrorKind::Timeout);
        let untouched = self.contexts.iter().all(|context| !context.sounds && !context.ended);
        if self.contexts.is_empty() || self.finished > 0 && passing && untouched {
            while let Some(context) = self.contexts.pop_back() {
                self.waiting.push_front(context.piece);
            }
            return Ok(Outcome::Gone);
        }
        Err(error)
    }

    /// Hands on what has its turn, and asks for what may come next, until neither changes anything.
    async fn advance(&mut self, orders: &Orders, out: &Outlet<Speech>) -> Result<(), ProviderError> {
        loop {
            if let Some(first) = self.contexts.front_mut() {
                for speech in std::mem::take(&mut first.held) {
                    out.give(shifted(speech, self.before)).await;
                }
            }
            if let Some(first) = self.contexts.pop_front_if(|first| first.ended) {
                if !first.sounds && !first.mute {
                    return Err(self.account.error(ErrorKind::Unavailable, "a clause came without sound"));
                }
                self.finished += 1;
                self.before += self.account.config.rate().duration_of(first.samples);
                if first.piece.last {
                    self.before = Duration::ZERO;
                    out.give(Speech::ClauseDone { clause: first.piece.clause }).await;
                }
                continue;
            }
            match self.waiting.pop_front_if(|next| may_follow(&self.contexts, next)) {
                Some(piece) => self.ask(piece, orders),
                None => return Ok(()),
            }
        }
    }

    fn ask(&mut self, piece: Piece, orders: &Orders) {
        let id = format!("{}-{}", piece.clause, self.asked);
        self.asked += 1;
        let context = Context::new(id, piece);
        if !context.mute {
            order(orders, speech::open(&context.id, &self.account.config, self.speed));
            order(orders, speech::say(&context.id, &context.piece.text));
        }
        self.contexts.push_back(context);
    }

    fn hear(&mut self, text: &str, orders: &Orders) -> Result<(), ProviderError> {
        let chunk = match speech::read(text).map_err(|why| self.account.fault(&Fault::broken(why)))? {
            Message::Chunk(chunk) => chunk,
            Message::Refused(fault) => return Err(self.account.fault(&fault)),
        };
        let whose = match &chunk.context {
            Some(id) => self.contexts.iter().position(|context| context.id == *id),
            None => (self.contexts.len() == 1).then_some(0),
        };
        let Some(context) = whose.and_then(|at| self.contexts.get_mut(at)) else { return Ok(()) };
        let sounded = context.sounds;
        context.take(chunk, self.account.config.rate()).map_err(|fault| self.account.fault(&fault))?;
        if context.sounds && !sounded {
            order(orders, speech::close(&context.id));
        }
        Ok(())
    }
}

/// Each of two contexts takes three orders, so there is room unless the vendor sends sound and reads nothing; then the
/// timeouts around this adapter decide.
fn order(orders: &Orders, order: String) {
    let _ = orders.try_send(order);
}

impl Context {
    fn new(id: String, piece: Piece) -> Self {
        let mute = !piece.text.contains(char::is_alphanumeric);
        let words = Words::new(&piece.text);
        let (bytes, held) = (Samples::default(), Vec::new());
        Self { id, piece, words, bytes, samples: 0, sounds: false, ended: mute, mute, held }
    }

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
            let most = LONGEST + SLOWEST * self.piece.text.chars().count() as u32;
            if self.samples > rate.samples_in(most) {
                return Err(Fault::broken("a clause sounds without end".to_owned()));
            }
            self.held.push(Speech::Audio { clause, clip: Clip::new(rate, samples) });
        }
        self.ended |= chunk.last;
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

/// Characters a context takes at once: what the strictest model takes in a request. Others take 10,000 to 40,000.
const LIMIT: usize = 5_000;
/// Characters of a clause that is asked for ahead of its turn: about half a minute.
const AHEAD: usize = 500;
/// No voice takes longer than this for a character, and this for the whole besides.
const SLOWEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);
/// Two contexts of three messages, and signs of life.
const ORDERS: usize = 16;
/// Well within the vendor's 20 seconds without a context.
const KEEP_ALIVE: Duration = Duration::from_secs(10);
/// A connection is kept for as long as the next reply may take.
const IDLE: Terms = Terms { keep: Duration::from_secs(60), sign: Some((KEEP_ALIVE, speech::ALIVE)) };
