//! Whether Google Cloud takes the credentials, whichever they are: the voices are listed, which costs nothing.

use std::{sync::Arc, time::Duration};

use super::{Config, access::Access, wire::synthesize};
use crate::probe::{Ailment, Probe};

/// Asks, and waits no longer than `patience`.
///
/// # Errors
///
/// What ails it.
pub async fn checkup(config: &Arc<Config>, patience: Duration) -> Result<(), Ailment> {
    let access = Access::new("google".into(), Arc::clone(config), synthesize::AUDIENCE);
    let pass = access.pass().await.map_err(|error| {
        tracing::debug!(%error, "a probe failed");
        Ailment::from(error.kind)
    })?;
    let by_key = pass.headers.contains_key("x-goog-api-key");
    let probe = if by_key { Probe::google } else { Probe::google_by_token };
    probe(&config.tts_url, pass.secret.as_ref()).ask(patience).await
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::{super::account::tests::key_file, *};

    const PATIENCE: Duration = Duration::from_secs(5);

    /// What is asked of a service that takes anything.
    async fn asked(config: Config) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let tts_url = format!("http://{}", listener.local_addr().unwrap());
        let config = Arc::new(Config { tts_url, ..config });
        let served = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 8_192];
            let read = stream.read(&mut request).await.unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}").await.unwrap();
            String::from_utf8_lossy(&request[..read]).into_owned()
        };
        let (found, request) = tokio::join!(checkup(&config, PATIENCE), served);
        assert_eq!(found, Ok(()));
        request
    }

    #[tokio::test]
    async fn whatever_credentials_there_are_is_shown() {
        let signed = asked(Config { credentials: Some(key_file().0.into()), ..Config::default() }).await;
        assert!(signed.starts_with("GET /v1/voices?languageCode=en-US "), "{signed}");
        assert!(signed.contains("authorization: Bearer ey"), "{signed}");
        let given = asked(Config { access_token: Some("token-1".into()), ..Config::default() }).await;
        assert!(given.contains("authorization: Bearer token-1\r\n"), "{given}");
        let key = asked(Config { key: Some("key-1".into()), ..Config::default() }).await;
        assert!(key.contains("x-goog-api-key: key-1\r\n"), "{key}");
    }

    #[tokio::test]
    async fn credentials_that_are_none_are_told_without_asking() {
        let nobody = |config: Config| Arc::new(Config { tts_url: "http://127.0.0.1:1".into(), ..config });
        let none = nobody(Config::default());
        assert_eq!(checkup(&none, PATIENCE).await, Err(Ailment::KeyMissing));
        let wrong = nobody(Config { credentials: Some("/no/such/file".into()), ..Config::default() });
        assert_eq!(checkup(&wrong, PATIENCE).await, Err(Ailment::KeyRefused));
    }
}
