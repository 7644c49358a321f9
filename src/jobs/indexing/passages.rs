//! The passages of a document: cut once, found by their words from then on, and by their meaning when all have vectors.
//!
//! How many have one stands in the document's row, and of which model they are, so whoever takes over goes on from there.

use providers::ErrorKind;
use tokio::task::spawn_blocking;

use super::{super::Crew, End, LEASE};
use crate::{
    knowledge::{
        Library,
        chunk::{Chunk, chunks},
        source::Source,
    },
    store::{
        DocumentId, StoreError,
        indexing::{self, Content, Job, Progress},
        passages::{self, New},
    },
};

/// Makes what is missing of the passages of a document that was read.
pub(super) async fn index(crew: &Crew, job: &Job) -> Result<End, StoreError> {
    let Some(content) = indexing::content(&crew.db, job.id).await? else { return Ok(End::Gone) };
    let source: Source = serde_json::from_str(&content.source).unwrap_or_default();
    let total = match job.passages {
        0 => cut(crew, job.id, content).await?,
        made => usize::try_from(made).unwrap_or_default(),
    };
    let Some(model) = crew.library.model() else {
        return Ok(End::Ready { model: None, warnings: job.warnings.clone() });
    };
    // Vectors of another model are made anew.
    let same = job.model.as_deref() == Some(model);
    let embedded = usize::try_from(job.indexed).unwrap_or_default();
    let mut progress = Progress { passages: total, indexed: if same { embedded } else { 0 }, model: Some(model) };
    loop {
        if !indexing::advance(&crew.db, job.id, progress, crew.now(), LEASE).await? {
            return Ok(End::Gone);
        }
        let batch = passages::unread(&crew.db, job.id, progress.indexed, AT_ONCE).await?;
        if batch.is_empty() {
            break;
        }
        let told = |(heading, text): (Option<String>, String)| {
            Chunk { text, heading, page: None, start: 0, end: 0 }.in_context(source.title.as_deref())
        };
        match embed(&crew.library, batch.into_iter().map(told).collect()).await {
            Ok(vectors) => {
                passages::embed(&crew.db, job.id, progress.indexed, &vectors).await?;
                progress.indexed += vectors.len();
            }
            Err(refused) => {
                tracing::warn!(reason = %refused, document.id = %job.id, "passages cannot be embedded");
                return Ok(refused.end(job));
            }
        }
    }
    passages::seal(&crew.db, job.id, model).await?;
    Ok(End::Ready { model: Some(model.to_owned()), warnings: job.warnings.clone() })
}

/// Cuts a document's text, so that its passages are found by their words; returns how many there are.
async fn cut(crew: &Crew, id: DocumentId, content: Content) -> Result<usize, StoreError> {
    let text = content.text.unwrap_or_default();
    // Of a panic its own task tells.
    let chunks = spawn_blocking(move || chunks(&text)).await.unwrap_or_default();
    let rows: Vec<_> = chunks
        .iter()
        .map(|chunk| New {
            text: &chunk.text,
            heading: chunk.heading.as_deref(),
            page: chunk.page,
            start: chunk.start,
            end: chunk.end,
            vector: None,
        })
        .collect();
    passages::put(&crew.db, id, None, &rows, crew.now()).await?;
    let progress = Progress { passages: rows.len(), indexed: 0, model: None };
    indexing::advance(&crew.db, id, progress, crew.now(), LEASE).await?;
    Ok(rows.len())
}

/// Why there are no vectors.
#[derive(Debug, thiserror::Error)]
enum Refused {
    /// The same texts will be refused again.
    #[error("{0}")]
    Ever(String),
    /// They may be embedded another time.
    #[error("{0}")]
    ForNow(String),
}

async fn embed(library: &Library, texts: Vec<String>) -> Result<Vec<Vec<f32>>, Refused> {
    let wanted = texts.len();
    let made = library.embed(texts).await.map_err(|error| match error.kind {
        ErrorKind::Rejected => Refused::Ever(error.to_string()),
        ErrorKind::RateLimited
        | ErrorKind::Unauthorized
        | ErrorKind::Unavailable
        | ErrorKind::Protocol
        | ErrorKind::Timeout => Refused::ForNow(error.to_string()),
    })?;
    let vectors = made.map(|made| made.vectors).unwrap_or_default();
    if vectors.len() == wanted {
        return Ok(vectors);
    }
    Err(Refused::ForNow(format!("{} vectors came for {wanted} texts", vectors.len())))
}

impl Refused {
    fn end(&self, job: &Job) -> End {
        match self {
            Self::Ever(_) => unembedded(job),
            Self::ForNow(_) => End::Waits(AWAY),
        }
    }
}

/// The document is found by its words alone; another start of the relay tries again.
pub(super) fn unembedded(job: &Job) -> End {
    let mut warnings: Vec<String> = serde_json::from_str(&job.warnings).unwrap_or_default();
    if !warnings.iter().any(|warning| warning == WORDS_ALONE) {
        warnings.push(WORDS_ALONE.to_owned());
    }
    End::Ready { model: None, warnings: serde_json::json!(warnings).to_string() }
}

/// Passages of one request: a second of one core's work, or a vendor's usual batch.
const AT_ONCE: usize = 32;
/// What a document's owner is told while embeddings are away.
const AWAY: &str = "it is found by its words; its meaning waits for the embeddings, which are away";
/// And where its passages are refused.
const WORDS_ALONE: &str = "It is found by its words alone: its passages could not be embedded.";
