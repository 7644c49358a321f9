//! The wire of the OpenAI Realtime protocol (GA), and nothing but: no sockets, no clock, no state but a counter of events.
//!
//! [`settings`] merges and checks the session object; [`Query`] and [`subprotocol`] read the upgrade request.

pub mod error;
mod json;
mod millis;
mod query;
pub mod settings;
pub mod subprotocol;

pub use query::Query;
