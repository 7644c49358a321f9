//! Every number of `/metrics` is fed by what it claims to count.

use std::time::Duration;

use providers::{
    ErrorKind,
    scripted::{Fault, Faults, Length, LlmScript, TtsScript},
};
use serde_json::json;
use voice_relay::{metrics::Exporter, realtime::Config};

use crate::{
    client::{Client, recording},
    room::{Room, Script},
    turns::typed,
};

#[tokio::test]
async fn a_conversation_feeds_the_latencies_and_the_counters() {
    let exporter = Exporter::install().unwrap();
    let tts = TtsScript { length: Length::Fixed(Duration::from_secs(30)), ..TtsScript::default() };
    let llm =
        LlmScript { faults: Faults::default().on(1, Fault::Refuse(ErrorKind::Unavailable)), ..LlmScript::default() };
    let config = Config { websocket_lead_ms: 200, ..Config::default() };
    let room = Room::open(Script { llm, tts, config, ..Script::default() }).await;
    let mut client = Client::join(&room).await;
    client.send(typed("fail")).await;
    client.send(json!({"type": "response.create"})).await;
    client.until("response.done").await;
    client.speak(&recording("cards-001")).await;
    client.until("response.output_audio.delta").await;
    client.speak(&recording("cards-003")).await;
    client.until("response.done").await;

    let text = exporter.render();
    let latencies = ["onset_to_flush", "end_of_turn", "final_transcript", "first_token", "first_audio"];
    for name in latencies.into_iter().chain(["frame_to_provider", "audio_to_client"]) {
        assert!(counted(&text, &format!("voice_relay_{name}_ms_count")), "{name}: {text}");
    }
    for (role, provider) in [("stt", "ears"), ("llm", "brain"), ("tts", "mouth")] {
        let labels = format!("{{role=\"{role}\",provider=\"{provider}\"}}");
        for name in ["provider_latency_ms_count", "provider_requests_total"] {
            assert!(counted(&text, &format!("voice_relay_{name}{labels}")), "{name}{labels}: {text}");
        }
    }
    for name in [
        "voice_relay_live_sessions",
        "voice_relay_sessions_total{transport=\"ws\"}",
        "voice_relay_provider_errors_total{role=\"llm\",provider=\"brain\",kind=\"unavailable\"}",
        "voice_relay_replies_total{status=\"incomplete\"}",
        "voice_relay_onset_to_flush_ms_bucket{le=\"60\"}",
        "voice_relay_queue_depth_count{queue=\"downlink\"}",
    ] {
        assert!(counted(&text, name), "{name}: {text}");
    }
}

/// Whether a line begins so and does not end in zero.
fn counted(text: &str, name: &str) -> bool {
    text.lines().any(|line| line.starts_with(name) && !line.ends_with(" 0"))
}
