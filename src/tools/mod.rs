//! What models may have done here: search the knowledge base, read attached files, read and change the clinical context, and what
//! the operator adds over HTTP.
//!
//! A [`Toolset`] is what the deployment has. For a conversation it makes a toolbox that reaches what its owner may reach and
//! nothing else. What changes something runs when its owner has agreed to it, and at most once: the agreement is noted in the
//! database first.

mod arguments;
mod attachment;
mod clinical;
mod config;
mod http;
mod mcp;
mod remote;
mod search;
mod words;

use std::{fmt, sync::Arc};

pub use config::{Config, Http, Mcp, Method};
use futures_util::{FutureExt, future::BoxFuture};
use providers::{
    llm::{Call, Tool},
    tool::{Offered, Proposal, Ran, Toolbox},
};
use remote::Remote;
use uuid::Uuid;

use crate::{
    clock::Clock,
    knowledge::Library,
    realtime::toolbox::Toolboxes,
    store::{self, Db, SessionId, UserId, acts},
};

/// The tools of a deployment. Cheap to clone.
#[derive(Clone)]
pub struct Toolset(Arc<Tools>);

struct Tools {
    db: Db,
    library: Library,
    clock: Clock,
    config: Config,
    /// Whether what stands in attached files is confidential, as clinical contexts are.
    files: bool,
    http: Vec<Arc<dyn Remote>>,
    mcp: Vec<mcp::Watched>,
}

/// What every tool of the relay is given: whose conversation it is.
#[derive(Clone, Copy)]
struct Place {
    user: UserId,
    session: SessionId,
}

impl Toolset {
    /// Tools over `db` and `library`; looks for MCP servers from now on, which takes a runtime. `files` says whether attached files are confidential.
    ///
    /// # Errors
    /// A service or server cannot be called as it is configured: why.
    pub fn new(db: Db, library: Library, clock: Clock, config: Config, files: bool) -> Result<Self, String> {
        let service = |config| http::Service::new(config).map(|service| Arc::new(service) as Arc<dyn Remote>);
        let http = config.http.iter().map(service).collect::<Result<_, _>>()?;
        let mcp = config.mcp.iter().map(mcp::Watched::begin).collect::<Result<_, _>>()?;
        Ok(Self(Arc::new(Tools { db, library, clock, config, files, http, mcp })))
    }
}

impl Toolboxes for Toolset {
    fn of(&self, principal: &str, conversation: Uuid) -> Arc<dyn Toolbox> {
        let place = principal.parse().ok().map(|user| Place { user, session: conversation.into() });
        Arc::new(Chest { tools: Arc::clone(&self.0), place })
    }
}

/// The toolbox of a conversation; without an owner it is empty.
struct Chest {
    tools: Arc<Tools>,
    place: Option<Place>,
}

impl Chest {
    async fn all(&self) -> Vec<Offered> {
        let (tools, Some(place)) = (&*self.tools, self.place) else { return Vec::new() };
        let Config { search, attachments, clinical, clinical_updates, .. } = tools.config;
        let (search, files, known) = tokio::join!(
            async { search && search::is_of_use(tools, place).await },
            async { attachments && attachment::is_of_use(tools, place).await },
            async { (clinical || clinical_updates) && clinical::is_known(tools, place).await },
        );
        let own = [
            search.then(search::offered),
            files.then(|| Offered { confidential: tools.files, ..attachment::offered() }),
            (clinical && known).then(clinical::offered_reading),
            (clinical_updates && known).then(clinical::offered_change),
        ];
        let remote = tools.remote_tools().map(|tool| tool.offered());
        let mut all: Vec<Offered> = Vec::new();
        for offered in own.into_iter().flatten().chain(remote) {
            if !all.iter().any(|known| known.tool.name == offered.tool.name) {
                all.push(offered);
            }
        }
        all
    }

    async fn look(&self, call: &Call) -> Ran {
        let (tools, Some(place)) = (&*self.tools, self.place) else { return Ran::failed(NO_SUCH_TOOL) };
        match &*call.name {
            search::NAME => search::run(tools, place, call).await,
            attachment::NAME => attachment::run(tools, place, call).await,
            clinical::READING => clinical::read(tools, place).await,
            _ => match tools.remote(&call.name) {
                Some(remote) if !remote.writes() => remote.run(call, None).await,
                Some(_) | None => Ran::failed(NO_SUCH_TOOL),
            },
        }
    }

    async fn ask(&self, call: &Call, language: Option<&str>) -> Result<Proposal, String> {
        let (tools, Some(place)) = (&*self.tools, self.place) else { return Err(NO_SUCH_TOOL.to_owned()) };
        let (arguments, change) = match &*call.name {
            clinical::CHANGE => clinical::propose(tools, place, call).await?,
            _ => match tools.remote(&call.name) {
                Some(remote) => remote.propose(call)?,
                None => return Err(NO_SUCH_TOOL.to_owned()),
            },
        };
        let question = words::question(&change, language)?;
        let id = Uuid::now_v7().simple().to_string();
        Ok(Proposal { call: Call { call: id, name: call.name.clone(), arguments }, question })
    }

    async fn agreed(&self, call: &Call) -> Ran {
        let (tools, Some(place)) = (&*self.tools, self.place) else { return Ran::failed(NO_SUCH_TOOL) };
        match acts::agree(&tools.db, place.user, place.session, &call.call, tools.now()).await {
            Ok(true) => {}
            Ok(false) => return Ran::failed("this was agreed to before and is not done again"),
            Err(error) => return unavailable(&error, "nothing was changed: it cannot be noted that it was agreed to"),
        }
        match &*call.name {
            clinical::CHANGE if tools.config.clinical_updates => clinical::change(tools, place, call).await,
            _ => match tools.remote(&call.name) {
                Some(remote) => remote.run(call, Some(&call.call)).await,
                None => Ran::failed("nothing was changed: there is no such tool any more"),
            },
        }
    }
}

impl Toolbox for Chest {
    fn offered(&self) -> BoxFuture<'_, Vec<Offered>> {
        self.all().boxed()
    }

    fn run<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Ran> {
        self.look(call).boxed()
    }

    fn propose<'a>(&'a self, call: &'a Call, language: Option<&'a str>) -> BoxFuture<'a, Result<Proposal, String>> {
        self.ask(call, language).boxed()
    }

    fn confirmed<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Ran> {
        self.agreed(call).boxed()
    }
}

impl Tools {
    /// Those of the operator's services, and of servers that are there now.
    fn remote_tools(&self) -> impl Iterator<Item = Arc<dyn Remote>> {
        self.http.iter().cloned().chain(self.mcp.iter().flat_map(mcp::Watched::tools))
    }

    /// The first of this name: what is configured goes before what is found.
    fn remote(&self, name: &str) -> Option<Arc<dyn Remote>> {
        self.remote_tools().find(|tool| tool.name() == name)
    }

    fn now(&self) -> jiff::Timestamp {
        store::timestamp(self.clock.wall())
    }
}

impl fmt::Debug for Toolset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Toolset")
            .field("http", &self.0.http.len())
            .field("mcp", &self.0.mcp.len())
            .finish_non_exhaustive()
    }
}

/// A tool of our own.
fn offered(name: &str, description: &str, parameters: &serde_json::Value) -> Offered {
    let parameters = providers::Json::from_checked(parameters.to_string());
    let tool = Tool { name: name.to_owned(), description: description.to_owned(), parameters };
    Offered { tool, writes: false, confidential: false }
}

/// The store failed, which the log says in full and the model in these words.
fn unavailable(error: &store::StoreError, words: &str) -> Ran {
    tracing::warn!(error = error as &dyn std::error::Error, "a tool cannot be run");
    Ran::failed(words)
}

const NO_SUCH_TOOL: &str = "there is no such tool";
/// What a model is told when the database is away.
const AWAY: &str = "this cannot be looked up for now";
