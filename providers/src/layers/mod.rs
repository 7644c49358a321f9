//! What any provider can be wrapped in: each layer is again a provider of the same kind.
//!
//! The usual order, outermost first: [`Cited`] over [`Condensed`] over [`Metered`] (a session's own) over [`Routed`] over [`Fallback`]s over several
//! [`Observed`] over [`Guarded`] (by a [`Limit`], by a [`Breaker`]) over [`Retry`] over [`Timed`] providers, some of them
//! [`Told`], in each of which voices are [`Voiced`] and keys can be [`Swapped`]. So each attempt has its own time, all attempts of a request hold one
//! place and count once, as failed only if the last one fails, and a fallback begins after them.

mod breaker;
mod cited;
mod condensed;
mod consumed;
mod fallback;
mod guarded;
mod held;
mod limit;
mod meter;
mod metered;
mod observed;
mod retry;
mod routed;
mod swapped;
mod tape;
mod timed;
mod told;
mod voiced;

pub use breaker::{Breaker, BreakerSettings};
pub use cited::Cited;
pub use condensed::{Condensed, Memories, Memory};
pub use consumed::Consumed;
pub use fallback::Fallback;
pub use guarded::{Guard, Guarded, Pass};
pub use limit::{Limit, LimitSettings};
pub use meter::Meter;
pub use metered::{Account, Metered};
pub use observed::{Observation, Observed, Observer, Role};
pub use retry::{Retry, RetrySettings};
pub use routed::Routed;
pub use swapped::Swapped;
pub use timed::{Timed, Timeouts};
pub use told::Told;
pub use voiced::Voiced;
