//! What the routes work with.

use std::sync::Arc;

use ipnet::IpNet;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Catalog, Rate, Ready, telephony};
use crate::{
    auth::{self, Auth},
    chat::{Desk, Hub},
    documents::export::pdf::Fonts,
    jobs::Bell,
    knowledge::{self, Library},
    realtime::{Calls, Engine, Providers, protocol::settings::Defaults, webrtc::Turn},
    roster::Roster,
    storage::Storage,
    store::{self, Db},
};

/// Everything a request may need.
pub struct Context {
    /// The operator's choices.
    pub config: Config,
    /// Sessions, messages and keys.
    pub db: Db,
    /// What is in people's documents.
    pub library: Library,
    /// Who is calling.
    pub auth: Auth,
    /// Where the bytes of files are.
    pub storage: Storage,
    /// Wakes those who read files and remove them.
    pub bell: Bell,
    /// What live sessions share: the clock, the drain, admission, the ledger.
    pub engine: Engine,
    /// Who follows which conversation.
    pub hub: Hub,
    /// Where WebRTC calls arrive, unless they are switched off.
    pub calls: Option<Calls>,
    /// The TURN server clients may use.
    pub turn: Turn,
    /// What understands, thinks and speaks.
    pub providers: Providers,
    /// The names these go by.
    pub catalog: Catalog,
    /// What live sessions start with where the client says nothing.
    pub defaults: Defaults,
    /// What calls are like.
    pub telephony: telephony::Config,
    /// What PDFs are set in.
    pub fonts: Arc<Fonts>,
    /// What serving takes beside the database.
    pub ready: Ready,
    /// The engines by name: what each can do, and how it is.
    pub roster: Roster,
    /// Renders `/metrics` in Prometheus' text format.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
}

/// The operator's choices about HTTP.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Config {
    /// Origins whose pages may call the relay (CORS), as browsers write them; none by default.
    pub allowed_origins: Vec<String>,
    /// Proxies that are believed when they say whom they speak for.
    pub trusted_proxies: Vec<IpNet>,
    /// How many requests one caller may make.
    pub rate: Rate,
    /// The URL clients reach the relay by; empty = the one they asked.
    pub public_url: String,
    /// Whether the relay itself speaks TLS.
    pub tls: bool,
    /// Who may make accounts, and how long people stay logged in.
    pub accounts: auth::Config,
    /// How much of a knowledge base there may be.
    pub knowledge: knowledge::Config,
}

impl Context {
    pub(super) fn now(&self) -> Timestamp {
        store::timestamp(self.engine.clock.wall())
    }

    /// What typed turns are answered with.
    pub(super) fn desk(self: &Arc<Self>) -> Desk {
        Desk {
            db: self.db.clone(),
            engine: self.engine.clone(),
            model: Arc::clone(&self.providers.llm),
            lead: Arc::clone(self) as _,
            hub: self.hub.clone(),
        }
    }
}
