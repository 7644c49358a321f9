//! Speech-to-speech models of Azure OpenAI: OpenAI's wire at other addresses, with another header.
//!
//! References: <https://learn.microsoft.com/azure/foundry/openai/how-to/realtime-audio-websockets> (the v1 path takes the
//! deployment as `model` and no version) and
//! <https://learn.microsoft.com/azure/ai-services/openai/how-to/realtime-audio-websockets> (the classic path, with a
//! version and `deployment`, in the beta dialect).

use std::{borrow::Cow, sync::Arc};

use futures_util::{FutureExt, future::BoxFuture, stream::BoxStream};
use reqwest::{Url, header::HeaderName};

use super::llm::Config;
use crate::{
    ProviderError,
    net::events::Peer,
    openai::realtime::{Dialect, Line, Settings},
    realtime::{Command, EventStream, Opening, RealtimeCapabilities},
};

/// One deployment. Dropping a conversation closes its connection.
///
/// The GA dialect is spoken on the v1 path, the beta dialect on the classic one. Waits only as long as its connection
/// takes; wrap it in [`Timed`](crate::layers::Timed) to bound the rest.
#[derive(Debug)]
pub struct RealtimeModel {
    config: Arc<Config>,
    line: Line,
    deployment: String,
}

impl RealtimeModel {
    /// A deployment that reports its failures under this name, as configured: `azure/my-gpt-realtime`.
    pub fn new(
        name: impl Into<Cow<'static, str>>,
        deployment: impl Into<String>,
        config: Arc<Config>,
        settings: Settings,
    ) -> Self {
        let peer = Peer { provider: name.into(), key: config.key.clone() };
        Self { config, line: Line { peer, settings }, deployment: deployment.into() }
    }

    fn address(&self) -> Result<Url, ProviderError> {
        let base = &self.config.base_url;
        if self.line.settings.dialect == Dialect::Ga {
            let mut url = self.line.address(base, "openai/v1/realtime")?;
            url.query_pairs_mut().append_pair("model", &self.deployment);
            return Ok(url);
        }
        let mut url = self.line.address(base, "openai/realtime")?;
        let version = self.config.api_version.as_deref().unwrap_or(CLASSIC);
        url.query_pairs_mut().append_pair("api-version", version).append_pair("deployment", &self.deployment);
        Ok(url)
    }

    async fn open(
        &self,
        opening: Opening,
        commands: BoxStream<'static, Command>,
    ) -> Result<EventStream, ProviderError> {
        let headers = self.line.peer.signed(HeaderName::from_static("api-key"), "")?;
        self.line.converse(&self.address()?, headers, opening, commands).await
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

/// The last version of the classic path that the vendor's guide names.
const CLASSIC: &str = "2025-04-01-preview";
