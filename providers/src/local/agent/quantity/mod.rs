//! Things that are counted and measured: numbers, their names, units and dates.

mod dates;
mod number;
pub(super) mod numeral;
pub(super) mod units;

pub(super) use dates::{Day, day_of, read_day};
pub(super) use number::Number;
