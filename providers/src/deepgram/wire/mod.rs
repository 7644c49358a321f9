//! Deepgram's messages, pure: bytes and JSON to events and back.
//!
//! Unknown types and fields are passed over: Deepgram adds some often.

pub(super) mod flux;
pub(super) mod nova;
pub(super) mod speak;

use std::time::Duration;

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;

use crate::{ErrorKind, net::refusal::plain, stt::Word};

/// Something Deepgram complains about, or we about Deepgram.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Trouble {
    /// What the caller can do.
    pub(super) kind: ErrorKind,
    /// For the log.
    pub(super) detail: String,
}

/// What a recogniser understood, the same for Nova and Flux.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Heard {
    /// A guess at what was said since the last settled passage; replaces the guess before it.
    Guess(Passage),
    /// Will not change any more; replaces the guesses at it. `flushed` if the end of the audio was asked for.
    Settled { passage: Passage, flushed: bool },
    /// Somebody begins to speak.
    Onset,
    /// No word was heard for a while, although there was no silence.
    Lull,
    /// All audio was worked off, should it have ended.
    Done,
    /// Nothing of interest.
    Other,
}

/// A stretch of transcript, timed from the start of what was sent.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Passage {
    pub(super) text: String,
    pub(super) start: Duration,
    pub(super) end: Duration,
    /// Empty where the words came without times.
    pub(super) words: Vec<Word>,
    /// BCP 47 primary tags of its words or, where those have none, of the whole; the most frequent first.
    pub(super) languages: Vec<String>,
}

/// Asks for what was heard so far, for good.
pub(super) const FINALIZE: &str = r#"{"type":"Finalize"}"#;
/// No more audio follows: work it off and say goodbye.
pub(super) const CLOSE_STREAM: &str = r#"{"type":"CloseStream"}"#;
/// No audio for now.
pub(super) const KEEP_ALIVE: &str = r#"{"type":"KeepAlive"}"#;

/// The primary part of a BCP 47 tag, in lower case.
pub(super) fn primary(tag: &str) -> String {
    tag.split(['-', '_']).next().unwrap_or_default().to_lowercase()
}

/// What a goodbye means that came too early. Its reason begins with a code of Deepgram's: `NET-0001`.
pub(super) fn goodbye(code: u16, reason: &str) -> Trouble {
    let by_code = match code {
        1003 | 1007..=1010 => ErrorKind::Rejected,
        1002 => ErrorKind::Protocol,
        _ => ErrorKind::Unavailable,
    };
    let kind = kind_of(reason).unwrap_or(by_code);
    let reason = if reason.is_empty() { "no reason given".to_owned() } else { plain(reason) };
    Trouble { kind, detail: format!("closed early with {code}: {reason}") }
}

/// What an `Error` or a `Warning` says. Its code and its words have other names in each of Deepgram's services, and
/// Nova sends its words twice.
fn complaint(text: &str) -> Result<Trouble, Trouble> {
    let message: Value = read(text)?;
    let find = |names: &[&str]| names.iter().find_map(|name| message.get(*name)?.as_str()).unwrap_or_default();
    let code = find(&["code", "variant", "err_code", "warn_code"]);
    let description = find(&["description", "message", "err_msg", "warn_msg"]);
    let kind = kind_of(code).or_else(|| kind_of(description)).unwrap_or(ErrorKind::Unavailable);
    Ok(Trouble { kind, detail: plain(&format!("{code} {description}")) })
}

/// What Deepgram's codes say one can do: `DATA-0000` of a WebSocket, `TOO_MANY_REQUESTS` of HTTP and Flux.
fn kind_of(text: &str) -> Option<ErrorKind> {
    let text = text.to_uppercase();
    let has = |codes: &[&str]| codes.iter().any(|code| text.contains(code));
    if has(&["TOO_MANY_REQUESTS", "RATE_LIMIT", "ASR_PAYMENT_REQUIRED", "DATA-0001", "INSUFFICIENT_CREDITS"]) {
        Some(ErrorKind::RateLimited)
    } else if has(&["INVALID_AUTH", "UNAUTHORIZED", "INSUFFICIENT_PERMISSIONS", "FORBIDDEN"]) {
        Some(ErrorKind::Unauthorized)
    } else if has(&["DATA-0000", "BIG-0000", "BIG-0001", "MESSAGE-0000", "INVALID", "BAD_REQUEST", "UNPARSABLE"]) {
        Some(ErrorKind::Rejected)
    } else if has(&["TIMEOUT"]) {
        Some(ErrorKind::Timeout)
    } else if has(&["NET-", "INTERNAL"]) {
        Some(ErrorKind::Unavailable)
    } else {
        None
    }
}

/// The type every message names.
#[derive(Deserialize)]
struct Kind {
    #[serde(rename = "type")]
    kind: String,
}

fn kind(text: &str) -> Result<String, Trouble> {
    read::<Kind>(text).map(|message| message.kind)
}

/// Where a message is not what it should be, only the position is told: its text may be a transcript.
fn read<T: DeserializeOwned>(text: &str) -> Result<T, Trouble> {
    serde_json::from_str(text).map_err(|error| Trouble {
        kind: ErrorKind::Protocol,
        detail: format!("broken message at column {} of {}", error.column(), text.len()),
    })
}

/// A time on the wire. What is no time counts as the start.
fn seconds(value: f64) -> Duration {
    Duration::try_from_secs_f64(value).unwrap_or_default()
}

/// A word that does not end before it begins.
fn word(text: &str, start: f64, end: f64) -> Word {
    let start = seconds(start);
    Word { text: text.trim().to_owned(), start, end: seconds(end).max(start) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goodbyes_tell_what_one_can_do() {
        for (code, reason, kind) in [
            (
                1011,
                "NET-0001 Deepgram did not receive audio data or a text message within the window",
                ErrorKind::Unavailable,
            ),
            (1011, "NET-0000", ErrorKind::Unavailable),
            (1008, "DATA-0000 the payload cannot be decoded as audio", ErrorKind::Rejected),
            (1008, "DATA-0001 too many characters", ErrorKind::RateLimited),
            (1008, "", ErrorKind::Rejected),
            (1009, "", ErrorKind::Rejected),
            (1000, "", ErrorKind::Unavailable),
            (1005, "", ErrorKind::Unavailable),
            (1012, "restarting", ErrorKind::Unavailable),
        ] {
            assert_eq!(goodbye(code, reason).kind, kind, "{code} {reason}");
        }
    }

    #[test]
    fn complaints_are_read_in_both_shapes() {
        for (text, kind, detail) in [
            (
                r#"{"type":"Error","sequence_id":2,"code":"INTERNAL_SERVER_ERROR","description":"try again"}"#,
                ErrorKind::Unavailable,
                "INTERNAL_SERVER_ERROR try again",
            ),
            (
                r#"{"type":"Error","description":"bad","message":"unused","variant":"INVALID_QUERY"}"#,
                ErrorKind::Rejected,
                "INVALID_QUERY bad",
            ),
            (r#"{"type":"Error"}"#, ErrorKind::Unavailable, "no reason given"),
        ] {
            assert_eq!(complaint(text), Ok(Trouble { kind, detail: detail.to_owned() }), "{text}");
        }
    }

    #[test]
    fn broken_messages_do_not_show_their_text() {
        let trouble = kind(r#"{"transcript":"my secret""#).unwrap_err();
        assert_eq!(trouble.kind, ErrorKind::Protocol);
        assert!(!trouble.detail.contains("secret"));
    }
}
