//! A connection to Deepgram, and its complaints as errors.

use std::sync::Arc;

use reqwest::header::{self, HeaderMap};

use super::{Config, wire::Trouble};
use crate::{
    ErrorKind, ProviderError,
    net::{
        refusal::{plain, said, unkeyed},
        warm::{Link, Next, Spares},
        ws::{self, Receiver, Sender},
    },
};

/// Opens a connection to a function: `v1/listen`.
pub(super) async fn open(
    name: &str,
    config: &Config,
    function: &str,
    query: &[(&'static str, String)],
) -> Result<(Sender, Receiver), ProviderError> {
    let rejected = |why| ProviderError::new(name.to_owned(), ErrorKind::Rejected, format!("base_url {why}"));
    let mut url = ws::endpoint(&config.base_url, function).map_err(rejected)?;
    url.query_pairs_mut().extend_pairs(query);
    let mut headers = HeaderMap::new();
    if let Some(key) = &config.key {
        headers.insert(header::AUTHORIZATION, ws::secret_header(name, "Token ", key)?);
    }
    ws::connect(name, &url, headers, |headers, body| {
        // A refused handshake has its reason in a header, where its body may be cut.
        let reason = headers.get("dg-error").and_then(|reason| reason.to_str().ok());
        unkeyed(&reason.map_or_else(|| said(body), plain), config.key.as_ref())
    })
    .await
}

/// A connection for a turn, perhaps one that was waiting for it.
pub(super) async fn next(
    spares: &Arc<Spares>,
    name: &str,
    config: &Arc<Config>,
    function: &'static str,
    query: &[(&'static str, String)],
) -> Result<(Link, Next), ProviderError> {
    let asked = Arc::new((name.to_owned(), config.clone(), query.to_vec()));
    let opening = move || {
        let asked = asked.clone();
        async move { open(&asked.0, &asked.1, function, &asked.2).await }
    };
    spares.link(format!("{function} {query:?}"), opening).await
}

/// A complaint of this provider.
pub(super) fn error(name: &str, config: &Config, trouble: &Trouble) -> ProviderError {
    ProviderError::new(name.to_owned(), trouble.kind, unkeyed(&trouble.detail, config.key.as_ref()))
}
