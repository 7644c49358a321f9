//! Calls over real sockets: gateways that play as the vendors' do, scripted providers, real voice detection on real speech;
//! and, where the models are, real ears and voices.
//!
//! Everything runs in real time, as calls do.

#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test that cannot go on fails")]

mod calls;
#[path = "../support/database.rs"]
mod database;
mod gateway;
mod lies;
mod real;
mod server;
mod vendors;
mod webhooks;
