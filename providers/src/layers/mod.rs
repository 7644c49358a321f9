//! What any provider can be wrapped in: each layer is again a provider of the same kind.
//!
//! The usual order, outermost first: [`Metered`] (a session's own) over [`Routed`] over [`Fallback`]s over several [`Observed`] over [`Guarded`] (by a
//! [`Breaker`], by a [`Limit`]) over [`Timed`] providers.

mod breaker;
mod consumed;
mod fallback;
mod guarded;
mod limit;
mod meter;
mod metered;
mod observed;
mod routed;
mod timed;

pub use breaker::{Breaker, BreakerSettings};
pub use consumed::Consumed;
pub use fallback::Fallback;
pub use guarded::{Guard, Guarded, Pass};
pub use limit::{Limit, LimitSettings};
pub use meter::Meter;
pub use metered::{Account, Metered};
pub use observed::{Observation, Observed, Observer, Role};
pub use routed::Routed;
pub use timed::{Timed, Timeouts};
