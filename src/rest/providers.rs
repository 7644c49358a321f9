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
use serde_json::{Value, json};

use super::{Context, guard::Known, page::time};
use crate::{
    metrics::Role,
    roster::{Abilities, Report},
    store,
};

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
    (code, Json(json!({"status": status, "providers": providers}))).into_response()
}

fn condition(report: &Report, trusted: bool) -> Value {
    let mut told = json!({"name": report.name, "kind": Role::from(report.role).name(), "state": report.state});
    if trusted {
        told["reason"] = json!(report.reason.map(providers::probe::Ailment::as_str));
        told["checked_at"] = json!(report.checked.map(|at| time(store::timestamp(at))));
        told["latency_ms"] = json!(report.latency.map(|span| u64::try_from(span.as_millis()).unwrap_or(u64::MAX)));
    }
    told
}

/// `GET /voice/providers`: each engine in use, what it can do and how it is.
pub(super) async fn list(State(context): State<Arc<Context>>) -> Response {
    let items: Vec<_> = context.roster.reports().iter().map(view).collect();
    Json(json!({"items": items, "next": null})).into_response()
}

fn view(report: &Report) -> Value {
    let abilities = &report.abilities;
    let voices: Vec<_> = abilities.voices().into_iter().map(|voice| voice.id).collect();
    let mut told = json!({
        "name": report.name,
        "provider": report.name.split('/').next(),
        "kind": Role::from(report.role).name(),
        "enabled": true,
        "default": report.preferred,
        "healthy": report.works,
        "state": report.state,
        "streaming": true,
        "languages": abilities.languages(),
        "limits": {},
    });
    match abilities {
        Abilities::Stt(stt) => {
            // Without partial transcripts its answer comes in one piece.
            told["streaming"] = json!(stt.interim_results);
            told["interim_results"] = json!(stt.interim_results);
            told["word_timestamps"] = json!(stt.word_timestamps);
        }
        Abilities::Llm(llm) => {
            told["tools"] = json!(llm.tools);
            told["models"] = json!(llm.models);
        }
        Abilities::Tts(tts) => {
            told["word_timestamps"] = json!(tts.word_timestamps);
            told["limits"] = json!({"max_characters": tts.max_chars});
            told["default_voice"] = json!(voices.first());
            told["voices"] = json!(voices);
        }
        Abilities::Realtime(realtime) => {
            told["tools"] = json!(realtime.tools);
            told["default_voice"] = json!(voices.first());
            told["voices"] = json!(voices);
        }
    }
    told
}
