//! How a client is reached. A transport turns its bytes into [`Incoming`]s and sends what [`downlink`] hands it.

pub(crate) mod downlink;
pub(super) mod sideband;
pub(super) mod telephony;
pub mod webrtc;
pub(super) mod ws;

use std::time::Duration;

use audio::Frame;
use axum::extract::ws::Utf8Bytes;

use self::downlink::Farewell;
use super::{
    admission::Pass,
    engine::{Engine, Providers},
    offer::Offer,
    protocol::Dialect,
    session::{item::Item, settings::Settings},
};

/// What a session begins with, whatever its transport.
#[derive(Debug)]
pub struct Start {
    /// What sessions share.
    pub engine: Engine,
    /// Whom this session speaks with.
    pub providers: Providers,
    /// The place it takes; it names the session and its principal.
    pub pass: Pass,
    /// What it is, as the URL and the client secret have it.
    pub settings: Settings,
    /// What was said in its conversation before, oldest first.
    pub past: Vec<Item>,
    /// What its client may choose among.
    pub offer: Offer,
    /// What its client speaks.
    pub dialect: Dialect,
}

/// One thing that came from a client.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a frame is held inline so that passing one on allocates nothing")]
pub(crate) enum Incoming {
    /// A client event, as JSON text.
    Text(Utf8Bytes),
    /// 20 ms of its microphone, from a transport that decodes: no `input_audio_buffer.append` is needed.
    Frame(Frame),
    /// A key of its telephone.
    Pressed(char),
    /// It plays so much later than by our clock what it is given.
    Lag(Duration),
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
