//! The form that a voice is cloned from: recordings, and what is said of them.
//!
//! Judged while it comes: what is too large, is no sound, or lacks consent is refused as soon as that is known. The rest of
//! it is read for a moment without keeping anything.

use axum::{
    extract::{Multipart, multipart::Field},
    http::StatusCode,
};
use providers::elevenlabs::{LARGEST_SAMPLE, MOST_SAMPLES, Sample};
use tokio::time::timeout;

use super::{
    body,
    fault::Fault,
    upload::{LONGEST, PARTING, patient},
};

/// A voice to be cloned, to which its owner has agreed.
pub(super) struct Draft {
    /// As people will call it.
    pub(super) name: String,
    /// What is said of it.
    pub(super) description: Option<String>,
    /// Recordings of it, in order.
    pub(super) samples: Vec<Sample>,
}

/// Reads a form to its end, within [`LONGEST`] and [`SAMPLES`].
pub(super) async fn read(mut form: Multipart) -> Result<Draft, Fault> {
    let late = || Fault::new(StatusCode::REQUEST_TIMEOUT, "upload_timeout", "The upload took too long.");
    let read = timeout(LONGEST, gather(&mut form)).await.unwrap_or_else(|_| Err(late()));
    if read.is_err() {
        // A client that still sends when the answer comes often sees a broken connection instead of the answer.
        let rest = async { while let Ok(Some(_)) = form.next_field().await {} };
        let _ = timeout(PARTING, rest).await;
    }
    read
}

async fn gather(form: &mut Multipart) -> Result<Draft, Fault> {
    let (mut name, mut description, mut consent) = (None, None, None);
    let (mut samples, mut room) = (Vec::new(), SAMPLES);
    while let Some(field) = patient(form.next_field()).await? {
        let place = match field.name().unwrap_or_default() {
            "files" if samples.len() == MOST_SAMPLES => {
                return Err(Fault::invalid("files", format!("At most {MOST_SAMPLES} `files` at a time.")));
            }
            "files" => {
                let sample = sample(field, samples.len() + 1, room).await?;
                room -= sample.bytes.len();
                samples.push(sample);
                continue;
            }
            "name" => &mut name,
            "description" => &mut description,
            "consent" => &mut consent,
            other => return Err(unknown(other)),
        };
        let field_name = field.name().unwrap_or_default().to_owned();
        if place.replace(text(field, &field_name).await?).is_some() {
            return Err(Fault::invalid(field_name, "This field is there twice."));
        }
        agreed(consent.as_deref(), false)?;
    }
    agreed(consent.as_deref(), true)?;
    if samples.is_empty() {
        return Err(Fault::invalid("files", "`files` must hold a recording of the voice.").coded(MISSING));
    }
    let name = name.unwrap_or_default().trim().to_owned();
    if name.is_empty() || name.chars().count() > NAME || name.contains(char::is_control) {
        return Err(Fault::invalid("name", "`name` must have 1 to 100 printable characters."));
    }
    let description = description.filter(|text| !text.trim().is_empty());
    if description.as_ref().is_some_and(|text| text.chars().count() > DESCRIPTION) {
        return Err(Fault::invalid("description", "`description` must have at most 500 characters."));
    }
    Ok(Draft { name, description, samples })
}

/// Consent is `true` or there is none; before the end of the form it may still come.
fn agreed(consent: Option<&str>, ended: bool) -> Result<(), Fault> {
    match consent {
        Some("true") => Ok(()),
        None if !ended => Ok(()),
        Some(_) | None => {
            let message =
                "`consent` must be `true`: the person whose voice it is must have agreed to its being cloned.";
            Err(Fault::invalid("consent", message).coded("consent_required"))
        }
    }
}

async fn text(mut field: Field<'_>, name: &str) -> Result<String, Fault> {
    let mut bytes = Vec::new();
    while let Some(chunk) = patient(field.chunk()).await? {
        if bytes.len() + chunk.len() > TEXT {
            return Err(body::too_large().at(name));
        }
        bytes.extend_from_slice(&chunk);
    }
    String::from_utf8(bytes).map_err(|_| Fault::invalid(name, "This field must be UTF-8 text."))
}

/// One recording; `room` is what is left for it and those after it. Its own file name goes to nobody.
async fn sample(mut field: Field<'_>, number: usize, room: usize) -> Result<Sample, Fault> {
    let (mut bytes, mut extension) = (Vec::new(), None);
    while let Some(chunk) = patient(field.chunk()).await? {
        if bytes.len() + chunk.len() > room.min(LARGEST_SAMPLE) {
            return Err(body::too_large().at("files"));
        }
        bytes.extend_from_slice(&chunk);
        if extension.is_none() && bytes.len() >= HEAD {
            extension = Some(kind(&bytes)?);
        }
    }
    if bytes.is_empty() {
        return Err(Fault::invalid("files", "A recording in `files` is empty."));
    }
    let extension = extension.map_or_else(|| kind(&bytes), Ok)?;
    Ok(Sample { name: format!("sample-{number}.{extension}"), bytes: bytes.into() })
}

/// What kind of recording begins so, as the extension of its file. What is called a recording and is none is told by its
/// bytes, since many clients do not know types.
fn kind(bytes: &[u8]) -> Result<&'static str, Fault> {
    Ok(match bytes {
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E', ..] => "wav",
        [b'F', b'O', b'R', b'M', _, _, _, _, b'A', b'I', b'F', b'F' | b'C', ..] => "aiff",
        [b'f', b'L', b'a', b'C', ..] => "flac",
        [b'O', b'g', b'g', b'S', ..] => "ogg",
        [0x1A, 0x45, 0xDF, 0xA3, ..] => "webm",
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => "m4a",
        [b'I', b'D', b'3', ..] => "mp3",
        // The beginning of a frame: AAC's layer is 0; of MPEG audio 1 and 2 stand for Layer III and II.
        [0xFF, second, ..] if second & 0xF6 == 0xF0 => "aac",
        [0xFF, second, ..] if second & 0xE0 == 0xE0 && matches!(second >> 1 & 3, 1 | 2) => "mp3",
        _ => {
            let message = "`files` takes recordings: WAV, MP3, FLAC, Ogg, M4A, AAC, AIFF or WebM.";
            let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return Err(Fault::new(status, "unsupported_media_type", message).at("files"));
        }
    })
}

fn unknown(name: &str) -> Fault {
    let name: String = name.chars().take(64).collect();
    let message = format!("`{name}` is not known here; `name`, `description`, `consent` and `files` are.");
    Fault::invalid(name, message).coded("unknown_parameter")
}

/// All recordings of a voice together. One or two minutes serve best, which are 10 MiB uncompressed.
const SAMPLES: usize = 32 << 20;
/// Largest body around them.
pub(super) const BODY: usize = SAMPLES + (1 << 20);
/// A field of text, in bytes.
const TEXT: usize = 4 << 10;
/// Characters of a name, and of a description.
const NAME: usize = 100;
const DESCRIPTION: usize = 500;
/// Bytes that tell every kind of recording.
const HEAD: usize = 12;
/// A field is not there.
const MISSING: &str = "missing_required_parameter";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recordings_are_known_by_how_they_begin() {
        for (bytes, expected) in [
            (&b"RIFF\x24\0\0\0WAVEfmt "[..], "wav"),
            (b"FORM\0\0\0\x24AIFCCOMM", "aiff"),
            (b"fLaC\0\0\0\x22", "flac"),
            (b"OggS\0\x02", "ogg"),
            (b"\x1A\x45\xDF\xA3\x9F", "webm"),
            (b"\0\0\0\x20ftypM4A ", "m4a"),
            (b"ID3\x04\0", "mp3"),
            (b"\xFF\xFB\x90\x64", "mp3"),
            (b"\xFF\xF3\x40\xC0", "mp3"),
            (b"\xFF\xF1\x50\x80", "aac"),
        ] {
            assert_eq!(kind(bytes).unwrap(), expected, "{bytes:?}");
        }
        for none in [&b"%PDF-1.7 etc"[..], b"RIFF\0\0\0\0AVI LIST", b"\x89PNG\r\n", b"\xFF\xFEh\0i\0", b"RI", b"\xFF"] {
            assert!(kind(none).is_err(), "{none:?}");
        }
    }
}
