//! A provider's answers, waited for no longer than a person would.

use std::{fmt::Display, future::Future, time::Duration};

use futures_util::{StreamExt, stream::BoxStream};
use providers::{ErrorKind, ProviderError};
use tokio::time::timeout;

use crate::metrics::{self, Role};

/// A provider's stream that cannot end without saying so: its end and its silence are errors.
pub(super) struct Patient<T> {
    answers: BoxStream<'static, Result<T, ProviderError>>,
    role: Role,
    patience: Duration,
}

impl<T> Patient<T> {
    /// Asks a provider. Takes a failure to open as the first and last answer.
    pub(super) async fn open(
        role: Role,
        patience: Duration,
        open: impl Future<Output = Result<BoxStream<'static, Result<T, ProviderError>>, ProviderError>>,
    ) -> Result<Self, ProviderError> {
        match timeout(patience, open).await {
            Ok(Ok(answers)) => Ok(Self { answers, role, patience }),
            Ok(Err(error)) => Err(told(role, error)),
            Err(_) => Err(silent(role, patience)),
        }
    }

    /// The next answer; a provider that is silent for too long has failed.
    pub(super) async fn next(&mut self) -> Result<T, ProviderError> {
        self.next_once_due(|| true).await
    }

    /// The next answer, with patience only while one is `due`: before, silence is no fault.
    pub(super) async fn next_once_due(&mut self, mut due: impl FnMut() -> bool) -> Result<T, ProviderError> {
        loop {
            let overdue = due();
            match timeout(self.patience, self.answers.next()).await {
                Ok(answer) => return self.judge(answer),
                Err(_) if overdue => return Err(silent(self.role, self.patience)),
                // It may have fallen due in the meantime: it gets its time from here on.
                Err(_) => {}
            }
        }
    }

    fn judge(&self, answer: Option<Result<T, ProviderError>>) -> Result<T, ProviderError> {
        match answer {
            Some(answer) => answer.map_err(|error| told(self.role, error)),
            None => Err(fault(self.role, ErrorKind::Protocol, "the provider's answer broke off")),
        }
    }
}

/// A fault that the provider did not tell of itself, so nobody else has counted it.
pub(super) fn fault(role: Role, kind: ErrorKind, detail: impl Display) -> ProviderError {
    let error = ProviderError::new("relay", kind, detail);
    metrics::provider_failed(role, &error.provider, kind);
    told(role, error)
}

fn silent(role: Role, patience: Duration) -> ProviderError {
    fault(role, ErrorKind::Timeout, format_args!("no answer within {patience:?}"))
}

fn told(role: Role, error: ProviderError) -> ProviderError {
    tracing::warn!(?role, %error, "a provider failed");
    error
}
