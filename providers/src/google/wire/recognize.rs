//! `google.cloud.speech.v2.Speech/StreamingRecognize`.
//!
//! Source: <https://github.com/googleapis/googleapis/blob/master/google/cloud/speech/v2/cloud_speech.proto>.

use bytes::Bytes;
use prost::Message;

use super::Seconds;
use crate::{
    google::{
        Config,
        assembly::Passage,
        languages::{self, primary},
        phrases::phrases,
    },
    stt::{SttOptions, Word},
};

/// Where to call.
pub(in crate::google) const METHOD: &str = "google.cloud.speech.v2.Speech/StreamingRecognize";
/// Whom tokens are for.
pub(in crate::google) const AUDIENCE: &str = "https://speech.googleapis.com/";
/// Bytes of sound in a message: 15 KB are allowed.
pub(in crate::google) const LARGEST: usize = 15_000;

/// The first message: what to do.
pub(in crate::google) fn start(model: &str, project: &str, config: &Config, options: &SttOptions) -> Request {
    let recognizer = format!("projects/{project}/locations/{}/recognizers/_", config.region(model));
    let linear16 = Decoding { encoding: 1, sample_rate_hertz: 16_000, audio_channel_count: 1 };
    let hints = phrases(options.prompt.as_deref().unwrap_or_default());
    let adaptation = (!hints.is_empty()).then(|| {
        let phrases = hints.into_iter().map(|value| Phrase { value }).collect();
        Adaptation { phrase_sets: vec![AdaptationPhrases { inline_phrase_set: Some(PhraseSet { phrases }) }] }
    });
    let recognition = Recognition {
        explicit_decoding_config: Some(linear16),
        model: model.to_owned(),
        language_codes: language_codes(model, config, options),
        features: Some(Features { enable_word_time_offsets: config.word_times, enable_automatic_punctuation: true }),
        adaptation,
    };
    let streaming = Streaming {
        config: Some(recognition),
        streaming_features: Some(StreamingFeatures { interim_results: options.interim }),
    };
    Request { recognizer, streaming_config: Some(streaming), audio: None }
}

/// A message of sound.
pub(in crate::google) fn sound(pcm: impl Into<Bytes>) -> Request {
    Request { audio: Some(pcm.into()), ..Request::default() }
}

/// The languages that may be spoken; `auto` detects one, which only Chirp models can.
fn language_codes(model: &str, config: &Config, options: &SttOptions) -> Vec<String> {
    let told = options.language.as_slice();
    let expected = if told.is_empty() { &config.languages[..] } else { told };
    match expected {
        [] if model.starts_with("chirp") => vec!["auto".to_owned()],
        [] => vec!["en-US".to_owned()],
        tags => tags.iter().map(|tag| languages::heard(tag)).collect(),
    }
}

/// `StreamingRecognizeRequest`.
#[derive(Clone, PartialEq, Message)]
pub(in crate::google) struct Request {
    #[prost(string, tag = "3")]
    recognizer: String,
    #[prost(message, optional, tag = "6")]
    streaming_config: Option<Streaming>,
    #[prost(bytes = "bytes", optional, tag = "5")]
    audio: Option<Bytes>,
}

/// `StreamingRecognitionConfig`.
#[derive(Clone, PartialEq, Message)]
struct Streaming {
    #[prost(message, optional, tag = "1")]
    config: Option<Recognition>,
    #[prost(message, optional, tag = "2")]
    streaming_features: Option<StreamingFeatures>,
}

/// `StreamingRecognitionFeatures`.
#[derive(Clone, Copy, PartialEq, Message)]
struct StreamingFeatures {
    #[prost(bool, tag = "2")]
    interim_results: bool,
}

/// `RecognitionConfig`.
#[derive(Clone, PartialEq, Message)]
struct Recognition {
    #[prost(message, optional, tag = "8")]
    explicit_decoding_config: Option<Decoding>,
    #[prost(string, tag = "9")]
    model: String,
    #[prost(string, repeated, tag = "10")]
    language_codes: Vec<String>,
    #[prost(message, optional, tag = "2")]
    features: Option<Features>,
    #[prost(message, optional, tag = "6")]
    adaptation: Option<Adaptation>,
}

/// `ExplicitDecodingConfig`.
#[derive(Clone, Copy, PartialEq, Message)]
struct Decoding {
    #[prost(int32, tag = "1")]
    encoding: i32,
    #[prost(int32, tag = "2")]
    sample_rate_hertz: i32,
    #[prost(int32, tag = "3")]
    audio_channel_count: i32,
}

/// `RecognitionFeatures`.
#[derive(Clone, Copy, PartialEq, Message)]
struct Features {
    #[prost(bool, tag = "2")]
    enable_word_time_offsets: bool,
    #[prost(bool, tag = "4")]
    enable_automatic_punctuation: bool,
}

/// `SpeechAdaptation`.
#[derive(Clone, PartialEq, Message)]
struct Adaptation {
    #[prost(message, repeated, tag = "1")]
    phrase_sets: Vec<AdaptationPhrases>,
}

/// `SpeechAdaptation.AdaptationPhraseSet`.
#[derive(Clone, PartialEq, Message)]
struct AdaptationPhrases {
    #[prost(message, optional, tag = "2")]
    inline_phrase_set: Option<PhraseSet>,
}

/// `PhraseSet`.
#[derive(Clone, PartialEq, Message)]
struct PhraseSet {
    #[prost(message, repeated, tag = "3")]
    phrases: Vec<Phrase>,
}

/// `PhraseSet.Phrase`.
#[derive(Clone, PartialEq, Message)]
struct Phrase {
    #[prost(string, tag = "1")]
    value: String,
}

/// `StreamingRecognizeResponse`.
#[derive(Clone, PartialEq, Message)]
pub(in crate::google) struct Response {
    #[prost(message, repeated, tag = "6")]
    results: Vec<Heard>,
}

/// `StreamingRecognitionResult`.
#[derive(Clone, PartialEq, Message)]
struct Heard {
    #[prost(message, repeated, tag = "1")]
    alternatives: Vec<Alternative>,
    #[prost(bool, tag = "2")]
    is_final: bool,
    #[prost(message, optional, tag = "4")]
    result_end_offset: Option<Seconds>,
    #[prost(string, tag = "6")]
    language_code: String,
}

/// `SpeechRecognitionAlternative`.
#[derive(Clone, PartialEq, Message)]
struct Alternative {
    #[prost(string, tag = "1")]
    transcript: String,
    #[prost(message, repeated, tag = "3")]
    words: Vec<Said>,
}

/// `WordInfo`.
#[derive(Clone, PartialEq, Message)]
struct Said {
    #[prost(message, optional, tag = "1")]
    start_offset: Option<Seconds>,
    #[prost(message, optional, tag = "2")]
    end_offset: Option<Seconds>,
    #[prost(string, tag = "3")]
    word: String,
}

impl Response {
    /// What settled, and what is guessed of all that was said since; `None` where nothing is told of it. Times are those
    /// of the stream.
    pub(in crate::google) fn heard(self) -> (Vec<Passage>, Option<Passage>) {
        let (settled, guesses): (Vec<_>, Vec<_>) = self.results.into_iter().partition(|heard| heard.is_final);
        let settled = settled.into_iter().map(Heard::passage).collect();
        // Consecutive portions, the later ones less certain; blanks are where they belong.
        let text: String = guesses.iter().filter_map(|guess| Some(&*guess.alternatives.first()?.transcript)).collect();
        let guess = Passage { text: text.trim().to_owned(), ..Passage::default() };
        (settled, (!guesses.is_empty()).then_some(guess))
    }
}

impl Heard {
    fn passage(self) -> Passage {
        let best = self.alternatives.into_iter().next().unwrap_or_default();
        let words = best.words();
        let end = self.result_end_offset.map(Seconds::span).unwrap_or_default();
        let end = words.last().map_or(end, |last| end.max(last.end));
        let language = Some(self.language_code).filter(|code| !code.is_empty()).map(|code| primary(&code));
        Passage { text: best.transcript.trim().to_owned(), end, words, language }
    }
}

impl Alternative {
    /// Empty where they came without times; the first word may begin at none.
    fn words(&self) -> Vec<Word> {
        let timed = |said: &Said| {
            let start = said.start_offset.map(Seconds::span).unwrap_or_default();
            let end = said.end_offset.map(Seconds::span)?;
            Some(Word { text: said.word.trim().to_owned(), start, end: end.max(start) })
        };
        self.words.iter().map(timed).collect::<Option<_>>().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn options(language: Option<&str>) -> SttOptions {
        SttOptions { language: language.map(str::to_owned), interim: true, ..SttOptions::default() }
    }

    #[test]
    fn the_bytes_are_those_of_the_proto() {
        let config = Config { region: Some("eu".into()), languages: vec!["de".into()], ..Config::default() };
        let prompt = Some("Quixal".to_owned());
        let bytes = start("long", "p", &config, &SttOptions { prompt, ..options(None) }).encode_to_vec();
        let message = |tag: u8, body: &[u8]| [&[tag << 3 | 2, body.len() as u8], body].concat();
        let recognition = [
            message(2, &[2 << 3, 1, 4 << 3, 1]),
            message(6, &message(1, &message(2, &message(3, &message(1, b"Quixal"))))),
            message(8, &[1 << 3, 1, 2 << 3, 0x80, 0x7d, 3 << 3, 1]),
            message(9, b"long"),
            message(10, b"de-DE"),
        ];
        let streaming = [message(1, &recognition.concat()), message(2, &[2 << 3, 1])].concat();
        let expected = [message(3, b"projects/p/locations/eu/recognizers/_"), message(6, &streaming)].concat();
        assert_eq!(bytes, expected);
        assert_eq!(sound(vec![7, 8]).encode_to_vec(), message(5, &[7, 8]));
    }

    #[test]
    fn a_language_is_told_or_detected_as_the_model_can() {
        let plain = Config::default();
        let two = Config { languages: vec!["es".into(), "en-GB".into()], ..Config::default() };
        for (model, config, language, expected) in [
            ("chirp_3", &plain, None, &["auto"][..]),
            ("chirp_2", &plain, Some("pt"), &["pt-BR"]),
            ("telephony", &plain, None, &["en-US"]),
            ("long", &two, None, &["es-US", "en-GB"]),
            ("long", &two, Some("fr-CA"), &["fr-CA"]),
        ] {
            assert_eq!(language_codes(model, config, &options(language)), expected, "{model} {language:?}");
        }
    }

    fn said(word: &str, start: Option<i32>, end: Option<i32>) -> Said {
        let at = |millis: i32| Seconds { seconds: 0, nanos: millis * 1_000_000 };
        Said { word: word.to_owned(), start_offset: start.map(at), end_offset: end.map(at) }
    }

    #[test]
    fn results_settle_and_guess() {
        let heard = |text: &str, is_final| Heard {
            alternatives: vec![Alternative { transcript: text.to_owned(), words: Vec::new() }],
            is_final,
            result_end_offset: Some(Seconds { seconds: 1, nanos: 500_000_000 }),
            language_code: "en-us".to_owned(),
        };
        let results = vec![heard("to be", false), heard(" or not to be", false)];
        let (settled, guess) = Response { results }.heard();
        assert!(settled.is_empty());
        assert_eq!(guess.unwrap().text, "to be or not to be");

        let results = vec![heard(" That is the question. ", true), heard(" whether", false)];
        let (settled, guess) = Response { results }.heard();
        let expected = Passage {
            text: "That is the question.".to_owned(),
            end: Duration::from_millis(1_500),
            words: Vec::new(),
            language: Some("en".to_owned()),
        };
        assert_eq!((&settled[..], guess.unwrap().text.as_str()), (&[expected][..], "whether"));
        assert_eq!(Response::default().heard(), (Vec::new(), None));
    }

    #[test]
    fn words_have_times_or_are_left_out() {
        let words = vec![said("Hi,", None, Some(300)), said("there.", Some(400), Some(350))];
        let words = Alternative { words, ..Alternative::default() }.words();
        assert_eq!((words[0].start, words[0].end), (Duration::ZERO, Duration::from_millis(300)));
        assert_eq!(words[1].end, words[1].start, "no word ends before it begins");
        let words = vec![said("Hi,", None, Some(300)), said("there.", None, None)];
        assert!(Alternative { words, ..Alternative::default() }.words().is_empty());
    }
}
