//! The wire of the OpenAI Realtime protocol (GA), and nothing but: no sockets, no clock, no state but a counter of events.
//!
//! [`decode()`] turns a client's text into an append or a `Command`; [`Encoder`] turns the session's `Event`s into text.
//! [`settings`] merges and checks the session object; [`Query`] and [`subprotocol`] read the upgrade request. What a
//! client, a server, an item, a part, a response looks like stands in the file of that name. Another dialect would
//! translate at this edge: it renames on the way in and out and shares everything behind.

mod client;
mod decode;
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
pub use encode::Encoder;
pub use payload::LARGEST as LARGEST_AUDIO;
pub use query::Query;
