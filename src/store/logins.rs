//! Logins: a person's sessions with us, each a family of refresh tokens of which one is good at a time.

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use super::{
    Db, LoginId, SigningKeyId, StoreError, UserId, column,
    sql::{Tx, query},
    users::{Role, User},
};

/// A refresh token to be kept.
#[derive(Clone, Copy, Debug)]
pub struct NewToken<'a> {
    /// SHA-256 of it.
    pub hash: &'a [u8],
    /// When it ends by itself.
    pub expires_at: Timestamp,
}

/// What came of showing a refresh token.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Rotated {
    /// It was good, once; the new one is in its place.
    Renewed(LoginId, Box<User>),
    /// It had been used before: somebody has a copy, and the login is over.
    Reused(UserId),
    /// It is unknown or expired, or its owner is shut out.
    Unknown,
}

/// Begins a login of a user whose password has just been verified as `password`. [`StoreError::NotFound`] if that is another
/// by now, or the user is shut out.
pub async fn begin(
    db: &Db,
    user: UserId,
    password: &SecretString,
    token: NewToken<'_>,
    now: Timestamp,
) -> Result<LoginId, StoreError> {
    let mut tx = db.write().await?;
    // Writing the row holds it against a change of password in another transaction.
    query("UPDATE users SET last_login_at = $3 WHERE id = $1 AND password = $2 AND active")
        .bind(user)
        .bind(password.expose_secret())
        .bind(column::millis(now))
        .execute_found(&mut tx)
        .await?;
    sweep(&mut tx, user, now).await?;
    let login = LoginId::new(now);
    query("INSERT INTO logins (id, user_id, created_at) VALUES ($1, $2, $3)")
        .bind(login)
        .bind(user)
        .bind(column::millis(now))
        .execute(&mut tx)
        .await?;
    keep(&mut tx, login, token).await?;
    tx.commit().await?;
    Ok(login)
}

/// Takes a refresh token back for a new one. Of two that show the same token at once one gets it; the other counts as a thief.
pub async fn rotate(db: &Db, hash: &[u8], new: NewToken<'_>, now: Timestamp) -> Result<Rotated, StoreError> {
    let mut tx = db.write().await?;
    let taken: Option<String> = query(
        "UPDATE refresh_tokens SET used_at = $2 WHERE hash = $1 AND used_at IS NULL AND expires_at > $2 RETURNING login_id",
    )
    .bind(hash)
    .bind(column::millis(now))
    .fetch_optional(&mut tx)
    .await?;
    let Some(login) = taken else {
        let thief: Option<String> = query(
            "DELETE FROM logins WHERE id = (SELECT login_id FROM refresh_tokens WHERE hash = $1 AND used_at IS NOT NULL) \
             RETURNING user_id",
        )
        .bind(hash)
        .fetch_optional(&mut tx)
        .await?;
        tx.commit().await?;
        let user = thief.map(|user| column::parse("user_id", &user)).transpose()?;
        return Ok(user.map_or(Rotated::Unknown, Rotated::Reused));
    };
    let login: LoginId = column::parse("login_id", &login)?;
    let owner: Option<User> = query(
        "SELECT users.* FROM logins JOIN users ON users.id = logins.user_id WHERE logins.id = $1 AND users.active",
    )
    .bind(login)
    .fetch_optional(&mut tx)
    .await?;
    let Some(owner) = owner else { return Ok(Rotated::Unknown) };
    keep(&mut tx, login, new).await?;
    tx.commit().await?;
    Ok(Rotated::Renewed(login, Box::new(owner)))
}

/// Ends a login; ended already, it stays so.
pub async fn end(db: &Db, user: UserId, login: LoginId) -> Result<(), StoreError> {
    query("DELETE FROM logins WHERE id = $1 AND user_id = $2").bind(login).bind(user).execute(db.writer()).await?;
    Ok(())
}

/// Ends the login that this refresh token belongs to, used or not.
pub async fn end_by_token(db: &Db, hash: &[u8]) -> Result<(), StoreError> {
    query("DELETE FROM logins WHERE id = (SELECT login_id FROM refresh_tokens WHERE hash = $1)")
        .bind(hash)
        .execute(db.writer())
        .await?;
    Ok(())
}

/// What a person may do now by an access token: nothing once its login is over, its owner shut out or its key retired.
pub(crate) async fn standing(
    db: &Db,
    user: UserId,
    login: LoginId,
    key: SigningKeyId,
) -> Result<Option<Role>, StoreError> {
    let found: Option<String> = query(
        "SELECT users.role FROM logins JOIN users ON users.id = logins.user_id \
         WHERE logins.id = $1 AND users.id = $2 AND users.active AND EXISTS (SELECT 1 FROM signing_keys WHERE id = $3)",
    )
    .bind(login)
    .bind(user)
    .bind(key)
    .fetch_optional(db.reader())
    .await?;
    Ok(found.map(|role| column::parse("role", &role)).transpose()?)
}

async fn keep(tx: &mut Tx, login: LoginId, token: NewToken<'_>) -> Result<(), StoreError> {
    query("INSERT INTO refresh_tokens (hash, login_id, expires_at) VALUES ($1, $2, $3)")
        .bind(token.hash)
        .bind(login)
        .bind(column::millis(token.expires_at))
        .execute(tx)
        .await?;
    Ok(())
}

/// Forgets what of this user's has expired, and the oldest logins where there are more than [`MOST`] beside the next.
async fn sweep(tx: &mut Tx, user: UserId, now: Timestamp) -> Result<(), StoreError> {
    let theirs = "DELETE FROM refresh_tokens WHERE expires_at <= $2 \
                  AND login_id IN (SELECT id FROM logins WHERE user_id = $1)";
    query(theirs).bind(user).bind(column::millis(now)).execute(&mut *tx).await?;
    query(
        "DELETE FROM logins WHERE user_id = $1 AND (\
         NOT EXISTS (SELECT 1 FROM refresh_tokens WHERE login_id = logins.id) \
         OR id NOT IN (SELECT id FROM logins WHERE user_id = $1 ORDER BY id DESC LIMIT $2))",
    )
    .bind(user)
    .bind(MOST - 1)
    .execute(tx)
    .await?;
    Ok(())
}

/// Logins of one user at once: more devices than anybody has.
const MOST: i64 = 100;
