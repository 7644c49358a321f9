//! A reply as one JSON object, or as server-sent events while it is made.

use std::convert::Infallible;

use axum::{
    Json,
    body::{Body, Bytes},
    http::header,
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use providers::llm::Usage;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    request::Delivery,
    telling::{Telling, Told},
};
use crate::rest::fault::Fault;

/// What every part of an answer begins with.
pub(super) struct Head {
    id: String,
    created: i64,
    model: String,
}

impl Head {
    /// An answer by this model.
    pub(super) fn new(model: String, now: Timestamp) -> Self {
        Self { id: format!("chatcmpl-{}", Uuid::now_v7().simple()), created: now.as_second(), model }
    }

    fn object(&self, kind: &str, choices: Value) -> Value {
        json!({"id": self.id, "object": kind, "created": self.created, "model": self.model, "choices": choices,
            "service_tier": "default", "system_fingerprint": null})
    }

    fn chunk(&self, delta: Value, finish: Option<&str>) -> Value {
        self.object(
            "chat.completion.chunk",
            json!([{"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish}]),
        )
    }
}

/// Answers as it was asked to.
pub(super) async fn deliver(head: Head, telling: Telling, delivery: Delivery) -> Result<Response, Fault> {
    match delivery {
        Delivery::Whole => whole(head, telling).await,
        Delivery::Stream { usage } => Ok(event_stream(head, telling, usage)),
    }
}

async fn whole(head: Head, mut telling: Telling) -> Result<Response, Fault> {
    let (mut text, mut calls) = (String::new(), Vec::<(String, String, String)>::new());
    let (mut reason, mut usage) = ("stop", None);
    while let Some(told) = telling.next().await {
        match told? {
            Told::Text(more) => text.push_str(&more),
            Told::Call { id, name, .. } => calls.push((id, name, String::new())),
            Told::Arguments { text, .. } => calls.last_mut().into_iter().for_each(|call| call.2.push_str(&text)),
            Told::Done { reason: why, usage: cost } => (reason, usage) = (why, cost),
        }
    }
    let content = if text.is_empty() && !calls.is_empty() { Value::Null } else { text.into() };
    let mut message = json!({"role": "assistant", "content": content, "refusal": null, "annotations": []});
    if !calls.is_empty() {
        let calls = calls.into_iter().map(|(id, name, arguments)| {
            json!({"id": id, "type": "function", "function": {"name": name, "arguments": arguments}})
        });
        message["tool_calls"] = calls.collect();
    }
    let choice = json!({"index": 0, "message": message, "logprobs": null, "finish_reason": reason});
    let mut answer = head.object("chat.completion", json!([choice]));
    answer["usage"] = usage.map_or(Value::Null, spent);
    Ok(Json(answer).into_response())
}

/// Chunks as the reply is made, the cost if it is wanted and known, and the end. A failure in the midst is an event too,
/// and no end follows it.
fn event_stream(head: Head, telling: Telling, usage: bool) -> Response {
    let role = head.chunk(json!({"role": "assistant", "content": "", "refusal": null}), None);
    let chunks = stream::unfold(Some((head, telling)), move |state| async move {
        let (head, mut telling) = state?;
        Some(match telling.next().await? {
            Ok(Told::Done { reason, usage: cost }) => {
                let mut last = event(priced(head.chunk(json!({}), Some(reason)), usage));
                if let Some(cost) = cost.filter(|_| usage) {
                    let mut bill = head.object("chat.completion.chunk", json!([]));
                    bill["usage"] = spent(cost);
                    last.push_str(&event(bill));
                }
                (last + "data: [DONE]\n\n", None)
            }
            Ok(told) => (event(priced(head.chunk(delta(told), None), usage)), Some((head, telling))),
            Err(fault) => (event(fault.event()), None),
        })
    });
    let first = stream::once(std::future::ready(event(priced(role, usage))));
    let events = first.chain(chunks).map(|event| Ok::<_, Infallible>(Bytes::from(event)));
    let headers = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-cache")];
    (headers, Body::from_stream(events)).into_response()
}

fn delta(told: Told) -> Value {
    match told {
        Told::Text(text) => json!({"content": text}),
        Told::Call { index, id, name } => json!({"tool_calls": [
            {"index": index, "id": id, "type": "function", "function": {"name": name, "arguments": ""}}]}),
        Told::Arguments { index, text } => json!({"tool_calls": [{"index": index, "function": {"arguments": text}}]}),
        Told::Done { .. } => json!({}),
    }
}

/// Where the cost is wanted, every chunk but the last says that it does not tell it.
fn priced(mut chunk: Value, usage: bool) -> Value {
    if usage {
        chunk["usage"] = Value::Null;
    }
    chunk
}

fn event(value: Value) -> String {
    format!("data: {value}\n\n")
}

fn spent(usage: Usage) -> Value {
    let Usage { input_tokens, cached_tokens, output_tokens } = usage;
    json!({
        "prompt_tokens": input_tokens,
        "completion_tokens": output_tokens,
        "total_tokens": input_tokens.saturating_add(output_tokens),
        "prompt_tokens_details": {"cached_tokens": cached_tokens, "audio_tokens": 0},
    })
}
