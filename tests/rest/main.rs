//! The HTTP surface over real sockets, a real database (SQLite, or PostgreSQL beside `scripts/postgres`) and scripted providers.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod accounts;
mod answers;
mod attachments;
mod audio;
mod azure;
mod beta;
mod bucket;
mod chat;
mod choosing;
mod citations;
mod clinical;
mod completions;
mod conversations;
#[path = "../support/database.rs"]
mod database;
mod documents;
mod door;
mod exports;
mod extraction;
mod files;
mod folders;
mod health;
mod indexing;
mod keys;
mod limits;
mod live;
mod manners;
mod matrix;
mod minds;
mod openapi;
mod people;
mod processing;
mod promises;
mod rates;
mod ready;
mod repeating;
mod replies;
mod roles;
mod scanning;
mod search;
mod searching;
mod secrets;
mod server;
mod services;
mod shared_page;
mod sharing;
mod sideband;
mod spending;
mod synthesis;
mod tokens;
mod tools;
mod voices;
mod writing;
