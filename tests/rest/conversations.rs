//! Sessions and messages as clients read them.

use jiff::Timestamp;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use voice_relay::store::{
    SessionId, UserId,
    messages::{self, Call, Entry, Modality, Role, Status},
};

use crate::server::{Answer, START, Server};

async fn say(server: &Server, user: UserId, session: SessionId, n: usize, entry: Entry) {
    let previous = n.checked_sub(1).map(|n| format!("item{n}"));
    let now = Timestamp::from_second(START as i64).unwrap();
    let item = format!("item{n}");
    messages::upsert(&server.context.db, user, session, &item, previous.as_deref(), &entry, now).await.unwrap();
}

fn words(text: &str) -> Entry {
    let (role, modality, status) = (Role::User, Modality::Audio, Status::Completed);
    Entry { role, modality, content: text.to_owned(), status, call: None }
}

#[tokio::test]
async fn a_conversation_is_listed_read_and_deleted() {
    let server = Server::start().await;
    let (owner, session) = (server.context.auth.owner().id, server.session().await);
    say(&server, owner, session, 0, words("hello there")).await;
    let call = Call { id: "call_1".into(), name: Some("clock".into()), arguments: Some("{}".into()) };
    let entry = Entry { role: Role::Assistant, modality: Modality::Text, call: Some(call), ..words("") };
    say(&server, owner, session, 1, entry).await;

    let list = server.get("/api/sessions").await;
    let expected = json!({
        "id": session.to_string(), "title": "hello there", "complete": true,
        "archived": false, "folder_id": null, "settings": {}, "cost": null,
        "created_at": "2026-01-01T00:00:00.000Z", "updated_at": "2026-01-01T00:00:00.000Z",
    });
    assert_eq!(list.body, json!({"items": [expected], "next": null}));
    let path = format!("/api/sessions/{session}");
    assert_eq!(server.get(&path).await.body, expected);

    let read = server.get(&format!("{path}/messages")).await.body;
    assert_eq!(read["next"], Value::Null);
    let first = &read["items"][0];
    let fields: Vec<_> = first.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(fields, MESSAGE);
    assert_eq!((&first["attachments"], &first["citations"]), (&json!([]), &json!([])));
    assert_eq!(
        (&first["role"], &first["content"], &first["item_id"]),
        (&json!("user"), &json!("hello there"), &json!("item0"))
    );
    assert_eq!(
        (&first["modality"], &first["status"], &first["tool_call"]),
        (&json!("audio"), &json!("completed"), &Value::Null)
    );
    assert_eq!(read["items"][1]["tool_call"], json!({"id": "call_1", "name": "clock", "arguments": "{}"}));

    assert_eq!(server.delete(&path).await.status, StatusCode::NO_CONTENT);
    for gone in [server.get(&path).await, server.get(&format!("{path}/messages")).await, server.delete(&path).await] {
        assert_eq!(gone.problem(404).0, "not_found");
    }
}

/// What a message has, whatever it says.
const MESSAGE: [&str; 15] = [
    "attachments",
    "citations",
    "client_message_id",
    "content",
    "created_at",
    "id",
    "item_id",
    "modality",
    "parent_message_id",
    "role",
    "session_id",
    "status",
    "tool_call",
    "tools",
    "updated_at",
];

#[tokio::test]
async fn conversations_put_away_are_listed_apart() {
    let server = Server::start().await;
    let session = server.session().await.to_string();
    for (query, expected) in [("", 1), ("?archived=false", 1), ("?archived=true", 0), ("?limit=1&archived=false", 1)] {
        let found = server.get(&format!("/api/sessions{query}")).await.body;
        let ids: Vec<_> = found["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect();
        assert_eq!(ids, vec![session.as_str(); expected], "{query}");
    }
    assert_eq!(server.get("/api/sessions?archived=maybe").await.problem(422).1, "archived");
}

#[tokio::test]
async fn pages_cover_a_long_conversation_once() {
    let server = Server::start().await;
    let (owner, session) = (server.context.auth.owner().id, server.session().await);
    for n in 0..45 {
        say(&server, owner, session, n, words(&n.to_string())).await;
    }
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let page = server.get(&format!("/api/sessions/{session}/messages?limit=20{after}")).await.body;
        seen.extend(page["items"].as_array().unwrap().iter().map(|m| m["content"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    assert_eq!(seen, (0..45).map(|n| n.to_string()).collect::<Vec<_>>());
    let usual = server.get(&format!("/api/sessions/{session}/messages")).await.body;
    assert_eq!(usual["items"].as_array().unwrap().len(), 20, "by default");
}

#[tokio::test]
async fn a_page_around_a_message_begins_half_a_page_before_it() {
    let server = Server::start().await;
    let (owner, session) = (server.context.auth.owner().id, server.session().await);
    for n in 0..45 {
        say(&server, owner, session, n, words(&n.to_string())).await;
    }
    let list = format!("/api/sessions/{session}/messages");
    let all = server.get(&format!("{list}?limit=100")).await.body;
    let items = |page: &Value| page["items"].as_array().unwrap().clone();
    let id = |n: usize| all["items"][n]["id"].as_str().unwrap();
    for (middle, limit, expected) in
        [(20, 10, 15..25), (20, 1, 20..21), (20, 2, 19..21), (2, 10, 0..10), (0, 3, 0..3), (44, 10, 39..45)]
    {
        let page = server.get(&format!("{list}?limit={limit}&around={}", id(middle))).await.body;
        assert_eq!(items(&page), items(&all)[expected.clone()], "{middle}, {limit}");
        let Some(next) = page["next"].as_str() else {
            assert_eq!(expected.end, 45, "{middle}, {limit}");
            continue;
        };
        let rest = server.get(&format!("{list}?limit=100&after={next}")).await.body;
        assert_eq!(items(&rest), items(&all)[expected.end..], "{middle}, {limit}");
    }
    let (stranger, _) = server.stranger().await;
    let (other, theirs) = (server.session().await, server.session_of(stranger).await);
    say(&server, owner, other, 0, words("elsewhere")).await;
    say(&server, stranger, theirs, 0, words("private")).await;
    let kept = messages::list(&server.context.db, stranger, theirs, None, 1).await.unwrap();
    let elsewhere = server.get(&format!("/api/sessions/{other}/messages")).await.body;
    let elsewhere = elsewhere["items"][0]["id"].as_str().unwrap();
    let private = kept.items[0].id.to_string();
    let cursor = server.get(&format!("{list}?limit=1")).await.body["next"].as_str().unwrap().to_owned();
    for around in ["1", "", elsewhere, &private, &format!("{}&after={cursor}", id(20))] {
        assert_eq!(server.get(&format!("{list}?around={around}")).await.problem(422).1, "around", "{around}");
    }
    let foreign = server.get(&format!("/api/sessions/{theirs}/messages?around={private}")).await;
    assert_eq!(foreign.problem(404).0, "not_found");
}

#[tokio::test]
async fn a_limit_or_cursor_that_cannot_be_is_refused() {
    let server = Server::start().await;
    let messages = format!("/api/sessions/{}/messages", server.session().await);
    for list in ["/api/sessions", "/api/keys", &messages] {
        for bad in ["limit=0", "limit=101", "limit=-1", "limit=ten", "limit=", "limit=1e1"] {
            assert_eq!(server.get(&format!("{list}?{bad}")).await.problem(422).1, "limit", "{list}?{bad}");
        }
        assert_eq!(server.get(&format!("{list}?after=%20")).await.problem(422).1, "after");
        assert_eq!(server.get(&format!("{list}?page=2")).await.problem(422).1, "page");
        assert_eq!(server.get(&format!("{list}?limit=100")).await.status, StatusCode::OK);
        let foreign = server.get(&format!("{list}?after=Zm9v")).await;
        assert_eq!(foreign.body, json!({"items": [], "next": null}), "{list}: a cursor of nothing is past the end");
    }
}

#[tokio::test]
async fn what_is_somebody_elses_answers_as_what_does_not_exist() {
    let server = Server::start().await;
    let (stranger, key) = server.stranger().await;
    let theirs = server.session_of(stranger).await;
    say(&server, stranger, theirs, 0, words("private")).await;
    let unknown = SessionId::new(Timestamp::UNIX_EPOCH);
    for suffix in ["", "/messages"] {
        let foreign = server.get(&format!("/api/sessions/{theirs}{suffix}")).await;
        let missing = server.get(&format!("/api/sessions/{unknown}{suffix}")).await;
        assert_eq!((foreign.status, &foreign.body), (StatusCode::NOT_FOUND, &missing.body));
    }
    assert_eq!(server.delete(&format!("/api/sessions/{theirs}")).await.status, StatusCode::NOT_FOUND);
    assert_eq!(server.get("/api/sessions").await.body["items"], json!([]));
    let own = Answer::of(server.bare(Method::GET, "/api/sessions").bearer_auth(key)).await;
    assert_eq!(own.body["items"][0]["id"], theirs.to_string());
    for id in ["1", "..%2f..", "%00", "0190b0a0-0000-7000-8000-00000000000g"] {
        assert_eq!(server.get(&format!("/api/sessions/{id}")).await.problem(404).0, "not_found", "{id}");
    }
}

#[tokio::test]
async fn live_sessions_are_seen_and_ended_by_their_owner_alone() {
    let server = Server::start().await;
    let (_, key) = server.stranger().await;
    let owner = server.context.auth.owner().id.to_string();
    let pass = server.context.engine.admission.admit(owner.clone(), "ws", server.clock.wall()).unwrap();
    let listed = server.get("/voice/sessions").await.body;
    assert_eq!(listed["items"][0]["user_id"], owner);
    assert_eq!(listed["items"][0]["started_at"], "2026-01-01T00:00:00.000Z");
    let id = listed["items"][0]["id"].as_str().unwrap().to_owned();
    let as_stranger = |method, path: &str| Answer::of(server.bare(method, path).bearer_auth(&key));
    assert_eq!(as_stranger(Method::GET, "/voice/sessions").await.body["items"], json!([]));
    let path = format!("/voice/sessions/{id}");
    assert_eq!(as_stranger(Method::DELETE, &path).await.problem(404).0, "not_found");
    assert_eq!(server.delete(&path).await.status, StatusCode::ACCEPTED);
    pass.ended().await;
    drop(pass);
    assert_eq!(server.delete(&path).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn models_are_listed_and_found_by_name() {
    let server = Server::start().await;
    let list = server.get("/v1/models").await.body;
    assert_eq!(list["object"], "list");
    let first = json!({"id": "voice-relay", "object": "model", "created": START, "owned_by": "voice-relay"});
    assert_eq!(list["data"][0], first);
    assert_eq!(server.get("/v1/models/scripted/stt").await.body["id"], "scripted/stt");
    assert_eq!(server.get("/v1/models/gpt-realtime").await.status, StatusCode::OK);
    assert_eq!(server.get("/v1/models/nonsense").await.openai(404), ("model_not_found".into(), "model".into()));
}
