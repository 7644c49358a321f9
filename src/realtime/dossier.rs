//! What models are told beside a conversation: looked up for each reply, so that a change holds from the next one on. That is
//! done while the person pauses, before it is known whether they have finished: nobody waits for the database then.
//!
//! Knows no database: see [`Dossiers`]. One that is away, or slow, costs a reply a moment and no more: what was last known
//! is told.

use std::{
    error::Error,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
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
use crate::clock::Clock;

/// How long a reply waits for it: many times what a query takes, and hardly heard.
const PATIENCE: Duration = Duration::from_millis(250);

/// How long what was looked up ahead is what there is now: a pause, and what speech-to-text takes after it.
const CURRENT: Duration = Duration::from_secs(2);

/// What there is for a conversation.
#[derive(Clone, PartialEq, Debug)]
pub struct Found {
    /// What is told beside it; `None`: nothing.
    pub aside: Option<Aside>,
    /// Whether there are documents to search.
    pub documents: bool,
}

/// Knows what models are told beside conversations.
pub trait Dossiers: Send + Sync {
    /// What there is now for a conversation of this principal.
    ///
    /// # Errors
    /// It cannot be read for now. The error holds nothing of what it is about.
    fn find(&self, principal: &str, conversation: Uuid) -> BoxFuture<'_, Result<Found, Box<dyn Error + Send + Sync>>>;

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
    last: Arc<Mutex<Option<Found>>>,
    early: Arc<Mutex<Option<Early>>>,
    ahead: Arc<Mutex<Option<Search>>>,
}

/// What a look at the dossier comes to; `None`: it cannot be read.
type Look = Shared<BoxFuture<'static, Option<Found>>>;

/// A look that was begun before a reply was wanted.
struct Early {
    at: Instant,
    look: Look,
    _task: AbortOnDropHandle<()>,
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
    clock: Clock,
}

impl Source {
    fn look(&self) -> Look {
        let Self { dossiers, principal, conversation, .. } = self.clone();
        let looking = async move {
            let found = dossiers.find(&principal, conversation).await;
            found
                .inspect_err(|error| {
                    let error = &**error as &dyn Error;
                    tracing::warn!(error, "a dossier cannot be read; what was last known is told");
                })
                .ok()
        };
        looking.boxed().shared()
    }
}

impl Dossier {
    /// What is told in this session. Without `dossiers` nothing is.
    pub(crate) fn of(dossiers: Option<Arc<dyn Dossiers>>, live: &Live, clock: Clock) -> Self {
        let conversation = live.conversation.unwrap_or(live.id);
        let principal = Arc::clone(&live.principal);
        let source = dossiers.map(|dossiers| Source { dossiers, principal, conversation, clock });
        Self { source, ..Self::default() }
    }

    /// What was last known.
    pub(crate) fn last(&self) -> Option<Aside> {
        lock(&self.last).as_ref()?.aside.clone()
    }

    /// Begins to look up what there is now: a reply may be wanted in a moment.
    pub(crate) fn expect(&self) {
        let Some(source) = &self.source else { return };
        let look = source.look();
        let task = AbortOnDropHandle::new(tokio::spawn(look.clone().map(drop)));
        *lock(&self.early) = Some(Early { at: source.clock.now(), look, _task: task });
    }

    /// Begins as [`Self::expect`], unless what was begun is still what there is now.
    pub(crate) fn expect_still(&self) {
        if self.source.as_ref().is_some_and(|source| self.current(source).is_none()) {
            self.expect();
        }
    }

    /// What there is now; where that cannot be found out in time, what was last known; `None` where nothing was.
    pub(crate) async fn fresh(&self) -> Option<Found> {
        let source = self.source.as_ref()?;
        let begun = self.current(source);
        let look = begun.unwrap_or_else(|| source.look());
        match timeout(PATIENCE, look).await {
            Ok(Some(found)) => *lock(&self.last) = Some(found),
            Ok(None) => {}
            Err(_) => tracing::warn!("a dossier is not read in time; what was last known is told"),
        }
        // The next reply is not told what this one was.
        *lock(&self.early) = None;
        lock(&self.last).clone()
    }

    /// What was looked up ahead, if that is still what there is now.
    fn current(&self, source: &Source) -> Option<Look> {
        let now = source.clock.now();
        let early = lock(&self.early);
        early.as_ref().filter(|early| now.saturating_duration_since(early.at) < CURRENT).map(|early| early.look.clone())
    }

    /// Begins to search documents for words that may not be all that is said. Whatever was searched for before is not any more.
    pub(crate) fn prepare(&self, words: &str) {
        let Some(source) = &self.source else { return };
        let found = self.current(source).and_then(|look| look.peek().cloned().flatten());
        if found.is_none_or(|found| found.documents) {
            _ = self.searched(words);
        }
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
        let mut ahead = lock(&self.ahead);
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
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
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

    fn found(text: Option<&str>) -> Found {
        Found { aside: text.and_then(|text| Aside::new(text, "")), documents: text != Some("no documents") }
    }

    fn dossier(script: &Arc<Script>) -> Dossier {
        let pass = Admission::new(1, 1).admit("ann", "ws", SystemTime::UNIX_EPOCH).unwrap();
        Dossier::of(Some(Arc::clone(script) as _), pass.live(), Clock::system())
    }

    struct Script(Mutex<Vec<Next>>, Mutex<Vec<String>>);

    impl Dossiers for Script {
        fn find(&self, principal: &str, _: Uuid) -> BoxFuture<'_, Result<Found, Box<dyn Error + Send + Sync>>> {
            assert_eq!(principal, "ann");
            let next = self.0.lock().unwrap().remove(0);
            Box::pin(async move {
                match next {
                    Next::Found(text) => Ok(found(text)),
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
        let dossier = dossier(&Arc::new(Script(Mutex::new(script), Mutex::default())));
        assert_eq!(dossier.fresh().await, None);
        for expected in [Some("old"), Some("old"), Some("old"), Some("new"), None, None] {
            assert_eq!(dossier.fresh().await, Some(found(expected)));
            assert_eq!(dossier.last(), found(expected).aside);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_looked_up_in_a_pause_is_told_once_and_while_it_is_new() {
        let script = ["cut short", "a", "b", "stale", "c", "d"].map(|text| Next::Found(Some(text)));
        let dossier = dossier(&Arc::new(Script(Mutex::new(script.into()), Mutex::default())));
        for (resumes, wait, expected) in [(true, 500, "a"), (false, 0, "b")] {
            if resumes {
                dossier.expect();
                tokio::time::sleep(Duration::from_millis(10)).await;
                dossier.expect();
            }
            tokio::time::sleep(Duration::from_millis(wait)).await;
            dossier.expect_still();
            assert_eq!(dossier.fresh().await, Some(found(Some(expected))));
        }
        dossier.expect();
        tokio::time::sleep(CURRENT).await;
        assert_eq!(dossier.fresh().await, Some(found(Some("c"))), "what is old is looked up anew");
        assert_eq!(dossier.fresh().await, Some(found(Some("d"))));
    }

    #[tokio::test(start_paused = true)]
    async fn where_there_are_no_documents_none_are_searched_ahead() {
        let script = Arc::new(Script(Mutex::new(vec![Next::Found(Some("no documents"))]), Mutex::default()));
        let dossier = dossier(&script);
        dossier.expect();
        tokio::time::sleep(Duration::from_millis(10)).await;
        dossier.prepare("how much");
        tokio::time::sleep(Duration::from_millis(10)).await;
        assert!(script.1.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn without_a_source_nothing_is_told() {
        assert_eq!(Dossier::default().fresh().await, None);
        Dossier::default().prepare("words");
        assert_eq!(Dossier::default().passages("words").await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn documents_are_searched_once_for_the_same_words_and_waited_for_no_longer_than_a_moment() {
        let script = Arc::new(Script(Mutex::default(), Mutex::default()));
        let dossier = dossier(&script);
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
