//! What outlives the process: users, keys, sessions and their messages, a row type and its queries a file.
//!
//! Every function that touches somebody's rows takes that somebody's [`UserId`] and names it in the query, so forgetting
//! ownership does not compile. A query is one text for SQLite and PostgreSQL (`sql`). Ids are UUIDv7, times whole milliseconds since 1970 UTC. Times are given by the caller.

pub mod accounts;
pub mod acts;
pub mod attachments;
pub mod citations;
pub mod clinical;
mod column;
mod config;
mod db;
pub mod documents;
mod error;
pub mod folders;
mod id;
pub mod idempotency;
pub mod indexing;
pub mod keys;
pub mod logins;
pub mod messages;
mod page;
pub mod passages;
pub mod places;
pub mod reading;
pub mod replies;
pub mod sessions;
pub mod shares;
pub mod signing;
pub mod spending;
mod sql;
pub mod strays;
pub mod users;
pub mod voice_sessions;
mod words;

pub(crate) use column::timestamp;
pub use config::Config;
pub use db::Db;
pub use error::{BackupError, StoreError};
pub use id::{
    AttachmentId, CitationId, ClinicalContextId, DocumentId, FolderId, KeyId, LoginId, MessageId, PassageId, SessionId,
    ShareId, SigningKeyId, UserId, VoiceSessionId,
};
pub use page::{Cursor, Page};
pub use words::Words;
