//! Azure's deployments against a real socket: both paths, and the filters' chunks.

use std::sync::Arc;

use futures_util::StreamExt;
use providers::{
    EmbeddingModel as _, ErrorKind, LanguageModel as _, ProviderError,
    azure::{EmbeddingModel, LanguageModel, llm::Config},
    embed::Purpose,
    llm::{Finish, Message, Prompt, Thought},
    openai::Api,
};

use crate::support::{Server, answer, events};

const TEXT: &str = include_str!("../exchanges/azure/text.sse");

fn config(server: &Server) -> Config {
    let base_url = server.base_url.trim_end_matches("/v1").to_owned();
    Config { base_url, key: Some("0123456789abcdef".into()), ..Config::default() }
}

async fn ask(config: Config) -> Result<Vec<Result<Thought, ProviderError>>, ProviderError> {
    let prompt = Prompt { messages: vec![Message::User("How is the weather?".into())], ..Prompt::default() };
    let model = LanguageModel::new("azure/mine", "my-gpt", Arc::new(config));
    Ok(model.reply(prompt).await?.collect().await)
}

#[tokio::test]
async fn both_paths_are_asked_as_documented() {
    let version = || Some("2024-10-21".to_owned());
    for (api_version, api, exchange, line) in [
        (None, Api::Chat, TEXT, "POST /openai/v1/chat/completions HTTP/1.1\r\n"),
        (
            None,
            Api::Responses,
            include_str!("../exchanges/openai/responses-text.sse"),
            "POST /openai/v1/responses HTTP/1.1\r\n",
        ),
        (
            version(),
            Api::Chat,
            TEXT,
            "POST /openai/deployments/my-gpt/chat/completions?api-version=2024-10-21 HTTP/1.1\r\n",
        ),
    ] {
        let server = Server::start(vec![events(exchange)]).await;
        let thoughts = ask(Config { api_version, api, ..config(&server) }).await.unwrap();
        assert_eq!(thoughts[0], Ok(Thought::Text("It is".into())), "{line}");
        assert_eq!(thoughts.last(), Some(&Ok(Thought::Finished(Finish::Stop))), "{line}");
        let request = server.requests.lock().unwrap()[0].clone();
        assert!(request.starts_with(line), "{request}");
        assert!(request.contains("api-key: 0123456789abcdef") && !request.contains("authorization"), "{request}");
        assert!(request.contains(r#""model":"my-gpt""#), "{request}");
    }
}

#[tokio::test]
async fn texts_are_embedded_on_both_paths() {
    // 1.0 and -0.5 in base64.
    let body = r#"{"object":"list","data":[{"object":"embedding","index":0,"embedding":"AACAPwAAAL8="}],
        "model":"text-embedding-3-small","usage":{"prompt_tokens":5,"total_tokens":5}}"#;
    let classic = "POST /openai/deployments/my-vectors/embeddings?api-version=2024-10-21 HTTP/1.1\r\n";
    for (api_version, line) in
        [(None, "POST /openai/v1/embeddings HTTP/1.1\r\n"), (Some("2024-10-21".to_owned()), classic)]
    {
        let server = Server::start(vec![answer("200 OK", "content-type: application/json\r\n", body)]).await;
        let config = Config { api_version, dimensions: Some(2), ..config(&server) };
        let model = EmbeddingModel::new("azure/my-vectors", "my-vectors", Arc::new(config));
        assert_eq!((model.capabilities().dimensions, model.capabilities().batch), (Some(2), 256));
        let made = model.embed(vec!["one".to_owned()], Purpose::Question).await.unwrap();
        assert_eq!((made.vectors, made.tokens), (vec![vec![1.0, -0.5]], Some(5)));
        let request = server.requests.lock().unwrap()[0].clone();
        assert!(request.starts_with(line), "{request}");
        assert!(request.contains("api-key: 0123456789abcdef") && !request.contains("authorization"), "{request}");
        let body: serde_json::Value = serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap();
        let expected =
            serde_json::json!({"model": "my-vectors", "input": ["one"], "encoding_format": "base64", "dimensions": 2});
        assert_eq!(body, expected);
    }
    let missing = r#"{"error":{"code":"DeploymentNotFound","message":"The API deployment does not exist."}}"#;
    let server = Server::start(vec![answer("404 Not Found", "", missing)]).await;
    let model = EmbeddingModel::new("azure/my-vectors", "my-vectors", Arc::new(config(&server)));
    let error = model.embed(vec!["one".to_owned()], Purpose::Question).await.unwrap_err();
    assert_eq!((error.kind, &*error.provider), (ErrorKind::Rejected, "azure/my-vectors"), "{error}");
}

#[tokio::test]
async fn the_filters_chunks_are_no_words() {
    let filtered = include_str!("../exchanges/azure/filtered.sse");
    let asynchronous = include_str!("../exchanges/azure/asynchronous.sse");
    for (exchange, text, finish) in
        [(filtered, "It is", Finish::ContentFilter), (asynchronous, "It is sunny.", Finish::Stop)]
    {
        let server = Server::start(vec![events(exchange)]).await;
        let thoughts = ask(config(&server)).await.unwrap();
        assert_eq!(thoughts, [Ok(Thought::Text(text.into())), Ok(Thought::Finished(finish))]);
    }
}

#[tokio::test]
async fn a_filtered_prompt_and_a_missing_deployment_are_rejected() {
    let filtered = r#"{"error":{"message":"The response was filtered.","type":null,"param":"prompt","code":"content_filter",
        "status":400,"innererror":{"code":"ResponsibleAIPolicyViolation"}}}"#;
    let missing = r#"{"error":{"code":"DeploymentNotFound","message":"The API deployment does not exist."}}"#;
    for (status, body) in [("400 Bad Request", filtered), ("404 Not Found", missing)] {
        let server = Server::start(vec![answer(status, "apim-request-id: 1\r\n", body)]).await;
        let error = ask(config(&server)).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Rejected, "{error}");
    }
}
