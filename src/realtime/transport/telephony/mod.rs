//! Telephone calls and devices: sound over a WebSocket that a gateway opens, played by us.
//!
//! A map. [`dialect`] is the one vocabulary of all gateways; `twilio`, `telnyx`, `vonage`, `asterisk` and `raw` write it each
//! in their own way, over what `wire` has of JSON. `ear` hears the caller and `mouth` speaks to them, both pure. [`serve`] is
//! a call's socket: it reads through `uplink` and sends through `downlink`.

mod asterisk;
pub(crate) mod dialect;
mod downlink;
mod ear;
mod mouth;
mod raw;
pub(crate) mod serve;
mod telnyx;
mod twilio;
mod uplink;
mod vonage;
mod wire;
