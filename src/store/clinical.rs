//! Clinical contexts: what is known of a patient, for one conversation or for all of a user's that have none of their own.

use std::fmt;

use super::{
    ClinicalContextId, Db, SessionId, StoreError, UserId, column,
    sql::{Record, Row, query},
};
use jiff::Timestamp;
use serde_json::{Map, Value};

/// A clinical context. `Debug` prints nothing of the patient.
#[derive(Clone, PartialEq, Eq)]
pub struct ClinicalContext {
    /// Its id.
    pub id: ClinicalContextId,
    /// The conversation it is for; `None`: all that have none of their own.
    pub session: Option<SessionId>,
    /// What is known: a JSON object as text.
    pub facts: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// What of a context its owner changes; `None` leaves it.
#[derive(Default)]
pub struct Change {
    /// The conversation it is for; an inner `None` makes it that of all others.
    pub session: Option<Option<SessionId>>,
    /// Members of its facts, and theirs; null takes one out (RFC 7396).
    pub facts: Map<String, Value>,
    /// Lists of its facts that gain or lose entries.
    pub lists: Vec<ListChange>,
}

/// How a list of facts changes.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct ListChange {
    /// Which: `allergies`.
    pub name: String,
    /// What is put at its end, unless it is there: entries that differ in case alone are the same.
    pub add: Vec<String>,
    /// What is taken out.
    pub remove: Vec<String>,
}

/// Why a context was not made or changed.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// There is one for this conversation, or one for all others.
    #[error("there is one already")]
    Taken,
    /// It or its conversation does not exist, or the database failed.
    #[error(transparent)]
    Store(StoreError),
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        match error {
            error if error.is_duplicate() => Self::Taken,
            // A conversation that was deleted between being looked for and being named is not there either.
            error if error.is_dangling() => Self::Store(StoreError::NotFound),
            error => Self::Store(error),
        }
    }
}

/// Makes a context; nulls in `facts` are left out.
pub async fn create(
    db: &Db,
    user: UserId,
    session: Option<SessionId>,
    facts: Map<String, Value>,
    now: Timestamp,
) -> Result<ClinicalContext, Refusal> {
    let made = query(
        "INSERT INTO clinical_contexts (id, user_id, session_id, facts, created_at, updated_at) \
         SELECT $1, $2, $3, $4, $5, $5 \
         WHERE $3 IS NULL OR EXISTS (SELECT 1 FROM sessions WHERE id = $3 AND user_id = $2) RETURNING *",
    )
    .bind(ClinicalContextId::new(now))
    .bind(user)
    .bind(session)
    .bind(merged("{}", facts, Vec::new()))
    .bind(column::millis(now))
    .fetch_found(db.writer())
    .await?;
    Ok(made)
}

/// One context of this user.
pub async fn get(db: &Db, user: UserId, id: ClinicalContextId) -> Result<ClinicalContext, StoreError> {
    query("SELECT * FROM clinical_contexts WHERE id = $1 AND user_id = $2")
        .bind(id)
        .bind(user)
        .fetch_found(db.reader())
        .await
}

/// The context this user made for this conversation, or (`None`) for all others.
pub async fn current(db: &Db, user: UserId, session: Option<SessionId>) -> Result<ClinicalContext, StoreError> {
    query("SELECT * FROM clinical_contexts WHERE user_id = $1 AND COALESCE(session_id, '') = $2")
        .bind(user)
        .bind(session.map(|session| session.to_string()).unwrap_or_default())
        .fetch_found(db.reader())
        .await
}

/// The facts that hold in a conversation of this user: its own, else those for all others.
pub async fn in_force(db: &Db, user: UserId, session: SessionId) -> Result<Option<String>, StoreError> {
    query(
        "SELECT facts FROM clinical_contexts WHERE user_id = $1 AND COALESCE(session_id, '') IN ($2, '') \
         ORDER BY COALESCE(session_id, '') DESC LIMIT 1",
    )
    .bind(user)
    .bind(session)
    .fetch_optional(db.reader())
    .await
}

/// Changes a context of this user.
pub async fn change(
    db: &Db,
    user: UserId,
    id: ClinicalContextId,
    change: Change,
    now: Timestamp,
) -> Result<ClinicalContext, Refusal> {
    let mut tx = db.write().await?;
    // Takes the row, so that two who change different facts at once do not undo each other.
    let kept: String =
        query("UPDATE clinical_contexts SET updated_at = $3 WHERE id = $1 AND user_id = $2 RETURNING facts")
            .bind(id)
            .bind(user)
            .bind(column::millis(now))
            .fetch_found(&mut tx)
            .await?;
    let changed = query(
        "UPDATE clinical_contexts SET facts = $3, session_id = CASE WHEN $4 THEN $5 ELSE session_id END \
         WHERE id = $1 AND user_id = $2 \
         AND ($5 IS NULL OR EXISTS (SELECT 1 FROM sessions WHERE id = $5 AND user_id = $2)) RETURNING *",
    )
    .bind(id)
    .bind(user)
    .bind(merged(&kept, change.facts, change.lists))
    .bind(change.session.is_some())
    .bind(change.session.flatten())
    .fetch_found(&mut tx)
    .await?;
    tx.commit().await?;
    Ok(changed)
}

/// Deletes a context of this user.
pub async fn delete(db: &Db, user: UserId, id: ClinicalContextId) -> Result<(), StoreError> {
    query("DELETE FROM clinical_contexts WHERE id = $1 AND user_id = $2")
        .bind(id)
        .bind(user)
        .execute_found(db.writer())
        .await
}

/// An object with these members changed.
fn merged(kept: &str, changes: Map<String, Value>, lists: Vec<ListChange>) -> String {
    let mut whole: Map<String, Value> = serde_json::from_str(kept).unwrap_or_default();
    merge(&mut whole, changes);
    for list in lists {
        list.apply(&mut whole);
    }
    Value::Object(whole).to_string()
}

fn merge(whole: &mut Map<String, Value>, changes: Map<String, Value>) {
    for (name, change) in changes {
        match change {
            Value::Null => {
                whole.remove(&name);
            }
            Value::Object(changes) => {
                let mut part = match whole.remove(&name) {
                    Some(Value::Object(part)) => part,
                    Some(_) | None => Map::new(),
                };
                merge(&mut part, changes);
                whole.insert(name, Value::Object(part));
            }
            value @ (Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
                whole.insert(name, value);
            }
        }
    }
}

impl ListChange {
    fn apply(self, whole: &mut Map<String, Value>) {
        let kept = match whole.remove(&self.name) {
            Some(Value::Array(kept)) => kept,
            Some(_) | None => Vec::new(),
        };
        let mut entries: Vec<String> = kept.into_iter().filter_map(|entry| entry.as_str().map(str::to_owned)).collect();
        let same = |one: &str, other: &str| one.to_lowercase() == other.to_lowercase();
        entries.retain(|entry| !self.remove.iter().any(|gone| same(gone, entry)));
        for fresh in self.add {
            if !entries.iter().any(|entry| same(entry, &fresh)) {
                entries.push(fresh);
            }
        }
        whole.insert(self.name, entries.into());
    }
}

impl fmt::Debug for ClinicalContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClinicalContext").field("id", &self.id).field("session", &self.session).finish_non_exhaustive()
    }
}

impl Record for ClinicalContext {
    fn read(row: &Row) -> Result<Self, sqlx::Error> {
        let session: Option<String> = row.get("session_id")?;
        Ok(Self {
            id: column::parsed(row, "id")?,
            session: session.map(|text| column::parse("session_id", &text)).transpose()?,
            facts: row.get("facts")?,
            created_at: column::required(row, "created_at")?,
            updated_at: column::required(row, "updated_at")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_named_changes_and_null_takes_out() {
        let Value::Object(changes) = json!({"age": 55, "gender": null, "vitals": {"spo2": 97, "heart_rate": null}})
        else {
            panic!("an object")
        };
        let kept = json!({"age": 54, "gender": "female", "height_cm": 170, "vitals": {"heart_rate": 70}}).to_string();
        let expected = json!({"age": 55, "height_cm": 170, "vitals": {"spo2": 97}}).to_string();
        assert_eq!(merged(&kept, changes.clone(), vec![]), expected);
        assert_eq!(merged("{}", changes, vec![]), json!({"age": 55, "vitals": {"spo2": 97}}).to_string());
    }

    #[test]
    fn a_list_gains_and_loses_what_is_named_and_keeps_the_rest() {
        let change = |add: &[&str], remove: &[&str]| {
            let own = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
            vec![ListChange { name: "allergies".into(), add: own(add), remove: own(remove) }]
        };
        let kept = json!({"age": 54, "allergies": ["Latex", "nuts"]}).to_string();
        let changed = merged(&kept, Map::new(), change(&["penicillin", "NUTS"], &["latex"]));
        assert_eq!(changed, json!({"age": 54, "allergies": ["nuts", "penicillin"]}).to_string());
        let begun = merged("{}", Map::new(), change(&["nuts"], &[]));
        assert_eq!(begun, json!({"allergies": ["nuts"]}).to_string());
    }
}
