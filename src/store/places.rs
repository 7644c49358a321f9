//! Places in conversations: where words were said, and what was said around a message.

use super::{
    Cursor, Db, MessageId, Page, SessionId, StoreError, UserId, Words,
    messages::Message,
    sessions::{self, Session},
    sql::query,
};

/// The query of the first messages that have words, of which `$having` is said beside.
macro_rules! first {
    ($having:literal) => {
        concat!(
            "SELECT messages.* FROM messages JOIN (SELECT session_id, MIN(position) AS position FROM messages ",
            "JOIN sessions ON sessions.id = session_id WHERE user_id = $1 AND session_id BETWEEN $2 AND $3 AND ",
            $having,
            " GROUP BY session_id) AS places ON places.session_id = messages.session_id ",
            "AND places.position = messages.position"
        )
    };
}
const FIRST_BY_FTS5: &str = first!(
    "messages.id IN (SELECT message_id FROM searched WHERE id IN (SELECT rowid FROM words WHERE words MATCH $4))"
);
const FIRST_BY_TSQUERY: &str = first!("words_of(content) @@ to_tsquery('pg_catalog.simple', $4)");

/// Where all these words were first said, in each of these sessions, which follow each other in a list; nothing of those
/// that have them in their titles alone.
pub async fn first(db: &Db, user: UserId, sessions: &[Session], words: &Words) -> Result<Vec<Message>, StoreError> {
    let (Some(newest), Some(oldest)) = (sessions.first(), sessions.last()) else { return Ok(Vec::new()) };
    query(db.reader().pick(FIRST_BY_FTS5, FIRST_BY_TSQUERY))
        .bind(user.text())
        .bind(oldest.id.text())
        .bind(newest.id.text())
        .bind(db.reader().pick(words.fts5(), words.tsquery()))
        .fetch_all(db.reader())
        .await
}

/// A page of a session's messages, oldest first, that begins half a page before this one; `None` if it is none of them.
pub async fn around(
    db: &Db,
    user: UserId,
    session: SessionId,
    message: MessageId,
    limit: u32,
) -> Result<Option<Page<Message>>, StoreError> {
    let rows: Vec<Message> = query(
        "SELECT messages.* FROM messages JOIN sessions ON sessions.id = messages.session_id \
         WHERE session_id = $1 AND user_id = $2 AND position >= (SELECT MIN(position) FROM (SELECT position FROM messages \
         WHERE session_id = $1 AND position <= (SELECT position FROM messages WHERE session_id = $1 AND id = $3) \
         ORDER BY position DESC LIMIT $4) AS near) ORDER BY position LIMIT $5",
    )
    .bind(session.text())
    .bind(user.text())
    .bind(message.text())
    .bind(i64::from(limit / 2) + 1)
    .bind(i64::from(limit) + 1)
    .fetch_all(db.reader())
    .await?;
    if rows.is_empty() {
        // It is not theirs, or has no such message.
        sessions::get(db, user, session).await?;
        return Ok(None);
    }
    Ok(Some(Page::cut(rows, limit, |message| Cursor::at(message.position))))
}
