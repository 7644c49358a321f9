//! How fast a connection may be given text: Deepgram takes 20 flushes and 2400 characters a minute, and ignores or cuts
//! off who sends more.
//!
//! Speech lasts longer than that takes (2400 characters sound for over two minutes), so who listens notices nothing.
//! Source: <https://developers.deepgram.com/docs/streaming-text-to-speech>, Limits.

use std::{collections::VecDeque, pin::Pin, time::Duration};

use tokio::time::{Sleep, sleep};

/// What was sent in the past minute, oldest first.
#[derive(Default, Debug)]
pub(super) struct Pace(VecDeque<Sent>);

#[derive(Debug)]
struct Sent {
    characters: usize,
    forgotten: Pin<Box<Sleep>>,
}

impl Pace {
    /// Waits until as many characters may be sent and flushed; more than a minute's worth waits for a minute of silence.
    pub(super) async fn wait(&mut self, characters: usize) {
        while self.0.len() >= FLUSHES || (!self.0.is_empty() && self.sent() + characters > CHARACTERS) {
            if let Some(oldest) = self.0.front_mut() {
                oldest.forgotten.as_mut().await;
            }
            self.0.pop_front();
        }
    }

    /// Notes what is sent.
    pub(super) fn note(&mut self, characters: usize) {
        self.0.push_back(Sent { characters, forgotten: Box::pin(sleep(MINUTE)) });
    }

    fn sent(&self) -> usize {
        self.0.iter().map(|sent| sent.characters).sum()
    }
}

/// With a little to spare, as clocks differ.
const MINUTE: Duration = Duration::from_secs(61);
const FLUSHES: usize = 20;
const CHARACTERS: usize = 2_400;

#[cfg(test)]
mod tests {
    use super::*;

    async fn waited(pace: &mut Pace, characters: usize) -> bool {
        let instant = tokio::time::timeout(Duration::ZERO, pace.wait(characters)).await.is_ok();
        pace.wait(characters).await;
        pace.note(characters);
        !instant
    }

    #[tokio::test(start_paused = true)]
    async fn the_twenty_first_flush_waits_for_the_first_to_be_forgotten() {
        let mut pace = Pace::default();
        for _ in 0..20 {
            assert!(!waited(&mut pace, 10).await);
        }
        assert!(waited(&mut pace, 10).await);
        assert!(!waited(&mut pace, 10).await, "all were sent at once and forgotten at once");
    }

    #[tokio::test(start_paused = true)]
    async fn characters_are_counted_by_the_minute() {
        let mut pace = Pace::default();
        for (characters, waits) in [(2_000, false), (400, false), (1, true), (2_399, false), (9_999, true), (1, true)] {
            assert_eq!(waited(&mut pace, characters).await, waits, "{characters}");
        }
    }
}
