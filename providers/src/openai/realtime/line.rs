//! One conversation over one WebSocket: what is told goes out, what comes back is told.
//!
//! Sending and receiving never wait for each other. A reply is asked for once the one before is over at the vendor's too.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use audio::{Frame, Resampler, SampleRate};
use futures_util::{StreamExt, stream::BoxStream};
use reqwest::{Url, header::HeaderMap};
use tokio::{sync::Notify, time::timeout};
use tokio_util::task::AbortOnDropHandle;

use super::{
    Settings,
    replies::Replies,
    wire::{self, Asked, Told},
};
use crate::{
    ErrorKind, ProviderError,
    generate::{Outlet, generate},
    net::{
        events::Peer,
        refusal::{said, unkeyed},
        ws::{self, Received, Receiver, Sender},
    },
    realtime::{Command, Event, EventStream, Manner, Opening, RealtimeCapabilities, Step},
};

/// A server that speaks realtime, and how it is spoken to.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) peer: Peer,
    pub(crate) settings: Settings,
}

impl Line {
    pub(crate) fn capabilities(&self) -> RealtimeCapabilities {
        RealtimeCapabilities {
            tools: true,
            text: true,
            reconfigures: true,
            languages: Vec::new(),
            voices: self.settings.voices.clone(),
        }
    }

    /// The WebSocket address of a function.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Rejected`] when the base URL makes none.
    pub(crate) fn address(&self, base: &str, path: &str) -> Result<Url, ProviderError> {
        ws::endpoint(base, path).map_err(|why| self.error(ErrorKind::Rejected, &format!("base_url {why}")))
    }

    /// Opens a conversation there: connected, and its settings taken.
    pub(crate) async fn converse(
        &self,
        url: &Url,
        headers: HeaderMap,
        opening: Opening,
        commands: BoxStream<'static, Command>,
    ) -> Result<EventStream, ProviderError> {
        let explain = |_: &HeaderMap, body: &[u8]| unkeyed(&said(body), self.peer.key.as_ref());
        let (mut sender, mut receiver) = ws::connect(&self.peer.provider, url, headers, explain).await?;
        sender.text(wire::session(&self.settings, &opening.manner)).await?;
        self.settle(&mut receiver).await?;
        let uplink = Uplink::new().map_err(|why| self.error(ErrorKind::Rejected, &why))?;
        let shared = Arc::new(Shared::default());
        let Opening { manner, history, .. } = opening;
        let (line, heard) = (self.clone(), shared.clone());
        let mouth = Mouth { line: self.clone(), sender, shared, uplink, usual: manner, held: None };
        // A task of its own: what is told must not wait for a reader of long replies.
        let mouth = AbortOnDropHandle::new(tokio::spawn(mouth.tell(history, commands)));
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

    /// Waits until the session has our settings. Some servers greet and never say so.
    async fn settle(&self, receiver: &mut Receiver) -> Result<(), ProviderError> {
        let mut greeted = false;
        loop {
            let received = if greeted {
                let Ok(received) = timeout(GRACE, receiver.next()).await else { return Ok(()) };
                received?
            } else {
                receiver.next().await?
            };
            match self.read(received)? {
                Some(Told::Updated) => return Ok(()),
                Some(Told::Greeting) => greeted = true,
                Some(Told::Refused(fault)) => return Err(self.error(fault.kind, &fault.detail)),
                Some(_) | None => {}
            }
        }
    }

    fn read(&self, received: Received) -> Result<Option<Told>, ProviderError> {
        match received {
            Received::Text(text) => wire::read(&text).map(Some).map_err(|why| self.error(ErrorKind::Protocol, &why)),
            Received::Binary(_) => Ok(None),
            Received::Closed(code, reason) => {
                let (kind, detail) = wire::closed(code, &reason);
                Err(self.error(kind, &detail))
            }
        }
    }

    /// A failure, without the key should the vendor quote it.
    fn error(&self, kind: ErrorKind, detail: &str) -> ProviderError {
        ProviderError::new(self.peer.provider.clone(), kind, unkeyed(detail, self.peer.key.as_ref()))
    }
}

/// What both halves know.
#[derive(Default)]
struct Shared {
    replies: Mutex<Replies>,
    /// A reply has ended, or must be cancelled again.
    news: Notify,
}

impl Shared {
    fn replies(&self) -> MutexGuard<'_, Replies> {
        self.replies.lock().unwrap_or_else(PoisonError::into_inner)
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
            let Some(told) = self.line.read(self.receiver.next().await?)? else { continue };
            {
                let mut replies = self.shared.replies();
                replies.take(told, &mut events).map_err(|fault| self.line.error(fault.kind, &fault.detail))?;
                if replies.calls() {
                    self.shared.news.notify_one();
                }
            }
            for Event { reply, step } in events.drain(..) {
                let step = match step {
                    Step::Failed(error) => Step::Failed(self.line.error(error.kind, &error.detail)),
                    Step::Thought(_) | Step::Sound(_) => step,
                };
                out.give(Event { reply, step }).await;
            }
        }
    }
}

struct Mouth {
    line: Line,
    sender: Sender,
    shared: Arc<Shared>,
    uplink: Uplink,
    /// What the session was told.
    usual: Manner,
    /// A reply that waits until the one before is over.
    held: Option<(u64, Box<Manner>)>,
}

impl Mouth {
    async fn tell(
        mut self,
        history: Vec<crate::llm::Message>,
        mut commands: BoxStream<'static, Command>,
    ) -> Result<(), ProviderError> {
        for message in &history {
            self.add(message).await?;
        }
        loop {
            tokio::select! { biased;
                () = self.shared.news.notified() => {
                    let again = self.shared.replies().cancel_again();
                    if let Some(id) = again {
                        self.sender.text(wire::cancel(Some(&id))).await?;
                    }
                    self.ask().await?;
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
                let sound = self.uplink.hear(&frame);
                self.sender.text(wire::append(sound)).await
            }
            Command::Commit => {
                let Some(rest) = self.uplink.commit() else { return Ok(()) };
                if !rest.is_empty() {
                    self.sender.text(wire::append(rest)).await?;
                }
                self.sender.text(wire::commit()).await
            }
            Command::Discard => {
                self.uplink.discard();
                self.sender.text(wire::clear()).await
            }
            Command::Add(message) => self.add(&message).await,
            Command::Truncate(heard) => {
                let cuts = self.shared.replies().cut(heard);
                for cut in cuts {
                    let end = u64::try_from(cut.heard.as_millis()).unwrap_or(u64::MAX);
                    self.sender.text(wire::truncate(&cut.item, cut.content, end)).await?;
                }
                Ok(())
            }
            Command::Respond { reply, manner } => {
                self.held = Some((reply, manner));
                self.ask().await
            }
            Command::Cancel => {
                if self.held.take().is_some() {
                    return Ok(());
                }
                let cancelled = self.shared.replies().cancel();
                match cancelled {
                    Some(id) => self.sender.text(wire::cancel(Some(&id))).await,
                    None => Ok(()),
                }
            }
        }
    }

    async fn add(&mut self, message: &crate::llm::Message) -> Result<(), ProviderError> {
        match wire::item(self.line.settings.dialect, message) {
            Some(item) => self.sender.text(item).await,
            None => Ok(()),
        }
    }

    /// Asks for the reply that waits, if the vendor is ready for it.
    async fn ask(&mut self) -> Result<(), ProviderError> {
        let (event, with_voice, manner) = {
            let mut replies = self.shared.replies();
            if !replies.is_idle() {
                return Ok(());
            }
            let Some((reply, manner)) = self.held.take() else { return Ok(()) };
            let with_voice = !replies.has_voice();
            (replies.ask(reply), with_voice, manner)
        };
        let pace = |manner: &Manner| manner.voice.as_ref().map(|voice| voice.speed);
        if let Some(speed) = pace(&manner).filter(|speed| pace(&self.usual).is_some_and(|usual| usual != *speed)) {
            self.sender.text(wire::speed(self.line.settings.dialect, speed)).await?;
            self.usual.voice.iter_mut().for_each(|voice| voice.speed = speed);
        }
        let asked = Asked { event: &event, manner: &manner, usual: &self.usual, with_voice };
        self.sender.text(wire::response(&self.line.settings, &asked)).await
    }
}

/// Our frames at the vendor's rate.
struct Uplink {
    resampler: Resampler,
    samples: Vec<i16>,
    heard: Duration,
}

impl Uplink {
    fn new() -> Result<Self, String> {
        let resampler = Resampler::aligned(Frame::RATE, RATE).map_err(|error| error.to_string())?;
        Ok(Self { resampler, samples: Vec::new(), heard: Duration::ZERO })
    }

    fn hear(&mut self, frame: &Frame) -> &[i16] {
        self.heard += Frame::DURATION;
        self.samples.clear();
        self.resampler.process(frame.samples(), &mut self.samples);
        &self.samples
    }

    /// What is left of the utterance, filled up to the least the vendor takes; nothing if nothing was heard.
    fn commit(&mut self) -> Option<&[i16]> {
        self.samples.clear();
        self.resampler.flush(&mut self.samples);
        let heard = std::mem::take(&mut self.heard);
        if heard.is_zero() {
            return None;
        }
        let missing = RATE.samples_in(LEAST.saturating_sub(heard));
        self.samples.resize(self.samples.len() + missing, 0);
        Some(&self.samples)
    }

    fn discard(&mut self) {
        self.resampler.flush(&mut self.samples);
        self.heard = Duration::ZERO;
    }
}

/// The only rate of `audio/pcm`.
const RATE: SampleRate = SampleRate::HZ_24000;
/// Shorter utterances are refused.
const LEAST: Duration = Duration::from_millis(100);
/// How long after its greeting a server may take to say that it has our settings.
const GRACE: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utterances_keep_their_length_and_are_long_enough() {
        let mut uplink = Uplink::new().unwrap();
        for (frames, expected) in [(50, 24_000), (1, 2_400), (5, 2_400)] {
            let mut samples: usize = (0..frames).map(|_| uplink.hear(&Frame([7; Frame::SAMPLES])).len()).sum();
            samples += uplink.commit().unwrap().len();
            assert_eq!(samples, expected, "{frames} frames");
        }
        assert_eq!(uplink.commit(), None);
        uplink.hear(&Frame::SILENCE);
        uplink.discard();
        assert_eq!(uplink.commit(), None);
    }
}
