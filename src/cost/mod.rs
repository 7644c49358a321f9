//! What providers charge: a table of prices, and what a session has run up.

mod known;
mod prices;
mod served;
mod tally;

pub use prices::{Config, Price, Prices};
pub(crate) use served::Served;
pub use tally::{Spending, Spent, Tally};
