//! Voices cloned and deleted through the relay, in an account of a stand-in of ElevenLabs. Its wire is that of
//! <https://elevenlabs.io/docs/api-reference/voices/ivc/create>, `…/voices/search`, `…/voices/get` and `…/voices/delete`.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Json, Router,
    body::Body,
    extract::{DefaultBodyLimit, Multipart, Path, Request, State},
    http::Response,
    middleware::{self, Next},
    response::IntoResponse,
    routing::{get, post},
};
use futures_util::stream;
use reqwest::{
    Method, StatusCode,
    multipart::{Form, Part},
};
use serde_json::{Value, json};
use tokio::sync::Notify;
use voice_relay::{
    clock::Clock,
    config::Config,
    engines::{Account, Engines},
};

use crate::server::{Answer, Server};

const KEY: &str = "sk_planted4711";
const GEORGE: &str = "JBFqnCBsd6RMkjVDRZzb";
const SHARED: &str = "sharedsharedshared00";

/// A part of a form: name, file name, bytes.
type Sent = (String, String, Vec<u8>);

/// The vendor's side of an account.
#[derive(Default)]
struct Vendor {
    voices: Mutex<Vec<Value>>,
    /// Method and path of every request.
    asked: Mutex<Vec<String>>,
    /// The form of every new voice.
    forms: Mutex<Vec<Vec<Sent>>>,
    /// Fails everything but the list, so.
    failing: Mutex<Option<(u16, &'static str)>>,
    /// New voices wait for this.
    held: Mutex<Option<Arc<Notify>>>,
}

impl Vendor {
    async fn start() -> (Arc<Self>, String) {
        let voice = |id: &str, name: &str, category: &str, own: bool| json!({"voice_id": id, "name": name, "category": category, "is_owner": own, "labels": {}});
        let vendor = Arc::new(Self::default());
        let voices = [voice(GEORGE, "George", "premade", false), voice(SHARED, "Shared", "cloned", false)];
        vendor.voices.lock().unwrap().extend(voices);
        let router = Router::new()
            .route("/v2/voices", get(list))
            .route("/v1/voices/add", post(add))
            .route("/v1/voices/{id}", get(show).delete(remove))
            .layer(DefaultBodyLimit::max(64 << 20))
            .layer(middleware::from_fn_with_state(Arc::clone(&vendor), attend))
            .with_state(Arc::clone(&vendor));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        (vendor, url)
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    fn has(&self, id: &str) -> bool {
        self.voices.lock().unwrap().iter().any(|voice| voice["voice_id"] == id)
    }
}

async fn attend(State(vendor): State<Arc<Vendor>>, request: Request, next: Next) -> Response<Body> {
    let path = request.uri().path().to_owned();
    vendor.asked.lock().unwrap().push(format!("{} {path}", request.method()));
    let key = request.headers().get("xi-api-key").map(|key| key.to_str().unwrap().to_owned()).unwrap_or_default();
    assert_eq!(key, KEY);
    let failing = *vendor.failing.lock().unwrap();
    match failing.filter(|_| path != "/v2/voices") {
        Some((status, word)) => {
            let detail = json!({"detail": {"status": word, "message": format!("{word}, says {key} for you")}});
            let headers = [("retry-after", "7")];
            (StatusCode::from_u16(status).unwrap(), headers, Json(detail)).into_response()
        }
        None => next.run(request).await,
    }
}

async fn list(State(vendor): State<Arc<Vendor>>) -> Json<Value> {
    let voices = vendor.voices.lock().unwrap().clone();
    Json(json!({"voices": voices, "has_more": false, "total_count": 0, "next_page_token": null}))
}

async fn show(State(vendor): State<Arc<Vendor>>, Path(id): Path<String>) -> (StatusCode, Json<Value>) {
    let voices = vendor.voices.lock().unwrap();
    let found = voices.iter().find(|voice| voice["voice_id"] == *id);
    let missing = json!({"detail": {"status": "voice_not_found", "message": "A voice with that id was not found."}});
    found.map_or((StatusCode::BAD_REQUEST, Json(missing)), |voice| (StatusCode::OK, Json(voice.clone())))
}

async fn add(State(vendor): State<Arc<Vendor>>, mut form: Multipart) -> Json<Value> {
    let mut parts = Vec::new();
    while let Some(field) = form.next_field().await.unwrap() {
        let name = field.name().unwrap().to_owned();
        let file = field.file_name().unwrap_or_default().to_owned();
        parts.push((name, file, field.bytes().await.unwrap().to_vec()));
    }
    let held = vendor.held.lock().unwrap().clone();
    if let Some(held) = held {
        held.notified().await;
    }
    let name = String::from_utf8(parts.iter().find(|(name, ..)| name == "name").unwrap().2.clone()).unwrap();
    let mut forms = vendor.forms.lock().unwrap();
    forms.push(parts);
    let id = format!("cloned{:014}", forms.len());
    let voice = json!({"voice_id": id, "name": name, "category": "cloned", "is_owner": true, "labels": {}});
    vendor.voices.lock().unwrap().push(voice);
    Json(json!({"voice_id": id, "requires_verification": false}))
}

async fn remove(State(vendor): State<Arc<Vendor>>, Path(id): Path<String>) -> Json<Value> {
    vendor.voices.lock().unwrap().retain(|voice| voice["voice_id"] != *id);
    Json(json!({"status": "ok"}))
}

/// A relay that speaks with the account's voices.
async fn relay() -> (Server, Arc<Vendor>) {
    let (vendor, url) = Vendor::start().await;
    let account = Account { base_url: url, api_key: KEY.into(), ..Account::default() };
    let mut config = Config { elevenlabs: account, ..Config::default() };
    config.providers.stt = vec!["scripted/stt".into()];
    config.providers.llm = vec!["scripted/llm".into()];
    config.providers.tts = vec!["elevenlabs/eleven_flash_v2_5".into(), "elevenlabs/eleven_v3".into()];
    config.providers.turn.clear();
    let engines = Engines::load(&config, &Clock::system()).await.unwrap();
    (Server::with(|context| context.roster = engines.roster).await, vendor)
}

fn wav(length: usize) -> Vec<u8> {
    let mut bytes = b"RIFF\x24\0\0\0WAVEfmt ".to_vec();
    bytes.resize(length.max(bytes.len()), 0);
    bytes
}

fn file(bytes: Vec<u8>) -> Part {
    Part::bytes(bytes).file_name("grandma's birthday.wav")
}

fn form() -> Form {
    Form::new().text("name", " Me ").text("consent", "true")
}

async fn clone(server: &Server, form: Form) -> Answer {
    Answer::of(server.request(Method::POST, "/voice/voices").multipart(form)).await
}

async fn ids(server: &Server) -> Vec<String> {
    let listed = server.get("/voice/voices?provider=elevenlabs/eleven_flash_v2_5").await.body;
    listed["items"].as_array().unwrap().iter().map(|voice| voice["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_voice_is_cloned_listed_at_once_and_deleted() {
    let (server, vendor) = relay().await;
    assert_eq!(ids(&server).await, [GEORGE, SHARED]);
    assert_eq!(server.get("/voice/voices").await.body["items"].as_array().unwrap().len(), 4, "two engines");
    let both =
        form().text("description", "My own").part("files", file(wav(4_000))).part("files", file(b"ID3 etc".into()));
    let made = clone(&server, both).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let id = made.body["id"].as_str().unwrap().to_owned();
    let expected =
        json!({"id": id, "name": "Me", "provider": "elevenlabs", "cloned": true, "requires_verification": false});
    assert_eq!(made.body, expected);
    let sent = vendor.forms.lock().unwrap()[0].clone();
    let part = |name: &str| sent.iter().filter(|(of, ..)| of == name).cloned().collect::<Vec<_>>();
    assert_eq!((part("name")[0].2.as_slice(), part("description")[0].2.as_slice()), (&b"Me"[..], &b"My own"[..]));
    let files = [
        ("files".to_owned(), "sample-1.wav".to_owned(), wav(4_000)),
        ("files".to_owned(), "sample-2.mp3".to_owned(), b"ID3 etc".to_vec()),
    ];
    assert_eq!(part("files"), files, "a client's file names are its own business");

    for engine in ["eleven_flash_v2_5", "eleven_v3"] {
        let listed = server.get(&format!("/api/voice/voices?provider=elevenlabs/{engine}")).await.body;
        let told: Vec<_> = listed["items"].as_array().unwrap().iter().map(|voice| voice["cloned"].clone()).collect();
        assert_eq!(told, [false, false, true], "{listed}");
    }
    let lists = || vendor.asked().iter().filter(|asked| *asked == "GET /v2/voices").count();
    let before = lists();
    ids(&server).await;
    assert_eq!(lists(), before, "what was fetched anew is kept");

    let deleted = server.delete(&format!("/voice/voices/{id}")).await;
    assert_eq!((deleted.status, deleted.body), (StatusCode::NO_CONTENT, json!("")));
    assert_eq!(ids(&server).await, [GEORGE, SHARED]);
    server.delete(&format!("/api/voice/voices/{id}")).await.problem(404);
}

#[tokio::test]
async fn what_this_account_did_not_clone_cannot_be_deleted() {
    let (server, vendor) = relay().await;
    for id in [GEORGE, SHARED, "unknownunknownunknow", "..%2Fuser", "%FF", "alloy"] {
        server.delete(&format!("/voice/voices/{id}")).await.problem(404);
    }
    assert!(vendor.has(GEORGE) && vendor.has(SHARED));
    let asked = vendor.asked();
    assert!(asked.iter().all(|asked| asked.starts_with("GET /v1/voices/") && !asked.contains("user")), "{asked:?}");
}

#[tokio::test]
async fn without_consent_nothing_is_sent() {
    let (server, vendor) = relay().await;
    let named = || Form::new().text("name", "Me");
    let sample = || file(wav(100));
    for form in [
        named().part("files", sample()),
        named().text("consent", "false").part("files", sample()),
        named().text("consent", "").part("files", sample()),
        named().text("consent", "yes").part("files", sample()),
        named().part("files", sample()).text("consent", "false"),
    ] {
        assert_eq!(clone(&server, form).await.problem(422), ("consent_required".into(), "consent".into()));
    }
    let late = named().part("files", sample()).text("consent", "true");
    assert_eq!(vendor.asked(), [""; 0]);
    assert_eq!(clone(&server, late).await.status, StatusCode::CREATED, "consent may come last");
}

#[tokio::test]
async fn a_form_that_cannot_be_is_refused_by_its_field() {
    let (server, vendor) = relay().await;
    let sample = || file(wav(100));
    let consent = || Form::new().text("consent", "true");
    for (form, code, field) in [
        (consent().part("files", sample()), "invalid_value", "name"),
        (consent().text("name", " ").part("files", sample()), "invalid_value", "name"),
        (consent().text("name", "x".repeat(101)).part("files", sample()), "invalid_value", "name"),
        (form().text("name", "Again").part("files", sample()), "invalid_value", "name"),
        (form().text("description", "x".repeat(501)).part("files", sample()), "invalid_value", "description"),
        (form(), "missing_required_parameter", "files"),
        (form().part("files", file(Vec::new())), "invalid_value", "files"),
        (form().text("colour", "red").part("files", sample()), "unknown_parameter", "colour"),
        ((0..26).fold(form(), |form, _| form.part("files", sample())), "invalid_value", "files"),
    ] {
        assert_eq!(clone(&server, form).await.problem(422), (code.into(), field.into()));
    }
    let long = form().text("description", "x".repeat(5_000));
    assert_eq!(clone(&server, long).await.problem(413), ("payload_too_large".into(), "description".into()));
    for other in [b"%PDF-1.7 and more".to_vec(), b"no".to_vec()] {
        let refused =
            clone(&server, form().part("files", Part::bytes(other).file_name("me.wav").mime_str("audio/wav").unwrap()));
        assert_eq!(refused.await.problem(415), ("unsupported_media_type".into(), "files".into()));
    }
    let json = Answer::of(server.request(Method::POST, "/voice/voices").json(&json!({"name": "Me"}))).await;
    assert_eq!(json.problem(415).0, "unsupported_media_type");
    assert_eq!(vendor.asked(), [""; 0]);
}

/// A recording of many MiB in chunks of one, and how many of them were taken.
fn long(mebibytes: usize, head: &[u8]) -> (Part, Arc<Mutex<usize>>) {
    let taken = Arc::new(Mutex::new(0));
    let (count, mut head) = (Arc::clone(&taken), head.to_vec());
    let chunks = stream::iter((0..mebibytes).map(move |_| {
        *count.lock().unwrap() += 1;
        let mut chunk = std::mem::take(&mut head);
        chunk.resize(1 << 20, 0);
        Ok::<_, std::io::Error>(chunk)
    }));
    (Part::stream(reqwest::Body::wrap_stream(chunks)).file_name("long.wav"), taken)
}

#[tokio::test]
async fn what_is_too_large_or_no_sound_is_refused_while_it_comes() {
    let (server, vendor) = relay().await;
    let (eleven, _) = long(11, &wav(0));
    assert_eq!(
        clone(&server, form().part("files", eleven)).await.problem(413),
        ("payload_too_large".into(), "files".into())
    );
    let nine = (0..4).fold(form(), |form, _| form.part("files", long(9, &wav(0)).0));
    assert_eq!(clone(&server, nine).await.problem(413).0, "payload_too_large", "36 MiB in all");
    let most = (0..4).fold(form(), |form, _| form.part("files", long(8, &wav(0)).0));
    assert_eq!(clone(&server, most).await.status, StatusCode::CREATED, "32 MiB in all");
    assert_eq!(vendor.forms.lock().unwrap().len(), 1);
    // No more is read of an endless one than the body's limit.
    for (head, status) in [(&b"GIF89a, or so"[..], 415), (&wav(0)[..], 413)] {
        let (endless, taken) = long(2_000, head);
        let request = server.request(Method::POST, "/voice/voices").multipart(form().part("files", endless));
        // The client may see its broken upload before the answer.
        if let Ok(answer) = request.send().await {
            assert_eq!(answer.status(), status);
        }
        assert!(*taken.lock().unwrap() < 100, "{} MiB were taken", *taken.lock().unwrap());
    }
}

#[tokio::test]
async fn it_takes_the_scope_admin_to_change_voices_and_any_to_list_them() {
    let (server, vendor) = relay().await;
    let (_, stranger) = server.stranger().await;
    let usual = server.api_key("realtime speech sessions").await;
    for key in [&usual, &stranger] {
        let made =
            server.bare(Method::POST, "/voice/voices").bearer_auth(key).multipart(form().part("files", file(wav(9))));
        assert_eq!(Answer::of(made).await.problem(403).0, "insufficient_scope");
        let deleted = server.bare(Method::DELETE, &format!("/voice/voices/{GEORGE}")).bearer_auth(key);
        assert_eq!(Answer::of(deleted).await.problem(403).0, "insufficient_scope");
        assert_eq!(Answer::of(server.bare(Method::GET, "/voice/voices").bearer_auth(key)).await.status, StatusCode::OK);
    }
    let admin = server.api_key("admin").await;
    let made = server
        .bare(Method::POST, "/api/voice/voices")
        .bearer_auth(&admin)
        .multipart(form().part("files", file(wav(9))));
    assert_eq!(Answer::of(made).await.status, StatusCode::CREATED);
    assert_eq!(vendor.forms.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_failing_vendor_is_told_without_its_words_and_without_the_key() {
    let (server, vendor) = relay().await;
    let id = clone(&server, form().part("files", file(wav(9)))).await.body["id"].as_str().unwrap().to_owned();
    for (failure, status, code) in [
        ((401, "invalid_api_key"), 502, "provider_failed"),
        ((401, "quota_exceeded"), 429, "rate_limit_exceeded"),
        ((429, "too_many_concurrent_requests"), 429, "rate_limit_exceeded"),
        ((500, "internal_server_error"), 503, "provider_unavailable"),
        ((503, "system_busy"), 503, "provider_unavailable"),
        ((400, "voice_limit_reached"), 400, "rejected_input"),
    ] {
        *vendor.failing.lock().unwrap() = Some(failure);
        let made = clone(&server, form().part("files", file(wav(9)))).await;
        assert_eq!(made.problem(status).0, code, "{failure:?}");
        assert_eq!(made.header("retry-after"), "7");
        let deleted = server.delete(&format!("/voice/voices/{id}")).await;
        // What is rejected when it is looked for is not there.
        let expected = if code == "rejected_input" { 404 } else { status };
        deleted.problem(expected);
        for answer in [made, deleted] {
            let text = format!("{} {:?}", answer.body, answer.headers);
            assert!(!text.contains("planted") && !text.contains("for you"), "{text}");
        }
    }
    *vendor.failing.lock().unwrap() = None;
    assert!(vendor.has(&id));
}

#[tokio::test]
async fn where_no_account_is_in_use_it_says_so() {
    let server = Server::start().await;
    let made = clone(&server, form().part("files", file(wav(9)))).await;
    assert_eq!(made.problem(503).0, "not_configured");
    assert!(made.body["detail"].as_str().unwrap().contains("ELEVENLABS_API_KEY"));
    assert_eq!(server.delete("/voice/voices/abc").await.problem(503).0, "not_configured");
}

#[tokio::test]
async fn a_client_that_leaves_stops_nothing_and_few_are_served_at_a_time() {
    let (server, vendor) = relay().await;
    assert_eq!(ids(&server).await, [GEORGE, SHARED]);
    let gate = Arc::new(Notify::new());
    *vendor.held.lock().unwrap() = Some(Arc::clone(&gate));
    let begun = || vendor.asked().iter().filter(|asked| *asked == "POST /v1/voices/add").count();
    let until = async |right: &dyn Fn() -> bool| {
        let waiting = async {
            while !right() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), waiting).await.unwrap();
    };
    let mut leaving = Vec::new();
    for count in 1..=2 {
        let request = server.request(Method::POST, "/voice/voices").multipart(form().part("files", file(wav(9))));
        leaving.push(tokio::spawn(request.send()));
        until(&|| begun() == count).await;
    }
    let busy = clone(&server, form().part("files", file(wav(9)))).await;
    assert_eq!(busy.problem(429).0, "rate_limit_exceeded");
    assert_eq!(busy.header("retry-after"), "5");
    for client in leaving {
        client.abort();
        assert!(client.await.unwrap_err().is_cancelled());
    }
    *vendor.held.lock().unwrap() = None;
    until(&|| {
        gate.notify_waiters();
        vendor.forms.lock().unwrap().len() == 2
    })
    .await;
    let all = async {
        while ids(&server).await.len() < 4 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), all).await.expect("both are listed though nobody waited for them");
}
