//! Speech-to-speech over OpenAI's realtime WebSocket, and over those of the servers that speak it: Azure, LocalAI, vLLM,
//! another relay.
//!
//! References: <https://developers.openai.com/api/reference/resources/realtime/client-events>,
//! <https://platform.openai.com/docs/api-reference/realtime-server-events>, and the types of openai/openai-python
//! `src/openai/types/realtime`; of the beta dialect `src/openai/types/beta/realtime`.
//!
//! The vendor's turn detection and transcription are off: turns are ours. `wire` is pure, `replies` says what events mean,
//! `line` holds the socket.

mod line;
mod replies;
mod settings;
mod wire;

use std::{borrow::Cow, sync::Arc};

use futures_util::{FutureExt, future::BoxFuture, stream::BoxStream};
use reqwest::header::{self, HeaderValue};

pub(crate) use line::Line;
pub use settings::{Dialect, Settings};

use super::Config;
use crate::{
    ProviderError,
    net::events::Peer,
    realtime::{Command, EventStream, Opening, RealtimeCapabilities},
};

/// One speech-to-speech model of one account, or of a compatible server. Dropping a conversation closes its connection.
///
/// Waits only as long as its connection takes; wrap it in [`Timed`](crate::layers::Timed) to bound the rest.
#[derive(Debug)]
pub struct RealtimeModel {
    config: Arc<Config>,
    line: Line,
    model: String,
}

impl RealtimeModel {
    /// A model that reports its failures under this name, as configured: `openai/gpt-realtime`.
    pub fn new(
        name: impl Into<Cow<'static, str>>,
        model: impl Into<String>,
        config: Arc<Config>,
        settings: Settings,
    ) -> Self {
        let peer = Peer { provider: name.into(), key: config.key.clone() };
        Self { config, line: Line { peer, settings }, model: model.into() }
    }

    async fn open(
        &self,
        opening: Opening,
        commands: BoxStream<'static, Command>,
    ) -> Result<EventStream, ProviderError> {
        let mut url = self.line.address(&self.config.base_url, "realtime")?;
        url.query_pairs_mut().append_pair("model", &self.model);
        let mut headers = self.line.peer.signed(header::AUTHORIZATION, "Bearer ")?;
        if self.line.settings.dialect == Dialect::Beta {
            headers.insert("OpenAI-Beta", HeaderValue::from_static("realtime=v1"));
        }
        self.line.converse(&url, headers, opening, commands).await
    }
}

impl crate::RealtimeModel for RealtimeModel {
    fn capabilities(&self) -> RealtimeCapabilities {
        self.line.capabilities()
    }

    fn converse(
        &self,
        opening: Opening,
        commands: BoxStream<'static, Command>,
    ) -> BoxFuture<'_, Result<EventStream, ProviderError>> {
        self.open(opening, commands).boxed()
    }
}
