//! `[limits.VENDOR]` through the whole stack: bounded, fair, and never mistaken for a vendor that is ill.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Json, Router, extract::State, response::IntoResponse, routing::post};
use futures_util::{FutureExt, StreamExt};
use providers::{
    LanguageModel,
    layers::Role,
    llm::{Message, Prompt, Thought},
};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use voice_relay::{
    clock::Clock,
    config::Config,
    engines::{Account, Engines, Limits},
};

/// Requests that may wait for a place: the layer's own bound.
const WAITING: usize = 64;

/// A server of chat completions that answers with its name, when it is let.
struct Mind {
    name: &'static str,
    gate: Semaphore,
    asked: Mutex<Vec<String>>,
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Mind {
    async fn start(name: &'static str, open: usize) -> (Arc<Self>, Account) {
        let (asked, now, most) = (Mutex::default(), AtomicUsize::new(0), AtomicUsize::new(0));
        let mind = Arc::new(Self { name, gate: Semaphore::new(open), asked, now, most });
        let router = Router::new().fallback(post(answer)).with_state(Arc::clone(&mind));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        (mind, Account { base_url, api_key: "k".into(), ..Account::default() })
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

async fn answer(State(mind): State<Arc<Mind>>, Json(body): Json<Value>) -> impl IntoResponse {
    let said = body["messages"].as_array().unwrap().last().unwrap()["content"].as_str().unwrap().to_owned();
    mind.asked.lock().unwrap().push(said);
    let now = mind.now.fetch_add(1, Ordering::SeqCst) + 1;
    mind.most.fetch_max(now, Ordering::SeqCst);
    mind.gate.acquire().await.unwrap().forget();
    mind.now.fetch_sub(1, Ordering::SeqCst);
    let chunk = |delta: Value, finish: Value| {
        let choice = json!({"index": 0, "delta": delta, "finish_reason": finish});
        format!("data: {}\n\n", json!({"id": "c", "object": "chat.completion.chunk", "choices": [choice]}))
    };
    let told = chunk(json!({"role": "assistant", "content": mind.name}), Value::Null);
    let body = format!("{told}{}data: [DONE]\n\n", chunk(json!({}), json!("stop")));
    ([("content-type", "text/event-stream")], body)
}

/// Who answers.
async fn ask(llm: Arc<dyn LanguageModel>, said: String) -> String {
    let prompt = Prompt { messages: vec![Message::User(said)], ..Prompt::default() };
    let thoughts: Vec<_> = llm.reply(prompt).await.unwrap().collect().await;
    let text = |thought| if let Ok(Thought::Text(text)) = thought { Some(text) } else { None };
    thoughts.into_iter().filter_map(text).collect()
}

async fn engines(change: impl FnOnce(&mut Config)) -> Engines {
    let mut config = Config::default();
    config.providers.stt = vec!["scripted/stt".into()];
    config.providers.llm = vec!["deepseek/deepseek-flash".into(), "openai/gpt-4.1-mini".into()];
    config.providers.tts = vec!["scripted/tts".into()];
    config.providers.turn.clear();
    change(&mut config);
    Engines::load(&config, &Clock::system()).await.unwrap()
}

fn state(engines: &Engines) -> &'static str {
    let reports = engines.roster.reports();
    reports.iter().find(|report| report.name == "deepseek/deepseek-flash").unwrap().state
}

async fn until(right: impl Fn() -> bool) {
    let waiting = async {
        while !right() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting).await.unwrap();
}

#[tokio::test]
async fn so_many_at_a_time_then_a_fair_queue_then_the_next_of_the_chain() {
    let (small, account) = Mind::start("small", 0).await;
    let (large, behind) = Mind::start("large", 1_000).await;
    let engines = engines(|config| {
        (config.deepseek, config.openai) = (account, behind);
        config.limits.insert("deepseek".into(), Limits { concurrent: 2, ..Limits::default() });
    })
    .await;
    let llm = &engines.providers.llm;
    // Both places are taken, and held.
    let mut all = Vec::new();
    for n in 0..2 {
        all.push(tokio::spawn(ask(Arc::clone(llm), format!("{n:03}"))));
        until(|| small.asked().len() == n + 1).await;
    }
    // The queue fills in this order: a first poll takes a place in it.
    let mut queue: Vec<_> = (2..2 + WAITING).map(|n| ask(Arc::clone(llm), format!("{n:03}")).boxed()).collect();
    for waiting in &mut queue {
        assert!(waiting.as_mut().now_or_never().is_none());
    }
    all.extend(queue.into_iter().map(tokio::spawn));
    // Whoever comes now is not kept waiting: nothing was let go yet.
    for _ in 0..5 {
        assert_eq!(ask(Arc::clone(llm), "late".into()).await, "large");
    }
    assert_eq!((small.asked().len(), large.asked()), (2, vec!["late".to_owned(); 5]));
    assert!(engines.roster.works(Role::Llm, "deepseek/deepseek-flash"));
    assert_ne!(state(&engines), "resting", "five refusals in a row, and none was the vendor's");

    small.gate.add_permits(1_000);
    let mut answers = Vec::new();
    for asked in all {
        answers.push(asked.await.unwrap());
    }
    assert_eq!(small.most.load(Ordering::SeqCst), 2);
    let served = small.asked();
    // On a machine that stands still, some may have waited their two seconds and gone on along the chain.
    assert!(served.len() > WAITING / 2, "{} of {} were served", served.len(), WAITING + 2);
    assert_eq!(answers.iter().filter(|answer| *answer == "small").count(), served.len());
    let numbers: Vec<usize> = served.iter().map(|said| said.parse().unwrap()).collect();
    // Two are under way at the same time, so neighbours may overtake each other on the wire, but nobody else.
    for (at, n) in numbers.iter().enumerate() {
        assert!(numbers[at..].iter().all(|later| later + 1 >= *n), "{n} before its turn: {numbers:?}");
    }
    assert_eq!(ask(Arc::clone(llm), "999".into()).await, "small", "it is asked first again at once");
    assert_eq!(state(&engines), "healthy");
}

#[tokio::test]
async fn so_many_a_minute_and_each_vendor_by_itself() {
    let (small, account) = Mind::start("small", 1_000).await;
    let (large, behind) = Mind::start("large", 1_000).await;
    let engines = engines(|config| {
        (config.deepseek, config.openai) = (account, behind);
        config.limits.insert("deepseek".into(), Limits { per_minute: 3, ..Limits::default() });
    })
    .await;
    let mut answers = Vec::new();
    for n in 0..4 {
        answers.push(ask(Arc::clone(&engines.providers.llm), n.to_string()).await);
    }
    assert_eq!(answers, ["small", "small", "small", "large"], "the fourth waits two seconds of its minute, no more");
    assert_eq!((small.asked().len(), large.asked().len()), (3, 1));
    assert_ne!(state(&engines), "resting");
}
