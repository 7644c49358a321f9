//! One conversation over one WebSocket: what is told goes out, what comes back is told.
//!
//! Sending and receiving never wait for each other.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use audio::Frame;
use futures_util::{StreamExt, stream::BoxStream};
use reqwest::{
    Url,
    header::{HeaderMap, HeaderName},
};
use serde_json::Value;
use tokio::{sync::Notify, time::timeout};
use tokio_util::task::AbortOnDropHandle;

use super::{
    Settings,
    turns::Turns,
    wire::{self, Told},
};
use crate::{
    ErrorKind, ProviderError,
    dialogue::BEGIN,
    gemini::Config,
    generate::{Outlet, generate},
    llm::Message,
    net::{
        events::Peer,
        refusal::{said, unkeyed},
        ws::{self, Received, Receiver, Sender},
    },
    realtime::{Command, Event, EventStream, Opening, Step},
};

/// A Live model, and how it is spoken to.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) peer: Peer,
    pub(super) config: Arc<Config>,
    pub(super) settings: Settings,
    pub(super) model: String,
}

impl Line {
    /// Opens a conversation: connected, and its setup taken.
    pub(super) async fn converse(
        &self,
        opening: Opening,
        commands: BoxStream<'static, Command>,
    ) -> Result<EventStream, ProviderError> {
        let url = address(&self.config.base_url)
            .map_err(|why| self.error(ErrorKind::Rejected, &format!("base_url {why}")))?;
        let headers = self.peer.signed(HeaderName::from_static("x-goog-api-key"), "")?;
        let explain = |_: &HeaderMap, body: &[u8]| unkeyed(&said(body), self.peer.key.as_ref());
        let (mut sender, mut receiver) = ws::connect(&self.peer.provider, &url, headers, explain).await?;
        sender.text(wire::setup(&self.settings, &self.model, &opening.manner)).await?;
        while !self.read(receiver.next().await?)?.ready {}
        let shared = Arc::new(Shared::new(opening.manner.voice.is_some()));
        let (line, heard) = (self.clone(), shared.clone());
        let mouth = Mouth {
            line: self.clone(),
            sender,
            shared,
            past: Some(opening.history),
            activity: Activity::None,
            held: VecDeque::new(),
            typed: Vec::new(),
        };
        // A task of its own: what is told must not wait for a reader of long replies.
        let mouth = AbortOnDropHandle::new(tokio::spawn(mouth.tell(commands)));
        Ok(generate(|out| async move {
            let over = Notify::new();
            let told = async {
                let cut = |_| Err(line.error(ErrorKind::Unavailable, "the conversation was cut off"));
                let told = mouth.await.unwrap_or_else(cut);
                if told.is_ok() {
                    over.notify_one();
                }
                told
            };
            let heard = async {
                tokio::select! { biased;
                    () = over.notified() => Ok(()),
                    heard = Ear { line: &line, receiver, shared: &heard }.hear(&out) => heard,
                }
            };
            ws::converse(told, heard).await
        }))
    }

    /// The vendor sends its JSON as binary messages; others in its place send text.
    fn read(&self, received: Received) -> Result<Told, ProviderError> {
        let read = match &received {
            Received::Text(text) => wire::read(text.as_bytes()),
            Received::Binary(bytes) => wire::read(bytes),
            Received::Closed(code, reason) => {
                let (kind, detail) = wire::closed(*code, reason);
                return Err(self.error(kind, &detail));
            }
        };
        read.map_err(|why| self.error(ErrorKind::Protocol, &why))
    }

    /// A failure, without the key should the vendor quote it.
    fn error(&self, kind: ErrorKind, detail: &str) -> ProviderError {
        ProviderError::new(self.peer.provider.clone(), kind, unkeyed(detail, self.peer.key.as_ref()))
    }
}

/// The socket's address beside that of the other functions: `https://host/v1beta` names host and version.
fn address(base: &str) -> Result<Url, String> {
    let mut url = ws::endpoint(base, "")?;
    let path = url.path().trim_end_matches('/').to_owned();
    let (before, last) = path.rsplit_once('/').unwrap_or(("", &path));
    let is_version = last.starts_with('v') && last[1..].starts_with(|c: char| c.is_ascii_digit());
    let (before, version) = if is_version { (before, last) } else { (path.as_str(), "v1beta") };
    let function = format!("ws/google.ai.generativelanguage.{version}.GenerativeService.BidiGenerateContent");
    url.set_path(&format!("{before}/{function}"));
    Ok(url)
}

/// What both halves know.
struct Shared {
    turns: Mutex<Turns>,
    /// A reply has ended.
    idle: Notify,
}

impl Shared {
    fn new(voiced: bool) -> Self {
        Self { turns: Mutex::new(Turns::new(voiced)), idle: Notify::new() }
    }

    fn turns(&self) -> MutexGuard<'_, Turns> {
        self.turns.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Ear<'a> {
    line: &'a Line,
    receiver: Receiver,
    shared: &'a Shared,
}

impl Ear<'_> {
    async fn hear(mut self, out: &Outlet<Event>) -> Result<(), ProviderError> {
        let mut events = Vec::new();
        loop {
            let told = self.next().await?;
            {
                let mut turns = self.shared.turns();
                match told {
                    Some(told) => turns.take(told, &mut events),
                    None => turns.settle(&mut events),
                }
                if !turns.is_replying() {
                    self.shared.idle.notify_one();
                }
            }
            for Event { reply, step } in events.drain(..) {
                let step = match step {
                    Step::Failed(error) => Step::Failed(self.line.error(error.kind, &error.detail)),
                    Step::Thought(_) | Step::Sound(_) => step,
                };
                out.give(Event { reply, step }).await;
            }
            if self.shared.turns().may_leave() {
                return Err(self.line.error(ErrorKind::Unavailable, "the vendor ends the conversation"));
            }
        }
    }

    /// The next message; nothing when only the end of a reply is to come and takes too long: the vendor sends it once the
    /// reply would have been played.
    async fn next(&mut self) -> Result<Option<Told>, ProviderError> {
        let generated = self.shared.turns().is_generated();
        let received = if generated {
            let Ok(received) = timeout(GRACE, self.receiver.next()).await else { return Ok(None) };
            received?
        } else {
            self.receiver.next().await?
        };
        self.line.read(received).map(Some)
    }
}

struct Mouth {
    line: Line,
    sender: Sender,
    shared: Arc<Shared>,
    /// What was said before, as long as the vendor was told nothing: it takes a history only at the beginning.
    past: Option<Vec<Message>>,
    activity: Activity,
    /// Heard when it would have been out of place.
    held: VecDeque<Frame>,
    /// Typed since the last reply was asked for: role, text.
    typed: Vec<(&'static str, String)>,
}

/// The person's turn as the vendor knows it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Activity {
    None,
    Open,
    /// Open still, for its end asks for the reply.
    Committed,
}

impl Mouth {
    async fn tell(mut self, mut commands: BoxStream<'static, Command>) -> Result<(), ProviderError> {
        loop {
            tokio::select! { biased;
                () = self.shared.idle.notified(), if !self.held.is_empty() => {
                    if !self.waits() {
                        self.release().await?;
                    }
                }
                command = commands.next() => match command {
                    Some(command) => self.obey(command).await?,
                    None => {
                        self.sender.leave();
                        return Ok(());
                    }
                },
            }
        }
    }

    async fn obey(&mut self, command: Command) -> Result<(), ProviderError> {
        match command {
            Command::Hear(frame) => {
                self.held.push_back(frame);
                if self.waits() && self.held.len() < HELD { Ok(()) } else { self.release().await }
            }
            Command::Commit => {
                self.release().await?;
                if self.activity == Activity::Open {
                    self.activity = Activity::Committed;
                }
                Ok(())
            }
            Command::Discard => {
                self.held.clear();
                Ok(())
            }
            Command::Add(message) => {
                self.add(message);
                Ok(())
            }
            // The vendor keeps what it had sent when it was interrupted, and cannot be told otherwise.
            Command::Truncate(_) => Ok(()),
            Command::Respond { reply, .. } => self.ask(reply).await,
            Command::Cancel => {
                self.shared.turns().cancel();
                // The person's voice is what interrupts; without it the vendor's words are merely not heard.
                if self.waits() { Ok(()) } else { self.release().await }
            }
        }
    }

    /// Whether sound must wait: it would interrupt, run into the turn before, or come before the history.
    fn waits(&self) -> bool {
        self.past.is_some() || self.activity == Activity::Committed || self.shared.turns().is_replying()
    }

    fn add(&mut self, message: Message) {
        if let Some(past) = &mut self.past {
            return past.push(message);
        }
        match message {
            Message::User(text) => self.typed.push(("user", text)),
            Message::Assistant(text) => self.typed.push(("model", text)),
            Message::System(text) => self.typed.push(("user", format!("[Instructions] {text}"))),
            // The model knows its own; of another's, the answer tells.
            Message::Call(_) => {}
            Message::Result { call, output } => {
                if !self.shared.turns().answer(&call, &output) {
                    self.typed.push(("user", format!("[A function answered] {output}")));
                }
            }
        }
    }

    /// Tells what was said before, but for what the person typed last where that is to be answered.
    async fn tell_past(&mut self, asking: bool) -> Result<(), ProviderError> {
        let Some(mut past) = self.past.take() else { return Ok(()) };
        if asking {
            let answered = past.iter().rposition(|message| !matches!(message, Message::User(_)));
            let typed = past.split_off(answered.map_or(0, |last| last + 1));
            typed.into_iter().for_each(|message| self.add(message));
        }
        let mut turns = wire::turns(&past);
        let seeds = self.line.settings.realtime_text;
        if turns.is_empty() && !seeds {
            return Ok(());
        }
        if turns.is_empty() {
            // It waits for one.
            turns.push(wire::turn("user", BEGIN));
        }
        self.sender.text(wire::content(&turns, seeds)).await
    }

    /// What was heard goes out.
    async fn release(&mut self) -> Result<(), ProviderError> {
        if self.held.is_empty() {
            return Ok(());
        }
        self.tell_past(false).await?;
        if self.activity == Activity::None {
            self.say_typed(false).await?;
        }
        if self.activity == Activity::None {
            self.begin().await?;
        }
        while let Some(frame) = self.held.pop_front() {
            self.sender.text(wire::sound(frame.samples())).await?;
        }
        Ok(())
    }

    async fn begin(&mut self) -> Result<(), ProviderError> {
        self.activity = Activity::Open;
        self.shared.turns().activity = true;
        self.sender.text(wire::activity_start()).await
    }

    async fn end(&mut self) -> Result<(), ProviderError> {
        self.activity = Activity::None;
        self.shared.turns().activity = false;
        self.sender.text(wire::activity_end()).await
    }

    async fn ask(&mut self, reply: u64) -> Result<(), ProviderError> {
        self.tell_past(self.activity == Activity::None).await?;
        let answers = {
            let mut turns = self.shared.turns();
            let answers = turns.answers();
            turns.ask(reply, !answers.is_empty());
            answers
        };
        if !answers.is_empty() {
            self.sender.text(wire::results(&answers)).await?;
        }
        match self.activity {
            Activity::Open | Activity::Committed => {
                self.say_typed(false).await?;
                self.end().await
            }
            Activity::None if answers.is_empty() => self.say_typed(true).await,
            Activity::None => Ok(()),
        }
    }

    /// What was typed goes out; `asking`, it wants a reply.
    async fn say_typed(&mut self, asking: bool) -> Result<(), ProviderError> {
        let typed = std::mem::take(&mut self.typed);
        if self.line.settings.realtime_text {
            return self.say_live(&typed, asking).await;
        }
        if typed.is_empty() && !asking {
            return Ok(());
        }
        let turns: Vec<Value> = typed.iter().map(|(role, text)| wire::turn(role, text)).collect();
        self.sender.text(wire::content(&turns, asking)).await
    }

    /// The same for models that take words only as the person's, and only as live as sound.
    async fn say_live(&mut self, typed: &[(&'static str, String)], asking: bool) -> Result<(), ProviderError> {
        let own =
            |(role, text): &(&str, String)| if *role == "model" { format!("[You said] {text}") } else { text.clone() };
        let mut texts: Vec<_> = typed.iter().map(own).collect();
        if texts.is_empty() && asking {
            texts.push(BEGIN.to_owned());
        }
        if texts.is_empty() {
            return Ok(());
        }
        if self.activity == Activity::None {
            self.begin().await?;
        }
        for text in texts {
            self.sender.text(wire::text(&text)).await?;
        }
        if asking { self.end().await } else { Ok(()) }
    }
}

/// How long an end may come after the last sound: costs nothing while the reply is played.
const GRACE: Duration = Duration::from_millis(300);
/// Frames held, 30 seconds. Overflow rule: they are sent, and interrupt.
const HELD: usize = 1_500;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_socket_is_beside_the_other_functions() {
        let function =
            |version| format!("ws/google.ai.generativelanguage.{version}.GenerativeService.BidiGenerateContent");
        for (base, expected) in [
            (
                "https://generativelanguage.googleapis.com/v1beta",
                ("wss://generativelanguage.googleapis.com/", "v1beta"),
            ),
            (
                "https://generativelanguage.googleapis.com/v1alpha/",
                ("wss://generativelanguage.googleapis.com/", "v1alpha"),
            ),
            ("http://127.0.0.1:1/proxy/v1beta", ("ws://127.0.0.1:1/proxy/", "v1beta")),
            ("ws://127.0.0.1:1", ("ws://127.0.0.1:1/", "v1beta")),
        ] {
            assert_eq!(address(base).unwrap().as_str(), format!("{}{}", expected.0, function(expected.1)), "{base}");
        }
        assert!(address("127.0.0.1").is_err());
    }
}
