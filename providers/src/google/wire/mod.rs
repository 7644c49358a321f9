//! Google's messages, as far as they are of use: field numbers of their `.proto` files. Pure.

pub(super) mod recognize;
pub(super) mod synthesize;

use std::time::Duration;

use prost::Message;

/// `google.protobuf.Duration`.
#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct Seconds {
    #[prost(int64, tag = "1")]
    pub(super) seconds: i64,
    #[prost(int32, tag = "2")]
    pub(super) nanos: i32,
}

impl Seconds {
    /// What is no time counts as the start.
    pub(super) fn span(self) -> Duration {
        let seconds = u64::try_from(self.seconds).unwrap_or_default();
        Duration::new(seconds, u32::try_from(self.nanos).unwrap_or_default().min(999_999_999))
    }
}
