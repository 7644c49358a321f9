//! Parts of a conversation, in its order.
//!
//! Whose the conversation is, is asked for once and in the query itself: of a session that is somebody else's there is no id, and
//! no message belongs to none.

use super::{
    super::{
        Cursor, Db, MessageId, Page, SessionId, StoreError, UserId,
        page::Order,
        sessions,
        sql::{Query, query},
    },
    Message,
};

/// The messages of a session of this user, which are `$1` and `$2`.
pub(super) fn theirs(user: UserId, session: SessionId) -> Query {
    query("SELECT * FROM messages WHERE session_id = (SELECT id FROM sessions WHERE id = $1 AND user_id = $2)")
        .bind(session)
        .bind(user)
}

/// A session's messages, oldest first.
pub async fn list(
    db: &Db,
    user: UserId,
    session: SessionId,
    after: Option<&Cursor>,
    limit: u32,
) -> Result<Page<Message>, StoreError> {
    let order = Order("position > ?", "ORDER BY position LIMIT ?");
    let page = Page::of(db, theirs(user, session), order, after, limit, |message: &Message| message.position).await?;
    if page.items.is_empty() {
        // Nothing is said in it, or it is not theirs.
        sessions::get(db, user, session).await?;
    }
    Ok(page)
}

/// A part of a session's messages, oldest first: at most `limit` of them, and no more once there are so many bytes of words. A
/// cursor of another list starts from the beginning.
pub async fn stretch(
    db: &Db,
    user: UserId,
    session: SessionId,
    after: Option<&Cursor>,
    limit: u32,
    bytes: usize,
) -> Result<Page<Message>, StoreError> {
    let items: Vec<Message> = query(
        // Summing up from message to message takes as long again as reading them, which few conversations need.
        "WITH near AS (SELECT position, octet_length(content) + COALESCE(octet_length(call_arguments), 0) AS size \
         FROM messages WHERE session_id = $1 AND position > $3 ORDER BY position LIMIT ?) \
         SELECT * FROM messages WHERE session_id = (SELECT id FROM sessions WHERE id = $1 AND user_id = $2) \
         AND position > $3 AND position <= \
         (SELECT CASE WHEN SUM(size) < $4 THEN MAX(position) ELSE (SELECT MAX(position) FROM \
         (SELECT position, SUM(size) OVER (ORDER BY position) - size AS before FROM near) AS sizes WHERE before < $4) END \
         FROM near) ORDER BY position",
    )
    .bind(session)
    .bind(user)
    .bind(after.and_then(Cursor::key::<i64>).unwrap_or(i64::MIN))
    .bind(i64::try_from(bytes).unwrap_or(i64::MAX))
    .limit(limit)
    .fetch_all(db.reader())
    .await?;
    if items.is_empty() {
        sessions::get(db, user, session).await?;
    }
    let whole = items.len() < limit as usize && items.iter().map(Message::size).sum::<usize>() < bytes;
    let next = items.last().filter(|_| !whole).map(|last| Cursor::at(last.position));
    Ok(Page { items, next })
}

/// A session's newest messages, oldest first.
pub async fn latest(db: &Db, user: UserId, session: SessionId, limit: u32) -> Result<Vec<Message>, StoreError> {
    let newest = theirs(user, session).then("ORDER BY position DESC LIMIT ?").limit(limit);
    let mut messages: Vec<Message> = newest.fetch_all(db.reader()).await?;
    messages.reverse();
    Ok(messages)
}

/// A page of a session's messages, oldest first, that begins half a page before this one; `None` if it is none of them.
pub async fn around(
    db: &Db,
    user: UserId,
    session: SessionId,
    message: MessageId,
    limit: u32,
) -> Result<Option<Page<Message>>, StoreError> {
    let near = theirs(user, session).then(
        "AND position >= (SELECT MIN(position) FROM (SELECT position FROM messages \
         WHERE session_id = $1 AND position <= (SELECT position FROM messages WHERE session_id = $1 AND id = $3) \
         ORDER BY position DESC LIMIT $4) AS near) ORDER BY position LIMIT ?",
    );
    let near = near.bind(message).bind(i64::from(limit / 2) + 1).limit(limit + 1);
    let rows: Vec<Message> = near.fetch_all(db.reader()).await?;
    if rows.is_empty() {
        // It is not theirs, or has no such message.
        sessions::get(db, user, session).await?;
        return Ok(None);
    }
    Ok(Some(Page::cut(rows, limit, |message| Cursor::at(message.position))))
}
