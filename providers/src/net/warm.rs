//! Connections opened before they are needed, so that a turn does not wait for a handshake.
//!
//! When a turn's connection is done with, another is opened for the next turn that asks for the same; whoever takes it gets
//! it even if it is still on its way. One is kept for each thing asked for, a few in all, and none for longer than its
//! vendor lets connections idle. They end with the adapter, or with its last turn if that outlives it, and so do not
//! outlive its key.

use std::{
    collections::VecDeque,
    fmt,
    future::Future,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::{FutureExt, future::BoxFuture};
use tokio::{runtime::Handle, sync::Notify, task::JoinHandle, time::sleep};

use super::ws::{Received, Receiver, Sender};
use crate::ProviderError;

/// A connection.
pub(crate) type Link = (Sender, Receiver);

/// How a vendor treats connections on which nothing is said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Terms {
    /// How long to keep one: less than the vendor would.
    pub(crate) keep: Duration,
    /// What to send, and how often, for a sign of life.
    pub(crate) sign: Option<(Duration, &'static str)>,
}

/// The connections kept by one adapter.
pub(crate) struct Spares {
    /// `None`: nothing is opened early.
    terms: Option<Terms>,
    kept: Mutex<VecDeque<Spare>>,
}

/// Opens a connection for the next turn when dropped, at the end of this one.
pub(crate) struct Next {
    spares: Arc<Spares>,
    key: String,
    open: Arc<dyn Fn() -> BoxFuture<'static, Result<Link, ProviderError>> + Send + Sync>,
}

struct Spare {
    key: String,
    taken: Arc<Notify>,
    task: Task,
}

/// Ends with its owner.
struct Task(JoinHandle<Option<Link>>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Spares {
    /// Keeps connections on these terms; on none, only opens them.
    pub(crate) fn new(terms: Option<Terms>) -> Arc<Self> {
        Arc::new(Self { terms, kept: Mutex::default() })
    }

    /// The connection for what `key` names: kept, or opened now. `open` must give the same for the same key.
    ///
    /// # Errors
    ///
    /// Those of `open`.
    pub(crate) async fn link<F>(
        self: &Arc<Self>,
        key: String,
        open: impl Fn() -> F + Send + Sync + 'static,
    ) -> Result<(Link, Next), ProviderError>
    where
        F: Future<Output = Result<Link, ProviderError>> + Send + 'static,
    {
        let link = match self.take(&key).await {
            Some(link) => link,
            None => open().await?,
        };
        Ok((link, Next { spares: self.clone(), key, open: Arc::new(move || open().boxed()) }))
    }

    async fn take(&self, key: &str) -> Option<Link> {
        let mut spare = {
            let mut kept = self.kept();
            let at = kept.iter().position(|spare| spare.key == key)?;
            kept.remove(at)?
        };
        spare.taken.notify_one();
        (&mut spare.task.0).await.ok().flatten()
    }

    fn open(&self, key: &str, opening: BoxFuture<'static, Result<Link, ProviderError>>) {
        // At the end of the process there may be no runtime.
        let (Some(terms), Ok(runtime)) = (self.terms, Handle::try_current()) else { return };
        let mut kept = self.kept();
        kept.retain(|spare| !spare.task.0.is_finished());
        if kept.iter().any(|spare| spare.key == key) {
            return;
        }
        let taken = Arc::new(Notify::new());
        let task = Task(runtime.spawn(keep(opening, terms, taken.clone())));
        kept.push_back(Spare { key: key.to_owned(), taken, task });
        if kept.len() > MOST {
            kept.pop_front();
        }
    }

    fn kept(&self) -> MutexGuard<'_, VecDeque<Spare>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Next {
    fn drop(&mut self) {
        if self.spares.terms.is_some() {
            self.spares.open(&self.key, (self.open)());
        }
    }
}

impl fmt::Debug for Spares {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Spares({:?}, {} kept)", self.terms, self.kept().len())
    }
}

/// Holds a connection until it is taken, it ends, or its time is over. What comes meanwhile is kept with it.
async fn keep(
    opening: BoxFuture<'static, Result<Link, ProviderError>>,
    terms: Terms,
    taken: Arc<Notify>,
) -> Option<Link> {
    let opened = opening.await.inspect_err(|error| tracing::debug!(%error, "no connection for the next turn"));
    let (mut sender, mut receiver) = opened.ok()?;
    let mut over = pin!(sleep(terms.keep));
    let mut early = VecDeque::new();
    loop {
        let quiet = terms.sign.map_or(terms.keep, |(every, _)| every);
        tokio::select! { biased;
            () = taken.notified() => {
                receiver.precede(early);
                return Some((sender, receiver));
            }
            () = &mut over => {
                sender.leave();
                return None;
            }
            received = receiver.next() => match received.ok()? {
                Received::Closed(..) => return None,
                Received::Text(_) | Received::Binary(_) if early.len() == EARLY => return None,
                received @ (Received::Text(_) | Received::Binary(_)) => early.push_back(received),
            },
            () = sleep(quiet), if terms.sign.is_some() => {
                let (_, message) = terms.sign?;
                sender.text(message).await.ok()?;
            }
        }
    }
}

/// Kept at once by one adapter: as many languages and voices as are in use in turns.
const MOST: usize = 4;
/// Messages that may come on an idle connection: greetings, settings, pings of the vendor's own.
const EARLY: usize = 64;

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures_util::{SinkExt, StreamExt};
    use reqwest::{Url, header::HeaderMap};
    use tokio::{net::TcpListener, time::timeout};
    use tokio_tungstenite::{accept_async, tungstenite::Message};

    use super::*;
    use crate::net::ws;

    const TERMS: Terms = Terms { keep: Duration::from_secs(60), sign: None };

    /// Counts who comes and who is there, greets with the number, and repeats what it is told.
    struct Server {
        url: Url,
        opened: Arc<AtomicUsize>,
        open: Arc<AtomicUsize>,
    }

    async fn server() -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = ws::endpoint(&format!("http://{}", listener.local_addr().unwrap()), "x").unwrap();
        let (opened, open) = <(Arc<AtomicUsize>, Arc<AtomicUsize>)>::default();
        let (come, there) = (opened.clone(), open.clone());
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (come, there) = (come.clone(), there.clone());
                tokio::spawn(async move {
                    let mut socket = accept_async(socket).await.unwrap();
                    let number = come.fetch_add(1, Ordering::SeqCst) + 1;
                    there.fetch_add(1, Ordering::SeqCst);
                    socket.send(Message::text(number.to_string())).await.unwrap();
                    while let Some(Ok(message)) = socket.next().await {
                        if message.is_text() {
                            socket.send(message).await.unwrap();
                        }
                    }
                    there.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Server { url, opened, open }
    }

    impl Server {
        async fn link(&self, spares: &Arc<Spares>, key: &str) -> (Link, Next) {
            let url = self.url.clone();
            let open = move || {
                let url = url.clone();
                async move { ws::connect("test", &url, HeaderMap::new(), |_, _| String::new()).await }
            };
            spares.link(key.to_owned(), open).await.unwrap()
        }

        async fn reaches(&self, opened: usize, open: usize) {
            let there = async {
                while self.opened.load(Ordering::SeqCst) != opened || self.open.load(Ordering::SeqCst) != open {
                    tokio::task::yield_now().await;
                }
            };
            let reached = timeout(Duration::from_secs(10), there).await;
            assert!(reached.is_ok(), "{:?} opened, {:?} open", self.opened, self.open);
        }
    }

    async fn heard(receiver: &mut Receiver) -> String {
        match timeout(Duration::from_secs(10), receiver.next()).await.unwrap().unwrap() {
            Received::Text(text) => text.to_string(),
            other @ (Received::Binary(_) | Received::Closed(..)) => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn the_second_turn_pays_no_handshake_and_misses_no_message() {
        let (server, spares) = (server().await, Spares::new(Some(TERMS)));
        let ((_, mut receiver), next) = server.link(&spares, "a").await;
        assert_eq!(heard(&mut receiver).await, "1");
        assert_eq!(server.opened.load(Ordering::SeqCst), 1, "nothing is opened while a turn is under way");
        drop((receiver, next));
        server.reaches(2, 1).await;
        let ((mut sender, mut receiver), next) = server.link(&spares, "a").await;
        assert_eq!(server.opened.load(Ordering::SeqCst), 2, "the one that waited is taken");
        assert_eq!(heard(&mut receiver).await, "2", "what it was greeted with");
        sender.text("hello").await.unwrap();
        assert_eq!(heard(&mut receiver).await, "hello");
        drop(((sender, receiver), next));
        server.reaches(3, 1).await;
        drop(spares);
        server.reaches(3, 0).await;
    }

    #[tokio::test]
    async fn who_asks_for_something_else_gets_another_and_few_are_kept() {
        let (server, spares) = (server().await, Spares::new(Some(TERMS)));
        for key in ["a", "b", "c", "d", "e", "e"] {
            drop(server.link(&spares, key).await);
        }
        // Five that were asked for and five that waited, of which one was taken and replaced, and one made room.
        server.reaches(11, MOST).await;
        assert_eq!(format!("{spares:?}"), format!("Spares(Some({TERMS:?}), {MOST} kept)"));
        drop(server.link(&spares, "a").await);
        server.reaches(13, MOST).await;
    }

    #[tokio::test]
    async fn one_that_waits_too_long_or_is_lost_is_replaced() {
        let (server, spares) =
            (server().await, Spares::new(Some(Terms { keep: Duration::from_millis(50), sign: None })));
        drop(server.link(&spares, "a").await);
        server.reaches(2, 0).await;
        let ((_, mut receiver), _next) = server.link(&spares, "a").await;
        assert_eq!(heard(&mut receiver).await, "3");
    }

    #[tokio::test]
    async fn signs_of_life_are_given() {
        let terms = Terms { sign: Some((Duration::from_millis(20), "alive")), ..TERMS };
        let (server, spares) = (server().await, Spares::new(Some(terms)));
        drop(server.link(&spares, "a").await);
        server.reaches(2, 1).await;
        sleep(Duration::from_millis(100)).await;
        let ((_, mut receiver), _next) = server.link(&spares, "a").await;
        assert_eq!((heard(&mut receiver).await, heard(&mut receiver).await), ("2".into(), "alive".into()));
    }

    #[tokio::test]
    async fn nothing_is_kept_without_terms_and_no_task_outlives_its_owner() {
        let tasks = || Handle::current().metrics().num_alive_tasks();
        let server = server().await;
        let before = tasks();
        for terms in [None, Some(TERMS)] {
            let spares = Spares::new(terms);
            let turn = server.link(&spares, "a").await;
            // The adapter goes first.
            drop(spares);
            drop(turn);
            let settled = async {
                while tasks() > before || server.open.load(Ordering::SeqCst) > 0 {
                    tokio::task::yield_now().await;
                }
            };
            assert!(timeout(Duration::from_secs(10), settled).await.is_ok(), "{} tasks where {before} were", tasks());
        }
    }

    #[tokio::test]
    async fn a_turn_given_up_while_it_waits_leaves_nothing() {
        // Takes connections and says nothing.
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = ws::endpoint(&format!("http://{}", listener.local_addr().unwrap()), "x").unwrap();
        let spares = Spares::new(Some(TERMS));
        let connect = url.clone();
        let opening = async move { ws::connect("test", &connect, HeaderMap::new(), |_, _| String::new()).await };
        spares.open("a", opening.boxed());
        let tasks = || Handle::current().metrics().num_alive_tasks();
        assert_eq!(tasks(), 1);
        assert!(timeout(Duration::from_millis(50), spares.take("a")).await.is_err());
        tokio::task::yield_now().await;
        assert_eq!(tasks(), 0);
    }
}
