//! Responses: what clients ask of one, and how it is shown to them.

use providers::{Json, llm::Usage};

use super::{
    beta,
    dialect::Dialect,
    error, item,
    json::{Field, Fields, Object},
    settings,
};
use crate::realtime::session::{
    input::{ContextItem, ResponseRequest},
    output::{CancelReason, ClientError, IncompleteReason, ResponseStatus, ResponseView},
    settings::{Format, Settings},
};

/// Reads the `response` of a `response.create`; what it does not say is as `current` has it.
pub(super) fn read(field: &Field<'_>, dialect: Dialect, current: &Settings) -> Result<ResponseRequest, ClientError> {
    let fields = field.object()?;
    let sound = current.input.format;
    let mut request = ResponseRequest {
        instructions: fields.text("instructions")?,
        metadata: fields.given("metadata").map(|object| metadata(&object)).transpose()?,
        input: fields.given("input").map(|list| context(&list, sound)).transpose()?,
        ..ResponseRequest::default()
    };
    if let Some(list) = fields.given("tools") {
        request.tools = Some(settings::tools(&list)?.0);
    }
    if let Some(choice) = fields.given("tool_choice") {
        request.tool_choice = Some(settings::tool_choice(&choice)?.0);
    }
    let choice = request.tool_choice.as_ref().unwrap_or(&current.tool_choice);
    let tools = request.tools.as_ref().unwrap_or(&current.tools);
    let param = if request.tool_choice.is_some() { "response.tool_choice" } else { "response.tools" };
    settings::must_exist(choice, tools, param)?;
    if let Some(conversation) = fields.given("conversation") {
        request.out_of_band = conversation.choice(&[("auto", false), ("none", true)])?;
    }
    match dialect {
        Dialect::Ga => reply(&fields, &mut request)?,
        Dialect::Beta => beta::reply(&fields, &mut request)?,
    }
    Ok(request)
}

/// Writes a response as `response.created` and `response.done` show it.
pub(super) fn write(view: &ResponseView, dialect: Dialect, conversation: &str, object: &mut Object<'_>) {
    object.text("object", "realtime.response");
    object.text("id", view.id.as_str());
    status(&view.status, object);
    object.list("output", &view.output, |item, out| item::write(item, dialect, out));
    object.text_or_null("conversation_id", Some(conversation).filter(|_| !view.out_of_band));
    match dialect {
        Dialect::Ga => shape(view, object),
        Dialect::Beta => beta::shape(view, object),
    }
    match (view.usage, &view.status) {
        (None, ResponseStatus::InProgress) => object.null("usage"),
        (spent, _) => object.object("usage", |object| usage(spent.unwrap_or_default(), object)),
    }
    match &view.metadata {
        Some(metadata) => object.json("metadata", metadata),
        None => object.null("metadata"),
    }
}

/// How the reply is to be.
fn reply(fields: &Fields<'_>, request: &mut ResponseRequest) -> Result<(), ClientError> {
    request.modality = fields.given("output_modalities").map(|list| settings::modality(&list)).transpose()?;
    let limit = fields.given("max_output_tokens");
    request.max_output_tokens = limit.map(|limit| settings::max_output_tokens(&limit)).transpose()?;
    request.temperature = fields.given("temperature").map(|number| number.number(0.0..=2.0)).transpose()?;
    let Some(audio) = fields.given("audio") else { return Ok(()) };
    let Some(side) = audio.object()?.given("output") else { return Ok(()) };
    let side = side.object()?;
    request.format = side.given("format").map(|format| settings::format(None, &format)).transpose()?;
    request.voice = side.given("voice").map(|voice| settings::voice(&voice)).transpose()?;
    Ok(())
}

/// How the reply is.
fn shape(view: &ResponseView, object: &mut Object<'_>) {
    settings::modality_json("output_modalities", view.modality, object);
    settings::tokens_json("max_output_tokens", view.max_output_tokens, object);
    object.object("audio", |audio| {
        audio.object("output", |output| {
            settings::format_json(view.format, output);
            output.text("voice", &view.voice);
        });
    });
}

/// At most 16 pairs of strings, of 64 and 512 characters.
fn metadata(field: &Field<'_>) -> Result<Json, ClientError> {
    let fields = field.object()?;
    let mut pairs = 0;
    for (name, value) in fields.iter() {
        value.text_within(512)?;
        if name.chars().nth(64).is_some() {
            return Err(field.invalid("The name of a pair has at most 64 characters."));
        }
        pairs += 1;
    }
    if pairs > 16 {
        return Err(field.invalid(format!("Expected at most 16 pairs, but got {pairs} instead.")));
    }
    field.json()
}

fn context(field: &Field<'_>, sound: Format) -> Result<Vec<ContextItem>, ClientError> {
    let entry = |field: &Field<'_>| {
        let fields = field.object()?;
        if fields.text("type")?.as_deref() == Some("item_reference") {
            return Ok(ContextItem::Reference(item::id(&fields, "id")?));
        }
        item::read(field, sound).map(ContextItem::Item)
    };
    field.list()?.iter().map(entry).collect()
}

fn status(status: &ResponseStatus, object: &mut Object<'_>) {
    let (name, reason) = match status {
        ResponseStatus::InProgress => ("in_progress", None),
        ResponseStatus::Completed => ("completed", None),
        ResponseStatus::Cancelled(CancelReason::TurnDetected) => ("cancelled", Some("turn_detected")),
        ResponseStatus::Cancelled(CancelReason::ClientCancelled) => ("cancelled", Some("client_cancelled")),
        ResponseStatus::Incomplete(IncompleteReason::MaxOutputTokens) => ("incomplete", Some("max_output_tokens")),
        ResponseStatus::Incomplete(IncompleteReason::ContentFilter) => ("incomplete", Some("content_filter")),
        // The protocol knows no reason for it; the error says what happened, as with a failure.
        ResponseStatus::BrokenOff { code, message } => return broken("incomplete", code, message, object),
        ResponseStatus::Failed { code, message } => return broken("failed", code, message, object),
    };
    object.text("status", name);
    match reason {
        None => object.null("status_details"),
        Some(reason) => object.object("status_details", |details| {
            details.text("type", name);
            details.text("reason", reason);
        }),
    }
}

fn broken(name: &str, code: &str, message: &str, object: &mut Object<'_>) {
    object.text("status", name);
    object.object("status_details", |details| {
        details.text("type", name);
        details.object("error", |error| {
            error.text("type", error::kind_of(code));
            error.text("code", code);
            error.text("message", message);
        });
    });
}

/// Clients bill by the details, so all are there. What a cascade spends is text; sound costs no tokens.
fn usage(usage: Usage, object: &mut Object<'_>) {
    object.integer("total_tokens", u64::from(usage.input_tokens) + u64::from(usage.output_tokens));
    object.integer("input_tokens", usage.input_tokens.into());
    object.integer("output_tokens", usage.output_tokens.into());
    object.object("input_token_details", |details| {
        details.integer("text_tokens", usage.input_tokens.into());
        details.integer("audio_tokens", 0);
        details.integer("image_tokens", 0);
        details.integer("cached_tokens", usage.cached_tokens.into());
        details.object("cached_tokens_details", |cached| {
            cached.integer("text_tokens", usage.cached_tokens.into());
            cached.integer("audio_tokens", 0);
            cached.integer("image_tokens", 0);
        });
    });
    object.object("output_token_details", |details| {
        details.integer("text_tokens", usage.output_tokens.into());
        details.integer("audio_tokens", 0);
    });
}
