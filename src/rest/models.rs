//! `GET /v1/models`, and which names stand for what we run.
//!
//! Clients written for the hosted service name its models. Those names are taken as asking for whatever is configured
//! here, so that changing the base URL is enough; they are found by name, but not listed as if they were ours.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{Context, fault::Fault};

/// What a model is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Task {
    /// Live conversations.
    Realtime,
    /// Speech to text.
    Transcription,
    /// Text to speech.
    Speech,
    /// Thinking of answers; part of conversations, listed so that operators see what is configured.
    Language,
}

/// The names that models go by.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Catalog {
    models: Vec<(String, Task)>,
    /// When they were put up, in seconds since 1970.
    since: i64,
}

impl Catalog {
    /// The relay itself and the engines it runs, by their configured names.
    pub fn new(stt: &[String], llm: &[String], tts: &[String], since: jiff::Timestamp) -> Self {
        let named = |names: &[String], task| names.iter().map(|name| (name.clone(), task)).collect::<Vec<_>>();
        let mut models = vec![(RELAY.to_owned(), Task::Realtime)];
        models.extend(named(stt, Task::Transcription));
        models.extend(named(llm, Task::Language));
        models.extend(named(tts, Task::Speech));
        Self { models, since: since.as_second() }
    }

    /// Whether `name` can be asked for this. The relay's own name can be asked for anything.
    pub fn serves(&self, name: &str, task: Task) -> bool {
        let own = |(known, of): &(String, Task)| known == name && (*of == task || *of == Task::Realtime);
        self.models.iter().any(own) || hosted(name) == Some(task)
    }

    fn knows(&self, name: &str) -> bool {
        self.models.iter().any(|(known, _)| known == name) || hosted(name).is_some()
    }

    fn show(&self, name: &str) -> Value {
        json!({"id": name, "object": "model", "created": self.since, "owned_by": RELAY})
    }
}

/// What a model of the hosted service is for, by its family; dated and sized variants included.
fn hosted(name: &str) -> Option<Task> {
    let found = HOSTED
        .iter()
        .find(|(family, _)| name.strip_prefix(family).is_some_and(|rest| rest.is_empty() || rest.starts_with('-')));
    found.map(|(_, task)| *task)
}

/// `GET /v1/models`.
pub(super) async fn list(State(context): State<Arc<Context>>) -> Response {
    let catalog = &context.catalog;
    let data: Vec<_> = catalog.models.iter().map(|(name, _)| catalog.show(name)).collect();
    Json(json!({"object": "list", "data": data})).into_response()
}

/// `GET /v1/models/{id}`; ids may hold slashes.
pub(super) async fn show(State(context): State<Arc<Context>>, Path(id): Path<String>) -> Result<Response, Fault> {
    if !context.catalog.knows(&id) {
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

/// The name of everything together.
pub(super) const RELAY: &str = "voice-relay";

/// The hosted service's families. A longer name stands before what it begins with.
const HOSTED: [(&str, Task); 13] = [
    ("gpt-realtime-whisper", Task::Transcription),
    ("gpt-realtime", Task::Realtime),
    ("gpt-4o-realtime", Task::Realtime),
    ("gpt-4o-mini-realtime", Task::Realtime),
    ("gpt-4o-transcribe", Task::Transcription),
    ("gpt-4o-mini-transcribe", Task::Transcription),
    ("gpt-live-transcribe", Task::Transcription),
    ("whisper-1", Task::Transcription),
    ("gpt-4o-mini-tts", Task::Speech),
    ("tts-1", Task::Speech),
    ("gpt-4o", Task::Language),
    ("gpt-4.1", Task::Language),
    ("gpt-5", Task::Language),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_the_hosted_service_stand_for_what_is_configured() {
        let catalog = Catalog::new(&["local/whisper-base".into()], &[], &["local/hibari".into()], jiff::Timestamp::MIN);
        for (name, task) in [
            ("voice-relay", Task::Realtime),
            ("voice-relay", Task::Speech),
            ("gpt-realtime", Task::Realtime),
            ("gpt-realtime-mini", Task::Realtime),
            ("gpt-4o-realtime-preview-2024-12-17", Task::Realtime),
            ("gpt-realtime-whisper", Task::Transcription),
            ("whisper-1", Task::Transcription),
            ("local/whisper-base", Task::Transcription),
            ("tts-1-hd", Task::Speech),
            ("local/hibari", Task::Speech),
        ] {
            assert!(catalog.serves(name, task), "{name} {task:?}");
        }
        for (name, task) in [
            ("gpt-realtimes", Task::Realtime),
            ("whisper-1", Task::Realtime),
            ("local/hibari", Task::Transcription),
            ("", Task::Realtime),
        ] {
            assert!(!catalog.serves(name, task), "{name} {task:?}");
        }
    }
}
