//! A shared conversation for programs: one object, written as it is read, so that none is too long.

use axum::{
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use providers::Secret;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Opened, PRIVATE, Visit};
use crate::{
    documents::export::{Message, Modality, Role, Status},
    knowledge::source::Cited,
    rest::{
        body::{Strict, secret},
        fault::Fault,
        page::time,
    },
    store::shares::Door,
};

/// What opens a link.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "LinkPassword")]
pub(in crate::rest) struct Params {
    /// Absent or null: it opens without.
    #[serde(default, deserialize_with = "secret")]
    #[schemars(with = "Option<String>")]
    password: Option<Secret>,
}

/// What is told above the messages.
#[derive(Serialize, JsonSchema)]
struct Head<'a> {
    title: Option<&'a str>,
    /// Whether all that was said is among the messages.
    complete: bool,
    message_count: u64,
    #[schemars(extend("format" = "date-time"))]
    created_at: String,
    #[schemars(extend("format" = "date-time"))]
    updated_at: String,
    /// When the link ends.
    #[schemars(extend("format" = "date-time"))]
    expires_at: String,
}

/// A message as strangers read it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "SharedMessage")]
struct View<'a> {
    role: Role,
    /// `text` or `audio`.
    modality: Modality,
    content: &'a str,
    status: Status,
    tool_call: Option<ToolCall<'a>>,
    /// What it cites, by the numbers in its words.
    citations: Vec<&'a Cited>,
    #[schemars(extend("format" = "date-time"))]
    created_at: String,
}

/// The function call that a message makes or answers.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "SharedToolCall")]
struct ToolCall<'a> {
    name: Option<&'a str>,
    arguments: Option<&'a str>,
}

/// `GET /api/shared/{token}`: 404 unknown or revoked, 410 expired, 401 with a code where something has to be shown.
pub(in crate::rest) async fn show(visit: Visit, headers: HeaderMap) -> Result<Response, Fault> {
    let password = headers.get("x-share-password").map(|value| value.as_bytes());
    let password = password.map(|bytes| String::from_utf8_lossy(bytes).into_owned().into());
    Ok(written(visit.open(password).await?))
}

/// `POST /api/shared/{token}`: the same with a password in the body.
pub(in crate::rest) async fn unlock(visit: Visit, Strict(params): Strict<Params>) -> Result<Response, Fault> {
    Ok(written(visit.open(params.password).await?))
}

fn written(opened: Opened) -> Response {
    let Opened { door: Door { session, messages, expires_at, .. }, history } = opened;
    let head = text(&Head {
        title: session.title.as_deref(),
        complete: session.complete,
        message_count: messages,
        created_at: time(session.created_at),
        updated_at: time(session.updated_at),
        expires_at: time(expires_at),
    });
    let head = format!("{},\"messages\":[", head.strip_suffix('}').unwrap_or(&head));
    let message = |message: &Message, first: bool| {
        let comma = if first { "" } else { "," };
        format!("{comma}\n{}", text(&View::from(message)))
    };
    let body = history.written(head, message, || "\n]}\n".to_owned());
    let kind = HeaderValue::from_static("application/json");
    ([PRIVATE, (header::CONTENT_TYPE, kind)], body).into_response()
}

/// Plain data has no way not to be JSON.
fn text(data: &impl Serialize) -> String {
    serde_json::to_string(data).unwrap_or_else(|_| "null".to_owned())
}

impl<'a> From<&'a Message> for View<'a> {
    fn from(message: &'a Message) -> Self {
        let call = message.call.as_ref();
        Self {
            role: message.role,
            modality: message.modality,
            content: &message.content,
            status: message.status,
            tool_call: call.map(|call| ToolCall { name: call.name.as_deref(), arguments: call.arguments.as_deref() }),
            citations: message.citations.iter().map(|citation| &citation.cited).collect(),
            created_at: time(message.at),
        }
    }
}

/// All of it, as [`written`] writes it.
#[derive(JsonSchema)]
#[schemars(rename = "SharedSession")]
#[expect(dead_code, reason = "only its schema is looked at: it is written piece by piece")]
pub(super) struct Shared<'a> {
    #[schemars(flatten)]
    head: Head<'a>,
    messages: Vec<View<'a>>,
}
