//! voice-relay: a realtime, voice-first relay server.
//!
//! A guided map. [`realtime`] is what the product exists for: `transport` moves bytes, `ingest` hears, [`realtime::session`]
//! decides, `workers` speak with providers, `egress` plays. [`rest`] answers everything that is not a live voice, [`auth`]
//! says who may, [`store`] keeps what outlives the process, [`storage`] the bytes of files, [`documents`] reads files and makes some, [`knowledge`] finds what fits a question in documents and says where it stands, [`jobs`] does what outlives a request, [`chat`] answers what is typed, [`dossiers`] is what models are told beside a conversation. [`config`] assembles what the components can be told,
//! [`engines`] makes providers of it, [`roster`] knows how they are, [`cost`] what they charge, [`app`] puts all together and [`commands`] is what can be typed. ARCHITECTURE.md
//! draws it and says who may import whom.

pub mod app;
pub mod auth;
mod buckets;
pub mod chat;
mod client;
pub mod clock;
pub mod commands;
pub mod config;
pub mod cost;
pub mod documents;
pub mod dossiers;
pub mod drain;
pub mod engines;
pub mod jobs;
pub mod knowledge;
pub mod metrics;
pub mod realtime;
pub mod rest;
pub mod roster;
pub mod server;
pub mod storage;
pub mod store;
pub mod sweep;
pub mod telemetry;
pub mod tools;
