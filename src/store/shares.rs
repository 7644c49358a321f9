//! Links by which others read a conversation: never the token, only its SHA-256; never the password, only its slow hash.

use super::{
    Cursor, Db, Page, SessionId, ShareId, StoreError, UserId, column,
    page::NEWEST,
    sessions::Session,
    sql::{Record, Row, query},
};
use jiff::Timestamp;

/// A link as kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Share {
    /// Its id.
    pub id: ShareId,
    /// The conversation it shows.
    pub session: SessionId,
    /// The hash of its password; `None` opens without.
    pub password: Option<String>,
    /// Whether whoever has the link may read, or only whom the relay knows.
    pub anonymous: bool,
    /// How often it was opened.
    pub accesses: u64,
    /// When it was opened last.
    pub last_access_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
}

/// What a new link is made of.
#[derive(Clone, Copy, Debug)]
pub struct NewShare<'a> {
    /// SHA-256 of its token.
    pub token: &'a [u8],
    /// The hash of its password.
    pub password: Option<&'a str>,
    /// Whether whoever has the link may read.
    pub anonymous: bool,
    /// When it ends by itself.
    pub expires_at: Timestamp,
}

/// Which link of a conversation.
#[derive(Clone, Copy, Debug)]
pub enum Which<'a> {
    /// The one with this id.
    Id(ShareId),
    /// The one whose token has this SHA-256.
    Token(&'a [u8]),
}

/// Keeps a new link to a conversation of this user.
pub async fn create(
    db: &Db,
    user: UserId,
    session: SessionId,
    new: NewShare<'_>,
    now: Timestamp,
) -> Result<Share, StoreError> {
    query(
        "INSERT INTO shares (id, session_id, token_hash, password_hash, allow_anonymous, created_at, expires_at) \
         SELECT $1, id, $4, $5, $6, $7, $8 FROM sessions WHERE id = $2 AND user_id = $3 RETURNING *",
    )
    .bind(ShareId::new(now))
    .bind(session)
    .bind(user)
    .bind(new.token)
    .bind(new.password)
    .bind(new.anonymous)
    .bind(column::millis(now))
    .bind(column::millis(new.expires_at))
    .fetch_found(db.writer())
    .await
}

/// The links of a conversation that have not ended, newest first.
pub async fn list(
    db: &Db,
    user: UserId,
    session: SessionId,
    now: Timestamp,
    after: Option<&Cursor>,
    limit: u32,
) -> Result<Page<Share>, StoreError> {
    super::sessions::get(db, user, session).await?;
    let current = query(
        "SELECT * FROM shares WHERE session_id = (SELECT id FROM sessions WHERE id = $1 AND user_id = $2) AND expires_at > $3",
    )
    .bind(session)
    .bind(user)
    .bind(column::millis(now));
    Page::of(db, current, NEWEST, after, limit, |share: &Share| share.id).await
}

/// Ends a link for good: it is unknown from then on. [`StoreError::NotFound`] if the conversation has no such link.
pub async fn revoke(db: &Db, user: UserId, session: SessionId, which: Which<'_>) -> Result<(), StoreError> {
    let (id, token) = match which {
        Which::Id(id) => (Some(id), None),
        Which::Token(hash) => (None, Some(hash)),
    };
    query(
        "DELETE FROM shares WHERE session_id = $1 AND (id = $3 OR token_hash = $4) \
         AND session_id IN (SELECT id FROM sessions WHERE id = $1 AND user_id = $2)",
    )
    .bind(session)
    .bind(user)
    .bind(id)
    .bind(token)
    .execute_found(db.writer())
    .await
}

/// What a link opens, and for whom.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Door {
    /// The link.
    pub share: ShareId,
    /// The hash of its password; `None` opens without.
    pub password: Option<String>,
    /// Whether whoever has the link may read, or only whom the relay knows.
    pub anonymous: bool,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// Whose conversation it shows.
    pub user: UserId,
    /// The conversation.
    pub session: Session,
    /// How many messages it has.
    pub messages: u64,
}

/// What the link opens whose token has this hash, also when it has ended. Who asks is nobody's user: the token is what lets
/// them in.
pub async fn door(db: &Db, token: &[u8]) -> Result<Option<Door>, StoreError> {
    query(
        "SELECT sessions.*, shares.id AS share_id, password_hash, allow_anonymous, expires_at, \
         (SELECT COUNT(*) FROM messages WHERE session_id = sessions.id) AS messages \
         FROM shares JOIN sessions ON sessions.id = shares.session_id WHERE token_hash = $1",
    )
    .bind(token)
    .fetch_optional(db.reader())
    .await
}

/// Counts that a link was opened. [`StoreError::NotFound`] if it was revoked meanwhile.
pub async fn note_access(db: &Db, share: ShareId, now: Timestamp) -> Result<(), StoreError> {
    query("UPDATE shares SET accesses = accesses + 1, last_access_at = $2 WHERE id = $1")
        .bind(share)
        .bind(column::millis(now))
        .execute_found(db.writer())
        .await
}

/// Forgets all links that ended before `then`; how many.
pub async fn sweep(db: &Db, then: Timestamp) -> Result<u64, StoreError> {
    query("DELETE FROM shares WHERE expires_at < $1").bind(column::millis(then)).execute(db.writer()).await
}

impl Record for Share {
    fn read(row: &Row) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: column::parsed(row, "id")?,
            session: column::parsed(row, "session_id")?,
            password: row.get("password_hash")?,
            anonymous: row.get("allow_anonymous")?,
            accesses: row.get::<i64>("accesses")?.unsigned_abs(),
            last_access_at: column::optional(row, "last_access_at")?,
            created_at: column::required(row, "created_at")?,
            expires_at: column::required(row, "expires_at")?,
        })
    }
}

impl Record for Door {
    fn read(row: &Row) -> Result<Self, sqlx::Error> {
        Ok(Self {
            share: column::parsed(row, "share_id")?,
            password: row.get("password_hash")?,
            anonymous: row.get("allow_anonymous")?,
            expires_at: column::required(row, "expires_at")?,
            user: column::parsed(row, "user_id")?,
            session: Session::read(row)?,
            messages: row.get::<i64>("messages")?.unsigned_abs(),
        })
    }
}
