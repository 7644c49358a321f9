//! One reply of the language model.

use std::sync::Arc;

use providers::{
    LanguageModel,
    layers::{Cited, Condensed, Equipped},
    llm::{Prompt, Thought},
};
use tokio_util::task::AbortOnDropHandle;

use super::{Kit, Recall, patient::Patient};
use crate::{
    metrics::Role,
    realtime::session::{Input, ids::ResponseId},
};

/// Asks the model and reports its thoughts up to [`Thought::Finished`] or an error.
pub(super) fn spawn(kit: &Kit, response: ResponseId, prompt: Prompt) -> AbortOnDropHandle<()> {
    AbortOnDropHandle::new(tokio::spawn(think(kit.clone(), response, prompt)))
}

async fn think(kit: Kit, response: ResponseId, mut prompt: Prompt) {
    let found = kit.dossier.fresh().await;
    if found.as_ref().is_none_or(|found| found.documents)
        && let Some(question) = prompt.question()
    {
        prompt.passages = kit.dossier.passages(question).await;
    }
    prompt.aside = found.and_then(|found| found.aside);
    let Recall { memory, window } = kit.recall.clone();
    // Somebody waits for the first word: what is not summarised yet is left out.
    let told = Condensed::new(Arc::clone(&kit.providers.llm), memory, window);
    let model = Equipped::<dyn LanguageModel>::new(Arc::new(Cited::new(Arc::new(told))), kit.toolbox.clone());
    let open = model.reply(prompt);
    let mut thoughts = match Patient::open(Role::Think, kit.patience, open).await {
        Ok(thoughts) => thoughts,
        Err(error) => return kit.report(Input::Thought { response, event: Err(error) }).await,
    };
    loop {
        let event = thoughts.next().await;
        let last = matches!(event, Ok(Thought::Finished(_)) | Err(_));
        kit.report(Input::Thought { response: response.clone(), event }).await;
        if last {
            return;
        }
    }
}
