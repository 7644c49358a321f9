//! How a call ended: its code, its message, its details, and what they mean.
//!
//! Sources: <https://github.com/grpc/grpc/blob/master/doc/statuscodes.md>, and for details
//! <https://github.com/googleapis/googleapis/blob/master/google/rpc/error_details.proto>.

use std::time::Duration;

use base64::{Engine, engine::general_purpose};
use prost::Message;
use reqwest::header::HeaderMap;

use super::super::refusal::plain;
use crate::ErrorKind;

/// A status other than OK.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Trouble {
    pub(super) kind: ErrorKind,
    pub(super) retry_after: Option<Duration>,
    pub(super) detail: String,
}

impl Trouble {
    pub(super) fn new(kind: ErrorKind, detail: impl Into<String>) -> Self {
        Self { kind, retry_after: None, detail: detail.into() }
    }
}

/// Reads a status from trailers, or from headers where nothing else was sent; `None` where they have none.
pub(super) fn read(trailers: &HeaderMap) -> Option<Result<(), Trouble>> {
    let text = |name: &str| trailers.get(name).and_then(|value| value.to_str().ok());
    let code: u32 = text("grpc-status")?.trim().parse().unwrap_or(UNKNOWN);
    if code == 0 {
        return Some(Ok(()));
    }
    let details = text("grpc-status-details-bin").map(Details::read).unwrap_or_default();
    let kind = if details.bad_key { ErrorKind::Unauthorized } else { kind_of(code) };
    let said = plain(&unescape(text("grpc-message").unwrap_or_default()));
    let detail = format!("{}: {said}", name_of(code));
    Some(Err(Trouble { kind, retry_after: details.retry_after, detail }))
}

const fn kind_of(code: u32) -> ErrorKind {
    match code {
        7 | 16 => ErrorKind::Unauthorized,
        8 => ErrorKind::RateLimited,
        4 => ErrorKind::Timeout,
        3 | 5 | 6 | 9 | 11 | 12 => ErrorKind::Rejected,
        1 | UNKNOWN | 10 | 13..=15 => ErrorKind::Unavailable,
        _ => ErrorKind::Protocol,
    }
}

fn name_of(code: u32) -> String {
    let name = usize::try_from(code).ok().and_then(|code| NAMES.get(code));
    name.map_or_else(|| format!("status {code}"), |name| (*name).to_owned())
}

const UNKNOWN: u32 = 2;
const NAMES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// Messages travel percent-encoded.
fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let escaped = after.split_first_chunk::<2>().filter(|_| first == b'%').and_then(|(digits, after)| {
            let digits = std::str::from_utf8(digits).ok()?;
            Some((u8::from_str_radix(digits, 16).ok()?, after))
        });
        let (byte, after) = escaped.unwrap_or((first, after));
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What details say beyond the code.
#[derive(Default)]
struct Details {
    retry_after: Option<Duration>,
    /// A key that is none is an invalid argument to Google, and only its reason tells.
    bad_key: bool,
}

impl Details {
    fn read(text: &str) -> Self {
        let unpadded = text.trim().trim_end_matches('=');
        let bytes = general_purpose::STANDARD_NO_PAD.decode(unpadded).unwrap_or_default();
        let mut details = Self::default();
        for detail in Status::decode(&bytes[..]).unwrap_or_default().details {
            match detail.type_url.rsplit('/').next() {
                Some("google.rpc.RetryInfo") => {
                    let delay = RetryInfo::decode(&detail.value[..]).unwrap_or_default().retry_delay;
                    details.retry_after = delay.map(|delay| delay.span().min(LONGEST_WAIT));
                }
                Some("google.rpc.ErrorInfo") => {
                    let info = ErrorInfo::decode(&detail.value[..]).unwrap_or_default();
                    details.bad_key |= info.reason.starts_with("API_KEY_");
                }
                Some(_) | None => {}
            }
        }
        details
    }
}

const LONGEST_WAIT: Duration = Duration::from_secs(3_600);

/// `google.rpc.Status`.
#[derive(Clone, PartialEq, Message)]
struct Status {
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

/// `google.protobuf.Any`.
#[derive(Clone, PartialEq, Message)]
struct Any {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

/// `google.rpc.RetryInfo`.
#[derive(Clone, PartialEq, Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    retry_delay: Option<Seconds>,
}

/// `google.rpc.ErrorInfo`.
#[derive(Clone, PartialEq, Message)]
struct ErrorInfo {
    #[prost(string, tag = "1")]
    reason: String,
}

/// `google.protobuf.Duration`.
#[derive(Clone, Copy, PartialEq, Message)]
struct Seconds {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

impl Seconds {
    fn span(self) -> Duration {
        let seconds = u64::try_from(self.seconds).unwrap_or_default();
        Duration::new(seconds, u32::try_from(self.nanos).unwrap_or_default().min(999_999_999))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trailers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    fn details(type_url: &str, value: Vec<u8>) -> String {
        let status = Status { details: vec![Any { type_url: format!("type.googleapis.com/{type_url}"), value }] };
        general_purpose::STANDARD.encode(status.encode_to_vec())
    }

    #[test]
    fn codes_say_what_one_can_do() {
        for (code, kind) in [
            ("1", ErrorKind::Unavailable),
            ("3", ErrorKind::Rejected),
            ("4", ErrorKind::Timeout),
            ("5", ErrorKind::Rejected),
            ("7", ErrorKind::Unauthorized),
            ("8", ErrorKind::RateLimited),
            ("10", ErrorKind::Unavailable),
            ("11", ErrorKind::Rejected),
            ("12", ErrorKind::Rejected),
            ("13", ErrorKind::Unavailable),
            ("14", ErrorKind::Unavailable),
            ("16", ErrorKind::Unauthorized),
            ("99", ErrorKind::Protocol),
            ("what?", ErrorKind::Unavailable),
        ] {
            let trouble = read(&trailers(&[("grpc-status", code)])).unwrap().unwrap_err();
            assert_eq!(trouble.kind, kind, "{code}");
        }
        assert_eq!(read(&trailers(&[("grpc-status", "0")])), Some(Ok(())));
        assert_eq!(read(&trailers(&[])), None);
    }

    #[test]
    fn messages_are_unescaped_and_hide_keys() {
        let read = |message| read(&trailers(&[("grpc-status", "3"), ("grpc-message", message)])).unwrap().unwrap_err();
        assert_eq!(read("caf%C3%A9 100%, %zz AIzaSyNotAKey").detail, "INVALID_ARGUMENT: café 100%, %zz […]");
        assert_eq!(read("").detail, "INVALID_ARGUMENT: no reason given");
    }

    #[test]
    fn details_tell_when_to_retry_and_of_bad_keys() {
        let delay = RetryInfo { retry_delay: Some(Seconds { seconds: 7, nanos: 500_000_000 }) };
        let retry = details("google.rpc.RetryInfo", delay.encode_to_vec());
        for value in [retry.as_str(), retry.trim_end_matches('=')] {
            let trouble = read(&trailers(&[("grpc-status", "8"), ("grpc-status-details-bin", value)]));
            assert_eq!(trouble.unwrap().unwrap_err().retry_after, Some(Duration::from_millis(7_500)));
        }
        let info = ErrorInfo { reason: "API_KEY_INVALID".to_owned() };
        let value = details("google.rpc.ErrorInfo", info.encode_to_vec());
        let trouble = read(&trailers(&[("grpc-status", "3"), ("grpc-status-details-bin", &value)]));
        assert_eq!(trouble.unwrap().unwrap_err().kind, ErrorKind::Unauthorized);
    }

    proptest::proptest! {
        #[test]
        fn any_trailers_are_survived(message in "[ -~]{0,40}", details in "[ -~]{0,80}") {
            let _ = read(&trailers(&[("grpc-status", "2"), ("grpc-message", &message), ("grpc-status-details-bin", &details)]));
        }
    }
}
