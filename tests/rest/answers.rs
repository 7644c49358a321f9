//! Answers that cite: what a document says is told with where it stands, typed and spoken, by a model and by the built-in agent.

use std::sync::Arc;

use jiff::Zoned;
use providers::local::agent::Agent;
use serde_json::{Value, json};

use crate::{
    documents::knowing,
    files::until,
    live::{Socket, next, owner, send},
    minds::{Mind, thinks},
    server::Server,
};

const DOSE: &str = "Warfarin thins the blood. Adults take 5 mg of warfarin once a day, at the same hour.";

/// Asks in a new conversation; the conversation's path and the reply.
async fn asked(server: &Server, words: &str) -> (String, Value) {
    let path = format!("/api/sessions/{}", server.session().await);
    server.post(&format!("{path}/messages"), json!({"role": "user", "content": words})).await;
    let reply = server.post(&format!("{path}/replies"), json!({})).await;
    assert_eq!(reply.status, 201, "{}", reply.body);
    (path, reply.body)
}

#[tokio::test]
async fn a_typed_answer_cites_what_it_was_given_and_nothing_else() {
    let mind = Mind::saying(&["You take 5 mg of warfarin ", "[1", "]. Ask ", "again [7]."]);
    mind.allow(10);
    let heard = mind.clone();
    let server = Server::with(|context| thinks(context, "acme/mind", mind)).await;
    let (server, _working) = knowing(server, "Leaflet", DOSE).await;
    let (path, reply) = asked(&server, "How much warfarin do adults take?").await;
    assert_eq!(reply["content"], "You take 5 mg of warfarin [1]. Ask again.");
    let citations = reply["citations"].as_array().unwrap();
    assert_eq!(citations.len(), 1, "{reply}");
    let cited = &citations[0];
    assert_eq!((&cited["index"], &cited["title"]), (&json!(1), &json!("Leaflet")));
    assert_eq!(cited["quoted_text"], "Adults take 5 mg of warfarin once a day, at the same hour.");
    assert!(cited["relevance_score"].as_f64().unwrap() > 0.0 && cited["source_id"].is_string());
    let [prompt] = &heard.asked()[..] else { panic!("asked once") };
    let passages = prompt.passages.as_ref().unwrap();
    assert_eq!(passages[0].text, DOSE);
    assert_eq!(server.get(&format!("{path}/messages")).await.body["items"][1], reply);
    let kept = server.get(&format!("/api/messages/{}/citations?style=apa", reply["id"].as_str().unwrap())).await;
    assert!(kept.body["items"][0]["formatted"].as_str().unwrap().contains("Leaflet"), "{}", kept.body);
    let bibliography = server.get(&format!("{path}/bibliography?format=bibtex")).await;
    assert!(bibliography.body.as_str().unwrap().contains("Leaflet"), "{}", bibliography.body);
}

#[tokio::test]
async fn what_an_answer_cites_stays_whole_though_its_document_is_deleted_meanwhile() {
    let mind = Mind::saying(&["You take 5 mg of warfarin ", "[1]."]);
    let heard = mind.clone();
    let server = Server::with(|context| thinks(context, "acme/mind", mind)).await;
    let (server, _working) = knowing(server, "Leaflet", DOSE).await;
    let document =
        format!("/api/documents/{}", server.get("/api/documents").await.body["items"][0]["id"].as_str().unwrap());
    let deleted = async {
        until(async || !heard.asked().is_empty()).await;
        assert_eq!(server.delete(&document).await.status, 204);
        heard.allow(10);
    };
    let ((path, reply), ()) = tokio::join!(asked(&server, "How much warfarin do adults take?"), deleted);
    assert_eq!(server.get(&document).await.status, 404);
    let cited = &reply["citations"][0];
    assert_eq!((&cited["title"], &cited["context"]), (&json!("Leaflet"), &json!(DOSE)), "{reply}");
    assert_eq!(cited["quoted_text"], "Adults take 5 mg of warfarin once a day, at the same hour.");
    assert_eq!(server.get(&format!("{path}/messages")).await.body["items"][1], reply);
    let exported = server.get(&format!("{path}/export/markdown")).await;
    assert!(exported.body.as_str().unwrap().contains("Leaflet"), "{}", exported.body);
}

#[tokio::test]
async fn who_has_no_documents_is_told_of_none() {
    let mind = Mind::saying(&["See [1]."]);
    mind.allow(10);
    let heard = mind.clone();
    let server = Server::with(|context| thinks(context, "acme/mind", mind)).await;
    let (_, reply) = asked(&server, "How much?").await;
    assert_eq!(
        (&reply["content"], &reply["citations"]),
        (&json!("See [1]."), &json!([])),
        "without passages nothing is touched"
    );
    assert_eq!(heard.asked()[0].passages, None);
}

/// A relay whose agent is the built-in one.
async fn with_the_agent() -> Server {
    Server::with(|context| context.providers.llm = Arc::new(Agent::new(Zoned::now))).await
}

#[tokio::test]
async fn without_a_model_the_passage_itself_is_the_answer() {
    let (server, _working) = knowing(with_the_agent().await, "Leaflet", DOSE).await;
    let (_, reply) = asked(&server, "How much warfarin do adults take once a day?").await;
    let text = reply["content"].as_str().unwrap();
    assert!(
        text.starts_with("I found this in \"Leaflet\": ") && text.contains("5 mg") && text.contains("[1]"),
        "{text}"
    );
    assert_eq!(reply["citations"][0]["title"], "Leaflet");
    let (_, reply) = asked(&server, "Who painted the ceiling?").await;
    assert_eq!(
        (&reply["content"], &reply["citations"]),
        (&json!("I found nothing about that in your documents."), &json!([]))
    );
}

#[tokio::test]
async fn a_question_in_another_language_is_told_so_and_the_next_one_answered() {
    let (server, _working) = knowing(with_the_agent().await, "Leaflet", DOSE).await;
    let (path, reply) = asked(&server, "Wie viel Warfarin nehmen Erwachsene einmal am Tag?").await;
    assert!(reply["content"].as_str().unwrap().starts_with("I think that was German."), "{reply}");
    assert_eq!(reply["citations"], json!([]));
    server
        .post(&format!("{path}/messages"), json!({"role": "user", "content": "How much warfarin do adults take?"}))
        .await;
    let reply = server.post(&format!("{path}/replies"), json!({})).await.body;
    assert_eq!(reply["citations"][0]["title"], "Leaflet", "{reply}");
}

/// Asks in a live session with speech, and waits for the item's end.
async fn spoken(socket: &mut Socket, words: &str) -> Value {
    let content = json!([{"type": "input_text", "text": words}]);
    let item = json!({"type": "message", "role": "user", "content": content});
    send(socket, json!({"type": "conversation.item.create", "item": item})).await;
    send(socket, json!({"type": "response.create"})).await;
    next(socket, "response.output_item.done").await["item"].clone()
}

#[tokio::test]
async fn a_spoken_answer_brings_its_citation_with_the_item_and_keeps_it() {
    let (server, _working) = knowing(with_the_agent().await, "Leaflet", DOSE).await;
    let mut socket = owner(&server, "?model=gpt-realtime").await;
    next(&mut socket, "session.created").await;
    let live = server.get("/voice/sessions").await.body;
    let conversation = live["items"][0]["conversation_id"].as_str().unwrap().to_owned();
    let item = spoken(&mut socket, "How much warfarin do adults take once a day?").await;
    assert!(item["content"][0]["transcript"].as_str().unwrap().contains("5 mg"), "{item}");
    let told = item["metadata"]["citations"].as_array().unwrap().clone();
    assert_eq!((told.len(), &told[0]["index"], &told[0]["title"]), (1, &json!(1), &json!("Leaflet")), "{item}");
    next(&mut socket, "response.done").await;
    drop(socket);
    let path = format!("/api/sessions/{conversation}/messages");
    let mut kept = Value::Null;
    until(async || {
        kept = server.get(&path).await.body["items"][1].clone();
        kept["citations"].as_array().is_some_and(|citations| !citations.is_empty())
    })
    .await;
    assert_eq!(kept["modality"], "audio");
    for field in ["index", "title", "source_id", "quoted_text", "context"] {
        assert_eq!(kept["citations"][0][field], told[0][field], "{field}");
    }
}
