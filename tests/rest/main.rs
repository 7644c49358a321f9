//! The HTTP surface over real sockets, a real SQLite file and scripted providers.

mod audio;
mod conversations;
mod door;
mod keys;
mod server;
