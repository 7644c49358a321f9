//! A stream written as a straight-line async function.
//!
//! The function runs only while its stream is polled and at most one item ahead of the reader, so back-pressure and
//! cancelling by drop need no further thought. It owns no task: dropping the stream drops the function where it waits.

use std::{future::Future, pin::pin, task::Poll};

use futures_util::{
    FutureExt, StreamExt,
    stream::{self, BoxStream},
};
use tokio::sync::mpsc;

use crate::ProviderError;

/// Where the function puts its items.
pub(crate) struct Outlet<T>(mpsc::Sender<Result<T, ProviderError>>);

impl<T> Outlet<T> {
    /// Waits until the reader has taken the item before this one.
    pub(crate) async fn give(&self, item: T) {
        // The receiver lives in the same stream as the caller, so the send cannot find it gone.
        let _ = self.0.send(Ok(item)).await;
    }
}

/// The stream of what `write` gives; its error, if any, comes last.
pub(crate) fn generate<T, F>(write: impl FnOnce(Outlet<T>) -> F) -> BoxStream<'static, Result<T, ProviderError>>
where
    T: Send + 'static,
    F: Future<Output = Result<(), ProviderError>> + Send + 'static,
{
    let (sender, mut receiver) = mpsc::channel(1);
    let outlet = Outlet(sender);
    let mut writing = Box::pin(write(outlet).fuse());
    let mut failure = None;
    stream::poll_fn(move |context| {
        if let Poll::Ready(Err(error)) = pin!(&mut writing).poll(context) {
            failure = Some(error);
        }
        match receiver.poll_recv(context) {
            Poll::Ready(None) => Poll::Ready(failure.take().map(Err)),
            Poll::Ready(item) => Poll::Ready(item),
            Poll::Pending => Poll::Pending,
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
