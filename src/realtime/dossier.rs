//! What models are told beside a conversation: looked up for each reply, so that a change holds from the next one on.
//!
//! Knows no database: see [`Dossiers`]. One that is away, or slow, costs a reply a moment and no more: what was last known
//! is told.

use std::{
    error::Error,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use providers::{Aside, passage::Passages};
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;
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

    /// What this principal's documents say about a question, the best first; nothing, where none of them says anything; `None`
    /// where there are no documents.
    ///
    /// # Errors
    /// They cannot be searched for now.
    fn search(
        &self,
        principal: &str,
        question: &str,
    ) -> BoxFuture<'_, Result<Option<Passages>, Box<dyn Error + Send + Sync>>>;
}

/// A session's end of it. Clones share what is known.
#[derive(Clone, Default)]
pub(crate) struct Dossier {
    source: Option<Source>,
    last: Arc<Mutex<Option<Aside>>>,
    ahead: Arc<Mutex<Option<Search>>>,
}

/// A search in documents that was begun for these words.
struct Search {
    words: String,
    found: Shared<BoxFuture<'static, Option<Passages>>>,
    _task: AbortOnDropHandle<()>,
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
        Self { source, last: Arc::default(), ahead: Arc::default() }
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

    /// Begins to search documents for words that may not be all that is said. Whatever was searched for before is not any more.
    pub(crate) fn prepare(&self, words: &str) {
        _ = self.searched(words);
    }

    /// What documents say about a question; `None` also where that cannot be found out in time.
    pub(crate) async fn passages(&self, question: &str) -> Option<Passages> {
        let found = self.searched(question)?;
        timeout(PATIENCE, found).await.unwrap_or_else(|_| {
            tracing::warn!("documents are not searched in time; the reply is made without them");
            None
        })
    }

    /// The search for these words, under way or done; `None` where there is nothing to search or to search for.
    fn searched(&self, words: &str) -> Option<Shared<BoxFuture<'static, Option<Passages>>>> {
        let Source { dossiers, principal, .. } = self.source.as_ref()?;
        let words = normal(words);
        if words.is_empty() {
            return None;
        }
        let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(search) = ahead.as_ref().filter(|search| search.words == words) {
            return Some(search.found.clone());
        }
        let (dossiers, principal, question) = (Arc::clone(dossiers), Arc::clone(principal), words.clone());
        let searching = async move {
            dossiers.search(&principal, &question).await.unwrap_or_else(|error| {
                tracing::warn!(
                    error = &*error as &dyn Error,
                    "documents cannot be searched; the reply is made without them"
                );
                None
            })
        };
        let found = searching.boxed().shared();
        let task = AbortOnDropHandle::new(tokio::spawn(found.clone().map(drop)));
        *ahead = Some(Search { words, found: found.clone(), _task: task });
        Some(found)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Aside>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Words as they are searched for: their spaces, their case, and how they end while they are still heard, make no other question.
fn normal(words: &str) -> String {
    let words: Vec<_> = words.split_whitespace().collect();
    words.join(" ").trim_end_matches(['.', ',', '…', '?', '!']).to_lowercase()
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

    struct Script(Mutex<Vec<Next>>, Mutex<Vec<String>>);

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

        fn search(
            &self,
            principal: &str,
            question: &str,
        ) -> BoxFuture<'_, Result<Option<Passages>, Box<dyn Error + Send + Sync>>> {
            assert_eq!(principal, "ann");
            self.1.lock().unwrap().push(question.to_owned());
            let question = question.to_owned();
            Box::pin(async move {
                match &*question {
                    "broken" => Err("the disk is full".into()),
                    "stuck" => std::future::pending().await,
                    _ => Ok(Some(Passages::from([]))),
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
        let dossier = Dossier::of(Some(Arc::new(Script(Mutex::new(script), Mutex::default()))), pass.live());
        assert_eq!(dossier.last(), None);
        for expected in [None, Some("old"), Some("old"), Some("old"), Some("new"), None, None] {
            assert_eq!(dossier.fresh().await, expected.and_then(|text| Aside::new(text, "")));
            assert_eq!(dossier.last(), expected.and_then(|text| Aside::new(text, "")));
        }
    }

    #[tokio::test]
    async fn without_a_source_nothing_is_told() {
        assert_eq!(Dossier::default().fresh().await, None);
        Dossier::default().prepare("words");
        assert_eq!(Dossier::default().passages("words").await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn documents_are_searched_once_for_the_same_words_and_waited_for_no_longer_than_a_moment() {
        let pass = Admission::new(1, 1).admit("ann", "ws", SystemTime::UNIX_EPOCH).unwrap();
        let script = Arc::new(Script(Mutex::default(), Mutex::default()));
        let dossier = Dossier::of(Some(Arc::clone(&script) as _), pass.live());
        dossier.prepare("how much");
        dossier.prepare("how  much of it");
        dossier.prepare(" ");
        assert_eq!(dossier.passages("How much of it?").await, Some(Passages::from([])));
        assert_eq!(dossier.passages("how much of it?").await, Some(Passages::from([])));
        assert_eq!(dossier.passages("broken").await, None);
        assert_eq!(dossier.passages("stuck").await, None);
        assert_eq!(dossier.passages("").await, None);
        let asked = script.1.lock().unwrap().clone();
        assert_eq!(asked, ["how much of it", "broken", "stuck"], "what was replaced was never begun");
    }
}
