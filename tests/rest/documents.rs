//! Documents go in as files and as texts, belong to somebody or are shared, and go with all that is theirs.

use reqwest::{
    Method, StatusCode,
    multipart::{Form, Part},
};
use serde_json::{Value, json};
use tokio_util::task::AbortOnDropHandle;
use voice_relay::storage::{self, Storage};

use crate::{
    files::{crew, docx, every_type, files, id, kept, pdf, until, zipped},
    people::{Person, administer},
    server::{Answer, Server},
};

/// A form with this file.
pub(crate) fn file(name: &str, bytes: impl Into<Vec<u8>>) -> Form {
    Form::new().part("file", Part::bytes(bytes.into()).file_name(name.to_owned()))
}

/// The owner puts a document in.
pub(crate) async fn put(server: &Server, form: Form) -> Answer {
    Answer::of(server.request(Method::POST, "/api/documents").multipart(form)).await
}

/// The owner puts a text in.
pub(crate) async fn put_text(server: &Server, title: &str, text: &str) -> Answer {
    server.post("/api/documents", json!({"title": title, "text": text})).await
}

/// A relay with this document in its knowledge base, found by words.
pub(crate) async fn knowing(server: Server, title: &str, text: &str) -> (Server, AbortOnDropHandle<()>) {
    let working = AbortOnDropHandle::new(tokio::spawn(crew(&server).work()));
    let made = put_text(&server, title, text).await;
    let ready = settled(&server, &id(&made.body)).await;
    assert_eq!(ready["state"], "ready", "{ready}");
    (server, working)
}

/// The record of a document that nothing more will be done about.
pub(crate) async fn settled(server: &Server, id: &str) -> Value {
    let path = format!("/api/documents/{id}");
    let mut record = Value::Null;
    until(async || {
        record = server.get(&path).await.body;
        matches!(record["state"].as_str(), Some("ready" | "failed"))
    })
    .await;
    record
}

fn listed(answer: &Answer) -> Vec<&str> {
    answer.body["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_file_is_kept_with_what_is_said_of_it() {
    let server = Server::start().await;
    let form = file("Grüße.txt", "Wash your hands.")
        .text("title", " Hand\nhygiene ")
        .text("authors", "Doe, Jane")
        .text("authors", "Roe, Richard")
        .text("publication_date", "2024-05")
        .text("journal", "Journal of Examples")
        .text("volume", "12")
        .text("issue", "3")
        .text("pages", "123-130")
        .text("doi", "https://doi.org/10.1000/182")
        .text("pmid", "1234567")
        .text("url", "https://example.org/hygiene")
        .text("source_type", "article");
    let sent = put(&server, form).await;
    assert_eq!(sent.status, StatusCode::CREATED, "{}", sent.body);
    let expected = json!({
        "id": sent.body["id"], "shared": false, "owned": true, "name": "Grüße.txt", "kind": "txt",
        "media_type": "text/plain", "size": 16, "sha256": sent.body["sha256"],
        "title": "Hand hygiene", "url": "https://example.org/hygiene", "authors": ["Doe, Jane", "Roe, Richard"],
        "publication_date": "2024-05", "journal": "Journal of Examples", "volume": "12", "issue": "3",
        "pages": "123-130", "doi": "10.1000/182", "pmid": "1234567", "source_type": "article",
        "state": "pending", "failure": null, "warnings": [], "metadata": {}, "passages": 0, "indexed": 0,
        "model": null, "created_at": "2026-01-01T00:00:00.000Z", "updated_at": "2026-01-01T00:00:00.000Z",
    });
    assert_eq!(sent.body, expected);
    let path = format!("/api/documents/{}", id(&sent.body));
    assert_eq!(server.get(&path).await.body, expected);
    let text = server.get(&format!("{path}/text")).await.body;
    let unread = json!({"state": "pending", "failure": null, "text": null, "metadata": {}, "warnings": []});
    assert_eq!(text, unread);
    assert_eq!(kept(server.dir.path()).len(), 1);
}

#[tokio::test]
async fn a_file_is_had_back_as_it_came_to_be_saved_and_nothing_else() {
    let server = Server::start().await;
    let sent = put(&server, file("Grüße.txt", "Wash your hands.")).await;
    let path = format!("/api/documents/{}/file", id(&sent.body));
    let had = server.get(&path).await;
    assert_eq!((had.status, &had.body), (StatusCode::OK, &json!("Wash your hands.")));
    for (name, value) in [
        ("content-type", "text/plain"),
        ("content-length", "16"),
        ("accept-ranges", "bytes"),
        ("cache-control", "private, no-cache"),
        ("x-content-type-options", "nosniff"),
        ("content-disposition", "attachment; filename=\"Gr__e.txt\"; filename*=UTF-8''Gr%C3%BC%C3%9Fe.txt"),
    ] {
        assert_eq!(had.header(name), value);
    }
    let tag = format!("\"{}\"", sent.body["sha256"].as_str().unwrap());
    assert_eq!(had.header("etag"), tag);
    let ask = async |name: &str, value: &str| Answer::of(server.request(Method::GET, &path).header(name, value)).await;
    let part = ask("range", "bytes=5-8").await;
    assert_eq!((part.status, &part.body), (StatusCode::PARTIAL_CONTENT, &json!("your")));
    assert_eq!(part.header("content-range"), "bytes 5-8/16");
    assert_eq!(ask("range", "bytes=16-").await.problem(416).0, "range_not_satisfiable");
    assert_eq!(ask("if-none-match", &tag).await.status, StatusCode::NOT_MODIFIED);
    let text = put_text(&server, "Hygiene", "Never a file.").await;
    let none = server.get(&format!("/api/documents/{}/file", id(&text.body))).await;
    assert_eq!(none.problem(404).0, "not_found", "a text has no file");
}

#[tokio::test]
async fn every_type_is_read_and_its_text_had() {
    let server = Server::start().await;
    tokio::spawn(crew(&server).work());
    for (name, bytes, text) in every_type().into_iter().filter(|(.., text)| !text.is_empty()) {
        let sent = put(&server, file(name, bytes)).await;
        assert_eq!(sent.status, StatusCode::CREATED, "{name}: {}", sent.body);
        let record = settled(&server, &id(&sent.body)).await;
        assert_eq!((&record["state"], &record["failure"]), (&json!("ready"), &Value::Null), "{name}: {record}");
        let title = if name == "a.md" { "Title" } else { "a" };
        assert_eq!(record["title"], title, "{name}: the heading it begins with, or its name without the ending");
        let read = server.get(&format!("/api/documents/{}/text", id(&sent.body))).await.body;
        assert!(read["text"].as_str().unwrap().contains(text), "{name}: {read}");
        assert!(record["metadata"]["word_count"].as_u64().unwrap() > 0, "{name}");
    }
}

#[tokio::test]
async fn a_text_is_a_document_too() {
    let server = Server::start().await;
    tokio::spawn(crew(&server).work());
    let sent = put_text(&server, "Hygiene", "Wash your hands.\u{c}doi:10.1000/182").await;
    assert_eq!(sent.status, StatusCode::CREATED, "{}", sent.body);
    assert_eq!((&sent.body["name"], &sent.body["kind"], &sent.body["size"]), (&json!(null), &json!(null), &json!(32)));
    let record = settled(&server, &id(&sent.body)).await;
    assert_eq!(
        (&record["state"], &record["doi"], &record["title"]),
        (&json!("ready"), &json!("10.1000/182"), &json!("Hygiene"))
    );
    let text = server.get(&format!("/api/documents/{}/text", id(&sent.body))).await.body;
    assert_eq!(text["text"], "Wash your hands.\u{c}doi:10.1000/182");
    assert_eq!(kept(server.dir.path()).len(), 0, "it has no bytes in storage");
    assert_eq!(server.delete(&format!("/api/documents/{}", id(&sent.body))).await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn what_cannot_be_a_document_is_told_by_its_field_and_leaves_nothing() {
    let server = Server::start().await;
    for (body, code, field) in [
        (json!({"title": "x"}), "missing_required_parameter", "text"),
        (json!({"text": "x"}), "missing_required_parameter", "title"),
        (json!({"text": "x", "title": " "}), "missing_required_parameter", "title"),
        (json!({"text": " \n", "title": "x"}), "invalid_value", "text"),
        (json!({"text": "x", "title": "x", "author": "y"}), "unknown_parameter", "author"),
        (json!({"text": "x", "title": "x", "authors": "y"}), "invalid_value", "authors"),
        (json!({"text": "x", "title": "x", "doi": "11.1/2"}), "invalid_value", "doi"),
        (json!({"text": "x", "title": "x", "pmid": "0"}), "invalid_value", "pmid"),
        (json!({"text": "x", "title": "x", "url": "javascript:alert(1)"}), "invalid_value", "url"),
        (json!({"text": "x", "title": "x", "publication_date": "May"}), "invalid_value", "publication_date"),
        (json!({"text": "x", "title": "x", "source_type": "An Article"}), "invalid_value", "source_type"),
        (json!({"text": "x", "title": "x".repeat(1001)}), "invalid_value", "title"),
        (json!({"text": 1, "title": "x"}), "invalid_value", "text"),
        (json!({"text": "x", "title": "x", "shared": "yes"}), "invalid_value", "shared"),
    ] {
        let refused = server.post("/api/documents", body.clone()).await;
        assert_eq!(refused.problem(422), (code.to_owned(), field.to_owned()), "{body}");
    }
    let twice = server.request(Method::POST, "/api/documents").header("content-type", "application/json");
    let twice = Answer::of(twice.body(r#"{"text": "x", "title": "x", "title": "y"}"#)).await;
    assert_eq!(twice.problem(422).0, "invalid_value", "nothing that is sent is dropped");
    let large = server.post("/api/documents", json!({"title": "x", "text": "x".repeat(300 << 10)})).await;
    assert_eq!(large.problem(413).0, "payload_too_large");
    let plain = server.request(Method::POST, "/api/documents").header("content-type", "text/plain").body("x");
    assert_eq!(Answer::of(plain).await.problem(415).0, "unsupported_media_type");
    for (form, status, field) in [
        (Form::new().text("title", "x"), 422, "file"),
        (file("a.txt", "x").text("title", "x").text("title", "y"), 422, "title"),
        (file("a.txt", "x").text("text", "y"), 422, "text"),
        (file("a.txt", "x").text("shared", "1"), 422, "shared"),
        (file("a.txt", "x").text("doi", "x"), 422, "doi"),
        (file("a.txt", "x").text("title", "x".repeat(70 << 10)), 413, "title"),
        (file("a.exe", "MZ"), 415, "file"),
        (file("a.pdf", b"\x89PNG\r\n\x1A\n".to_vec()), 415, "file"),
        (file("a.docx", zipped(&[("x", b"y")])), 415, "file"),
        (file("a.pdf", ""), 422, "file"),
    ] {
        assert_eq!(put(&server, form).await.problem(status).1, field);
    }
    assert_eq!(server.get("/api/documents").await.body, json!({"items": [], "next": null}));
    assert_eq!((kept(server.dir.path()).len(), files(server.dir.path(), "arriving").len()), (0, 0));
}

#[tokio::test]
async fn the_same_document_is_kept_once() {
    let server = Server::start().await;
    tokio::spawn(crew(&server).work());
    let first = put(&server, file("a.txt", "the same")).await;
    assert_eq!(first.status, StatusCode::CREATED);
    let there = format!("/api/documents/{}", id(&first.body));
    for again in [put(&server, file("b.md", "the same")).await, put_text(&server, "x", "the same").await] {
        assert_eq!(again.problem(409).0, "duplicate_document");
        assert_eq!(again.header("location"), there);
        assert!(again.body["detail"].as_str().unwrap().contains(&id(&first.body)));
    }
    until(async || kept(server.dir.path()).len() == 1).await;
    let ann = Person::new(&server, "ann@example.org").await;
    let hers = ann.request(&server, Method::POST, "/api/documents").multipart(file("a.txt", "the same"));
    assert_eq!(Answer::of(hers).await.status, StatusCode::CREATED, "what others have is not told");
    assert_eq!(server.delete(&there).await.status, StatusCode::NO_CONTENT);
    assert_eq!(put(&server, file("b.md", "the same")).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn two_at_once_are_the_same_and_no_more_than_may_be() {
    let server = Server::with(|context| context.config.knowledge.documents_per_user = 2).await;
    let sent = futures_util::future::join_all((0..8).map(|_| put(&server, file("a.txt", "the same")))).await;
    let made = sent.iter().filter(|answer| answer.status == StatusCode::CREATED).count();
    let same = sent.iter().filter(|answer| answer.status == StatusCode::CONFLICT).count();
    assert_eq!((made, same), (1, 7));
    let texts: Vec<_> = (0..8).map(|n| format!("text {n}")).collect();
    let sent = futures_util::future::join_all(texts.iter().map(|text| put_text(&server, "x", text))).await;
    let made = sent.iter().filter(|answer| answer.status == StatusCode::CREATED).count();
    let full: Vec<_> = sent.iter().filter(|answer| answer.status == StatusCode::CONFLICT).collect();
    assert_eq!((made, full.len()), (1, 7));
    assert_eq!(full[0].problem(409).0, "too_many_documents");
    let ann = Person::new(&server, "ann@example.org").await;
    let hers = ann.post(&server, "/api/documents", json!({"title": "x", "text": "text 0"})).await;
    assert_eq!(hers.status, StatusCode::CREATED, "everybody has their own");
}

#[tokio::test]
async fn fields_change_as_they_are_given_and_clear_by_null() {
    let server = Server::start().await;
    let sent =
        put(&server, file("a.txt", "x").text("title", "A").text("authors", "Doe, Jane").text("volume", "1")).await;
    let path = format!("/api/documents/{}", id(&sent.body));
    let change = async |body: Value| Answer::of(server.request(Method::PATCH, &path).json(&body)).await;
    let changed = change(json!({"title": "B", "volume": null, "doi": "doi:10.1000/182"})).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.body);
    let fields = |body: &Value| ["title", "authors", "volume", "doi"].map(|name| body[name].clone());
    let expected = [json!("B"), json!(["Doe, Jane"]), Value::Null, json!("10.1000/182")];
    assert_eq!(fields(&changed.body), expected);
    assert_eq!(change(json!({"authors": null})).await.body["authors"], json!([]));
    assert_eq!(change(json!({})).await.body["title"], "B");
    for (body, code, field) in [
        (json!({"doi": "x"}), "invalid_value", "doi"),
        (json!({"text": "y"}), "unknown_parameter", "text"),
        (json!({"shared": true}), "unknown_parameter", "shared"),
        (json!({"authors": [1]}), "invalid_value", "authors[0]"),
    ] {
        assert_eq!(change(body).await.problem(422), (code.to_owned(), field.to_owned()));
    }
    let kept = server.get(&path).await.body;
    assert_eq!((&kept["title"], &kept["doi"]), (&json!("B"), &json!("10.1000/182")));
    // What is read in the file later fills what nobody gave, and no more.
    tokio::spawn(crew(&server).work());
    let read = settled(&server, &id(&sent.body)).await;
    assert_eq!((&read["title"], &read["doi"]), (&json!("B"), &json!("10.1000/182")));
}

#[tokio::test]
async fn what_is_shared_is_everybodys_to_read_and_admins_to_change() {
    let server = Server::start().await;
    let ann = Person::new(&server, "ann@example.org").await;
    let chief = Person::new(&server, "chief@example.org").await;
    administer(&server, &chief.id, json!({"role": "admin"})).await;
    let chief = Person::enters(&server, &chief.email).await;
    let shared = json!({"text": "for all", "title": "Guideline", "shared": true});
    let refused = ann.post(&server, "/api/documents", shared.clone()).await;
    assert_eq!(refused.problem(403), ("admins_only".to_owned(), "shared".to_owned()));
    let form = file("a.txt", "x").text("shared", "true");
    let refused = Answer::of(ann.request(&server, Method::POST, "/api/documents").multipart(form)).await;
    assert_eq!(refused.problem(403).1, "shared");
    let scoped = server.api_key("sessions").await;
    let by_key = server.bare(Method::POST, "/api/documents").bearer_auth(&scoped).json(&shared);
    assert_eq!(Answer::of(by_key).await.problem(403).0, "admins_only", "a key that is not for that");

    let made = server.post("/api/documents", shared).await;
    assert_eq!(
        (made.status, &made.body["shared"], &made.body["owned"]),
        (StatusCode::CREATED, &json!(true), &json!(true))
    );
    let path = format!("/api/documents/{}", id(&made.body));
    let seen = ann.get(&server, &path).await;
    assert_eq!(
        (seen.status, &seen.body["title"], &seen.body["owned"]),
        (StatusCode::OK, &json!("Guideline"), &json!(false))
    );
    assert_eq!(ann.get(&server, &format!("{path}/text")).await.body["text"], "for all");
    let sheet = put(&server, file("a.txt", "a sheet for all").text("shared", "true")).await;
    let had = ann.get(&server, &format!("/api/documents/{}/file", id(&sheet.body))).await;
    assert_eq!((had.status, had.body), (StatusCode::OK, json!("a sheet for all")));
    assert_eq!(server.delete(&format!("/api/documents/{}", id(&sheet.body))).await.status, StatusCode::NO_CONTENT);
    assert_eq!(ann.patch(&server, &path, json!({"title": "Mine"})).await.problem(403).0, "shared_document");
    assert_eq!(ann.delete(&server, &path).await.problem(403).0, "shared_document");
    let own = ann.post(&server, "/api/documents", json!({"text": "mine", "title": "Mine"})).await;
    let everything = ann.get(&server, "/api/documents").await;
    assert_eq!(listed(&everything), [id(&own.body), id(&made.body)]);
    assert_eq!(listed(&ann.get(&server, "/api/documents?shared=true").await), [id(&made.body)]);
    assert_eq!(listed(&ann.get(&server, "/api/documents?shared=false").await), [id(&own.body)]);
    assert_eq!(listed(&server.get("/api/documents").await), [id(&made.body)], "an admin sees no more of others'");
    let hers = format!("/api/documents/{}", id(&own.body));
    assert_eq!(chief.delete(&server, &hers).await.problem(404).0, "not_found");
    assert_eq!(chief.patch(&server, &path, json!({"title": "Ours"})).await.body["title"], "Ours");
    assert_eq!(chief.delete(&server, &path).await.status, StatusCode::NO_CONTENT);
    assert_eq!(ann.get(&server, &path).await.problem(404).0, "not_found");
}

#[tokio::test]
async fn what_is_somebody_elses_is_not_there() {
    let server = Server::start().await;
    let (_, stranger) = server.stranger().await;
    let path = format!("/api/documents/{}", id(&put(&server, file("a.txt", "secret")).await.body));
    for (method, path) in [
        (Method::GET, path.clone()),
        (Method::GET, format!("{path}/text")),
        (Method::GET, format!("{path}/file")),
        (Method::PATCH, path.clone()),
        (Method::DELETE, path.clone()),
    ] {
        let request = server.bare(method.clone(), &path).bearer_auth(&stranger).json(&json!({}));
        assert_eq!(Answer::of(request).await.problem(404).0, "not_found", "{method} {path}");
    }
    let list = server.bare(Method::GET, "/api/documents").bearer_auth(&stranger);
    assert_eq!(Answer::of(list).await.body["items"], json!([]));
    assert_eq!(server.get(&path).await.status, StatusCode::OK);
}

#[tokio::test]
async fn documents_are_listed_newest_first_page_by_page_and_by_state() {
    let server = Server::start().await;
    let mut ids = Vec::new();
    for n in 0..5 {
        ids.insert(0, id(&put_text(&server, "x", &format!("text {n}")).await.body));
    }
    let first = server.get("/api/documents?limit=2").await;
    assert_eq!(listed(&first), ids[..2]);
    let rest = format!("/api/documents?limit=100&after={}", first.body["next"].as_str().unwrap());
    assert_eq!(listed(&server.get(&rest).await), ids[2..]);
    assert_eq!(listed(&server.get("/api/documents?state=pending").await), ids);
    assert_eq!(listed(&server.get("/api/documents?state=ready").await), [""; 0]);
    for (query, field) in [("state=gone", "state"), ("shared=1", "shared"), ("q=x", "q"), ("limit=0", "limit")] {
        assert_eq!(server.get(&format!("/api/documents?{query}")).await.problem(422).1, field);
    }
}

#[tokio::test]
async fn bytes_go_with_their_document_or_its_owner() {
    let server = Server::start().await;
    tokio::spawn(crew(&server).work());
    let left = || kept(server.dir.path()).len();
    let first = put(&server, file("a.txt", "one")).await;
    let ann = Person::new(&server, "ann@example.org").await;
    let hers = ann.request(&server, Method::POST, "/api/documents").multipart(file("a.txt", "hers"));
    assert_eq!(Answer::of(hers).await.status, StatusCode::CREATED);
    assert_eq!(left(), 2);
    let path = format!("/api/documents/{}", id(&first.body));
    assert_eq!(server.delete(&path).await.status, StatusCode::NO_CONTENT);
    for path in [path.clone(), format!("{path}/text"), format!("{path}/file")] {
        assert_eq!(server.get(&path).await.problem(404).0, "not_found");
    }
    assert_eq!(server.delete(&path).await.problem(404).0, "not_found");
    until(async || left() == 1).await;
    assert_eq!(ann.delete(&server, "/api/users/me").await.status, StatusCode::NO_CONTENT);
    until(async || left() == 0).await;
}

#[tokio::test]
async fn a_file_over_the_limit_is_cut_off_while_it_comes() {
    let dir = tempfile::tempdir().unwrap();
    let config = storage::Config { max_file_size_mb: 1, ..storage::Config::default() };
    let storage = Storage::open(&config, dir.path()).unwrap();
    let server = Server::with(|context| context.storage = storage).await;
    let refused = put(&server, file("a.txt", "x".repeat((1 << 20) + 1)).text("title", "after it")).await;
    assert_eq!(refused.problem(413), ("payload_too_large".to_owned(), "file".to_owned()));
    assert_eq!(put(&server, file("a.txt", "x".repeat(1 << 20))).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn a_text_that_is_sent_again_by_its_key_is_made_once() {
    let server = Server::start().await;
    let send = async || {
        let request = server.request(Method::POST, "/api/documents").header("idempotency-key", "k1");
        Answer::of(request.json(&json!({"text": "once", "title": "x"}))).await
    };
    let (first, again) = (send().await, send().await);
    assert_eq!((first.status, again.status), (StatusCode::CREATED, StatusCode::CREATED));
    assert_eq!((&first.body, again.header("idempotent-replayed")), (&again.body, "true"));
}

#[tokio::test]
async fn what_nobody_said_of_a_file_is_read_in_it() {
    let server = Server::start().await;
    tokio::spawn(crew(&server).work());
    let properties = b"<cp:coreProperties xmlns:cp=\"c\" xmlns:dc=\"d\"><dc:title>Sepsis care</dc:title>\
        <dc:creator>Jane Doe; Richard Roe</dc:creator></cp:coreProperties>";
    let body = b"<w:document xmlns:w=\"w\"><w:body><w:p><w:r><w:t>Give fluids. doi:10.1000/182 PMID: 1234567</w:t>\
        </w:r></w:p></w:body></w:document>";
    let parts: [(&str, &[u8]); 3] =
        [("[Content_Types].xml", b"<Types/>"), ("word/document.xml", body), ("docProps/core.xml", properties)];
    let sent = put(&server, file("a.docx", zipped(&parts)).text("title", "Mine")).await;
    let record = settled(&server, &id(&sent.body)).await;
    assert_eq!(record["title"], "Mine", "what a person says goes first");
    assert_eq!(record["authors"], json!(["Jane Doe", "Richard Roe"]));
    assert_eq!((&record["doi"], &record["pmid"]), (&json!("10.1000/182"), &json!("1234567")));
    let other = put(&server, file("Fluids in shock.docx", docx("Give fluids."))).await;
    assert_eq!(settled(&server, &id(&other.body)).await["title"], "Fluids in shock");
    let headed = "<w:document><w:body><w:p><w:pPr><w:pStyle w:val=\"Heading1\"/></w:pPr><w:r><w:t>Shock</w:t></w:r></w:p>\
        <w:p><w:r><w:t>Give more fluids.</w:t></w:r></w:p></w:body></w:document>";
    let parts: [(&str, &[u8]); 2] = [("[Content_Types].xml", b"<Types/>"), ("word/document.xml", headed.as_bytes())];
    let headed = id(&put(&server, file("c.docx", zipped(&parts))).await.body);
    assert_eq!(settled(&server, &headed).await["title"], "Shock");
    let text = server.get(&format!("/api/documents/{headed}/text")).await.body;
    assert_eq!(text["text"], "# Shock\nGive more fluids.");
    let paper = put(&server, file("b.pdf", pdf("See 10.1000/xyz123."))).await;
    assert_eq!(settled(&server, &id(&paper.body)).await["doi"], "10.1000/xyz123");
}
