//! What is asked for: conversations of one person, their messages, their folders.

use std::path::Path;

use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use providers::Secret;
use secrecy::ExposeSecret;
use voice_relay::{
    auth::{Auth, Scopes},
    clock::Clock,
    store::{
        Config, Db, MessageId, SessionId, UserId,
        folders::{self, NewFolder},
        messages::{self, Post, Posted, Role},
        sessions,
    },
};

pub(crate) const SESSIONS: usize = 1_000;
pub(crate) const MESSAGES: usize = 100_000;
pub(crate) const FOLDERS: usize = 1_000;

/// Words that are said; each is in some 600 messages.
const VOCABULARY: usize = 2_000;
/// Of a message.
const WORDS: usize = 12;

/// Whose data it is, and what of it is asked for by name.
pub(crate) struct World {
    /// Of the operator.
    pub(crate) admin: String,
    /// Of the person, as a server would use it: looked up for each request.
    pub(crate) key: String,
    pub(crate) user: UserId,
    /// Has a hundred messages and no more.
    pub(crate) read: SessionId,
    /// Is written to.
    pub(crate) written: SessionId,
    /// Files come with it.
    pub(crate) message: MessageId,
}

/// Fills the database at `url`, or SQLite in the folder.
pub(crate) async fn fill(url: &str, folder: &Path) -> World {
    let db = Db::of(&Config { url: url.into(), connections: 8 }, folder).await.unwrap();
    let admin = "bench-4f1c7a2e90b35d68".to_owned();
    let (auth, _) = Auth::open(db.clone(), Clock::system(), Some(&Secret::from(admin.as_str()))).await.unwrap();
    let user = auth.owner().id;
    let key = auth.create_key(user, "bench", Scopes::ALL, None).await.unwrap().secret.expose_secret().to_owned();
    let mut known = Vec::new();
    for n in 0..SESSIONS {
        let title = format!("Conversation {n} about {}", word(n));
        let begun = sessions::begin(&db, user, Some(&title), None, serde_json::Map::new(), Timestamp::now()).await;
        known.push(begun.unwrap().unwrap().id);
    }
    let posts = (0..MESSAGES).map(|n| post(&db, user, known[n % SESSIONS], n));
    let mut posts = stream::iter(posts).buffer_unordered(8);
    let mut message = None;
    while let Some(posted) = posts.next().await {
        message = Some(posted);
    }
    let mut parents = vec![None];
    for n in 0..FOLDERS {
        let name = format!("Folder {n}");
        let new = NewFolder { name: &name, parent: parents[n / 4], color: Some("#1f6f5c"), icon: None };
        parents.push(Some(folders::create(&db, user, new, Timestamp::now()).await.unwrap().id));
    }
    db.close().await;
    if !url.is_empty() {
        // PostgreSQL looks at what is in a table a minute after it came (autovacuum), and plans badly before.
        let pool = sqlx::PgPool::connect(url).await.unwrap();
        sqlx::query("VACUUM ANALYZE").execute(&pool).await.unwrap();
        pool.close().await;
    }
    World { admin, key, user, read: known[0], written: known[1], message: message.unwrap() }
}

async fn post(db: &Db, user: UserId, session: SessionId, n: usize) -> MessageId {
    let said: Vec<_> = (0..WORDS).map(|k| word(n.wrapping_mul(31).wrapping_add(k * k * 977 + n / 7))).collect();
    let (content, role) = (said.join(" "), if (n / SESSIONS).is_multiple_of(2) { Role::User } else { Role::Assistant });
    let post = Post { role, content: &content, client_message: None, parent: None };
    match messages::post(db, user, session, post, Timestamp::now()).await.unwrap() {
        Posted::Kept(message) => message.id,
        Posted::Again(_) | Posted::Taken | Posted::Stray => unreachable!("it has no name and answers nothing"),
    }
}

/// A word of five letters.
pub(crate) fn word(n: usize) -> String {
    let (n, letters) = (n % VOCABULARY, b"bcdfgklmnprst");
    let consonant = |n: usize| letters[n % letters.len()] as char;
    let vowel = |n: usize| b"aeiou"[n % 5] as char;
    [consonant(n), vowel(n / 13), consonant(n / 65), vowel(n / 845), 'x'].iter().collect()
}
