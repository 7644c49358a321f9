//! The database: opened, migrated, and ready for queries. SQLite in a file of the data dir, or PostgreSQL by URL.
//!
//! SQLite in WAL mode lets readers go on while one connection writes; a second writer would only wait for a lock, so the
//! writing pool has exactly one connection and queues fairly instead. `synchronous = NORMAL` means a committed row
//! survives the death of the process at any instant; a power cut may undo the last commits but never tears the file.

use std::{borrow::Cow, fs, future::ready, io, path::Path, str::FromStr, thread, time::Duration};

use futures_util::future;
use secrecy::{ExposeSecret, SecretString};
use sqlx::{
    Connection, PgConnection, SqlSafeStr, SqliteConnection, SqlitePool,
    migrate::{Migration, MigrationType, Migrator},
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use tokio::{runtime::Handle, sync::oneshot};

use super::{
    BackupError, Config, StoreError,
    sql::{Pool, Tx, query},
};

/// An open database. Cloning shares it.
#[derive(Clone, Debug)]
pub struct Db {
    writer: Pool,
    reader: Pool,
}

impl Db {
    /// Opens what the configuration names: PostgreSQL, or `relay.db` in the data dir. Migrates it.
    pub async fn of(config: &Config, data_dir: &Path) -> Result<Self, StoreError> {
        if config.url.expose_secret().is_empty() {
            Self::open(&data_dir.join("relay.db")).await
        } else {
            Self::connect(&config.url, config.connections).await
        }
    }

    /// Opens the SQLite file, makes it (readable by its owner alone) if it is missing, and migrates it.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let fail = |source: sqlx::Error| StoreError::Open { what: path.display().to_string(), source };
        create_private(path, false).map_err(|error| fail(error.into()))?;
        let _alone = alone(path).await.map_err(|error| fail(error.into()))?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .foreign_keys(true)
            .busy_timeout(PATIENCE)
            .row_buffer_size(ROWS_AHEAD)
            .pragma("cache_size", WRITER_CACHE);
        // After a COMMIT that failed SQLite has rolled back by itself, and a driver that is told so when it tries counts the
        // transaction as open for ever: such a connection takes no other one.
        let fresh = |connection: &SqliteConnection| Ok(!connection.is_in_transaction());
        let pool = move |connections| {
            // The file is always there: nothing is to be asked before a query but that.
            let options = SqlitePoolOptions::new().acquire_timeout(PATIENCE).test_before_acquire(false);
            let options = options.max_connections(connections).idle_timeout(None).max_lifetime(None);
            options.before_acquire(move |connection, _| Box::pin(ready(fresh(connection))))
        };
        let writer = behind(pool(1), options.clone()).await.map_err(fail)?;
        Migrator::with_migrations(migrations(SQLITE)).run(&writer).await?;
        let options = options.pragma("query_only", "ON").pragma("cache_size", READER_CACHE);
        let reader = behind(pool(READERS), options).await.map_err(fail)?;
        Ok(Self { writer: Pool::Sqlite(writer), reader: Pool::Sqlite(reader) })
    }

    /// Connects to PostgreSQL by a URL (`postgres://user:password@host/database`) with at most so many connections, and
    /// migrates the database under a lock, so that several relays may start at once.
    pub async fn connect(url: &SecretString, connections: u32) -> Result<Self, StoreError> {
        let options = PgConnectOptions::from_str(url.expose_secret())
            .map_err(|_| StoreError::Open { what: "the URL of the database".to_owned(), source: malformed() })?;
        let what =
            format!("{}:{}/{}", options.get_host(), options.get_port(), options.get_database().unwrap_or_default());
        let options = options.application_name("voice-relay");
        let pool =
            PgPoolOptions::new().max_connections(connections).acquire_timeout(PATIENCE).test_before_acquire(false);
        let pool =
            pool.before_acquire(|connection, met| Box::pin(lives(connection, met.idle_for))).connect_with(options);
        let pool = pool.await.map_err(|source| StoreError::Open { what, source })?;
        Migrator::with_migrations(migrations(POSTGRES)).run(&pool).await?;
        Ok(Self { writer: Pool::Postgres(pool.clone()), reader: Pool::Postgres(pool) })
    }

    /// Answers once both a read and a place in the writer's queue could be had.
    pub async fn ping(&self) -> Result<(), StoreError> {
        query("SELECT 1").execute(&self.reader).await?;
        query("SELECT 1").execute(&self.writer).await?;
        Ok(())
    }

    /// Waits for running queries; SQLite folds its log into the file.
    pub async fn close(&self) {
        for pool in [&self.reader, &self.writer] {
            match pool {
                Pool::Sqlite(pool) => pool.close().await,
                Pool::Postgres(pool) => pool.close().await,
            }
        }
    }

    /// Writes a copy of the database as it stands at one moment to a new file that its owner alone can read, while others
    /// go on writing; returns its size in bytes.
    ///
    /// # Errors
    ///
    /// If the file exists or cannot be written; and always for PostgreSQL, which has `pg_dump` for it.
    pub async fn backup(&self, file: &Path) -> Result<u64, BackupError> {
        if let Pool::Postgres(_) = self.writer {
            return Err(BackupError::Postgres);
        }
        create_private(file, true)?;
        let copied = query("VACUUM INTO $1").bind(file.display().to_string()).execute(&self.writer).await;
        if let Err(error) = copied {
            fs::remove_file(file)?;
            return Err(error.into());
        }
        let copy = fs::File::open(file)?;
        copy.sync_all()?;
        Ok(copy.metadata()?.len())
    }

    pub(super) fn reader(&self) -> &Pool {
        &self.reader
    }

    pub(super) fn writer(&self) -> &Pool {
        &self.writer
    }

    /// A transaction that writes. In SQLite it holds the write lock from its start; in PostgreSQL whoever needs what it
    /// reads to be still true when it writes begins by changing the row that stands for it.
    pub(super) async fn write(&self) -> Result<Tx, StoreError> {
        Ok(match &self.writer {
            Pool::Sqlite(pool) => Tx::Sqlite(pool.begin_with("BEGIN IMMEDIATE").await?),
            Pool::Postgres(pool) => Tx::Postgres(pool.begin().await?),
        })
    }

    /// A transaction beside which no other of its kind runs, in any process.
    pub(super) async fn write_alone(&self) -> Result<Tx, StoreError> {
        let mut tx = self.write().await?;
        if let Tx::Postgres(_) = tx {
            query("SELECT pg_advisory_xact_lock($1)").bind(ALONE).execute(&mut tx).await?;
        }
        Ok(tx)
    }
}

/// Whether a connection to PostgreSQL that was idle so long is still one. Asking costs as much as a small query, so one that was
/// just in use is taken to be: should it have broken since, that query fails as if the database were away.
async fn lives(connection: &mut PgConnection, idle_for: Duration) -> Result<bool, sqlx::Error> {
    Ok(idle_for < TRUSTED || connection.ping().await.is_ok())
}

/// Opens all connections of a pool, each of which is a thread and as nice as the one that opens it: a search may take a processor
/// for milliseconds, which who speaks would hear.
async fn behind(pool: SqlitePoolOptions, options: SqliteConnectOptions) -> Result<SqlitePool, sqlx::Error> {
    let open = async move {
        let connections = pool.get_max_connections();
        let pool = pool.connect_with(options).await?;
        // While one is held, the next is another.
        future::try_join_all((0..connections).map(|_| pool.acquire())).await?;
        Ok(pool)
    };
    let (opened, pool) = oneshot::channel();
    let runtime = Handle::current();
    thread::Builder::new().name("sqlite-opens".into()).spawn(move || {
        #[cfg(target_os = "linux")]
        let _ = rustix::process::nice(BEHIND);
        let _ = opened.send(runtime.block_on(open));
    })?;
    pool.await.map_err(|_| sqlx::Error::WorkerCrashed)?
}

/// A lock on a file beside the database, for as long as it is opened and migrated: SQLite's own locks let two processes
/// find the same table missing.
async fn alone(path: &Path) -> io::Result<fs::File> {
    let mut beside = path.as_os_str().to_owned();
    beside.push("-lock");
    tokio::task::spawn_blocking(move || {
        let file = create_private(Path::new(&beside), false)?;
        file.lock()?;
        Ok(file)
    })
    .await?
}

/// Transcripts are nobody else's business: the file is made `rw-------` before SQLite opens it, and its log inherits that.
fn create_private(path: &Path, new: bool) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.create(true).create_new(new).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// A parser's own words would show the URL, and with it the password.
fn malformed() -> sqlx::Error {
    sqlx::Error::Configuration("it is no URL of the form postgres://user:password@host:port/database".into())
}

/// Steps of the schema of both engines: one number, one name, one meaning.
macro_rules! steps {
    ($engine:literal) => {
        &[
            ("start", include_str!(concat!("../../migrations/", $engine, "/0001_start.sql"))),
            ("session fields", include_str!(concat!("../../migrations/", $engine, "/0002_session_fields.sql"))),
            ("session cost", include_str!(concat!("../../migrations/", $engine, "/0003_session_cost.sql"))),
            ("accounts", include_str!(concat!("../../migrations/", $engine, "/0004_accounts.sql"))),
            ("voice sessions", include_str!(concat!("../../migrations/", $engine, "/0005_voice_sessions.sql"))),
            ("folders and shares", include_str!(concat!("../../migrations/", $engine, "/0006_folders_and_shares.sql"))),
            ("attachments", include_str!(concat!("../../migrations/", $engine, "/0007_attachments.sql"))),
            ("search", include_str!(concat!("../../migrations/", $engine, "/0008_search.sql"))),
            ("clinical contexts", include_str!(concat!("../../migrations/", $engine, "/0009_clinical_contexts.sql"))),
            ("answers", include_str!(concat!("../../migrations/", $engine, "/0010_answers.sql"))),
            ("documents", include_str!(concat!("../../migrations/", $engine, "/0011_documents.sql"))),
            ("passages", include_str!(concat!("../../migrations/", $engine, "/0012_passages.sql"))),
            ("citations", include_str!(concat!("../../migrations/", $engine, "/0013_citations.sql"))),
            ("acts", include_str!(concat!("../../migrations/", $engine, "/0014_acts.sql"))),
            ("shelves", include_str!(concat!("../../migrations/", $engine, "/0015_shelves.sql"))),
            ("ids", include_str!(concat!("../../migrations/", $engine, "/0016_ids.sql"))),
            ("more of messages", include_str!(concat!("../../migrations/", $engine, "/0017_more_of_messages.sql"))),
        ]
    };
}

type Steps = &'static [(&'static str, &'static str)];
const SQLITE: Steps = steps!("sqlite");
const POSTGRES: Steps = steps!("postgres");

fn migrations(steps: Steps) -> Vec<Migration> {
    let step = |(version, (name, sql)): (i64, &(&'static str, &'static str))| {
        Migration::new(version, Cow::Borrowed(*name), MigrationType::Simple, (*sql).into_sql_str(), false)
    };
    (1..).zip(steps).map(step).collect()
}

/// How long a query waits for a connection, or for another process that writes the same file (`voice-relay keys create`
/// beside a running server).
const PATIENCE: Duration = Duration::from_secs(5);

/// How long after its last use a connection is known to be there.
const TRUSTED: Duration = Duration::from_secs(1);

/// Pages a connection keeps, in KiB when negative. Who writes needs the newest messages alone; who searches goes all over an
/// index, and the system's cache, which has the file anyway, takes a call for each page.
const WRITER_CACHE: &str = "-256";
const READER_CACHE: &str = "-2048";

/// Rows that SQLite's thread may find before the first of them is taken: as many as a list has, so that it is not stopped and
/// woken in the middle.
const ROWS_AHEAD: usize = 1024;

/// How far SQLite's threads stand back, of 19: of a core that both want, a quarter is theirs. On Linux alone, where a thread has a
/// niceness of its own.
#[cfg(target_os = "linux")]
const BEHIND: i32 = 5;

/// Readers never wait for each other; four keep two cores busy.
const READERS: u32 = 4;

/// Whom PostgreSQL's advisory lock is for: any number that nobody else takes.
const ALONE: i64 = 0x766f_6963_655f_7265;

#[cfg(test)]
mod tests {
    use super::*;

    /// See `.cargo/config.toml`: with any of them otherwise, a list takes two to three times as long.
    #[tokio::test]
    async fn sqlite_is_built_for_a_server() {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(&dir.path().join("relay.db")).await.unwrap();
        let options: Vec<String> = query("PRAGMA compile_options").fetch_all(db.reader()).await.unwrap();
        let has = |name: &str| options.iter().any(|option| option == name);
        assert!(has("ENABLE_QPSG") && has("DEFAULT_MEMSTATUS=0"), "{options:?}");
        assert!(!has("ENABLE_MEMORY_MANAGEMENT") && !has("ENABLE_STAT4"), "{options:?}");
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn who_speaks_goes_before_who_searches() {
        let dir = tempfile::tempdir().unwrap();
        let _db = Db::open(&dir.path().join("relay.db")).await.unwrap();
        // proc_pid_stat(5): the name in brackets, and the 19th field.
        let nice = |stat: String| stat.rsplit(") ").next().unwrap().split(' ').nth(16).unwrap().parse::<i32>().unwrap();
        let own = nice(fs::read_to_string("/proc/thread-self/stat").unwrap());
        let threads = fs::read_dir("/proc/self/task").unwrap();
        let stats = threads.filter_map(|thread| fs::read_to_string(thread.unwrap().path().join("stat")).ok());
        let found: Vec<_> = stats.filter(|stat| stat.contains("(sqlx-sqlite-")).map(nice).collect();
        assert!(found.len() >= 5 && found.iter().all(|nice| *nice == own + BEHIND), "{found:?} beside {own}");
    }
}
