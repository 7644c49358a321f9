//! `POST /voice/synthesize`: text in, sound out as it is made, and who of the chain made it.

use std::sync::Arc;

use axum::{
    body::Body,
    extract::State,
    http::{HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
};
use providers::{TextToSpeech, layers::Metered, tts::Voice};
use serde::Deserialize;

use super::{
    Context, body::Strict, clauses, encoding::Encoding, fault::Fault, opening, provider, served::Served, sound, speech,
};
use crate::realtime::Task;

/// The engine that speaks.
pub(super) const PROVIDER: HeaderName = HeaderName::from_static("x-tts-provider");
/// Whether that is another one than was asked first.
pub(super) const FALLBACK: HeaderName = HeaderName::from_static("x-tts-fallback");

/// What to say, and how.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Params {
    text: String,
    /// Its name; absent: the usual one.
    voice: Option<String>,
    /// An engine, or a vendor.
    provider: Option<String>,
    /// `wav`, `pcm` or `opus`.
    format: Option<String>,
    /// 0.25 to 4.
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
    let longest = tts.capabilities().max_chars.unwrap_or(speech::CLAUSE).min(speech::CLAUSE);

    let served = Served::on(context.engine.admission.tally());
    let metered = Metered::<dyn TextToSpeech>::new(served.clone() as _, tts);
    let sound = sound::speak(&context, Arc::new(metered), voice, clauses::cut(&params.text, longest)).await;
    let sound = sound.map_err(|fault| fault.spelled(|field| if field == "input" { "text" } else { field }))?;
    let usual = || offer.names().engines(Task::Speech).first().cloned();
    let engine = served.engine().or(asked).or_else(usual).unwrap_or_default();
    let mut response = Body::from_stream(encoding.write(sound)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(encoding.media_type()));
    headers.insert(PROVIDER, HeaderValue::from_str(&engine).map_err(|_| Fault::internal())?);
    headers.insert(FALLBACK, HeaderValue::from_static(if served.fell_back() { "true" } else { "false" }));
    Ok(response)
}
