//! What clients say, taken strictly: what is not known is told, never dropped.

use serde::{
    Deserialize,
    de::{DeserializeOwned, IgnoredAny},
};

use crate::{
    rest::{body, fault::Fault, messages},
    store::{AttachmentId, attachments},
};

/// One thing that a client says.
#[derive(Debug)]
pub(super) enum Frame {
    /// It types something.
    Message(Message),
    /// It wants no more of the reply in the making.
    Cancel,
    /// It wants to know whether anybody is there.
    Ping,
}

/// Something typed.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub(super) struct Message {
    #[serde(rename = "type")]
    _type: IgnoredAny,
    pub(super) content: String,
    pub(super) client_message_id: Option<String>,
    #[serde(default)]
    pub(super) attachments: Vec<AttachmentId>,
}

/// What has nothing to say beside its type.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bare {
    #[serde(rename = "type")]
    _type: IgnoredAny,
}

/// What a frame is.
#[derive(Deserialize)]
struct Kind {
    r#type: String,
}

impl Frame {
    /// Reads a frame.
    pub(super) fn read(text: &str) -> Result<Self, Fault> {
        let Kind { r#type: kind } = parse(text)?;
        match kind.as_str() {
            "message" => parse::<Message>(text)?.checked().map(Self::Message),
            "cancel" => parse(text).map(|Bare { .. }| Self::Cancel),
            "ping" => parse(text).map(|Bare { .. }| Self::Ping),
            _ => {
                let message = "There are the types `message`, `cancel` and `ping`.";
                Err(Fault::invalid("type", message).coded("unknown_type"))
            }
        }
    }
}

impl Message {
    fn checked(self) -> Result<Self, Fault> {
        messages::words(&self.content)?;
        self.client_message_id.as_deref().map(messages::name).transpose()?;
        if self.attachments.len() > attachments::MOST as usize {
            let message = format!("A message names at most {} attachments.", attachments::MOST);
            return Err(Fault::invalid("attachments", message));
        }
        Ok(self)
    }
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T, Fault> {
    body::parse(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> serde_json::Value {
        Frame::read(text).unwrap_err().on_socket(true)
    }

    #[test]
    fn what_clients_say_is_read() {
        let Frame::Message(message) =
            Frame::read(r#"{"content": "Hello", "type": "message", "client_message_id": "m1"}"#).unwrap()
        else {
            panic!("it is a message")
        };
        assert_eq!((message.content.as_str(), message.client_message_id.as_deref()), ("Hello", Some("m1")));
        assert_eq!(message.attachments, []);
        assert!(matches!(Frame::read(r#"{"type": "cancel"}"#), Ok(Frame::Cancel)));
        assert!(matches!(Frame::read(r#"{"type": "ping"}"#), Ok(Frame::Ping)));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let deep = format!(r#"{{"type": "ping", "x": {}}}"#, "[".repeat(100_000));
        for (text, code, field) in [
            ("", "invalid_json", None),
            ("{", "invalid_json", None),
            (deep.as_str(), "invalid_json", None),
            (r#"{"type": "ping"} {}"#, "invalid_json", None),
            ("[]", "invalid_value", Some(".")),
            ("{}", "missing_required_parameter", Some("type")),
            (r#"{"type": 1}"#, "invalid_value", Some("type")),
            (r#"{"type": "shout"}"#, "unknown_type", Some("type")),
            (r#"{"type": "ping", "loud": true}"#, "unknown_parameter", Some("loud")),
            (r#"{"type": "message"}"#, "missing_required_parameter", Some("content")),
            (r#"{"type": "message", "content": " \n"}"#, "invalid_value", Some("content")),
            (r#"{"type": "message", "content": "a", "mood": 1}"#, "unknown_parameter", Some("mood")),
            (
                r#"{"type": "message", "content": "a", "client_message_id": ""}"#,
                "invalid_value",
                Some("client_message_id"),
            ),
            (r#"{"type": "message", "content": "a", "attachments": ["x"]}"#, "invalid_value", Some("attachments[0]")),
        ] {
            let told = refused(text);
            assert_eq!((told["code"].as_str(), told["field"].as_str()), (Some(code), field), "{text:.80}: {told}");
        }
    }
}
