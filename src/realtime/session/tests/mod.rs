//! Stories of conversations, one behaviour a file, and a random walk over everything.

mod client;
mod order;
mod random_walk;
mod scene;
