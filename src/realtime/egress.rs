//! Speech on its way out: held as samples until the session releases it, then encoded as the client wants it.
//!
//! Knows positions in samples and encodings; refuses to know text, sockets or when to release.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use audio::{Encoding, Resampler, SampleRate};

use super::session::{ids::ResponseId, settings::Format};

/// Rate at which speech is held, which is also that of [`Format::Pcm`].
const RATE: SampleRate = SampleRate::HZ_24000;
/// Longest delta. Players start with the first one they get, and 200 ms at once costs them nothing.
const DELTA: Duration = Duration::from_millis(200);

/// All speech of a session that was made and not yet released.
#[derive(Default)]
pub struct Egress {
    replies: BTreeMap<ResponseId, Queue>,
    samples: Vec<i16>,
    resampled: Vec<i16>,
    bytes: Vec<u8>,
}

/// Which content part of a response, as its two indexes.
pub type Part = (u32, u32);

#[derive(Default)]
struct Queue {
    waiting: VecDeque<i16>,
    /// The part being released.
    part: Part,
    /// How many samples of it were.
    released: usize,
    /// For telephony formats.
    narrow: Option<(Format, Resampler)>,
}

impl Egress {
    /// Makes room for a response's speech.
    pub fn open(&mut self, response: &ResponseId) {
        if !self.replies.contains_key(response) {
            self.replies.insert(response.clone(), Queue::default());
        }
    }

    /// Queues speech at 24 kHz and says how long it lasts; `None` if the response is over.
    pub fn queue(&mut self, response: &ResponseId, samples: &[i16]) -> Option<Duration> {
        let queue = self.replies.get_mut(response)?;
        queue.waiting.extend(samples);
        Some(RATE.duration_of(samples.len()))
    }

    /// Whether some of a response's speech waits to be released.
    pub fn waits(&self, response: &ResponseId) -> bool {
        self.replies.get(response).is_some_and(|queue| !queue.waiting.is_empty())
    }

    /// Gives away a part's speech up to `until` from the part's start, as samples at 24 kHz. Returns how many.
    pub fn play(&mut self, response: &ResponseId, part: Part, until: Duration, mut each: impl FnMut(&[i16])) -> usize {
        let Some(queue) = self.replies.get_mut(response) else { return 0 };
        let due = queue.due(part, until);
        self.samples.clear();
        self.samples.extend(queue.waiting.drain(..due));
        each(&self.samples);
        due
    }

    /// Encodes a part's speech up to `until` from the part's start and gives it away in deltas of whole samples.
    /// Returns how many samples were released.
    pub fn release(
        &mut self,
        response: &ResponseId,
        part: Part,
        format: Format,
        until: Duration,
        mut each: impl FnMut(&[u8]),
    ) -> usize {
        let Some(queue) = self.replies.get_mut(response) else { return 0 };
        let due = queue.due(part, until);
        let mut left = due;
        while left > 0 {
            let count = left.min(RATE.samples_in(DELTA));
            left -= count;
            self.samples.clear();
            self.samples.extend(queue.waiting.drain(..count));
            self.bytes.clear();
            match format {
                Format::Pcm => Encoding::Pcm16.encode(&self.samples, &mut self.bytes),
                Format::Mulaw | Format::Alaw => {
                    self.resampled.clear();
                    queue.narrow(format).process(&self.samples, &mut self.resampled);
                    encoding(format).encode(&self.resampled, &mut self.bytes);
                }
            }
            if !self.bytes.is_empty() {
                each(&self.bytes);
            }
        }
        due
    }

    /// Ends a part: what a filter still holds of its released speech is given away.
    pub fn finish(&mut self, response: &ResponseId, part: Part, each: impl FnOnce(&[u8])) {
        let Some(queue) = self.replies.get_mut(response).filter(|queue| queue.part == part) else { return };
        let Some((format, mut narrow)) = queue.narrow.take() else { return };
        self.resampled.clear();
        self.bytes.clear();
        narrow.flush(&mut self.resampled);
        encoding(format).encode(&self.resampled, &mut self.bytes);
        if !self.bytes.is_empty() {
            each(&self.bytes);
        }
    }

    /// Drops a response's speech; what comes later for it is not queued.
    pub fn forget(&mut self, response: &ResponseId) {
        self.replies.remove(response);
        if self.replies.is_empty() {
            // A session is silent most of its life: it keeps no buffers for speech meanwhile.
            *self = Self::default();
        }
    }
}

impl Queue {
    /// Counts as released what waits of a part up to `until`, and says how many samples that is.
    fn due(&mut self, part: Part, until: Duration) -> usize {
        if self.part != part {
            (self.part, self.released, self.narrow) = (part, 0, None);
        }
        let due = nearest_sample(until).saturating_sub(self.released).min(self.waiting.len());
        self.released += due;
        due
    }

    fn narrow(&mut self, format: Format) -> &mut Resampler {
        let open = || (format, Resampler::aligned(RATE, SampleRate::HZ_8000).expect("the filter knows both rates"));
        &mut self.narrow.get_or_insert_with(open).1
    }
}

const fn encoding(format: Format) -> Encoding {
    match format {
        Format::Pcm => Encoding::Pcm16,
        Format::Mulaw => Encoding::Ulaw,
        Format::Alaw => Encoding::Alaw,
    }
}

/// Lengths travel as durations, each rounded down to the nanosecond; their sum is a hair below its last sample.
const fn nearest_sample(position: Duration) -> usize {
    RATE.samples_in(position.saturating_add(Duration::from_nanos(20_833)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PART: Part = (0, 0);

    fn mouthful(egress: &mut Egress, samples: &[i16]) -> (ResponseId, Duration) {
        let response = ResponseId::new("resp_1");
        egress.open(&response);
        let length = egress.queue(&response, samples).unwrap();
        (response, length)
    }

    fn release(egress: &mut Egress, response: &ResponseId, format: Format, until: Duration) -> Vec<Vec<u8>> {
        let mut deltas = Vec::new();
        egress.release(response, PART, format, until, |delta| deltas.push(delta.to_vec()));
        deltas
    }

    #[test]
    fn speech_leaves_exactly_once_however_it_is_released() {
        let speech: Vec<i16> = (0..20_011_i16).collect();
        let mut egress = Egress::default();
        let (response, length) = mouthful(&mut egress, &speech);
        let mut bytes = Vec::new();
        for step in 1..=7 {
            bytes.extend(release(&mut egress, &response, Format::Pcm, length * step / 7).concat());
        }
        let samples: Vec<i16> = bytes.as_chunks::<2>().0.iter().map(|&pair| i16::from_le_bytes(pair)).collect();
        assert_eq!(samples, speech);
        assert_eq!(release(&mut egress, &response, Format::Pcm, length * 2), Vec::<Vec<u8>>::new());
    }

    #[test]
    fn the_sum_of_rounded_lengths_still_releases_the_last_sample() {
        let mut egress = Egress::default();
        let mut until = Duration::ZERO;
        for _ in 0..5_000 {
            until += mouthful(&mut egress, &[1; 331]).1;
        }
        let bytes: usize =
            release(&mut egress, &ResponseId::new("resp_1"), Format::Pcm, until).iter().map(Vec::len).sum();
        assert_eq!(bytes, 5_000 * 331 * 2);
    }

    #[test]
    fn deltas_hold_at_most_200_ms() {
        let mut egress = Egress::default();
        let (response, length) = mouthful(&mut egress, &[0; 24_000]);
        let deltas = release(&mut egress, &response, Format::Pcm, length);
        assert_eq!(deltas.iter().map(Vec::len).collect::<Vec<_>>(), [9_600; 5]);
    }

    #[test]
    fn telephony_speech_is_as_long_as_it_was_once_its_part_is_finished() {
        let mut egress = Egress::default();
        let (response, length) = mouthful(&mut egress, &[500; 24_000]);
        let mut bytes: usize = 0;
        for step in 1..=10 {
            bytes += release(&mut egress, &response, Format::Mulaw, length * step / 10).concat().len();
        }
        egress.finish(&response, PART, |tail| bytes += tail.len());
        assert_eq!(bytes, 8_000);
    }

    #[test]
    fn a_forgotten_response_takes_and_gives_nothing() {
        let mut egress = Egress::default();
        let (response, length) = mouthful(&mut egress, &[1; 480]);
        egress.forget(&response);
        assert_eq!(egress.queue(&response, &[1; 480]), None);
        assert_eq!(release(&mut egress, &response, Format::Pcm, length), Vec::<Vec<u8>>::new());
    }
}
