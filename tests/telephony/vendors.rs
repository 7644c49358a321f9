//! The wire of each vendor from its own side, written from the documentation and not with the relay's code.

use audio::{Decoder, Encoding, OpusDecoder, OpusEncoder, SampleRate};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

/// Whose gateway it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Vendor {
    Twilio,
    Telnyx,
    Vonage,
    Asterisk,
    /// With this format of sound.
    Raw(Encoding, u32),
    /// With packets of Opus.
    Opus,
}

pub(crate) const ALL: [Vendor; 5] =
    [Vendor::Twilio, Vendor::Telnyx, Vendor::Vonage, Vendor::Asterisk, Vendor::Raw(Encoding::Pcm16, 16_000)];

/// What the relay tells a gateway.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Told {
    Sound(Vec<u8>),
    Mark(String),
    Clear,
    Event(Value),
}

impl Vendor {
    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::Twilio => "twilio",
            Self::Telnyx => "telnyx",
            Self::Vonage => "vonage",
            Self::Asterisk => "asterisk",
            Self::Raw(..) | Self::Opus => "raw",
        }
    }

    /// How a sample is written; Opus writes none.
    const fn encoding(self) -> Option<Encoding> {
        match self {
            Self::Twilio | Self::Telnyx => Some(Encoding::Ulaw),
            Self::Vonage => Some(Encoding::Pcm16),
            Self::Asterisk => Some(Encoding::Alaw),
            Self::Raw(encoding, _) => Some(encoding),
            Self::Opus => None,
        }
    }

    pub(crate) fn rate(self) -> SampleRate {
        match self {
            Self::Twilio | Self::Telnyx | Self::Asterisk => SampleRate::HZ_8000,
            Self::Vonage => SampleRate::HZ_16000,
            Self::Raw(_, rate) => SampleRate::new(rate).unwrap(),
            Self::Opus => SampleRate::HZ_24000,
        }
    }

    /// How a call begins, with these parameters of whoever set the stream up.
    pub(crate) fn begin(self, parameters: &Value) -> Vec<Message> {
        let texts = match self {
            Self::Twilio => vec![
                json!({"event": "connected", "protocol": "Call", "version": "1.0.0"}),
                json!({"event": "start", "sequenceNumber": "1", "streamSid": "MZ1", "start": {
                    "accountSid": "AC1", "streamSid": "MZ1", "callSid": "CA1", "tracks": ["inbound"],
                    "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
                    "customParameters": parameters,
                }}),
            ],
            Self::Telnyx => vec![
                json!({"event": "connected", "version": "1.0.0"}),
                json!({"event": "start", "sequence_number": "1", "stream_id": "s1", "start": {
                    "user_id": "u1", "call_control_id": "v2:c1", "from": "+13122010094", "to": "+13122123456",
                    "media_format": {"encoding": "PCMU", "sample_rate": 8000, "channels": 1},
                    "custom_parameters": parameters,
                }}),
            ],
            Self::Vonage => {
                let mut connected = json!({"event": "websocket:connected", "content-type": "audio/l16;rate=16000"});
                for (name, value) in parameters.as_object().unwrap() {
                    connected[name] = value.clone();
                }
                vec![connected]
            }
            Self::Asterisk => vec![json!({
                "event": "MEDIA_START", "connection_id": "c1", "channel": "WebSocket/relay/0x1", "channel_id": "1.1",
                "format": "alaw", "optimal_frame_size": 160, "ptime": 20, "channel_variables": parameters,
            })],
            Self::Raw(encoding, rate) => {
                let kind = match encoding {
                    Encoding::Pcm16 => "audio/pcm",
                    Encoding::Ulaw => "audio/pcmu",
                    Encoding::Alaw => "audio/pcma",
                };
                vec![json!({"type": "start", "format": {"type": kind, "rate": rate}, "parameters": parameters})]
            }
            Self::Opus => vec![json!({"type": "start", "format": {"type": "audio/opus"}, "parameters": parameters})],
        };
        texts.into_iter().map(|text| Message::text(text.to_string())).collect()
    }

    /// Sound of the caller.
    pub(crate) fn sound(self, chunk: u64, sound: &[u8]) -> Message {
        let payload = || BASE64_STANDARD.encode(sound);
        let time = ((chunk - 1) * 20).to_string();
        match self {
            Self::Twilio => Message::text(
                json!({"event": "media", "sequenceNumber": (chunk + 1).to_string(), "streamSid": "MZ1", "media": {
                    "track": "inbound", "chunk": chunk.to_string(), "timestamp": time, "payload": payload(),
                }})
                .to_string(),
            ),
            Self::Telnyx => Message::text(
                json!({"event": "media", "sequence_number": (chunk + 1).to_string(), "stream_id": "s1", "media": {
                    "track": "inbound", "chunk": chunk.to_string(), "timestamp": time, "payload": payload(),
                }})
                .to_string(),
            ),
            Self::Vonage | Self::Asterisk | Self::Raw(..) | Self::Opus => Message::binary(sound.to_vec()),
        }
    }

    pub(crate) fn key(self, key: char) -> Message {
        let key = key.to_string();
        Message::text(
            match self {
                Self::Twilio => {
                    json!({"event": "dtmf", "streamSid": "MZ1", "dtmf": {"track": "inbound_track", "digit": key}})
                }
                Self::Telnyx => json!({"event": "dtmf", "stream_id": "s1", "dtmf": {"digit": key}}),
                Self::Vonage => json!({"event": "websocket:dtmf", "digit": key, "duration": 260}),
                Self::Asterisk => json!({"event": "DTMF_END", "channel_id": "1.1", "digit": key}),
                Self::Raw(..) | Self::Opus => json!({"type": "dtmf", "digit": key}),
            }
            .to_string(),
        )
    }

    /// A mark was reached.
    pub(crate) fn marked(self, mark: &str) -> Message {
        let number = || mark.parse::<u64>().unwrap();
        Message::text(
            match self {
                Self::Twilio => json!({"event": "mark", "streamSid": "MZ1", "mark": {"name": mark}}),
                Self::Telnyx => json!({"event": "mark", "stream_id": "s1", "mark": {"name": mark}}),
                Self::Vonage => json!({"event": "websocket:notify", "payload": {"mark": number()}}),
                Self::Asterisk => json!({"event": "MEDIA_MARK_PROCESSED", "correlation_id": mark}),
                Self::Raw(..) | Self::Opus => json!({"type": "mark", "mark": number()}),
            }
            .to_string(),
        )
    }

    /// How a call ends; Vonage and Asterisk just close.
    pub(crate) fn stop(self) -> Option<Message> {
        let stop = match self {
            Self::Twilio => {
                json!({"event": "stop", "streamSid": "MZ1", "stop": {"accountSid": "AC1", "callSid": "CA1"}})
            }
            Self::Telnyx => json!({"event": "stop", "stream_id": "s1", "stop": {"call_control_id": "v2:c1"}}),
            Self::Raw(..) | Self::Opus => json!({"type": "stop"}),
            Self::Vonage | Self::Asterisk => return None,
        };
        Some(Message::text(stop.to_string()))
    }

    /// What the relay said. Whatever the vendor would not take is a failure.
    pub(crate) fn read(self, message: &Message) -> Told {
        let json = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_else(|_| panic!("{text}"));
        match (self, message) {
            (Self::Twilio | Self::Telnyx, Message::Text(text)) => {
                let told = json(text);
                if self == Self::Twilio {
                    assert_eq!(told["streamSid"], "MZ1", "{told}");
                }
                match told["event"].as_str().unwrap() {
                    "media" => Told::Sound(BASE64_STANDARD.decode(told["media"]["payload"].as_str().unwrap()).unwrap()),
                    "mark" => Told::Mark(told["mark"]["name"].as_str().unwrap().to_owned()),
                    "clear" => Told::Clear,
                    other => panic!("{other}"),
                }
            }
            (Self::Vonage | Self::Asterisk | Self::Raw(..) | Self::Opus, Message::Binary(bytes)) => {
                Told::Sound(bytes.to_vec())
            }
            (Self::Vonage, Message::Text(text)) => {
                let told = json(text);
                match told["action"].as_str().unwrap() {
                    "notify" => Told::Mark(told["payload"]["mark"].to_string()),
                    "clear" => Told::Clear,
                    other => panic!("{other}"),
                }
            }
            (Self::Asterisk, Message::Text(text)) => {
                let told = json(text);
                match told["command"].as_str().unwrap() {
                    "MARK_MEDIA" => Told::Mark(told["correlation_id"].as_str().unwrap().to_owned()),
                    "FLUSH_MEDIA" => Told::Clear,
                    other => panic!("{other}"),
                }
            }
            (Self::Raw(..) | Self::Opus, Message::Text(text)) => {
                let told = json(text);
                match told["type"].as_str().unwrap() {
                    "mark" => Told::Mark(told["mark"].to_string()),
                    "clear" => Told::Clear,
                    _ => Told::Event(told),
                }
            }
            (_, other) => panic!("{other:?}"),
        }
    }

    /// Packets of 20 ms, each as the vendor writes it.
    pub(crate) fn packets(self, samples: &[i16]) -> Vec<Vec<u8>> {
        let length = self.rate().samples_in(std::time::Duration::from_millis(20));
        let mut opus = OpusEncoder::new(self.rate()).unwrap();
        let packet = |samples: &[i16]| {
            let mut padded = samples.to_vec();
            padded.resize(length, 0);
            let mut bytes = Vec::new();
            match self.encoding() {
                Some(encoding) => encoding.encode(&padded, &mut bytes),
                None => opus.encode(&padded, &mut bytes).unwrap(),
            }
            bytes
        };
        samples.chunks(length).map(packet).collect()
    }

    /// What a packet sounds like by itself.
    pub(crate) fn decoded(self, sound: &[u8]) -> Vec<i16> {
        let mut samples = Vec::new();
        match self.encoding() {
            Some(encoding) => Decoder::new(encoding).decode(sound, &mut samples),
            None => OpusDecoder::new(self.rate()).unwrap().decode(sound, &mut samples).unwrap(),
        }
        samples
    }
}
