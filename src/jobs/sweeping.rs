//! Bytes that no row owns are removed: what was deleted at once, what an upload left behind within the hour.

use std::time::Duration;

use super::Crew;
use crate::store::{StoreError, strays};

/// Sweeps at start, when the bell rings, and now and then.
pub(super) async fn work(crew: &Crew) {
    if let Err(error) = crew.storage.clear_spool(crew.clock.wall()).await {
        tracing::warn!(%error, "the spool cannot be cleared");
    }
    while !crew.drain.has_begun() {
        if let Err(error) = sweep(crew).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "deleted files cannot be removed for now");
        }
        tokio::select! {
            biased;
            () = crew.drain.begun() => {}
            () = crew.bell.0.sweeping.notified() => {}
            () = crew.rest(PAUSE) => {}
        }
    }
}

/// Removes what is due. What cannot be removed stays noted and is tried again.
async fn sweep(crew: &Crew) -> Result<(), StoreError> {
    loop {
        let ids = strays::due(&crew.db, crew.now(), AT_ONCE).await?;
        for id in &ids {
            if crew.drain.has_begun() {
                return Ok(());
            }
            if let Err(error) = crew.storage.remove(*id).await {
                tracing::warn!(%error, file.id = %id, "the bytes of a deleted file cannot be removed for now");
                return Ok(());
            }
            strays::forget(&crew.db, *id).await?;
        }
        if ids.len() < AT_ONCE as usize {
            return Ok(());
        }
    }
}

/// One query's worth.
const AT_ONCE: u32 = 100;
/// Between sweeps nobody asked for: a look at an index that is empty.
const PAUSE: Duration = Duration::from_secs(60);
