//! `GET /v1/realtime?call_id=…`: who may control a running call beside its client.
//!
//! The holder of a key may control their own calls, an admin all. A client secret is good for none: whoever holds one is one
//! client of many, and would hear the others.

use axum::http::StatusCode;
use uuid::Uuid;

use super::{Context, calls, fault::Fault, voice};
use crate::{
    auth::Principal,
    realtime::{admission::NoSeat, sideband::Seat},
};

/// A seat at the call of this name.
pub(super) fn seat(context: &Context, principal: &Principal, call: &str) -> Result<Seat, Fault> {
    if !principal.holds_key() {
        let message = "A client secret opens calls and controls none beside its own connection: use a key.";
        return Err(Fault::new(StatusCode::FORBIDDEN, "insufficient_scope", message));
    }
    let nobody = || Fault::new(StatusCode::NOT_FOUND, "call_not_found", "No such call is running.").at("call_id");
    let session = session(call).ok_or_else(nobody)?;
    context.engine.admission.seat(session, |live| voice::sees(principal, live)).map_err(|none| match none {
        NoSeat::Nobody => nobody(),
        NoSeat::Full(_) => {
            let message = format!("Nobody can be let in now: {none}.");
            Fault::new(StatusCode::TOO_MANY_REQUESTS, "rate_limit_exceeded", message).at("call_id")
        }
    })
}

/// The session of a call (`rtc_…`), or by its own name where it has no other (`sess_…`, over WebSocket).
fn session(call: &str) -> Option<Uuid> {
    calls::id(call).or_else(|| call.strip_prefix("sess_")?.parse().ok())
}
