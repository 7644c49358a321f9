//! The wire of the OpenAI Realtime protocol, and nothing but: no sockets, no clock, no state but a counter of events.
//!
//! [`decode()`] turns a client's text into an append or a `Command`; [`Encoder`] turns the session's `Event`s into text.
//! [`settings`] merges and checks the session object; [`Query`] and [`subprotocol`] read the upgrade request. What a
//! client, a server, an item, a part, a response looks like stands in the file of that name. What
//! each [`Dialect`] calls its own stands beside what they share; in [`beta`] where that is more than a name.

pub mod beta;
mod client;
mod decode;
mod dialect;
mod encode;
pub mod error;
mod item;
mod json;
mod millis;
mod part;
mod payload;
mod query;
mod response;
mod server;
pub mod settings;
pub mod subprotocol;
#[cfg(test)]
mod tests;

pub use decode::{ClientEvent, decode};
pub use dialect::Dialect;
pub use encode::Encoder;
pub use payload::LARGEST as LARGEST_AUDIO;
pub use query::Query;
