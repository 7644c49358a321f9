//! JSON bodies, taken strictly: a field we do not know is told, never dropped.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
    http::{HeaderMap, StatusCode, header},
};
use providers::Secret;
use serde::{
    Deserialize, Deserializer,
    de::{self, DeserializeOwned},
};
use tokio::time::timeout;

use super::{Context, fault::Fault, objects::Objects};

/// A JSON body. `T` must refuse unknown fields.
pub(super) struct Strict<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Arc<Context>> for Strict<T> {
    type Rejection = Fault;

    async fn from_request(request: Request, context: &Arc<Context>) -> Result<Self, Fault> {
        if !is_json(request.headers()) {
            let message = "The body must be JSON, sent with `content-type: application/json`.";
            return Err(Fault::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", message));
        }
        parse(&read(request, context).await?).map(Self)
    }
}

/// The whole body, up to the limit of the route.
pub(super) async fn read(request: Request, context: &Arc<Context>) -> Result<Bytes, Fault> {
    let reading = timeout(PATIENCE, Bytes::from_request(request, context)).await;
    let late = || Fault::new(StatusCode::REQUEST_TIMEOUT, "upload_timeout", "The body took too long to come.");
    reading.map_err(|_| late())?.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => too_large(),
        _ => Fault::new(StatusCode::BAD_REQUEST, "unreadable_body", "The body could not be read to its end."),
    })
}

/// Reads JSON, naming the field that does not fit.
pub(super) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Fault> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(Objects(&mut reader)).map_err(|error| {
        let path = error.path().to_string();
        refusal(&path, &error.into_inner())
    })?;
    reader.end().map_err(|error| refusal(".", &error))?;
    Ok(value)
}

/// For a field that may be absent, null or there: null is `Some(None)`.
pub(super) fn given<'de, T: Deserialize<'de>, D: Deserializer<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

/// For a field that may hold a secret: what came in place of one is not repeated.
pub(super) fn secret<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Secret>, D::Error> {
    Option::deserialize(from).map_err(|_| de::Error::custom("this must be a string"))
}

fn refusal(path: &str, error: &serde_json::Error) -> Fault {
    let text = error.to_string();
    let message = text.split(" at line ").next().unwrap_or_default();
    if !error.is_data() {
        let message = format!("The body is not valid JSON: {text}.");
        return Fault::new(StatusCode::BAD_REQUEST, "invalid_json", message);
    }
    let quoted = message.split('`').nth(1);
    let (code, field) = match quoted {
        Some(name) if message.starts_with("unknown field") => ("unknown_parameter", below(path, name)),
        Some(name) if message.starts_with("missing field") => ("missing_required_parameter", below(path, name)),
        _ => ("invalid_value", path.to_owned()),
    };
    Fault::new(StatusCode::UNPROCESSABLE_ENTITY, code, format!("{}.", capitalised(message))).at(field)
}

/// The path of a member of the object at `path`, which may already name it.
fn below(path: &str, name: &str) -> String {
    match path {
        "." | "" => name.to_owned(),
        path if path == name || path.ends_with(&format!(".{name}")) => path.to_owned(),
        path => format!("{path}.{name}"),
    }
}

pub(super) fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

pub(super) fn too_large() -> Fault {
    Fault::new(StatusCode::PAYLOAD_TOO_LARGE, "payload_too_large", "The body is larger than this route takes.")
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind.eq_ignore_ascii_case("application/json") || kind.ends_with("+json")
}

/// How long a JSON body may take to come: 256 KiB over the slowest telephone.
const PATIENCE: Duration = Duration::from_secs(60);
