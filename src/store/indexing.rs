//! The job of making a document findable: taken by one worker at a time, for so long.
//!
//! The state is the document's own row, so a job is there exactly as long as its document is, and outlives any process. A
//! worker hears from every function whether the document is still there to be worked on.

use std::time::Duration;

use super::{
    Db, DocumentId, StoreError, column,
    documents::{self, State},
    sql::{Pool, Record, Row, query},
};
use jiff::Timestamp;

/// A document to be read, or of which passages are to be made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Job {
    /// Which.
    pub id: DocumentId,
    /// What its file is: a name of a kind of document; `None`: it came as text.
    pub kind: Option<String>,
    /// `Pending`: to be read. `Indexing`: its passages are to be made.
    pub state: State,
    /// How many passages it has already.
    pub passages: i64,
    /// How many of them have a vector.
    pub indexed: i64,
    /// Which model made these.
    pub model: Option<String>,
    /// What could not be done so far: a JSON array of sentences.
    pub warnings: String,
    /// How often it was begun without a word of how it ended, this time included.
    pub tries: i64,
}

/// What came of reading a document.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Findings {
    /// Its text; a form feed parts pages.
    pub text: String,
    /// What its file says of itself: a JSON object.
    pub metadata: String,
    /// What could not be done: a JSON array of sentences.
    pub warnings: String,
}

/// Takes the job that waits longest; others may take it again after `lease`.
pub async fn take(db: &Db, now: Timestamp, lease: Duration) -> Result<Option<Job>, StoreError> {
    query(
        "UPDATE documents SET tries = tries + 1, due_at = $2 \
         WHERE due_at <= $1 AND state IN ('pending', 'indexing') AND id = \
         (SELECT id FROM documents WHERE state IN ('pending', 'indexing') AND due_at <= $1 ORDER BY due_at, id LIMIT 1) \
         RETURNING id, kind, state, passages, indexed, model, warnings, tries",
    )
    .bind(column::millis(now))
    .bind(later(now, lease))
    .fetch_optional(db.writer())
    .await
}

/// What a job works with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Content {
    /// The document's text; `None` until it was read.
    pub text: Option<String>,
    /// Its bibliographic fields: a JSON object.
    pub source: String,
    /// The name of its file.
    pub name: Option<String>,
}

/// What there is of a document; `None`: it is gone.
pub async fn content(db: &Db, id: DocumentId) -> Result<Option<Content>, StoreError> {
    query("SELECT content, source, name FROM documents WHERE id = $1").bind(id).fetch_optional(db.reader()).await
}

/// The document was read: its passages can be made. `complete` adds to its bibliographic fields what was found in it.
pub async fn read(
    db: &Db,
    id: DocumentId,
    found: &Findings,
    complete: impl FnOnce(&str) -> String,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let mut tx = db.write().await?;
    let before: Option<String> = query(
        "UPDATE documents SET state = 'indexing', content = $2, metadata = $3, warnings = $4, failure = NULL, tries = 1, \
         updated_at = $5 WHERE id = $1 AND state = 'pending' RETURNING source",
    )
    .bind(id)
    .bind(&found.text)
    .bind(&found.metadata)
    .bind(&found.warnings)
    .bind(column::millis(now))
    .fetch_optional(&mut tx)
    .await?;
    let Some(before) = before else { return Ok(false) };
    documents::rewrite(&mut tx, id, &complete(&before)).await?;
    tx.commit().await?;
    Ok(true)
}

/// How far a document's passages are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Progress<'a> {
    /// How many there are.
    pub passages: usize,
    /// How many have a vector.
    pub indexed: usize,
    /// Which model makes these.
    pub model: Option<&'a str>,
}

/// Notes how far a document is; it is this worker's for another `lease`.
pub async fn advance(
    db: &Db,
    id: DocumentId,
    progress: Progress<'_>,
    now: Timestamp,
    lease: Duration,
) -> Result<bool, StoreError> {
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let changed = query(
        "UPDATE documents SET passages = $2, indexed = $3, model = $4, due_at = $6, failure = NULL, updated_at = $5 \
         WHERE id = $1 AND state = 'indexing'",
    )
    .bind(id)
    .bind(count(progress.passages))
    .bind(count(progress.indexed))
    .bind(progress.model)
    .bind(column::millis(now))
    .bind(later(now, lease))
    .execute(db.writer())
    .await?;
    Ok(changed > 0)
}

/// All is done that can be; the vectors are of this model. `warnings` is a JSON array of sentences.
pub async fn ready(
    db: &Db,
    id: DocumentId,
    model: Option<&str>,
    warnings: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let changed = query(
        "UPDATE documents SET state = 'ready', model = $2, warnings = $3, failure = NULL, updated_at = $4 \
         WHERE id = $1 AND state = 'indexing'",
    )
    .bind(id)
    .bind(model)
    .bind(warnings)
    .bind(column::millis(now))
    .execute(db.writer())
    .await?;
    Ok(changed > 0)
}

/// Nothing of the document will be found; `why` in words for its owner, and what could not be done.
pub async fn failed(db: &Db, id: DocumentId, why: &str, now: Timestamp) -> Result<bool, StoreError> {
    let changed = query(
        "UPDATE documents SET state = 'failed', failure = $2, updated_at = $3 \
         WHERE id = $1 AND state IN ('pending', 'indexing')",
    )
    .bind(id)
    .bind(why)
    .bind(column::millis(now))
    .execute(db.writer())
    .await?;
    Ok(changed > 0)
}

/// The file could not be read for no fault of its own: again after `wait`.
pub async fn again(db: &Db, id: DocumentId, now: Timestamp, wait: Duration) -> Result<bool, StoreError> {
    let changed = query("UPDATE documents SET due_at = $2 WHERE id = $1 AND state IN ('pending', 'indexing')")
        .bind(id)
        .bind(later(now, wait))
        .execute(db.writer())
        .await?;
    Ok(changed > 0)
}

/// The document waits, however long, for what is not its own; `why` in words for its owner. Again after `wait`.
pub async fn wait(db: &Db, id: DocumentId, why: &str, now: Timestamp, wait: Duration) -> Result<bool, StoreError> {
    let changed = query(
        "UPDATE documents SET tries = 0, due_at = $2, failure = $3, updated_at = $4 WHERE id = $1 AND state = 'indexing'",
    )
    .bind(id)
    .bind(later(now, wait))
    .bind(why)
    .bind(column::millis(now))
    .execute(db.writer())
    .await?;
    Ok(changed > 0)
}

/// Gives a job back as if it had not been taken.
pub async fn give_back(db: &Db, id: DocumentId, now: Timestamp) -> Result<bool, StoreError> {
    let changed =
        query("UPDATE documents SET tries = tries - 1, due_at = $2 WHERE id = $1 AND state IN ('pending', 'indexing')")
            .bind(id)
            .bind(column::millis(now))
            .execute(db.writer())
            .await?;
    Ok(changed > 0)
}

/// Takes back what a process that died had taken. A SQLite file is one server's, which has just started; other servers on
/// the same PostgreSQL may be at work, so there leases run out by themselves.
pub async fn take_back(db: &Db, now: Timestamp) -> Result<(), StoreError> {
    if let Pool::Sqlite(_) = db.writer() {
        query("UPDATE documents SET due_at = $1 WHERE state IN ('pending', 'indexing') AND due_at > $1")
            .bind(column::millis(now))
            .execute(db.writer())
            .await?;
    }
    Ok(())
}

/// Has the vectors made again that are not of this model; returns of how many documents.
pub async fn renew(db: &Db, model: &str, now: Timestamp) -> Result<u64, StoreError> {
    query(
        "UPDATE documents SET state = 'indexing', indexed = 0, tries = 0, due_at = $2, updated_at = $2 \
         WHERE state = 'ready' AND (model IS NULL OR model <> $1)",
    )
    .bind(model)
    .bind(column::millis(now))
    .execute(db.writer())
    .await
}

fn later(now: Timestamp, wait: Duration) -> i64 {
    column::millis(now).saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX))
}

impl Record for Content {
    fn read(row: &Row) -> Result<Self, sqlx::Error> {
        Ok(Self { text: row.get("content")?, source: row.get("source")?, name: row.get("name")? })
    }
}

impl Record for Job {
    fn read(row: &Row) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: column::parsed(row, "id")?,
            kind: row.get("kind")?,
            state: column::parsed(row, "state")?,
            passages: row.get("passages")?,
            indexed: row.get("indexed")?,
            model: row.get("model")?,
            warnings: row.get("warnings")?,
            tries: row.get("tries")?,
        })
    }
}
