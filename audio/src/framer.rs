//! Cuts a stream at 16 kHz into [`Frame`]s, whatever the size of the chunks it arrives in.

use std::time::Duration;

use crate::Frame;

/// Collects samples until a frame is full. Counts positions in the stream; holds one partial frame at most.
#[derive(Clone, Debug)]
pub struct Framer {
    partial: Frame,
    filled: usize,
    frames: u64,
}

impl Framer {
    /// A framer at the beginning of a stream.
    pub const fn new() -> Self {
        Self { partial: Frame::SILENCE, filled: 0, frames: 0 }
    }

    /// Takes samples at [`Frame::RATE`] and calls `each` with every frame they complete and the position in the
    /// stream where it ends.
    pub fn push(&mut self, mut samples: &[i16], mut each: impl FnMut(Duration, &Frame)) {
        while !samples.is_empty() {
            let room = &mut self.partial.0[self.filled..];
            let (head, rest) = samples.split_at(samples.len().min(room.len()));
            room[..head.len()].copy_from_slice(head);
            self.filled += head.len();
            samples = rest;
            if self.filled == Frame::SAMPLES {
                self.complete(&mut each);
            }
        }
    }

    /// Completes a partial frame with silence, for streams that end or a buffer committed early. Nothing happens
    /// between frames.
    pub fn flush(&mut self, mut each: impl FnMut(Duration, &Frame)) {
        if self.filled > 0 {
            self.partial.0[self.filled..].fill(0);
            self.complete(&mut each);
        }
    }

    /// Where the last whole frame ended in the stream.
    pub fn position(&self) -> Duration {
        at(self.frames)
    }

    /// How much of a frame waits for the rest.
    pub const fn partial(&self) -> Duration {
        Frame::RATE.duration_of(self.filled)
    }

    fn complete(&mut self, each: &mut impl FnMut(Duration, &Frame)) {
        self.filled = 0;
        self.frames += 1;
        each(at(self.frames), &self.partial);
    }
}

impl Default for Framer {
    fn default() -> Self {
        Self::new()
    }
}

/// Where the first `frames` of a stream end.
pub(crate) const fn at(frames: u64) -> Duration {
    Duration::from_millis(frames * Frame::DURATION.as_millis() as u64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_chunking_gives_the_same_frames_at_the_same_positions(
            chunks in prop::collection::vec(prop::collection::vec(any::<i16>(), 0..900), 0..12),
        ) {
            let all: Vec<i16> = chunks.concat();
            let (mut framer, mut samples, mut ends) = (Framer::new(), Vec::new(), Vec::new());
            for chunk in &chunks {
                framer.push(chunk, |end, frame| { samples.extend_from_slice(frame.samples()); ends.push(end); });
            }
            let whole = all.len() / Frame::SAMPLES;
            prop_assert_eq!(&samples[..], &all[..whole * Frame::SAMPLES]);
            prop_assert_eq!(ends, (1..=whole as u64).map(at).collect::<Vec<_>>());
            prop_assert_eq!(framer.position(), at(whole as u64));
            prop_assert_eq!(framer.partial(), Frame::RATE.duration_of(all.len() % Frame::SAMPLES));
        }
    }

    #[test]
    fn flushing_completes_a_partial_frame_with_silence_and_leaves_a_whole_one_alone() {
        let (mut framer, mut frames) = (Framer::new(), Vec::new());
        framer.push(&[7; 321], |_, frame| frames.push(*frame));
        framer.push(&[9; 1], |_, frame| frames.push(*frame));
        framer.flush(|end, frame| {
            assert_eq!(end, Duration::from_millis(40));
            frames.push(*frame);
        });
        framer.flush(|_, _| panic!("nothing is left"));
        assert_eq!(frames[1].samples()[..4], [7, 9, 0, 0]);
        assert_eq!(frames[1].samples()[4..], [0; 316]);
    }
}
