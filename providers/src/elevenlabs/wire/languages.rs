//! Language codes as the vendor takes and gives them.

/// The code to send for a model: only some models take one, and these refuse languages they do not know.
pub(in crate::elevenlabs) fn code<'a>(model: &str, tag: Option<&'a str>) -> Option<&'a str> {
    let primary = primary(tag?);
    (takes_code(model) && V2_5.contains(&primary)).then_some(primary)
}

/// What a speaking model speaks; empty where this is not known.
pub(in crate::elevenlabs) fn spoken(model: &str) -> Vec<String> {
    let all: &[&str] = match model {
        _ if takes_code(model) => &V2_5,
        "eleven_multilingual_v2" => V2_5.split_at(V2_5.len() - ONLY_V2_5).0,
        "eleven_flash_v2" | "eleven_turbo_v2" | "eleven_monolingual_v1" => &["en"],
        _ => &[],
    };
    all.iter().map(|code| (*code).to_owned()).collect()
}

/// The primary tag of BCP 47: `en` of `en-GB`.
pub(in crate::elevenlabs) fn primary(tag: &str) -> &str {
    tag.split(['-', '_']).next().unwrap_or(tag)
}

/// The shortest code of a language the vendor may name in two letters or three.
pub(in crate::elevenlabs) fn shortest(code: &str) -> String {
    let code = primary(code).to_ascii_lowercase();
    let short = LONG.iter().find(|(long, _)| *long == code).map(|(_, short)| (*short).to_owned());
    short.unwrap_or(code)
}

fn takes_code(model: &str) -> bool {
    matches!(model, "eleven_flash_v2_5" | "eleven_turbo_v2_5")
}

/// <https://elevenlabs.io/docs/overview/models>: those of Multilingual v2, and three more.
const V2_5: [&str; 32] = [
    "ar", "bg", "cs", "da", "de", "el", "en", "es", "fi", "fil", "fr", "hi", "hr", "id", "it", "ja", "ko", "ms", "nl",
    "pl", "pt", "ro", "ru", "sk", "sv", "ta", "tr", "uk", "zh", "hu", "no", "vi",
];
const ONLY_V2_5: usize = 3;

/// ISO 639-3 to 639-1, for the languages most often heard.
const LONG: [(&str, &str); 36] = [
    ("ara", "ar"),
    ("bul", "bg"),
    ("cat", "ca"),
    ("ces", "cs"),
    ("cmn", "zh"),
    ("dan", "da"),
    ("deu", "de"),
    ("ell", "el"),
    ("eng", "en"),
    ("est", "et"),
    ("fas", "fa"),
    ("fin", "fi"),
    ("fra", "fr"),
    ("heb", "he"),
    ("hin", "hi"),
    ("hrv", "hr"),
    ("hun", "hu"),
    ("ind", "id"),
    ("ita", "it"),
    ("jpn", "ja"),
    ("kor", "ko"),
    ("lit", "lt"),
    ("msa", "ms"),
    ("nld", "nl"),
    ("nor", "no"),
    ("pol", "pl"),
    ("por", "pt"),
    ("ron", "ro"),
    ("rus", "ru"),
    ("slk", "sk"),
    ("spa", "es"),
    ("swe", "sv"),
    ("tur", "tr"),
    ("ukr", "uk"),
    ("vie", "vi"),
    ("zho", "zh"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_go_only_where_they_are_understood() {
        assert_eq!(code("eleven_flash_v2_5", Some("en-GB")), Some("en"));
        assert_eq!(code("eleven_flash_v2_5", Some("eo")), None);
        assert_eq!(code("eleven_multilingual_v2", Some("en")), None);
        assert_eq!(code("eleven_flash_v2_5", None), None);
        assert!(!spoken("eleven_multilingual_v2").contains(&"vi".to_owned()));
        assert_eq!((spoken("eleven_flash_v2"), spoken("eleven_next").len()), (vec!["en".to_owned()], 0));
    }

    #[test]
    fn languages_are_named_by_their_shortest_code() {
        assert_eq!(["eng", "en", "EN-us", "yue"].map(shortest), ["en", "en", "en", "yue"]);
    }
}
