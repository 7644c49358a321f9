//! The one message in hand: a client's next one is read only once this one is done, so TCP itself holds a client back
//! that sends faster than it is heard.

use std::{future, mem, panic::resume_unwind, sync::Arc};

use axum::extract::ws::Utf8Bytes;
use tokio::task::{JoinHandle, spawn_blocking, yield_now};

use crate::realtime::{
    protocol::{self, ClientEvent, Dialect},
    session::{input::Command, output::ClientError, settings::Settings},
    transport::downlink::Downlink,
    workers::Workers,
};

/// Messages from here on are read off the runtime's threads: a large one takes tens of milliseconds.
const LARGE: usize = 64 * 1024;

/// What the driver does with the client's last message.
#[derive(Default)]
pub(super) struct Hand {
    state: State,
    /// The sound in hand; its memory is kept from append to append.
    sound: Vec<u8>,
}

#[derive(Default)]
enum State {
    #[default]
    Empty,
    /// A large message is being read elsewhere.
    Reading(JoinHandle<(Vec<u8>, Read)>),
    /// A request waits until the echoes of those before it are sent.
    Waiting(Command),
    /// Sound is being heard, from this byte on.
    Sounding(usize),
}

/// What a message was.
#[derive(Debug)]
pub(super) enum Read {
    /// Sound, which is in the hand from here on.
    Sound,
    /// A request.
    Command(Command),
    /// Nothing that can be done.
    Refused(ClientError),
}

/// Why the hand is to be looked at.
#[derive(Debug)]
pub(super) enum Ready {
    /// A large message has been read.
    Read(Read),
    /// More of the sound can be heard.
    Sound,
}

impl Hand {
    /// Takes a message. A small one is read at once.
    pub(super) fn take(&mut self, text: Utf8Bytes, dialect: Dialect, settings: &Arc<Settings>) -> Option<Read> {
        let mut sound = mem::take(&mut self.sound);
        if text.len() < LARGE {
            let read = read(&text, dialect, settings, &mut sound);
            return Some(self.hold(sound, read));
        }
        let settings = Arc::clone(settings);
        self.state = State::Reading(spawn_blocking(move || {
            let read = read(&text, dialect, &settings, &mut sound);
            (sound, read)
        }));
        None
    }

    /// Whether the next message may come.
    pub(super) const fn is_empty(&self) -> bool {
        matches!(self.state, State::Empty)
    }

    /// Keeps a request until there is room for its echo.
    pub(super) fn keep(&mut self, command: Command) {
        self.state = State::Waiting(command);
    }

    /// Waits until there is something to do. Sound, in hand or framed and `unheard`, waits for workers that are full,
    /// and for one round of everyone else.
    pub(super) async fn ready(&mut self, workers: &Workers, downlink: &Downlink, unheard: bool) -> Ready {
        match &mut self.state {
            State::Empty if !unheard => future::pending().await,
            State::Reading(reading) => match reading.await {
                Ok((sound, read)) => Ready::Read(self.hold(sound, read)),
                Err(error) => match error.try_into_panic() {
                    Ok(panicked) => resume_unwind(panicked),
                    // The runtime is shutting down, and this task with it.
                    Err(_) => future::pending().await,
                },
            },
            State::Waiting(_) => {
                downlink.settled().await;
                match mem::take(&mut self.state) {
                    State::Waiting(command) => Ready::Read(Read::Command(command)),
                    State::Empty | State::Reading(_) | State::Sounding(_) => Ready::Sound,
                }
            }
            State::Empty | State::Sounding(_) => {
                if workers.is_full() {
                    workers.room().await;
                } else {
                    yield_now().await;
                }
                Ready::Sound
            }
        }
    }

    /// The next `length` bytes of sound, if that is what is in hand.
    pub(super) fn slice(&mut self, length: usize) -> &[u8] {
        let State::Sounding(at) = self.state else { return &[] };
        let end = self.sound.len().min(at + length);
        self.state = if end < self.sound.len() { State::Sounding(end) } else { State::Empty };
        &self.sound[at..end]
    }

    /// Lets the sound in hand go unheard.
    pub(super) fn discard(&mut self) {
        if let State::Sounding(_) = self.state {
            self.state = State::Empty;
        }
    }

    fn hold(&mut self, sound: Vec<u8>, read: Read) -> Read {
        self.sound = sound;
        self.state = match read {
            Read::Sound => State::Sounding(0),
            Read::Command(_) | Read::Refused(_) => State::Empty,
        };
        read
    }
}

fn read(text: &str, dialect: Dialect, settings: &Settings, sound: &mut Vec<u8>) -> Read {
    match protocol::decode(text, dialect, settings, sound) {
        Ok(ClientEvent::Append { .. }) => Read::Sound,
        Ok(ClientEvent::Command(command)) => Read::Command(command),
        Err(error) => Read::Refused(error),
    }
}
