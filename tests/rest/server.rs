//! A relay of one test: its own port, file and clock.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, SystemTime},
};

use providers::scripted;
use reqwest::{Method, RequestBuilder, StatusCode};
use secrecy::ExposeSecret;
use serde_json::Value;
use voice_relay::{
    auth::{Auth, Scopes},
    chat::Hub,
    clock::Clock,
    dossiers,
    drain::Drain,
    jobs::Bell,
    knowledge::{Library, Model},
    realtime::{self, Choices, Names, Offer, Task, admission::Admission, ledger},
    rest::{self, Catalog, Context, Ready},
    roster::Roster,
    storage::{self, Storage},
    store::{SessionId, UserId, sessions, users},
};

use crate::database;

pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) context: Arc<Context>,
    pub(crate) clock: Clock,
    /// The admin key.
    pub(crate) key: String,
    pub(crate) dir: tempfile::TempDir,
}

/// 2026-01-01T00:00:00Z.
pub(crate) const START: u64 = 1_767_225_600;

/// Knows texts by their words alone, and needs no file.
fn model() -> Model {
    Model { name: "scripted/embed".to_owned(), engine: Arc::new(scripted::EmbeddingModel) }
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::with(|_| ()).await
    }

    /// Starts with a context changed by `change`.
    pub(crate) async fn with(change: impl FnOnce(&mut Context)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Clock::manual(SystemTime::UNIX_EPOCH + Duration::from_secs(START));
        let db = database::open(dir.path()).await;
        let (hub, library) = (Hub::default(), Library::new(db.clone(), Some(model())));
        let (auth, made) = Auth::open(db.clone(), clock.clone(), None).await.unwrap();
        let mut context = Context {
            config: rest::Config::default(),
            auth,
            engine: realtime::Engine {
                config: realtime::Config::default(),
                clock: clock.clone(),
                drain: Drain::new(),
                admission: Admission::new(10, 10),
                ledger: Some(ledger::read_by(Arc::new(hub.clone()), db.clone())),
                dossiers: Some(dossiers::in_store(db.clone(), library.clone(), true)),
                memories: Default::default(),
            },
            library,
            hub,
            db,
            storage: Storage::open(&storage::Config::default(), dir.path()).unwrap(),
            bell: Bell::default(),
            calls: None,
            turn: realtime::webrtc::Turn::default(),
            providers: realtime::Providers {
                stt: Arc::new(scripted::SpeechToText::new(scripted::SttScript::default())),
                llm: Arc::new(scripted::LanguageModel::new(scripted::LlmScript::default())),
                tts: Arc::new(scripted::TextToSpeech::new(scripted::TtsScript::default())),
                realtime: None,
                turn: None,
            },
            catalog: catalog(Offer::new(Choices { names: names(), ..Choices::default() })),
            defaults: realtime::protocol::settings::Defaults::default(),
            telephony: rest::telephony::Config::default(),
            fonts: Arc::default(),
            ready: Ready::default(),
            roster: Roster::default(),
            metrics: Arc::new(|| "# no metrics\n".to_owned()),
        };
        change(&mut context);
        let context = Arc::new(context);
        let router = rest::router(Arc::clone(&context));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await.unwrap() });
        let key = made.unwrap().expose_secret().to_owned();
        Self { url: format!("http://{address}"), context, clock, key, dir }
    }

    /// A request without a credential.
    pub(crate) fn bare(&self, method: Method, path: &str) -> RequestBuilder {
        reqwest::Client::new().request(method, format!("{}{path}", self.url))
    }

    /// A request of the owner.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.bare(method, path).bearer_auth(&self.key)
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::GET, path)).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        Answer::of(self.request(Method::POST, path).json(&body)).await
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        Answer::of(self.request(Method::DELETE, path)).await
    }

    /// An API key of the owner with these scopes.
    pub(crate) async fn api_key(&self, scopes: &str) -> String {
        self.key_of(self.context.auth.owner().id, scopes).await
    }

    pub(crate) async fn key_of(&self, user: UserId, scopes: &str) -> String {
        let scopes: Scopes = scopes.parse().unwrap();
        let issued = self.context.auth.create_key(user, "test", scopes, None).await.unwrap();
        issued.secret.expose_secret().to_owned()
    }

    /// Somebody else, with a key of theirs.
    pub(crate) async fn stranger(&self) -> (UserId, String) {
        let now = jiff::Timestamp::from_second(START as i64).unwrap();
        let user = users::create(&self.context.db, users::Role::User, now).await.unwrap().id;
        (user, self.key_of(user, "realtime speech sessions").await)
    }

    pub(crate) async fn session_of(&self, user: UserId) -> SessionId {
        let now = jiff::Timestamp::from_second(START as i64).unwrap();
        sessions::create(&self.context.db, user, SessionId::new(now), now).await.unwrap().id
    }

    /// A conversation of the owner.
    pub(crate) async fn session(&self) -> SessionId {
        self.session_of(self.context.auth.owner().id).await
    }
}

/// The names of the engines that every relay here has.
pub(crate) fn names() -> Names {
    let one = |name: &str| [name.to_owned()];
    Names::default()
        .with(Task::Transcription, one("scripted/stt"))
        .with(Task::Language, one("scripted/llm"))
        .with(Task::Speech, one("scripted/tts"))
}

pub(crate) fn catalog(offer: Offer) -> Catalog {
    Catalog::new(offer, jiff::Timestamp::from_second(START as i64).unwrap())
}

/// An answer, read to its end.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) async fn of(request: RequestBuilder) -> Self {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = response.bytes().await.unwrap();
        let body = serde_json::from_slice(&bytes).unwrap_or_else(|_| String::from_utf8_lossy(&bytes).into());
        Self { status, headers, body }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Asserts a problem+json with this status and returns its `code` and the field it names.
    pub(crate) fn problem(&self, status: u16) -> (String, String) {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.body["status"], status);
        assert!(self.body["type"].is_string() && self.body["title"].is_string() && self.body["detail"].is_string());
        let field = self.body["errors"][0]["field"].as_str().unwrap_or_default();
        (self.body["code"].as_str().unwrap().to_owned(), field.to_owned())
    }

    /// Asserts an OpenAI error object with this status and returns its `code` and `param`.
    pub(crate) fn openai(&self, status: u16) -> (String, String) {
        assert_eq!(self.status, status, "{}", self.body);
        assert_eq!(self.header("content-type"), "application/json");
        let error = self.body["error"].as_object().unwrap();
        assert_eq!(error.keys().collect::<Vec<_>>(), ["code", "message", "param", "type"]);
        assert!(error["message"].is_string() && error["type"].is_string());
        (error["code"].as_str().unwrap().to_owned(), error["param"].as_str().unwrap_or_default().to_owned())
    }
}
