//! Citations: where a message has something from, as it was when it was said.
//!
//! Each is whole by itself. A document that is deleted takes nothing from the answers that cite it.

use super::{
    CitationId, Db, DocumentId, MessageId, PassageId, SessionId, StoreError, UserId, column,
    messages::{self, Message, More},
    sql::{Record, Row, Tx, query},
};
use crate::knowledge::source::{Cited, Source};
use jiff::Timestamp;

/// A citation as kept.
#[derive(Clone, PartialEq, Debug)]
pub struct Citation {
    /// Its id.
    pub id: CitationId,
    /// The message that cites.
    pub message: MessageId,
    /// What is cited, and where.
    pub reference: Reference,
    /// When it was kept.
    pub created_at: Timestamp,
}

/// What a message cites.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Reference {
    /// The document, which may not be there any more.
    pub document: Option<DocumentId>,
    /// The passage of it, which may not be there any more.
    pub passage: Option<PassageId>,
    /// What whoever reads the message sees.
    pub cited: Cited,
}

/// Keeps what a message of this user cites, in place of what it cited before. No two may have the same number. The message
/// as it is with that.
pub async fn keep(
    db: &Db,
    user: UserId,
    message: MessageId,
    references: &[Reference],
    now: Timestamp,
) -> Result<Message, StoreError> {
    let mut tx = db.write().await?;
    let taken = messages::take(&mut tx, user, message, More::CITATIONS, now).await?;
    query("DELETE FROM citations WHERE message_id = $1").bind(message).execute(&mut tx).await?;
    add(&mut tx, message, references, now).await?;
    tx.commit().await?;
    Ok(taken)
}

/// Adds what a message cites that its caller has taken or made in this transaction.
pub(super) async fn add(
    tx: &mut Tx,
    message: MessageId,
    references: &[Reference],
    now: Timestamp,
) -> Result<(), StoreError> {
    for Reference { document, passage, cited } in references {
        query(
            "INSERT INTO citations (id, message_id, position, source_id, passage_id, source, relevance_score, quoted_text, \
             context, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(CitationId::new(now))
        .bind(message)
        .bind(i64::from(cited.index))
        .bind(*document)
        .bind(*passage)
        .bind(written(&cited.source))
        .bind(cited.relevance_score.filter(|score| score.is_finite()).map(|score| f64::from(score.clamp(0.0, 100.0))))
        .bind(cited.quoted_text.as_ref())
        .bind(cited.context.as_ref())
        .bind(column::millis(now))
        .execute(&mut *tx)
        .await?;
    }
    Ok(())
}

/// What a message of this user cites, by its numbers.
pub async fn of_message(db: &Db, user: UserId, message: MessageId) -> Result<Vec<Citation>, StoreError> {
    messages::get(db, user, message).await?;
    query(
        "SELECT citations.* FROM citations JOIN messages ON messages.id = message_id \
         JOIN sessions ON sessions.id = session_id WHERE message_id = $1 AND user_id = $2 ORDER BY citations.position",
    )
    .bind(message)
    .bind(user)
    .fetch_all(db.reader())
    .await
}

/// What these messages cite, which follow each other in one session of this user; of each by its numbers.
pub async fn of_messages(db: &Db, user: UserId, messages: &[Message]) -> Result<Vec<Citation>, StoreError> {
    let Some((first, last)) = messages::those_with(messages, |more| more.citations) else { return Ok(Vec::new()) };
    query(
        "SELECT citations.* FROM citations JOIN messages ON messages.id = message_id \
         WHERE session_id = (SELECT id FROM sessions WHERE id = $1 AND user_id = $2) \
         AND messages.position BETWEEN $3 AND $4 ORDER BY messages.position, citations.position",
    )
    .bind(first.session)
    .bind(user)
    .bind(first.position)
    .bind(last.position)
    .fetch_all(db.reader())
    .await
}

/// What a session of this user cites, in the order of its messages; what is described in the same words comes once. At most
/// `limit`.
pub async fn of_session(db: &Db, user: UserId, session: SessionId, limit: u32) -> Result<Vec<Source>, StoreError> {
    super::sessions::get(db, user, session).await?;
    query(
        "SELECT source FROM citations JOIN messages ON messages.id = message_id \
         JOIN sessions ON sessions.id = session_id WHERE session_id = $1 AND user_id = $2 \
         GROUP BY source ORDER BY MIN(messages.position), MIN(citations.position), source LIMIT ?",
    )
    .bind(session)
    .bind(user)
    .limit(limit)
    .fetch_all(db.reader())
    .await
}

/// Plain data has no way not to be JSON.
fn written(source: &Source) -> String {
    serde_json::to_string(source).unwrap_or_else(|_| "{}".to_owned())
}

impl Record for Source {
    fn read(row: &Row) -> Result<Self, sqlx::Error> {
        let text: &str = row.get("source")?;
        serde_json::from_str(text)
            .map_err(|error| sqlx::Error::ColumnDecode { index: "source".into(), source: Box::new(error) })
    }
}

impl Record for Citation {
    fn read(row: &Row) -> Result<Self, sqlx::Error> {
        let id = |column: &str| row.get::<Option<String>>(column);
        let index: i64 = row.get("position")?;
        Ok(Self {
            id: column::parsed(row, "id")?,
            message: column::parsed(row, "message_id")?,
            reference: Reference {
                document: id("source_id")?.map(|id| column::parse("source_id", &id)).transpose()?,
                passage: id("passage_id")?.map(|id| column::parse("passage_id", &id)).transpose()?,
                cited: Cited {
                    index: u32::try_from(index).unwrap_or(u32::MAX),
                    source: Source::read(row)?,
                    relevance_score: row.get::<Option<f64>>("relevance_score")?.map(|score| score as f32),
                    quoted_text: row.get("quoted_text")?,
                    context: row.get("context")?,
                },
            },
            created_at: column::required(row, "created_at")?,
        })
    }
}
