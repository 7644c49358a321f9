//! Messages: what was said and written in a session, in the order of the conversation.
//!
//! Spoken turns come as conversation items, each of them possibly several times (a reply is kept when it ends, and again
//! when it is cut to what was heard), so writing is an upsert by the item's id. Every write is a transaction of its own.

mod pages;

use std::str::FromStr;

pub use pages::{around, latest, list, stretch};

use super::{
    Db, MessageId, SessionId, StoreError, UserId, column,
    sql::{self, Record, Row, Tx, query},
};
use jiff::Timestamp;

/// A message as kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// The conversation it is part of.
    pub session: SessionId,
    /// Its place in the conversation.
    pub(super) position: i64,
    /// The conversation item it came as, if it was made in a voice session.
    pub item: Option<String>,
    /// What the client called it, if it did.
    pub client_message: Option<String>,
    /// The message it answers, where that is not simply the one before.
    pub parent: Option<MessageId>,
    /// What was said.
    pub entry: Entry,
    /// What there is with it.
    pub(super) more: More,
    /// When it came to be.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl Message {
    /// Bytes of its words.
    fn size(&self) -> usize {
        let arguments = self.entry.call.as_ref().and_then(|call| call.arguments.as_ref());
        self.entry.content.len() + arguments.map_or(0, String::len)
    }
}

/// What else there was with a message when it was read, or before: what it has not, nobody needs to ask for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct More {
    pub(super) files: bool,
    pub(super) citations: bool,
    pub(super) acts: bool,
}

impl More {
    pub(super) const FILES: Self = Self { files: true, citations: false, acts: false };
    pub(super) const CITATIONS: Self = Self { files: false, citations: true, acts: false };
    pub(super) const ACTS: Self = Self { files: false, citations: false, acts: true };
}

/// The first and the last of these messages that have something, which follow each other in one session.
pub(super) fn those_with(messages: &[Message], has: impl Fn(More) -> bool) -> Option<(&Message, &Message)> {
    let mut having = messages.iter().filter(|message| has(message.more));
    let first = having.next()?;
    Some((first, having.next_back().unwrap_or(first)))
}

/// What a message says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Who.
    pub role: Role,
    /// Spoken or written.
    pub modality: Modality,
    /// The words; of speech only those that were heard. The result, for a tool.
    pub content: String,
    /// Whether it is whole.
    pub status: Status,
    /// The function call it makes or, for a tool, answers.
    pub call: Option<Call>,
}

/// A function call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Call {
    /// What joins call and result.
    pub id: String,
    /// The function; not known where only the result was seen.
    pub name: Option<String>,
    /// JSON text as the model wrote it.
    pub arguments: Option<String>,
}

macro_rules! column_enum {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            /// As stored and on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl FromStr for $name {
            type Err = UnknownValue;

            fn from_str(text: &str) -> Result<Self, UnknownValue> {
                match text { $($text => Ok(Self::$variant),)+ _ => Err(UnknownValue(text.to_owned())) }
            }
        }
    };
}

column_enum!(
    /// Who speaks in a message.
    Role {
        /// The operator.
        System = "system",
        /// The person.
        User = "user",
        /// The model.
        Assistant = "assistant",
        /// A function.
        Tool = "tool",
    }
);
column_enum!(
    /// How a message was made.
    Modality {
        /// Written.
        Text = "text",
        /// Spoken.
        Audio = "audio",
    }
);
column_enum!(
    /// Whether a message is whole.
    Status {
        /// Content still arrives.
        InProgress = "in_progress",
        /// Whole.
        Completed = "completed",
        /// Cut short.
        Incomplete = "incomplete",
    }
);

/// Text in a column that this version does not know.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("unknown value {0:?}")]
pub struct UnknownValue(pub(super) String);

/// Keeps the latest state of a conversation item. A first sight of it goes after the item `previous`: at the front when
/// there is none before it, at the end when that one is not kept here.
pub async fn upsert(
    db: &Db,
    user: UserId,
    session: SessionId,
    item: &str,
    previous: Option<&str>,
    entry: &Entry,
    now: Timestamp,
) -> Result<Message, StoreError> {
    let mut tx = db.write().await?;
    if !adopt(&mut tx, user, session, entry, now).await? {
        return Err(StoreError::NotFound);
    }
    let message = match update(&mut tx, session, item, entry, now).await? {
        Some(message) => message,
        None => {
            let position = place(&mut tx, session, previous).await?;
            insert(&mut tx, session, item, position, entry, now).await?
        }
    };
    tx.commit().await?;
    Ok(message)
}

/// Forgets a conversation item. Forgetting what is not there is no error: it may never have been worth keeping.
pub async fn delete_item(db: &Db, user: UserId, session: SessionId, item: &str) -> Result<(), StoreError> {
    query(
        "DELETE FROM messages WHERE session_id = $1 AND item_id = $2 \
         AND session_id IN (SELECT id FROM sessions WHERE id = $1 AND user_id = $3)",
    )
    .bind(session)
    .bind(item)
    .bind(user)
    .execute(db.writer())
    .await?;
    Ok(())
}

/// A typed message.
#[derive(Clone, Copy, Debug)]
pub struct Post<'a> {
    /// Who.
    pub role: Role,
    /// The words.
    pub content: &'a str,
    /// What its client calls it, so that it may be sent twice and is kept once.
    pub client_message: Option<&'a str>,
    /// The message it answers.
    pub parent: Option<MessageId>,
}

/// What became of a typed message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Posted {
    /// It is kept.
    Kept(Box<Message>),
    /// It was kept before, by an earlier call with the same words.
    Again(Box<Message>),
    /// Its client called another message so.
    Taken,
    /// It answers a message that is not in this session.
    Stray,
}

/// Adds a typed message at the end of a session.
pub async fn post(
    db: &Db,
    user: UserId,
    session: SessionId,
    post: Post<'_>,
    now: Timestamp,
) -> Result<Posted, StoreError> {
    let mut tx = db.write().await?;
    let (content, call) = (sql::text(post.content), None);
    let entry = Entry { role: post.role, modality: Modality::Text, content, status: Status::Completed, call };
    if !adopt(&mut tx, user, session, &entry, now).await? {
        return Err(StoreError::NotFound);
    }
    if let Some(named) = post.client_message
        && let Some(earlier) = sent(&mut tx, session, named).await?
    {
        let same = earlier.entry == entry && earlier.parent == post.parent;
        return Ok(if same { Posted::Again(Box::new(earlier)) } else { Posted::Taken });
    }
    if let Some(parent) = post.parent {
        let found: Option<i64> = query("SELECT position FROM messages WHERE id = $1 AND session_id = $2")
            .bind(parent)
            .bind(session)
            .fetch_optional(&mut tx)
            .await?;
        if found.is_none() {
            return Ok(Posted::Stray);
        }
    }
    let id = MessageId::new(now);
    let message: Message = query(
        "INSERT INTO messages (id, session_id, position, item_id, client_message_id, parent_message_id, role, modality, \
         content, status, created_at, updated_at) \
         SELECT $1, $2, COALESCE(MAX(position) + 1, 0), $8, $3, $4, $5, 'text', $6, 'completed', $7, $7 \
         FROM messages WHERE session_id = $2 RETURNING *",
    )
    .bind(id)
    .bind(session)
    .bind(post.client_message)
    .bind(post.parent)
    .bind(post.role.as_str())
    .bind(post.content)
    .bind(column::millis(now))
    .bind(item_of(id))
    .fetch_one(&mut tx)
    .await?;
    tx.commit().await?;
    Ok(Posted::Kept(Box::new(message)))
}

/// What a typed message is called among a conversation's items.
pub(super) fn item_of(message: MessageId) -> String {
    format!("item_{}", message.to_string().replace('-', ""))
}

/// Takes a message of this user for what is kept with it, so that two who keep at once do so one after the other. The message
/// as it is with that.
///
/// # Errors
/// [`StoreError::NotFound`].
pub(super) async fn take(
    tx: &mut Tx,
    user: UserId,
    message: MessageId,
    more: More,
    now: Timestamp,
) -> Result<Message, StoreError> {
    query(
        "UPDATE messages SET updated_at = $3, has_files = has_files OR $4, has_citations = has_citations OR $5, \
         has_acts = has_acts OR $6 \
         WHERE id = $1 AND session_id IN (SELECT id FROM sessions WHERE user_id = $2) RETURNING *",
    )
    .bind(message)
    .bind(user)
    .bind(column::millis(now))
    .bind(more.files)
    .bind(more.citations)
    .bind(more.acts)
    .fetch_found(&mut *tx)
    .await
}

/// One message of this user.
pub async fn get(db: &Db, user: UserId, message: MessageId) -> Result<Message, StoreError> {
    query(
        "SELECT messages.* FROM messages JOIN sessions ON sessions.id = messages.session_id \
         WHERE messages.id = $1 AND user_id = $2",
    )
    .bind(message)
    .bind(user)
    .fetch_found(db.reader())
    .await
}

/// What the assistant said to a message of this user: what names it as its parent, or else its first words after it, which
/// answer all that was said until then.
pub async fn answer_to(db: &Db, user: UserId, message: &Message) -> Result<Option<Message>, StoreError> {
    let answers = pages::theirs(user, message.session).then(
        "AND role = 'assistant' AND call_id IS NULL AND (parent_message_id = $3 OR position > $4) \
         ORDER BY CASE WHEN parent_message_id = $3 THEN 0 ELSE 1 END, position LIMIT 1",
    );
    answers.bind(message.id).bind(message.position).fetch_optional(db.reader()).await
}

/// Changes a message's words.
pub async fn edit(
    db: &Db,
    user: UserId,
    message: MessageId,
    content: &str,
    now: Timestamp,
) -> Result<Message, StoreError> {
    query(
        "UPDATE messages SET content = $3, updated_at = $4 \
         WHERE id = $1 AND session_id IN (SELECT id FROM sessions WHERE user_id = $2) RETURNING *",
    )
    .bind(message)
    .bind(user)
    .bind(content)
    .bind(column::millis(now))
    .fetch_found(db.writer())
    .await
}

/// Deletes a message. What answered it stays.
pub async fn delete(db: &Db, user: UserId, message: MessageId) -> Result<(), StoreError> {
    query("DELETE FROM messages WHERE id = $1 AND session_id IN (SELECT id FROM sessions WHERE user_id = $2)")
        .bind(message)
        .bind(user)
        .execute_found(db.writer())
        .await
}

/// The message that its client called so.
async fn sent(tx: &mut Tx, session: SessionId, named: &str) -> Result<Option<Message>, StoreError> {
    query("SELECT * FROM messages WHERE session_id = $1 AND client_message_id = $2")
        .bind(session)
        .bind(named)
        .fetch_optional(tx)
        .await
}

/// Checks that the session is the user's and notes that it changed. The person's first words become its title.
async fn adopt(
    tx: &mut Tx,
    user: UserId,
    session: SessionId,
    entry: &Entry,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let title = matches!(entry.role, Role::User).then(|| title(&entry.content)).flatten();
    let done = query("UPDATE sessions SET updated_at = $3, title = COALESCE(title, $4) WHERE id = $1 AND user_id = $2")
        .bind(session)
        .bind(user)
        .bind(column::millis(now))
        .bind(title)
        .execute(tx)
        .await?;
    Ok(done == 1)
}

async fn update(
    tx: &mut Tx,
    session: SessionId,
    item: &str,
    entry: &Entry,
    now: Timestamp,
) -> Result<Option<Message>, StoreError> {
    query(
        "UPDATE messages SET role = $3, modality = $4, content = $5, status = $6, \
         call_id = $7, call_name = $8, call_arguments = $9, updated_at = $10 \
         WHERE session_id = $1 AND item_id = $2 RETURNING *",
    )
    .bind(session)
    .bind(item)
    .bind(entry.role.as_str())
    .bind(entry.modality.as_str())
    .bind(&entry.content)
    .bind(entry.status.as_str())
    .bind(entry.call.as_ref().map(|call| &call.id))
    .bind(entry.call.as_ref().and_then(|call| call.name.as_ref()))
    .bind(entry.call.as_ref().and_then(|call| call.arguments.as_ref()))
    .bind(column::millis(now))
    .fetch_optional(tx)
    .await
}

async fn insert(
    tx: &mut Tx,
    session: SessionId,
    item: &str,
    position: i64,
    entry: &Entry,
    now: Timestamp,
) -> Result<Message, StoreError> {
    let id = MessageId::new(now);
    query(
        "INSERT INTO messages (id, session_id, position, item_id, role, modality, content, status, \
         call_id, call_name, call_arguments, created_at, updated_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12) RETURNING *",
    )
    .bind(id)
    .bind(session)
    .bind(position)
    .bind(item)
    .bind(entry.role.as_str())
    .bind(entry.modality.as_str())
    .bind(&entry.content)
    .bind(entry.status.as_str())
    .bind(entry.call.as_ref().map(|call| &call.id))
    .bind(entry.call.as_ref().and_then(|call| call.name.as_ref()))
    .bind(entry.call.as_ref().and_then(|call| call.arguments.as_ref()))
    .bind(column::millis(now))
    .fetch_one(tx)
    .await
}

/// The position for an item that comes after `previous`, with room made for it.
async fn place(tx: &mut Tx, session: SessionId, previous: Option<&str>) -> Result<i64, StoreError> {
    let Ends(Some(first), Some(last)) = ends(tx, session).await? else { return Ok(0) };
    let Some(previous) = previous else { return Ok(first - 1) };
    let found = query("SELECT position FROM messages WHERE session_id = $1 AND item_id = $2")
        .bind(session)
        .bind(previous)
        .fetch_optional(&mut *tx)
        .await?;
    make_room(tx, session, found.unwrap_or(last), last).await
}

/// The position right after a message, with room made for it; at the end if that message is not there any more.
pub(super) async fn after(tx: &mut Tx, session: SessionId, message: MessageId) -> Result<i64, StoreError> {
    let Ends(_, last) = ends(tx, session).await?;
    let Some(last) = last else { return Ok(0) };
    let found = query("SELECT position FROM messages WHERE session_id = $1 AND id = $2")
        .bind(session)
        .bind(message)
        .fetch_optional(&mut *tx)
        .await?;
    make_room(tx, session, found.unwrap_or(last), last).await
}

async fn ends(tx: &mut Tx, session: SessionId) -> Result<Ends, StoreError> {
    query("SELECT MIN(position) AS first, MAX(position) AS last FROM messages WHERE session_id = $1")
        .bind(session)
        .fetch_one(tx)
        .await
}

async fn make_room(tx: &mut Tx, session: SessionId, before: i64, last: i64) -> Result<i64, StoreError> {
    if before < last {
        query("UPDATE messages SET position = position + 1 WHERE session_id = $1 AND position > $2")
            .bind(session)
            .bind(before)
            .execute(tx)
            .await?;
    }
    Ok(before + 1)
}

/// The least and the greatest position in a session.
struct Ends(Option<i64>, Option<i64>);

impl Record for Ends {
    fn read(row: &Row) -> Result<Self, sqlx::Error> {
        Ok(Self(row.get("first")?, row.get("last")?))
    }
}

/// The first line of what somebody said, short enough for a list; `None` if there is nothing in it.
fn title(content: &str) -> Option<String> {
    const LONGEST: usize = 80;
    let line = content.lines().map(str::trim).find(|line| !line.is_empty())?;
    if line.chars().count() <= LONGEST {
        return Some(line.to_owned());
    }
    let mut short: String = line.chars().take(LONGEST - 1).collect();
    short.push('…');
    Some(short)
}

impl Record for Message {
    fn read(row: &Row) -> Result<Self, sqlx::Error> {
        let call = row.get::<Option<String>>("call_id")?;
        let parent = row.get::<Option<&str>>("parent_message_id")?;
        Ok(Self {
            id: column::parsed(row, "id")?,
            session: column::parsed(row, "session_id")?,
            position: row.get("position")?,
            item: row.get("item_id")?,
            client_message: row.get("client_message_id")?,
            parent: parent.map(|_| column::parsed(row, "parent_message_id")).transpose()?,
            entry: Entry {
                role: column::parsed(row, "role")?,
                modality: column::parsed(row, "modality")?,
                content: row.get("content")?,
                status: column::parsed(row, "status")?,
                call: match call {
                    Some(id) => Some(Call { id, name: row.get("call_name")?, arguments: row.get("call_arguments")? }),
                    None => None,
                },
            },
            more: More {
                files: row.get("has_files")?,
                citations: row.get("has_citations")?,
                acts: row.get("has_acts")?,
            },
            created_at: column::required(row, "created_at")?,
            updated_at: column::required(row, "updated_at")?,
        })
    }
}
