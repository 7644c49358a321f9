//! How a client is reached. A transport turns its bytes into [`Incoming`]s and sends what [`downlink`] hands it.

pub(crate) mod downlink;
pub(super) mod ws;

use axum::extract::ws::Utf8Bytes;

use self::downlink::Farewell;

/// One thing that came from a client.
#[derive(Debug)]
pub(crate) enum Incoming {
    /// A client event, as JSON text.
    Text(Utf8Bytes),
    /// Something that should have been text.
    Binary,
    /// A sign of life.
    Alive,
    /// It said goodbye, or is gone.
    Gone,
    /// It does not read what it is sent.
    Stalled,
    /// It broke the transport's rules and is to be told so as the last thing.
    Broken(Farewell),
}
