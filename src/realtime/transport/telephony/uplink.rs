//! What a gateway sends, one thing at a time: the driver reads the socket itself, so TCP holds back whoever sends too much.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use audio::Frame;
use axum::{Error, extract::ws::Message};
use futures_util::{Stream, StreamExt, stream};
use tokio::sync::mpsc;

use super::{
    dialect::{Dialect, Fault, Word},
    ear::Ear,
};
use crate::{
    clock::Clock,
    realtime::transport::{Incoming, downlink::Farewell, ws},
};

/// How far sound may be ahead of the time in which it can be said. A network that hung for seconds delivers them at once.
const MOST_AHEAD: Duration = Duration::from_secs(15);

/// Keys a person can press: so many at once, and so many a second after that.
const KEYS_AT_ONCE: u64 = 30;
const KEYS_A_SECOND: u64 = 10;

/// A call's socket from its start on.
pub(super) struct Uplink<'a, M> {
    messages: &'a mut M,
    dialect: Dialect,
    ear: Ear,
    /// Marks that the gateway has reached, for who speaks into the line. Of too many at once the rest says nothing new.
    marks: mpsc::Sender<u64>,
    clock: Clock,
    began: Instant,
    heard: Duration,
    keys: u64,
    queue: VecDeque<Incoming>,
    sound: Vec<u8>,
    state: State,
}

/// Whether more is to be read.
#[derive(PartialEq, Eq)]
enum State {
    Open,
    Over,
}

impl<'a, M: Stream<Item = Result<Message, Error>> + Unpin + Send> Uplink<'a, M> {
    pub(super) fn new(messages: &'a mut M, dialect: Dialect, ear: Ear, marks: mpsc::Sender<u64>, clock: Clock) -> Self {
        Self {
            messages,
            dialect,
            ear,
            marks,
            began: clock.now(),
            clock,
            heard: Duration::ZERO,
            keys: 0,
            queue: VecDeque::new(),
            sound: Vec::new(),
            state: State::Open,
        }
    }

    /// Everything that comes, up to the end of the call.
    pub(super) fn stream(self) -> impl Stream<Item = Incoming> + use<'a, M> {
        stream::unfold(self, |mut uplink| async move {
            let incoming = uplink.next().await?;
            Some((incoming, uplink))
        })
    }

    async fn next(&mut self) -> Option<Incoming> {
        loop {
            if let Some(incoming) = self.queue.pop_front() {
                return Some(incoming);
            }
            if self.state == State::Over {
                return None;
            }
            match self.messages.next().await {
                Some(message) => {
                    if let Err(fault) = self.take(message) {
                        tracing::warn!(%fault, "the stream cannot go on");
                        self.end(Incoming::Broken(farewell(fault)));
                    }
                }
                None => self.end(Incoming::Gone),
            }
        }
    }

    fn take(&mut self, message: Result<Message, Error>) -> Result<(), Fault> {
        let (word, bytes, text) = match message {
            Ok(Message::Text(text)) => (self.dialect.read(&text, &mut self.sound)?, None, Some(text)),
            Ok(Message::Binary(bytes)) => (self.dialect.read_binary()?, Some(bytes), None),
            other => {
                let incoming = ws::read(other);
                if !matches!(incoming, Incoming::Alive) {
                    self.state = State::Over;
                }
                self.queue.push_back(incoming);
                return Ok(());
            }
        };
        match word {
            Word::Start(_) => return Err(Fault::Twice),
            Word::Sound { place } => {
                let sound = bytes.as_deref().unwrap_or(&self.sound);
                let before = self.queue.len();
                self.ear.hear(place, sound, |frame| self.queue.push_back(Incoming::Frame(frame)))?;
                self.heard += Frame::DURATION * u32::try_from(self.queue.len() - before).unwrap_or(u32::MAX);
                if self.heard > self.lasted() + MOST_AHEAD {
                    return Err(Fault::Flood);
                }
            }
            Word::Key(key) => {
                self.keys += 1;
                if self.keys > KEYS_AT_ONCE + KEYS_A_SECOND * self.lasted().as_secs() {
                    return Err(Fault::Flood);
                }
                self.queue.push_back(Incoming::Pressed(key));
            }
            Word::Mark(mark) => _ = self.marks.try_send(mark),
            Word::Stop => self.end(Incoming::Gone),
            Word::Event => self.queue.extend(text.map(Incoming::Text)),
            Word::Nothing => self.queue.push_back(Incoming::Alive),
        }
        Ok(())
    }

    fn lasted(&self) -> Duration {
        self.clock.now().saturating_duration_since(self.began)
    }

    fn end(&mut self, last: Incoming) {
        self.state = State::Over;
        self.queue.push_back(last);
    }
}

/// How a stream that cannot go on is told so.
pub(super) const fn farewell(fault: Fault) -> Farewell {
    Farewell { code: fault.code(), reason: fault.reason() }
}
