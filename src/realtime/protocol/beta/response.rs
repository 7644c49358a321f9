//! What a response's own members are called in the beta.

use super::session;
use crate::realtime::{
    protocol::{
        json::{Fields, Object},
        settings,
    },
    session::{
        input::ResponseRequest,
        output::{ClientError, ResponseView},
    },
};

/// Reads how the reply is to be. The token limit goes by two names: that of sessions, and that of responses.
pub(in crate::realtime::protocol) fn reply(
    fields: &Fields<'_>,
    request: &mut ResponseRequest,
) -> Result<(), ClientError> {
    let limit = fields.given("max_output_tokens").or_else(|| fields.given("max_response_output_tokens"));
    request.max_output_tokens = limit.map(|limit| settings::max_output_tokens(&limit)).transpose()?;
    request.modality = fields.given("modalities").map(|list| session::modalities(&list)).transpose()?;
    request.temperature = fields.given("temperature").map(|given| session::temperature(&given)).transpose()?;
    request.format = fields.given("output_audio_format").map(|name| session::format(&name)).transpose()?;
    request.voice = fields.given("voice").map(|name| settings::voice(&name)).transpose()?;
    Ok(())
}

/// Writes how the reply is.
pub(in crate::realtime::protocol) fn shape(view: &ResponseView, object: &mut Object<'_>) {
    session::modalities_json(view.modality, object);
    object.text("voice", &view.voice);
    object.text("output_audio_format", session::format_name(view.format));
    settings::tokens_json("max_output_tokens", view.max_output_tokens, object);
}
