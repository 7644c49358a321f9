//! voice-relay: a realtime, voice-first relay server.
//!
//! A guided map. [`realtime`] is what the product exists for: `transport` moves bytes, `ingest` hears, [`realtime::session`]
//! decides, `workers` speak with providers, `egress` plays. [`clock`], [`drain`] and [`metrics`] are leaves for all.
//! ARCHITECTURE.md draws it and says who may import whom.

pub mod auth;
pub mod clock;
pub mod drain;
pub mod metrics;
pub mod realtime;
pub mod rest;
pub mod store;
