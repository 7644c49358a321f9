//! One page of a list, and the opaque mark of where the next one starts.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

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

    pub(super) fn key<T: std::str::FromStr>(&self) -> Option<T> {
        self.0.parse().ok()
    }
}

impl<T> Page<T> {
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
