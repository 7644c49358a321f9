//! What errors of the vendor mean: events, failed replies, close codes.

use serde::Deserialize;

use crate::{ErrorKind, net::refusal::plain};

/// An error as the vendor tells it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::openai::realtime) struct Fault {
    /// The client event it answers, if it says.
    pub(in crate::openai::realtime) event: Option<String>,
    /// Its code, or its type where it has none.
    pub(in crate::openai::realtime) code: String,
    pub(in crate::openai::realtime) kind: ErrorKind,
    pub(in crate::openai::realtime) detail: String,
}

#[derive(Deserialize, Default)]
pub(super) struct Raw {
    event_id: Option<String>,
    code: Option<String>,
    r#type: Option<String>,
    message: Option<String>,
}

impl From<Raw> for Fault {
    fn from(raw: Raw) -> Self {
        let (code, class) = (raw.code.unwrap_or_default(), raw.r#type.unwrap_or_default());
        let kind = kind_of(&code).or_else(|| kind_of(&class)).unwrap_or(ErrorKind::Unavailable);
        let name = if code.is_empty() { class } else { code };
        let detail = plain(&format!("{name}: {}", raw.message.unwrap_or_default()));
        Self { event: raw.event_id, code: name, kind, detail }
    }
}

impl Fault {
    /// Whether the conversation cannot go on.
    pub(in crate::openai::realtime) fn ends_all(&self) -> bool {
        const FATAL: [&str; 7] = [
            "session_expired",
            "invalid_api_key",
            "authentication_error",
            "account_deactivated",
            "insufficient_quota",
            "credit_balance_exhausted",
            "billing_hard_limit_reached",
        ];
        FATAL.contains(&self.code.as_str())
    }

    /// Whether it is about something else than a reply that was asked for.
    pub(in crate::openai::realtime) fn is_aside(&self) -> bool {
        self.code.starts_with("item_")
            || self.code.starts_with("input_audio_buffer")
            || self.cancels_nothing()
            || self.code == "unsupported_content_type"
    }

    /// Whether a cancel came too late.
    pub(in crate::openai::realtime) fn cancels_nothing(&self) -> bool {
        self.code == "response_cancel_not_active"
    }
}

/// A goodbye that was not asked for: OpenAI's reasons read `type.code`.
pub(in crate::openai::realtime) fn closed(code: u16, reason: &str) -> (ErrorKind, String) {
    let told = reason.rsplit('.').next().and_then(kind_of);
    let kind = told.unwrap_or(match code {
        3000 => ErrorKind::Unauthorized,
        1002 | 1003 | 1007 => ErrorKind::Protocol,
        1008 | 1009 | 4000..=4999 => ErrorKind::Rejected,
        _ => ErrorKind::Unavailable,
    });
    (kind, format!("closed {code}: {}", plain(reason)))
}

fn kind_of(code: &str) -> Option<ErrorKind> {
    Some(match code {
        "invalid_api_key" | "authentication_error" | "account_deactivated" | "permission_denied" => {
            ErrorKind::Unauthorized
        }
        "rate_limit_exceeded"
        | "rate_limit_error"
        | "insufficient_quota"
        | "credit_balance_exhausted"
        | "billing_hard_limit_reached" => ErrorKind::RateLimited,
        "server_error" | "session_expired" | "internal_error" => ErrorKind::Unavailable,
        "timeout" => ErrorKind::Timeout,
        "invalid_request_error"
        | "model_not_found"
        | "invalid_model"
        | "missing_model"
        | "beta_api_shape_disabled"
        | "invalid_value"
        | "unknown_parameter"
        | "conversation_already_has_active_response" => ErrorKind::Rejected,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(code: &str, class: &str) -> Fault {
        Raw { code: Some(code.into()), r#type: Some(class.into()), ..Raw::default() }.into()
    }

    #[test]
    fn codes_go_before_types_and_both_before_nothing() {
        for (code, class, kind) in [
            ("rate_limit_exceeded", "invalid_request_error", ErrorKind::RateLimited),
            ("invalid_api_key", "invalid_request_error", ErrorKind::Unauthorized),
            ("", "server_error", ErrorKind::Unavailable),
            ("session_expired", "invalid_request_error", ErrorKind::Unavailable),
            ("something", "invalid_request_error", ErrorKind::Rejected),
            ("", "", ErrorKind::Unavailable),
        ] {
            assert_eq!(fault(code, class).kind, kind, "{code} {class}");
        }
        assert!(fault("session_expired", "").ends_all() && !fault("invalid_value", "").ends_all());
    }

    #[test]
    fn goodbyes_tell_their_reason() {
        for (code, reason, kind) in [
            (1001, "Your session hit the maximum duration of 60 minutes.", ErrorKind::Unavailable),
            (3000, "invalid_request_error.invalid_api_key", ErrorKind::Unauthorized),
            (4000, "invalid_request_error.invalid_model", ErrorKind::Rejected),
            (4004, "", ErrorKind::Rejected),
            (1013, "", ErrorKind::Unavailable),
        ] {
            assert_eq!(closed(code, reason).0, kind, "{code} {reason}");
        }
    }
}
