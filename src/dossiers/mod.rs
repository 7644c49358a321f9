//! What models are told beside a conversation: its clinical context, which is confidential, and the text of its files, which may
//! be; and what the person's documents say about what was asked.
//!
//! Whoever asks a language model for an answer in a conversation puts what [`in_store`] finds into
//! [`Prompt::aside`](providers::llm::Prompt::aside).

mod facts;
mod files;
mod given;
mod sheet;

use std::{error::Error, sync::Arc};

pub use facts::{Facts, Vitals};
use futures_util::future::BoxFuture;
pub use given::{Given, Implausible};
use providers::{Aside, passage::Passages};
use uuid::Uuid;

use crate::{
    knowledge::{Library, Question, cite},
    realtime::dossier::{Dossiers, Found},
    store::{Db, SessionId, StoreError, UserId, attachments, clinical, passages},
};

/// What stands in the database beside conversations, whose principal is their owner's user id. `files` says whether what stands
/// in attached files is confidential, as clinical contexts are.
pub fn in_store(db: Db, library: Library, files: bool) -> Arc<dyn Dossiers> {
    Arc::new(Cabinet { db, library, files })
}

struct Cabinet {
    db: Db,
    library: Library,
    files: bool,
}

impl Cabinet {
    async fn read(&self, user: UserId, session: SessionId) -> Result<Found, StoreError> {
        let (facts, excerpts, documents) = tokio::try_join!(
            clinical::in_force(&self.db, user, session),
            attachments::excerpts(&self.db, user, session, files::MOST),
            passages::any(&self.db, user),
        )?;
        let context = facts.and_then(|kept| sheet::written(&Facts::kept(&kept))).unwrap_or_default();
        let files = files::written(&excerpts).unwrap_or_default();
        if !self.files {
            return Ok(Found { aside: Aside::new(context, files), documents });
        }
        let parts: Vec<_> = [context, files].into_iter().filter(|part| !part.is_empty()).collect();
        Ok(Found { aside: Aside::new(parts.join("\n\n"), ""), documents })
    }
}

impl Dossiers for Cabinet {
    fn find(&self, principal: &str, conversation: Uuid) -> BoxFuture<'_, Result<Found, Box<dyn Error + Send + Sync>>> {
        let user = principal.parse::<UserId>();
        Box::pin(async move { Ok(self.read(user?, conversation.into()).await?) })
    }

    fn search(
        &self,
        principal: &str,
        question: &str,
    ) -> BoxFuture<'_, Result<Option<Passages>, Box<dyn Error + Send + Sync>>> {
        let user = principal.parse::<UserId>();
        let question = Question { text: question.to_owned(), top_k: PASSAGES, min_score: LEAST, ..Question::default() };
        Box::pin(async move {
            let user = user?;
            if !passages::any(&self.db, user).await? {
                return Ok(None);
            }
            Ok(Some(cite::told(self.library.search(user, &question).await?.passages)))
        })
    }
}

/// Passages that a reply is told of at most, or finds by a search: about 1 500 tokens.
pub(crate) const PASSAGES: usize = 6;
/// The least they score, of 100: what is less sure is noise that a model may take for an answer.
pub(crate) const LEAST: f32 = 20.0;

/// A clinical context as a model reads it; `None` if nothing is known.
pub(crate) fn sheet(facts: &Facts) -> Option<String> {
    sheet::written(facts)
}
