//! A speech-to-speech model at work: what is said to it, and what it answers.
//!
//! `feed` cuts the microphone into utterances, `mirror` knows what the model knows of the conversation, `line` is one
//! connection to it, `tapes` keep what it may have to hear again, and `task` brings them together. The model is a second listener: speech-to-text hears the same sound
//! beside it, for transcripts, for hums over a reply, and for the cascade should the model be lost.

mod feed;
mod line;
mod mirror;
mod tapes;
mod task;
#[cfg(test)]
mod tests;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use audio::Frame;
use providers::{ErrorKind, RealtimeModel, realtime::Manner};
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use self::feed::Feed;
use super::{Kit, patient::fault};
use crate::{
    metrics::Role,
    realtime::session::{
        Input,
        ids::{ItemId, ResponseId, TurnId},
        output::Ask,
    },
};

/// Orders that may wait: 10 s of the microphone. They never do for long, as the task waits for nothing but the session.
/// Overflow rule: the model counts as lost from there on.
const ORDERS: usize = 512;

/// What the session wants of the model.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "most are frames, which are held inline so that hearing one allocates nothing"
)]
enum Order {
    /// An utterance begins; a reply to it will be roughly like this.
    Begin { item: ItemId, manner: Box<Manner> },
    /// The next 20 ms of it.
    Hear(Frame),
    /// It is over; whether it becomes an item is still open.
    End,
    /// It never was.
    Abandon,
    /// A reply is wanted.
    Ask { response: ResponseId, ask: Box<Ask> },
    /// An item of this reply is in the conversation.
    Added { response: ResponseId, item: ItemId },
    /// A reply is no longer wanted.
    Cancel(ResponseId),
    /// This much of a reply's speech has gone to the client, so as much more may be taken.
    Released { response: ResponseId, samples: usize },
}

/// A session's end of its speech-to-speech model.
pub(super) struct Native {
    kit: Kit,
    orders: mpsc::Sender<Order>,
    overflowed: Arc<AtomicBool>,
    feed: Feed,
    _task: AbortOnDropHandle<()>,
}

impl Native {
    /// Nothing is opened before somebody speaks or writes. Speech is taken at most `lead` ahead of what is released.
    pub(super) fn new(kit: &Kit, model: Arc<dyn RealtimeModel>, lead: Duration) -> Self {
        let (orders, waiting) = mpsc::channel(ORDERS);
        let overflowed = Arc::<AtomicBool>::default();
        let task = task::Task::new(kit.clone(), model, lead, Arc::clone(&overflowed)).run(waiting);
        let task = AbortOnDropHandle::new(tokio::spawn(task));
        Self { kit: kit.clone(), orders, overflowed, feed: Feed::Idle, _task: task }
    }

    /// An utterance begins at this position of the stream.
    pub(super) fn listen(&mut self, turn: TurnId, item: ItemId, from: Duration, mut manner: Manner) {
        manner.aside = self.kit.dossier.last();
        // Two utterances are never open at once: of one that was left in doubt, the words are all that is told.
        self.feed = Feed::open(turn, from);
        self.order(Order::Begin { item, manner: Box::new(manner) });
    }

    /// Where the sound begins that is still wanted.
    pub(super) const fn wanted_from(&self) -> Option<Duration> {
        self.feed.wanted_from()
    }

    /// Takes frames, each with the position where it ends.
    pub(super) fn feed<'a>(&mut self, stream: impl Iterator<Item = (Duration, &'a Frame)>) {
        let Self { feed, orders, overflowed, .. } = self;
        let ended = feed.take(stream, |frame| {
            if orders.try_send(Order::Hear(frame)).is_err() {
                overflowed.store(true, Ordering::Relaxed);
            }
        });
        if ended {
            self.order(Order::End);
        }
    }

    /// The utterance's sound ends here.
    pub(super) fn finish(&mut self, turn: TurnId, until: Duration) {
        if self.feed.finish(turn, until) {
            self.order(Order::End);
        }
    }

    /// The utterance is dropped.
    pub(super) fn abandon(&mut self, turn: TurnId) {
        if self.feed.abandon(turn) {
            self.order(Order::Abandon);
        }
    }

    /// Asks for a reply.
    pub(super) fn ask(&mut self, response: ResponseId, ask: Box<Ask>) {
        let asked = response.clone();
        if self.order(Order::Ask { response, ask }) {
            return;
        }
        let kit = self.kit.clone();
        let event = Err(fault(Role::Converse, ErrorKind::Unavailable, "too much waits for the model"));
        tokio::spawn(async move { kit.report(Input::Thought { response: asked, event }).await });
    }

    /// An item of a reply is in the conversation.
    pub(super) fn added(&mut self, response: ResponseId, item: ItemId) {
        self.order(Order::Added { response, item });
    }

    /// A reply is no longer wanted.
    pub(super) fn cancel(&mut self, response: &ResponseId) {
        self.order(Order::Cancel(response.clone()));
    }

    /// This many samples of a reply have gone to the client.
    pub(super) fn released(&mut self, response: &ResponseId, samples: usize) {
        self.order(Order::Released { response: response.clone(), samples });
    }

    /// Whether the order will be read.
    fn order(&self, order: Order) -> bool {
        let sent = self.orders.try_send(order).is_ok();
        if !sent {
            self.overflowed.store(true, Ordering::Relaxed);
        }
        sent
    }
}
