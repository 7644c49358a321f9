//! Files are read after they came: once, whatever becomes of the server, and hostile ones harm nothing.

use std::{fs, os::unix::fs::PermissionsExt, process::Stdio, time::Duration};

use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};
use voice_relay::{
    documents::extract::{Limits, sandbox::Sandbox},
    store::reading,
};

use crate::{
    files::{crew, crew_with, every_type, id, message, picture, settled, until, upload, zipped},
    server::Server,
};

#[tokio::test]
async fn what_is_in_a_file_can_be_had() {
    let server = Server::start().await;
    tokio::spawn(crew(&server).work());
    let (_, message) = message(&server).await;
    for (name, bytes, text) in every_type() {
        let path = format!("/api/attachments/{}", id(&upload(&server, &message, name, bytes).await.body));
        let record = settled(&server, path.rsplit('/').next().unwrap()).await;
        assert_eq!((&record["state"], &record["failure"]), (&json!("ready"), &Value::Null), "{name}");
        let read = server.get(&format!("{path}/text")).await;
        assert_eq!(read.status, StatusCode::OK);
        let found = read.body["text"].as_str().unwrap();
        assert!(found.contains(text), "{name}: {found:?}");
        let thumbnail = server.get(&format!("{path}/thumbnail")).await;
        if record["media_type"].as_str().unwrap().starts_with("image/") {
            assert_eq!((&record["metadata"]["width"], &record["metadata"]["height"]), (&json!(600), &json!(300)));
            assert_eq!((thumbnail.status, thumbnail.header("content-type")), (StatusCode::OK, "image/png"));
        } else {
            assert_eq!(thumbnail.problem(404).0, "not_found", "{name}");
            let words = text.split_whitespace().count();
            assert!(record["metadata"]["word_count"].as_u64().unwrap() as usize >= words, "{name}");
        }
    }
}

#[tokio::test]
async fn text_and_state_are_told_before_it_was_read_too() {
    let server = Server::start().await;
    let (_, message) = message(&server).await;
    let path = format!("/api/attachments/{}", id(&upload(&server, &message, "a.txt", "x").await.body));
    let read = server.get(&format!("{path}/text")).await.body;
    let expected = json!({"state": "pending", "failure": null, "text": null, "metadata": {}, "warnings": []});
    assert_eq!(read, expected);
    assert_eq!(server.get(&format!("{path}/thumbnail")).await.problem(404).0, "not_found");
}

#[tokio::test]
async fn hostile_files_fail_with_a_reason() {
    let server = Server::start().await;
    tokio::spawn(crew(&server).work());
    let (_, message) = message(&server).await;
    let laughs = b"<?xml version=\"1.0\"?><!DOCTYPE l [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;\">]><w:t>&b;</w:t>";
    let deep = "<a>".repeat(100_000);
    let word = |part: &[u8]| zipped(&[("[Content_Types].xml", b"<Types/>"), ("word/document.xml", part)]);
    let names: Vec<_> = (0..=20_000).map(|number| format!("word/document.xml{number}")).collect();
    let mut many: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), b"".as_slice())).collect();
    many.extend([("[Content_Types].xml", b"<Types/>".as_slice()), ("word/document.xml", b"<a/>")]);
    let mut compound = vec![0; 1024];
    compound[..8].copy_from_slice(&[0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1]);
    for (index, unit) in "WordDocument".encode_utf16().enumerate() {
        compound[640 + index * 2..][..2].copy_from_slice(&unit.to_le_bytes());
    }
    (compound[640 + 0x40], compound[640 + 0x42]) = (26, 2);
    for (name, bytes, reason) in [
        ("laughs.docx", word(laughs), "document type"),
        ("deep.docx", word(deep.as_bytes()), "the file"),
        ("many.docx", zipped(&many), "more than 20000 entries"),
        ("huge.png", huge_picture(), "too large"),
        ("cut.pdf", b"%PDF-1.7 and nothing".to_vec(), "damaged"),
        ("loop.pdf", looping_pdf(), "makes its reader fail"),
        ("old.doc", compound, ""),
    ] {
        let sent = upload(&server, &message, name, bytes).await;
        assert_eq!(sent.status, StatusCode::CREATED, "{name}: {}", sent.body);
        let record = settled(&server, &id(&sent.body)).await;
        let failure = record["failure"].as_str().unwrap_or_default();
        assert_eq!(record["state"], "failed", "{name}: {record}");
        assert!(!failure.is_empty() && failure.contains(reason), "{name}: {failure}");
    }
    let after = upload(&server, &message, "after.txt", "still here").await;
    assert_eq!(settled(&server, &id(&after.body)).await["state"], "ready");
}

/// A PNG that says it has 100 000 by 100 000 pixels.
fn huge_picture() -> Vec<u8> {
    let mut file = picture(1, 1, image::ImageFormat::Png);
    file[16..24].copy_from_slice(&[0, 1, 0x86, 0xA0, 0, 1, 0x86, 0xA0]);
    let mut sum = u32::MAX;
    for byte in &file[12..29] {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = (sum >> 1) ^ (0xEDB8_8320 * (sum & 1));
        }
    }
    file[29..33].copy_from_slice(&(!sum).to_be_bytes());
    file
}

/// A PDF whose page is its own parent.
fn looping_pdf() -> Vec<u8> {
    let file = "%PDF-1.4\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n\
                2 0 obj\n<</Type/Pages/Kids[3 0 R]/Count 1>>\nendobj\n\
                3 0 obj\n<</Type/Page/Parent 3 0 R>>\nendobj\n";
    let at = |object: &str| file.find(object).unwrap();
    format!(
        "{file}xref\n0 4\n0000000000 65535 f \n{:010} 00000 n \n{:010} 00000 n \n{:010} 00000 n \n\
         trailer\n<</Size 4/Root 1 0 R>>\nstartxref\n{}\n%%EOF\n",
        at("1 0 obj"),
        at("2 0 obj"),
        at("3 0 obj"),
        file.len(),
    )
    .into_bytes()
}

#[tokio::test]
async fn a_file_that_cannot_be_read_for_now_is_tried_again_and_given_up_in_the_end() {
    let server = Server::start().await;
    let nobody = Sandbox::with_program("/nonexistent/program".into(), Limits::default());
    tokio::spawn(crew_with(&server, nobody).work());
    let (_, message) = message(&server).await;
    let attachment = id(&upload(&server, &message, "a.txt", "x").await.body);
    let mut hours = 0;
    let path = format!("/api/attachments/{attachment}");
    until(async || {
        let settled = server.get(&path).await.body["state"] != "pending";
        // What waits for its next try waits no longer.
        server.clock.advance(Duration::from_secs(60));
        hours += 1;
        settled
    })
    .await;
    let record = server.get(&path).await.body;
    assert_eq!(record["failure"], "the file could not be read, though it was tried several times");
    assert!(hours > 1, "not at the first try");
}

#[tokio::test]
async fn a_file_that_ends_whoever_reads_it_is_not_read_for_ever() {
    let server = Server::start().await;
    let (_, message) = message(&server).await;
    let attachment = id(&upload(&server, &message, "a.txt", "x").await.body);
    let lease = Duration::from_secs(180);
    let now = || jiff::Timestamp::try_from(server.clock.wall()).unwrap();
    for tries in 1..=3 {
        let job = reading::take(&server.context.db, now(), lease).await.unwrap().unwrap();
        assert_eq!((job.id.to_string(), job.tries), (attachment.clone(), tries));
        assert_eq!(reading::take(&server.context.db, now(), lease).await.unwrap(), None, "it is somebody's");
        server.clock.advance(lease);
    }
    tokio::spawn(crew(&server).work());
    let record = settled(&server, &attachment).await;
    assert_eq!(record["failure"], "the file cannot be read: it makes its reader fail");
}

#[tokio::test]
async fn a_drain_gives_back_what_is_being_read() {
    let server = Server::start().await;
    let mark = server.dir.path().join("mark");
    let program = server.dir.path().join("reader");
    fs::write(&program, format!("#!/bin/sh\necho begun > {}\nsleep 600\n", mark.display())).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let working = tokio::spawn(crew_with(&server, Sandbox::with_program(program, Limits::default())).work());
    let (_, message) = message(&server).await;
    let attachment = id(&upload(&server, &message, "a.txt", "x").await.body);
    until(async || mark.exists()).await;
    assert!(server.context.engine.drain.finish(Duration::from_secs(30)).await, "the crew lets go");
    working.await.unwrap();
    assert_eq!(server.get(&format!("/api/attachments/{attachment}")).await.body["state"], "pending");
    let now = jiff::Timestamp::try_from(server.clock.wall()).unwrap();
    let job = reading::take(&server.context.db, now, Duration::from_secs(1)).await.unwrap().unwrap();
    assert_eq!(job.tries, 1, "this does not count");
}

/// A relay of this build in a process of its own, with SQLite.
pub(crate) struct Relay {
    pub(crate) child: Child,
    pub(crate) url: String,
}

pub(crate) const KEY: &str = "an-admin-key-of-tests";

impl Relay {
    pub(crate) async fn start(dir: &std::path::Path) -> Self {
        let config = dir.join("config.toml");
        let engines = "stt = [\"scripted/stt\"]\nllm = [\"scripted/llm\"]\ntts = [\"scripted/tts\"]\nturn = \"\"\n";
        fs::write(&config, format!("[providers]\n{engines}[webrtc]\nenabled = false\n")).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_voice-relay"));
        command.arg("serve").args(["--listen", "127.0.0.1:0"]).arg("--config").arg(config);
        command.arg("--data-dir").arg(dir.join("data")).env("VOICE_RELAY_ADMIN_KEY", KEY).stdin(Stdio::null());
        let mut child = command.stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = loop {
            let line = lines.next_line().await.unwrap().expect("it starts");
            if let Some((_, url)) = line.split_once(" serves on ") {
                break url.trim().to_owned();
            }
        };
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self { child, url }
    }

    pub(crate) async fn ask(&self, method: reqwest::Method, path: &str, body: Option<Value>) -> Value {
        let request = reqwest::Client::new().request(method, format!("{}{path}", self.url)).bearer_auth(KEY);
        let request = if let Some(body) = body { request.json(&body) } else { request };
        request.send().await.unwrap().json().await.unwrap()
    }

    async fn message(&self) -> String {
        let session = id(&self.ask(reqwest::Method::POST, "/api/sessions", Some(json!({}))).await);
        let body = json!({"role": "user", "content": "Please read this."});
        id(&self.ask(reqwest::Method::POST, &format!("/api/sessions/{session}/messages"), Some(body)).await)
    }

    /// Resident memory in KiB: now, and at most so far.
    fn memory(&self) -> (u64, u64) {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id().unwrap())).unwrap();
        let of = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.trim().trim_end_matches(" kB").parse().unwrap()
        };
        (of("VmRSS:"), of("VmHWM:"))
    }
}

#[tokio::test]
async fn a_server_killed_amid_its_work_goes_on_with_it_when_it_starts_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut relay = Relay::start(dir.path()).await;
    let message = relay.message().await;
    let path = format!("/api/messages/{message}/attachments");
    let send = async |n: usize| {
        let part = reqwest::multipart::Part::bytes(format!("file {n}").into_bytes()).file_name(format!("{n}.txt"));
        let form = reqwest::multipart::Form::new().part("file", part);
        let request = reqwest::Client::new().post(format!("{}{path}", relay.url)).bearer_auth(KEY).multipart(form);
        assert_eq!(request.send().await.unwrap().status(), StatusCode::CREATED);
    };
    futures_util::future::join_all((0..30).map(send)).await;
    relay.child.kill().await.unwrap();

    let relay = Relay::start(dir.path()).await;
    let list = async || relay.ask(reqwest::Method::GET, &format!("{path}?limit=100"), None).await["items"].clone();
    let first = list().await;
    assert_eq!(first.as_array().unwrap().len(), 30, "all that was acknowledged is there");
    assert!(first.as_array().unwrap().iter().any(|record| record["state"] == "pending"), "it was killed too late");
    until(async || list().await.as_array().unwrap().iter().all(|record| record["state"] == "ready")).await;
    let kept = crate::files::kept(&dir.path().join("data"));
    assert_eq!(kept.len(), 30);
}

#[tokio::test]
async fn twenty_uploads_of_ten_megabytes_at_once_take_little_memory() {
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::start(dir.path()).await;
    let message = relay.message().await;
    let before = relay.memory().0;
    let url = format!("{}/api/messages/{message}/attachments", relay.url);
    // Pictures by their beginning, which nobody can read: what reading takes is not measured here.
    let piece = bytes::Bytes::from([b"\x89PNG\r\n\x1A\n".as_slice(), &vec![0; (64 << 10) - 8]].concat());
    let send = async |n: usize| {
        let pieces = vec![piece.clone(); 160].into_iter().map(Ok::<_, std::io::Error>);
        let pieces = futures_util::stream::iter(pieces);
        let part = reqwest::multipart::Part::stream(reqwest::Body::wrap_stream(pieces)).file_name(format!("{n}.png"));
        let form = reqwest::multipart::Form::new().part("file", part);
        reqwest::Client::new().post(&url).bearer_auth(KEY).multipart(form).send().await.unwrap().status()
    };
    let sent = futures_util::future::join_all((0..20).map(send)).await;
    assert!(sent.iter().all(|status| *status == StatusCode::CREATED), "{sent:?}");
    let grown = relay.memory().1.saturating_sub(before);
    println!("20 × 10 MiB at once: {grown} KiB more at most");
    assert!(grown < 32 << 10, "{grown} KiB");
}
