//! `GET /api/attachments/{id}/download` and `/api/documents/{id}/file`: a file's bytes, whole or in part, as a file that
//! browsers save and never show.

use std::{ops::Range, sync::Arc};

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use uuid::Uuid;

use super::{
    Context,
    fault::Fault,
    filename,
    intake::unkept,
    openapi::{Api, Operation, schema},
    page::Id,
};
use crate::{
    auth::Principal,
    documents::kind::Kind,
    store::{
        AttachmentId, DocumentId,
        attachments::{self, Attachment},
        documents::{self, Document, File},
    },
};

/// A file in storage, under its key.
struct Kept {
    key: Uuid,
    name: String,
    kind: String,
    /// In bytes.
    size: u64,
    sha256: String,
}

/// `GET /api/attachments/{id}/download`.
pub(super) async fn attachment(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Id(id): Id<AttachmentId>,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    let Attachment { name, kind, size, sha256, .. } = attachments::get(&context.db, principal.user, id).await?;
    send(&context, &headers, Kept { key: id.into(), name, kind, size, sha256 }).await
}

/// `GET /api/documents/{id}/file`; 404 for what came as text.
pub(super) async fn document(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Id(id): Id<DocumentId>,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    let Document { file, size, sha256, .. } = documents::get(&context.db, principal.user, id).await?;
    let File { name, kind } = file.ok_or_else(Fault::not_found)?;
    send(&context, &headers, Kept { key: id.into(), name, kind, size, sha256 }).await
}

/// What is asked for of a file.
async fn send(context: &Context, headers: &HeaderMap, file: Kept) -> Result<Response, Fault> {
    let tag = format!("\"{}\"", file.sha256);
    if names(headers, &header::IF_NONE_MATCH, &tag) {
        return Ok((StatusCode::NOT_MODIFIED, described(&file, &tag)).into_response());
    }
    let size = file.size;
    let part = match asked(headers, &tag, size) {
        Asked::All => None,
        Asked::Part(range) => Some(range),
        Asked::Nothing => {
            let message = "The file has no bytes there.";
            let fault = Fault::new(StatusCode::RANGE_NOT_SATISFIABLE, "range_not_satisfiable", message);
            return Ok((content_range(&format!("bytes */{size}")), fault).into_response());
        }
    };
    let length = part.as_ref().map_or(size, |range| range.end - range.start);
    let body = match length {
        0 => Body::empty(),
        _ => Body::from_stream(context.storage.read(file.key, part.clone()).await.map_err(unkept)?),
    };
    let mut response =
        (described(&file, &tag), [(header::CONTENT_LENGTH, HeaderValue::from(length))], body).into_response();
    if let Some(Range { start, end }) = part {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        response.headers_mut().extend(content_range(&format!("bytes {start}-{}/{size}", end - 1)));
    }
    Ok(response)
}

/// What is told of a file with its bytes and without them.
fn described(file: &Kept, tag: &str) -> HeaderMap {
    let kind: Option<Kind> = file.kind.parse().ok();
    let media_type = kind.map_or("application/octet-stream", Kind::media_type);
    let (stem, extension) = file.name.rsplit_once('.').unwrap_or((&file.name, &file.kind));
    let stem = if stem.trim_matches(['.', ' ']).is_empty() { "file" } else { stem };
    let mut headers = HeaderMap::from_iter([
        (header::CONTENT_TYPE, HeaderValue::from_static(media_type)),
        (header::CONTENT_DISPOSITION, filename::attachment(stem, extension)),
        (header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache")),
        (header::ACCEPT_RANGES, HeaderValue::from_static("bytes")),
    ]);
    if let Ok(tag) = HeaderValue::from_str(tag) {
        headers.insert(header::ETAG, tag);
    }
    headers
}

fn content_range(text: &str) -> HeaderMap {
    HeaderValue::from_str(text).map(|value| HeaderMap::from_iter([(header::CONTENT_RANGE, value)])).unwrap_or_default()
}

/// Whether a list of entity tags names this one, weakly (RFC 9110, 8.8.3.2).
fn names(headers: &HeaderMap, name: &HeaderName, tag: &str) -> bool {
    let given = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    given
        .flat_map(|list| list.split(','))
        .map(str::trim)
        .any(|given| given == "*" || given.strip_prefix("W/").unwrap_or(given) == tag)
}

/// What of a file is asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
enum Asked {
    All,
    Part(Range<u64>),
    /// A part that is not there.
    Nothing,
}

/// Reads `range` (RFC 9110, 14.2) under `if-range`. Several ranges, other units and what is malformed are passed over,
/// which the RFC allows or demands.
fn asked(headers: &HeaderMap, tag: &str, size: u64) -> Asked {
    let unchanged = headers.get(header::IF_RANGE).is_none_or(|given| given.as_bytes() == tag.as_bytes());
    let range = headers.get(header::RANGE).filter(|_| unchanged).and_then(|value| value.to_str().ok());
    let Some((from, to)) = range.and_then(|text| text.strip_prefix("bytes=")?.trim().split_once('-')) else {
        return Asked::All;
    };
    let number =
        |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u64>().ok()).flatten();
    match (from, to) {
        ("", last) => match number(last) {
            Some(0) => Asked::Nothing,
            Some(last) if size > 0 => Asked::Part(size.saturating_sub(last)..size),
            Some(_) => Asked::Nothing,
            None => Asked::All,
        },
        (from, "") => match number(from) {
            Some(from) if from < size => Asked::Part(from..size),
            Some(_) => Asked::Nothing,
            None => Asked::All,
        },
        (from, to) => match (number(from), number(to)) {
            (Some(from), Some(to)) if from > to => Asked::All,
            (Some(from), Some(to)) if from < size => Asked::Part(from..size.min(to.saturating_add(1))),
            (Some(_), Some(_)) => Asked::Nothing,
            (None, _) | (_, None) => Asked::All,
        },
    }
}

pub(super) fn describe(api: &mut Api) {
    told(api.get("/api/attachments/{id}/download", "download_attachment", "Downloads a file, whole or in part"));
}

/// What is said of every route that sends a file.
pub(super) fn told(operation: Operation<'_>) -> Operation<'_> {
    operation
        .header("range", schema::text(), "`bytes=…` (RFC 9110, 14.2).")
        .header("if-range", schema::text(), "Only if the file still has this tag.")
        .header("if-none-match", schema::text(), "Tags of what the caller has.")
        .sends(200, "*/*", schema::bytes(), "All of it.")
        .sends(206, "*/*", schema::bytes(), "The part that was asked for.")
        .with_header(206, "content-range", "Which part it is.")
        .says_nothing(304, "The caller has it.")
        .refuses(416, "The file has no bytes there.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked_of_ten(range: &'static str, if_range: Option<&'static str>) -> Asked {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, HeaderValue::from_static(range));
        headers.extend(if_range.map(|tag| (header::IF_RANGE, HeaderValue::from_static(tag))));
        asked(&headers, "\"t\"", 10)
    }

    #[test]
    fn a_range_is_read_as_the_rfc_has_it() {
        for (range, expected) in [
            ("bytes=0-0", Asked::Part(0..1)),
            ("bytes=2-5", Asked::Part(2..6)),
            ("bytes=8-99", Asked::Part(8..10)),
            ("bytes=4-", Asked::Part(4..10)),
            ("bytes=-3", Asked::Part(7..10)),
            ("bytes=-99", Asked::Part(0..10)),
            ("bytes=0-18446744073709551615", Asked::Part(0..10)),
            ("bytes=10-", Asked::Nothing),
            ("bytes=10-12", Asked::Nothing),
            ("bytes=-0", Asked::Nothing),
            ("bytes=5-2", Asked::All),
            ("bytes=0-1,3-4", Asked::All),
            ("bytes=a-b", Asked::All),
            ("bytes=+1-2", Asked::All),
            ("bytes=99999999999999999999-", Asked::All),
            ("bytes=-", Asked::All),
            ("lines=1-2", Asked::All),
            ("bytes", Asked::All),
        ] {
            assert_eq!(asked_of_ten(range, None), expected, "{range}");
        }
        assert_eq!(asked_of_ten("bytes=0-0", Some("\"t\"")), Asked::Part(0..1));
        assert_eq!(asked_of_ten("bytes=0-0", Some("W/\"t\"")), Asked::All, "strong comparison");
        assert_eq!(asked_of_ten("bytes=0-0", Some("Wed, 21 Oct 2015 07:28:00 GMT")), Asked::All);
    }
}
