//! What models are told beside a conversation: its clinical context, and the text of its files. All of it is confidential.
//!
//! Whoever asks a language model for an answer in a conversation puts what [`read`] finds into
//! [`Prompt::confidential`](providers::llm::Prompt::confidential); live sessions do it through [`in_store`].

mod facts;
mod files;
mod sheet;

use std::{error::Error, sync::Arc};

pub use facts::{Facts, Vitals};
use futures_util::future::BoxFuture;
use providers::Confidential;
use uuid::Uuid;

use crate::{
    realtime::dossier::Dossiers,
    store::{Db, SessionId, StoreError, UserId, attachments, clinical},
};

/// What a model is told in a conversation of this user; `None`: nothing.
///
/// # Errors
/// The database failed. The error holds nothing of what it is about.
pub async fn read(db: &Db, user: UserId, session: SessionId) -> Result<Option<Confidential>, StoreError> {
    let facts = clinical::in_force(db, user, session).await?;
    let excerpts = attachments::excerpts(db, user, session, files::MOST).await?;
    let context = facts.and_then(|kept| sheet::written(&Facts::kept(&kept)));
    let parts: Vec<_> = context.into_iter().chain(files::written(&excerpts)).collect();
    Ok((!parts.is_empty()).then(|| Confidential::new(parts.join("\n\n"))))
}

/// The same for live sessions, whose principal is their owner's user id.
pub fn in_store(db: Db) -> Arc<dyn Dossiers> {
    Arc::new(Cabinet(db))
}

struct Cabinet(Db);

impl Dossiers for Cabinet {
    fn find(
        &self,
        principal: &str,
        conversation: Uuid,
    ) -> BoxFuture<'_, Result<Option<Confidential>, Box<dyn Error + Send + Sync>>> {
        let user = principal.parse::<UserId>();
        Box::pin(async move { Ok(read(&self.0, user?, conversation.into()).await?) })
    }
}

/// Text of somebody's on one line, so that it cannot pass for a line of ours.
fn one_line(text: &str) -> String {
    let visible = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    visible.collect::<Vec<_>>().join(" ")
}
