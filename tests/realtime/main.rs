//! Live sessions over real sockets: the WebSocket route, scripted providers, real voice detection on real speech.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod client;
mod departures;
mod faults;
mod intake;
mod interruptions;
mod isolation;
mod native;
mod numbers;
mod room;
mod turns;
