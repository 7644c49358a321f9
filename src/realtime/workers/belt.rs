//! Frames on their way to one provider: a bounded queue that has room for what waits, not for the most that may.
//!
//! A channel takes memory by 32 entries, twice at least: 40 KB a turn for the frame or two that are on their way.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
    time::Instant,
};

use audio::Frame;
use futures_util::Stream;
use tokio::sync::Notify;

/// A frame, and when it came if its way is to be measured.
pub(super) type Fresh = (Frame, Option<Instant>);

/// Room that is kept: a client's message has a frame, or five.
const KEPT: usize = 8;

/// The end that frames are put on. Dropping it ends the stream after them.
pub(super) struct Loader(Arc<Belt>);

/// The end that frames are taken from.
pub(super) struct Taker(Arc<Belt>);

/// Why a frame was not taken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Refused {
    /// As many wait as may. Nothing is dropped: whoever loads waits for [`Loader::room`].
    Full,
    /// Nobody will take any.
    Abandoned,
}

struct Belt {
    most: usize,
    /// Guarded for the length of a copy, and between two tasks at most.
    state: Mutex<State>,
    room: Notify,
}

#[derive(Default)]
struct State {
    frames: VecDeque<Fresh>,
    taker: Option<Waker>,
    ended: bool,
    abandoned: bool,
}

/// A belt that holds at most so many frames.
pub(super) fn belt(most: usize) -> (Loader, Taker) {
    let belt = Arc::new(Belt { most, state: Mutex::default(), room: Notify::new() });
    (Loader(Arc::clone(&belt)), Taker(belt))
}

impl Loader {
    /// Puts a frame on.
    pub(super) fn load(&self, frame: Fresh) -> Result<(), Refused> {
        let mut state = self.0.lock();
        if state.abandoned {
            return Err(Refused::Abandoned);
        }
        if state.frames.len() >= self.0.most {
            return Err(Refused::Full);
        }
        state.frames.push_back(frame);
        let taker = state.taker.take();
        drop(state);
        taker.into_iter().for_each(Waker::wake);
        Ok(())
    }

    /// How many wait.
    pub(super) fn waiting(&self) -> usize {
        self.0.lock().frames.len()
    }

    /// Whether no more are taken for now.
    pub(super) fn is_full(&self) -> bool {
        let state = self.0.lock();
        !state.abandoned && state.frames.len() >= self.0.most
    }

    /// Waits until there is room; whoever is gone has room for anything.
    pub(super) async fn room(&self) {
        loop {
            let room = self.0.room.notified();
            if !self.is_full() {
                return;
            }
            room.await;
        }
    }
}

impl Drop for Loader {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.ended = true;
        let taker = state.taker.take();
        drop(state);
        taker.into_iter().for_each(Waker::wake);
    }
}

impl Stream for Taker {
    type Item = Fresh;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Fresh>> {
        let mut state = self.0.lock();
        let Some(frame) = state.frames.pop_front() else {
            if state.ended {
                return Poll::Ready(None);
            }
            state.taker = Some(context.waker().clone());
            return Poll::Pending;
        };
        if state.frames.is_empty() {
            state.frames.shrink_to(KEPT);
        }
        drop(state);
        self.0.room.notify_waiters();
        Poll::Ready(Some(frame))
    }
}

impl Drop for Taker {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.abandoned = true;
        state.frames = VecDeque::new();
        drop(state);
        self.0.room.notify_waiters();
    }
}

impl Belt {
    /// Nothing that is done under the lock can panic half way.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt, StreamExt};

    use super::*;

    fn frame(mark: i16) -> Fresh {
        (Frame([mark; Frame::SAMPLES]), None)
    }

    fn taken(taker: &mut Taker) -> Option<Option<i16>> {
        Some(taker.next().now_or_never()?.map(|(frame, _)| frame.samples()[0]))
    }

    #[test]
    fn frames_come_in_order_up_to_the_end() {
        let (loader, mut taker) = belt(200);
        assert_eq!(taken(&mut taker), None);
        (0..100).for_each(|mark| loader.load(frame(mark)).unwrap());
        drop(loader);
        (0..100).for_each(|mark| assert_eq!(taken(&mut taker), Some(Some(mark))));
        assert_eq!(taken(&mut taker), Some(None));
    }

    #[test]
    fn a_full_belt_takes_no_more_until_there_is_room_and_keeps_little_once_it_is_empty() {
        let (loader, mut taker) = belt(100);
        (0..100).for_each(|mark| loader.load(frame(mark)).unwrap());
        assert_eq!(loader.load(frame(0)), Err(Refused::Full));
        assert!(loader.is_full());
        let mut room = Box::pin(loader.room());
        assert_eq!(room.as_mut().now_or_never(), None);
        assert_eq!(taken(&mut taker), Some(Some(0)));
        assert_eq!(room.now_or_never(), Some(()));
        assert_eq!(loader.waiting(), 99);
        (1..100).for_each(|_| assert!(taken(&mut taker).is_some()));
        assert!(loader.0.lock().frames.capacity() <= KEPT);
    }

    #[tokio::test]
    async fn whoever_waits_is_woken_by_a_frame_by_the_end_and_by_room() {
        let (loader, mut taker) = belt(1);
        let taking = tokio::spawn(async move {
            let mut marks = Vec::new();
            while let Some((frame, _)) = taker.next().await {
                marks.push(frame.samples()[0]);
            }
            marks
        });
        for mark in 0..50 {
            loader.room().await;
            loader.load(frame(mark)).unwrap();
            tokio::task::yield_now().await;
        }
        drop(loader);
        assert_eq!(taking.await.unwrap(), (0..50).collect::<Vec<_>>());
    }

    #[test]
    fn nobody_waits_for_a_taker_that_is_gone() {
        let (loader, taker) = belt(1);
        loader.load(frame(0)).unwrap();
        drop(taker);
        assert_eq!(loader.room().now_or_never(), Some(()));
        assert_eq!(loader.load(frame(1)), Err(Refused::Abandoned));
    }
}
