//! `GET /voice/voices`: who can speak.

use std::sync::Arc;

use axum::{
    Json,
    extract::{RawQuery, State},
    response::{IntoResponse, Response},
};
use futures_util::future::join_all;
use providers::layers::Role;
use serde_json::{Value, json};

use super::{Context, fault::Fault};
use crate::roster::{Named, Report};

/// `GET /voice/voices`: the voices of every engine that speaks, the preferred engine first, its default voice first;
/// `?provider=` names an engine, or a vendor.
pub(super) async fn list(State(context): State<Arc<Context>>, RawQuery(query): RawQuery) -> Result<Response, Fault> {
    let wanted = wanted(query.as_deref().unwrap_or_default())?;
    let fits =
        |name: &str| wanted.as_deref().is_none_or(|wanted| name == wanted || name.split('/').next() == Some(wanted));
    let speaks = |report: &Report| matches!(report.role, Role::Tts | Role::Realtime);
    let reports = context.roster.reports().into_iter().filter(|report| speaks(report) && fits(&report.name));
    let listed = join_all(reports.map(|report| async {
        let voices = match report.role {
            Role::Tts => context.roster.voices(&report.name).await,
            Role::Stt | Role::Llm | Role::Realtime => report.abilities.voices(),
        };
        (report, voices)
    }));
    let items: Vec<_> = listed.await.iter().flat_map(|(report, voices)| views(report, voices)).collect();
    Ok(Json(json!({"items": items, "next": null})).into_response())
}

fn views(report: &Report, voices: &[Named]) -> Vec<Value> {
    let own = report.abilities.voices();
    let usual = own.first().or(voices.first()).map(|voice| &voice.id);
    let view = |voice: &Named| {
        json!({
            "id": voice.id,
            "name": voice.name.as_ref().unwrap_or(&voice.id),
            "provider": report.name,
            "languages": report.abilities.languages(),
            "healthy": report.works,
            "cloned": voice.cloned,
            "default": report.preferred && Some(&voice.id) == usual,
        })
    };
    voices.iter().map(view).collect()
}

fn wanted(query: &str) -> Result<Option<String>, Fault> {
    let mut wanted = None;
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=').unwrap_or((pair, "")) {
            ("provider", name) if !name.is_empty() => wanted = Some(name.replace("%2F", "/").replace("%2f", "/")),
            (name, _) => return Err(Fault::invalid(name, "This list takes `provider` and nothing else.")),
        }
    }
    Ok(wanted)
}
