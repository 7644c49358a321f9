//! A reply as server-sent events: `chunk`s, then `message.done` or `error`.

use std::{convert::Infallible, sync::Arc};

use axum::{
    body::{Body, Bytes},
    http::header,
    response::{IntoResponse, Response},
};
use futures_util::stream;
use serde_json::{Value, json};

use crate::{
    chat::{Stage, Watched},
    rest::{Context, fault::Fault, messages},
    store::UserId,
};

/// Answers with what has come, and with what comes.
pub(super) fn answer(context: Arc<Context>, user: UserId, first: Stage, watched: Watched) -> Response {
    let events = stream::unfold(Some((Some(first), watched, context)), move |state| async move {
        let (waiting, mut watched, context) = state?;
        let stage = match waiting {
            Some(stage) => stage,
            None => watched.next().await,
        };
        let goes_on = matches!(stage, Stage::Words(_));
        let event = Bytes::from(event(&context, user, stage, &watched).await);
        Some((Ok::<_, Infallible>(event), goes_on.then_some((None, watched, context))))
    });
    let headers = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-cache")];
    (headers, Body::from_stream(events)).into_response()
}

async fn event(context: &Context, user: UserId, stage: Stage, watched: &Watched) -> String {
    let (name, data) = match stage {
        Stage::Words(words) => ("chunk", json!({"type": "chunk", "message_id": watched.id, "content": words})),
        Stage::Kept(message) => match messages::whole(context, user, *message).await {
            Ok(message) => {
                let shown = serde_json::to_value(message.0).unwrap_or(Value::Null);
                ("message.done", json!({"type": "message.done", "message_id": watched.id, "message": shown}))
            }
            Err(fault) => ("error", fault.interruption()),
        },
        Stage::Failed(error) => ("error", Fault::from(error).interruption()),
    };
    format!("event: {name}\ndata: {data}\n\n")
}
