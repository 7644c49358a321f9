//! Places in conversations: where words were said.

use super::{Db, StoreError, UserId, Words, messages::Message, sessions::Session, sql::query};

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
        .bind(user)
        .bind(oldest.id)
        .bind(newest.id)
        .bind(db.reader().pick(words.fts5(), words.tsquery()))
        .fetch_all(db.reader())
        .await
}
