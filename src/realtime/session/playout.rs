//! Speech handed on no faster than it can be heard.
//!
//! Owns the listener's position; refuses to know codecs, sockets or text. Time runs here as play time: it stands still
//! while the loudspeaker is held. The cursor, where all released speech will have played, outlives an empty queue, so a
//! trickling provider causes no bursts. See ARCHITECTURE.md, "Released is not heard".

use std::time::{Duration, Instant};

/// The smallest stretch worth releasing: a frame of every codec in use.
const SMALLEST: Duration = Duration::from_millis(20);

/// The largest stretch waited for. Longer would let the client's buffer sink further between two wakes for no gain.
const LARGEST: Duration = Duration::from_millis(200);

/// The listener's clock.
#[derive(Clone, Debug)]
pub(super) struct Playout {
    /// The instant of play time zero.
    origin: Instant,
    /// Since when the loudspeaker is held.
    held: Option<Instant>,
    /// The play time at which all that was released will have played.
    cursor: Duration,
    /// How far ahead of the listener speech is released.
    lead: Duration,
    /// How much later than by this clock a line plays what it is given, as far as it told.
    lag: Duration,
}

/// One part's speech on its way to the listener, measured from the part's start.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Track {
    /// How much was synthesised.
    pub(super) queued: Duration,
    /// How much was handed on.
    pub(super) released: Duration,
    /// The play time at which the last of it will have played.
    pub(super) ends: Duration,
}

impl Playout {
    pub(super) fn new(now: Instant, lead: Duration) -> Self {
        Self { origin: now, held: None, cursor: Duration::ZERO, lead: lead.max(SMALLEST), lag: Duration::ZERO }
    }

    /// What the listener has heard, in play time: behind [`position`](Self::position) by what the line lags.
    pub(super) fn heard(&self, now: Instant) -> Duration {
        self.position(now).saturating_sub(self.lag)
    }

    /// The instant at which this play time will have been heard, or `None` while the clock stands still.
    pub(super) fn heard_at(&self, at: Duration) -> Option<Instant> {
        self.instant(at.saturating_add(self.lag))
    }

    /// The line plays so much later than by our clock.
    pub(super) const fn lags(&mut self, lag: Duration) {
        self.lag = lag;
    }

    /// The position up to which the line has been given speech to play.
    pub(super) fn position(&self, now: Instant) -> Duration {
        self.held.unwrap_or(now).saturating_duration_since(self.origin)
    }

    pub(super) fn is_held(&self) -> bool {
        self.held.is_some()
    }

    /// Stops the listener's clock.
    pub(super) fn hold(&mut self, now: Instant) {
        self.held.get_or_insert(now);
    }

    /// Lets the listener's clock run on from where it was held.
    pub(super) fn resume(&mut self, now: Instant) {
        if let Some(held) = self.held.take() {
            self.origin += now.saturating_duration_since(held);
        }
    }

    /// Forgets what was released and has not played.
    pub(super) fn flush(&mut self, now: Instant) {
        self.cursor = self.cursor.min(self.position(now));
    }

    /// Hands on what of a track may go now; whether that was anything.
    pub(super) fn release(&mut self, now: Instant, track: &mut Track) -> bool {
        let position = self.position(now);
        let waiting = track.queued.saturating_sub(track.released);
        let allowed = self.lead.saturating_sub(self.cursor.saturating_sub(position));
        if waiting.is_zero() || allowed < self.stretch(waiting) {
            return false;
        }
        let amount = waiting.min(allowed);
        track.released += amount;
        self.cursor = self.cursor.max(position) + amount;
        track.ends = self.cursor;
        debug_assert!(track.heard(position) <= track.released && track.released <= track.queued, "9: {track:?}");
        true
    }

    /// When more of a track may go, or `None` while it is held or has nothing waiting.
    pub(super) fn next_release(&self, track: &Track) -> Option<Instant> {
        let waiting = track.queued.saturating_sub(track.released);
        if waiting.is_zero() {
            return None;
        }
        self.instant((self.cursor + self.stretch(waiting)).saturating_sub(self.lead))
    }

    /// The instant of a play time, or `None` while the clock stands still.
    pub(super) fn instant(&self, at: Duration) -> Option<Instant> {
        if self.is_held() { None } else { Some(self.origin + at) }
    }

    /// How much must be allowed before anything is released, so that speech leaves in whole packets.
    fn stretch(&self, waiting: Duration) -> Duration {
        waiting.min(LARGEST).min(self.lead / 2).max(SMALLEST.min(waiting))
    }
}

impl Track {
    /// How much of it was heard at this position of the listener.
    pub(super) fn heard(&self, position: Duration) -> Duration {
        self.released.saturating_sub(self.ends.saturating_sub(position))
    }

    /// Whether everything synthesised was handed on.
    pub(super) fn is_drained(&self) -> bool {
        self.released == self.queued
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn released_speech_stays_within_the_lead_of_what_was_heard() {
        let start = fake_now();
        let mut playout = Playout::new(start, millis(400));
        let mut track = Track { queued: millis(2000), ..Track::default() };
        let mut now = start;
        let mut releases = 0;
        while !track.is_drained() {
            if playout.release(now, &mut track) {
                releases += 1;
            }
            assert!(track.released <= track.heard(playout.position(now)) + millis(400));
            now = playout.next_release(&track).unwrap_or(now);
        }
        assert_eq!(now, start + millis(1600));
        assert_eq!(releases, 9);
    }

    #[test]
    fn a_trickling_provider_does_not_let_the_position_run_ahead() {
        let start = fake_now();
        let mut playout = Playout::new(start, millis(100));
        let mut track = Track::default();
        for step in 0..50 {
            track.queued += millis(20);
            assert!(playout.release(start + millis(20 * step), &mut track));
        }
        assert_eq!(track.heard(playout.position(start + millis(500))), millis(500));
        assert_eq!(track.heard(playout.position(start + millis(1000))), millis(1000));
    }

    #[test]
    fn a_hold_stops_the_listener_and_a_resume_goes_on_from_there() {
        let start = fake_now();
        let mut playout = Playout::new(start, millis(60));
        let mut track = Track { queued: millis(60), ..Track::default() };
        assert!(playout.release(start, &mut track));
        playout.hold(start + millis(30));
        assert_eq!(track.heard(playout.position(start + millis(900))), millis(30));
        assert_eq!(playout.instant(track.ends), None);
        playout.resume(start + millis(900));
        assert_eq!(track.heard(playout.position(start + millis(910))), millis(40));
    }

    #[test]
    fn what_a_line_lags_is_not_heard_yet_and_does_not_slow_the_release() {
        let start = fake_now();
        let mut playout = Playout::new(start, millis(100));
        let mut track = Track { queued: millis(1000), ..Track::default() };
        playout.lags(millis(250));
        assert!(playout.release(start, &mut track));
        assert_eq!((track.released, track.heard(playout.heard(start + millis(100)))), (millis(100), Duration::ZERO));
        assert!(playout.release(start + millis(100), &mut track));
        assert_eq!(track.released, millis(200));
        assert_eq!(track.heard(playout.heard(start + millis(300))), millis(50));
        assert_eq!(playout.heard_at(track.ends), Some(start + millis(450)));
    }

    #[expect(clippy::disallowed_methods, reason = "any instant will do as an origin")]
    fn fake_now() -> Instant {
        Instant::now()
    }
}
