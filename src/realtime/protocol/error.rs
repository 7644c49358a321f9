//! What clients are told when they err: codes of section 9 of the protocol, with messages that name the field.

use crate::realtime::session::output::ClientError;

/// A binary frame came where only text is spoken. The session goes on.
pub fn binary_frame() -> ClientError {
    invalid_event("Binary messages are not supported: send one JSON object per text message.")
}

/// A second controller appended sound. The session goes on.
pub fn no_microphone() -> ClientError {
    invalid_event("A second controller has no microphone: a call hears its client alone.")
}

/// The session lasted as long as sessions may; close with 1001 and this message after it.
pub fn session_expired(minutes: u64) -> ClientError {
    let message = format!("Your session hit the maximum duration of {minutes} minutes.");
    refusal("session_expired", None, message)
}

/// Neither the URL nor the session named a model; close with 4000 after it.
pub fn missing_model() -> ClientError {
    refusal("missing_model", Some("model"), "You must provide a model parameter.")
}

/// The named model is not served here; close with 4004 after it.
pub fn model_not_found(model: &str) -> ClientError {
    let message = format!("The model `{}` does not exist or you do not have access to it.", excerpt(model));
    refusal("model_not_found", Some("model"), message)
}

/// A field names a model, or the voice of one, that is not offered here.
pub fn not_offered(param: &str, name: &str) -> ClientError {
    let message = format!("`{}` does not exist here, or is not offered to you.", excerpt(name));
    refusal("model_not_found", Some(param), message)
}

pub(super) fn invalid_json() -> ClientError {
    refusal("invalid_json", None, "The message is not valid JSON.")
}

pub(super) fn invalid_event(message: &str) -> ClientError {
    refusal("invalid_event", None, message)
}

/// The field is of the right type, but says what cannot be.
pub(super) fn invalid_value(param: &str, message: impl Into<String>) -> ClientError {
    refusal("invalid_value", Some(param), message)
}

/// The field holds another value than those known.
pub(super) fn unsupported<'a>(param: &str, value: &str, known: impl IntoIterator<Item = &'a str>) -> ClientError {
    let mut message = format!("Invalid value: '{}'. Supported values are:", excerpt(value));
    for (at, name) in known.into_iter().enumerate() {
        message.push_str(if at == 0 { " '" } else { ", '" });
        message.push_str(name);
        message.push('\'');
    }
    message.push('.');
    invalid_value(param, message)
}

/// The field is of another JSON type.
pub(super) fn invalid_type(param: &str, expected: &str, got: &str) -> ClientError {
    let message = format!("Invalid type for '{param}': expected {expected}, but got {got} instead.");
    refusal("invalid_type", Some(param), message)
}

pub(super) fn missing(param: &str) -> ClientError {
    refusal("missing_required_parameter", Some(param), format!("Missing required parameter: '{param}'."))
}

/// The error type that belongs to a provider's failure.
pub(super) fn kind_of(code: &str) -> &'static str {
    match code {
        "rate_limit_exceeded" | "insufficient_quota" => "rate_limit_error",
        _ => "server_error",
    }
}

/// At most 64 characters of what a client wrote.
pub(super) fn excerpt(value: &str) -> &str {
    value.char_indices().nth(64).map_or(value, |(end, _)| &value[..end])
}

fn refusal(code: &'static str, param: Option<&str>, message: impl Into<String>) -> ClientError {
    ClientError {
        kind: "invalid_request_error",
        code: Some(code),
        message: message.into(),
        param: param.map(str::to_owned),
        event_id: None,
    }
}
