//! `google.cloud.texttospeech.v1.TextToSpeech/StreamingSynthesize` and `/SynthesizeSpeech`.
//!
//! Source: <https://github.com/googleapis/googleapis/blob/master/google/cloud/texttospeech/v1/cloud_tts.proto>.

use bytes::Bytes;
use prost::Message;

use crate::google::voices;

/// Where to call for speech that comes as it is made.
pub(in crate::google) const STREAMING: &str = "google.cloud.texttospeech.v1.TextToSpeech/StreamingSynthesize";
/// Where to call for speech that comes when all of it is made.
pub(in crate::google) const WHOLE: &str = "google.cloud.texttospeech.v1.TextToSpeech/SynthesizeSpeech";
/// Whom tokens are for.
pub(in crate::google) const AUDIENCE: &str = "https://texttospeech.googleapis.com/";

/// The first message of a stream: who speaks, and how.
pub(in crate::google) fn start(voice: &str, speed: f32) -> StreamRequest {
    let sound = StreamingSound { audio_encoding: PCM, sample_rate_hertz: RATE, speaking_rate: pace(speed) };
    let start = StreamingConfig { voice: Some(Selection::of(voice)), streaming_audio_config: Some(sound) };
    StreamRequest { streaming_config: Some(start), input: None }
}

/// The message after: what to say.
pub(in crate::google) fn say(text: &str) -> StreamRequest {
    StreamRequest { streaming_config: None, input: Some(Input { text: text.to_owned() }) }
}

/// All of it at once.
pub(in crate::google) fn whole(voice: &str, speed: f32, text: &str) -> Request {
    let sound = Sound { audio_encoding: LINEAR16, speaking_rate: pace(speed), sample_rate_hertz: RATE };
    Request {
        input: Some(Input { text: text.to_owned() }),
        voice: Some(Selection::of(voice)),
        audio_config: Some(sound),
    }
}

/// Within what Google takes; zero for the voice's own.
fn pace(speed: f32) -> f64 {
    if (speed - 1.0).abs() > 0.005 { f64::from(speed.clamp(0.25, 2.0)) } else { 0.0 }
}

/// `AudioEncoding`: samples without a header, and with one.
const PCM: i32 = 7;
const LINEAR16: i32 = 1;
/// Samples a second; what the voices are made for.
const RATE: i32 = 24_000;

/// `StreamingSynthesizeRequest`.
#[derive(Clone, PartialEq, Message)]
pub(in crate::google) struct StreamRequest {
    #[prost(message, optional, tag = "1")]
    streaming_config: Option<StreamingConfig>,
    #[prost(message, optional, tag = "2")]
    input: Option<Input>,
}

/// `StreamingSynthesizeConfig`.
#[derive(Clone, PartialEq, Message)]
struct StreamingConfig {
    #[prost(message, optional, tag = "1")]
    voice: Option<Selection>,
    #[prost(message, optional, tag = "4")]
    streaming_audio_config: Option<StreamingSound>,
}

/// `StreamingAudioConfig`.
#[derive(Clone, Copy, PartialEq, Message)]
struct StreamingSound {
    #[prost(int32, tag = "1")]
    audio_encoding: i32,
    #[prost(int32, tag = "2")]
    sample_rate_hertz: i32,
    #[prost(double, tag = "3")]
    speaking_rate: f64,
}

/// `SynthesizeSpeechRequest`.
#[derive(Clone, PartialEq, Message)]
pub(in crate::google) struct Request {
    #[prost(message, optional, tag = "1")]
    input: Option<Input>,
    #[prost(message, optional, tag = "2")]
    voice: Option<Selection>,
    #[prost(message, optional, tag = "3")]
    audio_config: Option<Sound>,
}

/// `SynthesisInput` and `StreamingSynthesisInput`.
#[derive(Clone, PartialEq, Message)]
struct Input {
    #[prost(string, tag = "1")]
    text: String,
}

/// `VoiceSelectionParams`.
#[derive(Clone, PartialEq, Message)]
struct Selection {
    #[prost(string, tag = "1")]
    language_code: String,
    #[prost(string, tag = "2")]
    name: String,
}

/// `AudioConfig`.
#[derive(Clone, Copy, PartialEq, Message)]
struct Sound {
    #[prost(int32, tag = "1")]
    audio_encoding: i32,
    #[prost(double, tag = "2")]
    speaking_rate: f64,
    #[prost(int32, tag = "5")]
    sample_rate_hertz: i32,
}

/// `StreamingSynthesizeResponse` and `SynthesizeSpeechResponse`.
#[derive(Clone, PartialEq, Message)]
pub(in crate::google) struct Response {
    #[prost(bytes = "bytes", tag = "1")]
    pub(in crate::google) audio_content: Bytes,
}

impl Selection {
    fn of(voice: &str) -> Self {
        Self { language_code: voices::language(voice), name: voice.to_owned() }
    }
}

/// The samples in a WAV file, or all of what is none.
pub(in crate::google) fn samples(mut content: Bytes) -> Bytes {
    if !(content.starts_with(b"RIFF") && content.get(8..12) == Some(b"WAVE")) {
        return content;
    }
    let mut chunks = content.split_off(12);
    while let Some((head, _)) = chunks.split_first_chunk::<8>() {
        let [a, b, c, d, length @ ..] = *head;
        let mut body = chunks.split_off(8);
        let length = u32::from_le_bytes(length) as usize;
        if [a, b, c, d] == *b"data" {
            // Streams give their length as unknown.
            body.truncate(length);
            return body;
        }
        chunks = body.split_off((length + length % 2).min(body.len()));
    }
    Bytes::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(tag: u8, body: &[u8]) -> Vec<u8> {
        [&[tag << 3 | 2, body.len() as u8], body].concat()
    }

    fn double(tag: u8, value: f64) -> Vec<u8> {
        [&[tag << 3 | 1][..], &value.to_le_bytes()].concat()
    }

    #[test]
    fn the_bytes_are_those_of_the_proto() {
        let voice = [message(1, b"en-US"), message(2, b"en-US-Chirp3-HD-Kore")].concat();
        let sound = [&[1 << 3, 7, 2 << 3, 0xc0, 0xbb, 0x01][..], &double(3, 1.25)].concat();
        let expected = message(1, &[message(1, &voice), message(4, &sound)].concat());
        assert_eq!(start("en-US-Chirp3-HD-Kore", 1.25).encode_to_vec(), expected);
        assert_eq!(say("Hi.").encode_to_vec(), message(2, &message(1, b"Hi.")));

        let voice = [message(1, b"en-GB"), message(2, b"en-GB-Neural2-A")].concat();
        let sound = [&[1 << 3, 1][..], &double(2, 2.0), &[5 << 3, 0xc0, 0xbb, 0x01]].concat();
        let expected = [message(1, &message(1, b"Hi.")), message(2, &voice), message(3, &sound)].concat();
        assert_eq!(whole("en-GB-Neural2-A", 4.0, "Hi.").encode_to_vec(), expected);
        assert_eq!(pace(1.0), 0.0);
    }

    #[test]
    fn headers_are_taken_off() {
        let chunk = |name: &[u8], body: &[u8]| [name, &(body.len() as u32).to_le_bytes(), body].concat();
        let wav = [&b"RIFF\0\0\0\0WAVE"[..], &chunk(b"fmt ", &[1; 16]), &chunk(b"data", &[5, 6])].concat();
        assert_eq!(samples(wav.clone().into()), &[5, 6][..]);
        assert_eq!(samples([&wav[..], &chunk(b"LIST", &[9; 3])].concat().into()), &[5, 6][..]);
        assert_eq!(samples(vec![1, 2, 3].into()), &[1, 2, 3][..]);
        let endless = [&b"RIFF\xff\xff\xff\xffWAVEdata\xff\xff\xff\xff"[..], &[5, 6]].concat();
        assert_eq!(samples(endless.into()), &[5, 6][..]);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_survived(bytes: Vec<u8>) {
            samples([b"RIFF\0\0\0\0WAVE", &bytes[..]].concat().into());
        }
    }
}
