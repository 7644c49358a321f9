//! Messages of the Speech service, pure: headers and a body, in text as HTTP has them, in bytes behind their length.
//!
//! Source: `WebsocketMessageFormatter.ts` and `SpeechConnectionMessage.Internal.ts` of Microsoft's JavaScript SDK.

pub(super) mod boundaries;
pub(super) mod listen;
pub(super) mod speak;
pub(super) mod trouble;

use std::time::Duration;

use serde::de::DeserializeOwned;
use trouble::Trouble;

/// A message from the service.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Message<'a> {
    /// What kind it is of: `speech.phrase`. Its case varies.
    path: &'a str,
    /// Which request it answers; empty where it does not say.
    request: &'a str,
    pub(super) body: &'a [u8],
}

/// A message to the service.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head<'a> {
    pub(super) path: &'a str,
    /// 32 hexadecimal digits.
    pub(super) request: &'a str,
    /// In UTC, ISO 8601.
    pub(super) timestamp: &'a str,
    /// The media type of the body.
    pub(super) content: Option<&'a str>,
}

impl<'a> Message<'a> {
    /// Reads a text message. One without a body may end with its headers.
    ///
    /// # Errors
    ///
    /// It names no path.
    pub(super) fn text(text: &'a str) -> Result<Self, Trouble> {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
        Self::new(head, body.as_bytes())
    }

    /// Reads a binary message.
    ///
    /// # Errors
    ///
    /// It is shorter than it says, its headers are no text, or it names no path.
    pub(super) fn binary(bytes: &'a [u8]) -> Result<Self, Trouble> {
        let (length, rest) = bytes.split_first_chunk::<2>().ok_or_else(|| Trouble::broken("no header length"))?;
        let (head, body) = rest
            .split_at_checked(u16::from_be_bytes(*length).into())
            .ok_or_else(|| Trouble::broken("headers longer than the message"))?;
        Self::new(std::str::from_utf8(head).map_err(|_| Trouble::broken("headers are no text"))?, body)
    }

    fn new(head: &'a str, body: &'a [u8]) -> Result<Self, Trouble> {
        let find = |wanted: &str| {
            let mut fields = head.lines().filter_map(|line| line.split_once(':'));
            fields.find(|(name, _)| name.trim().eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim())
        };
        let path = find("path").ok_or_else(|| Trouble::broken("no path"))?;
        Ok(Self { path, request: find("x-requestid").unwrap_or_default(), body })
    }

    /// Its kind, in lower case.
    pub(super) fn kind(&self) -> String {
        self.path.to_ascii_lowercase()
    }

    /// Whether it may be an answer to this request.
    pub(super) fn answers(&self, request: &str) -> bool {
        self.request.is_empty() || self.request.eq_ignore_ascii_case(request)
    }

    /// Where the body is not what it should be, only the position is told: its text may be a transcript.
    fn read<T: DeserializeOwned>(&self) -> Result<T, Trouble> {
        serde_json::from_slice(self.body).map_err(|error| {
            let (length, column) = (self.body.len(), error.column());
            Trouble::broken(&format!("{} broken at column {column} of {length} bytes", self.kind()))
        })
    }
}

impl Head<'_> {
    /// A text message.
    pub(super) fn with_text(&self, body: &str) -> String {
        format!("{}\r\n{body}", self.lines())
    }

    /// A binary message.
    pub(super) fn with_bytes(&self, body: &[u8]) -> Vec<u8> {
        let lines = self.lines();
        let length = u16::try_from(lines.len()).unwrap_or(u16::MAX);
        [&length.to_be_bytes(), lines.as_bytes(), body].concat()
    }

    fn lines(&self) -> String {
        let Self { path, request, timestamp, .. } = self;
        let content = self.content.map(|content| format!("Content-Type: {content}\r\n")).unwrap_or_default();
        format!("Path: {path}\r\nX-RequestId: {request}\r\nX-Timestamp: {timestamp}\r\n{content}")
    }
}

/// A time on the wire, in units of 100 ns. What is no time counts as the start.
fn ticks(value: f64) -> Duration {
    Duration::from_nanos((value as u64).saturating_mul(100))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn text_messages_are_read_whatever_the_case_and_the_blanks_of_their_headers() {
        for text in [
            "X-RequestId:ab\r\nContent-Type:application/json; charset=utf-8\r\nPath:turn.end\r\n\r\n{}",
            "path: Turn.End\r\nx-requestid: ab \r\n\r\n{}",
        ] {
            let message = Message::text(text).unwrap();
            assert_eq!((message.kind().as_str(), message.body), ("turn.end", &b"{}"[..]));
            assert!(message.answers("AB") && !message.answers("cd"));
        }
        let bare = Message::text("Path: turn.end").unwrap();
        assert!(bare.body.is_empty() && bare.answers("any"));
        assert_eq!(Message::text("{}").unwrap_err().kind, ErrorKind::Protocol);
    }

    #[test]
    fn binary_messages_have_the_length_of_their_headers_in_front() {
        let head = "X-RequestId:ab\r\nPath:audio\r\n";
        let bytes = [&[0, 28], head.as_bytes(), &[1, 2, 3]].concat();
        let message = Message::binary(&bytes).unwrap();
        assert_eq!((message.kind().as_str(), message.body), ("audio", &[1, 2, 3][..]));
        for broken in [&[][..], &[0], &[0, 9, b'P'], &[0, 1, 0xff], &[0, 0, 1]] {
            assert_eq!(Message::binary(broken).unwrap_err().kind, ErrorKind::Protocol, "{broken:?}");
        }
    }

    #[test]
    fn what_is_sent_can_be_read() {
        let head = Head { path: "audio", request: "ab", timestamp: "2026-11-26T14:00:00.000Z", content: None };
        let bytes = head.with_bytes(&[7, 8]);
        let message = Message::binary(&bytes).unwrap();
        assert_eq!((message.kind().as_str(), message.request, message.body), ("audio", "ab", &[7, 8][..]));
        let text = Head { path: "ssml", content: Some("application/ssml+xml"), ..head }.with_text("<speak/>");
        let expected = "Path: ssml\r\nX-RequestId: ab\r\nX-Timestamp: 2026-11-26T14:00:00.000Z\r\n\
                        Content-Type: application/ssml+xml\r\n\r\n<speak/>";
        assert_eq!(text, expected);
    }

    #[test]
    fn broken_bodies_do_not_show_their_text() {
        let message = Message::text("Path: speech.phrase\r\n\r\n{\"DisplayText\":\"my secret\"").unwrap();
        let trouble = message.read::<serde_json::Value>().unwrap_err();
        assert!(trouble.detail.contains("speech.phrase") && !trouble.detail.contains("secret"), "{}", trouble.detail);
    }

    #[test]
    fn times_are_counted_in_hundreds_of_nanoseconds() {
        assert_eq!(ticks(12_300_000.0), Duration::from_millis(1_230));
        assert_eq!((ticks(-1.0), ticks(f64::NAN)), (Duration::ZERO, Duration::ZERO));
        assert!(ticks(f64::MAX) > Duration::from_secs(1_000_000));
    }
}
