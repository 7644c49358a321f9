//! Azure's voices, and which one a reply gets.
//!
//! Source: <https://learn.microsoft.com/azure/ai-services/speech-service/language-support?tabs=tts>, voices in general
//! availability; any other is spoken by when asked for in full.

use super::locales::{locale, primary};
use crate::tts::Voice;

/// Used where nothing else is configured.
pub(super) const DEFAULT: &str = "en-US-AvaMultilingualNeural";

/// The languages that can be spoken.
pub(super) fn languages() -> Vec<String> {
    let mut languages: Vec<_> = VOICES.iter().map(|(locale, ..)| primary(locale)).collect();
    languages.dedup();
    languages
}

/// Every listed voice, in full.
pub(super) fn all() -> impl Iterator<Item = String> {
    let full = |locale: &str, names: &'static str| {
        let locale = locale.to_owned();
        names.split_whitespace().map(move |name| full(&locale, name))
    };
    VOICES.iter().flat_map(move |(locale, women, men)| full(locale, women).chain(full(locale, men)))
}

/// Whether this names a voice in full, perhaps one newer than this list: a locale, and a name that ends in `Neural`.
pub(super) fn is_voice(name: &str) -> bool {
    let fits = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b':'));
    let locale = name.split('-').take(2).collect::<Vec<_>>();
    let [language, region] = locale[..] else { return false };
    let letters = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphabetic());
    fits && name.ends_with("Neural")
        && name.split('-').count() > 2
        && (2..=3).contains(&language.len())
        && (2..=4).contains(&region.len())
        && letters(language)
        && letters(region)
}

/// Whether it is a voice of high definition, which takes less of SSML.
pub(super) fn is_hd(name: &str) -> bool {
    name.contains(":DragonHD")
}

/// The locale of a voice.
pub(super) fn locale_of(voice: &str) -> String {
    let parts: Vec<_> = voice.split('-').collect();
    match parts[..] {
        [language, script, region, _, ..] if script.len() == 4 => format!("{language}-{script}-{region}"),
        [language, region, _, ..] => format!("{language}-{region}"),
        _ => "en-US".to_owned(),
    }
}

/// The voice that speaks: the one asked for if it is Azure's, in full or by its short name; else `model` or, where that
/// names no voice, `default`, exchanged for one of the same sex of the reply's language if it speaks another.
pub(super) fn pick(asked: &Voice, model: &str, default: &str) -> String {
    let name = asked.name.trim();
    if is_voice(name) {
        return name.to_owned();
    }
    let wanted = asked.language.as_deref().map(locale);
    if let Some(known) = known(name, wanted.as_deref()) {
        return known;
    }
    let usual = if is_voice(model) { model } else { default };
    let other = wanted.filter(|wanted| primary(wanted) != primary(usual));
    other.and_then(|wanted| of_language(&wanted, is_man(usual))).unwrap_or_else(|| usual.to_owned())
}

/// The voice of this short name, of this language if there are several.
fn known(name: &str, wanted: Option<&str>) -> Option<String> {
    let mut found = VOICES.iter().filter_map(|(locale, women, men)| {
        let mut names = women.split_whitespace().chain(men.split_whitespace());
        let full = names.find(|full| full.trim_end_matches(MANY).eq_ignore_ascii_case(name))?;
        Some((*locale, full))
    });
    let exact = found.clone().find(|(locale, _)| Some(*locale) == wanted);
    let alike = || found.clone().find(|(locale, _)| wanted.is_some_and(|wanted| primary(wanted) == primary(locale)));
    exact.or_else(alike).or_else(|| found.next()).map(|(locale, name)| full(locale, name))
}

fn of_language(wanted: &str, man: bool) -> Option<String> {
    let mut spoken = VOICES.iter().filter(|(locale, ..)| primary(locale) == primary(wanted));
    let exact = spoken.clone().find(|(locale, ..)| *locale == wanted);
    let (locale, women, men) =
        exact.or_else(|| spoken.find(|(locale, ..)| *locale == super::locales::locale(&primary(wanted))))?;
    Some(full(locale, if man { men } else { women }.split_whitespace().next()?))
}

fn is_man(voice: &str) -> bool {
    VOICES.iter().any(|(locale, _, men)| men.split_whitespace().any(|name| full(locale, name) == voice))
}

fn full(locale: &str, name: &str) -> String {
    format!("{locale}-{name}Neural")
}

/// What the names of voices that speak many languages end in.
const MANY: &str = "Multilingual";

/// Women and men by locale, the one to take where only the locale is known first.
const VOICES: [(&str, &str, &str); 145] = [
    ("af-ZA", "Adri", "Willem"),
    ("am-ET", "Mekdes", "Ameha"),
    ("ar-AE", "Fatima", "Hamdan"),
    ("ar-BH", "Laila", "Ali"),
    ("ar-DZ", "Amina", "Ismael"),
    ("ar-EG", "Salma", "Shakir"),
    ("ar-IQ", "Rana", "Bassel"),
    ("ar-JO", "Sana", "Taim"),
    ("ar-KW", "Noura", "Fahed"),
    ("ar-LB", "Layla", "Rami"),
    ("ar-LY", "Iman", "Omar"),
    ("ar-MA", "Mouna", "Jamal"),
    ("ar-OM", "Aysha", "Abdullah"),
    ("ar-QA", "Amal", "Moaz"),
    ("ar-SA", "Zariyah", "Hamed"),
    ("ar-SY", "Amany", "Laith"),
    ("ar-TN", "Reem", "Hedi"),
    ("ar-YE", "Maryam", "Saleh"),
    ("as-IN", "Yashica", "Priyom"),
    ("az-AZ", "Banu", "Babek"),
    ("bg-BG", "Kalina", "Borislav"),
    ("bn-BD", "Nabanita", "Pradeep"),
    ("bn-IN", "Tanishaa", "Bashkar"),
    ("bs-BA", "Vesna", "Goran"),
    ("ca-ES", "Joana Alba", "Enric"),
    ("cs-CZ", "Vlasta", "Antonin"),
    ("cy-GB", "Nia", "Aled"),
    ("da-DK", "Christel", "Jeppe"),
    ("de-AT", "Ingrid", "Jonas"),
    ("de-CH", "Leni", "Jan"),
    (
        "de-DE",
        "Katja SeraphinaMultilingual Amala Elke Klarissa Louisa Maja Tanja",
        "Conrad FlorianMultilingual Bernd Christoph Kasper Killian Klaus Ralf",
    ),
    ("el-GR", "Athina", "Nestoras"),
    ("en-AU", "Natasha Annette Carly Elsie Freya Joanne Kim Tina", "William Darren Duncan Ken Neil Tim"),
    ("en-CA", "Clara", "Liam"),
    (
        "en-GB",
        "Sonia Libby AdaMultilingual Abbi Bella Hollie Olivia",
        "Ryan OllieMultilingual Alfie Elliot Ethan Noah Oliver Thomas",
    ),
    ("en-HK", "Yan", "Sam"),
    ("en-IE", "Emily", "Connor"),
    ("en-IN", "Neerja Aashi Aarti Ananya Kavya", "Prabhat Aarav Arjun Kunal Rehaan"),
    ("en-KE", "Asilia", "Chilemba"),
    ("en-NG", "Ezinne", "Abeo"),
    ("en-NZ", "Molly", "Mitchell"),
    ("en-PH", "Rosa", "James"),
    ("en-SG", "Luna", "Wayne"),
    ("en-TZ", "Imani", "Elimu"),
    (
        "en-US",
        "AvaMultilingual EmmaMultilingual Jenny Aria Jane Luna Sara Nancy CoraMultilingual Amber Ashley Elizabeth \
         Michelle Monica",
        "AndrewMultilingual BrianMultilingual Guy Davis Jason Kai Tony ChristopherMultilingual BrandonMultilingual Eric \
         Jacob Roger RyanMultilingual SteffanMultilingual",
    ),
    ("en-ZA", "Leah", "Luke"),
    ("es-AR", "Elena", "Tomas"),
    ("es-BO", "Sofia", "Marcelo"),
    ("es-CL", "Catalina", "Lorenzo"),
    ("es-CO", "Salome", "Gonzalo"),
    ("es-CR", "Maria", "Juan"),
    ("es-CU", "Belkys", "Manuel"),
    ("es-DO", "Ramona", "Emilio"),
    ("es-EC", "Andrea", "Luis"),
    (
        "es-ES",
        "Elvira ArabellaMultilingual IsidoraMultilingual XimenaMultilingual Abril Estrella Irene Laia Lia Triana Vera",
        "Alvaro TristanMultilingual Arnau Dario Elias Nil Saul Teo",
    ),
    ("es-GQ", "Teresa", "Javier"),
    ("es-GT", "Marta", "Andres"),
    ("es-HN", "Karla", "Carlos"),
    (
        "es-MX",
        "Dalia Beatriz Candela Carlota Larissa Nuria Renata",
        "Jorge Cecilio Gerardo Liberto Luciano Pelayo Yago",
    ),
    ("es-NI", "Yolanda", "Federico"),
    ("es-PA", "Margarita", "Roberto"),
    ("es-PE", "Camila", "Alex"),
    ("es-PR", "Karina", "Victor"),
    ("es-PY", "Tania", "Mario"),
    ("es-SV", "Lorena", "Rodrigo"),
    ("es-US", "Paloma", "Alonso"),
    ("es-UY", "Valentina", "Mateo"),
    ("es-VE", "Paola", "Sebastian"),
    ("et-EE", "Anu", "Kert"),
    ("eu-ES", "Ainhoa", "Ander"),
    ("fa-IR", "Dilara", "Farid"),
    ("fi-FI", "Selma Noora", "Harri"),
    ("fil-PH", "Blessica", "Angelo"),
    ("fr-BE", "Charline", "Gerard"),
    ("fr-CA", "Sylvie", "Jean Antoine Thierry"),
    ("fr-CH", "Ariane", "Fabrice"),
    (
        "fr-FR",
        "Denise VivienneMultilingual Brigitte Celeste Coralie Jacqueline Josephine Yvette",
        "Henri RemyMultilingual LucienMultilingual Alain Claude Jerome Maurice Yves",
    ),
    ("ga-IE", "Orla", "Colm"),
    ("gl-ES", "Sabela", "Roi"),
    ("gu-IN", "Dhwani", "Niranjan"),
    ("he-IL", "Hila", "Avri"),
    ("hi-IN", "Swara Ananya Aarti Kavya", "Madhur Aarav Arjun Kunal Rehaan"),
    ("hr-HR", "Gabrijela", "Srecko"),
    ("hu-HU", "Noemi", "Tamas"),
    ("hy-AM", "Anahit", "Hayk"),
    ("id-ID", "Gadis", "Ardi"),
    ("is-IS", "Gudrun", "Gunnar"),
    (
        "it-IT",
        "Elsa Isabella Fabiola Fiamma Imelda Irma Palmira",
        "Diego AlessioMultilingual GiuseppeMultilingual MarcelloMultilingual Benigno Calimero Cataldo Gianni Lisandro \
         Rinaldo",
    ),
    ("ja-JP", "Nanami Aoi Mayu Shiori", "Keita Daichi Naoki"),
    ("jv-ID", "Siti", "Dimas"),
    ("ka-GE", "Eka", "Giorgi"),
    ("kk-KZ", "Aigul", "Daulet"),
    ("km-KH", "Sreymom", "Piseth"),
    ("kn-IN", "Sapna", "Gagan"),
    ("ko-KR", "SunHi JiMin SeoHyeon SoonBok YuJin", "InJoon HyunsuMultilingual BongJin GookMin"),
    ("lo-LA", "Keomany", "Chanthavong"),
    ("lt-LT", "Ona", "Leonas"),
    ("lv-LV", "Everita", "Nils"),
    ("mk-MK", "Marija", "Aleksandar"),
    ("ml-IN", "Sobhana", "Midhun"),
    ("mn-MN", "Yesui", "Bataa"),
    ("mr-IN", "Aarohi", "Manohar"),
    ("ms-MY", "Yasmin", "Osman"),
    ("mt-MT", "Grace", "Joseph"),
    ("my-MM", "Nilar", "Thiha"),
    ("nb-NO", "Pernille Iselin", "Finn"),
    ("ne-NP", "Hemkala", "Sagar"),
    ("nl-BE", "Dena", "Arnaud"),
    ("nl-NL", "Fenna Colette", "Maarten"),
    ("or-IN", "Subhasini", "Sukant"),
    ("pa-IN", "Vaani", "Ojas"),
    ("pl-PL", "Agnieszka Zofia", "Marek"),
    ("ps-AF", "Latifa", "GulNawaz"),
    (
        "pt-BR",
        "Francisca ThalitaMultilingual Brenda Elza Giovanna Leila Manuela Yara",
        "Antonio MacerioMultilingual Donato Fabio Humberto Julio Nicolau Valerio",
    ),
    ("pt-PT", "Raquel Fernanda", "Duarte"),
    ("ro-RO", "Alina", "Emil"),
    ("ru-RU", "Svetlana Dariya", "Dmitry"),
    ("si-LK", "Thilini", "Sameera"),
    ("sk-SK", "Viktoria", "Lukas"),
    ("sl-SI", "Petra", "Rok"),
    ("so-SO", "Ubax", "Muuse"),
    ("sq-AL", "Anila", "Ilir"),
    ("sr-RS", "Sophie", "Nicholas"),
    ("su-ID", "Tuti", "Jajang"),
    ("sv-SE", "Sofie Hillevi", "Mattias"),
    ("sw-KE", "Zuri", "Rafiki"),
    ("sw-TZ", "Rehema", "Daudi"),
    ("ta-IN", "Pallavi", "Valluvar"),
    ("ta-LK", "Saranya", "Kumar"),
    ("ta-MY", "Kani", "Surya"),
    ("ta-SG", "Venba", "Anbu"),
    ("te-IN", "Shruti", "Mohan"),
    ("th-TH", "Premwadee Achara", "Niwat"),
    ("tr-TR", "Emel", "Ahmet"),
    ("uk-UA", "Polina", "Ostap"),
    ("ur-IN", "Gul", "Salman"),
    ("ur-PK", "Uzma", "Asad"),
    ("uz-UZ", "Madina", "Sardor"),
    ("vi-VN", "HoaiMy", "NamMinh"),
    ("wuu-CN", "Xiaotong", "Yunzhe"),
    ("yue-CN", "XiaoMin", "YunSong"),
    (
        "zh-CN",
        "Xiaoxiao Xiaoyi XiaochenMultilingual Xiaohan Xiaomeng Xiaomo Xiaoqiu Xiaorou Xiaorui Xiaoyan \
         XiaoyuMultilingual Xiaozhen",
        "Yunxi Yunjian Yunyang Yunfeng Yunhao Yunjie Yunxia YunxiaoMultilingual Yunye YunyiMultilingual Yunze",
    ),
    ("zh-HK", "HiuMaan HiuGaai", "WanLung"),
    ("zh-TW", "HsiaoChen HsiaoYu", "YunJhe"),
    ("zu-ZA", "Thando", "Themba"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn picked(name: &str, language: Option<&str>, model: &str) -> String {
        pick(&Voice { name: name.into(), language: language.map(str::to_owned), speed: 1.0 }, model, DEFAULT)
    }

    #[test]
    fn a_voice_is_found_by_name_else_by_language_else_the_default_speaks() {
        for (name, language, model, expected) in [
            ("en-GB-SoniaNeural", Some("de"), "speech", "en-GB-SoniaNeural"),
            ("en-US-Ava:DragonHDLatestNeural", None, "speech", "en-US-Ava:DragonHDLatestNeural"),
            ("zh-CN-liaoning-XiaobeiNeural", None, "speech", "zh-CN-liaoning-XiaobeiNeural"),
            ("jenny", None, "speech", "en-US-JennyNeural"),
            ("andrew", None, "speech", "en-US-AndrewMultilingualNeural"),
            ("Luna", Some("en-SG"), "speech", "en-SG-LunaNeural"),
            ("luna", Some("en"), "speech", "en-US-LunaNeural"),
            ("Arjun", Some("hi"), "speech", "hi-IN-ArjunNeural"),
            ("alloy", None, "speech", DEFAULT),
            ("alloy", Some("en-GB"), "en-US-GuyNeural", "en-US-GuyNeural"),
            ("alloy", Some("de"), "speech", "de-DE-KatjaNeural"),
            ("alloy", Some("de-AT"), "en-US-GuyNeural", "de-AT-JonasNeural"),
            ("alloy", Some("ar"), "en-US-GuyNeural", "ar-SA-HamedNeural"),
            ("alloy", Some("es-419"), "", "es-MX-DaliaNeural"),
            ("alloy", Some("pt-AO"), "", "pt-BR-FranciscaNeural"),
            ("alloy", Some("xx"), "en-US-GuyNeural", "en-US-GuyNeural"),
            ("'/><break/>", None, "", DEFAULT),
        ] {
            assert_eq!(picked(name, language, model), expected, "{name} {language:?} {model}");
        }
    }

    #[test]
    fn every_listed_voice_is_one_and_is_found() {
        assert!(all().count() > 350 && all().all(|voice| is_voice(&voice) && picked(&voice, None, "") == voice));
        for no_voice in
            ["", "alloy", "Neural", "en-US", "en-US-Ava", "en-US-Ava'Neural", "x-y-zNeural", "1n-US-AvaNeural"]
        {
            assert!(!is_voice(no_voice), "{no_voice}");
        }
        for language in super::super::locales::languages().filter(|language| language != "eu") {
            assert!(of_language(&locale(&language), true).is_some(), "{language}");
        }
        assert_eq!(languages().len(), languages().iter().collect::<std::collections::BTreeSet<_>>().len());
    }

    #[test]
    fn locales_are_read_from_names() {
        for (voice, expected) in [
            (DEFAULT, "en-US"),
            ("sr-Latn-RS-NicholasNeural", "sr-Latn-RS"),
            ("zh-CN-liaoning-XiaobeiNeural", "zh-CN"),
            ("de-DE-Florian:DragonHDLatestNeural", "de-DE"),
            ("MyVoice", "en-US"),
        ] {
            assert_eq!(locale_of(voice), expected);
        }
    }
}
