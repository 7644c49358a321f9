//! Real ears and voices on the telephone's narrow band: the embedded engines, where their models (`VOICE_RELAY_MODELS`) are.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use audio::{Clip, Decoder, Encoding, SampleRate, wav};
use base64::{Engine, prelude::BASE64_STANDARD};
use futures_util::{SinkExt, StreamExt};
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};
use tokio_tungstenite::tungstenite::Message;

use crate::{
    gateway::{Gateway, dial, recording},
    vendors::Vendor,
};

const KEY: &str = "an-admin-key-of-tests";

/// Inference on two cores beside other tests takes its time.
const PATIENCE: Duration = Duration::from_secs(120);

/// The binary, with the embedded engines.
struct Relay {
    url: String,
    _child: Child,
    _folder: tempfile::TempDir,
}

impl Relay {
    /// `None`, said loudly, where the models are missing.
    async fn start() -> Option<Self> {
        let models = std::env::var_os("VOICE_RELAY_MODELS").map(PathBuf::from);
        let Some(models) = models.filter(|path| path.join("whisper-base.ggml").exists()) else {
            eprintln!("\n!!! SKIPPED: no models; set VOICE_RELAY_MODELS !!!\n");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        let config = format!(
            "[providers]\nstt = ['local/whisper-base']\nllm = ['local/agent']\ntts = ['local/hibari', 'local/flite']\n\
             turn = ''\n[models]\ndir = {:?}\n",
            models.canonicalize().unwrap().display().to_string()
        );
        fs::write(folder.path().join("config.toml"), config).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_voice-relay"));
        command.arg("--config").arg(folder.path().join("config.toml"));
        command.arg("--data-dir").arg(folder.path().join("data")).args(["serve", "--listen", "127.0.0.1:0"]);
        command.env("VOICE_RELAY_ADMIN_KEY", KEY).env_remove("VOICE_RELAY_MODELS").env("NO_COLOR", "1");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let serving = async {
            loop {
                let line = lines.next_line().await.unwrap().expect("the relay does not start");
                if let Some((_, url)) = line.split_once(" serves on ") {
                    return url.trim().to_owned();
                }
            }
        };
        let url = tokio::time::timeout(PATIENCE, serving).await.expect("the relay does not serve in time");
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Some(Self { url, _child: child, _folder: folder })
    }

    async fn get(&self, path: &str) -> Value {
        let request = reqwest::Client::new().get(format!("{}{path}", self.url)).bearer_auth(KEY);
        request.send().await.unwrap().json().await.unwrap()
    }

    async fn token(&self) -> String {
        let request = reqwest::Client::new().post(format!("{}/v1/realtime/client_secrets", self.url));
        let request = request.bearer_auth(KEY).json(&json!({"session": {"type": "realtime"}}));
        request.send().await.unwrap().json::<Value>().await.unwrap()["value"].as_str().unwrap().to_owned()
    }

    /// What its own ear makes of this.
    async fn transcribed(&self, samples: Vec<i16>, rate: SampleRate) -> String {
        let wav = wav::write(&Clip::new(rate, samples), Encoding::Pcm16);
        let form = Form::new().part("file", Part::bytes(wav).file_name("sound.wav")).text("model", "whisper-1");
        let request = reqwest::Client::new().post(format!("{}/v1/audio/transcriptions", self.url)).bearer_auth(KEY);
        let answer: Value = request.multipart(form).timeout(PATIENCE).send().await.unwrap().json().await.unwrap();
        answer["text"].as_str().unwrap().to_owned()
    }

    /// The messages of the session at hand, once there are so many that say something.
    async fn messages(&self, count: usize) -> Vec<String> {
        let reading = async {
            loop {
                let sessions = self.get("/api/sessions").await;
                if let Some(id) = sessions["items"][0]["id"].as_str() {
                    let read = self.get(&format!("/api/sessions/{id}/messages")).await;
                    let texts = read["items"].as_array().into_iter().flatten();
                    let texts: Vec<_> = texts.filter_map(|item| item["content"].as_str().map(str::to_owned)).collect();
                    if texts.len() >= count {
                        return texts;
                    }
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        };
        tokio::time::timeout(PATIENCE, reading).await.expect("not all of it is kept")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_telephone_call_is_understood_and_its_answer_can_be_understood() {
    let Some(relay) = Relay::start().await else { return };
    for vendor in [Vendor::Twilio, Vendor::Vonage] {
        let token = relay.token().await;
        let mut call = Gateway::call(&relay.url, vendor, &token, Duration::from_millis(100)).await;
        call.says("austen-0880");
        let heard = patient(call.until("a second of the answer", |heard| heard.played > 50)).await;
        let mut quiet = (heard.played, heard.sound.len());
        // The answer is over once nothing was played for two seconds.
        loop {
            let more = quiet.1 + 2 * vendor.rate().hertz() as usize;
            let heard = call.until("two more seconds", |heard| heard.sound.len() >= more).await;
            if heard.played == quiet.0 {
                break;
            }
            quiet = (heard.played, heard.sound.len());
        }
        let heard = call.now();
        call.hang_up();
        let said = relay.messages(2).await;
        let (errors, of) = wrong(&words_of("austen-0880"), &said[0]);
        let answer = relay.transcribed(heard.sound, vendor.rate()).await;
        let (garbled, words) = wrong(&said[1], &answer);
        println!("{vendor:?}: {errors} of {of} words of the caller wrong: {}", said[0]);
        println!("{vendor:?}: {garbled} of {words} words of the answer wrong: {answer:?} for {:?}", said[1]);
        assert!(errors * 4 <= of, "{errors} of {of}");
        assert!(garbled * 4 <= words, "{garbled} of {words}");
        relay.forget().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_laws_are_understood_over_the_realtime_protocol() {
    let Some(relay) = Relay::start().await else { return };
    for (kind, encoding) in [("audio/pcmu", Encoding::Ulaw), ("audio/pcma", Encoding::Alaw)] {
        let bearer = format!("Bearer {KEY}");
        let mut socket = dial(&relay.url, "/v1/realtime?model=gpt-realtime", &[("authorization", &bearer)]).await;
        let format = json!({"type": kind});
        let input = json!({"format": format, "transcription": {"model": "whisper-1"}});
        let session = json!({"type": "realtime", "audio": {"input": input, "output": {"format": format}}});
        let mut send = Vec::from([json!({"type": "session.update", "session": session})]);
        let mut samples = recording("austen-0930", SampleRate::HZ_8000);
        samples.resize(samples.len() + 8_000, 0);
        for chunk in samples.chunks(800) {
            let mut bytes = Vec::new();
            encoding.encode(chunk, &mut bytes);
            send.push(json!({"type": "input_audio_buffer.append", "audio": BASE64_STANDARD.encode(bytes)}));
        }
        for event in send {
            socket.send(Message::text(event.to_string())).await.unwrap();
        }
        let (mut said, mut answer, mut sound) = (String::new(), String::new(), Vec::new());
        let listening = async {
            while let Some(Ok(message)) = socket.next().await {
                let Message::Text(text) = message else { continue };
                let event: Value = serde_json::from_str(&text).unwrap();
                match event["type"].as_str().unwrap() {
                    "error" => panic!("{event}"),
                    "conversation.item.input_audio_transcription.completed" => {
                        said = event["transcript"].as_str().unwrap().to_owned();
                    }
                    "response.output_audio.delta" => {
                        sound.extend(BASE64_STANDARD.decode(event["delta"].as_str().unwrap()).unwrap());
                    }
                    "response.output_audio_transcript.done" => {
                        answer = event["transcript"].as_str().unwrap().to_owned();
                    }
                    "response.done" => return,
                    _ => {}
                }
            }
        };
        patient(listening).await;
        let mut heard = Vec::new();
        Decoder::new(encoding).decode(&sound, &mut heard);
        let (errors, of) = wrong(&words_of("austen-0930"), &said);
        let understood = relay.transcribed(heard, SampleRate::HZ_8000).await;
        let (garbled, words) = wrong(&answer, &understood);
        println!("{kind}: {errors} of {of} words wrong: {said}");
        println!("{kind}: {garbled} of {words} words of the answer wrong: {understood:?} for {answer:?}");
        assert!(errors * 4 <= of && garbled * 4 <= words);
    }
}

impl Relay {
    /// Removes what is kept, so that the next session is the first again.
    async fn forget(&self) {
        let sessions = self.get("/api/sessions").await;
        for session in sessions["items"].as_array().unwrap() {
            let url = format!("{}/api/sessions/{}", self.url, session["id"].as_str().unwrap());
            reqwest::Client::new().delete(url).bearer_auth(KEY).send().await.unwrap();
        }
    }
}

async fn patient<T>(waited: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, waited).await.expect("in time")
}

/// The words of a recording.
fn words_of(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/transcripts.tsv");
    let table = fs::read_to_string(path).unwrap();
    let line = table.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(".wav\t").map(str::to_owned));
    line.unwrap_or_else(|| panic!("{name} has no transcript"))
}

/// How many words are wrong, of those that should be there.
fn wrong(reference: &str, heard: &str) -> (usize, usize) {
    let words = |text: &str| -> Vec<String> {
        let letters = |word: &str| word.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
        let text = text.to_lowercase().replace('-', " ");
        text.split_whitespace().map(letters).filter(|word| !word.is_empty()).collect()
    };
    let (reference, heard) = (words(reference), words(heard));
    let mut row: Vec<usize> = (0..=heard.len()).collect();
    for (at, word) in reference.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], at + 1);
        for (n, other) in heard.iter().enumerate() {
            let cost = (diagonal + usize::from(word != other)).min(row[n] + 1).min(row[n + 1] + 1);
            diagonal = std::mem::replace(&mut row[n + 1], cost);
        }
    }
    (row[heard.len()], reference.len())
}
