//! `/whip`: calls of publishers that speak WHIP (RFC 9725): an offer in, a place to delete when they are done.

use std::sync::Arc;

use axum::{
    extract::{Path, RawQuery, Request, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{
    Context, calls,
    fault::Fault,
    openapi::{Api, schema},
};
use crate::{
    auth::Principal,
    realtime::{protocol::Dialect, webrtc::IceServer},
};

/// `POST /whip`: a call by WHIP (RFC 9725), for publishers that speak it.
pub(super) async fn publish(
    State(context): State<Arc<Context>>,
    principal: Principal,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<Response, Fault> {
    if !calls::is(request.headers(), calls::SDP) {
        return Err(calls::wrong_type(calls::SDP));
    }
    let offer = calls::offer(&context, request).await?;
    let mut response = calls::begin(&context, &principal, query.as_deref(), offer, Dialect::Ga, "/whip").await?;
    let turn = context.turn.credentials(&principal.user.to_string(), context.engine.clock.wall());
    let links = turn.iter().flat_map(|server| server.urls.iter().map(|url| link(url, server)));
    response.headers_mut().extend(links.flatten().map(|link| (header::LINK, link)));
    Ok(response)
}

/// `DELETE /whip/{id}`: the publisher is done.
pub(super) async fn unpublish(
    State(context): State<Arc<Context>>,
    principal: Principal,
    Path(id): Path<String>,
) -> Result<Response, Fault> {
    calls::end(&context, &principal, &id)?;
    Ok(StatusCode::OK.into_response())
}

/// How a TURN server is told (RFC 9725, 4.6).
fn link(url: &str, server: &IceServer) -> Option<HeaderValue> {
    let IceServer { username, credential, .. } = server;
    let link = format!(
        r#"<{url}>; rel="ice-server"; username="{username}"; credential="{credential}"; credential-type="password""#
    );
    HeaderValue::from_str(&link).ok()
}

pub(super) fn describe(api: &mut Api) {
    let model = "What to talk with; needed by those who come with a key.";
    let publish = api.post("/whip", "publish", "Opens a live session by WHIP (RFC 9725)");
    calls::offered(publish.query("model", schema::text(), model));
    api.delete("/whip/{id}", "unpublish", "Ends a call that was begun so")
        .part("id", schema::text(), "The last segment of its `location`.")
        .says_nothing(200, "It ends.");
}
