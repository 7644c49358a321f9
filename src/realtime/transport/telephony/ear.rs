//! The caller's side of a line: bytes in the line's format become frames of 20 ms at 16 kHz.
//!
//! Packets that carry their place are put in order, within bounds; what is lost becomes silence, so that the clock of voice
//! detection runs on. Pure.

use std::collections::BTreeMap;

use audio::{Decoder, Frame, Framer, OpusDecoder, Resampler};

use super::dialect::{Fault, Format};

/// Packets that wait for one that is missing: 60 ms where packets hold 20.
const MOST_WAITING: usize = 3;

/// Longest silence that stands for lost packets, in packets: a second.
const MOST_LOST: u64 = 50;

/// A place so far behind is the begin of another count.
const RESTART: u64 = 1_000;

/// What listens to one line.
pub(crate) struct Ear {
    most: usize,
    voice: Voice,
    framer: Framer,
    order: Order,
    /// At 16 kHz.
    wide: Vec<i16>,
}

/// How bytes become samples at 16 kHz.
#[expect(clippy::large_enum_variant, reason = "there is one a call")]
enum Voice {
    Samples { decoder: Decoder, widen: Resampler, narrow: Vec<i16> },
    Opus(Box<OpusDecoder>),
}

impl Ear {
    /// # Errors
    /// [`Fault::Format`] where nothing decodes the format.
    pub(crate) fn new(format: Format) -> Result<Self, Fault> {
        let voice = match format {
            Format::Samples { encoding, rate } => Voice::Samples {
                decoder: Decoder::new(encoding),
                widen: Resampler::new(rate, Frame::RATE).map_err(|_| Fault::Format)?,
                narrow: Vec::new(),
            },
            Format::Opus => Voice::Opus(Box::new(OpusDecoder::new(Frame::RATE).map_err(|_| Fault::Format)?)),
        };
        Ok(Self { most: format.most(), voice, framer: Framer::new(), order: Order::default(), wide: Vec::new() })
    }

    /// Takes sound and gives whole frames.
    ///
    /// # Errors
    /// [`Fault::TooLong`], [`Fault::Odd`] and [`Fault::Packet`]; then nothing of it is heard.
    pub(crate) fn hear(&mut self, place: Option<u64>, sound: &[u8], mut each: impl FnMut(Frame)) -> Result<(), Fault> {
        if sound.len() > self.most {
            return Err(Fault::TooLong);
        }
        if let Voice::Samples { decoder, .. } = &self.voice
            && !sound.len().is_multiple_of(decoder.encoding().bytes_per_sample())
        {
            return Err(Fault::Odd);
        }
        let Self { voice, framer, order, wide, .. } = self;
        let mut heard = Ok(());
        order.take(place, sound, |piece| {
            wide.clear();
            heard = heard.and(voice.decode(piece, wide));
            framer.push(wide, |_, frame| each(*frame));
        });
        heard
    }
}

impl Voice {
    fn decode(&mut self, piece: Piece<'_>, wide: &mut Vec<i16>) -> Result<(), Fault> {
        match (self, piece) {
            (Self::Samples { decoder, widen, narrow }, piece) => {
                narrow.clear();
                match piece {
                    Piece::Sound(bytes) => decoder.decode(bytes, narrow),
                    Piece::Lost { packets, bytes } => {
                        narrow.resize(packets * bytes / decoder.encoding().bytes_per_sample(), 0);
                    }
                }
                widen.process(narrow, wide);
                Ok(())
            }
            (Self::Opus(decoder), Piece::Sound(packet)) => decoder.decode(packet, wide).map_err(|_| Fault::Packet),
            (Self::Opus(_), Piece::Lost { packets, .. }) => {
                wide.resize(packets * Frame::SAMPLES, 0);
                Ok(())
            }
        }
    }
}

/// Puts packets in order.
#[derive(Default)]
struct Order {
    next: Option<u64>,
    waiting: BTreeMap<u64, Vec<u8>>,
}

enum Piece<'a> {
    Sound(&'a [u8]),
    /// So many packets did not come, each of about so many bytes.
    Lost {
        packets: usize,
        bytes: usize,
    },
}

impl Order {
    fn take(&mut self, place: Option<u64>, sound: &[u8], mut each: impl FnMut(Piece<'_>)) {
        let Some(place) = place else { return each(Piece::Sound(sound)) };
        let next = match self.next {
            Some(next) if place.saturating_add(RESTART) >= next => next,
            Some(_) | None => {
                self.waiting.clear();
                place
            }
        };
        self.next = Some(next);
        if place < next {
            // Late, or said twice.
            return;
        }
        if place > next {
            self.waiting.entry(place).or_insert_with(|| sound.to_vec());
            if self.waiting.len() <= MOST_WAITING {
                return;
            }
            let first = self.waiting.keys().next().copied().unwrap_or(place);
            each(Piece::Lost { packets: (first - next).min(MOST_LOST) as usize, bytes: sound.len() });
            self.next = Some(first);
        } else {
            each(Piece::Sound(sound));
            self.next = Some(next.saturating_add(1));
        }
        while let Some(next) = self.next
            && let Some(sound) = self.waiting.remove(&next)
        {
            each(Piece::Sound(&sound));
            self.next = Some(next.saturating_add(1));
        }
    }
}

#[cfg(test)]
mod tests {
    use audio::{OpusEncoder, SampleRate};

    use super::*;

    /// What is heard of these packets, lost bytes as zeros.
    fn heard(packets: &[(u64, u8)]) -> Vec<u8> {
        let (mut order, mut heard) = (Order::default(), Vec::new());
        for &(place, sound) in packets {
            order.take(Some(place), &[sound], |piece| match piece {
                Piece::Sound(bytes) => heard.extend_from_slice(bytes),
                Piece::Lost { packets, bytes } => heard.resize(heard.len() + packets * bytes, 0),
            });
        }
        heard
    }

    #[test]
    fn packets_that_overtook_each_other_are_heard_in_their_order_and_doubles_once() {
        assert_eq!(heard(&[(1, 1), (3, 3), (2, 2), (3, 9), (4, 4), (2, 9), (5, 5)]), [1, 2, 3, 4, 5]);
    }

    #[test]
    fn what_is_lost_is_silence_once_three_wait_for_it() {
        assert_eq!(heard(&[(1, 1), (4, 4), (5, 5), (6, 6)]), [1]);
        assert_eq!(heard(&[(1, 1), (4, 4), (5, 5), (6, 6), (7, 7), (2, 2), (8, 8)]), [1, 0, 0, 4, 5, 6, 7, 8]);
    }

    #[test]
    fn a_count_that_jumps_or_begins_anew_neither_floods_nor_deafens() {
        let far = u64::MAX - 4;
        let jumped = heard(&[(1, 1), (far, 2), (far + 1, 3), (far + 2, 4), (far + 3, 5), (far + 4, 6)]);
        assert_eq!(jumped.len(), 1 + MOST_LOST as usize + 5);
        assert_eq!(heard(&[(5_000, 1), (1, 2), (2, 3)]), [1, 2, 3]);
    }

    #[test]
    fn twenty_milliseconds_in_are_one_frame_out_in_every_format() {
        let formats = [
            (Format::ULAW, 160),
            (Format::ALAW, 160),
            (Format::pcm(8_000).unwrap(), 320),
            (Format::pcm(16_000).unwrap(), 640),
            (Format::pcm(24_000).unwrap(), 960),
            (Format::pcm(48_000).unwrap(), 1_920),
        ];
        for (format, bytes) in formats {
            let (mut ear, mut frames) = (Ear::new(format).unwrap(), 0);
            for count in 1..=10 {
                ear.hear(None, &vec![0; bytes], |_| frames += 1).unwrap();
                assert_eq!(frames, count, "{format:?}");
            }
        }
    }

    #[test]
    fn half_samples_and_more_than_a_message_may_carry_are_refused() {
        let mut ear = Ear::new(Format::pcm(16_000).unwrap()).unwrap();
        assert_eq!(ear.hear(None, &[0; 3], |_| ()), Err(Fault::Odd));
        assert_eq!(ear.hear(None, &vec![0; 64_002], |_| ()), Err(Fault::TooLong));
        assert_eq!(Ear::new(Format::ULAW).unwrap().hear(None, &vec![0; 16_001], |_| ()), Err(Fault::TooLong));
    }
    #[test]
    fn opus_is_heard_packet_by_packet_and_nonsense_is_refused() {
        let (mut encoder, mut packet) = (OpusEncoder::new(SampleRate::HZ_24000).unwrap(), Vec::new());
        let (mut ear, mut frames) = (Ear::new(Format::Opus).unwrap(), 0);
        for count in 1..=5 {
            packet.clear();
            encoder.encode(&[1_000; 480], &mut packet).unwrap();
            ear.hear(None, &packet, |_| frames += 1).unwrap();
            assert_eq!(frames, count);
        }
        assert_eq!(ear.hear(None, &[], |_| ()), Err(Fault::Packet));
        assert_eq!(ear.hear(None, &[0xff; 7_651], |_| ()), Err(Fault::TooLong));
    }
}
