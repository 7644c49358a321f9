//! Typed replies: one at a time in a conversation, kept when they are whole.
//!
//! Whoever makes a reply holds its conversation by the reply's id until it is kept or given up, also against other relays on
//! the same database. A hold ends by itself: a process that died holds nothing for long.

use jiff::Timestamp;
use providers::tool::Act;

use super::{
    Db, MessageId, SessionId, StoreError, UserId, acts,
    citations::{self, Reference},
    column,
    messages::{self, Message, Status},
    sql::query,
};

/// Takes hold of a conversation until `until`; `false` while another reply is being made.
pub async fn begin(
    db: &Db,
    user: UserId,
    session: SessionId,
    reply: MessageId,
    until: Timestamp,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let held = query(
        "UPDATE sessions SET answering = $3, answering_until = $4 \
         WHERE id = $1 AND user_id = $2 AND (answering IS NULL OR answering_until <= $5)",
    )
    .bind(session)
    .bind(user)
    .bind(reply)
    .bind(column::millis(until))
    .bind(column::millis(now))
    .execute(db.writer())
    .await?;
    if held == 0 {
        super::sessions::get(db, user, session).await?;
    }
    Ok(held == 1)
}

/// Holds on until `until`. [`StoreError::NotFound`] if the hold was lost, or the conversation deleted.
pub async fn renew(
    db: &Db,
    user: UserId,
    session: SessionId,
    reply: MessageId,
    until: Timestamp,
) -> Result<(), StoreError> {
    query("UPDATE sessions SET answering_until = $4 WHERE id = $1 AND user_id = $2 AND answering = $3")
        .bind(session)
        .bind(user)
        .bind(reply)
        .bind(column::millis(until))
        .execute_found(db.writer())
        .await
}

/// Lets go without a reply. What is not held any more needs no letting go.
pub async fn give_up(db: &Db, user: UserId, session: SessionId, reply: MessageId) -> Result<(), StoreError> {
    query("UPDATE sessions SET answering = NULL, answering_until = NULL WHERE id = $1 AND user_id = $2 AND answering = $3")
        .bind(session)
        .bind(user)
        .bind(reply)
        .execute(db.writer())
        .await?;
    Ok(())
}

/// A reply that was made.
#[derive(Clone, Copy, Debug)]
pub struct Reply<'a> {
    /// Its id, by which the conversation is held.
    pub id: MessageId,
    /// The message it answers: it comes right after that, whatever was said meanwhile.
    pub to: MessageId,
    /// The words.
    pub content: &'a str,
    /// Whether they are all the model would have said.
    pub status: Status,
    /// What they cite.
    pub cites: &'a [Reference],
    /// What was done on the way to them.
    pub acts: &'a [Act],
}

/// Keeps a reply with what it cites and what led to it, and lets go. [`StoreError::NotFound`] if the hold was lost, or the conversation deleted.
pub async fn keep(
    db: &Db,
    user: UserId,
    session: SessionId,
    reply: Reply<'_>,
    now: Timestamp,
) -> Result<Message, StoreError> {
    let mut tx = db.write().await?;
    query(
        "UPDATE sessions SET answering = NULL, answering_until = NULL, updated_at = $4 \
         WHERE id = $1 AND user_id = $2 AND answering = $3",
    )
    .bind(session)
    .bind(user)
    .bind(reply.id)
    .bind(column::millis(now))
    .execute_found(&mut tx)
    .await?;
    let position = messages::after(&mut tx, session, reply.to).await?;
    let message = query(
        "INSERT INTO messages (id, session_id, position, item_id, parent_message_id, role, modality, content, status, \
         created_at, updated_at, has_citations, has_acts) \
         SELECT $1, $2, $3, $4, (SELECT id FROM messages WHERE id = $5 AND session_id = $2), 'assistant', 'text', $6, $7, $8, \
         $8, $9, $10 RETURNING *",
    )
    .bind(reply.id)
    .bind(session)
    .bind(position)
    .bind(messages::item_of(reply.id))
    .bind(reply.to)
    .bind(reply.content)
    .bind(reply.status.as_str())
    .bind(column::millis(now))
    .bind(!reply.cites.is_empty())
    .bind(!reply.acts.is_empty())
    .fetch_one(&mut tx)
    .await?;
    citations::add(&mut tx, reply.id, reply.cites, now).await?;
    acts::add(&mut tx, reply.id, reply.acts).await?;
    tx.commit().await?;
    Ok(message)
}
