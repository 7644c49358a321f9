//! Whom to ask, and how requests are signed.

use std::{borrow::Cow, sync::Arc};

use reqwest::{
    Url,
    header::{self, HeaderMap, HeaderName, HeaderValue},
};

use super::Config;
use crate::{
    ErrorKind, ProviderError,
    net::{
        events::{Broken, Peer},
        refusal::{said, unkeyed},
        ws::{self, Receiver, Sender},
    },
};

/// An account, and the name under which its failures are told.
#[derive(Clone, Debug)]
pub(super) struct Account {
    pub(super) peer: Peer,
    pub(super) config: Arc<Config>,
}

impl Account {
    pub(super) fn new(name: impl Into<Cow<'static, str>>, config: Arc<Config>) -> Self {
        Self { peer: Peer { provider: name.into(), key: config.key.clone() }, config }
    }

    /// The address of a function.
    pub(super) fn address(&self, function: &str) -> Result<Url, ProviderError> {
        self.peer.address(&self.config.base_url, function)
    }

    /// The key, and whom to charge.
    pub(super) fn headers(&self) -> Result<HeaderMap, ProviderError> {
        let mut headers = self.peer.signed(header::AUTHORIZATION, "Bearer ")?;
        for (name, id) in [(ORGANIZATION, &self.config.organization), (PROJECT, &self.config.project)] {
            if let Some(id) = id {
                let unfit =
                    |_| self.peer.error(ErrorKind::Rejected, &format!("{name} has characters no header can carry"));
                headers.insert(name.clone(), HeaderValue::from_str(id).map_err(unfit)?);
            }
        }
        Ok(headers)
    }

    /// Opens a WebSocket to a function.
    pub(super) async fn open(
        &self,
        function: &str,
        query: &[(&str, &str)],
    ) -> Result<(Sender, Receiver), ProviderError> {
        let rejected = |why: String| self.peer.error(ErrorKind::Rejected, &format!("base_url {why}"));
        let mut url = ws::endpoint(&self.config.base_url, function).map_err(rejected)?;
        url.query_pairs_mut().extend_pairs(query);
        let explain = |_: &HeaderMap, body: &[u8]| unkeyed(&said(body), self.config.key.as_ref());
        ws::connect(&self.peer.provider, &url, self.headers()?, explain).await
    }

    /// What the server told, in this account's name.
    pub(super) fn broken(&self, broken: &Broken) -> ProviderError {
        self.peer.error(broken.kind, &broken.detail)
    }
}

const ORGANIZATION: HeaderName = HeaderName::from_static("openai-organization");
const PROJECT: HeaderName = HeaderName::from_static("openai-project");
