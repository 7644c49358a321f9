//! The database fails under live sessions: requests are told so, voices go on, and what they said is written afterwards.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::Connection;
use tokio::{
    net::{TcpListener, TcpStream},
    process::Command,
    sync::Notify,
};

use crate::{
    client::{Client, PATIENCE},
    relay::{KEY, Relay, configuration, eventually},
};

const CHAINS: [&[&str]; 3] = [&["scripted/stt"], &["scripted/llm"], &["scripted/tts"]];

async fn ask(relay: &Relay, method: Method, path: &str) -> (StatusCode, Option<String>, Value) {
    let request = reqwest::Client::new().request(method, format!("{}{path}", relay.url)).bearer_auth(KEY);
    let response = request.json(&json!({})).timeout(PATIENCE).send().await.unwrap();
    let retry = response.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
    (response.status(), retry, response.json().await.unwrap())
}

/// Typed and answered in a live session.
async fn turn(client: &mut Client, words: &str) {
    let answer = client.asks(words, json!({"output_modalities": ["text"]})).await;
    assert_eq!(answer.status(), "completed");
}

/// All that is kept of the only conversation.
async fn kept(relay: &Relay) -> Vec<String> {
    let (_, _, sessions) = ask(relay, Method::GET, "/api/sessions").await;
    let id = sessions["items"][0]["id"].as_str().unwrap_or_default().to_owned();
    let (_, _, messages) = ask(relay, Method::GET, &format!("/api/sessions/{id}/messages")).await;
    let messages = messages["items"].as_array().cloned().unwrap_or_default();
    let users = messages.iter().filter(|message| message["role"] == "user" && message["status"] == "completed");
    users.map(|message| message["content"].as_str().unwrap().to_owned()).collect()
}

/// Talks on while `cut`, and finds everything after `mend`.
async fn outlives(relay: &Relay, cut: impl AsyncFnOnce(), mend: impl AsyncFnOnce()) {
    let mut client = Client::join(relay).await;
    turn(&mut client, "before").await;
    eventually("the first words are kept", PATIENCE, async || kept(relay).await == ["before"]).await;
    cut().await;
    let (status, retry, body) = ask(relay, Method::POST, "/api/sessions").await;
    assert_eq!(
        (status, body["code"].as_str()),
        (StatusCode::SERVICE_UNAVAILABLE, Some("storage_unavailable")),
        "{}",
        relay.log()
    );
    assert!(retry.unwrap().parse::<u32>().unwrap() > 0);
    turn(&mut client, "meanwhile").await;
    turn(&mut client, "still").await;
    mend().await;
    turn(&mut client, "after").await;
    let all = ["before", "meanwhile", "still", "after"];
    eventually("all words are kept", PATIENCE, async || kept(relay).await == all).await;
    assert_eq!(ask(relay, Method::POST, "/api/sessions").await.0, StatusCode::CREATED);
    client.leave().await;
}

/// Linux alone lets others limit how far a process's files may grow, which is what a full disk looks like to it.
#[tokio::test]
#[cfg(target_os = "linux")]
async fn a_full_disk_silences_nobody_and_loses_nothing() {
    let relay = Relay::launch_under("trap '' XFSZ", &configuration(CHAINS, "", ""), &[]).await;
    let limit = async |limit: &str| {
        let process = relay.id().to_string();
        let set = Command::new("prlimit").args(["--pid", &process, &format!("--fsize={limit}")]).status().await;
        assert!(set.unwrap().success());
    };
    outlives(&relay, async || limit("4096:unlimited").await, async || limit("unlimited:unlimited").await).await;
}

#[tokio::test]
async fn a_database_server_that_goes_and_comes_back_silences_nobody_and_loses_nothing() {
    let Ok(server) = std::env::var("VOICE_RELAY_TEST_POSTGRES") else {
        eprintln!("not run: there is no PostgreSQL beside (scripts/postgres)");
        return;
    };
    let cable = Cable::to(&server).await;
    // The test's own database: others read the same server.
    let name = format!("t{}", uuid::Uuid::now_v7().simple());
    let mut connection = sqlx::PgConnection::connect(&server).await.unwrap();
    let create = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
    sqlx::query(create).execute(&mut connection).await.unwrap();
    let url = format!("postgres://relay@127.0.0.1:{}/{name}", cable.port);
    let relay = Relay::launch(&configuration(CHAINS, "", ""), &[("VOICE_RELAY_DATABASE_URL", &url)]).await;
    outlives(&relay, async || cable.cut(), async || cable.mend()).await;
}

/// A way to a server that can be cut.
struct Cable {
    port: u16,
    whole: Arc<AtomicBool>,
    cut: Arc<Notify>,
}

impl Cable {
    /// To the host and port of a `postgres://` URL.
    async fn to(server: &str) -> Self {
        let target = server.split('@').nth(1).unwrap().split('/').next().unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (whole, cut) = (Arc::new(AtomicBool::new(true)), Arc::new(Notify::new()));
        let (flows, ends) = (Arc::clone(&whole), Arc::clone(&cut));
        tokio::spawn(async move {
            loop {
                let (mut here, _) = listener.accept().await.unwrap();
                if !flows.load(Ordering::SeqCst) {
                    continue;
                }
                let (target, ends) = (target.clone(), Arc::clone(&ends));
                tokio::spawn(async move {
                    let ended = ends.notified();
                    let mut there = TcpStream::connect(target).await.unwrap();
                    tokio::select! {
                        () = ended => {}
                        _ = tokio::io::copy_bidirectional(&mut here, &mut there) => {}
                    }
                });
            }
        });
        Self { port, whole, cut }
    }

    /// Ends all connections and lets none begin.
    fn cut(&self) {
        self.whole.store(false, Ordering::SeqCst);
        self.cut.notify_waiters();
    }

    fn mend(&self) {
        self.whole.store(true, Ordering::SeqCst);
    }
}
