//! A server over HTTP: each request is a POST, answered by one JSON message or by a stream of events that ends with it.

use std::sync::{Mutex, PoisonError};

use providers::Secret;
use reqwest::{
    Client, Response, StatusCode,
    header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
    redirect::Policy,
};
use secrecy::ExposeSecret;
use serde_json::Value;

use super::{
    LARGEST,
    wire::{self, Age, Fault},
};

/// Where a server is, and the session it has given, if it did.
pub(super) struct Web {
    client: Client,
    url: String,
    session: Mutex<Option<HeaderValue>>,
}

impl Web {
    /// Whoever answers at `url`, shown this secret.
    ///
    /// # Errors
    /// The secret cannot be sent.
    pub(super) fn new(url: &str, secret: &Secret) -> Result<Self, String> {
        let mut headers = HeaderMap::new();
        if !secret.expose_secret().is_empty() {
            let bearer = format!("Bearer {}", secret.expose_secret());
            let mut bearer = HeaderValue::from_str(&bearer).map_err(|_| "its secret cannot stand in a header")?;
            bearer.set_sensitive(true);
            headers.insert(reqwest::header::AUTHORIZATION, bearer);
        }
        let client = Client::builder().redirect(Policy::none()).default_headers(headers).build();
        let client = client.map_err(|error| error.to_string())?;
        Ok(Self { client, url: url.to_owned(), session: Mutex::default() })
    }

    /// Forgets the session: the next one begins anew.
    pub(super) fn forget(&self) {
        *self.session.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Sends a message, and waits for the answer to request `id`, if it is one.
    pub(super) async fn send(&self, message: &Value, id: Option<u64>, age: Option<&Age>) -> Result<Value, Fault> {
        let mut request = self.client.post(&self.url).json(message).header(ACCEPT, BOTH);
        if let Some(age) = age {
            request = request.header(VERSION, age.version());
        }
        if age == Some(&Age::Stateless) {
            request = request.header(METHOD, message["method"].as_str().unwrap_or_default());
            if let Some(name) = message["params"]["name"].as_str().and_then(|name| HeaderValue::from_str(name).ok()) {
                request = request.header(NAME, name);
            }
        }
        let session = self.session.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(session) = session {
            request = request.header(SESSION, session);
        }
        let response = request.send().await.map_err(|error| match error.is_connect() {
            true => Fault::Unreached("no connection".to_owned()),
            false => Fault::Lost("the connection was lost".to_owned()),
        })?;
        if let Some(session) = response.headers().get(SESSION) {
            *self.session.lock().unwrap_or_else(PoisonError::into_inner) = Some(session.clone());
        }
        let status = response.status();
        match id {
            None if status.is_success() => Ok(Value::Null),
            Some(id) if status.is_success() => read(response, id).await,
            Some(id) => {
                // A refusal may be told in JSON-RPC's way, too.
                let told = read(response, id).await.err().filter(|fault| matches!(fault, Fault::Refused { .. }));
                Err(told.unwrap_or_else(|| refused(status)))
            }
            None => Err(refused(status)),
        }
    }
}

fn refused(status: StatusCode) -> Fault {
    let message = status.canonical_reason().unwrap_or_default().to_owned();
    Fault::Refused { code: i64::from(status.as_u16()), message }
}

async fn read(mut response: Response, id: u64) -> Result<Value, Fault> {
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let events = kind.starts_with("text/event-stream");
    let mut bytes = Vec::new();
    loop {
        let chunk = response.chunk().await.map_err(|_| Fault::Lost("the connection was lost".to_owned()))?;
        let ended = chunk.is_none();
        bytes.extend_from_slice(&chunk.unwrap_or_default());
        if bytes.len() > LARGEST {
            return Err(Fault::Lost("its answer is too large".to_owned()));
        }
        // An event ends with an empty line; until then it may be cut anywhere.
        if events {
            while let Some((event, rest)) = event(&bytes) {
                bytes = rest;
                if let Some(answer) = wire::answer(&event, id) {
                    return answer;
                }
            }
        }
        if ended {
            let text = String::from_utf8_lossy(&bytes);
            let text = if events { data(&text) } else { text.into_owned() };
            return wire::answer(&text, id).unwrap_or_else(|| Err(Fault::Lost("it gave no answer".to_owned())));
        }
    }
}

/// The data of the first whole event, and what comes behind it.
fn event(bytes: &[u8]) -> Option<(String, Vec<u8>)> {
    let ends = [&b"\n\n"[..], b"\r\n\r\n", b"\r\r"].map(|end| {
        let at = bytes.windows(end.len()).position(|window| window == end)?;
        Some((at, at + end.len()))
    });
    let (at, behind) = ends.into_iter().flatten().min()?;
    Some((data(&String::from_utf8_lossy(&bytes[..at])), bytes[behind..].to_vec()))
}

fn data(event: &str) -> String {
    let lines = event.lines().filter_map(|line| line.strip_prefix("data:"));
    lines.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect::<Vec<_>>().join("\n")
}

const BOTH: HeaderValue = HeaderValue::from_static("application/json, text/event-stream");
const VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
const METHOD: HeaderName = HeaderName::from_static("mcp-method");
const NAME: HeaderName = HeaderName::from_static("mcp-name");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_cut_at_empty_lines_and_their_data_joined() {
        assert_eq!(event(b"data: {\"a\":\ndata:1}\n"), None);
        let (first, rest) = event(b": hello\r\nevent: message\r\ndata: {\"a\":\r\ndata: 1}\r\n\r\ndata: next").unwrap();
        assert_eq!((first.as_str(), rest.as_slice()), ("{\"a\":\n1}", &b"data: next"[..]));
    }
}
