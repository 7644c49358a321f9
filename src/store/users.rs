//! Users: whom keys and sessions belong to.

use std::str::FromStr;

use super::{
    Cursor, Db, KeyId, LoginId, Page, StoreError, UserId, column,
    page::NEWEST,
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
    /// What a person logs in by; machines and the owner of the installation have none.
    pub email: Option<String>,
    /// What a person is called.
    pub full_name: Option<String>,
    /// Whether its credentials work.
    pub active: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When a person last logged in.
    pub last_login_at: Option<Timestamp>,
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

/// One user.
pub async fn get(db: &Db, user: UserId) -> Result<User, StoreError> {
    query("SELECT * FROM users WHERE id = $1").bind(user).fetch_found(db.reader()).await
}

/// All users, newest first. For admins: who asks is not part of the query.
pub async fn list(db: &Db, after: Option<&Cursor>, limit: u32) -> Result<Page<User>, StoreError> {
    Page::of(db, query("SELECT * FROM users WHERE TRUE"), NEWEST, after, limit, |user: &User| user.id).await
}

/// Says what a user may do, and whether its credentials work; `None` leaves it. Who is shut out has no logins left that would
/// come back to life.
pub async fn administer(db: &Db, user: UserId, role: Option<Role>, active: Option<bool>) -> Result<User, StoreError> {
    let mut tx = db.write().await?;
    let changed: User =
        query("UPDATE users SET role = COALESCE($2, role), active = COALESCE($3, active) WHERE id = $1 RETURNING *")
            .bind(user)
            .bind(role.map(Role::as_str))
            .bind(active)
            .fetch_found(&mut tx)
            .await?;
    if !changed.active {
        query("DELETE FROM logins WHERE user_id = $1").bind(user).execute(&mut tx).await?;
    }
    tx.commit().await?;
    Ok(changed)
}

/// Erases a user and all that is theirs.
pub async fn delete(db: &Db, user: UserId) -> Result<(), StoreError> {
    query("DELETE FROM users WHERE id = $1").bind(user).execute_found(db.writer()).await
}

/// What a user may do now, if its credentials work and what it was let in by still holds: the key, or the login.
pub(crate) async fn standing(
    db: &Db,
    user: UserId,
    key: Option<KeyId>,
    login: Option<LoginId>,
) -> Result<Option<Role>, StoreError> {
    let found: Option<String> = query(
        "SELECT role FROM users WHERE id = $1 AND active \
         AND ($2 IS NULL OR EXISTS (SELECT 1 FROM api_keys WHERE id = $2 AND revoked_at IS NULL)) \
         AND ($3 IS NULL OR EXISTS (SELECT 1 FROM logins WHERE id = $3))",
    )
    .bind(user)
    .bind(key)
    .bind(login)
    .fetch_optional(db.reader())
    .await?;
    Ok(found.map(|role| column::parse("role", &role)).transpose()?)
}

/// The hash of this user's stored admin key.
pub async fn admin_key(db: &Db, user: UserId) -> Result<Option<Vec<u8>>, StoreError> {
    query("SELECT hash FROM admin_keys WHERE user_id = $1").bind(user).fetch_optional(db.reader()).await
}

/// Keeps the hash of this user's admin key in place of any earlier one.
pub async fn set_admin_key(db: &Db, user: UserId, hash: &[u8], now: Timestamp) -> Result<(), StoreError> {
    query(
        "INSERT INTO admin_keys (user_id, hash, created_at) VALUES ($1, $2, $3) \
         ON CONFLICT (user_id) DO UPDATE SET hash = excluded.hash, created_at = excluded.created_at",
    )
    .bind(user)
    .bind(hash)
    .bind(column::millis(now))
    .execute(db.writer())
    .await?;
    Ok(())
}

async fn insert(tx: &mut Tx, role: Role, now: Timestamp) -> Result<User, StoreError> {
    query("INSERT INTO users (id, role, created_at) VALUES ($1, $2, $3) RETURNING *")
        .bind(UserId::new(now))
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
            email: row.get("email")?,
            full_name: row.get("full_name")?,
            active: row.get("active")?,
            created_at: column::required(row, "created_at")?,
            last_login_at: column::optional(row, "last_login_at")?,
        })
    }
}
