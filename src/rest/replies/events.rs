//! A reply as server-sent events: `chunk`s, then `message.done` or `error`.

use std::convert::Infallible;

use axum::{
    body::{Body, Bytes},
    http::header,
    response::{IntoResponse, Response},
};
use futures_util::stream;
use serde_json::{Value, json};

use super::progress::{Stage, Watched};
use crate::rest::messages;

/// Answers with what has come, and with what comes.
pub(super) fn answer(first: Stage, watched: Watched) -> Response {
    let events = stream::unfold(Some((Some(first), watched)), |state| async move {
        let (waiting, mut watched) = state?;
        let stage = match waiting {
            Some(stage) => stage,
            None => watched.next().await,
        };
        let goes_on = matches!(stage, Stage::Words(_));
        let event = Bytes::from(event(stage, &watched));
        Some((Ok::<_, Infallible>(event), goes_on.then_some((None, watched))))
    });
    let headers = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-cache")];
    (headers, Body::from_stream(events)).into_response()
}

fn event(stage: Stage, watched: &Watched) -> String {
    let (name, data) = match stage {
        Stage::Words(words) => ("chunk", json!({"type": "chunk", "message_id": watched.id, "content": words})),
        Stage::Kept(message) => {
            let shown = serde_json::to_value(messages::without_files(*message).0).unwrap_or(Value::Null);
            ("message.done", json!({"type": "message.done", "message_id": watched.id, "message": shown}))
        }
        Stage::Failed(fault) => ("error", fault.interruption()),
    };
    format!("event: {name}\ndata: {data}\n\n")
}
