//! API keys: never the key, only its SHA-256, what it may do and until when.

use super::{
    Cursor, Db, KeyId, Page, StoreError, UserId, column,
    page::NEWEST,
    sql::{Record, Row, query},
    users::Role,
};
use jiff::Timestamp;

/// An API key as kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Key {
    /// Its id.
    pub id: KeyId,
    /// Whose it is.
    pub user: UserId,
    /// What its owner calls it.
    pub name: String,
    /// The first characters, to recognise it by.
    pub hint: String,
    /// Names of its scopes, parted by spaces.
    pub scopes: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends by itself; `None` is never.
    pub expires_at: Option<Timestamp>,
    /// When it was last used, to the minute or so.
    pub last_used_at: Option<Timestamp>,
}

/// What a new key is made of.
#[derive(Clone, Copy, Debug)]
pub struct NewKey<'a> {
    /// What its owner calls it.
    pub name: &'a str,
    /// SHA-256 of the key.
    pub hash: &'a [u8],
    /// The first characters, to recognise it by.
    pub hint: &'a str,
    /// Names of its scopes, parted by spaces.
    pub scopes: &'a str,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
}

/// Keeps a new key.
pub async fn create(db: &Db, user: UserId, new: NewKey<'_>, now: Timestamp) -> Result<Key, StoreError> {
    query(
        "INSERT INTO api_keys (id, user_id, name, hash, hint, scopes, created_at, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING *",
    )
    .bind(KeyId::new(now))
    .bind(user)
    .bind(new.name)
    .bind(new.hash)
    .bind(new.hint)
    .bind(new.scopes)
    .bind(column::millis(now))
    .bind(new.expires_at.map(column::millis))
    .fetch_one(db.writer())
    .await
}

/// The keys of a user that are not revoked, newest first; expired ones are among them.
pub async fn list(db: &Db, user: UserId, after: Option<&Cursor>, limit: u32) -> Result<Page<Key>, StoreError> {
    let theirs = query("SELECT * FROM api_keys WHERE user_id = $1 AND revoked_at IS NULL").bind(user);
    Page::of(db, theirs, NEWEST, after, limit, |key: &Key| key.id).await
}

/// Ends a key for good. [`StoreError::NotFound`] if it is not this user's or ended already.
pub async fn revoke(db: &Db, user: UserId, key: KeyId, now: Timestamp) -> Result<(), StoreError> {
    query("UPDATE api_keys SET revoked_at = $3 WHERE id = $1 AND user_id = $2 AND revoked_at IS NULL")
        .bind(key)
        .bind(user)
        .bind(column::millis(now))
        .execute_found(db.writer())
        .await
}

/// Revokes the keys of this name that have ended by themselves, so that lists do not fill with them.
pub(crate) async fn retire(db: &Db, user: UserId, name: &str, now: Timestamp) -> Result<(), StoreError> {
    query(
        "UPDATE api_keys SET revoked_at = $3 WHERE user_id = $1 AND name = $2 AND revoked_at IS NULL AND expires_at <= $3",
    )
    .bind(user)
    .bind(name)
    .bind(column::millis(now))
    .execute(db.writer())
    .await?;
    Ok(())
}

/// The role of a key's owner, unless the key is revoked or expired or its owner shut out.
pub(crate) async fn standing(db: &Db, user: UserId, key: KeyId, now: Timestamp) -> Result<Option<Role>, StoreError> {
    let found: Option<String> = query(
        "SELECT users.role FROM api_keys JOIN users ON users.id = api_keys.user_id WHERE api_keys.id = $1 AND user_id = $2 \
         AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $3) AND users.active",
    )
    .bind(key)
    .bind(user)
    .bind(column::millis(now))
    .fetch_optional(db.reader())
    .await?;
    Ok(found.map(|role| column::parse("role", &role)).transpose()?)
}

/// The key with this hash and its owner's role, unless revoked or expired or its owner shut out. Who asks is not known yet: this is the query
/// that finds it out.
pub(crate) async fn find(db: &Db, hash: &[u8], now: Timestamp) -> Result<Option<(Key, Role)>, StoreError> {
    let found: Option<Found> = query(
        "SELECT api_keys.*, users.role FROM api_keys JOIN users ON users.id = api_keys.user_id \
         WHERE hash = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $2) AND users.active",
    )
    .bind(hash)
    .bind(column::millis(now))
    .fetch_optional(db.reader())
    .await?;
    Ok(found.map(|Found(key, role)| (key, role)))
}

/// A key and its owner's role.
struct Found(Key, Role);

impl Record for Found {
    fn read(row: &Row) -> Result<Self, sqlx::Error> {
        Ok(Self(Key::read(row)?, column::parsed(row, "role")?))
    }
}

/// Notes that a key was used.
pub(crate) async fn touch(db: &Db, key: KeyId, now: Timestamp) -> Result<(), StoreError> {
    query("UPDATE api_keys SET last_used_at = $2 WHERE id = $1")
        .bind(key)
        .bind(column::millis(now))
        .execute(db.writer())
        .await?;
    Ok(())
}

impl Record for Key {
    fn read(row: &Row) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: column::parsed(row, "id")?,
            user: column::parsed(row, "user_id")?,
            name: row.get("name")?,
            hint: row.get("hint")?,
            scopes: row.get("scopes")?,
            created_at: column::required(row, "created_at")?,
            expires_at: column::optional(row, "expires_at")?,
            last_used_at: column::optional(row, "last_used_at")?,
        })
    }
}
