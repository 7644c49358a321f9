//! The sound of utterances, kept until a speech-to-speech model has it for good.

use std::collections::VecDeque;

use audio::Frame;

use crate::realtime::session::ids::ItemId;

/// Most frames of all utterances together: 2 minutes, 3.8 MB. Of longer ones a model that has to be called anew hears the
/// end only.
pub(super) const KEPT: usize = 2 * 60 * 50;

/// Utterances that may become items, oldest first; the last one may be under way.
#[derive(Default)]
pub(super) struct Tapes(VecDeque<Tape>);

/// One utterance.
pub(super) struct Tape {
    pub(super) item: ItemId,
    pub(super) frames: Vec<Frame>,
}

impl Tapes {
    /// An utterance begins.
    pub(super) fn begin(&mut self, item: ItemId) {
        self.0.push_back(Tape { item, frames: Vec::new() });
    }

    /// The next 20 ms of the last one, whose item is returned.
    pub(super) fn hear(&mut self, frame: Frame) -> Option<ItemId> {
        let tape = self.0.back_mut()?;
        tape.frames.push(frame);
        let item = tape.item.clone();
        self.bound();
        Some(item)
    }

    /// The last one never was.
    pub(super) fn drop_last(&mut self) -> Option<ItemId> {
        self.0.pop_back().map(|tape| tape.item)
    }

    /// Whether this item's sound is there.
    pub(super) fn has(&self, item: &ItemId) -> bool {
        self.0.iter().any(|tape| tape.item == *item)
    }

    /// This item's sound, which is not kept any longer.
    pub(super) fn take(&mut self, item: &ItemId) -> Option<Tape> {
        let at = self.0.iter().position(|tape| tape.item == *item)?;
        self.0.remove(at)
    }

    /// The last utterance.
    pub(super) fn last(&self) -> Option<&Tape> {
        self.0.back()
    }

    /// Keeps the last one alone.
    pub(super) fn keep_last(&mut self) {
        self.0.drain(..self.0.len().saturating_sub(1));
    }

    /// Keeps none.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The oldest utterance goes first, and of a single one its beginning.
    fn bound(&mut self) {
        while self.0.iter().map(|tape| tape.frames.len()).sum::<usize>() > KEPT {
            if self.0.len() > 1 {
                self.0.pop_front();
            } else if let Some(tape) = self.0.front_mut() {
                tape.frames.drain(..tape.frames.len() - KEPT / 2);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_bounded_and_the_newest_sound_stays() {
        let mut tapes = Tapes::default();
        for (number, frames) in [(0, KEPT), (1, 10), (2, 3 * KEPT)] {
            tapes.begin(ItemId::new(format!("item_{number}")));
            for at in 0..frames {
                tapes.hear(Frame([i16::try_from(at % 1_000).unwrap(); Frame::SAMPLES]));
            }
            let kept: usize = tapes.0.iter().map(|tape| tape.frames.len()).sum();
            assert!(kept <= KEPT, "{kept}");
        }
        assert!(!tapes.has(&ItemId::new("item_0")) && !tapes.has(&ItemId::new("item_1")));
        let last = tapes.last().unwrap();
        assert!(last.frames.len() >= KEPT / 2);
        let newest = i16::try_from((3 * KEPT - 1) % 1_000).unwrap();
        assert_eq!(last.frames.last().unwrap().samples()[0], newest);
    }
}
