//! `/api/sessions`: conversations, spoken and typed.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json,
    extract::{FromRequestParts, State},
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Context,
    body::{Strict, given},
    excerpt::Excerpt,
    fault::Fault,
    openapi::Api,
    page::{self, Id, Slice, time},
    preferences::{Changes, Preferences},
};
use crate::{
    auth::Principal,
    cost::Spending,
    store::{
        Db, FolderId, SessionId, StoreError, UserId, Words, places,
        sessions::{self, Filter, Session},
    },
};

/// What a typed conversation begins with.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewSession")]
pub(super) struct Params {
    /// Absent or null: the person's first words.
    #[serde(default)]
    #[schemars(length(min = 1, max = TITLE))]
    title: Option<String>,
    /// Absent or null: in none.
    folder_id: Option<FolderId>,
    /// How it is led.
    settings: Option<Changes>,
}

/// What of a conversation changes; what is absent does not.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SessionPatch")]
pub(super) struct Patch {
    /// Null: the person's next words become it.
    #[schemars(length(min = 1, max = TITLE))]
    #[serde(default, deserialize_with = "given")]
    title: Option<Option<String>>,
    archived: Option<bool>,
    /// Null: out of its folder.
    #[serde(default, deserialize_with = "given")]
    folder_id: Option<Option<FolderId>>,
    /// Null: all as the relay does it.
    #[serde(default, deserialize_with = "given")]
    settings: Option<Option<Changes>>,
}

/// A conversation as clients read it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Session")]
struct View {
    id: SessionId,
    title: Option<String>,
    /// Whether all that was said is among its messages.
    complete: bool,
    archived: bool,
    folder_id: Option<FolderId>,
    /// How it is led.
    #[schemars(with = "Preferences")]
    settings: Value,
    /// What it has cost so far, by the table of prices; null while nothing was spent.
    #[schemars(with = "Option<Spending>")]
    cost: Option<Value>,
    /// In a search with `excerpts`: where in its messages the words are first. Absent where its title alone has them.
    #[serde(skip_serializing_if = "Option::is_none")]
    found: Option<Excerpt>,
    #[schemars(extend("format" = "date-time"))]
    created_at: String,
    #[schemars(extend("format" = "date-time"))]
    updated_at: String,
}

/// Which conversations are asked for.
pub(super) struct Search {
    slice: Slice,
    filter: Filter,
    excerpts: bool,
}

impl FromRequestParts<Arc<Context>> for Search {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Context>) -> Result<Self, Fault> {
        let (mut filter, mut excerpts) = (Filter::default(), false);
        let slice = Slice::read(parts.uri.query(), |name, value| match (name, value) {
            ("archived", "true" | "false") => {
                filter.archived = Some(value == "true");
                Ok(())
            }
            ("archived", _) => Err(Fault::invalid("archived", "`archived` must be `true` or `false`.")),
            ("folder_id", "none") => {
                filter.folder = Some(None);
                Ok(())
            }
            ("folder_id", value) => {
                let message = "`folder_id` must be the id of a folder, or `none` for what is in none.";
                filter.folder = Some(Some(value.parse().map_err(|_| Fault::invalid("folder_id", message))?));
                Ok(())
            }
            ("q", value) => {
                let words = Words::of(value).filter(|_| value.chars().count() <= QUERY);
                let message = "`q` must have a word to look for, and at most 200 characters.";
                filter.words = Some(words.ok_or_else(|| Fault::invalid("q", message))?);
                Ok(())
            }
            ("excerpts", "true" | "false") => {
                excerpts = value == "true";
                Ok(())
            }
            ("excerpts", _) => Err(Fault::invalid("excerpts", "`excerpts` must be `true` or `false`.")),
            _ => {
                let message =
                    "This list takes `limit`, `after`, `archived`, `folder_id`, `q` and `excerpts` and nothing else.";
                Err(Fault::invalid(name, message))
            }
        })?;
        Ok(Self { slice, filter, excerpts })
    }
}

/// `GET /api/sessions`: the caller's, newest first.
pub(super) async fn list(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Search { slice, filter, excerpts }: Search,
) -> Result<Response, Fault> {
    let (db, user, words) = (&context.db, principal.user, filter.words.clone().filter(|_| excerpts));
    let listed = sessions::list(db, user, filter, slice.after.as_ref(), slice.limit).await?;
    let mut said = match words {
        Some(words) => said(db, user, &listed.items, &words).await?,
        None => BTreeMap::new(),
    };
    Ok(page::answer(listed, |session| View { found: said.remove(&session.id), ..View::from(session) }))
}

/// Where words were said in these conversations of a list.
async fn said(
    db: &Db,
    user: UserId,
    sessions: &[Session],
    words: &Words,
) -> Result<BTreeMap<SessionId, Excerpt>, StoreError> {
    let messages = places::first(db, user, sessions, words).await?;
    Ok(messages.iter().map(|message| (message.session, Excerpt::of(message, words))).collect())
}

/// `POST /api/sessions`: 201 with a conversation in which nothing is said yet.
pub(super) async fn create(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Strict(params): Strict<Params>,
) -> Result<Response, Fault> {
    let title = params.title.as_deref().map(title).transpose()?;
    let settings = params.settings.unwrap_or_default().checked(&context)?;
    let begun = sessions::begin(&context.db, principal.user, title, params.folder_id, settings, context.now()).await?;
    let session = begun.ok_or_else(no_folder)?;
    Ok((StatusCode::CREATED, Json(View::from(session))).into_response())
}

/// `PATCH /api/sessions/{id}`.
pub(super) async fn change(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Id(id): Id<SessionId>,
    Strict(patch): Strict<Patch>,
) -> Result<Response, Fault> {
    let named = |text: Option<String>| text.map(|text| title(&text).map(str::to_owned)).transpose();
    let title = patch.title.map(named).transpose()?;
    let settings = patch.settings.map(|changes| changes.map(|changes| changes.checked(&context)).transpose());
    let change =
        sessions::Change { title, archived: patch.archived, folder: patch.folder_id, settings: settings.transpose()? };
    let changed = sessions::change(&context.db, principal.user, id, change).await?;
    Ok(Json(View::from(changed.ok_or_else(no_folder)?)).into_response())
}

/// What is in a folder that is not there is told; somebody else's is not there.
fn no_folder() -> Fault {
    Fault::invalid("folder_id", "There is no such folder.")
}

fn title(text: &str) -> Result<&str, Fault> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > TITLE || text.contains(char::is_control) {
        return Err(Fault::invalid("title", "`title` must have 1 to 200 printable characters."));
    }
    Ok(text)
}

/// Longest title, in characters.
const TITLE: usize = 200;
/// Longest text to look for, in characters.
const QUERY: usize = 200;

/// `GET /api/sessions/{id}`.
pub(super) async fn show(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Id(id): Id<SessionId>,
) -> Result<Response, Fault> {
    let session = sessions::get(&context.db, principal.user, id).await?;
    Ok(Json(View::from(session)).into_response())
}

/// `DELETE /api/sessions/{id}`: with all its messages, for good. A live voice session goes on, unrecorded.
pub(super) async fn remove(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Id(id): Id<SessionId>,
) -> Result<Response, Fault> {
    sessions::delete(&context.db, principal.user, id).await?;
    context.bell.went();
    Ok(StatusCode::NO_CONTENT.into_response())
}

impl From<Session> for View {
    fn from(session: Session) -> Self {
        Self {
            id: session.id,
            title: session.title,
            complete: session.complete,
            archived: session.archived,
            folder_id: session.folder,
            cost: session.cost.and_then(|cost| serde_json::from_str(&cost).ok()),
            found: None,
            settings: serde_json::from_str(&session.settings).unwrap_or_else(|_| json!({})),
            created_at: time(session.created_at),
            updated_at: time(session.updated_at),
        }
    }
}

pub(super) fn describe(api: &mut Api) {
    let example = json!({
        "id": "0190b0a0-0000-7000-8000-000000000000",
        "title": "Rain in Oslo",
        "complete": true,
        "archived": false,
        "folder_id": null,
        "settings": {"language": "en"},
        "cost": null,
        "created_at": "2026-01-01T00:00:00.000Z",
        "updated_at": "2026-01-01T00:00:00.000Z",
    });
    let folder = json!({"type": "string", "pattern": "^(none|[0-9a-fA-F-]{36})$"});
    let words = json!({"type": "string", "minLength": 1, "maxLength": QUERY});
    api.chapter("Sessions", "Conversations, spoken and typed, in one history.");
    api.get("/api/sessions", "list_sessions", "Lists the caller's conversations, newest first")
        .query("archived", json!({"type": "boolean"}), "Those that are, or are not.")
        .query("folder_id", folder, "Those in this folder; `none`: those in none.")
        .query("q", words, "Those whose title, or one of whose messages, has words that begin with each of these.")
        .query("excerpts", json!({"type": "boolean"}), "Whether `found` is told, which takes about as long again.")
        .lists::<View>("A page of them.", example.clone());
    api.post("/api/sessions", "create_session", "Begins a conversation, in which nothing is said yet")
        .takes::<Params>(json!({"title": "Rain in Oslo", "settings": {"language": "en"}}))
        .gives::<View>(201, "The conversation.", example.clone())
        .leads(201, "show_session", "id", "/id")
        .leads(201, "change_session", "id", "/id")
        .leads(201, "create_message", "id", "/id")
        .leads(201, "list_messages", "id", "/id")
        .leads(201, "export_json", "id", "/id")
        .leads(201, "export_markdown", "id", "/id")
        .leads(201, "create_share", "id", "/id")
        .leads(201, "delete_session", "id", "/id");
    api.get("/api/sessions/{id}", "show_session", "Shows a conversation").gives::<View>(
        200,
        "The conversation.",
        example.clone(),
    );
    api.patch("/api/sessions/{id}", "change_session", "Changes what is given of a conversation")
        .takes::<Patch>(json!({"title": "Rain in Oslo", "archived": true}))
        .gives::<View>(200, "The conversation as it is now.", example);
    api.delete("/api/sessions/{id}", "delete_session", "Deletes a conversation with all its messages")
        .more("A live voice session goes on, unrecorded.")
        .says_nothing(204, "It is gone for good.");
}
