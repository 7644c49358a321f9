//! Requests that may be sent again: what was answered is answered again.

use jiff::Timestamp;
use uuid::Uuid;

use super::{
    Db, StoreError, UserId, column,
    sql::{Record, Row, query},
};

/// A request as its client names it.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a> {
    /// Whose.
    pub user: UserId,
    /// The `Idempotency-Key`.
    pub name: &'a str,
    /// SHA-256 of the request.
    pub fingerprint: &'a [u8],
}

/// An answer as it is given again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Headers and body; `None` where they are not kept.
    pub content: Option<Content>,
}

/// What an answer holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Content {
    /// A JSON array of names and values.
    pub headers: String,
    /// The body.
    pub body: Vec<u8>,
}

/// How a request stands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Standing {
    /// It is new, and whoever asked runs it under this id.
    Run(Uuid),
    /// It is being run.
    Running,
    /// It was run.
    Answered(Answer),
    /// Another request has this name.
    Other,
}

/// Takes a request to be run, unless one of its name is or was. One that is not heard of again counts as gone from
/// `running_until` on; at `expires_at` all is forgotten.
pub async fn begin(
    db: &Db,
    named: Named<'_>,
    running_until: Timestamp,
    expires_at: Timestamp,
    now: Timestamp,
) -> Result<Standing, StoreError> {
    let run = Uuid::now_v7();
    let taken = query(
        "INSERT INTO idempotent_requests (user_id, name, fingerprint, run, running_until, expires_at) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (user_id, name) DO UPDATE SET fingerprint = excluded.fingerprint, \
         run = excluded.run, running_until = excluded.running_until, expires_at = excluded.expires_at, status = NULL, \
         headers = NULL, body = NULL \
         WHERE idempotent_requests.expires_at <= $7 OR idempotent_requests.status IS NULL \
         AND idempotent_requests.running_until <= $7 AND idempotent_requests.fingerprint = excluded.fingerprint",
    )
    .bind(named.user)
    .bind(named.name)
    .bind(named.fingerprint)
    .bind(run.to_string())
    .bind(column::millis(running_until))
    .bind(column::millis(expires_at))
    .bind(column::millis(now))
    .execute(db.writer())
    .await?;
    if taken == 1 {
        return Ok(Standing::Run(run));
    }
    let kept: Option<Kept> = query("SELECT * FROM idempotent_requests WHERE user_id = $1 AND name = $2")
        .bind(named.user)
        .bind(named.name)
        .fetch_optional(db.writer())
        .await?;
    Ok(match kept {
        Some(kept) if kept.fingerprint != named.fingerprint => Standing::Other,
        Some(Kept { answer: Some(answer), .. }) => Standing::Answered(answer),
        // Given up between the two queries, it may be sent again like one that runs.
        Some(Kept { answer: None, .. }) | None => Standing::Running,
    })
}

/// Keeps what was answered, if the request is still run under this id.
pub async fn answer(db: &Db, named: Named<'_>, run: Uuid, answer: &Answer) -> Result<(), StoreError> {
    query(
        "UPDATE idempotent_requests SET status = $4, headers = $5, body = $6 \
         WHERE user_id = $1 AND name = $2 AND run = $3",
    )
    .bind(named.user)
    .bind(named.name)
    .bind(run.to_string())
    .bind(i64::from(answer.status))
    .bind(answer.content.as_ref().map(|content| &content.headers))
    .bind(answer.content.as_ref().map(|content| content.body.as_slice()))
    .execute(db.writer())
    .await?;
    Ok(())
}

/// Forgets a request that did nothing: it may be sent again, or another under its name.
pub async fn give_up(db: &Db, named: Named<'_>, run: Uuid) -> Result<(), StoreError> {
    query("DELETE FROM idempotent_requests WHERE user_id = $1 AND name = $2 AND run = $3")
        .bind(named.user)
        .bind(named.name)
        .bind(run.to_string())
        .execute(db.writer())
        .await?;
    Ok(())
}

/// Forgets all requests whose time has come; how many.
pub async fn sweep(db: &Db, now: Timestamp) -> Result<u64, StoreError> {
    query("DELETE FROM idempotent_requests WHERE expires_at <= $1").bind(column::millis(now)).execute(db.writer()).await
}

/// A row: the request, and what was answered.
struct Kept {
    fingerprint: Vec<u8>,
    answer: Option<Answer>,
}

impl Record for Kept {
    fn read(row: &Row) -> Result<Self, sqlx::Error> {
        let status = row.get::<Option<i64>>("status")?;
        let headers = row.get::<Option<String>>("headers")?;
        let body = row.get::<Option<Vec<u8>>>("body")?;
        let content = headers.zip(body).map(|(headers, body)| Content { headers, body });
        let known = |status: i64| u16::try_from(status).unwrap_or(u16::MAX);
        let answer = status.map(|status| Answer { status: known(status), content });
        Ok(Self { fingerprint: row.get("fingerprint")?, answer })
    }
}
