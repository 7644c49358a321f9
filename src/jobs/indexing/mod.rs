//! Documents are made findable: read, cut into passages, which are found by their words at once, and by their meaning as soon
//! as all have vectors.
//!
//! Whatever ends a worker, another begins the step anew: what is written of a document is written as a whole and replaces what
//! was there.

mod passages;
mod text;

use std::{error::Error, sync::Arc, time::Duration};

use super::{Crew, reading::pause, shift};
use crate::{
    metrics,
    store::{
        StoreError,
        documents::State,
        indexing::{self, Job},
    },
};

/// Attends to what there is, what waits longest first.
pub(super) async fn work(crew: &Crew) {
    if let Err(error) = take_up(crew).await {
        tracing::error!(error = &error as &dyn Error, "documents that were being indexed are indexed again later");
    }
    shift::work(crew, &crew.bell.0.indexing, WORKERS, take, attend).await;
}

/// Takes up what a process that died had left, and what another model was at.
async fn take_up(crew: &Crew) -> Result<(), StoreError> {
    indexing::take_back(&crew.db, crew.now()).await?;
    if let Some(model) = crew.library.model() {
        let documents = indexing::renew(&crew.db, model, crew.now()).await?;
        if documents > 0 {
            tracing::info!(documents, model, "documents are indexed anew, for another model");
        }
    }
    Ok(())
}

async fn take(crew: Arc<Crew>) -> Option<Job> {
    match indexing::take(&crew.db, crew.now(), LEASE).await {
        Ok(job) => job,
        Err(error) => {
            tracing::warn!(error = &error as &dyn Error, "no document can be taken to be indexed for now");
            None
        }
    }
}

/// How far a worker came with a document.
#[derive(Debug)]
enum End {
    /// All is done that can be. Its vectors are of this model; `warnings` is a JSON array of sentences.
    Ready { model: Option<String>, warnings: String },
    /// Nothing of it will be found, for this reason.
    Failed(String),
    /// It is found by its words, and waits for this.
    Waits(&'static str),
    /// Its file may be read another time.
    Again,
    /// It was deleted.
    Gone,
}

/// Attends to one document, or gives it back when the drain begins.
async fn attend(crew: Arc<Crew>, job: Job) {
    let began = crew.clock.now();
    let ended = tokio::select! {
        biased;
        () = crew.drain.begun() => None,
        ended = attempt(&crew, &job) => Some(ended),
    };
    // A document that is deleted in the middle is not there to be worked on.
    let ended = ended.map(|ended| match ended {
        Err(StoreError::NotFound) => Ok(End::Gone),
        ended => ended,
    });
    let noted = match ended {
        None => indexing::give_back(&crew.db, job.id, crew.now()).await.map(|_| ()),
        Some(Err(error)) => Err(error),
        Some(Ok(end)) => {
            let (span, outcome) = (crew.clock.now().saturating_duration_since(began), end.outcome());
            metrics::document_attended(outcome, span);
            tracing::debug!(document.id = %job.id, outcome, elapsed_ms = span.as_millis() as u64, "a document was attended to");
            settle(&crew, &job, end).await
        }
    };
    if let Err(error) = noted {
        // The lease runs out, and it is attended to again.
        let error = &error as &dyn Error;
        tracing::warn!(error, document.id = %job.id, "a document could not be attended to; it is tried again");
    }
}

async fn attempt(crew: &Crew, job: &Job) -> Result<End, StoreError> {
    // Whoever began it so often did not come back to tell: it may be the document that ended them.
    if job.tries > MOST_TRIES {
        return Ok(if job.passages > 0 { passages::unembedded(job) } else { End::Failed(GIVEN_UP.to_owned()) });
    }
    if job.state == State::Pending
        && let Some(end) = text::read(crew, job).await?
    {
        return Ok(end);
    }
    passages::index(crew, job).await
}

/// Notes how it ended.
async fn settle(crew: &Crew, job: &Job, end: End) -> Result<(), StoreError> {
    let (db, id, now) = (&crew.db, job.id, crew.now());
    match end {
        End::Ready { model, warnings } => indexing::ready(db, id, model.as_deref(), &warnings, now).await?,
        End::Failed(why) => indexing::failed(db, id, &why, now).await?,
        End::Waits(why) => indexing::wait(db, id, why, now, WAIT).await?,
        End::Again => indexing::again(db, id, now, pause(job.tries)).await?,
        End::Gone => false,
    };
    Ok(())
}

impl End {
    /// As it is counted.
    const fn outcome(&self) -> &'static str {
        match self {
            Self::Ready { .. } => "ready",
            Self::Failed(_) => "failed",
            Self::Waits(_) | Self::Again => "waits",
            Self::Gone => "gone",
        }
    }
}

/// At once: a long document does not hold up the others, and live voice needs the cores.
const WORKERS: usize = 2;
/// How often a document is begun, without a word of how it ended, before it is given up.
const MOST_TRIES: i64 = 3;
/// What its owner is told then.
const GIVEN_UP: &str = "the document could not be read, though it was tried several times";
/// How long a worker has a document for itself without a sign of life: time to fetch it and to read it, with room to spare.
const LEASE: Duration = Duration::from_secs(300);
/// How long a document waits for what is not there.
const WAIT: Duration = Duration::from_secs(60);
