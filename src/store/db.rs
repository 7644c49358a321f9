//! The database: opened, migrated, and split into one writer and many readers.
//!
//! SQLite in WAL mode lets readers go on while one connection writes; a second writer would only wait for a lock, so the
//! writing pool has exactly one connection and queues fairly instead. `synchronous = NORMAL` means a committed row
//! survives the death of the process at any instant; a power cut may undo the last commits but never tears the file.

use std::{borrow::Cow, fs, io, path::Path, time::Duration};

use sqlx::{
    SqlSafeStr, SqlitePool, Transaction,
    migrate::{Migration, MigrationType, Migrator},
    sqlite::{Sqlite, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::StoreError;

/// An open database. Cloning shares it.
#[derive(Clone, Debug)]
pub struct Db {
    writer: SqlitePool,
    reader: SqlitePool,
}

impl Db {
    /// Opens the SQLite file, makes it (readable by its owner alone) if it is missing, and migrates it.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let fail = |source: sqlx::Error| StoreError::Open { path: path.to_owned(), source };
        create_private(path).map_err(|error| fail(error.into()))?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .foreign_keys(true)
            .busy_timeout(BUSY)
            .pragma("cache_size", PAGE_CACHE);
        let writer = SqlitePoolOptions::new().max_connections(1).connect_with(options.clone()).await.map_err(fail)?;
        migrations().run(&writer).await?;
        let reader = SqlitePoolOptions::new()
            .max_connections(READERS)
            .connect_with(options.pragma("query_only", "ON"))
            .await
            .map_err(fail)?;
        Ok(Self { writer, reader })
    }

    /// Answers once both a read and a place in the writer's queue could be had.
    pub async fn ping(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&self.reader).await?;
        sqlx::query("SELECT 1").execute(&self.writer).await?;
        Ok(())
    }

    /// Waits for running queries, folds the log into the file and closes it.
    pub async fn close(&self) {
        self.reader.close().await;
        self.writer.close().await;
    }

    pub(super) fn reader(&self) -> &SqlitePool {
        &self.reader
    }

    pub(super) fn writer(&self) -> &SqlitePool {
        &self.writer
    }

    /// A transaction that holds the write lock from its start, so that what it reads is still true when it writes.
    pub(super) async fn write(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?)
    }
}

/// Transcripts are nobody else's business: the file is made `rw-------` before SQLite opens it, and its log inherits that.
fn create_private(path: &Path) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop)
}

fn migrations() -> Migrator {
    let step = |version, name: &'static str, sql: &'static str| {
        Migration::new(version, Cow::Borrowed(name), MigrationType::Simple, sql.into_sql_str(), false)
    };
    Migrator::with_migrations(vec![
        step(1, "start", include_str!("../../migrations/sqlite/0001_start.sql")),
        step(2, "session fields", include_str!("../../migrations/sqlite/0002_session_fields.sql")),
        step(3, "session cost", include_str!("../../migrations/sqlite/0003_session_cost.sql")),
    ])
}

/// How long to wait for another process that writes the same file (`voice-relay keys create` beside a running server).
const BUSY: Duration = Duration::from_secs(5);

/// Of each connection, in KiB when negative: what is hot is the newest messages, and the system caches the file anyway.
const PAGE_CACHE: &str = "-256";

/// Readers never wait for each other; four keep two cores busy.
const READERS: u32 = 4;
