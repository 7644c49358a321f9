//! One call: what is asked goes out while answers come in.

use std::{future::Future, pin::Pin, sync::Arc, task::Poll};

use bytes::Bytes;
use futures_util::{Stream, stream};
use http_body_util::BodyExt;
use prost::Message;
use reqwest::{
    Body, StatusCode, Url,
    header::{self, HeaderMap, HeaderValue},
};
use tokio::sync::{mpsc, oneshot};

use super::{
    super::{http, refusal::unkeyed},
    frames::{self, Decoder},
    lines::{Line, line},
    status::{self, Trouble},
};
use crate::{ErrorKind, ProviderError, Secret};

/// What to call, in whose name failures are told, and what shows who one is.
pub(crate) struct Method<'a> {
    /// As configured: `google/chirp_3`.
    pub(crate) provider: &'a str,
    /// Where the service is.
    pub(crate) base_url: &'a str,
    /// `package.Service/Method`.
    pub(crate) path: &'a str,
    pub(crate) headers: HeaderMap,
    /// Never repeated, should the service quote it.
    pub(crate) secret: Option<Secret>,
}

/// The asking half. Dropped before [`Asking::end`], it cancels the call.
pub(crate) struct Asking {
    provider: Box<str>,
    parts: mpsc::Sender<Part>,
}

/// The answering half. Dropped, it cancels the call.
pub(crate) struct Answers {
    provider: Box<str>,
    secret: Option<Secret>,
    state: State,
    decoder: Decoder,
    _line: Arc<Line>,
}

enum Part {
    Message(Bytes),
    End,
}

enum State {
    /// The head of the answers comes with the first of them, or later.
    Awaited(Pin<Box<dyn Future<Output = reqwest::Result<reqwest::Response>> + Send>>),
    Open(Pin<Box<Body>>),
    Over,
}

impl Method<'_> {
    /// Begins a call: resolves once a connection has taken it. Refusals come with the first answer.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] where nobody is reached, [`ErrorKind::Rejected`] where the address is none.
    pub(crate) async fn call(self) -> Result<(Asking, Answers), ProviderError> {
        let error = |kind, why: String| ProviderError::new(self.provider.to_owned(), kind, why);
        let url: Url = http::endpoint(self.base_url, self.path)
            .map_err(|why| error(ErrorKind::Rejected, format!("base_url {why}")))?;
        // Held by both halves of the call, whichever lasts longer.
        let line = Arc::new(line(self.provider, &url).await?);
        let (parts, receiver) = mpsc::channel(1);
        let (begin, begun) = oneshot::channel();
        let mut headers = self.headers;
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        headers.insert(header::TE, HeaderValue::from_static("trailers"));
        let asking =
            line.client.post(url).headers(headers).body(Body::wrap_stream(body(receiver, begin, line.clone())));
        let mut answer = Box::pin(asking.send());
        let state = tokio::select! { biased;
            Ok(()) = begun => State::Awaited(answer),
            head = &mut answer => {
                let head = head.map_err(|error| http::failure(self.provider, error))?;
                State::Awaited(Box::pin(std::future::ready(Ok(head))))
            }
        };
        let provider: Box<str> = self.provider.into();
        let answers = Answers {
            provider: provider.clone(),
            secret: self.secret,
            state,
            decoder: Decoder::default(),
            _line: line,
        };
        Ok((Asking { provider, parts }, answers))
    }
}

/// The request's body. Its first poll shows that a connection is there; an end nobody asked for is an error, which
/// resets the call. A service that does not read learns of it late: the line is held until then.
fn body(
    mut parts: mpsc::Receiver<Part>,
    begin: oneshot::Sender<()>,
    line: Arc<Line>,
) -> impl Stream<Item = Result<Bytes, Dropped>> {
    let mut begin = Some(begin);
    let mut over = false;
    stream::poll_fn(move |context| {
        let _held = &line;
        if let Some(begin) = begin.take() {
            let _ = begin.send(());
        }
        if over {
            return Poll::Ready(None);
        }
        let part = std::task::ready!(parts.poll_recv(context));
        over = !matches!(part, Some(Part::Message(_)));
        Poll::Ready(match part {
            Some(Part::Message(bytes)) => Some(Ok(bytes)),
            Some(Part::End) => None,
            None => Some(Err(Dropped)),
        })
    })
}

/// Whoever asked has left.
#[derive(Debug, thiserror::Error)]
#[error("the call was dropped")]
struct Dropped;

impl Asking {
    /// Sends a message; waits while the service does not read.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] when the call is over; the answering half knows why.
    pub(crate) async fn ask(&self, message: &impl Message) -> Result<(), ProviderError> {
        self.send(Part::Message(frames::encode(message))).await
    }

    /// Nothing follows; answers may.
    ///
    /// # Errors
    ///
    /// Those of [`Asking::ask`].
    pub(crate) async fn end(&self) -> Result<(), ProviderError> {
        self.send(Part::End).await
    }

    async fn send(&self, part: Part) -> Result<(), ProviderError> {
        let over = |_| ProviderError::new(self.provider.to_string(), ErrorKind::Unavailable, "the call is over");
        self.parts.send(part).await.map_err(over)
    }
}

impl Answers {
    /// The next answer; `None` once the call has ended well. May be dropped while it waits, and asked again.
    ///
    /// # Errors
    ///
    /// The status of a call that ended otherwise; [`ErrorKind::Unavailable`] when it was cut, [`ErrorKind::Protocol`] when
    /// what comes is no gRPC.
    pub(crate) async fn next<M: Message + Default>(&mut self) -> Result<Option<M>, ProviderError> {
        loop {
            match self.decoder.next() {
                Ok(Some(message)) => return Ok(Some(message)),
                Ok(None) => {}
                Err(why) => return Err(self.fail(Trouble::new(ErrorKind::Protocol, why))),
            }
            match self.advance().await {
                Ok(true) => {}
                Ok(false) => return Ok(None),
                Err(trouble) => return Err(self.fail(trouble)),
            }
        }
    }

    /// Takes one step; whether there is more.
    async fn advance(&mut self) -> Result<bool, Trouble> {
        let broken = |error| {
            let failure = http::failure("", error);
            Trouble::new(failure.kind, failure.detail)
        };
        match &mut self.state {
            State::Awaited(answer) => {
                let response = answer.await.map_err(broken)?;
                let ended = head(response.status(), response.headers())?;
                self.state = if ended { State::Over } else { State::Open(Box::pin(response.into())) };
                Ok(!ended)
            }
            State::Open(body) => {
                let Some(frame) = body.frame().await else {
                    return Err(Trouble::new(ErrorKind::Unavailable, "the answers ended without a status"));
                };
                let frame = frame.map_err(broken)?;
                if let Some(bytes) = frame.data_ref() {
                    self.decoder.feed(bytes);
                    return Ok(true);
                }
                let Some(ended) = frame.trailers_ref().and_then(status::read) else { return Ok(true) };
                self.state = State::Over;
                ended?;
                if self.decoder.is_cut() {
                    return Err(Trouble::new(ErrorKind::Protocol, "the answers ended within a message"));
                }
                Ok(false)
            }
            State::Over => Ok(false),
        }
    }

    fn fail(&mut self, trouble: Trouble) -> ProviderError {
        self.state = State::Over;
        let detail = unkeyed(&trouble.detail, self.secret.as_ref());
        let mut error = ProviderError::new(self.provider.to_string(), trouble.kind, detail);
        error.retry_after = trouble.retry_after;
        error
    }
}

/// Whether a call ended with its head, as refusals do.
fn head(code: StatusCode, headers: &HeaderMap) -> Result<bool, Trouble> {
    if let Some(ended) = status::read(headers) {
        return ended.map(|()| true);
    }
    if code != StatusCode::OK {
        let kind = http::kind_of(code);
        let trouble = Trouble::new(kind, format!("status {} and no gRPC", code.as_u16()));
        return Err(Trouble { retry_after: http::retry_after(headers), ..trouble });
    }
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.starts_with("application/grpc") {
        return Ok(false);
    }
    Err(Trouble::new(ErrorKind::Protocol, "something else than gRPC came; is the address right?"))
}
