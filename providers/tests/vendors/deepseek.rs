//! DeepSeek's models against a real socket: the request as documented, and the vendor's oddities.

use std::sync::Arc;

use futures_util::StreamExt;
use providers::{
    ErrorKind, LanguageModel as _, ProviderError,
    deepseek::{Config, LanguageModel},
    llm::{Call, Finish, Message, Prompt, Thought, Usage},
};
use serde_json::{Value, json};

use crate::support::{Server, answer, events};

fn model(server: &Server, thinking: bool) -> LanguageModel {
    let base_url = server.base_url.trim_end_matches("/v1").to_owned();
    let config = Config { base_url, key: Some("sk-planted".into()), thinking };
    LanguageModel::new("deepseek/flash", "deepseek-v4-flash", Arc::new(config))
}

fn prompt() -> Prompt {
    Prompt { messages: vec![Message::User("How is the weather?".into())], ..Prompt::default() }
}

async fn ask(model: &LanguageModel, prompt: Prompt) -> Vec<Result<Thought, ProviderError>> {
    model.reply(prompt).await.unwrap().collect().await
}

fn request(server: &Server, number: usize) -> (String, Value) {
    let request = server.requests.lock().unwrap()[number].clone();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), serde_json::from_str(body).unwrap())
}

#[tokio::test]
async fn a_reply_is_asked_for_as_documented_and_read_past_keep_alives() {
    let server = Server::start(vec![events(include_str!("../exchanges/deepseek/text.sse"))]).await;
    let thoughts = ask(&model(&server, false), prompt()).await;
    let usage = Usage { input_tokens: 30, cached_tokens: 16, output_tokens: 12 };
    let expected = [
        Thought::Text("It is".into()),
        Thought::Text(" sunny – 21 °C.".into()),
        Thought::Usage(usage),
        Thought::Finished(Finish::Stop),
    ];
    assert_eq!(thoughts, expected.map(Ok));
    let (head, body) = request(&server, 0);
    assert!(head.starts_with("POST /chat/completions HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("authorization: Bearer sk-planted"), "{head}");
    assert_eq!(body["thinking"], json!({"type": "disabled"}));
}

#[tokio::test]
async fn reasoning_is_silent_and_comes_back_with_its_call() {
    let server = Server::start(vec![events(include_str!("../exchanges/deepseek/calls.sse"))]).await;
    let model = model(&server, true);
    let thoughts = ask(&model, prompt()).await;
    let id = "call_00_qvQx".to_owned();
    assert_eq!(thoughts[0], Ok(Thought::CallStarted { call: id.clone(), name: "get_weather".into() }));
    let call = Call { call: id.clone(), name: "get_weather".into(), arguments: r#"{"city": "Rome"}"#.into() };
    let messages = vec![Message::Call(call), Message::Result { call: id, output: "sunny".into() }];
    ask(&model, Prompt { messages, ..Prompt::default() }).await;
    let (_, body) = request(&server, 1);
    assert_eq!(body["messages"][0]["reasoning_content"], "They ask about the weather.");
    assert_eq!(body["messages"][1]["content"], "sunny");
    assert_eq!(body["thinking"], json!({"type": "enabled"}));
}

#[tokio::test]
async fn exhaustion_in_the_midst_is_unavailability() {
    let server = Server::start(vec![events(include_str!("../exchanges/deepseek/exhausted.sse"))]).await;
    let thoughts = ask(&model(&server, false), prompt()).await;
    assert_eq!(thoughts[0], Ok(Thought::Text("It is".into())));
    assert_eq!(thoughts[1].as_ref().unwrap_err().kind, ErrorKind::Unavailable);
    assert_eq!(thoughts.len(), 2);
}

#[tokio::test]
async fn a_spent_balance_is_a_limit() {
    let body = r#"{"error":{"message":"Insufficient Balance","type":"unknown_error","code":"invalid_request_error"}}"#;
    let server = Server::start(vec![answer("402 Payment Required", "", body)]).await;
    let error = model(&server, false).reply(prompt()).await.err().unwrap();
    assert_eq!((error.kind, error.detail.as_str()), (ErrorKind::RateLimited, "status 402: Insufficient Balance"));
}
