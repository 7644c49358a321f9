//! What a live session is to be: from the URL and the client secret to settings that are served here.

use axum::http::StatusCode;
use serde_json::value::RawValue;

use super::{
    Context,
    fault::Fault,
    models::{self, RELAY, Task},
};
use crate::realtime::{
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
    if nameless || context.catalog.serves(&settings.model, task) {
        return Ok(settings);
    }
    Err(models::unknown(&settings.model))
}

/// A protocol error told over HTTP.
pub(super) fn refused(error: ClientError) -> Fault {
    let fault = Fault::new(StatusCode::BAD_REQUEST, error.code.unwrap_or("invalid_value"), error.message);
    match error.param {
        Some(param) => fault.at(param),
        None => fault,
    }
}
