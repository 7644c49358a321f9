//! Embeddings.

use providers::{EmbeddingModel as _, embed::Purpose, openai::EmbeddingModel};

use super::*;

fn model(config: Config) -> EmbeddingModel {
    EmbeddingModel::new("openai/text-embedding-3-small", "text-embedding-3-small", Arc::new(config))
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// An answer to this many texts, the first vector beginning with `from`.
fn vectors(from: usize, count: usize) -> String {
    let items =
        (0..count).map(|at| format!(r#"{{"object":"embedding","index":{at},"embedding":[{},0.5]}}"#, from + at));
    let items = items.collect::<Vec<_>>().join(",");
    format!(
        r#"{{"object":"list","data":[{items}],"model":"m","usage":{{"prompt_tokens":{count},"total_tokens":{count}}}}}"#
    )
}

#[tokio::test]
async fn texts_become_vectors_in_their_order() {
    // 1.0 and -0.5 in base64.
    let body = r#"{"object":"list","data":[{"object":"embedding","index":1,"embedding":"AAAAvwAAgD8="},
        {"object":"embedding","index":0,"embedding":"AACAPwAAAL8="}],"model":"text-embedding-3-small","usage":{"prompt_tokens":5,"total_tokens":5}}"#;
    let server = Server::start(vec![json(body)]).await;
    let model = model(Config { dimensions: Some(2), ..config(&server.base_url) });
    assert_eq!(model.capabilities().dimensions, Some(2));
    let found = soon(model.embed(texts(&["one", "two"]), Purpose::Passages)).await.unwrap();
    assert_eq!((found.vectors, found.tokens), (vec![vec![1.0, -0.5], vec![-0.5, 1.0]], Some(5)));
    let request = server.requests.lock().unwrap()[0].clone();
    assert!(
        request.starts_with("POST /v1/embeddings HTTP/1.1\r\n") && request.contains("authorization: Bearer tiger-key")
    );
    let body: serde_json::Value = serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap();
    let expected = serde_json::json!({"model": "text-embedding-3-small", "input": ["one", "two"],
        "encoding_format": "base64", "dimensions": 2});
    assert_eq!(body, expected);
}

#[tokio::test]
async fn many_texts_go_in_several_requests_and_blank_ones_in_none() {
    let server = Server::start(vec![json(&vectors(0, 256)), json(&vectors(256, 44))]).await;
    let model = model(config(&server.base_url));
    assert_eq!((model.capabilities().dimensions, model.capabilities().batch), (Some(1_536), 256));
    let many: Vec<_> = (0..300).map(|n| format!("text {n}")).collect();
    let found = soon(model.embed(many, Purpose::Passages)).await.unwrap();
    let first: Vec<_> = found.vectors.iter().map(|vector| vector[0] as usize).collect();
    assert_eq!((first, found.tokens), ((0..300).collect(), Some(300)));
    let error = model.embed(texts(&["one", " \n"]), Purpose::Passages).await.unwrap_err();
    assert_eq!((error.kind, error.detail.as_str()), (ErrorKind::Rejected, "text 1 is blank"));
    assert_eq!(model.embed(Vec::new(), Purpose::Passages).await.unwrap().vectors, Vec::<Vec<f32>>::new());
    assert_eq!(server.requests.lock().unwrap().len(), 2);
}

#[tokio::test]
async fn refusals_and_broken_answers_say_what_one_can_do() {
    for (status, kind) in REFUSALS {
        let server = refusing(status).await;
        let error = model(config(&server.base_url)).embed(texts(&["one"]), Purpose::Passages).await.unwrap_err();
        is_refusal(&error, status, kind, "openai/text-embedding-3-small");
    }
    for (body, kind) in [
        (json(""), ErrorKind::Protocol),
        (json(&vectors(0, 2)), ErrorKind::Protocol),
        (answer("200 OK", "content-type: application/json\r\ncontent-length: 99\r\n", "{"), ErrorKind::Unavailable),
        ([json("{"), vec![Step::Reset]].concat(), ErrorKind::Unavailable),
    ] {
        let server = Server::start(vec![body]).await;
        let error = model(config(&server.base_url)).embed(texts(&["one"]), Purpose::Passages).await.unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
    }
}

#[tokio::test]
async fn an_answer_without_end_is_refused_and_dropping_hangs_up() {
    let mut server = Server::start(vec![[json("{"), vec![Step::Flood(vec![b' '; 1 << 20])]].concat()]).await;
    let error = soon(model(config(&server.base_url)).embed(texts(&["one"]), Purpose::Passages)).await.unwrap_err();
    assert_eq!((error.kind, error.detail.as_str()), (ErrorKind::Protocol, "the answer is too large"));
    soon(server.left.recv()).await.unwrap();

    let mut server = Server::start(vec![vec![Step::Hang]]).await;
    let model = model(config(&server.base_url));
    assert!(timeout(Duration::from_millis(200), model.embed(texts(&["one"]), Purpose::Passages)).await.is_err());
    assert!(timeout(PROMPT, server.left.recv()).await.is_ok(), "still there after 50 ms");
}
