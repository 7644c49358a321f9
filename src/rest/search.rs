//! `POST /api/search`: passages of documents that fit a question.

use std::sync::Arc;

use axum::{Json, extract::State};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Context, body::Strict, fault::Fault, openapi::Api};
use crate::{
    auth::Principal,
    knowledge::{Found, LONGEST, Passage, Question, Source},
    store::{DocumentId, PassageId, passages::Filter},
};

/// What is looked for.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Search")]
pub(super) struct Given {
    /// A question, or words.
    #[schemars(length(min = 1, max = LONGEST))]
    query: String,
    /// Passages at most.
    #[serde(default = "five")]
    #[schemars(range(min = 1, max = MOST))]
    top_k: u32,
    /// The least that a passage may score.
    #[serde(default)]
    #[schemars(range(min = 0, max = 100))]
    min_score: f32,
    /// Search these alone; what is not there, or not yours, has no passages.
    #[schemars(length(min = 1, max = DOCUMENTS))]
    document_ids: Option<Vec<DocumentId>>,
    /// Search documents of this type alone.
    source_type: Option<String>,
}

/// What was found.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "SearchResult")]
pub(super) struct View {
    /// The best first.
    passages: Vec<PassageView>,
    /// Whether meaning was searched; if not, words alone were: there is no embedding model, or it does not answer.
    semantic: bool,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Passage")]
struct PassageView {
    id: PassageId,
    document_id: DocumentId,
    /// What is known of the document.
    source: Source,
    text: String,
    /// The heading it stands under.
    heading: Option<String>,
    /// From 1; null where the document has no pages.
    page: Option<u32>,
    /// Its first character, counted in the characters of the document's text from 0.
    start: usize,
    /// Behind its last character.
    end: usize,
    /// How sure it is, 0 to 100, whatever else was found: at 50 it is as likely to answer as not.
    #[schemars(range(min = 0, max = 100))]
    score: f32,
}

/// `POST /api/search`.
pub(super) async fn ask(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Strict(given): Strict<Given>,
) -> Result<Json<View>, Fault> {
    let found = context.library.search(principal.user, &given.checked()?).await?;
    Ok(Json(found.into()))
}

impl Given {
    fn checked(self) -> Result<Question, Fault> {
        let length = self.query.chars().count();
        if self.query.trim().is_empty() || length > LONGEST {
            return Err(Fault::invalid("query", format!("This must have 1 to {LONGEST} characters, not all blank.")));
        }
        if !(1..=MOST).contains(&self.top_k) {
            return Err(Fault::invalid("top_k", format!("This must be between 1 and {MOST}.")));
        }
        if !(0.0..=100.0).contains(&self.min_score) {
            return Err(Fault::invalid("min_score", "This must be between 0 and 100."));
        }
        if self.document_ids.as_ref().is_some_and(|ids| ids.is_empty() || ids.len() > DOCUMENTS) {
            return Err(Fault::invalid("document_ids", format!("This must name 1 to {DOCUMENTS} documents.")));
        }
        Ok(Question {
            text: self.query,
            top_k: self.top_k as usize,
            min_score: self.min_score,
            filter: Filter { documents: self.document_ids, source_type: self.source_type },
        })
    }
}

impl From<Found> for View {
    fn from(found: Found) -> Self {
        Self { passages: found.passages.into_iter().map(PassageView::from).collect(), semantic: found.semantic }
    }
}

impl From<Passage> for PassageView {
    fn from(passage: Passage) -> Self {
        Self {
            id: passage.id,
            document_id: passage.document,
            source: passage.source,
            text: passage.text,
            heading: passage.heading,
            page: passage.page,
            start: passage.start,
            end: passage.end,
            // A tenth is finer than it is sure. Not more than it is, so that it passes its own bound.
            score: (passage.score * 10.0).floor() / 10.0,
        }
    }
}

const fn five() -> u32 {
    5
}

/// Passages of an answer at most.
const MOST: u32 = 50;

/// Documents that a search can be narrowed to.
const DOCUMENTS: usize = 100;

pub(super) fn describe(api: &mut Api) {
    let source = json!({
        "title": "Warfarin: a guideline", "url": null, "authors": ["Doe, Jane"], "publication_date": "2024",
        "journal": null, "volume": null, "issue": null, "pages": null, "doi": "10.1000/182", "pmid": null,
        "source_type": "guideline",
    });
    let passage = json!({
        "id": "0190b0a0-0000-7000-8000-000000000009", "document_id": "0190b0a0-0000-7000-8000-000000000008",
        "source": source, "text": "Warfarin is begun at five milligrams a day.", "heading": "Dose", "page": 3,
        "start": 4120, "end": 4163, "score": 87.4,
    });
    api.post("/api/search", "search", "Finds passages that fit a question")
        .more(
            "In one's own documents and in shared ones, by meaning and by words. The order is by both; the score says how \
             sure each passage is by itself, so `min_score` means the same of every question.",
        )
        .takes::<Given>(json!({"query": "How much warfarin to begin with?", "top_k": 3, "min_score": 30}))
        .gives::<View>(200, "The passages, the best first.", json!({"passages": [passage], "semantic": true}));
}
