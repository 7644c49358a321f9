//! WebRTC against a running relay: an independent peer, real sockets, real DTLS.

mod caller;
mod refusals;
mod relay;
mod talking;

#[path = "../rest/server.rs"]
#[expect(dead_code, reason = "what other tests need of it")]
mod server;
