//! What a request is made of, kept so that another attempt can have it from its start.
//!
//! A bounded number of items is kept; what outgrows that passes through, and cannot be had again.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use futures_util::{
    StreamExt,
    stream::{self, BoxStream},
};

/// The items so far, and where the rest comes from. Cheap to clone.
pub(super) struct Tape<T>(Arc<Mutex<Reel<T>>>);

struct Reel<T> {
    source: BoxStream<'static, T>,
    kept: VecDeque<T>,
    /// Items that may be kept.
    most: usize,
    /// Nothing was dropped, nor will be once it is read.
    whole: bool,
    /// Items dropped, or passed through.
    gone: usize,
    ended: bool,
}

impl<T> Clone for Tape<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Clone + Send + 'static> Tape<T> {
    /// Keeps up to `most` items of the source.
    pub(super) fn new(source: BoxStream<'static, T>, most: usize) -> Self {
        let reel = Reel { source, kept: VecDeque::new(), most, whole: true, gone: 0, ended: false };
        Self(Arc::new(Mutex::new(reel)))
    }

    /// Whether all items can still be had.
    pub(super) fn is_whole(&self) -> bool {
        self.reel().whole
    }

    /// Keeps only what its reader has still to see.
    pub(super) fn forget(&self) {
        self.reel().whole = false;
    }

    /// All items from the first. One reader at a time: the source wakes only the last that polled it.
    pub(super) fn replay(&self) -> BoxStream<'static, T> {
        let tape = self.clone();
        let mut at = 0;
        let items = stream::poll_fn(move |context| {
            let polled = tape.reel().poll(at, context);
            at += usize::from(matches!(polled, Poll::Ready(Some(_))));
            polled
        });
        items.boxed()
    }

    fn reel(&self) -> MutexGuard<'_, Reel<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Clone> Reel<T> {
    fn poll(&mut self, at: usize, context: &mut Context<'_>) -> Poll<Option<T>> {
        if !self.whole {
            self.drop_before(at);
        }
        if let Some(item) = self.kept.get(at.saturating_sub(self.gone)) {
            return Poll::Ready(Some(item.clone()));
        }
        if self.ended {
            return Poll::Ready(None);
        }
        let polled = self.source.poll_next_unpin(context);
        match &polled {
            Poll::Ready(Some(item)) => {
                self.whole &= self.kept.len() < self.most;
                if self.whole {
                    self.kept.push_back(item.clone());
                } else {
                    self.drop_before(at);
                    self.gone += 1;
                }
            }
            Poll::Ready(None) => self.ended = true,
            Poll::Pending => {}
        }
        polled
    }

    fn drop_before(&mut self, at: usize) {
        let read = at.saturating_sub(self.gone).min(self.kept.len());
        self.kept.drain(..read);
        self.gone += read;
        if self.kept.is_empty() {
            self.kept = VecDeque::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn items_are_had_again_from_the_first_until_there_are_too_many() {
        let tape = Tape::new(stream::iter(0..9).boxed(), 5);
        assert_eq!(tape.replay().take(3).collect::<Vec<_>>().await, [0, 1, 2]);
        assert_eq!(tape.replay().take(5).collect::<Vec<_>>().await, [0, 1, 2, 3, 4]);
        assert!(tape.is_whole());
        assert_eq!(tape.replay().collect::<Vec<_>>().await, (0..9).collect::<Vec<_>>());
        assert!(!tape.is_whole());
    }

    #[tokio::test]
    async fn what_is_forgotten_still_comes_to_who_has_not_seen_it() {
        let tape = Tape::new(stream::iter(0..9).boxed(), 9);
        assert_eq!(tape.replay().take(4).count().await, 4);
        let mut reader = tape.replay();
        assert_eq!((reader.next().await, reader.next().await), (Some(0), Some(1)));
        tape.forget();
        assert!(!tape.is_whole());
        assert_eq!(reader.next().await, Some(2));
        assert_eq!(tape.reel().kept, [2, 3]);
        assert_eq!(reader.next().await, Some(3));
        assert_eq!(reader.next().await, Some(4));
        assert!(tape.reel().kept.is_empty());
        assert_eq!(reader.collect::<Vec<_>>().await, [5, 6, 7, 8]);
    }
}
