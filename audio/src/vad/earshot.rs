//! The neural network: hops of 256 samples cut from frames of 320.

use std::time::Duration;

use super::Hop;
use crate::{Frame, Level};

/// One stream's network state and the samples that do not make a hop yet.
pub(super) struct Earshot {
    network: ::earshot::Detector,
    partial: [i16; HOP],
    filled: usize,
}

impl Earshot {
    /// Scores the hops completed by the frame that ends at `end`: one, or two every fourth time.
    pub(super) fn hear(&mut self, end: Duration, frame: &Frame, mut each: impl FnMut(Hop)) {
        let mut samples = &frame.samples()[..];
        while !samples.is_empty() {
            let room = &mut self.partial[self.filled..];
            let (head, rest) = samples.split_at(samples.len().min(room.len()));
            room[..head.len()].copy_from_slice(head);
            self.filled += head.len();
            samples = rest;
            if self.filled == HOP {
                self.filled = 0;
                let end = end - Frame::RATE.duration_of(rest.len());
                let score = self.network.predict_i16(&self.partial);
                let level = Level::of(&self.partial).rms;
                each(Hop { start: end.saturating_sub(Frame::RATE.duration_of(HOP)), end, score, level });
            }
        }
    }

    pub(super) fn reset(&mut self) {
        self.network.reset();
        self.filled = 0;
        self.settle();
    }

    /// Lets a fresh network hear a quiet room: from nothing or from digital silence, any steady noise would be
    /// speech to it for half a second.
    fn settle(&mut self) {
        let mut seed = 1_u32;
        for _ in 0..SETTLING {
            let hop: [i16; HOP] = std::array::from_fn(|_| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (seed >> 16) as i16 / ROOM
            });
            self.network.predict_i16(&hop);
        }
    }
}

impl Default for Earshot {
    fn default() -> Self {
        let mut fresh = Self { network: ::earshot::Detector::default(), partial: [0; HOP], filled: 0 };
        fresh.settle();
        fresh
    }
}

/// Samples the network takes at a time: 16 ms.
const HOP: usize = 256;
/// Hops of a quiet room at the beginning of a stream: 0.15 ms of work. More changes nothing.
const SETTLING: usize = 20;
/// Divides full-scale noise down to −55 dBFS. Tried from −85 to −35: here most noise is noise from its beginning.
const ROOM: i16 = 328;
