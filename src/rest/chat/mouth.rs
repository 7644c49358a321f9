//! What sends: one event at a time, to a client that reads.

use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use bytes::Bytes;
use futures_util::{SinkExt, stream::SplitSink};
use serde_json::Value;
use tokio::time::timeout;

use crate::{metrics, realtime::Farewell};

/// The sending half of a socket.
pub(super) struct Mouth {
    sink: SplitSink<WebSocket, Message>,
    /// How long a client may leave an event unread.
    stall: Duration,
}

impl Mouth {
    pub(super) fn new(sink: SplitSink<WebSocket, Message>, stall: Duration) -> Self {
        Self { sink, stall }
    }

    /// Tells an event.
    ///
    /// # Errors
    /// How it ends with a client that does not read, or is gone.
    pub(super) async fn tell(&mut self, event: &Value) -> Result<(), Farewell> {
        self.send(Message::Text(event.to_string().into())).await
    }

    /// Asks for a sign of life.
    pub(super) async fn ping(&mut self) -> Result<(), Farewell> {
        self.send(Message::Ping(Bytes::new())).await
    }

    /// Says goodbye, to whoever still reads.
    pub(super) async fn close(mut self, Farewell { code, reason }: Farewell) {
        let close = CloseFrame { code, reason: reason.into() };
        let _ = timeout(GOODBYE, self.sink.send(Message::Close(Some(close)))).await;
    }

    async fn send(&mut self, message: Message) -> Result<(), Farewell> {
        match timeout(self.stall, self.sink.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(GONE),
            Err(_) => {
                metrics::slow_reader();
                Err(SLOW)
            }
        }
    }
}

/// How long the goodbye may take, each way.
pub(super) const GOODBYE: Duration = Duration::from_secs(5);
/// The client left.
pub(super) const GONE: Farewell = Farewell { code: 1000, reason: "" };
const SLOW: Farewell = Farewell { code: 1013, reason: "You do not read what you are sent: come again." };
