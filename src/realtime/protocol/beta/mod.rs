//! The beta shape of the protocol: flat objects under older names, translated at the edge.
//!
//! A client gets it by `OpenAI-Beta: realtime=v1` or the subprotocol `openai-beta.realtime-v1`. What it sends is read into
//! the same requests, what it is told is written from the same events; what both shapes share is not repeated here.

mod names;
mod response;
pub mod session;

pub(super) use names::event;
pub use names::param;
pub(super) use response::{reply, shape};
