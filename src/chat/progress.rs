//! How far a reply has come: written by the task that makes it, watched by whoever asked for it.
//!
//! Words are not queued. A watcher that is slow reads more at a time, and one that is gone holds nobody up.

use tokio::sync::watch;

use super::Error;
use crate::store::{MessageId, messages::Message};

/// The words so far, and the end.
#[derive(Debug, Default)]
struct Progress {
    text: String,
    end: Option<Result<Box<Message>, Error>>,
}

/// The maker's side. Dropped without an end, the maker has failed.
pub(super) struct Told(watch::Sender<Progress>);

/// A watcher's side.
#[derive(Clone, Debug)]
pub(crate) struct Watched {
    /// What the reply is called, before and after it is kept.
    pub(crate) id: MessageId,
    progress: watch::Receiver<Progress>,
    /// Bytes that were read.
    read: usize,
}

/// What there is to tell next.
#[derive(Debug)]
pub(crate) enum Stage {
    /// More words.
    Words(String),
    /// It is whole and kept.
    Kept(Box<Message>),
    /// It failed, and nothing is kept.
    Failed(Error),
}

/// A reply of which nothing is told yet.
pub(super) fn begin(id: MessageId) -> (Told, Watched) {
    let (told, progress) = watch::channel(Progress::default());
    (Told(told), Watched { id, progress, read: 0 })
}

impl Told {
    /// More words.
    pub(super) fn say(&self, words: &str) {
        self.0.send_modify(|progress| progress.text.push_str(words));
    }

    /// How many bytes of words were told.
    pub(super) fn length(&self) -> usize {
        self.0.borrow().text.len()
    }

    /// All words.
    pub(super) fn text(&self) -> String {
        self.0.borrow().text.clone()
    }

    /// Nothing follows.
    pub(super) fn end(self, end: Result<Box<Message>, Error>) {
        self.0.send_modify(|progress| progress.end = Some(end));
    }
}

impl Watched {
    /// Another watcher, who is told all of it from its beginning.
    pub(super) fn again(&self) -> Self {
        Self { id: self.id, progress: self.progress.clone(), read: 0 }
    }

    /// Waits for what comes next. After the end it is the end again.
    pub(crate) async fn next(&mut self) -> Stage {
        let read = self.read;
        let news = |progress: &Progress| progress.text.len() > read || progress.end.is_some();
        let Ok(progress) = self.progress.wait_for(news).await else { return Stage::Failed(Error::Internal) };
        if let Some(words) = progress.text.get(read..).filter(|words| !words.is_empty()) {
            self.read = progress.text.len();
            return Stage::Words(words.to_owned());
        }
        match &progress.end {
            Some(Ok(message)) => Stage::Kept(message.clone()),
            Some(Err(error)) => Stage::Failed(error.clone()),
            None => Stage::Failed(Error::Internal),
        }
    }

    /// Waits for the end.
    pub(crate) async fn end(&mut self) -> Result<Box<Message>, Error> {
        loop {
            match self.next().await {
                Stage::Words(_) => {}
                Stage::Kept(message) => return Ok(message),
                Stage::Failed(error) => return Err(error),
            }
        }
    }
}
