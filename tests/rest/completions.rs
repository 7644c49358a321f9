//! `POST /v1/chat/completions`, whole and streamed, as the hosted service's clients send and read it.

use std::sync::Arc;

use futures_util::StreamExt;
use providers::{
    ErrorKind,
    llm::{Message, ToolChoice},
    scripted::{self, Fault, Faults, LlmScript, Reply},
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    minds::{Mind, thinks},
    server::{Answer, START, Server},
};

const PATH: &str = "/v1/chat/completions";

/// A relay that thinks by this script.
async fn scripted(script: LlmScript) -> Server {
    Server::with(|context| thinks(context, "acme/mind", scripted::LanguageModel::new(script))).await
}

fn asking(text: &str) -> Value {
    json!({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": text}]})
}

/// The same, with more.
fn with(text: &str, more: Value) -> Value {
    let mut body = asking(text);
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

/// The events of a stream, and whether it says that it is over.
fn events(answer: &Answer) -> (Vec<Value>, bool) {
    assert_eq!(
        (answer.status, answer.header("content-type")),
        (StatusCode::OK, "text/event-stream"),
        "{}",
        answer.body
    );
    let mut lines: Vec<_> = answer.body.as_str().unwrap().split_terminator("\n\n").collect();
    let done = lines.pop_if(|line| *line == "data: [DONE]").is_some();
    let event = |line: &&str| serde_json::from_str(line.strip_prefix("data: ").unwrap()).unwrap();
    (lines.iter().map(event).collect(), done)
}

#[tokio::test]
async fn an_answer_has_every_field_and_names_who_gave_it() {
    let server = scripted(LlmScript::default()).await;
    let answer = server.post(PATH, asking("Is anybody there?")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    let body = &answer.body;
    assert!(body["id"].as_str().unwrap().starts_with("chatcmpl-"));
    assert_eq!((&body["object"], &body["created"]), (&json!("chat.completion"), &json!(START)));
    assert_eq!(body["model"], "acme/mind");
    let message =
        json!({"role": "assistant", "content": "You said: Is anybody there?", "refusal": null, "annotations": []});
    let choice = json!({"index": 0, "message": message, "logprobs": null, "finish_reason": "stop"});
    assert_eq!(body["choices"], json!([choice]));
    let usage = &body["usage"];
    assert_eq!(
        (&usage["prompt_tokens"], &usage["completion_tokens"], &usage["total_tokens"]),
        (&json!(3), &json!(5), &json!(8))
    );
}

#[tokio::test]
async fn a_stream_is_the_same_answer_word_by_word() {
    let server = scripted(LlmScript::default()).await;
    let streamed = server.post(PATH, with("one two", json!({"stream": true}))).await;
    let (chunks, done) = events(&streamed);
    assert!(done);
    assert_eq!(chunks[0]["choices"][0]["delta"], json!({"role": "assistant", "content": "", "refusal": null}));
    let text: String = chunks.iter().filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str()).collect();
    assert_eq!(text, "You said: one two");
    assert!(chunks.len() > 4, "it comes in pieces: {chunks:?}");
    for chunk in &chunks {
        assert_eq!((&chunk["id"], &chunk["created"]), (&chunks[0]["id"], &json!(START)));
        assert_eq!((&chunk["object"], &chunk["model"]), (&json!("chat.completion.chunk"), &json!("acme/mind")));
        assert!(chunk.get("usage").is_none());
    }
    let reasons: Vec<_> = chunks.iter().map(|chunk| chunk["choices"][0]["finish_reason"].clone()).collect();
    assert_eq!(reasons.iter().filter(|reason| !reason.is_null()).collect::<Vec<_>>(), [&json!("stop")]);
    assert_eq!(reasons.last(), Some(&json!("stop")));

    let options = json!({"stream": true, "stream_options": {"include_usage": true}});
    let (chunks, done) = events(&server.post(PATH, with("one two", options)).await);
    let (bill, before) = chunks.split_last().unwrap();
    assert!(done && before.iter().all(|chunk| chunk["usage"].is_null()));
    assert_eq!((&bill["choices"], &bill["usage"]["total_tokens"]), (&json!([]), &json!(2 + 4)));
}

#[tokio::test]
async fn functions_are_called_and_their_results_read() {
    let call = |text: &str| Reply::Call { text: text.into(), name: "look".into(), arguments: r#"{"at":"sky"}"#.into() };
    let script = LlmScript { replies: vec![call(""), call("Let me see. ")], ..LlmScript::default() };
    let server = scripted(script).await;
    let tools = json!([{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}]);
    let body = server.post(PATH, with("Rain?", json!({"tools": tools, "tool_choice": "required"}))).await.body;
    let choice = &body["choices"][0];
    assert_eq!((&choice["finish_reason"], &choice["message"]["content"]), (&json!("tool_calls"), &Value::Null));
    let made = &choice["message"]["tool_calls"][0];
    assert_eq!(made["function"], json!({"name": "look", "arguments": r#"{"at":"sky"}"#}));

    let streamed = server.post(PATH, with("Rain?", json!({"tools": tools, "stream": true}))).await;
    let (chunks, _) = events(&streamed);
    let parts: Vec<_> =
        chunks.iter().filter_map(|chunk| chunk["choices"][0]["delta"]["tool_calls"].as_array()).collect();
    assert_eq!((&parts[0][0]["index"], &parts[0][0]["type"]), (&json!(0), &json!("function")));
    assert!(parts[0][0]["id"].is_string() && parts[0][0]["function"]["name"] == "look");
    let arguments: String = parts.iter().map(|part| part[0]["function"]["arguments"].as_str().unwrap()).collect();
    assert_eq!(arguments, r#"{"at":"sky"}"#);
    assert_eq!(chunks.last().unwrap()["choices"][0]["finish_reason"], "tool_calls");

    let result = json!({"role": "tool", "tool_call_id": made["id"], "content": "It rains."});
    let user = json!({"role": "user", "content": "Well?"});
    let messages = json!([{"role": "user", "content": "Rain?"}, choice["message"], result, user]);
    let body = server.post(PATH, json!({"model": "voice-relay", "messages": messages, "tools": tools})).await.body;
    assert_eq!(body["choices"][0]["message"]["content"], "You said: Well?");
}

#[tokio::test]
async fn the_prompt_is_what_was_sent() {
    let mind = Mind::saying(&["Yes."]);
    let heard = mind.clone();
    let server = Server::with(|context| thinks(context, "acme/mind", mind)).await;
    heard.allow(1);
    let messages = json!([
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "name": "ann", "content": [{"type": "text", "text": "Are you"}, {"type": "text", "text": "there?"}]},
    ]);
    let more = json!({"messages": messages, "temperature": 0.25, "max_completion_tokens": 7, "tool_choice": "none"});
    let answer = server.post(PATH, with("", more)).await;
    assert_eq!((answer.status, answer.header("x-ignored")), (StatusCode::OK, "messages.name"), "{}", answer.body);
    let [prompt] = &heard.asked()[..] else { panic!("asked once") };
    assert_eq!((prompt.model.as_deref(), prompt.instructions.as_str()), (Some("gpt-4o-mini"), "Be brief."));
    assert_eq!(prompt.messages, [Message::User("Are you\nthere?".into())]);
    assert_eq!((prompt.temperature, prompt.max_output_tokens), (Some(0.25), Some(7)));
    assert_eq!(prompt.tool_choice, ToolChoice::None);
}

#[tokio::test]
async fn an_answer_ends_where_it_was_told_to() {
    let server = scripted(LlmScript::default()).await;
    let reply = async |more: Value| {
        let choice = server.post(PATH, with("one two three", more)).await.body["choices"][0].clone();
        (choice["message"]["content"].as_str().unwrap().to_owned(), choice["finish_reason"].clone())
    };
    assert_eq!(reply(json!({"stop": "two"})).await, ("You said: one ".into(), json!("stop")));
    assert_eq!(reply(json!({"stop": ["e t", "zzz"]})).await, ("You said: on".into(), json!("stop")));
    assert_eq!(reply(json!({"max_tokens": 3})).await, ("You said: one ".into(), json!("length")));
    let streamed = server.post(PATH, with("one two three", json!({"stop": "wo thr", "stream": true}))).await;
    let (chunks, done) = events(&streamed);
    let text: String = chunks.iter().filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str()).collect();
    assert_eq!((text.as_str(), done), ("You said: one t", true));
}

#[tokio::test]
async fn what_fails_before_the_first_word_has_a_status_and_afterwards_is_an_event() {
    for (kind, status) in [
        (ErrorKind::RateLimited, 429),
        (ErrorKind::Rejected, 400),
        (ErrorKind::Unavailable, 503),
        (ErrorKind::Unauthorized, 502),
    ] {
        for fault in [Fault::Refuse(kind), Fault::Break { after: 0, kind }] {
            let server = scripted(LlmScript { faults: Faults::always(fault), ..LlmScript::default() }).await;
            for stream in [false, true] {
                server.post(PATH, with("Hello", json!({"stream": stream}))).await.openai(status);
            }
        }
    }
    let fault = Fault::Break { after: 2, kind: ErrorKind::Unavailable };
    let server = scripted(LlmScript { faults: Faults::always(fault), ..LlmScript::default() }).await;
    server.post(PATH, asking("Hello")).await.openai(503);
    let (chunks, done) = events(&server.post(PATH, with("Hello", json!({"stream": true}))).await);
    let (error, before) = chunks.split_last().unwrap();
    assert_eq!((&error["error"]["code"], done), (&json!("provider_unavailable"), false));
    assert_eq!(before.len(), 3, "the role and two words: {before:?}");
    let cut = Fault::Vanish { after: 2 };
    let server = scripted(LlmScript { faults: Faults::always(cut), ..LlmScript::default() }).await;
    server.post(PATH, asking("Hello")).await.openai(502);
}

#[tokio::test]
async fn a_client_that_goes_takes_its_request_along() {
    for stream in [true, false] {
        let mind = Mind::saying(&["One ", "two ", "three."]);
        let heard = mind.clone();
        let server = Server::with(|context| thinks(context, "acme/mind", mind)).await;
        heard.allow(1);
        let request = server.request(Method::POST, PATH).json(&with("Count", json!({"stream": stream})));
        if stream {
            let mut body = request.send().await.unwrap().bytes_stream();
            while !String::from_utf8_lossy(&body.next().await.unwrap().unwrap()).contains("One ") {}
        } else {
            let waiting = tokio::spawn(request.send());
            while heard.asked().is_empty() {
                tokio::task::yield_now().await;
            }
            waiting.abort();
        }
        // It has two words left that nobody allows.
        tokio::time::timeout(std::time::Duration::from_secs(20), heard.let_go())
            .await
            .expect("the model is told to stop");
    }
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_in_the_clients_words() {
    let server = Server::start().await;
    for (more, code, param) in [
        (json!({"n": 3}), "unsupported_parameter", "n"),
        (json!({"response_format": {"type": "json_object"}}), "unsupported_parameter", "response_format"),
        (json!({"mood": "good"}), "unknown_parameter", "mood"),
        (json!({"temperature": "hot"}), "invalid_value", "temperature"),
        (json!({"messages": []}), "invalid_value", "messages"),
        (json!({"messages": [{"role": "user", "content": "x", "mood": 1}]}), "unknown_parameter", "messages[0].mood"),
        (json!({"messages": [{"content": "x"}]}), "missing_required_parameter", "messages[0].role"),
        (json!({"max_tokens": -1}), "invalid_value", "max_tokens"),
    ] {
        let answer = server.post(PATH, with("Hello", more.clone())).await;
        assert_eq!(answer.openai(400), (code.into(), param.into()), "{more}");
    }
    let nameless = server.post(PATH, json!({"messages": []})).await;
    assert_eq!(nameless.openai(400), ("missing_required_parameter".into(), "model".into()));
    for model in ["claude-x", "whisper-1", "scripted/tts", ""] {
        let answer = server.post(PATH, with("Hello", json!({"model": model}))).await;
        assert_eq!(answer.openai(404).0, "model_not_found", "{model}");
    }
    let key = server.api_key("speech sessions").await;
    let other = server.bare(Method::POST, PATH).bearer_auth(key).json(&asking("Hello"));
    assert_eq!(Answer::of(other).await.openai(403).0, "insufficient_scope");
    let azure = "/openai/deployments/gpt-4o-mini/chat/completions?api-version=2024-10-21";
    assert_eq!(server.post(azure, asking("Hello")).await.body["choices"][0]["message"]["content"], "You said: Hello");
    server.context.engine.drain.begin();
    assert_eq!(server.post(PATH, asking("Hello")).await.openai(503).0, "shutting_down");
}

#[tokio::test]
async fn a_long_conversation_fits() {
    let server = Server::with(|context| context.providers.llm = Arc::new(scripted::LanguageModel::default())).await;
    let long = "word ".repeat(200_000);
    let answer = server.post(PATH, asking(&long)).await;
    let said = answer.body["choices"][0]["message"]["content"].as_str().unwrap().len();
    assert_eq!(said, "You said: ".len() + long.len());
    let larger = asking(&"word ".repeat(500_000));
    assert_eq!(server.post(PATH, larger).await.openai(413).0, "payload_too_large");
}
