//! Notices a language other than English and says so kindly, instead of answering past it.

use super::super::heard::Heard;

pub(super) fn answer(heard: &Heard) -> Option<String> {
    let language = script(heard.text()).or_else(|| small_words(heard))?;
    Some(format!(
        "I think that was {language}. I am sorry, I only understand English; a language model could help you."
    ))
}

/// By the script of most of its letters.
fn script(text: &str) -> Option<&'static str> {
    let letters: Vec<char> = text.chars().filter(|c| c.is_alphabetic()).collect();
    let of = |ranges: &[(u32, u32)]| {
        let within = |c: &&char| ranges.iter().any(|(first, last)| (*first..=*last).contains(&u32::from(**c)));
        letters.iter().filter(within).count()
    };
    let scripts: [(&str, &[(u32, u32)]); 8] = [
        ("Russian or Ukrainian", &[(0x400, 0x52f)]),
        ("Greek", &[(0x370, 0x3ff)]),
        ("Arabic", &[(0x600, 0x6ff)]),
        ("Hebrew", &[(0x590, 0x5ff)]),
        ("Hindi", &[(0x900, 0x97f)]),
        ("Japanese", &[(0x3040, 0x30ff)]),
        ("Korean", &[(0xac00, 0xd7af), (0x1100, 0x11ff)]),
        ("Chinese or Japanese", &[(0x4e00, 0x9fff)]),
    ];
    // Japanese mixes its own letters with Chinese ones: a few of its own suffice.
    let japanese = of(scripts[5].1) > 0;
    let found = scripts
        .iter()
        .find(|(_, ranges)| !letters.is_empty() && 2 * of(ranges) >= letters.len())
        .map(|(name, _)| *name);
    if japanese && found.is_some() { Some(scripts[5].0) } else { found }
}

/// By the small words every sentence needs; two, and more than English has there.
fn small_words(heard: &Heard) -> Option<&'static str> {
    let count = |list: &[&str]| heard.words().iter().filter(|word| list.contains(&word.text.as_str())).count();
    let (language, hits) = LANGUAGES.iter().map(|(name, list)| (*name, count(list))).max_by_key(|(_, hits)| *hits)?;
    (hits >= 2 && hits > count(ENGLISH)).then_some(language)
}

#[rustfmt::skip]
const LANGUAGES: [(&str, &[&str]); 6] = [
    ("German", &["ich", "und", "der", "das", "ist", "nicht", "wie", "wir", "ein", "eine", "auf", "mir", "was", "bitte", "spät", "du", "kannst", "heißt", "guten", "viel", "es", "wird", "oft", "soll", "wann", "wo", "wer", "warum", "welche", "welcher", "welches", "mit", "für", "sind", "haben"]),
    ("French", &["je", "est", "le", "les", "et", "une", "quelle", "quel", "pas", "vous", "il", "heure", "que", "bonjour", "suis", "s'il", "comment", "c'est", "qu'est", "combien", "des", "du", "dans", "où", "quand", "pourquoi", "avec", "sont", "par", "jour", "dois"]),
    ("Spanish", &["el", "los", "es", "qué", "hora", "una", "por", "favor", "cómo", "estás", "yo", "hola", "muy", "está", "son", "tú", "y", "hoy", "cuánta", "cuánto", "cuál", "cuándo", "dónde", "quién", "las", "del", "para", "debo", "día"]),
    ("Italian", &["il", "che", "è", "una", "per", "sono", "come", "ore", "ciao", "non", "gli", "della", "mi", "chiamo", "oggi", "favore", "quanto", "quanta", "quale", "quando", "dove", "perché", "devo", "nel", "giorno"]),
    ("Portuguese", &["o", "que", "não", "uma", "você", "está", "são", "horas", "eu", "por", "obrigado", "olá", "muito", "é", "meu", "quanto", "quanta", "qual", "quando", "onde", "devo", "para", "dia", "em"]),
    ("Dutch", &["ik", "het", "een", "niet", "wat", "hoe", "laat", "van", "je", "dat", "mijn", "bent", "kunt", "graag", "hoeveel", "welke", "wanneer", "waar", "waarom", "moet", "voor", "zijn", "dag"]),
];
const ENGLISH: &[&str] = &[
    "the", "is", "a", "an", "i", "you", "what", "to", "of", "and", "in", "it", "my", "how", "that", "me", "do", "was",
    "are", "can", "not",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_languages_are_named() {
        for (text, language) in [
            ("Wie spät ist es?", "German"),
            ("Quelle heure est-il ?", "French"),
            ("¿Qué hora es?", "Spanish"),
            ("Mi chiamo Anna.", "Italian"),
            ("Hoe laat is het?", "Dutch"),
            ("Wie viel soll ich davon nehmen?", "German"),
            ("Combien de comprimés par jour ?", "French"),
            ("¿Cuánta agua toma el niño?", "Spanish"),
            ("Который час?", "Russian or Ukrainian"),
            ("今何時ですか？", "Japanese"),
            ("现在几点？", "Chinese or Japanese"),
        ] {
            let reply = answer(&Heard::new(text)).unwrap_or_default();
            assert!(reply.starts_with(&format!("I think that was {language}.")), "{text}: {reply}");
        }
        for text in [
            "Go forward ten meters.",
            "Das Boot was a film I liked.",
            "Hello",
            "El Paso",
            "Turn on the light.",
            "Who was Oscar de la Hoya?",
        ] {
            assert_eq!(answer(&Heard::new(text)), None, "{text}");
        }
    }
}
