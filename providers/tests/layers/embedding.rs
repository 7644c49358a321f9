//! The layers around an embedding model, on a virtual clock: nobody waits for one that hangs.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::{
    FutureExt,
    future::{BoxFuture, pending},
};
use providers::{
    EmbeddingModel, ErrorKind, ProviderError,
    embed::{EmbedCapabilities, Embeddings, Purpose},
    layers::{Breaker, BreakerSettings, Consumed, Guarded, Observation, Observed, Observer, Role, Timed, Timeouts},
};
use tokio::time::{Instant, advance};

/// The runtime's virtual clock, and what was told.
struct Watch {
    start: Instant,
    told: Mutex<Vec<Observation>>,
    read: Mutex<u64>,
}

impl Observer for Watch {
    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    fn observe(&self, provider: &str, role: Role, event: Observation) {
        assert_eq!((provider, role), ("mine/bge", Role::Embed));
        self.told.lock().unwrap().push(event);
    }

    fn consumed(&self, _: &str, _: Role, what: Consumed) {
        *self.read.lock().unwrap() += what.input_tokens;
    }
}

/// Answers at once, or never; a `bad` text it refuses.
#[derive(Default)]
struct Moody {
    hangs: AtomicBool,
}

impl EmbeddingModel for Moody {
    fn capabilities(&self) -> EmbedCapabilities {
        EmbedCapabilities { dimensions: Some(2), ..EmbedCapabilities::default() }
    }

    fn embed(&self, texts: Vec<String>, _: Purpose) -> BoxFuture<'_, Result<Embeddings, ProviderError>> {
        async move {
            if self.hangs.load(Ordering::Relaxed) {
                return pending().await;
            }
            if texts[0] == "bad" {
                return Err(ProviderError::new("mine/bge", ErrorKind::Rejected, "no"));
            }
            Ok(Embeddings { vectors: vec![vec![1.0, 0.0]; texts.len()], tokens: Some(7) })
        }
        .boxed()
    }
}

const QUESTION: Duration = Duration::from_secs(2);
const PASSAGES: Duration = Duration::from_secs(120);

#[expect(clippy::disallowed_methods, reason = "the clock is the paused runtime's")]
fn layered() -> (Arc<Moody>, Arc<dyn EmbeddingModel>, Arc<Watch>) {
    let watch = Arc::new(Watch { start: Instant::now(), told: Mutex::default(), read: Mutex::default() });
    let moody = Arc::new(Moody::default());
    let timeouts = Timeouts { open: QUESTION, first: QUESTION, idle: PASSAGES };
    let timed: Arc<dyn EmbeddingModel> =
        Arc::new(Timed::<dyn EmbeddingModel>::new("mine/bge", timeouts, moody.clone()));
    let breaker = Breaker::new("mine/bge", Role::Embed, BreakerSettings::default(), watch.clone());
    let guarded: Arc<dyn EmbeddingModel> = Arc::new(Guarded::<dyn EmbeddingModel>::new(Arc::new(breaker), timed));
    (moody, Arc::new(Observed::<dyn EmbeddingModel>::new("mine/bge", watch.clone(), guarded)), watch)
}

/// How an attempt ends, and after how long.
async fn ask(model: &dyn EmbeddingModel, watch: &Watch, text: &str, purpose: Purpose) -> (Option<ErrorKind>, Duration) {
    let since = watch.now();
    let made = model.embed(vec![text.to_owned()], purpose).await;
    (made.err().map(|error| error.kind), watch.now() - since)
}

#[tokio::test(start_paused = true)]
async fn one_that_hangs_is_waited_for_three_times_and_then_left_alone_until_it_works() {
    let (moody, model, watch) = layered();
    assert_eq!(model.capabilities().dimensions, Some(2));
    moody.hangs.store(true, Ordering::Relaxed);
    let late = Some(ErrorKind::Timeout);
    for _ in 0..3 {
        assert_eq!(ask(&*model, &watch, "why?", Purpose::Question).await, (late, QUESTION));
    }
    for purpose in [Purpose::Question, Purpose::Passages] {
        assert_eq!(ask(&*model, &watch, "why?", purpose).await, (late, Duration::ZERO));
    }
    moody.hangs.store(false, Ordering::Relaxed);
    advance(Duration::from_secs(5)).await;
    assert_eq!(ask(&*model, &watch, "why?", Purpose::Question).await, (None, Duration::ZERO));
    let told = watch.told.lock().unwrap().clone();
    let failed = |after| Observation::Failed { after, kind: ErrorKind::Timeout };
    assert_eq!(told[..4], [Observation::Requested, failed(QUESTION), Observation::Requested, failed(QUESTION)]);
    assert_eq!(told[5], Observation::Opened { kind: ErrorKind::Timeout });
    assert_eq!(told[7..9], [Observation::Requested, failed(Duration::ZERO)]);
    let (first, finished) =
        (Observation::First { after: Duration::ZERO }, Observation::Finished { after: Duration::ZERO });
    assert_eq!(told[11..], [Observation::Requested, Observation::Closed, first, finished]);
    assert_eq!(*watch.read.lock().unwrap(), 7);
}

#[tokio::test(start_paused = true)]
async fn passages_may_take_longer_and_refused_texts_are_no_fault_of_the_model() {
    let (moody, model, watch) = layered();
    for _ in 0..5 {
        assert_eq!(ask(&*model, &watch, "bad", Purpose::Passages).await.0, Some(ErrorKind::Rejected));
    }
    assert_eq!(ask(&*model, &watch, "good", Purpose::Passages).await.0, None);
    moody.hangs.store(true, Ordering::Relaxed);
    assert_eq!(ask(&*model, &watch, "good", Purpose::Passages).await, (Some(ErrorKind::Timeout), PASSAGES));
}
