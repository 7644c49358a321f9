//! Whoever asks too often is told to wait, and nobody else is.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use voice_relay::rest::Rate;

use crate::server::{Answer, Server};

async fn limited() -> Server {
    Server::with(|context| {
        context.config.rate = Rate { per_second: 2, burst: 5 };
        context.config.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    })
    .await
}

fn told(answer: &Answer) -> [&str; 4] {
    ["ratelimit-limit", "ratelimit-remaining", "ratelimit-reset", "retry-after"].map(|name| answer.header(name))
}

#[tokio::test]
async fn a_caller_who_asks_too_often_waits_and_is_served_again() {
    let server = limited().await;
    for left in ["4", "3", "2", "1", "0"] {
        let answer = server.get("/api/sessions").await;
        assert_eq!((answer.status, told(&answer)[1]), (StatusCode::OK, left));
    }
    let refused = server.get("/api/sessions").await;
    assert_eq!(refused.problem(429).0, "rate_limit_exceeded");
    assert_eq!(told(&refused), ["5", "0", "3", "1"]);
    assert_eq!(server.get("/v1/models").await.openai(429).0, "rate_limit_exceeded");
    // What is refused is not counted, or nobody who keeps asking would ever be served again.
    server.clock.advance(Duration::from_millis(500));
    assert_eq!(server.get("/api/sessions").await.status, StatusCode::OK);
    assert_eq!(server.get("/api/sessions").await.status, StatusCode::TOO_MANY_REQUESTS);
    server.clock.advance(Duration::from_secs(3));
    assert_eq!(told(&server.get("/api/sessions").await), ["5", "4", "1", ""]);
}

#[tokio::test]
async fn every_key_and_every_address_has_an_allowance_of_its_own() {
    let server = limited().await;
    let (key, other) = (server.api_key("sessions").await, server.api_key("sessions").await);
    let by = |key: String| Answer::of(server.bare(Method::GET, "/api/sessions").bearer_auth(key));
    let from =
        |address: &'static str| Answer::of(server.bare(Method::GET, "/health").header("x-forwarded-for", address));
    for _ in 0..5 {
        assert_eq!(by(key.clone()).await.status, StatusCode::OK);
        assert_eq!(from("198.51.100.1").await.status, StatusCode::OK);
    }
    assert_eq!(by(key).await.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(by(other).await.status, StatusCode::OK);
    assert_eq!(from("203.0.113.9, 198.51.100.1").await.status, StatusCode::TOO_MANY_REQUESTS, "what a stranger adds");
    assert_eq!(from("198.51.100.2").await.status, StatusCode::OK);
    assert_eq!(server.get("/api/sessions").await.status, StatusCode::OK, "the admin key from the same address");
}

#[tokio::test]
async fn many_at_once_are_counted_exactly() {
    let server = limited().await;
    let answers = futures_util::future::join_all((0..40).map(|_| server.get("/api/sessions"))).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == StatusCode::OK).count(), 5);
    assert_eq!(answers.iter().filter(|answer| answer.status == StatusCode::TOO_MANY_REQUESTS).count(), 35);
}

#[tokio::test]
async fn without_a_limit_nothing_is_told_of_one() {
    let server = Server::with(|context| context.config.rate.per_second = 0).await;
    let answer = server.get("/api/sessions").await;
    assert_eq!((answer.status, told(&answer)), (StatusCode::OK, [""; 4]));
}

#[tokio::test]
async fn wrong_passwords_are_counted_by_who_is_behind_the_proxy() {
    let server = limited().await;
    let guess = |address: &'static str| {
        let request =
            server.bare(Method::GET, "/api/sessions").bearer_auth("a-guess").header("x-forwarded-for", address);
        Answer::of(request)
    };
    for _ in 0..60 {
        assert_eq!(guess("198.51.100.1").await.status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(guess("198.51.100.1").await.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(guess("198.51.100.2").await.status, StatusCode::UNAUTHORIZED);
}
