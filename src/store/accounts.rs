//! People's accounts: an e-mail that no other has, whatever its case, and the hash of a password.

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use super::{
    Db, LoginId, StoreError, UserId, column,
    sql::{Record, Row, query},
    users::{Role, User},
};

/// What a new account is made of.
#[derive(Clone, Copy, Debug)]
pub struct NewAccount<'a> {
    /// What its owner logs in by.
    pub email: &'a str,
    /// What its owner is called.
    pub full_name: &'a str,
    /// Argon2id of the password, as a PHC string.
    pub password: &'a SecretString,
    /// What it may do.
    pub role: Role,
}

/// A user and the hash of its password.
#[derive(Debug)]
pub struct Account {
    /// The user.
    pub user: User,
    /// The hash, as a PHC string.
    pub password: SecretString,
}

/// What of an account its owner changes; `None` leaves it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Change<'a> {
    /// What its owner logs in by.
    pub email: Option<&'a str>,
    /// What its owner is called.
    pub full_name: Option<&'a str>,
}

/// What came of making or changing an account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Written {
    /// It is as it was to be.
    Kept(Box<User>),
    /// Another account has this e-mail.
    Taken,
}

/// The form by which e-mails are compared: without case.
pub fn email_key(email: &str) -> String {
    email.to_lowercase()
}

/// Makes an account.
pub async fn create(db: &Db, new: NewAccount<'_>, now: Timestamp) -> Result<Written, StoreError> {
    let made = query(
        "INSERT INTO users (id, role, email, email_key, full_name, password, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (email_key) DO NOTHING RETURNING *",
    )
    .bind(UserId::new(now))
    .bind(new.role.as_str())
    .bind(new.email)
    .bind(email_key(new.email))
    .bind(new.full_name)
    .bind(new.password.expose_secret())
    .bind(column::millis(now))
    .fetch_optional(db.writer())
    .await?;
    Ok(made.map_or(Written::Taken, |user| Written::Kept(Box::new(user))))
}

/// The account with this e-mail. Who asks is not known yet: this is the query that finds it out.
pub async fn by_email(db: &Db, email: &str) -> Result<Option<Account>, StoreError> {
    query("SELECT * FROM users WHERE email_key = $1 AND password IS NOT NULL")
        .bind(email_key(email))
        .fetch_optional(db.reader())
        .await
}

/// This user's account; [`StoreError::NotFound`] if it has no password.
pub async fn get(db: &Db, user: UserId) -> Result<Account, StoreError> {
    query("SELECT * FROM users WHERE id = $1 AND password IS NOT NULL").bind(user).fetch_found(db.reader()).await
}

/// Changes what its owner says about themselves.
pub async fn change(db: &Db, user: UserId, change: Change<'_>) -> Result<Written, StoreError> {
    let changed = query(
        "UPDATE users SET email = COALESCE($2, email), email_key = COALESCE($3, email_key), \
         full_name = COALESCE($4, full_name) WHERE id = $1 RETURNING *",
    )
    .bind(user)
    .bind(change.email)
    .bind(change.email.map(email_key))
    .bind(change.full_name)
    .fetch_found(db.writer())
    .await;
    match changed {
        Ok(user) => Ok(Written::Kept(Box::new(user))),
        // The one constraint these columns have is that of the e-mail.
        Err(StoreError::Database(sqlx::Error::Database(error))) if error.is_unique_violation() => Ok(Written::Taken),
        Err(error) => Err(error),
    }
}

/// Puts `new` in place of `old`, the hash that was just verified, and ends every login but `keep`.
/// [`StoreError::NotFound`] if the password is another by now.
pub async fn set_password(
    db: &Db,
    user: UserId,
    old: &SecretString,
    new: &SecretString,
    keep: Option<LoginId>,
) -> Result<(), StoreError> {
    let mut tx = db.write().await?;
    query("UPDATE users SET password = $3 WHERE id = $1 AND password = $2")
        .bind(user)
        .bind(old.expose_secret())
        .bind(new.expose_secret())
        .execute_found(&mut tx)
        .await?;
    query("DELETE FROM logins WHERE user_id = $1 AND ($2 IS NULL OR id <> $2)")
        .bind(user)
        .bind(keep)
        .execute(&mut tx)
        .await?;
    tx.commit().await
}

impl Record for Account {
    fn read(row: &Row) -> Result<Self, sqlx::Error> {
        Ok(Self { user: User::read(row)?, password: row.get::<String>("password")?.into() })
    }
}
