//! Frames of the microphone on their way to the driver: a wait-free ring between two tasks.
//!
//! A channel takes memory by 32 entries, twice at least: 40 KB a call for the frame that is on its way.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{Ordering, fence},
    },
    task::{Context, Poll},
};

use audio::Frame;
use futures_util::{Stream, task::AtomicWaker};
use rtrb::{Consumer, Producer, RingBuffer};

/// Frames the session may be behind: 320 ms. Overflow rule: the newest is lost, and counted.
const BEHIND: usize = 16;

/// The end that frames are put on. Dropping it ends the stream after them.
pub(super) struct Sender {
    ring: Producer<Frame>,
    /// Dropped after the ring, so that whoever it wakes sees that.
    bell: Bell,
}

/// The end that frames are taken from.
pub(super) struct Receiver {
    ring: Consumer<Frame>,
    bell: Arc<AtomicWaker>,
}

struct Bell(Arc<AtomicWaker>);

/// A way for frames.
pub(super) fn channel() -> (Sender, Receiver) {
    let (producer, consumer) = RingBuffer::new(BEHIND);
    let bell = Arc::new(AtomicWaker::new());
    (Sender { ring: producer, bell: Bell(Arc::clone(&bell)) }, Receiver { ring: consumer, bell })
}

impl Sender {
    /// Sends a frame; false if it is lost because too many wait for a driver that is still there.
    pub(super) fn send(&mut self, frame: &Frame) -> bool {
        let sent = self.ring.push(*frame).is_ok();
        self.bell.0.wake();
        sent || self.ring.is_abandoned()
    }
}

impl Drop for Bell {
    fn drop(&mut self) {
        self.0.wake();
    }
}

impl Stream for Receiver {
    type Item = Frame;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Frame>> {
        self.bell.register(context.waker());
        match self.ring.pop() {
            Ok(frame) => Poll::Ready(Some(frame)),
            Err(_) if self.ring.is_abandoned() => {
                // What was put on before it was dropped is seen from here on.
                fence(Ordering::Acquire);
                Poll::Ready(self.ring.pop().ok())
            }
            Err(_) => Poll::Pending,
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt, StreamExt};

    use super::*;

    #[tokio::test]
    async fn frames_come_in_order_and_end_with_their_sender() {
        let (mut sender, mut receiver) = channel();
        assert!(receiver.next().now_or_never().is_none());
        let sending = tokio::task::spawn_blocking(move || {
            for number in 0..1_000 {
                while !sender.send(&Frame([number; Frame::SAMPLES])) {
                    std::thread::yield_now();
                }
            }
        });
        for number in 0..1_000 {
            assert_eq!(receiver.next().await.map(|frame| frame.0[0]), Some(number));
        }
        assert!(receiver.next().await.is_none());
        sending.await.unwrap();
    }

    #[test]
    fn a_driver_that_stands_still_loses_the_newest() {
        let (mut sender, mut receiver) = channel();
        let sent = (0..20).filter(|number| sender.send(&Frame([*number; Frame::SAMPLES]))).count();
        assert_eq!(sent, BEHIND);
        assert_eq!(receiver.next().now_or_never().flatten().map(|frame| frame.0[0]), Some(0));
        drop(receiver);
        assert!(sender.send(&Frame([0; Frame::SAMPLES])), "nobody misses it");
    }
}
