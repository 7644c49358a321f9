//! `GET /api/realtime/ws`: a conversation that is typed, over WebSocket, in as many tabs as there are.
//!
//! All that can be refused is refused before the upgrade. Then a [`mod@line`] tells [`event`]s, and does what [`frame`]s are
//! [`asking`] for.

mod asking;
mod event;
mod frame;
mod history;
mod line;
mod mouth;
mod recent;

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{
        RawQuery, State,
        ws::{WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    http::{HeaderMap, HeaderValue, StatusCode},
    response::Response,
};

use self::{history::History, line::Line};
use super::{
    Context,
    fault::Fault,
    guard,
    openapi::{Api, schema},
    opening,
};
use crate::{
    auth::Principal,
    chat::Crowded,
    store::{SessionId, sessions},
};

/// Largest frame, as large as any JSON body.
const LARGEST: usize = 256 << 10;
/// Read from the socket at a time.
const READ_BUFFER: usize = 4 << 10;
/// When whoever found no seat may try again.
const RETRY: Duration = Duration::from_secs(5);

/// `GET /api/realtime/ws?session_id=`.
pub(super) async fn connect(
    State(context): State<Arc<Context>>,
    principal: Principal,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Fault> {
    let upgrade = upgrade.map_err(|_| {
        let message = "Typed conversations are followed over WebSocket: connect with an upgrade.";
        Fault::new(StatusCode::UPGRADE_REQUIRED, "upgrade_required", message)
    })?;
    let session = asked_for(query.as_deref().unwrap_or_default())?;
    // A client secret is good for the one conversation that it was made for.
    let elsewhere = principal.grant().is_some_and(|grant| grant.reserved.map(|it| it.conversation) != Some(session));
    if elsewhere {
        return Err(Fault::not_found());
    }
    if context.engine.drain.has_begun() {
        return Err(opening::draining());
    }
    sessions::get(&context.db, principal.user, session).await?;
    let follower = context.hub.follow(principal.user, session).map_err(crowded)?;
    let making = follower.making();
    let history = History::read(&context, principal.user, session).await?;

    let upgrade = upgrade.max_message_size(LARGEST).max_frame_size(LARGEST);
    let mut upgrade = upgrade.read_buffer_size(READ_BUFFER).write_buffer_size(0);
    if let Some(answer) = guard::subprotocol(&headers).answer {
        upgrade.set_selected_protocol(HeaderValue::from_static(answer));
    }
    let line = Line::new(context, principal, session, follower);
    Ok(upgrade.on_upgrade(move |socket| line.serve(socket, history, making)))
}

/// The conversation that the query asks for. What is no id is nobody's: 404.
fn asked_for(query: &str) -> Result<SessionId, Fault> {
    let mut session = None;
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match &*name {
            "session_id" => session = Some(value.parse().map_err(|_| Fault::not_found())?),
            // The credential, which was looked at already.
            "token" => {}
            name => return Err(Fault::invalid(name, "This takes `session_id` and nothing else.")),
        }
    }
    let missing = || Fault::invalid("session_id", "Say which conversation by `session_id`.");
    session.ok_or_else(|| missing().coded("missing_required_parameter"))
}

fn crowded(crowded: Crowded) -> Fault {
    let message = format!("Nobody can be let in now: {crowded}.");
    Fault::new(StatusCode::TOO_MANY_REQUESTS, "too_many_sockets", message).after(RETRY)
}

pub(super) fn describe(api: &mut Api) {
    api.get("/api/realtime/ws", "follow_session", "Types in a conversation over WebSocket, and follows it")
        .more(
            "The handshake may carry the credential as the subprotocol `openai-insecure-api-key.…`, too, and a client secret \
             that was made for this conversation as `?token=…`. The client says `message`, `cancel` and `ping`, and is told \
             `connected`, `history`, `user_message.created`, `chunk`, `message.done`, `error` and `pong`: docs/chat.md has all \
             of them. A viewer follows and says nothing.",
        )
        .query("session_id", schema::id(), "The conversation; needed.")
        .says_nothing(101, "The events are told from here on.")
        .refuses(404, "There is no such conversation.")
        .refuses(422, "The conversation is not named, or something else is.")
        .refuses(426, "Typed conversations are followed over WebSocket.")
        .refuses(429, "The conversation is followed by as many as may.")
        .refuses(503, "The database is away, or the relay is shutting down.");
}
