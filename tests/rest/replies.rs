//! Typed answers: one turn of the assistant over a conversation, kept whole or not at all.

use std::time::Duration;

use futures_util::StreamExt;
use jiff::SignedDuration;
use providers::{
    ErrorKind,
    llm::Message,
    scripted::{self, Fault, Faults, LlmScript},
};
use reqwest::{Method, RequestBuilder, StatusCode};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use sqlx::{ConnectOptions, Connection, PgConnection, sqlite::SqliteConnectOptions};
use voice_relay::store::{MessageId, replies, sessions};

use crate::{
    database,
    live::{dial, next},
    minds::{Mind, thinks},
    server::{Answer, Server},
};

/// A conversation with these settings in which somebody asks this.
async fn asking(server: &Server, settings: Value, words: &str) -> String {
    let made = server.post("/api/sessions", json!({"settings": settings})).await;
    let path = format!("/api/sessions/{}", made.body["id"].as_str().unwrap());
    post(server, &path, "user", words).await;
    path
}

async fn post(server: &Server, path: &str, role: &str, words: &str) -> Value {
    let posted = server.post(&format!("{path}/messages"), json!({"role": role, "content": words})).await;
    assert_eq!(posted.status, StatusCode::CREATED, "{}", posted.body);
    posted.body
}

async fn reply(server: &Server, path: &str) -> Answer {
    Answer::of(server.request(Method::POST, &format!("{path}/replies"))).await
}

fn streamed(server: &Server, path: &str) -> RequestBuilder {
    server.request(Method::POST, &format!("{path}/replies")).header("accept", "text/event-stream")
}

async fn messages(server: &Server, path: &str) -> Vec<Value> {
    server.get(&format!("{path}/messages")).await.body["items"].as_array().unwrap().clone()
}

async fn words(server: &Server, path: &str) -> Vec<String> {
    let messages = messages(server, path).await;
    messages.iter().map(|message| message["content"].as_str().unwrap().to_owned()).collect()
}

/// Reads again until there are so many messages.
async fn until(server: &Server, path: &str, count: usize) -> Vec<Value> {
    let reading = async {
        loop {
            let read = messages(server, path).await;
            if read.len() == count {
                return read;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), reading).await.expect("all are kept")
}

/// Events by name, with their data.
fn events(text: &str) -> Vec<(String, Value)> {
    let event = |event: &str| {
        let (name, data) = event.split_once('\n').unwrap();
        let data: Value = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
        assert_eq!(data["type"], name.strip_prefix("event: ").unwrap());
        (data["type"].as_str().unwrap().to_owned(), data)
    };
    text.split_terminator("\n\n").map(event).collect()
}

/// A relay whose model says these words, once it is let.
async fn thinking(words: &[&'static str]) -> (Server, Mind) {
    let mind = Mind::saying(words);
    let heard = mind.clone();
    (Server::with(|context| thinks(context, "acme/mind", mind)).await, heard)
}

#[tokio::test]
async fn a_question_is_answered_once_and_the_answer_is_kept_and_charged() {
    let (server, mind) = thinking(&["Noon, ", "I think."]).await;
    mind.allow(10);
    let path = asking(&server, json!({}), "What time is it?").await;
    let made = reply(&server, &path).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    assert_eq!((&made.body["role"], &made.body["content"]), (&json!("assistant"), &json!("Noon, I think.")));
    assert_eq!((&made.body["status"], &made.body["modality"]), (&json!("completed"), &json!("text")));
    let kept = messages(&server, &path).await;
    assert_eq!((kept.len(), &kept[1]), (2, &made.body));
    assert_eq!(made.body["parent_message_id"], kept[0]["id"]);
    let cost = server.get(&path).await.body["cost"].clone();
    assert_eq!((&cost["total"], &cost["by_provider"]["acme/mind"]["input_tokens"]), (&json!(0.002), &json!(20)));

    assert_eq!(reply(&server, &path).await.problem(409).0, "nothing_to_answer");
    post(&server, &path, "user", "Are you sure?").await;
    post(&server, &path, "system", "Hurry.").await;
    assert_eq!(reply(&server, &path).await.status, StatusCode::CREATED);
    assert_eq!(words(&server, &path).await[2..], ["Are you sure?", "Noon, I think.", "Hurry."]);
    assert_eq!(server.get(&path).await.body["cost"]["total"], 0.004);
}

#[tokio::test]
async fn the_model_is_asked_what_a_voice_session_would_ask() {
    let (server, mind) = thinking(&["Ja."]).await;
    mind.allow(10);
    let settings = json!({"instructions": "Be brief.", "temperature": 0.5, "language": "nl", "model": "gpt-4o"});
    let path = asking(&server, settings, "Hallo").await;
    post(&server, &path, "assistant", "Dag!").await;
    post(&server, &path, "user", "Regent het?").await;
    assert_eq!(reply(&server, &path).await.status, StatusCode::CREATED);
    let [prompt] = &mind.asked()[..] else { panic!("asked once") };
    assert_eq!((prompt.instructions.as_str(), prompt.temperature), ("Be brief.", Some(0.5)));
    assert_eq!((prompt.model.as_deref(), prompt.language.as_deref()), (Some("gpt-4o"), Some("nl")));
    let (user, assistant) = (|text: &str| Message::User(text.into()), Message::Assistant("Dag!".into()));
    assert_eq!(prompt.messages, [user("Hallo"), assistant, user("Regent het?")]);
}

#[tokio::test]
async fn a_history_that_is_longer_than_models_read_is_asked_about_without_its_beginning() {
    let (server, mind) = thinking(&["Yes."]).await;
    mind.allow(10);
    let path = asking(&server, json!({}), "The first words.").await;
    for _ in 0..3 {
        post(&server, &path, "user", &"x".repeat(200_000)).await;
    }
    post(&server, &path, "user", "The last words.").await;
    assert_eq!(reply(&server, &path).await.status, StatusCode::CREATED);
    let asked = mind.asked();
    let told = asked.iter().rfind(|prompt| !prompt.instructions.starts_with("You keep the notes")).unwrap();
    let [Message::System(note), Message::User(long), Message::User(last)] = &told.messages[..] else {
        panic!("{told:?}")
    };
    assert!(note.starts_with("[Turns of this conversation are left out here"), "{note}");
    assert_eq!((long.len(), last.as_str()), (200_000, "The last words."));
}

#[tokio::test]
async fn words_come_as_they_are_made_under_the_id_they_are_kept_by() {
    let (server, mind) = thinking(&["One ", "two ", "three."]).await;
    let path = asking(&server, json!({}), "Count").await;
    mind.allow(1);
    let response = streamed(&server, &path).send().await.unwrap();
    assert_eq!(
        (response.status(), &response.headers()["content-type"]),
        (StatusCode::OK, &"text/event-stream".parse().unwrap())
    );
    let mut body = response.bytes_stream();
    let first = String::from_utf8(body.next().await.unwrap().unwrap().to_vec()).unwrap();
    assert_eq!(events(&first)[0].1["content"], "One ", "before the second word was let");
    mind.allow(2);
    let mut rest = String::new();
    while let Some(bytes) = body.next().await {
        rest.push_str(std::str::from_utf8(&bytes.unwrap()).unwrap());
    }
    let told = events(&(first + &rest));
    let ((name, done), chunks) = told.split_last().unwrap();
    let kept = messages(&server, &path).await[1].clone();
    assert_eq!((name.as_str(), &done["message_id"], &done["message"]), ("message.done", &kept["id"], &kept));
    let said: String = chunks.iter().map(|(_, chunk)| chunk["content"].as_str().unwrap()).collect();
    assert_eq!(said, "One two three.");
    assert!(chunks.iter().all(|(name, chunk)| name == "chunk" && chunk["message_id"] == kept["id"]));
}

#[tokio::test]
async fn a_client_that_goes_loses_nothing() {
    for streams in [true, false] {
        let (server, mind) = thinking(&["One ", "two ", "three."]).await;
        let path = asking(&server, json!({}), "Count").await;
        mind.allow(1);
        if streams {
            let mut body = streamed(&server, &path).send().await.unwrap().bytes_stream();
            body.next().await.unwrap().unwrap();
        } else {
            let waiting = tokio::spawn(server.request(Method::POST, &format!("{path}/replies")).send());
            while mind.asked().is_empty() {
                tokio::task::yield_now().await;
            }
            waiting.abort();
        }
        mind.allow(2);
        let kept = until(&server, &path, 2).await;
        assert_eq!((&kept[1]["content"], &kept[1]["status"]), (&json!("One two three."), &json!("completed")));
    }
}

#[tokio::test]
async fn a_failed_answer_leaves_nothing_and_may_be_asked_for_again() {
    let faults = Faults::default()
        .on(1, Fault::Refuse(ErrorKind::RateLimited))
        .on(2, Fault::Break { after: 2, kind: ErrorKind::Unavailable })
        .on(3, Fault::Break { after: 2, kind: ErrorKind::Unavailable })
        .on(4, Fault::Vanish { after: 0 });
    let script = LlmScript { faults, ..LlmScript::default() };
    let server = Server::with(|context| thinks(context, "acme/mind", scripted::LanguageModel::new(script))).await;
    let path = asking(&server, json!({}), "Are you there?").await;
    let refused = Answer::of(streamed(&server, &path)).await;
    assert_eq!((refused.problem(429).0.as_str(), refused.header("retry-after")), ("rate_limit_exceeded", "1"));
    assert_eq!(reply(&server, &path).await.problem(503).0, "provider_unavailable");
    let broken = Answer::of(streamed(&server, &path)).await;
    let told = events(broken.body.as_str().unwrap());
    let ((name, error), chunks) = told.split_last().unwrap();
    assert_eq!(
        (name.as_str(), &error["code"], &error["recoverable"]),
        ("error", &json!("provider_unavailable"), &json!(true))
    );
    assert!(!chunks.is_empty());
    reply(&server, &path).await.problem(502);
    assert_eq!(words(&server, &path).await, ["Are you there?"], "nothing of it is kept");
    assert_eq!(reply(&server, &path).await.body["content"], "You said: Are you there?");
}

#[tokio::test]
async fn one_reply_at_a_time_and_what_is_said_meanwhile_comes_after_it() {
    let (server, mind) = thinking(&["One ", "two."]).await;
    let path = asking(&server, json!({}), "Count").await;
    mind.allow(1);
    let mut running = streamed(&server, &path).send().await.unwrap().bytes_stream();
    running.next().await.unwrap().unwrap();
    for _ in 0..2 {
        let busy = reply(&server, &path).await;
        assert_eq!((busy.problem(409).0.as_str(), busy.header("retry-after")), ("reply_in_progress", "2"));
    }
    post(&server, &path, "user", "And then?").await;
    mind.allow(10);
    while let Some(bytes) = running.next().await {
        bytes.unwrap();
    }
    assert_eq!(words(&server, &path).await, ["Count", "One two.", "And then?"]);
    assert_eq!(reply(&server, &path).await.status, StatusCode::CREATED);
    assert_eq!(words(&server, &path).await, ["Count", "One two.", "And then?", "One two."]);
}

#[tokio::test]
async fn of_many_at_once_one_answers() {
    let (server, mind) = thinking(&["Here."]).await;
    mind.allow(100);
    let path = asking(&server, json!({}), "Where are you?").await;
    let all = futures_util::future::join_all((0..20).map(|_| reply(&server, &path))).await;
    let made = all.iter().filter(|answer| answer.status == StatusCode::CREATED).count();
    assert_eq!(made, 1);
    for refused in all.iter().filter(|answer| answer.status != StatusCode::CREATED) {
        assert!(["reply_in_progress", "nothing_to_answer"].contains(&refused.problem(409).0.as_str()));
    }
    assert_eq!(words(&server, &path).await, ["Where are you?", "Here."]);
}

#[tokio::test]
async fn a_reply_whose_relay_died_holds_its_conversation_for_a_moment_only() {
    let (server, mind) = thinking(&["Here."]).await;
    mind.allow(10);
    let path = asking(&server, json!({}), "Where are you?").await;
    let (owner, now) = (server.context.auth.owner().id, jiff::Timestamp::try_from(server.clock.wall()).unwrap());
    let session = path.rsplit('/').next().unwrap().parse().unwrap();
    let until = now + SignedDuration::from_secs(30);
    assert!(replies::begin(&server.context.db, owner, session, MessageId::new(now), until, now).await.unwrap());
    assert_eq!(reply(&server, &path).await.problem(409).0, "reply_in_progress");
    server.clock.advance(Duration::from_secs(31));
    assert_eq!(reply(&server, &path).await.status, StatusCode::CREATED);
}

/// Until when the conversation is held, as the database has it, in milliseconds since 1970.
async fn held_until(server: &Server) -> Option<i64> {
    let config = database::config(server.dir.path()).await;
    let sql = "SELECT answering_until FROM sessions";
    if config.url.expose_secret().is_empty() {
        let file = SqliteConnectOptions::new().filename(server.dir.path().join("relay.db"));
        return sqlx::query_scalar(sql).fetch_one(&mut file.connect().await.unwrap()).await.unwrap();
    }
    let mut connection = PgConnection::connect(config.url.expose_secret()).await.unwrap();
    sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap()
}

#[tokio::test]
async fn a_reply_holds_its_conversation_for_as_long_as_it_takes() {
    let (server, mind) = thinking(&["One ", "two."]).await;
    let path = asking(&server, json!({}), "Count").await;
    mind.allow(1);
    let mut running = streamed(&server, &path).send().await.unwrap().bytes_stream();
    running.next().await.unwrap().unwrap();
    for _ in 0..4 {
        server.clock.advance(Duration::from_secs(10));
        let now = jiff::Timestamp::try_from(server.clock.wall()).unwrap();
        let renewed = async {
            while held_until(&server).await != Some(now.as_millisecond() + 30_000) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), renewed).await.expect("the hold is renewed");
    }
    assert_eq!(reply(&server, &path).await.problem(409).0, "reply_in_progress");
    mind.allow(1);
    while let Some(bytes) = running.next().await {
        bytes.unwrap();
    }
    assert_eq!(words(&server, &path).await, ["Count", "One two."]);
    assert_eq!(held_until(&server).await, None);
}

#[tokio::test]
async fn beside_a_live_voice_session_nothing_is_answered() {
    let (server, mind) = thinking(&["Here."]).await;
    mind.allow(10);
    let path = asking(&server, json!({}), "Where are you?").await;
    let promise = json!({"conversation_id": path.rsplit('/').next().unwrap()});
    let promise = server.post("/voice/realtime-session", promise).await.body;
    let bearer = format!("Bearer {}", promise["client_secret"]["value"].as_str().unwrap());
    let mut socket = dial(&server, "", &[("authorization", &bearer)]).await.unwrap().0;
    next(&mut socket, "session.created").await;
    assert_eq!(reply(&server, &path).await.problem(409).0, "voice_session_live");
    socket.close(None).await.unwrap();
    while socket.next().await.is_some() {}
    let answered = async {
        while reply(&server, &path).await.status != StatusCode::CREATED {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), answered).await.expect("afterwards it is answered");
}

#[tokio::test]
async fn what_cannot_be_answered_is_told() {
    let (server, mind) = thinking(&["Here."]).await;
    mind.allow(10);
    let made = server.post("/api/sessions", json!({})).await;
    let path = format!("/api/sessions/{}", made.body["id"].as_str().unwrap());
    assert_eq!(reply(&server, &path).await.problem(409).0, "nothing_to_answer");
    post(&server, &path, "system", "Be brief.").await;
    assert_eq!(reply(&server, &path).await.problem(409).0, "nothing_to_answer");
    post(&server, &path, "user", "Hello").await;
    let unknown = server.post(&format!("{path}/replies"), json!({"mood": "good"})).await;
    assert_eq!(unknown.problem(422), ("unknown_parameter".into(), "mood".into()));
    let (_, stranger) = server.stranger().await;
    let theirs = server.bare(Method::POST, &format!("{path}/replies")).bearer_auth(stranger);
    assert_eq!(Answer::of(theirs).await.problem(404).0, "not_found");
    reply(&server, "/api/sessions/0190b0a0-0000-7000-8000-000000000000").await.problem(404);
    reply(&server, "/api/sessions/nonsense").await.problem(404);
    server.context.engine.drain.begin();
    assert_eq!(reply(&server, &path).await.problem(503).0, "shutting_down");
    assert_eq!(mind.asked().len(), 0);
}

#[tokio::test]
async fn a_conversation_that_is_deleted_meanwhile_is_not_there() {
    let (server, mind) = thinking(&["One ", "two."]).await;
    let path = asking(&server, json!({}), "Count").await;
    mind.allow(1);
    let mut running = streamed(&server, &path).send().await.unwrap().bytes_stream();
    running.next().await.unwrap().unwrap();
    server.delete(&path).await;
    mind.allow(1);
    let mut rest = String::new();
    while let Some(bytes) = running.next().await {
        rest.push_str(std::str::from_utf8(&bytes.unwrap()).unwrap());
    }
    let (name, error) = events(&rest).pop().unwrap();
    assert_eq!((name.as_str(), &error["code"], &error["recoverable"]), ("error", &json!("not_found"), &json!(false)));
    let owner = server.context.auth.owner().id;
    let session = path.rsplit('/').next().unwrap().parse().unwrap();
    assert!(sessions::get(&server.context.db, owner, session).await.is_err());
}

#[tokio::test]
async fn of_a_conversation_longer_than_the_model_reads_the_older_turns_are_summarised() {
    let mind = Mind::saying(&["Summary:", " they", " talked"]);
    mind.allow(1_000);
    let heard = mind.clone();
    let server = Server::with(|context| {
        context.engine.config.context_tokens = 1_000;
        thinks(context, "mind", mind);
    })
    .await;
    let path = asking(&server, json!({}), &format!("question 0 {}", "words ".repeat(100))).await;
    for turn in 1..=10 {
        assert_eq!(reply(&server, &path).await.status, StatusCode::CREATED);
        post(&server, &path, "user", &format!("question {turn} {}", "words ".repeat(100))).await;
    }
    assert_eq!(reply(&server, &path).await.status, StatusCode::CREATED);
    let asked = heard.asked();
    let told = asked.iter().rfind(|prompt| !prompt.instructions.starts_with("You keep the notes")).unwrap();
    assert!(matches!(&told.messages[0], Message::System(note) if note.contains("\n> they talked\n[End of summary]")));
    assert!(matches!(&told.messages[1], Message::User(text) if text.starts_with("question ")));
    assert!(matches!(told.messages.last(), Some(Message::User(text)) if text.starts_with("question 10 ")));
    assert!(told.messages.len() < 12, "{}", told.messages.len());
    let kept = server.get(&format!("{path}/messages?limit=100")).await;
    assert_eq!(kept.body["items"].as_array().unwrap().len(), 22, "what is kept stays whole");
}
