//! What is confidential reaches the vendors that are cleared for it and no others, and no log: in a chain that mixes them,
//! in speech-to-speech, and where a vendor repeats what it was told.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    client::{Client, recording, words_of},
    relay::{KEY, Relay, configuration, eventually},
    vendors::{Fate, Truth, Vendor, Vendors},
};

const REPLY: &str = "The sun is far away. It is very warm there, and it will stay so for a long time.";
const CHAINS: [&[&str]; 3] = [
    &["deepgram/nova-3"],
    &["anthropic/claude-sonnet-4-5", "deepseek/deepseek-chat"],
    &["elevenlabs/eleven_flash_v2_5"],
];
const MODEL: &str = "second/gpt-realtime";
/// What is planted, each in words that nobody else says.
const COMPLAINT: &str = "xerostomia quaddle";
const MEDICINE: &str = "zolmitriptan wombat";
const LETTER: &str = "syringomyelia platypus";
const PLANTED: [&str; 3] = ["xerostomia", "zolmitriptan", "syringomyelia"];

/// What of the planted is in it.
fn held(text: &str) -> Vec<&str> {
    PLANTED.into_iter().filter(|planted| text.to_lowercase().contains(planted)).collect()
}

async fn post(relay: &Relay, path: &str, body: Value) -> Value {
    let request = reqwest::Client::new().post(format!("{}{path}", relay.url)).bearer_auth(KEY);
    let answer = request.header("content-type", "application/json").body(body.to_string()).send().await.unwrap();
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    assert_eq!(status, 201, "{path}: {text}");
    serde_json::from_str(&text).unwrap()
}

/// A conversation with a context and a file that was read, and a client who talks in it.
async fn patient(relay: &Relay) -> Client {
    let session = post(relay, "/api/sessions", json!({})).await["id"].as_str().unwrap().to_owned();
    let vitals = json!({"blood_pressure": "183/97"});
    let facts =
        json!({"session_id": session, "chief_complaint": COMPLAINT, "medications": [MEDICINE], "vitals": vitals});
    post(relay, "/api/clinical-contexts", facts).await;
    let messages = format!("/api/sessions/{session}/messages");
    let message = post(relay, &messages, json!({"role": "user", "content": "Please read this."})).await;
    let (http, file) = (reqwest::Client::new(), reqwest::multipart::Part::bytes(LETTER.as_bytes()));
    let form = reqwest::multipart::Form::new().part("file", file.file_name("letter.txt"));
    let url = format!("{}/api/messages/{}/attachments", relay.url, message["id"].as_str().unwrap());
    let sent = http.post(url).bearer_auth(KEY).multipart(form).send().await.unwrap();
    let sent: Value = serde_json::from_str(&sent.text().await.unwrap()).unwrap();
    let record = format!("{}/api/attachments/{}", relay.url, sent["id"].as_str().unwrap());
    eventually("the file is not read", Duration::from_secs(30), async || {
        let read = http.get(&record).bearer_auth(KEY).send().await.unwrap().text().await.unwrap();
        read.contains("\"state\":\"ready\"")
    })
    .await;
    let promise = post(relay, "/voice/realtime-session", json!({"conversation_id": session})).await;
    Client::join_with(relay, promise["client_secret"]["value"].as_str().unwrap()).await
}

fn traced(config: &str) -> String {
    config.replace("level = \"info\"", "level = \"trace\"")
}

/// The instructions of a prompt.
fn instructions(prompt: &[(String, String)]) -> String {
    let system = prompt.iter().filter(|(role, _)| role == "system" || role == "developer");
    system.map(|(_, text)| text.as_str()).collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn each_vendor_of_a_chain_is_told_what_it_may_be_told() {
    let vendors = Vendors::start(REPLY).await;
    vendors.hear(Truth::Words(words_of("austen-0930"), Duration::from_secs(2)));
    let sections = format!("[clinical]\ncleared = [\"deepseek\"]\nattachments = true\n{}", vendors.configuration());
    let relay = Relay::launch(&traced(&configuration(CHAINS, "", &sections)), &[]).await;
    let mut client = patient(&relay).await;
    vendors.lose(Vendor::Claude, Fate::Die(9));
    client.speak(&recording("austen-0930")).await;
    let answer = client.answer().await;
    assert_eq!((answer.status(), answer.text().trim_end()), ("completed", REPLY));

    let requests = vendors.requests();
    let of =
        |vendor: Vendor| -> Vec<_> { requests.iter().filter(|(of, _)| *of == vendor).map(|(_, text)| text).collect() };
    let (claude, deepseek) = (of(Vendor::Claude), of(Vendor::DeepSeek));
    assert_eq!((claude.len(), deepseek.len()), (1, 1), "one began the reply, the other ended it");
    assert_eq!(held(claude[0]), Vec::<&str>::new(), "who is not cleared is told nothing: {}", claude[0]);
    assert!(!claude[0].contains("183/97") && !claude[0].contains("letter.txt") && !claude[0].contains("linical"));
    assert_eq!(held(deepseek[0]), PLANTED);
    let prompts = vendors.prompts();
    let told = instructions(&prompts[1]);
    assert!(told.contains(&format!(
        "Chief complaint: {COMPLAINT}\nMedications:\n- {MEDICINE}\nVitals:\n- Blood pressure: 183/97 mmHg\n"
    )));
    assert!(told.contains(&format!("File \"letter.txt\":\n> {LETTER}\n")), "{told}");

    // A cleared vendor that refuses, and says of the request all that was in it.
    vendors.meet(|vendor| match vendor {
        Vendor::Claude => Fate::Refuse(500),
        Vendor::DeepSeek => Fate::Quote(400),
        Vendor::Ear | Vendor::Aura | Vendor::Eleven => Fate::Well,
    });
    let refused = client.asks("And now?", json!({})).await;
    assert_eq!(refused.status(), "failed");
    let told = serde_json::to_string(&refused.events).unwrap();
    assert_eq!(held(&told), Vec::<&str>::new(), "{told}");
    client.leave().await;
    is_untold(&relay);
}

#[tokio::test]
async fn a_speech_to_speech_model_is_told_only_if_it_is_cleared() {
    for cleared in [true, false] {
        let (ours, theirs) = (Vendors::start(REPLY).await, Vendors::start(REPLY).await);
        for vendors in [&ours, &theirs] {
            vendors.hear(Truth::Words(words_of("austen-0930"), Duration::from_secs(2)));
        }
        let second = Relay::start(&theirs, [CHAINS[0], &["deepseek/deepseek-chat"], CHAINS[2]]).await;
        let sections = format!(
            "[clinical]\ncleared = [{}]\n[compatible.second]\nbase_url = \"{}/v1\"\napi_key = \"{KEY}\"\n{}",
            if cleared { "\"second\"" } else { "\"deepseek\"" },
            second.url,
            ours.configuration()
        );
        let config = configuration(CHAINS, &format!("realtime = [{MODEL:?}]"), &sections);
        let relay = Relay::launch(&traced(&config), &[]).await;
        let mut client = patient(&relay).await;
        client.speak(&recording("austen-0930")).await;
        let answer = client.answer().await;
        assert_eq!((answer.status(), answer.text().trim_end()), ("completed", REPLY));
        assert_eq!(ours.prompts().len(), 0, "the model answered by itself");
        let prompts = theirs.prompts();
        assert_eq!(prompts.len(), 1);
        let told = serde_json::to_string(&prompts).unwrap();
        if cleared {
            assert_eq!(held(&told), PLANTED, "{told}");
            assert!(instructions(&prompts[0]).contains(&format!("Medications:\n- {MEDICINE}\n")), "{told}");
        } else {
            assert_eq!(held(&told), ["syringomyelia"], "the letter, and nothing that is clinical: {told}");
        }
        client.leave().await;
        is_untold(&relay);
    }
}

/// Nothing planted is in the log, which tells all there is to tell.
#[track_caller]
fn is_untold(relay: &Relay) {
    let log = relay.log();
    assert!(log.contains("TRACE") && log.contains("session opened"), "the log is there");
    let lines: Vec<_> = log.lines().filter(|line| !held(line).is_empty() || line.contains("183/97")).collect();
    assert!(lines.is_empty(), "{:#?}", &lines[..lines.len().min(3)]);
}
