//! `/v2/listen`: Flux, which tells turns.

use serde::Deserialize;

use super::{Heard, Passage, Trouble, complaint, kind, primary, read, seconds, word};
use crate::{
    deepgram::{Config, terms},
    stt::{SttOptions, Word},
};

/// The model and all it is to do.
pub(in crate::deepgram) fn query(model: &str, config: &Config, options: &SttOptions) -> Vec<(&'static str, String)> {
    let mut query =
        vec![("model", model.to_owned()), ("encoding", "linear16".to_owned()), ("sample_rate", "16000".to_owned())];
    query.extend(config.eot_threshold.map(|value| ("eot_threshold", value.to_string())));
    query.extend(config.eager_eot_threshold.map(|value| ("eager_eot_threshold", value.to_string())));
    query.extend(config.eot_timeout_ms.map(|value| ("eot_timeout_ms", value.to_string())));
    if !model.ends_with("-en") {
        let one = options.language.as_slice();
        let hints = if one.is_empty() { &config.languages } else { one };
        query.extend(hints.iter().map(|hint| ("language_hint", primary(hint))));
    }
    let prompt = options.prompt.as_deref().unwrap_or_default();
    query.extend(terms::terms(prompt).into_iter().map(|term| ("keyterm", term)));
    if config.mip_opt_out {
        query.push(("mip_opt_out", true.to_string()));
    }
    query
}

/// Reads one message.
///
/// # Errors
///
/// What Deepgram complains about, or that the message is broken.
pub(in crate::deepgram) fn read_message(text: &str) -> Result<Heard, Trouble> {
    match kind(text)?.as_str() {
        "TurnInfo" => read::<TurnInfo>(text).map(TurnInfo::heard),
        "Error" => Err(complaint(text)?),
        _ => Ok(Heard::Other),
    }
}

/// What was said in the turn so far.
#[derive(Deserialize)]
struct TurnInfo {
    event: String,
    transcript: String,
    #[serde(default)]
    audio_window_start: f64,
    #[serde(default)]
    audio_window_end: f64,
    #[serde(default)]
    words: Vec<Said>,
    #[serde(default)]
    languages: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Said {
    word: String,
    start: Option<f64>,
    end: Option<f64>,
}

impl TurnInfo {
    fn heard(self) -> Heard {
        // Older servers give words no times; some times would be worse than none.
        let timed = |said: &Said| Some(word(&said.word, said.start?, said.end?));
        let words: Option<Vec<Word>> = self.words.iter().map(timed).collect();
        let words = words.unwrap_or_default();
        let (start, end) = (seconds(self.audio_window_start), seconds(self.audio_window_end));
        let passage = Passage {
            text: self.transcript.trim().to_owned(),
            start: words.first().map_or(start, |word| word.start.min(start)),
            end: end.max(start),
            words,
            languages: self.languages.unwrap_or_default().iter().map(|tag| primary(tag)).collect(),
        };
        // A turn that ended early may be resumed with other words: only `EndOfTurn` settles it. `StartOfTurn`, `Update`,
        // `EagerEndOfTurn`, `TurnResumed` and whatever comes to be tell the turn so far.
        if self.event == "EndOfTurn" { Heard::Settled { passage, flushed: false } } else { Heard::Guess(passage) }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::ErrorKind;

    #[test]
    fn only_models_of_several_languages_get_hints() {
        let config = Config {
            languages: vec!["es".into(), "en-US".into()],
            eot_threshold: Some(0.8),
            eager_eot_threshold: Some(0.5),
            eot_timeout_ms: Some(3_000),
            mip_opt_out: true,
            ..Config::default()
        };
        let asked = |model, language: Option<&str>| {
            let options = SttOptions {
                language: language.map(str::to_owned),
                prompt: Some("Quixal".into()),
                ..SttOptions::default()
            };
            let query = query(model, &config, &options);
            query.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join("&")
        };
        let head = "encoding=linear16&sample_rate=16000&eot_threshold=0.8&eager_eot_threshold=0.5&eot_timeout_ms=3000";
        let tail = "keyterm=Quixal&mip_opt_out=true";
        for (model, language, hints) in [
            ("flux-general-en", None, ""),
            ("flux-general-multi", None, "language_hint=es&language_hint=en&"),
            ("flux-general-multi", Some("fr-FR"), "language_hint=fr&"),
        ] {
            assert_eq!(asked(model, language), format!("model={model}&{head}&{hints}{tail}"));
        }
    }

    #[test]
    fn only_the_end_of_a_turn_settles_it() {
        for (event, settles) in [
            ("StartOfTurn", false),
            ("Update", false),
            ("EagerEndOfTurn", false),
            ("TurnResumed", false),
            ("SomethingNew", false),
            ("EndOfTurn", true),
        ] {
            let text = format!(
                r#"{{"type":"TurnInfo","request_id":"r","sequence_id":3,"event":"{event}","turn_index":0,"audio_window_start":0,
                "audio_window_end":1.5,"transcript":"Hi there","words":[{{"word":"Hi","confidence":0.9,"start":0.2,"end":0.4}},
                {{"word":"there","confidence":0.9,"start":0.4,"end":0.9}}],"end_of_turn_confidence":0.3,"languages":["en"]}}"#
            );
            let (passage, settled) = match read_message(&text).unwrap() {
                Heard::Settled { passage, flushed: false } => (passage, true),
                Heard::Guess(passage) => (passage, false),
                other @ (Heard::Settled { .. } | Heard::Onset | Heard::Lull | Heard::Done | Heard::Other) => {
                    panic!("{other:?}")
                }
            };
            assert_eq!((settled, passage.text.as_str(), passage.words.len()), (settles, "Hi there", 2), "{event}");
            assert_eq!((passage.start, passage.end), (Duration::ZERO, Duration::from_millis(1_500)));
        }
    }

    #[test]
    fn words_without_times_are_left_out() {
        let text = r#"{"type":"TurnInfo","event":"EndOfTurn","transcript":"I do","words":[{"word":"I","confidence":0.95},
            {"word":"do","confidence":0.9,"start":1,"end":2}],"trigger":"manual"}"#;
        let Ok(Heard::Settled { passage, .. }) = read_message(text) else { panic!("settled") };
        assert!(passage.words.is_empty() && passage.text == "I do");
    }

    #[test]
    fn other_messages_are_known_or_passed_over() {
        for text in [r#"{"type":"Connected","request_id":"r","sequence_id":0}"#, r#"{"type":"Warning","code":"X"}"#] {
            assert_eq!(read_message(text), Ok(Heard::Other));
        }
        let fatal = r#"{"type":"Error","sequence_id":1,"code":"UNPARSABLE_CLIENT_MESSAGE","description":"what?"}"#;
        assert_eq!(read_message(fatal).unwrap_err().kind, ErrorKind::Rejected);
        assert_eq!(read_message(r#"{"type":"TurnInfo"}"#).unwrap_err().kind, ErrorKind::Protocol);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_survived(text: String) {
            let _ = read_message(&text);
        }
    }
}
