//! The engines in use: how they are, for monitors, and what they can do, for clients. Never a key, never a vendor's words.
//!
//! `/health/providers` and `/health/openai` are open, as monitors want them: anybody learns names and states. What ails an
//! engine, since when, and how fast it answers is told to those with a key. All of it is what was found last.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::{Context, guard::Known, openapi::Api, page::time};
use crate::{
    metrics::Role,
    roster::{Abilities, Report},
    store,
};

/// How the engines are, for monitors.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ProvidersHealth")]
struct Health {
    #[schemars(extend("enum" = ["ok", "degraded", "unavailable", "not_configured"]))]
    status: String,
    providers: Vec<Condition>,
}

/// How one engine is.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ProviderHealth")]
struct Condition {
    name: String,
    /// `stt`, `llm`, `tts` or `realtime`.
    kind: &'static str,
    /// `unknown`, `healthy`, `resting` or `failing`.
    state: &'static str,
    /// Told to those with a key.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    finding: Option<Finding>,
}

/// What was found last.
#[derive(Serialize, JsonSchema)]
struct Finding {
    /// What ails it.
    reason: Option<&'static str>,
    #[schemars(extend("format" = "date-time"))]
    checked_at: Option<String>,
    /// How long the last answer took.
    latency_ms: Option<u64>,
}

/// An engine in use, and what it can do.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Provider")]
struct Engine {
    name: String,
    /// The vendor.
    provider: String,
    /// `stt`, `llm`, `tts` or `realtime`.
    kind: &'static str,
    enabled: bool,
    /// Whether it is the first that is asked.
    default: bool,
    healthy: bool,
    /// `unknown`, `healthy`, `resting` or `failing`.
    state: &'static str,
    streaming: bool,
    /// Empty: any, or nobody knows.
    languages: Vec<String>,
    limits: Limits,
    #[serde(skip_serializing_if = "Option::is_none")]
    interim_results: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    word_timestamps: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tools: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    models: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    voices: Option<Vec<String>>,
    /// Of what speaks; null: it has no voice of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    default_voice: Option<Option<String>>,
}

/// What an engine takes at most.
#[derive(Serialize, JsonSchema, Default)]
#[schemars(rename = "ProviderLimits")]
struct Limits {
    /// Of what speaks; null: any number.
    #[serde(skip_serializing_if = "Option::is_none")]
    max_characters: Option<Option<usize>>,
}

/// `GET /health/providers`: 200 while each role has an engine that works, else 503.
pub(super) async fn health(State(context): State<Arc<Context>>, Known(principal): Known) -> Response {
    context.roster.refresh().await;
    let reports = context.roster.reports();
    let mut roles: BTreeMap<_, bool> = BTreeMap::new();
    for report in &reports {
        *roles.entry(report.role).or_default() |= report.works;
    }
    let status = match (roles.values().all(|works| *works), reports.iter().all(|report| report.works)) {
        (true, true) => "ok",
        (true, false) => "degraded",
        (false, _) => "unavailable",
    };
    answer(status, &reports, principal.is_some_and(|principal| principal.holds_key()))
}

/// `GET /health/openai`: the same of OpenAI's engines alone; 503 `not_configured` where there are none.
pub(super) async fn openai(State(context): State<Arc<Context>>, Known(principal): Known) -> Response {
    context.roster.refresh().await;
    let reports = context.roster.reports().into_iter().filter(|report| report.name.starts_with("openai/"));
    let reports: Vec<_> = reports.collect();
    let working = reports.iter().filter(|report| report.works).count();
    let status = match working {
        _ if reports.is_empty() => "not_configured",
        0 => "unavailable",
        _ if working == reports.len() => "ok",
        _ => "degraded",
    };
    answer(status, &reports, principal.is_some_and(|principal| principal.holds_key()))
}

fn answer(status: &str, reports: &[Report], trusted: bool) -> Response {
    let code = match status {
        "ok" | "degraded" => StatusCode::OK,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    let providers: Vec<_> = reports.iter().map(|report| condition(report, trusted)).collect();
    (code, Json(Health { status: status.to_owned(), providers })).into_response()
}

fn condition(report: &Report, trusted: bool) -> Condition {
    let finding = || Finding {
        reason: report.reason.map(providers::probe::Ailment::as_str),
        checked_at: report.checked.map(|at| time(store::timestamp(at))),
        latency_ms: report.latency.map(|span| u64::try_from(span.as_millis()).unwrap_or(u64::MAX)),
    };
    Condition {
        name: report.name.clone(),
        kind: Role::from(report.role).name(),
        state: report.state,
        finding: trusted.then(finding),
    }
}

/// `GET /voice/providers`: each engine in use, what it can do and how it is.
pub(super) async fn list(State(context): State<Arc<Context>>) -> Response {
    let items: Vec<_> = context.roster.reports().iter().map(view).collect();
    Json(json!({"items": items, "next": null})).into_response()
}

fn view(report: &Report) -> Engine {
    let abilities = &report.abilities;
    let voices: Vec<_> = abilities.voices().into_iter().map(|voice| voice.id).collect();
    let engine = Engine {
        name: report.name.clone(),
        provider: report.name.split('/').next().unwrap_or_default().to_owned(),
        kind: Role::from(report.role).name(),
        enabled: true,
        default: report.preferred,
        healthy: report.works,
        state: report.state,
        streaming: true,
        languages: abilities.languages().to_vec(),
        limits: Limits::default(),
        interim_results: None,
        word_timestamps: None,
        tools: None,
        models: None,
        voices: None,
        default_voice: None,
    };
    let (default_voice, voices) = (Some(voices.first().cloned()), Some(voices));
    match abilities {
        Abilities::Stt(stt) => Engine {
            // Without partial transcripts its answer comes in one piece.
            streaming: stt.interim_results,
            interim_results: Some(stt.interim_results),
            word_timestamps: Some(stt.word_timestamps),
            ..engine
        },
        Abilities::Llm(llm) => Engine { tools: Some(llm.tools), models: Some(llm.models.clone()), ..engine },
        Abilities::Tts(tts) => Engine {
            word_timestamps: Some(tts.word_timestamps),
            limits: Limits { max_characters: Some(tts.max_chars) },
            default_voice,
            voices,
            ..engine
        },
        Abilities::Realtime(realtime) => Engine { tools: Some(realtime.tools), default_voice, voices, ..engine },
    }
}

pub(super) fn describe(api: &mut Api) {
    let state = json!({"name": "local/whisper-base", "kind": "stt", "state": "healthy"});
    let healthy = json!({"status": "ok", "providers": [state]});
    let ill = json!({"status": "unavailable", "providers": [{"name": "local/whisper-base", "kind": "stt", "state": "failing"}]});
    api.get("/voice/providers", "list_providers", "Lists the engines in use: what each can do, and how it is")
        .listed::<Engine>(
            "All of them.",
            json!({
                "name": "local/whisper-base", "provider": "local", "kind": "stt", "enabled": true, "default": true,
                "healthy": true, "state": "healthy", "streaming": true, "languages": ["en"], "limits": {},
                "interim_results": true, "word_timestamps": false,
            }),
        );
    api.get("/health/providers", "providers_health", "Tells whether each role has an engine that works")
        .open_to_all()
        .refuses(429, "Too many wrong credentials came from this address.")
        .gives::<Health>(200, "Each has.", healthy.clone())
        .gives::<Health>(503, "One has none.", ill.clone());
    api.get("/health/openai", "openai_health", "Tells the same of OpenAI's engines alone")
        .open_to_all()
        .refuses(429, "Too many wrong credentials came from this address.")
        .gives::<Health>(200, "They work.", healthy)
        .gives::<Health>(503, "They do not, or there are none.", ill);
}
