//! A second controller of a call: told what the caller is told, with the same powers, and no part of the call's life.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest},
};

use crate::{
    caller::{Caller, PATIENCE},
    relay::{Script, relay},
    server::Server,
    talking::recording,
};

struct Controller(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Controller {
    /// Attaches to a call.
    async fn attach(relay: &Server, caller: &Caller) -> Self {
        let call = caller.location.rsplit('/').next().unwrap();
        assert!(call.starts_with("rtc_"), "{call}");
        let url = format!("{}/v1/realtime?call_id={call}", relay.url.replacen("http", "ws", 1));
        let mut request = url.into_client_request().unwrap();
        request.headers_mut().insert("authorization", format!("Bearer {}", relay.key).parse().unwrap());
        Self(connect_async(request).await.unwrap().0)
    }

    async fn send(&mut self, event: Value) {
        self.0.send(Message::text(event.to_string())).await.unwrap();
    }

    /// The next event; `None` after the goodbye.
    async fn next(&mut self) -> Option<Value> {
        loop {
            match tokio::time::timeout(PATIENCE, self.0.next()).await.expect("the relay is silent")?.unwrap() {
                Message::Text(text) => return Some(serde_json::from_str(&text).unwrap()),
                Message::Close(frame) => {
                    assert_eq!(u16::from(frame.unwrap().code), 1000);
                    return None;
                }
                Message::Ping(_) | Message::Pong(_) | Message::Binary(_) | Message::Frame(_) => {}
            }
        }
    }

    async fn until(&mut self, kind: &str) -> Vec<Value> {
        let mut events = Vec::new();
        while events.last().is_none_or(|last: &Value| last["type"] != kind) {
            let event = self.next().await.expect("the call goes on");
            assert_ne!(event["type"], "error", "{event}");
            events.push(event);
        }
        events
    }
}

#[tokio::test]
async fn a_backend_follows_a_call_and_steers_it() {
    let relay = relay(Script::default()).await;
    let mut caller = Caller::call(&relay.url, &relay.key).await;
    let mut backend = Controller::attach(&relay, &caller).await;
    let greeted = backend.next().await.unwrap();
    assert_eq!(greeted["type"], "session.created");

    backend.send(json!({"type": "session.update", "session": {"type": "realtime", "instructions": "Be brief."}})).await;
    let updated = caller.until("session.updated").await.pop().unwrap();
    assert_eq!(updated["session"]["instructions"], "Be brief.");
    assert_eq!(updated["session"]["id"], greeted["session"]["id"]);

    caller.say(&recording("question"));
    let told = caller.until("output_audio_buffer.stopped").await;
    let followed = backend.until("output_audio_buffer.stopped").await;
    let kinds =
        |events: &[Value]| events.iter().map(|event| event["type"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(kinds(&followed)[1..], kinds(&told), "after its own update, it is told the same in the same order");
    assert!(!kinds(&followed).iter().any(|kind| kind == "response.output_audio.delta"));

    backend.send(json!({"type": "response.create"})).await;
    caller.until("output_audio_buffer.started").await;
    backend.send(json!({"type": "response.cancel"})).await;
    backend.send(json!({"type": "output_audio_buffer.clear"})).await;
    caller.until("output_audio_buffer.cleared").await;
}

#[tokio::test]
async fn a_call_goes_on_without_its_backend_and_ends_for_both() {
    let relay = relay(Script::default()).await;
    let mut caller = Caller::call(&relay.url, &relay.key).await;
    let mut backend = Controller::attach(&relay, &caller).await;
    backend.until("session.created").await;
    backend.0.close(None).await.unwrap();
    drop(backend);
    caller.say(&recording("question"));
    caller.until("output_audio_buffer.stopped").await;

    let mut backend = Controller::attach(&relay, &caller).await;
    backend.until("session.created").await;
    let url = format!("{}{}/hangup", relay.url, caller.location);
    let ended = reqwest::Client::new().post(url).bearer_auth(&relay.key).send().await.unwrap();
    assert_eq!(ended.status(), StatusCode::OK);
    let left = async { while backend.next().await.is_some() {} };
    tokio::time::timeout(Duration::from_secs(10), left).await.expect("the backend is let go");
}

#[tokio::test]
async fn a_browser_of_the_beta_posts_its_offer_to_the_old_path() {
    let relay = relay(Script::default()).await;
    let mut caller = Caller::dial(&format!("{}/v1/realtime?model=gpt-realtime", relay.url), &relay.key).await;
    let created = caller.next().await;
    assert_eq!(created["session"]["input_audio_format"], "pcm16", "{created}");
    assert_eq!(caller.next().await["type"], "conversation.created");
    caller.say(&recording("question"));
    let events = caller.until("output_audio_buffer.stopped").await;
    assert!(events.iter().any(|event| event["type"] == "response.audio_transcript.done"));
}
