//! Who one is to Google: a token that is given, one that a service account signs, or an API key.
//!
//! Signed tokens are kept until shortly before they expire, and no longer than they are accepted. The key file is read
//! each time, so a key that was exchanged is used from then on.

use std::{borrow::Cow, pin::Pin, sync::Arc, time::Duration};

use futures_util::FutureExt;
use jiff::Timestamp;
use reqwest::header::{self, HeaderMap, HeaderName};
use secrecy::ExposeSecret;
use tokio::{
    sync::Mutex,
    time::{Sleep, sleep},
};

use super::{Config, account::Account};
use crate::{ErrorKind, ProviderError, Secret, net::ws::secret_header};

/// Shows a service who asks.
pub(super) struct Access {
    name: Cow<'static, str>,
    config: Arc<Config>,
    audience: &'static str,
    token: Mutex<Option<Token>>,
}

/// What goes with one call.
#[derive(Default)]
pub(super) struct Pass {
    pub(super) headers: HeaderMap,
    /// Never repeated, should the service quote it.
    pub(super) secret: Option<Secret>,
    /// The service account's.
    pub(super) project: Option<String>,
}

struct Token {
    value: Secret,
    project: Option<String>,
    /// Ends when it is time for another.
    fresh: Pin<Box<Sleep>>,
}

impl Access {
    /// For the service of this audience: `https://speech.googleapis.com/`, in whatever region it is asked.
    pub(super) fn new(name: Cow<'static, str>, config: Arc<Config>, audience: &'static str) -> Self {
        Self { name, config, audience, token: Mutex::default() }
    }

    /// What to show. Nothing where nothing is configured: a proxy may know.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unauthorized`] when the credentials are none.
    pub(super) async fn pass(&self) -> Result<Pass, ProviderError> {
        let Config { access_token, credentials, key, .. } = &*self.config;
        if let Some(token) = access_token {
            return self.show(header::AUTHORIZATION, "Bearer ", token, None);
        }
        if let Some(credentials) = credentials {
            let (token, project) = self.token(credentials).await?;
            return self.show(header::AUTHORIZATION, "Bearer ", &token, project);
        }
        match key {
            Some(key) => self.show(HeaderName::from_static("x-goog-api-key"), "", key, None),
            None => Ok(Pass::default()),
        }
    }

    /// Looks at how a call ended: a token that was refused is not shown again, should a clock have stood still.
    pub(super) async fn note(&self, error: &ProviderError) {
        if error.kind == ErrorKind::Unauthorized {
            *self.token.lock().await = None;
        }
    }

    fn show(
        &self,
        name: HeaderName,
        before: &str,
        secret: &Secret,
        project: Option<String>,
    ) -> Result<Pass, ProviderError> {
        let value = secret_header(&self.name, before, secret)?;
        Ok(Pass { headers: HeaderMap::from_iter([(name, value)]), secret: Some(secret.clone()), project })
    }

    async fn token(&self, credentials: &Secret) -> Result<(Secret, Option<String>), ProviderError> {
        // Held while signing: whoever else asks gets the same token.
        let mut kept = self.token.lock().await;
        if let Some(token) = &mut *kept
            && token.fresh.as_mut().now_or_never().is_none()
        {
            return Ok((token.value.clone(), token.project.clone()));
        }
        let error = |why: &str| {
            ProviderError::new(self.name.clone(), ErrorKind::Unauthorized, format!("the credentials {why}"))
        };
        let (credentials, audience) = (credentials.clone(), self.audience);
        // Reading and signing take a millisecond or two.
        let signing = tokio::task::spawn_blocking(move || {
            let account = load(credentials.expose_secret())?;
            let value = account.sign(audience, Timestamp::now().as_second())?;
            Ok((value, account.project))
        });
        let signed = signing.await.map_err(|_| error("were not signed with"))?;
        let (value, project) = signed.map_err(error)?;
        let fresh = Box::pin(sleep(FRESH));
        *kept = Some(Token { value: value.clone(), project: project.clone(), fresh });
        Ok((value, project))
    }
}

/// The account of credentials, which are a key file's text or its path.
///
/// # Errors
///
/// What is allowed instead.
pub(super) fn load(credentials: &str) -> Result<Account, &'static str> {
    let credentials = credentials.trim();
    if credentials.starts_with('{') {
        return Account::read(credentials);
    }
    let file = std::fs::read_to_string(credentials).map(Secret::from);
    Account::read(
        file.map_err(|_| "must be a service account's key, or a file that can be read and holds it")?.expose_secret(),
    )
}

/// Five minutes before a token expires.
const FRESH: Duration = Duration::from_secs(super::account::LIFETIME as u64 - 300);

#[cfg(test)]
mod tests {
    use super::{super::account::tests::key_file, *};

    fn access(config: Config) -> Access {
        Access::new("google/test".into(), Arc::new(config), "https://speech.googleapis.com/")
    }

    fn shown(pass: &Pass, name: &str) -> String {
        let value = &pass.headers[name];
        assert!(value.is_sensitive());
        value.to_str().unwrap().to_owned()
    }

    #[tokio::test(start_paused = true)]
    async fn a_signed_token_is_kept_until_shortly_before_it_expires() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key.json");
        std::fs::write(&path, key_file().0).unwrap();
        let credentials = path.to_str().unwrap().to_owned().into();
        let access = access(Config { credentials: Some(credentials), ..Config::default() });
        let first = access.pass().await.unwrap();
        assert_eq!(first.project.as_deref(), Some("relay-1"));
        // Another key signs another token.
        std::fs::write(&path, key_file().0).unwrap();
        tokio::time::advance(FRESH - Duration::from_secs(1)).await;
        assert_eq!(access.pass().await.unwrap().headers, first.headers);
        tokio::time::advance(Duration::from_secs(2)).await;
        let second = access.pass().await.unwrap();
        assert_ne!(second.headers, first.headers);

        std::fs::write(&path, key_file().0).unwrap();
        access.note(&ProviderError::new("google/test", ErrorKind::Unavailable, "")).await;
        assert_eq!(access.pass().await.unwrap().headers, second.headers);
        access.note(&ProviderError::new("google/test", ErrorKind::Unauthorized, "")).await;
        assert_ne!(access.pass().await.unwrap().headers, second.headers, "what was refused is not shown again");
    }

    #[tokio::test]
    async fn what_is_more_certain_is_shown_first() {
        let whole = Config {
            access_token: Some("token".into()),
            credentials: Some(key_file().0.into()),
            key: Some("key".into()),
            ..Config::default()
        };
        let pass = access(whole.clone()).pass().await.unwrap();
        assert_eq!(shown(&pass, "authorization"), "Bearer token");
        let whole = Config { access_token: None, ..whole };
        let pass = access(whole.clone()).pass().await.unwrap();
        assert!(shown(&pass, "authorization").starts_with("Bearer ey"));
        let pass = access(Config { credentials: None, ..whole }).pass().await.unwrap();
        assert_eq!(shown(&pass, "x-goog-api-key"), "key");
        assert!(access(Config::default()).pass().await.unwrap().headers.is_empty());
    }

    #[tokio::test]
    async fn credentials_that_are_none_are_unauthorized() {
        for credentials in ["/nowhere/key.json", "{\"type\":\"authorized_user\"}"] {
            let access = access(Config { credentials: Some(credentials.into()), ..Config::default() });
            let error = access.pass().await.err().unwrap();
            assert_eq!(error.kind, ErrorKind::Unauthorized, "{error}");
        }
    }
}
