//! The job of reading an attachment: taken by one worker at a time, for so long, so often and no more.
//!
//! The state is the attachment's own row, so a job is there exactly as long as its file is, and outlives any process.

use std::time::Duration;

use super::{
    AttachmentId, Db, StoreError,
    attachments::{EXCERPT, State},
    column,
    sql::{Pool, Record, Row, query},
};
use jiff::Timestamp;

/// A file to be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Job {
    /// Which.
    pub id: AttachmentId,
    /// What it is: a name of a kind of document.
    pub kind: String,
    /// How often this was begun, this time included.
    pub tries: i64,
}

/// What came of reading a file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Findings {
    /// Its text.
    pub text: Option<String>,
    /// What it says of itself: a JSON object.
    pub metadata: String,
    /// What could not be done: a JSON array of sentences.
    pub warnings: String,
    /// A small picture of it: PNG.
    pub thumbnail: Option<Vec<u8>>,
}

/// Takes the job that waits longest; others may take it again after `lease`.
pub async fn take(db: &Db, now: Timestamp, lease: Duration) -> Result<Option<Job>, StoreError> {
    query(
        "UPDATE attachments SET tries = tries + 1, due_at = $2 WHERE due_at <= $1 AND state = 'pending' AND id = \
         (SELECT id FROM attachments WHERE state = 'pending' AND due_at <= $1 ORDER BY due_at, id LIMIT 1) \
         RETURNING id, kind, tries",
    )
    .bind(column::millis(now))
    .bind(later(now, lease))
    .fetch_optional(db.writer())
    .await
}

/// The file was read.
pub async fn ready(db: &Db, id: AttachmentId, found: &Findings, now: Timestamp) -> Result<(), StoreError> {
    let mut tx = db.write().await?;
    let changed = query(
        "UPDATE attachments SET state = 'ready', content = $2, metadata = $3, warnings = $4, thumbnail = $5, \
         updated_at = $6 WHERE id = $1 AND state = 'pending'",
    )
    .bind(id)
    .bind(found.text.as_ref())
    .bind(&found.metadata)
    .bind(&found.warnings)
    .bind(found.thumbnail.as_deref())
    .bind(column::millis(now))
    .execute(&mut tx)
    .await?;
    if let Some(text) = found.text.as_ref().filter(|_| changed > 0) {
        let end = text.char_indices().nth(EXCERPT).map(|(end, _)| end);
        query("INSERT INTO attachment_excerpts (attachment_id, content, cut) VALUES ($1, $2, $3)")
            .bind(id)
            .bind(&text[..end.unwrap_or(text.len())])
            .bind(end.is_some())
            .execute(&mut tx)
            .await?;
    }
    tx.commit().await
}

/// The file cannot be read; `why` in words for its owner.
pub async fn failed(db: &Db, id: AttachmentId, why: &str, now: Timestamp) -> Result<(), StoreError> {
    query("UPDATE attachments SET state = $2, failure = $3, updated_at = $4 WHERE id = $1 AND state = 'pending'")
        .bind(id)
        .bind(State::Failed.as_str())
        .bind(why)
        .bind(column::millis(now))
        .execute(db.writer())
        .await?;
    Ok(())
}

/// The file could not be read for no fault of its own: again after `wait`.
pub async fn again(db: &Db, id: AttachmentId, now: Timestamp, wait: Duration) -> Result<(), StoreError> {
    query("UPDATE attachments SET due_at = $2 WHERE id = $1 AND state = 'pending'")
        .bind(id)
        .bind(later(now, wait))
        .execute(db.writer())
        .await?;
    Ok(())
}

/// Gives a job back as if it had not been taken.
pub async fn give_back(db: &Db, id: AttachmentId, now: Timestamp) -> Result<(), StoreError> {
    query("UPDATE attachments SET tries = tries - 1, due_at = $2 WHERE id = $1 AND state = 'pending'")
        .bind(id)
        .bind(column::millis(now))
        .execute(db.writer())
        .await?;
    Ok(())
}

/// Takes back what a process that died had taken. A SQLite file is one server's, which has just started; other servers on
/// the same PostgreSQL may be at work, so there leases run out by themselves.
pub async fn take_back(db: &Db, now: Timestamp) -> Result<(), StoreError> {
    if let Pool::Sqlite(_) = db.writer() {
        query("UPDATE attachments SET due_at = $1 WHERE state = 'pending' AND due_at > $1")
            .bind(column::millis(now))
            .execute(db.writer())
            .await?;
    }
    Ok(())
}

fn later(now: Timestamp, wait: Duration) -> i64 {
    column::millis(now).saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX))
}

impl Record for Job {
    fn read(row: &Row) -> Result<Self, sqlx::Error> {
        Ok(Self { id: column::parsed(row, "id")?, kind: row.get("kind")?, tries: row.get("tries")? })
    }
}
