//! Speech-to-speech over the Gemini Live API.
//!
//! References: <https://ai.google.dev/api/live> (messages), <https://ai.google.dev/gemini-api/docs/live-guide> (activity,
//! interruptions, transcription) and <https://ai.google.dev/gemini-api/docs/live-session> (lengths, `goAway`); the key goes
//! in a header, as in googleapis/python-genai `google/genai/live.py`.
//!
//! How it differs from what the trait describes, and what is done about it:
//! - It answers by itself at the end of an activity, and when a function's result comes: both wait for
//!   [`Command::Respond`].
//! - An activity interrupts: what is heard over a reply waits until that is cancelled or over.
//! - It takes a history only before anything else: what is heard first waits until it is committed, what was said before
//!   comes first.
//! - Nothing heard can be taken back: what is discarded over a reply is never sent, anything else stays in the turn.
//! - Of a reply that is interrupted it keeps what it had sent; no message says what was heard, so
//!   [`Command::Truncate`] says nothing.
//! - Its settings hold for a conversation, and it cannot be made to call a function.
//!
//! `wire` is pure, `turns` says what messages mean, `line` holds the socket, `mouth` decides
//! what goes out when.

mod line;
mod mouth;
mod settings;
mod turns;
mod wire;

use std::{borrow::Cow, sync::Arc};

use futures_util::{FutureExt, future::BoxFuture, stream::BoxStream};

use line::Line;
pub use settings::Settings;

use super::Config;
use crate::{
    ProviderError,
    net::events::Peer,
    realtime::{Command, EventStream, Opening, RealtimeCapabilities},
};

/// One Live model. Dropping a conversation closes its connection.
///
/// Waits only as long as its connection takes; wrap it in [`Timed`](crate::layers::Timed) to bound the rest.
#[derive(Debug)]
pub struct RealtimeModel {
    line: Line,
}

impl RealtimeModel {
    /// A model that reports its failures under this name, as configured:
    /// `gemini/gemini-3.1-flash-live-preview`.
    pub fn new(
        name: impl Into<Cow<'static, str>>,
        model: impl Into<String>,
        config: Arc<Config>,
        settings: Settings,
    ) -> Self {
        let peer = Peer { provider: name.into(), key: config.key.clone() };
        Self { line: Line { peer, config, settings, model: model.into() } }
    }
}

impl crate::RealtimeModel for RealtimeModel {
    fn capabilities(&self) -> RealtimeCapabilities {
        RealtimeCapabilities {
            tools: true,
            text: self.line.settings.text,
            reconfigures: false,
            languages: Vec::new(),
            voices: self.line.settings.voices.clone(),
        }
    }

    fn converse(
        &self,
        opening: Opening,
        commands: BoxStream<'static, Command>,
    ) -> BoxFuture<'_, Result<EventStream, ProviderError>> {
        self.line.converse(opening, commands).boxed()
    }
}
