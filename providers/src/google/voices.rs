//! Google's voices, and which one a reply gets.
//!
//! Source: <https://cloud.google.com/text-to-speech/docs/chirp3-hd>. A Chirp voice speaks every language:
//! `en-US-Chirp3-HD-Kore` and `de-DE-Chirp3-HD-Kore` are one. Voices of other families are taken by their full names.

use super::languages;
use crate::tts::Voice;

/// Used where nothing else is configured.
pub(super) const DEFAULT: &str = "en-US-Chirp3-HD-Achernar";

const CHIRP: &str = "Achernar Achird Algenib Algieba Alnilam Aoede Autonoe Callirrhoe Charon Despina Enceladus Erinome \
                     Fenrir Gacrux Iapetus Kore Laomedeia Leda Orus Pulcherrima Puck Rasalgethi Sadachbia Sadaltager \
                     Schedar Sulafat Umbriel Vindemiatrix Zephyr Zubenelgenubi";

/// The short names of the voices that speak every language.
pub(super) fn all() -> impl Iterator<Item = &'static str> {
    CHIRP.split_whitespace()
}

/// Whether this is a voice's full name: `de-DE-Neural2-B`.
pub(super) fn is_name(name: &str) -> bool {
    let parts: Vec<_> = name.split('-').collect();
    let [language, country, family, rest @ ..] = &parts[..] else { return false };
    let upper = country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_uppercase());
    (2..=3).contains(&language.len())
        && language.bytes().all(|byte| byte.is_ascii_lowercase())
        && (upper || country.len() == 3 && country.bytes().all(|byte| byte.is_ascii_digit()))
        && !rest.is_empty()
        && rest.iter().chain([family]).all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric()))
}

/// What a voice speaks: `de-DE`.
pub(super) fn language(name: &str) -> String {
    name.split('-').take(2).collect::<Vec<_>>().join("-")
}

/// Whether its speech can be streamed; others give it when all of it is made.
pub(super) fn streams(name: &str) -> bool {
    name.contains("-Chirp3-HD-")
}

/// The voice that speaks: the one asked for if it is Google's, in full or by its short name; else `model` or, where that
/// names no voice, `usual`. One that speaks another language than the reply speaks that, if it can, or makes room for
/// one that does.
pub(super) fn pick(asked: &Voice, model: &str, usual: &str) -> String {
    let name = asked.name.trim();
    if is_name(name) {
        return name.to_owned();
    }
    let usual = if is_name(model) { model } else { usual };
    let wanted = asked.language.as_deref();
    if let Some(short) = all().find(|short| short.eq_ignore_ascii_case(name)) {
        return chirp(short, wanted, &language(usual));
    }
    let speaks = |tag: &str| languages::primary(tag) == languages::primary(usual);
    if wanted.is_none_or(|wanted| speaks(wanted) || languages::spoken(&languages::primary(wanted)).next().is_none()) {
        return usual.to_owned();
    }
    let short = usual.rsplit_once("-Chirp3-HD-").map(|(_, short)| short);
    let default = DEFAULT.rsplit('-').next().unwrap_or_default();
    chirp(short.unwrap_or(default), wanted, &language(usual))
}

/// The voice in the tongue of the tag, or of its language, or else as usual.
fn chirp(short: &str, wanted: Option<&str>, usual: &str) -> String {
    let wanted = wanted.unwrap_or(usual);
    let language = languages::primary(wanted);
    let exact = languages::spoken(&language).find(|locale| locale.eq_ignore_ascii_case(wanted));
    let locale = exact.or_else(|| languages::spoken(&language).next()).unwrap_or(usual);
    format!("{locale}-Chirp3-HD-{short}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_voice_is_found_by_name_and_speaks_the_language_of_the_reply() {
        for (name, wanted, model, expected) in [
            ("de-DE-Neural2-B", Some("en"), "chirp3-hd", "de-DE-Neural2-B"),
            ("kore", None, "chirp3-hd", "en-US-Chirp3-HD-Kore"),
            ("Kore", Some("en-GB"), "chirp3-hd", "en-GB-Chirp3-HD-Kore"),
            ("Kore", Some("zh"), "chirp3-hd", "cmn-CN-Chirp3-HD-Kore"),
            ("Kore", Some("eo"), "chirp3-hd", "en-US-Chirp3-HD-Kore"),
            ("alloy", None, "chirp3-hd", DEFAULT),
            ("alloy", Some("en-AU"), "chirp3-hd", DEFAULT),
            ("alloy", Some("es"), "chirp3-hd", "es-US-Chirp3-HD-Achernar"),
            ("alloy", Some("es-ES"), "en-GB-Chirp3-HD-Puck", "es-ES-Chirp3-HD-Puck"),
            ("alloy", Some("fr"), "en-GB-Neural2-A", "fr-FR-Chirp3-HD-Achernar"),
            ("alloy", Some("eo"), "en-GB-Neural2-A", "en-GB-Neural2-A"),
        ] {
            let asked = Voice { name: name.into(), language: wanted.map(str::to_owned), speed: 1.0 };
            assert_eq!(pick(&asked, model, DEFAULT), expected, "{name} {wanted:?} {model}");
        }
    }

    #[test]
    fn names_are_told_from_words() {
        for name in ["en-US-Chirp3-HD-Kore", "cmn-CN-Standard-A", "es-419-Neural2-A"] {
            assert!(is_name(name), "{name}");
        }
        for word in ["", "alloy", "en-US", "en-US-Kore", "chirp3-hd", "en-us-Standard-A", "en-US--A", "en-US-A-B&"] {
            assert!(!is_name(word), "{word}");
        }
        assert_eq!(all().count(), 30);
        assert_eq!(language("cmn-CN-Standard-A"), "cmn-CN");
        assert!(streams(DEFAULT) && !streams("en-US-Neural2-A"));
    }
}
