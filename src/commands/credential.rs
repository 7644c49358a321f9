//! A key for a command on the relay's own machine.
//!
//! Who may write the database may make keys; so a command that is given none makes one there, for an hour.

use std::time::Duration;

use providers::Secret;

use super::Failure;
use crate::{
    app,
    auth::{Auth, Scope, Scopes},
    clock::Clock,
    config::Config,
    store,
};

const LIFE: Duration = Duration::from_secs(3600);

/// The key that was given, else one made in this machine's database.
pub(super) async fn local_or(given: Option<&str>, config: &Config) -> Result<Secret, Failure> {
    if let Some(key) = given.filter(|key| !key.is_empty()) {
        return Ok(key.to_owned().into());
    }
    let clock = Clock::system();
    let db = app::open(config).await?;
    let auth = Auth::beside(db, clock.clone()).await.map_err(app::StartError::from)?;
    let ends = store::timestamp(clock.wall() + LIFE);
    let scopes = Scopes::from_iter([Scope::Realtime]);
    let made = auth.create_key(auth.owner().id, "voice-relay command", scopes, Some(ends)).await;
    Ok(made.map_err(app::StartError::from)?.secret)
}
