//! Typed conversations over WebSocket: every tab sees every turn, nothing is lost or doubled by a drop.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use providers::{
    ErrorKind,
    scripted::{self, Fault, Faults, LlmScript},
};
use reqwest::Method;
use serde_json::{Value, json};
use tokio_tungstenite::{
    MaybeTlsStream,
    tungstenite::{
        Message, Utf8Bytes,
        client::IntoClientRequest,
        protocol::frame::{
            Frame,
            coding::{Data, OpCode},
        },
    },
};

use crate::{
    files::{crew, id, settled, upload},
    live::{self, Socket, dial, dial_at, goodbye},
    minds::{Mind, thinks},
    people::{Person, administer},
    secrets::secret,
    server::{Answer, Server},
};

/// One client of a conversation.
struct Tab {
    socket: Socket,
    /// What it was told first.
    history: Value,
}

impl Tab {
    /// The owner's, in this conversation.
    async fn open(server: &Server, session: &str) -> Self {
        Self::of(server, session, &server.key).await
    }

    async fn of(server: &Server, session: &str, credential: &str) -> Self {
        let bearer = format!("Bearer {credential}");
        let path = format!("/api/realtime/ws?session_id={session}");
        let (socket, _) = dial_at(server, &path, &[("authorization", &bearer)]).await.unwrap();
        let mut tab = Self { socket, history: Value::Null };
        let connected = tab.next().await;
        assert_eq!((&connected["type"], &connected["session_id"]), (&json!("connected"), &json!(session)));
        tab.history = tab.next().await;
        assert_eq!(tab.history["type"], "history");
        tab
    }

    async fn send(&mut self, event: Value) {
        live::send(&mut self.socket, event).await;
    }

    async fn say(&mut self, content: &str, name: &str) {
        self.send(json!({"type": "message", "content": content, "client_message_id": name})).await;
    }

    /// The next event.
    async fn next(&mut self) -> Value {
        let reading = async {
            loop {
                match self.socket.next().await.expect("the socket is open").unwrap() {
                    Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                    Message::Close(frame) => panic!("closed: {frame:?}"),
                    Message::Ping(_) | Message::Pong(_) | Message::Binary(_) | Message::Frame(_) => {}
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(20), reading).await.expect("an event comes")
    }

    /// The next event, which is of this type.
    async fn expect(&mut self, kind: &str) -> Value {
        let event = self.next().await;
        assert_eq!(event["type"], kind, "{event}");
        event
    }

    /// The next event, which is an error with this code. The socket goes on.
    async fn error(&mut self, code: &str) -> Value {
        let error = self.expect("error").await;
        assert_eq!((&error["code"], &error["recoverable"]), (&json!(code), &json!(true)), "{error}");
        error
    }

    /// What follows, up to the end of a reply: its words, and the message.
    async fn reply(&mut self) -> (String, Value) {
        let mut words = String::new();
        loop {
            let event = self.next().await;
            match event["type"].as_str().unwrap() {
                "chunk" => words.push_str(event["content"].as_str().unwrap()),
                "message.done" => {
                    assert_eq!(event["message_id"], event["message"]["id"]);
                    return (words, event["message"].clone());
                }
                _ => panic!("{event}"),
            }
        }
    }

    /// Whether nothing else was to be told before the answer to this.
    async fn is_quiet(&mut self) {
        self.send(json!({"type": "ping"})).await;
        self.expect("pong").await;
    }

    async fn leave(mut self) {
        self.socket.close(None).await.unwrap();
        while self.socket.next().await.is_some() {}
    }

    /// What was said, in the history it was told first.
    fn past(&self) -> Vec<&str> {
        said(self.history["messages"].as_array().unwrap())
    }
}

fn said(messages: &[Value]) -> Vec<&str> {
    messages.iter().map(|message| message["content"].as_str().unwrap()).collect()
}

/// A relay whose model says these words, once it is let.
async fn thinking(words: &[&'static str]) -> (Server, Mind) {
    let mind = Mind::saying(words);
    let heard = mind.clone();
    (Server::with(|context| thinks(context, "acme/mind", mind)).await, heard)
}

async fn conversation(server: &Server) -> String {
    server.session().await.to_string()
}

async fn messages(server: &Server, session: &str) -> Vec<Value> {
    server.get(&format!("/api/sessions/{session}/messages")).await.body["items"].as_array().unwrap().clone()
}

/// Waits until something is so.
async fn until(mut so: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !so().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), waiting).await.expect("it comes to be");
}

#[tokio::test]
async fn what_is_typed_is_kept_and_answered_word_by_word() {
    let (server, mind) = thinking(&["One ", "two."]).await;
    let session = conversation(&server).await;
    let mut tab = Tab::open(&server, &session).await;
    assert_eq!((tab.past(), &tab.history["has_more"]), (vec![], &json!(false)));
    tab.say("Count", "m1").await;
    let created = tab.expect("user_message.created").await["message"].clone();
    assert_eq!((&created["content"], &created["client_message_id"]), (&json!("Count"), &json!("m1")));
    mind.allow(1);
    let first = tab.expect("chunk").await;
    assert_eq!(first["content"], "One ", "before the second word was let");
    mind.allow(1);
    let (rest, done) = tab.reply().await;
    assert_eq!((rest.as_str(), &done["content"], &done["status"]), ("two.", &json!("One two."), &json!("completed")));
    assert_eq!((&done["id"], &done["citations"]), (&first["message_id"], &json!([])));
    assert_eq!(done["parent_message_id"], created["id"]);
    assert_eq!(messages(&server, &session).await, [created, done]);
    tab.is_quiet().await;
    assert_eq!(server.get(&format!("/api/sessions/{session}")).await.body["cost"]["total"], 0.002);
}

#[tokio::test]
async fn every_tab_sees_every_turn_whichever_way_it_came() {
    let (server, mind) = thinking(&["Here."]).await;
    mind.allow(100);
    let session = conversation(&server).await;
    let (mut one, mut two) = (Tab::open(&server, &session).await, Tab::open(&server, &session).await);

    one.say("By socket", "m1").await;
    for tab in [&mut one, &mut two] {
        assert_eq!(tab.expect("user_message.created").await["message"]["content"], "By socket");
        assert_eq!(tab.reply().await.0, "Here.");
    }

    let path = format!("/api/sessions/{session}");
    server.post(&format!("{path}/messages"), json!({"role": "user", "content": "By REST"})).await;
    let made = Answer::of(server.request(Method::POST, &format!("{path}/replies"))).await;
    for tab in [&mut one, &mut two] {
        assert_eq!(tab.expect("user_message.created").await["message"]["content"], "By REST");
        let (words, message) = tab.reply().await;
        assert_eq!((words.as_str(), &message), ("Here.", &made.body));
    }

    let promise = server.post("/voice/realtime-session", json!({"conversation_id": session})).await.body;
    let bearer = format!("Bearer {}", promise["client_secret"]["value"].as_str().unwrap());
    let mut voice = dial(&server, "", &[("authorization", &bearer)]).await.unwrap().0;
    let content = json!([{"type": "input_text", "text": "By voice"}]);
    let item = json!({"type": "message", "role": "user", "content": content});
    live::send(&mut voice, json!({"type": "conversation.item.create", "item": item})).await;
    live::send(&mut voice, json!({"type": "response.create"})).await;
    live::next(&mut voice, "response.done").await;
    for tab in [&mut one, &mut two] {
        assert_eq!(tab.expect("user_message.created").await["message"]["content"], "By voice");
        let done = tab.expect("message.done").await["message"].clone();
        assert_eq!((&done["content"], &done["modality"]), (&json!("Here."), &json!("audio")));
    }
    let kept = messages(&server, &session).await;
    assert_eq!(said(&kept), ["By socket", "Here.", "By REST", "Here.", "By voice", "Here."]);
}

#[tokio::test]
async fn a_drop_amid_a_reply_loses_and_doubles_nothing() {
    let (server, mind) = thinking(&["One ", "two ", "three."]).await;
    let session = conversation(&server).await;
    let mut tab = Tab::open(&server, &session).await;
    tab.say("Count", "m1").await;
    tab.expect("user_message.created").await;
    mind.allow(1);
    let first = tab.expect("chunk").await;
    drop(tab);

    let mut tab = Tab::open(&server, &session).await;
    assert_eq!(tab.past(), ["Count"]);
    let again = tab.expect("chunk").await;
    assert_eq!((&again["content"], &again["message_id"]), (&json!("One "), &first["message_id"]));
    // A client that does not know what arrived sends it again.
    tab.say("Count", "m1").await;
    tab.expect("user_message.created").await;
    tab.is_quiet().await;
    mind.allow(2);
    let (rest, done) = tab.reply().await;
    assert_eq!((rest.as_str(), &done["id"]), ("two three.", &first["message_id"]));
    let late = Tab::open(&server, &session).await;
    assert_eq!(late.past(), ["Count", "One two three."]);
    assert_eq!(messages(&server, &session).await.len(), 2);
    assert_eq!(mind.asked().len(), 1);
}

#[tokio::test]
async fn what_is_sent_again_is_kept_once_and_its_answer_is_told_again() {
    let (server, mind) = thinking(&["Here."]).await;
    mind.allow(100);
    let session = conversation(&server).await;
    let (mut tab, mut other) = (Tab::open(&server, &session).await, Tab::open(&server, &session).await);
    tab.say("Where are you?", "m1").await;
    let created = tab.expect("user_message.created").await;
    let (_, done) = tab.reply().await;
    other.expect("user_message.created").await;
    other.reply().await;
    tab.say("Where are you?", "m1").await;
    assert_eq!(tab.expect("user_message.created").await, created);
    assert_eq!(tab.expect("message.done").await["message"], done);
    tab.say("Who are you?", "m1").await;
    let taken = tab.error("invalid_value").await;
    assert_eq!((&taken["field"], &taken["client_message_id"]), (&json!("client_message_id"), &json!("m1")));
    other.is_quiet().await;
    assert_eq!((messages(&server, &session).await.len(), mind.asked().len()), (2, 1));
}

#[tokio::test]
async fn what_is_said_while_a_reply_is_made_is_answered_after_it() {
    let (server, mind) = thinking(&["One ", "two."]).await;
    let session = conversation(&server).await;
    let mut tab = Tab::open(&server, &session).await;
    tab.say("Count", "m1").await;
    tab.expect("user_message.created").await;
    mind.allow(1);
    tab.expect("chunk").await;
    for name in ["m2", "m3"] {
        tab.say("And then?", name).await;
        assert_eq!(tab.expect("user_message.created").await["message"]["client_message_id"], name);
    }
    mind.allow(10);
    assert_eq!(tab.reply().await.0, "two.");
    let (words, done) = tab.reply().await;
    assert_eq!((words.as_str(), &done["content"]), ("One two.", &json!("One two.")));
    tab.is_quiet().await;
    let kept = messages(&server, &session).await;
    assert_eq!(said(&kept), ["Count", "One two.", "And then?", "And then?", "One two."]);
    assert_eq!((done["parent_message_id"].clone(), mind.asked().len()), (kept[3]["id"].clone(), 2));
    tab.say("And then?", "m2").await;
    tab.expect("user_message.created").await;
    assert_eq!(tab.expect("message.done").await["message"], done, "it answers both");
}

#[tokio::test]
async fn a_cancelled_reply_is_kept_as_far_as_it_came() {
    let (server, mind) = thinking(&["One ", "two ", "three."]).await;
    let session = conversation(&server).await;
    let (mut tab, mut other) = (Tab::open(&server, &session).await, Tab::open(&server, &session).await);
    tab.send(json!({"type": "cancel"})).await;
    tab.error("nothing_to_cancel").await;
    tab.say("Count", "m1").await;
    tab.expect("user_message.created").await;
    mind.allow(1);
    tab.expect("chunk").await;
    other.expect("user_message.created").await;
    other.expect("chunk").await;
    other.send(json!({"type": "cancel"})).await;
    mind.let_go().await;
    for tab in [&mut tab, &mut other] {
        let done = tab.expect("message.done").await["message"].clone();
        assert_eq!((&done["content"], &done["status"]), (&json!("One "), &json!("incomplete")));
    }
    assert_eq!(said(&messages(&server, &session).await), ["Count", "One "]);

    tab.say("Again", "m2").await;
    tab.expect("user_message.created").await;
    until(async || mind.asked().len() == 2).await;
    tab.send(json!({"type": "cancel"})).await;
    tab.error("cancelled").await;
    assert_eq!(said(&messages(&server, &session).await), ["Count", "One ", "Again"], "there was no word of it");
    mind.allow(10);
    tab.say("Again", "m2").await;
    tab.expect("user_message.created").await;
    assert_eq!(tab.reply().await.0, "One two three.");
}

#[tokio::test]
async fn a_failed_answer_leaves_a_turn_that_is_answered_when_it_is_sent_again() {
    let faults = Faults::default()
        .on(1, Fault::Refuse(ErrorKind::Unavailable))
        .on(2, Fault::Break { after: 2, kind: ErrorKind::Unavailable });
    let script = LlmScript { faults, ..LlmScript::default() };
    let server = Server::with(|context| thinks(context, "acme/mind", scripted::LanguageModel::new(script))).await;
    let session = conversation(&server).await;
    let (mut tab, mut other) = (Tab::open(&server, &session).await, Tab::open(&server, &session).await);
    tab.say("Are you there?", "m1").await;
    for tab in [&mut tab, &mut other] {
        tab.expect("user_message.created").await;
        tab.error("provider_unavailable").await;
    }
    tab.say("Are you there?", "m1").await;
    tab.expect("user_message.created").await;
    for tab in [&mut tab, &mut other] {
        loop {
            let event = tab.next().await;
            if event["type"] != "chunk" {
                assert_eq!(event["code"], "provider_unavailable", "{event}");
                break;
            }
        }
    }
    assert_eq!(said(&messages(&server, &session).await), ["Are you there?"], "nothing half said is kept");
    tab.say("Are you there?", "m1").await;
    tab.expect("user_message.created").await;
    assert_eq!(tab.reply().await.0, "You said: Are you there?");
    assert_eq!(other.reply().await.0, "You said: Are you there?");
}

#[tokio::test]
async fn a_long_history_is_told_from_its_end() {
    let server = Server::start().await;
    let session = conversation(&server).await;
    let post = async |content: String| {
        let body = json!({"role": "user", "content": content});
        server.post(&format!("/api/sessions/{session}/messages"), body).await;
    };
    for n in 0..60 {
        post(n.to_string()).await;
    }
    let tab = Tab::open(&server, &session).await;
    let expected: Vec<_> = (10..60).map(|n| n.to_string()).collect();
    assert_eq!((tab.past(), &tab.history["has_more"]), (expected.iter().map(String::as_str).collect(), &json!(true)));
    for _ in 0..6 {
        post("x".repeat(200_000)).await;
    }
    assert_eq!(Tab::open(&server, &session).await.past().len(), 5, "a mebibyte of words at most");
}

#[tokio::test]
async fn files_of_the_conversation_may_be_named_once_they_are_read() {
    let (server, mind) = thinking(&["Read."]).await;
    mind.allow(10);
    let (session, elsewhere) = (conversation(&server).await, conversation(&server).await);
    let attach = async |session: &str| {
        let body = json!({"role": "user", "content": "A file"});
        let message = server.post(&format!("/api/sessions/{session}/messages"), body).await;
        id(&upload(&server, &id(&message.body), "words.txt", "words").await.body)
    };
    let (here, there) = (attach(&session).await, attach(&elsewhere).await);
    let mut tab = Tab::open(&server, &session).await;
    let naming = |id: &str| json!({"type": "message", "content": "What does it say?", "attachments": [id]});
    for nobodys in [there.as_str(), "0190b0a0-0000-7000-8000-000000000000"] {
        tab.send(naming(nobodys)).await;
        assert_eq!(tab.error("no_such_attachment").await["field"], "attachments");
    }
    tab.send(naming(&here)).await;
    tab.error("attachment_pending").await;
    assert_eq!(messages(&server, &session).await.len(), 1, "nothing of it is kept");
    tokio::spawn(crew(&server).work());
    assert_eq!(settled(&server, &here).await["state"], "ready");
    tab.send(naming(&here)).await;
    tab.expect("user_message.created").await;
    assert_eq!(tab.reply().await.0, "Read.");
}

#[tokio::test]
async fn who_may_not_is_told_before_the_upgrade() {
    let server = Server::start().await;
    let session = conversation(&server).await;
    let path = format!("/api/realtime/ws?session_id={session}");
    let refused = async |path: &str, headers: &[(&'static str, &str)]| {
        let (status, body) = dial_at(&server, path, headers).await.map(drop).unwrap_err();
        (status, body["code"].as_str().unwrap_or_default().to_owned())
    };
    let auth = format!("Bearer {}", server.key);
    let auth = [("authorization", auth.as_str())];
    assert_eq!(refused(&path, &[]).await, (401, "missing_api_key".into()));
    assert_eq!(refused(&path, &[("authorization", "Bearer wrong")]).await, (401, "invalid_api_key".into()));
    let voice = format!("Bearer {}", server.api_key("realtime speech").await);
    assert_eq!(refused(&path, &[("authorization", &voice)]).await, (403, "insufficient_scope".into()));
    let (_, stranger) = server.stranger().await;
    let stranger = format!("Bearer {stranger}");
    let theirs = refused(&path, &[("authorization", &stranger)]).await;
    let nobodys = "/api/realtime/ws?session_id=0190b0a0-0000-7000-8000-000000000000";
    assert_eq!((theirs, refused(nobodys, &auth).await), ((404, "not_found".into()), (404, "not_found".into())));
    assert_eq!(refused("/api/realtime/ws?session_id=x", &auth).await, (404, "not_found".into()));
    assert_eq!(refused("/api/realtime/ws", &auth).await, (422, "missing_required_parameter".into()));
    assert_eq!(refused(&format!("{path}&mood=good"), &auth).await, (422, "invalid_value".into()));
    assert_eq!(server.get(&path).await.problem(426).0, "upgrade_required");

    let unbound = format!("Bearer {}", secret(&server, json!({})).await);
    assert_eq!(refused(&path, &[("authorization", &unbound)]).await, (403, "insufficient_scope".into()));
    let promise = server.post("/voice/realtime-session", json!({"conversation_id": session})).await.body;
    let bound = promise["client_secret"]["value"].as_str().unwrap();
    let other = conversation(&server).await;
    let elsewhere = format!("/api/realtime/ws?session_id={other}&token={bound}");
    assert_eq!(refused(&elsewhere, &[]).await, (404, "not_found".into()));
    let offered = format!("realtime, openai-insecure-api-key.{}", server.api_key("sessions").await);
    for (path, headers, selected) in [
        (format!("{path}&token={bound}"), vec![], ""),
        (path.clone(), vec![("sec-websocket-protocol", offered.as_str())], "realtime"),
    ] {
        let (mut socket, protocol) = dial_at(&server, &path, &headers).await.unwrap();
        assert_eq!(protocol, selected);
        live::next(&mut socket, "connected").await;
    }
    server.context.engine.drain.begin();
    assert_eq!(refused(&path, &auth).await, (503, "shutting_down".into()));
}

#[tokio::test]
async fn a_viewer_follows_and_says_nothing() {
    let (server, mind) = thinking(&["Here."]).await;
    mind.allow(10);
    let ann = Person::new(&server, "ann@example.org").await;
    let session = ann.post(&server, "/api/sessions", json!({})).await.body["id"].as_str().unwrap().to_owned();
    let mut before = Tab::of(&server, &session, &ann.access).await;
    before.say("Hello", "m1").await;
    before.expect("user_message.created").await;
    before.reply().await;
    administer(&server, &ann.id, json!({"role": "viewer"})).await;
    let mut after = Tab::of(&server, &session, &ann.access).await;
    assert_eq!(after.past(), ["Hello", "Here."]);
    for tab in [&mut before, &mut after] {
        tab.say("May I?", "m2").await;
        tab.error("read_only").await;
        tab.send(json!({"type": "cancel"})).await;
        tab.error("read_only").await;
        tab.is_quiet().await;
    }
    assert_eq!(mind.asked().len(), 1);
}

#[tokio::test]
async fn a_credential_that_ends_ends_its_sockets() {
    let server = Server::start().await;
    let session = conversation(&server).await;
    for speaks in [true, false] {
        let made = server.post("/api/keys", json!({"name": "tab", "scopes": ["sessions"]})).await.body;
        let mut tab = Tab::of(&server, &session, made["key"].as_str().unwrap()).await;
        server.delete(&format!("/api/keys/{}", made["id"].as_str().unwrap())).await;
        if speaks {
            tab.say("Hello", "m1").await;
        } else {
            tab.is_quiet().await;
            server.clock.advance(Duration::from_secs(31));
        }
        let error = tab.expect("error").await;
        assert_eq!((&error["code"], &error["recoverable"]), (&json!("invalid_api_key"), &json!(false)));
        assert_eq!(goodbye(&mut tab.socket).await.0, 1008);
    }
    assert_eq!(messages(&server, &session).await, [Value::Null; 0]);
}

#[tokio::test]
async fn a_conversation_that_is_deleted_ends_its_sockets() {
    let server = Server::start().await;
    let session = conversation(&server).await;
    let mut tab = Tab::open(&server, &session).await;
    server.delete(&format!("/api/sessions/{session}")).await;
    tab.say("Hello", "m1").await;
    let error = tab.expect("error").await;
    assert_eq!((&error["code"], &error["recoverable"]), (&json!("not_found"), &json!(false)));
    assert_eq!(goodbye(&mut tab.socket).await.0, 1008);
}

#[tokio::test]
async fn shutdown_waits_for_the_reply_in_the_making() {
    let (server, mind) = thinking(&["One ", "two."]).await;
    let session = conversation(&server).await;
    let (mut tab, mut idle) =
        (Tab::open(&server, &session).await, Tab::open(&server, &conversation(&server).await).await);
    tab.say("Count", "m1").await;
    tab.expect("user_message.created").await;
    mind.allow(1);
    tab.expect("chunk").await;
    server.context.engine.drain.begin();
    assert_eq!(goodbye(&mut idle.socket).await.0, 1001);
    tab.say("And then?", "m2").await;
    tab.error("shutting_down").await;
    mind.allow(1);
    let (rest, done) = tab.reply().await;
    assert_eq!((rest.as_str(), &done["content"]), ("two.", &json!("One two.")));
    assert_eq!(goodbye(&mut tab.socket).await.0, 1001);
    assert_eq!(said(&messages(&server, &session).await), ["Count", "One two."]);
}

#[tokio::test]
async fn a_conversation_has_so_many_seats_and_is_forgotten_when_the_last_is_left() {
    let (server, mind) = thinking(&["Here."]).await;
    mind.allow(10);
    let session = conversation(&server).await;
    let mut tabs = Vec::new();
    for _ in 0..16 {
        tabs.push(Tab::open(&server, &session).await);
    }
    let bearer = format!("Bearer {}", server.key);
    let path = format!("/api/realtime/ws?session_id={session}");
    let (status, body) = dial_at(&server, &path, &[("authorization", &bearer)]).await.map(drop).unwrap_err();
    assert_eq!((status, &body["code"]), (429, &json!("too_many_sockets")));
    tabs.pop().unwrap().leave().await;
    until(async || dial_at(&server, &path, &[("authorization", &bearer)]).await.is_ok()).await;
    let mut first = tabs.swap_remove(0);
    first.say("Hello", "m1").await;
    first.expect("user_message.created").await;
    first.reply().await;
    assert_eq!(server.context.hub.remembered(), 1);
    drop((first, tabs));
    until(async || server.context.hub.remembered() == 0).await;
}

#[tokio::test]
async fn what_is_no_frame_is_told_and_the_socket_goes_on() {
    let server = Server::start().await;
    let session = conversation(&server).await;
    let mut tab = Tab::open(&server, &session).await;
    let deep = format!(r#"{{"type": "message", "content": {}}}"#, "[".repeat(100_000));
    for (text, code) in [
        ("", "invalid_json"),
        ("nonsense", "invalid_json"),
        (deep.as_str(), "invalid_json"),
        ("null", "invalid_value"),
        (r#"{"type": "response.create"}"#, "unknown_type"),
        (r#"{"type": "ping", "mood": "good"}"#, "unknown_parameter"),
        (r#"{"type": "message", "content": ""}"#, "invalid_value"),
    ] {
        tab.socket.send(Message::Text(text.into())).await.unwrap();
        tab.error(code).await;
    }
    tab.socket.send(Message::Binary(vec![0, 1, 2].into())).await.unwrap();
    tab.error("binary_frame").await;
    tab.is_quiet().await;
    assert_eq!(messages(&server, &session).await.len(), 0);
}

#[tokio::test]
async fn what_breaks_the_rules_of_the_transport_ends_the_socket() {
    let server = Server::start().await;
    let session = conversation(&server).await;
    let large = Message::Text("x".repeat(1 << 20).into());
    let broken = Message::Frame(Frame::message(vec![0xff, 0xfe], OpCode::Data(Data::Text), true));
    for (message, code) in [(large, 1009), (broken, 1007)] {
        let mut tab = Tab::open(&server, &session).await;
        tab.socket.send(message).await.unwrap();
        assert_eq!(goodbye(&mut tab.socket).await.0, code);
    }
}

#[tokio::test]
async fn who_says_too_much_is_told_so() {
    let server = Server::start().await;
    let mut tab = Tab::open(&server, &conversation(&server).await).await;
    let ping: Utf8Bytes = json!({"type": "ping"}).to_string().into();
    for _ in 0..60 {
        tab.socket.send(Message::Text(ping.clone())).await.unwrap();
        tab.expect("pong").await;
    }
    tab.socket.send(Message::Text(ping)).await.unwrap();
    tab.error("rate_limit_exceeded").await;
    server.clock.advance(Duration::from_secs(1));
    tab.is_quiet().await;
}

#[tokio::test]
async fn what_is_typed_beside_a_live_voice_session_is_answered_aloud() {
    let (server, mind) = thinking(&["Aloud."]).await;
    mind.allow(100);
    let session = conversation(&server).await;
    let promise = server.post("/voice/realtime-session", json!({"conversation_id": session})).await.body;
    let bearer = format!("Bearer {}", promise["client_secret"]["value"].as_str().unwrap());
    let mut voice = dial(&server, "", &[("authorization", &bearer)]).await.unwrap().0;
    live::next(&mut voice, "session.created").await;
    let (mut tab, mut other) = (Tab::open(&server, &session).await, Tab::open(&server, &session).await);
    for (name, count) in [("m1", 2), ("m2", 4)] {
        tab.say("Can you hear me?", name).await;
        live::next(&mut voice, "response.output_audio.delta").await;
        let spoken = live::next(&mut voice, "response.done").await;
        assert_eq!(spoken["response"]["status"], "completed", "{spoken}");
        for tab in [&mut tab, &mut other] {
            assert_eq!(tab.expect("user_message.created").await["message"]["client_message_id"], name);
            let done = tab.expect("message.done").await["message"].clone();
            assert_eq!((&done["content"], &done["modality"]), (&json!("Aloud."), &json!("audio")));
        }
        assert_eq!(messages(&server, &session).await.len(), count);
    }
    tab.say("Can you hear me?", "m2").await;
    tab.expect("user_message.created").await;
    assert_eq!(tab.expect("message.done").await["message"]["content"], "Aloud.");
    tab.is_quiet().await;
    other.is_quiet().await;
    assert_eq!(mind.asked().len(), 2);
    let heard: Vec<_> = mind.asked()[1].messages.iter().map(|message| format!("{message:?}")).collect();
    assert_eq!(heard.len(), 3, "what was typed and answered before is known: {heard:?}");
}

#[tokio::test]
async fn who_does_not_read_is_closed_and_holds_nobody_up() {
    let server = Server::with(|context| context.engine.config.stall_secs = 1).await;
    let session = conversation(&server).await;
    let mut reads = Tab::open(&server, &session).await;
    let address: std::net::SocketAddr = server.url.strip_prefix("http://").unwrap().parse().unwrap();
    let small = tokio::net::TcpSocket::new_v4().unwrap();
    small.set_recv_buffer_size(4 << 10).unwrap();
    let stream = MaybeTlsStream::Plain(small.connect(address).await.unwrap());
    let url = format!("ws://{address}/api/realtime/ws?session_id={session}");
    let mut request = url.into_client_request().unwrap();
    request.headers_mut().insert("authorization", format!("Bearer {}", server.key).parse().unwrap());
    let (mut deaf, _) = tokio_tungstenite::client_async(request, stream).await.unwrap();
    // More than the sockets' buffers hold.
    let words = "x".repeat(200_000);
    for _ in 0..60 {
        let body = json!({"role": "user", "content": words});
        server.post(&format!("/api/sessions/{session}/messages"), body).await;
        reads.expect("user_message.created").await;
    }
    reads.leave().await;
    until(async || server.context.hub.remembered() == 0).await;
    assert_eq!(goodbye(&mut deaf).await.0, 1013);
}
