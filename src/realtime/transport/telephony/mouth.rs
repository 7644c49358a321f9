//! The relay's side of a line: speech at 24 kHz becomes packets of the line's format, a little ahead of the listener.
//!
//! A gateway buffers what it is sent, so what was sent is not what was heard: marks tell how far behind our clock it plays.
//! A hold takes back what has not played, to be sent again if the speech goes on; a flush forgets it. Pure: times come from
//! the caller.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use audio::{Encoding, OpusEncoder, Resampler, SampleRate};

use super::dialect::{Fault, Format};

/// The length of a packet, in which telephony counts.
pub(crate) const PACKET: Duration = Duration::from_millis(20);

/// The rate at which speech is made.
const RATE: SampleRate = SampleRate::HZ_24000;

/// Samples of a packet at that rate.
pub(crate) const SAMPLES: usize = RATE.samples_in(PACKET);

/// How far ahead of the listener packets are sent: rides out the jitter of the internet between us and the gateway, whose
/// own buffer has nothing else to play.
pub(crate) const LEAD: Duration = Duration::from_millis(100);

/// Packets between two marks.
const MARKED: u32 = 5;

/// Most that a gateway is believed to lag behind: more than any network's delay, less than would spoil a conversation.
const MOST_LAG: Duration = Duration::from_secs(2);

/// Differences of the lag that are not worth telling.
const GRAIN: Duration = Duration::from_millis(10);

/// What speaks into one line.
pub(crate) struct Mouth {
    voice: Voice,
    /// The filter holds the end of what was said.
    unfinished: bool,
    flow: Flow,
    /// When all that was sent will have played, by our clock.
    cursor: Instant,
    /// Sent, and maybe not played yet, oldest first.
    ahead: VecDeque<Packet>,
    /// Marks that were sent and have not come back: each with the instant at which it was due.
    marks: VecDeque<(u64, Instant)>,
    last_mark: u64,
    /// Packets since the last mark.
    unmarked: u32,
    /// How much later than by our clock the gateway plays, as far as it ever told.
    lag: Option<Duration>,
    /// What was last told of it.
    told: Duration,
}

/// How samples at 24 kHz become bytes.
#[expect(clippy::large_enum_variant, reason = "there is one a call")]
enum Voice {
    Samples { narrow: Resampler, encoding: Encoding, samples: Vec<i16> },
    Opus(Box<OpusEncoder>),
}

/// Whether speech flows.
enum Flow {
    Running,
    /// Held, with what was taken back.
    Held(VecDeque<Vec<u8>>),
    /// It goes on; what was taken back goes first.
    Resuming(VecDeque<Vec<u8>>),
}

struct Packet {
    sound: Vec<u8>,
    /// When it will have played, by our clock.
    ends: Instant,
}

impl Mouth {
    /// # Errors
    /// [`Fault::Format`] where nothing encodes the format.
    pub(crate) fn new(format: Format, now: Instant) -> Result<Self, Fault> {
        let voice = match format {
            Format::Samples { encoding, rate } => {
                let narrow = Resampler::new(RATE, rate).map_err(|_| Fault::Format)?;
                Voice::Samples { narrow, encoding, samples: Vec::new() }
            }
            Format::Opus => Voice::Opus(Box::new(OpusEncoder::new(RATE).map_err(|_| Fault::Format)?)),
        };
        Ok(Self {
            voice,
            unfinished: false,
            flow: Flow::Running,
            cursor: now,
            ahead: VecDeque::new(),
            marks: VecDeque::new(),
            last_mark: 0,
            unmarked: 0,
            lag: None,
            told: Duration::ZERO,
        })
    }

    /// Whether another packet may be sent.
    pub(crate) fn wants(&self, now: Instant) -> bool {
        !self.is_held() && self.cursor + PACKET <= now + LEAD
    }

    /// A packet that was taken back and goes before all others.
    pub(crate) fn again(&mut self, now: Instant) -> Option<Vec<u8>> {
        let Flow::Resuming(back) = &mut self.flow else { return None };
        match back.pop_front() {
            Some(sound) => {
                self.sent(now, sound.clone());
                Some(sound)
            }
            None => {
                self.flow = Flow::Running;
                None
            }
        }
    }

    /// Whether the line will have nothing to play within a packet's length.
    pub(crate) fn runs_dry(&self, now: Instant) -> bool {
        self.cursor <= now + PACKET
    }

    /// Whether it is held.
    pub(crate) const fn is_held(&self) -> bool {
        matches!(self.flow, Flow::Held(_))
    }

    /// The last packet of speech that ended: what the filter still holds of it.
    pub(crate) fn rest(&mut self, now: Instant) -> Option<Vec<u8>> {
        let owed = std::mem::take(&mut self.unfinished) && self.voice.holds_back();
        owed.then(|| {
            let sound = self.say(now, &[0; SAMPLES]);
            self.unfinished = false;
            sound
        })
    }

    /// Packs 20 ms of speech.
    pub(crate) fn say(&mut self, now: Instant, speech: &[i16; SAMPLES]) -> Vec<u8> {
        let sound = self.voice.encode(speech);
        self.unfinished = true;
        self.sent(now, sound.clone());
        sound
    }

    /// The mark to send after what was sent, if one is due: now and then, and where speech pauses.
    pub(crate) fn mark(&mut self, pauses: bool) -> Option<u64> {
        if self.unmarked < if pauses { 1 } else { MARKED } {
            return None;
        }
        self.unmarked = 0;
        self.last_mark += 1;
        self.marks.push_back((self.last_mark, self.cursor));
        Some(self.last_mark)
    }

    /// The gateway says that it has played up to a mark. Marks that are not ours, or of what was cleared, say nothing.
    pub(crate) fn marked(&mut self, now: Instant, mark: u64) {
        let Some(at) = self.marks.iter().position(|(sent, _)| *sent == mark) else { return };
        let due = self.marks[at].1;
        self.marks.drain(..=at);
        self.lag = Some(now.saturating_duration_since(due).min(MOST_LAG));
    }

    /// How much later than by our clock the gateway plays, if that is news.
    pub(crate) fn lag(&mut self, now: Instant) -> Option<Duration> {
        self.lag?;
        let lag = self.behind(now);
        self.lag = Some(lag);
        if lag.abs_diff(self.told) < GRAIN {
            return None;
        }
        self.told = lag;
        Some(lag)
    }

    /// Stops, and takes back what has not played. Returns whether the gateway is to be cleared.
    pub(crate) fn hold(&mut self, now: Instant) -> bool {
        let mut back: VecDeque<Vec<u8>> = self.unplayed(now).collect();
        let clears = !back.is_empty();
        match std::mem::replace(&mut self.flow, Flow::Running) {
            Flow::Running => {}
            Flow::Held(rest) | Flow::Resuming(rest) => back.extend(rest),
        }
        self.forget(now);
        self.flow = Flow::Held(back);
        clears
    }

    /// Goes on where it was held.
    pub(crate) fn resume(&mut self) {
        if let Flow::Held(back) = &mut self.flow {
            self.flow = Flow::Resuming(std::mem::take(back));
        }
    }

    /// Forgets what has not played. Returns whether the gateway is to be cleared.
    pub(crate) fn flush(&mut self, now: Instant) -> bool {
        let clears = self.unplayed(now).next().is_some();
        self.forget(now);
        match &mut self.flow {
            Flow::Running => {}
            Flow::Held(back) => back.clear(),
            Flow::Resuming(_) => self.flow = Flow::Running,
        }
        // What the filter still holds belongs to what is forgotten.
        self.voice.forget();
        self.unfinished = false;
        clears
    }

    fn sent(&mut self, now: Instant, sound: Vec<u8>) {
        self.cursor = self.cursor.max(now) + PACKET;
        self.ahead.push_back(Packet { sound, ends: self.cursor });
        self.unmarked += 1;
        let lag = self.behind(now);
        while self.ahead.front().is_some_and(|packet| packet.ends + lag < now) {
            self.ahead.pop_front();
        }
    }

    /// How far the gateway is behind our clock. A mark that should have come back by now says as much as one that came.
    fn behind(&self, now: Instant) -> Duration {
        let Some(lag) = self.lag else { return Duration::ZERO };
        let overdue = self.marks.front().map(|(_, due)| now.saturating_duration_since(*due).min(MOST_LAG));
        lag.max(overdue.unwrap_or_default())
    }

    fn unplayed(&mut self, now: Instant) -> impl Iterator<Item = Vec<u8>> {
        let lag = self.behind(now);
        self.ahead
            .drain(..)
            .filter(move |packet| packet.ends + lag > now || packet.ends + lag == now && !lag.is_zero())
            .map(|packet| packet.sound)
    }

    fn forget(&mut self, now: Instant) {
        self.ahead.clear();
        self.marks.clear();
        self.unmarked = 0;
        self.cursor = now;
    }
}

impl Voice {
    fn encode(&mut self, speech: &[i16; SAMPLES]) -> Vec<u8> {
        let mut sound = Vec::new();
        match self {
            Self::Samples { narrow, encoding, samples } => {
                samples.clear();
                narrow.process(speech, samples);
                sound.reserve_exact(samples.len() * encoding.bytes_per_sample());
                encoding.encode(samples, &mut sound);
            }
            Self::Opus(encoder) => {
                if encoder.encode(speech, &mut sound).is_err() {
                    sound = OpusEncoder::SILENCE.to_vec();
                }
            }
        }
        sound
    }

    /// Whether the end of what was said stays within until more is.
    fn holds_back(&self) -> bool {
        match self {
            Self::Samples { narrow, .. } => !narrow.delay().is_zero(),
            Self::Opus(_) => true,
        }
    }

    /// Drops what it holds back.
    fn forget(&mut self) {
        match self {
            Self::Samples { narrow, samples, .. } => {
                samples.clear();
                narrow.flush(samples);
            }
            // Less than a packet, which the next one covers.
            Self::Opus(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[expect(clippy::disallowed_methods, reason = "any instant will do as an origin")]
    fn origin() -> Instant {
        Instant::now()
    }

    /// Speech whose packets can be told apart: 16-bit at 24 kHz, so that nothing is resampled.
    fn mouth(now: Instant) -> Mouth {
        Mouth::new(Format::pcm(24_000).unwrap(), now).unwrap()
    }

    /// Says numbered packets for as long as the mouth wants some; returns what went out.
    fn talk(mouth: &mut Mouth, now: Instant, next: &mut i16) -> Vec<i16> {
        let mut out = Vec::new();
        while mouth.wants(now) {
            let sound = mouth.again(now).unwrap_or_else(|| {
                *next += 1;
                mouth.say(now, &[*next; SAMPLES])
            });
            out.push(i16::from_le_bytes([sound[0], sound[1]]));
        }
        out
    }

    #[test]
    fn packets_leave_a_lead_ahead_and_then_in_real_time() {
        let start = origin();
        let (mut mouth, mut next) = (mouth(start), 0);
        assert_eq!(talk(&mut mouth, start, &mut next), [1, 2, 3, 4, 5]);
        assert_eq!(talk(&mut mouth, start + millis(19), &mut next), [0_i16; 0]);
        assert_eq!(talk(&mut mouth, start + millis(20), &mut next), [6]);
        // After a pause of the speech, or of our own, there is no burst beyond the lead.
        assert_eq!(talk(&mut mouth, start + millis(5_000), &mut next).len(), 5);
    }

    #[test]
    fn a_hold_takes_back_what_has_not_played_and_a_resume_sends_it_first() {
        let start = origin();
        let (mut mouth, mut next) = (mouth(start), 0);
        talk(&mut mouth, start, &mut next);
        talk(&mut mouth, start + millis(30), &mut next);
        assert!(mouth.hold(start + millis(45)));
        assert_eq!(talk(&mut mouth, start + millis(300), &mut next), [0_i16; 0]);
        assert!(!mouth.hold(start + millis(320)), "nothing is there to be cleared");
        mouth.resume();
        assert_eq!(talk(&mut mouth, start + millis(400), &mut next), [3, 4, 5, 6, 7]);
        assert_eq!(talk(&mut mouth, start + millis(420), &mut next), [8]);
    }

    #[test]
    fn a_flush_forgets_all_of_it_and_clears_only_what_plays() {
        let start = origin();
        let (mut mouth, mut next) = (mouth(start), 0);
        talk(&mut mouth, start, &mut next);
        assert!(mouth.hold(start + millis(40)));
        assert!(!mouth.flush(start + millis(60)), "the hold has cleared");
        mouth.resume();
        assert_eq!(talk(&mut mouth, start + millis(80), &mut next), [6, 7, 8, 9, 10]);
        assert!(mouth.flush(start + millis(90)));
        talk(&mut mouth, start + millis(100), &mut next);
        assert!(!mouth.flush(start + millis(1_000)), "all of it has played");
    }

    #[test]
    fn marks_tell_how_far_behind_the_gateway_plays() {
        let start = origin();
        let (mut mouth, mut next) = (mouth(start), 0);
        talk(&mut mouth, start, &mut next);
        let mark = mouth.mark(false).unwrap();
        assert_eq!(mouth.lag(start + millis(90)), None, "nothing is known yet");
        mouth.marked(start + millis(350), mark);
        assert_eq!(mouth.lag(start + millis(350)), Some(millis(250)));
        assert_eq!(mouth.lag(start + millis(350)), None, "told once");
        // Played by our clock, not by the gateway's.
        talk(&mut mouth, start + millis(360), &mut next);
        assert!(mouth.hold(start + millis(600)));
    }

    #[test]
    fn a_mark_that_is_overdue_counts_and_one_of_cleared_speech_does_not() {
        let start = origin();
        let (mut mouth, mut next) = (mouth(start), 0);
        talk(&mut mouth, start, &mut next);
        let first = mouth.mark(false).unwrap();
        mouth.marked(start + millis(100), first);
        assert_eq!(mouth.lag(start + millis(100)), None, "on time");
        talk(&mut mouth, start + millis(100), &mut next);
        let second = mouth.mark(false).unwrap();
        assert_eq!(mouth.lag(start + millis(600)), Some(millis(400)));
        assert!(mouth.flush(start + millis(600)));
        mouth.marked(start + millis(610), second);
        assert_eq!(mouth.lag(start + millis(610)), None);
        assert_eq!(mouth.lag(start + Duration::from_secs(60)), None, "a gateway that is silent is not believed dead");
    }

    #[test]
    fn a_pause_of_the_speech_is_marked_too() {
        let start = origin();
        let (mut mouth, next) = (mouth(start), [1; SAMPLES]);
        mouth.say(start, &next);
        assert_eq!((mouth.mark(false), mouth.mark(true), mouth.mark(true)), (None, Some(1), None));
    }

    #[test]
    fn a_telephone_is_sent_160_bytes_every_20_milliseconds() {
        let start = origin();
        for format in [Format::ULAW, Format::ALAW] {
            let mut mouth = Mouth::new(format, start).unwrap();
            for _ in 0..10 {
                assert_eq!(mouth.say(start, &[500; SAMPLES]).len(), 160);
            }
        }
    }
}
