//! The language model behind such a server.

use std::{borrow::Cow, time::Duration};

use futures_util::{FutureExt, future::BoxFuture};
use reqwest::{Response, header};
use secrecy::ExposeSecret;

use super::{
    Config,
    decode::{Broken, Reader},
    encode,
};
use crate::{
    ErrorKind, LanguageModel, ProviderError,
    generate::{Outlet, generate},
    llm::{LlmCapabilities, Prompt, Thought, ThoughtStream},
    net::{
        http,
        refusal::{read_body, refusal},
        sse,
    },
};

/// One model of one server. Dropping a reply closes its connection, which stops the server's work.
///
/// Waits only as long as its connection takes; wrap it in [`Timed`](crate::layers::Timed) with
/// [`Config::timeouts`] to bound the rest.
#[derive(Debug)]
pub struct Chat {
    name: Cow<'static, str>,
    config: Config,
}

impl Chat {
    /// A model that reports its failures under this name, as configured: `openai/gpt-4o-mini`.
    pub fn new(name: impl Into<Cow<'static, str>>, config: Config) -> Self {
        Self { name: name.into(), config }
    }

    async fn open(&self, prompt: &Prompt) -> Result<Response, ProviderError> {
        let rejected = |why| ProviderError::new(self.name.clone(), ErrorKind::Rejected, format!("base_url {why}"));
        let url = http::endpoint(&self.config.base_url, "chat/completions").map_err(rejected)?;
        let client = http::client(&self.name, &url).await?;
        let mut request = client
            .post(url)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "text/event-stream")
            .body(encode::request(&self.config, prompt));
        if let Some(key) = &self.config.key {
            request = request.bearer_auth(key.expose_secret());
        }
        let response = request.send().await.map_err(|error| http::failure(&self.name, error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(refusal(&self.name, response, self.config.key.as_ref()).await)
    }
}

impl LanguageModel for Chat {
    fn capabilities(&self) -> LlmCapabilities {
        LlmCapabilities { tools: true, models: vec![self.config.model.clone()] }
    }

    fn reply(&self, prompt: Prompt) -> BoxFuture<'_, Result<ThoughtStream, ProviderError>> {
        async move {
            let response = self.open(&prompt).await?;
            let reading = Reading { provider: self.name.clone(), reader: Reader::default(), done: false };
            Ok(generate(|out| reading.read(response, out)))
        }
        .boxed()
    }
}

struct Reading {
    provider: Cow<'static, str>,
    reader: Reader,
    done: bool,
}

impl Reading {
    async fn read(mut self, response: Response, out: Outlet<Thought>) -> Result<(), ProviderError> {
        let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if kind.starts_with("application/json") {
            // Some gateways answer at once although a stream was asked for.
            let body = read_body(response).await.map_err(|error| http::failure(&self.provider, error))?;
            self.chunk(&String::from_utf8_lossy(&body), &out).await?;
        } else if kind.starts_with("text/html") {
            let why = "an HTML page came in the place of a reply; is base_url right?";
            return Err(ProviderError::new(self.provider, ErrorKind::Protocol, why));
        } else {
            self.events(response, &out).await?;
        }
        let mut last = Vec::new();
        self.reader.end(self.done, &mut last).map_err(|broken| error(&self.provider, broken))?;
        for thought in last {
            out.give(thought).await;
        }
        Ok(())
    }

    async fn events(&mut self, mut response: Response, out: &Outlet<Thought>) -> Result<(), ProviderError> {
        let mut decoder = sse::Decoder::default();
        let mut events = Vec::new();
        while !self.done
            && let Some(bytes) = self.next(&mut response).await?
        {
            let fed = decoder.feed(&bytes, &mut events);
            fed.map_err(|why| ProviderError::new(self.provider.clone(), ErrorKind::Protocol, why))?;
            for event in events.drain(..) {
                self.chunk(&event.data, out).await?;
            }
        }
        match decoder.finish() {
            Some(event) if !self.done => self.chunk(&event.data, out).await,
            Some(_) | None => Ok(()),
        }
    }

    /// The next bytes. Once the model has said why it ended, a server that then hangs or breaks off costs no reply.
    async fn next(&self, response: &mut Response) -> Result<Option<bytes::Bytes>, ProviderError> {
        if self.reader.finished() {
            let last = tokio::time::timeout(GRACE, response.chunk()).await;
            return Ok(last.ok().and_then(Result::ok).flatten());
        }
        response.chunk().await.map_err(|error| http::failure(&self.provider, error))
    }

    async fn chunk(&mut self, data: &str, out: &Outlet<Thought>) -> Result<(), ProviderError> {
        let data = data.trim();
        if self.done || data.is_empty() {
            return Ok(());
        }
        if data == "[DONE]" {
            self.done = true;
            return Ok(());
        }
        let mut thoughts = Vec::new();
        let read = self.reader.read(data, &mut thoughts);
        for thought in thoughts {
            out.give(thought).await;
        }
        read.map_err(|broken| error(&self.provider, broken))
    }
}

fn error(provider: &str, broken: Broken) -> ProviderError {
    ProviderError::new(provider.to_owned(), broken.kind, broken.detail)
}

/// How long to wait for token counts after the last word.
const GRACE: Duration = Duration::from_millis(500);
