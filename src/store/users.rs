//! Users: whom keys and sessions belong to.

use std::str::FromStr;

use super::{
    Db, StoreError, UserId, column,
    sql::{Record, Row, Tx, query},
};
use jiff::Timestamp;

/// A user.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// What it may do.
    pub role: Role,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What a user may do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// Everything.
    Admin,
    /// Everything with what is theirs.
    User,
    /// Read what is theirs.
    Viewer,
}

/// Text that is no role.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("no role is called {0:?}")]
pub struct UnknownRole(String);

impl Role {
    /// As stored and on the wire.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::User => "user",
            Self::Viewer => "viewer",
        }
    }
}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        [Self::Admin, Self::User, Self::Viewer]
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| UnknownRole(text.to_owned()))
    }
}

/// The admin who was there first: the owner of the installation. Made when there is none.
pub async fn owner(db: &Db, now: Timestamp) -> Result<User, StoreError> {
    let mut tx = db.write_alone().await?;
    let found = query("SELECT * FROM users WHERE role = 'admin' ORDER BY created_at, id LIMIT 1")
        .fetch_optional(&mut tx)
        .await?;
    if let Some(user) = found {
        return Ok(user);
    }
    let user = insert(&mut tx, Role::Admin, now).await?;
    tx.commit().await?;
    Ok(user)
}

/// Makes a user.
pub async fn create(db: &Db, role: Role, now: Timestamp) -> Result<User, StoreError> {
    let mut tx = db.write().await?;
    let user = insert(&mut tx, role, now).await?;
    tx.commit().await?;
    Ok(user)
}

/// The hash of this user's stored admin key.
pub async fn admin_key(db: &Db, user: UserId) -> Result<Option<Vec<u8>>, StoreError> {
    query("SELECT hash FROM admin_keys WHERE user_id = $1").bind(user.text()).fetch_optional(db.reader()).await
}

/// Keeps the hash of this user's admin key in place of any earlier one.
pub async fn set_admin_key(db: &Db, user: UserId, hash: &[u8], now: Timestamp) -> Result<(), StoreError> {
    query(
        "INSERT INTO admin_keys (user_id, hash, created_at) VALUES ($1, $2, $3) \
         ON CONFLICT (user_id) DO UPDATE SET hash = excluded.hash, created_at = excluded.created_at",
    )
    .bind(user.text())
    .bind(hash)
    .bind(column::millis(now))
    .execute(db.writer())
    .await?;
    Ok(())
}

async fn insert(tx: &mut Tx, role: Role, now: Timestamp) -> Result<User, StoreError> {
    query("INSERT INTO users (id, role, created_at) VALUES ($1, $2, $3) RETURNING *")
        .bind(UserId::new(now).text())
        .bind(role.as_str())
        .bind(column::millis(now))
        .fetch_one(tx)
        .await
}

impl Record for User {
    fn read(row: &Row) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: column::parsed(row, "id")?,
            role: column::parsed(row, "role")?,
            created_at: column::required(row, "created_at")?,
        })
    }
}
