//! Speech-to-speech: the model behind one relay is another relay, spoken to over its own OpenAI wire. It is lost between
//! turns and amid a reply, and the cascade goes on with all that was said.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    client::{Answer, Client, ONCE, recording, words_of},
    relay::{KEY, Relay, configuration},
    tones,
    vendors::{Truth, Vendors},
};

const CHAINS: [&[&str]; 3] = [&["deepgram/nova-3"], &["deepseek/deepseek-chat"], &["elevenlabs/eleven_flash_v2_5"]];
const MODEL: &str = "second/gpt-realtime";
const FIRST: &str = "austen-0930";
const NEXT: &str = "cards-005";

/// A relay with vendors of its own, and before them a second relay as its speech-to-speech model.
struct Scene {
    ours: Vendors,
    theirs: Vendors,
    relay: Relay,
    second: Relay,
    client: Client,
}

fn ours(words: &str) -> String {
    format!("The first relay has heard {words}. That is all.")
}

fn theirs(words: &str) -> String {
    format!("The second one has heard {words}. So it is.")
}

/// It takes half a minute to be told, so it is under way while its beginning is heard.
fn endless(_: &str) -> String {
    let sentences = (0..60).map(|n| format!("This is sentence {n} of many."));
    sentences.collect::<Vec<_>>().join(" ")
}

impl Scene {
    async fn set() -> Self {
        let (ours, theirs) = (Vendors::start("").await, Vendors::start("").await);
        ours.answer(self::ours);
        theirs.answer(self::theirs);
        let second = Relay::start(&theirs, CHAINS).await;
        let sections = format!(
            "[compatible.second]\nbase_url = \"{}/v1\"\napi_key = \"{KEY}\"\n{}",
            second.url,
            ours.configuration()
        );
        let config = configuration(CHAINS, &format!("realtime = [{MODEL:?}]"), &sections);
        let relay = Relay::launch(&config, &[]).await;
        let client = Client::join(&relay).await;
        let scene = Self { ours, theirs, relay, second, client };
        scene.hear(FIRST);
        scene
    }

    fn hear(&self, name: &str) {
        for vendors in [&self.ours, &self.theirs] {
            vendors.hear(Truth::Words(words_of(name), Duration::from_secs(2)));
        }
    }

    /// Says a recording and hears the answer to its end; there is one, and nothing more.
    async fn turn(&mut self, name: &str) -> Answer {
        self.hear(name);
        self.client.speak(&recording(name)).await;
        let answer = self.client.answer().await;
        is_one(&answer);
        assert_eq!(answer.transcript(), words_of(name));
        self.is_quiet(answer.sound().len()).await;
        answer
    }

    /// Nothing more comes of it while its sound plays.
    async fn is_quiet(&mut self, bytes: usize) {
        let strays = self.client.rest(Duration::from_millis(bytes as u64 / 48 + 600)).await;
        let about = |event: &&Value| {
            ["response.", "input_audio"].iter().any(|kind| event["type"].as_str().unwrap().starts_with(kind))
        };
        assert_eq!(strays.iter().filter(about).collect::<Vec<_>>(), Vec::<&Value>::new());
    }

    fn asked_of_us(&self) -> usize {
        self.ours.prompts().len()
    }
}

/// The utterance was committed once and answered once.
#[track_caller]
fn is_one(answer: &Answer) {
    for kind in ONCE {
        assert_eq!(answer.count(kind), 1, "{kind}");
    }
}

#[track_caller]
fn says(answer: &Answer, text: &str) {
    assert_eq!((answer.status(), answer.text().trim_end()), ("completed", text));
    assert_eq!(tones::tell(text, &tones::heard(&answer.sound()), 0), Ok(()));
}

fn message(role: &str, text: &str) -> (String, String) {
    (role.to_owned(), text.to_owned())
}

/// What was said, without instructions.
fn said(prompt: &[(String, String)]) -> Vec<(String, String)> {
    let said = prompt.iter().filter(|(role, _)| role != "system");
    said.map(|(role, text)| (role.clone(), text.trim_end().to_owned())).collect()
}

#[tokio::test]
async fn a_conversation_is_the_models_own() {
    let mut scene = Scene::set().await;
    says(&scene.turn(FIRST).await, &theirs(&words_of(FIRST)));
    says(&scene.client.asks("Can you read this?", json!({})).await, &theirs("Can you read this?"));
    scene.is_quiet(48_000 * 2).await;
    says(&scene.turn(NEXT).await, &theirs(&words_of(NEXT)));
    let last = scene.theirs.prompts().pop().unwrap();
    let whole = [
        message("user", &words_of(FIRST)),
        message("assistant", &theirs(&words_of(FIRST))),
        message("user", "Can you read this?"),
        message("assistant", &theirs("Can you read this?")),
        message("user", &words_of(NEXT)),
    ];
    assert_eq!(said(&last), whole, "it knows all of it");
    assert_eq!(scene.asked_of_us(), 0, "our own minds are not asked");
    assert_eq!(scene.relay.errors_of(MODEL).await, 0.0);
    assert_eq!(scene.second.metric("voice_relay_live_sessions", &[]).await, 1.0, "one line serves all turns");
}

#[tokio::test]
async fn a_model_that_is_interrupted_knows_what_was_heard_of_it() {
    let mut scene = Scene::set().await;
    scene.theirs.answer(endless);
    scene.client.speak(&recording(FIRST)).await;
    scene.client.until("response.output_audio.delta").await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    scene.theirs.answer(theirs);
    scene.hear(NEXT);
    scene.client.speak(&recording(NEXT)).await;
    let broken = scene.client.answer().await;
    assert_eq!(broken.status(), "cancelled");
    let answer = scene.client.answer().await;
    says(&answer, &theirs(&words_of(NEXT)));
    let prompt = said(&scene.theirs.prompts().pop().unwrap());
    let [first, heard, next] = &prompt[..] else { panic!("{prompt:?}") };
    assert_eq!([first, next], [&message("user", &words_of(FIRST)), &message("user", &words_of(NEXT))]);
    let spoken = tones::words(&heard.1).count();
    assert!(heard.0 == "assistant" && endless("").starts_with(&heard.1), "{heard:?}");
    assert!((5..100).contains(&spoken), "{spoken} words, a tenth of a second each");
    assert_eq!(scene.asked_of_us(), 0);
    assert_eq!(scene.relay.errors_of(MODEL).await, 0.0);
}

#[tokio::test]
async fn a_model_that_dies_between_turns_leaves_the_next_to_the_cascade() {
    let mut scene = Scene::set().await;
    says(&scene.turn(FIRST).await, &theirs(&words_of(FIRST)));
    scene.second.kill().await;
    says(&scene.turn(NEXT).await, &ours(&words_of(NEXT)));
    let whole = [
        message("user", &words_of(FIRST)),
        message("assistant", &theirs(&words_of(FIRST))),
        message("user", &words_of(NEXT)),
    ];
    assert_eq!(said(&scene.ours.prompts().pop().unwrap()), whole, "the cascade knows all of it");
    let lost = scene.relay.errors_of(MODEL).await;
    assert!(lost >= 1.0, "the loss is counted");
    // A conversation does not change its voice twice, and calls nobody who is gone.
    says(&scene.turn(FIRST).await, &ours(&words_of(FIRST)));
    assert_eq!((scene.asked_of_us(), scene.relay.errors_of(MODEL).await), (2, lost));
    assert_eq!(scene.relay.metric("voice_relay_live_sessions", &[]).await, 1.0);
    assert!(scene.relay.log().contains("a speech-to-speech model failed"));
    assert!(!scene.relay.log().contains(KEY) && !scene.relay.log().contains(&words_of(FIRST)), "nothing is told");
}

#[tokio::test]
async fn a_model_that_dies_amid_its_reply_leaves_what_was_heard() {
    let mut scene = Scene::set().await;
    scene.theirs.answer(endless);
    scene.client.speak(&recording(FIRST)).await;
    let mut events = scene.client.until("response.output_audio.delta").await;
    tokio::time::sleep(Duration::from_millis(1_000)).await;
    scene.second.kill().await;
    events.extend(scene.client.answer().await.events);
    let broken = Answer { events };
    is_one(&broken);
    assert!(["incomplete", "failed"].contains(&broken.status()), "{}", broken.status());
    assert_ne!(broken.code(), "", "a reason is told");
    assert!(endless("").starts_with(broken.text().trim_end()), "{}", broken.text());
    let sound = broken.sound();
    assert!(sound.len() >= 48_000, "what had come is played");
    scene.is_quiet(sound.len()).await;

    says(&scene.turn(NEXT).await, &ours(&words_of(NEXT)));
    let prompt = said(&scene.ours.prompts().pop().unwrap());
    let [first, heard, next] = &prompt[..] else { panic!("{prompt:?}") };
    assert_eq!([first, next], [&message("user", &words_of(FIRST)), &message("user", &words_of(NEXT))]);
    assert!(heard.0 == "assistant" && endless("").starts_with(&heard.1), "{heard:?}");
    assert!(tones::words(&heard.1).count() >= 10, "{heard:?}");
    assert_eq!((scene.asked_of_us(), scene.relay.errors_of(MODEL).await), (1, 1.0));
}
