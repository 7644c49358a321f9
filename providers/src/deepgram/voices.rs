//! Deepgram's voices, each a model of its own, and which one a reply gets.
//!
//! Source: <https://developers.deepgram.com/docs/tts-models>.

use super::wire::primary;
use crate::tts::Voice;

/// Used where nothing else is configured.
pub(super) const DEFAULT: &str = "aura-2-thalia-en";

/// By language, the one to take where only the language is known first.
const AURA_2: [(&str, &str); 7] = [
    (
        "en",
        "thalia andromeda apollo arcas aries helena amalthea asteria athena atlas aurora callista cora cordelia delia \
         draco electra harmonia hera hermes hyperion iris janus juno jupiter luna mars minerva neptune odysseus \
         ophelia orion orpheus pandora phoebe pluto saturn selene theia vesta zeus",
    ),
    (
        "es",
        "celeste estrella nestor agustina alvaro antonia aquila carina diana gloria javier luciano olivia selena \
         silvia sirio valerio",
    ),
    ("de", "viktoria julius aurelia elara fabian kara lara"),
    ("nl", "rhea sander beatrix cornelia daphne hestia lars leda roman"),
    ("fr", "agathe hector"),
    ("it", "livia dionisio cesare cinzia demetra elio flavio maia melia perseo"),
    ("ja", "izanami fujin ama ebisu uzume"),
];

/// The languages that can be spoken.
pub(super) fn languages() -> impl Iterator<Item = &'static str> {
    AURA_2.iter().map(|(language, _)| *language)
}

/// Every voice, as a model.
pub(super) fn all() -> impl Iterator<Item = String> {
    let voices = AURA_2.iter().flat_map(|(language, names)| names.split(' ').map(move |name| (name, *language)));
    voices.map(|(name, language)| model(name, language))
}

/// Whether this names a voice, perhaps one newer than this list.
pub(super) fn is_model(name: &str) -> bool {
    let parts: Vec<_> = name.split('-').collect();
    matches!(parts[..], ["aura", .., name, language] if !name.is_empty() && (2..=3).contains(&language.len()))
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// The model that speaks: the voice asked for if it is Deepgram's, in full or by its short name; else `model` or, where
/// that names no voice, `default`, exchanged for one of the reply's language if it speaks another.
pub(super) fn pick(asked: &Voice, model: &str, default: &str) -> String {
    let name = asked.name.trim().to_lowercase();
    if is_model(&name) {
        return name;
    }
    let wanted = asked.language.as_deref().map(primary);
    if let Some(known) = known(&name, wanted.as_deref()) {
        return known;
    }
    let usual = if is_model(model) { model } else { default };
    let other = wanted.filter(|wanted| language(usual) != wanted);
    other.and_then(|wanted| first(&wanted)).unwrap_or_else(|| usual.to_owned())
}

/// What a voice speaks.
pub(super) fn language(model: &str) -> &str {
    model.rsplit('-').next().unwrap_or_default()
}

/// The voice of this short name, of this language if there are several.
fn known(name: &str, wanted: Option<&str>) -> Option<String> {
    let mut speaking = AURA_2.iter().filter(|(_, names)| names.split(' ').any(|known| known == name));
    let exact = speaking.clone().find(|(language, _)| Some(*language) == wanted);
    exact.or_else(|| speaking.next()).map(|(language, _)| model(name, language))
}

fn first(wanted: &str) -> Option<String> {
    let (language, names) = AURA_2.iter().find(|(language, _)| *language == wanted)?;
    Some(model(names.split(' ').next()?, language))
}

fn model(name: &str, language: &str) -> String {
    format!("aura-2-{name}-{language}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picked(name: &str, language: Option<&str>, model: &str) -> String {
        pick(&Voice { name: name.into(), language: language.map(str::to_owned), speed: 1.0 }, model, DEFAULT)
    }

    #[test]
    fn a_voice_is_found_by_name_else_by_language_else_the_default_speaks() {
        for (name, language, model, expected) in [
            ("aura-2-orion-en", None, "aura-2", "aura-2-orion-en"),
            ("aura-asteria-en", Some("en"), "aura-2", "aura-asteria-en"),
            ("Orion", None, "aura-2", "aura-2-orion-en"),
            ("javier", Some("en-US"), "aura-2", "aura-2-javier-es"),
            ("alloy", None, "aura-2", "aura-2-thalia-en"),
            ("alloy", Some("en-GB"), "aura-2-orion-en", "aura-2-orion-en"),
            ("alloy", Some("es-MX"), "aura-2-orion-en", "aura-2-celeste-es"),
            ("alloy", Some("fi"), "aura-2-orion-en", "aura-2-orion-en"),
            ("", None, "aura-3-nova-en", "aura-3-nova-en"),
        ] {
            assert_eq!(picked(name, language, model), expected, "{name} {language:?} {model}");
        }
    }

    #[test]
    fn every_listed_voice_is_a_model_and_is_found() {
        let all: Vec<_> = all().collect();
        assert_eq!(all.len(), 91);
        assert!(all.iter().all(|voice| is_model(voice) && picked(voice, None, "") == *voice));
        for no_voice in ["", "aura", "aura-2", "alloy", "aura-2-thalia-en&x=1", "aura--en", "flux-haley-en"] {
            assert!(!is_model(no_voice), "{no_voice}");
        }
        assert!(languages().any(|language| language == "ja"));
    }
}
