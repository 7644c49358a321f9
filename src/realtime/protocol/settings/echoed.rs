//! Members that are checked for their shape, stored and read back, and change nothing here.

use providers::Json;

use crate::realtime::{
    protocol::json::{Change, Field, Fields, Object},
    session::output::ClientError,
};

/// Members of conversations.
pub(in crate::realtime::protocol) fn apply(
    echoed: &mut Vec<(String, Json)>,
    fields: &Fields<'_>,
) -> Result<(), ClientError> {
    for (name, check) in CHECKS {
        match fields.change(name) {
            Change::Keep => {}
            Change::Clear if CLEARED_BY_NULL.contains(name) => set(echoed, name, None),
            Change::Clear => {}
            Change::Set(field) => {
                check(&field)?;
                // What is shown by default need not be stored.
                let is_default = *name == "truncation" && field.raw() == DEFAULT_TRUNCATION;
                set(echoed, name, if is_default { None } else { Some(field.json()?) });
            }
        }
    }
    Ok(())
}

/// `include`, which transcription sessions have too.
pub(in crate::realtime::protocol) fn apply_include(
    echoed: &mut Vec<(String, Json)>,
    fields: &Fields<'_>,
) -> Result<(), ClientError> {
    let Some(include) = fields.given("include") else { return Ok(()) };
    for entry in include.list()? {
        entry.choice(&[("item.input_audio_transcription.logprobs", ())])?;
    }
    set(echoed, "include", Some(include.json()?));
    Ok(())
}

/// Stores a member under its name, or forgets it.
pub(super) fn set(echoed: &mut Vec<(String, Json)>, name: &str, value: Option<Json>) {
    let known = echoed.iter().position(|(member, _)| member == name);
    match (known, value) {
        (Some(at), Some(value)) => echoed[at].1 = value,
        (Some(at), None) => drop(echoed.remove(at)),
        (None, Some(value)) => echoed.push((name.to_owned(), value)),
        (None, None) => {}
    }
}

/// What is stored under a name.
pub(super) fn get<'a>(echoed: &'a [(String, Json)], name: &str) -> Option<&'a Json> {
    echoed.iter().find(|(member, _)| member == name).map(|(_, value)| value)
}

pub(super) fn write(echoed: &[(String, Json)], object: &mut Object<'_>) {
    match get(echoed, "truncation") {
        Some(truncation) => object.json("truncation", truncation),
        None => object.value("truncation").push_str(DEFAULT_TRUNCATION),
    }
    for name in CLEARED_BY_NULL {
        write_or_null(echoed, name, object);
    }
    write_include(echoed, object);
    for name in ["reasoning", "parallel_tool_calls"] {
        if let Some(value) = get(echoed, name) {
            object.json(name, value);
        }
    }
}

pub(in crate::realtime::protocol) fn write_include(echoed: &[(String, Json)], object: &mut Object<'_>) {
    write_or_null(echoed, "include", object);
}

pub(in crate::realtime::protocol) fn write_tracing(echoed: &[(String, Json)], object: &mut Object<'_>) {
    write_or_null(echoed, "tracing", object);
}

fn write_or_null(echoed: &[(String, Json)], name: &str, object: &mut Object<'_>) {
    match get(echoed, name) {
        Some(value) => object.json(name, value),
        None => object.null(name),
    }
}

type Check = fn(&Field<'_>) -> Result<(), ClientError>;

const CHECKS: &[(&str, Check)] = &[
    ("truncation", truncation),
    ("tracing", tracing),
    ("prompt", prompt),
    ("reasoning", reasoning),
    ("parallel_tool_calls", |field| field.truth().map(drop)),
];

const DEFAULT_TRUNCATION: &str = "\"auto\"";

const CLEARED_BY_NULL: &[&str] = &["tracing", "prompt"];

fn truncation(field: &Field<'_>) -> Result<(), ClientError> {
    if field.is_text() {
        return field.choice(&[("auto", ()), ("disabled", ())]);
    }
    let fields = field.object()?;
    fields.required("type")?.choice(&[("retention_ratio", ())])?;
    fields.required("retention_ratio")?.number(0.0..=1.0)?;
    let Some(limits) = fields.given("token_limits") else { return Ok(()) };
    let Some(limit) = limits.object()?.given("post_instructions") else { return Ok(()) };
    limit.integer(0..=u32::MAX).map(drop)
}

fn tracing(field: &Field<'_>) -> Result<(), ClientError> {
    if field.is_text() {
        return field.choice(&[("auto", ())]);
    }
    let fields = field.object()?;
    fields.text("workflow_name")?;
    fields.text("group_id")?;
    fields.given("metadata").map_or(Ok(()), |metadata| metadata.object().map(drop))
}

fn prompt(field: &Field<'_>) -> Result<(), ClientError> {
    let fields = field.object()?;
    fields.required("id")?.text()?;
    fields.text("version")?;
    fields.given("variables").map_or(Ok(()), |variables| variables.object().map(drop))
}

fn reasoning(field: &Field<'_>) -> Result<(), ClientError> {
    let Some(effort) = field.object()?.given("effort") else { return Ok(()) };
    effort.choice(&[("minimal", ()), ("low", ()), ("medium", ()), ("high", ()), ("xhigh", ())])
}
