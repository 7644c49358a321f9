//! `Idempotency-Key`: a POST that is sent again is answered as before, and done once.
//!
//! It holds for routes of ours that take JSON and a credential, per user and for a day. What is done goes on when its client
//! goes, so that whoever sends it again finds the answer. An answer that is an error is not kept, for nothing was done: the
//! same name may try again. Nor is one that streams. Of one that shows a secret once it is only kept that it was given.

use std::{any::Any, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use axum::{
    body::{Body, HttpBody, to_bytes},
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::FutureExt;
use jiff::SignedDuration;
use sha2::{Digest, Sha256};
use tracing::Instrument;
use uuid::Uuid;

use super::{Context, body, fault::Fault};
use crate::{
    auth::Principal,
    store::{
        UserId,
        idempotency::{self, Answer, Content, Named, Standing},
    },
};

/// Says that an answer was given before.
pub(super) const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// Whether a route honours it. Those of the hosted service's clients do not: they name no request by themselves.
pub(super) fn holds_for(path: &str) -> bool {
    ["/api/", "/voice/"].iter().any(|root| path.starts_with(root))
}

/// Does a request once, if it has a name. Comes after the guard: requests of nobody have no names.
pub(super) async fn honour(State(context): State<Arc<Context>>, request: Request, next: Next) -> Response {
    let user = request.extensions().get::<Principal>().map(|principal| principal.user);
    let named = request.method() == Method::POST && request.headers().contains_key(KEY);
    match user.filter(|_| named) {
        Some(user) => once(context, user, request, next).await.unwrap_or_else(IntoResponse::into_response),
        None => next.run(request).await,
    }
}

async fn once(context: Arc<Context>, user: UserId, request: Request, next: Next) -> Result<Response, Fault> {
    let key = key(request.headers())?;
    let (parts, body) = request.into_parts();
    let body = body::read(Request::from_parts(parts.clone(), body), &context).await?;
    let name = hex(&Sha256::digest(&key));
    let (fingerprint, now) = (fingerprint(&key, &parts, &body), context.now());
    let named = Named { user, name: &name, fingerprint: &fingerprint };
    match idempotency::begin(&context.db, named, now + RUNNING, now + KEPT, now).await? {
        Standing::Other => {
            let message = "Another request was sent with this `Idempotency-Key`: each has one of its own.";
            Err(Fault::invalid("idempotency-key", message).coded("idempotency_key_reused"))
        }
        Standing::Running => {
            let message = "The request of this `Idempotency-Key` is still running: ask again in a moment.";
            Err(Fault::new(StatusCode::CONFLICT, "idempotency_in_progress", message).after(Duration::from_secs(1)))
        }
        Standing::Answered(answer) => again(answer),
        Standing::Run(id) => {
            let shown_once = parts.extensions.get::<MatchedPath>().is_some_and(|path| SECRET.contains(&path.as_str()));
            let run = Run { context, user, name, fingerprint, id, shown_once };
            run.finish(Request::from_parts(parts, Body::from(body)), next).await
        }
    }
}

/// A request that is being done.
struct Run {
    context: Arc<Context>,
    user: UserId,
    name: String,
    fingerprint: [u8; 32],
    id: Uuid,
    shown_once: bool,
}

impl Run {
    /// Does it to its end, whether or not its client waits for that.
    async fn finish(self, request: Request, next: Next) -> Result<Response, Fault> {
        let hold = self.context.engine.drain.hold();
        let done = async move {
            let _hold = hold;
            let answered = AssertUnwindSafe(next.run(request)).catch_unwind().await;
            self.note(answered).await
        };
        match tokio::spawn(done.in_current_span()).await {
            Ok(Ok(response)) => Ok(response),
            // Whoever attends to the request tells it.
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            Err(_) => Err(Fault::internal()),
        }
    }

    /// Keeps what is to be answered again, and hands it on; a panic too.
    async fn note(&self, answered: Answered) -> Answered {
        let response = match answered {
            Ok(response) if response.status().is_success() => response,
            Ok(_) | Err(_) => {
                self.give_up().await;
                return answered;
            }
        };
        let Some(length) = response.body().size_hint().exact() else {
            self.give_up().await;
            return Ok(response);
        };
        if self.shown_once || length > LARGEST {
            self.keep(response.status(), None).await;
            return Ok(response);
        }
        let (parts, body) = response.into_parts();
        let Ok(body) = to_bytes(body, usize::MAX).await else { return Ok(Fault::internal().into_response()) };
        let content = Content { headers: written(&parts.headers), body: body.to_vec() };
        self.keep(parts.status, Some(content)).await;
        Ok(Response::from_parts(parts, Body::from(body)))
    }

    async fn keep(&self, status: StatusCode, content: Option<Content>) {
        let answer = Answer { status: status.as_u16(), content };
        if let Err(error) = idempotency::answer(&self.context.db, self.named(), self.id, &answer).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "an answer is not kept to be given again");
        }
    }

    async fn give_up(&self) {
        if let Err(error) = idempotency::give_up(&self.context.db, self.named(), self.id).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "a request counts as running for a while");
        }
    }

    fn named(&self) -> Named<'_> {
        Named { user: self.user, name: &self.name, fingerprint: &self.fingerprint }
    }
}

/// What a route answered, or the panic it ended in.
type Answered = Result<Response, Box<dyn Any + Send>>;

/// What was answered before.
fn again(answer: Answer) -> Result<Response, Fault> {
    let Some(content) = answer.content else {
        let message = "This was done, and its answer is not shown twice: it held a secret, or too much to keep.";
        return Err(Fault::new(StatusCode::CONFLICT, "idempotency_already_done", message));
    };
    let status = StatusCode::from_u16(answer.status).map_err(|_| Fault::internal())?;
    let mut response = (status, content.body).into_response();
    response.headers_mut().remove(header::CONTENT_TYPE);
    response.headers_mut().extend(read(&content.headers));
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    Ok(response)
}

/// The name of a request.
fn key(headers: &HeaderMap) -> Result<Vec<u8>, Fault> {
    let wrong = |message: &str| Fault::invalid("idempotency-key", message).coded("invalid_idempotency_key");
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.trim_start().to_ascii_lowercase().starts_with("multipart/") {
        return Err(wrong("Uploads take no `Idempotency-Key`: leave it out.").coded("idempotency_unsupported"));
    }
    let mut given = headers.get_all(KEY).into_iter();
    match (given.next(), given.next()) {
        (Some(key), None) if (1..=LONGEST).contains(&key.len()) && key.as_bytes().iter().all(u8::is_ascii_graphic) => {
            Ok(key.as_bytes().to_vec())
        }
        _ => Err(wrong("`Idempotency-Key` is sent once and has 1 to 255 visible characters of ASCII.")),
    }
}

/// What tells requests apart. Bodies may hold passwords, so the key, of which only a hash is kept, goes in.
fn fingerprint(key: &[u8], parts: &Parts, body: &[u8]) -> [u8; 32] {
    let target = parts.uri.path_and_query().map_or("", |target| target.as_str());
    let mut hash = Sha256::new();
    for part in [key, target.as_bytes(), body] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The headers that are given again.
fn written(headers: &HeaderMap) -> String {
    let kept = HEADERS.iter().filter_map(|name| Some((name.as_str(), headers.get(name)?.to_str().ok()?)));
    serde_json::to_string(&kept.collect::<Vec<_>>()).unwrap_or_default()
}

fn read(headers: &str) -> HeaderMap {
    let kept: Vec<(String, String)> = serde_json::from_str(headers).unwrap_or_default();
    kept.into_iter().filter_map(|(name, value)| Some((name.parse::<HeaderName>().ok()?, value.parse().ok()?))).collect()
}

/// The request's header (draft-ietf-httpapi-idempotency-key-header).
const KEY: &str = "idempotency-key";
/// Longest name, in bytes.
const LONGEST: usize = 255;
/// What is given again beside status and body.
const HEADERS: [HeaderName; 3] = [header::CONTENT_TYPE, header::LOCATION, header::LINK];
/// Routes whose answers hold a secret that is shown once.
const SECRET: [&str; 4] =
    ["/api/keys", "/api/sessions/{id}/share", "/voice/realtime-session", "/api/voice/realtime-session"];
/// Largest body that is kept, in bytes: no answer of ours that is not a stream is larger than a message.
const LARGEST: u64 = 2 << 20;
/// How long answers are given again.
const KEPT: SignedDuration = SignedDuration::from_hours(24);
/// When a request of which nothing is heard counts as gone: its process died. The longest, a reply, takes minutes.
const RUNNING: SignedDuration = SignedDuration::from_mins(5);
