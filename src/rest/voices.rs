//! `GET /voice/voices`: who can speak.

use std::sync::Arc;

use axum::{
    Json,
    extract::{RawQuery, State},
    response::{IntoResponse, Response},
};
use futures_util::future::join_all;
use providers::layers::Role;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::{
    Context,
    fault::Fault,
    openapi::{Api, schema},
};
use crate::roster::{Named, Report};

/// A voice, as clients choose it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Voice")]
struct View {
    id: String,
    name: String,
    /// The engine that speaks with it.
    provider: String,
    /// Empty: any, or nobody knows.
    languages: Vec<String>,
    healthy: bool,
    /// Made from recordings by this account.
    cloned: bool,
    /// Whether it speaks where nobody chooses.
    default: bool,
}

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
            Role::Stt | Role::Llm | Role::Realtime | Role::Embed => report.abilities.voices(),
        };
        (report, voices)
    }));
    let items: Vec<_> = listed.await.iter().flat_map(|(report, voices)| views(report, voices)).collect();
    Ok(Json(json!({"items": items, "next": null})).into_response())
}

fn views(report: &Report, voices: &[Named]) -> Vec<View> {
    let own = report.abilities.voices();
    let usual = own.first().or(voices.first()).map(|voice| &voice.id);
    let view = |voice: &Named| View {
        id: voice.id.clone(),
        name: voice.name.as_ref().unwrap_or(&voice.id).clone(),
        provider: report.name.clone(),
        languages: report.abilities.languages().to_vec(),
        healthy: report.works,
        cloned: voice.cloned,
        default: report.preferred && Some(&voice.id) == usual,
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

pub(super) fn describe(api: &mut Api) {
    api.get("/voice/voices", "list_voices", "Lists the voices of every engine that speaks, the default first")
        .query("provider", schema::text(), "Of this engine, or of this vendor.")
        .listed::<View>(
            "All of them.",
            json!({
                "id": "af_heart", "name": "af_heart", "provider": "local/kokoro", "languages": ["en"],
                "healthy": true, "cloned": false, "default": true,
            }),
        )
        .refuses(422, "A parameter is unknown, or empty.");
}
