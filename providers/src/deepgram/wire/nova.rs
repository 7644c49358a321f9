//! `/v1/listen`: Nova and the models before it.

use serde::Deserialize;

use super::{Heard, Passage, Trouble, complaint, kind, primary, read, seconds, word};
use crate::{
    deepgram::{Config, terms},
    stt::SttOptions,
};

/// The model and all it is to do.
pub(in crate::deepgram) fn query(model: &str, config: &Config, options: &SttOptions) -> Vec<(&'static str, String)> {
    let language = language(model, config, options);
    let many = language.as_deref() == Some(MANY);
    let flag = |value: bool| value.to_string();
    let mut query = vec![
        ("model", model.to_owned()),
        ("encoding", "linear16".to_owned()),
        ("sample_rate", "16000".to_owned()),
        ("channels", "1".to_owned()),
        ("interim_results", flag(options.interim)),
        ("punctuate", flag(true)),
        ("smart_format", flag(config.smart_format)),
    ];
    // Deepgram's advice: shorter where languages change, or the change falls into the middle.
    query.push(match config.endpointing_ms.unwrap_or(if many { 100 } else { 300 }) {
        0 => ("endpointing", flag(false)),
        millis => ("endpointing", millis.to_string()),
    });
    if options.interim {
        query.push(("vad_events", flag(true)));
        // Is made of interim results.
        if config.utterance_end_ms > 0 {
            query.push(("utterance_end_ms", config.utterance_end_ms.to_string()));
        }
    }
    query.extend(language.map(|language| ("language", language)));
    if many && is_nova_3(model) {
        query.extend(config.languages.iter().map(|hint| ("language_hint", hint.clone())));
    }
    let prompt = options.prompt.as_deref().unwrap_or_default();
    if is_nova_3(model) {
        query.extend(terms::terms(prompt).into_iter().map(|term| ("keyterm", term)));
    } else {
        query.extend(terms::keywords(prompt).into_iter().map(|word| ("keywords", word)));
    }
    if config.mip_opt_out {
        query.push(("mip_opt_out", flag(true)));
    }
    query
}

/// The language spoken, [`MANY`] to detect it, or `None` for the model's own. Streams cannot be asked to
/// `detect_language`; models that understand several languages at once detect them word by word.
fn language(model: &str, config: &Config, options: &SttOptions) -> Option<String> {
    let english_or_spanish = || config.languages.iter().all(|tag| matches!(primary(tag).as_str(), "en" | "es"));
    let detects = is_nova_3(model) || (matches!(model, "nova-2" | "nova-2-general") && english_or_spanish());
    let expected = match &config.languages[..] {
        [first, rest @ ..] if rest.is_empty() || !detects => Some(first.clone()),
        _ => detects.then(|| MANY.to_owned()),
    };
    options.language.clone().or(expected)
}

fn is_nova_3(model: &str) -> bool {
    model.starts_with("nova-3")
}

const MANY: &str = "multi";

/// Reads one message.
///
/// # Errors
///
/// What Deepgram complains about, or that the message is broken.
pub(in crate::deepgram) fn read_message(text: &str) -> Result<Heard, Trouble> {
    match kind(text)?.as_str() {
        "Results" => read::<Results>(text).map(Results::heard),
        "Metadata" => Ok(Heard::Done),
        "SpeechStarted" => Ok(Heard::Onset),
        "UtteranceEnd" => Ok(Heard::Lull),
        "Error" => Err(complaint(text)?),
        _ => Ok(Heard::Other),
    }
}

#[derive(Deserialize)]
struct Results {
    #[serde(default)]
    start: f64,
    #[serde(default)]
    duration: f64,
    #[serde(default)]
    is_final: bool,
    #[serde(default)]
    from_finalize: bool,
    channel: Channel,
}

#[derive(Deserialize)]
struct Channel {
    alternatives: Vec<Alternative>,
}

#[derive(Deserialize)]
struct Alternative {
    transcript: String,
    #[serde(default)]
    words: Vec<Said>,
    #[serde(default)]
    languages: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Said {
    word: String,
    punctuated_word: Option<String>,
    start: f64,
    end: f64,
    language: Option<String>,
}

impl Results {
    fn heard(self) -> Heard {
        let best = self.channel.alternatives.into_iter().next();
        let mut passage = best.map(Alternative::passage).unwrap_or_default();
        (passage.start, passage.end) = (seconds(self.start), seconds(self.start + self.duration));
        if self.is_final { Heard::Settled { passage, flushed: self.from_finalize } } else { Heard::Guess(passage) }
    }
}

impl Alternative {
    fn passage(self) -> Passage {
        let mut languages: Vec<_> =
            self.words.iter().filter_map(|said| said.language.as_deref().map(primary)).collect();
        if languages.is_empty() {
            languages = self.languages.unwrap_or_default().iter().map(|tag| primary(tag)).collect();
        }
        let shown = |said: &Said| word(said.punctuated_word.as_ref().unwrap_or(&said.word), said.start, said.end);
        let words = self.words.iter().map(shown).collect();
        Passage { text: self.transcript.trim().to_owned(), words, languages, ..Passage::default() }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::ErrorKind;

    fn asked(model: &str, config: &Config, options: &SttOptions) -> String {
        let query = query(model, config, options);
        query.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join("&")
    }

    fn options(language: Option<&str>, prompt: Option<&str>) -> SttOptions {
        let (language, prompt) = (language.map(str::to_owned), prompt.map(str::to_owned));
        SttOptions { language, prompt, interim: true, ..SttOptions::default() }
    }

    #[test]
    fn a_language_is_given_or_detected_as_the_model_can() {
        let plain = Config::default();
        let spanish = Config { languages: vec!["es".into()], ..Config::default() };
        let both = Config { languages: vec!["es".into(), "en".into()], ..Config::default() };
        let others = Config { languages: vec!["de".into(), "fr".into()], ..Config::default() };
        for (model, config, language, expected) in [
            ("nova-3", &plain, Some("en-GB"), Some("&language=en-GB")),
            ("nova-3", &plain, None, Some("&language=multi")),
            ("nova-3", &spanish, None, Some("&language=es")),
            ("nova-3", &both, None, Some("&language=multi&language_hint=es&language_hint=en")),
            ("nova-3-medical", &plain, None, Some("&language=multi")),
            ("nova-2", &both, None, Some("&language=multi")),
            ("nova-2", &others, None, Some("&language=de")),
            ("nova-2-phonecall", &both, None, Some("&language=es")),
            ("base", &plain, None, None),
        ] {
            let asked = asked(model, config, &options(language, None));
            match expected {
                Some(expected) => assert!(asked.ends_with(expected), "{asked}"),
                None => assert!(!asked.contains("language"), "{asked}"),
            }
        }
    }

    #[test]
    fn knobs_and_prompts_become_parameters() {
        let asked_of = |model, config: Config| asked(model, &config, &options(Some("en"), Some("Quixal, Jan Doe")));
        let usual = "&endpointing=300&vad_events=true&utterance_end_ms=1000&language=en&keyterm=Quixal&keyterm=Jan Doe";
        assert!(asked_of("nova-3", Config::default()).ends_with(usual));
        assert!(asked_of("nova-2", Config::default()).ends_with("&keywords=Quixal&keywords=Jan&keywords=Doe"));
        let config = Config {
            endpointing_ms: Some(0),
            utterance_end_ms: 0,
            smart_format: false,
            mip_opt_out: true,
            ..Config::default()
        };
        let asked_for = asked_of("nova-3", config);
        assert!(asked_for.contains("&smart_format=false&endpointing=false&vad_events=true&language"), "{asked_for}");
        assert!(asked_for.ends_with("&mip_opt_out=true"));
        let silent = SttOptions { interim: false, ..SttOptions::default() };
        let asked_for = asked("nova-3", &Config::default(), &silent);
        assert!(asked_for.contains("interim_results=false") && !asked_for.contains("utterance_end"), "{asked_for}");
    }

    #[test]
    fn results_are_read_with_their_times_and_languages() {
        let text = r#"{"type":"Results","channel_index":[0,1],"duration":2.5,"start":1,"is_final":true,"speech_final":true,
            "from_finalize":true,"channel":{"alternatives":[{"transcript":" Hola, world. ","confidence":0.9,"languages":["es","en"],
            "words":[{"word":"hola","start":1.2,"end":1.5,"confidence":1,"language":"es-419","punctuated_word":"Hola,"},
            {"word":"world","start":1.6,"end":1.4,"confidence":1}]}]},"metadata":{}}"#;
        let Ok(Heard::Settled { passage, flushed: true }) = read_message(text) else { panic!("settled") };
        assert_eq!((passage.text.as_str(), &passage.languages[..]), ("Hola, world.", &["es".to_owned()][..]));
        assert_eq!((passage.start, passage.end), (Duration::from_secs(1), Duration::from_millis(3_500)));
        assert_eq!(passage.words[0].text, "Hola,");
        assert_eq!(passage.words[1].end, passage.words[1].start, "no word ends before it begins");
    }

    #[test]
    fn every_kind_of_message_is_known_or_passed_over() {
        let empty = r#"{"type":"Results","channel":{"alternatives":[]}}"#;
        assert_eq!(read_message(empty), Ok(Heard::Guess(Passage::default())));
        for (text, expected) in [
            (r#"{"type":"SpeechStarted","channel":[0,1],"timestamp":0.4}"#, Heard::Onset),
            (r#"{"type":"UtteranceEnd","channel":[0,1],"last_word_end":2.4}"#, Heard::Lull),
            (r#"{"type":"Metadata","duration":0.0,"channels":0}"#, Heard::Done),
            (r#"{"type":"Novelty","channel":7}"#, Heard::Other),
        ] {
            assert_eq!(read_message(text), Ok(expected), "{text}");
        }
        for broken in ["", "[]", "{}", r#"{"type":7}"#, r#"{"type":"Results"}"#, r#"{"type":"Results","channel":{}}"#] {
            assert_eq!(read_message(broken).unwrap_err().kind, ErrorKind::Protocol, "{broken}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_survived(text: String, start: f64, end: f64) {
            let _ = read_message(&text);
            let text = format!(
                r#"{{"type":"Results","start":{start:e},"duration":{end:e},"channel":{{"alternatives":[{{"transcript":"","words":
                [{{"word":"x","start":{start:e},"end":{end:e}}}]}}]}}}}"#
            );
            let _ = read_message(&text);
        }
    }
}
