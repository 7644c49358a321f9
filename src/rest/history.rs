//! A session's messages as exports take them: read a page at a time, so that no conversation is too long.

use std::collections::{BTreeMap, VecDeque};

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use providers::{llm::Call, tool::Act};

use super::{attachments, citations::references};
use crate::{
    documents::export::{self, Message},
    store::{
        Cursor, Db, MessageId, SessionId, StoreError, UserId, acts,
        attachments::Attachment,
        citations,
        messages::{self, Modality, Role, Status},
    },
};

/// What is left of a session's messages.
pub(super) struct History {
    db: Db,
    user: UserId,
    session: SessionId,
    /// What was read and not yet taken.
    waiting: VecDeque<Message>,
    /// The page before: a message put in its place late moves those behind it, and they come again.
    seen: Vec<MessageId>,
    next: Next,
    files: bool,
}

enum Next {
    Start,
    After(Cursor),
    End,
}

impl History {
    pub(super) fn new(db: Db, user: UserId, session: SessionId) -> Self {
        Self { db, user, session, waiting: VecDeque::new(), seen: Vec::new(), next: Next::Start, files: true }
    }

    /// The same for who is shown no files.
    pub(super) fn without_files(self) -> Self {
        Self { files: false, ..self }
    }

    /// The next message, until there are no more.
    pub(super) async fn next(&mut self) -> Result<Option<Message>, StoreError> {
        /// At once in memory: so many messages, and no more once they have so many bytes. A message has a few KiB as a rule and
        /// 1 MiB at worst.
        const PAGE: (u32, usize) = (128, 1 << 20);
        loop {
            if let Some(message) = self.waiting.pop_front() {
                return Ok(Some(message));
            }
            let after = match &self.next {
                Next::Start => None,
                Next::After(cursor) => Some(cursor),
                Next::End => return Ok(None),
            };
            let page = messages::stretch(&self.db, self.user, self.session, after, PAGE.0, PAGE.1).await?;
            self.next = page.next.map_or(Next::End, Next::After);
            let ids: Vec<_> = page.items.iter().map(|message| message.id).collect();
            let mut files = match self.files {
                true => attachments::by_message(&self.db, self.user, &page.items).await?,
                false => Default::default(),
            };
            let cited = citations::of_messages(&self.db, self.user, &page.items).await?;
            let mut acts = acts::by_message(&self.db, self.user, &page.items).await?;
            let mut by_message: BTreeMap<_, Vec<_>> = BTreeMap::new();
            for (message, reference) in references(cited).await {
                by_message.entry(message).or_default().push(reference);
            }
            let fresh = page.items.into_iter().filter(|message| !self.seen.contains(&message.id));
            self.waiting.extend(fresh.map(|message| {
                let files = files.remove(&message.id).unwrap_or_default();
                let cited = by_message.remove(&message.id).unwrap_or_default();
                let acts = acts.remove(&message.id).unwrap_or_default();
                exported(message, files, cited, acts)
            }));
            self.seen = ids;
        }
    }

    /// Everything as a body, piece by piece: `head`, each message (first of all or not) and `foot`. Should the store fail, or
    /// the conversation be deleted meanwhile, the answer breaks off, which clients notice.
    pub(super) fn written(
        self,
        head: String,
        message: impl Fn(&Message, bool) -> String + Send + 'static,
        foot: impl Fn() -> String + Send + 'static,
    ) -> Body {
        /// Large enough that few pieces are sent, small enough that many clients can have one.
        const PIECE: usize = 16 << 10;
        let rest = Some((head, self, message, foot, true));
        Body::from_stream(stream::try_unfold(rest, |rest| async move {
            let Some((mut piece, mut history, message, foot, mut first)) = rest else { return Ok(None) };
            while piece.len() < PIECE {
                let Some(next) = history.next().await? else {
                    piece.push_str(&foot());
                    return Ok(Some((Bytes::from(piece), None)));
                };
                piece.push_str(&message(&next, first));
                first = false;
            }
            Ok::<_, StoreError>(Some((Bytes::from(piece), Some((String::new(), history, message, foot, first)))))
        }))
    }
}

fn exported(
    message: messages::Message,
    files: Vec<Attachment>,
    citations: Vec<export::Citation>,
    acts: Vec<Act>,
) -> Message {
    let attachments = files.into_iter().map(|file| export::Attachment {
        id: file.id.to_string(),
        name: file.name,
        kind: file.kind,
        size: file.size,
        sha256: file.sha256,
    });
    let entry = message.entry;
    let call = entry.call.map(|call| export::Call { id: call.id, name: call.name, arguments: call.arguments });
    Message {
        id: message.id.to_string(),
        role: match entry.role {
            Role::System => export::Role::System,
            Role::User => export::Role::User,
            Role::Assistant => export::Role::Assistant,
            Role::Tool => export::Role::Tool,
        },
        modality: match entry.modality {
            Modality::Text => export::Modality::Text,
            Modality::Audio => export::Modality::Audio,
        },
        status: match entry.status {
            Status::InProgress => export::Status::InProgress,
            Status::Completed => export::Status::Completed,
            Status::Incomplete => export::Status::Incomplete,
        },
        content: entry.content,
        call,
        attachments: attachments.collect(),
        citations,
        tools: acts.into_iter().map(tool).collect(),
        at: message.created_at,
    }
}

fn tool(act: Act) -> export::ToolUse {
    let Act { call: Call { name, arguments, .. }, output, state, .. } = act;
    export::ToolUse { name, arguments, state: state.as_str(), output }
}
