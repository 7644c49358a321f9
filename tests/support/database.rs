//! A database of a test's own: a file of SQLite or, beside `scripts/postgres`, a schema of PostgreSQL.

use std::path::Path;

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use voice_relay::store::{Config, Db};

/// The server that `scripts/postgres` started.
pub(crate) const POSTGRES: &str = "VOICE_RELAY_TEST_POSTGRES";

/// The database that belongs to this folder; the same again when asked again.
pub(crate) async fn open(dir: &Path) -> Db {
    Db::of(&config(dir).await, dir).await.unwrap()
}

/// Where that is.
pub(crate) async fn config(dir: &Path) -> Config {
    let Ok(server) = std::env::var(POSTGRES) else { return Config::default() };
    let name = dir.file_name().unwrap().to_str().unwrap();
    let schema = format!("t{}", name.replace(|letter: char| !letter.is_ascii_alphanumeric(), "").to_lowercase());
    let mut connection = PgConnection::connect(&server).await.unwrap();
    let create = format!("CREATE SCHEMA IF NOT EXISTS {schema}");
    sqlx::query(AssertSqlSafe(create)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    Config { url: format!("{server}?options=-c%20search_path%3D{schema}").into(), connections: 4 }
}
