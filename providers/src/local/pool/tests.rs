use std::sync::mpsc;

use futures_util::{FutureExt, future::join_all, poll};

use super::*;

/// A pool of one thread that is kept busy until `release` is dropped.
struct Busy {
    pool: Arc<Pool>,
    release: mpsc::Sender<()>,
    order: Arc<Mutex<Vec<&'static str>>>,
}

impl Busy {
    async fn new(queue: usize) -> Self {
        let pool = Pool::new(1, queue);
        let (release, held) = mpsc::channel::<()>();
        let (started, running) = oneshot::channel();
        let blocker = Arc::clone(&pool);
        tokio::spawn(async move {
            let hold = move || (started.send(()), held.recv());
            blocker.run(0, Priority::Final, hold).await
        });
        running.await.unwrap();
        Self { pool, release, order: Arc::default() }
    }

    fn job(&self, name: &'static str) -> impl FnOnce() + Send + use<> {
        let order = Arc::clone(&self.order);
        move || order.lock().unwrap().push(name)
    }
}

#[tokio::test]
async fn callers_take_turns_however_long_one_callers_backlog() {
    let busy = Busy::new(9).await;
    let jobs = [(1, "a1"), (1, "a2"), (1, "a3"), (2, "b1"), (3, "c1"), (2, "b2")];
    let pool = &busy.pool;
    let jobs = jobs.map(|(key, name)| (key, busy.job(name)));
    let mut runs: Vec<_> = jobs.map(|(key, job)| Box::pin(pool.run(key, Priority::Final, job))).into_iter().collect();
    for run in &mut runs {
        assert!(poll!(run).is_pending());
    }
    assert_eq!(busy.pool.depth(), 6);
    drop(busy.release);
    join_all(runs).await;
    assert_eq!(*busy.order.lock().unwrap(), ["a1", "b1", "c1", "a2", "b2", "a3"]);
    assert_eq!(busy.pool.depth(), 0);
}

#[tokio::test]
async fn the_more_urgent_runs_first_whenever_it_came() {
    let Busy { pool, release, order } = Busy::new(9).await;
    let job = |name: &'static str| {
        let order = Arc::clone(&order);
        move || order.lock().unwrap().push(name)
    };
    let urgency = [(Priority::Partial, "partial"), (Priority::Soon, "soon"), (Priority::Final, "final")];
    let mut runs = urgency.map(|(priority, name)| Box::pin(pool.run(1, priority, job(name))));
    for run in &mut runs {
        assert!(poll!(run).is_pending());
    }
    drop(release);
    join_all(runs).await;
    assert_eq!(*order.lock().unwrap(), ["final", "soon", "partial"]);
}

#[tokio::test]
async fn a_full_queue_refuses_partials_and_gives_their_places_to_finals() {
    let busy = Busy::new(2).await;
    let mut first = Box::pin(busy.pool.run(1, Priority::Partial, busy.job("p1")));
    let mut second = Box::pin(busy.pool.run(2, Priority::Final, busy.job("f1")));
    assert!(poll!(&mut first).is_pending());
    assert!(poll!(&mut second).is_pending());

    let refused = busy.pool.run(3, Priority::Partial, busy.job("p2")).await;
    assert_eq!(refused.unwrap_err().kind, ErrorKind::Unavailable);

    let mut third = Box::pin(busy.pool.run(3, Priority::Final, busy.job("f2")));
    assert!(poll!(&mut third).is_pending());
    assert_eq!(first.await.unwrap_err().kind, ErrorKind::Unavailable);

    let full = busy.pool.run(4, Priority::Final, busy.job("f3")).await;
    assert_eq!(full.unwrap_err().kind, ErrorKind::Unavailable);

    drop(busy.release);
    second.await.unwrap();
    third.await.unwrap();
    assert_eq!(*busy.order.lock().unwrap(), ["f1", "f2"]);
}

#[tokio::test]
async fn dropping_the_future_takes_the_job_out_of_the_queue() {
    let busy = Busy::new(1).await;
    let mut dropped = Box::pin(busy.pool.run(1, Priority::Final, busy.job("dropped")));
    assert!(poll!(&mut dropped).is_pending());
    assert_eq!(busy.pool.depth(), 1);
    drop(dropped);
    assert_eq!(busy.pool.depth(), 0);
    let mut kept = Box::pin(busy.pool.run(1, Priority::Final, busy.job("kept")));
    assert!(poll!(&mut kept).is_pending());
    drop(busy.release);
    kept.await.unwrap();
    assert_eq!(*busy.order.lock().unwrap(), ["kept"]);
}

#[tokio::test]
async fn guesses_leave_one_of_several_threads_free() {
    for (held, waiting) in
        [(Priority::Partial, Priority::Partial), (Priority::Soon, Priority::Soon), (Priority::Soon, Priority::Partial)]
    {
        let pool = Pool::new(2, 8);
        let (release, mut first) = hold(&pool, held).await;
        let mut second = Box::pin(pool.run(2, waiting, || ()));
        assert!(poll!(&mut second).is_pending());
        // The final overtakes the waiting guess on the thread that was left free.
        pool.run(3, Priority::Final, || ()).await.unwrap();
        assert!(second.as_mut().now_or_never().is_none(), "{waiting:?} beside {held:?}");
        drop(release);
        second.await.unwrap();
        (&mut first).await.unwrap();
    }
}

#[tokio::test]
async fn a_preview_under_way_does_not_hold_up_what_is_wanted_soon() {
    let pool = Pool::new(2, 8);
    let (_release, _preview) = hold(&pool, Priority::Partial).await;
    assert_eq!(pool.run(2, Priority::Soon, || 7).await, Ok(7));
}

/// Keeps a thread busy until the sender is dropped.
async fn hold(pool: &Arc<Pool>, priority: Priority) -> (mpsc::Sender<()>, tokio::task::JoinHandle<()>) {
    let (release, held) = mpsc::channel::<()>();
    let (started, running) = oneshot::channel();
    let pool = Arc::clone(pool);
    let wait = move || (started.send(()), held.recv());
    let hold = async move { pool.run(1, priority, wait).await.map(|_| ()).unwrap() };
    let task = tokio::spawn(hold);
    running.await.unwrap();
    (release, task)
}

#[tokio::test]
async fn a_panicking_job_is_an_error_and_its_thread_lives_on() {
    let pool = Pool::new(1, 4);
    let failed = pool.run(1, Priority::Final, || -> u8 { panic!("on purpose") }).await;
    assert_eq!(failed.unwrap_err().kind, ErrorKind::Unavailable);
    assert_eq!(pool.run(1, Priority::Final, || 7).await, Ok(7));
}

#[tokio::test]
async fn a_dropped_pool_ends_its_threads() {
    let pool = Pool::new(2, 4);
    let shared = Arc::downgrade(&pool.shared);
    drop(pool);
    while shared.strong_count() > 0 {
        tokio::task::yield_now().await;
    }
}
