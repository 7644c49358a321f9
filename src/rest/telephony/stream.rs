//! `/telephony/{dialect}`: the sockets that calls come in by.
//!
//! A caller is let in by a credential of the relay, which stands in the handshake or among the parameters of the stream's
//! start, or by Twilio's signature of the handshake. Who shows a client secret gets its session; who shows a key, or is
//! known by a signature, gets the configured one.

use std::{convert::Infallible, net::IpAddr, sync::Arc};

use axum::{
    extract::{
        FromRequestParts, Path, State,
        ws::{WebSocketUpgrade, rejection::WebSocketUpgradeRejection},
    },
    http::{StatusCode, request::Parts},
    response::Response,
};
use providers::Secret;
use serde_json::value::RawValue;

use super::{GREETING, TOKEN, twilio};
use crate::{
    auth::{Credential, Denied, Via},
    realtime::{Admitted, Dialect, Introduction, Refusal, limited_call, protocol::Query, serve_call},
    rest::{
        Context, address,
        fault::Fault,
        opening::{self, NoPlace, Party},
    },
};

/// `GET /telephony/{dialect}`.
pub(in crate::rest) async fn connect(
    State(context): State<Arc<Context>>,
    Path(dialect): Path<String>,
    shown: Shown,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Fault> {
    let dialect = Dialect::ALL.into_iter().find(|known| known.name() == dialect).ok_or_else(Fault::not_found)?;
    let upgrade = upgrade.map_err(|_| {
        let message = "Calls are streamed over WebSocket: connect with an upgrade.";
        Fault::new(StatusCode::UPGRADE_REQUIRED, "upgrade_required", message)
    })?;
    // Asterisk offers `media` and takes no other answer.
    let upgrade = limited_call(upgrade).protocols(["media"]);
    Ok(upgrade.on_upgrade(move |socket| serve_call(socket, dialect, move |who| admit(context, dialect, shown, who))))
}

/// What a handshake shows.
pub(in crate::rest) struct Shown {
    credential: Option<Credential>,
    /// Twilio signed it for this URL.
    signed: bool,
    from: Option<IpAddr>,
}

impl FromRequestParts<Arc<Context>> for Shown {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, context: &Arc<Context>) -> Result<Self, Infallible> {
        let credential = Credential::of_request(&parts.headers)
            .or_else(|| Credential::of_password(&parts.headers))
            .or_else(|| Credential::of_url(&parts.uri));
        let signed = twilio::signed_stream(context, &parts.headers, &parts.uri);
        let from = address::of(&parts.extensions);
        Ok(Self { credential, signed, from })
    }
}

async fn admit(context: Arc<Context>, dialect: Dialect, shown: Shown, who: Introduction) -> Result<Admitted, Refusal> {
    let (party, session) = recognise(&context, &shown, &who).await?;
    let session = RawValue::from_string(session.as_ref().to_owned()).map_err(|_| INTERNAL)?;
    let query = Query::Conversation { model: None };
    let settings = opening::settings(&context, &query, Some(&session)).map_err(|_| SESSION)?;
    let start = opening::place(&context, party, settings, None, dialect.name()).map_err(|none| match none {
        NoPlace::Draining => Refusal { code: 1001, reason: "The server is going away." },
        NoPlace::Refused(_) => Refusal { code: 1013, reason: "No call can be taken now: all places are taken." },
    })?;
    let own = who.parameter(GREETING).map(str::to_owned);
    let usual = || Some(context.telephony.greeting.clone()).filter(|_| shown.signed && shown.credential.is_none());
    let greeting = own.or_else(usual).filter(|greeting| !greeting.is_empty());
    Ok(Admitted { start, greeting })
}

/// Who calls, and the session they brought: a token among the parameters goes before what the handshake showed.
async fn recognise(context: &Context, shown: &Shown, who: &Introduction) -> Result<(Party, Arc<str>), Refusal> {
    let told = who.parameter(TOKEN).map(|token| Credential::from(Secret::from(token)));
    let usual = || context.telephony.session_json().into();
    let Some(credential) = told.or_else(|| shown.credential.clone()) else {
        if shown.signed {
            return Ok((Party { user: context.auth.owner().id, ticket: None }, usual()));
        }
        return Err(Refusal { code: 1008, reason: "A call needs a token: docs/telephony.md tells how it gets one." });
    };
    let principal = context.auth.authenticate(&credential, shown.from).await.map_err(|denied| match denied {
        Denied::Wrong => Refusal { code: 1008, reason: "The token is wrong, expired or revoked." },
        Denied::TooMany { .. } => Refusal { code: 1008, reason: "Too many wrong tokens came from your address." },
        Denied::Unavailable(_) => INTERNAL,
    })?;
    if !principal.may_converse() {
        return Err(Refusal { code: 1008, reason: "This credential may not do that: it takes the scope `realtime`." });
    }
    let party = Party::of(&principal);
    let session = match &principal.via {
        Via::ClientSecret(grant) if grant.session.as_ref() != "null" => Arc::clone(&grant.session),
        Via::ClientSecret(_) | Via::AdminKey | Via::ApiKey(_) | Via::AccessToken(_) => usual(),
    };
    Ok((party, session))
}

const INTERNAL: Refusal = Refusal { code: 1011, reason: "Internal error." };
const SESSION: Refusal = Refusal { code: 1008, reason: "The call's session cannot be: its model is not offered here." };
