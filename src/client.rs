//! A client of the realtime protocol, for the commands that talk to a relay.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use futures_util::{
    SinkExt, StreamExt,
    stream::{SplitSink, SplitStream},
};
use providers::Secret;
use secrecy::ExposeSecret;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config,
    tungstenite::{self, ClientRequestBuilder, Message, Utf8Bytes, http::Uri},
};

/// A connection that did not come about, or broke.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The address cannot be used.
    #[error("`{0}` is not the URL of a relay; write http://127.0.0.1:8080")]
    Url(String),
    /// Nobody listens, or the handshake was refused.
    #[error("cannot connect to {url}: {reason}")]
    Connect {
        /// Where.
        url: String,
        /// Why, in words.
        reason: String,
    },
    /// The connection ended early.
    #[error("the relay closed the connection{0}")]
    Closed(String),
    /// Nothing came in time.
    #[error("no answer from the relay within {0:?}")]
    Silent(Duration),
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Sends client events.
pub(crate) struct Sender(SplitSink<Socket, Message>);

/// Receives server events.
pub(crate) struct Receiver(SplitStream<Socket>);

/// Connects to the relay at `base` (`http://host:port`, with or without `/v1`).
pub(crate) async fn connect(base: &str, model: &str, key: &Secret) -> Result<(Sender, Receiver), ClientError> {
    let url = websocket_url(base, model)?;
    let uri: Uri = url.parse().map_err(|_| ClientError::Url(base.to_owned()))?;
    let request =
        ClientRequestBuilder::new(uri).with_header("Authorization", format!("Bearer {}", key.expose_secret()));
    let connector = url.starts_with("ws:").then_some(Connector::Plain);
    let (socket, _) = connect_async_tls_with_config(request, None, true, connector)
        .await
        .map_err(|error| ClientError::Connect { url: url.clone(), reason: explain(error) })?;
    let (sender, receiver) = socket.split();
    Ok((Sender(sender), Receiver(receiver)))
}

impl Sender {
    /// Sends one event.
    pub(crate) async fn send(&mut self, event: &Value) -> Result<(), ClientError> {
        self.send_text(event.to_string().into()).await
    }

    /// Sends one event that is JSON already.
    pub(crate) async fn send_text(&mut self, event: Utf8Bytes) -> Result<(), ClientError> {
        self.0.send(Message::Text(event)).await.map_err(|error| ClientError::Closed(format!(": {error}")))
    }

    /// Appends PCM16 samples at 24 kHz.
    pub(crate) async fn append(&mut self, samples: &[i16]) -> Result<(), ClientError> {
        let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        let audio = BASE64_STANDARD.encode(bytes);
        self.send(&serde_json::json!({ "type": "input_audio_buffer.append", "audio": audio })).await
    }

    /// Says goodbye.
    pub(crate) async fn close(mut self) {
        let _already_gone = self.0.close().await;
    }
}

impl Receiver {
    /// The next event, at most `patience` later.
    pub(crate) async fn next(&mut self, patience: Duration) -> Result<Value, ClientError> {
        let text = tokio::time::timeout(patience, self.next_text()).await;
        let text = text.map_err(|_| ClientError::Silent(patience))??;
        serde_json::from_str(&text).map_err(|error| ClientError::Closed(format!(": it sent no JSON: {error}")))
    }

    /// The next event as it came.
    pub(crate) async fn next_text(&mut self) -> Result<Utf8Bytes, ClientError> {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Text(text))) => return Ok(text),
                Some(Ok(Message::Close(Some(frame)))) => {
                    return Err(ClientError::Closed(format!(" ({} {})", frame.code, frame.reason)));
                }
                Some(Ok(Message::Close(None))) | None => return Err(ClientError::Closed(String::new())),
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Binary(_) | Message::Frame(_))) => {}
                Some(Err(error)) => return Err(ClientError::Closed(format!(": {error}"))),
            }
        }
    }
}

/// Samples of a base64 PCM16 delta.
pub(crate) fn samples(delta: &str) -> Vec<i16> {
    let bytes = BASE64_STANDARD.decode(delta).unwrap_or_default();
    bytes.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect()
}

fn websocket_url(base: &str, model: &str) -> Result<String, ClientError> {
    let trimmed = base.trim_end_matches('/').trim_end_matches("/v1");
    let rest = match (trimmed.strip_prefix("http"), trimmed.strip_prefix("ws")) {
        (Some(rest), _) | (None, Some(rest)) if rest.starts_with("://") || rest.starts_with("s://") => rest,
        _ => return Err(ClientError::Url(base.to_owned())),
    };
    Ok(format!("ws{rest}/v1/realtime?model={model}"))
}

fn explain(error: tungstenite::Error) -> String {
    if let tungstenite::Error::Http(response) = &error {
        return match response.status().as_u16() {
            401 => {
                "the key was refused (401): give one with --key, or name the data of that relay with --data-dir".into()
            }
            status => format!("it answered {status}"),
        };
    }
    if let tungstenite::Error::Io(error) = &error
        && error.kind() == std::io::ErrorKind::ConnectionRefused
    {
        return "nobody listens there; is the relay running? `voice-relay serve` starts it".into();
    }
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base_urls_of_all_kinds_lead_to_the_realtime_endpoint() {
        for base in ["http://127.0.0.1:8080", "http://127.0.0.1:8080/v1/", "ws://127.0.0.1:8080"] {
            assert_eq!(websocket_url(base, "m").unwrap(), "ws://127.0.0.1:8080/v1/realtime?model=m");
        }
        assert_eq!(websocket_url("https://relay.example", "m").unwrap(), "wss://relay.example/v1/realtime?model=m");
        assert!(websocket_url("relay.example", "m").is_err());
    }
}
