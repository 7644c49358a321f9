//! What a gateway is sent: speech a little ahead of the listener, marks, clears; and events, where it follows them.

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use bytes::Bytes;
use futures_util::{SinkExt, stream::SplitSink};
use tokio::{
    select,
    sync::mpsc,
    time::{MissedTickBehavior, interval, timeout},
};

use super::{
    dialect::{Dialect, Said},
    mouth::Mouth,
};
use crate::{
    clock::Clock,
    realtime::{
        loudspeaker::{Playback, STEP, Step},
        transport::{
            Incoming,
            downlink::{Ending, Farewell, Outlet},
        },
    },
};

/// Between two looks at the loudspeaker: half a packet, so that a barge-in is felt within one.
const BEAT: Duration = Duration::from_millis(10);
/// Between pings: gateways and proxies give a connection up after a minute or so of silence.
const PING: Duration = Duration::from_secs(20);
/// How long the goodbye may take.
pub(super) const GOODBYE: Duration = Duration::from_secs(5);

/// The task that sends.
pub(super) struct Downlink {
    pub(super) sink: SplitSink<WebSocket, Message>,
    pub(super) dialect: Dialect,
    /// The vendor's name of the stream.
    pub(super) stream: String,
    pub(super) mouth: Mouth,
    pub(super) playback: Playback,
    pub(super) outlet: Outlet,
    pub(super) ending: Ending,
    /// Marks that the gateway has reached.
    pub(super) marks: mpsc::Receiver<u64>,
    /// What the driver is to know.
    pub(super) reports: mpsc::Sender<Incoming>,
    pub(super) stall: Duration,
    pub(super) clock: Clock,
}

/// Why nothing more can be sent.
enum Lost {
    Gone,
    Stalled,
}

impl Downlink {
    /// Sends until the driver is done, or reports why it cannot.
    pub(super) async fn run(mut self) {
        match self.speak().await {
            Ok(farewell) => dismiss(&mut self.sink, farewell).await,
            // A driver that is gone needs no telling.
            Err(Lost::Gone) => drop(self.reports.send(Incoming::Gone).await),
            Err(Lost::Stalled) => {
                let _ = self.reports.send(Incoming::Stalled).await;
                // Nothing waits any more for what is queued to be sent.
                drop(self.outlet);
                let farewell = self.ending.cut().await;
                dismiss(&mut self.sink, farewell).await;
            }
        }
    }

    async fn speak(&mut self) -> Result<Farewell, Lost> {
        let (mut beats, mut pings) = (interval(BEAT), interval(PING));
        beats.set_missed_tick_behavior(MissedTickBehavior::Skip);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        pings.reset();
        loop {
            select! { biased;
                farewell = self.ending.cut() => return Ok(farewell),
                Some(mark) = self.marks.recv() => self.mouth.marked(self.clock.now(), mark),
                _ = beats.tick() => self.beat().await?,
                message = self.outlet.next() => match message {
                    Some(message) if self.dialect.tells_events() => self.send(Message::Text(message.text)).await?,
                    Some(_) => {}
                    None => return Ok(self.ending.farewell()),
                },
                _ = pings.tick() => self.send(Message::Ping(Bytes::new())).await?,
            }
        }
    }

    /// Looks at the loudspeaker, and sends what is due.
    async fn beat(&mut self) -> Result<(), Lost> {
        let now = self.clock.now();
        let flushed = self.playback.flushed() && self.mouth.flush(now);
        let held = match (self.playback.is_held(), self.mouth.is_held()) {
            (true, false) => self.mouth.hold(now),
            (false, true) => {
                self.mouth.resume();
                false
            }
            (true, true) | (false, false) => false,
        };
        if flushed || held {
            self.say(self.dialect.clear(&self.stream)).await?;
        }
        if let Some(lag) = self.mouth.lag(now) {
            // Of too many reports at once the next one says more.
            let _ = self.reports.try_send(Incoming::Lag(lag));
        }
        while let Some(sound) = self.next_packet() {
            self.say(self.dialect.sound(&self.stream, &sound)).await?;
            self.mark(false).await?;
        }
        if self.playback.waiting() == 0 && !self.mouth.is_held() {
            self.mark(true).await?;
        }
        Ok(())
    }

    fn next_packet(&mut self) -> Option<Vec<u8>> {
        let now = self.clock.now();
        if !self.mouth.wants(now) {
            return None;
        }
        if let Some(again) = self.mouth.again(now) {
            return Some(again);
        }
        let (waiting, dry) = (self.playback.waiting(), self.mouth.runs_dry(now));
        // Less than a packet waits for the rest, unless the line would fall silent meanwhile.
        if waiting >= STEP || waiting > 0 && dry {
            let mut speech = [0; STEP];
            return match self.playback.step(&mut speech) {
                Step::Speech => Some(self.mouth.say(now, &speech)),
                Step::Silence => None,
            };
        }
        if waiting == 0 && dry { self.mouth.rest(now) } else { None }
    }

    async fn mark(&mut self, pauses: bool) -> Result<(), Lost> {
        match self.mouth.mark(pauses) {
            Some(mark) => self.say(self.dialect.mark(&self.stream, mark)).await,
            None => Ok(()),
        }
    }

    async fn say(&mut self, said: Said) -> Result<(), Lost> {
        self.send(match said {
            Said::Text(text) => Message::Text(text.into()),
            Said::Binary(bytes) => Message::Binary(bytes.into()),
        })
        .await
    }

    async fn send(&mut self, message: Message) -> Result<(), Lost> {
        match timeout(self.stall, self.sink.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Lost::Gone),
            Err(_) => Err(Lost::Stalled),
        }
    }
}

/// Says goodbye. A gateway that is gone, or does not read, misses it.
pub(super) async fn dismiss(sink: &mut SplitSink<WebSocket, Message>, farewell: Farewell) {
    let close = CloseFrame { code: farewell.code, reason: farewell.reason.into() };
    let _ = timeout(GOODBYE, sink.send(Message::Close(Some(close)))).await;
}
