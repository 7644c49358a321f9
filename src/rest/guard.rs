//! Nobody passes a route without what it needs.

use std::{convert::Infallible, net::IpAddr, sync::Arc};

use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, Method, header, request::Parts},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{
    Context, address,
    fault::Fault,
    rates::{Caller, Rates},
};
use crate::{
    auth::{Credential, Principal, Scope},
    realtime::protocol::subprotocol::{self, Offer},
};

/// What it takes to call a route.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Need {
    /// Nothing: anybody may know that we are alive.
    Nothing,
    /// A key, whatever its scopes.
    Key,
    /// A key with this scope.
    Scope(Scope),
    /// A key, whatever its scopes, to read; one with this scope to change anything.
    Change(Scope),
    /// A key with this scope, by any method: it asks, and changes nothing.
    Asking(Scope),
    /// A login of a person, or a key with the scope `admin`: a key that gets lost makes no others.
    Login,
    /// The same for whoever deals with their own account, viewers too; any key to read it.
    Account,
    /// A key with the scope `realtime`, or a client secret, in any form a WebSocket can carry it.
    Voice,
    /// A key with the scope `sessions`, or a client secret that is for one conversation, in any form a WebSocket can carry it.
    Chat,
    /// A phone network's signature, or a credential that comes with the call's first message: the route itself looks.
    Call,
}

/// What stands before a route.
#[derive(Clone)]
pub(super) struct Guard {
    pub(super) context: Arc<Context>,
    pub(super) need: Need,
    pub(super) rates: Arc<Rates>,
}

/// Recognises the caller and leaves the [`Principal`] with the request, or refuses before any of the body is read. Who asks
/// too often is refused as well, once it is known who it is.
pub(super) async fn admit(State(guard): State<Guard>, mut request: Request, next: Next) -> Response {
    let Guard { context, need, rates } = guard;
    let (need, writes) = (need.of(request.method()), need.writes(request.method()));
    let from = address::of(request.extensions());
    let caller = if matches!(need, Need::Nothing | Need::Call) {
        Caller::at(from)
    } else {
        let principal = match recognise(&context, need, credential(need, &request), from).await {
            Ok(principal) if writes && !principal.may_write() => return Fault::read_only().into_response(),
            Ok(principal) => principal,
            Err(fault) => return fault.into_response(),
        };
        let caller = Caller::of(&principal, from);
        request.extensions_mut().insert(principal);
        caller
    };
    let (allowance, wait) = rates.count(caller, context.engine.clock.now());
    let mut response = match wait {
        None => next.run(request).await,
        Some(wait) => Fault::too_many(wait).into_response(),
    };
    allowance.tell(response.headers_mut());
    response
}

/// What the caller presented, in the forms this route takes: browsers cannot set headers on a WebSocket.
fn credential(need: Need, request: &Request) -> Option<Credential> {
    let in_headers = Credential::of_request(request.headers());
    match need {
        Need::Voice | Need::Chat => in_headers
            .or_else(|| subprotocol(request.headers()).credential.map(Credential::from))
            .or_else(|| Credential::of_url(request.uri())),
        Need::Nothing
        | Need::Key
        | Need::Scope(_)
        | Need::Change(_)
        | Need::Asking(_)
        | Need::Login
        | Need::Account
        | Need::Call => in_headers,
    }
}

/// What the client's list of WebSocket subprotocols amounts to.
pub(super) fn subprotocol(headers: &HeaderMap) -> Offer {
    let offered = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).into_iter();
    subprotocol::read(offered.filter_map(|value| value.to_str().ok()))
}

async fn recognise(
    context: &Context,
    need: Need,
    credential: Option<Credential>,
    from: Option<IpAddr>,
) -> Result<Principal, Fault> {
    let credential = credential.ok_or_else(Fault::missing_credential)?;
    let principal = context.auth.authenticate(&credential, from).await?;
    let fits = match need {
        Need::Nothing | Need::Call => true,
        Need::Key => principal.holds_key(),
        Need::Scope(scope) | Need::Change(scope) | Need::Asking(scope) => principal.holds_key() && principal.may(scope),
        Need::Login | Need::Account => principal.in_person(),
        Need::Voice => principal.may(Scope::Realtime),
        Need::Chat => match principal.grant() {
            Some(grant) => grant.reserved.is_some(),
            None => principal.may(Scope::Sessions),
        },
    };
    if fits { Ok(principal) } else { Err(Fault::forbidden(need.name())) }
}

/// Where a request comes from, for routes that count attempts.
pub(super) struct Origin(pub(super) Option<IpAddr>);

impl FromRequestParts<Arc<Context>> for Origin {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Context>) -> Result<Self, Infallible> {
        Ok(Self(address::of(&parts.extensions)))
    }
}

impl Need {
    /// What it takes to call a route by this method.
    pub(super) fn of(self, method: &Method) -> Self {
        match self {
            Self::Change(_) if method.is_safe() => Self::Key,
            Self::Account if method.is_safe() => Self::Key,
            Self::Change(scope) => Self::Scope(scope),
            Self::Nothing
            | Self::Key
            | Self::Scope(_)
            | Self::Asking(_)
            | Self::Login
            | Self::Account
            | Self::Voice
            | Self::Chat
            | Self::Call => self,
        }
    }

    /// Whether calling a route by this method is a write, which viewers may not. A live conversation is one, however it
    /// begins; to follow a typed one is none, and neither is what one does with one's own account.
    pub(super) fn writes(self, method: &Method) -> bool {
        match self {
            Self::Voice => true,
            Self::Account | Self::Asking(_) | Self::Chat => false,
            Self::Nothing | Self::Key | Self::Scope(_) | Self::Change(_) | Self::Login | Self::Call => {
                !method.is_safe()
            }
        }
    }

    /// What the API's description calls it.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Call => "call",
            Self::Key => "key",
            Self::Scope(scope) | Self::Change(scope) | Self::Asking(scope) => scope.as_str(),
            Self::Login => "login",
            Self::Account => "account",
            Self::Voice => "voice",
            Self::Chat => Scope::Sessions.as_str(),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Nothing | Self::Call => "none",
            Self::Key => "any, of an API key",
            Self::Scope(scope) | Self::Change(scope) | Self::Asking(scope) => scope.as_str(),
            Self::Login | Self::Account => "admin, or a login with a password",
            Self::Voice => Scope::Realtime.as_str(),
            Self::Chat => Scope::Sessions.as_str(),
        }
    }
}

/// Whoever asks an open route, if they say who they are. A credential that is wrong is refused here as anywhere.
pub(super) struct Known(pub(super) Option<Principal>);

impl FromRequestParts<Arc<Context>> for Known {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, context: &Arc<Context>) -> Result<Self, Fault> {
        let Some(credential) = Credential::of_request(&parts.headers) else { return Ok(Self(None)) };
        let from = address::of(&parts.extensions);
        Ok(Self(Some(context.auth.authenticate(&credential, from).await?)))
    }
}

/// A route that asks for a principal without needing one answers as if the credential were missing.
impl FromRequestParts<Arc<Context>> for Principal {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Context>) -> Result<Self, Fault> {
        parts.extensions.get::<Self>().cloned().ok_or_else(Fault::missing_credential)
    }
}
