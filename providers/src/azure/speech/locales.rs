//! Language tags as Azure wants them: with a region.
//!
//! Source: <https://learn.microsoft.com/azure/ai-services/speech-service/language-support?tabs=stt>.

/// The primary part of a BCP 47 tag, in lower case, by the name Azure has for it.
pub(super) fn primary(tag: &str) -> String {
    let primary = tag.split(['-', '_']).next().unwrap_or_default().to_lowercase();
    let name = ALIASES.iter().find(|(alias, _)| *alias == primary).map(|(_, name)| (*name).to_owned());
    name.unwrap_or(primary)
}

/// The locale of a tag: itself where it names a region, else the usual one of its language.
pub(super) fn locale(tag: &str) -> String {
    let primary = primary(tag);
    let parts: Vec<_> = tag.split(['-', '_']).skip(1).collect();
    let region = parts.iter().find(|part| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_alphabetic()));
    if let Some(region) = region {
        return format!("{primary}-{}", region.to_uppercase());
    }
    match (primary.as_str(), parts.first().map(|part| part.to_lowercase()).as_deref()) {
        ("zh", Some("hant")) => "zh-TW".to_owned(),
        ("es", Some("419")) => "es-MX".to_owned(),
        (language, _) => usual(language).map_or_else(|| tag.to_owned(), str::to_owned),
    }
}

/// The languages that are understood.
pub(super) fn languages() -> impl Iterator<Item = String> {
    USUAL.split_whitespace().map(primary)
}

fn usual(language: &str) -> Option<&'static str> {
    USUAL.split_whitespace().find(|locale| locale.split('-').next() == Some(language))
}

const ALIASES: [(&str, &str); 6] =
    [("no", "nb"), ("tl", "fil"), ("iw", "he"), ("in", "id"), ("jw", "jv"), ("cmn", "zh")];
/// One of each language that is understood.
const USUAL: &str = "af-ZA am-ET ar-SA as-IN az-AZ bg-BG bn-IN bs-BA ca-ES cs-CZ cy-GB da-DK de-DE el-GR en-US es-ES \
                     et-EE eu-ES fa-IR fi-FI fil-PH fr-FR ga-IE gl-ES gu-IN he-IL hi-IN hr-HR hu-HU hy-AM id-ID is-IS \
                     it-IT ja-JP jv-ID ka-GE kk-KZ km-KH kn-IN ko-KR lo-LA lt-LT lv-LV mk-MK ml-IN mn-MN mr-IN ms-MY \
                     mt-MT my-MM nb-NO ne-NP nl-NL or-IN pa-IN pl-PL ps-AF pt-BR ro-RO ru-RU si-LK sk-SK sl-SI so-SO \
                     sq-AL sr-RS sv-SE sw-KE ta-IN te-IN th-TH tr-TR uk-UA ur-IN uz-UZ vi-VN wuu-CN yue-CN zh-CN zu-ZA";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_get_a_region() {
        for (tag, expected) in [
            ("en", "en-US"),
            ("en-gb", "en-GB"),
            ("en_AU", "en-AU"),
            ("pt", "pt-BR"),
            ("zh-Hans", "zh-CN"),
            ("zh-Hant", "zh-TW"),
            ("zh-Hant-HK", "zh-HK"),
            ("es-419", "es-MX"),
            ("no", "nb-NO"),
            ("iw", "he-IL"),
            ("xx", "xx"),
            ("", ""),
        ] {
            assert_eq!(locale(tag), expected, "{tag}");
        }
        assert!(languages().any(|language| language == "fil") && languages().count() == 80);
    }
}
