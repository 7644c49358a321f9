//! Why a typed turn is not answered.

use providers::ProviderError;

use crate::store::{AttachmentId, StoreError};

/// A turn that is not answered, by what whoever asked can do about it. All of them leave the question as it was.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Error {
    /// There is no such conversation, or it is somebody else's.
    #[error("no such conversation")]
    NotFound,
    /// The conversation is empty or ends with the assistant's words.
    #[error("nobody waits for the assistant")]
    NothingToAnswer,
    /// One reply at a time is made in a conversation.
    #[error("another reply is being made")]
    Busy,
    /// A voice session knows its conversation by heart and would not learn of what is typed beside it.
    #[error("a voice session is live in the conversation")]
    VoiceLive,
    /// The conversation's settings ask for what is not offered any more.
    #[error("the conversation's settings cannot be had: {message}")]
    Settings {
        /// For programs.
        code: &'static str,
        /// The setting.
        field: Option<String>,
        /// For people.
        message: String,
    },
    /// Another message of the conversation is called so by its client.
    #[error("another message is called so")]
    Taken,
    /// A file that a message names is not in its conversation.
    #[error("there is no attachment {0}")]
    NoAttachment(AttachmentId),
    /// A file that a message names is not read yet.
    #[error("the attachment {0} is not read yet")]
    UnreadAttachment(AttachmentId),
    /// Somebody wanted no answer before there was any word of it.
    #[error("the reply was cancelled")]
    Cancelled,
    /// The process is about to end.
    #[error("the relay is shutting down")]
    Draining,
    /// The model failed.
    #[error(transparent)]
    Model(#[from] ProviderError),
    /// The database is away for now.
    #[error("the store is away")]
    StoreAway,
    /// Something went wrong on our side; the log says what.
    #[error("something went wrong")]
    Internal,
}

impl From<StoreError> for Error {
    /// Logs what the reader cannot be told.
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound => Self::NotFound,
            error if error.is_passing() => {
                tracing::error!(error = &error as &dyn std::error::Error, "the store is not there for now");
                Self::StoreAway
            }
            StoreError::Open { .. } | StoreError::Migrate(_) | StoreError::Database(_) => {
                tracing::error!(error = &error as &dyn std::error::Error, "the store failed");
                Self::Internal
            }
        }
    }
}
