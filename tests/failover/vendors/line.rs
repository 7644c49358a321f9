//! One connection of a stand-in, until its fate strikes.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_tungstenite::{WebSocketStream, accept_async, tungstenite::Message};

use super::{Fate, Vendor};

/// The connection is over.
pub(super) struct Gone;

pub(super) struct Line {
    medium: Medium,
    fate: Fate,
    sent: usize,
}

enum Medium {
    Web(Box<WebSocketStream<TcpStream>>),
    /// A request was read; what is written is the answer's body.
    Http(TcpStream),
}

/// What a connection begins with, while all of it stays unread.
pub(super) struct Head {
    pub(super) path: String,
    pub(super) text: String,
}

impl Head {
    pub(super) async fn of(stream: &TcpStream) -> Option<Self> {
        let mut head = vec![0; 16_384];
        loop {
            let read = stream.peek(&mut head).await.ok().filter(|read| *read > 0)?;
            let text = String::from_utf8_lossy(&head[..read]);
            if let Some((text, _)) = text.split_once("\r\n\r\n") {
                let path = text.split(' ').nth(1)?.to_owned();
                return Some(Self { path, text: text.to_owned() });
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// The key it shows, without the word before it.
    pub(super) fn key(&self) -> &str {
        let shown = self.text.lines().filter_map(|line| line.split_once(':'));
        let mut shown = shown.filter(|(name, _)| {
            ["authorization", "x-api-key", "xi-api-key"].iter().any(|known| name.eq_ignore_ascii_case(known))
        });
        shown.next().and_then(|(_, value)| value.split_whitespace().last()).unwrap_or_default()
    }
}

/// Reads the request and answers with this status, repeating in its reason whatever was sent, keys and all: no vendor
/// should, and some do.
pub(super) async fn refuse(stream: &mut TcpStream, head: &Head, status: u16) -> Result<(), Gone> {
    read_request(stream).await?;
    refuse_for(stream, &head.text, status).await
}

async fn refuse_for(stream: &mut TcpStream, reason: &str, status: u16) -> Result<(), Gone> {
    let body = json!({"error": {"message": reason}, "err_msg": reason, "detail": {"message": reason}});
    let body = body.to_string();
    let length = body.len();
    let answer = format!("HTTP/1.1 {status} No\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
    stream.write_all(answer.as_bytes()).await.map_err(|_| Gone)
}

impl Line {
    pub(super) async fn open(mut stream: TcpStream, head: &Head, vendor: Vendor, fate: Fate) -> Result<Self, Gone> {
        let _ = stream.set_nodelay(true);
        if let Fate::Refuse(status) = fate {
            refuse(&mut stream, head, status).await?;
            return Err(Gone);
        }
        let medium = match vendor {
            Vendor::Ear | Vendor::Aura | Vendor::Eleven => {
                Medium::Web(Box::new(accept_async(stream).await.map_err(|_| Gone)?))
            }
            Vendor::Claude | Vendor::DeepSeek => Medium::Http(stream),
        };
        Ok(Self { medium, fate, sent: 0 })
    }

    /// The body of the request; the answer's head is sent.
    pub(super) async fn request(&mut self) -> Result<serde_json::Value, Gone> {
        let Medium::Http(stream) = &mut self.medium else { return Err(Gone) };
        let body = read_request(stream).await?;
        if let Fate::Quote(status) = self.fate {
            refuse_for(stream, &quoted(&body), status).await?;
            return Err(Gone);
        }
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
        stream.write_all(head.as_bytes()).await.map_err(|_| Gone)?;
        serde_json::from_slice(&body).map_err(|_| Gone)
    }

    /// The next message of the relay.
    pub(super) async fn next(&mut self) -> Result<Message, Gone> {
        let Medium::Web(socket) = &mut self.medium else { return Err(Gone) };
        match socket.next().await {
            Some(Ok(Message::Close(_))) | Some(Err(_)) | None => Err(Gone),
            Some(Ok(message)) => Ok(message),
        }
    }

    /// Sends a message, or meets the connection's fate.
    pub(super) async fn send(&mut self, message: Message) -> Result<(), Gone> {
        let due = |after: usize| after == self.sent;
        match self.fate {
            Fate::Stall(after) if due(after) => return self.stall().await,
            Fate::Corrupt(after) if due(after) => {
                self.write(Message::text("{\"type\":\"Resul")).await?;
                return self.stall().await;
            }
            Fate::Reset(after) if due(after) => {
                let stream = match &self.medium {
                    Medium::Web(socket) => socket.get_ref(),
                    Medium::Http(stream) => stream,
                };
                let _ = stream.set_zero_linger();
                return Err(Gone);
            }
            Fate::Die(after) if due(after) => return Err(Gone),
            Fate::Well
            | Fate::Refuse(_)
            | Fate::Quote(_)
            | Fate::Stall(_)
            | Fate::Corrupt(_)
            | Fate::Reset(_)
            | Fate::Die(_) => {}
        }
        self.sent += 1;
        self.write(message).await
    }

    async fn write(&mut self, message: Message) -> Result<(), Gone> {
        match &mut self.medium {
            Medium::Web(socket) => socket.send(message).await.map_err(|_| Gone),
            Medium::Http(stream) => {
                let event = format!("data: {}\n\n", message.to_text().unwrap());
                stream.write_all(event.as_bytes()).await.map_err(|_| Gone)
            }
        }
    }

    /// Says a proper goodbye.
    pub(super) async fn close(mut self) {
        match &mut self.medium {
            Medium::Web(socket) => {
                let _ = socket.as_mut().close(None).await;
                while let Some(Ok(_)) = socket.next().await {}
            }
            Medium::Http(stream) => {
                let _ = stream.shutdown().await;
            }
        }
    }

    /// Takes what comes and says nothing, until the relay leaves.
    async fn stall(&mut self) -> Result<(), Gone> {
        match &mut self.medium {
            Medium::Web(socket) => while let Some(Ok(_)) = socket.next().await {},
            Medium::Http(stream) => {
                let mut rest = [0; 1_024];
                while stream.read(&mut rest).await.is_ok_and(|read| read > 0) {}
            }
        }
        Err(Gone)
    }
}

/// The end of a request's first message.
fn quoted(body: &[u8]) -> String {
    let asked: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let first = asked["messages"][0]["content"].as_str().unwrap_or_default();
    let end = first.chars().count().saturating_sub(QUOTED);
    first.chars().skip(end).collect()
}

/// Characters: what is repeated of a reason is not much longer.
const QUOTED: usize = 120;

async fn read_request(stream: &mut TcpStream) -> Result<Vec<u8>, Gone> {
    let (mut bytes, mut chunk) = (Vec::new(), [0; 16_384]);
    loop {
        let read = stream.read(&mut chunk).await.map_err(|_| Gone)?;
        if read == 0 {
            return Err(Gone);
        }
        bytes.extend_from_slice(&chunk[..read]);
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
        if bytes.len() >= end + 4 + length.unwrap_or(0) {
            return Ok(bytes.split_off(end + 4));
        }
    }
}
