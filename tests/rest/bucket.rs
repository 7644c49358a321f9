//! Files in a bucket: a stand-in speaks as much of S3's wire as is documented for objects and uploads in parts
//! (<https://docs.aws.amazon.com/AmazonS3/latest/API/>).

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use serde_json::json;
use voice_relay::storage::{Config, Storage};

use crate::{
    files::{crew, docx, download, files, id, message, settled, until, upload},
    server::Server,
};

#[derive(Default)]
struct Bucket {
    objects: BTreeMap<String, Bytes>,
    /// By their number.
    parts: BTreeMap<u32, Bytes>,
    largest_part: usize,
}

type Shared = Arc<Mutex<Bucket>>;

async fn answer(State(bucket): State<Shared>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let signed = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !signed.starts_with("AWS4-HMAC-SHA256 Credential=the-account/") {
        return StatusCode::FORBIDDEN.into_response();
    }
    let (key, query) = (uri.path().to_owned(), uri.query().unwrap_or_default().to_owned());
    let mut bucket = bucket.lock().unwrap();
    let tag = [("etag", "\"tag\"")];
    match (method, query.as_str()) {
        (Method::POST, "uploads" | "uploads=") => {
            let begun = "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>";
            begun.into_response()
        }
        (Method::PUT, query) if query.contains("partNumber") => {
            let number = query.split('&').find_map(|pair| pair.strip_prefix("partNumber=")).unwrap().parse().unwrap();
            bucket.largest_part = bucket.largest_part.max(body.len());
            bucket.parts.insert(number, body);
            tag.into_response()
        }
        (Method::POST, query) if query.contains("uploadId") => {
            let whole: Vec<u8> = std::mem::take(&mut bucket.parts).into_values().flatten().collect();
            bucket.objects.insert(key, whole.into());
            "<CompleteMultipartUploadResult><ETag>tag</ETag></CompleteMultipartUploadResult>".into_response()
        }
        (Method::PUT, _) => {
            bucket.objects.insert(key, body);
            tag.into_response()
        }
        (Method::DELETE, _) => {
            bucket.objects.remove(&key);
            StatusCode::NO_CONTENT.into_response()
        }
        (Method::GET | Method::HEAD, _) => {
            let Some(object) = bucket.objects.get(&key).cloned() else { return StatusCode::NOT_FOUND.into_response() };
            let about = [("etag", "\"tag\""), ("last-modified", "Thu, 01 Jan 2026 00:00:00 GMT")];
            let range = headers.get("range").and_then(|value| value.to_str().ok()?.strip_prefix("bytes="));
            let Some((from, to)) = range.and_then(|range| range.split_once('-')) else {
                return (about, object).into_response();
            };
            let (from, to): (usize, usize) = (from.parse().unwrap(), to.parse().unwrap());
            let told = [("content-range", format!("bytes {from}-{to}/{}", object.len()))];
            (StatusCode::PARTIAL_CONTENT, about, told, object.slice(from..=to)).into_response()
        }
        other => panic!("{other:?}"),
    }
}

/// A relay whose files are in a bucket, and the bucket.
async fn scene(dir: &std::path::Path) -> (Server, Shared) {
    let bucket = Shared::default();
    let router = Router::new().fallback(answer).layer(DefaultBodyLimit::disable()).with_state(Arc::clone(&bucket));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let config = Config {
        url: "s3://the-bucket/some/prefix".into(),
        region: "eu-central-1".into(),
        endpoint,
        account: "the-account".into(),
        secret: "the-secret".to_owned().into(),
        ..Config::default()
    };
    let storage = Storage::open(&config, dir).unwrap();
    (Server::with(|context| context.storage = storage).await, bucket)
}

#[tokio::test]
async fn files_go_to_the_bucket_are_read_there_and_removed_from_it() {
    let dir = tempfile::tempdir().unwrap();
    let (server, bucket) = scene(dir.path()).await;
    tokio::spawn(crew(&server).work());
    server.context.storage.answers().await.unwrap();
    let (_, message) = message(&server).await;
    let bytes = docx("Hello bucket");
    let record = upload(&server, &message, "a.docx", bytes.clone()).await;
    assert_eq!(record.status, StatusCode::CREATED, "{}", record.body);
    let attachment = id(&record.body);
    let key = format!("/the-bucket/some/prefix/{attachment}");
    assert_eq!(bucket.lock().unwrap().objects.keys().collect::<Vec<_>>(), [&key]);
    assert_eq!(download(&server, &attachment).await, bytes);
    let path = format!("/api/attachments/{attachment}");
    let part =
        server.request(Method::GET, &format!("{path}/download")).header("range", "bytes=2-9").send().await.unwrap();
    assert_eq!(part.bytes().await.unwrap(), bytes[2..10]);
    assert_eq!(settled(&server, &attachment).await["state"], "ready");
    assert_eq!(server.get(&format!("{path}/text")).await.body["text"], "Hello bucket");
    assert_eq!(server.delete(&path).await.status, StatusCode::NO_CONTENT);
    until(async || bucket.lock().unwrap().objects.is_empty()).await;
    assert_eq!(files(dir.path(), "arriving").len(), 0, "no copies stay");
}

#[tokio::test]
async fn a_large_file_goes_in_parts() {
    let dir = tempfile::tempdir().unwrap();
    let (server, bucket) = scene(dir.path()).await;
    let (_, message) = message(&server).await;
    let bytes = b"0123456789abcdef".repeat(750_000);
    let record = upload(&server, &message, "a.txt", bytes.clone()).await;
    assert_eq!(record.status, StatusCode::CREATED, "{}", record.body);
    assert_eq!(bucket.lock().unwrap().largest_part, 5 << 20);
    assert_eq!(download(&server, &id(&record.body)).await, bytes);
}

#[tokio::test]
async fn a_bucket_that_refuses_is_told_without_its_secret() {
    let dir = tempfile::tempdir().unwrap();
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", gone.local_addr().unwrap());
    tokio::spawn(async move {
        axum::serve(gone, Router::new().fallback(async || StatusCode::FORBIDDEN)).await.unwrap();
    });
    let config = Config {
        url: "s3://the-bucket".into(),
        region: "eu-central-1".into(),
        endpoint,
        account: "another-account".into(),
        secret: "hunter2-hunter2".to_owned().into(),
        ..Config::default()
    };
    let storage = Storage::open(&config, dir.path()).unwrap();
    assert!(!format!("{storage:?} {config:?}").contains("hunter2"));
    let server = Server::with(|context| context.storage = storage).await;
    assert!(server.context.storage.answers().await.is_err());
    let (_, message) = message(&server).await;
    let refused = upload(&server, &message, "a.txt", "x").await;
    assert_eq!(refused.problem(503).0, "storage_unavailable");
    assert!(!refused.body.to_string().contains("hunter2"));
    assert_eq!(server.get(&format!("/api/messages/{message}/attachments")).await.body["items"], json!([]));
}
