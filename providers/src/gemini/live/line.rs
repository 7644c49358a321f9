//! One conversation over one WebSocket: what is told goes out, what comes back is told.
//!
//! Sending and receiving never wait for each other.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::stream::BoxStream;
use reqwest::{
    Url,
    header::{HeaderMap, HeaderName},
};
use tokio::{sync::Notify, time::timeout};
use tokio_util::task::AbortOnDropHandle;

use super::{
    Settings,
    mouth::Mouth,
    turns::Turns,
    wire::{self, Told},
};
use crate::{
    ErrorKind, ProviderError,
    gemini::Config,
    generate::{Outlet, generate},
    net::{
        events::Peer,
        refusal::{said, unkeyed},
        ws::{self, Received, Receiver},
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
        let mouth = Mouth::new(self.clone(), sender, shared, opening.history);
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
pub(super) struct Shared {
    turns: Mutex<Turns>,
    /// A reply has ended.
    pub(super) idle: Notify,
}

impl Shared {
    fn new(voiced: bool) -> Self {
        Self { turns: Mutex::new(Turns::new(voiced)), idle: Notify::new() }
    }

    pub(super) fn turns(&self) -> MutexGuard<'_, Turns> {
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

/// How long an end may come after the last sound: costs nothing while the reply is played.
const GRACE: Duration = Duration::from_millis(300);

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
