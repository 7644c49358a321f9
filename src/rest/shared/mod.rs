//! `/shared/{token}` and `/api/shared/{token}`: a conversation as it is read by whoever has a link to it, as a page and as
//! JSON.
//!
//! Nothing of what is shown opens anything else: no ids, no names of users. What the link does not open is not told apart
//! beyond what its reader needs to know.

pub(super) mod json;
pub(super) mod page;

use std::{sync::Arc, time::Duration};

use axum::{
    Extension,
    extract::{FromRequestParts, Path},
    http::{HeaderName, HeaderValue, Method, StatusCode, request::Parts},
};
use providers::Secret;
use serde_json::json;

use super::{
    Context,
    fault::Fault,
    guard::Known,
    history::History,
    openapi::{Api, Operation, schema},
};
use crate::{
    auth::{Guess, Guesses, link},
    store::{
        StoreError,
        shares::{self, Door},
    },
};

/// Whoever stands before a link: what they have to show for it, but for the password.
pub(super) struct Visit {
    context: Arc<Context>,
    guesses: Arc<Guesses>,
    token: Secret,
    /// Whether the relay knows them.
    known: bool,
    /// Whether they come to read, rather than to see whether something is there.
    reads: bool,
}

impl FromRequestParts<Arc<Context>> for Visit {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, context: &Arc<Context>) -> Result<Self, Fault> {
        let Ok(Path(token)) = Path::<Secret>::from_request_parts(parts, context).await else {
            return Err(Fault::not_found());
        };
        let guesses = Extension::<Arc<Guesses>>::from_request_parts(parts, context).await;
        let Extension(guesses) = guesses.map_err(|_| Fault::internal())?;
        let Known(principal) = Known::from_request_parts(parts, context).await?;
        Ok(Self {
            context: Arc::clone(context),
            guesses,
            token,
            known: principal.is_some_and(|principal| principal.holds_key()),
            reads: parts.method != Method::HEAD,
        })
    }
}

/// A conversation that a link opened.
struct Opened {
    door: Door,
    history: History,
}

/// Why a link does not open.
enum Closed {
    /// There is no such link, or there is none any more.
    Unknown,
    /// It has ended by itself.
    Expired,
    /// It opens for those alone whom the relay knows.
    Strangers,
    /// It takes a password.
    Locked,
    /// That is not the password.
    Wrong,
    /// There were too many that were not.
    TooMany(Duration),
    /// It cannot be known now.
    Failed(Fault),
}

impl Visit {
    /// Opens the conversation and counts that.
    async fn open(&self, password: Option<Secret>) -> Result<Opened, Closed> {
        let Context { db, auth, engine, .. } = &*self.context;
        let door = shares::door(db, &link::kept(&self.token)).await?.ok_or(Closed::Unknown)?;
        let now = self.context.now();
        if door.expires_at <= now {
            return Err(Closed::Expired);
        }
        if !door.anonymous && !self.known {
            return Err(Closed::Strangers);
        }
        if let Some(kept) = &door.password {
            let password = password.ok_or(Closed::Locked)?;
            let guess =
                self.guesses.guess(door.share, &password, &kept.as_str().into(), auth.passwords(), &engine.clock).await;
            match guess.map_err(|busy| Closed::Failed(busy.into()))? {
                Guess::Right => {}
                Guess::Wrong => return Err(Closed::Wrong),
                Guess::TooMany { retry_after } => return Err(Closed::TooMany(retry_after)),
            }
        }
        if self.reads {
            shares::note_access(db, door.share, now).await?;
        }
        let history = History::new(db.clone(), door.user, door.session.id).without_files();
        Ok(Opened { door, history })
    }
}

impl From<StoreError> for Closed {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::Unknown,
            error @ (StoreError::Open { .. } | StoreError::Migrate(_) | StoreError::Database(_)) => {
                Self::Failed(error.into())
            }
        }
    }
}

impl From<Closed> for Fault {
    fn from(closed: Closed) -> Self {
        let locked = |code, message: &str| Self::new(StatusCode::UNAUTHORIZED, code, message);
        match closed {
            Closed::Unknown => {
                Self::new(StatusCode::NOT_FOUND, "not_found", "There is no such link, or it was revoked.")
            }
            Closed::Expired => Self::new(StatusCode::GONE, "link_expired", "This link has expired."),
            Closed::Strangers => {
                locked("credential_required", "This link opens only for those who send a credential of this relay.")
            }
            Closed::Locked => {
                let message = "This link takes a password: POST `{\"password\": …}`, or send `x-share-password`.";
                locked("password_required", message)
            }
            Closed::Wrong => locked("wrong_password", "This is not the password."),
            Closed::TooMany(wait) => {
                let message = "There were too many wrong passwords for this link. Wait and try again.";
                Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limit_exceeded", message).after(wait)
            }
            Closed::Failed(fault) => fault,
        }
    }
}

/// No search engine lists it.
const PRIVATE: (HeaderName, HeaderValue) =
    (HeaderName::from_static("x-robots-tag"), HeaderValue::from_static("noindex, nofollow"));

pub(super) fn describe(api: &mut Api) {
    let example = json!({
        "title": "Rain in Oslo",
        "complete": true,
        "message_count": 0,
        "created_at": "2026-01-01T00:00:00.000Z",
        "updated_at": "2026-01-01T00:00:00.000Z",
        "expires_at": "2026-01-02T00:00:00.000Z",
        "messages": [],
    });
    api.get("/api/shared/{token}", "open_link", "Reads a shared conversation")
        .open_to_all()
        .part("token", schema::name(), "The link's token.")
        .header("x-share-password", schema::text(), "The link's password, if it has one.")
        .gives::<json::Shared<'static>>(200, "The conversation.", example.clone())
        .refuses(401, LOCKED)
        .refuses(410, ENDED)
        .refuses(429, SLOW);
    api.post("/api/shared/{token}", "unlock_link", "Reads a shared conversation that takes a password")
        .open_to_all()
        .part("token", schema::name(), "The link's token.")
        .takes::<json::Params>(json!({"password": "correct horse"}))
        .gives::<json::Shared<'static>>(200, "The conversation.", example)
        .refuses(401, LOCKED)
        .refuses(410, ENDED)
        .refuses(429, SLOW);
    let password = json!({"type": "object", "properties": {"password": {"type": "string"}}});
    page_of(api.get("/shared/{token}", "show_shared_page", "Shows a shared conversation as a page"));
    let unlock = api.post("/shared/{token}", "unlock_shared_page", "Shows one that takes a password");
    page_of(unlock.takes_as("application/x-www-form-urlencoded", password, json!({"password": "correct horse"}), true))
        .refuses(400, "The body broke off.");
}

/// What is told of the page, however it is asked for.
fn page_of(operation: Operation<'_>) -> Operation<'_> {
    operation
        .open_to_all()
        .part("token", schema::name(), "The link's token.")
        .sends(200, "text/html", schema::text(), "The conversation as a page.")
        .sends(401, "text/html", schema::text(), LOCKED)
        .sends(404, "text/html", schema::text(), "There is no such link, or it was revoked.")
        .sends(410, "text/html", schema::text(), ENDED)
        .sends(429, "text/html", schema::text(), SLOW)
}

const LOCKED: &str = "It takes a password or a credential, or that was wrong.";
const ENDED: &str = "It has ended.";
const SLOW: &str = "There were too many wrong passwords, or credentials.";
