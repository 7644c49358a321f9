//! Breakers, limits and routes over scripted providers, on a virtual clock.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::{FutureExt, StreamExt};
use providers::{
    ErrorKind, LanguageModel, ProviderError,
    layers::{Breaker, BreakerSettings, Guard, Guarded, Limit, LimitSettings, Observation, Observer, Role, Routed},
    llm::{LlmCapabilities, Message, Prompt, Thought, ThoughtStream},
    scripted::{self, LlmScript},
};
use tokio::time::{Instant, advance};

/// The runtime's virtual clock, and what was told.
struct Watch {
    start: Instant,
    told: Mutex<Vec<Observation>>,
}

impl Watch {
    #[expect(clippy::disallowed_methods, reason = "the clock is the paused runtime's")]
    fn new() -> Arc<Self> {
        Arc::new(Self { start: Instant::now(), told: Mutex::default() })
    }
}

impl Observer for Watch {
    fn now(&self) -> Duration {
        self.start.elapsed()
    }

    fn observe(&self, _: &str, _: Role, event: Observation) {
        self.told.lock().unwrap().push(event);
    }
}

/// Fails as it is told, in order; then answers.
struct Moody(Mutex<Vec<Option<ProviderError>>>);

impl Moody {
    fn new(moods: Vec<Option<ErrorKind>>) -> Self {
        let moods = moods.into_iter().rev();
        Self(Mutex::new(moods.map(|kind| kind.map(|kind| ProviderError::new("moody", kind, "in no mood"))).collect()))
    }
}

impl LanguageModel for Moody {
    fn capabilities(&self) -> LlmCapabilities {
        LlmCapabilities::default()
    }

    fn reply(&self, prompt: Prompt) -> futures_util::future::BoxFuture<'_, Result<ThoughtStream, ProviderError>> {
        async move {
            let mood = self.0.lock().unwrap().pop().flatten();
            match mood {
                Some(error) => Err(error),
                None => scripted::LanguageModel::new(LlmScript::default()).reply(prompt).await,
            }
        }
        .boxed()
    }
}

const REST: Duration = Duration::from_secs(5);
const SETTINGS: BreakerSettings = BreakerSettings { failures: 2, rest: REST, longest: Duration::from_secs(60) };

fn breaker(moods: Vec<Option<ErrorKind>>) -> (Guarded<dyn LanguageModel>, Breaker, Arc<Watch>) {
    let watch = Watch::new();
    let breaker = Breaker::new("moody", Role::Llm, SETTINGS, watch.clone());
    (Guarded::new(Arc::new(breaker.clone()), Arc::new(Moody::new(moods))), breaker, watch)
}

fn prompt() -> Prompt {
    Prompt { messages: vec![Message::User("one two".into())], ..Prompt::default() }
}

async fn ask(model: &dyn LanguageModel) -> Result<usize, ErrorKind> {
    let thoughts = model.reply(prompt()).await.map_err(|error| error.kind)?;
    Ok(thoughts
        .map(Result::unwrap)
        .filter(|thought| std::future::ready(matches!(thought, Thought::Text(_))))
        .count()
        .await)
}

const DOWN: Option<ErrorKind> = Some(ErrorKind::Unavailable);

#[tokio::test(start_paused = true)]
async fn after_failures_in_a_row_nobody_waits_until_a_probe_succeeds() {
    let (model, breaker, watch) = breaker(vec![DOWN, None, DOWN, DOWN, None]);
    assert!(ask(&model).await.is_err());
    assert!(ask(&model).await.is_ok(), "one failure opens nothing, and a success forgets it");
    assert!(ask(&model).await.is_err() && breaker.resting().is_none());
    assert!(ask(&model).await.is_err());
    assert_eq!(breaker.resting(), DOWN);
    let refused = model.reply(prompt()).await.err().unwrap();
    assert!(refused.detail.contains("left alone") && refused.retry_after == Some(REST), "{refused}");
    advance(REST).await;
    assert!(ask(&model).await.is_ok(), "the probe");
    assert!(ask(&model).await.is_ok() && breaker.resting().is_none());
    let told = watch.told.lock().unwrap().clone();
    assert_eq!(told, [Observation::Opened { kind: ErrorKind::Unavailable }, Observation::Closed]);
}

#[tokio::test(start_paused = true)]
async fn a_failed_probe_doubles_the_rest() {
    let (model, breaker, _) = breaker(vec![DOWN, DOWN, DOWN, None]);
    assert!(ask(&model).await.is_err() && ask(&model).await.is_err());
    advance(REST).await;
    assert!(ask(&model).await.is_err());
    advance(REST).await;
    assert_eq!(breaker.resting(), DOWN);
    assert!(model.reply(prompt()).await.err().unwrap().detail.contains("left alone"));
    advance(REST).await;
    assert!(ask(&model).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_nobody_waits_for_does_not_keep_the_breaker_open_for_ever() {
    let (model, _, _) = breaker(vec![DOWN, DOWN, None, None]);
    assert!(ask(&model).await.is_err() && ask(&model).await.is_err());
    advance(REST).await;
    let probe = model.reply(prompt()).await.unwrap();
    assert!(model.reply(prompt()).await.is_err(), "one probe at a time");
    drop(probe);
    assert!(ask(&model).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_refused_request_is_no_fault_of_the_provider_and_a_refused_key_is() {
    let (model, breaker_of_requests, _) = breaker(vec![Some(ErrorKind::Rejected); 5]);
    for _ in 0..5 {
        assert_eq!(ask(&model).await, Err(ErrorKind::Rejected));
    }
    assert!(breaker_of_requests.resting().is_none());
    let (model, of_keys, _) = breaker(vec![Some(ErrorKind::Unauthorized)]);
    assert!(ask(&model).await.is_err());
    advance(REST).await;
    assert_eq!(of_keys.resting(), Some(ErrorKind::Unauthorized));
    assert_eq!(ask(&model).await, Err(ErrorKind::Unauthorized), "once is enough, and for long");
}

fn limited(settings: LimitSettings) -> (Guarded<dyn LanguageModel>, Arc<Watch>) {
    let watch = Watch::new();
    let limit: Arc<dyn Guard> = Arc::new(Limit::new("busy", settings, watch.clone()));
    (Guarded::new(limit, Arc::new(Moody::new(Vec::new()))), watch)
}

#[tokio::test(start_paused = true)]
async fn requests_beyond_the_bound_wait_in_turn_and_one_too_many_is_refused() {
    let settings = LimitSettings { concurrent: 1, waiting: 1, ..LimitSettings::default() };
    let (model, _) = limited(settings);
    let first = model.reply(prompt()).await.unwrap();
    let mut second = model.reply(prompt());
    assert!((&mut second).now_or_never().is_none(), "it waits");
    assert_eq!(model.reply(prompt()).await.err().unwrap().kind, ErrorKind::RateLimited);
    drop(first);
    assert!(second.await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_longer_than_patience() {
    let (model, watch) = limited(LimitSettings { concurrent: 1, ..LimitSettings::default() });
    let _first = model.reply(prompt()).await.unwrap();
    assert_eq!(model.reply(prompt()).await.err().unwrap().kind, ErrorKind::RateLimited);
    assert_eq!(watch.now(), LimitSettings::default().patience);
}

#[tokio::test(start_paused = true)]
async fn a_minute_has_room_for_so_many_and_the_next_begins_when_the_first_is_over() {
    let settings = LimitSettings { per_minute: 2, patience: Duration::from_secs(90), ..LimitSettings::default() };
    let (model, watch) = limited(settings);
    assert!(ask(&model).await.is_ok() && ask(&model).await.is_ok());
    let began = watch.now();
    assert!(ask(&model).await.is_ok());
    assert!(watch.now() - began > Duration::from_secs(59), "{:?}", watch.now());
}

#[tokio::test(start_paused = true)]
async fn a_request_goes_where_its_name_says_and_else_the_usual_way() {
    let model = |text: &str| -> Arc<dyn LanguageModel> {
        let every = scripted::Reply::Text(text.to_owned());
        Arc::new(scripted::LanguageModel::new(LlmScript { every, ..LlmScript::default() }))
    };
    let routed = Routed::<dyn LanguageModel>::new(model("usual"))
        .with_name("other/model", model("other"))
        .with_language("es", model("Spanish"))
        .with_alias(|name| (name == "model").then(|| "other/model".to_owned()));
    for (name, language, expected) in [
        (None, None, "usual"),
        (Some("other/model"), None, "other"),
        (Some("model"), Some("es"), "other"),
        (Some("gpt-4o"), None, "usual"),
        (Some("gpt-4o"), Some("es-MX"), "Spanish"),
        (None, Some("fr"), "usual"),
    ] {
        let prompt = Prompt { model: name.map(str::to_owned), language: language.map(str::to_owned), ..prompt() };
        let thoughts: Vec<_> = routed.reply(prompt).await.unwrap().map(Result::unwrap).collect().await;
        let Thought::Text(text) = &thoughts[0] else { panic!() };
        assert!(expected.starts_with(text.trim()), "{name:?}: {text}");
    }
}
