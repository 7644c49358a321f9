//! A document as clients read it.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::super::page::time;
use crate::{
    documents::kind::Kind,
    knowledge::source::Source,
    store::{DocumentId, UserId, documents::Document},
};

/// A document's record.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Document")]
pub(super) struct View {
    id: DocumentId,
    /// Whether everybody may read it.
    shared: bool,
    /// Whether it is the caller's.
    owned: bool,
    /// The file's name as its owner calls it; null: it came as text.
    name: Option<String>,
    /// What the file is: `pdf`, `txt`, `md`, …
    kind: Option<String>,
    media_type: Option<&'static str>,
    /// In bytes.
    size: u64,
    sha256: String,
    #[serde(flatten)]
    source: Source,
    /// `pending` until it was read; `indexing` while its passages are found by their words and not yet by their meaning; then
    /// `ready`, or `failed`.
    #[schemars(extend("enum" = ["pending", "indexing", "ready", "failed"]))]
    state: &'static str,
    /// Why nothing of it will be found, or what its indexing waits for.
    failure: Option<String>,
    /// What could not be done.
    #[schemars(with = "Vec<String>")]
    warnings: Value,
    /// What its file says of itself; empty until it was read.
    #[schemars(with = "Map<String, Value>")]
    metadata: Value,
    /// Passages it is made of; 0 until that is known.
    passages: i64,
    /// How many of them are found by their meaning.
    indexed: i64,
    /// Which model they are compared by; null: they are found by their words alone.
    model: Option<String>,
    #[schemars(extend("format" = "date-time"))]
    created_at: String,
    #[schemars(extend("format" = "date-time"))]
    updated_at: String,
}

/// What was read in a document.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "DocumentText")]
pub(super) struct Content {
    #[schemars(extend("enum" = ["pending", "indexing", "ready", "failed"]))]
    state: &'static str,
    failure: Option<String>,
    /// Null until it was read.
    text: Option<String>,
    #[schemars(with = "Map<String, Value>")]
    metadata: Value,
    #[schemars(with = "Vec<String>")]
    warnings: Value,
}

impl View {
    /// As this user reads it.
    pub(super) fn of(document: Document, user: UserId) -> Self {
        let (name, kind) = document.file.map(|file| (file.name, file.kind)).unzip();
        let media_type = |kind: &String| kind.parse().map_or("application/octet-stream", Kind::media_type);
        Self {
            id: document.id,
            shared: document.shared,
            owned: document.user == user,
            media_type: kind.as_ref().map(media_type),
            name,
            kind,
            size: document.size,
            sha256: document.sha256,
            source: serde_json::from_str(&document.source).unwrap_or_default(),
            state: document.state.as_str(),
            failure: document.failure,
            warnings: serde_json::from_str(&document.warnings).unwrap_or_default(),
            metadata: serde_json::from_str(&document.metadata).unwrap_or_default(),
            passages: document.passages,
            indexed: document.indexed,
            model: document.model,
            created_at: time(document.created_at),
            updated_at: time(document.updated_at),
        }
    }
}

impl Content {
    pub(super) fn of(document: &Document, text: Option<String>) -> Self {
        Self {
            state: document.state.as_str(),
            failure: document.failure.clone(),
            text,
            metadata: serde_json::from_str(&document.metadata).unwrap_or_default(),
            warnings: serde_json::from_str(&document.warnings).unwrap_or_default(),
        }
    }
}

/// For the API's description.
pub(super) fn example() -> Value {
    json!({
        "id": "0190b0a0-0000-7000-8000-000000000005",
        "shared": false,
        "owned": true,
        "name": "hygiene.pdf",
        "kind": "pdf",
        "media_type": "application/pdf",
        "size": 48_213,
        "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "title": "Hand hygiene",
        "url": null,
        "authors": ["Doe, Jane"],
        "publication_date": "2024-05",
        "journal": "Journal of Examples",
        "volume": "12",
        "issue": "3",
        "pages": "123-130",
        "doi": "10.1000/182",
        "pmid": null,
        "source_type": "article",
        "state": "ready",
        "failure": null,
        "warnings": [],
        "metadata": {"page_count": 8, "word_count": 3201},
        "passages": 24,
        "indexed": 24,
        "model": "minilm",
        "created_at": "2026-01-01T00:00:00.000Z",
        "updated_at": "2026-01-01T00:00:03.000Z",
    })
}
