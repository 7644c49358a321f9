//! `audio.input`: the microphone's side.

use providers::Json;

use super::{LONGEST_NAME, detection, echoed, format, format_json};
use crate::realtime::{
    protocol::json::{Change, Field, Fields, Object},
    session::{
        output::ClientError,
        settings::{InputSettings, Kind, NoiseReduction, Settings, Transcription},
    },
};

pub(super) fn apply(input: &mut InputSettings, kind: Kind, side: &Fields<'_>) -> Result<(), ClientError> {
    if let Some(given) = side.given("format") {
        input.format = format(Some(input.format), &given)?;
    }
    let changes = Changes {
        noise_reduction: side.change("noise_reduction"),
        transcription: side.change("transcription"),
        turn_detection: side.change("turn_detection"),
    };
    changes.apply(input, kind)
}

/// What becomes of the members that null clears, whatever they are called.
pub(in crate::realtime::protocol) struct Changes<'a> {
    pub(in crate::realtime::protocol) noise_reduction: Change<'a>,
    pub(in crate::realtime::protocol) transcription: Change<'a>,
    pub(in crate::realtime::protocol) turn_detection: Change<'a>,
}

impl Changes<'_> {
    pub(in crate::realtime::protocol) fn apply(self, input: &mut InputSettings, kind: Kind) -> Result<(), ClientError> {
        match self.noise_reduction {
            Change::Keep => {}
            Change::Clear => input.noise_reduction = None,
            Change::Set(field) => input.noise_reduction = Some(noise_reduction(input.noise_reduction, &field)?),
        }
        match self.transcription {
            Change::Keep => {}
            Change::Clear => input.transcription = None,
            Change::Set(field) => input.transcription = Some(transcription(input.transcription.take(), &field)?),
        }
        match self.turn_detection {
            Change::Keep => {}
            Change::Clear => input.turn_detection = None,
            Change::Set(field) if is_streaming(input, kind) => {
                return Err(field.invalid("This transcription model allows no turn detection: set it to null."));
            }
            Change::Set(field) => {
                input.turn_detection = Some(detection::read(input.turn_detection.as_ref(), kind, &field)?);
            }
        }
        if is_streaming(input, kind) {
            input.turn_detection = None;
        }
        Ok(())
    }
}

pub(super) fn write(settings: &Settings, side: &mut Object<'_>) {
    let input = &settings.input;
    format_json(input.format, side);
    noise_reduction_json("noise_reduction", input, side);
    transcription_json("transcription", input, side);
    detection::write(input.turn_detection.as_ref(), settings.kind, side);
}

pub(in crate::realtime::protocol) fn noise_reduction_json(name: &str, input: &InputSettings, side: &mut Object<'_>) {
    match input.noise_reduction {
        None => side.null(name),
        Some(place) => side.object(name, |object| object.text("type", name_of(place))),
    }
}

pub(in crate::realtime::protocol) fn transcription_json(name: &str, input: &InputSettings, side: &mut Object<'_>) {
    match &input.transcription {
        None => side.null(name),
        Some(transcription) => side.object(name, |object| {
            object.text_or_null("model", transcription.model.as_deref());
            object.text_or_null("language", transcription.language.as_deref());
            object.text_or_null("prompt", transcription.prompt.as_deref());
            for (name, value) in &transcription.echoed {
                object.json(name, value);
            }
        }),
    }
}

/// `strength` is checked and not kept: suppression here has no degrees.
fn noise_reduction(current: Option<NoiseReduction>, field: &Field<'_>) -> Result<NoiseReduction, ClientError> {
    let fields = field.object()?;
    if let Some(strength) = fields.given("strength") {
        strength.number(0.0..=1.0)?;
    }
    match fields.given("type") {
        Some(place) => {
            place.choice(&[("near_field", NoiseReduction::NearField), ("far_field", NoiseReduction::FarField)])
        }
        None => current.ok_or_else(|| fields.missing("type")),
    }
}

fn transcription(current: Option<Transcription>, field: &Field<'_>) -> Result<Transcription, ClientError> {
    let fields = field.object()?;
    let blank = Transcription { model: None, language: None, prompt: None, echoed: Vec::new() };
    let mut next = current.unwrap_or(blank);
    if let Some(model) = fields.given("model") {
        next.model = Some(model.text_within(LONGEST_NAME)?);
    }
    if let Some(language) = fields.given("language") {
        next.language = Some(language.text_within(LONGEST_NAME)?).filter(|tag| !tag.is_empty());
    }
    if let Some(prompt) = fields.text("prompt")? {
        next.prompt = Some(prompt).filter(|prompt| !prompt.is_empty());
    }
    if let Some(delay) = fields.given("delay") {
        delay.choice(&[("minimal", ()), ("low", ()), ("medium", ()), ("high", ()), ("xhigh", ())])?;
        echoed::set(&mut next.echoed, "delay", Some(delay.json()?));
    }
    for name in ["keywords", "languages"] {
        if let Some(words) = fields.given(name) {
            echoed::set(&mut next.echoed, name, Some(texts(&words)?));
        }
    }
    Ok(next)
}

fn texts(field: &Field<'_>) -> Result<Json, ClientError> {
    for entry in field.list()? {
        entry.text()?;
    }
    field.json()
}

/// Models that transcribe without turns, as clients know them: only in transcription sessions, only without detection.
fn is_streaming(input: &InputSettings, kind: Kind) -> bool {
    let model = input.transcription.as_ref().and_then(|transcription| transcription.model.as_deref());
    kind == Kind::Transcription && matches!(model, Some("gpt-realtime-whisper" | "gpt-live-transcribe"))
}

fn name_of(place: NoiseReduction) -> &'static str {
    match place {
        NoiseReduction::NearField => "near_field",
        NoiseReduction::FarField => "far_field",
    }
}
