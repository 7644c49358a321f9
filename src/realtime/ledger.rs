//! History kept in the store: a live session's items become the messages of one conversation.

use std::{
    collections::BTreeMap,
    error::Error,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use futures_util::future::BoxFuture;
use uuid::Uuid;

use super::{
    admission::Live,
    history::{Entry, Ledger, LedgerError},
    session::item::{Body, Item, ItemStatus, Part, Role},
};
use crate::{
    cost::Spending,
    knowledge::cite,
    store::{
        Db, SessionId, StoreError, UserId, VoiceSessionId, acts, citations,
        messages::{self, Call, Message, Modality, Status},
        sessions, spending, timestamp,
        voice_sessions::{self, VoiceSession},
    },
};

/// Keeps history in `db`. A live session's principal is its owner's user id.
pub fn in_store(db: Db) -> Arc<dyn Ledger> {
    Arc::new(Book { db, reader: None, open: Mutex::default() })
}

/// The same, and `reader` is told of what is kept.
pub fn read_by(reader: Arc<dyn Reader>, db: Db) -> Arc<dyn Ledger> {
    Arc::new(Book { db, reader: Some(reader), open: Mutex::default() })
}

/// Somebody who reads along.
pub trait Reader: Send + Sync {
    /// A message was kept, or changed: it says what it says now. This must not wait.
    fn kept(&self, message: &Message);
}

/// The store, and what each open record is of.
struct Book {
    db: Db,
    reader: Option<Arc<dyn Reader>>,
    open: Mutex<BTreeMap<VoiceSessionId, Record>>,
}

/// What a live session's entries belong to.
#[derive(Clone, Copy)]
struct Record {
    owner: UserId,
    conversation: SessionId,
    /// Whether the conversation began with it: then it goes with it, if nothing is said.
    begun: bool,
}

impl Ledger for Book {
    fn record(&self, session: Uuid, entry: Entry) -> BoxFuture<'_, Result<(), LedgerError>> {
        Box::pin(async move {
            self.keep(session.into(), entry).await.map_err(|error| match error.downcast_ref::<StoreError>() {
                Some(store) if store.is_passing() => LedgerError::Passing(error),
                Some(_) | None => LedgerError::Lasting(error),
            })
        })
    }
}

impl Book {
    async fn keep(&self, voice: VoiceSessionId, entry: Entry) -> Result<(), Box<dyn Error + Send + Sync>> {
        match entry {
            Entry::Opened { live, model } => self.begin(voice, &live, model).await?,
            Entry::Item { item, previous, at } => {
                let previous = previous.as_ref().map(|id| id.as_str());
                self.item(self.record_of(voice)?, &item, previous, at).await?;
            }
            Entry::Deleted(item) => {
                let Record { owner, conversation, .. } = self.record_of(voice)?;
                messages::delete_item(&self.db, owner, conversation, item.as_str()).await?;
            }
            Entry::Spent(spent) => self.charge(voice, &spent).await?,
            Entry::Closed { at, complete } => self.end(voice, at, complete).await?,
        }
        Ok(())
    }

    async fn begin(
        &self,
        voice: VoiceSessionId,
        live: &Live,
        model: String,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        let (owner, started_at) = (live.principal.parse()?, timestamp(live.since));
        let conversation = live.conversation.unwrap_or(live.id).into();
        let record = Record { owner, conversation, begun: live.conversation.is_none() };
        if record.begun {
            sessions::create(&self.db, owner, conversation, started_at).await?;
        } else {
            sessions::resume(&self.db, owner, conversation, started_at).await?;
        }
        let (transport, cost, ended_at) = (live.transport.to_owned(), None, None);
        let row = VoiceSession { id: voice, session: conversation, transport, model, cost, started_at, ended_at };
        voice_sessions::open(&self.db, owner, &row).await?;
        self.open().insert(voice, record);
        Ok(())
    }

    /// A conversation costs what all its voice sessions cost, and what was typed in it.
    async fn charge(&self, voice: VoiceSessionId, spent: &Spending) -> Result<(), Box<dyn Error + Send + Sync>> {
        let Record { owner, conversation, .. } = self.record_of(voice)?;
        voice_sessions::charge(&self.db, owner, voice, &serde_json::to_string(spent)?).await?;
        spending::sum_up(&self.db, owner, conversation).await?;
        Ok(())
    }

    async fn end(&self, voice: VoiceSessionId, at: SystemTime, complete: bool) -> Result<(), StoreError> {
        let Record { owner, conversation, begun } = self.record_of(voice)?;
        voice_sessions::close(&self.db, owner, voice, timestamp(at)).await?;
        if !complete {
            sessions::mark_incomplete(&self.db, owner, conversation).await?;
        } else if begun {
            sessions::forget_if_empty(&self.db, owner, conversation).await?;
        }
        self.open().remove(&voice);
        Ok(())
    }

    async fn item(
        &self,
        record: Record,
        item: &Item,
        previous: Option<&str>,
        at: SystemTime,
    ) -> Result<(), StoreError> {
        let Some(entry) = message(item) else { return Ok(()) };
        let Record { owner, conversation, .. } = record;
        let (id, at) = (item.id.as_str(), timestamp(at));
        let mut message = messages::upsert(&self.db, owner, conversation, id, previous, &entry, at).await?;
        if !item.citations.is_empty() {
            let cited = cite::kept(&item.citations, &entry.content);
            message = citations::keep(&self.db, owner, message.id, &cited, at).await?;
        }
        if !item.acts.is_empty() {
            message = acts::keep(&self.db, owner, message.id, &item.acts, at).await?;
        }
        if let Some(reader) = &self.reader {
            reader.kept(&message);
        }
        Ok(())
    }

    fn record_of(&self, voice: VoiceSessionId) -> Result<Record, StoreError> {
        self.open().get(&voice).copied().ok_or(StoreError::NotFound)
    }

    /// Guarded for the length of a map operation.
    fn open(&self) -> MutexGuard<'_, BTreeMap<VoiceSessionId, Record>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An item as a message; `None` for kinds that say nothing by themselves (MCP).
fn message(item: &Item) -> Option<messages::Entry> {
    let status = match item.status {
        ItemStatus::InProgress => Status::InProgress,
        ItemStatus::Completed => Status::Completed,
        ItemStatus::Incomplete => Status::Incomplete,
    };
    let written = |role, content, call| messages::Entry { role, modality: Modality::Text, content, status, call };
    match &item.body {
        Body::Message { role, parts } => {
            let role = match role {
                Role::System => messages::Role::System,
                Role::User => messages::Role::User,
                Role::Assistant => messages::Role::Assistant,
            };
            let content = parts.iter().filter_map(words).collect::<Vec<_>>().join("\n");
            Some(messages::Entry { modality: modality(parts), ..written(role, content, None) })
        }
        Body::Call { call, name, arguments } => {
            let call =
                Call { id: call.as_str().to_owned(), name: Some(name.clone()), arguments: Some(arguments.clone()) };
            Some(written(messages::Role::Assistant, String::new(), Some(call)))
        }
        Body::Output { call, output } => {
            let call = Call { id: call.as_str().to_owned(), name: None, arguments: None };
            Some(written(messages::Role::Tool, output.clone(), Some(call)))
        }
        Body::Opaque(_) => None,
    }
}

/// The words of a part. A picture has none.
fn words(part: &Part) -> Option<&str> {
    match part {
        Part::InputText(text) | Part::OutputText(text) => Some(text),
        Part::InputAudio { transcript, .. } => transcript.as_deref(),
        Part::OutputAudio { transcript, .. } => Some(transcript),
        Part::InputImage(_) => None,
    }
}

/// Spoken, if any of it is.
fn modality(parts: &[Part]) -> Modality {
    let spoken = |part: &Part| matches!(part, Part::InputAudio { .. } | Part::OutputAudio { .. });
    if parts.iter().any(spoken) { Modality::Audio } else { Modality::Text }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        realtime::session::ids::{CallId, ItemId},
        store::users,
    };

    fn item(id: &str, status: ItemStatus, body: Body) -> Box<Item> {
        Box::new(Item { id: ItemId::new(id), status, body, citations: Vec::new(), acts: Vec::new() })
    }

    fn heard(id: &str, words: &str) -> Entry {
        let parts = vec![Part::InputAudio { transcript: Some(words.into()), clip: None }];
        let body = Body::Message { role: Role::User, parts };
        Entry::Item { item: item(id, ItemStatus::Completed, body), previous: None, at: SystemTime::UNIX_EPOCH }
    }

    fn reply(words: &str, status: ItemStatus) -> Entry {
        let parts = vec![Part::OutputAudio { transcript: words.into(), length: Duration::from_secs(1) }];
        let body = Body::Message { role: Role::Assistant, parts };
        let previous = Some(ItemId::new("a"));
        Entry::Item { item: item("b", status, body), previous, at: SystemTime::UNIX_EPOCH }
    }

    #[derive(Default)]
    struct Told(Mutex<Vec<Message>>);

    impl Reader for Told {
        fn kept(&self, message: &Message) {
            self.0.lock().unwrap().push(message.clone());
        }
    }

    #[tokio::test]
    async fn who_reads_along_is_told_what_a_message_has_with_it() {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(&dir.path().join("relay.db")).await.unwrap();
        let owner = users::owner(&db, jiff::Timestamp::UNIX_EPOCH).await.unwrap().id;
        let told = Arc::new(Told::default());
        let book = Book { db: db.clone(), reader: Some(Arc::clone(&told) as _), open: Mutex::default() };
        let (id, at) = (Uuid::now_v7(), SystemTime::UNIX_EPOCH);
        let principal = owner.to_string().into();
        let live = Live { id, conversation: None, principal, transport: "ws", since: at };
        let call = providers::llm::Call { call: "c".into(), name: "look".into(), arguments: "{}".into() };
        let state = providers::tool::ActState::Done;
        let act = providers::tool::Act { call, output: "blue".into(), state, writes: false, confidential: false };
        let mut entry = reply("It is blue", ItemStatus::Completed);
        if let Entry::Item { item, .. } = &mut entry {
            item.acts.push(act);
        }
        book.record(id, Entry::Opened { live, model: "m".into() }).await.unwrap();
        book.record(id, entry).await.unwrap();
        let told = told.0.lock().unwrap().clone();
        assert_eq!(acts::by_message(&db, owner, &told).await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn a_spoken_conversation_is_kept_as_what_was_heard() {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(&dir.path().join("relay.db")).await.unwrap();
        let owner = users::owner(&db, jiff::Timestamp::UNIX_EPOCH).await.unwrap().id;
        let (book, id) = (in_store(db.clone()), Uuid::now_v7());
        let live = Live {
            id,
            conversation: None,
            principal: owner.to_string().into(),
            transport: "ws",
            since: SystemTime::UNIX_EPOCH,
        };
        let call = Body::Call { call: CallId::new("call_1"), name: "clock".into(), arguments: "{}".into() };
        let output = Body::Output { call: CallId::new("call_1"), output: "noon".into() };
        let at = SystemTime::UNIX_EPOCH;
        for entry in [
            Entry::Opened { live, model: "m".into() },
            heard("a", "what time is it"),
            reply("It is noon, and the sun", ItemStatus::Completed),
            reply("It is noon", ItemStatus::Incomplete),
            Entry::Item { item: item("c", ItemStatus::Completed, call), previous: Some(ItemId::new("b")), at },
            Entry::Item { item: item("d", ItemStatus::Completed, output), previous: Some(ItemId::new("c")), at },
            heard("e", "never mind"),
            Entry::Deleted(ItemId::new("e")),
            Entry::Closed { at, complete: true },
        ] {
            book.record(id, entry).await.unwrap();
        }
        let kept = messages::list(&db, owner, id.into(), None, 10).await.unwrap().items;
        let kept: Vec<_> = kept.iter().map(|m| (m.entry.role.as_str(), m.entry.content.as_str())).collect();
        let expected = [("user", "what time is it"), ("assistant", "It is noon"), ("assistant", ""), ("tool", "noon")];
        assert_eq!(kept, expected);
        assert!(book.record(id, heard("f", "late")).await.is_err(), "the record is closed");
    }
}
