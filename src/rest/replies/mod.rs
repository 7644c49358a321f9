//! `POST /api/sessions/{id}/replies`: one turn of the assistant over a conversation, typed and spoken alike.
//!
//! A reply is made by a task of its own, and whoever asked only watches: a client that goes loses nothing, the reply is
//! finished and kept. One that fails leaves the conversation as it was, so that it may be asked for again.

mod events;

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::{
    Context, body,
    fault::Fault,
    messages,
    openapi::{Api, schema},
    opening,
    page::Id,
};
use crate::{
    auth::Principal,
    chat::{Stage, Watched},
    store::SessionId,
};

/// What is asked for: nothing can be chosen, a conversation's settings lead its replies.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewReply")]
struct Params {}

/// How the answer is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Delivery {
    /// The message, once it is whole.
    Message,
    /// Server-sent events while it is made.
    Events,
}

/// `POST /api/sessions/{id}/replies`: 201 with the message; or, where `text/event-stream` is accepted, its words as they come.
pub(super) async fn create(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Id(session): Id<SessionId>,
    request: Request,
) -> Result<Response, Fault> {
    let delivery = Delivery::accepted(request.headers());
    let bytes = body::read(request, &context).await?;
    if !bytes.is_empty() {
        let Params {} = body::parse(&bytes)?;
    }
    if context.engine.drain.has_begun() {
        return Err(opening::draining());
    }
    let mut watched = context.desk().reply(principal.user, session).await?;
    match delivery {
        Delivery::Message => {
            let message = watched.end().await?;
            Ok((StatusCode::CREATED, messages::whole(&context, principal.user, *message).await?).into_response())
        }
        Delivery::Events => {
            let first = begun(&mut watched).await?;
            Ok(events::answer(context, principal.user, first, watched))
        }
    }
}

/// Waits for the first words; a failure before them is told as one.
async fn begun(watched: &mut Watched) -> Result<Stage, Fault> {
    match watched.next().await {
        Stage::Failed(error) => Err(error.into()),
        stage @ (Stage::Words(_) | Stage::Kept(_)) => Ok(stage),
    }
}

impl Delivery {
    /// What of the two is accepted first.
    fn accepted(headers: &HeaderMap) -> Self {
        let values = headers.get_all(header::ACCEPT).into_iter().filter_map(|value| value.to_str().ok());
        let mut kinds =
            values.flat_map(|value| value.split(',')).map(|kind| kind.split(';').next().unwrap_or("").trim());
        let known = kinds.find(|kind| ["application/json", "text/event-stream"].contains(kind));
        if known == Some("text/event-stream") { Self::Events } else { Self::Message }
    }
}

pub(super) fn describe(api: &mut Api) {
    let mut example = messages::example();
    example["role"] = "assistant".into();
    example["content"] = "It will, from noon.".into();
    api.post("/api/sessions/{id}/replies", "create_reply", "Has the assistant answer in a conversation")
        .more(
            "A client that goes loses nothing: the reply is finished and kept. With `accept: text/event-stream` its words come as \
             they are made: `chunk`s, then `message.done` or `error`.",
        )
        .may_take::<Params>(json!({}))
        .gives::<messages::View>(201, "The message, once it is whole.", example)
        .sends(200, "text/event-stream", schema::text(), "The words as they come.")
        .refuses(409, "Nobody waits for an answer, one is being made, or a live voice session is in the conversation.")
        .refuses(502, "No model answered.")
        .refuses(503, "The database or the models are away, or the relay is shutting down.");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_given_to_those_who_ask_for_them() {
        for (accept, expected) in [
            ("", Delivery::Message),
            ("*/*", Delivery::Message),
            ("application/json, text/event-stream", Delivery::Message),
            ("text/event-stream", Delivery::Events),
            ("text/event-stream;q=0.9, */*", Delivery::Events),
        ] {
            let headers = HeaderMap::from_iter([(header::ACCEPT, accept.parse().unwrap())]);
            assert_eq!(Delivery::accepted(&headers), expected, "{accept}");
        }
    }
}
