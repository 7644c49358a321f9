//! A relay of one test, on the machine's own clock.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use jiff::Timestamp;
use providers::scripted::{self, Length, LlmScript, Reply, SttScript, TtsScript};
use reqwest::{Method, RequestBuilder};
use secrecy::ExposeSecret;
use serde_json::Value;
use voice_relay::{
    auth::Auth,
    chat::Hub,
    clock::Clock,
    dossiers,
    drain::Drain,
    jobs::Bell,
    knowledge::Library,
    realtime::{self, Choices, Names, Offer, Task, admission::Admission, ledger},
    rest::{self, Catalog, Context, Ready},
    roster::Roster,
    storage::{self, Storage},
};

use crate::database;

/// Longer than anything takes here, so a test that hangs fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Server {
    /// `http://127.0.0.1:…`
    pub(crate) url: String,
    pub(crate) context: Arc<Context>,
    /// The admin key.
    pub(crate) key: String,
    _dir: tempfile::TempDir,
}

/// What the caller is understood to say, turn by turn, and how long each clause of the answers sounds.
#[derive(Default)]
pub(crate) struct Script {
    pub(crate) hears: Vec<&'static str>,
    pub(crate) replies: Vec<&'static str>,
    pub(crate) clause: Option<Duration>,
    pub(crate) telephony: rest::telephony::Config,
    pub(crate) calls: Option<usize>,
}

impl Server {
    pub(crate) async fn start(script: Script) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Clock::system();
        let db = database::open(dir.path()).await;
        let (auth, made) = Auth::open(db.clone(), clock.clone(), None).await.unwrap();
        let texts = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
        let stt = SttScript { texts: texts(&script.hears), ..SttScript::default() };
        let replies = script.replies.iter().map(|&text| Reply::Text(text.to_owned())).collect();
        let llm = LlmScript { replies, ..LlmScript::default() };
        let tts = match script.clause {
            Some(length) => TtsScript { length: Length::Fixed(length), ..TtsScript::default() },
            None => TtsScript::default(),
        };
        let (calls, library) = (script.calls.unwrap_or(10), Library::new(db.clone(), None));
        let context = Arc::new(Context {
            config: rest::Config::default(),
            auth,
            engine: realtime::Engine {
                config: realtime::Config::default(),
                clock: clock.clone(),
                drain: Drain::new(),
                admission: Admission::new(calls, calls),
                ledger: Some(ledger::in_store(db.clone())),
                dossiers: Some(dossiers::in_store(db.clone(), library.clone(), true)),
                memories: Default::default(),
            },
            library,
            hub: Hub::default(),
            db,
            storage: Storage::open(&storage::Config::default(), dir.path()).unwrap(),
            bell: Bell::default(),
            calls: None,
            turn: realtime::webrtc::Turn::default(),
            providers: realtime::Providers {
                stt: Arc::new(scripted::SpeechToText::new(stt)),
                llm: Arc::new(scripted::LanguageModel::new(llm)),
                tts: Arc::new(scripted::TextToSpeech::new(tts)),
                realtime: None,
                turn: None,
            },
            catalog: Catalog::new(Offer::new(Choices { names: names(), ..Choices::default() }), Timestamp::UNIX_EPOCH),
            defaults: realtime::protocol::settings::Defaults::default(),
            telephony: script.telephony,
            fonts: Arc::default(),
            ready: Ready::default(),
            roster: Roster::default(),
            metrics: Arc::new(String::new),
        });
        let router = rest::router(Arc::clone(&context));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
        let key = made.unwrap().expose_secret().to_owned();
        Self { url: format!("http://{address}"), context, key, _dir: dir }
    }

    /// A request without a credential.
    pub(crate) fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        reqwest::Client::new().request(method, format!("{}{path}", self.url))
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let answer = self.bare(Method::GET, path).bearer_auth(&self.key).send().await.unwrap();
        answer.json().await.unwrap()
    }

    /// A client secret with this session.
    pub(crate) async fn token(&self, session: Value) -> String {
        let request = self.bare(Method::POST, "/v1/realtime/client_secrets").bearer_auth(&self.key);
        let answer = request.json(&serde_json::json!({"session": session})).send().await.unwrap();
        answer.json::<Value>().await.unwrap()["value"].as_str().unwrap().to_owned()
    }

    /// What history has of the only session so far, as role and words, once it has so many messages.
    pub(crate) async fn history(&self, count: usize) -> Vec<(String, String)> {
        let sessions = self.get("/api/sessions").await;
        let path = format!("/api/sessions/{}/messages", sessions["items"][0]["id"].as_str().unwrap());
        let mut read = Value::Null;
        let reading = async {
            while read["items"].as_array().is_none_or(|items| items.len() < count) {
                tokio::task::yield_now().await;
                read = self.get(&path).await;
            }
        };
        tokio::time::timeout(PATIENCE, reading).await.expect("not all of it is kept");
        let word = |message: &Value, name: &str| message[name].as_str().unwrap_or_default().to_owned();
        let items = read["items"].as_array().unwrap();
        items.iter().map(|message| (word(message, "role"), word(message, "content"))).collect()
    }

    /// Waits until no session is live.
    pub(crate) async fn is_empty(&self) {
        let emptied = async {
            while !self.context.engine.admission.list().is_empty() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, emptied).await.expect("a session outlived its call");
    }
}

fn names() -> Names {
    let one = |name: &str| [name.to_owned()];
    Names::default()
        .with(Task::Transcription, one("scripted/stt"))
        .with(Task::Language, one("scripted/llm"))
        .with(Task::Speech, one("scripted/tts"))
}
