//! Google's messages as JSON and back, by the field numbers of their `.proto` files, for a server that knows nothing of
//! the adapters' own.
//!
//! Sources: <https://github.com/googleapis/googleapis/blob/master/google/cloud/speech/v2/cloud_speech.proto>,
//! <https://github.com/googleapis/googleapis/blob/master/google/cloud/texttospeech/v1/cloud_tts.proto>.

use serde_json::{Map, Value, json};

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Flag,
    Int,
    Float,
    Double,
    Bytes,
    /// Written as in JSON: `"1.5s"`.
    Span,
    Message(&'static str),
}

use Kind::{Bytes, Double, Flag, Float, Int, Message, Span, Text};

/// Message, field (with a star where it is repeated), number, kind.
const FIELDS: &[(&str, &str, u32, Kind)] = &[
    ("StreamingRecognizeRequest", "recognizer", 3, Text),
    ("StreamingRecognizeRequest", "streamingConfig", 6, Message("StreamingRecognitionConfig")),
    ("StreamingRecognizeRequest", "audio", 5, Bytes),
    ("StreamingRecognitionConfig", "config", 1, Message("RecognitionConfig")),
    ("StreamingRecognitionConfig", "streamingFeatures", 2, Message("StreamingRecognitionFeatures")),
    ("StreamingRecognitionFeatures", "interimResults", 2, Flag),
    ("RecognitionConfig", "explicitDecodingConfig", 8, Message("ExplicitDecodingConfig")),
    ("RecognitionConfig", "model", 9, Text),
    ("RecognitionConfig", "languageCodes*", 10, Text),
    ("RecognitionConfig", "features", 2, Message("RecognitionFeatures")),
    ("RecognitionConfig", "adaptation", 6, Message("SpeechAdaptation")),
    ("ExplicitDecodingConfig", "encoding", 1, Int),
    ("ExplicitDecodingConfig", "sampleRateHertz", 2, Int),
    ("ExplicitDecodingConfig", "audioChannelCount", 3, Int),
    ("RecognitionFeatures", "enableWordTimeOffsets", 2, Flag),
    ("RecognitionFeatures", "enableAutomaticPunctuation", 4, Flag),
    ("SpeechAdaptation", "phraseSets*", 1, Message("AdaptationPhraseSet")),
    ("AdaptationPhraseSet", "inlinePhraseSet", 2, Message("PhraseSet")),
    ("PhraseSet", "phrases*", 3, Message("Phrase")),
    ("Phrase", "value", 1, Text),
    ("StreamingRecognizeResponse", "results*", 6, Message("StreamingRecognitionResult")),
    ("StreamingRecognizeResponse", "speechEventType", 3, Int),
    ("StreamingRecognizeResponse", "metadata", 5, Message("RecognitionResponseMetadata")),
    ("RecognitionResponseMetadata", "totalBilledDuration", 6, Span),
    ("StreamingRecognitionResult", "alternatives*", 1, Message("SpeechRecognitionAlternative")),
    ("StreamingRecognitionResult", "isFinal", 2, Flag),
    ("StreamingRecognitionResult", "stability", 3, Float),
    ("StreamingRecognitionResult", "resultEndOffset", 4, Span),
    ("StreamingRecognitionResult", "languageCode", 6, Text),
    ("SpeechRecognitionAlternative", "transcript", 1, Text),
    ("SpeechRecognitionAlternative", "confidence", 2, Float),
    ("SpeechRecognitionAlternative", "words*", 3, Message("WordInfo")),
    ("WordInfo", "startOffset", 1, Span),
    ("WordInfo", "endOffset", 2, Span),
    ("WordInfo", "word", 3, Text),
    ("StreamingSynthesizeRequest", "streamingConfig", 1, Message("StreamingSynthesizeConfig")),
    ("StreamingSynthesizeRequest", "input", 2, Message("SynthesisInput")),
    ("StreamingSynthesizeConfig", "voice", 1, Message("VoiceSelectionParams")),
    ("StreamingSynthesizeConfig", "streamingAudioConfig", 4, Message("StreamingAudioConfig")),
    ("StreamingAudioConfig", "audioEncoding", 1, Int),
    ("StreamingAudioConfig", "sampleRateHertz", 2, Int),
    ("StreamingAudioConfig", "speakingRate", 3, Double),
    ("StreamingSynthesizeResponse", "audioContent", 1, Bytes),
    ("SynthesizeSpeechRequest", "input", 1, Message("SynthesisInput")),
    ("SynthesizeSpeechRequest", "voice", 2, Message("VoiceSelectionParams")),
    ("SynthesizeSpeechRequest", "audioConfig", 3, Message("AudioConfig")),
    ("SynthesizeSpeechResponse", "audioContent", 1, Bytes),
    ("SynthesisInput", "text", 1, Text),
    ("VoiceSelectionParams", "languageCode", 1, Text),
    ("VoiceSelectionParams", "name", 2, Text),
    ("AudioConfig", "audioEncoding", 1, Int),
    ("AudioConfig", "speakingRate", 2, Double),
    ("AudioConfig", "sampleRateHertz", 5, Int),
];

/// A message from its JSON; bytes are given as how many ones.
pub(crate) fn encode(message: &str, value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, value) in value.as_object().unwrap() {
        let known = |field: &&(&str, &str, u32, Kind)| field.0 == message && field.1.trim_end_matches('*') == name;
        let (_, _, tag, kind) = FIELDS.iter().find(known).unwrap_or_else(|| panic!("{message} has no {name}"));
        for value in value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice) {
            field(*tag, *kind, value, &mut bytes);
        }
    }
    bytes
}

fn field(tag: u32, kind: Kind, value: &Value, out: &mut Vec<u8>) {
    let block = |body: &[u8], out: &mut Vec<u8>| {
        varint(u64::from(tag << 3 | 2), out);
        varint(body.len() as u64, out);
        out.extend_from_slice(body);
    };
    match kind {
        Text => block(value.as_str().unwrap().as_bytes(), out),
        Bytes => block(&vec![1; value.as_u64().unwrap() as usize], out),
        Message(of) => block(&encode(of, value), out),
        Span => {
            let seconds: f64 = value.as_str().unwrap().trim_end_matches('s').parse().unwrap();
            let mut body = vec![1 << 3];
            varint(seconds.trunc() as u64, &mut body);
            body.push(2 << 3);
            varint((seconds.fract() * 1e9).round() as u64, &mut body);
            block(&body, out);
        }
        Flag | Int => {
            varint(u64::from(tag << 3), out);
            varint(value.as_u64().unwrap_or_else(|| u64::from(value.as_bool().unwrap())), out);
        }
        Float => {
            varint(u64::from(tag << 3 | 5), out);
            out.extend_from_slice(&(value.as_f64().unwrap() as f32).to_le_bytes());
        }
        Double => {
            varint(u64::from(tag << 3 | 1), out);
            out.extend_from_slice(&value.as_f64().unwrap().to_le_bytes());
        }
    }
}

/// A message as JSON; bytes as how many there are.
pub(crate) fn decode(message: &str, mut bytes: &[u8]) -> Value {
    let mut found = Map::new();
    while !bytes.is_empty() {
        let head = unvarint(&mut bytes);
        let tag = (head >> 3) as u32;
        let (_, name, _, kind) = FIELDS
            .iter()
            .find(|field| field.0 == message && field.2 == tag)
            .unwrap_or_else(|| panic!("{message} has no field {tag}"));
        let value = match head & 7 {
            0 => {
                let value = unvarint(&mut bytes);
                if matches!(kind, Flag) { json!(value == 1) } else { json!(value) }
            }
            1 => {
                let (value, rest) = bytes.split_first_chunk().unwrap();
                bytes = rest;
                json!(f64::from_le_bytes(*value))
            }
            2 => {
                let length = unvarint(&mut bytes) as usize;
                let (body, rest) = bytes.split_at(length);
                bytes = rest;
                match kind {
                    Text => json!(std::str::from_utf8(body).unwrap()),
                    Message(of) => decode(of, body),
                    Bytes | Flag | Int | Float | Double | Span => json!(body.len()),
                }
            }
            other => panic!("wire type {other}"),
        };
        if name.ends_with('*') {
            let list = found.entry(name.trim_end_matches('*')).or_insert_with(|| json!([]));
            list.as_array_mut().unwrap().push(value);
        } else {
            found.insert((*name).to_owned(), value);
        }
    }
    Value::Object(found)
}

/// The sound in a message, if it is one of sound.
pub(crate) fn sound(bytes: &[u8]) -> Option<&[u8]> {
    let mut rest = bytes.strip_prefix(&[5 << 3 | 2])?;
    let length = unvarint(&mut rest) as usize;
    (rest.len() == length).then_some(rest)
}

fn varint(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn unvarint(bytes: &mut &[u8]) -> u64 {
    let mut value = 0;
    for at in 0.. {
        let (first, rest) = bytes.split_first().unwrap();
        *bytes = rest;
        value |= u64::from(first & 0x7f) << (7 * at);
        if first & 0x80 == 0 {
            break;
        }
    }
    value
}
