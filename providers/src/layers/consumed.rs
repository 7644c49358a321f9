//! What a request took and gave, as vendors count it for their bills.

use std::{
    ops::AddAssign,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// Consumption, of one request or many together.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Consumed {
    /// Sound it was given and took.
    pub heard: Duration,
    /// Characters of text it took to speak.
    pub characters: u64,
    /// Sound it made.
    pub spoken: Duration,
    /// Tokens it read, those from a cache included.
    pub input_tokens: u64,
    /// Of these, served from a cache.
    pub cached_tokens: u64,
    /// Tokens it wrote.
    pub output_tokens: u64,
}

impl Consumed {
    /// Whether there was nothing at all.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

impl AddAssign for Consumed {
    fn add_assign(&mut self, more: Self) {
        self.heard += more.heard;
        self.characters += more.characters;
        self.spoken += more.spoken;
        self.input_tokens += more.input_tokens;
        self.cached_tokens += more.cached_tokens;
        self.output_tokens += more.output_tokens;
    }
}

/// Counts what goes into a request, on whatever task reads it.
#[derive(Debug, Default)]
pub(super) struct Intake {
    /// In microseconds: half a million years fit.
    heard: AtomicU64,
    characters: AtomicU64,
}

impl Intake {
    pub(super) fn heard(&self, span: Duration) {
        self.heard.fetch_add(u64::try_from(span.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub(super) fn characters(&self, text: &str) {
        self.characters.fetch_add(text.chars().count() as u64, Ordering::Relaxed);
    }

    /// What was counted since this was asked last.
    pub(super) fn take(&self) -> Consumed {
        let heard = Duration::from_micros(self.heard.swap(0, Ordering::Relaxed));
        Consumed { heard, characters: self.characters.swap(0, Ordering::Relaxed), ..Consumed::default() }
    }
}
