//! One page of a list, and the opaque mark of where the next one starts.

use std::str::FromStr;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

use super::{
    Db, StoreError,
    sql::{Query, Record, Value},
};

/// Part of a list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Page<T> {
    /// In the list's order.
    pub items: Vec<T>,
    /// Where the next page starts; `None` when this was the last.
    pub next: Option<Cursor>,
}

/// Where a page starts. Clients get and give it as text without meaning to them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cursor(String);

impl Cursor {
    /// Reads what a client gave back; `None` if we never gave that.
    pub fn decode(text: &str) -> Option<Self> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        String::from_utf8(bytes).ok().map(Self)
    }

    /// As the client gets it.
    pub fn encode(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(&self.0)
    }

    pub(super) fn at(key: impl ToString) -> Self {
        Self(key.to_string())
    }

    pub(super) fn key<T: FromStr>(&self) -> Option<T> {
        self.0.parse().ok()
    }
}

/// How a list is ordered: what comes after a key, which is `?`, and in which order.
pub(super) struct Order(pub(super) &'static str, pub(super) &'static str);

/// The newest first.
pub(super) const NEWEST: Order = Order("id < ?", "ORDER BY id DESC LIMIT ?");
/// The eldest first.
pub(super) const ELDEST: Order = Order("id > ?", "ORDER BY id LIMIT ?");

impl<T> Page<T> {
    /// The rows of a query that come after a cursor, at most `limit`. A cursor of another list finds nothing.
    pub(super) async fn of<K>(
        db: &Db,
        query: Query,
        Order(beyond, order): Order,
        after: Option<&Cursor>,
        limit: u32,
        key: impl FnOnce(&T) -> K,
    ) -> Result<Self, StoreError>
    where
        T: Record,
        K: FromStr + ToString + Into<Value>,
    {
        let after = after.map(Cursor::key::<K>);
        if matches!(after, Some(None)) {
            return Ok(Self { items: Vec::new(), next: None });
        }
        let query = query.and(beyond, after.flatten()).then(order).limit(limit + 1);
        Ok(Self::cut(query.fetch_all(db.reader()).await?, limit, |last| Cursor::at(key(last))))
    }

    /// Makes a page of at most `limit` from one row more than that, which tells whether there is a next.
    pub(super) fn cut(mut rows: Vec<T>, limit: u32, key: impl FnOnce(&T) -> Cursor) -> Self {
        let limit = limit as usize;
        if rows.len() <= limit {
            return Self { items: rows, next: None };
        }
        rows.truncate(limit);
        let next = rows.last().map(key);
        Self { items: rows, next }
    }
}
