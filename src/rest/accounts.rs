//! `/api/auth/*` and `/api/users/me/password`: registering, logging in, staying logged in, logging out.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use providers::Secret;
use schemars::JsonSchema;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    Context,
    body::{self, Strict},
    fault::Fault,
    guard::{Known, Origin},
    openapi::Api,
    users,
};
use crate::{
    auth::{AccountError, Credential, Newcomer, Principal, Registration, Scope, Tokens, Via},
    store::StoreError,
};

/// What a person registers with.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Register {
    #[schemars(email, length(max = 254))]
    email: String,
    /// Not easily guessed.
    #[schemars(with = "String", length(min = 12, max = 256))]
    password: Secret,
    #[schemars(length(min = 1, max = 200))]
    full_name: String,
}

/// What a person logs in with.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct LogIn {
    email: String,
    #[schemars(with = "String")]
    password: Secret,
}

/// What keeps a person logged in.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Refresh {
    #[schemars(with = "String")]
    refresh_token: Secret,
}

/// Which login is to end; a body may be left out altogether.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields)]
struct LogOut {
    /// For whom the access token has run out. Absent: the login of the access token.
    #[schemars(with = "Option<String>")]
    refresh_token: Option<Secret>,
}

/// A change of password.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangePassword {
    #[schemars(with = "String")]
    current_password: Secret,
    #[schemars(with = "String", length(min = 12, max = 256))]
    new_password: Secret,
}

/// Tokens as clients read them (RFC 6749, 5.1).
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Tokens")]
struct View<'a> {
    access_token: &'a str,
    refresh_token: &'a str,
    token_type: &'static str,
    /// Seconds.
    expires_in: u64,
}

/// `POST /api/auth/register`: 201 with the user. Where registration is closed, an admin registers others.
pub(super) async fn register(
    State(context): State<Arc<Context>>,
    Origin(from): Origin,
    Known(principal): Known,
    Strict(params): Strict<Register>,
) -> Result<Response, Fault> {
    let admin = principal.is_some_and(|principal| principal.may(Scope::Admin));
    if context.config.accounts.registration == Registration::Closed && !admin {
        let message = "Registration is closed here: ask whoever runs this relay for an account.";
        return Err(Fault::new(StatusCode::FORBIDDEN, "registration_closed", message));
    }
    let (email, full_name) = (users::email(&params.email)?, users::full_name(&params.full_name)?);
    let new = Newcomer { email, full_name, password: &params.password };
    let made = context.auth.register(new, from.filter(|_| !admin)).await;
    let user = made.map_err(|error| fault(error, "password"))?;
    Ok((StatusCode::CREATED, Json(users::View::from(user))).into_response())
}

/// `POST /api/auth/login`.
pub(super) async fn log_in(
    State(context): State<Arc<Context>>,
    Origin(from): Origin,
    Strict(params): Strict<LogIn>,
) -> Result<Response, Fault> {
    let email = params.email.trim();
    let tokens = context.auth.log_in(&context.config.accounts, email, &params.password, from).await;
    tokens.map(answer).map_err(|error| fault(error, "password"))
}

/// `POST /api/auth/refresh`: new tokens for a refresh token, which is spent by that.
pub(super) async fn refresh(
    State(context): State<Arc<Context>>,
    Strict(params): Strict<Refresh>,
) -> Result<Response, Fault> {
    let tokens = context.auth.refresh(&context.config.accounts, &params.refresh_token).await;
    tokens.map(answer).map_err(|error| match error {
        AccountError::Wrong => {
            let message = "The refresh token is wrong, expired, spent or revoked: log in again.";
            Fault::new(StatusCode::UNAUTHORIZED, "invalid_refresh_token", message)
        }
        error @ (AccountError::Weak(_)
        | AccountError::Taken
        | AccountError::TooMany { .. }
        | AccountError::Busy
        | AccountError::Unavailable(_)) => fault(error, "refresh_token"),
    })
}

/// `POST /api/auth/logout`: 204. The login of the access token ends, or that of the refresh token in the body.
pub(super) async fn log_out(
    State(context): State<Arc<Context>>,
    Origin(from): Origin,
    request: Request,
) -> Result<Response, Fault> {
    let credential = Credential::of_request(request.headers());
    let bytes = body::read(request, &context).await?;
    let params: LogOut = if bytes.is_empty() { LogOut::default() } else { body::parse(&bytes)? };
    if let Some(token) = params.refresh_token {
        context.auth.log_out_by_token(&token).await?;
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let credential = credential.ok_or_else(Fault::missing_credential)?;
    let principal = context.auth.authenticate(&credential, from).await?;
    match principal.via {
        Via::AccessToken(login) => context.auth.log_out(principal.user, login).await?,
        Via::AdminKey | Via::ApiKey(_) | Via::ClientSecret(_) => {
            let message = "Only a login can be logged out. An API key ends by `DELETE /api/keys/{id}`.";
            return Err(Fault::new(StatusCode::CONFLICT, "not_a_login", message));
        }
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `POST /api/users/me/password`: 204; every other login of the caller ends.
pub(super) async fn change_password(
    State(context): State<Arc<Context>>,
    Origin(from): Origin,
    principal: Principal,
    Strict(params): Strict<ChangePassword>,
) -> Result<Response, Fault> {
    let (current, new) = (&params.current_password, &params.new_password);
    match context.auth.change_password(&principal, current, new, from).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT.into_response()),
        Err(AccountError::Wrong) => {
            let message = "This is not your current password.";
            Err(Fault::invalid("current_password", message).coded("wrong_password"))
        }
        Err(AccountError::Unavailable(StoreError::NotFound)) => {
            let message = "This account has no password: nobody logs in to it.";
            Err(Fault::new(StatusCode::CONFLICT, "no_password", message))
        }
        Err(error) => Err(fault(error, "new_password")),
    }
}

fn answer(tokens: Tokens) -> Response {
    let view = View {
        access_token: tokens.access.expose_secret(),
        refresh_token: tokens.refresh.expose_secret(),
        token_type: "Bearer",
        expires_in: tokens.expires_in.as_secs(),
    };
    Json(view).into_response()
}

/// `field` is where the password stands that was chosen.
fn fault(error: AccountError, field: &str) -> Fault {
    match error {
        AccountError::Wrong => {
            let message = "The e-mail or the password is wrong.";
            Fault::new(StatusCode::UNAUTHORIZED, "invalid_credentials", message)
        }
        AccountError::Weak(reason) => Fault::invalid(field, reason).coded("weak_password"),
        AccountError::Taken => users::taken(),
        AccountError::TooMany { retry_after } => {
            let message = "Too many attempts. Wait and try again.";
            Fault::new(StatusCode::TOO_MANY_REQUESTS, "rate_limit_exceeded", message).after(retry_after)
        }
        AccountError::Busy => {
            let message = "Too many people are logging in at this moment. Try again.";
            Fault::new(StatusCode::SERVICE_UNAVAILABLE, "busy", message).after(BUSY)
        }
        AccountError::Unavailable(error) => error.into(),
    }
}

/// When to try again where too many passwords are being checked: the queue is through by then.
const BUSY: Duration = Duration::from_secs(2);

pub(super) fn describe(api: &mut Api) {
    let (email, password) = ("ann@example.org", "wheel-fjord-candle-52");
    let tokens = json!({"access_token": "eyJ…", "refresh_token": "vrr_…", "token_type": "Bearer", "expires_in": 900});
    api.chapter("Accounts", "People: registering, logging in, staying logged in, logging out, and what is theirs.");
    api.post("/api/auth/register", "register", "Makes an account")
        .more("Where registration is closed, only an admin makes accounts, for others.")
        .open_to_all()
        .takes::<Register>(json!({"email": email, "password": password, "full_name": "Ann Example"}))
        .gives::<users::View>(201, "The account.", users::example())
        .refuses(403, "Registration is closed here.")
        .refuses(409, "Another account has this e-mail.")
        .refuses(429, "There were too many attempts.");
    api.post("/api/auth/login", "log_in", "Logs in")
        .takes::<LogIn>(json!({"email": email, "password": password}))
        .gives::<View<'static>>(200, "Tokens of a new login.", tokens.clone())
        .refuses(401, "The e-mail or the password is wrong.")
        .refuses(429, "There were too many attempts.");
    api.post("/api/auth/refresh", "refresh", "Exchanges a refresh token for new tokens")
        .more("It is spent by that. Shown once more, its whole login ends.")
        .takes::<Refresh>(json!({"refresh_token": "vrr_…"}))
        .gives::<View<'static>>(200, "New tokens of the same login.", tokens)
        .refuses(401, "The refresh token is wrong, expired, spent or revoked.");
    api.post("/api/auth/logout", "log_out", "Ends a login")
        .more("That of the access token, or that of the refresh token in the body.")
        .open_to_all()
        .may_take::<LogOut>(json!({"refresh_token": "vrr_…"}))
        .says_nothing(204, "It has ended.")
        .refuses(404, "There is no such login.")
        .refuses(409, "The credential is no login.")
        .refuses(429, "Too many wrong credentials came from this address.");
    api.post("/api/users/me/password", "change_password", "Changes one's own password")
        .more("Every other login of the caller ends.")
        .takes::<ChangePassword>(json!({"current_password": password, "new_password": "harbour-velvet-77-quartz"}))
        .says_nothing(204, "It is changed.")
        .refuses(409, "Nobody logs in to this account.")
        .refuses(429, "There were too many attempts.");
}
