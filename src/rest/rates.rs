//! How many requests one caller may make, told by the `ratelimit-*` headers (draft-ietf-httpapi-ratelimit-headers-06).
//!
//! Who shows a key or a login is counted by it, whoever shows none by their address, and clients with a secret too: they are
//! as many as there are listeners, on behalf of one user.

use std::{
    net::IpAddr,
    time::{Duration, Instant},
};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};

use crate::{
    auth::{Principal, Via},
    buckets::{Address, Buckets, Limit},
    store::{KeyId, UserId},
};

/// How much is too much.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Rate {
    /// Requests per second in the long run; 0 = as many as they like.
    pub per_second: u32,
    /// Requests at once.
    pub burst: u32,
}

impl Default for Rate {
    fn default() -> Self {
        Self { per_second: 20, burst: 600 }
    }
}

/// What each caller has asked lately.
pub(super) struct Rates(Option<(Rate, Buckets<Caller>)>);

/// Who is counted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Caller {
    Admin,
    Key(KeyId),
    Person(UserId),
    Address(Address),
}

impl Caller {
    /// `None` where there is nobody to count.
    pub(super) fn of(principal: &Principal, from: Option<IpAddr>) -> Option<Self> {
        match principal.via {
            Via::AdminKey => Some(Self::Admin),
            Via::ApiKey(key) => Some(Self::Key(key)),
            Via::AccessToken(_) => Some(Self::Person(principal.user)),
            Via::ClientSecret(_) => Self::at(from),
        }
    }

    /// Whoever says nothing of themselves.
    pub(super) fn at(from: Option<IpAddr>) -> Option<Self> {
        from.map(|from| Self::Address(from.into()))
    }
}

impl Rates {
    pub(super) fn new(rate: Rate) -> Self {
        let limit = Limit {
            burst: f64::from(rate.burst),
            drain: Duration::from_secs(1) / rate.per_second.max(1),
            most: CALLERS,
        };
        Self((rate.per_second > 0).then(|| (rate, Buckets::new(limit))))
    }

    /// Counts a request, and says how long to wait if it is one too many.
    pub(super) fn count(&self, caller: Option<Caller>, now: Instant) -> (Allowance, Option<Duration>) {
        let (Some((rate, callers)), Some(caller)) = (&self.0, caller) else { return (Allowance(None), None) };
        match callers.take(caller, now) {
            Ok(level) => (Allowance(Some((*rate, level))), None),
            Err(wait) => (Allowance(Some((*rate, f64::from(rate.burst)))), Some(wait)),
        }
    }
}

/// What a caller has left.
pub(super) struct Allowance(Option<(Rate, f64)>);

impl Allowance {
    pub(super) fn tell(&self, headers: &mut HeaderMap) {
        let Some((rate, level)) = self.0 else { return };
        let left = f64::from(rate.burst) - level;
        let reset = level / f64::from(rate.per_second);
        headers.insert(LIMIT, HeaderValue::from(rate.burst));
        headers.insert(REMAINING, HeaderValue::from(left.max(0.0) as u32));
        headers.insert(RESET, HeaderValue::from(reset.ceil() as u64));
    }
}

/// Requests at once.
pub(super) const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
/// How many of them are left.
pub(super) const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
/// Seconds until all of them are.
pub(super) const RESET: HeaderName = HeaderName::from_static("ratelimit-reset");

/// Callers remembered; some 2 MiB.
const CALLERS: usize = 16_384;
