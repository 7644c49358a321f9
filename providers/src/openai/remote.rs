//! A model behind OpenAI's wire, wherever it is: OpenAI's own, a compatible server's, DeepSeek's, Azure's.

use reqwest::{
    Url,
    header::{self, HeaderMap},
};

use super::{
    Api,
    chat::{self, Dialect},
    responses,
};
use crate::{
    ProviderError,
    llm::{LlmCapabilities, Prompt, ThoughtStream},
    net::events::Peer,
};

/// One model, and how it is spoken to.
#[derive(Debug)]
pub(crate) struct Remote {
    pub(crate) peer: Peer,
    pub(crate) model: String,
    pub(crate) api: Api,
    pub(crate) dialect: Dialect,
}

impl Remote {
    pub(crate) fn capabilities(&self) -> LlmCapabilities {
        LlmCapabilities { tools: true, continues: true, models: vec![self.model.clone()] }
    }

    /// The vendor's function that answers prompts.
    pub(crate) const fn function(&self) -> &'static str {
        match self.api {
            Api::Chat => "chat/completions",
            Api::Responses => "responses",
        }
    }

    /// Asks under this base URL, the key as a bearer token.
    pub(crate) async fn reply_at(&self, base_url: &str, prompt: &Prompt) -> Result<ThoughtStream, ProviderError> {
        let url = self.peer.address(base_url, self.function())?;
        let headers = self.peer.signed(header::AUTHORIZATION, "Bearer ")?;
        self.reply(url, headers, prompt).await
    }

    /// Asks there, with these headers.
    pub(crate) async fn reply(
        &self,
        url: Url,
        headers: HeaderMap,
        prompt: &Prompt,
    ) -> Result<ThoughtStream, ProviderError> {
        let body = match self.api {
            Api::Chat => chat::request(&self.model, &self.dialect, prompt),
            Api::Responses => responses::request(&self.model, prompt),
        };
        let response = self.peer.ask(url, headers, body, |_| None).await?;
        Ok(match self.api {
            Api::Chat => self.peer.clone().stream(response, chat::Reader::new(self.dialect.echoes.clone())),
            Api::Responses => self.peer.clone().stream(response, responses::Reader::default()),
        })
    }
}
