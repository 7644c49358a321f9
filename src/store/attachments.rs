//! Attachments: files that came with messages. Their bytes lie in storage under their ids; see [`strays`](super::strays) for
//! how the two stay together.

use std::str::FromStr;

use super::{
    AttachmentId, Cursor, Db, MessageId, Page, SessionId, StoreError, UserId, column,
    messages::{self, Message, More, UnknownValue},
    page::Order,
    sql::{Record, Row, query},
};
use jiff::Timestamp;

/// A file as kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attachment {
    /// Its id, and the key of its bytes.
    pub id: AttachmentId,
    /// The message it came with.
    pub message: MessageId,
    /// As its owner calls it.
    pub name: String,
    /// What it is: a name of a kind of document.
    pub kind: String,
    /// In bytes.
    pub size: u64,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
    /// Whether it was read.
    pub state: State,
    /// Why it could not be, in words for its owner.
    pub failure: Option<String>,
    /// What could not be done: a JSON array of sentences.
    pub warnings: String,
    /// What it says of itself: a JSON object.
    pub metadata: String,
    /// When it came.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// Whether a file was read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// Not yet.
    Pending,
    /// Its text can be had.
    Ready,
    /// It cannot be.
    Failed,
}

impl State {
    /// As stored and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Ready => "ready",
            Self::Failed => "failed",
        }
    }
}

impl FromStr for State {
    type Err = UnknownValue;

    fn from_str(text: &str) -> Result<Self, UnknownValue> {
        let all = [Self::Pending, Self::Ready, Self::Failed];
        all.into_iter().find(|state| state.as_str() == text).ok_or_else(|| UnknownValue(text.to_owned()))
    }
}

/// A file whose bytes are in storage.
#[derive(Clone, Copy, Debug)]
pub struct New<'a> {
    /// As its owner calls it.
    pub name: &'a str,
    /// What it is.
    pub kind: &'a str,
    /// In bytes.
    pub size: u64,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: &'a str,
}

/// What became of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Added {
    /// It is kept.
    Kept(Box<Attachment>),
    /// The message has [`MOST`] files already.
    Full,
    /// Its bytes are given up: they took too long.
    Late,
}

/// Whether a file that came with a message of this session was read; `None` if there is no such file.
pub async fn state_in(
    db: &Db,
    user: UserId,
    session: SessionId,
    attachment: AttachmentId,
) -> Result<Option<State>, StoreError> {
    let state: Option<String> = query(
        "SELECT attachments.state FROM attachments JOIN messages ON messages.id = attachments.message_id \
         JOIN sessions ON sessions.id = messages.session_id \
         WHERE attachments.id = $1 AND sessions.id = $2 AND sessions.user_id = $3",
    )
    .bind(attachment)
    .bind(session)
    .bind(user)
    .fetch_optional(db.reader())
    .await?;
    Ok(state.map(|state| column::parse("state", &state)).transpose()?)
}

/// Files of one message at most.
pub const MOST: i64 = 50;

/// Adds a file to a message of this user. Its bytes stand under `id`, as announced by [`strays::expect`].
///
/// [`strays::expect`]: super::strays::expect
pub async fn add(
    db: &Db,
    user: UserId,
    message: MessageId,
    id: AttachmentId,
    new: New<'_>,
    now: Timestamp,
) -> Result<Added, StoreError> {
    let mut tx = db.write().await?;
    messages::take(&mut tx, user, message, More::FILES, now).await?;
    let count: i64 =
        query("SELECT COUNT(*) FROM attachments WHERE message_id = $1").bind(message).fetch_one(&mut tx).await?;
    if count >= MOST {
        return Ok(Added::Full);
    }
    if !super::strays::adopt(&mut tx, id, now).await? {
        return Ok(Added::Late);
    }
    let kept = query(
        "INSERT INTO attachments (id, message_id, name, kind, size, sha256, state, due_at, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, 'pending', $7, $7, $7) RETURNING *",
    )
    .bind(id)
    .bind(message)
    .bind(new.name)
    .bind(new.kind)
    .bind(i64::try_from(new.size).unwrap_or(i64::MAX))
    .bind(new.sha256)
    .bind(column::millis(now))
    .fetch_one(&mut tx)
    .await?;
    tx.commit().await?;
    Ok(Added::Kept(Box::new(kept)))
}

/// A query for files, without what is long, and whose they are.
macro_rules! select {
    ($($rest:literal),+ $(,)?) => {
        concat!(
            "SELECT attachments.id, attachments.message_id, attachments.name, attachments.kind, attachments.size, ",
            "attachments.sha256, attachments.state, attachments.failure, attachments.warnings, attachments.metadata, ",
            "attachments.created_at, attachments.updated_at FROM attachments ",
            "JOIN messages ON messages.id = attachments.message_id ",
            "JOIN sessions ON sessions.id = messages.session_id ",
            $($rest),+
        )
    };
}

/// One file of this user.
pub async fn get(db: &Db, user: UserId, id: AttachmentId) -> Result<Attachment, StoreError> {
    query(select!("WHERE attachments.id = $1 AND sessions.user_id = $2"))
        .bind(id)
        .bind(user)
        .fetch_found(db.reader())
        .await
}

/// A message's files, oldest first.
pub async fn list(
    db: &Db,
    user: UserId,
    message: MessageId,
    after: Option<&Cursor>,
    limit: u32,
) -> Result<Page<Attachment>, StoreError> {
    messages::get(db, user, message).await?;
    let theirs = query(select!("WHERE attachments.message_id = $1 AND sessions.user_id = $2")).bind(message).bind(user);
    let eldest = Order("attachments.id > ?", "ORDER BY attachments.id LIMIT ?");
    Page::of(db, theirs, eldest, after, limit, |attachment: &Attachment| attachment.id).await
}

/// The files of these messages, which follow each other in one session of this user; oldest first.
pub async fn of(db: &Db, user: UserId, messages: &[Message]) -> Result<Vec<Attachment>, StoreError> {
    let Some((first, last)) = messages::those_with(messages, |more| more.files) else { return Ok(Vec::new()) };
    query(select!(
        "WHERE messages.session_id = $1 AND sessions.user_id = $2 AND messages.position BETWEEN $3 AND $4 ORDER BY attachments.id",
    ))
    .bind(first.session)
    .bind(user)
    .bind(first.position)
    .bind(last.position)
    .fetch_all(db.reader())
    .await
}

/// The newest files of a conversation of this user, the newest first.
pub async fn of_session(db: &Db, user: UserId, session: SessionId, most: u32) -> Result<Vec<Attachment>, StoreError> {
    query(select!("WHERE messages.session_id = $1 AND sessions.user_id = $2 ORDER BY attachments.id DESC LIMIT ?"))
        .bind(session)
        .bind(user)
        .limit(most)
        .fetch_all(db.reader())
        .await
}

/// The text that was read in a file of this user.
pub async fn text(db: &Db, user: UserId, id: AttachmentId) -> Result<Option<String>, StoreError> {
    let content: Content = query(
        "SELECT attachments.content FROM attachments JOIN messages ON messages.id = attachments.message_id \
         JOIN sessions ON sessions.id = messages.session_id WHERE attachments.id = $1 AND sessions.user_id = $2",
    )
    .bind(id)
    .bind(user)
    .fetch_found(db.reader())
    .await?;
    Ok(content.0)
}

/// The beginning of a file's text.
#[derive(Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// As its owner calls the file.
    pub name: String,
    /// At most [`EXCERPT`] characters.
    pub text: String,
    /// Whether its text is longer.
    pub cut: bool,
}

/// Characters of a file's text that its excerpt has at most.
pub const EXCERPT: usize = 12_000;

/// The beginnings of the newest `most` files that were read in a conversation of this user, newest first.
pub async fn excerpts(db: &Db, user: UserId, session: SessionId, most: u32) -> Result<Vec<Excerpt>, StoreError> {
    query(
        "SELECT attachments.name, attachment_excerpts.content, attachment_excerpts.cut FROM attachment_excerpts \
         JOIN attachments ON attachments.id = attachment_excerpts.attachment_id \
         JOIN messages ON messages.id = attachments.message_id JOIN sessions ON sessions.id = messages.session_id \
         WHERE messages.session_id = $1 AND sessions.user_id = $2 ORDER BY attachments.id DESC LIMIT ?",
    )
    .bind(session)
    .bind(user)
    .limit(most)
    .fetch_all(db.reader())
    .await
}

/// The small picture of a file of this user: PNG.
pub async fn thumbnail(db: &Db, user: UserId, id: AttachmentId) -> Result<Option<Vec<u8>>, StoreError> {
    let picture: Picture = query(
        "SELECT attachments.thumbnail FROM attachments JOIN messages ON messages.id = attachments.message_id \
         JOIN sessions ON sessions.id = messages.session_id WHERE attachments.id = $1 AND sessions.user_id = $2",
    )
    .bind(id)
    .bind(user)
    .fetch_found(db.reader())
    .await?;
    Ok(picture.0)
}

/// Deletes a file of this user. Its bytes are stray from then on.
pub async fn delete(db: &Db, user: UserId, id: AttachmentId) -> Result<(), StoreError> {
    query(
        "DELETE FROM attachments WHERE id = $1 AND message_id IN \
         (SELECT messages.id FROM messages JOIN sessions ON sessions.id = messages.session_id WHERE sessions.user_id = $2)",
    )
    .bind(id)
    .bind(user)
    .execute_found(db.writer())
    .await
}

struct Content(Option<String>);

impl Record for Content {
    fn read(row: &Row) -> Result<Self, sqlx::Error> {
        Ok(Self(row.get("content")?))
    }
}

struct Picture(Option<Vec<u8>>);

impl Record for Excerpt {
    fn read(row: &Row) -> Result<Self, sqlx::Error> {
        Ok(Self { name: row.get("name")?, text: row.get("content")?, cut: row.get("cut")? })
    }
}

impl Record for Picture {
    fn read(row: &Row) -> Result<Self, sqlx::Error> {
        Ok(Self(row.get("thumbnail")?))
    }
}

impl Record for Attachment {
    fn read(row: &Row) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: column::parsed(row, "id")?,
            message: column::parsed(row, "message_id")?,
            name: row.get("name")?,
            kind: row.get("kind")?,
            size: row.get::<i64>("size")?.unsigned_abs(),
            sha256: row.get("sha256")?,
            state: column::parsed(row, "state")?,
            failure: row.get("failure")?,
            warnings: row.get("warnings")?,
            metadata: row.get("metadata")?,
            created_at: column::required(row, "created_at")?,
            updated_at: column::required(row, "updated_at")?,
        })
    }
}
