//! What is asked, of both in turns.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::{
    data::{World, word},
    http::{Client, request},
    process::Server,
};

/// That ask at the same time.
pub(crate) const CONNECTIONS: usize = 16;
/// How long each is asked at a time.
pub(crate) const SLICE: Duration = Duration::from_secs(2);
const TURNS: usize = 3;
/// Files that come at once, and how large they are.
const FILES: usize = 20;
const SIZE: usize = 10 << 20;

/// What was found in one server.
#[derive(Default)]
struct Found {
    spans: Vec<Duration>,
    elapsed: Duration,
    cpu: Duration,
}

impl Found {
    fn per_second(&self) -> f64 {
        self.spans.len() as f64 / self.elapsed.as_secs_f64()
    }

    fn p99(&mut self) -> f64 {
        self.spans.sort_unstable();
        self.spans[(self.spans.len() * 99).div_ceil(100).max(1) - 1].as_secs_f64() * 1e3
    }

    /// Microseconds of a core for one request.
    fn cost(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.spans.len() as f64
    }
}

/// The same question to both.
struct Case {
    name: &'static str,
    relay: Vec<u8>,
    bare: Vec<u8>,
    status: u16,
}

/// A conversation's link.
pub(crate) async fn link(world: &World, relay: &Server) -> String {
    let url = format!("http://{}/api/sessions/{}/share", relay.address, world.read);
    let made = reqwest::Client::new().post(url).bearer_auth(&world.key).json(&json!({})).send().await.unwrap();
    let made: Value = made.json().await.unwrap();
    made["share_token"].as_str().unwrap().to_owned()
}

/// The questions, as the relay is asked them.
pub(crate) fn asked(world: &World, token: &str) -> [Vec<u8>; 5] {
    let get = |path: &str| request("GET", path, &world.admin, "application/json", b"");
    let post = format!("/api/sessions/{}/messages", world.written);
    [
        get("/api/sessions"),
        request("POST", &post, &world.admin, "application/json", said().as_bytes()),
        get("/api/folders/tree"),
        get(&format!("/api/sessions?q={}", word(77))),
        request("GET", &format!("/api/shared/{token}"), "", "application/json", b""),
    ]
}

/// The same, as the reference is asked them.
pub(crate) fn references(world: &World, token: &str) -> [Vec<u8>; 5] {
    let get = |path: &str| request("GET", path, "", "application/json", b"");
    let post = format!("/messages/{}/{}", world.user, world.written);
    [
        get(&format!("/sessions/{}", world.user)),
        request("POST", &post, "", "application/json", said().as_bytes()),
        get(&format!("/folders/{}", world.user)),
        get(&format!("/search/{}/{}", world.user, word(77))),
        get(&format!("/shared/{token}")),
    ]
}

fn said() -> String {
    json!({"role": "user", "content": "it rains again and we stay at home"}).to_string()
}

/// What each of them is.
const NAMES: [&str; 5] = ["list of sessions", "message posted", "tree of folders", "full-text search", "share view"];

pub(crate) async fn run(world: &World, relay: &Server, bare: &Server, token: &str) {
    println!("{:<22}{:>18}{:>18}{:>8}   p99 ms relay / bare", "", "relay/s (us)", "bare/s (us)", "ratio");
    for (name, (relays, bares)) in NAMES.into_iter().zip(asked(world, token).into_iter().zip(references(world, token)))
    {
        let status = if name == "message posted" { 201 } else { 200 };
        one(Case { name, relay: relays, bare: bares, status }, relay, bare).await;
    }
    // What the look at a key adds, which the reference has none of.
    let by_key = request("GET", "/api/sessions", &world.key, "application/json", b"");
    let [bare_list, ..] = references(world, token);
    one(Case { name: "list, by an API key", relay: by_key, bare: bare_list, status: 200 }, relay, bare).await;
    upload(world, relay, bare).await;
}

async fn one(case: Case, relay: &Server, bare: &Server) {
    let (mut ours, mut theirs) = (Found::default(), Found::default());
    for _ in 0..TURNS {
        for (server, asked, found) in [(relay, &case.relay, &mut ours), (bare, &case.bare, &mut theirs)] {
            // What is not kept yet is read before it counts.
            Client::to(&server.address).await.ask(asked).await;
            let (began, cpu) = (Instant::now(), server.cpu());
            let spans = (0..CONNECTIONS).map(|_| ask(server.address.clone(), asked.clone(), case.status, began));
            let spans: Vec<_> = spans.map(tokio::spawn).collect();
            for connection in spans {
                found.spans.extend(connection.await.unwrap());
            }
            found.elapsed += began.elapsed();
            found.cpu += server.cpu() - cpu;
        }
    }
    let ratio = ours.per_second() / theirs.per_second();
    let pair = |found: &Found| format!("{:.0} ({:.0})", found.per_second(), found.cost());
    let (relays, bares) = (pair(&ours), pair(&theirs));
    println!("{:<22}{relays:>18}{bares:>18}{ratio:>8.2}   {:.1} / {:.1}", case.name, ours.p99(), theirs.p99());
}

async fn ask(address: String, asked: Vec<u8>, expected: u16, began: Instant) -> Vec<Duration> {
    let (mut client, mut spans) = (Client::to(&address).await, Vec::new());
    while began.elapsed() < SLICE {
        let asking = Instant::now();
        let (status, _) = client.ask(&asked).await;
        assert_eq!(status, expected);
        spans.push(asking.elapsed());
    }
    spans
}

/// Many large files at once: pictures by their first bytes, in which there is nothing to read afterwards.
async fn upload(world: &World, relay: &Server, bare: &Server) {
    let head = "--cut\r\ncontent-disposition: form-data; name=\"file\"; filename=\"scan.png\"\r\n\r\n";
    let noise = (0..SIZE).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8);
    let body = [head.as_bytes(), b"\x89PNG\r\n\x1a\n", &noise.collect::<Vec<_>>(), b"\r\n--cut--\r\n"].concat();
    let path = format!("/api/messages/{}/attachments", world.message);
    let kind = "multipart/form-data; boundary=cut";
    let ours = request("POST", &path, &world.admin, kind, &body);
    let theirs = request("POST", &format!("/files/{}", world.message), "", kind, &body);
    let mut spans = Vec::new();
    for (server, asked) in [(bare, theirs), (relay, ours)] {
        server.forget_peak();
        let (before, began) = (server.memory().0, Instant::now());
        let sending = (0..FILES).map(|_| {
            let (address, asked) = (server.address.clone(), asked.clone());
            tokio::spawn(async move { Client::to(&address).await.ask(&asked).await.0 })
        });
        for sent in sending.collect::<Vec<_>>() {
            assert_eq!(sent.await.unwrap(), 201);
        }
        spans.push((began.elapsed().as_secs_f64(), server.memory().1 - before));
    }
    let (bares, relays) = (spans[0], spans[1]);
    println!(
        "{:<22}{:>15.2} s{:>16.2} s{:>8.2}   memory at most +{:.1} / +{:.1} MiB",
        format!("{FILES} files of 10 MB"),
        relays.0,
        bares.0,
        bares.0 / relays.0,
        relays.1,
        bares.1
    );
    relay.rest().await;
}
