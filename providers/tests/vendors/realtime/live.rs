//! The vendors themselves, where `LIVE_PROVIDER_TESTS=1` and a vendor's key allow it; any compatible server by
//! `REALTIME_BASE_URL`, `REALTIME_KEY` and `REALTIME_MODEL`.

use std::{env, path::Path, sync::Arc, time::Duration};

use audio::Frame;
use providers::{
    RealtimeModel, Secret, azure, gemini,
    llm::{Finish, Thought},
    openai,
    realtime::{Command, Step},
};
use tokio::time::timeout;

use super::talk::{Talk, respond, say, words};

const SOON: Duration = Duration::from_secs(30);

fn models() -> Vec<(&'static str, Arc<dyn RealtimeModel>)> {
    if env::var("LIVE_PROVIDER_TESTS").as_deref() != Ok("1") {
        println!("skipped: the vendors themselves; LIVE_PROVIDER_TESTS is not 1");
        return Vec::new();
    }
    [openai(), compatible(), azure(), gemini()].into_iter().flatten().collect()
}

fn openai() -> Option<(&'static str, Arc<dyn RealtimeModel>)> {
    let config = openai::Config { key: Some(key("OPENAI_API_KEY")?), ..openai::Config::default() };
    let settings = openai::realtime::Settings::default();
    Some(("openai", Arc::new(openai::RealtimeModel::new("openai/live", "gpt-realtime", config.into(), settings))))
}

fn compatible() -> Option<(&'static str, Arc<dyn RealtimeModel>)> {
    let config = openai::Config {
        base_url: env::var("REALTIME_BASE_URL").ok()?,
        key: Some(key("REALTIME_KEY")?),
        ..openai::Config::default()
    };
    let model = env::var("REALTIME_MODEL").unwrap_or_else(|_| "gpt-realtime".to_owned());
    let settings = openai::realtime::Settings { voices: Vec::new(), ..openai::realtime::Settings::default() };
    Some(("compatible", Arc::new(openai::RealtimeModel::new("compatible/live", model, config.into(), settings))))
}

fn azure() -> Option<(&'static str, Arc<dyn RealtimeModel>)> {
    let config = azure::llm::Config {
        base_url: env::var("AZURE_OPENAI_ENDPOINT").ok()?,
        key: Some(key("AZURE_OPENAI_API_KEY")?),
        ..azure::llm::Config::default()
    };
    let deployment = env::var("AZURE_OPENAI_REALTIME_DEPLOYMENT").ok()?;
    let settings = openai::realtime::Settings::default();
    Some(("azure", Arc::new(azure::RealtimeModel::new("azure/live", deployment, config.into(), settings))))
}

fn gemini() -> Option<(&'static str, Arc<dyn RealtimeModel>)> {
    let config = gemini::Config { key: Some(key("GEMINI_API_KEY")?), ..gemini::Config::default() };
    let settings = gemini::live::Settings::default();
    let model = "gemini-3.1-flash-live-preview";
    Some(("gemini", Arc::new(gemini::RealtimeModel::new("gemini/live", model, config.into(), settings))))
}

fn key(name: &str) -> Option<Secret> {
    let key = env::var(name).ok().filter(|key| !key.is_empty());
    if key.is_none() {
        println!("skipped: {name} is not set");
    }
    key.map(Secret::from)
}

/// A recorded utterance.
fn speech() -> Vec<Frame> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples/cards-001.wav");
    let clip = audio::wav::read(&std::fs::read(path).unwrap()).unwrap().resampled(Frame::RATE).unwrap();
    let frame = |chunk: &[i16]| {
        let mut frame = Frame::SILENCE;
        frame.0[..chunk.len()].copy_from_slice(chunk);
        frame
    };
    clip.samples.chunks(Frame::SAMPLES).map(frame).collect()
}

#[tokio::test]
async fn the_vendors_themselves_hear_speak_and_are_interrupted() {
    for (name, model) in models() {
        let mut talk = timeout(SOON, Talk::open(&*model)).await.unwrap().unwrap();
        for frame in speech() {
            talk.tell(Command::Hear(frame)).await;
        }
        talk.tell(Command::Commit).await;
        talk.tell(respond(1)).await;
        let steps = timeout(SOON, talk.reply(1)).await.unwrap().unwrap();
        println!("{name}: {}", words(&steps));
        assert!(!words(&steps).is_empty() && steps.iter().any(|step| matches!(step, Step::Sound(_))), "{name}");
        assert_eq!(steps.last(), Some(&Step::Thought(Thought::Finished(Finish::Stop))), "{name}");

        talk.tell(say("Count slowly from one to fifty.")).await;
        talk.tell(respond(2)).await;
        while !matches!(timeout(SOON, talk.next()).await.unwrap().unwrap().step, Step::Sound(_)) {}
        talk.tell(Command::Cancel).await;
        talk.tell(Command::Truncate(Duration::from_millis(300))).await;
        talk.tell(say("Stop. What is two plus three?")).await;
        talk.tell(respond(3)).await;
        let steps = timeout(SOON, talk.reply(3)).await.unwrap().unwrap();
        println!("{name}: {}", words(&steps));
        assert!(!words(&steps).is_empty(), "{name}");
    }
}
