//! Live voice: from a client's bytes to a decision and back.
//!
//! A transport serves a client with a [`Start`]; the driver waits and obeys, the [`session`] decides.

pub mod admission;
pub mod dossier;
mod driver;
pub mod egress;
mod engine;
pub mod history;
pub mod ingest;
mod interjection;
pub mod ledger;
mod loudspeaker;
mod names;
mod offer;
pub mod protocol;
pub mod session;
pub mod sideband;
pub mod toolbox;
mod transport;
mod workers;

pub use engine::{Config, Engine, Providers, VoiceDetector};
pub(crate) use interjection::interject;
pub use names::{Meaning, Names, RELAY, Task, well_known};
pub use offer::{Choices, Offer, Partner};
pub(crate) use transport::{Incoming, downlink::Farewell, ws::read as read_frame};
pub use transport::{
    Start,
    sideband::serve_sideband,
    telephony::{
        dialect::Dialect,
        serve::{Admitted, Introduction, Refusal, limited_call, serve_call},
    },
    webrtc::{self, Calls},
    ws::{limited, serve_ws},
};
