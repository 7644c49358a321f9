//! What answers cite: on their messages, as references, as a bibliography, in files and behind links.

use jiff::Timestamp;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use voice_relay::{
    knowledge::source::{Cited, Source, from_bibtex, from_ris},
    store::{
        DocumentId, MessageId, PassageId, SessionId,
        citations::{self, Reference},
    },
};

use crate::{
    exports::readable,
    server::{Answer, START, Server},
    sharing::{said, share},
};

fn now() -> Timestamp {
    Timestamp::from_second(START as i64).unwrap()
}

fn source(fields: Value) -> Source {
    serde_json::from_value::<Source>(fields).unwrap().checked().unwrap()
}

fn article() -> Source {
    source(json!({
        "title": "Rain in Oslo", "authors": ["Hansen, Kari", "Berg, Jan"], "publication_date": "2024-03",
        "journal": "Journal of Weather", "volume": "12", "issue": "3", "pages": "123-130",
        "doi": "10.1000/182", "pmid": "12345678", "source_type": "article",
    }))
}

const HOSTILE: &str = "</li><script>alert(1)</script> # [x](javascript:y) \\end{} @book{x, \" ER  - & العربية";

/// A source and words that would be something else, were they let.
fn hostile() -> Source {
    source(json!({"title": HOSTILE, "authors": ["<b>, \"A\""], "url": "https://example.org/?a=\"><b>&c={}\\"}))
}

fn reference(index: u32, source: Source) -> Reference {
    Reference {
        document: Some(DocumentId::new(now())),
        passage: Some(PassageId::new(now())),
        cited: Cited {
            index,
            source,
            relevance_score: Some(87.5),
            quoted_text: Some(format!("words <i> {HOSTILE}")),
            context: Some("before words after".into()),
        },
    }
}

/// A conversation whose answers cite, and the ids of its messages.
struct Scene {
    server: Server,
    session: SessionId,
    messages: Vec<MessageId>,
    first: Reference,
}

impl Scene {
    async fn new() -> Self {
        let server = Server::start().await;
        let session = said(&server, &["Will it rain?", "It will [1], and [2].", "Sure?", "Yes [1]."]).await;
        let list = server.get(&format!("/api/sessions/{session}/messages")).await.body;
        let messages: Vec<MessageId> = list["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["id"].as_str().unwrap().parse().unwrap())
            .collect();
        let first = reference(1, article());
        let scene = Self { server, session, messages, first };
        scene.keep(1, &[scene.first.clone(), reference(2, hostile())]).await;
        scene.keep(3, &[reference(1, article())]).await;
        scene
    }

    async fn keep(&self, nth: usize, references: &[Reference]) {
        let owner = self.server.context.auth.owner().id;
        citations::keep(&self.server.context.db, owner, self.messages[nth], references, now()).await.unwrap();
    }

    async fn export(&self, format: &str) -> Answer {
        self.server.get(&format!("/api/sessions/{}/export/{format}", self.session)).await
    }

    async fn bibliography(&self, query: &str) -> Answer {
        self.server.get(&format!("/api/sessions/{}/bibliography{query}", self.session)).await
    }
}

const APA: &str =
    "Hansen, K., & Berg, J. (2024). Rain in Oslo. Journal of Weather, 12(3), 123–130. https://doi.org/10.1000/182";

#[tokio::test]
async fn a_message_shows_what_it_cites_wherever_it_is_read() {
    let scene = Scene::new().await;
    let list = scene.server.get(&format!("/api/sessions/{}/messages", scene.session)).await.body;
    let expected = json!({
        "index": 1, "source_id": scene.first.document.unwrap().to_string(),
        "passage_id": scene.first.passage.unwrap().to_string(),
        "title": "Rain in Oslo", "url": null, "authors": ["Hansen, Kari", "Berg, Jan"], "publication_date": "2024-03",
        "journal": "Journal of Weather", "volume": "12", "issue": "3", "pages": "123-130", "doi": "10.1000/182",
        "pmid": "12345678", "source_type": "article", "relevance_score": 87.5,
        "quoted_text": format!("words <i> {HOSTILE}"), "context": "before words after",
    });
    let answer = &list["items"][1];
    assert_eq!((&answer["citations"][0], &answer["citations"][1]["index"]), (&expected, &json!(2)));
    assert_eq!(
        (&list["items"][0]["citations"], list["items"][3]["citations"].as_array().unwrap().len()),
        (&json!([]), 1)
    );
    let one = scene.server.get(&format!("/api/messages/{}", scene.messages[1])).await.body;
    assert_eq!(one["citations"], answer["citations"]);
    // Kept again, they take the place of those before.
    scene.keep(1, &[reference(7, article())]).await;
    let one = scene.server.get(&format!("/api/messages/{}", scene.messages[1])).await.body;
    assert_eq!((one["citations"].as_array().unwrap().len(), &one["citations"][0]["index"]), (1, &json!(7)));
    // With the message they go.
    let path = format!("/api/messages/{}", scene.messages[1]);
    assert_eq!(scene.server.delete(&path).await.status, StatusCode::NO_CONTENT);
    assert_eq!(scene.server.get(&format!("{path}/citations")).await.problem(404).0, "not_found");
}

#[tokio::test]
async fn what_a_message_cites_is_formatted_in_each_style() {
    let scene = Scene::new().await;
    let path = format!("/api/messages/{}/citations", scene.messages[1]);
    for (query, style, expected) in [
        ("", "apa", APA),
        ("?style=apa", "apa", APA),
        (
            "?style=mla",
            "mla",
            "Hansen, Kari, and Jan Berg. “Rain in Oslo.” Journal of Weather, vol. 12, no. 3, Mar. 2024, pp. 123–30, \
             https://doi.org/10.1000/182.",
        ),
        (
            "?style=chicago",
            "chicago",
            "Hansen, Kari, and Jan Berg. 2024. “Rain in Oslo.” Journal of Weather 12 (3): 123–30. \
             https://doi.org/10.1000/182.",
        ),
    ] {
        let answer = scene.server.get(&format!("{path}{query}")).await.body;
        assert_eq!((&answer["style"], &answer["next"]), (&json!(style), &Value::Null));
        assert_eq!(answer["items"][0]["formatted"], expected);
        assert_eq!((&answer["items"][0]["doi"], &answer["items"][1]["index"]), (&json!("10.1000/182"), &json!(2)));
    }
    assert_eq!(scene.server.get(&format!("{path}?style=vancouver")).await.problem(422).1, "style");
    assert_eq!(scene.server.get(&format!("{path}?format=apa")).await.problem(422).1, "format");
    let none = scene.server.get(&format!("/api/messages/{}/citations", scene.messages[0])).await;
    assert_eq!((none.status, &none.body["items"]), (StatusCode::OK, &json!([])));
}

#[tokio::test]
async fn a_bibliography_has_each_document_once() {
    let scene = Scene::new().await;
    let apa = scene.bibliography("").await.body;
    assert_eq!((&apa["format"], apa["items"].as_array().unwrap().len()), (&json!("apa"), 2));
    let ours = apa["items"].as_array().unwrap().iter().find(|item| item["doi"] == "10.1000/182").unwrap();
    assert_eq!((&ours["formatted"], &ours["authors"][0]), (&json!(APA), &json!("Hansen, Kari")));
    for format in ["mla", "chicago"] {
        let items = scene.bibliography(&format!("?format={format}")).await.body["items"].clone();
        assert_eq!(items.as_array().unwrap().len(), 2, "{format}");
    }
    assert_eq!(scene.bibliography("?format=docx").await.problem(422).1, "format");
    let empty = scene.server.get(&format!("/api/sessions/{}/bibliography", scene.server.session().await)).await;
    assert_eq!((empty.status, &empty.body["items"]), (StatusCode::OK, &json!([])));
}

#[tokio::test]
async fn reference_managers_read_a_bibliography_and_nothing_in_it_is_more_than_text() {
    let scene = Scene::new().await;
    type Reader = fn(&str) -> Vec<Source>;
    let readers: [(&str, &str, Reader); 2] = [
        ("bibtex", "application/x-bibtex", |text| from_bibtex(text).unwrap()),
        ("ris", "application/x-research-info-systems", |text| from_ris(text).unwrap()),
    ];
    for (format, kind, read) in readers {
        let file = scene.bibliography(&format!("?format={format}")).await;
        assert_eq!((file.status, file.header("content-type")), (StatusCode::OK, kind));
        assert!(file.header("content-disposition").starts_with("attachment; filename=\"Will it rain-."), "{format}");
        let read = read(file.body.as_str().unwrap());
        assert_eq!(read.len(), 2, "{format}: {}", file.body);
        assert_eq!(read[0], article(), "{format}");
        assert_eq!(read[1].title, hostile().title, "{format}");
    }
}

#[tokio::test]
async fn more_documents_than_a_bibliography_has_are_told() {
    let scene = Scene::new().await;
    let many: Vec<_> = (1..=501).map(|n| reference(n, source(json!({"title": format!("Number {n}")})))).collect();
    scene.keep(3, &many).await;
    assert_eq!(scene.bibliography("?format=ris").await.problem(422), ("too_long".into(), "format".into()));
}

#[tokio::test]
async fn exports_number_what_is_cited_and_end_with_a_bibliography() {
    let scene = Scene::new().await;
    let json = scene.export("json").await.body;
    let cited = &json["messages"][1]["citations"];
    assert_eq!(
        (&cited[0]["index"], &cited[0]["formatted"], &cited[1]["title"]),
        (&json!(1), &json!(APA), &json!(hostile().title))
    );
    assert_eq!(cited[0].get("source_id"), None);
    let entries = json["bibliography"]["entries"].as_array().unwrap();
    assert!(entries.len() == 2 && entries.contains(&json!(APA)), "{entries:?}");
    assert_eq!(json["bibliography"]["complete"], true);

    let markdown = scene.export("markdown").await.body;
    let markdown = markdown.as_str().unwrap();
    let (said, listed) = markdown.split_once("\n## Bibliography\n\n").unwrap();
    assert!(said.contains("\n\\[1\\] Hansen, K., \\& Berg, J. (2024). Rain in Oslo."), "{said}");
    assert_eq!(listed.lines().filter(|line| line.starts_with("- ")).count(), 2);
    let scripts = |text: &str| markdown.matches(text).count();
    assert_eq!(scripts("<script"), scripts("\\<script"), "{markdown}");
    assert!(!markdown.contains("\n# [x]") && !markdown.contains("[x](java"), "{markdown}");

    let pdf = readable(&scene.server, &format!("/api/sessions/{}/export/pdf", scene.session)).await;
    let flat = pdf.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        flat.contains("[1] Hansen, K., & Berg, J. (2024). Rain in Oslo. Journal of Weather, 12(3), 123–130."),
        "{pdf}"
    );
    assert!(flat.contains("Bibliography") && flat.contains("alert(1)"), "{pdf}");

    let plain = scene.server.session().await;
    let markdown = scene.server.get(&format!("/api/sessions/{plain}/export/markdown")).await.body;
    assert!(!markdown.as_str().unwrap().contains("Bibliography"), "where nothing is cited nothing is listed");
}

#[tokio::test]
async fn a_link_shows_what_is_cited_and_no_ids() {
    let scene = Scene::new().await;
    let token = share(&scene.server, scene.session, json!({})).await;
    let shared = Answer::of(scene.server.bare(Method::GET, &format!("/api/shared/{token}"))).await.body;
    let cited = &shared["messages"][1]["citations"][0];
    assert_eq!((&cited["title"], &cited["relevance_score"]), (&json!("Rain in Oslo"), &json!(87.5)));
    let page = Answer::of(scene.server.bare(Method::GET, &format!("/shared/{token}"))).await.body;
    let html = page.as_str().unwrap();
    assert!(html.contains(
        "<li value=\"1\" dir=\"auto\"><a href=\"https://doi.org/10.1000/182\" rel=\"nofollow noreferrer\">Hansen, K."
    ));
    assert!(!html.contains("<script") && !html.contains("<b>\"") && html.contains("&lt;script&gt;alert(1)"), "{html}");
    for text in [shared.to_string().as_str(), html] {
        for id in [scene.first.document.unwrap().to_string(), scene.first.passage.unwrap().to_string()] {
            assert!(!text.contains(&id), "{id}");
        }
    }
}

#[tokio::test]
async fn what_somebody_else_cites_does_not_exist() {
    let scene = Scene::new().await;
    let (stranger, key) = scene.server.stranger().await;
    let of_message = format!("/api/messages/{}/citations", scene.messages[1]);
    for path in [of_message, format!("/api/sessions/{}/bibliography?format=ris", scene.session)] {
        let foreign = Answer::of(scene.server.bare(Method::GET, &path).bearer_auth(&key)).await;
        assert_eq!(foreign.problem(404).0, "not_found", "{path}");
    }
    let kept = citations::keep(&scene.server.context.db, stranger, scene.messages[1], &[], now()).await;
    assert!(matches!(kept, Err(voice_relay::store::StoreError::NotFound)));
    let mine = scene.server.get(&format!("/api/messages/{}", scene.messages[1])).await.body;
    assert_eq!(mine["citations"].as_array().unwrap().len(), 2, "nothing of it was taken");
}
