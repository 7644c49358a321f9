//! A server with one route, and providers that say what they are told.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{State, WebSocketUpgrade},
    response::Response,
    routing::any,
};
use futures_util::future::BoxFuture;
use providers::{
    TurnDetector,
    layers::{Observed, Observer},
    scripted::{LanguageModel, LlmScript, RealtimeModel, SpeechToText, SttScript, TextToSpeech, TtsScript},
};
use tokio::{net::TcpSocket, sync::watch};
use uuid::Uuid;
use voice_relay::{
    clock::Clock,
    drain::Drain,
    metrics::ProviderMeter,
    realtime::{
        Config, Engine, Offer, Providers, Start,
        admission::Admission,
        history::{Entry, Ledger, LedgerError},
        limited,
        protocol::{Dialect, Query, settings},
        serve_ws,
    },
};

/// Longer than anything takes here, so a test that hangs fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// What the providers say, and how the server is tuned.
#[derive(Default)]
pub(crate) struct Script {
    pub(crate) stt: SttScript,
    pub(crate) llm: LlmScript,
    pub(crate) tts: TtsScript,
    pub(crate) realtime: Option<RealtimeModel>,
    pub(crate) turn: Option<Arc<dyn TurnDetector>>,
    pub(crate) config: Config,
}

/// A running server.
pub(crate) struct Room {
    pub(crate) address: SocketAddr,
    pub(crate) engine: Engine,
    pub(crate) stt: Arc<SpeechToText>,
    pub(crate) diary: Arc<Diary>,
}

/// All history, in memory.
#[derive(Default)]
pub(crate) struct Diary(pub(crate) watch::Sender<Vec<(Uuid, Entry)>>);

#[derive(Clone)]
struct Route {
    engine: Engine,
    providers: Providers,
}

impl Room {
    pub(crate) async fn open(script: Script) -> Self {
        let (stt, diary) = (Arc::new(SpeechToText::new(script.stt)), Arc::new(Diary::default()));
        let meter: Arc<dyn Observer> = Arc::new(ProviderMeter::new(Clock::system()));
        let (llm, tts) = (Arc::new(LanguageModel::new(script.llm)), Arc::new(TextToSpeech::new(script.tts)));
        let providers = Providers {
            stt: Arc::new(Observed::<dyn providers::SpeechToText>::new("ears", meter.clone(), stt.clone())),
            llm: Arc::new(Observed::<dyn providers::LanguageModel>::new("brain", meter.clone(), llm)),
            tts: Arc::new(Observed::<dyn providers::TextToSpeech>::new("mouth", meter, tts)),
            realtime: script.realtime.map(|model| Arc::new(model) as _),
            turn: script.turn,
        };
        let engine = Engine {
            admission: Admission::new(script.config.sessions, script.config.sessions_per_principal),
            config: script.config,
            clock: Clock::system(),
            drain: Drain::new(),
            ledger: Some(Arc::clone(&diary) as _),
            dossiers: None,
            memories: Default::default(),
        };
        let socket = TcpSocket::new_v4().unwrap();
        // Accepted sockets inherit it: a client that does not read is felt after some 100 KB instead of megabytes.
        socket.set_send_buffer_size(64 * 1024).unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(64).unwrap();
        let address = listener.local_addr().unwrap();
        let route = Route { engine: engine.clone(), providers };
        let app = Router::new().route("/v1/realtime", any(upgrade)).with_state(route);
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { address, engine, stt, diary }
    }

    /// Waits until every session that began has ended, and its place is free.
    pub(crate) async fn is_empty(&self) {
        let mut entries = self.diary.0.subscribe();
        let all_closed = entries.wait_for(|entries| {
            let count = |wanted: fn(&Entry) -> bool| entries.iter().filter(|(_, entry)| wanted(entry)).count();
            let opened = count(|entry| matches!(entry, Entry::Opened { .. }));
            opened > 0 && opened == count(|entry| matches!(entry, Entry::Closed { .. }))
        });
        drop(tokio::time::timeout(PATIENCE, all_closed).await.expect("a session outlived its client").unwrap());
        assert_eq!(self.engine.admission.list(), []);
    }
}

async fn upgrade(State(route): State<Route>, upgrade: WebSocketUpgrade) -> Response {
    let Route { engine, providers } = route;
    let query = Query::Conversation { model: Some("echo".to_owned()) };
    let settings = settings::initial(&query, None, &settings::Defaults::default()).unwrap();
    let pass = engine.admission.admit("tester", "ws", engine.clock.wall()).unwrap();
    limited(upgrade).on_upgrade(move |socket| {
        serve_ws(
            socket,
            Start {
                engine,
                providers,
                pass,
                settings,
                past: Vec::new(),
                offer: Offer::default(),
                dialect: Dialect::Ga,
            },
        )
    })
}

impl Ledger for Diary {
    fn record(&self, session: Uuid, entry: Entry) -> BoxFuture<'_, Result<(), LedgerError>> {
        self.0.send_modify(|entries| entries.push((session, entry)));
        Box::pin(async { Ok(()) })
    }
}
