//! Which stretch of the microphone a speech-to-speech model still wants.

use std::time::Duration;

use audio::Frame;

use crate::realtime::{session::ids::TurnId, workers::stretch::Stretch};

/// The utterance that is fed.
pub(super) enum Feed {
    /// None.
    Idle,
    /// This one, as far as it goes.
    Open { turn: TurnId, stretch: Stretch },
    /// This one, which is over; it may still be dropped.
    Over { turn: TurnId },
}

impl Feed {
    /// An utterance that begins at this position.
    pub(super) const fn open(turn: TurnId, from: Duration) -> Self {
        Self::Open { turn, stretch: Stretch::new(from) }
    }

    /// Where the sound begins that is still wanted.
    pub(super) const fn wanted_from(&self) -> Option<Duration> {
        match self {
            Self::Open { stretch, .. } => Some(stretch.cursor()),
            Self::Idle | Self::Over { .. } => None,
        }
    }

    /// Gives what belongs to the utterance to `each`; whether it is over with that.
    pub(super) fn take<'a>(
        &mut self,
        stream: impl Iterator<Item = (Duration, &'a Frame)>,
        mut each: impl FnMut(Frame),
    ) -> bool {
        let Self::Open { turn, stretch } = self else { return false };
        for (end, frame) in stream {
            let Some(frame) = stretch.cut(end, frame) else { break };
            each(frame);
            stretch.passed(end);
        }
        let over = stretch.is_over();
        if over {
            *self = Self::Over { turn: *turn };
        }
        over
    }

    /// The utterance's sound ends here; whether all of it was given.
    pub(super) fn finish(&mut self, of: TurnId, until: Duration) -> bool {
        let Self::Open { turn, stretch } = self else { return false };
        if *turn != of {
            return false;
        }
        stretch.end(until);
        let over = stretch.is_over();
        if over {
            *self = Self::Over { turn: of };
        }
        over
    }

    /// The utterance is dropped; whether it was the one that is fed.
    pub(super) fn abandon(&mut self, of: TurnId) -> bool {
        let (Self::Open { turn, .. } | Self::Over { turn }) = self else { return false };
        let theirs = *turn == of;
        if theirs {
            *self = Self::Idle;
        }
        theirs
    }
}
