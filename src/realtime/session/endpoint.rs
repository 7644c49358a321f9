//! When a pause is the end of a turn. Pure policy over stream time: the caller acts on the verdict.

use std::time::Duration;

use super::settings::{Eagerness, Endpointing, Profile};

/// From this probability on a turn counts as complete.
const COMPLETE: f32 = 0.5;

/// Audio kept from before the onset under `semantic_vad`, which has no setting for it: the default of `server_vad`.
const PREFIX: Duration = Duration::from_millis(300);

/// Quiet in the middle of a turn.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Pause {
    /// Where in the stream it began.
    pub(super) since: Duration,
    /// What the turn detector makes of it.
    pub(super) advice: Advice,
}

/// What the turn detector makes of a pause.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Advice {
    Unasked,
    Asked,
    Complete,
    Incomplete,
    Unavailable,
}

/// What to do about a pause.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Verdict {
    Wait,
    Ask,
    End,
}

impl Pause {
    pub(super) const fn new(since: Duration) -> Self {
        Self { since, advice: Advice::Unasked }
    }

    /// Judges the pause once it has lasted until `position`.
    pub(super) fn judge(&self, policy: &Endpointing, profile: &Profile, position: Duration) -> Verdict {
        let quiet = position.saturating_sub(self.since);
        let after = |limit: Duration| if quiet >= limit { Verdict::End } else { Verdict::Wait };
        let eagerness = match policy {
            Endpointing::Silence { silence, .. } => return after(*silence),
            Endpointing::Semantic { eagerness } => *eagerness,
        };
        match self.advice {
            Advice::Unasked if !profile.advice => after(profile.advice_fallback),
            Advice::Unasked if quiet >= profile.advice_after => Verdict::Ask,
            Advice::Unasked => Verdict::Wait,
            // An answer that takes longer than the pause it judges is none.
            Advice::Asked | Advice::Unavailable => after(profile.advice_fallback),
            Advice::Complete => Verdict::End,
            Advice::Incomplete => after(patience(eagerness)),
        }
    }

    /// Takes the turn detector's answer.
    pub(super) fn advise<E>(&mut self, complete: Result<f32, E>) {
        self.advice = match complete {
            Ok(probability) if probability >= COMPLETE => Advice::Complete,
            Ok(_) => Advice::Incomplete,
            Err(_) => Advice::Unavailable,
        };
    }
}

/// How much audio from before an onset belongs to the turn.
pub(super) const fn prefix(policy: &Endpointing) -> Duration {
    match policy {
        Endpointing::Silence { prefix_padding, .. } => *prefix_padding,
        Endpointing::Semantic { .. } => PREFIX,
    }
}

/// The longest pause a turn survives although it sounds incomplete.
const fn patience(eagerness: Eagerness) -> Duration {
    Duration::from_secs(match eagerness {
        Eagerness::Low => 8,
        Eagerness::Medium | Eagerness::Auto => 4,
        Eagerness::High => 2,
    })
}
