//! `POST /v1/audio/transcriptions`: a recording in, its words out, in the hosted service's formats; and `POST
//! /voice/transcribe`, the same in fewer words.

use std::sync::Arc;

use axum::{
    Extension, Json,
    body::{Body, Bytes},
    extract::{FromRequest, Multipart, Request, State},
    http::header,
    response::{IntoResponse, Response},
};
use futures_util::stream;
use providers::{
    SpeechToText,
    stt::{FinalTranscript, SttOptions, Transcript},
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    Context,
    dictation::{Desk, Dictation},
    fault::Fault,
    models,
    openapi::{Api, schema},
    provider, subtitles, upload,
};
use crate::realtime::{RELAY, Task};

/// What is asked of a recording.
struct Params {
    model: String,
    language: Option<String>,
    prompt: Option<String>,
    format: Format,
    words: bool,
    stream: bool,
}

/// What was heard in a recording.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Transcript")]
struct Heard {
    text: String,
    /// What was spoken, if anybody determined or said it.
    language: Option<String>,
    /// Seconds of sound.
    duration: f64,
    segments: Vec<Segment>,
}

/// A stretch of it, from `start` to `end` in seconds.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "TranscriptSegment")]
struct Segment {
    start: f64,
    end: f64,
    text: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Json,
    Text,
    Srt,
    Vtt,
    Verbose,
}

/// `POST /v1/audio/transcriptions`.
pub(super) async fn transcribe(
    State(context): State<Arc<Context>>,
    Extension(desk): Extension<Arc<Desk>>,
    request: Request,
) -> Result<Response, Fault> {
    let (params, dictation) = take(&context, &desk, request, "file", Params::read).await?;
    if params.stream {
        return Ok(event_stream(dictation));
    }
    let duration = dictation.duration().as_secs_f64();
    let transcript = dictation.finish().await?;
    Ok(match params.format {
        Format::Json => Json(json!({"text": transcript.text, "usage": usage(duration)})).into_response(),
        Format::Text => text(format!("{}\n", transcript.text)),
        Format::Srt => text(subtitles::srt(&transcript)),
        Format::Vtt => text(subtitles::vtt(&transcript)),
        Format::Verbose => Json(verbose(&transcript, duration, params.language, params.words)).into_response(),
    })
}

/// `POST /voice/transcribe`: a recording in the part `audio`; its words, and when they were said.
pub(super) async fn hear(
    State(context): State<Arc<Context>>,
    Extension(desk): Extension<Arc<Desk>>,
    request: Request,
) -> Result<Response, Fault> {
    let read = |texts| Params::of_voice(&context, texts);
    let (params, dictation) = take(&context, &desk, request, "audio", read).await?;
    let duration = dictation.duration().as_secs_f64();
    let transcript = dictation.finish().await?;
    let segments = transcript.segments.into_iter().map(|segment| Segment {
        start: segment.start.as_secs_f64(),
        end: segment.end.as_secs_f64(),
        text: segment.text,
    });
    let segments = segments.collect();
    let language = transcript.language.or(params.language);
    Ok(Json(Heard { text: transcript.text, language, duration, segments }).into_response())
}

/// Takes a recording, and hands it to who transcribes it.
async fn take(
    context: &Arc<Context>,
    desk: &Desk,
    request: Request,
    field: &'static str,
    read: impl FnOnce(Vec<(String, String)>) -> Result<Params, Fault>,
) -> Result<(Params, Dictation), Fault> {
    let seat = desk.seat()?;
    let form = Multipart::from_request(request, context).await.map_err(|_| {
        let message = format!("The body must be `multipart/form-data` with a part `{field}`.");
        Fault::invalid(field, message).coded("invalid_multipart")
    })?;
    let form = upload::read(form, field, FILE).await?;
    let params = read(form.texts)?;
    let stt = params.engine(context)?;
    let file = form.file.filter(|file| !file.is_empty());
    let file = file.ok_or_else(|| Fault::invalid(field, format!("`{field}` must hold a recording.")).coded(MISSING))?;
    let samples = desk.decode(field, file).await?;
    drop(seat);
    let options = SttOptions {
        model: Some(params.model.clone()),
        language: params.language.clone(),
        prompt: params.prompt.clone(),
        interim: params.stream,
        ..SttOptions::default()
    };
    let dictation = Dictation::begin(context, stt, options, samples).await?;
    Ok((params, dictation))
}

impl Params {
    /// Words alone, of this model.
    const fn of(model: String) -> Self {
        Self { model, language: None, prompt: None, format: Format::Json, words: false, stream: false }
    }

    /// As the relay's own route has them: a language, and a provider by its name or by that of its engine.
    fn of_voice(context: &Context, texts: Vec<(String, String)>) -> Result<Self, Fault> {
        let mut params = Self::of(RELAY.to_owned());
        for (name, value) in texts {
            match name.as_str() {
                "language" => params.language = language(value)?,
                "provider" => params.model = provider::named(&context.catalog.offer, Task::Transcription, &value)?,
                _ => return Err(unknown(&name)),
            }
        }
        Ok(params)
    }

    fn read(texts: Vec<(String, String)>) -> Result<Self, Fault> {
        let mut model = None;
        let mut params = Self::of(String::new());
        for (name, value) in texts {
            match name.as_str() {
                "model" => model = Some(value).filter(|model| !model.is_empty()),
                "language" => params.language = language(value)?,
                "prompt" => params.prompt = Some(value).filter(|prompt| !prompt.is_empty()),
                "response_format" => params.format = format(&value)?,
                "timestamp_granularities[]" | "timestamp_granularities" => params.words |= granularity(&value)?,
                "stream" => params.stream = flag(&value)?,
                "temperature" => temperature(&value)?,
                // Recordings are always cut where nobody speaks; there is nothing to choose.
                "chunking_strategy" => {}
                _ => return Err(unknown(&name)),
            }
        }
        params.model = model.ok_or_else(|| Fault::invalid("model", "`model` is missing.").coded(MISSING))?;
        if params.stream && params.format != Format::Json {
            return Err(Fault::invalid("response_format", "With `stream`, `response_format` must be `json`."));
        }
        if params.words && params.format != Format::Verbose {
            let message = "`timestamp_granularities` takes `response_format` `verbose_json`.";
            return Err(Fault::invalid("timestamp_granularities", message));
        }
        Ok(params)
    }

    /// Who transcribes it, if they can do all that is asked.
    fn engine(&self, context: &Context) -> Result<Arc<dyn SpeechToText>, Fault> {
        if !context.catalog.serves(&self.model, Task::Transcription) {
            return Err(models::unknown(&self.model));
        }
        let named = context.catalog.offer.ears(&self.model);
        let stt = named.unwrap_or_else(|| Arc::clone(&context.providers.stt));
        let able = stt.capabilities();
        let primary = |tag: &str| tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
        if let Some(language) = &self.language
            && !able.languages.is_empty()
            && !able.languages.contains(&primary(language))
        {
            let message = format!("This language is not understood here; these are: {}.", able.languages.join(", "));
            return Err(Fault::invalid("language", message));
        }
        if self.words && !able.word_timestamps {
            let message = "The configured engine cannot tell when each word is said; `segment` it can.";
            return Err(Fault::invalid("timestamp_granularities", message));
        }
        Ok(stt)
    }
}

/// A tag of BCP 47 as people write it; empty is none.
pub(super) fn language(tag: String) -> Result<Option<String>, Fault> {
    let primary = tag.split('-').next().unwrap_or_default();
    let fits = (2..=3).contains(&primary.len()) && primary.bytes().all(|byte| byte.is_ascii_alphabetic());
    if tag.is_empty() {
        return Ok(None);
    }
    if !fits || tag.len() > 35 {
        return Err(Fault::invalid("language", "`language` must be a tag such as `en` or `pt-BR`."));
    }
    Ok(Some(tag))
}

fn format(name: &str) -> Result<Format, Fault> {
    match name {
        "json" | "" => Ok(Format::Json),
        "text" => Ok(Format::Text),
        "srt" => Ok(Format::Srt),
        "vtt" => Ok(Format::Vtt),
        "verbose_json" => Ok(Format::Verbose),
        other => {
            let other: String = other.chars().take(32).collect();
            let message =
                format!("The format `{other}` cannot be given here; json, text, srt, vtt and verbose_json can.");
            Err(Fault::invalid("response_format", message).coded("unsupported_format"))
        }
    }
}

fn granularity(name: &str) -> Result<bool, Fault> {
    match name {
        "word" => Ok(true),
        "segment" => Ok(false),
        _ => Err(Fault::invalid("timestamp_granularities", "A granularity is `word` or `segment`.")),
    }
}

fn flag(text: &str) -> Result<bool, Fault> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" => Ok(true),
        "false" | "0" | "" => Ok(false),
        _ => Err(Fault::invalid("stream", "`stream` must be `true` or `false`.")),
    }
}

/// Checked, though the engines here always take the likeliest words.
fn temperature(text: &str) -> Result<(), Fault> {
    let fits = text.parse::<f32>().is_ok_and(|value| (0.0..=1.0).contains(&value));
    if fits { Ok(()) } else { Err(Fault::invalid("temperature", "`temperature` must be between 0 and 1.")) }
}

fn unknown(name: &str) -> Fault {
    let name: String = name.chars().take(64).collect();
    let message = format!("`{name}` is not known here, or cannot be done.");
    Fault::invalid(name, message).coded("unknown_parameter")
}

fn text(text: String) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}

fn usage(seconds: f64) -> Value {
    json!({"type": "duration", "seconds": seconds.ceil() as u64})
}

fn verbose(transcript: &FinalTranscript, duration: f64, asked: Option<String>, words: bool) -> Value {
    let segments = transcript.segments.iter().enumerate().map(|(id, segment)| {
        json!({
            "id": id, "seek": 0, "start": segment.start.as_secs_f64(), "end": segment.end.as_secs_f64(),
            "text": segment.text, "tokens": [], "temperature": 0.0, "compression_ratio": 1.0,
            "avg_logprob": segment.avg_logprob.unwrap_or(0.0), "no_speech_prob": segment.no_speech_prob.unwrap_or(0.0),
        })
    });
    let mut body = json!({
        "task": "transcribe",
        // Clients need a string; `und` is BCP 47 for what nobody determined.
        "language": transcript.language.clone().or(asked).unwrap_or_else(|| "und".to_owned()),
        "duration": duration,
        "text": transcript.text,
        "segments": segments.collect::<Vec<_>>(),
        "usage": usage(duration),
    });
    if words {
        let word = |word: &providers::stt::Word| json!({"word": word.text, "start": word.start.as_secs_f64(), "end": word.end.as_secs_f64()});
        body["words"] = transcript.words.iter().map(word).collect();
    }
    body
}

/// Server-sent events: what will not change any more as deltas, then all of it.
fn event_stream(dictation: Dictation) -> Response {
    let seconds = dictation.duration().as_secs_f64();
    let events = stream::unfold(Some((dictation, String::new())), move |state| async move {
        let (mut dictation, told) = state?;
        let (event, state) = match dictation.next().await {
            Ok(Transcript::Partial { stable, .. }) => (delta(&told, &stable), Some((dictation, stable))),
            Ok(Transcript::Final(last)) => {
                let done = json!({"type": "transcript.text.done", "text": last.text, "usage": usage(seconds)});
                (format!("{}data: {done}\n\n", delta(&told, &last.text)), None)
            }
            Err(fault) => (format!("data: {}\n\n", fault.event()), None),
        };
        Some((Ok::<_, std::convert::Infallible>(Bytes::from(event)), state))
    });
    let headers = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-cache")];
    (headers, Body::from_stream(events)).into_response()
}

/// What `text` has beyond what was told.
fn delta(told: &str, text: &str) -> String {
    match text.strip_prefix(told) {
        Some("") | None => String::new(),
        Some(more) => format!("data: {}\n\n", json!({"type": "transcript.text.delta", "delta": more})),
    }
}

/// Largest recording, as in the hosted service.
const FILE: usize = 25 << 20;
/// Largest body around it.
pub(super) const BODY: usize = FILE + (1 << 20);
/// A field is not there.
const MISSING: &str = "missing_required_parameter";

pub(super) fn describe(api: &mut Api) {
    let file = json!({"type": "string", "format": "binary"});
    let heard = json!({
        "text": "Will it rain in Oslo?", "language": "en", "duration": 1.6,
        "segments": [{"start": 0.2, "end": 1.5, "text": "Will it rain in Oslo?"}],
    });
    api.post("/voice/transcribe", "transcribe_recording", "Transcribes a recording")
        .more("WAV, MP3, FLAC, Ogg, WebM or M4A, of up to 25 MB and half an hour.")
        .takes_form(json!({"audio": file, "language": {"type": "string"}, "provider": {"type": "string"}}), &["audio"])
        .gives::<Heard>(200, "What was said, and when.", heard)
        .refuses(429, "Too many recordings are being transcribed.");
    let parts = json!({
        "file": file,
        "model": {"type": "string"},
        "language": {"type": "string"},
        "prompt": {"type": "string"},
        "response_format": schema::one_of(&["json", "text", "srt", "vtt", "verbose_json"]),
        "timestamp_granularities[]": schema::one_of(&["word", "segment"]),
        "stream": {"type": "boolean"},
        "temperature": {"type": "number", "minimum": 0, "maximum": 1},
        "chunking_strategy": {},
    });
    api.post("/v1/audio/transcriptions", "create_transcription", "Transcribes a recording, as OpenAI's API does")
        .takes_form(parts, &["file", "model"])
        .sends(200, "application/json", schema::object(), "What was said, in the format asked for.")
        .sends(200, "text/plain", schema::text(), "")
        .sends(200, "text/event-stream", schema::text(), "")
        .refuses(404, "There is no such model.")
        .refuses(429, "Too many recordings are being transcribed.");
}
