//! Languages as Google names them: with a country, and some by names of its own.
//!
//! Sources: <https://cloud.google.com/speech-to-text/docs/models/chirp-3>,
//! <https://cloud.google.com/text-to-speech/docs/chirp3-hd>.

/// The primary part of a BCP 47 tag, in lower case; Mandarin is `zh`, Norwegian `no`, Hebrew `he`.
pub(super) fn primary(tag: &str) -> String {
    let primary = tag.split(['-', '_']).next().unwrap_or_default().to_lowercase();
    match primary.as_str() {
        "cmn" => "zh".to_owned(),
        "nb" => "no".to_owned(),
        "iw" => "he".to_owned(),
        _ => primary,
    }
}

/// What speech is recognised in: the tag itself where it names a country, else that of the country with most speakers at
/// Google.
pub(super) fn heard(tag: &str) -> String {
    let primary = primary(tag);
    let own = match primary.as_str() {
        "zh" if !tag.starts_with("cmn-") => Some(if tag.ends_with("-TW") { "cmn-Hant-TW" } else { "cmn-Hans-CN" }),
        _ if tag.contains('-') => None,
        "ar" => Some("ar-EG"),
        "ca" => Some("ca-ES"),
        "he" => Some("iw-IL"),
        "no" => Some("no-NO"),
        "yue" => Some("yue-Hant-HK"),
        _ => spoken(&primary).next(),
    };
    own.unwrap_or(tag).to_owned()
}

/// The countries in which voices speak a language, the usual one first.
pub(super) fn spoken(language: &str) -> impl Iterator<Item = &'static str> {
    SPOKEN.split_whitespace().filter(move |locale| primary(locale) == language)
}

/// The languages that voices speak.
pub(super) fn all_spoken() -> Vec<String> {
    let mut languages: Vec<_> = SPOKEN.split_whitespace().map(primary).collect();
    languages.sort_unstable();
    languages.dedup();
    languages
}

const SPOKEN: &str = "ar-XA bn-IN bg-BG hr-HR cs-CZ da-DK nl-NL nl-BE en-US en-GB en-AU en-IN et-EE fi-FI fr-FR fr-CA \
                      de-DE el-GR gu-IN he-IL hi-IN hu-HU id-ID it-IT ja-JP kn-IN ko-KR lv-LV lt-LT ml-IN cmn-CN mr-IN \
                      nb-NO pl-PL pt-BR ro-RO ru-RU sr-RS sk-SK sl-SI es-US es-ES sw-KE sv-SE ta-IN te-IN th-TH tr-TR \
                      uk-UA ur-IN vi-VN";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_become_those_of_google() {
        for (tag, expected) in [
            ("en", "en-US"),
            ("en-GB", "en-GB"),
            ("pt", "pt-BR"),
            ("zh", "cmn-Hans-CN"),
            ("zh-TW", "cmn-Hant-TW"),
            ("cmn-Hans-CN", "cmn-Hans-CN"),
            ("ar", "ar-EG"),
            ("nb", "no-NO"),
            ("he", "iw-IL"),
            ("xx", "xx"),
        ] {
            assert_eq!(heard(tag), expected, "{tag}");
        }
        assert_eq!(spoken("zh").collect::<Vec<_>>(), ["cmn-CN"]);
        assert_eq!(spoken("fr").next(), Some("fr-FR"));
        assert!(all_spoken().contains(&"no".to_owned()) && all_spoken().len() == 45);
    }
}
