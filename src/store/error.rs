//! Why the store could not do it.

use std::path::PathBuf;

/// A failure of the store, by what the caller can do about it.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It does not exist, or belongs to somebody else: the two are not told apart.
    #[error("no such row")]
    NotFound,
    /// The database file cannot be opened or made.
    #[error("cannot open the database {path}")]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: sqlx::Error,
    },
    /// The schema could not be brought up to date: most likely a newer version wrote the file.
    #[error("cannot migrate the database")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// A query failed: the disk is full, the file is locked for too long, a row does not decode.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
}
