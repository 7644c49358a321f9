//! Lists: `limit` and `after` in, `items` and `next` out. And times and ids as clients read them.

use std::{str::FromStr, sync::Arc};

use axum::{
    Json,
    extract::{FromRequestParts, Path},
    http::request::Parts,
    response::{IntoResponse, Response},
};
use jiff::Timestamp;
use serde::Serialize;

use super::{Context, fault::Fault};
use crate::store::{Cursor, Page};

/// Which part of a list is asked for.
pub(super) struct Slice {
    pub(super) limit: u32,
    pub(super) after: Option<Cursor>,
}

impl Slice {
    /// Reads the query; `more` takes, or refuses, what a list knows beside `limit` and `after`.
    pub(super) fn read(
        query: Option<&str>,
        mut more: impl FnMut(&str, &str) -> Result<(), Fault>,
    ) -> Result<Self, Fault> {
        let mut slice = Self { limit: 20, after: None };
        for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
            match (&*name, &*value) {
                ("limit", value) => slice.limit = limit(value)?,
                ("after", value) => slice.after = Some(after(value)?),
                (name, value) => more(name, value)?,
            }
        }
        Ok(slice)
    }
}

impl FromRequestParts<Arc<Context>> for Slice {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Context>) -> Result<Self, Fault> {
        Self::read(parts.uri.query(), |name, _| {
            Err(Fault::invalid(name, "This list takes `limit` and `after` and nothing else."))
        })
    }
}

fn limit(text: &str) -> Result<u32, Fault> {
    let fits = text.parse().ok().filter(|limit| (1..=100).contains(limit));
    fits.ok_or_else(|| Fault::invalid("limit", "`limit` must be a whole number from 1 to 100."))
}

fn after(text: &str) -> Result<Cursor, Fault> {
    Cursor::decode(text).ok_or_else(|| Fault::invalid("after", "`after` must be the `next` of an earlier page."))
}

/// One page as clients read it.
#[derive(Serialize)]
struct View<T> {
    items: Vec<T>,
    next: Option<String>,
}

/// Answers with a page of rows, each shown by `show`.
pub(super) fn answer<R, V: Serialize>(page: Page<R>, show: impl FnMut(R) -> V) -> Response {
    let next = page.next.as_ref().map(Cursor::encode);
    Json(View { items: page.items.into_iter().map(show).collect(), next }).into_response()
}

/// An id in the path. What does not parse cannot exist: 404.
pub(super) struct Id<T>(pub(super) T);

impl<T: FromStr> FromRequestParts<Arc<Context>> for Id<T> {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, context: &Arc<Context>) -> Result<Self, Fault> {
        let Ok(Path(text)) = Path::<String>::from_request_parts(parts, context).await else {
            return Err(Fault::not_found());
        };
        text.parse().map(Self).map_err(|_| Fault::not_found())
    }
}

/// RFC 3339 in UTC with milliseconds.
pub(super) fn time(time: Timestamp) -> String {
    format!("{time:.3}")
}
