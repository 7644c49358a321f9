//! What a client is told when a request fails, in the two spellings clients parse.
//!
//! Answering with a [`Fault`] leaves its body blank; [`request::attend`](super::request::attend) writes it, since only
//! there path and request id are known.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::{
    opening, provider,
    spelling::{ErrorObject, FieldError, OpenAiError, Problem},
};
use crate::{auth::Denied, chat, metrics::Role, store::StoreError};

/// Why a request failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fault {
    status: StatusCode,
    /// For programs.
    code: &'static str,
    /// For people; says nothing of the inside.
    message: String,
    /// The offending field's path.
    field: Option<String>,
    retry_after: Option<Duration>,
}

impl Fault {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), field: None, retry_after: None }
    }

    /// A field says what cannot be.
    pub(super) fn invalid(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_value", message).at(field)
    }

    /// Names the offending field.
    pub(super) fn at(self, field: impl Into<String>) -> Self {
        Self { field: Some(field.into()), ..self }
    }

    /// Calls the offending field as its reader does.
    pub(super) fn spelled(mut self, spell: impl FnOnce(&str) -> &str) -> Self {
        self.field = self.field.map(|field| spell(&field).to_owned());
        self
    }

    /// Says that the offending field is a member of this one.
    pub(super) fn within(mut self, whole: &str) -> Self {
        self.field = self.field.map(|field| format!("{whole}.{field}"));
        self
    }

    /// What another door would answer otherwise is a body that cannot be taken here.
    pub(super) fn unprocessable(self) -> Self {
        Self { status: StatusCode::UNPROCESSABLE_ENTITY, ..self }
    }

    /// Tells programs more exactly what is wrong.
    pub(super) fn coded(self, code: &'static str) -> Self {
        Self { code, ..self }
    }

    /// Why a conversation cannot be led as its settings ask.
    pub(super) fn unled(self) -> chat::Error {
        match self.status {
            status if status.is_server_error() => chat::Error::Internal,
            _ => chat::Error::Settings { code: self.code, field: self.field, message: self.message },
        }
    }

    /// Tells when to try again.
    pub(super) fn after(self, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..self }
    }

    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "There is nothing here, or it is not yours.")
    }

    fn store_away() -> Self {
        let message = "What is kept cannot be reached for now. Try again.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "storage_unavailable", message).after(STORE_RETRY)
    }

    pub(super) fn method_not_allowed() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "This method is not served here.")
    }

    pub(super) fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", "Something went wrong on our side.")
    }

    pub(super) fn missing_credential() -> Self {
        let message = "You did not provide a credential. Send it as `Authorization: Bearer …`.";
        Self::new(StatusCode::UNAUTHORIZED, "missing_api_key", message)
    }

    fn wrong_credential() -> Self {
        let message = "The credential you provided is wrong, expired or revoked.";
        Self::new(StatusCode::UNAUTHORIZED, "invalid_api_key", message)
    }

    /// A credential that was good once, and is not any more.
    pub(super) fn ended_credential() -> Self {
        Self::wrong_credential()
    }

    /// A frame of a socket that cannot be taken.
    pub(super) fn bad_frame(code: &'static str, message: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    pub(super) fn too_many(wait: Duration) -> Self {
        let message = "These are more requests than one caller may make. Slow down.";
        Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limit_exceeded", message).after(wait)
    }

    pub(super) fn read_only() -> Self {
        let message = "A viewer reads what is theirs and changes nothing.";
        Self::new(StatusCode::FORBIDDEN, "read_only", message)
    }

    pub(super) fn forbidden(scope: &str) -> Self {
        let message = format!("This credential may not do that: it takes the scope `{scope}`.");
        Self::new(StatusCode::FORBIDDEN, "insufficient_scope", message)
    }

    /// Writes the body, in the spelling that readers of this path parse.
    pub(super) fn write(&self, path: &str, id: &str, response: &mut Response) {
        let (kind, body) = if Dialect::of(path) == Dialect::OpenAi {
            ("application/json", self.openai(id))
        } else {
            ("application/problem+json", self.problem(id))
        };
        *response.body_mut() = Body::from(body.to_string());
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        response.headers_mut().remove(header::CONTENT_LENGTH);
    }

    /// The status in this dialect: OpenAI's clients know 400 for what is otherwise 422.
    fn status_in(&self, dialect: Dialect) -> StatusCode {
        match dialect {
            Dialect::OpenAi if self.status == StatusCode::UNPROCESSABLE_ENTITY => StatusCode::BAD_REQUEST,
            Dialect::OpenAi | Dialect::Problem => self.status,
        }
    }

    /// Sets the status that belongs to the path.
    pub(super) fn set_status(&self, path: &str, response: &mut Response) {
        *response.status_mut() = self.status_in(Dialect::of(path));
    }

    /// The OpenAI error object as an event of a stream that has begun; the log's id is in the response's header.
    pub(super) fn event(&self) -> serde_json::Value {
        let mut body = self.openai("in the header `x-request-id`");
        body["type"] = json!("error");
        body
    }

    /// As an event of a conversation that goes on: what failed, and whether the same may be asked for again.
    pub(super) fn interruption(&self) -> serde_json::Value {
        let passing = [StatusCode::TOO_MANY_REQUESTS, StatusCode::CONFLICT].contains(&self.status);
        let recoverable = passing || self.status.is_server_error();
        json!({"type": "error", "code": self.code, "message": self.message, "recoverable": recoverable})
    }

    /// As an event of a socket, which goes on if it is `recoverable`.
    pub(super) fn on_socket(&self, recoverable: bool) -> serde_json::Value {
        let mut event =
            json!({"type": "error", "code": self.code, "message": self.message, "recoverable": recoverable});
        if let Some(field) = &self.field {
            event["field"] = field.as_str().into();
        }
        event
    }

    /// The same fault on a page of its own: its status and headers are those of the page.
    pub(super) fn shown(self, page: Response) -> Response {
        let (mut response, (mut parts, body)) = (self.into_response(), page.into_parts());
        response.extensions_mut().remove::<Arc<Self>>();
        parts.status = response.status();
        parts.headers.extend(std::mem::take(response.headers_mut()));
        Response::from_parts(parts, body)
    }

    /// RFC 9457.
    fn problem(&self, id: &str) -> serde_json::Value {
        let error = |field| [FieldError { field, message: &self.message }];
        json!(Problem {
            r#type: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            detail: &self.message,
            code: self.code,
            errors: self.field.as_deref().map(error),
            request_id: Some(id).filter(|_| self.status.is_server_error()),
        })
    }

    fn openai(&self, id: &str) -> serde_json::Value {
        let kind = match self.status_in(Dialect::OpenAi) {
            StatusCode::TOO_MANY_REQUESTS => "rate_limit_error",
            status if status.is_server_error() => "server_error",
            _ => "invalid_request_error",
        };
        let message = if self.status.is_server_error() {
            format!("{} Quote the request id {id} when you ask about it.", self.message)
        } else {
            self.message.clone()
        };
        let error = ErrorObject { message: &message, r#type: kind, param: self.field.as_deref(), code: self.code };
        json!(OpenAiError { error })
    }
}

/// How errors are spelled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Dialect {
    /// The OpenAI error object.
    OpenAi,
    /// problem+json.
    Problem,
}

impl Dialect {
    pub(super) fn of(path: &str) -> Self {
        let theirs = ["/v1", "/openai"].iter().filter_map(|root| path.strip_prefix(root));
        if theirs.into_iter().any(|rest| rest.is_empty() || rest.starts_with('/')) {
            Self::OpenAi
        } else {
            Self::Problem
        }
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        let headers = response.headers_mut();
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(wait) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs() + u64::from(wait.subsec_nanos() > 0)));
        }
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

/// When to ask again for what the database could not do.
const STORE_RETRY: Duration = Duration::from_secs(5);

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::not_found(),
            error if error.is_passing() => {
                tracing::error!(error = &error as &dyn std::error::Error, "the store is not there for now");
                Self::store_away()
            }
            StoreError::Open { .. } | StoreError::Migrate(_) | StoreError::Database(_) => {
                tracing::error!(error = &error as &dyn std::error::Error, "the store failed");
                Self::internal()
            }
        }
    }
}

impl From<Denied> for Fault {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Wrong => Self::wrong_credential(),
            Denied::TooMany { retry_after } => {
                let message = "Too many wrong credentials came from your address. Wait and try again.";
                Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limit_exceeded", message).after(retry_after)
            }
            Denied::Unavailable(error) => error.into(),
        }
    }
}

impl From<chat::Error> for Fault {
    fn from(error: chat::Error) -> Self {
        let conflict = |code, message: &str| Self::new(StatusCode::CONFLICT, code, message);
        match error {
            chat::Error::NotFound => Self::not_found(),
            chat::Error::NothingToAnswer => {
                let message = "Nobody waits for the assistant here: post a message of the role `user` first.";
                conflict("nothing_to_answer", message)
            }
            chat::Error::Busy => {
                let message = "Another reply is being made in this conversation: wait for it.";
                conflict("reply_in_progress", message).after(Duration::from_secs(2))
            }
            chat::Error::VoiceLive => {
                let message =
                    "A voice session is live in this conversation, and answers in it: speak or type there, or end it.";
                conflict("voice_session_live", message).after(Duration::from_secs(10))
            }
            chat::Error::Settings { code, field, message } => {
                let fault = Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, message);
                match field {
                    Some(field) => fault.at(field),
                    None => fault,
                }
            }
            chat::Error::Taken => {
                let message = "Another message of this session has this `client_message_id`.";
                Self::invalid("client_message_id", message)
            }
            chat::Error::NoAttachment(id) => {
                let message = format!("There is no attachment {id} in this conversation.");
                Self::invalid("attachments", message).coded("no_such_attachment")
            }
            chat::Error::UnreadAttachment(id) => {
                let message = format!("The attachment {id} is not read yet: send the message again in a moment.");
                conflict("attachment_pending", &message).at("attachments").after(Duration::from_secs(1))
            }
            chat::Error::Cancelled => conflict("cancelled", "The answer was cancelled before there was a word of it."),
            chat::Error::Draining => opening::draining(),
            chat::Error::Model(error) => provider::fault(Role::Think, &error),
            chat::Error::StoreAway => Self::store_away(),
            chat::Error::Internal => Self::internal(),
        }
    }
}
