//! Ids of rows: UUIDv7, so that they sort by the time they were made. Kept as text, which both engines take.

use std::{borrow::Cow, fmt, str::FromStr};

use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::sql::Value;

macro_rules! row_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// An id that sorts after every earlier one of this process.
            pub fn new(now: Timestamp) -> Self {
                Self(v7(now))
            }
        }

        impl From<$name> for Value {
            fn from(id: $name) -> Self {
                Self::Text(Some(id.to_string()))
            }
        }

        impl From<Option<$name>> for Value {
            fn from(id: Option<$name>) -> Self {
                Self::Text(id.map(|id| id.to_string()))
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({"type": "string", "format": "uuid"})
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    };
}

row_id!(
    /// A person, or the owner of a machine's keys.
    UserId
);
row_id!(
    /// An API key.
    KeyId
);
row_id!(
    /// One login of a person: a family of refresh tokens and the access tokens that came of them.
    LoginId
);
row_id!(
    /// A key that signs access tokens.
    SigningKeyId
);
row_id!(
    /// A conversation: typed and spoken turns in one history.
    SessionId
);
row_id!(
    /// A voice session: one time somebody talked in a conversation.
    VoiceSessionId
);
row_id!(
    /// One message of a session.
    MessageId
);
row_id!(
    /// A folder of conversations.
    FolderId
);
row_id!(
    /// What is known of a patient.
    ClinicalContextId
);
row_id!(
    /// A link by which others read a conversation.
    ShareId
);
row_id!(
    /// A file that came with a message, and the key of its bytes in storage.
    AttachmentId
);
row_id!(
    /// A document of the knowledge base, and the key of its bytes in storage.
    DocumentId
);
row_id!(
    /// What a message says it has from where.
    CitationId
);

row_id!(
    /// A passage of a document.
    PassageId
);

/// A UUIDv7 for `now`. The counter inside keeps ids of the same millisecond in order.
fn v7(now: Timestamp) -> Uuid {
    static CONTEXT: std::sync::Mutex<uuid::ContextV7> = std::sync::Mutex::new(uuid::ContextV7::new());
    let seconds = u64::try_from(now.as_second()).unwrap_or(0);
    let nanos = u32::try_from(now.subsec_nanosecond()).unwrap_or(0);
    Uuid::new_v7(uuid::Timestamp::from_unix(&CONTEXT, seconds, nanos))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_one_instant_sort_in_the_order_they_were_made() {
        let now = Timestamp::from_millisecond(1_700_000_000_123).unwrap();
        let made: Vec<_> = (0..1000).map(|_| MessageId::new(now)).collect();
        assert!(made.is_sorted(), "the counter keeps them in order");
        assert_eq!(made[0].0.get_version_num(), 7);
    }

    #[test]
    fn the_text_form_reads_back_and_sorts_like_the_id() {
        let (a, b) = (SessionId::new(Timestamp::UNIX_EPOCH), SessionId::new(Timestamp::MAX));
        assert_eq!(a.to_string().parse::<SessionId>().unwrap(), a);
        assert_eq!(a.to_string() < b.to_string(), a < b);
    }
}
