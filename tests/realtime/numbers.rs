//! Every number of `/metrics` is fed by what it claims to count.

use std::{sync::Arc, time::Duration};

use futures_util::StreamExt;
use providers::{
    ErrorKind, LanguageModel,
    layers::{Breaker, BreakerSettings, Fallback, Guarded, Observed, Observer, Role},
    llm::{Message, Prompt},
    scripted::{self, Fault, Faults, Length, LlmScript, TtsScript},
};
use serde_json::json;
use voice_relay::{
    clock::Clock,
    cost::{self, Prices},
    metrics::{self, Exporter, Loss, ProviderMeter},
    realtime::Config,
};

use crate::{
    client::{Client, recording},
    room::{Room, Script},
    turns::typed,
};

/// The recorder is one for the process, so one test looks at all numbers.
#[tokio::test]
async fn every_declared_number_is_fed_by_what_it_claims_to_count() {
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
        for name in [
            "provider_latency_ms_count",
            "provider_requests_total",
            "provider_connect_ms_count",
            "provider_unpriced_total",
        ] {
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
        "voice_relay_provider_final_ms_count{role=\"stt\",provider=\"ears\"}",
        "voice_relay_provider_final_ms_count{role=\"llm\",provider=\"brain\"}",
        "voice_relay_provider_audio_ms_total{role=\"stt\",provider=\"ears\",direction=\"in\"}",
        "voice_relay_provider_audio_ms_total{role=\"tts\",provider=\"mouth\",direction=\"out\"}",
        "voice_relay_provider_characters_total{role=\"tts\",provider=\"mouth\"}",
        "voice_relay_provider_tokens_total{role=\"llm\",provider=\"brain\",kind=\"output\"}",
    ] {
        assert!(counted(&text, name), "{name}: {text}");
    }

    one_takes_over_from_another().await;
    let text = exporter.render();
    let chain = "{role=\"llm\",from=\"acme/first\",to=\"acme/second\",kind=\"unavailable\"} 1";
    for line in [
        format!("voice_relay_provider_failovers_total{chain}"),
        "voice_relay_provider_resting{role=\"llm\",provider=\"acme/first\"} 1".to_owned(),
        "voice_relay_provider_cost_micros_total{role=\"llm\",provider=\"acme/second\"} 4000000".to_owned(),
    ] {
        assert!(text.lines().any(|found| found == line), "{line}: {text}");
    }

    // Tests of their own provoke these: a client that does not read, a store that is stuck, a deaf engine, a full pool,
    // calls over WebRTC, documents, typed turns.
    let _open = metrics::chat_opened();
    metrics::chatted("kept");
    metrics::slow_reader();
    metrics::history_overflowed();
    metrics::audio_dropped(Loss::Preroll, Duration::from_millis(20));
    metrics::inference_depth(1);
    metrics::document_attended("ready", Duration::from_millis(20));
    metrics::datagram_lost("unknown");
    metrics::rtp_ended(&audio::jitter::Stats { received: 1, jitter: Duration::from_millis(1), ..Default::default() });
    let text = exporter.render();
    for name in metrics::names() {
        assert!(counted(&text, name), "{name} is declared, but nothing feeds it: {text}");
    }
}

/// A model that is down has its breaker opened, and another one answers in four words, each of which costs a dollar.
async fn one_takes_over_from_another() {
    let list = vec!["acme/second output=1000000".to_owned()];
    let prices = Prices::new(&cost::Config { list, ..cost::Config::default() });
    let meter = ProviderMeter::new(Clock::system()).with_prices(Arc::new(prices));
    let meter: Arc<dyn Observer> = Arc::new(meter);
    let mind = |faults| -> Arc<dyn LanguageModel> {
        Arc::new(scripted::LanguageModel::new(LlmScript { faults, ..LlmScript::default() }))
    };
    let settings = BreakerSettings { failures: 1, ..BreakerSettings::default() };
    let breaker = Breaker::new("acme/first", Role::Llm, settings, meter.clone());
    let down = mind(Faults::always(Fault::Refuse(ErrorKind::Unavailable)));
    let down: Arc<dyn LanguageModel> = Arc::new(Guarded::new(Arc::new(breaker), down));
    let watched = |name: &'static str, inner| -> Arc<dyn LanguageModel> {
        Arc::new(Observed::<dyn LanguageModel>::new(name, meter.clone(), inner))
    };
    let chain = Fallback::new(watched("acme/first", down), vec![watched("acme/second", mind(Faults::default()))])
        .witnessed(Role::Llm, vec!["acme/first".into(), "acme/second".into()], meter.clone());
    let prompt = Prompt { messages: vec![Message::User("one two".into())], ..Prompt::default() };
    let thoughts: Vec<_> = chain.reply(prompt).await.unwrap().collect().await;
    assert!(thoughts.iter().all(Result::is_ok));
}

/// Whether a line begins so and does not end in zero.
fn counted(text: &str, name: &str) -> bool {
    text.lines().any(|line| line.starts_with(name) && !line.ends_with(" 0"))
}
