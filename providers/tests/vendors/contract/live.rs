//! The vendors themselves, where `LIVE_PROVIDER_TESTS=1` and a vendor's key allow it; what is skipped is told on stderr.

use std::{
    env,
    io::Write,
    path::Path,
    sync::{Arc, Once},
    time::Duration,
};

use audio::Frame;
use futures_util::{StreamExt, stream};
use providers::{
    ErrorKind, LanguageModel, Secret, anthropic, azure, deepseek, gemini, openai,
    stt::Transcript,
    tts::{Clause, Speech},
};

use super::{
    hear, speak,
    stage::{At, KEY},
    vendors::{EARS, MOUTHS},
    voice,
};

struct Model {
    name: &'static str,
    /// The variable that holds an account's key.
    variable: &'static str,
    build: fn(Secret) -> Option<Arc<dyn LanguageModel>>,
}

const MODELS: [Model; 5] = [
    Model {
        name: "openai",
        variable: "OPENAI_API_KEY",
        build: |key| {
            let config = openai::Config { key: Some(key), ..openai::Config::default() };
            Some(Arc::new(openai::LanguageModel::new("openai/live", "gpt-4o-mini", Arc::new(config))))
        },
    },
    Model {
        name: "anthropic",
        variable: "ANTHROPIC_API_KEY",
        build: |key| {
            let config = anthropic::Config { key: Some(key), ..anthropic::Config::default() };
            Some(Arc::new(anthropic::LanguageModel::new("anthropic/live", "claude-haiku-4-5", Arc::new(config))))
        },
    },
    Model {
        name: "gemini",
        variable: "GEMINI_API_KEY",
        build: |key| {
            let config = gemini::Config { key: Some(key), ..gemini::Config::default() };
            Some(Arc::new(gemini::LanguageModel::new("gemini/live", "gemini-2.5-flash", Arc::new(config))))
        },
    },
    Model {
        name: "deepseek",
        variable: "DEEPSEEK_API_KEY",
        build: |key| {
            let config = deepseek::Config { key: Some(key), ..deepseek::Config::default() };
            Some(Arc::new(deepseek::LanguageModel::new("deepseek/live", "deepseek-v4-flash", Arc::new(config))))
        },
    },
    Model {
        name: "azure",
        variable: "AZURE_OPENAI_API_KEY",
        build: |key| {
            let base_url = env::var("AZURE_OPENAI_ENDPOINT").ok()?;
            let deployment = env::var("AZURE_OPENAI_DEPLOYMENT").ok()?;
            let config = azure::llm::Config { base_url, key: Some(key), ..azure::llm::Config::default() };
            Some(Arc::new(azure::LanguageModel::new("azure/live", deployment, Arc::new(config))))
        },
    },
];

/// The language models whose keys are set.
pub(crate) fn models() -> Vec<(&'static str, Arc<dyn LanguageModel>)> {
    say_what_is_skipped();
    MODELS.iter().filter_map(|model| Some((model.name, (model.build)(key(model.variable)?)?))).collect()
}

/// The account's key, if the vendor may be asked.
fn key(variable: &str) -> Option<Secret> {
    env::var(variable).ok().filter(|key| allowed() && !key.is_empty()).map(Secret::from)
}

fn allowed() -> bool {
    env::var("LIVE_PROVIDER_TESTS").as_deref() == Ok("1")
}

/// Once, and past the test harness, which shows only what failing tests print.
fn say_what_is_skipped() {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        let ears = EARS.iter().map(|vendor| (vendor.name, vendor.variable));
        let mouths = MOUTHS.iter().map(|vendor| (vendor.name, vendor.variable));
        let all = MODELS.iter().map(|model| (model.name, model.variable)).chain(ears).chain(mouths);
        let skipped = all.filter(|(_, variable)| key(variable).is_none());
        let skipped: Vec<_> = skipped.map(|(name, variable)| format!("{name} ({variable})")).collect();
        let why = if allowed() { "no key" } else { "LIVE_PROVIDER_TESTS is not 1" };
        if !skipped.is_empty() {
            let _ = writeln!(std::io::stderr(), "skipped, {why}: the vendors themselves: {}", skipped.join(", "));
        }
    });
}

#[tokio::test]
async fn the_vendors_themselves_understand_people() {
    say_what_is_skipped();
    for vendor in EARS {
        let Some(key) = key(vendor.variable) else { continue };
        let ear = (vendor.build)(At { origin: None, key });
        let events = ear.transcribe(hear::options(), spoken("cards-002.wav").boxed()).await.unwrap().collect().await;
        let (told, error) = hear::ending(vendor.name, Ok(events));
        let Some(Transcript::Final(last)) = told.last() else { panic!("{}: {error:?}", vendor.name) };
        let text = last.text.to_lowercase();
        assert!(text.contains("queen") && text.contains("clubs"), "{}: {text}", vendor.name);

        let mut abandoned = ear.transcribe(hear::options(), spoken("cards-001.wav").boxed()).await.unwrap();
        let _ = tokio::time::timeout(Duration::from_millis(500), abandoned.next()).await;
        drop(abandoned);

        let stranger = (vendor.build)(At { origin: None, key: KEY.into() });
        let events = match stranger.transcribe(hear::options(), spoken("cards-001.wav").boxed()).await {
            Ok(events) => events.collect().await,
            Err(error) => vec![Err(error)],
        };
        let (_, error) = hear::ending(vendor.name, Ok(events));
        assert_eq!(error.map(|error| error.kind), Some(ErrorKind::Unauthorized), "{}", vendor.name);
    }
}

#[tokio::test]
async fn the_vendors_themselves_speak() {
    say_what_is_skipped();
    let text = ["Hello there.", "…", "How are you?"];
    for vendor in MOUTHS {
        let Some(key) = key(vendor.variable) else { continue };
        let mouth = (vendor.build)(At { origin: None, key });
        let (told, error) = speak::ending(vendor.name, &text, speak::say(vendor.name, &*mouth, &text).await);
        assert_eq!(error, None, "{}", vendor.name);
        let sounds = told.iter().filter_map(|event| match event {
            Speech::Audio { clip, .. } => Some(clip.duration()),
            Speech::Word { .. } | Speech::ClauseDone { .. } => None,
        });
        let sounds: Duration = sounds.sum();
        assert!(sounds > Duration::from_millis(800) && sounds < Duration::from_secs(8), "{}: {sounds:?}", vendor.name);

        let text_only = stream::iter([Clause { id: 0, text: "This is never heard to its end.".into() }]);
        let mut abandoned = mouth.speak(voice(1.0), text_only.boxed()).await.unwrap();
        assert!(abandoned.next().await.unwrap().is_ok(), "{}", vendor.name);
        drop(abandoned);

        let stranger = (vendor.build)(At { origin: None, key: KEY.into() });
        let (_, error) = speak::ending(vendor.name, &text, speak::say(vendor.name, &*stranger, &text).await);
        assert_eq!(error.map(|error| error.kind), Some(ErrorKind::Unauthorized), "{}", vendor.name);
    }
}

/// A recording at the pace at which it was spoken.
fn spoken(name: &str) -> impl stream::Stream<Item = Frame> + Send + 'static {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples").join(name);
    let bytes = std::fs::read(path).unwrap();
    let data = bytes.windows(4).position(|mark| mark == b"data").unwrap() + 8;
    let samples: Vec<i16> = bytes[data..].as_chunks().0.iter().map(|pair| i16::from_le_bytes(*pair)).collect();
    let frame = |chunk: &[i16]| Frame(std::array::from_fn(|at| chunk.get(at).copied().unwrap_or_default()));
    let frames: Vec<_> = samples.chunks(Frame::SAMPLES).map(frame).collect();
    stream::iter(frames).then(|frame| async move {
        tokio::time::sleep(Frame::DURATION).await;
        frame
    })
}
