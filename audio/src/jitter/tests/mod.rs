//! A sender, a network and a clock that goes from event to event.

mod clocks;
mod garbage;
mod losses;
mod pauses;
mod walk;

use std::{path::Path, sync::LazyLock};

use super::*;
use crate::{OpusDecoder, OpusEncoder, SampleRate, wav};

const MS: Duration = Duration::from_millis(1);

/// A packet on its way.
#[derive(Clone, Debug)]
struct Sent {
    /// When its sound was complete, on the receiver's clock.
    at: Duration,
    sequence: u16,
    timestamp: u32,
    payload: Vec<u8>,
}

/// What the buffer made of it: each frame with when it was given.
struct Heard {
    frames: Vec<(Duration, Frame)>,
    stats: Stats,
}

impl Heard {
    fn length(&self) -> Duration {
        Frame::DURATION * self.frames.len() as u32
    }

    fn samples(&self) -> Vec<i16> {
        self.frames.iter().flat_map(|(_, frame)| frame.0).collect()
    }

    /// How long after its sound was complete each frame was given, if the stream began at zero.
    fn delays(&self) -> impl Iterator<Item = Duration> {
        self.frames.iter().zip(1..).map(|((at, _), nth)| at.saturating_sub(Frame::DURATION * nth))
    }
}

/// Twenty seconds of real speech.
static SPEECH: LazyLock<Vec<i16>> = LazyLock::new(|| {
    let mut speech = Vec::new();
    for name in ["cards-001", "cards-002", "cards-003", "cards-004", "cards-005"].into_iter().cycle() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../samples/{name}.wav"));
        let clip = wav::read(&std::fs::read(path).unwrap()).unwrap();
        speech.extend(clip.resampled(SampleRate::HZ_16000).unwrap().samples);
        if speech.len() >= 20 * 16_000 {
            break;
        }
    }
    speech.truncate(20 * 16_000);
    speech
});

/// It in packets of 20 ms that begin at zero.
static SENT: LazyLock<Vec<Sent>> = LazyLock::new(|| sent(20, 0, 0));

/// What a listener who loses nothing hears of it.
static WHOLE: LazyLock<Vec<i16>> = LazyLock::new(|| {
    let (mut decoder, mut heard) = (OpusDecoder::new(Frame::RATE).unwrap(), Vec::new());
    SENT.iter().for_each(|sent| decoder.decode(&sent.payload, &mut heard).unwrap());
    heard
});

/// Speech in packets of so many milliseconds.
fn sent(millis: u32, mut sequence: u16, mut timestamp: u32) -> Vec<Sent> {
    let mut encoder = OpusEncoder::new(Frame::RATE).unwrap();
    encoder.set_expected_loss(20).unwrap();
    let packets = SPEECH.chunks_exact(millis as usize * 16).zip(1..).map(|(pcm, nth)| {
        let mut payload = Vec::new();
        encoder.encode(pcm, &mut payload).unwrap();
        let sent = Sent { at: MS * millis * nth, sequence, timestamp, payload };
        sequence = sequence.wrapping_add(1);
        timestamp = timestamp.wrapping_add(millis * 48);
        sent
    });
    packets.collect()
}

/// Lets packets arrive at `at`, in that order, and asks whenever the buffer says that something is due, until `end`.
fn hear(sent: &[Sent], end: Duration) -> Heard {
    let mut arrivals: Vec<&Sent> = sent.iter().collect();
    arrivals.sort_by_key(|sent| sent.at);
    let mut arrivals = arrivals.into_iter().peekable();
    let (mut buffer, mut frames) = (JitterBuffer::new().unwrap(), Vec::new());
    loop {
        let (due, arrival) = (buffer.next_due(), arrivals.peek().map(|sent| sent.at));
        let Some(now) = [due, arrival].into_iter().flatten().min().filter(|now| *now <= end) else { break };
        while let Some(sent) = arrivals.next_if(|sent| sent.at == now) {
            buffer.push(now, sent.packet());
        }
        buffer.pop(now, |frame| frames.push((now, *frame)));
        assert!(buffer.next_due().is_none_or(|due| due > now), "what was due at {now:?} has been given");
    }
    Heard { frames, stats: buffer.stats() }
}

impl Sent {
    fn packet(&self) -> Packet<'_> {
        Packet { sequence: self.sequence, timestamp: self.timestamp, payload: &self.payload }
    }
}

/// How much alike two stretches are: 1 if they differ in loudness at most.
fn likeness(one: &[i16], other: &[i16]) -> f64 {
    let dot = |a: &[i16], b: &[i16]| a.iter().zip(b).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum::<f64>();
    dot(one, other) / (dot(one, one) * dot(other, other)).sqrt().max(1.0)
}

#[test]
fn what_arrives_in_order_is_given_at_once_and_unchanged() {
    let heard = hear(&SENT, Duration::from_secs(20));
    assert!(heard.samples() == *WHOLE, "{:?}", heard.stats);
    assert!(heard.delays().all(|delay| delay == Duration::ZERO));
    let Stats { received, depth, jitter, .. } = heard.stats;
    assert_eq!((received, depth, jitter), (1_000, 30 * MS, Duration::ZERO));
    assert_eq!(heard.stats, Stats { received, depth, ..Stats::default() });
}

#[test]
fn packets_of_any_length_give_the_same_steady_frames() {
    for millis in [10, 20, 40, 60] {
        let sent = sent(millis, 7, 9);
        let heard = hear(&sent, Duration::from_secs(20));
        assert_eq!(heard.length(), MS * millis * sent.len() as u32, "{millis} ms");
        assert_eq!((heard.stats.lost, heard.stats.concealed), (0, Duration::ZERO));
        let speech = likeness(&heard.samples()[6_400..64_000], &WHOLE[6_400..64_000]);
        assert!(speech > 0.8, "{millis} ms: {speech:.3} alike");
    }
}
