//! Bytes in storage that no row owns, so that bytes and rows come and go together whenever a process dies.
//!
//! Before bytes are written, [`expect`] notes their key. The row that owns them takes the note's place in one transaction
//! (`adopt`); a trigger of the database leaves a note for every row that goes, whichever way. What is noted and due is
//! [`due`] for removal, after which it is [`forget`]ten.

use super::{
    Db, StoreError, column,
    sql::{Tx, query},
};
use jiff::Timestamp;
use uuid::Uuid;

/// Notes that bytes will be written under this key, to be removed at `due` unless a row owns them by then.
pub async fn expect(db: &Db, id: impl Into<Uuid>, due: Timestamp) -> Result<(), StoreError> {
    query("INSERT INTO stray_files (id, due_at) VALUES ($1, $2)")
        .bind(id.into().to_string())
        .bind(column::millis(due))
        .execute(db.writer())
        .await?;
    Ok(())
}

/// Gives bytes up for which no row comes after all.
pub async fn give_up(db: &Db, id: impl Into<Uuid>) -> Result<(), StoreError> {
    query("UPDATE stray_files SET due_at = 0 WHERE id = $1").bind(id.into().to_string()).execute(db.writer()).await?;
    Ok(())
}

/// Makes bytes a row's; `false` if they are given up already.
pub(super) async fn adopt(tx: &mut Tx, id: impl Into<Uuid>, now: Timestamp) -> Result<bool, StoreError> {
    let done = query("DELETE FROM stray_files WHERE id = $1 AND due_at > $2")
        .bind(id.into().to_string())
        .bind(column::millis(now))
        .execute(tx)
        .await?;
    Ok(done == 1)
}

/// Keys of bytes to be removed, at most `limit`. From now on no row can own them.
pub async fn due(db: &Db, now: Timestamp, limit: u32) -> Result<Vec<Uuid>, StoreError> {
    let ids: Vec<String> = query(
        "UPDATE stray_files SET due_at = 0 WHERE due_at <= $1 AND id IN \
         (SELECT id FROM stray_files WHERE due_at <= $1 ORDER BY due_at, id LIMIT $2) RETURNING id",
    )
    .bind(column::millis(now))
    .bind(i64::from(limit))
    .fetch_all(db.writer())
    .await?;
    Ok(ids.iter().map(|id| column::parse("id", id)).collect::<Result<_, _>>()?)
}

/// The bytes under this key are removed.
pub async fn forget(db: &Db, id: impl Into<Uuid>) -> Result<(), StoreError> {
    query("DELETE FROM stray_files WHERE id = $1").bind(id.into().to_string()).execute(db.writer()).await?;
    Ok(())
}
