//! Multipart forms with one file: read as it comes, cut off at a limit, fields named in errors.

use std::time::Duration;

use axum::{
    extract::{
        Multipart,
        multipart::{Field, MultipartError},
    },
    http::StatusCode,
};
use tokio::time::timeout;

use super::{body, fault::Fault};

/// A form as it was sent.
#[derive(Default)]
pub(super) struct Form {
    /// The bytes of the part that holds the file.
    pub(super) file: Option<Vec<u8>>,
    /// All other parts as text, in order.
    pub(super) texts: Vec<(String, String)>,
}

/// Reads a form to its end. The file is in the part `file`; `most` bounds it, [`TEXTS`] all else, [`LONGEST`] the time: an upload takes a seat.
pub(super) async fn read(form: Multipart, file: &str, most: usize) -> Result<Form, Fault> {
    let late = || Fault::new(StatusCode::REQUEST_TIMEOUT, "upload_timeout", "The upload took too long.");
    timeout(LONGEST, gather(form, file, most)).await.map_err(|_| late())?
}

async fn gather(mut form: Multipart, file: &str, most: usize) -> Result<Form, Fault> {
    let mut read = Form::default();
    let mut texts = 0;
    while let Some(mut field) = patient(form.next_field()).await? {
        let name = field.name().unwrap_or_default().to_owned();
        let is_file = name == file;
        if !is_file && field.file_name().is_some() {
            discard(field).await;
            let message = format!("The file goes into the field `{file}`.");
            return Err(Fault::invalid(name, message).coded("unknown_parameter"));
        }
        let most = if is_file { most } else { TEXTS - texts };
        let mut bytes = Vec::new();
        while let Some(chunk) = patient(field.chunk()).await? {
            if bytes.len() + chunk.len() > most {
                discard(field).await;
                return Err(body::too_large().at(name));
            }
            bytes.extend_from_slice(&chunk);
        }
        if is_file {
            if read.file.replace(bytes).is_some() {
                return Err(Fault::invalid(file, format!("One `{file}` at a time.")));
            }
            continue;
        }
        texts += bytes.len() + PART;
        let text = String::from_utf8(bytes).map_err(|_| Fault::invalid(&*name, "This field must be UTF-8 text."))?;
        if texts > TEXTS {
            return Err(body::too_large().at(name));
        }
        read.texts.push((name, text));
    }
    Ok(read)
}

/// Waits for more of an upload, but not for ever.
pub(super) async fn patient<T>(more: impl Future<Output = Result<T, MultipartError>>) -> Result<T, Fault> {
    let late = || Fault::new(StatusCode::REQUEST_TIMEOUT, "upload_timeout", "The upload stood still for too long.");
    timeout(STALL, more).await.map_err(|_| late())?.map_err(|error| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => body::too_large(),
        _ => Fault::new(StatusCode::BAD_REQUEST, "invalid_multipart", "The body is not a whole multipart form."),
    })
}

/// Reads on for a while without keeping anything: a client that still sends when the answer comes often sees a broken
/// connection instead of the answer.
async fn discard(mut field: Field<'_>) {
    let reading = async { while let Ok(Some(_)) = field.chunk().await {} };
    let _ = timeout(PARTING, reading).await;
}

/// Bytes of all parts that are not the file.
const TEXTS: usize = 64 << 10;
/// What a part counts for beside its text, so that empty ones are bounded too.
const PART: usize = 256;
/// How long an upload may take: 25 MB at 700 kbit/s.
pub(super) const LONGEST: Duration = Duration::from_secs(300);
/// How long an upload may stand still.
const STALL: Duration = Duration::from_secs(30);
/// How long an upload that was refused is read on.
pub(super) const PARTING: Duration = Duration::from_secs(5);
