//! Servers of the Model Context Protocol, whose tools join ours under their label.
//!
//! A task each keeps one in sight: it lists the tools, again every few minutes, and tries again with growing pauses where that
//! fails. Until then, and whenever the server is away, its tools are not offered; the relay starts and answers all the same.

mod child;
mod web;
mod wire;

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::{FutureExt, future::BoxFuture};
use providers::{
    Json,
    llm::{Call, Tool},
    tool::{ActState, Offered, Ran},
};
use serde_json::{Value, json};
use tokio::{
    sync::Notify,
    time::{sleep, timeout},
};
use tokio_util::task::AbortOnDropHandle;

use self::{
    child::Child,
    web::Web,
    wire::{Age, Fault, Listed},
};
use super::{
    arguments,
    config::{Mcp, is_name},
    remote::Remote,
    words,
};

/// Bytes of one message at most.
const LARGEST: usize = 1 << 20;
/// Tools of a server that are taken.
const MOST: usize = 64;
/// Pages of its list that are read.
const PAGES: usize = 16;
/// Bytes of a description, and of a schema: a model is told of them with every reply.
const DESCRIPTION: usize = 1_024;
const SCHEMA: usize = 16 << 10;
/// Until the list is read again.
const REFRESHED: Duration = Duration::from_secs(300);
/// Until a server that is away is tried again, doubled each time up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// A server that is kept in sight for as long as this is held.
pub(super) struct Watched {
    server: Arc<Server>,
    _task: AbortOnDropHandle<()>,
}

struct Server {
    label: String,
    allow: Vec<String>,
    confidential: bool,
    patience: Duration,
    line: Line,
    ids: AtomicU64,
    known: Mutex<Known>,
    /// Told when a call found it away.
    missed: Notify,
}

enum Line {
    Web(Web),
    Child(Box<Child>),
}

/// What is known of a server.
#[derive(Default)]
struct Known {
    age: Option<Age>,
    tools: Vec<Arc<ServersTool>>,
}

/// A tool of a server.
struct ServersTool {
    server: Arc<Server>,
    /// As models call it.
    name: String,
    listed: Listed,
}

impl Watched {
    /// Begins to look for this server.
    ///
    /// # Errors
    /// It can never be reached as it is configured: why.
    pub(super) fn begin(config: &Mcp) -> Result<Self, String> {
        let line = if config.url.is_empty() {
            Line::Child(Box::new(Child::new(&config.command, &config.args, &config.env)))
        } else {
            let web = Web::new(&config.url, &config.secret);
            Line::Web(web.map_err(|why| format!("the MCP server `{}`: {why}", config.label))?)
        };
        let server = Arc::new(Server {
            label: config.label.clone(),
            allow: config.allow.clone(),
            confidential: config.confidential,
            patience: config.timeout(),
            line,
            ids: AtomicU64::new(1),
            known: Mutex::default(),
            missed: Notify::new(),
        });
        let watching = Arc::clone(&server);
        Ok(Self { server, _task: AbortOnDropHandle::new(tokio::spawn(watching.watch())) })
    }

    /// The tools there are now.
    pub(super) fn tools(&self) -> Vec<Arc<dyn Remote>> {
        self.server.known().tools.iter().map(|tool| Arc::clone(tool) as _).collect()
    }
}

impl Drop for Watched {
    /// Tools and their server know each other.
    fn drop(&mut self) {
        self.server.known().tools.clear();
    }
}

impl Server {
    async fn watch(self: Arc<Self>) {
        let mut pause = FIRST_PAUSE;
        loop {
            match self.greet_and_list().await {
                Ok(listed) => {
                    pause = FIRST_PAUSE;
                    self.take(listed);
                    let _ = timeout(REFRESHED, self.missed.notified()).await;
                }
                Err(fault) => {
                    tracing::warn!(server = self.label, error = %fault, "an MCP server is away; its tools are not offered");
                    *self.known() = Known::default();
                    sleep(pause).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
        }
    }

    /// Begins a conversation, if there is none, and reads the list.
    async fn greet_and_list(&self) -> Result<Vec<Listed>, Fault> {
        if self.age().is_none() {
            self.forget().await;
            let age = match self.ask("initialize", wire::greeting(), None).await {
                Ok(told) => {
                    let version = told["protocolVersion"].as_str().unwrap_or(wire::HANDSHAKE).to_owned();
                    let age = Age::Handshake(version);
                    self.send(&wire::notification("notifications/initialized"), None, Some(&age)).await?;
                    age
                }
                // Servers of the later age know no handshake.
                Err(Fault::Refused { .. }) => Age::Stateless,
                Err(fault) => return Err(fault),
            };
            self.known().age = Some(age);
        }
        let age = self.age();
        let (mut all, mut cursor) = (Vec::new(), None);
        for _ in 0..PAGES {
            let params = cursor.map_or_else(|| json!({}), |cursor: String| json!({"cursor": cursor}));
            let (page, next) = wire::listed(&self.ask("tools/list", params, age.as_ref()).await?);
            all.extend(page);
            cursor = next;
            if cursor.is_none() || all.len() > MOST {
                break;
            }
        }
        Ok(all)
    }

    /// Offers what was listed, as far as it can be.
    fn take(self: &Arc<Self>, listed: Vec<Listed>) {
        let mut tools: Vec<Arc<ServersTool>> = Vec::new();
        let mut left_out = 0;
        for listed in listed {
            if !self.allow.is_empty() && !self.allow.contains(&listed.name) {
                continue;
            }
            let name = format!("{}_{}", self.label, listed.name);
            let name: String = name.chars().map(|c| if c == '.' || c == '/' || c == ' ' { '_' } else { c }).collect();
            let size = listed.schema.to_string();
            // Arguments that a server wants repeated in headers are not understood here.
            let fits = is_name(&name) && size.len() <= SCHEMA && !size.contains("\"x-mcp-header\"");
            if !fits || tools.len() == MOST || tools.iter().any(|tool| tool.name == name) {
                left_out += 1;
                continue;
            }
            let description = listed.description[..listed.description.floor_char_boundary(DESCRIPTION)].to_owned();
            tools.push(Arc::new(ServersTool {
                server: Arc::clone(self),
                name,
                listed: Listed { description, ..listed },
            }));
        }
        let mut known = self.known();
        if known.tools.len() != tools.len() {
            tracing::info!(server = self.label, tools = tools.len(), left_out, "an MCP server offers tools");
        }
        known.tools = tools;
    }

    async fn ask(&self, method: &str, params: Value, age: Option<&Age>) -> Result<Value, Fault> {
        let id = self.ids.fetch_add(1, Ordering::Relaxed);
        self.send(&wire::request(id, method, params, age), Some(id), age).await
    }

    async fn send(&self, message: &Value, id: Option<u64>, age: Option<&Age>) -> Result<Value, Fault> {
        let sending = async {
            match &self.line {
                Line::Web(web) => web.send(message, id, age).await,
                Line::Child(child) => child.send(message, id).await,
            }
        };
        let late = |_| Err(Fault::Lost("it gave no answer in time".to_owned()));
        timeout(self.patience, sending).await.unwrap_or_else(late)
    }

    async fn forget(&self) {
        match &self.line {
            Line::Web(web) => web.forget(),
            Line::Child(child) => child.forget().await,
        }
    }

    fn age(&self) -> Option<Age> {
        self.known().age.clone()
    }

    /// Guarded for the length of an assignment.
    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ServersTool {
    async fn ask(&self, call: &Call) -> Ran {
        let arguments = match self.read(call) {
            Ok(arguments) => arguments,
            Err(why) => return Ran::failed(why),
        };
        let age = self.server.age();
        let told = self.server.ask("tools/call", wire::call(&self.listed.name, arguments), age.as_ref()).await;
        match told {
            Ok(result) => wire::outcome(&result),
            Err(fault) => {
                tracing::warn!(server = self.server.label, tool = self.listed.name, "a tool of an MCP server failed");
                // A session that it does not know any more is begun anew, too.
                if !matches!(fault, Fault::Refused { code, .. } if code < 0) {
                    self.server.known().age = None;
                    self.server.missed.notify_one();
                }
                match fault {
                    Fault::Lost(why) if self.writes() => Ran {
                        state: ActState::Unknown,
                        ..Ran::failed(format!("{why}: it is not known whether it was done"))
                    },
                    Fault::Lost(_) | Fault::Unreached(_) | Fault::Refused { .. } => Ran::failed(fault),
                }
            }
        }
    }

    fn read(&self, call: &Call) -> Result<serde_json::Map<String, Value>, String> {
        let members = arguments::object(&call.arguments)?;
        arguments::fit(&members, &self.listed.schema)?;
        Ok(members)
    }
}

impl Remote for ServersTool {
    fn name(&self) -> &str {
        &self.name
    }

    fn offered(&self) -> Offered {
        let parameters = Json::from_checked(self.listed.schema.to_string());
        let (name, description) = (self.name.clone(), self.listed.description.clone());
        let tool = Tool { name, description, parameters };
        Offered { tool, writes: self.writes(), confidential: self.server.confidential }
    }

    fn writes(&self) -> bool {
        !self.listed.reads
    }

    fn propose(&self, call: &Call) -> Result<(String, String), String> {
        let members = self.read(call)?;
        let change = words::spoken(&self.name, &members);
        Ok((Value::Object(members).to_string(), change))
    }

    fn run<'a>(&'a self, call: &'a Call, _: Option<&'a str>) -> BoxFuture<'a, Ran> {
        self.ask(call).boxed()
    }
}
