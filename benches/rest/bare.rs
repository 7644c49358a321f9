//! The reference: handlers that do the same queries and nothing else. No credential is looked at, nothing is counted, checked
//! or logged.

use std::{str::FromStr, sync::Arc};

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Multipart, Path, State},
    response::IntoResponse,
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sqlx::{
    PgPool, Row, SqlitePool,
    postgres::PgPoolOptions,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tokio::io::AsyncWriteExt;
use uuid::Uuid;
use voice_relay::auth::link;

/// As many connections as the relay has.
enum Db {
    Sqlite { reader: SqlitePool, writer: SqlitePool },
    Postgres(PgPool),
}

/// Serves until it is killed.
pub(crate) async fn serve(url: &str) {
    let db = if url.starts_with("sqlite:") {
        let options = SqliteConnectOptions::from_str(url)
            .unwrap()
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .foreign_keys(true);
        let pool = |most| SqlitePoolOptions::new().max_connections(most).connect_with(options.clone());
        Db::Sqlite { reader: pool(8).await.unwrap(), writer: pool(1).await.unwrap() }
    } else {
        Db::Postgres(PgPoolOptions::new().max_connections(8).connect(url).await.unwrap())
    };
    let router = Router::new()
        .route("/sessions/{user}", get(list))
        .route("/search/{user}/{word}", get(search))
        .route("/folders/{user}", get(tree))
        .route("/messages/{user}/{session}", post(message))
        .route("/shared/{token}", get(shared))
        .route("/files/{message}", post(file).layer(DefaultBodyLimit::disable()))
        .with_state(Arc::new(db));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("serves on {}", listener.local_addr().unwrap());
    axum::serve(listener, router).await.unwrap();
}

/// Rows of one of the engines, each read into a struct of these columns.
macro_rules! record {
    ($name:ident { $($field:ident: $kind:ty),+ $(,)? }) => {
        #[derive(Serialize)]
        struct $name { $($field: $kind),+ }
        record!(@ $name sqlx::sqlite::SqliteRow { $($field),+ });
        record!(@ $name sqlx::postgres::PgRow { $($field),+ });
    };
    (@ $name:ident $row:ty { $($field:ident),+ }) => {
        impl From<$row> for $name {
            fn from(row: $row) -> Self {
                Self { $($field: row.get(stringify!($field))),+ }
            }
        }
    };
}

record!(Session {
    id: String,
    title: Option<String>,
    complete: bool,
    archived: bool,
    folder_id: Option<String>,
    settings: String,
    created_at: i64,
    updated_at: i64,
});
record!(Message {
    id: String,
    session_id: String,
    parent_message_id: Option<String>,
    role: String,
    modality: String,
    content: String,
    status: String,
    created_at: i64,
    updated_at: i64,
});
record!(Folder {
    id: String,
    parent_id: Option<String>,
    name: String,
    color: Option<String>,
    icon: Option<String>,
    created_at: i64,
    updated_at: i64,
});

/// All rows of a query with these arguments, wherever it runs.
macro_rules! all {
    ($db:expr, $sql:expr $(, $argument:expr)*) => {
        match &*$db {
            Db::Sqlite { reader, .. } => {
                let rows = sqlx::query($sql.0)$(.bind($argument))*.fetch_all(reader).await.unwrap();
                rows.into_iter().map(Into::into).collect::<Vec<_>>()
            }
            Db::Postgres(pool) => {
                let rows = sqlx::query($sql.1)$(.bind($argument))*.fetch_all(pool).await.unwrap();
                rows.into_iter().map(Into::into).collect::<Vec<_>>()
            }
        }
    };
}

/// The same text for both engines.
const fn both(sql: &'static str) -> (&'static str, &'static str) {
    (sql, sql)
}

async fn list(State(db): State<Arc<Db>>, Path(user): Path<String>) -> Json<Vec<Session>> {
    Json(all!(db, both("SELECT * FROM sessions WHERE user_id = $1 ORDER BY id DESC LIMIT 21"), &user))
}

async fn search(State(db): State<Arc<Db>>, Path((user, word)): Path<(String, String)>) -> Json<Vec<Session>> {
    let sql = (
        "SELECT * FROM sessions WHERE user_id = $1 AND id IN (SELECT session_id FROM searched WHERE id IN \
         (SELECT rowid FROM words WHERE words MATCH $2)) ORDER BY id DESC LIMIT 21",
        "SELECT * FROM sessions WHERE user_id = $1 AND (words_of(title) @@ to_tsquery('pg_catalog.simple', $2) OR id IN \
         (SELECT session_id FROM messages WHERE words_of(content) @@ to_tsquery('pg_catalog.simple', $2))) \
         ORDER BY id DESC LIMIT 21",
    );
    let words = if matches!(&*db, Db::Sqlite { .. }) { format!("\"{word}\"*") } else { format!("{word}:*") };
    Json(all!(db, sql, &user, &words))
}

async fn tree(State(db): State<Arc<Db>>, Path(user): Path<String>) -> Json<Vec<Folder>> {
    Json(all!(db, both("SELECT * FROM folders WHERE user_id = $1 ORDER BY name, id"), &user))
}

#[derive(Deserialize)]
struct Post {
    role: String,
    content: String,
}

const TOUCH: &str = "UPDATE sessions SET updated_at = $3 WHERE id = $1 AND user_id = $2";
const ADD: &str = "INSERT INTO messages (id, session_id, position, role, modality, content, status, created_at, updated_at) \
                   SELECT $1, $2, COALESCE(MAX(position) + 1, 0), $3, 'text', $4, 'completed', $5, $5 \
                   FROM messages WHERE session_id = $2 RETURNING *";

async fn message(
    State(db): State<Arc<Db>>,
    Path((user, session)): Path<(String, String)>,
    Json(post): Json<Post>,
) -> impl IntoResponse {
    let (id, now) = (Uuid::now_v7().to_string(), jiff::Timestamp::now().as_millisecond());
    macro_rules! add {
        ($tx:expr) => {{
            let mut tx = $tx.await.unwrap();
            sqlx::query(TOUCH).bind(&session).bind(&user).bind(now).execute(&mut *tx).await.unwrap();
            let add = sqlx::query(ADD).bind(&id).bind(&session).bind(&post.role).bind(&post.content).bind(now);
            let row = add.fetch_one(&mut *tx).await.unwrap();
            tx.commit().await.unwrap();
            Message::from(row)
        }};
    }
    let added = match &*db {
        Db::Sqlite { writer, .. } => add!(writer.begin_with("BEGIN IMMEDIATE")),
        Db::Postgres(pool) => add!(pool.begin()),
    };
    (axum::http::StatusCode::CREATED, Json(added))
}

/// A shared conversation with its messages.
#[derive(Serialize)]
struct Shared {
    session: Session,
    count: usize,
    messages: Vec<Message>,
}

const COUNT: &str = "UPDATE shares SET accesses = accesses + 1, last_access_at = $2 WHERE token_hash = $1";

async fn shared(State(db): State<Arc<Db>>, Path(token): Path<String>) -> Json<Shared> {
    let (hash, now) = (link::kept(&token.into()), jiff::Timestamp::now().as_millisecond());
    let sql = "SELECT sessions.* FROM shares JOIN sessions ON sessions.id = shares.session_id WHERE token_hash = $1";
    let mut found: Vec<Session> = all!(db, both(sql), &hash[..]);
    let session = found.remove(0);
    match &*db {
        Db::Sqlite { writer, .. } => drop(sqlx::query(COUNT).bind(&hash[..]).bind(now).execute(writer).await.unwrap()),
        Db::Postgres(pool) => drop(sqlx::query(COUNT).bind(&hash[..]).bind(now).execute(pool).await.unwrap()),
    }
    let sql = "SELECT * FROM messages WHERE session_id = $1 ORDER BY position LIMIT 101";
    let messages: Vec<Message> = all!(db, both(sql), &session.id);
    Json(Shared { count: messages.len(), session, messages })
}

const FILE: &str = "INSERT INTO attachments (id, message_id, name, kind, size, sha256, state, due_at, created_at, updated_at) \
                    VALUES ($1, $2, 'scan.png', 'png', $3, $4, 'ready', $5, $5, $5)";

/// Keeps the file of a form, and of it the row that the relay has.
async fn file(State(db): State<Arc<Db>>, Path(message): Path<String>, mut form: Multipart) -> impl IntoResponse {
    let id = Uuid::now_v7().to_string();
    let mut kept = tokio::fs::File::create(format!("bare-{id}")).await.unwrap();
    let (mut size, mut hash) = (0, Sha256::new());
    while let Some(mut field) = form.next_field().await.unwrap() {
        while let Some(chunk) = field.chunk().await.unwrap() {
            size += chunk.len() as i64;
            hash.update(&chunk);
            kept.write_all(&chunk).await.unwrap();
        }
    }
    kept.sync_all().await.unwrap();
    let sha256: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let now = jiff::Timestamp::now().as_millisecond();
    macro_rules! add {
        ($pool:expr) => {
            sqlx::query(FILE).bind(&id).bind(&message).bind(size).bind(&sha256).bind(now).execute($pool).await.map(drop)
        };
    }
    match &*db {
        Db::Sqlite { writer, .. } => add!(writer),
        Db::Postgres(pool) => add!(pool),
    }
    .unwrap();
    axum::http::StatusCode::CREATED
}
