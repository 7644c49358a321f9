//! `/api/messages/{id}/citations`: where an answer has what it says from, as data and as references in a style.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json,
    extract::{RawQuery, State},
    response::{IntoResponse, Response},
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use super::{Context, fault::Fault, openapi::Api, page::Id};
use crate::{
    auth::Principal,
    documents::export,
    knowledge::{source::Cited, style::Style},
    store::{
        Db, DocumentId, MessageId, PassageId, StoreError, UserId,
        citations::{self, Citation, Reference},
        messages::Message,
    },
};

/// What a message cites, as its owner reads it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Citation")]
pub(super) struct View {
    /// The document of the knowledge base. It may have been deleted since; what is told of it here stays.
    source_id: Option<DocumentId>,
    /// The passage of it.
    passage_id: Option<PassageId>,
    #[serde(flatten)]
    cited: Cited,
}

/// The same as a reference.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "FormattedCitation")]
struct Formatted {
    #[serde(flatten)]
    citation: View,
    /// The reference in the style that was asked for, as plain text.
    formatted: String,
}

/// All that a message cites.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Citations")]
struct Citations {
    #[schemars(extend("enum" = ["apa", "mla", "chicago"]))]
    style: &'static str,
    items: Vec<Formatted>,
    /// They are all here.
    #[schemars(with = "Option<String>")]
    next: (),
}

/// `GET /api/messages/{id}/citations?style=`: all of them, by their numbers.
pub(super) async fn list(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Id(id): Id<MessageId>,
    RawQuery(query): RawQuery,
) -> Result<Response, Fault> {
    let style = chosen(query.as_deref(), "style", STYLES, |name| name.parse().ok())?.unwrap_or(Style::Apa);
    let citations = citations::of_message(&context.db, principal.user, id).await?;
    let items =
        blocking(move || citations.into_iter().map(|citation| Formatted::of(citation, style)).collect()).await?;
    Ok(Json(Citations { style: style.as_str(), items, next: () }).into_response())
}

/// The one parameter that a query may have, if it has it.
pub(super) fn chosen<T>(
    query: Option<&str>,
    parameter: &str,
    words: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, Fault> {
    let mut found = None;
    for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        if name != parameter {
            return Err(Fault::invalid(name, format!("This takes `{parameter}` and nothing else.")));
        }
        let known = read(&value).ok_or_else(|| Fault::invalid(parameter, format!("`{parameter}` must be {words}.")))?;
        found = Some(known);
    }
    Ok(found)
}

/// What these messages of one conversation cite, by message.
pub(super) async fn by_message(
    db: &Db,
    user: UserId,
    messages: &[Message],
) -> Result<BTreeMap<MessageId, Vec<Citation>>, StoreError> {
    let mut found: BTreeMap<MessageId, Vec<Citation>> = BTreeMap::new();
    for citation in citations::of_messages(db, user, messages).await? {
        found.entry(citation.message).or_default().push(citation);
    }
    Ok(found)
}

/// Citations as exports and links show them: with their titles, should there be no references to be had.
pub(super) async fn references(citations: Vec<Citation>) -> Vec<(MessageId, export::Citation)> {
    if citations.is_empty() {
        return Vec::new();
    }
    let sources: Vec<_> = citations.iter().map(|citation| citation.reference.cited.source.clone()).collect();
    let written = blocking(move || sources.iter().map(|source| EXPORTED.reference(source)).collect::<Vec<_>>());
    let mut written = written.await.unwrap_or_default().into_iter();
    let told = citations.into_iter().map(|Citation { message, reference: Reference { cited, .. }, .. }| {
        let formatted = written.next().or_else(|| cited.source.title.clone()).unwrap_or_default();
        (message, export::Citation { cited, formatted })
    });
    told.collect()
}

/// References take milliseconds each: not on a thread that others wait for.
pub(super) async fn blocking<T: Send + 'static>(write: impl FnOnce() -> T + Send + 'static) -> Result<T, Fault> {
    spawn_blocking(write).await.map_err(|error| {
        tracing::error!(%error, "writing references failed");
        Fault::internal()
    })
}

/// The style of exports and links.
pub(super) const EXPORTED: Style = Style::Apa;
const STYLES: &str = "`apa`, `mla` or `chicago`";

impl Formatted {
    fn of(citation: Citation, style: Style) -> Self {
        let formatted = style.reference(&citation.reference.cited.source);
        Self { citation: citation.into(), formatted }
    }
}

impl From<Citation> for View {
    fn from(Citation { reference, .. }: Citation) -> Self {
        Self { source_id: reference.document, passage_id: reference.passage, cited: reference.cited }
    }
}

/// A citation, for the description.
fn example() -> Value {
    let mut example = source();
    example["index"] = 1.into();
    example["source_id"] = "0190b0a0-0000-7000-8000-000000000007".into();
    example["passage_id"] = "0190b0a0-0000-7000-8000-000000000008".into();
    example["relevance_score"] = 87.5.into();
    example["quoted_text"] = "It rains on most days of October.".into();
    example["context"] = "Autumn in Oslo is wet. It rains on most days of October.".into();
    example
}

pub(super) fn source() -> Value {
    json!({
        "title": "Rain in Oslo",
        "url": "https://example.org/rain",
        "authors": ["Hansen, Kari"],
        "publication_date": "2024-03",
        "journal": "Journal of Weather",
        "volume": "12",
        "issue": "3",
        "pages": "123-130",
        "doi": "10.1000/182",
        "pmid": "12345678",
        "source_type": "article",
        "formatted": "Hansen, K. (2024). Rain in Oslo. Journal of Weather, 12(3), 123–130. https://doi.org/10.1000/182",
    })
}

/// A word of these, in the query.
pub(super) fn style(names: &[&str]) -> Value {
    json!({"type": "string", "enum": names, "default": "apa"})
}

pub(super) fn describe(api: &mut Api) {
    api.chapter("Citations", "Where answers have what they say from.");
    api.get("/api/messages/{id}/citations", "list_citations", "Lists what a message cites, by its numbers")
        .query("style", style(&["apa", "mla", "chicago"]), "How references are written.")
        .gives::<Citations>(200, "All of them.", json!({"style": "apa", "items": [example()], "next": null}))
        .refuses(422, "The style is not known.");
}
