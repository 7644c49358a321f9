//! The session object: what clients may set, merged and checked; what is in force, written out whole.
//!
//! An update names what changes. Objects merge member by member; null clears where the protocol says so and otherwise
//! means "not mentioned"; an error changes nothing and names the path. Members we do not know are accepted, so that newer
//! clients work. Union-like members that are only echoed (`truncation`, `tracing`, `prompt`) are replaced as a whole.

mod detection;
mod echoed;
mod input;
mod output;
mod tools;

use serde_json::value::RawValue;

pub(super) use echoed::{
    apply as apply_echoed, apply_include, write_include as include_json, write_tracing as tracing_json,
};
pub(super) use input::{Changes as InputChanges, noise_reduction_json, transcription_json};
pub(super) use output::{
    apply_voice, format, format_json, max_output_tokens, modality, modality_json, tokens_json, voice,
};
pub(super) use tools::{apply as apply_tools, must_exist, tool_choice, tools, write as tools_json};

use super::{
    error,
    json::{Field, Fields, Object},
    query::Query,
};
use crate::realtime::session::{
    output::ClientError,
    settings::{Format, InputSettings, Kind, Modality, OutputSettings, Settings, Transcription},
};

/// What sessions start with where the client says nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Defaults {
    /// What the assistant is told to be.
    pub instructions: String,
    /// The voice's name.
    pub voice: String,
}

impl Default for Defaults {
    fn default() -> Self {
        Self { instructions: String::new(), voice: "alloy".to_owned() }
    }
}

/// The settings a session starts with. `session` is the session object of a client secret or of a call's offer; what it
/// says goes before the URL.
///
/// # Errors
/// `missing_model` when a conversation is named no model by either; otherwise as [`merge`].
pub fn initial(query: &Query, session: Option<&RawValue>, defaults: &Defaults) -> Result<Settings, ClientError> {
    let session = session.map(RawValue::get).filter(|raw| *raw != "null");
    let fields = session.map(|raw| Field::root("session", raw).object()).transpose()?;
    let field = |name: &str| fields.as_ref().and_then(|fields| fields.given(name));
    let kind = match field("type") {
        Some(kind) => kind.choice(KINDS)?,
        None => query.kind(),
    };
    let model = match field("model") {
        Some(model) => Some(model.text_within(LONGEST_NAME)?),
        None => query.model().map(str::to_owned),
    };
    let model = match (kind, model) {
        (Kind::Conversation, None) => return Err(error::missing_model()),
        (_, model) => model.unwrap_or_default(),
    };
    let mut settings = starting(kind, model, defaults);
    if let Some(fields) = &fields {
        apply(&mut settings, fields)?;
    }
    Ok(settings)
}

/// The settings after a `session.update` with this session object.
///
/// # Errors
/// `invalid_type`, `invalid_value` or `missing_required_parameter`, with the path from `session` on as `param`.
pub fn merge(current: &Settings, session: &RawValue) -> Result<Settings, ClientError> {
    update(current, &Field::root("session", session.get()))
}

/// The effective session object, as `session.created` and `session.updated` carry it. `expires_at` is in Unix seconds.
pub fn to_json(settings: &Settings, id: &str, expires_at: u64) -> String {
    let mut out = String::new();
    write(settings, id, expires_at, &mut Object::open(&mut out));
    out
}

pub(super) fn update(current: &Settings, session: &Field<'_>) -> Result<Settings, ClientError> {
    let fields = session.object()?;
    if let Some(kind) = fields.given("type")
        && kind.choice(KINDS)? != current.kind
    {
        return Err(kind.invalid("The session's type is fixed for the connection."));
    }
    if let Some(model) = fields.given("model") {
        // Fixed since the start; clients repeat it, not always truthfully.
        model.text()?;
    }
    let mut settings = current.clone();
    apply(&mut settings, &fields)?;
    Ok(settings)
}

pub(super) fn write(settings: &Settings, id: &str, expires_at: u64, object: &mut Object<'_>) {
    match settings.kind {
        Kind::Conversation => conversation(settings, id, expires_at, object),
        Kind::Transcription => transcription(settings, id, expires_at, object),
    }
}

pub(super) fn turn_detection_json(settings: &Settings, object: &mut Object<'_>) {
    detection::write(settings.input.turn_detection.as_ref(), settings.kind, object);
}

const KINDS: &[(&str, Kind)] = &[("realtime", Kind::Conversation), ("transcription", Kind::Transcription)];

/// Longest name of a model, voice or function, in characters: beyond any real one, too short to be worth storing.
pub(super) const LONGEST_NAME: usize = 256;

pub(super) fn starting(kind: Kind, model: String, defaults: &Defaults) -> Settings {
    // A transcription session without transcripts would be pointless; its URL may name the model of the transcripts.
    let transcription = match kind {
        Kind::Conversation => None,
        Kind::Transcription => Some(Transcription {
            model: Some(model.clone()).filter(|model| !model.is_empty()),
            language: None,
            prompt: None,
            echoed: Vec::new(),
        }),
    };
    Settings {
        kind,
        model,
        modality: Modality::Audio,
        instructions: defaults.instructions.clone(),
        input: InputSettings {
            format: Format::Pcm,
            noise_reduction: None,
            transcription,
            turn_detection: Some(detection::server_vad(kind)),
        },
        output: OutputSettings { format: Format::Pcm, voice: defaults.voice.clone(), speed: 1.0 },
        tools: Vec::new(),
        foreign_tools: Vec::new(),
        tool_choice: providers::llm::ToolChoice::Auto,
        max_output_tokens: None,
        temperature: None,
        echoed: Vec::new(),
    }
}

fn apply(settings: &mut Settings, fields: &Fields<'_>) -> Result<(), ClientError> {
    let audio = fields.given("audio").map(|audio| audio.object()).transpose()?;
    if let Some(side) = audio.as_ref().and_then(|audio| audio.given("input")) {
        input::apply(&mut settings.input, settings.kind, &side.object()?)?;
    }
    apply_include(&mut settings.echoed, fields)?;
    if settings.kind == Kind::Transcription {
        // Nothing else is theirs to set.
        return Ok(());
    }
    if let Some(side) = audio.as_ref().and_then(|audio| audio.given("output")) {
        output::apply(&mut settings.output, &side.object()?)?;
    }
    if let Some(modalities) = fields.given("output_modalities") {
        settings.modality = modality(&modalities)?;
    }
    if let Some(instructions) = fields.text("instructions")? {
        settings.instructions = instructions;
    }
    if let Some(limit) = fields.given("max_output_tokens") {
        settings.max_output_tokens = max_output_tokens(&limit)?;
    }
    if let Some(given) = fields.given("temperature") {
        settings.temperature = Some(given.number(0.0..=2.0)?);
    }
    tools::apply(settings, fields)?;
    echoed::apply(&mut settings.echoed, fields)
}

fn conversation(settings: &Settings, id: &str, expires_at: u64, object: &mut Object<'_>) {
    object.text("type", "realtime");
    object.text("object", "realtime.session");
    object.text("id", id);
    object.text("model", &settings.model);
    modality_json("output_modalities", settings.modality, object);
    object.text("instructions", &settings.instructions);
    tools::write(settings, object);
    tokens_json("max_output_tokens", settings.max_output_tokens, object);
    if let Some(temperature) = settings.temperature {
        object.decimal("temperature", temperature);
    }
    echoed::write(&settings.echoed, object);
    object.integer("expires_at", expires_at);
    object.object("audio", |audio| {
        audio.object("input", |side| input::write(settings, side));
        audio.object("output", |side| output::write(&settings.output, side));
    });
}

fn transcription(settings: &Settings, id: &str, expires_at: u64, object: &mut Object<'_>) {
    object.text("type", "transcription");
    object.text("object", "realtime.transcription_session");
    object.text("id", id);
    object.integer("expires_at", expires_at);
    echoed::write_include(&settings.echoed, object);
    object.object("audio", |audio| audio.object("input", |side| input::write(settings, side)));
}
