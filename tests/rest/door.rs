//! Nobody passes without what a route needs, and every refusal looks alike.

use std::time::{Duration, SystemTime};

use reqwest::{Method, StatusCode};
use secrecy::ExposeSecret;
use serde_json::json;
use voice_relay::{
    auth::{Auth, Scope, Scopes},
    clock::Clock,
    rest::{self, Need},
};

use crate::{
    database,
    server::{Answer, Server},
};

#[tokio::test]
async fn every_route_but_health_refuses_who_shows_nothing() {
    let server = Server::start().await;
    let mut open = Vec::new();
    for (path, need) in rest::routes() {
        for method in [Method::GET, Method::POST, Method::DELETE, Method::PUT, Method::PATCH, Method::HEAD] {
            let concrete = path.replace("{id}", "0190b0a0-0000-7000-8000-000000000000").replace("{*id}", "x/y");
            let concrete = concrete.replace("{deployment}", "whisper-1");
            let answer = Answer::of(server.bare(method.clone(), &concrete)).await;
            match answer.status {
                StatusCode::METHOD_NOT_ALLOWED => assert!(!answer.header("allow").is_empty(), "{method} {path}"),
                StatusCode::UNAUTHORIZED => assert_eq!(answer.header("www-authenticate"), "Bearer"),
                // No phone network is configured here, and a call is nothing without its stream.
                StatusCode::NOT_FOUND | StatusCode::UPGRADE_REQUIRED if need == Need::Call => {}
                _ => {
                    assert_eq!(need, Need::Nothing, "{method} {path} answered {}", answer.status);
                    open.push(path.clone());
                }
            }
        }
    }
    open.sort();
    open.dedup();
    let accounts = ["/api/auth/login", "/api/auth/refresh", "/api/auth/register"];
    let health =
        ["/assets/{name}", "/docs", "/health", "/health/openai", "/health/providers", "/openapi.json", "/ready"];
    // By the token that stands in their place.
    let (api, page) = (["/api/shared/{token}"], ["/shared/{token}"]);
    assert_eq!(open, [&["/"][..], &accounts, &api, &health, &page].concat());
}

#[tokio::test]
async fn every_scope_opens_its_own_routes_and_no_others() {
    let server = Server::start().await;
    for scope in Scope::ALL {
        let key = server.api_key(scope.as_str()).await;
        for (path, need) in rest::routes() {
            let concrete = path.replace("{id}", "0190b0a0-0000-7000-8000-000000000000").replace("{*id}", "voice-relay");
            let concrete = concrete.replace("{deployment}", "whisper-1");
            for method in [Method::GET, Method::POST, Method::DELETE] {
                let fits = match need {
                    Need::Nothing | Need::Key | Need::Call => true,
                    Need::Change(_) | Need::Account if method == Method::GET => true,
                    Need::Login | Need::Account => scope == Scope::Admin,
                    Need::Scope(wanted) | Need::Change(wanted) | Need::Asking(wanted) => {
                        scope == wanted || scope == Scope::Admin
                    }
                    Need::Chat => scope == Scope::Sessions || scope == Scope::Admin,
                    Need::Voice => scope == Scope::Realtime || scope == Scope::Admin,
                };
                let answer = Answer::of(server.bare(method.clone(), &concrete).bearer_auth(&key)).await;
                if answer.status != StatusCode::METHOD_NOT_ALLOWED {
                    assert_eq!(answer.status != StatusCode::FORBIDDEN, fits, "{scope:?} {method} {path}");
                }
            }
        }
    }
}

#[tokio::test]
async fn keys_are_taken_as_bearer_or_api_key_and_a_token_in_the_url_is_not() {
    let server = Server::start().await;
    let path = "/v1/models";
    for good in [
        server.bare(Method::GET, path).header("authorization", format!("bearer {}", server.key)),
        server.bare(Method::GET, path).header("api-key", &server.key),
    ] {
        assert_eq!(Answer::of(good).await.status, StatusCode::OK);
    }
    let url = format!("{path}?api-key={0}&token={0}", server.key);
    assert_eq!(Answer::of(server.bare(Method::GET, &url)).await.openai(401).0, "missing_api_key");
}

#[tokio::test]
async fn wrong_revoked_and_expired_keys_get_the_same_answer() {
    let server = Server::start().await;
    let made = server.post("/api/keys", json!({"name": "short", "expires_at": "2026-01-01T00:01:00Z"})).await;
    assert_eq!(made.status, StatusCode::CREATED);
    let expired = made.body["key"].as_str().unwrap();
    let made = server.post("/api/keys", json!({"name": "gone"})).await;
    let revoked = made.body["key"].as_str().unwrap();
    for key in [expired, revoked] {
        let answer = Answer::of(server.bare(Method::GET, "/v1/models").bearer_auth(key)).await;
        assert_eq!(answer.status, StatusCode::OK);
    }
    let id = made.body["id"].as_str().unwrap();
    assert_eq!(server.delete(&format!("/api/keys/{id}")).await.status, StatusCode::NO_CONTENT);
    server.clock.advance(Duration::from_secs(60));
    let unknown = format!("vr_{}", "A".repeat(43));
    let mut bodies = Vec::new();
    for key in [expired, revoked, &unknown, "nonsense", "ek_unknown"] {
        let answer = Answer::of(server.bare(Method::GET, "/v1/models").bearer_auth(key)).await;
        assert_eq!(answer.openai(401).0, "invalid_api_key");
        assert!(!answer.body.to_string().contains(key));
        bodies.push(answer.body);
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1);
}

#[tokio::test]
async fn guessing_is_slowed_down_and_a_neighbours_key_still_works() {
    let server = Server::start().await;
    let key = server.api_key("sessions").await;
    let try_with = |key: &str| Answer::of(server.bare(Method::GET, "/api/sessions").bearer_auth(key));
    for n in 0..60 {
        assert_eq!(try_with(&format!("guess {n}")).await.problem(401).0, "invalid_api_key");
    }
    let refused = try_with("guess").await;
    assert_eq!(refused.problem(429).0, "rate_limit_exceeded");
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(try_with(&key).await.status, StatusCode::OK);
    server.clock.advance(Duration::from_secs(2));
    assert_eq!(try_with("guess").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_made_admin_key_outlives_a_restart_and_a_fixed_one_takes_its_place() {
    let server = Server::start().await;
    let db = database::open(server.dir.path()).await;
    let (_, made) = Auth::open(db.clone(), server.clock.clone(), None).await.unwrap();
    assert!(made.is_none(), "it is shown once");
    let fixed = "a key that an operator chose".to_owned().into();
    let (auth, made) = Auth::open(db, server.clock.clone(), Some(&fixed)).await.unwrap();
    assert!(made.is_none());
    let fixed = Server::with(|context| context.auth = auth).await;
    let answer = Answer::of(fixed.bare(Method::GET, "/metrics").bearer_auth("a key that an operator chose")).await;
    assert_eq!(answer.status, StatusCode::OK);
    let old = Answer::of(fixed.bare(Method::GET, "/metrics").bearer_auth(&server.key)).await;
    assert_eq!(old.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_command_before_the_first_start_does_not_use_up_the_admin_key() {
    let dir = tempfile::tempdir().unwrap();
    let db = database::open(dir.path()).await;
    let clock = Clock::manual(SystemTime::UNIX_EPOCH);
    let command = Auth::beside(db.clone(), clock.clone()).await.unwrap();
    let key = command.create_key(command.owner().id, "phone", Scopes::usual(), None).await.unwrap();
    let (auth, made) = Auth::open(db, clock, None).await.unwrap();
    assert!(made.is_some(), "the first start shows it");
    let fixed = Server::with(|context| context.auth = auth).await;
    let answer = Answer::of(fixed.bare(Method::GET, "/v1/models").bearer_auth(key.secret.expose_secret())).await;
    assert_eq!(answer.status, StatusCode::OK, "and the command's key opens the same door");
}

#[tokio::test]
async fn unknown_paths_and_methods_are_told_in_the_dialect_of_the_path() {
    let server = Server::start().await;
    assert_eq!(server.get("/api/nothing").await.problem(404).0, "not_found");
    assert_eq!(server.get("/v1/nothing").await.openai(404).0, "not_found");
    let wrong = server.delete("/api/sessions").await;
    assert_eq!(wrong.problem(405).0, "method_not_allowed");
    assert_eq!(wrong.header("allow"), "GET,HEAD,POST");
    assert_eq!(server.post("/v1/models", json!({})).await.openai(405).0, "method_not_allowed");
}

#[tokio::test]
async fn every_response_has_an_id_of_its_own() {
    let server = Server::start().await;
    let mut ids = Vec::new();
    for path in ["/health", "/v1/models", "/api/nothing", "/api/sessions"] {
        let answer = server.get(path).await;
        ids.push(answer.header("x-request-id").to_owned());
        assert!(ids.last().unwrap().starts_with("req_"), "{path}");
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 4);
}

#[tokio::test]
async fn a_panic_answers_500_under_an_id_and_says_nothing_of_the_inside() {
    let server = Server::with(|context| context.metrics = std::sync::Arc::new(|| panic!("secret inside"))).await;
    let answer = server.get("/metrics").await;
    assert_eq!(answer.problem(500).0, "internal_error");
    assert_eq!(answer.body["request_id"], answer.header("x-request-id"));
    assert!(!answer.body.to_string().contains("secret"));
    assert_eq!(server.get("/health").await.status, StatusCode::OK, "the next request is served");
}

#[tokio::test]
async fn a_store_that_is_away_answers_503_and_is_not_ready() {
    let server = Server::start().await;
    assert_eq!(server.get("/ready").await.body["status"], "ready");
    server.context.db.close().await;
    let away = server.get("/api/sessions").await;
    assert_eq!((away.problem(503).0.as_str(), away.header("retry-after")), ("storage_unavailable", "5"));
    let ready = server.get("/ready").await;
    assert_eq!((ready.status, &ready.body["checks"]["database"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("failed")));
    assert_eq!(server.get("/health").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_draining_server_is_alive_but_not_ready() {
    let server = Server::start().await;
    server.context.engine.drain.begin();
    assert_eq!(server.get("/health").await.status, StatusCode::OK);
    let ready = server.get("/ready").await;
    assert_eq!(
        (ready.status, &ready.body["checks"]["accepting"]),
        (StatusCode::SERVICE_UNAVAILABLE, &json!("draining"))
    );
}

#[tokio::test]
async fn pages_of_other_origins_are_kept_out_unless_configured() {
    let preflight = |server: &Server, origin: &'static str| {
        server
            .bare(Method::OPTIONS, "/api/sessions")
            .header("origin", origin)
            .header("access-control-request-method", "GET")
            .header("access-control-request-headers", "authorization, x-openai-agents-sdk")
    };
    let closed = Server::start().await;
    let answer = Answer::of(preflight(&closed, "https://app.example.org")).await;
    assert_eq!(answer.header("access-control-allow-origin"), "");

    let open = Server::with(|context| context.config.allowed_origins = vec!["https://app.example.org".into()]).await;
    let answer = Answer::of(preflight(&open, "https://app.example.org")).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.header("access-control-allow-origin"), "https://app.example.org");
    assert_eq!(answer.header("access-control-allow-headers"), "authorization, x-openai-agents-sdk");
    let refused = Answer::of(open.bare(Method::GET, "/v1/models").header("origin", "https://app.example.org")).await;
    assert_eq!(refused.openai(401).0, "missing_api_key");
    assert_eq!(refused.header("access-control-allow-origin"), "https://app.example.org");
    let other = Answer::of(preflight(&open, "https://evil.example.org")).await;
    assert_eq!(other.header("access-control-allow-origin"), "");
}
