//! Languages as the server takes and gives them.

use crate::openai::Config;

/// The primary tag of BCP 47: `en` of `en-GB`.
pub(in crate::openai) fn primary(tag: &str) -> String {
    tag.split(['-', '_']).next().unwrap_or(tag).to_ascii_lowercase()
}

/// The languages to expect: the session's, else those configured.
pub(in crate::openai) fn expected(asked: Option<&str>, config: &Config) -> Vec<String> {
    match asked {
        Some(tag) => vec![primary(tag)],
        None => {
            let mut tags: Vec<_> = config.languages.iter().map(|tag| primary(tag)).collect();
            tags.dedup();
            tags
        }
    }
}

/// The one language to expect, if it is one.
pub(in crate::openai) fn only(expected: &[String]) -> Option<&String> {
    expected.first().filter(|_| expected.len() == 1)
}

/// The primary tag of a language that was heard: `whisper-1` writes names out, others write codes.
pub(in crate::openai) fn spoken(language: &str) -> Option<String> {
    let language = language.trim().to_ascii_lowercase();
    let mut named = NAMES.split_whitespace().map(|pair| pair.split_once(':').unwrap_or((pair, pair)));
    let found = named.find(|(_, name)| *name == language.replace(' ', "_")).map(|(code, _)| code.to_owned());
    found.or_else(|| {
        let code = primary(&language);
        let fits = (2..=3).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_lowercase());
        // BCP 47 for what nobody determined.
        (fits && code != "und").then_some(code)
    })
}

/// Whisper's languages (<https://github.com/openai/whisper/blob/main/whisper/tokenizer.py>), Javanese with its proper code.
const NAMES: &str = "en:english zh:chinese de:german es:spanish ru:russian ko:korean fr:french ja:japanese pt:portuguese \
    tr:turkish pl:polish ca:catalan nl:dutch ar:arabic sv:swedish it:italian id:indonesian hi:hindi fi:finnish \
    vi:vietnamese he:hebrew uk:ukrainian el:greek ms:malay cs:czech ro:romanian da:danish hu:hungarian ta:tamil \
    no:norwegian th:thai ur:urdu hr:croatian bg:bulgarian lt:lithuanian la:latin mi:maori ml:malayalam cy:welsh sk:slovak \
    te:telugu fa:persian lv:latvian bn:bengali sr:serbian az:azerbaijani sl:slovenian kn:kannada et:estonian \
    mk:macedonian br:breton eu:basque is:icelandic hy:armenian ne:nepali mn:mongolian bs:bosnian kk:kazakh sq:albanian \
    sw:swahili gl:galician mr:marathi pa:punjabi si:sinhala km:khmer sn:shona yo:yoruba so:somali af:afrikaans \
    oc:occitan ka:georgian be:belarusian tg:tajik sd:sindhi gu:gujarati am:amharic yi:yiddish lo:lao uz:uzbek fo:faroese \
    ht:haitian_creole ps:pashto tk:turkmen nn:nynorsk mt:maltese sa:sanskrit lb:luxembourgish my:myanmar bo:tibetan \
    tl:tagalog mg:malagasy as:assamese tt:tatar haw:hawaiian ln:lingala ha:hausa ba:bashkir jv:javanese su:sundanese \
    yue:cantonese";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_codes_are_understood() {
        for (language, expected) in [
            ("english", Some("en")),
            ("Haitian Creole", Some("ht")),
            ("de", Some("de")),
            ("pt-BR", Some("pt")),
            ("und", None),
            ("klingonese", None),
            ("", None),
        ] {
            assert_eq!(spoken(language).as_deref(), expected, "{language}");
        }
    }

    #[test]
    fn the_sessions_language_comes_before_the_configured_ones() {
        let config = Config { languages: vec!["en-US".into(), "en-GB".into(), "es".into()], ..Config::default() };
        assert_eq!(expected(Some("de-AT"), &config), ["de"]);
        assert_eq!(expected(None, &config), ["en", "es"]);
        assert_eq!(only(&expected(None, &config)), None);
        assert_eq!(only(&expected(Some("de"), &config)).map(String::as_str), Some("de"));
    }
}
