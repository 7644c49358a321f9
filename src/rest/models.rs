//! `GET /v1/models`, and which names stand for what is offered here.
//!
//! Names that stand for something else, as those of the hosted service do, are found, but not listed as if they were ours.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::{
    Context,
    fault::Fault,
    openapi::{Api, schema},
};
use crate::realtime::{Offer, RELAY, Task};

/// A model as OpenAI's SDKs read it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Model")]
struct View<'a> {
    id: &'a str,
    /// Always `model`.
    object: &'static str,
    /// In seconds since 1970.
    created: i64,
    owned_by: &'static str,
}

/// All of them.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Models")]
struct List<'a> {
    /// Always `list`.
    object: &'static str,
    data: Vec<View<'a>>,
}

/// What is offered, as models.
#[derive(Clone, Debug)]
pub struct Catalog {
    /// What clients may choose among.
    pub offer: Offer,
    /// When it was put up, in seconds since 1970.
    since: i64,
}

impl Catalog {
    /// The relay itself and what it offers.
    pub fn new(offer: Offer, since: jiff::Timestamp) -> Self {
        Self { offer, since: since.as_second() }
    }

    /// Whether `name` can be asked for this. The relay's own name can be asked for anything; a conversation can be had
    /// with whatever thinks.
    pub fn serves(&self, name: &str, task: Task) -> bool {
        match task {
            Task::Realtime => self.offer.partner(name).is_some(),
            Task::Transcription | Task::Speech | Task::Language => self.offer.names().find(name, task).is_some(),
        }
    }

    /// The relay, then its engines, each once.
    fn listed(&self) -> Vec<&str> {
        let mut listed = vec![RELAY];
        for name in Task::ALL.iter().flat_map(|task| self.offer.names().engines(*task)) {
            if !listed.contains(&name.as_str()) {
                listed.push(name);
            }
        }
        listed
    }

    const fn show<'a>(&self, name: &'a str) -> View<'a> {
        View { id: name, object: "model", created: self.since, owned_by: RELAY }
    }
}

/// `GET /v1/models`.
pub(super) async fn list(State(context): State<Arc<Context>>) -> Response {
    let catalog = &context.catalog;
    let data = catalog.listed().into_iter().map(|name| catalog.show(name)).collect();
    Json(List { object: "list", data }).into_response()
}

/// `GET /v1/models/{id}`; ids may hold slashes.
pub(super) async fn show(State(context): State<Arc<Context>>, Path(id): Path<String>) -> Result<Response, Fault> {
    if !Task::ALL.into_iter().any(|task| context.catalog.serves(&id, task)) {
        return Err(unknown(&id));
    }
    Ok(Json(context.catalog.show(&id)).into_response())
}

/// No model goes by this name, or not for that.
pub(super) fn unknown(name: &str) -> Fault {
    let name: String = name.chars().take(64).collect();
    let message =
        format!("The model `{name}` does not exist here or cannot do this. GET /v1/models lists what there is.");
    Fault::new(StatusCode::NOT_FOUND, "model_not_found", message).at("model")
}

pub(super) fn describe(api: &mut Api) {
    let model = json!({"id": "voice-relay", "object": "model", "created": 1_767_225_600, "owned_by": "voice-relay"});
    api.chapter("OpenAI", "What OpenAI's SDKs call beside live conversations.");
    api.get("/v1/models", "list_models", "Lists the models").gives::<List<'static>>(
        200,
        "All of them.",
        json!({"object": "list", "data": [model]}),
    );
    api.get("/v1/models/{*id}", "show_model", "Shows a model")
        .part("id", schema::text(), "Its name, which may hold slashes.")
        .gives::<View<'static>>(200, "The model.", model);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::realtime::{Choices, Names};

    #[test]
    fn engines_are_listed_once_and_names_that_stand_for_them_are_found() {
        let names = Names::default()
            .with(Task::Transcription, ["local/whisper-base".to_owned()])
            .with(Task::Language, ["local/agent".to_owned(), "server/all".to_owned()])
            .with(Task::Speech, ["local/hibari".to_owned(), "server/all".to_owned()]);
        let offer = Offer::new(Choices { names, ..Choices::default() });
        let catalog = Catalog::new(offer, jiff::Timestamp::UNIX_EPOCH);
        let listed = ["voice-relay", "local/whisper-base", "local/hibari", "server/all", "local/agent"];
        assert_eq!(catalog.listed(), listed);
        for (name, task, expected) in [
            ("gpt-realtime", Task::Realtime, true),
            ("local/agent", Task::Realtime, true),
            ("agent", Task::Realtime, true),
            ("whisper-1", Task::Realtime, false),
            ("local/hibari", Task::Realtime, false),
            ("tts-1-hd", Task::Speech, true),
            ("local/hibari", Task::Transcription, false),
            ("openai/gpt-4o", Task::Realtime, false),
        ] {
            assert_eq!(catalog.serves(name, task), expected, "{name} {task:?}");
        }
    }
}
