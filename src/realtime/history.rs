//! What was heard, on its way to the store and off the audio path.
//!
//! A session hands over entries without waiting. A task of its own writes them in order; when it cannot keep up, entries
//! are lost, which is counted, and the record is marked incomplete. A store that is away is waited for, and what was said
//! meanwhile is kept in memory and written when it is back. Knows no database: see [`Ledger`].

use std::{
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use futures_util::future::BoxFuture;
use tokio::{sync::mpsc, time::sleep};
use uuid::Uuid;

use super::{
    admission::{Live, Pass},
    session::{ids::ItemId, item::Item, output::Record},
};
use crate::{
    clock::Clock,
    cost::{Spending, Tally},
    drain::Hold,
    metrics,
};

/// Entries that may wait for the store. A turn makes two or three, so this is minutes of a stuck disk.
const WAITING: usize = 256;

/// How long the store may be away before what waits for it is given up.
const PATIENCE: Duration = Duration::from_secs(15 * 60);
/// Until it is asked again, doubled each time up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How long requests may take to end once their session has.
const LETTING_GO: Duration = Duration::from_secs(1);

/// Where history is kept.
pub trait Ledger: Send + Sync {
    /// Keeps one entry of a session's history. Entries of a session come in order, one at a time.
    fn record(&self, session: Uuid, entry: Entry) -> BoxFuture<'_, Result<(), LedgerError>>;
}

/// Why an entry was not kept.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// It may be kept in a while: a full disk, a database that restarts.
    #[error("history cannot be kept for now")]
    Passing(#[source] Box<dyn Error + Send + Sync>),
    /// It never will.
    #[error("an entry of history cannot be kept")]
    Lasting(#[source] Box<dyn Error + Send + Sync>),
}

/// One thing to keep of a session.
#[derive(Clone, PartialEq, Debug)]
pub enum Entry {
    /// It began. Always first.
    Opened {
        /// Whose it is, over what, since when.
        live: Live,
        /// The model's name as the client knows it.
        model: String,
    },
    /// An item came to be, or changed: keep its latest state by its id.
    Item {
        /// As it stands.
        item: Box<Item>,
        /// The item before it.
        previous: Option<ItemId>,
        /// When.
        at: SystemTime,
    },
    /// An item was deleted.
    Deleted(ItemId),
    /// What it has spent so far, by all engines together: keep the latest.
    Spent(Spending),
    /// It ended. Always last, whatever way it ended.
    Closed {
        /// When.
        at: SystemTime,
        /// Whether every entry before was kept.
        complete: bool,
    },
}

/// A session's end of its history. Dropping it closes the record.
#[derive(Debug)]
pub(crate) struct History {
    entries: Option<mpsc::Sender<Entry>>,
    complete: Arc<AtomicBool>,
    clock: Clock,
}

impl History {
    /// Opens the record of a session. `hold` makes shutdown wait until the record is closed.
    pub(crate) fn open(ledger: Option<Arc<dyn Ledger>>, pass: &Pass, model: &str, clock: Clock, hold: Hold) -> Self {
        let complete = Arc::new(AtomicBool::new(true));
        let Some(ledger) = ledger else { return Self { entries: None, complete, clock } };
        let (entries, waiting) = mpsc::channel(WAITING);
        let writer = Writer {
            ledger,
            session: pass.live().id,
            tally: Arc::clone(pass.tally()),
            told: None,
            complete: Arc::clone(&complete),
            clock: clock.clone(),
            _hold: hold,
        };
        let opened = Entry::Opened { live: pass.live().clone(), model: model.to_owned() };
        tokio::spawn(writer.run(opened, waiting));
        Self { entries: Some(entries), complete, clock }
    }

    /// Hands over a record without waiting.
    pub(crate) fn record(&self, record: Record) {
        let Some(entries) = &self.entries else { return };
        let entry = match record {
            Record::Item { item, previous } => Entry::Item { item: Box::new(item), previous, at: self.clock.wall() },
            Record::Deleted(item) => Entry::Deleted(item),
        };
        match entries.max_capacity() - entries.capacity() {
            0 => {}
            waiting => metrics::queue_depth(metrics::Queue::History, waiting),
        }
        if entries.try_send(entry).is_err() {
            metrics::history_overflowed();
            if self.complete.swap(false, Ordering::Relaxed) {
                tracing::warn!("history cannot keep up; the record of this session is incomplete");
            }
        }
    }
}

/// The task that writes one session's entries.
struct Writer {
    ledger: Arc<dyn Ledger>,
    session: Uuid,
    tally: Arc<Tally>,
    /// The spending that was kept last.
    told: Option<Spending>,
    complete: Arc<AtomicBool>,
    clock: Clock,
    _hold: Hold,
}

impl Writer {
    async fn run(mut self, opened: Entry, mut waiting: mpsc::Receiver<Entry>) {
        self.write(opened).await;
        while let Some(entry) = waiting.recv().await {
            self.write(entry).await;
            self.write_spending().await;
        }
        // Workers are told to stop by now; what their requests took is counted as they let go.
        self.tally.settle(LETTING_GO).await;
        self.write_spending().await;
        let complete = self.complete.load(Ordering::Relaxed);
        self.write(Entry::Closed { at: self.clock.wall(), complete }).await;
    }

    /// With every entry, so that the death of the process loses little of it.
    async fn write_spending(&mut self) {
        let spending = self.tally.spending();
        if let Some(spent) = spending.clone().filter(|_| spending != self.told) {
            self.write(Entry::Spent(spent)).await;
            self.told = spending;
        }
    }

    /// Waits for a store that is away, while entries behind this one wait in memory.
    async fn write(&self, entry: Entry) {
        let (mut pause, mut waited) = (FIRST_PAUSE, Duration::ZERO);
        loop {
            let Err(error) = self.ledger.record(self.session, entry.clone()).await else { return };
            let error = match error {
                LedgerError::Passing(error) if waited < PATIENCE => {
                    tracing::warn!(session.id = %self.session, error, "history waits for the store");
                    sleep(pause).await;
                    waited += pause;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    continue;
                }
                LedgerError::Passing(error) | LedgerError::Lasting(error) => error,
            };
            self.complete.store(false, Ordering::Relaxed);
            tracing::warn!(session.id = %self.session, error, "an entry of history was not kept");
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, atomic::AtomicUsize};

    use providers::layers::{Account as _, Consumed, Role};
    use tokio::sync::Semaphore;

    use super::*;
    use crate::{drain::Drain, realtime::admission::Admission};

    #[tokio::test]
    async fn entries_are_kept_in_order_between_open_and_close() {
        let ledger = Arc::new(Book::with_permits(100));
        let drain = Drain::new();
        let history = open(&ledger, &drain);
        history.record(Record::Deleted(ItemId::new("a")));
        history.record(Record::Deleted(ItemId::new("b")));
        drop(history);
        assert!(drain.finish(Duration::from_secs(5)).await);

        let entries = ledger.entries.lock().unwrap();
        assert!(matches!(entries[0], Entry::Opened { .. }));
        assert_eq!(entries[1..3], [Entry::Deleted(ItemId::new("a")), Entry::Deleted(ItemId::new("b"))]);
        assert!(matches!(entries[3..], [Entry::Closed { complete: true, .. }]));
    }

    #[tokio::test]
    async fn a_stuck_store_costs_entries_and_is_told_so_in_the_last_one() {
        let ledger = Arc::new(Book::with_permits(0));
        let drain = Drain::new();
        let history = open(&ledger, &drain);
        for _ in 0..=WAITING {
            history.record(Record::Deleted(ItemId::new("a")));
        }
        drop(history);
        ledger.permits.add_permits(1_000);
        assert!(drain.finish(Duration::from_secs(5)).await);

        let entries = ledger.entries.lock().unwrap();
        assert_eq!(entries.len(), 1 + WAITING + 1);
        assert!(matches!(entries.last(), Some(Entry::Closed { complete: false, .. })));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_said_while_the_store_is_away_is_kept_when_it_is_back() {
        let ledger = Arc::new(Book { failures: AtomicUsize::new(20), ..Book::with_permits(100) });
        let drain = Drain::new();
        let history = open(&ledger, &drain);
        history.record(Record::Deleted(ItemId::new("a")));
        drop(history);
        assert!(drain.finish(Duration::from_secs(600)).await);
        let entries = ledger.entries.lock().unwrap();
        assert!(matches!(entries[0], Entry::Opened { .. }));
        assert!(matches!(entries[1..], [Entry::Deleted(_), Entry::Closed { complete: true, .. }]));
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_that_never_comes_back_is_not_waited_for_for_ever() {
        let ledger = Arc::new(Book { failures: AtomicUsize::new(1_000), ..Book::with_permits(10_000) });
        let drain = Drain::new();
        drop(open(&ledger, &drain));
        assert!(drain.finish(Duration::from_secs(3_600)).await);
        assert_eq!(*ledger.entries.lock().unwrap(), []);
    }

    #[tokio::test]
    async fn what_was_spent_is_kept_with_each_entry_and_last_of_requests_that_end_late() {
        let (ledger, drain) = (Arc::new(Book::with_permits(100)), Drain::new());
        let pass = Admission::new(1, 1).admit("ann", "ws", SystemTime::UNIX_EPOCH).unwrap();
        let kept = Arc::clone(&ledger) as Arc<dyn Ledger>;
        let history = History::open(Some(kept), &pass, "model", Clock::system(), drain.hold());
        let tally = Arc::clone(pass.tally());
        let speak =
            |characters| tally.consumed("acme/mouth", Role::Tts, Consumed { characters, ..Consumed::default() });
        tally.opened("acme/mouth");
        speak(1);
        for id in ["a", "b"] {
            history.record(Record::Deleted(ItemId::new(id)));
        }
        drop((history, pass));
        tokio::task::yield_now().await;
        speak(2);
        tally.closed();
        assert!(drain.finish(Duration::from_secs(5)).await);

        let entries = ledger.entries.lock().unwrap();
        let spent = |entry: &Entry| match entry {
            Entry::Spent(spending) => spending.by_provider["acme/mouth"].characters,
            Entry::Opened { .. } | Entry::Item { .. } | Entry::Deleted(_) | Entry::Closed { .. } => 0,
        };
        assert_eq!(entries.iter().map(spent).collect::<Vec<_>>(), [0, 0, 1, 0, 3, 0]);
        assert!(matches!(entries.last(), Some(Entry::Closed { .. })));
    }

    fn open(ledger: &Arc<Book>, drain: &Drain) -> History {
        let pass = Admission::new(1, 1).admit("ann", "ws", SystemTime::UNIX_EPOCH).unwrap();
        let ledger = Arc::clone(ledger) as Arc<dyn Ledger>;
        History::open(Some(ledger), &pass, "model", Clock::system(), drain.hold())
    }

    /// A store that keeps as many entries as it has permits for, then is stuck.
    struct Book {
        entries: Mutex<Vec<Entry>>,
        permits: Semaphore,
        /// Entries that are refused before any is kept.
        failures: AtomicUsize,
    }

    impl Book {
        fn with_permits(permits: usize) -> Self {
            Self { entries: Mutex::default(), permits: Semaphore::new(permits), failures: AtomicUsize::new(0) }
        }
    }

    impl Ledger for Book {
        fn record(&self, _: Uuid, entry: Entry) -> BoxFuture<'_, Result<(), LedgerError>> {
            Box::pin(async move {
                self.permits.acquire().await.unwrap().forget();
                if self.failures.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
                {
                    return Err(LedgerError::Passing("the disk is full".into()));
                }
                self.entries.lock().unwrap().push(entry);
                Ok(())
            })
        }
    }
}
