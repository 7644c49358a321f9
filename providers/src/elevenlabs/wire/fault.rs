//! What the vendor's refusals mean, wherever they come: a status, a message in a stream, a reason for closing.
//!
//! The same words name the same troubles in all three places; statuses do not (a spent quota answers 401, and close code
//! 1008 stands for nearly everything), so the word counts first.

use serde_json::Value;

use crate::{ErrorKind, net::refusal::plain};

/// A refusal, told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::elevenlabs) struct Fault {
    pub(in crate::elevenlabs) kind: ErrorKind,
    pub(in crate::elevenlabs) detail: String,
}

/// The kind that this word of the vendor, or this sentence, tells.
pub(in crate::elevenlabs) fn kind_of(words: &str) -> Option<ErrorKind> {
    let words = words.to_ascii_lowercase().replace([' ', '-'], "_");
    let has = |marks: &[&str]| marks.iter().any(|mark| words.contains(mark));
    if has(&["quota", "rate_limit", "concurren", "simultaneous", "too_many", "throttled", "queue_overflow", "payment"])
    {
        return Some(ErrorKind::RateLimited);
    }
    let unauthorized =
        ["auth", "api_key", "missing_permissions", "unaccepted_terms", "unusual_activity", "forbidden", "subscription"];
    if has(&unauthorized) {
        return Some(ErrorKind::Unauthorized);
    }
    if has(&["timeout", "time_limit", "insufficient_audio_activity", "not_received_a_new_text"]) {
        return Some(ErrorKind::Timeout);
    }
    if has(&["busy", "overloaded", "resource_exhausted", "transcriber_error", "internal", "unavailable"]) {
        return Some(ErrorKind::Unavailable);
    }
    let rejected = [
        "not_found",
        "does_not_exist",
        "invalid",
        "validation",
        "max_character_limit",
        "input_error",
        "exceeded",
        "only",
    ];
    has(&rejected).then_some(ErrorKind::Rejected)
}

/// The word for what is wrong in an answer's body: `detail.code`, `detail.status` in older answers.
pub(in crate::elevenlabs) fn word(body: &[u8]) -> Option<ErrorKind> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let detail = body.get("detail")?;
    ["code", "status", "type"].iter().find_map(|name| kind_of(detail.get(*name)?.as_str()?))
}

/// A message in the stream that names an error.
pub(in crate::elevenlabs) fn told(word: &str, message: &str) -> Fault {
    let kind = kind_of(word).or_else(|| kind_of(message)).unwrap_or(ErrorKind::Unavailable);
    let detail = if message.is_empty() { plain(word) } else { format!("{}: {}", plain(word), plain(message)) };
    Fault { kind, detail }
}

/// The connection was closed while something was owed.
pub(in crate::elevenlabs) fn closed(code: u16, reason: &str) -> Fault {
    let by_code = match code {
        3000 | 3003 | 4001 | 4003 => ErrorKind::Unauthorized,
        1003 | 1007 | 1009 => ErrorKind::Rejected,
        _ => ErrorKind::Unavailable,
    };
    let detail = format!("closed early with code {code}: {}", plain(reason));
    Fault { kind: kind_of(reason).unwrap_or(by_code), detail }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vendors_words_say_what_one_can_do() {
        for (word, expected) in [
            ("quota_exceeded", ErrorKind::RateLimited),
            ("rate_limited", ErrorKind::RateLimited),
            ("rate_limit_exceeded", ErrorKind::RateLimited),
            ("concurrent_limit_exceeded", ErrorKind::RateLimited),
            ("too_many_concurrent_requests", ErrorKind::RateLimited),
            ("queue_overflow", ErrorKind::RateLimited),
            ("Maximum simultaneous contexts exceeded (5).", ErrorKind::RateLimited),
            ("auth_error", ErrorKind::Unauthorized),
            ("invalid_api_key", ErrorKind::Unauthorized),
            ("missing_permissions", ErrorKind::Unauthorized),
            ("unaccepted_terms", ErrorKind::Unauthorized),
            ("detected_unusual_activity", ErrorKind::Unauthorized),
            ("input_timeout_exceeded", ErrorKind::Timeout),
            ("session_time_limit_exceeded", ErrorKind::Timeout),
            ("Have not received a new text input within the timeout of 20 seconds.", ErrorKind::Timeout),
            ("insufficient_audio_activity", ErrorKind::Timeout),
            ("system_busy", ErrorKind::Unavailable),
            ("resource_exhausted", ErrorKind::Unavailable),
            ("transcriber_error", ErrorKind::Unavailable),
            ("voice_not_found", ErrorKind::Rejected),
            ("A voice for the voice_id x does not exist.", ErrorKind::Rejected),
            ("invalid_parameters", ErrorKind::Rejected),
            ("max_character_limit_exceeded", ErrorKind::Rejected),
            ("input_error", ErrorKind::Rejected),
            ("chunk_size_exceeded", ErrorKind::Rejected),
            ("upload_file_size_exceeded", ErrorKind::Rejected),
            ("voices can only be set in the first message.", ErrorKind::Rejected),
        ] {
            assert_eq!(kind_of(word), Some(expected), "{word}");
        }
        assert_eq!(kind_of("error"), None);
    }

    #[test]
    fn bodies_are_read_by_code_then_status() {
        let new = br#"{"detail":{"type":"validation_error","code":"quota_exceeded","message":"m","status":"x"}}"#;
        let old = br#"{"detail":{"status":"invalid_api_key","message":"Invalid API key"}}"#;
        assert_eq!((word(new), word(old)), (Some(ErrorKind::RateLimited), Some(ErrorKind::Unauthorized)));
        assert_eq!((word(b"<html>"), word(br#"{"detail":[{"msg":"field required"}]}"#)), (None, None));
    }

    #[test]
    fn a_close_is_known_by_its_reason_then_by_its_code() {
        let reason = "This request exceeds your quota of 10000.";
        assert_eq!(closed(1008, reason).kind, ErrorKind::RateLimited);
        assert_eq!(closed(1008, "").kind, ErrorKind::Unavailable);
        assert_eq!(closed(1011, "").kind, ErrorKind::Unavailable);
        assert_eq!(closed(1009, "").kind, ErrorKind::Rejected);
        assert_eq!(closed(3000, "").kind, ErrorKind::Unauthorized);
        assert!(closed(1008, reason).detail.contains("1008: This request exceeds"));
    }
}
