//! The HTTP surface: one resource a file, and this table of routes.
//!
//! Every route states what it [`Need`]s; without it there is no way into the table, so nothing is open by oversight.
//! Errors are one type, [`Fault`], spelled as the path's readers expect it: problem+json, or the OpenAI
//! error object under `/v1` and `/openai`.

mod accounts;
mod address;
mod attachments;
mod azure;
mod bibliography;
mod body;
mod calls;
mod chat;
mod citations;
mod clauses;
mod clinical;
mod cloning;
mod completions;
mod context;
mod dictation;
mod documents;
mod download;
mod embedded;
mod encoding;
mod ephemeral;
mod excerpt;
mod exports;
mod fault;
mod filename;
mod folders;
mod guard;
mod headers;
mod health;
mod history;
mod home;
mod idempotency;
mod intake;
mod keys;
mod lame;
mod limits;
mod messages;
mod models;
mod objects;
mod openapi;
mod opening;
mod origin;
mod page;
mod past;
mod preferences;
mod presses;
mod promises;
mod provider;
mod providers;
mod rates;
mod ready;
mod realtime;
mod replies;
mod request;
mod samples;
mod search;
mod secrets;
mod sessions;
mod shared;
mod shares;
mod sideband;
mod sound;
mod speech;
mod spelling;
mod subtitles;
mod synthesis;
pub mod telephony;
mod transcriptions;
mod tree;
mod upload;
mod users;
mod voice;
mod voices;
mod whip;

use std::{borrow::Cow, convert::Infallible, sync::Arc};

use axum::{
    Extension, Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{MethodRouter, delete, get, patch, post},
};
pub use context::{Config, Context};
pub use fault::Fault;
pub use guard::Need;
pub use home::has_page;
pub use models::Catalog;
pub use rates::Rate;
pub use ready::{Look, Part, Ready};

use crate::{
    auth::{Guesses, Scope},
    realtime::protocol::Dialect,
};

/// A path, what it takes to call it, and what answers.
struct Route {
    path: Cow<'static, str>,
    need: Need,
    methods: MethodRouter<Arc<Context>>,
}

fn table() -> Vec<Route> {
    let route = |path: &'static str, need, methods| Route { path: path.into(), need, methods };
    let (cloning, (shared_page, shared), (transcriptions, recordings)) = (cloning(), shared(), recordings());
    let mut routes = vec![
        route("/", Need::Nothing, get(home::show)),
        route("/assets/{name}", Need::Nothing, get(home::asset)),
        route("/health", Need::Nothing, get(health::live)),
        route("/health/openai", Need::Nothing, get(providers::openai)),
        route("/health/providers", Need::Nothing, get(providers::health)),
        route("/ready", Need::Nothing, get(ready::show)),
        route("/openapi.json", Need::Nothing, get(openapi::json)),
        route("/docs", Need::Nothing, get(openapi::docs)),
        route("/metrics", Need::Scope(Scope::Admin), get(health::metrics)),
        route("/v1/realtime", Need::Voice, get(realtime::connect).merge(beta_calls())),
        route("/v1/realtime/calls", Need::Voice, post(calls::create)),
        route("/v1/realtime/calls/{id}/hangup", Need::Voice, post(calls::hang_up)),
        route("/whip", Need::Voice, post(whip::publish)),
        route("/whip/{id}", Need::Voice, delete(whip::unpublish)),
        route("/v1/realtime/client_secrets", Need::Scope(Scope::Realtime), post(secrets::create)),
        route("/v1/realtime/sessions", Need::Scope(Scope::Realtime), post(ephemeral::conversation)),
        route("/v1/realtime/transcription_sessions", Need::Scope(Scope::Realtime), post(ephemeral::transcription)),
        route("/v1/models", Need::Key, get(models::list)),
        route("/v1/models/{*id}", Need::Key, get(models::show)),
        route("/v1/chat/completions", Need::Scope(Scope::Realtime), chat()),
        route("/v1/audio/speech", Need::Scope(Scope::Speech), post(speech::speak)),
        route("/v1/audio/transcriptions", Need::Scope(Scope::Speech), transcriptions),
        route("/api/sessions", Need::Scope(Scope::Sessions), get(sessions::list).post(sessions::create)),
        route("/api/sessions/{id}", Need::Scope(Scope::Sessions), session()),
        route("/api/sessions/{id}/messages", Need::Scope(Scope::Sessions), get(messages::list).post(messages::create)),
        route("/api/sessions/{id}/replies", Need::Scope(Scope::Sessions), post(replies::create)),
        route("/api/realtime/ws", Need::Chat, get(chat::connect)),
        route("/api/messages/{id}", Need::Scope(Scope::Sessions), message()),
        route("/api/messages/{id}/citations", Need::Scope(Scope::Sessions), get(citations::list)),
        route("/api/sessions/{id}/bibliography", Need::Scope(Scope::Sessions), get(bibliography::show)),
        route("/api/messages/{id}/attachments", Need::Scope(Scope::Sessions), attachments()),
        route(
            "/api/attachments/{id}",
            Need::Scope(Scope::Sessions),
            get(attachments::show).delete(attachments::remove),
        ),
        route("/api/attachments/{id}/download", Need::Scope(Scope::Sessions), get(download::attachment)),
        route("/api/attachments/{id}/text", Need::Scope(Scope::Sessions), get(attachments::text)),
        route("/api/attachments/{id}/thumbnail", Need::Scope(Scope::Sessions), get(attachments::thumbnail)),
        route("/api/limits", Need::Key, get(limits::show)),
        route("/api/documents", Need::Scope(Scope::Sessions), documents()),
        route("/api/documents/{id}", Need::Scope(Scope::Sessions), document()),
        route("/api/documents/{id}/file", Need::Scope(Scope::Sessions), get(download::document)),
        route("/api/documents/{id}/text", Need::Scope(Scope::Sessions), get(documents::text)),
        route("/api/sessions/{id}/export/markdown", Need::Scope(Scope::Sessions), get(exports::markdown)),
        route("/api/sessions/{id}/export/json", Need::Scope(Scope::Sessions), get(exports::json)),
        route("/api/sessions/{id}/export/pdf", Need::Scope(Scope::Sessions), pdf()),
        route("/api/keys", Need::Login, get(keys::list).post(keys::create)),
        route("/api/keys/{id}", Need::Login, delete(keys::revoke)),
        route("/api/auth/register", Need::Nothing, post(accounts::register)),
        route("/api/auth/login", Need::Nothing, post(accounts::log_in)),
        route("/api/auth/refresh", Need::Nothing, post(accounts::refresh)),
        route("/api/auth/logout", Need::Nothing, post(accounts::log_out)),
        route("/api/users", Need::Scope(Scope::Admin), get(users::list)),
        route("/api/users/me", Need::Account, get(users::me).patch(users::change).delete(users::remove)),
        route("/api/users/me/password", Need::Account, post(accounts::change_password)),
        route("/api/users/{id}", Need::Scope(Scope::Admin), patch(users::administer)),
        route("/api/sessions/{id}/share", Need::Scope(Scope::Sessions), post(shares::create)),
        route("/api/sessions/{id}/share/{token}", Need::Scope(Scope::Sessions), delete(shares::revoke)),
        route("/api/sessions/{id}/shares", Need::Scope(Scope::Sessions), get(shares::list)),
        route("/api/shared/{token}", Need::Nothing, shared),
        route("/shared/{token}", Need::Nothing, shared_page),
        route("/api/folders", Need::Scope(Scope::Sessions), get(folders::list).post(folders::create)),
        route("/api/folders/tree", Need::Scope(Scope::Sessions), get(folders::tree)),
        route("/api/folders/{id}", Need::Scope(Scope::Sessions), folder()),
        route("/api/folders/{id}/move/{target}", Need::Scope(Scope::Sessions), post(folders::relocate)),
        route("/api/clinical-contexts", Need::Scope(Scope::Sessions), post(clinical::create)),
        route("/api/clinical-contexts/current", Need::Scope(Scope::Sessions), get(clinical::current)),
        route("/api/clinical-contexts/{id}", Need::Scope(Scope::Sessions), clinical_context()),
        route("/api/search", Need::Asking(Scope::Sessions), post(search::ask)),
        route("/telephony/{dialect}", Need::Call, get(telephony::stream::connect)),
        route("/telephony/twilio/voice", Need::Call, get(telephony::twilio::answer).post(telephony::twilio::answer)),
        route("/telephony/telnyx/voice", Need::Call, post(telephony::telnyx::answer)),
        route("/telephony/vonage/answer", Need::Call, get(telephony::vonage::answer).post(telephony::vonage::answer)),
        route("/telephony/vonage/event", Need::Call, post(telephony::vonage::event)),
        route("/voice/providers", Need::Key, get(providers::list)),
        route("/voice/transcribe", Need::Scope(Scope::Speech), recordings.clone()),
        route("/voice/synthesize", Need::Scope(Scope::Speech), post(synthesis::speak)),
        route("/voice/realtime-session", Need::Scope(Scope::Realtime), post(promises::create)),
        route("/voice/sessions", Need::Scope(Scope::Realtime), get(voice::list)),
        route("/voice/sessions/{id}", Need::Scope(Scope::Realtime), get(voice::show).delete(voice::end)),
        route("/voice/voices", Need::Change(Scope::Admin), get(voices::list).merge(cloning.clone())),
        route("/voice/voices/{id}", Need::Change(Scope::Admin), delete(cloning::remove)),
        route("/api/voice/providers", Need::Key, get(providers::list)),
        route("/api/voice/transcribe", Need::Scope(Scope::Speech), recordings),
        route("/api/voice/synthesize", Need::Scope(Scope::Speech), post(synthesis::speak)),
        route("/api/voice/realtime-session", Need::Scope(Scope::Realtime), post(promises::create)),
        route("/api/voice/sessions", Need::Scope(Scope::Realtime), get(voice::list)),
        route("/api/voice/sessions/{id}", Need::Scope(Scope::Realtime), get(voice::show).delete(voice::end)),
        route("/api/voice/voices", Need::Change(Scope::Admin), get(voices::list).merge(cloning)),
        route("/api/voice/voices/{id}", Need::Change(Scope::Admin), delete(cloning::remove)),
    ];
    routes.extend(azure::aliases(&routes));
    routes
}

fn session() -> MethodRouter<Arc<Context>> {
    get(sessions::show).patch(sessions::change).delete(sessions::remove)
}

fn folder() -> MethodRouter<Arc<Context>> {
    get(folders::show).put(folders::change).delete(folders::remove)
}

fn clinical_context() -> MethodRouter<Arc<Context>> {
    get(clinical::show).put(clinical::change).delete(clinical::remove)
}

fn message() -> MethodRouter<Arc<Context>> {
    get(messages::show).patch(messages::change).delete(messages::remove)
}

/// Files are as large as the configuration says, which is looked at while they come.
fn attachments() -> MethodRouter<Arc<Context>> {
    let create = post(attachments::create).layer::<_, Infallible>(DefaultBodyLimit::disable());
    get(attachments::list).merge(create)
}

/// Files as those of messages.
fn documents() -> MethodRouter<Arc<Context>> {
    let create = post(documents::create).layer::<_, Infallible>(DefaultBodyLimit::disable());
    get(documents::list).merge(create)
}

fn document() -> MethodRouter<Arc<Context>> {
    get(documents::show).patch(documents::change).delete(documents::remove)
}

/// Where the beta's clients post what they offer.
fn beta_calls() -> MethodRouter<Arc<Context>> {
    post(calls::create).layer::<_, Infallible>(Extension(Dialect::Beta))
}

/// Recordings as the hosted service's clients send them, and as ours do. They may be larger than other bodies, and there is
/// one desk where they wait.
fn recordings() -> (MethodRouter<Arc<Context>>, MethodRouter<Arc<Context>>) {
    let desk = (DefaultBodyLimit::max(transcriptions::BODY), Extension(Arc::new(dictation::Desk::new())));
    let theirs = post(transcriptions::transcribe).layer::<_, Infallible>(desk.clone());
    (theirs, post(transcriptions::hear).layer::<_, Infallible>(desk))
}

/// Conversations come whole with each request.
fn chat() -> MethodRouter<Arc<Context>> {
    post(completions::create).layer::<_, Infallible>(DefaultBodyLimit::max(completions::BODY))
}

/// Shared conversations as a page and as JSON. A guess at a password counts for both.
fn shared() -> (MethodRouter<Arc<Context>>, MethodRouter<Arc<Context>>) {
    let guesses = Extension(Arc::new(Guesses::default()));
    let page = get(shared::page::show).post(shared::page::unlock);
    let json = get(shared::json::show).post(shared::json::unlock);
    (page.layer::<_, Infallible>(guesses.clone()), json.layer::<_, Infallible>(guesses))
}

/// Conversations as PDF, a few at a time.
fn pdf() -> MethodRouter<Arc<Context>> {
    get(exports::pdf).layer::<_, Infallible>(Extension(Arc::new(presses::Presses::new())))
}

/// Takes larger bodies than the others, a few at a time.
fn cloning() -> MethodRouter<Arc<Context>> {
    let limit = DefaultBodyLimit::max(samples::BODY);
    post(cloning::make).layer::<_, Infallible>((limit, Extension(Arc::new(cloning::Booths::new()))))
}

/// Every path and what it takes to call it, for documentation and for the test that walks it.
pub fn routes() -> Vec<(Cow<'static, str>, Need)> {
    table().into_iter().map(|route| (route.path, route.need)).collect()
}

/// The HTTP surface over `context`. Serve it with `into_make_service_with_connect_info::<SocketAddr>()`, so that wrong
/// credentials are counted per address.
pub fn router(context: Arc<Context>) -> Router {
    let mut router = Router::new();
    let rates = Arc::new(rates::Rates::new(context.config.rate));
    for Route { path, need, mut methods } in table() {
        if idempotency::holds_for(&path) {
            let once = middleware::from_fn_with_state(Arc::clone(&context), idempotency::honour);
            methods = methods.route_layer(once);
        }
        let guard = guard::Guard { context: Arc::clone(&context), need, rates: Arc::clone(&rates) };
        router = router.route(&path, methods.route_layer(middleware::from_fn_with_state(guard, guard::admit)));
    }
    router
        .fallback(async || Fault::not_found())
        .method_not_allowed_fallback(async || Fault::method_not_allowed())
        .layer(DefaultBodyLimit::max(BODY))
        .layer(request::cors(&context.config.allowed_origins))
        .layer(middleware::from_fn_with_state(Arc::clone(&context), request::attend))
        .layer(request::compression())
        .with_state(context)
}

/// Largest body of a JSON request: a session configuration with many tools, with room to spare.
const BODY: usize = 256 << 10;
