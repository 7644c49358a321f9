//! What is in a document: its text, and what it says of itself.

use super::{
    super::{Crew, reading::extract},
    End, GIVEN_UP, MOST_TRIES,
};
use crate::{
    documents::extract::{Extracted, Failed, Limits, Metadata},
    knowledge::{frontmatter, source::Source},
    store::{
        StoreError,
        indexing::{self, Findings, Job},
    },
};

/// Reads a document, and what nobody said of it. `None`: its passages can be made.
pub(super) async fn read(crew: &Crew, job: &Job) -> Result<Option<End>, StoreError> {
    let Some(content) = indexing::content(&crew.db, job.id).await? else { return Ok(Some(End::Gone)) };
    let extracted = match (content.text, &job.kind) {
        (Some(text), _) => as_given(text),
        (None, None) => Extracted::default(),
        (None, Some(kind)) => {
            let sandbox = crew.sandbox.within(limits(crew));
            match extract(crew, &sandbox, job.id.into(), kind).await {
                Ok(extracted) => extracted,
                Err(failed) => return Ok(Some(ended(job, &failed))),
            }
        }
    };
    let Extracted { text, metadata, warnings, .. } = extracted;
    if text.trim().is_empty() {
        return Ok(Some(End::Failed(nothing(&warnings))));
    }
    let kind = job.kind.as_deref().and_then(|kind| kind.parse().ok());
    let own = frontmatter::of(&metadata, &text, kind, content.name.as_deref());
    let found = Findings {
        text,
        metadata: serde_json::json!(metadata).to_string(),
        warnings: serde_json::json!(warnings).to_string(),
    };
    let read = indexing::read(&crew.db, job.id, &found, |given| completed(given, own), crew.now()).await?;
    Ok((!read).then_some(End::Gone))
}

/// What came as text.
fn as_given(text: String) -> Extracted {
    let words = u32::try_from(text.split_whitespace().count()).ok();
    Extracted { text, metadata: Metadata { word_count: words, ..Metadata::default() }, ..Extracted::default() }
}

/// What people say of a document goes before what it says of itself.
fn completed(given: &str, own: Source) -> String {
    let given: Source = serde_json::from_str(given).unwrap_or_default();
    serde_json::json!(given.or(own)).to_string()
}

fn ended(job: &Job, failed: &Failed) -> End {
    if !failed.may_pass() {
        return End::Failed(failed.to_string());
    }
    tracing::warn!(reason = ?failed, document.id = %job.id, job.tries, "a document could not be read for now");
    if job.tries < MOST_TRIES { End::Again } else { End::Failed(GIVEN_UP.to_owned()) }
}

/// Why there is no text. Whoever looked for it may know more.
fn nothing(warnings: &[String]) -> String {
    if warnings.is_empty() { "there is no text in it".to_owned() } else { warnings.join(" ") }
}

/// More than files of messages may ask: a handbook is read whole.
fn limits(crew: &Crew) -> Limits {
    Limits { seconds: 120, text_bytes: (crew.knowledge.text_mb as usize) << 20, pages: 20_000, ..Limits::default() }
}
