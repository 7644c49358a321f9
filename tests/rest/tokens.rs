//! Access tokens and refresh tokens: what is good, for how long, and how it ends.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::{Method, StatusCode};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use voice_relay::{
    auth::{self, Auth},
    store::signing,
};

use crate::{
    database,
    people::{Person, bare_post, refresh},
    server::{Answer, START, Server},
};

/// What a token says.
fn claims(token: &str) -> Value {
    let body = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(body).unwrap()).unwrap()
}

fn header(token: &str) -> Value {
    let header = token.split('.').next().unwrap();
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap()
}

/// Signs anything with the relay's own key: what even that does not make good.
async fn forged(server: &Server, claims: &Value) -> String {
    let key = signing::newest(&server.context.db).await.unwrap();
    let header = Header { kid: Some(key.id.to_string()), ..Header::new(Algorithm::EdDSA) };
    jsonwebtoken::encode(&header, claims, &EncodingKey::from_ed_der(key.secret.expose_secret())).unwrap()
}

/// The same server after a restart: the same database and clock, and nothing remembered.
async fn restarted(server: &Server) -> Server {
    let db = database::open(server.dir.path()).await;
    let (auth, _) = Auth::open(db.clone(), server.clock.clone(), None).await.unwrap();
    Server::with(|context| {
        context.auth = auth;
        context.db = db;
    })
    .await
}

async fn status(server: &Server, token: &str) -> StatusCode {
    Answer::of(server.bare(Method::GET, "/api/sessions").bearer_auth(token)).await.status
}

#[tokio::test]
async fn an_access_token_says_whose_it_is_and_for_how_long() {
    let server = Server::start().await;
    let ann = Person::new(&server, "ann@example.org").await;
    let says = claims(&ann.access);
    assert_eq!(header(&ann.access)["alg"], "EdDSA");
    assert_eq!((&says["sub"], &says["email"]), (&json!(ann.id), &json!("ann@example.org")));
    assert_eq!((&says["role"], &says["type"], &says["iss"]), (&json!("user"), &json!("access"), &json!("voice-relay")));
    assert_eq!((&says["iat"], &says["exp"]), (&json!(START), &json!(START + 900)));
    assert!(says["jti"].is_string() && says["sid"].is_string());
    server.clock.advance(Duration::from_secs(904));
    assert!(ann.is_in(&server).await);
    server.clock.advance(Duration::from_secs(1));
    let expired = ann.get(&server, "/api/sessions").await;
    assert_eq!(expired.problem(401).0, "invalid_api_key");
    assert_eq!(expired.header("www-authenticate"), "Bearer");
}

#[tokio::test]
async fn what_the_relay_did_not_sign_so_is_refused_however_it_looks() {
    let server = Server::start().await;
    let ann = Person::new(&server, "ann@example.org").await;
    let [head, body, signature] = ann.access.split('.').collect::<Vec<_>>().try_into().unwrap();
    let kid = header(&ann.access)["kid"].clone();
    let encode = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let mut admin = claims(&ann.access);
    admin["role"] = json!("admin");
    admin["sub"] = json!(server.context.auth.owner().id);
    let none = |alg: &str| encode(&json!({"alg": alg, "typ": "JWT", "kid": kid}));

    let id = kid.as_str().unwrap().parse().unwrap();
    let public = signing::public(&server.context.db, id).await.unwrap().unwrap();
    let secret = |alg| {
        let header = Header { kid: Some(id.to_string()), ..Header::new(alg) };
        jsonwebtoken::encode(&header, &claims(&ann.access), &EncodingKey::from_secret(&public)).unwrap()
    };
    let elsewhere = Server::start().await;
    let foreign = Person::new(&elsewhere, "ann@example.org").await;
    for (what, token) in [
        ("no algorithm, no signature", format!("{}.{body}.", none("none"))),
        ("no algorithm, our signature", format!("{}.{body}.{signature}", none("none"))),
        ("capitals", format!("{}.{body}.", none("nOnE"))),
        ("the public key as a shared secret", secret(Algorithm::HS256)),
        ("the same, longer", secret(Algorithm::HS512)),
        ("claims changed", format!("{head}.{}.{signature}", encode(&admin))),
        ("no signature", format!("{head}.{body}.")),
        ("half a signature", format!("{head}.{body}.{}", &signature[..43])),
        ("no key named", format!("{}.{body}.{signature}", encode(&json!({"alg": "EdDSA"})))),
        (
            "a path for a key",
            format!("{}.{body}.{signature}", encode(&json!({"alg": "EdDSA", "kid": "../../etc/passwd"}))),
        ),
        ("another relay's", foreign.access.clone()),
        ("dots alone", "eyJ..".to_owned()),
        ("a refresh token", ann.refresh.clone()),
    ] {
        assert_eq!(status(&server, &token).await, StatusCode::UNAUTHORIZED, "{what}");
    }
    assert!(ann.is_in(&server).await);
}

#[tokio::test]
async fn claims_are_held_to_their_word_whoever_signed_them() {
    let server = Server::start().await;
    let ann = Person::new(&server, "ann@example.org").await;
    let bob = Person::new(&server, "bob@example.org").await;
    let good = claims(&ann.access);
    assert_eq!(status(&server, &forged(&server, &good).await).await, StatusCode::OK);
    let with = |field: &str, value: Value| {
        let mut claims = good.clone();
        claims[field] = value;
        claims
    };
    for (field, value, expected) in [
        ("iss", json!("https://accounts.example.org"), 401),
        ("iss", json!(["voice-relay", "another"]), 401),
        ("iss", Value::Null, 401),
        ("type", json!("refresh"), 401),
        ("aud", json!("another service"), 401),
        ("exp", json!(START - 5), 401),
        ("exp", json!(START - 4), 200),
        ("exp", json!("never"), 401),
        ("exp", Value::Null, 401),
        ("iat", json!(START + 5), 200),
        ("iat", json!(START + 6), 401),
        ("sub", json!(bob.id), 401),
        ("sub", json!("nobody"), 401),
        ("sid", claims(&bob.access)["sid"].clone(), 401),
        ("sid", json!("0190b0a0-0000-7000-8000-000000000000"), 401),
    ] {
        let token = forged(&server, &with(field, value.clone())).await;
        assert_eq!(status(&server, &token).await.as_u16(), expected, "{field}: {value}");
    }
    let boast = forged(&server, &with("role", json!("admin"))).await;
    let users = Answer::of(server.bare(Method::GET, "/api/users").bearer_auth(boast)).await;
    assert_eq!(users.status, StatusCode::FORBIDDEN, "the role is looked up, not believed");
}

#[tokio::test]
async fn two_signing_keys_are_good_at_a_time() {
    let server = Server::start().await;
    let first = Person::new(&server, "ann@example.org").await;
    // As `voice-relay keys rotate-signing-key` does, in a process of its own.
    let beside = Auth::beside(server.context.db.clone(), server.clock.clone()).await.unwrap();
    let key = beside.rotate_signing_key().await.unwrap();
    let second = Person::enters(&server, "ann@example.org").await;
    assert_eq!(header(&second.access)["kid"], json!(key.to_string()), "the running relay signs with it at once");
    assert!(first.is_in(&server).await && second.is_in(&server).await);
    beside.rotate_signing_key().await.unwrap();
    let third = Person::enters(&server, "ann@example.org").await;
    assert!(!first.is_in(&server).await, "the oldest is retired at once");
    assert!(second.is_in(&server).await && third.is_in(&server).await);
    let renewed = first.refreshed(&server).await;
    assert_eq!(renewed.status, StatusCode::OK, "its owner is still logged in");
    assert!(first.with(&renewed).is_in(&server).await);
}

#[tokio::test]
async fn a_refresh_token_is_good_once_and_its_successor_goes_on() {
    let server = Server::start().await;
    let ann = Person::new(&server, "ann@example.org").await;
    let renewed = ann.refreshed(&server).await;
    assert_eq!((renewed.status, renewed.header("cache-control")), (StatusCode::OK, "no-store"));
    let later = ann.with(&renewed);
    assert_ne!(later.refresh, ann.refresh);
    assert_eq!(claims(&later.access)["sid"], claims(&ann.access)["sid"], "one login");
    assert!(later.is_in(&server).await && ann.is_in(&server).await);
    assert_eq!(later.refreshed(&server).await.status, StatusCode::OK);
    assert_eq!(refresh(&server, "rt_unknown").await.problem(401).0, "invalid_refresh_token");
    assert_eq!(refresh(&server, &ann.access).await.problem(401).0, "invalid_refresh_token");
}

#[tokio::test]
async fn a_reused_refresh_token_ends_its_login_and_no_other() {
    let server = Server::start().await;
    let ann = Person::new(&server, "ann@example.org").await;
    let elsewhere = Person::enters(&server, "ann@example.org").await;
    let thief = ann.with(&ann.refreshed(&server).await);
    let second = thief.with(&thief.refreshed(&server).await);
    assert_eq!(ann.refreshed(&server).await.problem(401).0, "invalid_refresh_token");
    for of_that_login in [&ann, &thief, &second] {
        assert!(!of_that_login.is_in(&server).await);
        assert_eq!(of_that_login.refreshed(&server).await.status, StatusCode::UNAUTHORIZED);
    }
    assert!(elsewhere.is_in(&server).await);
    assert_eq!(elsewhere.refreshed(&server).await.status, StatusCode::OK);
}

#[tokio::test]
async fn of_two_who_show_one_refresh_token_at_once_at_most_one_is_served_and_the_login_is_over() {
    let server = Server::start().await;
    let ann = Person::new(&server, "ann@example.org").await;
    let answers = futures_util::future::join_all((0..4).map(|_| ann.refreshed(&server))).await;
    let served: Vec<_> = answers.iter().filter(|answer| answer.status == StatusCode::OK).collect();
    assert_eq!(served.len(), 1);
    assert!(!ann.is_in(&server).await);
    assert_eq!(ann.with(served[0]).refreshed(&server).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_login_lasts_thirty_days_from_when_it_was_last_renewed() {
    let server = Server::start().await;
    let ann = Person::new(&server, "ann@example.org").await;
    let days = |days: u64| server.clock.advance(Duration::from_secs(86_400 * days));
    days(29);
    let renewed = ann.refreshed(&server).await;
    assert_eq!(renewed.status, StatusCode::OK);
    let ann = ann.with(&renewed);
    days(29);
    let renewed = ann.refreshed(&server).await;
    assert_eq!(renewed.status, StatusCode::OK);
    days(30);
    assert_eq!(ann.with(&renewed).refreshed(&server).await.problem(401).0, "invalid_refresh_token");
}

#[tokio::test]
async fn logging_out_ends_all_of_that_login_also_after_a_restart() {
    let server = Server::start().await;
    let ann = Person::new(&server, "ann@example.org").await;
    let elsewhere = Person::enters(&server, "ann@example.org").await;
    let secret = ann.post(&server, "/v1/realtime/client_secrets", json!({})).await;
    let secret = secret.body["value"].as_str().unwrap().to_owned();
    let out = Answer::of(ann.request(&server, Method::POST, "/api/auth/logout")).await;
    assert_eq!(out.status, StatusCode::NO_CONTENT, "{}", out.body);
    let voice = server.bare(Method::GET, "/v1/realtime?model=voice-relay").bearer_auth(secret);
    assert_eq!(Answer::of(voice).await.status, StatusCode::UNAUTHORIZED);
    let again = restarted(&server).await;
    for server in [&server, &again] {
        assert!(!ann.is_in(server).await);
        assert_eq!(ann.refreshed(server).await.status, StatusCode::UNAUTHORIZED);
        assert!(elsewhere.is_in(server).await);
    }
    let twice = Answer::of(ann.request(&server, Method::POST, "/api/auth/logout")).await;
    assert_eq!(twice.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn whose_access_token_has_run_out_logs_out_by_the_refresh_token() {
    let server = Server::start().await;
    let ann = Person::new(&server, "ann@example.org").await;
    let renewed = ann.with(&ann.refreshed(&server).await);
    server.clock.advance(Duration::from_secs(3600));
    let out = async |token: &str| bare_post(&server, "/api/auth/logout", json!({"refresh_token": token})).await.status;
    assert_eq!(out(&renewed.refresh).await, StatusCode::NO_CONTENT);
    assert_eq!(renewed.refreshed(&server).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(out("rt_unknown").await, StatusCode::NO_CONTENT, "what is not there needs no end, nor is that told");
    assert_eq!(bare_post(&server, "/api/auth/logout", json!({})).await.problem(401).0, "missing_api_key");
}

#[tokio::test]
async fn tokens_live_as_long_as_the_operator_says() {
    let accounts = auth::Config { access_token_minutes: 1, refresh_token_days: 1, ..auth::Config::default() };
    let server = Server::with(|context| context.config.accounts = accounts).await;
    let ann = Person::new(&server, "ann@example.org").await;
    server.clock.advance(Duration::from_secs(65));
    assert!(!ann.is_in(&server).await);
    let renewed = ann.refreshed(&server).await;
    assert_eq!(renewed.body["expires_in"], 60);
    server.clock.advance(Duration::from_secs(86_400));
    assert_eq!(ann.with(&renewed).refreshed(&server).await.status, StatusCode::UNAUTHORIZED);
}
