//! One SQL text for both engines.
//!
//! Both take `$1` for an argument, `ON CONFLICT`, `RETURNING`, `TRUE` and `FALSE`, so a query is written once and so is what
//! reads its rows. What truly differs between them is beside the query it concerns.
//!
//! What is asked only now and then is in the text only then ([`Query::and`]), and how many rows are asked for always
//! ([`Query::limit`]): both engines keep a plan for each text, and a plan that has to do for all that could be asked
//! (`$2 IS NULL OR id < $2`, `LIMIT $3`) walks over what an index would have skipped, or is made anew each time.

use std::borrow::Cow;

use sqlx::{
    AssertSqlSafe, Decode, Postgres, Row as _, Sqlite, SqlitePool, Transaction, Type,
    postgres::{PgPool, PgRow},
    sqlite::SqliteRow,
};

use super::StoreError;

/// Connections to one of the engines.
#[derive(Clone, Debug)]
pub(super) enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// A transaction in one of the engines; dropped, it never was.
pub(super) enum Tx {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

/// Where a query runs.
pub(super) enum Place<'a> {
    Pool(&'a Pool),
    Tx(&'a mut Tx),
}

/// A row of one of the engines.
pub(super) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

/// What rows are read into.
pub(super) trait Record: Sized {
    fn read(row: &Row) -> Result<Self, sqlx::Error>;
}

/// An argument. Its kind goes with it when it is absent: PostgreSQL wants to know.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Text(Option<String>),
    Integer(Option<i64>),
    Real(Option<f64>),
    Bool(Option<bool>),
    Bytes(Option<Vec<u8>>),
}

/// A query and its arguments.
pub(super) struct Query {
    sql: Cow<'static, str>,
    arguments: Vec<Value>,
}

/// A query in the words both engines understand.
pub(super) fn query(sql: &'static str) -> Query {
    Query { sql: sql.into(), arguments: Vec::new() }
}

impl Pool {
    /// What is said otherwise to each engine.
    pub(super) fn pick<T>(&self, sqlite: T, postgres: T) -> T {
        match self {
            Self::Sqlite(_) => sqlite,
            Self::Postgres(_) => postgres,
        }
    }
}

/// Runs `$method` of the query where it belongs, and makes of what comes out `$made`, named for the engine.
macro_rules! run {
    ($query:expr, $place:expr, $method:ident, |$engine:ident, $out:ident| $made:expr) => {{
        let Query { sql, arguments } = $query;
        macro_rules! on {
            ($variant:ident, $executor:expr) => {{
                let mut query = sqlx::query(AssertSqlSafe(sql));
                for argument in arguments {
                    query = match argument {
                        Value::Text(value) => query.bind(value),
                        Value::Integer(value) => query.bind(value),
                        Value::Real(value) => query.bind(value),
                        Value::Bool(value) => query.bind(value),
                        Value::Bytes(value) => query.bind(value),
                    };
                }
                let $out = query.$method($executor).await?;
                let $engine = Row::$variant;
                $made
            }};
        }
        match $place.into() {
            Place::Pool(Pool::Sqlite(pool)) => on!(Sqlite, pool),
            Place::Pool(Pool::Postgres(pool)) => on!(Postgres, pool),
            Place::Tx(Tx::Sqlite(tx)) => on!(Sqlite, &mut **tx),
            Place::Tx(Tx::Postgres(tx)) => on!(Postgres, &mut **tx),
        }
    }};
}

impl Query {
    pub(super) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.arguments.push(value.into());
        self
    }

    /// Asks for one thing more of the rows, where there is an argument for it: `?` in the condition.
    pub(super) fn and(self, condition: &'static str, argument: Option<impl Into<Value>>) -> Self {
        let Some(argument) = argument else { return self };
        let mut more = self.bind(argument);
        let condition = condition.replace('?', &format!("${}", more.arguments.len()));
        more.sql.to_mut().extend([" AND ", &condition]);
        more
    }

    /// Goes on with the text.
    pub(super) fn then(mut self, more: &'static str) -> Self {
        self.sql.to_mut().extend([" ", more]);
        self
    }

    /// At most so many rows, wherever the text says `LIMIT ?`.
    pub(super) fn limit(mut self, rows: u32) -> Self {
        self.sql = self.sql.replace("LIMIT ?", &format!("LIMIT {rows}")).into();
        self
    }

    /// How many rows it changed.
    pub(super) async fn execute(self, place: impl Into<Place<'_>>) -> Result<u64, StoreError> {
        Ok(run!(self, place, execute, |_engine, done| done.rows_affected()))
    }

    pub(super) async fn fetch_one<T: Record>(self, place: impl Into<Place<'_>>) -> Result<T, StoreError> {
        self.fetch_optional(place).await?.ok_or_else(|| sqlx::Error::RowNotFound.into())
    }

    /// The first row. All are read: SQLite writes what a statement changed after its last row, and who leaves before does not
    /// hear that the disk is full.
    pub(super) async fn fetch_optional<T: Record>(self, place: impl Into<Place<'_>>) -> Result<Option<T>, StoreError> {
        Ok(self.fetch_all(place).await?.into_iter().next())
    }

    /// The one row it is about; [`StoreError::NotFound`] if that does not exist or is somebody else's.
    pub(super) async fn fetch_found<T: Record>(self, place: impl Into<Place<'_>>) -> Result<T, StoreError> {
        self.fetch_optional(place).await?.ok_or(StoreError::NotFound)
    }

    /// Changes the one row it is about, in the same sense.
    pub(super) async fn execute_found(self, place: impl Into<Place<'_>>) -> Result<(), StoreError> {
        if self.execute(place).await? == 0 { Err(StoreError::NotFound) } else { Ok(()) }
    }

    pub(super) async fn fetch_all<T: Record>(self, place: impl Into<Place<'_>>) -> Result<Vec<T>, StoreError> {
        let rows: Vec<_> = run!(self, place, fetch_all, |engine, rows| rows.into_iter().map(engine).collect());
        Ok(rows.iter().map(T::read).collect::<Result<_, _>>()?)
    }
}

impl Row {
    /// What is in a column.
    pub(super) fn get<'r, T>(&'r self, column: &str) -> Result<T, sqlx::Error>
    where
        T: Type<Sqlite> + Decode<'r, Sqlite> + Type<Postgres> + Decode<'r, Postgres>,
    {
        match self {
            Self::Sqlite(row) => row.try_get(column),
            Self::Postgres(row) => row.try_get(column),
        }
    }
}

/// The one column of a query that asks for one.
macro_rules! scalar {
    ($($type:ty),+) => {$(
        impl Record for $type {
            fn read(row: &Row) -> Result<Self, sqlx::Error> {
                match row {
                    Row::Sqlite(row) => row.try_get(0),
                    Row::Postgres(row) => row.try_get(0),
                }
            }
        }
    )+};
}
scalar!(bool, i64, String, Vec<u8>);

impl Tx {
    pub(super) async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(tx) => tx.commit().await?,
            Self::Postgres(tx) => tx.commit().await?,
        }
        Ok(())
    }
}

impl<'a> From<&'a Pool> for Place<'a> {
    fn from(pool: &'a Pool) -> Self {
        Self::Pool(pool)
    }
}

impl<'a> From<&'a mut Tx> for Place<'a> {
    fn from(tx: &'a mut Tx) -> Self {
        Self::Tx(tx)
    }
}

/// Text as both engines take it. PostgreSQL has no NUL in text; where one was, that is told (U+FFFD).
pub(super) fn text(value: &str) -> String {
    value.replace('\0', "\u{fffd}")
}

macro_rules! value {
    ($($type:ty => $variant:ident, $value:ident => $made:expr;)+) => {$(
        impl From<$type> for Value {
            fn from($value: $type) -> Self {
                Self::$variant(Some($made))
            }
        }

        impl From<Option<$type>> for Value {
            fn from(value: Option<$type>) -> Self {
                Self::$variant(value.map(|$value| $made))
            }
        }
    )+};
}

value! {
    String => Text, value => text(&value);
    &str => Text, value => text(value);
    &String => Text, value => text(value);
    i64 => Integer, value => value;
    f64 => Real, value => value;
    bool => Bool, value => value;
    &[u8] => Bytes, value => value.to_vec();
}
