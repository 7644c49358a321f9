//! `POST /v1/chat/completions`: a typed conversation in, the next message out, on the hosted service's wire.
//!
//! The chain that thinks in voice sessions answers, with the same failover. What the prompt of our models cannot carry is
//! refused by name. A client that goes takes its request along: the model is told to stop.

mod answer;
mod lines;
mod request;
mod stop;
mod telling;

use std::sync::Arc;

use axum::{extract::State, http::HeaderValue, response::Response};
use providers::{LanguageModel, layers::Metered};
use serde_json::{Value, json};

use self::{
    answer::Head,
    request::{Asked, Params},
    telling::Telling,
};
use super::{
    Context,
    body::Strict,
    fault::Fault,
    models,
    openapi::{Api, schema},
    opening, provider,
    speech::IGNORED,
};
use crate::{chat::Thinking, cost::Served, metrics::Role, realtime::Task};

/// `POST /v1/chat/completions`.
pub(super) async fn create(
    State(context): State<Arc<Context>>,
    Strict(params): Strict<Params>,
) -> Result<Response, Fault> {
    let Asked { model, prompt, delivery, stops, single, ignored } = params.read()?;
    if !context.catalog.serves(&model, Task::Language) {
        return Err(models::unknown(&model));
    }
    if context.engine.drain.has_begun() {
        return Err(opening::draining());
    }
    let served = Served::on(context.engine.admission.tally());
    let metered = Metered::<dyn LanguageModel>::new(served.clone() as _, Arc::clone(&context.providers.llm));
    let thinking = Thinking::begin(&context.engine, Arc::new(metered), prompt).await;
    let thinking = thinking.map_err(|error| provider::failed(Role::Think, &error))?;
    let head = Head::new(served.engine().unwrap_or(model), context.now());
    let telling = Telling::new(thinking, stops, single);
    let mut response = answer::deliver(head, telling, delivery).await?;
    if let Some(ignored) = ignored {
        response.headers_mut().insert(IGNORED, HeaderValue::from_static(ignored));
    }
    Ok(response)
}

/// Largest body: twice what any current model reads, as text and some JSON around it.
pub(super) const BODY: usize = 2 << 20;

pub(super) fn describe(api: &mut Api) {
    let example = json!({"model": "gpt-4.1-mini", "messages": [{"role": "user", "content": "Will it rain in Oslo?"}]});
    let answer = json!({
        "id": "chatcmpl-0190b0a000007000800000000000000a",
        "object": "chat.completion",
        "created": 1_767_225_600,
        "model": "local/agent",
        "choices": [{
            "index": 0,
            "message": {"role": "assistant", "content": "It will, from noon.", "refusal": null, "annotations": []},
            "logprobs": null,
            "finish_reason": "stop",
        }],
    });
    api.chapter("OpenAI chat", "The hosted service's wire, for its SDKs.");
    api.post("/v1/chat/completions", "create_chat_completion", "Answers a typed conversation, as OpenAI's API does")
        .more("What has no effect here is named in `x-ignored`, what cannot be had is refused by its name.")
        .takes_as("application/json", request(), example, true)
        .gives_as(200, schema::object(), "The answer.", answer)
        .sends(200, "text/event-stream", schema::text(), "The answer in `chat.completion.chunk`s, with `stream`.")
        .with_header(200, IGNORED.as_str(), "What of the request had no effect.")
        .refuses(400, "The body is no JSON, or a field is unknown, missing, or cannot be what it is.")
        .refuses(404, "There is no such model.")
        .refuses(415, "The body is not called `application/json`.")
        .refuses(502, "No model answered.")
        .refuses(503, "The models are away, or the relay is shutting down.");
}

/// What the body is like; [`Params`] says which other fields of the hosted service are taken.
fn request() -> Value {
    json!({
        "type": "object",
        "properties": {
            "model": {"type": "string"},
            "messages": {"type": "array", "minItems": 1, "items": {"type": "object"}},
            "tools": {"type": ["array", "null"], "items": {"type": "object"}},
            "tool_choice": {},
            "temperature": {"type": ["number", "null"], "minimum": 0, "maximum": 2},
            "max_completion_tokens": {"type": ["integer", "null"], "minimum": 1},
            "stop": {},
            "stream": {"type": ["boolean", "null"]},
            "stream_options": {"type": ["object", "null"]},
        },
        "required": ["model", "messages"],
    })
}
