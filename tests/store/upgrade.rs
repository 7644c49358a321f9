//! A database of any older version is brought up to date with all that was in it; one of a newer version is left alone.

use std::{borrow::Cow, fs, path::Path};

use secrecy::ExposeSecret;
use sqlx::{
    AssertSqlSafe, PgPool, SqlSafeStr, SqlitePool,
    migrate::{Migration, MigrationType, Migrator},
    sqlite::SqliteConnectOptions,
};
use voice_relay::store::{
    Config, Db, SessionId, StoreError, UserId, Words, messages,
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
