//! A call is heard and answered in every dialect, can be interrupted, and remembers what was heard of it.

use std::time::Duration;

use audio::Encoding;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use crate::{
    gateway::{Gateway, of},
    server::{Script, Server},
    vendors::{ALL, Vendor},
};

const RAW: Vendor = Vendor::Raw(Encoding::Pcm16, 16_000);

/// How long something sounds, in steps of 20 ms.
fn sounding(vendor: Vendor, samples: &[i16]) -> Duration {
    let step = vendor.rate().samples_in(Duration::from_millis(20));
    let loud = samples.chunks(step).filter(|step| step.iter().any(|sample| sample.unsigned_abs() > 1_000)).count();
    Duration::from_millis(20) * loud as u32
}

fn millis(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A long answer to the first thing that is said.
fn monologue(hears: Vec<&'static str>) -> Script {
    let replies = vec!["This is a long answer that goes on and on for quite a while.", "Very well."];
    Script { hears, replies, clause: Some(millis(6_000)), ..Script::default() }
}

/// A call in which the assistant is two seconds into its answer.
async fn mid_answer(server: &Server, vendor: Vendor, late: Duration) -> Gateway {
    let token = server.token(json!({"type": "realtime"})).await;
    let mut call = Gateway::call(&server.url, vendor, &token, late).await;
    call.says("cards-001");
    call.until("two seconds of the answer", |heard| heard.played >= 100).await;
    call
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_in_every_dialect_is_heard_and_answered() {
    let mut calls = Vec::new();
    let others = [Vendor::Raw(Encoding::Alaw, 8_000), Vendor::Raw(Encoding::Pcm16, 48_000), Vendor::Opus];
    for vendor in ALL.into_iter().chain(others) {
        calls.push(tokio::spawn(async move {
            let server = Server::start(Script { hears: vec!["ten of clubs"], ..Script::default() }).await;
            let token = server.token(json!({"type": "realtime", "instructions": "Be brief."})).await;
            let mut call = Gateway::call(&server.url, vendor, &token, millis(60)).await;
            call.says("cards-001");
            // "You said: ten of clubs": 60 ms a character.
            let whole = millis(60 * 22);
            let heard =
                call.until("the whole answer", |heard| sounding(vendor, &heard.sound) + millis(40) >= whole).await;
            assert_eq!(heard.clears, [], "{vendor:?}");
            call.hang_up();
            let history = server.history(2).await;
            let said = [("user", "ten of clubs"), ("assistant", "You said: ten of clubs")];
            assert_eq!(history, said.map(|(role, text)| (role.to_owned(), text.to_owned())), "{vendor:?}");
            server.is_empty().await;
            let heard = call.now();
            assert!(sounding(vendor, &heard.sound) <= whole + millis(60), "{vendor:?}: nothing is said twice");
        }));
    }
    for call in calls {
        call.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_speaks_over_the_answer_silences_it_at_once_and_it_is_cut_where_it_was_heard() {
    for late in [millis(60), millis(400)] {
        let server = Server::start(monologue(vec!["ten of clubs", "stop it"])).await;
        let mut call = mid_answer(&server, RAW, late).await;
        let before = call.now();
        call.says("austen-0880");
        let heard = call.until("a clear", |heard| !heard.clears.is_empty()).await;
        let (at, dropped) = heard.clears[0];
        let waited = call.length(at - before.sound.len());
        println!("late {late:?}: cleared {waited:?} after the caller began; {dropped} packets were thrown away");
        // The voice detector takes some 100 ms to be sure.
        assert!(waited < millis(400), "{waited:?}");
        let truncated = call.event("conversation.item.truncated", 1).await;
        let told = millis(truncated["audio_end_ms"].as_u64().unwrap());
        let played = sounding(RAW, &heard.sound[..at]);
        println!("late {late:?}: told {told:?}, played {played:?}");
        assert!(told.abs_diff(played) <= millis(60), "told {told:?}, played {played:?}");

        call.until("the second answer", |heard| of(heard, "response.done").count() >= 2).await;
        let now = call.now();
        assert_eq!(of(&now, "output_audio_buffer.cleared").count(), 1);
        let done: Vec<_> = of(&now, "response.done").map(|event| event["response"]["status"].clone()).collect();
        assert_eq!(done, ["cancelled", "completed"]);
        assert_eq!(of(&now, "response.output_audio.delta").count(), 0, "sound does not go as events");
        call.hang_up();
        let history = server.history(4).await;
        assert!(history[1].1.len() < 40 && "This is a long answer".starts_with(&history[1].1[..10]), "{history:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sound_in_which_nothing_was_said_only_holds_the_answer() {
    for vendor in [Vendor::Twilio, RAW] {
        // The answer is spoken in two clauses.
        let script = Script { clause: Some(millis(3_000)), ..monologue(vec!["ten of clubs", ""]) };
        let server = Server::start(script).await;
        let mut call = mid_answer(&server, vendor, millis(300)).await;
        let speech = crate::gateway::recording("austen-0880", vendor.rate());
        let rate = vendor.rate();
        call.say(speech[rate.samples_in(millis(300))..rate.samples_in(millis(700))].to_vec());
        let heard =
            call.until("the whole answer", |heard| sounding(vendor, &heard.sound) + millis(60) >= millis(6_000)).await;
        assert!(!heard.clears.is_empty(), "it was not held");
        // Who hangs up before the last mark is back has not been heard to hear it all.
        let heard = call.until("a second more", |now| now.sound.len() >= heard.sound.len() + rate_of(vendor)).await;
        let length = sounding(vendor, &heard.sound);
        assert!(length < millis(6_000 + 100), "{length:?}: more than a moment is said twice");
        call.hang_up();
        let history = server.history(3).await;
        assert!(history.iter().any(|(_, text)| text.ends_with("for quite a while.")), "{history:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_are_told_as_events_and_answered_as_one_message() {
    let server = Server::start(Script::default()).await;
    let token = server.token(json!({"type": "realtime"})).await;
    let mut call = Gateway::call(&server.url, RAW, &token, millis(60)).await;
    call.press("42#");
    let key = call.event("input_audio_buffer.dtmf_event_received", 3).await;
    assert_eq!((&key["event"], key["received_at"].is_u64()), (&json!("#"), true));
    call.event("response.done", 1).await;
    let heard = call.now();
    let said = of(&heard, "response.output_audio_transcript.done").next().unwrap();
    assert_eq!(said["transcript"], "You said: [The caller pressed on the keypad: 42#]");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_in_every_dialect_stops_the_answer() {
    for vendor in ALL {
        let server = Server::start(monologue(vec!["ten of clubs"])).await;
        let mut call = mid_answer(&server, vendor, millis(100)).await;
        call.press("5");
        let heard = call.until("a clear", |heard| !heard.clears.is_empty()).await;
        let played = heard.played;
        // A second later nothing more was played: the pause that ends a number lasts longer.
        call.until("a second of silence", |now| now.sound.len() >= heard.sound.len() + rate_of(vendor)).await;
        assert_eq!(call.now().played, played, "{vendor:?}");
    }
}

fn rate_of(vendor: Vendor) -> usize {
    vendor.rate().hertz() as usize
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_who_hangs_up_in_the_middle_of_a_word_leaves_nothing_behind() {
    for vendor in ALL {
        let server = Server::start(Script { hears: vec!["ten of"], ..Script::default() }).await;
        let token = server.token(json!({"type": "realtime"})).await;
        let mut call = Gateway::call(&server.url, vendor, &token, millis(60)).await;
        let speech = crate::gateway::recording("austen-0870", vendor.rate());
        call.say(speech[..vendor.rate().samples_in(millis(1_500))].to_vec());
        call.until("half a sentence", |heard| heard.said).await;
        call.hang_up();
        server.is_empty().await;
        let heard = call.until("the goodbye", |heard| heard.closed.is_some()).await;
        println!("{vendor:?}: {:?}", heard.closed);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_assistant_greets_where_it_is_asked_to() {
    let server = Server::start(Script { replies: vec!["Good morning."], ..Script::default() }).await;
    let token = server.token(json!({"type": "realtime"})).await;
    let parameters = json!({"token": token, "greeting": "Greet the caller."});
    let mut call = Gateway::call_with(&server.url, RAW, parameters, millis(60)).await;
    call.event("response.done", 1).await;
    let heard = call.now();
    assert_eq!(of(&heard, "response.output_audio_transcript.done").next().unwrap()["transcript"], "Good morning.");
    assert_eq!(of(&heard, "input_audio_buffer.speech_started").count(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_follows_and_steers_its_session_by_events() {
    let server = Server::start(Script::default()).await;
    let token = server.token(json!({"type": "realtime", "instructions": "Be brief."})).await;
    let mut call = Gateway::call(&server.url, RAW, &token, millis(60)).await;
    assert_eq!(call.event("session.created", 1).await["session"]["instructions"], "Be brief.");
    let update = json!({"type": "session.update", "session": {"type": "realtime", "instructions": "Be kind."}});
    call.send(Message::text(update.to_string()));
    assert_eq!(call.event("session.updated", 1).await["session"]["instructions"], "Be kind.");
    call.send(Message::text(json!({"type": "nonsense"}).to_string()));
    assert_eq!(call.event("error", 1).await["error"]["type"], "invalid_request_error");
    call.says("cards-001");
    call.event("output_audio_buffer.stopped", 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn packets_that_overtake_each_other_are_put_in_order() {
    let server = Server::start(Script { hears: vec!["ten of clubs"], ..Script::default() }).await;
    let token = server.token(json!({"type": "realtime"})).await;
    let mut socket = crate::gateway::dial(&server.url, "/telephony/telnyx", &[]).await;
    let vendor = Vendor::Telnyx;
    use futures_util::{SinkExt, StreamExt};
    for message in vendor.begin(&json!({"token": token})) {
        socket.send(message).await.unwrap();
    }
    let mut samples = crate::gateway::recording("cards-001", vendor.rate());
    samples.resize(samples.len() + 8_000, 0);
    let mut packets: Vec<_> = (1..).zip(vendor.packets(&samples)).collect();
    packets.chunks_exact_mut(3).for_each(|three| three.swap(0, 2));
    for (chunk, packet) in packets {
        socket.send(vendor.sound(chunk, &packet)).await.unwrap();
    }
    let answered = async {
        while let Some(Ok(message)) = socket.next().await {
            if let crate::vendors::Told::Sound(_) = vendor.read(&message) {
                return;
            }
        }
        panic!("no answer");
    };
    tokio::time::timeout(crate::server::PATIENCE, answered).await.expect("an answer");
}
