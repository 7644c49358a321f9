//! `POST /api/search`: what fits a question in the documents one may read, and how sure that is.

use serde_json::{Value, json};
use voice_relay::{
    knowledge::chunk::chunks,
    store::{
        DocumentId, UserId,
        documents::{self, Added, Content},
        passages::{self, New},
    },
};

use crate::{
    people::{Person, administer},
    server::Server,
};

const WARFARIN: &str =
    "# Warfarin\n\n## Dose\nWarfarin is begun at five milligrams a day.\n\n## Food\nSpinach weakens it.";

/// A document of this user, ready to be found.
async fn shelve(server: &Server, user: UserId, shared: bool, title: &str, kind: &str, text: &str) -> DocumentId {
    let (db, now) = (&server.context.db, jiff::Timestamp::UNIX_EPOCH);
    let source = json!({"title": title, "authors": ["Doe, Jane"], "source_type": kind}).to_string();
    let new = documents::New { shared, content: Content::Text(text), size: 1, sha256: title, source: &source };
    let added = documents::add(db, user, DocumentId::new(now), new, 1_000, now).await.unwrap();
    let Added::Kept(kept) = added else { panic!("{added:?}") };
    let chunks = chunks(text);
    let told = chunks.iter().map(|chunk| chunk.in_context(Some(title))).collect();
    let vectors = server.context.library.embed(told).await.unwrap().unwrap().vectors;
    let rows: Vec<_> = chunks
        .iter()
        .zip(&vectors)
        .map(|(chunk, vector)| New {
            text: &chunk.text,
            heading: chunk.heading.as_deref(),
            page: chunk.page,
            start: chunk.start,
            end: chunk.end,
            vector: Some(vector),
        })
        .collect();
    passages::put(db, kept.id, server.context.library.model(), &rows, now).await.unwrap();
    kept.id
}

fn texts(answer: &Value) -> Vec<&str> {
    answer["passages"].as_array().unwrap().iter().map(|passage| passage["text"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_passage_comes_with_its_source_its_place_and_how_sure_it_is() {
    let server = Server::start().await;
    let owner = server.context.auth.owner().id;
    let document = shelve(&server, owner, false, "A guideline", "guideline", WARFARIN).await;
    let answer = server.post("/api/search", json!({"query": "warfarin dose milligrams", "top_k": 1})).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    assert_eq!(answer.body["semantic"], true);
    let [passage] = &answer.body["passages"].as_array().unwrap()[..] else { panic!("{:?}", answer.body) };
    let text = passage["text"].as_str().unwrap();
    assert!(text.contains("five milligrams"), "{text}");
    assert_eq!(passage["document_id"], json!(document));
    assert_eq!(passage["source"]["title"], "A guideline");
    assert_eq!(passage["source"]["authors"], json!(["Doe, Jane"]));
    let (start, end) = (passage["start"].as_u64().unwrap() as usize, passage["end"].as_u64().unwrap() as usize);
    assert_eq!(WARFARIN.chars().skip(start).take(end - start).collect::<String>(), text);
    let score = passage["score"].as_f64().unwrap();
    assert!((50.0..=100.0).contains(&score), "{score}");
    assert_eq!(passage["page"], Value::Null);
}

#[tokio::test]
async fn one_finds_what_is_ones_own_and_what_is_shared_also_as_a_viewer() {
    let server = Server::start().await;
    let owner = server.context.auth.owner().id;
    let ann = Person::new(&server, "ann@example.org").await;
    let ann_id: UserId = ann.id.parse().unwrap();
    let hers = shelve(&server, ann_id, false, "hers", "note", "Ann keeps badgers.").await;
    shelve(&server, owner, true, "all's", "guideline", "Badgers dig setts.").await;
    shelve(&server, owner, false, "the owner's", "note", "Badgers are my secret.").await;
    let asked = json!({"query": "badgers", "top_k": 50});
    administer(&server, &ann.id, json!({"role": "viewer"})).await;
    let mut found = ann.post(&server, "/api/search", asked.clone()).await;
    assert_eq!(found.status, 200, "{:?}", found.body);
    found.body["passages"].as_array_mut().unwrap().sort_by_key(|passage| passage["text"].to_string());
    assert_eq!(texts(&found.body), ["Ann keeps badgers.", "Badgers dig setts."]);
    let not_his = server.post("/api/search", json!({"query": "badgers", "document_ids": [hers]})).await;
    assert_eq!(texts(&not_his.body), [""; 0]);
    let guidelines = json!({"query": "badgers", "source_type": "guideline"});
    assert_eq!(texts(&ann.post(&server, "/api/search", guidelines).await.body), ["Badgers dig setts."]);
}

#[tokio::test]
async fn words_are_searched_where_the_question_cannot_be_embedded() {
    let server = Server::start().await;
    let owner = server.context.auth.owner().id;
    shelve(&server, owner, false, "A guideline", "guideline", WARFARIN).await;
    let answer = server.post("/api/search", json!({"query": "unembeddable spinach"})).await;
    assert_eq!((answer.status.as_u16(), &answer.body["semantic"]), (200, &json!(false)));
    assert_eq!(texts(&answer.body), ["## Food\nSpinach weakens it."]);
    let sure = server.post("/api/search", json!({"query": "unembeddable spinach", "min_score": 61})).await;
    assert_eq!(texts(&sure.body), [""; 0], "words alone are never so sure");
}

#[tokio::test]
async fn what_is_not_sure_enough_is_left_out_whatever_else_is_found() {
    let server = Server::start().await;
    let owner = server.context.auth.owner().id;
    shelve(&server, owner, false, "A guideline", "guideline", WARFARIN).await;
    let all = server.post("/api/search", json!({"query": "spinach weakens it", "top_k": 50})).await;
    let scores: Vec<_> =
        all.body["passages"].as_array().unwrap().iter().map(|passage| passage["score"].as_f64().unwrap()).collect();
    assert_eq!(scores.len(), 2, "{scores:?}");
    let sure = server.post("/api/search", json!({"query": "spinach weakens it", "min_score": scores[0]})).await;
    assert_eq!(texts(&sure.body).len(), 1, "{scores:?}");
    let nothing = server.post("/api/search", json!({"query": "?!", "min_score": 100})).await;
    assert_eq!((nothing.status.as_u16(), texts(&nothing.body).len()), (200, 0));
}

#[tokio::test]
async fn a_search_that_cannot_be_names_its_field() {
    let server = Server::start().await;
    for (body, field) in [
        (json!({}), "query"),
        (json!({"query": " \n"}), "query"),
        (json!({"query": "x".repeat(2_001)}), "query"),
        (json!({"query": 5}), "query"),
        (json!({"query": "x", "top_k": 0}), "top_k"),
        (json!({"query": "x", "top_k": 51}), "top_k"),
        (json!({"query": "x", "min_score": -0.1}), "min_score"),
        (json!({"query": "x", "min_score": 100.5}), "min_score"),
        (json!({"query": "x", "document_ids": []}), "document_ids"),
        (json!({"query": "x", "document_ids": ["nobody"]}), "document_ids[0]"),
        (json!({"query": "x", "colour": "red"}), "colour"),
    ] {
        let answer = server.post("/api/search", body.clone()).await;
        assert_eq!(answer.status, 422, "{body}");
        assert_eq!(answer.body["errors"][0]["field"], field, "{body}: {:?}", answer.body);
    }
    let hostile = json!({"query": "\"'; DROP TABLE passages; -- NEAR( * ^ : \u{0}\u{202e}🙂"});
    assert_eq!(server.post("/api/search", hostile).await.status, 200);
}
