//! People register, log in, change what is theirs and leave.

use std::{net::Ipv4Addr, time::Duration};

use reqwest::{Method, StatusCode};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use voice_relay::auth::{self, AccountError, Auth, Registration};

use crate::{
    people::{PASSWORD, Person, bare_post, log_in, register},
    server::{Answer, Server},
};

async fn open() -> Server {
    let accounts = auth::Config { registration: Registration::Open, ..auth::Config::default() };
    Server::with(|context| context.config.accounts = accounts).await
}

#[tokio::test]
async fn a_person_registers_logs_in_and_is_known() {
    let server = open().await;
    let body = json!({"email": " Ann@Example.org ", "password": PASSWORD, "full_name": " Ann Ö. "});
    let made = bare_post(&server, "/api/auth/register", body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let expected = json!({
        "id": made.body["id"],
        "email": "Ann@Example.org",
        "full_name": "Ann Ö.",
        "role": "user",
        "active": true,
        "created_at": "2026-01-01T00:00:00.000Z",
        "last_login_at": null,
    });
    assert_eq!(made.body, expected);

    let tokens = log_in(&server, "aNN@exampLE.org", PASSWORD).await;
    assert_eq!(tokens.status, StatusCode::OK);
    assert_eq!((&tokens.body["token_type"], &tokens.body["expires_in"]), (&json!("Bearer"), &json!(900)));
    assert_eq!(tokens.header("cache-control"), "no-store");
    let mut names: Vec<_> = tokens.body.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["access_token", "expires_in", "refresh_token", "token_type"]);

    let ann = Person { id: String::new(), email: String::new(), access: String::new(), refresh: String::new() };
    let ann = ann.with(&tokens);
    let me = ann.get(&server, "/api/users/me").await;
    assert_eq!((&me.body["id"], &me.body["last_login_at"]), (&made.body["id"], &json!("2026-01-01T00:00:00.000Z")));
    let session = ann.post(&server, "/api/sessions", json!({"title": "mine"})).await;
    assert_eq!(session.status, StatusCode::CREATED);
    assert_eq!(ann.get(&server, "/v1/models").await.status, StatusCode::OK, "a login opens what a key opens");
    assert_eq!(server.get("/api/sessions").await.body["items"], json!([]), "and is somebody of their own");
}

#[tokio::test]
async fn neither_passwords_nor_tokens_are_kept_as_they_are() {
    let server = Server::start().await;
    let ann = Person::new(&server, "ann@example.org").await;
    let files = std::fs::read_dir(server.dir.path()).unwrap().map(|file| file.unwrap().path());
    for file in files.filter(|path| path.is_file()) {
        let bytes = std::fs::read(file).unwrap();
        for secret in [PASSWORD, &ann.refresh, &ann.access] {
            assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()));
        }
    }
}

#[tokio::test]
async fn an_email_is_taken_once_whatever_its_case() {
    let server = Server::start().await;
    assert_eq!(register(&server, "ann@example.org").await.status, StatusCode::CREATED);
    let again = register(&server, "ANN@example.ORG").await;
    assert_eq!(again.problem(409), ("email_taken".to_owned(), "email".to_owned()));

    let bob = Person::new(&server, "bob@example.org").await;
    let taken = bob.patch(&server, "/api/users/me", json!({"email": "Ann@example.org"})).await;
    assert_eq!(taken.problem(409).0, "email_taken");
    let moved = bob.patch(&server, "/api/users/me", json!({"email": "rob@example.org", "full_name": "Rob"})).await;
    assert_eq!((&moved.body["email"], &moved.body["full_name"]), (&json!("rob@example.org"), &json!("Rob")));
    assert_eq!(log_in(&server, "rob@example.org", PASSWORD).await.status, StatusCode::OK);
    assert_eq!(log_in(&server, "bob@example.org", PASSWORD).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn of_many_who_register_one_email_at_once_one_gets_it() {
    let server = Server::start().await;
    let answers = futures_util::future::join_all((0..5).map(|_| register(&server, "ann@example.org"))).await;
    let mut codes: Vec<_> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    codes.sort_unstable();
    assert_eq!(codes, [201, 409, 409, 409, 409]);
}

#[tokio::test]
async fn registration_is_closed_unless_opened_and_admins_register_others() {
    let server = Server::start().await;
    let body = json!({"email": "ann@example.org", "password": PASSWORD, "full_name": "Ann"});
    let refused = bare_post(&server, "/api/auth/register", body.clone()).await;
    assert_eq!(refused.problem(403).0, "registration_closed");
    let key = server.api_key("realtime speech sessions").await;
    let by_key = Answer::of(server.bare(Method::POST, "/api/auth/register").bearer_auth(key).json(&body)).await;
    assert_eq!(by_key.problem(403).0, "registration_closed");
    assert_eq!(server.post("/api/auth/register", body).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn what_cannot_be_is_refused_with_the_field_named() {
    let server = Server::start().await;
    let good = || json!({"email": "ann@example.org", "password": PASSWORD, "full_name": "Ann"});
    let with = |field: &str, value: Value| {
        let mut body = good();
        body[field] = value;
        body
    };
    let long = format!("{}@example.org", "a".repeat(250));
    for (body, field, code) in [
        (json!({}), "email", "missing_required_parameter"),
        (with("email", json!("ann")), "email", "invalid_value"),
        (with("email", json!("@example.org")), "email", "invalid_value"),
        (with("email", json!("ann@")), "email", "invalid_value"),
        (with("email", json!("a nn@example.org")), "email", "invalid_value"),
        (with("email", json!("ann@example.org\r\nbcc: x@y")), "email", "invalid_value"),
        (with("email", json!(long)), "email", "invalid_value"),
        (with("email", json!(7)), "email", "invalid_value"),
        (with("full_name", json!("")), "full_name", "invalid_value"),
        (with("full_name", json!("x".repeat(201))), "full_name", "invalid_value"),
        (with("full_name", json!("a\u{0}b")), "full_name", "invalid_value"),
        (with("password", json!("wheel-52")), "password", "weak_password"),
        (with("password", json!("x".repeat(257))), "password", "weak_password"),
        (with("password", json!("passwordpassword")), "password", "weak_password"),
        (with("password", json!("ann@example.org")), "password", "weak_password"),
        (with("role", json!("admin")), "role", "unknown_parameter"),
    ] {
        let answer = server.post("/api/auth/register", body.clone()).await;
        assert_eq!(answer.problem(422), (code.to_owned(), field.to_owned()), "{body}");
        assert!(!answer.body.to_string().contains("passwordpassword"));
    }
    for path in ["/api/auth/login", "/api/auth/refresh"] {
        assert_eq!(bare_post(&server, path, json!({"x": 1})).await.problem(422).0, "unknown_parameter");
        assert_eq!(Answer::of(server.bare(Method::POST, path)).await.problem(415).0, "unsupported_media_type");
    }
    assert_eq!(register(&server, "ann@example.org").await.status, StatusCode::CREATED, "nothing of it was kept");
}

#[tokio::test]
async fn unknown_accounts_wrong_passwords_and_shut_out_people_get_one_answer() {
    let server = Server::start().await;
    let bob = Person::new(&server, "bob@example.org").await;
    register(&server, "ann@example.org").await;
    crate::people::administer(&server, &bob.id, json!({"active": false})).await;
    let mut bodies = Vec::new();
    for (email, password) in [
        ("ann@example.org", "wheel-fjord-candle-53"),
        ("ann@example.org", ""),
        ("nobody@example.org", PASSWORD),
        ("", ""),
        ("bob@example.org", PASSWORD),
    ] {
        let answer = log_in(&server, email, password).await;
        assert_eq!(answer.problem(401).0, "invalid_credentials", "{email}");
        bodies.push(answer.body);
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1);
}

/// The answer to an unknown account takes a hash as well: without one it would be a hundred times faster.
#[tokio::test]
async fn an_unknown_account_takes_as_long_as_a_wrong_password() {
    let server = Server::start().await;
    register(&server, "ann@example.org").await;
    let clock = voice_relay::clock::Clock::system();
    let mut spans = [Duration::MAX; 2];
    for _ in 0..4 {
        for (span, email) in spans.iter_mut().zip(["ann@example.org", "nobody@example.org"]) {
            let began = clock.now();
            assert_eq!(log_in(&server, email, "wheel-fjord-candle-53").await.status, StatusCode::UNAUTHORIZED);
            *span = (*span).min(clock.now() - began);
        }
    }
    let ratio = spans[0].as_secs_f64() / spans[1].as_secs_f64();
    assert!((0.4..2.5).contains(&ratio), "{spans:?}");
}

#[tokio::test]
async fn an_account_is_guarded_however_many_addresses_guess_at_it() {
    let server = Server::start().await;
    register(&server, "ann@example.org").await;
    register(&server, "bob@example.org").await;
    let from = async |last: u8, email: &str, password: &str| {
        let client = reqwest::Client::builder().local_address(Some(Ipv4Addr::new(127, 0, 0, last).into()));
        let request = client.build().unwrap().post(format!("{}/api/auth/login", server.url));
        Answer::of(request.json(&json!({"email": email, "password": password}))).await
    };
    for n in 0..10 {
        assert_eq!(from(10 + n, "Ann@example.org", "guess").await.problem(401).0, "invalid_credentials");
    }
    for (last, email) in [(30, "ann@example.org"), (31, "ANN@example.org")] {
        let refused = from(last, email, PASSWORD).await;
        assert_eq!(refused.problem(429).0, "rate_limit_exceeded");
        assert_eq!(refused.header("retry-after"), "30");
    }
    for n in 0..11 {
        let unknown = from(10 + n, "nobody@example.org", "guess").await;
        assert_eq!(unknown.status.as_u16(), if n < 10 { 401 } else { 429 }, "an unknown account is guarded just so");
    }
    assert_eq!(from(40, "bob@example.org", PASSWORD).await.status, StatusCode::OK, "others are not concerned");
    server.clock.advance(Duration::from_secs(30));
    assert_eq!(from(40, "ann@example.org", PASSWORD).await.status, StatusCode::OK, "its owner waits half a minute");
    assert_eq!(from(41, "ann@example.org", "guess").await.status, StatusCode::UNAUTHORIZED, "and starts afresh");
}

#[tokio::test]
async fn guesses_at_once_are_counted_before_any_has_failed() {
    let server = Server::start().await;
    register(&server, "ann@example.org").await;
    let answers = futures_util::future::join_all((0..25).map(|_| log_in(&server, "ann@example.org", "guess"))).await;
    let judged = answers.iter().filter(|answer| answer.status == StatusCode::UNAUTHORIZED).count();
    assert_eq!(judged, 10, "the others were not even looked at");
}

#[tokio::test]
async fn an_address_that_guesses_at_many_accounts_waits() {
    let server = Server::start().await;
    register(&server, "ann@example.org").await;
    for n in 0..30 {
        let answer = log_in(&server, &format!("{n}@example.org"), "guess").await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    }
    let refused = log_in(&server, "ann@example.org", PASSWORD).await;
    assert_eq!((refused.problem(429).0.as_str(), refused.header("retry-after")), ("rate_limit_exceeded", "10"));
    server.clock.advance(Duration::from_secs(10));
    assert_eq!(log_in(&server, "ann@example.org", PASSWORD).await.status, StatusCode::OK);
}

#[tokio::test]
async fn accounts_are_made_a_few_at_a_time_where_anybody_may() {
    let server = open().await;
    let make = |n: u32| {
        let body = json!({"email": format!("{n}@example.org"), "password": PASSWORD, "full_name": "A B"});
        bare_post(&server, "/api/auth/register", body)
    };
    for n in 0..10 {
        assert_eq!(make(n).await.status, StatusCode::CREATED);
    }
    let refused = make(10).await;
    assert_eq!((refused.problem(429).0.as_str(), refused.header("retry-after")), ("rate_limit_exceeded", "60"));
    assert_eq!(register(&server, "by-an-admin@example.org").await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_change_of_password_ends_every_other_login_and_leaves_this_one() {
    let server = Server::start().await;
    let here = Person::new(&server, "ann@example.org").await;
    let elsewhere = Person::enters(&server, "ann@example.org").await;
    let secret = elsewhere.post(&server, "/v1/realtime/client_secrets", json!({})).await;
    assert_eq!(secret.status, StatusCode::OK, "{}", secret.body);
    let stranger = Person::new(&server, "bob@example.org").await;
    let change = |current: &str, new: &str| {
        here.post(&server, "/api/users/me/password", json!({"current_password": current, "new_password": new}))
    };
    let new = "harbour-velvet-77-quartz";
    let wrong = change("not it at all", new).await;
    assert_eq!(wrong.problem(422), ("wrong_password".to_owned(), "current_password".to_owned()));
    let weak = change(PASSWORD, "passwordpassword").await;
    assert_eq!(weak.problem(422), ("weak_password".to_owned(), "new_password".to_owned()));
    assert!(elsewhere.is_in(&server).await);
    assert_eq!(change(PASSWORD, new).await.status, StatusCode::NO_CONTENT);

    assert!(here.is_in(&server).await);
    assert!(!elsewhere.is_in(&server).await);
    assert!(stranger.is_in(&server).await);
    assert_eq!(elsewhere.refreshed(&server).await.status, StatusCode::UNAUTHORIZED);
    let voice = server.bare(Method::GET, "/v1/realtime?model=voice-relay");
    let voice = Answer::of(voice.bearer_auth(secret.body["value"].as_str().unwrap())).await;
    assert_eq!(voice.status, StatusCode::UNAUTHORIZED, "so does what that login issued");
    assert_eq!(here.refreshed(&server).await.status, StatusCode::OK);
    assert_eq!(log_in(&server, "ann@example.org", PASSWORD).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(log_in(&server, "ann@example.org", new).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_forgotten_password_is_reset_beside_the_running_relay() {
    let server = Server::start().await;
    let ann = Person::new(&server, "ann@example.org").await;
    // As `voice-relay users reset-password` does, in a process of its own.
    let beside = Auth::beside(server.context.db.clone(), server.clock.clone()).await.unwrap();
    assert!(matches!(beside.reset_password("nobody@example.org").await, Err(AccountError::Wrong)));
    let made = beside.reset_password("ANN@example.org").await.unwrap();
    assert!(!ann.is_in(&server).await);
    assert_eq!(log_in(&server, "ann@example.org", PASSWORD).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(log_in(&server, "ann@example.org", made.expose_secret()).await.status, StatusCode::OK);
}

#[tokio::test]
async fn guessing_at_the_current_password_is_limited_too() {
    let server = Server::start().await;
    let ann = Person::new(&server, "ann@example.org").await;
    let guess = json!({"current_password": "guess", "new_password": "harbour-velvet-77-quartz"});
    for _ in 0..10 {
        assert_eq!(ann.post(&server, "/api/users/me/password", guess.clone()).await.problem(422).0, "wrong_password");
    }
    assert_eq!(ann.post(&server, "/api/users/me/password", guess).await.problem(429).0, "rate_limit_exceeded");
}

#[tokio::test]
async fn whoever_leaves_is_erased_with_all_that_is_theirs() {
    let server = Server::start().await;
    let ann = Person::new(&server, "ann@example.org").await;
    let session = ann.post(&server, "/api/sessions", json!({"title": "private"})).await;
    let messages = format!("/api/sessions/{}/messages", session.body["id"].as_str().unwrap());
    let said = ann.post(&server, &messages, json!({"role": "user", "content": "a secret of Ann's"})).await;
    assert_eq!(said.status, StatusCode::CREATED);
    let key = ann.post(&server, "/api/keys", json!({"name": "phone"})).await;
    let key = key.body["key"].as_str().unwrap();
    let secret = ann.post(&server, "/v1/realtime/client_secrets", json!({})).await;
    let secret = secret.body["value"].as_str().unwrap();

    assert_eq!(ann.delete(&server, "/api/users/me").await.status, StatusCode::NO_CONTENT);
    for credential in [&ann.access, key] {
        let refused = Answer::of(server.bare(Method::GET, "/api/sessions").bearer_auth(credential)).await;
        assert_eq!(refused.problem(401).0, "invalid_api_key");
    }
    let voice = server.bare(Method::GET, "/v1/realtime?model=voice-relay").bearer_auth(secret);
    assert_eq!(Answer::of(voice).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(ann.refreshed(&server).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(log_in(&server, "ann@example.org", PASSWORD).await.status, StatusCode::UNAUTHORIZED);
    let users = server.get("/api/users").await;
    assert!(!users.body.to_string().contains("ann@"), "{}", users.body);
    assert_eq!(register(&server, "ann@example.org").await.status, StatusCode::CREATED, "the e-mail is free again");
    let again = Person::enters(&server, "ann@example.org").await;
    assert_eq!(again.get(&server, "/api/sessions").await.body["items"], json!([]));
    let said = format!("/api/messages/{}", said.body["id"].as_str().unwrap());
    assert_eq!(again.get(&server, &said).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_api_key_reads_whose_it_is_and_does_not_change_the_account() {
    let server = Server::start().await;
    let ann = Person::new(&server, "ann@example.org").await;
    let key = ann.post(&server, "/api/keys", json!({"name": "ci"})).await;
    let key = key.body["key"].as_str().unwrap();
    let with_key = |method: Method, path: &str| Answer::of(server.bare(method, path).bearer_auth(key).json(&json!({})));
    assert_eq!(with_key(Method::GET, "/api/users/me").await.body["email"], "ann@example.org");
    for (method, path) in [
        (Method::PATCH, "/api/users/me"),
        (Method::DELETE, "/api/users/me"),
        (Method::POST, "/api/users/me/password"),
        (Method::POST, "/api/keys"),
    ] {
        assert_eq!(with_key(method.clone(), path).await.status, StatusCode::FORBIDDEN, "{method} {path}");
    }
    let out = Answer::of(server.bare(Method::POST, "/api/auth/logout").bearer_auth(key)).await;
    assert_eq!(out.problem(409).0, "not_a_login");
}
