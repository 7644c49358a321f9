//! Documents of the knowledge base: files, and texts without one. Bytes of files lie in storage under the documents' ids; see
//! [`strays`](super::strays) for how the two stay together.
//!
//! Everybody reads what is theirs and what is shared; what is shared is changed by admins, and by whom it belongs to.

use std::str::FromStr;

use super::{
    Cursor, Db, DocumentId, Page, StoreError, UserId, column,
    messages::UnknownValue,
    page::NEWEST,
    sql::{Record, Row, Tx, query},
};
use jiff::Timestamp;

/// A document as kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Document {
    /// Its id, and the key of its bytes.
    pub id: DocumentId,
    /// Whose it is.
    pub user: UserId,
    /// Whether everybody may read it.
    pub shared: bool,
    /// The file it came as; `None`: it came as text.
    pub file: Option<File>,
    /// In bytes: of the file, or of the text.
    pub size: u64,
    /// SHA-256 of these bytes, in hexadecimal.
    pub sha256: String,
    /// Its bibliographic fields: a JSON object.
    pub source: String,
    /// How far it is on its way to being found.
    pub state: State,
    /// Why it cannot be found, or waits, in words for its owner.
    pub failure: Option<String>,
    /// What could not be done: a JSON array of sentences.
    pub warnings: String,
    /// What its file says of itself: a JSON object.
    pub metadata: String,
    /// Passages it is made of; 0 until that is known.
    pub passages: i64,
    /// How many of them have a vector.
    pub indexed: i64,
    /// Which model made the vectors.
    pub model: Option<String>,
    /// When it came.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// What a document came as.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct File {
    /// As its owner calls it.
    pub name: String,
    /// What it is: a name of a kind of document.
    pub kind: String,
}

/// How far a document is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// Nothing is known of what is in it.
    Pending,
    /// It was read; its passages are found by their words, and are being embedded.
    Indexing,
    /// All is done that can be.
    Ready,
    /// Nothing of it will be found.
    Failed,
}

impl State {
    /// All of them, in their order.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Indexing, Self::Ready, Self::Failed];

    /// As stored and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Indexing => "indexing",
            Self::Ready => "ready",
            Self::Failed => "failed",
        }
    }
}

impl FromStr for State {
    type Err = UnknownValue;

    fn from_str(text: &str) -> Result<Self, UnknownValue> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or_else(|| UnknownValue(text.to_owned()))
    }
}

/// Who asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Caller {
    /// Whose documents they have.
    pub user: UserId,
    /// Whether they look after what is shared.
    pub admin: bool,
}

/// A document that is complete: a file whose bytes are in storage, or a text.
#[derive(Clone, Copy, Debug)]
pub struct New<'a> {
    /// Whether everybody may read it.
    pub shared: bool,
    /// What it is made of.
    pub content: Content<'a>,
    /// In bytes.
    pub size: u64,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: &'a str,
    /// Its bibliographic fields, as far as they are given: a JSON object.
    pub source: &'a str,
}

/// What a document is made of.
#[derive(Clone, Copy, Debug)]
pub enum Content<'a> {
    /// Bytes in storage.
    File {
        /// As its owner calls it.
        name: &'a str,
        /// What it is.
        kind: &'a str,
    },
    /// The words themselves.
    Text(&'a str),
}

/// What became of a document.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Added {
    /// It is kept.
    Kept(Box<Document>),
    /// Its owner has the same bytes already.
    Same(DocumentId),
    /// Its owner has as many as they may have.
    Full,
    /// Its bytes are given up: they took too long.
    Late,
}

/// A query for documents without their text, by the columns that are read.
macro_rules! columns {
    ($before:literal, $after:literal) => {
        concat!(
            $before,
            " id, user_id, shared, name, kind, size, sha256, source, state, failure, warnings, metadata, passages, indexed, ",
            "model, created_at, updated_at ",
            $after,
        )
    };
}

/// Adds a document of this user, who may have `most`. A file's bytes stand under `id`, as announced by [`strays::expect`].
///
/// [`strays::expect`]: super::strays::expect
pub async fn add(
    db: &Db,
    user: UserId,
    id: DocumentId,
    new: New<'_>,
    most: u32,
    now: Timestamp,
) -> Result<Added, StoreError> {
    let mut tx = db.write().await?;
    // Whoever adds another at the same time waits, so that none is one too many or the same.
    query("UPDATE users SET role = role WHERE id = $1").bind(user).execute_found(&mut tx).await?;
    let same: Option<String> = query("SELECT id FROM documents WHERE user_id = $1 AND sha256 = $2")
        .bind(user)
        .bind(new.sha256)
        .fetch_optional(&mut tx)
        .await?;
    if let Some(same) = same {
        return Ok(Added::Same(column::parse("id", &same)?));
    }
    let count: i64 = query("SELECT COUNT(*) FROM documents WHERE user_id = $1").bind(user).fetch_one(&mut tx).await?;
    if count >= i64::from(most) {
        return Ok(Added::Full);
    }
    let (name, kind, text) = match new.content {
        Content::File { name, kind } => (Some(name), Some(kind), None),
        Content::Text(text) => (None, None, Some(text)),
    };
    if kind.is_some() && !super::strays::adopt(&mut tx, id, now).await? {
        return Ok(Added::Late);
    }
    let kept = query(columns!(
        "INSERT INTO documents (id, user_id, shared, name, kind, size, sha256, source, state, due_at, created_at, \
         updated_at, content) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'pending', $9, $9, $9, $10) RETURNING",
        ""
    ))
    .bind(id)
    .bind(user)
    .bind(new.shared)
    .bind(name)
    .bind(kind)
    .bind(i64::try_from(new.size).unwrap_or(i64::MAX))
    .bind(new.sha256)
    .bind(new.source)
    .bind(column::millis(now))
    .bind(text)
    .fetch_one(&mut tx)
    .await?;
    tx.commit().await?;
    Ok(Added::Kept(Box::new(kept)))
}

/// One document that this user may read.
pub async fn get(db: &Db, user: UserId, id: DocumentId) -> Result<Document, StoreError> {
    query(columns!("SELECT", "FROM documents WHERE id = $1 AND (user_id = $2 OR shared)"))
        .bind(id)
        .bind(user)
        .fetch_found(db.reader())
        .await
}

/// Which documents are asked for; what is absent does not matter.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Filter {
    /// Those in this state.
    pub state: Option<State>,
    /// Those that are shared, or that are not.
    pub shared: Option<bool>,
}

/// The documents that this user may read, newest first.
pub async fn list(
    db: &Db,
    user: UserId,
    filter: Filter,
    after: Option<&Cursor>,
    limit: u32,
) -> Result<Page<Document>, StoreError> {
    let theirs = query(columns!("SELECT", "FROM documents WHERE (user_id = $1 OR shared)"))
        .bind(user)
        .and("state = ?", filter.state.map(State::as_str))
        .and("shared = ?", filter.shared);
    Page::of(db, theirs, NEWEST, after, limit, |document: &Document| document.id).await
}

/// The text that was read in a document that this user may read. A form feed parts pages.
pub async fn text(db: &Db, user: UserId, id: DocumentId) -> Result<Option<String>, StoreError> {
    let text: Text = query("SELECT content FROM documents WHERE id = $1 AND (user_id = $2 OR shared)")
        .bind(id)
        .bind(user)
        .fetch_found(db.reader())
        .await?;
    Ok(text.0)
}

/// Makes of a document's bibliographic fields what `change` makes of them.
pub async fn describe(
    db: &Db,
    caller: Caller,
    id: DocumentId,
    change: impl FnOnce(&str) -> String,
    now: Timestamp,
) -> Result<Document, StoreError> {
    let mut tx = db.write().await?;
    let before: String = query(
        "UPDATE documents SET updated_at = $4 WHERE id = $1 AND (user_id = $2 OR (shared AND $3)) RETURNING source",
    )
    .bind(id)
    .bind(caller.user)
    .bind(caller.admin)
    .bind(column::millis(now))
    .fetch_found(&mut tx)
    .await?;
    let after = rewrite(&mut tx, id, &change(&before)).await?;
    tx.commit().await?;
    Ok(after)
}

/// Replaces the bibliographic fields of a document whose row this transaction holds.
pub(super) async fn rewrite(tx: &mut Tx, id: DocumentId, source: &str) -> Result<Document, StoreError> {
    query(columns!("UPDATE documents SET source = $2 WHERE id = $1 RETURNING", ""))
        .bind(id)
        .bind(source)
        .fetch_found(tx)
        .await
}

/// Deletes a document with its passages. Its bytes are stray from then on.
pub async fn delete(db: &Db, caller: Caller, id: DocumentId) -> Result<(), StoreError> {
    query("DELETE FROM documents WHERE id = $1 AND (user_id = $2 OR (shared AND $3))")
        .bind(id)
        .bind(caller.user)
        .bind(caller.admin)
        .execute_found(db.writer())
        .await
}

struct Text(Option<String>);

impl Record for Text {
    fn read(row: &Row) -> Result<Self, sqlx::Error> {
        Ok(Self(row.get("content")?))
    }
}

impl Record for Document {
    fn read(row: &Row) -> Result<Self, sqlx::Error> {
        let (name, kind): (Option<String>, Option<String>) = (row.get("name")?, row.get("kind")?);
        Ok(Self {
            id: column::parsed(row, "id")?,
            user: column::parsed(row, "user_id")?,
            shared: row.get("shared")?,
            file: name.zip(kind).map(|(name, kind)| File { name, kind }),
            size: row.get::<i64>("size")?.unsigned_abs(),
            sha256: row.get("sha256")?,
            source: row.get("source")?,
            state: column::parsed(row, "state")?,
            failure: row.get("failure")?,
            warnings: row.get("warnings")?,
            metadata: row.get("metadata")?,
            passages: row.get("passages")?,
            indexed: row.get("indexed")?,
            model: row.get("model")?,
            created_at: column::required(row, "created_at")?,
            updated_at: column::required(row, "updated_at")?,
        })
    }
}
