//! What is understood of one stretch of the person's audio, from its first sample to its final transcript.

use std::time::{Duration, Instant};

use providers::{ProviderError, stt::FinalTranscript};

use super::{
    backchannel::is_backchannel,
    ids::{ItemId, TurnId},
    span::Span,
};

/// How long a final transcript may take after the commit, and half the utterance's own length on top. A provider that is
/// still silent then counts as failed, so that one lost answer cannot make the session mute.
const PATIENCE: Duration = Duration::from_secs(60);

/// One utterance.
#[derive(Clone, Debug)]
pub(super) struct Utterance {
    pub(super) turn: TurnId,
    /// The item it is, or will be.
    pub(super) item: ItemId,
    pub(super) source: Source,
    pub(super) stage: Stage,
    /// Whether those who listen were told where its sound ends.
    heard_out: bool,
    /// Words that will not change any more.
    stable: String,
    /// What the client was told in deltas.
    told: String,
    gist: Gist,
}

/// Where an utterance's sound came from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Source {
    /// The microphone: whoever listens to it has heard it.
    Microphone,
    /// An item of the client's.
    Clip,
}

/// How far an utterance has come.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Stage {
    /// Its audio still arrives.
    Listening,
    /// Its audio has ended; whether it becomes an item is still open.
    Finishing,
    /// It ended over a reply before anyone could tell what it was; the client does not know of it.
    Doubted { span: Span, until: Duration, deadline: Instant },
    /// The recogniser ended before the commit.
    Early(Result<FinalTranscript, ProviderError>),
    /// It is an item and waits for its final transcript.
    Committed { at: Instant, due: Instant, visible: bool },
}

/// What the words so far amount to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Gist {
    /// Nothing is known.
    Unknown,
    /// Only sounds that say "go on".
    Backchannel,
    /// Somebody says something.
    Words,
}

impl Utterance {
    pub(super) const fn new(turn: TurnId, item: ItemId, source: Source) -> Self {
        let stage = Stage::Listening;
        Self {
            turn,
            item,
            source,
            stage,
            heard_out: false,
            stable: String::new(),
            told: String::new(),
            gist: Gist::Unknown,
        }
    }

    pub(super) const fn gist(&self) -> Gist {
        self.gist
    }

    /// Whether anything was understood, or told to the client.
    pub(super) fn is_understood(&self) -> bool {
        self.gist != Gist::Unknown || !self.told.is_empty()
    }

    /// The words that will not change any more.
    pub(super) fn stable(&self) -> &str {
        &self.stable
    }

    /// When an unanswered utterance counts as failed, or as nothing.
    pub(super) const fn due(&self) -> Option<Instant> {
        match self.stage {
            Stage::Committed { due, .. } => Some(due),
            Stage::Doubted { deadline, .. } => Some(deadline),
            Stage::Listening | Stage::Finishing | Stage::Early(_) => None,
        }
    }

    /// Whether it is an item whose words are still unknown.
    pub(super) const fn is_pending(&self) -> bool {
        matches!(self.stage, Stage::Committed { .. })
    }

    /// No more sound follows; whether those who listen are to be told. A recogniser that ended early need not be, a model
    /// that hears by itself must.
    pub(super) fn hear_out(&mut self, native: bool) -> bool {
        let listening = self.stage == Stage::Listening;
        if listening {
            self.stage = Stage::Finishing;
        }
        let early = native && matches!(self.stage, Stage::Early(_));
        (listening || early) && !std::mem::replace(&mut self.heard_out, true)
    }

    /// It becomes an item.
    pub(super) fn commit(&mut self, now: Instant, length: Duration, visible: bool) {
        self.stage = Stage::Committed { at: now, due: now + PATIENCE + length / 2, visible };
    }

    /// Takes a partial transcript. A `stable` that takes words back is the recogniser's mistake and is ignored.
    pub(super) fn hear(&mut self, stable: String, tentative: &str) {
        self.weigh(&[stable.as_str(), tentative].concat());
        if stable.len() > self.stable.len() && stable.starts_with(&self.stable) {
            self.stable = stable;
        }
    }

    /// Judges what was said from the words so far.
    pub(super) fn weigh(&mut self, said: &str) {
        self.gist = if is_backchannel(said) {
            Gist::Backchannel
        } else if said.chars().any(char::is_alphanumeric) {
            Gist::Words
        } else {
            Gist::Unknown
        };
    }

    /// The stable words the client was not told yet.
    pub(super) fn delta(&mut self) -> Option<String> {
        let delta = self.stable.get(self.told.len()..).filter(|delta| !delta.is_empty())?.to_owned();
        self.told.push_str(&delta);
        Some(delta)
    }

    /// The whole transcript, which starts with what was told in deltas even if the recogniser changed its mind: then it
    /// goes on after as many words.
    pub(super) fn complete(&self, text: String) -> String {
        if text.starts_with(&self.told) {
            return text;
        }
        let known = self.told.split_whitespace().count();
        let mut whole = self.told.trim_end().to_owned();
        for word in text.split_whitespace().skip(known) {
            whole.push(' ');
            whole.push_str(word);
        }
        if whole.len() < self.told.len() { self.told.clone() } else { whole }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(stable: &str) -> Utterance {
        let mut utterance = Utterance::new(TurnId(1), ItemId::new("item"), Source::Microphone);
        utterance.hear(stable.to_owned(), "");
        utterance.delta();
        utterance
    }

    #[test]
    fn the_whole_transcript_starts_with_the_deltas_even_if_the_recogniser_changed_its_mind() {
        assert_eq!(told("I want").complete("I want to go".into()), "I want to go");
        assert_eq!(told("I want ").complete("I wanted to go".into()), "I want to go");
        assert_eq!(told("I want ").complete(String::new()), "I want ");
    }

    #[test]
    fn stable_words_are_never_taken_back() {
        let mut utterance = told("I want");
        utterance.hear("You".into(), "");
        assert_eq!(utterance.delta(), None);
        utterance.hear("I want to".into(), " go");
        assert_eq!(utterance.delta(), Some(" to".into()));
    }
}
