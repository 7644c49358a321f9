//! What a live session is to be: from the URL and the client secret to settings and providers that are offered here.

use axum::http::StatusCode;
use serde_json::value::RawValue;

use super::{Context, fault::Fault, models};
use crate::realtime::{
    Partner, Providers, RELAY, Task,
    protocol::{Query, settings},
    session::{
        output::ClientError,
        settings::{Kind, Settings},
    },
};

/// The settings a session starts with. `session` is the session object of a client secret; its model goes before the
/// URL's, and a session that began with one may name none at all.
pub(super) fn settings(context: &Context, query: &Query, session: Option<&RawValue>) -> Result<Settings, Fault> {
    let named = match query {
        Query::Conversation { model: None } if session.is_some() => {
            &Query::Conversation { model: Some(RELAY.to_owned()) }
        }
        Query::Conversation { .. } | Query::Transcription { .. } | Query::Sideband { .. } => query,
    };
    let settings = settings::initial(named, session, &context.defaults).map_err(refused)?;
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

/// Whom a session with these settings speaks with.
pub(super) fn providers(context: &Context, settings: &Settings) -> Providers {
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
