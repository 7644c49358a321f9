//! Documents are made findable after they came: once, whatever becomes of the server, of the embeddings or of the document.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures_util::{FutureExt, future::BoxFuture};
use providers::{
    EmbeddingModel, ErrorKind, ProviderError,
    embed::{EmbedCapabilities, Embeddings, Purpose},
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use voice_relay::{
    jobs::Crew,
    knowledge::{Library, Model},
    store::{
        Db, DocumentId, indexing,
        passages::{self, Filter, SignCache, Terms},
        users,
    },
};

use crate::{
    documents::{file, put, put_text, settled},
    files::{crew, id, pdf, picture, until, zipped},
    processing::{KEY, Relay},
    server::Server,
};

/// Embeds by the lengths of words. It may be away, refuse, or stand still at a gate.
#[derive(Default)]
struct Lengths {
    away: AtomicBool,
    refuses: AtomicBool,
    /// How many requests may pass; `None`: all.
    gate: Option<Semaphore>,
    asked: AtomicUsize,
}

impl EmbeddingModel for Lengths {
    fn capabilities(&self) -> EmbedCapabilities {
        EmbedCapabilities { dimensions: Some(8), max_tokens: None, batch: 32 }
    }

    fn embed(&self, texts: Vec<String>, _: Purpose) -> BoxFuture<'_, Result<Embeddings, ProviderError>> {
        async move {
            if let Some(gate) = &self.gate {
                gate.acquire().await.unwrap().forget();
            }
            let fails = |kind| Err(ProviderError::new("test/lengths", kind, "no"));
            if self.away.load(Ordering::Relaxed) {
                return fails(ErrorKind::Unavailable);
            }
            if self.refuses.load(Ordering::Relaxed) {
                return fails(ErrorKind::Rejected);
            }
            self.asked.fetch_add(texts.len(), Ordering::Relaxed);
            let vector = |text: &String| {
                let mut vector = vec![0.1; 8];
                text.split_whitespace().for_each(|word| vector[word.len() % 8] += 1.0);
                vector
            };
            Ok(Embeddings { vectors: texts.iter().map(vector).collect(), tokens: None })
        }
        .boxed()
    }
}

/// Those who index with this engine, by this name.
fn crew_of(server: &Server, model: &str, engine: &Arc<Lengths>) -> Crew {
    let model = Model { name: model.to_owned(), engine: engine.clone() };
    Crew { library: Library::new(server.context.db.clone(), Some(model)), ..crew(server) }
}

/// A text of so many passages, more or less: a heading begins one.
fn long(sections: usize) -> String {
    (0..sections).map(|n| format!("# Section {n}\n\nOf matter number {n} this is all there is to say.\n\n")).collect()
}

/// How many passages are found that have this word.
async fn found(server: &Server, word: &str) -> usize {
    let owner = server.context.auth.owner().id;
    let terms = Terms::of(word).unwrap();
    passages::by_words(&server.context.db, owner, &terms, &Filter::default(), 1000).await.unwrap().places.len()
}

async fn record(server: &Server, id: &str) -> Value {
    server.get(&format!("/api/documents/{id}")).await.body
}

#[tokio::test]
async fn a_document_is_found_by_its_words_at_once_and_then_by_its_meaning() {
    let server = Server::start().await;
    let engine = Arc::new(Lengths { gate: Some(Semaphore::new(0)), ..Lengths::default() });
    tokio::spawn(crew_of(&server, "one", &engine).work());
    let document = id(&put(&server, file("a.md", long(100))).await.body);
    until(async || record(&server, &document).await["passages"] == 100).await;
    let begun = record(&server, &document).await;
    assert_eq!((&begun["state"], &begun["indexed"]), (&json!("indexing"), &json!(0)));
    assert_eq!(found(&server, "matter").await, 100);
    let gate = engine.gate.as_ref().unwrap();
    for so_far in [32, 64, 96] {
        gate.add_permits(1);
        until(async || record(&server, &document).await["indexed"] == so_far).await;
        assert_eq!(record(&server, &document).await["state"], "indexing");
    }
    gate.add_permits(1);
    let done = settled(&server, &document).await;
    assert_eq!((&done["state"], &done["indexed"], &done["model"]), (&json!("ready"), &json!(100), &json!("one")));
    let owner = server.context.auth.owner().id;
    let (cache, all) = (SignCache::default(), Filter::default());
    let signed = passages::signed(&server.context.db, &cache, owner, "one", &all).await.unwrap();
    assert_eq!(signed.nearest(&[0.1; 8], 1000).await.unwrap().len(), 100);
}

#[tokio::test]
async fn while_the_embeddings_are_away_it_waits_and_is_found_by_its_words() {
    let server = Server::start().await;
    let engine = Arc::new(Lengths { away: true.into(), ..Lengths::default() });
    tokio::spawn(crew_of(&server, "one", &engine).work());
    let document = id(&put_text(&server, "x", "a matter of patience").await.body);
    until(async || !record(&server, &document).await["failure"].is_null()).await;
    let waiting = record(&server, &document).await;
    assert_eq!((&waiting["state"], &waiting["indexed"]), (&json!("indexing"), &json!(0)));
    assert!(waiting["failure"].as_str().unwrap().contains("waits for the embeddings"));
    assert_eq!(found(&server, "patience").await, 1);
    // However often: it is never given up.
    for _ in 0..10 {
        server.clock.advance(Duration::from_secs(60));
        tokio::task::yield_now().await;
    }
    assert_eq!(record(&server, &document).await["state"], "indexing");
    engine.away.store(false, Ordering::Relaxed);
    until(async || {
        server.clock.advance(Duration::from_secs(60));
        record(&server, &document).await["state"] == "ready"
    })
    .await;
    let done = record(&server, &document).await;
    assert_eq!((&done["failure"], &done["model"]), (&Value::Null, &json!("one")));
}

#[tokio::test]
async fn what_the_embeddings_refuse_is_found_by_its_words_and_says_so() {
    let server = Server::start().await;
    let engine = Arc::new(Lengths { refuses: true.into(), ..Lengths::default() });
    tokio::spawn(crew_of(&server, "one", &engine).work());
    let document = id(&put_text(&server, "x", "a matter of taste").await.body);
    let done = settled(&server, &document).await;
    assert_eq!((&done["state"], &done["model"]), (&json!("ready"), &Value::Null));
    assert!(done["warnings"][0].as_str().unwrap().contains("words alone"), "{done}");
    assert_eq!(found(&server, "taste").await, 1);
}

#[tokio::test]
async fn without_embeddings_it_is_ready_when_its_words_are() {
    let server = Server::start().await;
    tokio::spawn(Crew { library: Library::new(server.context.db.clone(), None), ..crew(&server) }.work());
    let done = settled(&server, &id(&put_text(&server, "x", "plain words").await.body)).await;
    assert_eq!((&done["state"], &done["passages"], &done["indexed"]), (&json!("ready"), &json!(1), &json!(0)));
    assert_eq!((&done["model"], found(&server, "plain").await), (&Value::Null, 1));
}

#[tokio::test]
async fn a_document_deleted_while_it_is_indexed_is_gone() {
    let server = Server::start().await;
    let engine = Arc::new(Lengths { gate: Some(Semaphore::new(0)), ..Lengths::default() });
    tokio::spawn(crew_of(&server, "one", &engine).work());
    let document = id(&put(&server, file("a.md", long(100))).await.body);
    let gate = engine.gate.as_ref().unwrap();
    gate.add_permits(1);
    until(async || record(&server, &document).await["indexed"] == 32).await;
    assert_eq!(server.delete(&format!("/api/documents/{document}")).await.status, StatusCode::NO_CONTENT);
    gate.add_permits(1);
    until(async || gate.available_permits() == 0).await;
    assert_eq!(found(&server, "matter").await, 0);
    // Whoever was at it is free for the next, and asks for nothing more of what is gone.
    gate.add_permits(1);
    let next = id(&put_text(&server, "x", "the next matter").await.body);
    assert_eq!(settled(&server, &next).await["state"], "ready");
    assert_eq!((found(&server, "matter").await, engine.asked.load(Ordering::Relaxed)), (1, 65));
}

#[tokio::test]
async fn another_model_has_all_indexed_anew_when_the_relay_starts() {
    let server = Server::start().await;
    let engine = Arc::new(Lengths::default());
    let first = tokio::spawn(crew_of(&server, "one", &engine).work());
    let document = id(&put_text(&server, "x", "a matter of models").await.body);
    assert_eq!(settled(&server, &document).await["model"], "one");
    first.abort();
    let again = tokio::spawn(crew_of(&server, "one", &engine).work());
    let other = id(&put_text(&server, "x", "another").await.body);
    settled(&server, &other).await;
    assert_eq!(engine.asked.load(Ordering::Relaxed), 2, "the same model has no work");
    again.abort();
    tokio::spawn(crew_of(&server, "two", &engine).work());
    for document in [&document, &other] {
        until(async || {
            let record = record(&server, document).await;
            record["model"] == "two" && record["state"] == "ready"
        })
        .await;
    }
    assert_eq!((found(&server, "matter").await, engine.asked.load(Ordering::Relaxed)), (1, 4));
}

#[tokio::test]
async fn a_drain_gives_back_what_is_indexed_and_another_goes_on_from_there() {
    let server = Server::start().await;
    let engine = Arc::new(Lengths { gate: Some(Semaphore::new(1)), ..Lengths::default() });
    let working = tokio::spawn(crew_of(&server, "one", &engine).work());
    let document = id(&put(&server, file("a.md", long(100))).await.body);
    until(async || record(&server, &document).await["indexed"] == 32).await;
    assert!(server.context.engine.drain.finish(Duration::from_secs(30)).await, "the crew lets go");
    working.await.unwrap();
    let now = jiff::Timestamp::try_from(server.clock.wall()).unwrap();
    let job = indexing::take(&server.context.db, now, Duration::from_secs(1)).await.unwrap().unwrap();
    assert_eq!((job.id.to_string(), job.indexed, job.passages), (document.clone(), 32, 100));
    assert_eq!(job.tries, 1, "this does not count");
    server.clock.advance(Duration::from_secs(1));
    let open = Arc::new(Lengths::default());
    let drain = voice_relay::drain::Drain::new();
    tokio::spawn(Crew { drain, ..crew_of(&server, "one", &open) }.work());
    assert_eq!(settled(&server, &document).await["indexed"], 100);
    assert_eq!(open.asked.load(Ordering::Relaxed), 68);
}

#[tokio::test]
async fn a_document_that_ends_whoever_reads_it_is_not_read_for_ever() {
    let server = Server::start().await;
    let document = id(&put_text(&server, "x", "fatal").await.body);
    let now = || jiff::Timestamp::try_from(server.clock.wall()).unwrap();
    let lease = Duration::from_secs(300);
    for tries in 1..=3 {
        let job = indexing::take(&server.context.db, now(), lease).await.unwrap().unwrap();
        assert_eq!((job.id, job.tries), (document.parse::<DocumentId>().unwrap(), tries));
        assert_eq!(indexing::take(&server.context.db, now(), lease).await.unwrap(), None, "it is somebody's");
        server.clock.advance(lease);
    }
    tokio::spawn(crew(&server).work());
    let failed = settled(&server, &document).await;
    assert_eq!(failed["failure"], "the document could not be read, though it was tried several times");
}

#[tokio::test]
async fn what_has_no_words_or_harms_its_reader_fails_with_a_reason() {
    let server = Server::start().await;
    tokio::spawn(crew(&server).work());
    let laughs = b"<?xml version=\"1.0\"?><!DOCTYPE l [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\">]><w:t>&b;</w:t>";
    let word = zipped(&[("[Content_Types].xml", b"<Types/>"), ("word/document.xml", laughs)]);
    for (name, bytes, reason) in [
        ("empty.txt", Vec::new(), "no text"),
        ("blank.md", b" \n\t\n".to_vec(), "no text"),
        ("scanned.pdf", pdf(""), "may be pictures"),
        ("photo.png", picture(20, 20, image::ImageFormat::Png), ""),
        ("cut.pdf", b"%PDF-1.7 and nothing".to_vec(), "damaged"),
        ("locked.pdf", locked(), "password"),
        ("laughs.docx", word, "document type"),
    ] {
        let sent = put(&server, file(name, bytes)).await;
        assert_eq!(sent.status, StatusCode::CREATED, "{name}: {}", sent.body);
        let record = settled(&server, &id(&sent.body)).await;
        let failure = record["failure"].as_str().unwrap_or_default();
        assert!(record["state"] == "failed" && !failure.is_empty() && failure.contains(reason), "{name}: {record}");
    }
    let binary = b"MZ\x00\x01\x02".to_vec();
    assert_eq!(put(&server, file("a.txt", binary)).await.problem(415).0, "unsupported_media_type");
}

/// A PDF whose last change says that it is encrypted, by a password nobody has (ISO 32000-1, 7.5.6 and 7.6.3.2).
fn locked() -> Vec<u8> {
    let mut file = String::from_utf8(pdf("secret")).unwrap();
    let before = file.rsplit("startxref\n").next().unwrap().lines().next().unwrap().to_owned();
    let (owner, user, at) = ("41".repeat(32), "42".repeat(32), file.len());
    file += &format!("6 0 obj\n<</Filter/Standard/V 2/R 3/Length 128/P -4/O<{owner}>/U<{user}>>>\nendobj\n");
    let table = file.len();
    file += &format!(
        "xref\n6 1\n{at:010} 00000 n \ntrailer\n<</Size 7/Root 1 0 R/Prev {before}/Encrypt 6 0 R/ID[<00><00>]>>\n\
         startxref\n{table}\n%%EOF\n"
    );
    file.into_bytes()
}

#[tokio::test]
async fn a_text_of_two_thousand_pages_is_read_whole() {
    let server = Server::start().await;
    let engine = Arc::new(Lengths::default());
    tokio::spawn(crew_of(&server, "one", &engine).work());
    let page = |n: usize| {
        let sentence = |line: usize| format!("Line {line} of page {n} tells of the patients that were seen there. ");
        format!("{}\n\n", (0..20).map(sentence).collect::<String>())
    };
    let text: String = (0..2000).map(page).collect::<String>() + "The colophon is set in Garamond.";
    assert!(text.len() > 2 << 20, "{}", text.len());
    let document = id(&put(&server, file("handbook.txt", text)).await.body);
    let done = settled(&server, &document).await;
    assert_eq!((&done["state"], &done["warnings"]), (&json!("ready"), &json!([])));
    assert_eq!(done["passages"], done["indexed"]);
    assert!(done["passages"].as_u64().unwrap() > 2000, "{done}");
    assert_eq!(found(&server, "colophon").await, 1);
}

#[tokio::test]
async fn a_server_killed_amid_its_work_makes_nothing_twice() {
    let dir = tempfile::tempdir().unwrap();
    let mut relay = Relay::start(dir.path()).await;
    let send = async |relay: &Relay, name: &str, sections: usize| {
        let url = format!("{}/api/documents", relay.url);
        let request = reqwest::Client::new().post(url).bearer_auth(KEY).multipart(file(name, long(sections)));
        let sent = request.send().await.unwrap();
        assert_eq!(sent.status(), StatusCode::CREATED);
        id(&sent.json().await.unwrap())
    };
    for sections in 1..=5 {
        send(&relay, "short.md", sections).await;
    }
    let large = format!("/api/documents/{}", send(&relay, "long.md", 1500).await);
    until(async || relay.ask(Method::GET, &large, None).await["state"] != "pending").await;
    relay.child.kill().await.unwrap();

    let relay = Relay::start(dir.path()).await;
    let list = async || {
        let listed = relay.ask(Method::GET, "/api/documents", None).await;
        listed["items"].as_array().unwrap().clone()
    };
    until(async || list().await.iter().all(|document| document["state"] == "ready")).await;
    let passages: Vec<_> = list().await.iter().map(|document| document["passages"].clone()).collect();
    assert_eq!(passages, [1500, 5, 4, 3, 2, 1], "all that was acknowledged is there, once");
    drop(relay);
    let db = Db::open(&dir.path().join("data/relay.db")).await.unwrap();
    let now = jiff::Timestamp::UNIX_EPOCH;
    let owner = users::owner(&db, now).await.unwrap().id;
    let terms = Terms::of("matter").unwrap();
    let found = passages::by_words(&db, owner, &terms, &Filter::default(), 2000).await.unwrap();
    assert_eq!(found.places.len(), 1515);
    assert_eq!(crate::files::kept(&dir.path().join("data")).len(), 6);
}
