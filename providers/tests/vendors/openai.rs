//! The OpenAI-compatible provider against a real socket that behaves, misbehaves, or goes silent.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt;
use providers::{
    ErrorKind, LanguageModel, ProviderError,
    layers::{Timed, Timeouts},
    llm::{Finish, Message, Prompt, Thought},
    openai::{self, Api, Config, LanguageModel as Chat},
};

use crate::support::{Server, Step, answer, events};

const LIMITS: Timeouts =
    Timeouts { open: Duration::from_secs(5), first: Duration::from_secs(5), idle: Duration::from_secs(5) };
const TEXT: &str = include_str!("../exchanges/openai/openai-text.sse");

fn config(server: &Server) -> Config {
    Config { base_url: server.base_url.clone(), key: Some("sk-test-key".into()), ..Config::default() }
}

fn chat(server: &Server) -> Chat {
    Chat::new("openai/m", "m", Arc::new(config(server)))
}

fn prompt() -> Prompt {
    Prompt { messages: vec![Message::User("How is the weather?".into())], ..Prompt::default() }
}

async fn ask(model: &dyn LanguageModel) -> Result<Vec<Result<Thought, ProviderError>>, ProviderError> {
    Ok(model.reply(prompt()).await?.collect().await)
}

async fn refusal(steps: Vec<Step>) -> ProviderError {
    let server = Server::start(vec![steps]).await;
    ask(&chat(&server)).await.unwrap_err()
}

/// What was given before the error that ended the reply.
async fn broken(steps: Vec<Step>) -> (usize, ProviderError) {
    let server = Server::start(vec![steps]).await;
    let mut thoughts = ask(&chat(&server)).await.unwrap();
    let error = thoughts.pop().unwrap().unwrap_err();
    assert!(thoughts.iter().all(Result::is_ok), "one error, and last");
    (thoughts.len(), error)
}

#[tokio::test]
async fn a_reply_is_asked_for_as_documented_and_read() {
    let server = Server::start(vec![events(TEXT)]).await;
    let thoughts = ask(&chat(&server)).await.unwrap();
    assert_eq!(thoughts[0], Ok(Thought::Text("It is".into())));
    assert_eq!(thoughts.last(), Some(&Ok(Thought::Finished(Finish::Stop))));
    let request = server.requests.lock().unwrap().first().unwrap().clone();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"), "{head}");
    assert!(head.contains("authorization: Bearer sk-test-key"), "{head}");
    assert!(body.contains(r#""stream":true"#) && body.contains("How is the weather?"), "{body}");
}

#[tokio::test]
async fn the_responses_api_is_asked_as_documented_where_it_is_chosen() {
    let server = Server::start(vec![events(include_str!("../exchanges/openai/responses-text.sse"))]).await;
    let config = Config { api: Api::Responses, ..config(&server) };
    let thoughts = ask(&Chat::new("openai/m", "m", Arc::new(config))).await.unwrap();
    assert_eq!(thoughts[0], Ok(Thought::Text("It is".into())));
    assert_eq!(thoughts.last(), Some(&Ok(Thought::Finished(Finish::Stop))));
    let request = server.requests.lock().unwrap().first().unwrap().clone();
    assert!(request.starts_with("POST /v1/responses HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("authorization: Bearer sk-test-key") && request.contains(r#""store":false"#), "{request}");
}

#[tokio::test]
async fn local_servers_get_no_key() {
    let server = Server::start(vec![events(TEXT)]).await;
    ask(&Chat::new("local", "m", Arc::new(Config { key: None, ..config(&server) }))).await.unwrap();
    assert!(!server.requests.lock().unwrap()[0].to_lowercase().contains("authorization"));
}

#[tokio::test]
async fn bytes_may_come_in_any_pieces() {
    let whole = events(TEXT);
    let Step::Send(bytes) = &whole[0] else { panic!() };
    let steps = bytes.chunks(7).map(|piece| Step::Send(piece.to_vec())).collect();
    let server = Server::start(vec![steps]).await;
    let thoughts = ask(&chat(&server)).await.unwrap();
    assert_eq!(thoughts[1], Ok(Thought::Text(" sunny – 21 °C.".into())));
    assert_eq!(thoughts.len(), 4);
}

#[tokio::test]
async fn refusals_say_what_one_can_do() {
    let quote = r#"{"error":{"message":"Incorrect API key provided: sk-test-key.","type":"invalid_request_error"}}"#;
    let error = refusal(answer("401 Unauthorized", "", quote)).await;
    assert_eq!((error.kind, &*error.provider), (ErrorKind::Unauthorized, "openai/m"));
    assert!(error.detail.contains("Incorrect API key") && !error.to_string().contains("sk-test-key"), "{error}");

    let error =
        refusal(answer("429 Too Many Requests", "retry-after: 7\r\n", r#"{"error":{"message":"slow down"}}"#)).await;
    assert_eq!((error.kind, error.retry_after), (ErrorKind::RateLimited, Some(Duration::from_secs(7))));
    for (status, kind) in [
        ("400 Bad Request", ErrorKind::Rejected),
        ("404 Not Found", ErrorKind::Rejected),
        ("302 Found", ErrorKind::Rejected),
        ("500 Internal Server Error", ErrorKind::Unavailable),
        ("503 Service Unavailable", ErrorKind::Unavailable),
        ("504 Gateway Timeout", ErrorKind::Timeout),
    ] {
        let error = refusal(answer(status, "location: http://127.0.0.1:1/elsewhere\r\n", "<html>oops</html>")).await;
        assert_eq!(error.kind, kind, "{status}");
        assert!(error.detail.contains(&status[..3]), "{error}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
    drop(listener);
    let chat = Chat::new("gone", "m", Arc::new(Config { base_url, ..Config::default() }));
    assert_eq!(ask(&chat).await.unwrap_err().kind, ErrorKind::Unavailable);
    let chat = Chat::new("gone", "m", Arc::new(Config { base_url: "nonsense".into(), ..Config::default() }));
    assert_eq!(ask(&chat).await.unwrap_err().kind, ErrorKind::Rejected);
}

#[tokio::test]
async fn a_stream_that_breaks_ends_in_one_error() {
    let half = &TEXT[..TEXT.len() / 2];
    let (given, error) = broken([events(half), vec![Step::Reset]].concat()).await;
    assert!(given >= 1 && error.kind == ErrorKind::Unavailable || error.kind == ErrorKind::Protocol, "{error}");
    let (_, error) = broken(events(half)).await;
    assert_eq!(error.kind, ErrorKind::Protocol, "half a line, then the end");
    let within_a_sign = TEXT.find('–').unwrap() + 1;
    let (given, error) = broken(events(&TEXT.as_bytes()[..within_a_sign])).await;
    assert_eq!((given, error.kind), (1, ErrorKind::Protocol), "half a word, then the end");
    let (given, error) =
        broken(events("data: {\"choices\":[{\"delta\":{\"content\":\"One\"}}]}\n\ndata: <garbage>\n\n")).await;
    assert_eq!((given, error.kind), (1, ErrorKind::Protocol));
    let (given, error) = broken(events(include_str!("../exchanges/openai/error-midway.sse"))).await;
    assert_eq!((given, error.kind), (1, ErrorKind::Unavailable));
    let (_, error) = broken(answer("200 OK", "content-type: text/html\r\n", "<html></html>")).await;
    assert!(error.detail.contains("base_url"), "{error}");
    let (_, error) = broken(events(vec![b'x'; 2 << 20])).await;
    assert_eq!(error.kind, ErrorKind::Protocol, "a line without end");
}

#[tokio::test]
async fn a_server_that_hangs_after_its_last_word_costs_nothing() {
    let (words, _) = TEXT.split_once("data: {\"id\":\"chatcmpl-Abc123\",\"object\":\"chat.completion.chunk\",\"created\":1790000000,\"model\":\"gpt-4o-mini\",\"choices\":[],").unwrap();
    let server = Server::start(vec![[events(words), vec![Step::Hang]].concat()]).await;
    let thoughts = ask(&chat(&server)).await.unwrap();
    assert_eq!(thoughts.last(), Some(&Ok(Thought::Finished(Finish::Stop))));
}

#[tokio::test]
async fn a_hanging_server_is_given_up_and_let_go() {
    let soon = Duration::from_millis(100);
    let mut server = Server::start(vec![[events(&TEXT[..900]), vec![Step::Hang]].concat()]).await;
    let timeouts = Timeouts { idle: soon, ..LIMITS };
    let timed = Timed::<dyn LanguageModel>::new("slow", timeouts, Arc::new(chat(&server)));
    let thoughts = ask(&timed).await.unwrap();
    assert_eq!(thoughts.last().unwrap().as_ref().unwrap_err().kind, ErrorKind::Timeout);
    server.left.recv().await.unwrap();
    let server = Server::start(vec![vec![Step::Hang]]).await;
    let timeouts = Timeouts { open: soon, ..LIMITS };
    let timed = Timed::<dyn LanguageModel>::new("slow", timeouts, Arc::new(chat(&server)));
    assert_eq!(ask(&timed).await.unwrap_err().kind, ErrorKind::Timeout);
}

#[tokio::test]
async fn dropping_a_reply_stops_the_server() {
    let mut server = Server::start(vec![[events(&TEXT[..900]), vec![Step::Hang]].concat()]).await;
    let mut thoughts = chat(&server).reply(prompt()).await.unwrap();
    assert!(thoughts.next().await.unwrap().is_ok());
    drop(thoughts);
    server.left.recv().await.unwrap();
}

#[tokio::test]
async fn a_whole_answer_and_calls_are_read_from_the_wire() {
    let whole =
        answer("200 OK", "content-type: application/json\r\n", include_str!("../exchanges/openai/gateway-whole.json"));
    let calls = events(include_str!("../exchanges/openai/llamacpp-call.sse"));
    let server = Server::start(vec![whole, calls]).await;
    assert_eq!(ask(&chat(&server)).await.unwrap()[0], Ok(Thought::Text("All at once.".into())));
    let thoughts = ask(&chat(&server)).await.unwrap();
    assert_eq!(thoughts[0], Ok(Thought::CallStarted { call: "lcpp1".into(), name: "add".into() }));
}

#[tokio::test]
async fn a_probe_names_the_models_or_what_is_wrong() {
    let patience = Duration::from_secs(5);
    let list = answer("200 OK", "", r#"{"object":"list","data":[{"id":"qwen3:4b","object":"model"},{"id":"phi"}]}"#);
    let server =
        Server::start(vec![list, answer("200 OK", "", "hello"), answer("401 Unauthorized", "", ""), vec![Step::Hang]])
            .await;
    assert_eq!(openai::models(&server.base_url, None, patience).await.unwrap(), ["qwen3:4b", "phi"]);
    assert!(server.requests.lock().unwrap()[0].starts_with("GET /v1/models "));
    for kind in [ErrorKind::Protocol, ErrorKind::Unauthorized] {
        assert_eq!(openai::models(&server.base_url, None, patience).await.unwrap_err().kind, kind);
    }
    let soon = Duration::from_millis(50);
    assert_eq!(openai::models(&server.base_url, None, soon).await.unwrap_err().kind, ErrorKind::Timeout);
}
