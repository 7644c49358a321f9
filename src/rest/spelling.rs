//! The two spellings of an error, as they are written and described.

use schemars::JsonSchema;
use serde::Serialize;

/// Why a request failed (RFC 9457).
#[derive(Serialize, JsonSchema)]
pub(super) struct Problem<'a> {
    /// Always `about:blank`: the status says what kind of problem it is.
    pub(super) r#type: &'static str,
    /// The status in words.
    pub(super) title: &'a str,
    /// The status.
    pub(super) status: u16,
    /// What is wrong, for people.
    pub(super) detail: &'a str,
    /// The same for programs.
    pub(super) code: &'a str,
    /// The fields that cannot be what they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) errors: Option<[FieldError<'a>; 1]>,
    /// Of a 5xx: under which the log holds the cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) request_id: Option<&'a str>,
}

/// What is wrong with one field.
#[derive(Serialize, JsonSchema)]
pub(super) struct FieldError<'a> {
    /// Its path in the body, or its name in the query.
    pub(super) field: &'a str,
    /// What it must be.
    pub(super) message: &'a str,
}

/// Why a request failed, as OpenAI's SDKs read it.
#[derive(Serialize, JsonSchema)]
pub(super) struct OpenAiError<'a> {
    pub(super) error: ErrorObject<'a>,
}

/// What failed.
#[derive(Serialize, JsonSchema)]
pub(super) struct ErrorObject<'a> {
    /// For people.
    pub(super) message: &'a str,
    /// `invalid_request_error`, `rate_limit_error` or `server_error`.
    pub(super) r#type: &'static str,
    /// The field that cannot be what it is.
    pub(super) param: Option<&'a str>,
    /// For programs.
    pub(super) code: &'a str,
}
