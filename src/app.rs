//! The relay put together: configuration in, a served address out, drained at the end.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use axum_server::Handle;
use futures_util::FutureExt;
use providers::{ProviderError, Secret, layers::Memories};
use tokio_util::task::AbortOnDropHandle;

use crate::{
    auth::Auth,
    chat::Hub,
    clock::Clock,
    config::Config,
    cost::Prices,
    documents::{
        export::pdf::Fonts,
        extract::{Limits, sandbox::Sandbox},
    },
    dossiers,
    drain::Drain,
    engines::{self, Engines, Reloads},
    jobs::{Bell, Crew},
    knowledge::{self, Library},
    metrics::Exporter,
    realtime::{self, Calls, Engine, admission::Admission, protocol::settings::Defaults, webrtc},
    rest::{self, Catalog, Context, Part, Ready},
    roster::Roster,
    server::{self, Listener},
    storage::{Storage, StorageError},
    store::{self, Db, StoreError},
    sweep,
};

/// Why the relay did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data dir cannot be used.
    #[error("the data dir {path} cannot be written: {source}", path = path.display())]
    DataDir {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The database cannot be opened.
    #[error(transparent)]
    Database(#[from] StoreError),
    /// The files' folder or bucket cannot be opened.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// An engine cannot be loaded.
    #[error(transparent)]
    Engine(#[from] ProviderError),
    /// The WebRTC port cannot be served.
    #[error("WebRTC calls cannot be served: {0}; `[webrtc] enabled = false` does without")]
    WebRtc(std::io::Error),
    /// Metrics cannot be collected.
    #[error("metrics cannot be collected: {0}")]
    Metrics(String),
}

/// A relay that is ready to serve.
pub struct App {
    context: Arc<Context>,
    drain: Drain,
    deadline: Duration,
    made_key: Option<Secret>,
    reloads: Reloads,
}

impl App {
    /// Opens the database, loads the engines, makes the admin key where there is none.
    pub async fn build(config: &Config, clock: Clock, webrtc: Option<webrtc::Sockets>) -> Result<Self, StartError> {
        let db = open(config).await?;
        let (auth, made_key) = Auth::open(db.clone(), clock.clone(), Some(&config.server.admin_key)).await?;
        let engines = Engines::load(config, &clock).await?;
        let storage = Storage::open(&config.storage, &config.server.data_dir)?;
        let exporter = Exporter::install().map_err(|error| StartError::Metrics(error.to_string()))?;
        let name = config.providers.embed.clone();
        let model = engines.embedder.map(|engine| knowledge::Model { name, engine });
        let library = Library::new(db.clone(), model);
        let catalog = Catalog::new(engines.offer, store::timestamp(clock.wall()));
        let calls = webrtc.map(|sockets| Calls::open(sockets, &clock)).transpose().map_err(StartError::WebRtc)?;
        let (drain, hub) = (Drain::new(), Hub::default());
        let limits = (config.realtime.sessions, config.realtime.sessions_per_principal);
        let engine = Engine {
            admission: Admission::new(limits.0, limits.1).with_prices(Prices::new(&config.prices)),
            config: config.realtime.clone(),
            clock,
            drain: drain.clone(),
            ledger: Some(realtime::ledger::read_by(Arc::new(hub.clone()), db.clone())),
            dossiers: Some(dossiers::in_store(db.clone(), library.clone(), config.clinical.attachments)),
            memories: Memories::default(),
        };
        let (pool, roster, reloads) = (engines.pool, engines.roster, engines.reloads);
        let context = Arc::new(Context {
            config: rest::Config {
                allowed_origins: config.server.allowed_origins.clone(),
                trusted_proxies: config.server.trusted(),
                rate: rest::Rate { per_second: config.server.requests_per_second, burst: config.server.requests_burst },
                public_url: config.server.public_url.clone(),
                tls: config.server.tls(),
                accounts: config.accounts,
                knowledge: config.knowledge,
            },
            db,
            library,
            auth,
            engine,
            hub,
            calls,
            turn: config.webrtc.turn.clone(),
            providers: engines.providers,
            catalog,
            defaults: Defaults::default(),
            telephony: rest::telephony::Config {
                public_url: config.server.public_url.clone(),
                ..config.telephony.clone()
            },
            fonts: Arc::new(Fonts::new(&config.export)),
            ready: Ready::new(parts(config, &storage, &roster)),
            storage,
            bell: Bell::default(),
            roster,
            metrics: Arc::new(move || {
                crate::metrics::inference_depth(pool.depth());
                exporter.render()
            }),
        });
        Ok(Self { context, drain, deadline: Duration::from_secs(config.server.drain_seconds), made_key, reloads })
    }

    /// The admin key, if one was made just now: the only time it can be shown.
    pub const fn made_key(&self) -> Option<&Secret> {
        self.made_key.as_ref()
    }

    /// A key for the page, good for half a day; `None` where there is no page in this binary.
    pub async fn page_key(&self) -> Result<Option<Secret>, StartError> {
        if !rest::has_page() {
            return Ok(None);
        }
        Ok(Some(self.context.auth.create_page_key().await?.secret))
    }

    /// How accounts are exchanged while it serves.
    pub fn reloads(&self) -> Reloads {
        self.reloads.clone()
    }

    /// Those who work beside the requests.
    fn crew(&self) -> Crew {
        Crew {
            db: self.context.db.clone(),
            storage: self.context.storage.clone(),
            sandbox: Sandbox::new(Limits::default()),
            library: self.context.library.clone(),
            knowledge: self.context.config.knowledge,
            clock: self.context.engine.clock.clone(),
            drain: self.drain.clone(),
            bell: self.context.bell.clone(),
        }
    }

    /// Serves until `stop` resolves, then refuses new work, tells sessions, waits to the deadline and cuts.
    pub async fn serve(self, listener: Listener, stop: impl Future<Output = ()>) -> std::io::Result<()> {
        let handle: Handle<SocketAddr> = Handle::new();
        let routes = rest::router(Arc::clone(&self.context)).into_make_service_with_connect_info::<SocketAddr>();
        let mut serving = std::pin::pin!(server::serve(listener, handle.clone(), routes));
        let (db, clock) = (self.context.db.clone(), self.context.engine.clock.clone());
        let _sweeps = AbortOnDropHandle::new(tokio::spawn(sweep::watch(db, clock)));
        let _probes = AbortOnDropHandle::new(tokio::spawn(self.context.roster.clone().watch()));
        let _jobs = AbortOnDropHandle::new(tokio::spawn(self.crew().work()));
        tokio::select! {
            ended = &mut serving => return ended,
            () = stop => {}
        }
        tracing::info!(deadline_s = self.deadline.as_secs(), "draining");
        self.drain.begin();
        let finished = tokio::select! {
            finished = self.drain.finish(self.deadline) => finished,
            ended = &mut serving => { ended?; false }
        };
        handle.graceful_shutdown(Some(Duration::from_millis(500)));
        let ended = serving.await;
        self.context.db.close().await;
        tracing::info!(in_time = finished, "stopped");
        ended
    }
}

/// Opens the database.
pub async fn open(config: &Config) -> Result<Db, StartError> {
    prepare(config)?;
    Ok(Db::of(&config.database, &config.server.data_dir).await?)
}

/// What serving takes beside the database: a data dir that can be written, and the engines.
fn parts(config: &Config, storage: &Storage, roster: &Roster) -> Vec<Part> {
    let dir = config.server.data_dir.clone();
    let writable = move || {
        let dir = dir.clone();
        let probed = tokio::task::spawn_blocking(move || {
            let probed = probe(&dir);
            if let Err(error) = &probed {
                tracing::error!(%error, "the data dir cannot be written");
            }
            probed.is_ok()
        });
        async { probed.await.unwrap_or(false) }.boxed()
    };
    let data = Part { name: "storage", any: vec![("data dir".to_owned(), Box::new(writable))] };
    let storage = storage.clone();
    let reachable = move || {
        let storage = storage.clone();
        let asked = async move {
            let answered = storage.answers().await;
            if let Err(error) = &answered {
                tracing::error!(error = error as &dyn std::error::Error, "the bucket of files does not answer");
            }
            answered.is_ok()
        };
        asked.boxed()
    };
    let files = Part { name: "files", any: vec![("bucket".to_owned(), Box::new(reachable))] };
    let files = Some(files).filter(|_| !config.storage.url.is_empty());
    std::iter::once(data).chain(files).chain(engines::parts(config, roster)).collect()
}

/// Makes the data dir, readable by its owner alone, and sees that it can be written.
pub fn prepare(config: &Config) -> Result<(), StartError> {
    let path = &config.server.data_dir;
    let told = |source| StartError::DataDir { path: path.clone(), source };
    if path.is_file() {
        return Err(told(std::io::Error::new(std::io::ErrorKind::NotADirectory, "it is a file, not a folder")));
    }
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(path).and_then(|()| probe(path)).map_err(told)
}

/// Makes a file in the data dir and removes it: permissions, read-only mounts and full disks all show.
fn probe(dir: &Path) -> std::io::Result<()> {
    let probe = dir.join(format!(".probe-{}", std::process::id()));
    std::fs::write(&probe, b"probe")?;
    std::fs::remove_file(&probe)
}
