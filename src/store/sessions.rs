//! Sessions: conversations, spoken or typed.

use super::{
    Cursor, Db, FolderId, Page, SessionId, StoreError, UserId, Words, column,
    page::NEWEST,
    sql::{Record, Row, query},
};
use jiff::Timestamp;
use serde_json::{Map, Value};

/// A conversation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// What it is about: the person's first words.
    pub title: Option<String>,
    /// Whether all that was said is among its messages.
    pub complete: bool,
    /// Whether its owner put it away.
    pub archived: bool,
    /// The folder it is filed in.
    pub folder: Option<FolderId>,
    /// How it is led: a JSON object as text.
    pub settings: String,
    /// What it has cost so far: a JSON object as text.
    pub cost: Option<String>,
    /// When it began.
    pub created_at: Timestamp,
    /// When something was last added.
    pub updated_at: Timestamp,
}

/// Begins a conversation under an id its maker chose. Begun again by the same user, it is the same: whoever lost the answer
/// may ask again.
pub async fn create(db: &Db, user: UserId, id: SessionId, now: Timestamp) -> Result<Session, StoreError> {
    query(
        "INSERT INTO sessions (id, user_id, created_at, updated_at) VALUES ($1, $2, $3, $3) \
         ON CONFLICT (id) DO UPDATE SET updated_at = excluded.updated_at WHERE sessions.user_id = excluded.user_id \
         RETURNING *",
    )
    .bind(id)
    .bind(user)
    .bind(column::millis(now))
    .fetch_found(db.writer())
    .await
}

/// Notes that a conversation goes on.
pub async fn resume(db: &Db, user: UserId, session: SessionId, now: Timestamp) -> Result<(), StoreError> {
    query("UPDATE sessions SET updated_at = $3 WHERE id = $1 AND user_id = $2")
        .bind(session)
        .bind(user)
        .bind(column::millis(now))
        .execute_found(db.writer())
        .await
}

/// Begins a typed conversation; `None` if the folder it was to be in is not there or somebody else's.
pub async fn begin(
    db: &Db,
    user: UserId,
    title: Option<&str>,
    folder: Option<FolderId>,
    settings: Map<String, Value>,
    now: Timestamp,
) -> Result<Option<Session>, StoreError> {
    let begun = query(
        "INSERT INTO sessions (id, user_id, title, folder_id, settings, created_at, updated_at) \
         SELECT $1, $2, $3, $4, $6, $5, $5 \
         WHERE $4 IS NULL OR EXISTS (SELECT 1 FROM folders WHERE id = $4 AND user_id = $2) RETURNING *",
    )
    .bind(SessionId::new(now))
    .bind(user)
    .bind(title)
    .bind(folder)
    .bind(column::millis(now))
    .bind(merged("{}", Some(settings)))
    .fetch_optional(db.writer())
    .await;
    filed(begun)
}

/// A folder that was deleted between being looked for and being named is not there either.
fn filed(changed: Result<Option<Session>, StoreError>) -> Result<Option<Session>, StoreError> {
    if matches!(&changed, Err(error) if error.is_dangling()) { Ok(None) } else { changed }
}

/// What of a conversation its owner changes; `None` leaves it.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// What it is about; an inner `None` clears it, and the person's next words become it.
    pub title: Option<Option<String>>,
    /// Whether it is put away.
    pub archived: Option<bool>,
    /// The folder it is filed in; an inner `None` takes it out.
    pub folder: Option<Option<FolderId>>,
    /// How it is led: members of its settings, where null takes one out; an inner `None` takes out all.
    pub settings: Option<Option<Map<String, Value>>>,
}

/// Changes a conversation. When something was last said in it does not change by that. `None` if the folder it was to be in
/// is not there or somebody else's.
pub async fn change(db: &Db, user: UserId, session: SessionId, change: Change) -> Result<Option<Session>, StoreError> {
    let mut tx = db.write().await?;
    // Takes the row, so that two who change settings at once do not undo each other.
    let kept: String =
        query("UPDATE sessions SET archived = archived WHERE id = $1 AND user_id = $2 RETURNING settings")
            .bind(session)
            .bind(user)
            .fetch_found(&mut tx)
            .await?;
    let changed = query(
        "UPDATE sessions SET title = CASE WHEN $3 THEN $4 ELSE title END, archived = COALESCE($5, archived), \
         folder_id = CASE WHEN $6 THEN $7 ELSE folder_id END, settings = $8 WHERE id = $1 AND user_id = $2 \
         AND ($7 IS NULL OR EXISTS (SELECT 1 FROM folders WHERE id = $7 AND user_id = $2)) RETURNING *",
    )
    .bind(session)
    .bind(user)
    .bind(change.title.is_some())
    .bind(change.title.flatten())
    .bind(change.archived)
    .bind(change.folder.is_some())
    .bind(change.folder.flatten())
    .bind(change.settings.map_or_else(|| kept.clone(), |changes| merged(&kept, changes)))
    .fetch_optional(&mut tx)
    .await;
    let changed = filed(changed)?;
    if changed.is_some() {
        tx.commit().await?;
    }
    Ok(changed)
}

/// Settings with these members changed.
fn merged(kept: &str, changes: Option<Map<String, Value>>) -> String {
    let Some(changes) = changes else { return "{}".to_owned() };
    let mut settings: Map<String, Value> = serde_json::from_str(kept).unwrap_or_default();
    for (name, value) in changes {
        if value.is_null() {
            settings.remove(&name);
        } else {
            settings.insert(name, value);
        }
    }
    Value::Object(settings).to_string()
}

/// One conversation of this user.
pub async fn get(db: &Db, user: UserId, session: SessionId) -> Result<Session, StoreError> {
    query("SELECT * FROM sessions WHERE id = $1 AND user_id = $2")
        .bind(session)
        .bind(user)
        .fetch_found(db.reader())
        .await
}

/// One conversation of this user, and how many messages it has.
pub async fn counted(db: &Db, user: UserId, session: SessionId) -> Result<(Session, u64), StoreError> {
    let found: Counted = query(
        "SELECT sessions.*, (SELECT COUNT(*) FROM messages WHERE session_id = sessions.id) AS messages FROM sessions \
         WHERE id = $1 AND user_id = $2",
    )
    .bind(session)
    .bind(user)
    .fetch_found(db.reader())
    .await?;
    Ok((found.0, found.1))
}

/// A conversation, and how many messages it has.
struct Counted(Session, u64);

impl Record for Counted {
    fn read(row: &Row) -> Result<Self, sqlx::Error> {
        Ok(Self(Session::read(row)?, row.get::<i64>("messages")?.unsigned_abs()))
    }
}

/// Which conversations are asked for; `None` asks for all.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Filter {
    /// Those put away, or those not.
    pub archived: Option<bool>,
    /// Those in this folder; an inner `None`: those in none.
    pub folder: Option<Option<FolderId>>,
    /// Those whose title has all these words, or one of whose messages has.
    pub words: Option<Words>,
}

/// What a conversation with these words is.
const FOUND_BY_FTS5: &str =
    "id IN (SELECT session_id FROM searched WHERE id IN (SELECT rowid FROM words WHERE words MATCH ?))";
const FOUND_BY_TSQUERY: &str = "(words_of(title) @@ to_tsquery('pg_catalog.simple', ?) OR id IN \
     (SELECT session_id FROM messages WHERE words_of(content) @@ to_tsquery('pg_catalog.simple', ?)))";

/// The user's conversations, newest first. A cursor of another list answers nothing.
pub async fn list(
    db: &Db,
    user: UserId,
    filter: Filter,
    after: Option<&Cursor>,
    limit: u32,
) -> Result<Page<Session>, StoreError> {
    let theirs = query("SELECT * FROM sessions WHERE user_id = $1").bind(user).and("archived = ?", filter.archived);
    let theirs = match filter.folder {
        Some(None) => theirs.then("AND folder_id IS NULL"),
        folder => theirs.and("folder_id = ?", folder.flatten()),
    };
    let found = db.reader().pick(FOUND_BY_FTS5, FOUND_BY_TSQUERY);
    let words = filter.words.map(|words| db.reader().pick(words.fts5(), words.tsquery()));
    Page::of(db, theirs.and(found, words), NEWEST, after, limit, |session: &Session| session.id).await
}

/// Deletes a conversation and all its messages.
pub async fn delete(db: &Db, user: UserId, session: SessionId) -> Result<(), StoreError> {
    query("DELETE FROM sessions WHERE id = $1 AND user_id = $2")
        .bind(session)
        .bind(user)
        .execute_found(db.writer())
        .await
}

/// Forgets a conversation in which nothing was said and of which nothing was lost.
pub async fn forget_if_empty(db: &Db, user: UserId, session: SessionId) -> Result<(), StoreError> {
    query(
        "DELETE FROM sessions WHERE id = $1 AND user_id = $2 AND complete \
         AND NOT EXISTS (SELECT 1 FROM messages WHERE session_id = $1)",
    )
    .bind(session)
    .bind(user)
    .execute(db.writer())
    .await?;
    Ok(())
}

/// Notes that something of a conversation was lost.
pub async fn mark_incomplete(db: &Db, user: UserId, session: SessionId) -> Result<(), StoreError> {
    query("UPDATE sessions SET complete = FALSE WHERE id = $1 AND user_id = $2")
        .bind(session)
        .bind(user)
        .execute(db.writer())
        .await?;
    Ok(())
}

impl Record for Session {
    fn read(row: &Row) -> Result<Self, sqlx::Error> {
        let folder = row.get::<Option<&str>>("folder_id")?;
        Ok(Self {
            id: column::parsed(row, "id")?,
            title: row.get("title")?,
            complete: row.get("complete")?,
            archived: row.get("archived")?,
            folder: folder.map(|folder| column::parse("folder_id", folder)).transpose()?,
            settings: row.get("settings")?,
            cost: row.get("cost")?,
            created_at: column::required(row, "created_at")?,
            updated_at: column::required(row, "updated_at")?,
        })
    }
}
