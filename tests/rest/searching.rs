//! Conversations found by what was said in them.

use reqwest::Method;
use serde_json::{Value, json};
use voice_relay::store::messages::{self, Entry, Modality, Role, Status};

use crate::server::{Answer, START, Server};

async fn begun(server: &Server, title: Value, said: &[&str]) -> String {
    let made = server.post("/api/sessions", json!({"title": title})).await.body;
    let id = made["id"].as_str().unwrap().to_owned();
    for content in said {
        let path = format!("/api/sessions/{id}/messages");
        assert_eq!(server.post(&path, json!({"role": "user", "content": content})).await.status, 201);
    }
    id
}

/// The conversations found, newest first.
async fn found(server: &Server, query: &str) -> Vec<String> {
    let query: String = form_urlencoded::byte_serialize(query.as_bytes()).collect();
    let answer = server.get(&format!("/api/sessions?q={query}")).await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.body);
    answer.body["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn words_are_found_in_titles_and_messages_by_their_beginnings_in_any_case() {
    let server = Server::start().await;
    let oslo = begun(&server, json!("Weather in Oslo"), &["Will it rain tomorrow, at 14.30?"]).await;
    let greek = begun(&server, json!(null), &["Was heißt Überraschung auf Griechisch?", "Έκπληξη!"]).await;
    for query in ["oslo", "OSLO weather", "rain", "tomor", "rain, tomorrow?", "14.30", "30"] {
        assert_eq!(found(&server, query).await, [oslo.as_str()], "{query}");
    }
    for query in ["überraschung", "ÜBER", "έκπ", "griech", "was hei"] {
        assert_eq!(found(&server, query).await, [greek.as_str()], "{query}");
    }
    for query in ["snow", "rain snow", "ain", "weather rain", "oslo überraschung"] {
        assert!(found(&server, query).await.is_empty(), "{query}");
    }
    assert_eq!(found(&server, "w").await, [greek, oslo], "both begin a word with it, the newest first");
}

#[tokio::test]
async fn what_was_spoken_is_found_too_and_what_is_anothers_is_not() {
    let server = Server::start().await;
    let (owner, session) = (server.context.auth.owner().id, server.session().await);
    let now = jiff::Timestamp::from_second(START as i64).unwrap();
    let spoken = |content: &str| Entry {
        role: Role::Assistant,
        modality: Modality::Audio,
        content: content.to_owned(),
        status: Status::InProgress,
        call: None,
    };
    for content in ["the train", "the train leaves at noon"] {
        messages::upsert(&server.context.db, owner, session, "a", None, &spoken(content), now).await.unwrap();
    }
    assert_eq!(found(&server, "noon").await, [session.to_string()]);
    let (stranger, key) = server.stranger().await;
    let theirs = server.session_of(stranger).await;
    messages::upsert(&server.context.db, stranger, theirs, "a", None, &spoken("noon"), now).await.unwrap();
    assert_eq!(found(&server, "noon").await, [session.to_string()]);
    let asked = Answer::of(server.bare(Method::GET, "/api/sessions?q=train").bearer_auth(&key)).await;
    assert_eq!(asked.body["items"], json!([]));
}

#[tokio::test]
async fn where_words_were_first_said_is_told_with_what_is_around_them() {
    let server = Server::start().await;
    let (stranger, _) = server.stranger().await;
    let spoken = ["Hello", "Will it RAIN tomorrow?", "It will rain all day."];
    let first = begun(&server, json!(null), &spoken).await;
    let theirs = server.session_of(stranger).await;
    let now = jiff::Timestamp::from_second(START as i64).unwrap();
    let (role, modality, status) = (Role::User, Modality::Text, Status::Completed);
    let entry = Entry { role, modality, content: "rain".to_owned(), status, call: None };
    messages::upsert(&server.context.db, stranger, theirs, "a", None, &entry, now).await.unwrap();
    let titled = begun(&server, json!("Rain"), &["Hello"]).await;
    let long = format!("{}rainbows {}", "before ".repeat(20), "after ".repeat(20));
    let last = begun(&server, json!(null), &[&long]).await;

    let items = server.get("/api/sessions?q=rain&excerpts=true").await.body["items"].clone();
    let found = |n: usize| (items[n]["id"].as_str().unwrap(), &items[n]["found"]);
    let read = server.get(&format!("/api/sessions/{first}/messages")).await.body;
    let place =
        json!({"message_id": read["items"][1]["id"], "before": "Will it ", "hit": "RAIN", "after": " tomorrow?"});
    assert_eq!(found(2), (first.as_str(), &place));
    assert_eq!(found(1), (titled.as_str(), &Value::Null), "its title alone has it");
    let read = server.get(&format!("/api/sessions/{last}/messages")).await.body;
    assert_eq!((found(0).0, &found(0).1["message_id"]), (last.as_str(), &read["items"][0]["id"]));
    let shown = ["before", "hit", "after"].map(|part| found(0).1[part].as_str().unwrap());
    let expected = ["… before before before before before ", "rainbows", " after after after after after after …"];
    assert_eq!(shown, expected);
    for path in ["/api/sessions?excerpts=true", "/api/sessions?q=rain", "/api/sessions?q=rain&excerpts=false"] {
        assert!(
            server.get(path).await.body["items"][2].get("found").is_none(),
            "{path} looks for nothing, or need not say"
        );
    }
    assert_eq!(server.get("/api/sessions?q=rain&excerpts=1").await.problem(422).1, "excerpts");
}

#[tokio::test]
async fn what_is_changed_or_gone_is_found_as_it_is_now() {
    let server = Server::start().await;
    let id = begun(&server, json!("Plans"), &["Meet on Monday", "Bring cake"]).await;
    let read = server.get(&format!("/api/sessions/{id}/messages")).await.body;
    let message = |n: usize| format!("/api/messages/{}", read["items"][n]["id"].as_str().unwrap());
    let patch = async |path: &str, body: Value| Answer::of(server.request(Method::PATCH, path).json(&body)).await;
    patch(&message(0), json!({"content": "Meet on Friday"})).await;
    assert!(found(&server, "monday").await.is_empty());
    assert_eq!(found(&server, "friday").await, [id.as_str()]);
    server.delete(&message(1)).await;
    assert!(found(&server, "cake").await.is_empty());
    patch(&format!("/api/sessions/{id}"), json!({"title": "Excuses"})).await;
    assert!(found(&server, "plans").await.is_empty());
    assert_eq!(found(&server, "excuses").await, [id.as_str()]);
    server.delete(&format!("/api/sessions/{id}")).await;
    assert!(found(&server, "friday").await.is_empty());
}

#[tokio::test]
async fn a_search_is_a_list_like_any_other() {
    let server = Server::start().await;
    let mut ids = Vec::new();
    for n in 0..5 {
        ids.push(begun(&server, json!(format!("tea {n}")), &[]).await);
    }
    ids.reverse();
    let first = server.get("/api/sessions?q=tea&limit=3").await.body;
    let next = first["next"].as_str().unwrap();
    let rest = server.get(&format!("/api/sessions?limit=3&q=tea&after={next}")).await.body;
    let both = [&first, &rest].into_iter().flat_map(|page| page["items"].as_array().unwrap());
    assert_eq!(both.map(|item| item["id"].as_str().unwrap()).collect::<Vec<_>>(), ids);
    assert_eq!(rest["next"], Value::Null);
    assert_eq!(server.get("/api/sessions?q=tea&archived=true").await.body["items"], json!([]));
}

#[tokio::test]
async fn nothing_typed_is_an_operator_and_what_has_no_word_is_refused() {
    let server = Server::start().await;
    let id = begun(&server, json!(null), &["or not near, and \"quoted\" NULL"]).await;
    for query in
        ["or not", "NEAR(", "\"quoted\" AND", "'or", "or:*", "not & | !", "null); --", "*quoted^", "content:or"]
    {
        let expected: &[&str] = if query.contains("content") { &[] } else { &[&id] };
        assert_eq!(found(&server, query).await, expected, "{query}");
    }
    let long = "a".repeat(201);
    for query in ["", "%20", "%22*%27", "%00", &long] {
        assert_eq!(server.get(&format!("/api/sessions?q={query}")).await.problem(422).1, "q", "{query}");
    }
}

#[tokio::test]
async fn a_very_long_message_is_kept_and_found_by_its_beginning() {
    let server = Server::start().await;
    let (owner, session) = (server.context.auth.owner().id, server.session().await);
    let words: String = (0..200_000).map(|n| format!("word{n} ")).collect();
    let entry =
        Entry { role: Role::User, modality: Modality::Text, content: words, status: Status::Completed, call: None };
    let now = jiff::Timestamp::from_second(START as i64).unwrap();
    messages::upsert(&server.context.db, owner, session, "a", None, &entry, now).await.unwrap();
    assert_eq!(found(&server, "word77").await, [session.to_string()]);
}
