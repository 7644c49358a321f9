//! People: they register, log in by e-mail and password, stay logged in by refresh tokens, and log out.

use std::{net::IpAddr, time::Duration};

use jiff::Timestamp;
use providers::Secret;
use uuid::Uuid;

use super::{
    Auth, Config, Principal, Via,
    fingerprint::{self, Fingerprint},
    password::{Busy, Weak},
    token::{self, Claims},
};
use crate::store::{
    LoginId, SigningKeyId, StoreError, UserId,
    accounts::{self, NewAccount, Written},
    logins::{self, NewToken, Rotated},
    signing,
    users::{Role, User},
};

/// Somebody who registers.
#[derive(Clone, Copy, Debug)]
pub struct Newcomer<'a> {
    /// What they will log in by.
    pub email: &'a str,
    /// What they are called.
    pub full_name: &'a str,
    /// What they chose.
    pub password: &'a Secret,
}

/// What a person gets for logging in.
#[derive(Debug)]
pub struct Tokens {
    /// Good for `expires_in`.
    pub access: Secret,
    /// Good for one exchange.
    pub refresh: Secret,
    /// How long the access token is good for.
    pub expires_in: Duration,
}

/// Why an account could not be made, or not be entered.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// E-mail, password or refresh token are not good; which, and why, is not told.
    #[error("the e-mail or password is wrong")]
    Wrong,
    /// The password is easy to guess, or too short or long. The text is for whoever chose it.
    #[error("{0}")]
    Weak(String),
    /// Another account has this e-mail.
    #[error("another account has this e-mail")]
    Taken,
    /// There were too many attempts, from this address or at this account.
    #[error("too many attempts")]
    TooMany {
        /// When to try again.
        retry_after: Duration,
    },
    /// As many passwords are being checked as may be.
    #[error("too many passwords are being checked")]
    Busy,
    /// It cannot be known now.
    #[error("accounts cannot be reached")]
    Unavailable(#[from] StoreError),
}

impl From<Busy> for AccountError {
    fn from(_: Busy) -> Self {
        Self::Busy
    }
}

impl Auth {
    /// Makes an account with the role `user`. Attempts are limited per address where one is given.
    pub async fn register(&self, new: Newcomer<'_>, from: Option<IpAddr>) -> Result<User, AccountError> {
        let inner = &*self.0;
        if let Some(from) = from {
            let taken = inner.registrations.take(from.into(), inner.clock.now());
            taken.map_err(|retry_after| AccountError::TooMany { retry_after })?;
        }
        let password = self.hashed(new.password, new.email, new.full_name).await?;
        let account = NewAccount { email: new.email, full_name: new.full_name, password: &password, role: Role::User };
        match accounts::create(&inner.db, account, self.now()).await? {
            Written::Kept(user) => {
                tracing::info!(user.id = %user.id, "an account was made");
                Ok(*user)
            }
            Written::Taken => Err(AccountError::Taken),
        }
    }

    /// Begins a login. Whatever is wrong, the answer is the same and takes as long: a hash is checked in any case.
    pub async fn log_in(
        &self,
        config: &Config,
        email: &str,
        password: &Secret,
        from: Option<IpAddr>,
    ) -> Result<Tokens, AccountError> {
        let inner = &*self.0;
        self.attempt(email, from)?;
        let found = accounts::by_email(&inner.db, email).await?;
        let hashed = found.as_ref().map(|account| &account.password);
        let right = match inner.passwords.verify(password, hashed).await {
            Ok(right) => right,
            Err(busy) => {
                self.unattempt(email, from);
                return Err(busy.into());
            }
        };
        let account = found.filter(|account| right && account.user.active).ok_or(AccountError::Wrong)?;
        let refresh = fingerprint::mint(fingerprint::REFRESH);
        let now = self.now();
        let print = Fingerprint::of(&refresh);
        let begun = logins::begin(&inner.db, account.user.id, &account.password, kept(&print, config, now), now).await;
        let login = begun.map_err(wrong_if_gone)?;
        self.forgive(email, from);
        let access = self.sign(config, &account.user, login, now).await?;
        Ok(Tokens { access, refresh, expires_in: config.access_life() })
    }

    /// Takes a refresh token for new tokens. One that was used before ends its login: somebody has a copy.
    pub async fn refresh(&self, config: &Config, token: &Secret) -> Result<Tokens, AccountError> {
        let (db, now) = (&self.0.db, self.now());
        let refresh = fingerprint::mint(fingerprint::REFRESH);
        let print = Fingerprint::of(&refresh);
        let shown = Fingerprint::of(token);
        match logins::rotate(db, shown.as_bytes(), kept(&print, config, now), now).await? {
            Rotated::Renewed(login, user) => {
                let access = self.sign(config, &user, login, now).await?;
                Ok(Tokens { access, refresh, expires_in: config.access_life() })
            }
            Rotated::Reused(user) => {
                tracing::warn!(user.id = %user, "a refresh token came a second time: its login was ended");
                Err(AccountError::Wrong)
            }
            Rotated::Unknown => Err(AccountError::Wrong),
        }
    }

    /// Ends the login that a caller is here by, with its access token and all it was renewed by.
    pub async fn log_out(&self, user: UserId, login: LoginId) -> Result<(), StoreError> {
        logins::end(&self.0.db, user, login).await
    }

    /// Ends the login that this refresh token belongs to. What is unknown is not told, and needs no end.
    pub async fn log_out_by_token(&self, token: &Secret) -> Result<(), StoreError> {
        logins::end_by_token(&self.0.db, Fingerprint::of(token).as_bytes()).await
    }

    /// Changes the password of whoever shows the current one, and ends all their logins but the one they are here by.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] if they have no password.
    pub async fn change_password(
        &self,
        principal: &Principal,
        current: &Secret,
        new: &Secret,
        from: Option<IpAddr>,
    ) -> Result<(), AccountError> {
        let inner = &*self.0;
        let account = accounts::get(&inner.db, principal.user).await?;
        let email = account.user.email.as_deref().unwrap_or_default();
        self.attempt(email, from)?;
        let right = match inner.passwords.verify(current, Some(&account.password)).await {
            Ok(right) => right,
            Err(busy) => {
                self.unattempt(email, from);
                return Err(busy.into());
            }
        };
        if !right {
            return Err(AccountError::Wrong);
        }
        self.forgive(email, from);
        let hashed = self.hashed(new, email, account.user.full_name.as_deref().unwrap_or_default()).await?;
        let keep = match principal.via {
            Via::AccessToken(login) => Some(login),
            Via::AdminKey | Via::ApiKey(_) | Via::ClientSecret(_) => None,
        };
        let changed = accounts::set_password(&inner.db, principal.user, &account.password, &hashed, keep).await;
        changed.map_err(wrong_if_gone)
    }

    /// Gives an account a password that is made up, in place of one that was forgotten, and ends every login of its owner.
    pub async fn reset_password(&self, email: &str) -> Result<Secret, AccountError> {
        let inner = &*self.0;
        let account = accounts::by_email(&inner.db, email.trim()).await?.ok_or(AccountError::Wrong)?;
        let made = fingerprint::mint("");
        let hashed = self.hashed(&made, email, "").await?;
        let set = accounts::set_password(&inner.db, account.user.id, &account.password, &hashed, None).await;
        set.map_err(wrong_if_gone)?;
        tracing::info!(user.id = %account.user.id, "a password was reset");
        Ok(made)
    }

    /// Makes a key that signs access tokens from here on. Those signed by the one before stay good until the next rotation.
    pub async fn rotate_signing_key(&self) -> Result<SigningKeyId, StoreError> {
        let pair = token::Pair::make();
        signing::rotate(&self.0.db, pair.as_new(), self.now()).await
    }

    /// The hash of a password that was just chosen, if it is good enough.
    async fn hashed(&self, password: &Secret, email: &str, full_name: &str) -> Result<Secret, AccountError> {
        let words = email.split(['@', '.', '+', '-', '_']).chain(full_name.split_whitespace());
        let about = [email, full_name, "voice-relay"].into_iter().chain(words.filter(|word| !word.is_empty()));
        let admitted = self.0.passwords.admit(password, about.map(str::to_owned).collect()).await?;
        admitted.map_err(|Weak(reason)| AccountError::Weak(reason))
    }

    async fn sign(&self, config: &Config, user: &User, login: LoginId, now: Timestamp) -> Result<Secret, AccountError> {
        let key = signing::newest(&self.0.db).await?;
        let life = i64::try_from(config.access_life().as_secs()).unwrap_or(i64::MAX);
        let claims = Claims {
            iss: token::ISSUER.to_owned(),
            sub: user.id,
            email: user.email.clone().unwrap_or_default(),
            role: user.role.as_str().to_owned(),
            iat: now.as_second(),
            exp: now.as_second().saturating_add(life),
            jti: Uuid::now_v7(),
            kind: token::KIND.to_owned(),
            sid: login,
        };
        Ok(token::sign(&claims, &key))
    }

    /// Counts an attempt at an account's password, before it is known how it ends.
    fn attempt(&self, email: &str, from: Option<IpAddr>) -> Result<(), AccountError> {
        let (inner, now) = (&*self.0, self.0.clock.now());
        let too_many = |retry_after| AccountError::TooMany { retry_after };
        if let Some(from) = from {
            inner.logins.take(from.into(), now).map_err(too_many)?;
        }
        inner.passwords_of.take(account(email), now).map_err(too_many)?;
        Ok(())
    }

    /// It ended without an answer.
    fn unattempt(&self, email: &str, from: Option<IpAddr>) {
        self.0.passwords_of.give_back(account(email));
        if let Some(from) = from {
            self.0.logins.give_back(from.into());
        }
    }

    /// It ended well. The address keeps its other failures, or whoever has one account could guess at all others.
    fn forgive(&self, email: &str, from: Option<IpAddr>) {
        self.0.passwords_of.forgive(account(email));
        if let Some(from) = from {
            self.0.logins.give_back(from.into());
        }
    }
}

/// What attempts at an account are counted under, whether or not there is one.
fn account(email: &str) -> Fingerprint {
    Fingerprint::of(&accounts::email_key(email).into())
}

fn kept<'a>(print: &'a Fingerprint, config: &Config, now: Timestamp) -> NewToken<'a> {
    let expires_at = now.saturating_add(config.refresh_life()).unwrap_or(Timestamp::MAX);
    NewToken { hash: print.as_bytes(), expires_at }
}

/// The account changed between two looks at it: the password that was shown is not the password.
fn wrong_if_gone(error: StoreError) -> AccountError {
    match error {
        StoreError::NotFound => AccountError::Wrong,
        StoreError::Open { .. } | StoreError::Migrate(_) | StoreError::Database(_) => error.into(),
    }
}
