//! Anthropic's models against a real socket: the request as documented, and the vendor's oddities.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt;
use providers::{
    ErrorKind, LanguageModel as _, ProviderError,
    anthropic::{Config, LanguageModel},
    llm::{Finish, Message, Prompt, Thought},
};

use crate::support::{Server, Step, answer, events};

const TEXT: &str = include_str!("../exchanges/anthropic/text.sse");

fn model(server: &Server) -> LanguageModel {
    let base_url = server.base_url.trim_end_matches("/v1").to_owned();
    let config = Config { base_url, key: Some("planted-key".into()), ..Config::default() };
    LanguageModel::new("anthropic/claude", "claude", Arc::new(config))
}

fn prompt() -> Prompt {
    let messages = vec![Message::Assistant("Hello.".into()), Message::User("How is the weather?".into())];
    Prompt { instructions: "Be brief.".into(), messages, ..Prompt::default() }
}

async fn ask(steps: Vec<Step>) -> Result<Vec<Result<Thought, ProviderError>>, ProviderError> {
    let server = Server::start(vec![steps]).await;
    Ok(model(&server).reply(prompt()).await?.collect().await)
}

#[tokio::test]
async fn a_reply_is_asked_for_as_documented_and_read() {
    let server = Server::start(vec![events(TEXT)]).await;
    let thoughts: Vec<_> = model(&server).reply(prompt()).await.unwrap().collect().await;
    assert_eq!(thoughts[0], Ok(Thought::Text("It is".into())));
    assert_eq!(thoughts.last(), Some(&Ok(Thought::Finished(Finish::Stop))));
    let request = server.requests.lock().unwrap().first().unwrap().clone();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /v1/messages HTTP/1.1\r\n"), "{head}");
    for header in ["x-api-key: planted-key", "anthropic-version: 2023-06-01", "content-type: application/json"] {
        assert!(head.contains(header), "{head}");
    }
    assert!(!head.contains("authorization"), "{head}");
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!((&body["model"], &body["stream"], &body["max_tokens"]), (&"claude".into(), &true.into(), &4096.into()));
    assert_eq!(body["system"], "Be brief.");
    assert_eq!(body["messages"][0]["role"], "user", "the vendor wants the person first");
    assert_eq!(body["messages"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn an_overload_is_unavailability_before_and_in_the_midst() {
    let body = r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"req_1"}"#;
    let error = ask(answer("529 Overloaded", "retry-after: 3\r\n", body)).await.unwrap_err();
    assert_eq!((error.kind, error.retry_after), (ErrorKind::Unavailable, Some(Duration::from_secs(3))));
    assert_eq!(error.detail, "status 529: Overloaded");
    let thoughts = ask(events(include_str!("../exchanges/anthropic/error-midway.sse"))).await.unwrap();
    assert_eq!(thoughts[0], Ok(Thought::Text("It is".into())));
    assert_eq!(thoughts[1].as_ref().unwrap_err().kind, ErrorKind::Unavailable);
    assert_eq!(thoughts.len(), 2);
}

#[tokio::test]
async fn a_spent_balance_is_a_limit_not_a_bad_request() {
    let body =
        r#"{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low."}}"#;
    assert_eq!(ask(answer("400 Bad Request", "", body)).await.unwrap_err().kind, ErrorKind::RateLimited);
}

#[tokio::test]
async fn errors_in_the_midst_quote_no_key() {
    let error = "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"authentication_error\",\"message\":\"invalid x-api-key planted-key\"}}\n\n";
    let thoughts = ask(events(error)).await.unwrap();
    let error = thoughts[0].as_ref().unwrap_err();
    assert_eq!((error.kind, error.detail.as_str()), (ErrorKind::Unauthorized, "invalid x-api-key […]"));
}
