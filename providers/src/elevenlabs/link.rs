//! An account, its connections, and its failures.

use std::{borrow::Cow, sync::Arc};

use reqwest::{Url, header::HeaderMap};

use super::{
    Config,
    wire::fault::{self, Fault},
};
use crate::{
    ErrorKind, ProviderError,
    net::{
        refusal::{said, unkeyed},
        ws::{self, Receiver, Sender},
    },
};

/// An account, and the name under which its failures are told.
#[derive(Clone, Debug)]
pub(super) struct Account {
    pub(super) name: Cow<'static, str>,
    pub(super) config: Arc<Config>,
}

impl Account {
    /// The WebSocket address of a function.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Rejected`] when the configured base URL makes none.
    pub(super) fn address(&self, path: &str) -> Result<Url, ProviderError> {
        ws::endpoint(&self.config.base_url, path)
            .map_err(|why| self.error(ErrorKind::Rejected, &format!("base_url {why}")))
    }

    /// Opens a connection with the account's key.
    ///
    /// # Errors
    ///
    /// As [`ws::connect`]; the vendor's own word for what is wrong goes before the status.
    pub(super) async fn open(&self, url: &Url) -> Result<(Sender, Receiver), ProviderError> {
        let mut headers = HeaderMap::new();
        if let Some(key) = &self.config.key {
            headers.insert("xi-api-key", ws::secret_header(&self.name, "", key)?);
        }
        let mut kind = None;
        let explain = |_: &HeaderMap, body: &[u8]| {
            kind = fault::word(body);
            unkeyed(&said(body), self.config.key.as_ref())
        };
        let opened = ws::connect(&self.name, url, headers, explain).await;
        opened.map_err(|error| ProviderError { kind: kind.unwrap_or(error.kind), ..error })
    }

    /// A failure, without the key should the vendor quote it.
    pub(super) fn error(&self, kind: ErrorKind, detail: &str) -> ProviderError {
        ProviderError::new(self.name.clone(), kind, unkeyed(detail, self.config.key.as_ref()))
    }

    /// A fault the vendor told, or made.
    pub(super) fn fault(&self, fault: &Fault) -> ProviderError {
        self.error(fault.kind, &fault.detail)
    }
}
