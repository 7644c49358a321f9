//! `audio.output` and what else shapes a reply. Sessions and single responses share these members.

use super::LONGEST_NAME;
use crate::realtime::{
    protocol::{
        error,
        json::{Field, Fields, Object, push_text},
    },
    session::{
        output::ClientError,
        settings::{Format, Modality, OutputSettings},
    },
};

pub(super) fn apply(output: &mut OutputSettings, side: &Fields<'_>) -> Result<(), ClientError> {
    if let Some(given) = side.given("format") {
        output.format = format(Some(output.format), &given)?;
    }
    apply_voice(output, side)
}

/// Takes who speaks, and how fast.
pub(in crate::realtime::protocol) fn apply_voice(
    output: &mut OutputSettings,
    side: &Fields<'_>,
) -> Result<(), ClientError> {
    if let Some(name) = side.given("voice") {
        output.voice = voice(&name)?;
    }
    if let Some(speed) = side.given("speed") {
        output.speed = speed.number(0.25..=1.5)?;
    }
    Ok(())
}

pub(super) fn write(output: &OutputSettings, side: &mut Object<'_>) {
    format_json(output.format, side);
    side.text("voice", &output.voice);
    side.decimal("speed", output.speed);
}

/// An audio format; its type may be left out where there is a current one.
pub(in crate::realtime::protocol) fn format(current: Option<Format>, field: &Field<'_>) -> Result<Format, ClientError> {
    let fields = field.object()?;
    let format = match (fields.given("type"), current) {
        (Some(name), _) => {
            name.choice(&[("audio/pcm", Format::Pcm), ("audio/pcmu", Format::Mulaw), ("audio/pcma", Format::Alaw)])?
        }
        (None, Some(current)) => current,
        (None, None) => return Err(fields.missing("type")),
    };
    let rate = match format {
        Format::Pcm => 24_000,
        Format::Mulaw | Format::Alaw => 8_000,
    };
    match fields.given("rate") {
        Some(given) if given.integer(0..=u32::MAX)? != rate => {
            Err(given.invalid(format!("This format's only sample rate is {rate}.")))
        }
        Some(_) | None => Ok(format),
    }
}

/// A voice's name: a string, or an object with an `id`.
pub(in crate::realtime::protocol) fn voice(field: &Field<'_>) -> Result<String, ClientError> {
    let name = if field.is_text() { field.text_within(LONGEST_NAME)? } else { named(&field.object()?)? };
    if name.is_empty() { Err(field.invalid("A voice's name is not empty.")) } else { Ok(name) }
}

/// Speech or text; clients must choose.
pub(in crate::realtime::protocol) fn modality(field: &Field<'_>) -> Result<Modality, ClientError> {
    match field.list()?.as_slice() {
        [one] => one.choice(&[("audio", Modality::Audio), ("text", Modality::Text)]),
        _ => Err(field.invalid("Supported combinations are: ['text'] and ['audio'].")),
    }
}

/// A token limit; `None` is `"inf"`.
pub(in crate::realtime::protocol) fn max_output_tokens(field: &Field<'_>) -> Result<Option<u32>, ClientError> {
    if !field.is_text() {
        return field.integer(1..=4096).map(Some);
    }
    match field.text()?.as_str() {
        "inf" => Ok(None),
        other => Err(error::unsupported(field.path(), other, ["inf"])),
    }
}

pub(in crate::realtime::protocol) fn format_json(format: Format, object: &mut Object<'_>) {
    object.object("format", |object| match format {
        Format::Pcm => {
            object.text("type", "audio/pcm");
            object.integer("rate", 24_000);
        }
        Format::Mulaw => object.text("type", "audio/pcmu"),
        Format::Alaw => object.text("type", "audio/pcma"),
    });
}

pub(in crate::realtime::protocol) fn modality_json(name: &str, modality: Modality, object: &mut Object<'_>) {
    let modality = match modality {
        Modality::Audio => "audio",
        Modality::Text => "text",
    };
    object.list(name, [modality], push_text);
}

pub(in crate::realtime::protocol) fn tokens_json(name: &str, limit: Option<u32>, object: &mut Object<'_>) {
    match limit {
        Some(limit) => object.integer(name, limit.into()),
        None => object.text(name, "inf"),
    }
}

fn named(fields: &Fields<'_>) -> Result<String, ClientError> {
    fields.required("id")?.text_within(LONGEST_NAME)
}
