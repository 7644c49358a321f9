//! A second controller over WebSocket: events both ways, no sound.
//!
//! What it says is read one message ahead, so TCP holds back a controller that says too much. Nothing it does or fails to do
//! holds up the session.

use std::time::Duration;

use axum::{
    Error,
    extract::ws::{Message, WebSocket},
};
use futures_util::{Stream, StreamExt, future, stream};
use tokio::{
    select,
    sync::{mpsc, oneshot},
    time::timeout,
};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;

use super::{
    Incoming,
    downlink::{self, Farewell},
    ws::{GOODBYE, Writer, read},
};
use crate::realtime::{engine::Engine, protocol::Dialect, sideband::Seat};

/// Serves a second controller from the upgrade to the goodbye. The session goes on without it.
pub async fn serve_sideband(socket: WebSocket, engine: Engine, seat: Seat, dialect: Dialect) {
    let _hold = engine.drain.hold();
    let (sink, mut messages) = socket.split();
    let (downlink, outlet, ending) = downlink::channel(engine.config.downlink_messages, engine.config.downlink_bytes);
    let (lost, loss) = oneshot::channel();
    let writer = Writer::new(sink, outlet, ending, &engine);
    let writing = AbortOnDropHandle::new(tokio::spawn(writer.run(lost).in_current_span()));

    let (said, heard) = mpsc::channel::<Box<Incoming>>(1);
    let words = ReceiverStream::new(heard).map(|incoming| *incoming).chain(stream::once(future::ready(Incoming::Gone)));
    let loss = stream::once(loss).filter_map(|lost| future::ready(lost.ok()));
    if let Err(downlink) = seat.bring(dialect, downlink, stream::select(words, loss.boxed()).boxed()) {
        downlink.close(OVER);
    }
    pump(&mut messages, said, engine.config.vanished()).await;

    // Leaving unread bytes behind would reset the connection and lose the goodbye.
    let rest = messages.for_each(|_| future::ready(()));
    let _ = timeout(GOODBYE, future::join(rest, writing)).await;
}

/// What a controller is told that comes as the session ends.
pub(crate) const OVER: Farewell = Farewell { code: 1000, reason: "The call is over." };

/// Passes on what is said until nobody listens, or for `patience` nobody speaks or answers a ping.
async fn pump(
    messages: &mut (impl Stream<Item = Result<Message, Error>> + Unpin),
    said: mpsc::Sender<Box<Incoming>>,
    patience: Duration,
) {
    loop {
        select! { biased;
            () = said.closed() => return,
            message = timeout(patience, messages.next()) => {
                let Ok(Some(message)) = message else { return };
                if said.send(Box::new(read(message))).await.is_err() {
                    return;
                }
            }
        }
    }
}
