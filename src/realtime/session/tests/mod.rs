//! Stories of conversations, one behaviour a file, and a random walk over everything.

#![expect(clippy::wildcard_enum_match_arm, reason = "a story looks for one event and passes over the rest")]

mod acts;
mod backchannel;
mod barge_in;
mod cancel;
mod citations;
mod client;
mod close;
mod doubts;
mod failure;
mod idle;
mod items;
mod keypad;
mod manual;
mod native;
mod order;
mod partials;
mod pauses;
mod random_walk;
mod resume;
mod scene;
mod tools;
mod truncate;
mod turns;
mod update;
