//! What a conversation costs: while it runs, and on its record afterwards.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt;
use providers::{
    LanguageModel, RealtimeModel, SpeechToText, TextToSpeech,
    layers::{Observed, Observer},
    scripted,
};
use reqwest::Method;
use serde_json::{Value, json};
use voice_relay::{
    cost::{self, Prices},
    metrics::ProviderMeter,
    realtime::{Providers, admission::Admission},
};

use crate::{
    live::{next, owner, send},
    server::{Answer, Server},
};

/// A relay whose mind and mouth charge, and whose ear has no price.
async fn relay() -> Server {
    Server::with(|context| {
        let meter: Arc<dyn Observer> = Arc::new(ProviderMeter::new(context.engine.clock.clone()));
        let plain = context.providers.clone();
        context.providers = Providers {
            stt: Arc::new(Observed::<dyn SpeechToText>::new("acme/ear", meter.clone(), plain.stt)),
            llm: Arc::new(Observed::<dyn LanguageModel>::new("acme/mind", meter.clone(), plain.llm)),
            tts: Arc::new(Observed::<dyn TextToSpeech>::new("acme/mouth", meter, plain.tts)),
            ..plain
        };
        let list = vec!["acme/mind output=1000".to_owned(), "acme/mouth characters=10".to_owned()];
        let prices = Prices::new(&cost::Config { list, ..cost::Config::default() });
        context.engine.admission = Admission::new(10, 10).with_prices(prices);
    })
    .await
}

/// Asks again until the answer is right.
async fn until(server: &Server, path: &str, right: impl Fn(&Value) -> bool) -> Value {
    let asking = async {
        loop {
            let answer = server.get(path).await.body;
            if right(&answer) {
                return answer;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), asking).await.unwrap_or_else(|_| panic!("{path} never was right"))
}

#[tokio::test]
async fn a_conversation_knows_its_cost_while_it_lives_and_keeps_it_afterwards() {
    let server = relay().await;
    let mut socket = owner(&server, "?model=gpt-realtime").await;
    next(&mut socket, "session.created").await;
    let listed = server.get("/voice/sessions").await.body;
    let id = listed["items"][0]["id"].as_str().unwrap().to_owned();
    assert!(listed["items"][0]["cost"].is_null(), "nothing was spent yet");
    let content = json!([{"type": "input_text", "text": "Are you there?"}]);
    let item = json!({"type": "message", "role": "user", "content": content});
    send(&mut socket, json!({"type": "conversation.item.create", "item": item})).await;
    send(&mut socket, json!({"type": "response.create"})).await;
    let done = next(&mut socket, "response.done").await;
    assert_eq!(done["response"]["status"], "completed", "{done}");

    let live = until(&server, &format!("/voice/sessions/{id}"), |live| {
        live["cost"]["by_provider"].as_object().is_some_and(|engines| engines.len() == 2)
    })
    .await;
    assert_eq!((&live["state"], &live["cost"]["currency"]), (&json!("live"), &json!("USD")));
    let (mind, mouth) = (&live["cost"]["by_provider"]["acme/mind"], &live["cost"]["by_provider"]["acme/mouth"]);
    let tokens = done["response"]["usage"]["output_tokens"].as_u64().unwrap();
    assert_eq!(mind["output_tokens"], tokens);
    let spoken = done["response"]["output"][0]["content"][0]["transcript"].as_str().unwrap();
    let characters = mouth["characters"].as_u64().unwrap();
    assert!(characters > 0 && characters <= spoken.chars().count() as u64, "{characters} of {spoken}");
    assert!(mouth["audio_out_seconds"].as_f64().unwrap() > 0.0);
    let total = live["cost"]["total"].as_f64().unwrap();
    assert!((total - tokens as f64 / 1e3 - characters as f64 / 1e2).abs() < 1e-6, "{total}");

    // What a crash would leave: the record is charged while the session lives.
    let path = format!("/api/sessions/{}", live["conversation_id"].as_str().unwrap());
    until(&server, &path, |kept| kept["cost"]["by_provider"]["acme/mind"].is_object()).await;
    socket.close(None).await.unwrap();
    while socket.next().await.is_some() {}
    until(&server, &format!("/voice/sessions/{id}"), |session| session["state"] == "ended").await;
    let kept = until(&server, &path, |kept| kept["cost"] == live["cost"]).await;
    assert_eq!(kept["cost"]["unknown"], json!([]));
}

#[tokio::test]
async fn a_speech_to_speech_model_charges_for_sound_both_ways_and_for_tokens() {
    let server = Server::with(|context| {
        let meter: Arc<dyn Observer> = Arc::new(ProviderMeter::new(context.engine.clock.clone()));
        let model: Arc<dyn RealtimeModel> = Arc::new(scripted::RealtimeModel::default());
        let observed = Observed::<dyn RealtimeModel>::new("acme/talker", meter, model);
        context.providers.realtime = Some(Arc::new(observed));
        let list = vec!["acme/talker minute=0.6 minute_out=1.2 output=1000".to_owned()];
        let prices = Prices::new(&cost::Config { list, ..cost::Config::default() });
        context.engine.admission = Admission::new(10, 10).with_prices(prices);
    })
    .await;
    let mut socket = owner(&server, "?model=gpt-realtime").await;
    next(&mut socket, "session.created").await;
    let id = server.get("/voice/sessions").await.body["items"][0]["id"].as_str().unwrap().to_owned();
    let update = json!({"type": "realtime", "audio": {"input": {"turn_detection": null}}});
    send(&mut socket, json!({"type": "session.update", "session": update})).await;
    next(&mut socket, "session.updated").await;
    let second = "AAAA".repeat(24_000 * 2 / 3);
    send(&mut socket, json!({"type": "input_audio_buffer.append", "audio": second})).await;
    send(&mut socket, json!({"type": "input_audio_buffer.commit"})).await;
    send(&mut socket, json!({"type": "response.create"})).await;
    let done = next(&mut socket, "response.done").await;
    assert_eq!(done["response"]["status"], "completed", "{done}");
    let talker = |session: &Value| session["cost"]["by_provider"]["acme/talker"].clone();
    let live = until(&server, &format!("/voice/sessions/{id}"), |live| talker(live)["output_tokens"].is_u64()).await;
    let spent = talker(&live);
    let number = |key: &str| spent[key].as_f64().unwrap();
    assert_eq!(spent["output_tokens"], done["response"]["usage"]["output_tokens"]);
    assert!((0.9..=1.1).contains(&number("audio_in_seconds")), "{spent}");
    let words = done["response"]["output"][0]["content"][0]["transcript"].as_str().unwrap().split(' ').count();
    assert!((number("audio_out_seconds") - 0.3 * words as f64).abs() < 1e-6, "{spent} for {words} words");
    let expected =
        number("audio_in_seconds") * 0.01 + number("audio_out_seconds") * 0.02 + number("output_tokens") / 1e3;
    assert!((number("cost") - expected).abs() < 1e-6, "{spent}");
    assert_eq!(live["cost"]["by_provider"].as_object().unwrap().get("acme/mind"), None);
    let path = format!("/api/sessions/{}", live["conversation_id"].as_str().unwrap());

    socket.close(None).await.unwrap();
    while socket.next().await.is_some() {}
    until(&server, &format!("/voice/sessions/{id}"), |session| session["state"] == "ended").await;
    let kept = until(&server, &path, |kept| talker(kept).is_object()).await;
    assert_eq!(talker(&kept), spent);
}

#[tokio::test]
async fn what_has_no_price_is_named_and_left_out_of_the_total() {
    let server = relay().await;
    let mut socket = owner(&server, "?intent=transcription").await;
    next(&mut socket, "session.created").await;
    let id = server.get("/voice/sessions").await.body["items"][0]["id"].as_str().unwrap().to_owned();
    let update = json!({"type": "transcription", "audio": {"input": {"turn_detection": null}}});
    send(&mut socket, json!({"type": "session.update", "session": update})).await;
    next(&mut socket, "session.updated").await;
    let second = "AAAA".repeat(24_000 * 2 / 3);
    send(&mut socket, json!({"type": "input_audio_buffer.append", "audio": second})).await;
    send(&mut socket, json!({"type": "input_audio_buffer.commit"})).await;
    next(&mut socket, "conversation.item.input_audio_transcription.completed").await;
    let live = until(&server, &format!("/api/voice/sessions/{id}"), |live| live["cost"].is_object()).await;
    assert_eq!(live["cost"]["unknown"], json!(["acme/ear"]));
    assert_eq!(live["cost"]["total"], 0.0);
    let heard = live["cost"]["by_provider"]["acme/ear"]["audio_in_seconds"].as_f64().unwrap();
    assert!((0.9..=1.1).contains(&heard), "{heard}");
    assert!(live["cost"]["by_provider"]["acme/ear"]["cost"].is_null());
}

#[tokio::test]
async fn what_others_spend_is_none_of_ones_business() {
    let server = relay().await;
    let mut socket = owner(&server, "?model=gpt-realtime").await;
    next(&mut socket, "session.created").await;
    let id = server.get("/voice/sessions").await.body["items"][0]["id"].as_str().unwrap().to_owned();
    let (_, key) = server.stranger().await;
    let asked = server.bare(Method::GET, &format!("/voice/sessions/{id}")).bearer_auth(key);
    Answer::of(asked).await.problem(404);
}
