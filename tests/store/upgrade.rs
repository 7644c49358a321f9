//! A database of any older version is brought up to date with all that was in it; one of a newer version is left alone.

use std::{borrow::Cow, fs, path::Path};

use secrecy::ExposeSecret;
use sqlx::{
    AssertSqlSafe, PgPool, SqlSafeStr, SqlitePool,
    migrate::{Migration, MigrationType, Migrator},
    sqlite::SqliteConnectOptions,
};
use voice_relay::store::{
    Config, Db, DocumentId, SessionId, StoreError, UserId, Words, acts, attachments, citations, messages,
    passages::{self, SignCache, Terms},
    sessions::{self, Filter},
    users,
};

use crate::{at, database};

/// A database before it is opened by the relay.
enum Raw {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl Raw {
    async fn open(config: &Config, dir: &Path) -> Self {
        let url = config.url.expose_secret();
        if url.is_empty() {
            let options = SqliteConnectOptions::new().filename(dir.join("relay.db")).create_if_missing(true);
            return Self::Sqlite(SqlitePool::connect_with(options).await.unwrap());
        }
        Self::Postgres(PgPool::connect(url).await.unwrap())
    }

    /// The steps of this engine as this version ships them.
    fn steps(&self) -> Vec<String> {
        let engine = if matches!(self, Self::Sqlite(_)) { "sqlite" } else { "postgres" };
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(engine);
        let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
        files.sort();
        files.iter().map(|file| fs::read_to_string(file).unwrap()).collect()
    }

    async fn migrate(&self, steps: &[String]) {
        let step = |(version, sql): (i64, &String)| {
            let sql = AssertSqlSafe(sql.clone()).into_sql_str();
            Migration::new(version, Cow::Borrowed("an older step"), MigrationType::Simple, sql, false)
        };
        let migrator = Migrator::with_migrations((1..).zip(steps).map(step).collect());
        match self {
            Self::Sqlite(pool) => migrator.run(pool).await.unwrap(),
            Self::Postgres(pool) => migrator.run(pool).await.unwrap(),
        }
    }

    async fn run(&self, sql: String) {
        match self {
            Self::Sqlite(pool) => drop(sqlx::query(AssertSqlSafe(sql)).execute(pool).await.unwrap()),
            Self::Postgres(pool) => drop(sqlx::query(AssertSqlSafe(sql)).execute(pool).await.unwrap()),
        }
    }

    /// How it is told of bytes.
    fn bytes(&self, bytes: &[u8]) -> String {
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        if matches!(self, Self::Sqlite(_)) { format!("x'{hex}'") } else { format!("'\\x{hex}'") }
    }

    async fn close(self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

/// What the first version kept: a user, a conversation, two messages.
async fn fill(raw: &Raw) -> (UserId, SessionId) {
    let (user, session) = (UserId::new(at(0)), SessionId::new(at(1)));
    raw.run(format!("INSERT INTO users (id, role, created_at) VALUES ('{user}', 'admin', 7)")).await;
    let columns = "id, user_id, title, created_at, updated_at";
    raw.run(format!("INSERT INTO sessions ({columns}) VALUES ('{session}', '{user}', 'An old tale', 8, 9)")).await;
    let columns = "id, session_id, position, item_id, role, modality, content, status, created_at, updated_at";
    for (position, role, words) in [(0, "user", "Where is the lighthouse?"), (1, "assistant", "Behind the hill.")] {
        let id = uuid::Uuid::now_v7();
        raw.run(format!(
            "INSERT INTO messages ({columns}) VALUES ('{id}', '{session}', {position}, 'item_{position}', '{role}', 'audio', \
             '{words}', 'completed', 10, 10)"
        ))
        .await;
    }
    (user, session)
}

#[tokio::test]
async fn every_older_version_is_brought_up_to_date_with_all_that_was_in_it() {
    let known = {
        let dir = tempfile::tempdir().unwrap();
        Raw::open(&database::config(dir.path()).await, dir.path()).await.steps().len()
    };
    for version in 1..=known {
        let dir = tempfile::tempdir().unwrap();
        let config = database::config(dir.path()).await;
        let raw = Raw::open(&config, dir.path()).await;
        raw.migrate(&raw.steps()[..version]).await;
        let (user, session) = fill(&raw).await;
        raw.close().await;

        let db = Db::of(&config, dir.path()).await.unwrap();
        assert_eq!(users::owner(&db, at(9)).await.unwrap().id, user, "from version {version}");
        let kept = sessions::get(&db, user, session).await.unwrap();
        assert_eq!((kept.title.as_deref(), kept.complete, kept.archived), (Some("An old tale"), true, false));
        let words = messages::list(&db, user, session, None, 10).await.unwrap().items;
        let words: Vec<_> = words.into_iter().map(|message| message.entry.content).collect();
        assert_eq!(words, ["Where is the lighthouse?", "Behind the hill."], "from version {version}");
        for (sought, found) in [("light", 1), ("old tale", 1), ("castle", 0)] {
            let filter = Filter { words: Words::of(sought), ..Filter::default() };
            let listed = sessions::list(&db, user, filter, None, 10).await.unwrap();
            assert_eq!(listed.items.len(), found, "{sought:?} from version {version}");
        }
        db.close().await;
    }
}

/// What there is with a message was not noted with it up to version 16.
#[tokio::test]
async fn what_messages_of_an_older_version_have_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let config = database::config(dir.path()).await;
    let raw = Raw::open(&config, dir.path()).await;
    raw.migrate(&raw.steps()[..16]).await;
    let (user, session) = fill(&raw).await;
    let (id, of) = (uuid::Uuid::now_v7(), "(SELECT id FROM messages WHERE position = 1)");
    raw.run(format!(
        "INSERT INTO attachments (id, message_id, name, kind, size, sha256, state, due_at, created_at, updated_at) \
         VALUES ('{id}', {of}, 'scan.png', 'png', 1, '0', 'ready', 0, 0, 0)"
    ))
    .await;
    raw.run(format!(
        "INSERT INTO citations (id, message_id, position, source, created_at) VALUES ('{id}', {of}, 1, '{{}}', 0)"
    ))
    .await;
    raw.run(format!(
        "INSERT INTO acts (message_id, position, call_id, name, arguments, output, state, writes, confidential) \
         VALUES ({of}, 0, 'call', 'look', '{{}}', 'seen', 'done', FALSE, FALSE)"
    ))
    .await;
    raw.close().await;

    let db = Db::of(&config, dir.path()).await.unwrap();
    let said = messages::list(&db, user, session, None, 10).await.unwrap().items;
    let files = attachments::of(&db, user, &said).await.unwrap();
    let cited = citations::of_messages(&db, user, &said).await.unwrap();
    let acts = acts::by_message(&db, user, &said).await.unwrap();
    assert_eq!((files.len(), cited.len(), acts.len()), (1, 1, 1));
    db.close().await;
}

/// An index in another order than that of the ids it is joined to is no help: all rows are read for those of one message.
#[tokio::test]
async fn what_refers_to_an_id_is_in_its_order() {
    let dir = tempfile::tempdir().unwrap();
    let config = database::config(dir.path()).await;
    Db::of(&config, dir.path()).await.unwrap().close().await;
    let Raw::Postgres(pool) = Raw::open(&config, dir.path()).await else { return };
    let strays: Vec<String> = sqlx::query_scalar(
        "SELECT conname::text FROM pg_constraint \
         JOIN pg_attribute AS here ON here.attrelid = conrelid AND here.attnum = ANY (conkey) \
         JOIN pg_attribute AS there ON there.attrelid = confrelid AND there.attnum = ANY (confkey) \
         WHERE contype = 'f' AND here.attcollation <> there.attcollation",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    assert_eq!(strays, [] as [&str; 0]);
}

/// Passages were numbered otherwise up to version 14.
#[tokio::test]
async fn passages_of_an_older_version_are_found_by_those_who_may_read_them() {
    let dir = tempfile::tempdir().unwrap();
    let config = database::config(dir.path()).await;
    let raw = Raw::open(&config, dir.path()).await;
    raw.migrate(&raw.steps()[..14]).await;
    let (ann, bob) = (UserId::new(at(0)), UserId::new(at(1)));
    let mut documents = Vec::new();
    for (owner, shared, text, vector) in
        [(ann, false, "secret dose", "1"), (ann, true, "usual dose", "2"), (bob, false, "his dose", "3")]
    {
        raw.run(format!(
            "INSERT INTO users (id, role, created_at) VALUES ('{owner}', 'admin', 7) ON CONFLICT DO NOTHING"
        ))
        .await;
        let document = DocumentId::new(at(2));
        raw.run(format!(
            "INSERT INTO documents (id, user_id, shared, size, sha256, state, due_at, created_at, updated_at) \
             VALUES ('{document}', '{owner}', {shared}, 0, '{text}', 'ready', 0, 0, 0)"
        ))
        .await;
        let bytes = raw.bytes(&[0, 0, 0x80, 0x3f]);
        raw.run(format!(
            "INSERT INTO passages (id, document_id, position, starts_at, ends_at, content, vector) \
             VALUES ('{vector}', '{document}', 0, 0, 9, '{text}', {bytes})"
        ))
        .await;
        let signs = raw.bytes(&[0; 8]);
        raw.run(format!("INSERT INTO document_signs VALUES ('{document}', 'm', 1, {signs})")).await;
        documents.push(document);
    }
    raw.close().await;

    let db = Db::of(&config, dir.path()).await.unwrap();
    let (cache, all, terms) = (SignCache::default(), passages::Filter::default(), Terms::of("dose").unwrap());
    for (user, wanted) in [(ann, [documents[0], documents[1]]), (bob, [documents[1], documents[2]])] {
        let by_words = passages::by_words(&db, user, &terms, &all, 9).await.unwrap().places;
        let by_meaning =
            passages::signed(&db, &cache, user, "m", &all).await.unwrap().nearest(&[1.0], 9).await.unwrap();
        for found in [by_words, by_meaning] {
            let mut found: Vec<_> = found.into_iter().map(|place| place.document).collect();
            found.sort_unstable();
            assert_eq!(found, wanted);
        }
    }
    db.close().await;
}

#[tokio::test]
async fn a_database_of_a_newer_version_or_of_other_steps_is_left_alone() {
    for (extra, change) in [(true, false), (false, true)] {
        let dir = tempfile::tempdir().unwrap();
        let config = database::config(dir.path()).await;
        let raw = Raw::open(&config, dir.path()).await;
        let mut steps = raw.steps();
        if extra {
            steps.push("CREATE TABLE of_the_future (id TEXT)".to_owned());
        }
        if change {
            steps[0].push_str("\n-- not as it was shipped");
        }
        raw.migrate(&steps).await;
        let (user, _) = fill(&raw).await;
        let refused = Db::of(&config, dir.path()).await.unwrap_err();
        assert!(matches!(refused, StoreError::Migrate(_)), "{refused}");
        raw.run(format!("UPDATE users SET created_at = 8 WHERE id = '{user}'")).await;
        raw.close().await;
    }
}
