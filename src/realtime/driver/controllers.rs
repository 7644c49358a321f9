//! Second controllers of a session: they are told what its client is told, but for sound, and ask what it may ask.
//!
//! One that does not read, or is gone, is dropped; neither the session nor its client notices.

use std::{future, sync::Arc, task::Poll};

use axum::extract::ws::Utf8Bytes;
use futures_util::{StreamExt, stream::BoxStream};
use tokio::sync::OwnedSemaphorePermit;

use super::{Driver, obey::farewell};
use crate::realtime::{
    protocol::{self, Dialect, Encoder},
    session::{input::CloseReason, output::Event},
    sideband::{Arrival, Arrivals},
    transport::{
        Incoming,
        downlink::{Downlink, Farewell, SlowReader},
    },
};

/// Who says something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Source {
    /// The client whose session it is.
    Client,
    /// A controller, by its number.
    Controller(u32),
}

/// Those who are there.
pub(super) struct Controllers {
    arrivals: Option<Arrivals>,
    present: Vec<Controller>,
    /// How many there ever were.
    count: u32,
    /// Whose turn it is to be heard first.
    turn: usize,
}

struct Controller {
    number: u32,
    encoder: Encoder,
    downlink: Downlink,
    uplink: BoxStream<'static, Incoming>,
    _seat: OwnedSemaphorePermit,
}

/// Something to attend to.
#[expect(clippy::large_enum_variant, reason = "it is handed on at once and kept nowhere")]
pub(super) enum Word {
    /// Somebody came.
    Arrived(Box<Arrival>),
    /// Somebody who is there says something, or left.
    Said(u32, Incoming),
}

impl Controllers {
    pub(super) const fn new(arrivals: Option<Arrivals>) -> Self {
        Self { arrivals, present: Vec::new(), count: 0, turn: 0 }
    }

    /// The next word of any of them, in turns.
    pub(super) async fn next(&mut self) -> Word {
        let Self { arrivals, present, turn, .. } = self;
        future::poll_fn(|context| {
            if let Some(Arrivals(arrivals)) = arrivals
                && let Poll::Ready(Some(arrival)) = arrivals.poll_recv(context)
            {
                return Poll::Ready(Word::Arrived(arrival));
            }
            let count = present.len();
            for step in 0..count {
                let at = (*turn + step) % count;
                let controller = &mut present[at];
                if let Poll::Ready(said) = controller.uplink.poll_next_unpin(context) {
                    *turn = at + 1;
                    return Poll::Ready(Word::Said(controller.number, said.unwrap_or(Incoming::Gone)));
                }
            }
            Poll::Pending
        })
        .await
    }

    /// Tells all of them.
    pub(super) fn tell(&mut self, event: &Event) {
        for at in (0..self.present.len()).rev() {
            if self.present[at].tell(event).is_err() {
                drop_slow(self.present.swap_remove(at));
            }
        }
    }

    /// Tells one of them.
    pub(super) fn answer(&mut self, number: u32, event: &Event) {
        if let Some(at) = self.place(number)
            && self.present[at].tell(event).is_err()
        {
            drop_slow(self.present.swap_remove(at));
        }
    }

    /// What one of them speaks.
    fn dialect(&self, number: u32) -> Option<Dialect> {
        self.place(number).map(|at| self.present[at].encoder.dialect())
    }

    /// One of them leaves.
    fn leave(&mut self, number: u32, farewell: Farewell) {
        if let Some(at) = self.place(number) {
            self.present.swap_remove(at).downlink.close(farewell);
        }
    }

    /// The session is over, and so are they.
    pub(super) fn close(self, farewell: Farewell) {
        for controller in self.present {
            controller.downlink.close(farewell);
        }
        if let Some(mut arrivals) = self.arrivals {
            arrivals.close(farewell);
        }
    }

    fn place(&self, number: u32) -> Option<usize> {
        self.present.iter().position(|controller| controller.number == number)
    }
}

impl Controller {
    fn tell(&mut self, event: &Event) -> Result<(), SlowReader> {
        let Self { encoder, downlink, .. } = self;
        let mut told = Ok(());
        encoder.tell(event, |text| told = told.and(downlink.tell(Utf8Bytes::from(text))));
        told
    }
}

fn drop_slow(controller: Controller) {
    tracing::info!(controller = controller.number, "a second controller does not read what it is sent");
    controller.downlink.cut(farewell(CloseReason::SlowReader));
}

impl Driver {
    /// A controller came, or says something.
    pub(super) fn attend(&mut self, word: Word) {
        match word {
            Word::Arrived(arrival) => self.welcome(*arrival),
            Word::Said(number, said) => self.listen_to(number, said),
        }
    }

    /// Whoever comes is told the session as it stands.
    fn welcome(&mut self, arrival: Arrival) {
        let Arrival { dialect, downlink, uplink, seat } = arrival;
        self.controllers.count += 1;
        let number = self.controllers.count;
        let encoder = self.encoder.anew().in_dialect(dialect);
        self.controllers.present.push(Controller { number, encoder, downlink, uplink, _seat: seat });
        tracing::info!(controller = number, "a second controller joined");
        self.controllers.answer(number, &Event::SessionCreated(Arc::clone(self.session.settings())));
    }

    fn listen_to(&mut self, number: u32, said: Incoming) {
        match said {
            Incoming::Text(text) => {
                let Some(dialect) = self.controllers.dialect(number) else { return };
                self.tally.messages += 1;
                self.source = Source::Controller(number);
                if let Some(read) = self.hand.take(text, dialect, self.session.settings()) {
                    self.act(read);
                }
            }
            Incoming::Binary => self.controllers.answer(number, &Event::Error(protocol::error::binary_frame())),
            // A controller has no microphone, no keys and no loudspeaker.
            Incoming::Frame(_) | Incoming::Pressed(_) | Incoming::Lag(_) | Incoming::Alive => {}
            Incoming::Gone => self.controllers.leave(number, farewell(CloseReason::Hangup)),
            Incoming::Stalled => self.controllers.leave(number, farewell(CloseReason::SlowReader)),
            Incoming::Broken(farewell) => self.controllers.leave(number, farewell),
        }
    }
}
