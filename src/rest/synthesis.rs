//! `POST /voice/synthesize`: text in, sound out as it is made, and who of the chain made it.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    http::{HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use providers::{TextToSpeech, layers::Metered, tts::Voice};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::{
    Context,
    body::Strict,
    encoding::Encoding,
    fault::Fault,
    openapi::{Api, schema},
    opening, provider, sound, speech,
};
use crate::{cost::Served, realtime::Task};

/// The engine that speaks.
pub(super) const PROVIDER: HeaderName = HeaderName::from_static("x-tts-provider");
/// Whether that is another one than was asked first.
pub(super) const FALLBACK: HeaderName = HeaderName::from_static("x-tts-fallback");

/// What to say, and how.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Synthesis")]
pub(super) struct Params {
    #[schemars(length(min = 1, max = speech::INPUT))]
    text: String,
    /// Its name; absent: the usual one.
    voice: Option<String>,
    /// An engine, or a vendor.
    provider: Option<String>,
    #[schemars(extend("enum" = ["wav", "pcm", "opus", "mp3", null]))]
    format: Option<String>,
    #[schemars(range(min = 0.25, max = 4))]
    speed: Option<f32>,
}

/// `POST /voice/synthesize`.
pub(super) async fn speak(
    State(context): State<Arc<Context>>,
    Strict(params): Strict<Params>,
) -> Result<Response, Fault> {
    let encoding = Encoding::named("format", params.format.as_deref())?;
    let name = params.voice.unwrap_or_else(|| context.defaults.voice.clone());
    let voice = Voice { name: speech::voice(name)?, language: None, speed: speech::speed(params.speed)? };
    speech::check("text", &params.text)?;
    let offer = &context.catalog.offer;
    offer.check_voice("voice", &voice.name).map_err(opening::refused).map_err(Fault::unprocessable)?;
    let asked = params.provider.as_deref().map(|name| provider::named(offer, Task::Speech, name)).transpose()?;
    let tts = asked.as_deref().and_then(|engine| offer.voices(engine));
    let tts = tts.unwrap_or_else(|| Arc::clone(&context.providers.tts));

    let served = Served::on(context.engine.admission.tally());
    let metered = Metered::<dyn TextToSpeech>::new(served.clone() as _, tts);
    let sound = sound::speak(&context, Arc::new(metered), voice, &params.text).await;
    let sound = sound.map_err(|fault| fault.spelled(|field| if field == "input" { "text" } else { field }))?;
    let usual = || offer.names().engines(Task::Speech).first().cloned();
    let engine = served.engine().or(asked).or_else(usual).unwrap_or_default();
    let media_type = encoding.media_type();
    let mut response = Body::from_stream(encoding.write(sound)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(PROVIDER, HeaderValue::from_str(&engine).map_err(|_| Fault::internal())?);
    headers.insert(FALLBACK, HeaderValue::from_static(if served.fell_back() { "true" } else { "false" }));
    Ok(response)
}

pub(super) fn describe(api: &mut Api) {
    api.post("/voice/synthesize", "synthesize", "Says a text aloud")
        .takes::<Params>(json!({"text": "It will rain from noon.", "format": "opus"}))
        .sends(200, "audio/wav", schema::bytes(), "The sound, as it is made.")
        .sends(200, "audio/pcm", schema::bytes(), "")
        .sends(200, "audio/ogg", schema::bytes(), "")
        .sends(200, "audio/mpeg", schema::bytes(), "")
        .with_header(200, PROVIDER.as_str(), "The engine that speaks.")
        .with_header(200, FALLBACK.as_str(), "`true`: another engine was asked first, and failed.");
}
