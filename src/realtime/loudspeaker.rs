//! The loudspeaker of a line on which we play (WebRTC, telephony): speech on its way from the driver, which releases it a
//! little ahead, to the transport, which takes 20 ms of it every 20 ms.
//!
//! Wait-free on both ends: one ring of samples between two tasks, and two words beside it that hold it and empty it. Once
//! made, nothing is allocated. When the ring is full, what does not fit is lost and counted; the driver releases no more
//! than its lead ahead, so that takes a transport that stands still.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use audio::SampleRate;
use rtrb::{Consumer, Producer, RingBuffer};

use crate::metrics::{self, Loss};

/// Rate of the samples, mono.
const RATE: SampleRate = SampleRate::HZ_24000;
/// Samples of one step: 20 ms.
pub(crate) const STEP: usize = RATE.samples_in(Duration::from_millis(20));

/// The driver's end.
pub(crate) struct Speaker {
    ring: Producer<i16>,
    word: Arc<Word>,
    /// Samples ever written.
    written: u64,
}

/// The transport's end.
pub(crate) struct Playback {
    ring: Consumer<i16>,
    word: Arc<Word>,
    /// Samples ever taken or skipped.
    read: u64,
    /// Flushes that [`flushed`](Self::flushed) told of.
    flushes: u64,
}

/// What the driver says beside the samples.
#[derive(Default)]
struct Word {
    held: AtomicBool,
    /// Samples before this position are not played any more.
    flushed: AtomicU64,
    /// How often it was emptied.
    flushes: AtomicU64,
}

/// What 20 ms of a line hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Step {
    /// Speech; where it ended within the step, silence follows it.
    Speech,
    /// Nothing: nobody speaks, or the loudspeaker is held.
    Silence,
}

/// A loudspeaker that buffers this much at most.
pub(crate) fn loudspeaker(most: Duration) -> (Speaker, Playback) {
    let (producer, consumer) = RingBuffer::new(RATE.samples_in(most));
    let word = Arc::new(Word::default());
    let speaker = Speaker { ring: producer, word: Arc::clone(&word), written: 0 };
    (speaker, Playback { ring: consumer, word, read: 0, flushes: 0 })
}

impl Speaker {
    /// Queues speech at 24 kHz.
    pub(crate) fn play(&mut self, samples: &[i16]) {
        let fits = samples.len().min(self.ring.slots());
        if let Ok(chunk) = self.ring.write_chunk_uninit(fits) {
            chunk.fill_from_iter(samples.iter().copied());
        }
        self.written += fits as u64;
        if fits < samples.len() {
            metrics::audio_dropped(Loss::Loudspeaker, RATE.duration_of(samples.len() - fits));
        }
    }

    /// Plays nothing until [`resume`](Self::resume).
    pub(crate) fn hold(&self) {
        self.word.held.store(true, Ordering::Release);
    }

    /// Plays on from where it was held.
    pub(crate) fn resume(&self) {
        self.word.held.store(false, Ordering::Release);
    }

    /// Drops what was queued up to here.
    pub(crate) fn flush(&self) {
        self.word.flushed.store(self.written, Ordering::Release);
        self.word.flushes.fetch_add(1, Ordering::Release);
    }
}

impl Playback {
    /// Takes the next 20 ms: 480 samples at 24 kHz.
    pub(crate) fn step(&mut self, out: &mut [i16; STEP]) -> Step {
        let count = STEP.min(self.waiting());
        out[count..].fill(0);
        let Some(chunk) = self.ring.read_chunk(count).ok().filter(|_| count > 0) else { return Step::Silence };
        let (first, second) = chunk.as_slices();
        out[..first.len()].copy_from_slice(first);
        out[first.len()..count].copy_from_slice(second);
        chunk.commit_all();
        self.read += count as u64;
        Step::Speech
    }

    /// How many samples wait to be taken; none while it is held.
    pub(crate) fn waiting(&mut self) -> usize {
        self.skip();
        if self.is_held() { 0 } else { self.ring.slots() }
    }

    /// Whether it is held: a line that buffers elsewhere has to stop that too.
    pub(crate) fn is_held(&self) -> bool {
        self.word.held.load(Ordering::Acquire)
    }

    /// Whether it was flushed since this was last asked: a line that buffers elsewhere has to empty that too.
    pub(crate) fn flushed(&mut self) -> bool {
        let flushes = self.word.flushes.load(Ordering::Acquire);
        std::mem::replace(&mut self.flushes, flushes) != flushes
    }

    /// Passes over what was flushed.
    fn skip(&mut self) {
        let flushed = self.word.flushed.load(Ordering::Acquire).saturating_sub(self.read);
        let count = usize::try_from(flushed).unwrap_or(usize::MAX).min(self.ring.slots());
        if let Ok(chunk) = self.ring.read_chunk(count) {
            chunk.commit_all();
        }
        self.read += count as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (Speaker, Playback) {
        loudspeaker(Duration::from_millis(100))
    }

    fn step(playback: &mut Playback) -> (Step, Vec<i16>) {
        let mut samples = [i16::MAX; STEP];
        let step = playback.step(&mut samples);
        (step, samples.to_vec())
    }

    #[test]
    fn speech_is_played_in_order_and_followed_by_silence() {
        let (mut speaker, mut playback) = pair();
        speaker.play(&[1; STEP]);
        speaker.play(&[2; 100]);
        assert_eq!(step(&mut playback), (Step::Speech, vec![1; STEP]));
        let (kind, samples) = step(&mut playback);
        assert_eq!((kind, &samples[..100], &samples[100..]), (Step::Speech, &[2; 100][..], &[0; STEP - 100][..]));
        assert_eq!(step(&mut playback), (Step::Silence, vec![0; STEP]));
    }

    #[test]
    fn what_is_held_plays_on_from_where_it_was_held() {
        let (mut speaker, mut playback) = pair();
        speaker.play(&[3; 2 * STEP]);
        step(&mut playback);
        speaker.hold();
        assert_eq!(step(&mut playback).0, Step::Silence);
        speaker.resume();
        assert_eq!(step(&mut playback), (Step::Speech, vec![3; STEP]));
    }

    #[test]
    fn a_flush_drops_what_came_before_it_and_nothing_after() {
        let (mut speaker, mut playback) = pair();
        speaker.play(&[4; 2 * STEP]);
        step(&mut playback);
        speaker.flush();
        speaker.play(&[5; STEP]);
        assert_eq!(step(&mut playback), (Step::Speech, vec![5; STEP]));
        assert!(playback.flushed());
        assert!(!playback.flushed(), "told once");
    }

    #[test]
    fn a_full_ring_loses_what_does_not_fit_and_goes_on() {
        let (mut speaker, mut playback) = pair();
        speaker.play(&[6; 10 * STEP]);
        for _ in 0..5 {
            assert_eq!(step(&mut playback), (Step::Speech, vec![6; STEP]));
        }
        assert_eq!(step(&mut playback).0, Step::Silence);
        speaker.play(&[7; STEP]);
        assert_eq!(step(&mut playback), (Step::Speech, vec![7; STEP]));
    }
}
