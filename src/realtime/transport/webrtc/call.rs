//! A call from its offer to its end: one task between the client and the session's driver.
//!
//! It waits for the client's datagrams, for the next 20 ms and for what the driver has to tell. The session begins when
//! the client is connected, so an offer that nobody follows up costs a few kilobytes for a while.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use axum::extract::ws::Utf8Bytes;
use futures_util::{Stream, StreamExt, stream};
use tokio::{
    select,
    sync::mpsc,
    time::{MissedTickBehavior, interval},
};
use tokio_stream::wrappers::ReceiverStream;
use tracing::Instrument;

use super::{
    frames,
    microphone::Microphone,
    pacer::Pacer,
    peer::{GRACE, Happened, Peer, Told},
};
use crate::{
    clock::Clock,
    metrics,
    realtime::{
        driver::Driver,
        loudspeaker::Speaker,
        transport::{
            Incoming, Start,
            downlink::{Downlink, Ending, Farewell, Outlet},
        },
    },
};

/// The step of everything: one packet each way.
const STEP: Duration = Duration::from_millis(20);
/// From the answer to the first audio: ICE and DTLS.
const SETUP: Duration = Duration::from_secs(20);
/// How long the last events may take to arrive.
const GOODBYE: Duration = Duration::from_secs(1);
/// Events a client may be ahead of its session.
pub(super) const AHEAD: usize = 1_024;
/// … and bytes of them. Overflow rule: the call ends, and says why.
const AHEAD_BYTES: usize = 4 << 20;

/// One call.
pub(super) struct Call {
    pub(super) peer: Peer,
    pub(super) clock: Clock,
    pub(super) microphone: Microphone,
    pub(super) pacer: Pacer,
    pub(super) texts: mpsc::Sender<Box<Incoming>>,
    pub(super) ahead: Arc<AtomicUsize>,
    pub(super) outlet: Outlet,
    pub(super) ending: Ending,
    pub(super) stage: Stage,
    /// Whether the client has, or will have, a channel for events; without, nothing is told.
    pub(super) events: bool,
    pub(super) stall: Duration,
}

/// How far a call is.
pub(super) enum Stage {
    /// Its session waits for the client to be connected, until then at the latest.
    Connecting { session: Box<Waiting>, until: Option<Instant> },
    /// Both speak.
    Live,
    /// Nothing is heard of the client; it is given up then.
    Lost(Instant),
}

/// A session that has not begun.
pub(super) struct Waiting {
    pub(super) start: Start,
    pub(super) downlink: Downlink,
    pub(super) speaker: Speaker,
    pub(super) uplink: Uplink,
}

/// What comes of a client, for its driver.
pub(super) struct Uplink {
    /// Boxed: a channel's memory comes in blocks of 32.
    pub(super) texts: mpsc::Receiver<Box<Incoming>>,
    pub(super) frames: frames::Receiver,
    pub(super) ahead: Arc<AtomicUsize>,
}

/// Why a call is over.
enum Over {
    /// The client left, or is gone.
    Left,
    /// The driver is done and said so.
    Done,
    /// The client broke the rules and is to be told so.
    Broken(Farewell),
}

impl Uplink {
    fn into_stream(self) -> impl Stream<Item = Incoming> + Unpin {
        let ahead = self.ahead;
        let texts = ReceiverStream::new(self.texts).map(move |incoming| {
            if let Incoming::Text(text) = &*incoming {
                ahead.fetch_sub(text.len(), Ordering::Relaxed);
            }
            *incoming
        });
        stream::select(texts, self.frames.map(Incoming::Frame))
    }
}

impl Call {
    /// Serves the client to the end of the call. Boxed: a future keeps room for what it is given twice.
    pub(super) async fn run(mut self: Box<Self>) {
        let mut ticks = interval(STEP);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut happened = Vec::new();
        let mut last: Option<Instant> = None;
        let mut unsent: Option<(Utf8Bytes, Instant)> = None;
        let over = loop {
            select! { biased;
                _ = self.ending.cut() => break Over::Done,
                datagram = self.peer.datagram() => {
                    let Some(datagram) = datagram else { break Over::Left };
                    if let Err(error) = self.peer.take(datagram, &mut happened) {
                        tracing::info!(%error, "the client cannot be served");
                        break Over::Left;
                    }
                }
                _ = ticks.tick() => {
                    let now = self.clock.now();
                    let skipped = last.map_or(0, |last| missed(now.saturating_duration_since(last)));
                    last = Some(now);
                    if self.step(now, skipped, &mut happened).is_err() {
                        break Over::Left;
                    }
                    if unsent.as_ref().is_some_and(|(_, since)| now.saturating_duration_since(*since) > self.stall) {
                        let _ = self.texts.try_send(Box::new(Incoming::Stalled));
                        unsent = None;
                    }
                }
                message = self.outlet.next(), if unsent.is_none() => match message {
                    Some(message) if self.events => unsent = Some((message.text, self.clock.now())),
                    // Whoever has no channel is told nothing.
                    Some(_) => {}
                    None => break Over::Done,
                },
            }
            if let Some(over) = self.note(&mut happened) {
                break over;
            }
            if let Some((text, _)) = &unsent {
                match self.peer.tell(text, &mut happened) {
                    Ok(Told::Sent) => unsent = None,
                    Ok(Told::Later) => {}
                    Ok(Told::TooLarge) => {
                        tracing::warn!(bytes = text.len(), "an event is larger than the client's data channel takes");
                        unsent = None;
                    }
                    Err(_) => break Over::Left,
                }
            }
        };
        self.end(over, unsent.map(|(text, _)| text)).await;
    }

    /// The next 20 ms, both ways.
    fn step(&mut self, now: Instant, skipped: u32, happened: &mut Vec<Happened>) -> Result<(), str0m::RtcError> {
        match &mut self.stage {
            Stage::Connecting { until, .. } => {
                let until = *until.get_or_insert(now + SETUP);
                if now > until {
                    tracing::info!("the client did not connect");
                    happened.push(Happened::Left);
                }
            }
            Stage::Live => self.peer.play(now, self.pacer.step(), skipped),
            Stage::Lost(until) => {
                if now > *until {
                    tracing::info!("the client is gone");
                    happened.push(Happened::Left);
                }
                self.peer.play(now, self.pacer.step(), skipped);
            }
        }
        self.peer.tick(now, happened)
    }

    /// Acts on what happened, then hands on what the microphone has by now.
    fn note(&mut self, happened: &mut Vec<Happened>) -> Option<Over> {
        let mut over = None;
        for happened in happened.drain(..) {
            let ended = match happened {
                Happened::Connected => {
                    self.begin();
                    None
                }
                Happened::Lost => {
                    self.lose();
                    None
                }
                Happened::Found => {
                    self.find();
                    None
                }
                Happened::Heard(packet) => {
                    self.microphone.take(&packet);
                    None
                }
                Happened::Missed(percent) => {
                    self.pacer.expect_loss(percent);
                    None
                }
                Happened::Said { binary: true, .. } => self.say(Incoming::Binary),
                Happened::Said { binary: false, text } => match Utf8Bytes::try_from(bytes::Bytes::from(text)) {
                    Ok(text) => self.say(Incoming::Text(text)),
                    Err(_) => self.say(Incoming::Binary),
                },
                Happened::Left => Some(Over::Left),
            };
            over = over.or(ended);
        }
        self.microphone.hear(self.clock.now());
        over
    }

    /// Passes on what the client said.
    fn say(&self, incoming: Incoming) -> Option<Over> {
        let length = if let Incoming::Text(text) = &incoming { text.len() } else { 0 };
        let ahead = self.ahead.fetch_add(length, Ordering::Relaxed) + length;
        let fits = ahead <= AHEAD_BYTES && self.texts.try_send(Box::new(incoming)).is_ok();
        (!fits).then_some(Over::Broken(Farewell { code: 1009, reason: "Too many events at once." }))
    }

    /// The client is connected: the session begins.
    fn begin(&mut self) {
        let Stage::Connecting { session, .. } = std::mem::replace(&mut self.stage, Stage::Live) else { return };
        let Waiting { start, downlink, speaker, uplink } = *session;
        let (hold, live) = (start.engine.drain.hold(), metrics::session_opened(start.pass.live().transport));
        let driver = Box::new(Driver::new(start, downlink, Some(speaker)));
        let running = async move {
            driver.run(uplink.into_stream()).await;
            drop((hold, live));
        };
        tokio::spawn(running.in_current_span());
    }

    fn lose(&mut self) {
        if let Stage::Live = self.stage {
            self.stage = Stage::Lost(self.clock.now() + GRACE);
        }
    }

    fn find(&mut self) {
        if let Stage::Lost(_) = self.stage {
            self.stage = Stage::Live;
        }
    }

    /// Tells what is left to tell, and says goodbye.
    async fn end(&mut self, over: Over, unsent: Option<Utf8Bytes>) {
        match over {
            Over::Left => {}
            Over::Broken(farewell) => {
                let _ = self.texts.try_send(Box::new(Incoming::Broken(farewell)));
                self.tell_rest(None).await;
            }
            Over::Done => self.tell_rest(unsent).await,
        }
        self.peer.leave();
    }

    async fn tell_rest(&mut self, mut unsent: Option<Utf8Bytes>) {
        let deadline = self.clock.now() + GOODBYE;
        let mut ticks = interval(STEP);
        let mut happened = Vec::new();
        while self.clock.now() < deadline {
            if let Some(text) = &unsent {
                match self.peer.tell(text, &mut happened) {
                    Ok(Told::Later) => {}
                    Ok(Told::Sent | Told::TooLarge) => unsent = None,
                    Err(_) => return,
                }
            } else if self.peer.is_heard_out() {
                return;
            }
            select! { biased;
                datagram = self.peer.datagram() => match datagram {
                    Some(datagram) => if self.peer.take(datagram, &mut happened).is_err() { return },
                    None => return,
                },
                _ = ticks.tick() => if self.peer.tick(self.clock.now(), &mut happened).is_err() { return },
            }
        }
    }
}

/// How many steps were missed in this time since the last one.
fn missed(since: Duration) -> u32 {
    let steps = (since + STEP / 2).as_millis() / STEP.as_millis();
    u32::try_from(steps).unwrap_or(u32::MAX).saturating_sub(1)
}
