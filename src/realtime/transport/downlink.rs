//! What a client is sent: one bounded queue between the driver, which never waits, and the transport's writer.
//!
//! Overflow rule: nothing is dropped for want of room, a client that does not read is closed. Only sound of a response
//! that was flushed is skipped, so that what follows an interruption is not behind seconds of backlog. What echoes the
//! client's own message is not counted against it: the next such message waits instead ([`Downlink::settled`]).

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Instant,
};

use axum::extract::ws::Utf8Bytes;
use tokio::sync::{Notify, mpsc, watch};

use crate::{
    metrics::{self, Queue},
    realtime::session::ids::ResponseId,
};

/// The client does not read what it is sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct SlowReader;

/// How a session says goodbye: a WebSocket close code (RFC 6455, 7.4) and its reason, at most 123 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Farewell {
    /// The close code.
    pub(crate) code: u16,
    /// Its reason.
    pub(crate) reason: &'static str,
}

/// The driver's end.
pub(crate) struct Downlink {
    packets: mpsc::Sender<Packet>,
    backlog: Arc<AtomicUsize>,
    longest_backlog: usize,
    echoes: Arc<Echoes>,
    end: watch::Sender<End>,
    /// Whether the sound of each live response is still wanted.
    sounding: BTreeMap<ResponseId, Arc<AtomicBool>>,
}

/// The writer's end.
pub(crate) struct Outlet {
    packets: mpsc::Receiver<Packet>,
    backlog: Arc<AtomicUsize>,
    echoes: Arc<Echoes>,
}

/// What is queued of echoes.
#[derive(Default)]
struct Echoes {
    messages: AtomicUsize,
    bytes: AtomicUsize,
    fewer: Notify,
}

/// The writer's word on how it all ends.
pub(crate) struct Ending(watch::Receiver<End>);

/// A message for the client.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Message {
    pub(crate) text: Utf8Bytes,
    /// For sound that was to go at once: when a provider gave it.
    pub(crate) given: Option<Instant>,
}

struct Packet {
    message: Message,
    kind: Kind,
}

enum Kind {
    Event,
    Echo,
    /// Whether it is still wanted.
    Sound(Arc<AtomicBool>),
}

/// How the downlink ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum End {
    /// Not yet.
    Open,
    /// After all that is queued.
    After(Farewell),
    /// At once, for a client that would not read the rest.
    Now(Farewell),
}

/// A queue of at most so many messages and bytes.
pub(crate) fn channel(messages: usize, bytes: usize) -> (Downlink, Outlet, Ending) {
    let (sender, receiver) = mpsc::channel(messages);
    let backlog = Arc::new(AtomicUsize::new(0));
    let (end, ending) = watch::channel(End::Open);
    let echoes = Arc::new(Echoes::default());
    let outlet = Outlet { packets: receiver, backlog: Arc::clone(&backlog), echoes: Arc::clone(&echoes) };
    let downlink =
        Downlink { packets: sender, backlog, longest_backlog: bytes, echoes, end, sounding: BTreeMap::new() };
    (downlink, outlet, Ending(ending))
}

impl Downlink {
    /// Queues an event.
    pub(crate) fn tell(&self, text: Utf8Bytes) -> Result<(), SlowReader> {
        self.push(Packet { message: Message { text, given: None }, kind: Kind::Event })
    }

    /// Queues an event that says again what the client's own message said.
    pub(crate) fn echo(&self, text: Utf8Bytes) -> Result<(), SlowReader> {
        self.push(Packet { message: Message { text, given: None }, kind: Kind::Echo })
    }

    /// Whether few echoes are queued, so that there may be more.
    pub(crate) fn is_settled(&self) -> bool {
        let few = self.echoes.messages.load(Ordering::Relaxed) <= self.packets.max_capacity() / 4;
        let short = self.echoes.bytes.load(Ordering::Relaxed) <= self.longest_backlog / 4;
        few && short || self.packets.is_closed()
    }

    /// Waits until few echoes are queued, or nobody writes any more.
    pub(crate) async fn settled(&self) {
        while !self.is_settled() {
            self.echoes.fewer.notified().await;
        }
    }

    /// Queues sound of a response.
    pub(crate) fn play(&mut self, response: &ResponseId, message: Message) -> Result<(), SlowReader> {
        let wanted = match self.sounding.get(response) {
            Some(wanted) => Arc::clone(wanted),
            None => {
                let wanted = Arc::new(AtomicBool::new(true));
                self.sounding.insert(response.clone(), Arc::clone(&wanted));
                wanted
            }
        };
        self.push(Packet { message, kind: Kind::Sound(wanted) })
    }

    /// Skips the queued sound of a response.
    pub(crate) fn flush(&mut self, response: &ResponseId) {
        if let Some(wanted) = self.sounding.remove(response) {
            wanted.store(false, Ordering::Relaxed);
        }
    }

    /// A response is over; what is queued of it is still sent.
    pub(crate) fn forget(&mut self, response: &ResponseId) {
        self.sounding.remove(response);
    }

    /// Says goodbye after all that is queued.
    pub(crate) fn close(self, farewell: Farewell) {
        self.end.send_replace(End::After(farewell));
    }

    /// Says goodbye at once.
    pub(crate) fn cut(self, farewell: Farewell) {
        self.end.send_replace(End::Now(farewell));
    }

    fn push(&self, packet: Packet) -> Result<(), SlowReader> {
        let size = packet.message.text.len();
        if let Kind::Echo = packet.kind {
            self.echoes.messages.fetch_add(1, Ordering::Relaxed);
            self.echoes.bytes.fetch_add(size, Ordering::Relaxed);
            return self.send(packet);
        }
        let backlog = self.backlog.fetch_add(size, Ordering::Relaxed);
        if backlog > 0 {
            metrics::queue_depth(Queue::Downlink, self.packets.max_capacity() - self.packets.capacity());
        }
        // One message may be larger than all the room there is.
        if backlog > 0 && backlog + size > self.longest_backlog {
            return Err(SlowReader);
        }
        self.send(packet)
    }

    fn send(&self, packet: Packet) -> Result<(), SlowReader> {
        match self.packets.try_send(packet) {
            // The writer is gone; the reader notices too and ends the session.
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => Ok(()),
            Err(mpsc::error::TrySendError::Full(_)) => Err(SlowReader),
        }
    }
}

impl Outlet {
    /// The next message that is still wanted; `None` once all are sent and the driver is done.
    pub(crate) async fn next(&mut self) -> Option<Message> {
        loop {
            let Packet { message, kind } = self.packets.recv().await?;
            let size = message.text.len();
            if let Kind::Echo = kind {
                self.echoes.messages.fetch_sub(1, Ordering::Relaxed);
                self.echoes.bytes.fetch_sub(size, Ordering::Relaxed);
                self.echoes.fewer.notify_one();
                return Some(message);
            }
            self.backlog.fetch_sub(size, Ordering::Relaxed);
            match kind {
                Kind::Sound(wanted) if !wanted.load(Ordering::Relaxed) => {}
                Kind::Sound(_) | Kind::Event | Kind::Echo => return Some(message),
            }
        }
    }
}

impl Drop for Outlet {
    fn drop(&mut self) {
        self.packets.close();
        self.echoes.fewer.notify_one();
    }
}

impl Ending {
    /// Resolves when the rest is not to be sent any more.
    pub(crate) async fn cut(&mut self) -> Farewell {
        loop {
            if let End::Now(farewell) = *self.0.borrow_and_update() {
                return farewell;
            }
            if self.0.changed().await.is_err() {
                // Nothing will cut it any more: the rest is to be sent.
                return std::future::pending().await;
            }
        }
    }

    /// How to say goodbye once all is sent.
    pub(crate) fn farewell(&self) -> Farewell {
        match *self.0.borrow() {
            End::After(farewell) | End::Now(farewell) => farewell,
            // The driver went without a word.
            End::Open => Farewell { code: 1011, reason: "internal error" },
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    const BYE: Farewell = Farewell { code: 1000, reason: "" };

    fn next(outlet: &mut Outlet) -> Option<Utf8Bytes> {
        Some(outlet.next().now_or_never()??.text)
    }

    fn sound(text: &str) -> Message {
        Message { text: text.into(), given: None }
    }

    #[test]
    fn the_sound_of_a_flushed_response_is_skipped_and_nothing_else() {
        let (mut downlink, mut outlet, ending) = channel(8, 1_000);
        let (cut, kept) = (ResponseId::new("resp_1"), ResponseId::new("resp_2"));
        downlink.play(&cut, sound("sound 1")).unwrap();
        downlink.play(&kept, sound("sound 2")).unwrap();
        downlink.tell("event".into()).unwrap();
        downlink.flush(&cut);
        downlink.close(BYE);
        assert_eq!(next(&mut outlet).as_deref(), Some("sound 2"));
        assert_eq!(next(&mut outlet).as_deref(), Some("event"));
        assert_eq!(outlet.next().now_or_never(), Some(None));
        assert_eq!(ending.farewell(), BYE);
    }

    #[test]
    fn too_many_messages_or_bytes_are_a_slow_reader() {
        let (downlink, _outlet, _) = channel(2, 1_000);
        downlink.tell("1".into()).unwrap();
        downlink.tell("2".into()).unwrap();
        assert_eq!(downlink.tell("3".into()), Err(SlowReader));

        let (downlink, mut outlet, _) = channel(10, 10);
        downlink.tell("far more than ten bytes".into()).unwrap();
        assert_eq!(downlink.tell("1".into()), Err(SlowReader));
        assert!(next(&mut outlet).is_some());
    }

    #[test]
    fn echoes_are_not_held_against_a_client_but_the_next_one_waits() {
        let (downlink, mut outlet, _) = channel(16, 16);
        assert_eq!(downlink.settled().now_or_never(), Some(()));
        downlink.echo("as long as what the client said".into()).unwrap();
        downlink.tell("still room".into()).unwrap();
        assert_eq!(downlink.settled().now_or_never(), None);
        assert!(next(&mut outlet).is_some());
        assert_eq!(downlink.settled().now_or_never(), Some(()));
        (0..5).for_each(|_| downlink.echo("".into()).unwrap());
        assert!(!downlink.is_settled(), "many small ones fill the queue too");
        drop(outlet);
        assert_eq!(downlink.settled().now_or_never(), Some(()), "nobody waits for a writer that is gone");
    }

    #[test]
    fn a_cut_does_not_wait_for_what_is_queued() {
        let (downlink, _outlet, mut ending) = channel(2, 1_000);
        downlink.tell("1".into()).unwrap();
        assert_eq!(ending.cut().now_or_never(), None);
        downlink.cut(BYE);
        assert_eq!(ending.cut().now_or_never(), Some(BYE));
    }
}
