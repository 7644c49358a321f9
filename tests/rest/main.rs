//! The HTTP surface over real sockets, a real SQLite file and scripted providers.

mod conversations;
mod door;
mod keys;
mod server;
