//! One judgement of the turn detector.

use std::time::Duration;

use audio::Frame;
use providers::{ErrorKind, ProviderError};
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

use super::Kit;
use crate::{
    metrics::{self, Role},
    realtime::session::{Input, ids::TurnId},
};

/// Past this the silence itself has said more than the advice could.
const USEFUL: Duration = Duration::from_secs(3);

/// Asks about a pause and reports the answer. Nothing happens without a detector: none was promised then.
pub(super) fn spawn(kit: &Kit, turn: TurnId, pause: Duration, audio: Vec<Frame>) -> Option<AbortOnDropHandle<()>> {
    let detector = kit.providers.turn.clone()?;
    let kit = kit.clone();
    let task = tokio::spawn(async move {
        let asked = kit.clock.now();
        let late = |_| Err(ProviderError::new("relay", ErrorKind::Timeout, "the turn detector is late"));
        let complete = timeout(USEFUL, detector.complete(audio)).await.unwrap_or_else(late);
        match &complete {
            Ok(_) => metrics::provider_answered(Role::Advise, kit.clock.now() - asked),
            Err(error) => metrics::provider_failed(Role::Advise, &error.provider, error.kind),
        }
        kit.report(Input::Advice { turn, pause, complete }).await;
    });
    Some(AbortOnDropHandle::new(task))
}
