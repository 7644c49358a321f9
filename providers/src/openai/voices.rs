//! OpenAI's voices, and which one a reply gets.
//!
//! Source: <https://developers.openai.com/api/reference/resources/audio/subresources/speech/methods/create>; those of
//! `tts-1` are the ones the reference named before there were other models (openai-python 1.65).

use serde_json::{Value, json};

use super::Config;
use crate::tts::Voice;

/// Used where nothing else is configured.
pub(super) const DEFAULT: &str = "alloy";

/// First those that every model speaks with.
const ALL: [&str; 13] =
    ["alloy", "ash", "coral", "echo", "fable", "nova", "onyx", "sage", "shimmer", "ballad", "verse", "marin", "cedar"];
/// How many `tts-1` speaks with.
const FIRST: usize = 9;

/// OpenAI's voices of this model.
fn of(model: &str) -> &'static [&'static str] {
    if is_first(model) { &ALL[..FIRST] } else { &ALL }
}

/// Whether this is one of the models that know fewer voices, and follow no instructions.
pub(super) fn is_first(model: &str) -> bool {
    model.starts_with("tts-1")
}

/// The names one can ask for.
pub(super) fn names(model: &str, config: &Config) -> Vec<String> {
    let own = of(model).iter().map(|name| (*name).to_owned()).filter(|name| !config.voices.contains_key(name));
    config.voices.keys().cloned().chain(own).collect()
}

/// Whether this may be a voice of some server.
pub(super) fn is_name(name: &str) -> bool {
    (1..=256).contains(&name.len()) && !name.contains(char::is_control)
}

/// Who speaks: the voice asked for, if it is one; else the configured one.
pub(super) fn pick(asked: &Voice, model: &str, config: &Config) -> String {
    let name = asked.name.trim();
    known(name, model, config).unwrap_or_else(|| {
        let usual = config.voice.trim().to_lowercase();
        // The configured voice may be one this model has not.
        let missing = ALL.contains(&usual.as_str()) && !of(model).contains(&usual.as_str());
        if missing { DEFAULT.to_owned() } else { config.voice.trim().to_owned() }
    })
}

fn known(name: &str, model: &str, config: &Config) -> Option<String> {
    let named = config.voices.get(name).cloned();
    let named = named.or_else(|| {
        let alike = config.voices.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        alike.map(|(_, voice)| voice.clone())
    });
    let own = || of(model).iter().find(|known| known.eq_ignore_ascii_case(name)).map(|known| (*known).to_owned());
    named.or_else(own).or_else(|| is_custom(name).then(|| name.to_owned()))
}

/// As the request names it: a voice made from samples goes by its id.
pub(super) fn value(voice: &str) -> Value {
    if is_custom(voice) { json!({"id": voice}) } else { voice.into() }
}

fn is_custom(name: &str) -> bool {
    name.strip_prefix("voice_").is_some_and(|id| {
        !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picked(name: &str, model: &str, config: &Config) -> String {
        pick(&Voice { name: name.into(), language: None, speed: 1.0 }, model, config)
    }

    #[test]
    fn a_voice_is_found_by_name_or_the_configured_one_speaks() {
        let plain = Config::default();
        let marin = Config { voice: "marin".into(), ..Config::default() };
        let other = Config {
            voice: "af_sky".into(),
            voices: [("alloy".to_owned(), "af_heart".to_owned())].into(),
            ..Config::default()
        };
        for (name, model, config, expected) in [
            ("Coral", "tts-1", &plain, "coral"),
            ("verse", "gpt-4o-mini-tts", &plain, "verse"),
            ("verse", "tts-1-hd", &plain, "alloy"),
            ("aura-2-thalia-en", "gpt-4o-mini-tts", &marin, "marin"),
            ("", "tts-1", &marin, "alloy"),
            ("voice_abc-1", "gpt-4o-mini-tts", &plain, "voice_abc-1"),
            ("voice_", "gpt-4o-mini-tts", &plain, "alloy"),
            ("ALLOY", "kokoro", &other, "af_heart"),
            ("nobody", "kokoro", &other, "af_sky"),
        ] {
            assert_eq!(picked(name, model, config), expected, "{name} {model}");
        }
        assert_eq!(names("tts-1", &plain).len(), 9);
        assert_eq!(names("kokoro", &other).len(), 13);
        assert_eq!(value("voice_abc"), json!({"id": "voice_abc"}));
    }
}
