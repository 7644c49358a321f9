//! Speech-to-speech: the next model holds the conversation if one does not open it. Once it is open, its death is the
//! caller's, who alone knows what was said in it.

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::{
    FutureExt, StreamExt,
    future::BoxFuture,
    stream::{self, BoxStream},
};

use super::{Fallback, untried};
use crate::{
    ProviderError, RealtimeModel,
    realtime::{Command, EventStream, Opening, RealtimeCapabilities},
};

impl RealtimeModel for Fallback<dyn RealtimeModel> {
    /// Only what all of them can do: which one holds a conversation, nobody knows before.
    fn capabilities(&self) -> RealtimeCapabilities {
        let mut shared = self.first().capabilities();
        for model in self.providers.iter().skip(1) {
            let other = model.capabilities();
            shared.tools &= other.tools;
            shared.text &= other.text;
            shared.reconfigures &= other.reconfigures;
        }
        shared
    }

    fn converse(
        &self,
        opening: Opening,
        commands: BoxStream<'static, Command>,
    ) -> BoxFuture<'_, Result<EventStream, ProviderError>> {
        async move {
            let commands = Arc::new(Mutex::new(commands));
            let mut attempts = self.attempts();
            let mut error = untried();
            loop {
                let model = attempts.after(error)?;
                error = match model.converse(opening.clone(), read(commands.clone())).await {
                    Ok(events) => return Ok(events),
                    Err(error) => error,
                };
            }
        }
        .boxed()
    }
}

/// The commands; one reader at a time. None is lost with a model that does not open, since none is read before.
fn read(commands: Arc<Mutex<BoxStream<'static, Command>>>) -> BoxStream<'static, Command> {
    let read = move |context: &mut std::task::Context<'_>| {
        commands.lock().unwrap_or_else(PoisonError::into_inner).poll_next_unpin(context)
    };
    stream::poll_fn(read).boxed()
}
