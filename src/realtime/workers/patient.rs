//! A provider's answers, waited for no longer than a person would.

use std::{
    future::Future,
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream::BoxStream};
use providers::{ErrorKind, ProviderError};
use tokio::time::timeout;

use crate::{
    clock::Clock,
    metrics::{self, Role},
};

/// A provider's stream that cannot end without saying so: its end and its silence are errors.
pub(super) struct Patient<T> {
    answers: BoxStream<'static, Result<T, ProviderError>>,
    role: Role,
    patience: Duration,
    /// When it was asked, until its first answer.
    asked: Option<Instant>,
    clock: Clock,
}

impl<T> Patient<T> {
    /// Asks a provider. Takes a failure to open as the first and last answer.
    pub(super) async fn open(
        role: Role,
        patience: Duration,
        clock: &Clock,
        open: impl Future<Output = Result<BoxStream<'static, Result<T, ProviderError>>, ProviderError>>,
    ) -> Result<Self, ProviderError> {
        let asked = Some(clock.now());
        let opened = match timeout(patience, open).await {
            Ok(opened) => opened,
            Err(_) => Err(silent(patience)),
        };
        let answers = opened.inspect_err(|error| failed(role, error))?;
        Ok(Self { answers, role, patience, asked, clock: clock.clone() })
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
                Err(_) if overdue => return Err(silent(self.patience)).inspect_err(|error| failed(self.role, error)),
                // It may have fallen due in the meantime: it gets its time from here on.
                Err(_) => {}
            }
        }
    }

    fn judge(&mut self, answer: Option<Result<T, ProviderError>>) -> Result<T, ProviderError> {
        if let Some(asked) = self.asked.take() {
            metrics::provider_answered(self.role, self.clock.now() - asked);
        }
        let cut = || Err(ProviderError::new("relay", ErrorKind::Protocol, "the provider's answer broke off"));
        answer.unwrap_or_else(cut).inspect_err(|error| failed(self.role, error))
    }
}

fn silent(patience: Duration) -> ProviderError {
    ProviderError::new("relay", ErrorKind::Timeout, format_args!("no answer within {patience:?}"))
}

fn failed(role: Role, error: &ProviderError) {
    metrics::provider_failed(role, &error.provider, error.kind);
    tracing::warn!(?role, %error, "a provider failed");
}
