//! Columns read into our types. Times are whole milliseconds since 1970-01-01 UTC in a 64-bit integer, ids are text.

use jiff::Timestamp;

use super::sql::Row;

/// What is written for `time`.
pub(super) fn millis(time: Timestamp) -> i64 {
    time.as_millisecond()
}

/// Reads a time that is always there.
pub(super) fn required(row: &Row, column: &str) -> Result<Timestamp, sqlx::Error> {
    decode(column, row.get(column)?)
}

/// Reads a time that may be absent.
pub(super) fn optional(row: &Row, column: &str) -> Result<Option<Timestamp>, sqlx::Error> {
    row.get::<Option<i64>>(column)?.map(|millis| decode(column, millis)).transpose()
}

/// Reads a time that was read as its milliseconds.
pub(super) fn decode(column: &str, millis: i64) -> Result<Timestamp, sqlx::Error> {
    Timestamp::from_millisecond(millis)
        .map_err(|error| sqlx::Error::ColumnDecode { index: column.into(), source: Box::new(error) })
}

/// Reads a column whose text has a type of ours.
pub(super) fn parsed<T>(row: &Row, column: &str) -> Result<T, sqlx::Error>
where
    T: std::str::FromStr,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    parse(column, row.get(column)?)
}

/// The same of text that was read.
pub(super) fn parse<T>(column: &str, text: &str) -> Result<T, sqlx::Error>
where
    T: std::str::FromStr,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    text.parse().map_err(|error| sqlx::Error::ColumnDecode { index: column.into(), source: Box::new(error) })
}

/// The system's time as rows keep it. What no calendar holds becomes the epoch.
pub(crate) fn timestamp(time: std::time::SystemTime) -> Timestamp {
    Timestamp::try_from(time).unwrap_or_default()
}
