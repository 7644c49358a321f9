//! `/api/users`: one's own account, and for admins everybody's.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Context,
    body::Strict,
    fault::Fault,
    openapi::Api,
    page::{self, Id, Slice, time},
};
use crate::{
    auth::Principal,
    store::{
        UserId,
        accounts::{self, Written},
        users::{self, Role, User},
    },
};

/// What of one's own account changes; what is absent does not.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "UserPatch")]
pub(super) struct Patch {
    #[schemars(length(max = EMAIL))]
    email: Option<String>,
    #[schemars(length(min = 1, max = NAME))]
    full_name: Option<String>,
}

/// What an admin changes of somebody; what is absent stays.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Administration {
    active: Option<bool>,
    #[schemars(extend("enum" = ["admin", "user", "viewer", null]))]
    role: Option<String>,
}

/// A user as clients read it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "User")]
pub(super) struct View {
    id: UserId,
    /// Null for machines, and for whom the admin key stands.
    email: Option<String>,
    full_name: Option<String>,
    #[schemars(extend("enum" = ["admin", "user", "viewer"]))]
    role: &'static str,
    active: bool,
    #[schemars(extend("format" = "date-time"))]
    created_at: String,
    #[schemars(extend("format" = "date-time"))]
    last_login_at: Option<String>,
}

/// `GET /api/users/me`.
pub(super) async fn me(State(context): State<Arc<Context>>, principal: Principal) -> Result<Response, Fault> {
    let user = users::get(&context.db, principal.user).await?;
    Ok(Json(View::from(user)).into_response())
}

/// `PATCH /api/users/me`.
pub(super) async fn change(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Strict(patch): Strict<Patch>,
) -> Result<Response, Fault> {
    let change = accounts::Change {
        email: patch.email.as_deref().map(email).transpose()?,
        full_name: patch.full_name.as_deref().map(full_name).transpose()?,
    };
    match accounts::change(&context.db, principal.user, change).await? {
        Written::Kept(user) => Ok(Json(View::from(*user)).into_response()),
        Written::Taken => Err(taken()),
    }
}

/// `DELETE /api/users/me`: 204; all that is theirs is erased, and their live conversations end.
pub(super) async fn remove(State(context): State<Arc<Context>>, principal: Principal) -> Result<Response, Fault> {
    not_the_owner(&context, principal.user)?;
    users::delete(&context.db, principal.user).await?;
    context.bell.went();
    shut_out(&context, principal.user);
    tracing::info!(user.id = %principal.user, "an account was erased");
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `GET /api/users`: everybody, newest first.
pub(super) async fn list(State(context): State<Arc<Context>>, slice: Slice) -> Result<Response, Fault> {
    let found = users::list(&context.db, slice.after.as_ref(), slice.limit).await?;
    Ok(page::answer(found, View::from))
}

/// `PATCH /api/users/{id}`: who is deactivated is shut out at once, by whatever credential, and their live conversations end.
pub(super) async fn administer(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Id(id): Id<UserId>,
    Strict(params): Strict<Administration>,
) -> Result<Response, Fault> {
    let role = params.role.map(|role| {
        let unknown = |_| Fault::invalid("role", "`role` must be `admin`, `user` or `viewer`.");
        role.parse::<Role>().map_err(unknown)
    });
    let role = role.transpose()?;
    if id == principal.user {
        let message = "Nobody changes their own role or shuts themselves out: ask another admin.";
        return Err(Fault::new(StatusCode::CONFLICT, "own_account", message));
    }
    not_the_owner(&context, id)?;
    let user = users::administer(&context.db, id, role, params.active).await?;
    if !user.active {
        shut_out(&context, id);
    }
    tracing::info!(user.id = %id, by = %principal.user, role = user.role.as_str(), active = user.active, "a user was changed");
    Ok(Json(View::from(user)).into_response())
}

/// The owner of the installation stays an admin: the admin key stands for them.
fn not_the_owner(context: &Context, user: UserId) -> Result<(), Fault> {
    if user != context.auth.owner().id {
        return Ok(());
    }
    let message = "The owner of the installation stays as they are: the admin key stands for them.";
    Err(Fault::new(StatusCode::CONFLICT, "owner_account", message))
}

/// Ends what a user who is no longer let in still has in this process.
fn shut_out(context: &Context, user: UserId) {
    context.auth.forget(user);
    let (admission, name) = (&context.engine.admission, user.to_string());
    for live in admission.list().into_iter().filter(|live| *live.principal == *name) {
        admission.kick(live.id);
    }
}

pub(super) fn taken() -> Fault {
    Fault::new(StatusCode::CONFLICT, "email_taken", "Another account has this e-mail.").at("email")
}

/// An e-mail as far as its form can be told: whether mail arrives there is not known.
pub(super) fn email(text: &str) -> Result<&str, Fault> {
    let text = text.trim();
    let fits = text.len() <= EMAIL
        && !text.contains(|letter: char| letter.is_whitespace() || letter.is_control())
        && text.rsplit_once('@').is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty());
    if fits { Ok(text) } else { Err(Fault::invalid("email", "`email` must be an e-mail address, as ann@example.org.")) }
}

pub(super) fn full_name(text: &str) -> Result<&str, Fault> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > NAME || text.contains(char::is_control) {
        return Err(Fault::invalid("full_name", "`full_name` must have 1 to 200 printable characters."));
    }
    Ok(text)
}

/// Longest e-mail, in bytes (RFC 5321, 4.5.3.1.3, without its brackets).
const EMAIL: usize = 254;

/// Longest name, in characters.
const NAME: usize = 200;

impl From<User> for View {
    fn from(user: User) -> Self {
        Self {
            id: user.id,
            email: user.email,
            full_name: user.full_name,
            role: user.role.as_str(),
            active: user.active,
            created_at: time(user.created_at),
            last_login_at: user.last_login_at.map(time),
        }
    }
}

/// Somebody, for the API's description.
pub(super) fn example() -> Value {
    json!({
        "id": "0190b0a0-0000-7000-8000-000000000000",
        "email": "ann@example.org",
        "full_name": "Ann Example",
        "role": "user",
        "active": true,
        "created_at": "2026-01-01T00:00:00.000Z",
        "last_login_at": null,
    })
}

pub(super) fn describe(api: &mut Api) {
    api.get("/api/users/me", "show_me", "Shows one's own account").gives::<View>(200, "The account.", example());
    api.patch("/api/users/me", "change_me", "Changes one's own account")
        .takes::<Patch>(json!({"full_name": "Ann Example"}))
        .gives::<View>(200, "The account as it is now.", example())
        .refuses(409, "Another account has this e-mail.");
    api.delete("/api/users/me", "delete_me", "Erases one's own account, with all that is in it")
        .says_nothing(204, "It is erased.")
        .refuses(409, "The owner of the installation stays.");
    api.get("/api/users", "list_users", "Lists everybody, newest first").lists::<View>("A page of them.", example());
    api.patch("/api/users/{id}", "administer_user", "Changes somebody's role, or shuts them out")
        .takes::<Administration>(json!({"role": "viewer"}))
        .gives::<View>(200, "The account as it is now.", example())
        .refuses(409, "It is the caller's own account, or that of the owner.");
}
