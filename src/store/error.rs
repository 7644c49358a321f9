//! Why the store could not do it.

/// A failure of the store, by what the caller can do about it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It does not exist, or belongs to somebody else: the two are not told apart.
    #[error("no such row")]
    NotFound,
    /// The database cannot be opened, made or reached.
    #[error("cannot open the database {what}")]
    Open {
        /// The file, or the server and database.
        what: String,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// The schema could not be brought up to date: most likely a newer version wrote it.
    #[error("cannot migrate the database")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// A query failed: the disk is full, the server is gone, the file is locked for too long, a row does not decode.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}

impl StoreError {
    /// Whether there is such a row already.
    pub(super) fn is_duplicate(&self) -> bool {
        matches!(self, Self::Database(sqlx::Error::Database(error)) if error.is_unique_violation())
    }

    /// Whether it names a row that is not there.
    pub(super) fn is_dangling(&self) -> bool {
        matches!(self, Self::Database(sqlx::Error::Database(error)) if error.is_foreign_key_violation())
    }

    /// Whether the same may work in a while: the disk is full, the server gone, everything busy.
    #[expect(clippy::wildcard_enum_match_arm, reason = "what else goes wrong goes wrong again")]
    pub fn is_passing(&self) -> bool {
        let Self::Database(error) = self else { return false };
        match error {
            sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::Tls(_) => true,
            // A server, or what stands before it, that goes away amid its answer.
            sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed => true,
            // SQLite's result codes (https://sqlite.org/rescode.html), extended ones have more above the lowest byte.
            sqlx::Error::Database(error) if error.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some() => {
                let code = error.code().and_then(|code| code.parse::<u32>().ok());
                code.is_some_and(|code| matches!(code & 0xff, 5 | 6 | 8 | 10 | 13 | 14))
            }
            // Classes of SQLSTATE: connection, transaction rolled back (a deadlock), resources, operator, system.
            sqlx::Error::Database(error) => {
                let code = error.code();
                code.is_some_and(|code| ["08", "40", "53", "57", "58"].iter().any(|class| code.starts_with(class)))
            }
            _ => false,
        }
    }
}

/// Why a backup was not made.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// PostgreSQL has its own tools.
    #[error("the database is PostgreSQL: back it up with pg_dump")]
    Postgres,
    /// The file exists, or cannot be written.
    #[error("{0}")]
    File(#[from] std::io::Error),
    /// The database could not be copied.
    #[error("{0}: {source}", source = std::error::Error::source(.0).map(ToString::to_string).unwrap_or_default())]
    Store(#[from] StoreError),
}
