//! WebSockets to providers (RFC 6455), and what their failures mean.
//!
//! Connections are made directly, with the certificates of Mozilla's list; redirects are not followed: they could carry
//! a key elsewhere. Nothing is buffered beyond one message, so a provider that does not read holds back who sends.

use std::{collections::VecDeque, future::Future, pin::pin, time::Duration};

use bytes::Bytes;
use futures_util::{
    FutureExt, SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use reqwest::{
    StatusCode, Url,
    header::{self, HeaderMap, HeaderValue},
};
use secrecy::ExposeSecret;
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{
        Error, Message, Utf8Bytes,
        client::IntoClientRequest,
        protocol::{CloseFrame, WebSocketConfig},
    },
};

use super::http;
use crate::{ErrorKind, ProviderError, Secret};

/// What a provider sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Received {
    /// A text message.
    Text(Utf8Bytes),
    /// A binary message.
    Binary(Bytes),
    /// Its goodbye: the close code (1005 where it gave none) and its reason. Nothing follows.
    Closed(u16, String),
}

/// The sending half of a connection.
pub(crate) struct Sender {
    provider: Box<str>,
    sink: SplitSink<WebSocketStream<MaybeTlsStream<TcpStream>>, Message>,
}

/// The receiving half of a connection.
pub(crate) struct Receiver {
    provider: Box<str>,
    /// Came before anybody asked.
    early: VecDeque<Received>,
    stream: SplitStream<WebSocketStream<MaybeTlsStream<TcpStream>>>,
}

/// Opens a connection; `url` is `ws://` or `wss://`.
///
/// # Errors
///
/// A handshake answered by another status than 101 has the kind of that status and the server's `retry-after`;
/// `explain` finds its reason in the answer's headers and in as much of its body as came with them. The URL, which may
/// hold a key, is not quoted.
pub(crate) async fn connect(
    provider: &str,
    url: &Url,
    headers: HeaderMap,
    explain: impl FnOnce(&HeaderMap, &[u8]) -> String,
) -> Result<(Sender, Receiver), ProviderError> {
    let mut request = url.as_str().into_client_request().map_err(|_| {
        ProviderError::new(provider.to_owned(), ErrorKind::Rejected, "the base URL makes no WebSocket address")
    })?;
    // Firewalls in front of some vendors refuse handshakes without one.
    request.headers_mut().insert(header::USER_AGENT, HeaderValue::from_static(AGENT));
    request.headers_mut().extend(headers);
    let config = WebSocketConfig::default()
        .write_buffer_size(0)
        .read_buffer_size(READ_BUFFER)
        .max_message_size(Some(LARGEST))
        .max_frame_size(Some(LARGEST));
    let opening = connect_async_with_config(request, Some(config), true);
    let late = || ProviderError::new(provider.to_owned(), ErrorKind::Timeout, "no WebSocket handshake in time");
    let socket = match timeout(http::CONNECT, opening).await.map_err(|_| late())? {
        Ok((socket, _)) => socket,
        Err(Error::Http(answer)) => return Err(refused(provider, &answer, explain)),
        Err(error) => return Err(failure(provider, &error)),
    };
    let (sink, stream) = socket.split();
    Ok((
        Sender { provider: provider.into(), sink },
        Receiver { provider: provider.into(), early: VecDeque::new(), stream },
    ))
}

/// A header's value that logs do not show.
///
/// # Errors
///
/// [`ErrorKind::Rejected`] when the secret has characters no header can carry.
pub(crate) fn secret_header(provider: &str, before: &str, secret: &Secret) -> Result<HeaderValue, ProviderError> {
    let mut value = HeaderValue::from_str(&format!("{before}{}", secret.expose_secret())).map_err(|_| {
        ProviderError::new(provider.to_owned(), ErrorKind::Unauthorized, "the key has characters no header can carry")
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// The address of a function, its scheme that of a WebSocket: `https://host/v1` and `listen` give `wss://host/v1/listen`.
/// A base that is a WebSocket address already stays one.
///
/// # Errors
///
/// What is allowed instead.
pub(crate) fn endpoint(base: &str, path: &str) -> Result<Url, String> {
    let base = base.trim();
    let as_http = base.strip_prefix("ws").map_or_else(|| base.to_owned(), |rest| format!("http{rest}"));
    let mut url = http::endpoint(&as_http, path)?;
    let scheme = if url.scheme() == "https" { "wss" } else { "ws" };
    url.set_scheme(scheme).map_err(|()| "must be an http(s):// or ws(s):// URL".to_owned())?;
    Ok(url)
}

impl Sender {
    /// Sends text; waits while the provider does not read.
    pub(crate) async fn text(&mut self, text: impl Into<Utf8Bytes>) -> Result<(), ProviderError> {
        self.send(Message::Text(text.into())).await
    }

    /// Sends bytes; waits while the provider does not read.
    pub(crate) async fn binary(&mut self, bytes: impl Into<Bytes>) -> Result<(), ProviderError> {
        self.send(Message::Binary(bytes.into())).await
    }

    /// Says goodbye if that takes no waiting. The connection ends once both halves are dropped.
    pub(crate) fn leave(&mut self) {
        let _ = self.sink.send(Message::Close(None)).now_or_never();
    }

    async fn send(&mut self, message: Message) -> Result<(), ProviderError> {
        self.sink.send(message).await.map_err(|error| failure(&self.provider, &error))
    }
}

impl Receiver {
    /// Gives these messages before any other.
    pub(crate) fn precede(&mut self, early: VecDeque<Received>) {
        self.early = early;
    }

    /// The next message. Pings are answered while this is awaited.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] when the connection breaks without a goodbye, [`ErrorKind::Protocol`] when what comes is
    /// no WebSocket, or too large.
    pub(crate) async fn next(&mut self) -> Result<Received, ProviderError> {
        if let Some(early) = self.early.pop_front() {
            return Ok(early);
        }
        loop {
            return match self.stream.next().await {
                Some(Ok(Message::Text(text))) => Ok(Received::Text(text)),
                Some(Ok(Message::Binary(bytes))) => Ok(Received::Binary(bytes)),
                Some(Ok(Message::Close(frame))) => Ok(closed(frame)),
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => continue,
                Some(Err(error)) => Err(failure(&self.provider, &error)),
                None => Ok(closed(None)),
            };
        }
    }
}

/// Runs both halves of a conversation at once until the receiving one is done, so that neither ever waits for the other.
///
/// Where sending fails, the provider has often said why: the receiving half gets a moment to find it.
pub(crate) async fn converse<T>(
    sending: impl Future<Output = Result<(), ProviderError>>,
    receiving: impl Future<Output = Result<T, ProviderError>>,
) -> Result<T, ProviderError> {
    let (sending, mut receiving) = (pin!(sending), pin!(receiving));
    tokio::select! { biased;
        received = &mut receiving => received,
        sent = sending => match sent {
            Ok(()) => receiving.await,
            Err(error) => timeout(LAST_WORDS, receiving).await.unwrap_or(Err(error)),
        },
    }
}

fn closed(frame: Option<CloseFrame>) -> Received {
    frame.map_or(Received::Closed(NO_STATUS, String::new()), |frame| {
        Received::Closed(frame.code.into(), frame.reason.as_str().to_owned())
    })
}

fn refused(
    provider: &str,
    answer: &tokio_tungstenite::tungstenite::http::Response<Option<Vec<u8>>>,
    explain: impl FnOnce(&HeaderMap, &[u8]) -> String,
) -> ProviderError {
    let status = StatusCode::from_u16(answer.status().as_u16()).unwrap_or(StatusCode::BAD_GATEWAY);
    let said = explain(answer.headers(), answer.body().as_deref().unwrap_or_default());
    let detail = format!("status {}: {said}", status.as_u16());
    let retry_after = http::retry_after(answer.headers());
    ProviderError { provider: provider.to_owned().into(), kind: http::kind_of(status), retry_after, detail }
}

fn failure(provider: &str, error: &Error) -> ProviderError {
    let kind = match error {
        Error::Capacity(_) | Error::Protocol(_) | Error::Utf8(_) | Error::AttackAttempt => ErrorKind::Protocol,
        Error::Url(_) | Error::HttpFormat(_) => ErrorKind::Rejected,
        Error::ConnectionClosed
        | Error::AlreadyClosed
        | Error::Io(_)
        | Error::Tls(_)
        | Error::WriteBufferFull(_)
        | Error::Http(_) => ErrorKind::Unavailable,
    };
    // A connection that is cut shows as a violation of the protocol.
    let kind = if matches!(error, Error::Protocol(broken) if is_cut(broken)) { ErrorKind::Unavailable } else { kind };
    ProviderError::new(provider.to_owned(), kind, error)
}

const fn is_cut(broken: &tokio_tungstenite::tungstenite::error::ProtocolError) -> bool {
    use tokio_tungstenite::tungstenite::error::ProtocolError;
    matches!(broken, ProtocolError::ResetWithoutClosingHandshake | ProtocolError::HandshakeIncomplete)
}

const AGENT: &str = concat!("voice-relay/", env!("CARGO_PKG_VERSION"));
/// Enough for what is already under way.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// Largest message and frame: seconds of base64 sound, far below what hurts.
const LARGEST: usize = 16 << 20;
const READ_BUFFER: usize = 16 << 10;
/// RFC 6455, 7.1.5: no code was given.
const NO_STATUS: u16 = 1005;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_become_those_of_websockets() {
        for (base, expected) in [
            ("https://api.deepgram.com/v1", "wss://api.deepgram.com/v1/listen"),
            ("wss://api.deepgram.com/v1/", "wss://api.deepgram.com/v1/listen"),
            ("http://127.0.0.1:1", "ws://127.0.0.1:1/listen"),
            ("ws://127.0.0.1:1", "ws://127.0.0.1:1/listen"),
        ] {
            assert_eq!(endpoint(base, "listen").unwrap().as_str(), expected);
        }
        assert!(endpoint("ftp://h", "listen").is_err() && endpoint("", "listen").is_err());
    }

    #[test]
    fn secrets_in_headers_do_not_print() {
        let value = secret_header("test", "Token ", &"k-123".into()).unwrap();
        assert!(!format!("{value:?}").contains("k-123"));
        assert!(secret_header("test", "", &"line\nbreak".into()).is_err());
    }

    #[tokio::test]
    async fn who_cannot_send_hears_why() {
        let error = |detail: &str| ProviderError::new("test", ErrorKind::Unavailable, detail);
        let broken = async { Err(error("broken pipe")) };
        let (reason, reasons) = tokio::sync::oneshot::channel();
        let late = async { Err::<(), _>(reasons.await.map_or_else(|_| error("lost"), error)) };
        let conversation = converse(broken, late);
        let speaks = async { reason.send("quota spent") };
        assert_eq!(tokio::join!(conversation, speaks).0, Err(error("quota spent")));
    }

    #[tokio::test(start_paused = true)]
    async fn who_cannot_send_and_hears_nothing_says_so() {
        let error = || ProviderError::new("test", ErrorKind::Unavailable, "broken pipe");
        let silence = std::future::pending::<Result<(), ProviderError>>();
        assert_eq!(converse(async { Err(error()) }, silence).await, Err(error()));
        let done = converse(std::future::pending(), async { Ok(7) }).await;
        assert_eq!(done, Ok(7), "what was to be sent no longer matters");
    }

    #[tokio::test]
    async fn a_server_without_tls_is_an_error() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = endpoint(&format!("https://{}", listener.local_addr().unwrap()), "listen").unwrap();
        let connecting = connect("test", &url, HeaderMap::new(), |_, _| String::new());
        let serving = async {
            use tokio::io::AsyncWriteExt;
            let (mut socket, _) = listener.accept().await.unwrap();
            socket.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        };
        let (connected, ()) = tokio::join!(connecting, serving);
        assert_eq!(connected.err().map(|error| error.kind), Some(ErrorKind::Unavailable));
    }
}
