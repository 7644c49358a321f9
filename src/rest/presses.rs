//! Where PDFs are set: on threads of their own, a few at a time, for so long and no longer.

use std::{iter, sync::Arc, time::Duration};

use axum::http::StatusCode;
use bytes::Bytes;
use tokio::{
    sync::{Semaphore, mpsc},
    task::spawn_blocking,
    time::timeout,
};

use super::{Context, fault::Fault, history::History};
use crate::{
    documents::export::{
        Conversation, Message,
        pdf::{self, Error, MOST_PAGES},
    },
    store::StoreError,
};

/// All there are.
pub(super) struct Presses(Arc<Semaphore>);

impl Presses {
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(PRESSES)))
    }

    /// Sets a conversation. A client that leaves stops it: its messages break off.
    pub(super) async fn print(
        &self,
        context: &Context,
        conversation: Conversation,
        history: History,
    ) -> Result<Bytes, Fault> {
        let Ok(Ok(press)) = timeout(QUEUE, Arc::clone(&self.0).acquire_owned()).await else { return Err(busy()) };
        let (fonts, clock, exported) = (Arc::clone(&context.fonts), context.engine.clock.clone(), context.now());
        let deadline = clock.now() + LONGEST;
        let (send, mut receive) = mpsc::channel(AHEAD);
        let set = spawn_blocking(move || {
            let _press = press;
            let messages = iter::from_fn(move || match receive.blocking_recv() {
                Some(Some(message)) => Some(Ok(message)),
                Some(None) => None,
                None => Some(Err(Error::Broken)),
            });
            pdf::typeset(&fonts, &conversation, messages, exported, || clock.now() > deadline)
        });
        let (fed, set) = tokio::join!(feed(history, send), set);
        fed?;
        let set = set.map_err(|error| {
            tracing::error!(%error, "setting a PDF failed");
            Fault::internal()
        })?;
        set.map(Bytes::from).map_err(refused)
    }
}

/// Hands on all messages and then nothing, which is the end. Whoever takes none has given up and says why.
async fn feed(mut history: History, send: mpsc::Sender<Option<Message>>) -> Result<(), StoreError> {
    loop {
        let message = history.next().await?;
        let end = message.is_none();
        if send.send(message).await.is_err() || end {
            return Ok(());
        }
    }
}

fn refused(error: Error) -> Fault {
    match error {
        Error::TooLong => {
            let message = format!("As a PDF this has more than {MOST_PAGES} pages: take it as Markdown or JSON.");
            Fault::new(StatusCode::UNPROCESSABLE_ENTITY, "too_long", message)
        }
        Error::Late => {
            let message = "Setting this as a PDF took too long: try again later, or take it as Markdown or JSON.";
            Fault::new(StatusCode::SERVICE_UNAVAILABLE, "too_slow", message).after(LONGEST)
        }
        Error::Broken | Error::Unwritten(_) => {
            tracing::error!(%error, "a PDF could not be written");
            Fault::internal()
        }
    }
}

fn busy() -> Fault {
    let message = "Other PDFs are being made: try again in a moment.";
    Fault::new(StatusCode::SERVICE_UNAVAILABLE, "busy", message).after(Duration::from_secs(10))
}

/// At once: live voice needs the other cores.
const PRESSES: usize = 2;
/// How long a request waits for its turn.
const QUEUE: Duration = Duration::from_secs(20);
/// How long one may take.
const LONGEST: Duration = Duration::from_secs(60);
/// Messages read ahead.
const AHEAD: usize = 4;
