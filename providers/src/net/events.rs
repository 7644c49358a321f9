//! Replies that come as server-sent events over HTTP: asked for, then read as they come.
//!
//! The vendor's part is pure: a [`Reader`] from the data of one event to items, and what its refusals mean.

use std::{borrow::Cow, time::Duration};

use bytes::Bytes;
use futures_util::stream::BoxStream;
use reqwest::{
    RequestBuilder, Response, Url,
    header::{self, HeaderMap, HeaderName, HeaderValue},
};
use serde_json::Value;

use super::{
    http,
    refusal::{judged, plain, read_body, unkeyed},
    sse,
    ws::secret_header,
};
use crate::{
    ErrorKind, ProviderError, Secret,
    generate::{Outlet, generate},
};

/// Events in, items out.
pub(crate) trait Reader: Send + 'static {
    /// What the stream is made of.
    type Item: Send + 'static;

    /// Reads the data of one event, or a whole answer where a server streams nothing.
    fn read(&mut self, data: &str, out: &mut Vec<Self::Item>) -> Result<Progress, Broken>;

    /// The stream is over: what is owed still, or that it ended early.
    fn end(&mut self, out: &mut Vec<Self::Item>) -> Result<(), Broken>;
}

/// How far a stream has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Progress {
    /// More is owed.
    Open,
    /// The vendor has said why it ends; only counts may follow, and need not.
    Finished,
    /// Nothing follows.
    Done,
}

/// Why a stream cannot go on.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Broken {
    pub(crate) kind: ErrorKind,
    pub(crate) detail: String,
}

/// What a refusal's body says beyond its status: the kind, and how long to wait. [`None`]: the status says it all.
pub(crate) type Judge = fn(&Value) -> Option<Verdict>;

/// What an error object means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Verdict {
    pub(crate) kind: ErrorKind,
    pub(crate) retry_after: Option<Duration>,
}

/// Whom one speaks to, and in whose name failures are told.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    pub(crate) provider: Cow<'static, str>,
    /// Never repeated, should the vendor quote it.
    pub(crate) key: Option<Secret>,
}

impl Broken {
    /// A failure of this kind; the vendor's words are cut to a [plain] line.
    pub(crate) fn new(kind: ErrorKind, detail: &str) -> Self {
        Self { kind, detail: plain(detail) }
    }

    /// An answer that breaks its own protocol.
    pub(crate) fn protocol(detail: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Protocol, detail: detail.into() }
    }

    /// Data that is not the JSON it should be.
    pub(crate) fn unreadable(error: &serde_json::Error) -> Self {
        Self::protocol(format!("unreadable event: {error}"))
    }
}

impl Peer {
    /// A function's address under the base URL.
    pub(crate) fn address(&self, base: &str, path: &str) -> Result<Url, ProviderError> {
        http::endpoint(base, path).map_err(|why| self.error(ErrorKind::Rejected, &format!("base_url {why}")))
    }

    /// The key as a header of this name and form; none without a key.
    pub(crate) fn signed(&self, name: HeaderName, before: &str) -> Result<HeaderMap, ProviderError> {
        let mut headers = HeaderMap::new();
        if let Some(key) = &self.key {
            headers.insert(name, secret_header(&self.provider, before, key)?);
        }
        Ok(headers)
    }

    /// Posts JSON and waits for the answer's head.
    pub(crate) async fn ask(
        &self,
        url: Url,
        mut headers: HeaderMap,
        body: String,
        judge: Judge,
    ) -> Result<Response, ProviderError> {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::ACCEPT, HeaderValue::from_static("text/event-stream"));
        self.post(url, headers, |request| request.body(body), judge).await
    }

    /// Posts what `fill` puts into the request and waits for the answer's head.
    pub(crate) async fn post(
        &self,
        url: Url,
        headers: HeaderMap,
        fill: impl FnOnce(RequestBuilder) -> RequestBuilder,
        judge: Judge,
    ) -> Result<Response, ProviderError> {
        let client = http::client(&self.provider, &url).await?;
        let sent = fill(client.post(url).headers(headers)).send().await;
        let response = sent.map_err(|error| http::failure(&self.provider, error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        Err(judged(&self.provider, response, self.key.as_ref(), judge).await)
    }

    /// What the answer says, as it comes. Dropping the stream closes the connection, which stops the vendor's work.
    pub(crate) fn stream<R: Reader>(
        self,
        response: Response,
        reader: R,
    ) -> BoxStream<'static, Result<R::Item, ProviderError>> {
        generate(|out| Reading { peer: self, reader, progress: Progress::Open }.read(response, out))
    }

    /// A failure in this peer's name, without the key should it be quoted.
    pub(crate) fn error(&self, kind: ErrorKind, detail: &str) -> ProviderError {
        ProviderError::new(self.provider.clone(), kind, unkeyed(detail, self.key.as_ref()))
    }
}

struct Reading<R> {
    peer: Peer,
    reader: R,
    progress: Progress,
}

impl<R: Reader> Reading<R> {
    async fn read(mut self, response: Response, out: Outlet<R::Item>) -> Result<(), ProviderError> {
        let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if kind.starts_with("application/json") {
            // Some gateways answer at once although a stream was asked for.
            let body = read_body(response).await.map_err(|error| http::failure(&self.peer.provider, error))?;
            self.event(&String::from_utf8_lossy(&body), &out).await?;
        } else if kind.starts_with("text/html") {
            let why = "an HTML page came in the place of a reply; is base_url right?";
            return Err(self.peer.error(ErrorKind::Protocol, why));
        } else {
            self.events(response, &out).await?;
        }
        let mut last = Vec::new();
        self.reader.end(&mut last).map_err(|broken| self.peer.error(broken.kind, &broken.detail))?;
        for item in last {
            out.give(item).await;
        }
        Ok(())
    }

    async fn events(&mut self, mut response: Response, out: &Outlet<R::Item>) -> Result<(), ProviderError> {
        let mut decoder = sse::Decoder::default();
        let mut events = Vec::new();
        while self.progress != Progress::Done
            && let Some(bytes) = self.next(&mut response).await?
        {
            let fed = decoder.feed(&bytes, &mut events);
            fed.map_err(|why| self.peer.error(ErrorKind::Protocol, &why.to_string()))?;
            for event in events.drain(..) {
                self.event(&event.data, out).await?;
            }
        }
        match decoder.finish() {
            Some(event) => self.event(&event.data, out).await,
            None => Ok(()),
        }
    }

    /// The next bytes. Once the vendor has said why it ends, one that then hangs or breaks off costs no reply.
    async fn next(&mut self, response: &mut Response) -> Result<Option<Bytes>, ProviderError> {
        if self.progress == Progress::Finished {
            let last = tokio::time::timeout(GRACE, response.chunk()).await;
            return Ok(last.ok().and_then(Result::ok).flatten());
        }
        response.chunk().await.map_err(|error| http::failure(&self.peer.provider, error))
    }

    async fn event(&mut self, data: &str, out: &Outlet<R::Item>) -> Result<(), ProviderError> {
        let data = data.trim();
        if self.progress == Progress::Done || data.is_empty() {
            return Ok(());
        }
        let mut items = Vec::new();
        let read = self.reader.read(data, &mut items);
        for item in items {
            out.give(item).await;
        }
        self.progress = read.map_err(|broken| self.peer.error(broken.kind, &broken.detail))?;
        Ok(())
    }
}

/// How long to wait for token counts after the last word.
const GRACE: Duration = Duration::from_millis(500);

/// Everything a recorded answer leads a reader to, and how it ended.
#[cfg(test)]
pub(crate) fn replay_with<R: Reader>(reader: &mut R, exchange: &str) -> (Vec<R::Item>, Result<(), Broken>) {
    let (mut decoder, mut events) = (sse::Decoder::default(), Vec::new());
    decoder.feed(exchange.as_bytes(), &mut events).unwrap();
    events.extend(decoder.finish());
    let mut items = Vec::new();
    for event in events {
        match reader.read(&event.data, &mut items) {
            Ok(Progress::Done) => break,
            Ok(Progress::Open | Progress::Finished) => {}
            Err(broken) => return (items, Err(broken)),
        }
    }
    let ended = reader.end(&mut items);
    (items, ended)
}
