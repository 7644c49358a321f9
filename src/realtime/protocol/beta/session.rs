//! The session object of the beta: flat, with formats as words.

use serde_json::value::RawValue;

use crate::realtime::{
    protocol::{
        json::{Change, Field, Fields, Object, push_text},
        settings::{self, Defaults, InputChanges},
    },
    session::{
        output::ClientError,
        settings::{Format, Kind, Modality, Settings},
    },
};

/// A client secret as the session object that REST answers with carries it.
#[derive(Clone, Copy, Debug)]
pub struct ClientSecret<'a> {
    /// The secret itself.
    pub value: &'a str,
    /// When it ends, in Unix seconds.
    pub expires_at: u64,
}

/// The settings of a session that REST makes from this flat object. `model` is the one it is to have where the object names
/// none.
///
/// # Errors
/// As [`settings::merge`], with the field's path in the object as `param`.
pub fn initial(kind: Kind, model: &str, session: &RawValue, defaults: &Defaults) -> Result<Settings, ClientError> {
    let fields = Field::root("", session.get()).object()?;
    let model = match fields.given("model") {
        Some(model) if kind == Kind::Conversation => model.text_within(settings::LONGEST_NAME)?,
        Some(_) | None => model.to_owned(),
    };
    let mut settings = settings::starting(kind, model, defaults);
    apply(&mut settings, &fields)?;
    Ok(settings)
}

/// The effective session object, as REST answers with it. `expires_at` is in Unix seconds.
pub fn to_json(settings: &Settings, id: &str, expires_at: u64, secret: Option<ClientSecret<'_>>) -> String {
    let mut out = String::new();
    write(settings, id, expires_at, secret, &mut Object::open(&mut out));
    out
}

/// The settings after a `session.update` or `transcription_session.update` with this session object.
pub(in crate::realtime::protocol) fn update(current: &Settings, session: &Field<'_>) -> Result<Settings, ClientError> {
    let fields = session.object()?;
    if let Some(model) = fields.given("model") {
        // Fixed since the start.
        model.text()?;
    }
    let mut settings = current.clone();
    apply(&mut settings, &fields)?;
    Ok(settings)
}

pub(in crate::realtime::protocol) fn write(
    settings: &Settings,
    id: &str,
    expires_at: u64,
    secret: Option<ClientSecret<'_>>,
    object: &mut Object<'_>,
) {
    object.text("id", id);
    match settings.kind {
        Kind::Conversation => object.text("object", "realtime.session"),
        Kind::Transcription => object.text("object", "realtime.transcription_session"),
    }
    object.integer("expires_at", expires_at);
    object.text("input_audio_format", format_name(settings.input.format));
    settings::noise_reduction_json("input_audio_noise_reduction", &settings.input, object);
    settings::transcription_json("input_audio_transcription", &settings.input, object);
    settings::turn_detection_json(settings, object);
    settings::include_json(&settings.echoed, object);
    match secret {
        None => object.null("client_secret"),
        Some(ClientSecret { value, expires_at }) => object.object("client_secret", |object| {
            object.text("value", value);
            object.integer("expires_at", expires_at);
        }),
    }
    if settings.kind == Kind::Conversation {
        conversation(settings, object);
    }
}

/// A format by its name.
pub(super) fn format(field: &Field<'_>) -> Result<Format, ClientError> {
    field.choice(&[("pcm16", Format::Pcm), ("g711_ulaw", Format::Mulaw), ("g711_alaw", Format::Alaw)])
}

pub(super) const fn format_name(format: Format) -> &'static str {
    match format {
        Format::Pcm => "pcm16",
        Format::Mulaw => "g711_ulaw",
        Format::Alaw => "g711_alaw",
    }
}

/// Speech, which always has its words beside it, or words alone.
pub(super) fn modalities(field: &Field<'_>) -> Result<Modality, ClientError> {
    let named = field.list()?;
    let named = named.iter().map(|one| one.choice(&[("audio", Modality::Audio), ("text", Modality::Text)]));
    match named.collect::<Result<Vec<_>, _>>()?.as_slice() {
        [Modality::Text] => Ok(Modality::Text),
        [Modality::Audio] | [Modality::Audio, Modality::Text] | [Modality::Text, Modality::Audio] => {
            Ok(Modality::Audio)
        }
        _ => Err(field.invalid("Supported combinations are: ['text'] and ['audio', 'text'].")),
    }
}

pub(super) fn modalities_json(modality: Modality, object: &mut Object<'_>) {
    let named: &[&str] = match modality {
        Modality::Audio => &["text", "audio"],
        Modality::Text => &["text"],
    };
    object.list("modalities", named, |name, out| push_text(name, out));
}

pub(super) fn temperature(field: &Field<'_>) -> Result<f32, ClientError> {
    field.number(0.6..=1.2)
}

fn apply(settings: &mut Settings, fields: &Fields<'_>) -> Result<(), ClientError> {
    if let Some(name) = fields.given("input_audio_format") {
        settings.input.format = format(&name)?;
    }
    let changes = InputChanges {
        noise_reduction: fields.change("input_audio_noise_reduction"),
        transcription: fields.change("input_audio_transcription"),
        turn_detection: turn_detection(fields)?,
    };
    changes.apply(&mut settings.input, settings.kind)?;
    settings::apply_include(&mut settings.echoed, fields)?;
    match settings.kind {
        Kind::Conversation => apply_reply(settings, fields),
        // Nothing else is theirs to set.
        Kind::Transcription => Ok(()),
    }
}

/// Azure's clients write `{"type": "none"}` for null.
fn turn_detection<'a>(fields: &Fields<'a>) -> Result<Change<'a>, ClientError> {
    Ok(match fields.change("turn_detection") {
        Change::Set(field) if field.object()?.text("type")?.as_deref() == Some("none") => Change::Clear,
        change @ (Change::Keep | Change::Clear | Change::Set(_)) => change,
    })
}

fn apply_reply(settings: &mut Settings, fields: &Fields<'_>) -> Result<(), ClientError> {
    if let Some(name) = fields.given("output_audio_format") {
        settings.output.format = format(&name)?;
    }
    settings::apply_voice(&mut settings.output, fields)?;
    if let Some(list) = fields.given("modalities") {
        settings.modality = modalities(&list)?;
    }
    if let Some(instructions) = fields.text("instructions")? {
        settings.instructions = instructions;
    }
    if let Some(limit) = fields.given("max_response_output_tokens") {
        settings.max_output_tokens = settings::max_output_tokens(&limit)?;
    }
    if let Some(given) = fields.given("temperature") {
        settings.temperature = Some(temperature(&given)?);
    }
    settings::apply_tools(settings, fields)?;
    settings::apply_echoed(&mut settings.echoed, fields)
}

/// A temperature that nobody set is shown as the dialect's default; the model keeps its own.
fn conversation(settings: &Settings, object: &mut Object<'_>) {
    object.text("model", &settings.model);
    modalities_json(settings.modality, object);
    object.text("instructions", &settings.instructions);
    object.text("voice", &settings.output.voice);
    object.decimal("speed", settings.output.speed);
    object.text("output_audio_format", format_name(settings.output.format));
    settings::tools_json(settings, object);
    object.decimal("temperature", settings.temperature.unwrap_or(0.8));
    settings::tokens_json("max_response_output_tokens", settings.max_output_tokens, object);
    settings::tracing_json(&settings.echoed, object);
}
