//! What is remembered of conversations whose beginning is not told any more.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{sync::watch, time::timeout};
use tokio_util::task::AbortOnDropHandle;

use super::record;
use crate::{LanguageModel, llm::Message};

/// The memories of a thousand conversations, by what these are called. Cloning shares them. The least recently used is forgotten
/// first: its next long prompt has its summary made anew.
#[derive(Clone, Default)]
pub struct Memories(Arc<Mutex<Shelf>>);

#[derive(Default)]
struct Shelf {
    used: u64,
    memories: BTreeMap<u128, (u64, Arc<Memory>)>,
}

/// Conversations that are remembered: some 6 MB.
const MOST: usize = 1_000;

impl Memories {
    /// The memory of a conversation.
    pub fn of(&self, conversation: u128) -> Arc<Memory> {
        let mut shelf = lock(&self.0);
        shelf.used += 1;
        let used = shelf.used;
        let (last, memory) = shelf.memories.entry(conversation).or_default();
        *last = used;
        let memory = Arc::clone(memory);
        if shelf.memories.len() > MOST
            && let Some(oldest) = shelf.memories.iter().min_by_key(|(_, (used, _))| *used).map(|(key, _)| *key)
        {
            shelf.memories.remove(&oldest);
        }
        memory
    }
}

/// What is remembered of one conversation.
#[derive(Default)]
pub struct Memory(Mutex<State>);

#[derive(Default)]
struct State {
    summary: Option<Summary>,
    making: Option<Making>,
}

/// A summary of a conversation's beginning.
#[derive(Clone)]
pub(super) struct Summary {
    /// Of so many of its messages …
    pub(super) messages: usize,
    /// … with this content: another beginning, changed or deleted, is another conversation.
    digest: u64,
    pub(super) text: String,
}

/// What is to be summarised.
pub(super) struct Older {
    /// The summary of what was before.
    pub(super) earlier: Option<String>,
    pub(super) messages: Vec<Message>,
    /// The client's model name.
    pub(super) model: Option<String>,
    pub(super) language: Option<String>,
    /// Tokens that are asked about at once.
    pub(super) room: usize,
}

struct Making {
    done: watch::Receiver<()>,
    _task: AbortOnDropHandle<()>,
}

impl Memory {
    pub(super) fn digest(messages: &[Message]) -> u64 {
        let mut hasher = DefaultHasher::new();
        for message in messages {
            match message {
                Message::System(text) => (0, text).hash(&mut hasher),
                Message::User(text) => (1, text).hash(&mut hasher),
                Message::Assistant(text) => (2, text).hash(&mut hasher),
                Message::Call(call) => (3, &call.call, &call.name, &call.arguments).hash(&mut hasher),
                Message::Result { call, output, .. } => (4, call, output).hash(&mut hasher),
            }
        }
        hasher.finish()
    }

    /// The summary of these messages' beginning.
    pub(super) fn known(&self, messages: &[Message]) -> Option<Summary> {
        let summary = lock(&self.0).summary.clone()?;
        let beginning = messages.get(..summary.messages)?;
        (Self::digest(beginning) == summary.digest).then_some(summary)
    }

    /// Has a summary of the first `messages` made, unless one is being made.
    pub(super) fn begin(self: &Arc<Self>, model: Arc<dyn LanguageModel>, older: Older, digest: u64, messages: usize) {
        let mut state = lock(&self.0);
        // Whoever made one let go of its end.
        if state.making.as_ref().is_some_and(|making| making.done.has_changed().is_ok()) {
            return;
        }
        let (told, done) = watch::channel(());
        // A conversation that is forgotten needs no summary.
        let memory = Arc::downgrade(self);
        let task = tokio::spawn(async move {
            let text = record::summarised(&*model, older).await;
            if let (Some(text), Some(memory)) = (&text, memory.upgrade()) {
                lock(&memory.0).summary = Some(Summary { messages, digest, text: text.clone() });
            }
            if text.is_none() {
                tracing::warn!("no summary of a conversation's older turns came of the model");
            }
            drop(told);
        });
        state.making = Some(Making { done, _task: AbortOnDropHandle::new(task) });
    }

    /// Returns once the summary that is being made is made, or could not be, or so much time is over.
    pub(super) async fn settled(&self, patience: Duration) {
        let done = lock(&self.0).making.as_ref().map(|making| making.done.clone());
        if let Some(mut done) = done {
            // An error says that it ended, which is what is waited for.
            _ = timeout(patience, done.changed()).await;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
