//! `GET /ready`: whether sessions can be served, and what is missing if not.
//!
//! Anybody may ask, so names are all that is told, and whatever costs something is looked at once in [`FRESH`] at most,
//! however many ask.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use futures_util::future::{BoxFuture, join_all};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use tokio::{sync::Mutex, time::timeout};

use super::{Context, openapi::Api};

/// Looks whether something works; the reason why not is its own to log.
pub type Look = Box<dyn Fn() -> BoxFuture<'static, bool> + Send + Sync>;

/// Something that serving takes: one of these is enough.
pub struct Part {
    /// `storage`, `stt`, …
    pub name: &'static str,
    /// What can do it, by its configured name.
    pub any: Vec<(String, Look)>,
}

/// The parts, and what was found of them last.
#[derive(Default)]
pub struct Ready {
    parts: Vec<Part>,
    found: Mutex<Option<(Instant, Arc<Found>)>>,
}

/// Each part's alternatives and whether they work.
type Found = Vec<(&'static str, Vec<(String, bool)>)>;

impl Ready {
    /// Watches these parts.
    pub fn new(parts: Vec<Part>) -> Self {
        Self { parts, found: Mutex::default() }
    }

    /// What works. Who asks while somebody looks waits for what they find.
    async fn look(&self, now: Instant) -> Arc<Found> {
        let mut found = self.found.lock().await;
        if let Some((at, found)) = found.as_ref()
            && now.saturating_duration_since(*at) < FRESH
        {
            return Arc::clone(found);
        }
        let looked = join_all(self.parts.iter().map(|part| async {
            let each = part.any.iter().map(async |(name, look)| (name.clone(), in_time(look()).await));
            (part.name, join_all(each).await)
        }));
        let fresh = Arc::new(looked.await);
        *found = Some((now, Arc::clone(&fresh)));
        fresh
    }
}

/// What was found, as clients read it. Everything is `ok`, `failed` or, once the server goes, `draining`.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Readiness")]
struct View<'a> {
    #[schemars(extend("enum" = ["ready", "unavailable"]))]
    status: &'static str,
    /// What serving takes.
    checks: BTreeMap<&'a str, &'static str>,
    /// Of each part, those that can do it.
    parts: BTreeMap<&'a str, BTreeMap<&'a str, &'static str>>,
    /// What is not `ok`.
    missing: Vec<&'a str>,
}

/// `GET /ready`: database, storage, a working engine for each role, and no shutdown; else 503 with what is missing.
pub(super) async fn show(State(context): State<Arc<Context>>) -> Response {
    let database = in_time(async {
        let answered = context.db.ping().await;
        if let Err(error) = &answered {
            tracing::error!(error = error as &dyn std::error::Error, "the database does not answer");
        }
        answered.is_ok()
    });
    let (database, found) = tokio::join!(database, context.ready.look(context.engine.clock.now()));
    let mut checks = BTreeMap::from([("database", word(database))]);
    checks.extend(found.iter().map(|(part, any)| (*part, word(any.iter().any(|(_, works)| *works)))));
    checks.insert("accepting", if context.engine.drain.has_begun() { "draining" } else { "ok" });
    let parts = found.iter().map(|(part, any)| {
        let each = any.iter().map(|(name, works)| (name.as_str(), word(*works)));
        (*part, each.collect::<BTreeMap<_, _>>())
    });
    let parts: BTreeMap<_, _> = parts.collect();
    let missing: Vec<_> = checks.iter().filter(|(_, state)| **state != "ok").map(|(part, _)| *part).collect();
    let (status, shown) = match missing.is_empty() {
        true => (StatusCode::OK, "ready"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
    };
    (status, Json(View { status: shown, checks, parts, missing })).into_response()
}

async fn in_time(look: impl Future<Output = bool>) -> bool {
    timeout(PATIENCE, look).await.unwrap_or(false)
}

const fn word(works: bool) -> &'static str {
    if works { "ok" } else { "failed" }
}

/// How long a finding is good for: shorter than any balancer's interval, long enough that a flood of questions costs
/// nothing.
const FRESH: Duration = Duration::from_secs(5);
/// How long anything may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

pub(super) fn describe(api: &mut Api) {
    let ready = json!({
        "status": "ready", "checks": {"accepting": "ok", "database": "ok"}, "parts": {}, "missing": [],
    });
    let away = json!({
        "status": "unavailable", "checks": {"accepting": "ok", "database": "failed"}, "parts": {},
        "missing": ["database"],
    });
    api.get("/ready", "ready", "Tells whether sessions can be served, and what is missing if not")
        .gives::<View<'static>>(200, "They can.", ready)
        .gives::<View<'static>>(503, "They cannot.", away);
}
