//! Conversation items, both ways.

use providers::{Json, passage::Citation, tool::Act};

use super::{
    dialect::Dialect,
    json::{Field, Fields, Object},
    part,
    settings::LONGEST_NAME,
};
use crate::realtime::session::{
    ids::{CallId, ItemId},
    item::{Body, Item, ItemStatus, Role},
    output::ClientError,
    settings::Format,
};

/// Reads an item that a client gives; its id is empty where the client gave none. `format` is that of its sound.
pub(super) fn read(field: &Field<'_>, format: Format) -> Result<Item, ClientError> {
    let fields = field.object()?;
    let body = match fields.required("type")?.choice(KINDS)? {
        Of::Message => message(&fields, format)?,
        Of::Call => Body::Call {
            call: call(&fields)?,
            name: fields.required("name")?.text_within(LONGEST_NAME)?,
            arguments: fields.required("arguments")?.text()?,
        },
        Of::Output => Body::Output { call: call(&fields)?, output: fields.required("output")?.text()? },
        Of::Foreign(members) => Body::Opaque(opaque(&fields, members)?),
    };
    let id = match fields.given("id") {
        Some(id) => id.text_within(LONGEST_ID)?,
        None => String::new(),
    };
    Ok(Item { id: ItemId::new(id), status: status(&fields)?, body, citations: Vec::new(), acts: Vec::new() })
}

/// Reads an item's id that must be there.
pub(super) fn id(fields: &Fields<'_>, name: &str) -> Result<ItemId, ClientError> {
    Ok(ItemId::new(fields.required(name)?.text_within(LONGEST_ID)?))
}

/// Writes an item, its sound left out.
pub(super) fn write(item: &Item, dialect: Dialect, out: &mut String) {
    let mut object = Object::open(out);
    object.text("id", item.id.as_str());
    object.text("object", "realtime.item");
    match &item.body {
        Body::Message { .. } => object.text("type", "message"),
        Body::Call { .. } => object.text("type", "function_call"),
        Body::Output { .. } => object.text("type", "function_call_output"),
        Body::Opaque(_) => {}
    }
    object.text("status", status_name(item.status));
    match &item.body {
        Body::Message { role, parts } => {
            object.text("role", role_name(*role));
            object.list("content", parts, |part, out| part::write(part, dialect, out));
        }
        Body::Call { call, name, arguments } => {
            object.text("call_id", call.as_str());
            object.text("name", name);
            object.text("arguments", arguments);
        }
        Body::Output { call, output } => {
            object.text("call_id", call.as_str());
            object.text("output", output);
        }
        Body::Opaque(members) => object.members_of(members),
    }
    if !(item.citations.is_empty() && item.acts.is_empty()) {
        object.object("metadata", |metadata| {
            if !item.citations.is_empty() {
                metadata.list("citations", &item.citations, citation);
            }
            if !item.acts.is_empty() {
                metadata.list("tools", &item.acts, act);
            }
        });
    }
}

/// Writes that something was done: not what came of it, which may be confidential.
fn act(act: &Act, out: &mut String) {
    let mut object = Object::open(out);
    object.text("name", &act.call.name);
    object.text("state", act.state.as_str());
}

/// Writes what an item cites, in the words of the REST contract.
fn citation(citation: &Citation, out: &mut String) {
    let Citation { number, passage, quote } = citation;
    let mut object = Object::open(out);
    object.integer("index", u64::from(*number));
    object.text("source_id", &passage.document);
    object.text("passage_id", &passage.id);
    object.members_of(&passage.source);
    object.integer("relevance_score", u64::from(passage.relevance));
    object.text("quoted_text", quote);
    object.text("context", &passage.text);
}

/// Longest id of an item, in characters. Hosted clients stay within 32; others' ids are theirs.
pub(super) const LONGEST_ID: usize = 128;

/// Longest id of a call, in characters: what every language model takes back.
const LONGEST_CALL: usize = 32;

#[derive(Clone, Copy)]
enum Of {
    Message,
    Call,
    Output,
    /// Stored and shown, not acted upon; with the members that must be there.
    Foreign(&'static [&'static str]),
}

const KINDS: &[(&str, Of)] = &[
    ("message", Of::Message),
    ("function_call", Of::Call),
    ("function_call_output", Of::Output),
    ("mcp_list_tools", Of::Foreign(&["server_label", "tools"])),
    ("mcp_call", Of::Foreign(&["server_label", "name", "arguments"])),
    ("mcp_approval_request", Of::Foreign(&["server_label", "name", "arguments"])),
    ("mcp_approval_response", Of::Foreign(&["approval_request_id", "approve"])),
];

fn message(fields: &Fields<'_>, format: Format) -> Result<Body, ClientError> {
    let roles = [("user", Role::User), ("assistant", Role::Assistant), ("system", Role::System)];
    let role = fields.required("role")?.choice(&roles)?;
    let content = fields.required("content")?.list()?;
    let parts = content.iter().map(|field| part::read(field, role, format)).collect::<Result<_, _>>()?;
    Ok(Body::Message { role, parts })
}

fn call(fields: &Fields<'_>) -> Result<CallId, ClientError> {
    let field = fields.required("call_id")?;
    let id = field.text_within(LONGEST_CALL)?;
    if id.is_empty() { Err(field.invalid("A call's id is not empty.")) } else { Ok(CallId::new(id)) }
}

/// What a client creates is whole, except what it says was cut short. Nothing would ever complete another one.
fn status(fields: &Fields<'_>) -> Result<ItemStatus, ClientError> {
    let known = [
        ("completed", ItemStatus::Completed),
        ("incomplete", ItemStatus::Incomplete),
        ("in_progress", ItemStatus::Completed),
    ];
    fields.given("status").map_or(Ok(ItemStatus::Completed), |status| status.choice(&known))
}

/// The members of an item of a kind that is not ours, but for those every item has. Null members are dropped, since
/// clients that validate take an absent one more readily; only a call's `output` they want to see, null or not.
fn opaque(fields: &Fields<'_>, needed: &[&str]) -> Result<Json, ClientError> {
    for name in needed {
        fields.required(name)?;
    }
    let mut text = String::new();
    {
        let mut object = Object::open(&mut text);
        for (name, field) in fields.iter().filter(|(name, _)| !matches!(*name, "id" | "object" | "status")) {
            object.json(name, &field.json()?);
        }
        if fields.text("type")?.as_deref() == Some("mcp_call") && fields.given("output").is_none() {
            object.null("output");
        }
    }
    Ok(Json::from_checked(text))
}

fn status_name(status: ItemStatus) -> &'static str {
    match status {
        ItemStatus::InProgress => "in_progress",
        ItemStatus::Completed => "completed",
        ItemStatus::Incomplete => "incomplete",
    }
}

fn role_name(role: Role) -> &'static str {
    match role {
        Role::System => "system",
        Role::User => "user",
        Role::Assistant => "assistant",
    }
}
