//! What models are told beside a conversation: its clinical context, which is confidential, and the text of its files, which may be.
//!
//! Whoever asks a language model for an answer in a conversation puts what [`in_store`] finds into
//! [`Prompt::aside`](providers::llm::Prompt::aside).

mod facts;
mod files;
mod sheet;

use std::{error::Error, sync::Arc};

pub use facts::{Facts, Vitals};
use futures_util::future::BoxFuture;
use providers::Aside;
use uuid::Uuid;

use crate::{
    realtime::dossier::Dossiers,
    store::{Db, SessionId, StoreError, UserId, attachments, clinical},
};

/// What stands in the database beside conversations, whose principal is their owner's user id. `files` says whether what stands
/// in attached files is confidential, as clinical contexts are.
pub fn in_store(db: Db, files: bool) -> Arc<dyn Dossiers> {
    Arc::new(Cabinet { db, files })
}

struct Cabinet {
    db: Db,
    files: bool,
}

impl Cabinet {
    async fn read(&self, user: UserId, session: SessionId) -> Result<Option<Aside>, StoreError> {
        let facts = clinical::in_force(&self.db, user, session).await?;
        let excerpts = attachments::excerpts(&self.db, user, session, files::MOST).await?;
        let context = facts.and_then(|kept| sheet::written(&Facts::kept(&kept))).unwrap_or_default();
        let files = files::written(&excerpts).unwrap_or_default();
        if !self.files {
            return Ok(Aside::new(context, files));
        }
        let parts: Vec<_> = [context, files].into_iter().filter(|part| !part.is_empty()).collect();
        Ok(Aside::new(parts.join("\n\n"), ""))
    }
}

impl Dossiers for Cabinet {
    fn find(
        &self,
        principal: &str,
        conversation: Uuid,
    ) -> BoxFuture<'_, Result<Option<Aside>, Box<dyn Error + Send + Sync>>> {
        let user = principal.parse::<UserId>();
        Box::pin(async move { Ok(self.read(user?, conversation.into()).await?) })
    }
}

/// Text of somebody's on one line, so that it cannot pass for a line of ours.
fn one_line(text: &str) -> String {
    let visible = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    visible.collect::<Vec<_>>().join(" ")
}
