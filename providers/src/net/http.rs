//! HTTP clients, and what their failures mean.
//!
//! Connections are kept for the next request: a turn pays for no handshake. Over HTTP/2 pings keep them, and tell when they
//! are lost before somebody waits on one.
//!
//! Two clients serve all providers, each built once, when first needed, off the runtime's threads: loading the
//! machine's certificates takes tens of milliseconds. Servers on loopback are reached past any proxy. Redirects are not
//! followed: they could carry a key elsewhere.

use std::{error::Error, net::IpAddr, time::Duration};

use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::{Client, StatusCode, Url, header::HeaderMap, redirect::Policy};
use tokio::sync::OnceCell;

use crate::{ErrorKind, ProviderError};

/// The client for this address.
///
/// # Errors
///
/// [`ErrorKind::Unavailable`] when TLS cannot be set up on this machine.
pub(crate) async fn client(provider: &str, url: &Url) -> Result<&'static Client, ProviderError> {
    static DIRECT: OnceCell<Client> = OnceCell::const_new();
    static PROXIED: OnceCell<Client> = OnceCell::const_new();
    let direct = is_loopback(url);
    let cell = if direct { &DIRECT } else { &PROXIED };
    cell.get_or_try_init(|| async move {
        let built = tokio::task::spawn_blocking(move || build(direct)).await;
        let failed = |why: String| ProviderError::new(provider.to_owned(), ErrorKind::Unavailable, why);
        built
            .map_err(|_| failed("building the HTTP client was cut off".to_owned()))?
            .map_err(|error| failed(chain(&error)))
    })
    .await
}

fn build(direct: bool) -> Result<Client, reqwest::Error> {
    let builder = Client::builder()
        .user_agent(concat!("voice-relay/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT)
        .tcp_nodelay(true)
        .pool_idle_timeout(IDLE)
        .http2_keep_alive_interval(PING)
        .http2_keep_alive_timeout(CONNECT)
        .http2_keep_alive_while_idle(true)
        .redirect(Policy::none());
    if direct { builder.no_proxy().build() } else { builder.build() }
}

/// Whether the address is this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    url.host_str().is_some_and(|host| {
        let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback())
    })
}

/// What a failed exchange means. The address stays out of the detail: it may hold a key.
pub(crate) fn failure(provider: &str, error: reqwest::Error) -> ProviderError {
    let error = error.without_url();
    let kind = if error.is_timeout() {
        ErrorKind::Timeout
    } else if error.is_builder() {
        ErrorKind::Rejected
    } else {
        ErrorKind::Unavailable
    };
    ProviderError::new(provider.to_owned(), kind, chain(&error))
}

/// What a status other than success means.
pub(crate) fn kind_of(status: StatusCode) -> ErrorKind {
    match status.as_u16() {
        401 | 403 => ErrorKind::Unauthorized,
        408 | 504 => ErrorKind::Timeout,
        402 | 429 => ErrorKind::RateLimited,
        425 | 500..=599 => ErrorKind::Unavailable,
        _ => ErrorKind::Rejected,
    }
}

/// How long the server asks to be left alone: `retry-after-ms`, or `retry-after` in seconds or as a date, judged by the
/// server's own clock. At most an hour.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let spoken = |seconds: f64| Duration::try_from_secs_f64(seconds.min(LONGEST_WAIT.as_secs_f64())).ok();
    let millis = text("retry-after-ms").and_then(|value| value.parse::<f64>().ok()).map(|millis| millis / 1_000.0);
    let seconds = millis.or_else(|| text("retry-after")?.parse().ok()).and_then(spoken);
    let until = || {
        let parse = |name: &str| DateTimeParser::new().parse_timestamp(text(name)?).ok();
        Duration::try_from(parse("retry-after")?.duration_since(parse("date")?)).ok()
    };
    seconds.or_else(until).map(|span| span.min(LONGEST_WAIT))
}

/// The address of a server's function under its base URL.
///
/// # Errors
///
/// What is allowed instead.
pub(crate) fn endpoint(base: &str, path: &str) -> Result<Url, String> {
    const ALLOWED: &str = "must be an http:// or https:// URL such as http://127.0.0.1:11434/v1";
    let mut url: Url = base.trim().parse().map_err(|_| ALLOWED.to_owned())?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(ALLOWED.to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
        return Err("must be free of user names, queries and fragments".to_owned());
    }
    url.set_path(&format!("{}/{path}", url.path().trim_end_matches('/')));
    Ok(url)
}

/// An error with all its causes, on one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// Longer than any healthy handshake, short enough to go elsewhere while somebody waits.
pub(super) const CONNECT: Duration = Duration::from_secs(5);
/// How long a connection is kept for the next turn. Servers may hang up sooner, which is noticed.
const IDLE: Duration = Duration::from_secs(300);
/// Sooner than load balancers give up who says nothing: 60 s at some.
const PING: Duration = Duration::from_secs(20);
const LONGEST_WAIT: Duration = Duration::from_secs(3_600);

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn retry_hints_are_read_in_all_their_forms() {
        let date = ("date", "Sun, 22 Nov 2026 15:05:00 GMT");
        for (pairs, expected) in [
            (&[("retry-after", "7")][..], Some(7_000)),
            (&[("retry-after", "0.5")], Some(500)),
            (&[("retry-after-ms", "250"), ("retry-after", "7")], Some(250)),
            (&[date, ("retry-after", "Sun, 22 Nov 2026 15:05:30 GMT")], Some(30_000)),
            (&[date, ("retry-after", "Sun, 22 Nov 2026 15:04:00 GMT")], None),
            (&[("retry-after", "99999999999999999999")], Some(3_600_000)),
            (&[("retry-after", "-1")], None),
            (&[("retry-after", "soon")], None),
            (&[], None),
        ] {
            assert_eq!(retry_after(&headers(pairs)), expected.map(Duration::from_millis), "{pairs:?}");
        }
    }

    #[test]
    fn loopback_is_recognised() {
        for (url, expected) in [
            ("http://localhost:1/v1", true),
            ("http://127.0.0.1", true),
            ("http://[::1]:8080", true),
            ("https://example.com", false),
            ("http://10.0.0.1", false),
        ] {
            assert_eq!(is_loopback(&url.parse().unwrap()), expected, "{url}");
        }
    }

    #[test]
    fn paths_join_with_one_slash() {
        for base in ["http://h/v1", "http://h/v1/", " http://h/v1// "] {
            assert_eq!(endpoint(base, "models").unwrap().as_str(), "http://h/v1/models");
        }
        for base in ["", "h", "ftp://h/v1", "http://", "http://user:pass@h/v1", "http://h/v1?x=1"] {
            assert!(endpoint(base, "models").is_err(), "{base}");
        }
    }
}
