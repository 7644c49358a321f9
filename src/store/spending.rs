//! What a conversation has cost: all its voice sessions and its typed replies together.

use super::{
    Db, SessionId, StoreError, UserId,
    sql::{Tx, query},
};
use crate::cost::Spending;

/// Adds what a typed reply cost.
pub async fn add(db: &Db, user: UserId, session: SessionId, spent: &Spending) -> Result<(), StoreError> {
    let mut tx = db.write().await?;
    let typed = typed(&mut tx, user, session).await?;
    let sum = read(&typed).map_or_else(|| spent.clone(), |before| spent.clone().plus(&before));
    query("UPDATE sessions SET typed_cost = $2 WHERE id = $1")
        .bind(session)
        .bind(written(&sum))
        .execute(&mut tx)
        .await?;
    total(tx, session, Some(sum)).await
}

/// Sums up again, after a voice session was charged.
pub async fn sum_up(db: &Db, user: UserId, session: SessionId) -> Result<(), StoreError> {
    let mut tx = db.write().await?;
    let typed = typed(&mut tx, user, session).await?;
    total(tx, session, read(&typed)).await
}

/// What typed replies have cost, empty for nothing. Takes the row, so that two who add up at once do not undo each other.
async fn typed(tx: &mut Tx, user: UserId, session: SessionId) -> Result<String, StoreError> {
    query("UPDATE sessions SET cost = cost WHERE id = $1 AND user_id = $2 RETURNING COALESCE(typed_cost, '') AS typed")
        .bind(session)
        .bind(user)
        .fetch_found(tx)
        .await
}

async fn total(mut tx: Tx, session: SessionId, typed: Option<Spending>) -> Result<(), StoreError> {
    let spoken: Vec<String> =
        query("SELECT cost FROM voice_sessions WHERE session_id = $1 AND cost IS NOT NULL ORDER BY id")
            .bind(session)
            .fetch_all(&mut tx)
            .await?;
    let costs = spoken.iter().filter_map(|cost| read(cost)).chain(typed);
    if let Some(sum) = costs.reduce(|sum, cost| cost.plus(&sum)) {
        query("UPDATE sessions SET cost = $2 WHERE id = $1").bind(session).bind(written(&sum)).execute(&mut tx).await?;
    }
    tx.commit().await
}

/// What another version wrote and nobody can read counts for nothing.
fn read(cost: &str) -> Option<Spending> {
    serde_json::from_str(cost).ok()
}

fn written(cost: &Spending) -> String {
    serde_json::to_string(cost).unwrap_or_default()
}
