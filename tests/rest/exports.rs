//! Conversations taken away as files.

use std::{process::Command, time::Instant};

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
    let now = Timestamp::from_second(START as i64 + n as i64).unwrap();
    let item = format!("item{n}");
    messages::upsert(&server.context.db, user, session, &item, previous.as_deref(), &entry, now).await.unwrap();
}

fn words(role: Role, modality: Modality, text: &str) -> Entry {
    Entry { role, modality, content: text.to_owned(), status: Status::Completed, call: None }
}

/// A conversation partly spoken, with a tool and with hostile words.
async fn told(server: &Server) -> SessionId {
    let (owner, session) = (server.context.auth.owner().id, server.session().await);
    let call = |name: Option<&str>, arguments: Option<&str>| {
        Some(Call { id: "call_1".into(), name: name.map(str::to_owned), arguments: arguments.map(str::to_owned) })
    };
    let entries = [
        words(Role::User, Modality::Audio, "Grüße: what's <b>the</b> time?"),
        Entry { call: call(Some("clock"), Some(r#"{"zone":"```"}"#)), ..words(Role::Assistant, Modality::Text, "") },
        Entry { call: call(None, None), ..words(Role::Tool, Modality::Text, "{\"time\":\"12:00\"}") },
        Entry { status: Status::Incomplete, ..words(Role::Assistant, Modality::Audio, "It is *noon*, 漢字 and") },
        words(Role::User, Modality::Text, "# thanks \\ 🎉"),
    ];
    for (n, entry) in entries.into_iter().enumerate() {
        say(server, owner, session, n, entry).await;
    }
    session
}

#[tokio::test]
async fn markdown_holds_all_that_was_said() {
    let server = Server::start().await;
    let session = told(&server).await;
    let file = server.get(&format!("/api/sessions/{session}/export/markdown")).await;
    assert_eq!(file.status, StatusCode::OK);
    assert_eq!(file.header("content-type"), "text/markdown; charset=utf-8");
    assert_eq!(file.header("x-content-type-options"), "nosniff");
    assert_eq!(
        file.header("content-disposition"),
        "attachment; filename=\"Gr__e- what's -b-the--b- time-.md\"; \
         filename*=UTF-8''Gr%C3%BC%C3%9Fe-%20what%27s%20-b-the--b-%20time-.md"
    );
    let owner = server.context.auth.owner().id;
    let expected = format!(
        "# Grüße: what's \\<b\\>the\\</b\\> time?\n\n- **User:** {owner}\n- **Created:** 2026-01-01 00:00:00 UTC\n\
         - **Updated:** 2026-01-01 00:00:04 UTC\n- **Messages:** 5\n\
         \n## User · spoken · 2026-01-01 00:00:00 UTC\n\nGrüße: what's \\<b\\>the\\</b\\> time?\n\
         \n## Assistant · 2026-01-01 00:00:01 UTC\n\nCall of clock (call\\_1):\n\n````json\n{{\"zone\":\"```\"}}\n````\n\
         \n## Tool · 2026-01-01 00:00:02 UTC\n\nResult of call\\_1:\n\n```json\n{{\"time\":\"12:00\"}}\n```\n\
         \n## Assistant · spoken · 2026-01-01 00:00:03 UTC · cut short\n\nIt is \\*noon\\*, 漢字 and\n\
         \n## User · 2026-01-01 00:00:04 UTC\n\n\\# thanks \\\\ 🎉\n\
         \n---\n\nExported 2026-01-01 00:00:00 UTC\n"
    );
    assert_eq!(file.body, json!(expected));
}

#[tokio::test]
async fn json_holds_all_that_was_said() {
    let server = Server::start().await;
    let session = told(&server).await;
    let file = server.get(&format!("/api/sessions/{session}/export/json")).await;
    assert_eq!((file.status, file.header("content-type")), (StatusCode::OK, "application/json"));
    let body = file.body;
    assert_eq!((&body["version"], &body["exported_at"]), (&json!(1), &json!("2026-01-01T00:00:00.000Z")));
    let expected = json!({
        "id": session.to_string(), "title": "Grüße: what's <b>the</b> time?", "complete": true, "message_count": 5,
        "user": server.context.auth.owner().id.to_string(),
        "created_at": "2026-01-01T00:00:00.000Z", "updated_at": "2026-01-01T00:00:04.000Z",
    });
    assert_eq!(body["session"], expected);
    let read = server.get(&format!("/api/sessions/{session}/messages")).await.body;
    let (told, read) = (body["messages"].as_array().unwrap(), read["items"].as_array().unwrap());
    assert_eq!(told.len(), read.len());
    for (told, read) in told.iter().zip(read) {
        for (key, value) in told.as_object().unwrap() {
            assert_eq!(value, &read[key], "{key}");
        }
    }
}

const FORMATS: [&str; 3] = ["markdown", "json", "pdf"];

#[tokio::test]
async fn only_its_owner_can_take_a_conversation_away() {
    let server = Server::start().await;
    let (_, key) = server.stranger().await;
    let session = told(&server).await;
    let unknown = SessionId::new(Timestamp::UNIX_EPOCH);
    for format in FORMATS {
        let path = format!("/api/sessions/{session}/export/{format}");
        let foreign = Answer::of(server.bare(Method::GET, &path).bearer_auth(&key)).await;
        let missing = server.get(&format!("/api/sessions/{unknown}/export/{format}")).await;
        assert_eq!(foreign.problem(404), missing.problem(404));
        assert_eq!(foreign.body, missing.body);
        assert_eq!(foreign.header("content-disposition"), "");
        assert_eq!(Answer::of(server.bare(Method::GET, &path)).await.status, StatusCode::UNAUTHORIZED);
        let narrow = server.api_key("speech").await;
        assert_eq!(Answer::of(server.bare(Method::GET, &path).bearer_auth(narrow)).await.status, StatusCode::FORBIDDEN);
    }
    let other = server.get(&format!("/api/sessions/{session}/export/docx")).await;
    assert_eq!(other.problem(404).0, "not_found");
}

#[tokio::test]
async fn an_empty_conversation_is_a_file_too() {
    let server = Server::start().await;
    let session = server.session().await;
    let file = server.get(&format!("/api/sessions/{session}/export/json")).await;
    assert_eq!((&file.body["messages"], &file.body["session"]["title"]), (&json!([]), &Value::Null));
    let file = server.get(&format!("/api/sessions/{session}/export/markdown")).await;
    assert!(file.body.as_str().unwrap().starts_with("# Untitled conversation\n\n- **User:** "));
}

/// The file as bytes.
async fn bytes(server: &Server, path: &str) -> Vec<u8> {
    let response = server.request(Method::GET, path).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    response.bytes().await.unwrap().into()
}

/// What is in the PDF that this path answers with.
pub(crate) async fn readable(server: &Server, path: &str) -> String {
    read_back(server, &bytes(server, path).await)
}

/// What poppler reads in a PDF.
fn read_back(server: &Server, pdf: &[u8]) -> String {
    let path = server.dir.path().join("export.pdf");
    std::fs::write(&path, pdf).unwrap();
    let mut reader = Command::new("pdftotext");
    let read = reader.arg("-layout").arg(&path).arg("-").output().expect("scripts/setup test installs pdftotext");
    assert!(read.status.success() && read.stderr.is_empty(), "{}", String::from_utf8_lossy(&read.stderr));
    String::from_utf8(read.stdout).unwrap()
}

#[tokio::test]
async fn a_pdf_can_be_read_back() {
    let server = Server::start().await;
    let session = told(&server).await;
    let owner = server.context.auth.owner().id;
    let path = format!("/api/sessions/{session}/export/pdf");
    say(
        &server,
        owner,
        session,
        5,
        words(Role::User, Modality::Text, "Ελληνικά Кириллица \u{5E9}\u{5DC}\u{5D5}\u{5DD}"),
    )
    .await;
    let lines: Vec<_> = (0..80).map(|n| format!("line {n}")).collect();
    say(&server, owner, session, 6, words(Role::User, Modality::Text, &lines.join("\n"))).await;
    let file = server.get(&path).await;
    assert_eq!((file.status, file.header("content-type")), (StatusCode::OK, "application/pdf"));
    assert_eq!(file.header("x-content-type-options"), "nosniff");
    assert!(file.header("content-disposition").ends_with(".pdf"), "{}", file.header("content-disposition"));
    let text = read_back(&server, &bytes(&server, &path).await);
    let pages: Vec<_> = text.trim_end_matches('\u{c}').split('\u{c}').collect();
    assert_eq!(pages.len(), 3);
    for (n, page) in pages.iter().enumerate() {
        assert!(page.contains(&format!("Exported 2026-01-01 00:00:00 UTC · Page {}", n + 1)), "{page}");
    }
    for expected in [
        &format!("User: {owner}"),
        "Messages: 7",
        "User · spoken · 2026-01-01 00:00:00 UTC",
        "Grüße: what's <b>the</b> time?",
        "Call of clock (call_1)",
        "{\"zone\":\"```\"}",
        "Result of call_1",
        "{\"time\":\"12:00\"}",
        "Assistant · spoken · 2026-01-01 00:00:03 UTC · cut short",
        "It is *noon*,",
        "# thanks \\",
        "Ελληνικά Кириллица",
        "\u{5E9}\u{5DC}\u{5D5}\u{5DD}",
        "line 0",
        "line 79",
    ] {
        assert!(text.contains(expected), "{expected:?} in {text}");
    }
}

#[tokio::test]
async fn a_message_of_a_megabyte_is_exported_whole() {
    let server = Server::start().await;
    let (owner, session) = (server.context.auth.owner().id, server.session().await);
    let text: String = (0..).map(|n| format!("word{n} ")).take(90_000).collect::<String>() + &"Ж".repeat(200_000);
    assert!(text.len() > 1 << 20);
    say(&server, owner, session, 0, words(Role::User, Modality::Text, &text)).await;
    let path = format!("/api/sessions/{session}/export");
    let json: Value = serde_json::from_slice(&bytes(&server, &format!("{path}/json")).await).unwrap();
    assert_eq!(json["messages"][0]["content"], text);
    let markdown = String::from_utf8(bytes(&server, &format!("{path}/markdown")).await).unwrap();
    assert!(markdown.contains(text.trim_end()));
    let read = read_back(&server, &bytes(&server, &format!("{path}/pdf")).await);
    assert!(read.contains("word0 ") && read.contains("word89999"));
    assert_eq!(read.matches('Ж').count(), 200_000);
}

/// Memory: a page of messages, a piece of 16 KiB and what HTTP buffers for text; for a PDF a page of messages and the file.
#[tokio::test]
async fn ten_thousand_messages_are_exported_in_seconds() {
    let server = Server::start().await;
    let (owner, session) = (server.context.auth.owner().id, server.session().await);
    let text = "The quick brown fox jumps over the lazy dog, ".repeat(8);
    for n in 0..10_000 {
        say(&server, owner, session, n, words(Role::User, Modality::Audio, &format!("{n}: {text}"))).await;
    }
    for format in FORMATS {
        #[expect(clippy::disallowed_methods, reason = "a person waits for it")]
        let (start, now) = (Instant::now(), Instant::now);
        let file = bytes(&server, &format!("/api/sessions/{session}/export/{format}")).await;
        let took = now() - start;
        println!("{format}: {} KiB in {took:?}", file.len() >> 10);
        match format {
            "json" => {
                let body: Value = serde_json::from_slice(&file).unwrap();
                assert_eq!(body["messages"].as_array().unwrap().len(), 10_000);
            }
            "markdown" => assert_eq!(String::from_utf8(file).unwrap().matches("\n## User").count(), 10_000),
            _ => assert_eq!(read_back(&server, &file).matches("User · spoken").count(), 10_000),
        }
        assert!(took.as_secs() < 60, "{format}: {took:?}");
    }
}
