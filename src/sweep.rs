//! What has ended is forgotten: at start, and every hour.

use std::time::Duration;

use jiff::SignedDuration;

use crate::{
    clock::Clock,
    store::{self, Db, StoreError, idempotency, shares},
};

/// Sweeps for as long as it is polled. Several relays on one database may do so at once.
pub async fn watch(db: Db, clock: Clock) {
    loop {
        let now = store::timestamp(clock.wall());
        told("links that expired", shares::sweep(&db, now.saturating_sub(KEPT).unwrap_or(now)).await);
        told("answers to requests that may be sent again", idempotency::sweep(&db, now).await);
        clock.clone().until(clock.now() + EVERY).await;
    }
}

fn told(what: &'static str, swept: Result<u64, StoreError>) {
    match swept {
        Ok(0) => {}
        Ok(count) => tracing::info!(what, count, "what has ended was forgotten"),
        Err(error) => {
            tracing::warn!(what, error = &error as &dyn std::error::Error, "what has ended could not be forgotten");
        }
    }
}

/// How long a link that expired is remembered, so that its readers are told that it did.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

/// How often.
const EVERY: Duration = Duration::from_secs(3600);
