//! Attachments are read: a few at a time, each in a process of its own, until it is known what is in them.

use std::{sync::Arc, time::Duration};

use tokio::time::timeout;
use uuid::Uuid;

use super::{Crew, shift};
use crate::{
    documents::{
        extract::{Extracted, Failed, sandbox::Sandbox},
        kind::Kind,
    },
    store::{
        StoreError,
        reading::{self, Findings, Job},
    },
};

/// Reads what there is to read, oldest first.
pub(super) async fn work(crew: &Crew) {
    if let Err(error) = reading::take_back(&crew.db, crew.now()).await {
        tracing::error!(error = &error as &dyn std::error::Error, "files that were being read are read again later");
    }
    shift::work(crew, &crew.bell.0.reading, READERS, take, read).await;
}

async fn take(crew: Arc<Crew>) -> Option<Job> {
    match reading::take(&crew.db, crew.now(), LEASE).await {
        Ok(job) => job,
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "no file can be taken to be read for now");
            None
        }
    }
}

/// Reads one file, or gives it back when the drain begins.
async fn read(crew: Arc<Crew>, job: Job) {
    let ended = tokio::select! {
        biased;
        () = crew.drain.begun() => None,
        ended = attempt(&crew, &job) => Some(ended),
    };
    let now = crew.now();
    let noted = match ended {
        None => reading::give_back(&crew.db, job.id, now).await,
        Some(Ok(extracted)) => match findings(extracted) {
            Ok(found) => reading::ready(&crew.db, job.id, &found, now).await,
            Err(error) => {
                tracing::error!(%error, attachment.id = %job.id, "what was read in a file cannot be written down");
                reading::failed(&crew.db, job.id, GIVEN_UP, now).await
            }
        },
        Some(Err(failed)) => settle(&crew, &job, &failed).await,
    };
    match noted {
        Ok(()) => tracing::debug!(attachment.id = %job.id, job.kind, job.tries, "a file was attended to"),
        // The lease runs out, and it is read again.
        Err(error) => tracing::warn!(
            error = &error as &dyn std::error::Error, attachment.id = %job.id,
            "what became of a file could not be noted; it is read again"
        ),
    }
}

/// Tells the owner, or tries again another time where that may help.
async fn settle(crew: &Crew, job: &Job, failed: &Failed) -> Result<(), StoreError> {
    let now = crew.now();
    if !failed.may_pass() {
        return reading::failed(&crew.db, job.id, &failed.to_string(), now).await;
    }
    tracing::warn!(reason = ?failed, attachment.id = %job.id, job.tries, "a file could not be read for now");
    if job.tries >= MOST_TRIES {
        return reading::failed(&crew.db, job.id, GIVEN_UP, now).await;
    }
    reading::again(&crew.db, job.id, now, pause(job.tries)).await
}

/// How long to wait after so many tries.
pub(super) fn pause(tries: i64) -> Duration {
    PAUSE * 2u32.saturating_pow(u32::try_from(tries).unwrap_or(u32::MAX).saturating_sub(1))
}

async fn attempt(crew: &Crew, job: &Job) -> Result<Extracted, Failed> {
    // Whoever began it so often did not come back to tell: it may be the file that ended them.
    if job.tries > MOST_TRIES {
        return Err(Failed::Crashed);
    }
    extract(crew, &crew.sandbox, job.id.into(), &job.kind).await
}

/// Fetches a file from storage and reads it.
pub(super) async fn extract(crew: &Crew, sandbox: &Sandbox, key: Uuid, kind: &str) -> Result<Extracted, Failed> {
    let unavailable = |error: &dyn std::fmt::Display| Failed::Unavailable(error.to_string());
    let kind: Kind = kind.parse().map_err(|error| unavailable(&error))?;
    let fetched = timeout(FETCH, crew.storage.local(key)).await;
    let file = fetched.map_err(|error| unavailable(&error))?.map_err(|error| unavailable(&error))?;
    sandbox.extract(file.path(), kind).await
}

fn findings(extracted: Extracted) -> Result<Findings, serde_json::Error> {
    Ok(Findings {
        metadata: serde_json::to_string(&extracted.metadata)?,
        warnings: serde_json::to_string(&extracted.warnings)?,
        text: Some(extracted.unpaged()),
        thumbnail: extracted.thumbnail,
    })
}

/// At once: each may take a core, and live voice needs the others.
const READERS: usize = 2;
/// How often a file is begun before it is given up.
pub(super) const MOST_TRIES: i64 = 3;
/// What its owner is told then.
pub(super) const GIVEN_UP: &str = "the file could not be read, though it was tried several times";
/// How long a reader has a file for itself: time to fetch it and time to read it, with room to spare.
const LEASE: Duration = Duration::from_secs(180);
/// How long fetching a file may take.
const FETCH: Duration = Duration::from_secs(120);
/// Before the second try; each further one waits twice as long.
const PAUSE: Duration = Duration::from_secs(30);
