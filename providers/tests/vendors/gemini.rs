//! Gemini models against a real socket: the request as documented, and the vendor's oddities.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt;
use providers::{
    ErrorKind, LanguageModel as _,
    gemini::{Config, LanguageModel},
    llm::{Call, Finish, Message, Prompt, Thought},
};
use serde_json::Value;

use crate::support::{Server, answer, events};

fn model(server: &Server, model: &str) -> LanguageModel {
    let base_url = server.base_url.replace("/v1", "/v1beta");
    let config = Config { base_url, key: Some("AIza-planted".into()), ..Config::default() };
    LanguageModel::new("gemini/flash", model, Arc::new(config))
}

fn prompt() -> Prompt {
    Prompt { messages: vec![Message::User("How is the weather?".into())], ..Prompt::default() }
}

fn request(server: &Server, number: usize) -> (String, Value) {
    let request = server.requests.lock().unwrap()[number].clone();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), serde_json::from_str(body).unwrap())
}

#[tokio::test]
async fn a_reply_is_asked_for_as_documented_and_read() {
    let server = Server::start(vec![events(include_str!("../exchanges/gemini/text.sse"))]).await;
    let reply = model(&server, "gemini-2.5-flash").reply(prompt()).await.unwrap();
    let thoughts: Vec<_> = reply.collect().await;
    assert_eq!(thoughts[0], Ok(Thought::Text("It is".into())));
    assert_eq!(thoughts.last(), Some(&Ok(Thought::Finished(Finish::Stop))));
    let (head, body) = request(&server, 0);
    let line = "POST /v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse HTTP/1.1\r\n";
    assert!(head.starts_with(line), "{head}");
    assert!(head.contains("x-goog-api-key: AIza-planted"), "{head}");
    assert_eq!(head.matches("AIza").count(), 1, "the key is in its header alone");
    assert_eq!(body["contents"][0]["parts"][0]["text"], "How is the weather?");
}

#[tokio::test]
async fn tuned_models_are_named_with_their_folder() {
    let server = Server::start(vec![events(include_str!("../exchanges/gemini/text.sse"))]).await;
    assert!(model(&server, "tunedModels/mine").reply(prompt()).await.is_ok());
    assert!(request(&server, 0).0.starts_with("POST /v1beta/tunedModels/mine:streamGenerateContent?alt=sse "));
}

#[tokio::test]
async fn signatures_come_back_with_their_calls() {
    let server = Server::start(vec![events(include_str!("../exchanges/gemini/calls.sse"))]).await;
    let model = model(&server, "gemini-3-flash");
    let thoughts: Vec<_> = model.reply(prompt()).await.unwrap().map(Result::unwrap).collect().await;
    let mut messages = prompt().messages;
    for thought in thoughts {
        if let Thought::CallStarted { call, name } = thought {
            messages.push(Message::Call(Call { call, name, arguments: "{}".into() }));
        }
    }
    assert_eq!(messages.len(), 3);
    let reply = model.reply(Prompt { messages, ..Prompt::default() }).await.unwrap();
    reply.for_each(|_| async {}).await;
    let (_, body) = request(&server, 1);
    let parts = &body["contents"][1]["parts"];
    assert_eq!(parts[0]["thoughtSignature"], "EpEgCo4gAb4=");
    assert_eq!(parts[0]["functionCall"]["id"], "8f2b");
    assert!(parts[1].get("thoughtSignature").is_none(), "of calls made together only the first is signed");
}

#[tokio::test]
async fn refusals_are_read_by_their_status_and_details() {
    for (status, body, kind, wait) in [
        (
            "400 Bad Request",
            r#"{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT",
                "details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}]}}"#,
            ErrorKind::Unauthorized,
            None,
        ),
        (
            "429 Too Many Requests",
            r#"[{"error":{"code":429,"message":"Quota exceeded.","status":"RESOURCE_EXHAUSTED",
                "details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34.4s"}]}}]"#,
            ErrorKind::RateLimited,
            Some(Duration::from_millis(34_400)),
        ),
        (
            "503 Service Unavailable",
            r#"{"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}"#,
            ErrorKind::Unavailable,
            None,
        ),
    ] {
        let server = Server::start(vec![answer(status, "content-type: application/json\r\n", body)]).await;
        let error = model(&server, "m").reply(prompt()).await.err().unwrap();
        assert_eq!((error.kind, error.retry_after), (kind, wait), "{status}");
        assert!(!error.to_string().contains("AIza") && error.detail.len() > 12, "{error}");
    }
}

#[tokio::test]
async fn a_blocked_prompt_is_a_reply_that_was_filtered() {
    let server = Server::start(vec![events(include_str!("../exchanges/gemini/blocked.sse"))]).await;
    let thoughts: Vec<_> = model(&server, "m").reply(prompt()).await.unwrap().collect().await;
    assert_eq!(thoughts.last(), Some(&Ok(Thought::Finished(Finish::ContentFilter))));
}
