//! What a live session is to be: from the URL and the client secret to settings and providers that are offered here.

use std::time::Duration;

use axum::http::{HeaderMap, StatusCode};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::{
    Context,
    fault::Fault,
    guard, models,
    past::{self, Bound},
};
use crate::{
    auth::Principal,
    realtime::{
        Partner, Providers, RELAY, Start, Task,
        admission::{Entrant, Refused},
        protocol::{Dialect, Query, settings},
        session::{
            output::ClientError,
            settings::{Kind, Settings},
        },
    },
    store::UserId,
};

/// When a client that found no place may try again.
const RETRY: Duration = Duration::from_secs(5);

/// The settings a session starts with. `session` is the session object of a client secret; its model goes before the
/// URL's, and a session that began with one may name none at all.
pub(super) fn settings(context: &Context, query: &Query, session: Option<&RawValue>) -> Result<Settings, Fault> {
    let named = match query {
        Query::Conversation { model: None } if session.is_some() => {
            &Query::Conversation { model: Some(RELAY.to_owned()) }
        }
        Query::Conversation { .. } | Query::Transcription { .. } | Query::Sideband { .. } => query,
    };
    offered(context, settings::initial(named, session, &context.defaults).map_err(refused)?)
}

/// These settings, if a session may start with them here.
pub(super) fn offered(context: &Context, settings: Settings) -> Result<Settings, Fault> {
    let task = match settings.kind {
        Kind::Conversation => Task::Realtime,
        Kind::Transcription => Task::Transcription,
    };
    // A transcription session need not name a model.
    let nameless = settings.kind == Kind::Transcription && settings.model.is_empty();
    if !nameless && !context.catalog.serves(&settings.model, task) {
        return Err(models::unknown(&settings.model));
    }
    context.catalog.offer.check(None, &settings).map_err(refused)?;
    Ok(settings)
}

/// The session object that came with a client secret.
pub(super) fn granted(principal: &Principal) -> Result<Option<&RawValue>, Fault> {
    let Some(grant) = principal.grant() else { return Ok(None) };
    serde_json::from_str(&grant.session).map(Some).map_err(|error| {
        tracing::error!(%error, "a client secret's session is not JSON");
        Fault::internal()
    })
}

/// The dialect that a request's headers ask for.
pub(super) fn dialect(headers: &HeaderMap) -> Dialect {
    let features = headers.get_all("openai-beta").into_iter().filter_map(|value| value.to_str().ok());
    Dialect::of_header(features).or(guard::subprotocol(headers).dialect)
}

/// Takes a place for a session with these settings, if there is one, and goes on with the conversation that its client
/// secret is for. It is spoken in the shape of general availability.
pub(super) async fn start(
    context: &Context,
    principal: &Principal,
    settings: Settings,
    transport: &'static str,
) -> Result<Start, Fault> {
    let bound = match principal.grant().and_then(|grant| grant.reserved) {
        Some(reserved) => Some(past::bound(context, principal.user, reserved).await?),
        None => None,
    };
    place(context, Party::of(principal), settings, bound, transport).map_err(|none| match none {
        NoPlace::Draining => {
            let message = "The server is shutting down: try again in a moment.";
            Fault::new(StatusCode::SERVICE_UNAVAILABLE, "shutting_down", message).after(RETRY)
        }
        NoPlace::Refused(refused) => {
            let message = format!("No session can begin now: {refused}.");
            Fault::new(StatusCode::TOO_MANY_REQUESTS, "rate_limit_exceeded", message).after(RETRY)
        }
    })
}

/// Why no session can begin.
pub(super) enum NoPlace {
    /// The server is shutting down.
    Draining,
    /// There are as many sessions as there may be.
    Refused(Refused),
}

/// On whose account a session is.
#[derive(Clone, Copy)]
pub(super) struct Party {
    pub(super) user: UserId,
    /// Of their client secret.
    pub(super) ticket: Option<Uuid>,
}

impl Party {
    pub(super) fn of(principal: &Principal) -> Self {
        Self { user: principal.user, ticket: principal.grant().map(|grant| grant.ticket) }
    }
}

/// Takes a place for a session of `party`, for whom each way in tells a refusal in its own words.
pub(super) fn place(
    context: &Context,
    party: Party,
    settings: Settings,
    bound: Option<Bound>,
    transport: &'static str,
) -> Result<Start, NoPlace> {
    let engine = context.engine.clone();
    if engine.drain.has_begun() {
        return Err(NoPlace::Draining);
    }
    let unbound = || Bound { voice: Uuid::now_v7(), conversation: None, past: Vec::new() };
    let Bound { voice, conversation, past } = bound.unwrap_or_else(unbound);
    let entrant = Entrant {
        id: voice,
        conversation: conversation.map(Uuid::from),
        ticket: party.ticket,
        principal: party.user.to_string().into(),
        transport,
        since: engine.clock.wall(),
    };
    let pass = engine.admission.admit_as(entrant).map_err(NoPlace::Refused)?;
    let providers = providers(context, &settings);
    let (offer, dialect) = (context.catalog.offer.clone(), Dialect::Ga);
    Ok(Start { engine, providers, pass, settings, past, offer, dialect })
}

/// Whom a session with these settings speaks with.
fn providers(context: &Context, settings: &Settings) -> Providers {
    let usual = context.providers.clone();
    let realtime = match context.catalog.offer.partner(&settings.model) {
        Some(Partner::Native(model)) => Some(model),
        Some(Partner::Cascade) => None,
        Some(Partner::Usual) | None => usual.realtime,
    };
    Providers { realtime: realtime.filter(|_| settings.kind == Kind::Conversation), ..usual }
}

/// A protocol error told over HTTP.
pub(super) fn refused(error: ClientError) -> Fault {
    let status = match error.code {
        Some("model_not_found") => StatusCode::NOT_FOUND,
        Some(_) | None => StatusCode::BAD_REQUEST,
    };
    let fault = Fault::new(status, error.code.unwrap_or("invalid_value"), error.message);
    match error.param {
        Some(param) => fault.at(param),
        None => fault,
    }
}
