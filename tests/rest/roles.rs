//! Admins, users and viewers: what each may do, and that a change of it counts at once.

use std::time::Duration;

use futures_util::StreamExt;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use voice_relay::rest::{self, Need};

use crate::{
    live,
    people::{Person, administer, log_in, register},
    server::{Answer, Server},
};

/// Somebody whom the owner gave this role.
async fn with_role(server: &Server, email: &str, role: &str) -> Person {
    let person = Person::new(server, email).await;
    let changed = administer(server, &person.id, json!({"role": role})).await;
    assert_eq!((changed.status, &changed.body["role"]), (StatusCode::OK, &json!(role)), "{}", changed.body);
    person
}

#[tokio::test]
async fn a_viewer_reads_what_is_theirs_and_no_route_lets_them_write() {
    let server = Server::start().await;
    let ann = Person::new(&server, "ann@example.org").await;
    let session = ann.post(&server, "/api/sessions", json!({"title": "mine"})).await;
    let session = format!("/api/sessions/{}", session.body["id"].as_str().unwrap());
    let key = ann.post(&server, "/api/keys", json!({"name": "phone"})).await;
    let key = key.body["key"].as_str().unwrap().to_owned();
    let secret = ann.post(&server, "/v1/realtime/client_secrets", json!({})).await;
    let secret = secret.body["value"].as_str().unwrap().to_owned();
    administer(&server, &ann.id, json!({"role": "viewer"})).await;

    assert_eq!(ann.get(&server, &session).await.body["title"], "mine");
    for path in ["/api/sessions", "/api/keys", "/api/users/me", "/v1/models", "/voice/sessions"] {
        assert_eq!(ann.get(&server, path).await.status, StatusCode::OK, "{path}");
    }
    let by_path =
        |path: &str| path.replace("{id}", "0190b0a0-0000-7000-8000-000000000000").replace("{*id}", "voice-relay");
    for (path, need) in rest::routes() {
        if matches!(need, Need::Nothing | Need::Call | Need::Account | Need::Asking(_)) {
            continue;
        }
        for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            for credential in [&ann.access, &key] {
                let answer = server.bare(method.clone(), &by_path(&path)).bearer_auth(credential).json(&json!({}));
                let answer = Answer::of(answer).await;
                if answer.status != StatusCode::METHOD_NOT_ALLOWED {
                    assert_eq!(answer.status, StatusCode::FORBIDDEN, "{method} {path}");
                }
            }
        }
    }
    for credential in [&ann.access, &key, &secret] {
        let voice = server.bare(Method::GET, "/v1/realtime?model=voice-relay").bearer_auth(credential);
        assert_eq!(Answer::of(voice).await.openai(403).0, "read_only", "a live conversation is a write");
    }
    let kept = ann.get(&server, &session).await;
    assert_eq!(kept.body["title"], "mine");
}

#[tokio::test]
async fn a_viewer_still_has_their_own_account() {
    let server = Server::start().await;
    let ann = with_role(&server, "ann@example.org", "viewer").await;
    let named = ann.patch(&server, "/api/users/me", json!({"full_name": "Ann"})).await;
    assert_eq!((&named.body["full_name"], &named.body["role"]), (&json!("Ann"), &json!("viewer")));
    let change = json!({"current_password": crate::people::PASSWORD, "new_password": "harbour-velvet-77-quartz"});
    assert_eq!(ann.post(&server, "/api/users/me/password", change).await.status, StatusCode::NO_CONTENT);
    let out = Answer::of(ann.request(&server, Method::POST, "/api/auth/logout")).await;
    assert_eq!(out.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn admins_see_everybody_and_others_do_not() {
    let server = Server::start().await;
    let ann = with_role(&server, "ann@example.org", "admin").await;
    let bob = Person::new(&server, "bob@example.org").await;
    let all = ann.get(&server, "/api/users").await;
    let emails: Vec<_> = all.body["items"].as_array().unwrap().iter().map(|user| user["email"].clone()).collect();
    assert_eq!(
        emails,
        [json!("bob@example.org"), json!("ann@example.org"), Value::Null],
        "newest first, the owner last"
    );
    let page = ann.get(&server, "/api/users?limit=2").await;
    let next = page.body["next"].as_str().unwrap();
    let rest = ann.get(&server, &format!("/api/users?limit=2&after={next}")).await;
    assert_eq!((&rest.body["items"][0]["email"], &rest.body["next"]), (&Value::Null, &Value::Null));
    for bad in ["/api/users?limit=0", "/api/users?after=x", "/api/users?role=admin"] {
        assert_eq!(ann.get(&server, bad).await.status, StatusCode::UNPROCESSABLE_ENTITY, "{bad}");
    }

    let of_ann = format!("/api/users/{}", ann.id);
    assert_eq!(bob.get(&server, "/api/users").await.problem(403).0, "insufficient_scope");
    assert_eq!(bob.patch(&server, &of_ann, json!({"role": "viewer"})).await.problem(403).0, "insufficient_scope");
    let himself = format!("/api/users/{}", bob.id);
    assert_eq!(bob.patch(&server, &himself, json!({"role": "admin"})).await.problem(403).0, "insufficient_scope");
}

#[tokio::test]
async fn nobody_changes_their_own_role_nor_the_owners() {
    let server = Server::start().await;
    let ann = with_role(&server, "ann@example.org", "admin").await;
    let herself = format!("/api/users/{}", ann.id);
    for body in [json!({"active": false}), json!({"role": "user"})] {
        assert_eq!(ann.patch(&server, &herself, body).await.problem(409).0, "own_account");
    }
    let owner = server.context.auth.owner().id;
    let of_owner = format!("/api/users/{owner}");
    assert_eq!(ann.patch(&server, &of_owner, json!({"active": false})).await.problem(409).0, "owner_account");
    assert_eq!(administer(&server, &owner.to_string(), json!({"role": "user"})).await.problem(409).0, "own_account");
    assert_eq!(server.delete("/api/users/me").await.problem(409).0, "owner_account");
    let password = json!({"current_password": "a", "new_password": "b"});
    assert_eq!(server.post("/api/users/me/password", password).await.problem(409).0, "no_password");
}

#[tokio::test]
async fn what_an_admin_cannot_do_to_somebody_is_told() {
    let server = Server::start().await;
    let ann = Person::new(&server, "ann@example.org").await;
    for (body, field) in [
        (json!({"role": "root"}), "role"),
        (json!({"role": 1}), "role"),
        (json!({"active": "no"}), "active"),
        (json!({"email": "x@y"}), "email"),
    ] {
        assert_eq!(administer(&server, &ann.id, body.clone()).await.problem(422).1, field, "{body}");
    }
    for nobody in ["0190b0a0-0000-7000-8000-000000000000", "nonsense"] {
        assert_eq!(administer(&server, nobody, json!({"active": true})).await.problem(404).0, "not_found");
    }
    let same = administer(&server, &ann.id, json!({})).await;
    assert_eq!((&same.body["role"], &same.body["active"]), (&json!("user"), &json!(true)));
}

#[tokio::test]
async fn whoever_is_shut_out_is_out_at_once_by_every_credential() {
    let server = Server::start().await;
    let ann = Person::new(&server, "ann@example.org").await;
    let key = ann.post(&server, "/api/keys", json!({"name": "phone"})).await;
    let key = key.body["key"].as_str().unwrap().to_owned();
    let secret_of = async |credential: &str| {
        let made = server.bare(Method::POST, "/v1/realtime/client_secrets").bearer_auth(credential).json(&json!({}));
        Answer::of(made).await.body["value"].as_str().unwrap().to_owned()
    };
    let secrets = [secret_of(&ann.access).await, secret_of(&key).await];
    let enters = async |credential: &str| {
        let opening = server.bare(Method::GET, "/v1/realtime?model=voice-relay").bearer_auth(credential);
        Answer::of(opening).await.status != StatusCode::UNAUTHORIZED
    };
    for credential in [&ann.access, &key, &secrets[0], &secrets[1]] {
        assert!(enters(credential).await);
    }
    let owner = administer(&server, &ann.id, json!({"active": false})).await;
    assert_eq!(owner.body["active"], json!(false));
    for credential in [&ann.access, &key, &secrets[0], &secrets[1]] {
        assert!(!enters(credential).await);
    }
    assert_eq!(ann.refreshed(&server).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(log_in(&server, &ann.email, crate::people::PASSWORD).await.status, StatusCode::UNAUTHORIZED);

    administer(&server, &ann.id, json!({"active": true})).await;
    assert!(enters(&key).await, "keys are kept");
    for ended in [&ann.access, &secrets[0], &secrets[1]] {
        assert!(!enters(ended).await, "logins are not");
    }
    assert!(Person::enters(&server, &ann.email).await.is_in(&server).await);
}

#[tokio::test]
async fn the_live_conversation_of_whoever_is_shut_out_ends() {
    let server = Server::start().await;
    let ann = Person::new(&server, "ann@example.org").await;
    let protocols = format!("realtime, openai-insecure-api-key.{}", ann.access);
    let offered = [("sec-websocket-protocol", protocols.as_str())];
    let (mut socket, selected) = live::dial(&server, "?model=voice-relay", &offered).await.unwrap();
    assert_eq!(selected, "realtime", "a browser has no other place for its token");
    live::next(&mut socket, "session.created").await;
    administer(&server, &ann.id, json!({"active": false})).await;
    let ended = async { while socket.next().await.is_some_and(|message| message.is_ok_and(|m| !m.is_close())) {} };
    tokio::time::timeout(Duration::from_secs(10), ended).await.expect("it is told, and over");
    assert_eq!(live::refused(&server, "?model=voice-relay", &offered).await.0, 401);
}

#[tokio::test]
async fn a_change_of_role_counts_for_what_was_issued_before() {
    let server = Server::start().await;
    let ann = with_role(&server, "ann@example.org", "admin").await;
    let key = ann.post(&server, "/api/keys", json!({"name": "ops", "scopes": ["admin"]})).await;
    let key = key.body["key"].as_str().unwrap();
    let users = async |credential: &str| {
        Answer::of(server.bare(Method::GET, "/api/users").bearer_auth(credential)).await.status
    };
    assert_eq!((users(&ann.access).await, users(key).await), (StatusCode::OK, StatusCode::OK));
    administer(&server, &ann.id, json!({"role": "user"})).await;
    assert_eq!((users(&ann.access).await, users(key).await), (StatusCode::FORBIDDEN, StatusCode::FORBIDDEN));
    assert_eq!(ann.get(&server, "/api/sessions").await.status, StatusCode::OK);
}

#[tokio::test]
async fn people_make_keys_of_their_own_that_do_no_more_than_they() {
    let server = Server::start().await;
    let ann = Person::new(&server, "ann@example.org").await;
    let bob = Person::new(&server, "bob@example.org").await;
    let made = ann.post(&server, "/api/keys", json!({"name": "ci"})).await;
    assert_eq!((made.status, &made.body["scopes"]), (StatusCode::CREATED, &json!(["realtime", "speech", "sessions"])));
    let beyond = ann.post(&server, "/api/keys", json!({"name": "ops", "scopes": ["speech", "admin"]})).await;
    assert_eq!(beyond.problem(403).0, "insufficient_scope");
    assert_eq!(ann.get(&server, "/api/keys").await.body["items"].as_array().unwrap().len(), 1);

    assert_eq!(bob.get(&server, "/api/keys").await.body["items"], json!([]));
    let path = format!("/api/keys/{}", made.body["id"].as_str().unwrap());
    assert_eq!(bob.delete(&server, &path).await.problem(404).0, "not_found");
    let key = made.body["key"].as_str().unwrap();
    let works = async || Answer::of(server.bare(Method::GET, "/api/sessions").bearer_auth(key)).await.status;
    assert_eq!(works().await, StatusCode::OK);
    let others = Answer::of(server.bare(Method::GET, "/api/keys").bearer_auth(key)).await;
    assert_eq!(others.problem(403).0, "insufficient_scope", "a key that gets lost makes no others");
    assert_eq!(ann.delete(&server, &path).await.status, StatusCode::NO_CONTENT);
    assert_eq!(works().await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn what_is_somebody_elses_is_not_there() {
    let server = Server::start().await;
    let ann = Person::new(&server, "ann@example.org").await;
    let bob = with_role(&server, "bob@example.org", "admin").await;
    let session = ann.post(&server, "/api/sessions", json!({})).await;
    let hers = format!("/api/sessions/{}", session.body["id"].as_str().unwrap());
    let nobodys = "/api/sessions/0190b0a0-0000-7000-8000-000000000000";
    let (theirs, none) = (bob.get(&server, &hers).await, bob.get(&server, nobodys).await);
    assert_eq!((theirs.problem(404), &theirs.body), (none.problem(404), &none.body));
    assert_eq!(register(&server, "carol@example.org").await.body["role"], "user", "whoever comes is no admin");
}
