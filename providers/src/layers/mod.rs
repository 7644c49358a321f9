//! What any provider can be wrapped in: each layer is again a provider of the same kind.
//!
//! The usual order, outermost first: [`Fallback`] over several [`Observed`] over [`Timed`] providers.

mod fallback;
mod observed;
mod timed;

pub use fallback::Fallback;
pub use observed::{Observation, Observed, Observer, Role};
pub use timed::{Timed, Timeouts};
