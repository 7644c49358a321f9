//! Links by which others read a conversation.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::{Method, StatusCode};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use voice_relay::{
    auth::{Credential, Principal, link},
    store::{
        SessionId, UserId,
        messages::{self, Call, Entry, Modality, Role, Status},
        shares,
    },
    sweep,
};

use crate::{
    server::{Answer, START, Server},
    shared_page,
};

/// A conversation of the owner with this in it.
pub(crate) async fn said(server: &Server, words: &[&str]) -> SessionId {
    let (owner, session) = (server.context.auth.owner().id, server.session().await);
    for (n, words) in words.iter().enumerate() {
        let role = if n % 2 == 0 { Role::User } else { Role::Assistant };
        let (modality, status) = (Modality::Audio, Status::Completed);
        let entry = Entry { role, modality, content: (*words).to_owned(), status, call: None };
        say(server, owner, session, n, entry).await;
    }
    session
}

async fn say(server: &Server, owner: UserId, session: SessionId, n: usize, entry: Entry) {
    let now = jiff::Timestamp::from_second(START as i64).unwrap();
    let previous = n.checked_sub(1).map(|n| format!("item{n}"));
    let item = format!("item{n}");
    messages::upsert(&server.context.db, owner, session, &item, previous.as_deref(), &entry, now).await.unwrap();
}

/// A link to it; its token.
pub(crate) async fn share(server: &Server, session: SessionId, body: Value) -> String {
    let made = server.post(&format!("/api/sessions/{session}/share"), body).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    made.body["share_token"].as_str().unwrap().to_owned()
}

async fn read(server: &Server, token: &str) -> Answer {
    Answer::of(server.bare(Method::GET, &format!("/api/shared/{token}"))).await
}

async fn unlock(server: &Server, token: &str, password: &str) -> Answer {
    let request = server.bare(Method::POST, &format!("/api/shared/{token}"));
    Answer::of(request.json(&json!({"password": password}))).await
}

#[tokio::test]
async fn a_link_shows_a_conversation_and_nothing_that_opens_anything_else() {
    let server = Server::start().await;
    let session = said(&server, &["hello <b>there</b>", "hi"]).await;
    let owner = server.context.auth.owner().id;
    let call = Call { id: "call_1".into(), name: Some("clock".into()), arguments: Some("{\"a\":1}".into()) };
    let (role, modality, status) = (Role::Assistant, Modality::Text, Status::Incomplete);
    say(&server, owner, session, 2, Entry { role, modality, content: String::new(), status, call: Some(call) }).await;

    let made = server.post(&format!("/api/sessions/{session}/share"), json!({})).await;
    assert_eq!((made.status, made.header("cache-control")), (StatusCode::CREATED, "no-store"));
    let token = made.body["share_token"].as_str().unwrap();
    assert_eq!(token.len(), 43, "32 bytes in base64url");
    assert_eq!(made.body["share_url"], format!("{}/shared/{token}", server.url));
    let expected = (&json!("2026-01-02T00:00:00.000Z"), &json!(false), &json!(true));
    assert_eq!((&made.body["expires_at"], &made.body["password_protected"], &made.body["allow_anonymous"]), expected);

    let shown = read(&server, token).await;
    assert_eq!((shown.status, shown.header("content-type")), (StatusCode::OK, "application/json"));
    assert_eq!((shown.header("cache-control"), shown.header("referrer-policy")), ("no-store", "no-referrer"));
    let body = &shown.body;
    let fields: Vec<_> = body.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = ["complete", "created_at", "expires_at", "message_count", "messages", "title", "updated_at"];
    assert_eq!((fields, &body["message_count"]), (expected.to_vec(), &json!(3)));
    let first = json!({
        "role": "user", "modality": "audio", "content": "hello <b>there</b>", "status": "completed", "tool_call": null,
        "citations": [], "created_at": "2026-01-01T00:00:00.000Z",
    });
    assert_eq!(body["messages"][0], first);
    assert_eq!(body["messages"][2]["tool_call"], json!({"name": "clock", "arguments": "{\"a\":1}"}));
    let own = server.get(&format!("/api/sessions/{session}/messages")).await.body;
    let text = body.to_string();
    let mut ids = vec![session.to_string(), owner.to_string(), "item0".into(), "call_1".into()];
    ids.extend(own["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()));
    ids.push(made.body["share_id"].as_str().unwrap().to_owned());
    assert_eq!(ids.iter().find(|id| text.contains(*id)), None);
}

#[tokio::test]
async fn only_the_hash_of_a_token_and_of_a_password_is_kept() {
    let server = Server::start().await;
    let token = share(&server, server.session().await, json!({"password": "hunter22"})).await;
    let hash = link::kept(&token.clone().into());
    let kept = shares::door(&server.context.db, &hash).await.unwrap().unwrap();
    let password = kept.password.unwrap();
    assert!(password.starts_with("$argon2id$") && !password.contains("hunter22"), "{password}");
    assert!(shares::door(&server.context.db, token.as_bytes()).await.unwrap().is_none());
}

#[tokio::test]
async fn a_conversation_is_shared_as_it_is_when_it_is_read_and_no_longer_than_it_is_there() {
    let server = Server::start().await;
    let session = said(&server, &["one"]).await;
    let token = share(&server, session, json!({})).await;
    let more = json!({"role": "user", "content": "two"});
    server.post(&format!("/api/sessions/{session}/messages"), more).await;
    assert_eq!(read(&server, &token).await.body["messages"][1]["content"], "two");
    server.delete(&format!("/api/sessions/{session}")).await;
    assert_eq!(read(&server, &token).await.problem(404).0, "not_found");
}

#[tokio::test]
async fn a_link_that_was_taken_back_answers_as_one_that_never_was() {
    let server = Server::start().await;
    let session = said(&server, &["hello"]).await;
    let (token, other) = (share(&server, session, json!({})).await, share(&server, session, json!({})).await);
    let path = format!("/api/sessions/{session}/share/{token}");
    assert_eq!(server.delete(&path).await.status, StatusCode::NO_CONTENT);
    assert_eq!(server.delete(&path).await.problem(404).0, "not_found");
    let (revoked, unknown) = (read(&server, &token).await, read(&server, &"A".repeat(43)).await);
    assert_eq!((revoked.problem(404), &revoked.body), (unknown.problem(404), &unknown.body));
    assert_eq!(read(&server, &other).await.status, StatusCode::OK);
    for nonsense in ["%00", "%ff", "..%2f", "x"] {
        assert_eq!(read(&server, nonsense).await.problem(404).0, "not_found", "{nonsense}");
    }

    let listed = server.get(&format!("/api/sessions/{session}/shares")).await.body;
    let id = listed["items"][0]["share_id"].as_str().unwrap();
    let by_id = format!("/api/sessions/{session}/share/{id}");
    assert_eq!(server.delete(&by_id).await.status, StatusCode::NO_CONTENT, "where the token is not known any more");
    assert_eq!(read(&server, &other).await.problem(404).0, "not_found");
}

#[tokio::test]
async fn links_are_listed_with_how_often_they_were_opened() {
    let server = Server::start().await;
    let session = said(&server, &["hello"]).await;
    let token = share(&server, session, json!({"expires_in_hours": 8760})).await;
    share(&server, session, json!({"expires_in_hours": 1, "password": "secret", "allow_anonymous": false})).await;
    let list = async || server.get(&format!("/api/sessions/{session}/shares")).await.body["items"].clone();
    let before = list().await;
    assert_eq!(before[0]["password_protected"], true);
    assert_eq!((&before[0]["allow_anonymous"], &before[1]["access_count"]), (&json!(false), &json!(0)));
    assert!(!before.to_string().contains(&token), "a token is shown once");

    let readers = join_all((0..50).map(|_| read(&server, &token))).await;
    assert!(readers.iter().all(|answer| answer.status == StatusCode::OK));
    Answer::of(server.bare(Method::HEAD, &format!("/api/shared/{token}"))).await;
    let after = list().await;
    assert_eq!(after[1]["access_count"], 50, "all of them, and whoever only looked whether it is there is none");
    assert_eq!(after[1]["last_accessed_at"], "2026-01-01T00:00:00.000Z");
    assert_eq!(after[0]["access_count"], 0);

    server.clock.advance(Duration::from_secs(3600));
    assert_eq!(list().await.as_array().unwrap().len(), 1, "what has ended is not active");
}

#[tokio::test]
async fn a_link_ends_and_is_forgotten_a_day_later() {
    let server = Server::start().await;
    let session = said(&server, &["hello"]).await;
    let token = share(&server, session, json!({"expires_in_hours": 1})).await;
    let lasting = share(&server, session, json!({"expires_in_hours": 48})).await;
    let sweeps = tokio::spawn(sweep::watch(server.context.db.clone(), server.clock.clone()));
    server.clock.advance(Duration::from_secs(3599));
    assert_eq!(read(&server, &token).await.status, StatusCode::OK);
    server.clock.advance(Duration::from_secs(1));
    assert_eq!(read(&server, &token).await.problem(410).0, "link_expired");
    server.clock.advance(Duration::from_secs(24 * 3600 + 1));
    let forgotten = async {
        while read(&server, &token).await.status != StatusCode::NOT_FOUND {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), forgotten).await.unwrap();
    assert_eq!(read(&server, &lasting).await.status, StatusCode::OK);
    sweeps.abort();
}

#[tokio::test]
async fn a_password_is_asked_for_and_never_taken_from_the_url() {
    let server = Server::start().await;
    let session = said(&server, &["hello"]).await;
    let token = share(&server, session, json!({"password": "pässwörd"})).await;
    assert_eq!(read(&server, &token).await.problem(401).0, "password_required");
    assert_eq!(
        read(&server, &format!("{token}?password=p%C3%A4ssw%C3%B6rd")).await.problem(401).0,
        "password_required"
    );
    let wrong = unlock(&server, &token, "password").await;
    assert_eq!(wrong.problem(401).0, "wrong_password");
    assert!(!wrong.body.to_string().contains("hello"));
    let right = unlock(&server, &token, "pässwörd").await;
    assert_eq!((right.status, &right.body["messages"][0]["content"]), (StatusCode::OK, &json!("hello")));
    let header = server.bare(Method::GET, &format!("/api/shared/{token}"));
    let header =
        header.header("x-share-password", reqwest::header::HeaderValue::from_bytes("pässwörd".as_bytes()).unwrap());
    assert_eq!(Answer::of(header).await.status, StatusCode::OK);
    let path = format!("/api/shared/{token}");
    let unknown = Answer::of(server.bare(Method::POST, &path).json(&json!({"pass": "x"}))).await;
    assert_eq!(unknown.problem(422).1, "pass");
    let listed = server.get(&format!("/api/sessions/{session}/shares")).await.body;
    assert_eq!(listed["items"][0]["access_count"], 2, "those who were let in");
}

#[tokio::test]
async fn guessing_at_a_link_is_stopped_whoever_guesses_and_however() {
    let server = Server::start().await;
    let session = said(&server, &["hello"]).await;
    let token = share(&server, session, json!({"password": "right"})).await;
    let other = share(&server, session, json!({"password": "right"})).await;
    let at_once = join_all((0..30).map(|n| {
        let (server, token) = (&server, &token);
        async move { unlock(server, token, &format!("guess {n}")).await.status.as_u16() }
    }));
    let at_once = at_once.await;
    let count = |status| at_once.iter().filter(|answered| **answered == status).count();
    assert_eq!((count(401), count(429)), (10, 20));
    let refused = unlock(&server, &token, "right").await;
    assert_eq!((refused.problem(429).0.as_str(), refused.header("retry-after")), ("rate_limit_exceeded", "30"));
    let page = shared_page::unlock(&server, &token, "right").await;
    assert_eq!((page.status, page.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, "30"));
    assert_eq!(unlock(&server, &other, "right").await.status, StatusCode::OK, "another link");
    server.clock.advance(Duration::from_secs(30));
    assert_eq!(unlock(&server, &token, "right").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_link_for_those_who_are_known_asks_who_reads() {
    let server = Server::start().await;
    let session = said(&server, &["hello"]).await;
    let token = share(&server, session, json!({"allow_anonymous": false})).await;
    assert_eq!(read(&server, &token).await.problem(401).0, "credential_required");
    let (_, key) = server.stranger().await;
    let path = format!("/api/shared/{token}");
    let known = Answer::of(server.bare(Method::GET, &path).bearer_auth(&key)).await;
    assert_eq!((known.status, &known.body["message_count"]), (StatusCode::OK, &json!(1)));
    let wrong = Answer::of(server.bare(Method::GET, &path).bearer_auth("vr_wrong")).await;
    assert_eq!(wrong.problem(401).0, "invalid_api_key");
    let stranger = principal(&server, &key).await;
    let secret =
        server.context.auth.create_client_secret(&stranger, "{}".into(), None, Duration::from_secs(60)).unwrap();
    let secret = Answer::of(server.bare(Method::GET, &path).bearer_auth(secret.secret.expose_secret())).await;
    assert_eq!(secret.problem(401).0, "credential_required", "a client secret is for live voice alone");
}

async fn principal(server: &Server, key: &str) -> Principal {
    let credential = Credential::from(providers::Secret::from(key.to_owned()));
    server.context.auth.authenticate(&credential, None).await.unwrap()
}

#[tokio::test]
async fn only_the_owner_shares_lists_and_revokes() {
    let server = Server::start().await;
    let session = said(&server, &["hello"]).await;
    let token = share(&server, session, json!({})).await;
    let (stranger, key) = server.stranger().await;
    let theirs = server.session_of(stranger).await;
    let unknown = SessionId::new(jiff::Timestamp::UNIX_EPOCH);
    for (method, suffix) in [
        (Method::POST, "share".to_owned()),
        (Method::GET, "shares".to_owned()),
        (Method::DELETE, format!("share/{token}")),
    ] {
        let ask = |session: SessionId| {
            let request = server.bare(method.clone(), &format!("/api/sessions/{session}/{suffix}")).bearer_auth(&key);
            Answer::of(if method == Method::POST { request.json(&json!({"password": "long enough"})) } else { request })
        };
        let (foreign, missing) = (ask(session).await, ask(unknown).await);
        assert_eq!(foreign.problem(404), missing.problem(404), "{method}");
        assert_eq!(foreign.body, missing.body);
        if method == Method::DELETE {
            assert_eq!(ask(theirs).await.problem(404).0, "not_found", "a link of another conversation");
        }
    }
    assert_eq!(read(&server, &token).await.status, StatusCode::OK);
    let narrow = server.api_key("speech").await;
    let refused = server.bare(Method::POST, &format!("/api/sessions/{session}/share")).bearer_auth(narrow);
    assert_eq!(Answer::of(refused.json(&json!({}))).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn what_cannot_be_a_link_is_told() {
    let server = Server::start().await;
    let path = format!("/api/sessions/{}/share", server.session().await);
    for (body, field) in [
        (json!({"expires_in_hours": 0}), "expires_in_hours"),
        (json!({"expires_in_hours": -1}), "expires_in_hours"),
        (json!({"expires_in_hours": 8761}), "expires_in_hours"),
        (json!({"expires_in_hours": 1.5}), "expires_in_hours"),
        (json!({"expires_in_hours": "24"}), "expires_in_hours"),
        (json!({"password": ""}), "password"),
        (json!({"password": "x".repeat(257)}), "password"),
        (json!({"password": 1234}), "password"),
        (json!({"allow_anonymous": "no"}), "allow_anonymous"),
        (json!({"token": "mine"}), "token"),
    ] {
        let refused = server.post(&path, body.clone()).await;
        assert_eq!(refused.problem(422).1, field, "{body}");
        assert!(!refused.body.to_string().contains("1234"), "what may be a password is not repeated");
    }
    let all_null = json!({"expires_in_hours": null, "password": null, "allow_anonymous": null});
    assert_eq!(server.post(&path, all_null).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_link_names_the_url_that_the_operator_gave() {
    let public = "https://voice.example.org/relay/".to_owned();
    let server = Server::with(|context| context.config.public_url = public).await;
    let made = server.post(&format!("/api/sessions/{}/share", server.session().await), json!({})).await.body;
    let expected = format!("https://voice.example.org/relay/shared/{}", made["share_token"].as_str().unwrap());
    assert_eq!(made["share_url"], expected);
}

#[tokio::test]
async fn a_long_conversation_is_read_to_its_end() {
    let server = Server::start().await;
    let words: Vec<_> = (0..120).map(|n| format!("{n} {}", "word ".repeat(200))).collect();
    let session = said(&server, &words.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let token = share(&server, session, json!({})).await;
    let shown = read(&server, &token).await.body;
    let told: Vec<_> = shown["messages"].as_array().unwrap().iter().map(|m| m["content"].as_str().unwrap()).collect();
    assert_eq!(told, words);
}
