//! `/v1/realtime/calls`: live sessions over WebRTC. SDP offer in, SDP answer out.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{FromRequest, Multipart, Path, RawQuery, Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{json, value::RawValue};
use uuid::Uuid;

use super::{
    Context, body,
    fault::Fault,
    openapi::{Api, Operation, schema},
    opening, upload, voice,
};
use crate::{
    auth::Principal,
    realtime::{
        Calls, Start,
        admission::Live,
        protocol::{Dialect, Query},
        webrtc::Refused,
    },
};

/// An offer, and the session that came with it.
pub(super) struct Offer {
    sdp: String,
    session: Option<Box<RawValue>>,
}

/// `POST /v1/realtime/calls`: 201 with the answer; the call's id is the last segment of `Location`.
pub(super) async fn create(
    State(context): State<Arc<Context>>,
    path: Option<Extension<Dialect>>,
    principal: Principal,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<Response, Fault> {
    let dialect = opening::dialect(request.headers()).or(path.map_or(Dialect::Ga, |Extension(dialect)| dialect));
    let offer = offer(&context, request).await?;
    begin(&context, &principal, query.as_deref(), offer, dialect, "/v1/realtime/calls").await
}

/// `POST /v1/realtime/calls/{id}/hangup`: 200 with an empty body.
pub(super) async fn hang_up(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<Response, Fault> {
    end(&context, &principal, &id)?;
    Ok(StatusCode::OK.into_response())
}

/// Answers an offer: 201, with the call's place below `place`.
pub(super) async fn begin(
    context: &Context,
    principal: &Principal,
    query: Option<&str>,
    offer: Offer,
    dialect: Dialect,
    place: &str,
) -> Result<Response, Fault> {
    let calls = calls(context)?;
    let query = Query::parse(query.unwrap_or_default()).map_err(opening::refused)?;
    if matches!(query, Query::Sideband { .. }) {
        return Err(Fault::invalid("call_id", "A call cannot be begun by its id."));
    }
    let granted = opening::granted(principal)?;
    let session = offer.session.as_deref().or(granted);
    let settings = opening::settings(context, &query, session)?;
    let start = Start { dialect, ..opening::start(context, principal, settings, "webrtc").await? };
    let id = start.pass.live().id;
    let answer = calls.answer(&offer.sdp, start).map_err(refused)?;
    let location = format!("{place}/{}", name(id));
    let headers = [(header::CONTENT_TYPE, SDP.to_owned()), (header::LOCATION, location)];
    Ok((StatusCode::CREATED, headers, answer).into_response())
}

/// Ends a call of the caller's own; an admin may end any.
pub(super) fn end(context: &Context, principal: &Principal, name: &str) -> Result<(), Fault> {
    let id = id(name).ok_or_else(Fault::not_found)?;
    let admission = &context.engine.admission;
    let theirs = |live: &Live| live.id == id && voice::sees(principal, live);
    if admission.list().iter().any(theirs) && admission.kick(id) { Ok(()) } else { Err(Fault::not_found()) }
}

/// Reads an offer, raw or as a form.
pub(super) async fn offer(context: &Arc<Context>, request: Request) -> Result<Offer, Fault> {
    if is(request.headers(), SDP) {
        let bytes = body::read(request, context).await?;
        let sdp = String::from_utf8(bytes.into()).map_err(|_| Fault::invalid("sdp", "SDP is UTF-8 text."))?;
        return Ok(Offer { sdp, session: None });
    }
    if !is(request.headers(), "multipart/form-data") {
        return Err(wrong_type("application/sdp or multipart/form-data"));
    }
    let form = Multipart::from_request(request, context).await;
    let form = form.map_err(|_| Fault::invalid("body", "The form has no boundary."))?;
    let (mut sdp, mut session) = (None, None);
    for (name, text) in upload::read(form, "file", 0).await?.texts {
        match name.as_str() {
            "sdp" => sdp = Some(text),
            "session" => session = Some(body::parse(text.as_bytes())?),
            _ => {}
        }
    }
    let missing = || Fault::invalid("sdp", "The form has no part `sdp`.").coded("missing_required_parameter");
    Ok(Offer { sdp: sdp.ok_or_else(missing)?, session })
}

fn calls(context: &Context) -> Result<&Calls, Fault> {
    let message = "WebRTC is switched off here (`[webrtc] enabled`): connect over WebSocket.";
    context.calls.as_ref().ok_or_else(|| Fault::new(StatusCode::NOT_IMPLEMENTED, "webrtc_disabled", message))
}

fn refused(refused: Refused) -> Fault {
    let (code, text) = ("invalid_offer", refused.to_string());
    let mut chars = text.chars();
    let text: String = chars.next().map(|c| c.to_uppercase().chain(chars).collect()).unwrap_or_default();
    Fault::new(StatusCode::BAD_REQUEST, code, format!("{text}.")).at("sdp")
}

pub(super) fn wrong_type(wanted: &str) -> Fault {
    let message = format!("The body must be {wanted}.");
    Fault::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", message)
}

/// Whether the body is of this media type.
pub(super) fn is(headers: &HeaderMap, kind: &str) -> bool {
    let given = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    given.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(kind)
}

/// What the call of a session is called on the wire.
fn name(session: Uuid) -> String {
    format!("rtc_{}", session.simple())
}

/// The session of a call.
pub(super) fn id(name: &str) -> Option<Uuid> {
    name.strip_prefix("rtc_")?.parse().ok()
}

/// The media type of offers and answers (RFC 8866, 8.1).
pub(super) const SDP: &str = "application/sdp";

/// What every way to begin a call has.
pub(super) fn offered(operation: Operation<'_>) -> Operation<'_> {
    let offer = json!("v=0\r\n…");
    operation
        .takes_as(SDP, schema::text(), offer, true)
        .sends(201, SDP, schema::text(), "The answer.")
        .with_header(201, "location", "The call, to end it by.")
        .refuses(400, "The offer cannot be answered.")
        .refuses(404, "There is no such model.")
        .refuses(415, "The body is no offer.")
        .refuses(422, "A parameter cannot be what it is.")
        .refuses(429, "There are as many sessions as there may be.")
}

pub(super) fn describe(api: &mut Api) {
    let model = "What to talk with; needed by those who come with a key.";
    let form = json!({
        "type": "object", "required": ["sdp"], "properties": {"sdp": {"type": "string"}, "session": {"type": "string"}},
    });
    for (path, id) in [("/v1/realtime/calls", "create_call"), ("/v1/realtime", "create_beta_call")] {
        let operation = api.post(path, id, "Opens a live session over WebRTC: an offer in, an answer out");
        offered(operation.query("model", schema::text(), model).takes_as(
            "multipart/form-data",
            form.clone(),
            serde_json::Value::Null,
            true,
        ));
    }
    api.post("/v1/realtime/calls/{id}/hangup", "hang_up", "Ends a call")
        .part("id", schema::text(), "The last segment of its `location`.")
        .says_nothing(200, "It ends.");
}
