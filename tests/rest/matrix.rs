//! Who may call what: every operation of the API's description with every credential that is not good for it.

use std::{collections::BTreeMap, time::Duration};

use reqwest::{Client, Method};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use voice_relay::{auth, clock::Clock};

use crate::{
    documents::file,
    openapi::{document, operations},
    people::{PASSWORD, Person, administer},
    server::{Answer, Server},
};

/// What has an id and belongs to somebody: what stands in the paths below it.
struct Things {
    session: String,
    message: String,
    attachment: String,
    document: String,
    folder: String,
    key: String,
    share: String,
    clinical: String,
    user: String,
}

impl Things {
    async fn of(server: &Server, ann: &Person) -> Self {
        let id = |answer: &Answer| answer.body["id"].as_str().unwrap().to_owned();
        let session = id(&ann.post(server, "/api/sessions", json!({"title": "hers"})).await);
        let message = json!({"role": "user", "content": "hers"});
        let message = id(&ann.post(server, &format!("/api/sessions/{session}/messages"), message).await);
        let put = async |path: &str| {
            let upload = ann.request(server, Method::POST, path).multipart(file("hers.txt", "hers"));
            id(&Answer::of(upload).await)
        };
        let attachment = put(&format!("/api/messages/{message}/attachments")).await;
        let document = put("/api/documents").await;
        let folder = id(&ann.post(server, "/api/folders", json!({"name": "hers"})).await);
        let key = id(&ann.post(server, "/api/keys", json!({"name": "hers"})).await);
        let share = ann.post(server, &format!("/api/sessions/{session}/share"), json!({})).await;
        let share = share.body["share_token"].as_str().unwrap().to_owned();
        let clinical = id(&ann.post(server, "/api/clinical-contexts", json!({"age": 54})).await);
        Self { session, message, attachment, document, folder, key, share, clinical, user: ann.id.clone() }
    }

    /// The path with hers in it; `None` where nothing that stands there is somebody's.
    fn hers(&self, path: &str) -> Option<String> {
        let owned = [
            ("/api/sessions/{id}", &self.session),
            ("/api/messages/{id}", &self.message),
            ("/api/attachments/{id}", &self.attachment),
            ("/api/documents/{id}", &self.document),
            ("/api/folders/{id}", &self.folder),
            ("/api/clinical-contexts/{id}", &self.clinical),
            ("/api/keys/{id}", &self.key),
            ("/api/users/{id}", &self.user),
        ];
        let (start, id) = owned.into_iter().find(|(start, _)| path.starts_with(start))?;
        let rest = path.strip_prefix(start)?.replace("{token}", &self.share).replace("{target}", "root");
        assert!(!rest.contains('{'), "say here what stands in {path}");
        Some(format!("{}{rest}", start.replace("{id}", id)))
    }
}

/// The path with what nobody has in it.
fn nobodys(path: &str) -> String {
    let part = |part: &str| match part {
        "{token}" => "A".repeat(43),
        "{target}" => "root".to_owned(),
        "{deployment}" => "whisper-1".to_owned(),
        "{dialect}" => "twilio".to_owned(),
        part if part.starts_with('{') => NOBODY.to_owned(),
        part => part.to_owned(),
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

const NOBODY: &str = "0190b0a0-0000-7000-8000-000000000000";

/// One client for all: what is measured is the relay.
struct Caller<'a> {
    server: &'a Server,
    client: Client,
}

impl Caller<'_> {
    /// Calls an operation as its description shows, with this credential.
    async fn call(&self, method: &Method, path: &str, operation: &Value, credential: Option<&str>) -> Answer {
        // Guesses at credentials are slowed down; here they are all meant.
        self.server.clock.advance(Duration::from_secs(1));
        let mut request = self.client.request(method.clone(), format!("{}{path}", self.server.url));
        let content = &operation["requestBody"]["content"];
        if content.get("application/json").is_some() {
            request = request.json(&content["application/json"]["example"]);
        } else if content.get("application/sdp").is_some() {
            request = request.header("content-type", "application/sdp").body("v=0\r\n");
        } else if content.get("multipart/form-data").is_some() {
            request = request.multipart(file("hers.txt", "hers"));
        }
        if let Some(credential) = credential {
            request = request.bearer_auth(credential);
        }
        Answer::of(request).await
    }
}

fn code(answer: &Answer) -> &str {
    answer.body["code"].as_str().or(answer.body["error"]["code"].as_str()).unwrap_or_default()
}

async fn relay() -> Server {
    // The clock of the test runs far: whoever is logged in stays so.
    let accounts = auth::Config { access_token_minutes: 1440, ..auth::Config::default() };
    Server::with(|context| context.config.accounts = accounts).await
}

/// An access token that was good for a minute, an hour ago.
async fn expired(server: &Server, email: &str) -> String {
    let brief = auth::Config { access_token_minutes: 1, ..auth::Config::default() };
    let tokens = server.context.auth.log_in(&brief, email, &PASSWORD.to_owned().into(), None).await.unwrap();
    server.clock.advance(Duration::from_secs(3600));
    tokens.access.expose_secret().to_owned()
}

/// The same token with one letter of its claims changed.
fn tampered(token: &str) -> String {
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    let last = if parts[1].ends_with('A') { "B" } else { "A" };
    let kept = parts[1].len() - 1;
    parts[1].replace_range(kept.., last);
    parts.join(".")
}

#[tokio::test]
async fn whoever_is_not_known_passes_nowhere() {
    let server = relay().await;
    let caller = Caller { server: &server, client: Client::new() };
    let ann = Person::new(&server, "ann@example.org").await;
    let expired = expired(&server, &ann.email).await;
    let out = Person::enters(&server, &ann.email).await;
    assert_eq!(Answer::of(out.request(&server, Method::POST, "/api/auth/logout")).await.status, 204);
    let made = server.post("/api/keys", json!({"name": "gone"})).await.body;
    server.delete(&format!("/api/keys/{}", made["id"].as_str().unwrap())).await;
    let revoked = made["key"].as_str().unwrap();
    let tampered = tampered(&ann.access);
    let wrong = [
        ("garbage", "garbage"),
        ("expired", &expired),
        ("tampered with", &tampered),
        ("a revoked key", revoked),
        ("logged out", &out.access),
        ("no client secret", "ek_nothing"),
    ];
    let mut refused = 0;
    for (method, path, operation) in operations(&document(&server).await) {
        let concrete = nobodys(&path);
        let need = operation["x-need"].as_str().unwrap();
        let known = operation["security"].as_array().unwrap().contains(&json!({}));
        if need == "call" || need == "nothing" && !known {
            continue;
        }
        if !known {
            let answer = caller.call(&method, &concrete, &operation, None).await;
            assert_eq!((answer.status.as_u16(), code(&answer)), (401, "missing_api_key"), "{method} {path}");
        }
        // A login ends by the token in its body, whatever the header shows.
        if operation["operationId"] == "log_out" {
            continue;
        }
        for (what, credential) in &wrong {
            let answer = caller.call(&method, &concrete, &operation, Some(credential)).await;
            assert_eq!((answer.status.as_u16(), code(&answer)), (401, "invalid_api_key"), "{what}: {method} {path}");
            assert_eq!(answer.header("www-authenticate"), "Bearer");
            refused += 1;
        }
    }
    assert!(refused > 300, "{refused}");
    assert!(ann.is_in(&server).await);
}

#[tokio::test]
async fn whoever_is_known_passes_where_their_credential_is_good_for_it_and_nowhere_else() {
    let server = relay().await;
    let caller = Caller { server: &server, client: Client::new() };
    let ann = Person::new(&server, "ann@example.org").await;
    let viewer = Person::new(&server, "bob@example.org").await;
    administer(&server, &viewer.id, json!({"role": "viewer"})).await;
    let secret = ann.post(&server, "/v1/realtime/client_secrets", json!({"expires_after": {"seconds": 7200}})).await;
    let secret = secret.body["value"].as_str().unwrap().to_owned();
    let mut keys = BTreeMap::new();
    for scope in ["realtime", "speech", "sessions", "admin"] {
        keys.insert(scope, server.api_key(scope).await);
    }
    for (method, path, operation) in operations(&document(&server).await) {
        let (need, writes) = (operation["x-need"].as_str().unwrap(), operation["x-write"].as_bool().unwrap());
        // What ends accounts and keys is tried by those alone who may not.
        let concrete = nobodys(&path);
        let what = format!("{method} {path}");
        let status = async |credential: &str| {
            let answer = caller.call(&method, &concrete, &operation, Some(credential)).await;
            (answer.status.as_u16(), code(&answer).to_owned())
        };
        let insufficient = (403, "insufficient_scope".to_owned());
        if !matches!(need, "nothing" | "call" | "voice") {
            assert_eq!(status(&secret).await, insufficient, "a client secret: {what}");
        }
        for (scope, key) in &keys {
            let fits = match need {
                "nothing" | "call" | "key" => true,
                "login" | "account" => *scope == "admin",
                "voice" => matches!(*scope, "realtime" | "admin"),
                wanted => *scope == wanted || *scope == "admin",
            };
            if !fits {
                assert_eq!(status(key).await, insufficient, "a key for {scope}: {what}");
            } else if method == Method::GET {
                let (got, code) = status(key).await;
                assert!(
                    got != 401 && (got != 403 || need == "call"),
                    "a key for {scope}: {what} answered {got} {code}"
                );
            }
        }
        if writes && need != "nothing" && need != "call" {
            let (got, code) = status(&viewer.access).await;
            let refused = if need == "admin" { "insufficient_scope" } else { "read_only" };
            assert_eq!((got, code.as_str()), (403, refused), "a viewer: {what}");
        } else if method == Method::GET && !matches!(need, "admin" | "call" | "nothing") {
            let (got, code) = status(&viewer.access).await;
            assert!(!matches!(got, 401 | 403), "a viewer: {what} answered {got} {code}");
        }
    }
    assert_eq!(ann.get(&server, "/api/users/me").await.status, 200);
}

#[tokio::test]
async fn what_is_somebody_elses_answers_as_what_is_not_there() {
    let server = relay().await;
    let caller = Caller { server: &server, client: Client::new() };
    let ann = Person::new(&server, "ann@example.org").await;
    let mallory = Person::new(&server, "mallory@example.org").await;
    let things = Things::of(&server, &ann).await;
    let (clock, mut compared) = (Clock::system(), 0);
    for (method, path, operation) in operations(&document(&server).await) {
        let need = operation["x-need"].as_str().unwrap();
        let parts: Vec<_> = path.split('/').filter(|part| part.starts_with("{id")).collect();
        if parts.is_empty()
            || matches!(need, "nothing" | "call" | "key")
            || LIVE.iter().any(|live| path.starts_with(live))
        {
            continue;
        }
        let hers = things.hers(&path).unwrap_or_else(|| panic!("say in `Things::hers` what stands in {path}"));
        let what = format!("{method} {path}");
        let nobodys = nobodys(&path);
        let (theirs, nothing) = (
            caller.call(&method, &hers, &operation, Some(&mallory.access)).await,
            caller.call(&method, &nobodys, &operation, Some(&mallory.access)).await,
        );
        let expected = if need == "admin" { (403, "insufficient_scope") } else { (404, "not_found") };
        assert_eq!((theirs.status.as_u16(), code(&theirs)), expected, "{what}");
        assert_eq!((&theirs.status, &theirs.body), (&nothing.status, &nothing.body), "{what}");
        let headers = |answer: &Answer| {
            let mut headers = answer.headers.clone();
            for own in ["x-request-id", "date", "ratelimit-remaining", "ratelimit-reset"] {
                headers.remove(own);
            }
            headers
        };
        assert_eq!(headers(&theirs), headers(&nothing), "{what}");

        // The quickest of several says least of what else the machine did. What takes a password's hash, or reads rows, for
        // one of them alone would be told by far more than this.
        let mut quickest = [Duration::MAX; 2];
        for _ in 0..7 {
            for (path, quickest) in [&hers, &nobodys].into_iter().zip(&mut quickest) {
                let began = clock.now();
                caller.call(&method, path, &operation, Some(&mallory.access)).await;
                *quickest = clock.now().saturating_duration_since(began).min(*quickest);
            }
        }
        let [slow, fast] = if quickest[0] > quickest[1] { quickest } else { [quickest[1], quickest[0]] };
        assert!(slow < fast * 4 + Duration::from_millis(15), "{what}: hers {quickest:?} nobody's");
        compared += 1;
    }
    assert!(compared >= 25, "{compared}");
    let kept = ann.get(&server, &format!("/api/sessions/{}", things.session)).await;
    assert_eq!(kept.body["title"], "hers", "and nothing of it changed");
}

/// What lives is somebody's as long as it lives: `live` and `sideband` have its tests.
const LIVE: [&str; 7] = [
    "/voice/sessions/",
    "/api/voice/sessions/",
    "/voice/voices/",
    "/api/voice/voices/",
    "/v1/realtime/calls/",
    "/openai/v1/realtime/calls/",
    "/whip/",
];
