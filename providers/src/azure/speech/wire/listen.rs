//! What a recogniser is asked, and what it answers.
//!
//! Sources in Microsoft's JavaScript SDK: `SpeechConnectionFactory.ts` and `ConnectionFactoryBase.ts` for addresses and
//! their parameters, `ServiceRecognizerBase.ts` and `ServiceMessages/` for `speech.context`, `DetailedSpeechPhrase.ts` and
//! `SpeechHypothesis.ts` for results.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Message, ticks,
    trouble::{self, Trouble},
};
use crate::{
    azure::speech::{Config, locales::primary},
    stt::Word,
};

/// What one utterance is to be recognised as.
#[derive(Clone, Debug)]
pub(in crate::azure::speech) struct Plan {
    /// Behind the host.
    pub(in crate::azure::speech) function: String,
    mode: &'static str,
    /// A model of one's own.
    deployment: Option<String>,
    /// The locale spoken, or those to tell apart.
    languages: Vec<String>,
    interim: bool,
    /// Words and names likely to occur.
    phrases: Vec<String>,
}

/// What the service says.
#[derive(Clone, PartialEq, Debug)]
pub(in crate::azure::speech) enum Heard {
    /// A guess at what was said since the last phrase; replaces the guess before it.
    Guess(Passage),
    /// Will not change any more; replaces the guesses at it.
    Settled(Passage),
    /// Nothing was understood up to here, in the time of the turn.
    Nothing(Duration),
    /// All is said that this turn has to say.
    Over,
    /// Nothing of interest.
    Other,
}

/// A stretch of transcript, in the time of the turn.
#[derive(Clone, PartialEq, Debug, Default)]
pub(in crate::azure::speech) struct Passage {
    pub(in crate::azure::speech) text: String,
    pub(in crate::azure::speech) start: Duration,
    pub(in crate::azure::speech) end: Duration,
    /// Empty where the words came without times.
    pub(in crate::azure::speech) words: Vec<Word>,
    /// BCP 47 primary tag, where the language was to be detected.
    pub(in crate::azure::speech) language: Option<String>,
}

impl Plan {
    /// `model` is a mode of the older addresses, `interactive`, `conversation` or `dictation`; or the id of a custom
    /// model's deployment; or `speech`.
    pub(in crate::azure::speech) fn new(
        model: &str,
        languages: Vec<String>,
        interim: bool,
        phrases: Vec<String>,
    ) -> Self {
        let (mode, old, deployment) = match model {
            "interactive" => ("Interactive", Some(model), None),
            "conversation" => ("Conversation", Some(model), None),
            "dictation" => ("Dictation", Some(model), None),
            "" | "speech" | "universal" => ("Conversation", None, None),
            id => ("Conversation", None, Some(id.to_owned())),
        };
        let function = old.map_or_else(
            || "stt/speech/universal/v2".to_owned(),
            |mode| format!("speech/recognition/{mode}/cognitiveservices/v1"),
        );
        Self { function, mode, deployment, languages, interim, phrases }
    }

    fn detects(&self) -> bool {
        self.languages.len() > 1
    }

    /// The parameters of its address.
    pub(in crate::azure::speech) fn query(&self, config: &Config) -> Vec<(&'static str, String)> {
        let mut query = Vec::new();
        match &self.deployment {
            Some(id) => query.push(("cid", id.clone())),
            None => query.extend(self.languages.first().map(|locale| ("language", locale.clone()))),
        }
        query.push(("format", "detailed".to_owned()));
        query.push(("wordLevelTimestamps", "true".to_owned()));
        if self.detects() {
            query.push(("lidEnabled", "true".to_owned()));
        }
        query.extend(config.profanity.map(|profanity| ("profanity", profanity.name().to_owned())));
        query.extend(config.segmentation_ms.map(|millis| ("segmentationSilenceTimeoutMs", millis.to_string())));
        query
    }

    /// The body of `speech.context`.
    pub(in crate::azure::speech) fn context(&self, config: &Config) -> String {
        let mut detection = json!({"mode": self.mode});
        if let Some(millis) = config.segmentation_ms {
            let segmentation = json!({"mode": "Custom", "segmentationSilenceTimeoutMs": millis});
            detection[self.mode.to_ascii_lowercase()] = json!({"segmentation": segmentation});
        }
        if let Some(profanity) = config.profanity {
            detection["enrichment"] = json!({"profanity": profanity.name()});
        }
        let interim = if self.interim { "Auto" } else { "None" };
        let mut context = json!({
            "phraseOutput": {
                "format": "Detailed",
                "detailed": {"options": ["WordTimings"]},
                "interimResults": {"resultType": interim},
                "phraseResults": {"resultType": "Always"},
            },
        });
        if self.detects() {
            context["languageId"] = self.candidates();
        } else if let Some(locale) = self.languages.first() {
            detection["language"] = Value::from(locale.as_str());
        }
        context["phraseDetection"] = detection;
        if !self.phrases.is_empty() {
            let items: Vec<_> = self.phrases.iter().map(|phrase| json!({"text": phrase})).collect();
            context["dgi"] = json!({"groups": [{"type": "Generic", "items": items}], "bias": 1.0});
        }
        context.to_string()
    }

    /// At the start of an utterance few languages are told apart; more of them only again and again throughout it.
    fn candidates(&self) -> Value {
        let at_start = self.languages.len() <= MOST_AT_START;
        json!({
            "languages": self.languages,
            "mode": if at_start { "DetectAtAudioStart" } else { "DetectContinuous" },
            "onSuccess": {"action": "Recognize"},
            "onUnknown": {"action": "None"},
            "priority": "PrioritizeLatency",
        })
    }
}

/// A RIFF header of sound whose length is not known: mono, 16 bits, 16 kHz.
pub(in crate::azure::speech) fn riff() -> Vec<u8> {
    let mut header = Vec::with_capacity(44);
    header.extend(b"RIFF\0\0\0\0WAVEfmt ");
    header.extend(16_u32.to_le_bytes());
    header.extend([1_u16, 1].map(u16::to_le_bytes).concat());
    header.extend([16_000_u32, 32_000].map(u32::to_le_bytes).concat());
    header.extend([2_u16, 16].map(u16::to_le_bytes).concat());
    header.extend(b"data\0\0\0\0");
    header
}

/// Reads one message of a turn.
///
/// # Errors
///
/// What the service complains about, or that the message is broken.
pub(in crate::azure::speech) fn read(message: &Message<'_>) -> Result<Heard, Trouble> {
    match message.kind().as_str() {
        "speech.hypothesis" | "speech.fragment" => message.read::<Hypothesis>().map(Hypothesis::heard),
        "speech.phrase" => message.read::<Phrase>()?.heard(),
        "turn.end" => Ok(Heard::Over),
        _ => Ok(Heard::Other),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Hypothesis {
    text: String,
    #[serde(default)]
    offset: f64,
    #[serde(default)]
    duration: f64,
    primary_language: Option<Language>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Language {
    language: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Phrase {
    recognition_status: Status,
    #[serde(default)]
    display_text: String,
    #[serde(default)]
    offset: f64,
    #[serde(default)]
    duration: f64,
    #[serde(default, rename = "NBest")]
    n_best: Vec<Best>,
    primary_language: Option<Language>,
}

/// The service knows it by both.
#[derive(Deserialize)]
#[serde(untagged)]
enum Status {
    Name(String),
    Number(usize),
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Best {
    #[serde(default, alias = "DisplayText")]
    display: String,
    #[serde(default)]
    words: Vec<Said>,
    #[serde(default)]
    display_words: Vec<Said>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Said {
    #[serde(alias = "DisplayText")]
    word: String,
    #[serde(default)]
    offset: f64,
    #[serde(default)]
    duration: f64,
}

impl Hypothesis {
    fn heard(self) -> Heard {
        let (start, end) = (ticks(self.offset), ticks(self.offset + self.duration));
        let text = self.text.trim().to_owned();
        Heard::Guess(Passage { text, start, end, words: Vec::new(), language: tag(self.primary_language) })
    }
}

impl Phrase {
    fn heard(self) -> Result<Heard, Trouble> {
        let end = ticks(self.offset + self.duration);
        let status = match &self.recognition_status {
            Status::Name(name) => name.as_str(),
            Status::Number(number) => STATUSES.get(*number).copied().unwrap_or_default(),
        };
        match status {
            "Success" => {}
            "NoMatch" | "InitialSilenceTimeout" | "BabbleTimeout" => return Ok(Heard::Nothing(end)),
            "EndOfDictation" => return Ok(Heard::Other),
            status => return Err(trouble::status(status)),
        }
        let best = self.n_best.into_iter().next();
        let shown = best.as_ref().map(|best| best.display.trim()).filter(|shown| !shown.is_empty());
        let text = shown.unwrap_or(self.display_text.trim()).to_owned();
        // Silence may come as a full stop.
        if !text.contains(char::is_alphanumeric) {
            return Ok(Heard::Nothing(end));
        }
        let words = best.map(|best| words(&text, best)).unwrap_or_default();
        let language = tag(self.primary_language);
        Ok(Heard::Settled(Passage { text, start: ticks(self.offset), end, words, language }))
    }
}

/// The words as they are written, where they can be told; else as they were spoken.
fn words(text: &str, best: Best) -> Vec<Word> {
    let said = if best.display_words.is_empty() { best.words } else { best.display_words };
    let shown: Vec<_> = text.split_whitespace().collect();
    let alike = shown.len() == said.len();
    let word = |(at, said): (usize, Said)| {
        let start = ticks(said.offset);
        let text = if alike { shown[at] } else { said.word.trim() };
        Word { text: text.to_owned(), start, end: ticks(said.offset + said.duration).max(start) }
    };
    said.into_iter().enumerate().map(word).collect()
}

fn tag(language: Option<Language>) -> Option<String> {
    language.map(|language| primary(&language.language)).filter(|tag| !tag.is_empty())
}

/// Languages that can be told apart at the start; beyond, 10 throughout:
/// <https://learn.microsoft.com/azure/ai-services/speech-service/language-identification>.
const MOST_AT_START: usize = 4;
/// As the SDK numbers them.
const STATUSES: [&str; 9] = [
    "Success",
    "NoMatch",
    "InitialSilenceTimeout",
    "BabbleTimeout",
    "Error",
    "EndOfDictation",
    "TooManyRequests",
    "BadRequest",
    "Forbidden",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ErrorKind, azure::speech::Profanity};

    fn plan(model: &str, languages: &[&str]) -> Plan {
        Plan::new(model, languages.iter().map(|tag| (*tag).to_owned()).collect(), true, Vec::new())
    }

    fn heard(path: &str, body: &str) -> Result<Heard, Trouble> {
        read(&Message::text(&format!("Path: {path}\r\n\r\n{body}")).unwrap())
    }

    #[test]
    fn models_are_modes_or_deployments() {
        for (model, function, first) in [
            ("speech", "stt/speech/universal/v2", ("language", "en-US")),
            ("conversation", "speech/recognition/conversation/cognitiveservices/v1", ("language", "en-US")),
            ("dictation", "speech/recognition/dictation/cognitiveservices/v1", ("language", "en-US")),
            ("1b2c-deployment", "stt/speech/universal/v2", ("cid", "1b2c-deployment")),
        ] {
            let plan = plan(model, &["en-US"]);
            let query = plan.query(&Config::default());
            assert_eq!((plan.function.as_str(), (query[0].0, query[0].1.as_str())), (function, first), "{model}");
        }
    }

    #[test]
    fn one_language_is_given_and_several_are_told_apart() {
        let config = Config { profanity: Some(Profanity::Raw), segmentation_ms: Some(300), ..Config::default() };
        let one = plan("speech", &["de-DE"]);
        let context: Value = serde_json::from_str(&one.context(&config)).unwrap();
        assert_eq!(
            context["phraseDetection"],
            json!({
                "mode": "Conversation", "language": "de-DE", "enrichment": {"profanity": "raw"},
                "conversation": {"segmentation": {"mode": "Custom", "segmentationSilenceTimeoutMs": 300}},
            })
        );
        assert!(context.get("languageId").is_none() && context.get("dgi").is_none());
        let query: Vec<_> = one.query(&config).into_iter().map(|(key, value)| format!("{key}={value}")).collect();
        assert_eq!(
            query.join("&"),
            "language=de-DE&format=detailed&wordLevelTimestamps=true&profanity=raw&segmentationSilenceTimeoutMs=300"
        );
        for (languages, mode) in [
            (&["de-DE", "en-US"][..], "DetectAtAudioStart"),
            (&["de-DE", "en-US", "fr-FR", "es-ES", "it-IT"], "DetectContinuous"),
        ] {
            let several = plan("speech", languages);
            assert!(several.query(&config).contains(&("lidEnabled", "true".to_owned())));
            let context: Value = serde_json::from_str(&several.context(&config)).unwrap();
            assert_eq!(context["languageId"]["mode"], mode);
            assert_eq!(context["languageId"]["languages"], json!(languages));
            assert!(context["phraseDetection"].get("language").is_none());
        }
    }

    #[test]
    fn phrases_and_interim_results_are_asked_for() {
        let plan = Plan::new("speech", vec!["en-US".into()], false, vec!["Quixal".into()]);
        let context: Value = serde_json::from_str(&plan.context(&Config::default())).unwrap();
        assert_eq!(context["dgi"]["groups"][0], json!({"type": "Generic", "items": [{"text": "Quixal"}]}));
        assert_eq!(context["phraseOutput"]["interimResults"]["resultType"], "None");
        assert_eq!(context["phraseOutput"]["detailed"]["options"], json!(["WordTimings"]));
    }

    #[test]
    fn the_header_of_the_sound_is_whole() {
        let header = riff();
        assert_eq!(header.len(), 44);
        assert_eq!((&header[..4], &header[8..16], &header[36..40]), (&b"RIFF"[..], &b"WAVEfmt "[..], &b"data"[..]));
        assert_eq!(header[20..36], [1, 0, 1, 0, 0x80, 0x3e, 0, 0, 0, 0x7d, 0, 0, 2, 0, 16, 0]);
    }

    #[test]
    fn phrases_are_read_with_their_words_and_language() {
        let body = r#"{"Id":"x","RecognitionStatus":"Success","Offset":5000000,"Duration":13000000,"DisplayText":"It's 10.",
            "PrimaryLanguage":{"Language":"en-US","Confidence":"High"},
            "NBest":[{"Confidence":0.97,"Lexical":"it's ten","ITN":"it's 10","MaskedITN":"it's 10","Display":"It's 10.",
            "Words":[{"Word":"it's","Offset":5000000,"Duration":3900000},{"Word":"ten","Offset":9000000,"Duration":1300000}]},
            {"Confidence":0.0,"Lexical":"","ITN":"","MaskedITN":"","Display":""}]}"#;
        let Ok(Heard::Settled(passage)) = heard("speech.phrase", body) else { panic!("settled") };
        assert_eq!((passage.text.as_str(), passage.language.as_deref()), ("It's 10.", Some("en")));
        assert_eq!((passage.start, passage.end), (Duration::from_millis(500), Duration::from_millis(1_800)));
        let words: Vec<_> = passage.words.iter().map(|word| (word.text.as_str(), word.start.as_millis())).collect();
        assert_eq!(words, [("It's", 500), ("10.", 900)], "as written");
        let simple = r#"{"RecognitionStatus":0,"DisplayText":"Yes.","Offset":0,"Duration":1}"#;
        assert!(matches!(heard("speech.phrase", simple), Ok(Heard::Settled(passage)) if passage.text == "Yes."));
        let differing = r#"{"RecognitionStatus":"Success","NBest":[{"Display":"$5","Words":[
            {"Word":"five","Offset":1,"Duration":1},{"Word":"dollars","Offset":2,"Duration":1}]}]}"#;
        assert!(matches!(heard("speech.phrase", differing), Ok(Heard::Settled(p)) if p.words[1].text == "dollars"));
    }

    #[test]
    fn every_kind_of_message_is_known_or_passed_over() {
        for (path, body, expected) in [
            ("speech.startDetected", r#"{"Offset":100000}"#, Heard::Other),
            ("speech.endDetected", "", Heard::Other),
            ("turn.start", r#"{"context":{"serviceTag":"7B33"}}"#, Heard::Other),
            ("Turn.End", "", Heard::Over),
            ("novelty", "", Heard::Other),
            (
                "speech.phrase",
                r#"{"RecognitionStatus":"InitialSilenceTimeout","Offset":20000000,"Duration":0}"#,
                Heard::Nothing(Duration::from_secs(2)),
            ),
            (
                "speech.phrase",
                r#"{"RecognitionStatus":"NoMatch","Offset":10000000,"Duration":10000000}"#,
                Heard::Nothing(Duration::from_secs(2)),
            ),
            (
                "speech.phrase",
                r#"{"RecognitionStatus":"Success","Offset":0,"Duration":10000000,"DisplayText":"."}"#,
                Heard::Nothing(Duration::from_secs(1)),
            ),
            ("speech.phrase", r#"{"RecognitionStatus":"EndOfDictation"}"#, Heard::Other),
        ] {
            assert_eq!(heard(path, body), Ok(expected), "{path} {body}");
        }
        for (path, body, kind) in [
            ("speech.phrase", r#"{"RecognitionStatus":"Error"}"#, ErrorKind::Unavailable),
            ("speech.phrase", r#"{"RecognitionStatus":6}"#, ErrorKind::RateLimited),
            ("speech.phrase", r#"{"RecognitionStatus":99}"#, ErrorKind::Protocol),
            ("speech.phrase", "{}", ErrorKind::Protocol),
            ("speech.hypothesis", "", ErrorKind::Protocol),
        ] {
            assert_eq!(heard(path, body).unwrap_err().kind, kind, "{path} {body}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_message_is_survived(text: String, bytes: Vec<u8>, offset: f64) {
            let _ = Message::text(&text).and_then(|message| read(&message));
            let _ = Message::binary(&bytes).and_then(|message| read(&message));
            let body = format!(r#"{{"RecognitionStatus":"Success","DisplayText":"x","Offset":{offset:e},"Duration":{offset:e},
                "NBest":[{{"Display":"x","Words":[{{"Word":"x","Offset":{offset:e},"Duration":{offset:e}}}]}}]}}"#);
            let _ = heard("speech.phrase", &body);
        }
    }
}
