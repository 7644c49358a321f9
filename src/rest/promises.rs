//! `POST /voice/realtime-session`: a voice session promised to a browser or a phone, with all it needs to connect.
//!
//! It says where to connect and with what secret, which is the relay's own: no key of a provider leaves the server. A
//! conversation that was typed or spoken before goes on.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{Context, body, fault::Fault, openapi::Api, origin, preferences::Preferences, secrets, voice};
use crate::{
    auth::{Principal, Reserved},
    realtime::{
        protocol::{beta, settings},
        webrtc::IceServer,
    },
    store::{SessionId, sessions},
};

/// What the voice session is to be like; all may be left out, and the body too.
#[derive(Deserialize, JsonSchema, Default)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "NewVoiceSession")]
struct Params {
    /// The conversation that goes on; absent: a new one.
    conversation_id: Option<SessionId>,
    instructions: Option<String>,
    model: Option<String>,
    voice: Option<String>,
    #[schemars(range(min = 0.25, max = 1.5))]
    speed: Option<f64>,
    language: Option<String>,
    #[schemars(range(min = 0, max = 2))]
    temperature: Option<f64>,
    /// `["audio"]`, `["text"]` or both.
    modalities: Option<Vec<String>>,
    /// How readily sound counts as speech, 0 to 1.
    #[schemars(range(min = 0, max = 1))]
    vad_sensitivity: Option<f64>,
    /// How long there is to connect, 10 to 7200.
    #[schemars(range(min = 10, max = 7200))]
    expires_in_seconds: Option<u64>,
}

/// A voice session that was promised.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "VoiceSessionPromise")]
struct View<'a> {
    /// Where to connect.
    url: String,
    model: &'a str,
    /// What the voice session will be called.
    session_id: String,
    /// In seconds since 1970.
    expires_at: i64,
    conversation_id: SessionId,
    client_secret: ClientSecret<'a>,
    /// For the `RTCPeerConnection`'s configuration, where there is a TURN server.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Vec<Map<String, Value>>>")]
    ice_servers: Option<[IceServer; 1]>,
    /// What it begins with.
    #[schemars(with = "Map<String, Value>")]
    voice_config: Value,
}

/// What to connect with.
#[derive(Serialize, JsonSchema)]
struct ClientSecret<'a> {
    value: &'a str,
    /// In seconds since 1970.
    expires_at: i64,
}

/// `POST /voice/realtime-session`: 201.
pub(super) async fn create(
    State(context): State<Arc<Context>>,
    principal: Principal,
    request: Request,
) -> Result<Response, Fault> {
    let url = origin::socket(&context, request.headers());
    let bytes = body::read(request, &context).await?;
    let params: Params = if bytes.is_empty() { Params::default() } else { body::parse(&bytes)? };
    let life = life(params.expires_in_seconds)?;
    let before = match params.conversation_id {
        Some(id) => Preferences::kept(&sessions::get(&context.db, principal.user, id).await?.settings),
        None => Preferences::default(),
    };
    let more = more(&params)?;
    let Params { conversation_id, instructions, model, voice, speed, language, temperature, .. } = params;
    let asked = Preferences { instructions, model, voice, speed, language, temperature };
    let settings = asked.or(before).settings(&context, more)?;

    let id = Uuid::now_v7();
    let conversation = conversation_id.unwrap_or_else(|| id.into());
    let reserved = Reserved { voice: id, conversation };
    let session = settings::to_json(&settings, "", 0);
    let issued = secrets::issue(&context, &principal, &session, Some(reserved), life)?;
    let expires_at = issued.kept.as_second();
    let shown = View {
        url: format!("{url}/v1/realtime"),
        model: &settings.model,
        session_id: voice::name(principal.user, id),
        expires_at,
        conversation_id: conversation,
        client_secret: ClientSecret { value: issued.secret.expose_secret(), expires_at },
        ice_servers: secrets::ice_servers(&context, &principal),
        voice_config: voice_config(&beta::session::to_json(&settings, "", 0, None)),
    };
    Ok((StatusCode::CREATED, Json(shown)).into_response())
}

/// What is chosen beside the preferences, by its place in the session object.
fn more(params: &Params) -> Result<Value, Fault> {
    let mut more = json!({});
    if let Some(modalities) = &params.modalities {
        // Speech always has its words beside it.
        let modality = match modalities.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["text"] => "text",
            ["audio"] | ["audio", "text"] | ["text", "audio"] => "audio",
            _ => return Err(Fault::invalid("modalities", "`modalities` holds `audio`, `text` or both.")),
        };
        more["output_modalities"] = json!([modality]);
    }
    if let Some(sensitivity) = params.vad_sensitivity {
        if !(0.0..=1.0).contains(&sensitivity) {
            return Err(Fault::invalid("vad_sensitivity", "`vad_sensitivity` must be between 0 and 1."));
        }
        more["/audio/input/turn_detection"] = json!({"type": "server_vad", "threshold": 1.0 - sensitivity});
    }
    Ok(more)
}

/// The part of the session object that clients of old configure themselves by.
fn voice_config(session: &str) -> Value {
    let session: Value = serde_json::from_str(session).unwrap_or_default();
    let names = [
        "voice",
        "modalities",
        "input_audio_format",
        "output_audio_format",
        "input_audio_transcription",
        "turn_detection",
    ];
    names.into_iter().map(|name| (name.to_owned(), session[name].clone())).collect()
}

fn life(seconds: Option<u64>) -> Result<Duration, Fault> {
    let life = seconds.map_or(LIFE, Duration::from_secs);
    let fits = (secrets::SHORTEST..=secrets::LONGEST).contains(&life);
    let message = "`expires_in_seconds` must be between 10 and 7200.";
    fits.then_some(life).ok_or_else(|| Fault::invalid("expires_in_seconds", message))
}

/// How long there is to connect where nothing is said: what the contract's clients count on.
const LIFE: Duration = Duration::from_secs(300);

pub(super) fn describe(api: &mut Api) {
    let example = json!({
        "url": "wss://relay.example.org/v1/realtime",
        "model": "voice-relay",
        "session_id": "rtc_0190b0a0-0000-7000-8000-000000000000_0190b0a000007000800000000000000a",
        "expires_at": 1_767_225_900,
        "conversation_id": "0190b0a0-0000-7000-8000-00000000000a",
        "client_secret": {"value": "ek_…", "expires_at": 1_767_225_900},
        "voice_config": {"voice": "alloy", "modalities": ["audio", "text"]},
    });
    api.chapter("Voice", "Talking with the relay, and recordings and voices.");
    api.post("/voice/realtime-session", "promise_voice_session", "Promises a voice session to a browser or a phone")
        .more("The answer has all that it takes to connect. A conversation that was typed or spoken before goes on.")
        .may_take::<Params>(json!({"language": "en", "expires_in_seconds": 60}))
        .gives::<View<'static>>(201, "Where to connect, and with what.", example)
        .refuses(404, "There is no such conversation, or no such model.")
        .refuses(429, "There are too many client secrets.");
}
