//! The parts of a message, both ways.

use std::{sync::Arc, time::Duration};

use audio::{
    Clip, SampleRate,
    codec::{Decoder, Encoding},
};
use providers::Json;

use super::{
    dialect::Dialect,
    json::{Field, Fields, Object},
    payload,
};
use crate::realtime::session::{
    item::{Part, Role},
    output::ClientError,
    settings::Format,
};

/// Reads a part of a message of this role.
pub(super) fn read(field: &Field<'_>, role: Role, format: Format) -> Result<Part, ClientError> {
    let fields = field.object()?;
    let known: &[(&str, Of)] = match role {
        Role::System => &[("input_text", Of::InputText)],
        Role::User => {
            &[("input_text", Of::InputText), ("input_audio", Of::InputAudio), ("input_image", Of::InputImage)]
        }
        // The second two are older names of the first two, still found in kept histories.
        Role::Assistant => &[
            ("output_text", Of::OutputText),
            ("output_audio", Of::OutputAudio),
            ("text", Of::OutputText),
            ("audio", Of::OutputAudio),
        ],
    };
    Ok(match fields.required("type")?.choice(known)? {
        Of::InputText => Part::InputText(fields.required("text")?.text()?),
        Of::OutputText => Part::OutputText(fields.required("text")?.text()?),
        Of::InputAudio => input_audio(&fields, format)?,
        Of::InputImage => input_image(&fields)?,
        Of::OutputAudio => {
            Part::OutputAudio { transcript: fields.text("transcript")?.unwrap_or_default(), length: Duration::ZERO }
        }
    })
}

/// Writes a part. The transcript of a person's speech is null until it is known, never absent: clients throw otherwise.
pub(super) fn write(part: &Part, dialect: Dialect, out: &mut String) {
    let (output_text, output_audio) = match dialect {
        Dialect::Ga => ("output_text", "output_audio"),
        Dialect::Beta => ("text", "audio"),
    };
    let mut object = Object::open(out);
    match part {
        Part::InputText(text) => {
            object.text("type", "input_text");
            object.text("text", text);
        }
        Part::InputAudio { transcript, .. } => {
            object.text("type", "input_audio");
            object.text_or_null("transcript", transcript.as_deref());
        }
        Part::InputImage(members) => object.members_of(members),
        Part::OutputText(text) => {
            object.text("type", output_text);
            object.text("text", text);
        }
        Part::OutputAudio { transcript, .. } => {
            object.text("type", output_audio);
            object.text("transcript", transcript);
        }
    }
}

#[derive(Clone, Copy)]
enum Of {
    InputText,
    InputAudio,
    InputImage,
    OutputText,
    OutputAudio,
}

/// Sound, or the words of sound that is gone (a client that replays its history), or both.
fn input_audio(fields: &Fields<'_>, format: Format) -> Result<Part, ClientError> {
    let transcript = fields.text("transcript")?;
    let clip = fields.given("audio").map(|audio| clip(&audio, format)).transpose()?;
    if transcript.is_none() && clip.is_none() {
        return Err(fields.missing("audio"));
    }
    Ok(Part::InputAudio { transcript, clip: clip.map(Arc::new) })
}

fn input_image(fields: &Fields<'_>) -> Result<Part, ClientError> {
    fields.required("image_url")?.text()?;
    let mut text = String::new();
    {
        let mut object = Object::open(&mut text);
        for (name, field) in fields.iter() {
            object.json(name, &field.json()?);
        }
    }
    Ok(Part::InputImage(Json::from_checked(text)))
}

/// Sound in the session's input format; half a sample at its end is dropped.
fn clip(field: &Field<'_>, format: Format) -> Result<Clip, ClientError> {
    let (encoding, rate) = match format {
        Format::Pcm => (Encoding::Pcm16, SampleRate::HZ_24000),
        Format::Mulaw => (Encoding::Ulaw, SampleRate::HZ_8000),
        Format::Alaw => (Encoding::Alaw, SampleRate::HZ_8000),
    };
    if !field.is_text() {
        return Err(field.wrong("a base64 string"));
    }
    let (mut bytes, mut samples) = (Vec::new(), Vec::new());
    payload::read(field.raw(), field.path(), &mut bytes)?;
    Decoder::new(encoding).decode(&bytes, &mut samples);
    Ok(Clip::new(rate, samples))
}
