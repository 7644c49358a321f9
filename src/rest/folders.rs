//! `/api/folders`: where conversations are filed.

use std::{io, sync::Arc};

use axum::{
    Json,
    extract::{FromRequestParts, Path, State},
    http::{StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::task::spawn_blocking;
use unicode_normalization::UnicodeNormalization;

use super::{
    Context,
    body::{Strict, given},
    fault::Fault,
    openapi::Api,
    page::{self, Id, Slice, time},
    tree,
};
use crate::{
    auth::Principal,
    store::{
        FolderId,
        folders::{self, Change, Folder, MOST, NAME, NewFolder, Refusal},
    },
};

/// What a folder is made of.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewFolder")]
pub(super) struct Params {
    #[schemars(length(min = 1, max = NAME))]
    name: String,
    /// Absent or null: at the top.
    parent_folder_id: Option<FolderId>,
    /// `#rgb`, `#rrggbb`, `#rrggbbaa`, or a name that clients know.
    #[schemars(regex(pattern = COLOR))]
    color: Option<String>,
    /// An emoji, or a name that clients know.
    #[schemars(length(min = 1, max = 64))]
    icon: Option<String>,
}

/// What of a folder changes: what is absent does not, null clears.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "FolderChange")]
pub(super) struct Put {
    #[serde(default, deserialize_with = "given")]
    #[schemars(with = "String", length(min = 1, max = NAME))]
    name: Option<String>,
    /// Null: to the top.
    #[serde(default, deserialize_with = "given")]
    parent_folder_id: Option<Option<FolderId>>,
    #[serde(default, deserialize_with = "given")]
    #[schemars(regex(pattern = COLOR))]
    color: Option<Option<String>>,
    #[serde(default, deserialize_with = "given")]
    #[schemars(length(min = 1, max = 64))]
    icon: Option<Option<String>>,
}

/// A folder as clients read it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Folder")]
pub(super) struct View {
    id: FolderId,
    name: String,
    color: Option<String>,
    icon: Option<String>,
    /// Null: it is at the top.
    parent_folder_id: Option<FolderId>,
    #[schemars(extend("format" = "date-time"))]
    created_at: String,
    #[schemars(extend("format" = "date-time"))]
    updated_at: String,
}

/// Which folders are asked for.
pub(super) struct Search {
    slice: Slice,
    parent: Option<Option<FolderId>>,
}

impl FromRequestParts<Arc<Context>> for Search {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Context>) -> Result<Self, Fault> {
        let mut parent = None;
        let slice = Slice::read(parts.uri.query(), |name, value| match name {
            "parent_folder_id" => {
                parent = Some(place(value).ok_or_else(|| {
                    Fault::invalid(
                        name,
                        "`parent_folder_id` must be the id of a folder, or `root` for those at the top.",
                    )
                })?);
                Ok(())
            }
            _ => Err(Fault::invalid(name, "This list takes `limit`, `after` and `parent_folder_id` and nothing else.")),
        })?;
        Ok(Self { slice, parent })
    }
}

/// A folder, or `root` for the top.
fn place(text: &str) -> Option<Option<FolderId>> {
    if text == ROOT { Some(None) } else { text.parse().ok().map(Some) }
}

/// What the top is called where a folder's id is taken.
const ROOT: &str = "root";

/// `GET /api/folders`: the caller's, the eldest first.
pub(super) async fn list(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Search { slice, parent }: Search,
) -> Result<Response, Fault> {
    let found = folders::list(&context.db, principal.user, parent, slice.after.as_ref(), slice.limit).await?;
    Ok(page::answer(found, View::from))
}

/// `GET /api/folders/tree`: all of them, each with its `children`, by name.
pub(super) async fn tree(State(context): State<Arc<Context>>, principal: Principal) -> Result<Response, Fault> {
    let folders = folders::all(&context.db, principal.user).await?;
    let tree = spawn_blocking(move || tree::written(folders)).await;
    let tree = tree.map_err(io::Error::from).and_then(|tree| Ok(tree?)).map_err(|error| {
        tracing::error!(%error, "a tree of folders cannot be written");
        Fault::internal()
    })?;
    Ok(([(header::CONTENT_TYPE, "application/json")], tree).into_response())
}

/// `POST /api/folders`: 201.
pub(super) async fn create(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Strict(params): Strict<Params>,
) -> Result<Response, Fault> {
    let new = NewFolder {
        name: &name(&params.name)?,
        parent: params.parent_folder_id,
        color: params.color.as_deref().map(color).transpose()?,
        icon: params.icon.as_deref().map(icon).transpose()?,
    };
    let folder = folders::create(&context.db, principal.user, new, context.now()).await?;
    Ok((StatusCode::CREATED, Json(View::from(folder))).into_response())
}

/// `GET /api/folders/{id}`.
pub(super) async fn show(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Id(id): Id<FolderId>,
) -> Result<Response, Fault> {
    let folder = folders::get(&context.db, principal.user, id).await?;
    Ok(Json(View::from(folder)).into_response())
}

/// `PUT /api/folders/{id}`: what is given; another parent moves it.
pub(super) async fn change(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Id(id): Id<FolderId>,
    Strict(put): Strict<Put>,
) -> Result<Response, Fault> {
    let checked = |text: Option<String>, check: fn(&str) -> Result<&str, Fault>| {
        text.map(|text| check(&text).map(str::to_owned)).transpose()
    };
    let change = Change {
        name: put.name.as_deref().map(name).transpose()?,
        parent: put.parent_folder_id,
        color: put.color.map(|text| checked(text, color)).transpose()?,
        icon: put.icon.map(|text| checked(text, icon)).transpose()?,
    };
    let folder = folders::change(&context.db, principal.user, id, change, context.now()).await?;
    Ok(Json(View::from(folder)).into_response())
}

/// `POST /api/folders/{id}/move/{target}`: into another folder, or to `root`, with all that is in it.
pub(super) async fn relocate(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Path((id, target)): Path<(String, String)>,
) -> Result<Response, Fault> {
    let (Ok(id), Some(parent)) = (id.parse(), place(&target)) else { return Err(Fault::not_found()) };
    let change = Change { parent: Some(parent), ..Change::default() };
    let moved = folders::change(&context.db, principal.user, id, change, context.now()).await;
    if matches!(moved, Err(Refusal::NoParent)) {
        return Err(Fault::not_found());
    }
    Ok(Json(View::from(moved?)).into_response())
}

/// `DELETE /api/folders/{id}`: what was in it moves to its parent, its conversations are in no folder.
pub(super) async fn remove(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Id(id): Id<FolderId>,
) -> Result<Response, Fault> {
    folders::delete(&context.db, principal.user, id, context.now()).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// A name as it is kept. `é` is one letter, however it was typed: names that look alike for that reason are the same (NFC).
fn name(text: &str) -> Result<String, Fault> {
    let name: String = text.trim().nfc().collect();
    if name.is_empty() || name.chars().count() > NAME || name.contains(char::is_control) {
        return Err(Fault::invalid("name", format!("`name` must have 1 to {NAME} printable characters.")));
    }
    Ok(name)
}

/// `#rgb`, `#rrggbb`, `#rrggbbaa`, or a name that clients know.
fn color(text: &str) -> Result<&str, Fault> {
    let fits = match text.strip_prefix('#') {
        Some(digits) => matches!(digits.len(), 3 | 6 | 8) && digits.bytes().all(|digit| digit.is_ascii_hexdigit()),
        None => (1..=32).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_alphanumeric() || b"-_".contains(&c)),
    };
    let message =
        "`color` must be of the form #rgb, #rrggbb or #rrggbbaa, or a name of up to 32 letters, digits, - and _.";
    if fits { Ok(text) } else { Err(Fault::invalid("color", message)) }
}

/// An emoji, or a name that clients know.
fn icon(text: &str) -> Result<&str, Fault> {
    let fits = (1..=64).contains(&text.chars().count()) && !text.contains(char::is_control);
    if fits { Ok(text) } else { Err(Fault::invalid("icon", "`icon` must have 1 to 64 printable characters.")) }
}

impl From<Folder> for View {
    fn from(folder: Folder) -> Self {
        Self {
            id: folder.id,
            name: folder.name,
            color: folder.color,
            icon: folder.icon,
            parent_folder_id: folder.parent,
            created_at: time(folder.created_at),
            updated_at: time(folder.updated_at),
        }
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        let conflict = |code, message: String| Self::new(StatusCode::CONFLICT, code, message);
        match refusal {
            Refusal::Taken => {
                conflict("name_taken", "Another folder of the same parent has this name.".to_owned()).at("name")
            }
            Refusal::Circular => {
                conflict("circular_move", "A folder cannot be moved into itself or into one that is in it.".to_owned())
            }
            Refusal::Full => conflict("too_many_folders", format!("There are {MOST} folders, which is the most.")),
            Refusal::NoParent => Self::invalid("parent_folder_id", "There is no such folder."),
            Refusal::Store(error) => error.into(),
        }
    }
}

/// What [`color`] takes, for the API's description.
const COLOR: &str = "^(#([0-9A-Fa-f]{3}|[0-9A-Fa-f]{6}|[0-9A-Fa-f]{8})|[A-Za-z0-9_-]{1,32})$";

pub(super) fn describe(api: &mut Api) {
    let example = json!({
        "id": "0190b0a0-0000-7000-8000-000000000003",
        "name": "Travel",
        "color": "#1b6753",
        "icon": "✈️",
        "parent_folder_id": null,
        "created_at": "2026-01-01T00:00:00.000Z",
        "updated_at": "2026-01-01T00:00:00.000Z",
    });
    let mut nested = example.clone();
    nested["children"] = json!([]);
    let place = || json!({"type": "string", "pattern": "^(root|[0-9a-fA-F-]{36})$"});
    api.chapter("Folders", "Where conversations are filed.");
    api.get("/api/folders", "list_folders", "Lists the caller's folders, the eldest first")
        .query("parent_folder_id", place(), "Those in this one; `root`: those at the top.")
        .lists::<View>("A page of them.", example.clone());
    api.post("/api/folders", "create_folder", "Makes a folder")
        .takes::<Params>(json!({"name": "Travel", "color": "#1b6753"}))
        .gives::<View>(201, "The folder.", example.clone())
        .leads(201, "show_folder", "id", "/id")
        .leads(201, "change_folder", "id", "/id")
        .leads(201, "delete_folder", "id", "/id")
        .refuses(409, "Another folder there has this name, or there are too many.");
    api.get("/api/folders/tree", "folder_tree", "Shows all folders, each with its children")
        .more("Without `next`: it comes whole.")
        .gives::<Tree>(200, "The tree.", json!({"items": [nested]}));
    api.get("/api/folders/{id}", "show_folder", "Shows a folder").gives::<View>(200, "The folder.", example.clone());
    api.put("/api/folders/{id}", "change_folder", "Changes what is given of a folder")
        .more("What is absent stays, null clears. Another parent moves it.")
        .takes::<Put>(json!({"name": "Journeys", "icon": null}))
        .gives::<View>(200, "The folder as it is now.", example.clone())
        .refuses(409, "Another folder there has this name, or it would be in itself.");
    api.post("/api/folders/{id}/move/{target}", "move_folder", "Moves a folder with all that is in it")
        .part("target", place(), "The folder it goes into; `root`: to the top.")
        .gives::<View>(200, "The folder as it is now.", example)
        .refuses(409, "Another folder there has this name, or it would be in itself.");
    api.delete("/api/folders/{id}", "delete_folder", "Deletes a folder")
        .more("Folders in it move to its parent, its conversations are in none.")
        .says_nothing(204, "It is gone.");
}

/// The tree as [`tree::written`] writes it.
#[derive(JsonSchema)]
#[schemars(rename = "FolderTree")]
struct Tree {
    #[expect(dead_code, reason = "only its schema is looked at: see `tree`")]
    items: Vec<Node>,
}

/// A folder and what is in it.
#[derive(JsonSchema)]
#[schemars(rename = "FolderNode")]
struct Node {
    #[schemars(flatten)]
    #[expect(dead_code, reason = "only its schema is looked at")]
    folder: View,
    #[expect(dead_code, reason = "only its schema is looked at")]
    children: Vec<Self>,
}
