//! Columns read into our types. Times are whole milliseconds since 1970-01-01 UTC in a 64-bit integer, ids are text.

use jiff::Timestamp;
use sqlx::{Row, sqlite::SqliteRow};

/// What is written for `time`.
pub(super) fn millis(time: Timestamp) -> i64 {
    time.as_millisecond()
}

/// Reads a time that is always there.
pub(super) fn required(row: &SqliteRow, column: &str) -> Result<Timestamp, sqlx::Error> {
    decode(column, row.try_get(column)?)
}

/// Reads a time that may be absent.
pub(super) fn optional(row: &SqliteRow, column: &str) -> Result<Option<Timestamp>, sqlx::Error> {
    row.try_get::<Option<i64>, _>(column)?.map(|millis| decode(column, millis)).transpose()
}

fn decode(column: &str, millis: i64) -> Result<Timestamp, sqlx::Error> {
    Timestamp::from_millisecond(millis)
        .map_err(|error| sqlx::Error::ColumnDecode { index: column.into(), source: Box::new(error) })
}

/// Reads a column whose text has a type of ours.
pub(super) fn parsed<T>(row: &SqliteRow, column: &str) -> Result<T, sqlx::Error>
where
    T: std::str::FromStr,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    row.try_get::<&str, _>(column)?
        .parse()
        .map_err(|error| sqlx::Error::ColumnDecode { index: column.into(), source: Box::new(error) })
}

/// The system's time as rows keep it. What no calendar holds becomes the epoch.
pub(crate) fn timestamp(time: std::time::SystemTime) -> Timestamp {
    Timestamp::try_from(time).unwrap_or_default()
}
