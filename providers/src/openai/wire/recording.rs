//! `POST {base}/audio/transcriptions`: what is asked of a recording, and what is answered.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::{Hints, language, spoken};
use crate::{
    net::events::{Broken, Progress, Reader},
    openai::{Config, chat::refused},
    stt::{Segment, SttOptions, Word},
};

/// How the answer is to come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::openai) enum Form {
    /// The text, at once.
    Plain,
    /// The text with its times, at once: `whisper-1`.
    Timed {
        /// Those of words as well as those of segments.
        words: bool,
    },
    /// Words as they are understood, as events.
    Events,
}

/// The fields of the form beside the file.
pub(in crate::openai) fn fields(
    model: &str,
    form: Form,
    config: &Config,
    options: &SttOptions,
) -> Vec<(&'static str, String)> {
    let mut fields = vec![("model", model.to_owned())];
    match form {
        Form::Plain => fields.push(("response_format", "json".to_owned())),
        Form::Timed { words } => {
            fields.push(("response_format", "verbose_json".to_owned()));
            fields.push((GRANULARITIES, "segment".to_owned()));
            if words {
                fields.push((GRANULARITIES, "word".to_owned()));
            }
        }
        Form::Events => {
            fields.push(("response_format", "json".to_owned()));
            fields.push(("stream", "true".to_owned()));
        }
    }
    let hints = Hints::of(model);
    let expected = language::expected(options.language.as_deref(), config);
    if hints.languages {
        fields.extend(expected.into_iter().map(|tag| ("languages[]", tag)));
    } else {
        fields.extend(language::only(&expected).map(|tag| ("language", tag.clone())));
    }
    let prompt = options.prompt.clone().filter(|prompt| hints.prompt && !prompt.trim().is_empty());
    fields.extend(prompt.map(|prompt| ("prompt", prompt)));
    if model.contains("-diarize") {
        // Required for more than 30 seconds.
        fields.push(("chunking_strategy", "auto".to_owned()));
    }
    fields
}

const GRANULARITIES: &str = "timestamp_granularities[]";

/// What is answered, in this order: any number of deltas, then everything.
#[derive(Clone, PartialEq, Debug)]
pub(in crate::openai) enum Told {
    /// More words.
    Delta(String),
    /// The whole text.
    Done(Answer),
}

/// A transcript; times are those of the recording.
#[derive(Clone, PartialEq, Debug, Default)]
pub(in crate::openai) struct Answer {
    pub(in crate::openai) text: String,
    /// The primary tag of BCP 47.
    pub(in crate::openai) language: Option<String>,
    pub(in crate::openai) words: Vec<Word>,
    pub(in crate::openai) segments: Vec<Segment>,
}

/// Reads events, or the whole answer of a server that streams none.
#[derive(Default, Debug)]
pub(in crate::openai) struct Ear {
    deltas: String,
    done: bool,
}

impl Reader for Ear {
    type Item = Told;

    fn read(&mut self, data: &str, out: &mut Vec<Told>) -> Result<Progress, Broken> {
        if data == "[DONE]" {
            return Ok(if self.done { Progress::Done } else { Progress::Open });
        }
        let event: Event = serde_json::from_str(data).map_err(|error| Broken::unreadable(&error))?;
        if let Some(error) = event.error {
            return Err(refused(&error));
        }
        match (event.kind.as_deref(), event.text) {
            (Some("transcript.text.delta"), _) => {
                let delta = event.delta.unwrap_or_default();
                self.deltas.push_str(&delta);
                out.push(Told::Delta(delta));
                Ok(Progress::Open)
            }
            (Some("transcript.text.done") | None, Some(text)) => {
                let heard = event.languages.into_iter().flatten().next().map(|language| language.code);
                let language = heard.or(event.language).as_deref().and_then(spoken);
                let words = event.words.into_iter().flatten().map(Said::word).collect();
                let segments = event.segments.into_iter().flatten().map(Stretch::segment).collect();
                out.push(Told::Done(Answer { text, language, words, segments }));
                self.done = true;
                Ok(Progress::Done)
            }
            (Some("transcript.text.done") | None, None) => Err(Broken::protocol("the transcript has no text")),
            (Some(_), _) => Ok(Progress::Open),
        }
    }

    fn end(&mut self, _: &mut Vec<Told>) -> Result<(), Broken> {
        if self.done { Ok(()) } else { Err(Broken::protocol("the answer ended before the transcript did")) }
    }
}

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "type")]
    kind: Option<String>,
    error: Option<Value>,
    delta: Option<String>,
    text: Option<String>,
    language: Option<String>,
    languages: Option<Vec<Detected>>,
    words: Option<Vec<Said>>,
    segments: Option<Vec<Stretch>>,
}

/// A language heard, where there may be several.
#[derive(Deserialize)]
pub(super) struct Detected {
    pub(super) code: String,
}

#[derive(Deserialize)]
struct Said {
    word: String,
    start: f64,
    end: f64,
}

#[derive(Deserialize)]
struct Stretch {
    #[serde(default)]
    text: String,
    start: f64,
    end: f64,
    avg_logprob: Option<f32>,
    no_speech_prob: Option<f32>,
}

impl Said {
    fn word(self) -> Word {
        let start = seconds(self.start);
        Word { text: self.word.trim().to_owned(), start, end: seconds(self.end).max(start) }
    }
}

impl Stretch {
    fn segment(self) -> Segment {
        let (start, end) = (seconds(self.start), seconds(self.end));
        let Self { avg_logprob, no_speech_prob, .. } = self;
        Segment { text: self.text.trim().to_owned(), start, end: end.max(start), avg_logprob, no_speech_prob }
    }
}

fn seconds(value: f64) -> Duration {
    Duration::try_from_secs_f64(value.max(0.0)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ErrorKind, net::events::replay_with};

    fn asked(model: &str, form: Form, config: &Config, options: &SttOptions) -> String {
        let fields = fields(model, form, config, options);
        fields.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
    }

    #[test]
    fn each_model_is_asked_what_it_understands() {
        let options = SttOptions {
            language: Some("pt-BR".into()),
            prompt: Some("Quixal".into()),
            interim: true,
            ..SttOptions::default()
        };
        let silent = SttOptions::default();
        let both = Config { languages: vec!["en".into(), "es".into()], ..Config::default() };
        let plain = Config::default();
        for (model, form, config, options, expected) in [
            (
                "whisper-1",
                Form::Timed { words: true },
                &plain,
                &options,
                "model=whisper-1&response_format=verbose_json&timestamp_granularities[]=segment\
                 &timestamp_granularities[]=word&language=pt&prompt=Quixal",
            ),
            (
                "gpt-4o-transcribe",
                Form::Events,
                &both,
                &silent,
                "model=gpt-4o-transcribe&response_format=json&stream=true",
            ),
            (
                "gpt-transcribe",
                Form::Events,
                &both,
                &silent,
                "model=gpt-transcribe&response_format=json&stream=true&languages[]=en&languages[]=es",
            ),
            (
                "gpt-4o-transcribe-diarize",
                Form::Plain,
                &plain,
                &options,
                "model=gpt-4o-transcribe-diarize&response_format=json&language=pt&chunking_strategy=auto",
            ),
        ] {
            assert_eq!(asked(model, form, config, options), expected);
        }
    }

    #[test]
    fn times_are_read_and_mended() {
        let text = r#"{"task":"transcribe","language":"english","duration":2.5,"text":"Hello there","segments":[{"id":0,"seek":0,
            "start":0.0,"end":2.5,"text":" Hello there","tokens":[1],"temperature":0.0,"avg_logprob":-0.25,
            "compression_ratio":1.0,"no_speech_prob":0.01}],"words":[{"word":"Hello","start":0.2,"end":0.1},
            {"word":" there","start":-1.0,"end":1e300}],"usage":{"type":"duration","seconds":3}}"#;
        let mut out = Vec::new();
        assert_eq!(Ear::default().read(text, &mut out), Ok(Progress::Done));
        let [Told::Done(answer)] = &out[..] else { panic!("{out:?}") };
        assert_eq!((answer.language.as_deref(), answer.segments[0].text.as_str()), (Some("en"), "Hello there"));
        assert_eq!(answer.words[0].end, answer.words[0].start, "no word ends before it begins");
        assert_eq!((answer.words[1].text.as_str(), answer.words[1].start), ("there", Duration::ZERO));
    }

    #[test]
    fn a_stream_without_its_end_is_broken_and_errors_are_told() {
        let delta = "data: {\"type\":\"transcript.text.delta\",\"delta\":\"Go\"}\n\n";
        let (told, ended) = replay_with(&mut Ear::default(), delta);
        assert_eq!(told, [Told::Delta("Go".into())]);
        assert_eq!(ended.unwrap_err().kind, ErrorKind::Protocol);
        let error = format!("{delta}data: {{\"error\":{{\"type\":\"server_error\",\"message\":\"oops\"}}}}\n\n");
        let (_, ended) = replay_with(&mut Ear::default(), &error);
        assert_eq!(ended.unwrap_err().kind, ErrorKind::Unavailable);
        for broken in
            ["data: {}\n\n", "data: nonsense\n\n", "data: [DONE]\n\n", "data: {\"type\":\"transcript.text.done\"}\n\n"]
        {
            let (_, ended) = replay_with(&mut Ear::default(), broken);
            assert_eq!(ended.unwrap_err().kind, ErrorKind::Protocol, "{broken}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_and_any_times_are_survived(text: String, start: f64, end: f64) {
            let _ = Ear::default().read(&text, &mut Vec::new());
            let text = format!(r#"{{"text":"x","words":[{{"word":"x","start":{start:e},"end":{end:e}}}]}}"#);
            let _ = Ear::default().read(&text, &mut Vec::new());
        }
    }
}
