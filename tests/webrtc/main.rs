//! WebRTC against a running relay: an independent peer, real sockets, real DTLS.

#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test that cannot go on fails")]

mod bad_networks;
mod barge_in;
#[expect(dead_code, reason = "what the benchmark needs of it")]
mod caller;
mod hostile;
mod network;
mod refusals;
mod relay;
mod sideband;
mod talking;
mod ways;
mod whip;

#[path = "../support/database.rs"]
mod database;
#[path = "../rest/server.rs"]
#[expect(dead_code, reason = "what other tests need of it")]
mod server;
