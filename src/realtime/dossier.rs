//! What models are told beside a conversation: looked up for each reply, so that a change holds from the next one on.
//!
//! Knows no database: see [`Dossiers`]. One that is away, or slow, costs a reply a moment and no more: what was last known
//! is told.

use std::{
    error::Error,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::future::BoxFuture;
use providers::Aside;
use tokio::time::timeout;
use uuid::Uuid;

use super::admission::Live;

/// How long a reply waits for it: many times what a query takes, and hardly heard.
const PATIENCE: Duration = Duration::from_millis(250);

/// Knows what models are told beside conversations.
pub trait Dossiers: Send + Sync {
    /// What there is now for a conversation of this principal; `None`: nothing.
    ///
    /// # Errors
    /// It cannot be read for now. The error holds nothing of what it is about.
    fn find(
        &self,
        principal: &str,
        conversation: Uuid,
    ) -> BoxFuture<'_, Result<Option<Aside>, Box<dyn Error + Send + Sync>>>;
}

/// A session's end of it. Clones share what is known.
#[derive(Clone, Default)]
pub(crate) struct Dossier {
    source: Option<Source>,
    last: Arc<Mutex<Option<Aside>>>,
}

#[derive(Clone)]
struct Source {
    dossiers: Arc<dyn Dossiers>,
    principal: Arc<str>,
    conversation: Uuid,
}

impl Dossier {
    /// What is told in this session. Without `dossiers` nothing is.
    pub(crate) fn of(dossiers: Option<Arc<dyn Dossiers>>, live: &Live) -> Self {
        let conversation = live.conversation.unwrap_or(live.id);
        let principal = Arc::clone(&live.principal);
        let source = dossiers.map(|dossiers| Source { dossiers, principal, conversation });
        Self { source, last: Arc::default() }
    }

    /// What was last known.
    pub(crate) fn last(&self) -> Option<Aside> {
        self.lock().clone()
    }

    /// What is known now; where that cannot be found out in time, what was last known.
    pub(crate) async fn fresh(&self) -> Option<Aside> {
        let Some(Source { dossiers, principal, conversation }) = &self.source else { return None };
        match timeout(PATIENCE, dossiers.find(principal, *conversation)).await {
            Ok(Ok(found)) => self.lock().clone_from(&found),
            Ok(Err(error)) => {
                tracing::warn!(error = &*error as &dyn Error, "a dossier cannot be read; what was last known is told");
            }
            Err(_) => tracing::warn!("a dossier is not read in time; what was last known is told"),
        }
        self.last()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Aside>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::realtime::admission::Admission;

    /// What is found next: something, an error, or nothing for ever.
    enum Next {
        Found(Option<&'static str>),
        Broken,
        Stuck,
    }

    struct Script(Mutex<Vec<Next>>);

    impl Dossiers for Script {
        fn find(&self, principal: &str, _: Uuid) -> BoxFuture<'_, Result<Option<Aside>, Box<dyn Error + Send + Sync>>> {
            assert_eq!(principal, "ann");
            let next = self.0.lock().unwrap().remove(0);
            Box::pin(async move {
                match next {
                    Next::Found(text) => Ok(text.and_then(|text| Aside::new(text, ""))),
                    Next::Broken => Err("the disk is full".into()),
                    Next::Stuck => std::future::pending().await,
                }
            })
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_last_known_is_told_while_it_cannot_be_read() {
        let script = vec![
            Next::Broken,
            Next::Found(Some("old")),
            Next::Stuck,
            Next::Broken,
            Next::Found(Some("new")),
            Next::Found(None),
            Next::Stuck,
        ];
        let pass = Admission::new(1, 1).admit("ann", "ws", SystemTime::UNIX_EPOCH).unwrap();
        let dossier = Dossier::of(Some(Arc::new(Script(Mutex::new(script)))), pass.live());
        assert_eq!(dossier.last(), None);
        for expected in [None, Some("old"), Some("old"), Some("old"), Some("new"), None, None] {
            assert_eq!(dossier.fresh().await, expected.and_then(|text| Aside::new(text, "")));
            assert_eq!(dossier.last(), expected.and_then(|text| Aside::new(text, "")));
        }
    }

    #[tokio::test]
    async fn without_a_source_nothing_is_told() {
        assert_eq!(Dossier::default().fresh().await, None);
    }
}
