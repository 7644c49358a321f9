//! Azure's paths for what is served here, so that its clients need a base URL and a key and nothing else.
//!
//! Under `/openai/v1` everything is as under `/v1`. The older paths without a version carry it as `?api-version=`, name the
//! model as a deployment, and speak the beta where they are live. Either may log in by `api-key`, as everywhere.

use axum::{Extension, routing::MethodRouter};

use super::Route;
use crate::realtime::protocol::Dialect;

/// The same resources once more.
pub(super) fn aliases(ours: &[Route]) -> Vec<Route> {
    let versioned = ours.iter().filter(|route| route.path.starts_with("/v1/")).map(|route| Route {
        path: format!("/openai{}", route.path).into(),
        need: route.need,
        methods: route.methods.clone(),
    });
    let dated = DATED.iter().flat_map(|(theirs, original)| {
        let original = ours.iter().filter(move |route| route.path == *original);
        original.map(|route| Route { path: (*theirs).into(), need: route.need, methods: in_beta(&route.methods) })
    });
    versioned.chain(dated).collect()
}

/// The path of ours that this one of theirs stands for.
pub(super) fn original(path: &str) -> Option<String> {
    let dated = DATED.iter().find(|(theirs, _)| *theirs == path).map(|(_, ours)| (*ours).to_owned());
    dated.or_else(|| path.strip_prefix("/openai").filter(|rest| rest.starts_with("/v1/")).map(str::to_owned))
}

/// Those with a date for a version, and what they are here. The deployment in a path is the model that the body names too.
const DATED: &[(&str, &str)] = &[
    ("/openai/realtime", "/v1/realtime"),
    ("/openai/realtime/sessions", "/v1/realtime/sessions"),
    ("/openai/realtimeapi/sessions", "/v1/realtime/sessions"),
    ("/openai/realtime/transcription_sessions", "/v1/realtime/transcription_sessions"),
    ("/openai/models", "/v1/models"),
    ("/openai/deployments/{deployment}/chat/completions", "/v1/chat/completions"),
    ("/openai/deployments/{deployment}/audio/speech", "/v1/audio/speech"),
    ("/openai/deployments/{deployment}/audio/transcriptions", "/v1/audio/transcriptions"),
];

/// The same methods, told that their path speaks the beta.
fn in_beta<S: Clone + Send + Sync + 'static>(methods: &MethodRouter<S>) -> MethodRouter<S> {
    methods.clone().layer(Extension(Dialect::Beta))
}
