//! Each vendor's question as documented, and what each answer means.

use std::time::Duration;

use providers::{
    Secret,
    probe::{Ailment, Probe},
};

use crate::support::{Server, Step, answer};

const KEY: &str = "planted-4711";
const PATIENCE: Duration = Duration::from_millis(500);

/// How a vendor's probe is made.
type Make = fn(&str, Option<&Secret>) -> Probe;

/// Each vendor, its first line and its headers.
const VENDORS: [(Make, &str, &[&str]); 10] = [
    (Probe::openai, "GET /models ", &["authorization: Bearer planted-4711"]),
    (Probe::anthropic, "GET /v1/models ", &["x-api-key: planted-4711", "anthropic-version: 2023-06-01"]),
    (Probe::azure_speech, "GET /cognitiveservices/voices/list ", &["ocp-apim-subscription-key: planted-4711"]),
    (azure_dated, "GET /openai/models?api-version=2024-10-21 ", &["api-key: planted-4711"]),
    (azure, "GET /openai/v1/models ", &["api-key: planted-4711"]),
    (Probe::deepgram, "GET /v1/projects ", &["authorization: Token planted-4711"]),
    (Probe::deepseek, "GET /models ", &["authorization: Bearer planted-4711"]),
    (Probe::elevenlabs, "GET /v1/user ", &["xi-api-key: planted-4711"]),
    (Probe::gemini, "GET /models?pageSize=1 ", &["x-goog-api-key: planted-4711"]),
    (Probe::google, "GET /v1/voices?languageCode=en-US ", &["x-goog-api-key: planted-4711"]),
];

fn azure_dated(base_url: &str, key: Option<&Secret>) -> Probe {
    Probe::azure_openai(base_url, Some("2024-10-21"), key)
}

fn azure(base_url: &str, key: Option<&Secret>) -> Probe {
    Probe::azure_openai(base_url, None, key)
}

async fn ask(make: Make, steps: Vec<Step>) -> (Result<(), Ailment>, Vec<String>) {
    let server = Server::start(vec![steps]).await;
    let base_url = server.base_url.trim_end_matches("/v1").to_owned();
    let found = make(&base_url, Some(&KEY.into())).ask(PATIENCE).await;
    let requests = server.requests.lock().unwrap().clone();
    (found, requests)
}

fn status(status: &str, body: &str) -> Vec<Step> {
    answer(status, "content-type: application/json\r\n", body)
}

#[tokio::test]
async fn each_vendor_is_asked_as_documented() {
    for (make, first, headers) in VENDORS {
        let (found, requests) = ask(make, status("200 OK", "{}")).await;
        assert_eq!(found, Ok(()));
        assert!(requests[0].starts_with(first), "{}", requests[0]);
        for header in headers {
            assert!(requests[0].contains(&format!("{header}\r\n")), "{header} in {}", requests[0]);
        }
    }
}

#[tokio::test]
async fn every_answer_is_told_in_a_few_words_for_every_vendor() {
    let told = |text: &str| format!(r#"{{"error":{{"message":"{text} for planted-4711"}}}}"#);
    for (make, ..) in VENDORS {
        for (line, body, expected) in [
            ("401 Unauthorized", told("no"), Ailment::KeyRefused),
            ("429 Too Many Requests", told("slow down"), Ailment::RateLimited),
            ("402 Payment Required", told("pay"), Ailment::RateLimited),
            ("500 Internal Server Error", told("oops"), Ailment::Unreachable),
            ("503 Service Unavailable", told("later"), Ailment::Unreachable),
            ("504 Gateway Timeout", told("late"), Ailment::Timeout),
            ("404 Not Found", told("where"), Ailment::Failing),
            ("302 Found", String::new(), Ailment::Failing),
            ("400 Bad Request", told("API_KEY_INVALID"), Ailment::KeyRefused),
        ] {
            let (found, _) = ask(make, status(line, &body)).await;
            assert_eq!(found, Err(expected), "{line}");
        }
    }
}

#[tokio::test]
async fn silence_and_broken_lines_are_told_as_such() {
    let found = ask(Probe::deepgram, vec![Step::Hang]).await.0;
    assert_eq!(found, Err(Ailment::Timeout));
    let found = ask(Probe::deepgram, vec![Step::Reset]).await.0;
    assert_eq!(found, Err(Ailment::Unreachable));
    let nobody = Probe::deepgram("http://127.0.0.1:1", Some(&KEY.into())).ask(PATIENCE).await;
    assert_eq!(nobody, Err(Ailment::Unreachable));
    let nowhere = Probe::deepgram("nowhere", Some(&KEY.into())).ask(PATIENCE).await;
    assert_eq!(nowhere, Err(Ailment::Failing));
}

#[tokio::test]
async fn a_known_key_that_may_not_ask_is_good() {
    let narrow = r#"{"detail":{"status":"missing_permissions","message":"missing the permission user_read"}}"#;
    assert_eq!(ask(Probe::elevenlabs, status("401 Unauthorized", narrow)).await.0, Ok(()));
    let narrow = r#"{"err_code":"INSUFFICIENT_PERMISSIONS","err_msg":"no"}"#;
    assert_eq!(ask(Probe::deepgram, status("403 Forbidden", narrow)).await.0, Ok(()));
    assert_eq!(ask(Probe::anthropic, status("403 Forbidden", "{}")).await.0, Err(Ailment::KeyRefused));
}

#[tokio::test]
async fn without_a_key_nobody_is_asked_but_servers_of_ones_own() {
    let server = Server::start(vec![status("200 OK", "{}")]).await;
    for (make, ..) in &VENDORS[1..] {
        for key in [None, Some(Secret::from(""))] {
            assert_eq!(make(&server.base_url, key.as_ref()).ask(PATIENCE).await, Err(Ailment::KeyMissing));
        }
    }
    assert_eq!(server.requests.lock().unwrap().len(), 0);
    assert_eq!(Probe::openai(&server.base_url, None).ask(PATIENCE).await, Ok(()));
    let strict = Server::start(vec![status("401 Unauthorized", "{}")]).await;
    assert_eq!(Probe::openai(&strict.base_url, None).ask(PATIENCE).await, Err(Ailment::KeyMissing));
}

#[tokio::test]
async fn vendors_are_known_by_name_and_asked_where_they_are_said_to_be() {
    let server = Server::start(vec![status("200 OK", "{}")]).await;
    for vendor in [
        "openai",
        "anthropic",
        "azure_openai",
        "azure_speech",
        "deepgram",
        "deepseek",
        "elevenlabs",
        "gemini",
        "google",
    ] {
        let probe = Probe::of(vendor, &server.base_url, Some(&KEY.into())).unwrap();
        assert_eq!(probe.ask(PATIENCE).await, Ok(()), "{vendor}");
    }
    assert_eq!(server.requests.lock().unwrap().len(), 9);
    assert!(Probe::of("deepgram", "", None).is_some());
    assert!(Probe::of("azure_speech", "", None).is_none() && Probe::of("acme", "", None).is_none());
}

#[test]
fn a_key_is_never_printed() {
    let probe = Probe::deepgram("https://api.deepgram.com", Some(&KEY.into()));
    assert!(!format!("{probe:?}").contains("4711"));
}
