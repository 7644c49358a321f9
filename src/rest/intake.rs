//! The form that a file comes in: one part `file`, written to the spool as it comes, and what else is said in fields of text.
//!
//! The body is taken piece by piece, so that memory is bounded whatever is sent, and judged while it comes: what is too
//! large or of no type we take is refused as soon as that is known.

use std::{
    fs::File,
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
    time::Duration,
};

use axum::{
    body::Body,
    extract::{FromRequest, Multipart, Request, multipart::Field},
    http::{HeaderMap, StatusCode, header},
};
use bytes::Bytes;
use futures_util::{StreamExt, ready, stream};
use percent_encoding::percent_decode_str;
use tokio::{task::spawn_blocking, time::timeout};
use uuid::Uuid;

use super::{
    Context, body,
    fault::Fault,
    upload::{PARTING, patient},
};
use crate::{
    documents::kind::{Kind, KindError},
    storage::{self, Arrived, Arriving, Refused, Storage, StorageError},
    store::strays,
};

/// A file that came whole.
pub(super) struct Upload {
    /// As its owner calls it.
    pub(super) name: String,
    /// By its content; its name agrees.
    pub(super) kind: Kind,
    pub(super) file: Arrived,
}

/// A file that came whole, and what was said beside it.
pub(super) struct Form {
    pub(super) upload: Upload,
    /// Parts of text by their names, as they came.
    pub(super) texts: Vec<(String, String)>,
}

/// Takes a form of a file alone to its end.
pub(super) async fn take(context: &Arc<Context>, request: Request) -> Result<Upload, Fault> {
    Ok(take_with(context, request, &[]).await?.upload)
}

/// Takes a form to its end, of a file and of these fields of text.
pub(super) async fn take_with(context: &Arc<Context>, request: Request, fields: &[&str]) -> Result<Form, Fault> {
    let room = Arc::new(AtomicUsize::new(ROOM));
    let counted = Arc::clone(&room);
    let request = request.map(|body| paced(body, counted));
    let mut form = Multipart::from_request(request, context).await.map_err(|_| {
        let message = "The body must be `multipart/form-data` with a part `file`.";
        Fault::invalid("file", message).coded("invalid_multipart")
    })?;
    let late = || Fault::new(StatusCode::REQUEST_TIMEOUT, "upload_timeout", "The upload took too long.");
    let came =
        timeout(LONGEST, gather(&mut form, fields, &context.storage, &room)).await.unwrap_or_else(|_| Err(late()));
    if came.is_err() {
        // A client that still sends when the answer comes often sees a broken connection instead of the answer.
        room.store(NOTHING, Ordering::Relaxed);
        let rest = async { while let Ok(Some(_)) = form.next_field().await {} };
        let _ = timeout(PARTING, rest).await;
    }
    let Came { name, file, texts } = came?;
    let (kind, file) = judge(name.clone(), file).await?;
    Ok(Form { upload: Upload { name, kind, file }, texts })
}

/// A form that came whole.
struct Came {
    name: String,
    file: Arrived,
    texts: Vec<(String, String)>,
}

async fn gather(form: &mut Multipart, fields: &[&str], storage: &Storage, room: &AtomicUsize) -> Result<Came, Fault> {
    let (mut came, mut texts, mut left) = (None, Vec::new(), TEXTS);
    while let Some(field) = patient(form.next_field()).await? {
        match field.name().unwrap_or_default() {
            "file" if came.is_none() => {}
            "file" => return Err(Fault::invalid("file", "One `file` at a time.")),
            other if fields.contains(&other) => {
                let name = other.to_owned();
                let text = words(field, &name, &mut left).await?;
                texts.push((name, text));
                continue;
            }
            other => {
                let other: String = other.chars().take(64).collect();
                let known: Vec<_> = std::iter::once(&"file").chain(fields).map(|name| format!("`{name}`")).collect();
                let message = format!("`{other}` is not known here; {} is.", known.join(", "));
                return Err(Fault::invalid(other, message).coded("unknown_parameter"));
            }
        }
        let name = name(&field)?;
        // With nothing in it yet, all that can be wrong is its name.
        if let Err(error @ KindError::Extension(_)) = Kind::of(&mut io::empty(), &name) {
            return Err(refused(error));
        }
        came = Some((name, receive(field, storage, room).await?));
    }
    let missing = || Fault::invalid("file", "`file` is missing.").coded("missing_required_parameter");
    let (name, file) = came.ok_or_else(missing)?;
    Ok(Came { name, file, texts })
}

/// A field of text; all of them have `left` bytes.
async fn words(mut field: Field<'_>, name: &str, left: &mut usize) -> Result<String, Fault> {
    let mut bytes = Vec::new();
    while let Some(piece) = patient(field.chunk()).await? {
        *left = left.checked_sub(piece.len()).ok_or_else(|| body::too_large().at(name))?;
        bytes.extend_from_slice(&piece);
    }
    // Empty ones count too.
    *left = left.checked_sub(PART).ok_or_else(|| body::too_large().at(name))?;
    String::from_utf8(bytes).map_err(|_| Fault::invalid(name, "This field must be UTF-8 text."))
}

async fn receive(mut field: Field<'_>, storage: &Storage, room: &AtomicUsize) -> Result<Arrived, Fault> {
    let mut file: Arriving = storage.receive();
    while let Some(piece) = patient(field.chunk()).await? {
        room.store(ROOM, Ordering::Relaxed);
        if file.size() + piece.len() as u64 > storage.most() {
            let most = storage.most() >> 20;
            return Err(Fault::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "payload_too_large",
                format!("The file is larger than {most} MiB, the most that is taken."),
            )
            .at("file"));
        }
        file.write(piece).await.map_err(|error| unkept(error.into()))?;
    }
    file.finish().await.map_err(|error| unkept(error.into()))
}

/// Decides what the file is, off the runtime's threads.
async fn judge(name: String, file: Arrived) -> Result<(Kind, Arrived), Fault> {
    let judged = spawn_blocking(move || {
        let kind = File::open(file.path()).map_err(KindError::from);
        (kind.and_then(|mut bytes| Kind::of(&mut bytes, &name)), file)
    });
    let (kind, file) = judged.await.map_err(|error| {
        tracing::error!(%error, "telling what a file is failed");
        Fault::internal()
    })?;
    Ok((kind.map_err(refused)?, file))
}

fn refused(error: KindError) -> Fault {
    let message = format!("{}.", body::capitalised(&error.to_string()));
    match error {
        KindError::Extension(_) | KindError::Mismatch { .. } => {
            Fault::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", message).at("file")
        }
        KindError::Empty => Fault::invalid("file", message).coded("empty_file"),
        KindError::Protected => Fault::invalid("file", message).coded("protected_file"),
        KindError::Read(error) => unkept(error.into()),
    }
}

/// Gives a file's bytes to storage under this key, to be removed unless a row owns them in time.
pub(super) async fn stow(context: &Context, key: Uuid, file: Arrived) -> Result<(), Fault> {
    strays::expect(&context.db, key, context.now() + storage::LONGEST).await?;
    let kept = timeout(KEEPING, context.storage.keep(key, file)).await;
    kept.map_err(|error| unkept(io::Error::other(error).into()))?.map_err(unkept)
}

/// What a client is told whose bytes were given up before their row came.
pub(super) fn late() -> Fault {
    unkept(io::Error::from(io::ErrorKind::TimedOut).into())
}

/// What a client is told of a file that was not let through.
pub(super) fn unclean(refused: Refused) -> Fault {
    match refused {
        Refused::Infected(found) => {
            let message = format!("The file is not taken: a virus scanner found {found} in it.");
            Fault::invalid("file", message).coded("infected_file")
        }
        Refused::Unscanned(reason) => {
            tracing::error!(%reason, "a file could not be scanned and was refused");
            let message = "Files cannot be scanned for viruses at the moment, and none is taken unscanned. Try again.";
            Fault::new(StatusCode::SERVICE_UNAVAILABLE, "scanner_unavailable", message).after(Duration::from_secs(30))
        }
    }
}

/// What a client is told of storage that does not work: all of it may pass, by an operator's hand at least.
pub(super) fn unkept(error: StorageError) -> Fault {
    tracing::error!(error = &error as &dyn std::error::Error, "storage failed");
    let message = "Files cannot be kept or read for now. Try again.";
    Fault::new(StatusCode::SERVICE_UNAVAILABLE, "storage_unavailable", message).after(RETRY)
}

/// The file's name without folders, as some clients send them, and without control characters.
fn name(field: &Field<'_>) -> Result<String, Fault> {
    let given = extended(field.headers()).or_else(|| field.file_name().map(str::to_owned)).unwrap_or_default();
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = last.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let name = name.trim();
    if name.is_empty() {
        return Err(Fault::invalid("file", "The part `file` must have a `filename`."));
    }
    if name.chars().count() > NAME {
        return Err(Fault::invalid("file", format!("The name of a file must have at most {NAME} characters.")));
    }
    Ok(name.to_owned())
}

/// `filename*` (RFC 8187), which forms should not have (RFC 7578, 4.2) and some clients send.
fn extended(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(header::CONTENT_DISPOSITION)?.to_str().ok()?;
    let (_, value) = text.split_once("filename*=")?;
    let value = value.split(';').next()?.trim().trim_matches('"');
    let (charset, rest) = value.split_once('\'')?;
    let (_, name) = rest.split_once('\'')?;
    let name = percent_decode_str(name).decode_utf8().ok()?;
    charset.eq_ignore_ascii_case("utf-8").then(|| name.into_owned())
}

/// The same body, a piece at a time: whoever reads it would take all that is there into memory, and the head of a part
/// that never ends. `room` is how much may be taken without any of a file coming out; with [`NOTHING`] of it, what comes
/// is passed over to its end.
fn paced(body: Body, room: Arc<AtomicUsize>) -> Body {
    let (mut pieces, mut gave) = (body.into_data_stream(), false);
    Body::from_stream(stream::poll_fn(move |context| {
        if std::mem::take(&mut gave) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let piece: Option<Result<Bytes, axum::Error>> = ready!(pieces.poll_next_unpin(context));
        let Some(Ok(bytes)) = &piece else { return Poll::Ready(piece) };
        gave = true;
        match room.load(Ordering::Relaxed) {
            NOTHING => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
            left if left < bytes.len() => {
                Poll::Ready(Some(Err(axum::Error::new(io::Error::other("a part's head does not end")))))
            }
            left => {
                room.store(left - bytes.len(), Ordering::Relaxed);
                Poll::Ready(piece)
            }
        }
    }))
}

/// How long an upload may take in all: 50 MiB at 700 kbit/s.
const LONGEST: Duration = Duration::from_secs(600);
/// How long giving a file to its storage may take.
const KEEPING: Duration = Duration::from_secs(900);
/// When to ask again for what storage could not do.
const RETRY: Duration = Duration::from_secs(10);
/// Characters of a file's name; file systems take 255 bytes.
const NAME: usize = 500;
/// Bytes of a form that may come without any of a file: HTTP gives up to 400 KiB at once.
const ROOM: usize = 1 << 20;
/// Bytes of all fields of text.
const TEXTS: usize = 64 << 10;
/// What a field of text counts for beside its text.
const PART: usize = 256;
/// Stands for no more interest in the form.
const NOTHING: usize = usize::MAX;
