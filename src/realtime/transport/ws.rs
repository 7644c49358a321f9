//! WebSocket: one JSON object per text message, both ways.
//!
//! The driver reads the socket itself, one message at a time, so TCP holds back a client that sends too much. A writer
//! task sends what the downlink holds, pings, and says goodbye.

use std::{error::Error as _, time::Duration};

use axum::{
    Error,
    extract::{
        WebSocketUpgrade,
        ws::{CloseFrame, Message, WebSocket},
    },
};
use bytes::Bytes;
use futures_util::{
    SinkExt, StreamExt, future,
    stream::{self, SplitSink},
};
use tokio::{
    select,
    sync::oneshot,
    time::{MissedTickBehavior, interval, timeout},
};
use tokio_tungstenite::tungstenite::{
    self,
    error::{CapacityError, ProtocolError},
};
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;

use super::{
    Incoming, Start,
    downlink::{self, Ending, Farewell, Outlet},
};
use crate::{
    clock::Clock,
    metrics::{self, Way},
    realtime::{driver::Driver, engine::Engine},
};

/// Largest message and frame: 20 MiB of base64 in one append, and room for the JSON around it.
const LARGEST: usize = 22 << 20;
/// Read from the socket at a time. The library's 128 KiB would be most of a session's memory; an append of 20 ms has 1.4.
const READ_BUFFER: usize = 4 << 10;
/// Between pings: clients and proxies give a connection up after a minute or so of silence.
const PING: Duration = Duration::from_secs(20);
/// How long the goodbye may take: the rest of what is sent, and the client's answer.
pub(super) const GOODBYE: Duration = Duration::from_secs(5);

/// Sets the limits that [`serve_ws`] relies upon. Call it before `on_upgrade`.
pub fn limited(upgrade: WebSocketUpgrade) -> WebSocketUpgrade {
    upgrade.max_message_size(LARGEST).max_frame_size(LARGEST).read_buffer_size(READ_BUFFER).write_buffer_size(0)
}

/// Serves one client from the upgrade to the goodbye.
pub async fn serve_ws(socket: WebSocket, start: Start) {
    let span = tracing::info_span!("session", session.id = %start.pass.live().name(), transport = "ws");
    serve(socket, start).instrument(span).await;
}

async fn serve(socket: WebSocket, start: Start) {
    let engine = &start.engine;
    let _hold = engine.drain.hold();
    let _live = metrics::session_opened("ws");
    let (sink, mut messages) = socket.split();
    let (downlink, outlet, ending) = downlink::channel(engine.config.downlink_messages, engine.config.downlink_bytes);
    let (lost, loss) = oneshot::channel();
    let writer = Writer::new(sink, outlet, ending, engine);
    let writing = AbortOnDropHandle::new(tokio::spawn(writer.run(lost).in_current_span()));

    let driver = Box::new(Driver::new(start, downlink, None));
    let loss = stream::once(loss).filter_map(|lost| future::ready(lost.ok()));
    let uplink = messages.by_ref().map(read).chain(stream::once(future::ready(Incoming::Gone)));
    driver.run(stream::select(uplink, loss.boxed())).await;

    // Leaving unread bytes behind would reset the connection and lose the goodbye.
    let rest = messages.for_each(|_| future::ready(()));
    let _ = timeout(GOODBYE, future::join(rest, writing)).await;
}

/// The task that sends.
pub(super) struct Writer {
    sink: SplitSink<WebSocket, Message>,
    outlet: Outlet,
    ending: Ending,
    stall: Duration,
    clock: Clock,
    way: Way,
}

impl Writer {
    pub(super) fn new(sink: SplitSink<WebSocket, Message>, outlet: Outlet, ending: Ending, engine: &Engine) -> Self {
        let (stall, clock) = (engine.config.stall(), engine.clock.clone());
        Self { sink, outlet, ending, stall, clock, way: Way::to_client() }
    }

    /// Sends until the driver is done, or tells through `lost` why it cannot.
    pub(super) async fn run(mut self, lost: oneshot::Sender<Incoming>) {
        let mut pings = interval(PING);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        pings.reset();
        let farewell = loop {
            let (message, given) = select! { biased;
                farewell = self.ending.cut() => break farewell,
                message = self.outlet.next() => match message {
                    Some(downlink::Message { text, given }) => (Message::Text(text), given),
                    None => break self.ending.farewell(),
                },
                _ = pings.tick() => (Message::Ping(Bytes::new()), None),
            };
            let sent = select! { biased;
                farewell = self.ending.cut() => break farewell,
                sent = timeout(self.stall, self.sink.send(message)) => sent,
            };
            match sent {
                Ok(Ok(())) => {
                    if let Some(given) = given {
                        self.way.took(self.clock.now().saturating_duration_since(given));
                    }
                }
                // A driver that is gone needs no telling.
                Ok(Err(_)) => return drop(lost.send(Incoming::Gone)),
                Err(_) => {
                    let _ = lost.send(Incoming::Stalled);
                    // Nothing waits any more for what is queued to be sent.
                    drop(self.outlet);
                    break self.ending.cut().await;
                }
            }
        };
        let close = CloseFrame { code: farewell.code, reason: farewell.reason.into() };
        // A client that is gone, or still does not read, misses the goodbye.
        let _ = timeout(GOODBYE, self.sink.send(Message::Close(Some(close)))).await;
    }
}

/// What a message of a client is to whoever serves it.
pub(crate) fn read(message: Result<Message, Error>) -> Incoming {
    match message {
        Ok(Message::Text(text)) => Incoming::Text(text),
        Ok(Message::Binary(_)) => Incoming::Binary,
        Ok(Message::Ping(_) | Message::Pong(_)) => Incoming::Alive,
        Ok(Message::Close(_)) => Incoming::Gone,
        Err(error) => match error.source().and_then(|error| error.downcast_ref::<tungstenite::Error>()) {
            Some(tungstenite::Error::Capacity(CapacityError::MessageTooLong { .. })) => {
                Incoming::Broken(Farewell { code: 1009, reason: "The message is too large." })
            }
            Some(tungstenite::Error::Utf8(_)) => {
                Incoming::Broken(Farewell { code: 1007, reason: "The text is not UTF-8." })
            }
            Some(tungstenite::Error::Protocol(ProtocolError::ResetWithoutClosingHandshake)) => Incoming::Gone,
            Some(tungstenite::Error::Protocol(_)) => {
                Incoming::Broken(Farewell { code: 1002, reason: "The WebSocket protocol was violated." })
            }
            Some(_) | None => Incoming::Gone,
        },
    }
}
