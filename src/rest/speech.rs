//! `POST /v1/audio/speech`: text in, sound out as it is made.
//!
//! Who asks for no format gets WAV, though the hosted service's default is MP3: every player knows it, every server can make it,
//! and clients that name no format work unchanged.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    extract::State,
    http::{HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use futures_util::{StreamExt, stream};
use providers::tts::Voice;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::{
    Context,
    body::Strict,
    encoding::Encoding,
    fault::Fault,
    models,
    openapi::{Api, schema},
    opening,
    sound::{self, Sound},
};
use crate::realtime::Task;

/// What to say, and how. The hosted service's request.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Speech")]
pub(super) struct Params {
    model: String,
    #[schemars(length(min = 1, max = INPUT))]
    input: String,
    voice: Option<VoiceName>,
    /// How to say it. The voices here follow no instructions; see [`IGNORED`].
    instructions: Option<String>,
    #[schemars(extend("enum" = ["wav", "pcm", "opus", "mp3", null]))]
    response_format: Option<String>,
    #[schemars(range(min = 0.25, max = 4))]
    speed: Option<f32>,
    #[schemars(extend("enum" = ["audio", "sse", null]))]
    stream_format: Option<String>,
}

/// A voice by name, or as an object with its id.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
enum VoiceName {
    Name(String),
    Object { id: String },
}

/// `POST /v1/audio/speech`.
pub(super) async fn speak(
    State(context): State<Arc<Context>>,
    Strict(params): Strict<Params>,
) -> Result<Response, Fault> {
    let encoding = Encoding::named("response_format", params.response_format.as_deref())?;
    let events = events(params.stream_format.as_deref())?;
    let name = match params.voice {
        Some(VoiceName::Name(name) | VoiceName::Object { id: name }) => name,
        None => "alloy".to_owned(),
    };
    let voice = Voice { name: voice(name)?, language: None, speed: speed(params.speed)? };
    check("input", &params.input)?;
    if !context.catalog.serves(&params.model, Task::Speech) {
        return Err(models::unknown(&params.model));
    }
    let offer = &context.catalog.offer;
    offer.check_voice("voice", &voice.name).map_err(opening::refused)?;
    // A voice that says whose it is goes there by itself.
    let named = offer.voices(&params.model).filter(|_| offer.names().speaker(&voice.name).is_none());
    let tts = named.unwrap_or_else(|| Arc::clone(&context.providers.tts));
    let sound = sound::speak(&context, tts, voice, &params.input).await?;
    let mut response = if events { event_stream(encoding, sound) } else { audio(encoding, sound) };
    if params.instructions.is_some_and(|text| !text.is_empty()) {
        response.headers_mut().insert(IGNORED, HeaderValue::from_static("instructions"));
    }
    Ok(response)
}

fn audio(encoding: Encoding, sound: Sound) -> Response {
    ([(header::CONTENT_TYPE, encoding.media_type())], Body::from_stream(encoding.write(sound))).into_response()
}

/// Server-sent events, each with a stretch of the same bytes in base64.
fn event_stream(encoding: Encoding, sound: Sound) -> Response {
    let event = |value: serde_json::Value| Bytes::from(format!("data: {value}\n\n"));
    let deltas = encoding.write(sound).map(move |bytes| {
        Ok::<_, sound::Broken>(event(json!({"type": "speech.audio.delta", "audio": BASE64_STANDARD.encode(bytes?)})))
    });
    let usage = json!({"input_tokens": 0, "output_tokens": 0, "total_tokens": 0});
    let done = event(json!({"type": "speech.audio.done", "usage": usage}));
    // The end is told only if it was reached.
    let ending = stream::once(async move { Ok(done) });
    let mut broken = false;
    let body = deltas.chain(ending).take_while(move |item| {
        let go_on = !broken;
        broken = item.is_err();
        std::future::ready(go_on)
    });
    let headers = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-cache")];
    (headers, Body::from_stream(body)).into_response()
}

fn events(name: Option<&str>) -> Result<bool, Fault> {
    match name {
        None | Some("audio") => Ok(false),
        Some("sse") => Ok(true),
        Some(_) => Err(Fault::invalid("stream_format", "`stream_format` must be `audio` or `sse`.")),
    }
}

/// The name of a voice, if it can be one.
pub(super) fn voice(name: String) -> Result<String, Fault> {
    if name.is_empty() || name.chars().count() > VOICE {
        return Err(Fault::invalid("voice", "`voice` must have 1 to 256 characters."));
    }
    Ok(name)
}

pub(super) fn speed(speed: Option<f32>) -> Result<f32, Fault> {
    let speed = speed.unwrap_or(1.0);
    if (0.25..=4.0).contains(&speed) {
        return Ok(speed);
    }
    Err(Fault::invalid("speed", "`speed` must be between 0.25 and 4.0."))
}

/// Refuses a text that nobody says.
pub(super) fn check(field: &str, text: &str) -> Result<(), Fault> {
    if text.trim().is_empty() {
        return Err(Fault::invalid(field, format!("`{field}` must hold something to say.")));
    }
    if text.chars().count() > INPUT {
        return Err(Fault::invalid(field, format!("`{field}` must have at most 4096 characters.")));
    }
    Ok(())
}

/// Most characters of an input, as in the hosted service.
pub(super) const INPUT: usize = 4096;
/// Most characters of a voice's name.
const VOICE: usize = 256;
/// Names what of a request had no effect.
pub(super) const IGNORED: HeaderName = HeaderName::from_static("x-ignored");

pub(super) fn describe(api: &mut Api) {
    api.post("/v1/audio/speech", "create_speech", "Says a text aloud, as OpenAI's API does")
        .takes::<Params>(json!({"model": "tts-1", "input": "It will rain from noon.", "voice": "alloy"}))
        .sends(200, "audio/wav", schema::bytes(), "The sound, as it is made.")
        .sends(200, "audio/pcm", schema::bytes(), "")
        .sends(200, "audio/ogg", schema::bytes(), "")
        .sends(200, "audio/mpeg", schema::bytes(), "")
        .sends(200, "text/event-stream", schema::text(), "")
        .refuses(404, "There is no such model.");
}
