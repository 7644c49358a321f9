//! The HTTP surface over real sockets, a real database (SQLite, or PostgreSQL beside `scripts/postgres`) and scripted providers.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod accounts;
mod audio;
mod azure;
mod beta;
mod choosing;
mod conversations;
#[path = "../support/database.rs"]
mod database;
mod door;
mod exports;
mod extraction;
mod folders;
mod health;
mod keys;
mod limits;
mod live;
mod people;
mod promises;
mod ready;
mod roles;
mod secrets;
mod server;
mod shared_page;
mod sharing;
mod sideband;
mod spending;
mod tokens;
mod voices;
mod writing;
