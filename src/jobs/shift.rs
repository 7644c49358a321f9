//! How jobs that stand in the database are attended to: a few at a time, until the drain begins.

use std::{sync::Arc, time::Duration};

use tokio::{sync::Notify, task::JoinSet};

use super::Crew;

/// Takes jobs, `most` of them at once, and attends to each in a task of its own. Looks for more when one ends, when the bell
/// rings, and now and then.
pub(super) async fn work<J, T, A>(
    crew: &Crew,
    bell: &Notify,
    most: usize,
    take: impl Fn(Arc<Crew>) -> T,
    attend: impl Fn(Arc<Crew>, J) -> A,
) where
    T: Future<Output = Option<J>>,
    A: Future<Output = ()> + Send + 'static,
{
    let shared = Arc::new(crew.clone());
    let mut workers = JoinSet::new();
    while !crew.drain.has_begun() {
        let free = workers.len() < most;
        if free && let Some(job) = take(Arc::clone(&shared)).await {
            workers.spawn(attend(Arc::clone(&shared), job));
            continue;
        }
        tokio::select! {
            biased;
            () = crew.drain.begun() => {}
            Some(ended) = workers.join_next() => {
                if let Err(error) = ended {
                    tracing::error!(%error, "a job broke off; it is tried again");
                }
            }
            () = bell.notified(), if free => {}
            () = crew.rest(LOOK), if free => {}
        }
    }
    while workers.join_next().await.is_some() {}
}

/// How often is looked for jobs nobody rang for: given back, put off, or another server's.
const LOOK: Duration = Duration::from_secs(5);
