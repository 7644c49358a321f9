//! What every answer tells browsers, what is compressed, and how many may be busy at once.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::server::{Answer, Server};

#[tokio::test]
async fn no_answer_runs_is_framed_kept_or_told_of() {
    let server = Server::start().await;
    let long = server.session().await;
    for path in ["/health", "/api/sessions", "/v1/models", "/nowhere", &format!("/api/sessions/{long}/export/json")] {
        for answer in [server.get(path).await, Answer::of(server.bare(Method::GET, path)).await] {
            let told = ["x-content-type-options", "x-frame-options", "referrer-policy", "cache-control"];
            assert_eq!(told.map(|name| answer.header(name)), ["nosniff", "DENY", "no-referrer", "no-store"], "{path}");
            assert_eq!(
                answer.header("content-security-policy"),
                "default-src 'none'; frame-ancestors 'none'",
                "{path}"
            );
            assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin");
            assert!(answer.header("x-request-id").starts_with("req_"), "{path}");
            assert_eq!(answer.header("strict-transport-security"), "", "there is no TLS here");
        }
    }
    let page = Answer::of(server.bare(Method::GET, "/").header("accept", "text/html")).await;
    assert_eq!(page.header("x-content-type-options"), "nosniff");
}

#[tokio::test]
async fn who_is_reached_by_https_alone_says_so() {
    let server = Server::with(|context| context.config.public_url = "https://relay.example.org".into()).await;
    assert_eq!(server.get("/health").await.header("strict-transport-security"), "max-age=15552000");
}

#[tokio::test]
async fn long_text_is_compressed_for_who_takes_it_and_the_same() {
    let server = Server::start().await;
    let session = server.session().await;
    for n in 0..40 {
        let said = json!({"role": "user", "content": format!("{n}: the same again and again and again")});
        server.post(&format!("/api/sessions/{session}/messages"), said).await;
    }
    for path in [
        format!("/api/sessions/{session}/messages?limit=100"),
        format!("/api/sessions/{session}/export/json"),
        format!("/api/sessions/{session}/export/markdown"),
    ] {
        let plain = server.request(Method::GET, &path).send().await.unwrap();
        assert!(!plain.headers().contains_key("content-encoding"), "{path}");
        let plain = plain.bytes().await.unwrap();
        let small = server.request(Method::GET, &path).header("accept-encoding", "gzip").send().await.unwrap();
        assert_eq!(small.headers()["content-encoding"], "gzip", "{path}");
        let varies = small.headers().get_all("vary").iter().any(|on| on == "accept-encoding");
        assert!(varies, "{path}");
        let small = small.bytes().await.unwrap();
        assert!(small.len() * 3 < plain.len(), "{path}: {} of {}", small.len(), plain.len());
        let mut read = Vec::new();
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&*small), &mut read).unwrap();
        // The time of export stands in an export.
        assert!(read.len().abs_diff(plain.len()) < 8 && read[..500] == plain[..500], "{path}");
    }
}

#[tokio::test]
async fn a_thousand_half_requests_keep_nobody_waiting() {
    voice_relay::server::take_open_files();
    let server = Server::start().await;
    let address = server.url.strip_prefix("http://").unwrap();
    let mut open = Vec::new();
    for n in 0..1000 {
        let mut socket = TcpStream::connect(address).await.unwrap();
        let half = match n % 3 {
            0 => "GET /api/sessions HTTP/1.1\r\nhost: x\r\nx-slow: ".to_owned(),
            1 => format!(
                "POST /api/sessions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\n\
                 content-length: 100\r\n\r\n{{\"title\": ",
                server.key
            ),
            _ => String::new(),
        };
        socket.write_all(half.as_bytes()).await.unwrap();
        open.push(socket);
    }
    for _ in 0..20 {
        assert_eq!(server.get("/api/sessions").await.status, StatusCode::OK);
    }
    // They can still be finished.
    let said = format!("\"x\"{}}}", " ".repeat(100 - 14));
    let slow = &mut open[1];
    slow.write_all(said.as_bytes()).await.unwrap();
    let mut answer = vec![0; 12];
    tokio::time::timeout(Duration::from_secs(30), slow.read_exact(&mut answer)).await.unwrap().unwrap();
    assert_eq!(answer, b"HTTP/1.1 201");
}
