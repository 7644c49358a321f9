//! A stream written as a straight-line async function.
//!
//! The function runs only while its stream is polled and at most one item ahead of the reader, so back-pressure and
//! cancelling by drop need no further thought. It owns no task: dropping the stream drops the function where it waits.

use std::{
    future::Future,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    task::Poll,
};

use futures_util::{
    FutureExt, StreamExt,
    future::FusedFuture,
    stream::{self, BoxStream},
};
use tokio::sync::Semaphore;

use crate::ProviderError;

/// Where the function puts its items.
pub(crate) struct Outlet<T>(Arc<Slot<T>>);

/// One item between the writer and the reader. A channel would set memory for 32 aside, and a call has several streams.
struct Slot<T> {
    room: Semaphore,
    item: Mutex<Option<T>>,
}

impl<T> Slot<T> {
    fn set(&self, item: Option<T>) -> Option<T> {
        std::mem::replace(&mut *self.item.lock().unwrap_or_else(PoisonError::into_inner), item)
    }
}

impl<T> Outlet<T> {
    /// Waits until the reader has taken the item before this one.
    pub(crate) async fn give(&self, item: T) {
        // The slot is never closed.
        if let Ok(room) = self.0.room.acquire().await {
            room.forget();
            self.0.set(Some(item));
        }
    }
}

/// The stream of what `write` gives; its error, if any, comes last.
pub(crate) fn generate<T, F>(write: impl FnOnce(Outlet<T>) -> F) -> BoxStream<'static, Result<T, ProviderError>>
where
    T: Send + 'static,
    F: Future<Output = Result<(), ProviderError>> + Send + 'static,
{
    let slot = Arc::new(Slot { room: Semaphore::new(1), item: Mutex::new(None) });
    let mut writing = Box::pin(write(Outlet(Arc::clone(&slot))).fuse());
    let mut failure = None;
    stream::poll_fn(move |context| {
        if let Poll::Ready(Err(error)) = pin!(&mut writing).poll(context) {
            failure = Some(error);
        }
        match slot.set(None) {
            Some(item) => {
                slot.room.add_permits(1);
                Poll::Ready(Some(Ok(item)))
            }
            None if writing.is_terminated() => Poll::Ready(failure.take().map(Err)),
            None => Poll::Pending,
        }
    })
    .boxed()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[tokio::test]
    async fn items_come_in_order_and_the_error_last() {
        let stream = generate(|out| async move {
            for n in 0..3 {
                out.give(n).await;
            }
            Err(ProviderError::new("test", ErrorKind::Timeout, "late"))
        });
        let items: Vec<_> = stream.collect().await;
        assert_eq!(items[..3], [Ok(0), Ok(1), Ok(2)]);
        assert_eq!(items[3].as_ref().map_err(|error| error.kind), Err(ErrorKind::Timeout));
        assert_eq!(items.len(), 4);
    }

    #[tokio::test]
    async fn the_writer_stays_one_item_ahead() {
        let (seen, written) = std::sync::mpsc::channel();
        let mut stream = generate(|out| async move {
            for n in 0..10 {
                out.give(n).await;
                let _ = seen.send(n);
            }
            Ok(())
        });
        assert_eq!(stream.next().await, Some(Ok(0)));
        assert!(written.try_iter().count() <= 2);
    }

    #[tokio::test]
    async fn waiting_inside_the_writer_does_not_hold_items_back() {
        let mut stream = generate(|out| async move {
            out.give(1).await;
            std::future::pending::<()>().await;
            Ok(())
        });
        assert_eq!(stream.next().await, Some(Ok(1)));
        assert!(stream.next().now_or_never().is_none());
    }
}
