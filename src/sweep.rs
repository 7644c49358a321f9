//! What has ended is forgotten: at start, and every hour.

use std::time::Duration;

use jiff::SignedDuration;

use crate::{
    clock::Clock,
    store::{self, Db, shares},
};

/// Sweeps for as long as it is polled. Several relays on one database may do so at once.
pub async fn watch(db: Db, clock: Clock) {
    loop {
        let now = store::timestamp(clock.wall());
        match shares::sweep(&db, now.saturating_sub(KEPT).unwrap_or(now)).await {
            Ok(0) => {}
            Ok(links) => tracing::info!(links, "links that expired were forgotten"),
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "links that expired could not be forgotten");
            }
        }
        clock.clone().until(clock.now() + EVERY).await;
    }
}

/// How long a link that expired is remembered, so that its readers are told that it did.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

/// How often.
const EVERY: Duration = Duration::from_secs(3600);
