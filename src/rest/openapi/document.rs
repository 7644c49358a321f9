//! The document, put together of what was described and of the table of routes.

use std::collections::BTreeMap;

use axum::http::Method;
use schemars::{SchemaGenerator, generate::SchemaSettings, transform::RecursiveTransform};
use serde_json::{Map, Value, json};

use super::{
    operation::{Described, Operation, append, refusal},
    schema,
};
use crate::rest::{
    Route, azure,
    fault::Dialect,
    guard::Need,
    idempotency,
    spelling::{OpenAiError, Problem},
};

/// What is described so far.
pub(in crate::rest) struct Api {
    /// Types that bodies are read into, and those that answers are written from.
    pub(super) read: SchemaGenerator,
    pub(super) written: SchemaGenerator,
    tags: Vec<(&'static str, &'static str)>,
    pub(super) operations: Vec<Described>,
}

impl Api {
    pub(super) fn new() -> Self {
        let settings = || {
            let settings = SchemaSettings::draft2020_12().with_transform(RecursiveTransform(schema::tidy));
            settings.with(|settings| settings.definitions_path = "/components/schemas".into())
        };
        let (read, written) = (settings().for_deserialize(), settings().for_serialize());
        Self {
            read: read.into_generator(),
            written: written.into_generator(),
            tags: Vec::new(),
            operations: Vec::new(),
        }
    }

    /// Begins a chapter.
    pub(in crate::rest) fn chapter(&mut self, name: &'static str, text: &'static str) {
        self.tags.push((name, text));
    }

    /// Reads.
    pub(in crate::rest) fn get(&mut self, path: &'static str, id: &str, summary: &str) -> Operation<'_> {
        self.describe(Method::GET, path, id, summary)
    }

    /// Makes, or does.
    pub(in crate::rest) fn post(&mut self, path: &'static str, id: &str, summary: &str) -> Operation<'_> {
        self.describe(Method::POST, path, id, summary)
    }

    /// Changes what is given.
    pub(in crate::rest) fn patch(&mut self, path: &'static str, id: &str, summary: &str) -> Operation<'_> {
        self.describe(Method::PATCH, path, id, summary)
    }

    /// Changes.
    pub(in crate::rest) fn put(&mut self, path: &'static str, id: &str, summary: &str) -> Operation<'_> {
        self.describe(Method::PUT, path, id, summary)
    }

    /// Removes.
    pub(in crate::rest) fn delete(&mut self, path: &'static str, id: &str, summary: &str) -> Operation<'_> {
        self.describe(Method::DELETE, path, id, summary)
    }

    /// `id` is what generated clients call it.
    fn describe(&mut self, method: Method, path: &'static str, id: &str, summary: &str) -> Operation<'_> {
        let tag = self.tags.last().map_or("Other", |(name, _)| name);
        let value = json!({"operationId": id, "summary": summary, "tags": [tag], "responses": {}});
        Operation::new(self, Described { method, path, value })
    }

    /// All of it, for these routes. A route that is another's alias is described as that one.
    pub(super) fn document(mut self, routes: &[Route]) -> Value {
        let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
        for route in routes {
            let original = original(&route.path);
            let described = self.operations.iter().filter(|described| {
                described.path == route.path || original.as_deref().is_some_and(|path| described.path == path)
            });
            for Described { method, value, path } in described {
                let alias = *path != route.path;
                let operation = finished(value.clone(), method, &route.path, route.need, alias);
                paths.entry(spelled(&route.path)).or_default().insert(method.as_str().to_lowercase(), operation);
            }
        }
        let served = |path: &str| routes.iter().any(|route| route.path == path);
        for Described { method, path, value } in self.operations.iter().filter(|stray| !served(stray.path)) {
            paths.entry(spelled(path)).or_default().insert(method.as_str().to_lowercase(), value.clone());
        }
        self.written.subschema_for::<Problem<'static>>();
        self.written.subschema_for::<OpenAiError<'static>>();
        let mut schemas = self.written.take_definitions(true);
        schemas.extend(self.read.take_definitions(true));
        let tags: Vec<_> = self.tags.iter().map(|(name, text)| json!({"name": name, "description": text})).collect();
        let count = json!({"type": "integer", "minimum": 0});
        json!({
            "openapi": "3.1.0",
            "info": {
                "title": "voice-relay",
                "version": env!("CARGO_PKG_VERSION"),
                "description": ABOUT,
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            },
            "servers": [{"url": "/"}],
            "tags": tags,
            "paths": paths,
            "components": {
                "schemas": schemas,
                "headers": {
                    "RequestId": {
                        "description": "Under which the log holds what happened.",
                        "required": true,
                        "schema": {"type": "string", "pattern": "^req_[0-9a-f]{32}$"},
                    },
                    "RateLimit": {"description": "Requests that the caller may make at once.", "schema": count},
                    "RateRemaining": {"description": "How many of them are left.", "schema": count},
                    "RateReset": {"description": "Seconds until all of them are.", "schema": count},
                },
                "securitySchemes": {
                    "bearer": {"type": "http", "scheme": "bearer", "description":
                        "An access token of a login, an API key (`vr_…`), the admin key, or, for live voice, a client secret (`ek_…`)."},
                    "api_key": {"type": "apiKey", "in": "header", "name": "api-key", "description":
                        "The same, as clients of Azure send it."},
                    "client_secret": {"type": "apiKey", "in": "query", "name": "token", "description":
                        "A client secret, for those who can set no header on a WebSocket."},
                },
            },
        })
    }
}

/// Adds what follows from the route: who may call it, the parts of its path, the answers that every such route may give.
fn finished(mut value: Value, method: &Method, path: &str, need: Need, alias: bool) -> Value {
    let dialect = Dialect::of(path);
    let known = value.as_object_mut().and_then(|all| all.remove("x-known")).is_some();
    if alias {
        let words: Vec<_> = path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
        value["operationId"] =
            format!("{}__{}", value["operationId"].as_str().unwrap_or_default(), words.join("_")).into();
    }
    let need = need.of(method);
    value["x-need"] = need.word().into();
    value["x-write"] = need.writes(method).into();
    value["security"] = security(need, known);
    // What was said of the same status stands, beside this.
    let answers = |status: u16, why: &str, value: &mut Value| {
        let (usual, response) = (refusal(dialect, status, why), &mut value["responses"][status.to_string()]);
        for (media, content) in usual["content"].as_object().into_iter().flatten() {
            response["content"][media] = content.clone();
        }
        if response["description"].is_null() {
            *response = usual;
        }
    };
    answers(
        429,
        "This is more than one caller may ask, or too many wrong credentials came from this address.",
        &mut value,
    );
    if !matches!(need, Need::Nothing | Need::Call) {
        answers(401, "No credential is shown, or one that is wrong, expired or revoked.", &mut value);
        answers(403, "The credential is not for this, or its holder is a viewer.", &mut value);
    }
    let parts: Vec<_> = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')).collect();
    for name in &parts {
        let name = name.trim_start_matches('*');
        let said = value["parameters"]
            .as_array()
            .is_some_and(|all| all.iter().any(|parameter| parameter["in"] == "path" && parameter["name"] == name));
        if !said {
            let part = json!({"in": "path", "name": name, "required": true, "schema": part(name)});
            append(&mut value["parameters"], part);
        }
    }
    if *method == Method::POST && idempotency::holds_for(path) && !matches!(need, Need::Nothing | Need::Call) {
        let text = "A name for this request: sent again under it, it is done once and answered as before, for a day.";
        let schema = json!({"type": "string", "pattern": "^[!-~]{1,255}$"});
        let header = json!({"in": "header", "name": "idempotency-key", "required": false, "schema": schema, "description": text});
        append(&mut value["parameters"], header);
        answers(409, "A request of this name is being done, or its answer showed a secret once.", &mut value);
        answers(422, "Another request had this name.", &mut value);
    }
    if !parts.is_empty() {
        answers(404, "There is nothing here, or it is not yours.", &mut value);
    }
    value["responses"]["5XX"] = refusal(dialect, 500, "Something is wrong on our side, or away for now.");
    if let Some(responses) = value["responses"].as_object_mut() {
        for response in responses.values_mut() {
            for (name, component) in HEADERS {
                response["headers"][name] = json!({"$ref": format!("#/components/headers/{component}")});
            }
        }
    }
    value
}

fn part(name: &str) -> Value {
    match name {
        "id" => schema::id(),
        _ => schema::name(),
    }
}

/// Who may call: any of these. In OpenAPI 3.1 the words are what the credential must be good for.
fn security(need: Need, known: bool) -> Value {
    let words = match need {
        Need::Nothing if known => return json!([{}, {"bearer": []}, {"api_key": []}]),
        Need::Nothing | Need::Call => return json!([]),
        Need::Key => vec![],
        Need::Scope(_) | Need::Change(_) | Need::Asking(_) | Need::Login | Need::Account | Need::Voice | Need::Chat => {
            vec![need.word()]
        }
    };
    let keyed = json!([{"bearer": words}, {"api_key": words}]);
    if matches!(need, Need::Voice | Need::Chat) { json!([keyed[0], keyed[1], {"client_secret": []}]) } else { keyed }
}

/// The path of which this one is another name.
fn original(path: &str) -> Option<String> {
    azure::original(path)
        .or_else(|| path.strip_prefix("/api").filter(|rest| rest.starts_with("/voice/")).map(str::to_owned))
}

/// A path as OpenAPI writes it, which has no parts of several segments.
fn spelled(path: &str) -> String {
    path.replace("{*", "{")
}

/// What every answer tells beside its body.
const HEADERS: [(&str, &str); 4] = [
    ("x-request-id", "RequestId"),
    ("ratelimit-limit", "RateLimit"),
    ("ratelimit-remaining", "RateRemaining"),
    ("ratelimit-reset", "RateReset"),
];

const ABOUT: &str = "A self-hosted relay for realtime voice: conversations, spoken and typed, and what belongs to them.\n\n\
    Bodies are JSON in UTF-8; a field that is not known is refused. Ids are UUIDs, times RFC 3339 in UTC. Lists take `limit` \
    and `after` and answer `items` and `next`. Errors are `application/problem+json` (RFC 9457); under `/v1` and `/openai` \
    they are OpenAI's error object, and what is 422 elsewhere is 400. What belongs to somebody else answers as what does not \
    exist. `x-need` says what a credential must be good for, `x-write` that a viewer may not.";
