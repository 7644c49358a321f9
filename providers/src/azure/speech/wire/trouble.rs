//! What the service complains about: a close code with a reason, a phrase with a status.
//!
//! Sources: the codes and reasons of <https://docs.microsoft.com/azure/cognitive-services/speech/api-reference-rest/websocketprotocol>,
//! those that users report (Azure-Samples/cognitive-services-speech-sdk#2785 and #1075,
//! microsoft/cognitive-services-speech-sdk-js#896), and `EnumTranslation.ts` of the JavaScript SDK for the statuses.

use reqwest::StatusCode;

use crate::{
    ErrorKind,
    net::{http, refusal::plain},
};

/// Something the service complains about, or we about it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::azure::speech) struct Trouble {
    /// What the caller can do.
    pub(in crate::azure::speech) kind: ErrorKind,
    /// For the log.
    pub(in crate::azure::speech) detail: String,
}

impl Trouble {
    pub(in crate::azure::speech) fn new(kind: ErrorKind, detail: &str) -> Self {
        Self { kind, detail: detail.to_owned() }
    }

    /// A message that breaks the protocol.
    pub(in crate::azure::speech) fn broken(detail: &str) -> Self {
        Self::new(ErrorKind::Protocol, &format!("broken message: {detail}"))
    }
}

/// What a goodbye means that came while something was owed.
pub(in crate::azure::speech) fn goodbye(code: u16, reason: &str) -> Trouble {
    let by_code = match code {
        1002 | 1003 | 1007 | 1008 | 1009 | 1010 => ErrorKind::Rejected,
        4400..=4599 => StatusCode::from_u16(code - 4_000).map_or(ErrorKind::Unavailable, http::kind_of),
        _ => ErrorKind::Unavailable,
    };
    let kind = kind_of(reason).unwrap_or(by_code);
    Trouble { kind, detail: format!("closed early with {code}: {}", plain(reason)) }
}

/// What a phrase's status other than of a result means.
pub(super) fn status(status: &str) -> Trouble {
    let (kind, meaning) = match status {
        "TooManyRequests" => (ErrorKind::RateLimited, "more transcriptions at once than allowed"),
        "Forbidden" => (ErrorKind::RateLimited, "the quota of the subscription is spent"),
        "BadRequest" => (ErrorKind::Rejected, "a parameter or the format of the sound is invalid"),
        "Error" => (ErrorKind::Unavailable, "internal error of the recogniser"),
        _ => (ErrorKind::Protocol, "unknown status of a phrase"),
    };
    Trouble::new(kind, meaning)
}

/// What the words of a reason say one can do. Code 1007 stands for nearly everything, so words count first.
pub(in crate::azure::speech) fn kind_of(reason: &str) -> Option<ErrorKind> {
    let reason = reason.to_ascii_lowercase();
    let has = |marks: &[&str]| marks.iter().any(|mark| reason.contains(mark));
    if has(&["quota", "throttl", "too many", "rate limit", "concurren", "parallel requests"]) {
        Some(ErrorKind::RateLimited)
    } else if has(&["unauthori", "authenticat", "authorization", "subscription key", "access denied", "forbidden"]) {
        Some(ErrorKind::Unauthorized)
    } else if has(&["timeout", "timed out"]) {
        Some(ErrorKind::Timeout)
    } else if has(&["internal", "resourceexhausted", "unavailable", "try again"]) {
        Some(ErrorKind::Unavailable)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goodbyes_tell_what_one_can_do() {
        for (code, reason, kind) in [
            (1007, "Quota exceeded. Cid: ", ErrorKind::RateLimited),
            (1007, "Throttled due to too many requests", ErrorKind::RateLimited),
            (1007, "Incorrect message format. Text message contains no data.", ErrorKind::Rejected),
            (1007, "Unsupported voice en-US-NobodyNeural.", ErrorKind::Rejected),
            (1007, "", ErrorKind::Rejected),
            (1002, "Missing/Empty header. Path", ErrorKind::Rejected),
            (1007, "Authorization token is expired.", ErrorKind::Unauthorized),
            (4429, "", ErrorKind::RateLimited),
            (4401, "", ErrorKind::Unauthorized),
            (4503, "", ErrorKind::Unavailable),
            (4000, "", ErrorKind::Unavailable),
            (1011, "Internal server error", ErrorKind::Unavailable),
            (1013, "Status(StatusCode=\"ResourceExhausted\", Detail=\"x\")", ErrorKind::Unavailable),
            (1000, "", ErrorKind::Unavailable),
            (1000, "Connection timed out due to inactivity", ErrorKind::Timeout),
            (1005, "", ErrorKind::Unavailable),
        ] {
            assert_eq!(goodbye(code, reason).kind, kind, "{code} {reason}");
        }
        assert!(goodbye(1007, "Quota exceeded.").detail.contains("1007: Quota exceeded."));
    }

    #[test]
    fn statuses_tell_what_one_can_do() {
        for (name, kind) in [
            ("Error", ErrorKind::Unavailable),
            ("TooManyRequests", ErrorKind::RateLimited),
            ("Forbidden", ErrorKind::RateLimited),
            ("BadRequest", ErrorKind::Rejected),
            ("Novelty", ErrorKind::Protocol),
        ] {
            assert_eq!(status(name).kind, kind, "{name}");
        }
    }
}
