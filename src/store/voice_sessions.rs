//! Voice sessions: each time somebody talked in a conversation, over what, from when to when, and what it cost.

use jiff::Timestamp;

use super::{
    Cursor, Db, Page, SessionId, StoreError, UserId, VoiceSessionId, column,
    page::NEWEST,
    sql::{Record, Row, query},
};

/// A voice session.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VoiceSession {
    /// Its id.
    pub id: VoiceSessionId,
    /// The conversation it belongs to.
    pub session: SessionId,
    /// `ws`, `webrtc`, `twilio`, …
    pub transport: String,
    /// The model's name as the client knew it.
    pub model: String,
    /// What it has cost so far: a JSON object as text.
    pub cost: Option<String>,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended; never, if the process died amid it.
    pub ended_at: Option<Timestamp>,
}

/// Notes that one began. Noted again, it is the same.
pub async fn open(db: &Db, user: UserId, voice: &VoiceSession) -> Result<(), StoreError> {
    query(
        "INSERT INTO voice_sessions (id, user_id, session_id, transport, model, started_at) \
         SELECT $1, $2, $3, $4, $5, $6 FROM sessions WHERE id = $3 AND user_id = $2 ON CONFLICT (id) DO NOTHING",
    )
    .bind(voice.id)
    .bind(user)
    .bind(voice.session)
    .bind(&voice.transport)
    .bind(&voice.model)
    .bind(column::millis(voice.started_at))
    .execute(db.writer())
    .await?;
    Ok(())
}

/// Keeps what one has cost so far, a JSON object as text.
pub async fn charge(db: &Db, user: UserId, voice: VoiceSessionId, cost: &str) -> Result<(), StoreError> {
    query("UPDATE voice_sessions SET cost = $3 WHERE id = $1 AND user_id = $2")
        .bind(voice)
        .bind(user)
        .bind(cost)
        .execute_found(db.writer())
        .await
}

/// Notes that one ended. One of which nothing is kept has nothing to note.
pub async fn close(db: &Db, user: UserId, voice: VoiceSessionId, now: Timestamp) -> Result<(), StoreError> {
    query("UPDATE voice_sessions SET ended_at = $3 WHERE id = $1 AND user_id = $2")
        .bind(voice)
        .bind(user)
        .bind(column::millis(now))
        .execute(db.writer())
        .await?;
    Ok(())
}

/// One of this user.
pub async fn get(db: &Db, user: UserId, voice: VoiceSessionId) -> Result<VoiceSession, StoreError> {
    query("SELECT * FROM voice_sessions WHERE id = $1 AND user_id = $2")
        .bind(voice)
        .bind(user)
        .fetch_found(db.reader())
        .await
}

/// The user's, newest first. A cursor of another list answers nothing.
pub async fn list(db: &Db, user: UserId, after: Option<&Cursor>, limit: u32) -> Result<Page<VoiceSession>, StoreError> {
    let theirs = query("SELECT * FROM voice_sessions WHERE user_id = $1").bind(user);
    Page::of(db, theirs, NEWEST, after, limit, |voice: &VoiceSession| voice.id).await
}

impl Record for VoiceSession {
    fn read(row: &Row) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: column::parsed(row, "id")?,
            session: column::parsed(row, "session_id")?,
            transport: row.get("transport")?,
            model: row.get("model")?,
            cost: row.get("cost")?,
            started_at: column::required(row, "started_at")?,
            ended_at: column::optional(row, "ended_at")?,
        })
    }
}
