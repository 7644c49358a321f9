//! Acts: what tools did on the way to a message, and what its words propose.

use std::collections::BTreeMap;

use jiff::Timestamp;
use providers::{
    llm::Call,
    tool::{Act, ActState},
};

use super::{
    Db, MessageId, SessionId, StoreError, UserId, column,
    messages::{self, Message, More, UnknownValue},
    sql::{Record, Row, Tx, query},
};

/// Keeps what led to a message of this user, in place of what was kept before. The message as it is with that.
pub async fn keep(
    db: &Db,
    user: UserId,
    message: MessageId,
    acts: &[Act],
    now: Timestamp,
) -> Result<Message, StoreError> {
    let mut tx = db.write().await?;
    let taken = messages::take(&mut tx, user, message, More::ACTS, now).await?;
    query("DELETE FROM acts WHERE message_id = $1").bind(message).execute(&mut tx).await?;
    add(&mut tx, message, acts).await?;
    tx.commit().await?;
    Ok(taken)
}

/// Adds what led to a message that its caller has taken or made in this transaction.
pub(super) async fn add(tx: &mut Tx, message: MessageId, acts: &[Act]) -> Result<(), StoreError> {
    for (position, act) in (0_i64..).zip(acts) {
        query(
            "INSERT INTO acts (message_id, position, call_id, name, arguments, output, state, writes, confidential) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(message)
        .bind(position)
        .bind(&act.call.call)
        .bind(&act.call.name)
        .bind(&act.call.arguments)
        .bind(&act.output)
        .bind(act.state.as_str())
        .bind(act.writes)
        .bind(act.confidential)
        .execute(&mut *tx)
        .await?;
    }
    Ok(())
}

/// What led to these messages, which follow each other in one session of this user: by message, of each in its order.
pub async fn by_message(
    db: &Db,
    user: UserId,
    messages: &[Message],
) -> Result<BTreeMap<MessageId, Vec<Act>>, StoreError> {
    let Some((first, last)) = messages::those_with(messages, |more| more.acts) else { return Ok(BTreeMap::new()) };
    let kept: Vec<Kept> = query(
        "SELECT acts.* FROM acts JOIN messages ON messages.id = message_id \
         WHERE session_id = (SELECT id FROM sessions WHERE id = $1 AND user_id = $2) \
         AND messages.position BETWEEN $3 AND $4 ORDER BY messages.position, acts.position",
    )
    .bind(first.session)
    .bind(user)
    .bind(first.position)
    .bind(last.position)
    .fetch_all(db.reader())
    .await?;
    let mut found: BTreeMap<MessageId, Vec<Act>> = BTreeMap::new();
    for Kept { message, act } in kept {
        found.entry(message).or_default().push(act);
    }
    Ok(found)
}

/// Notes that somebody agreed to a proposal in a session of this user; whether that is the first time.
///
/// # Errors
/// [`StoreError::NotFound`] if it is not theirs. Whatever the error, nobody may take it for agreed.
pub async fn agree(db: &Db, user: UserId, session: SessionId, call: &str, now: Timestamp) -> Result<bool, StoreError> {
    super::sessions::get(db, user, session).await?;
    let noted = query(
        "INSERT INTO agreements (session_id, call_id, created_at) \
         SELECT id, $3, $4 FROM sessions WHERE id = $1 AND user_id = $2 ON CONFLICT DO NOTHING",
    )
    .bind(session)
    .bind(user)
    .bind(call)
    .bind(column::millis(now))
    .execute(db.writer())
    .await?;
    Ok(noted == 1)
}

/// An act and the message it led to.
struct Kept {
    message: MessageId,
    act: Act,
}

impl Record for Kept {
    fn read(row: &Row) -> Result<Self, sqlx::Error> {
        let state: String = row.get("state")?;
        let known = ActState::ALL.into_iter().find(|known| known.as_str() == state);
        let unknown =
            || sqlx::Error::ColumnDecode { index: "state".into(), source: Box::new(UnknownValue(state.clone())) };
        Ok(Self {
            message: column::parsed(row, "message_id")?,
            act: Act {
                call: Call { call: row.get("call_id")?, name: row.get("name")?, arguments: row.get("arguments")? },
                output: row.get("output")?,
                state: known.ok_or_else(unknown)?,
                writes: row.get("writes")?,
                confidential: row.get("confidential")?,
            },
        })
    }
}
