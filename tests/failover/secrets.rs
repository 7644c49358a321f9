//! Keys of all vendors, planted: whatever the relay says, to whomever, none of them is in it; and each vendor is shown its
//! own alone. The stand-ins help the relay to a mistake: what they refuse they answer with all they were sent.

use std::{collections::BTreeSet, path::Path, time::Duration};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::json;

use crate::{
    client::{Client, recording, words_of},
    relay::{KEY, Relay, configuration},
    vendors::{Fate, Truth, Vendor, Vendors},
};

const REPLY: &str = "The sun is far away. It is very warm there, and it will stay so for a long time.";
/// Those that nobody stands in for come first, so each is tried and refused.
const CHAINS: [&[&str]; 3] = [
    &[
        "openai/gpt-4o-transcribe",
        "azure/speech",
        "google/chirp_3",
        "elevenlabs/scribe_v2_realtime",
        "mine/ear",
        "deepgram/nova-3",
        "deepgram/nova-2",
    ],
    &[
        "openai/gpt-4.1-mini",
        "azure/mine",
        "gemini/gemini-flash-latest",
        "mine/mind",
        "anthropic/claude-sonnet-4-5",
        "deepseek/deepseek-chat",
    ],
    &[
        "openai/gpt-4o-mini-tts",
        "azure/speech",
        "google/chirp3-hd",
        "mine/mouth",
        "elevenlabs/eleven_flash_v2_5",
        "deepgram/aura-2-thalia-en",
    ],
];
/// Sections whose keys stand in the environment.
const KEYED: [(&str, &str); 8] = [
    ("openai", "OPENAI_API_KEY"),
    ("azure_openai", "AZURE_OPENAI_API_KEY"),
    ("azure_speech", "AZURE_SPEECH_KEY"),
    ("anthropic", "ANTHROPIC_API_KEY"),
    ("deepgram", "DEEPGRAM_API_KEY"),
    ("deepseek", "DEEPSEEK_API_KEY"),
    ("elevenlabs", "ELEVENLABS_API_KEY"),
    ("gemini", "GEMINI_API_KEY"),
];

/// What is planted of this vendor.
fn planted(section: &str) -> String {
    format!("planted+{section}/4711=")
}

/// Everything that is looked for: whose it is, and the forms it might take.
fn forms() -> Vec<(String, Vec<String>)> {
    let sections = KEYED.iter().map(|(section, _)| *section).chain(["google", "mine"]);
    let planted = sections.map(|section| (section.to_owned(), planted(section)));
    planted.chain([("the relay".to_owned(), KEY.to_owned())]).map(|(whose, key)| (whose, spelled(&key))).collect()
}

/// As it is, in a URL, and in Base64 wherever it begins in what is encoded.
fn spelled(key: &str) -> Vec<String> {
    let encoded = (0..3).map(|before| {
        let text = BASE64_STANDARD.encode(format!("{}{key}", "x".repeat(before)));
        text.trim_end_matches('=')[4..text.len() - 4].to_owned()
    });
    let url: String = form_urlencoded::byte_serialize(key.as_bytes()).collect();
    [key.to_owned(), url].into_iter().chain(encoded).collect()
}

/// Whose keys are in it.
fn found(text: &str) -> BTreeSet<String> {
    let held = forms().into_iter().filter(|(_, forms)| forms.iter().any(|form| text.contains(form.as_str())));
    held.map(|(whose, _)| whose).collect()
}

#[track_caller]
fn is_clean(what: &str, text: &str) {
    let held = found(text);
    let lines: Vec<_> = text.lines().filter(|line| !found(line).is_empty()).collect();
    assert!(held.is_empty(), "{what} tells the keys of {held:?}: {:#?}", &lines[..lines.len().min(5)]);
}

/// The configuration: every vendor is at the stand-ins, so nothing leaves this machine.
fn config(vendors: &Vendors) -> String {
    let at = |name: &str| format!("http://{}/{name}", vendors.address);
    let usual = KEYED.iter().map(|(section, _)| *section).filter(|section| *section != "azure_speech");
    let mut sections: String = usual.map(|name| format!("[{name}]\nbase_url = \"{}\"\n", at(name))).collect();
    let (speech, google) = (at("azure_speech"), at("google"));
    sections += &format!(
        "[azure_speech.settings]\nstt_base_url = \"{speech}\"\ntts_base_url = \"{speech}\"\n\
         [google.settings]\nspeech_url = \"{google}\"\ntts_url = \"{google}\"\naccess_token = \"{}\"\n\
         [compatible.mine]\nbase_url = \"{}\"\napi_key = \"{}\"\n",
        planted("google"),
        at("mine"),
        planted("mine"),
    );
    let more = "realtime = [\"openai/gpt-realtime\", \"gemini/live\", \"azure/live\", \"mine/live\"]";
    configuration(CHAINS, more, &sections).replace("level = \"info\"", "level = \"trace\"")
}

/// A service account's key file, of which the private key is told nobody either.
fn service_account() -> String {
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    let file = json!({"type": "service_account", "project_id": "p", "private_key_id": "k",
        "private_key": key.serialize_pem(), "client_email": "ear@p.iam.gserviceaccount.com"});
    file.to_string()
}

#[tokio::test]
async fn no_key_is_told_anybody_but_its_vendor() {
    let vendors = Vendors::start(REPLY).await;
    vendors.hear(Truth::Words(words_of("austen-0930"), Duration::from_secs(2)));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("google.json").display().to_string();
    std::fs::write(&file, service_account()).unwrap();
    let keys: Vec<_> = KEYED.iter().map(|(section, variable)| (*variable, planted(section))).collect();
    let mut environment: Vec<_> = keys.iter().map(|(name, key)| (*name, key.as_str())).collect();
    environment.extend([("AZURE_SPEECH_REGION", "westeurope"), ("GOOGLE_APPLICATION_CREDENTIALS", &file)]);
    let config = config(&vendors);
    let relay = Relay::launch(&config, &environment).await;

    converse(&relay, &vendors).await;
    ask_around(&relay).await;
    for arguments in [
        &["check"][..],
        &["check", "--live"],
        &["check", "--live", "--json"],
        &["check", "--provider", "deepgram/nova-3"],
        &["check", "--provider", "nobody/x"],
        &["keys", "list"],
        &["serve", "--help"],
        &["talk", "--help"],
        &["--help"],
    ] {
        is_clean(&format!("{arguments:?}"), &relay.runs(arguments, &environment).await);
    }
    mistakes_are_told_without_keys(&relay, &config, &environment).await;
    is_clean("the log", &relay.log());
    files_are_clean(&relay.data());
    each_was_shown_its_own_alone(&vendors);
}

/// Turns with failovers of each kind, and wrong events.
async fn converse(relay: &Relay, vendors: &Vendors) {
    let mut client = Client::join(relay).await;
    let fates: [fn(Vendor) -> Fate; 5] = [
        |_| Fate::Well,
        |vendor| if vendor == Vendor::Ear { Fate::Reset(2) } else { Fate::Well },
        |vendor| if vendor == Vendor::Claude { Fate::Die(9) } else { Fate::Well },
        |vendor| if vendor == Vendor::Eleven { Fate::Corrupt(3) } else { Fate::Well },
        |vendor| if vendor == Vendor::Claude { Fate::Refuse(401) } else { Fate::Refuse(500) },
    ];
    for (fate, turn) in fates.into_iter().zip(0..) {
        vendors.meet(fate);
        client.speak(&recording("austen-0930")).await;
        let answer = client.answer().await;
        assert_eq!(answer.status() == "completed", turn < 4, "{turn}: {} {}", answer.status(), answer.code());
        is_clean("a response", &serde_json::to_string(&answer.events).unwrap());
        let rest = client.rest(Duration::from_millis(answer.sound().len() as u64 / 48 + 500)).await;
        is_clean("what follows", &serde_json::to_string(&rest).unwrap());
    }
    vendors.meet(|_| Fate::Well);
    for wrong in [
        json!({"type": "no.such.event"}),
        json!({"type": "session.update", "session": {"type": "realtime", "audio": {"input": {"transcription": {"model": "openai/none"}}}}}),
        json!({"type": "input_audio_buffer.append", "audio": "!"}),
        json!({"type": "response.create", "response": {"conversation": 5}}),
    ] {
        client.send(wrong).await;
        let event = client.next().await;
        assert_eq!(event["type"], "error", "{event}");
        is_clean("an error", &event.to_string());
    }
    client.leave().await;
}

/// Every path, with the key and without, and requests that cannot be.
async fn ask_around(relay: &Relay) {
    let sound = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/cards-003.wav")).unwrap();
    let http = reqwest::Client::new();
    let mut requests = Vec::new();
    let mut paths: Vec<String> = voice_relay::rest::routes().into_iter().map(|(path, _)| path.into_owned()).collect();
    paths.extend(
        ["/v1/models/openai%2Fgpt-4.1-mini", "/voice/voices?provider=elevenlabs", "/nowhere"].map(str::to_owned),
    );
    for path in &paths {
        let url = format!("{}{path}", relay.url);
        requests.push(http.get(&url).bearer_auth(KEY));
        requests.push(http.get(&url));
        requests.push(http.get(&url).bearer_auth("a-wrong-key"));
        requests.push(http.post(&url).bearer_auth(KEY).body("{"));
    }
    for model in CHAINS[2] {
        let body = json!({"model": model, "input": "It is warm.", "voice": "alloy"}).to_string();
        let request = http.post(format!("{}/v1/audio/speech", relay.url)).bearer_auth(KEY);
        requests.push(request.header("content-type", "application/json").body(body));
    }
    for model in CHAINS[0] {
        let file = reqwest::multipart::Part::bytes(sound.clone()).file_name("sound.wav");
        let form = reqwest::multipart::Form::new().part("file", file).text("model", *model);
        requests.push(http.post(format!("{}/v1/audio/transcriptions", relay.url)).bearer_auth(KEY).multipart(form));
    }
    for request in requests {
        let response = request.timeout(Duration::from_secs(60)).send().await.unwrap();
        let what = format!("{} ({})", response.url(), response.status());
        let headers = format!("{:?}", response.headers());
        let body = response.bytes().await.unwrap_or_default();
        is_clean(&what, &format!("{headers}\n{}", String::from_utf8_lossy(&body)));
    }
}

/// Mistakes in the very lines of the keys.
async fn mistakes_are_told_without_keys(relay: &Relay, config: &str, environment: &[(&str, &str)]) {
    let key = format!("api_key = \"{}\"", planted("mine"));
    let token = format!("access_token = \"{}\"", planted("google"));
    let broken = [
        config.replace(&key, key.trim_end_matches('"')),
        config.replace(&key, &format!("{} and more\"", key.trim_end_matches('"'))),
        config.replace(&key, &format!("apikey = \"{}\"", planted("mine"))),
        config.replace(&key, &format!("api_key = [\"{}\"]", planted("mine"))),
        config.replace(&key, &format!("timeout_seconds = \"{}\"", planted("mine"))),
        config.replace(&token, &format!("access_token = [\"{}\"]", planted("google"))),
        config.replace(&token, &format!("token = \"{}\"", planted("google"))),
        config.replace(&token, &format!("word_times = \"{}\"", planted("google"))),
        config.replace(&token, &format!("access_token = \"{} x\"", planted("google"))),
    ];
    for (broken, times) in broken.iter().zip(1..) {
        assert_ne!(broken, config);
        relay.reload(Some(broken), "the configuration has mistakes", times).await;
        let told = relay.runs(&["check"], environment).await;
        assert!(!told.contains("no mistakes"), "{told}");
        is_clean("a mistake", &told);
    }
}

/// What is kept is kept without keys, and those of the relay's own users as what cannot be read back.
fn files_are_clean(folder: &Path) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_are_clean(&path);
        } else {
            let bytes = std::fs::read(&path).unwrap();
            is_clean(&path.display().to_string(), &String::from_utf8_lossy(&bytes));
        }
    }
}

fn each_was_shown_its_own_alone(vendors: &Vendors) {
    let mut shown = BTreeSet::new();
    for door in vendors.doors() {
        let owner = door.path.split('/').nth(1).unwrap_or_default();
        let held = found(&door.head);
        assert!(held.iter().all(|whose| whose == owner), "{owner} was shown the keys of {held:?}");
        shown.extend(held);
    }
    let all: BTreeSet<_> = forms().into_iter().map(|(whose, _)| whose).filter(|whose| whose != "the relay").collect();
    assert_eq!(shown, all, "each was asked");
}

#[test]
fn keys_are_found_in_every_form() {
    let key = planted("openai");
    for before in ["", "B", "Be", "Bearer "] {
        assert_eq!(found(&BASE64_STANDARD.encode(format!("{before}{key}, and more"))).len(), 1, "{before}");
    }
    assert_eq!(found("a planted%2Bopenai%2F4711%3D b").len(), 1);
    assert_eq!(found(&format!("{{\"authorization\": \"Token {key}\"}}")).len(), 1);
    assert!(found("planted").is_empty());
}
