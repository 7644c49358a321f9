//! What gateways say and are told, whatever their dialect: one vocabulary, and one file a dialect that reads and writes it.
//!
//! Pure: text and bytes in, [`Word`]s out. What a word means for the call is the business of `ear`, `mouth` and `serve`.

use std::fmt;

use audio::{Encoding, SampleRate};

use super::{asterisk, raw, telnyx, twilio, vonage};

/// How a gateway talks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Dialect {
    /// Twilio Media Streams: <https://www.twilio.com/docs/voice/media-streams/websocket-messages>.
    Twilio,
    /// Telnyx media streaming: <https://developers.telnyx.com/docs/voice/programmable-voice/media-streaming>.
    Telnyx,
    /// Vonage Voice API WebSockets: <https://developer.vonage.com/en/voice/voice-api/guides/websockets>.
    Vonage,
    /// Asterisk's `chan_websocket`: <https://docs.asterisk.org/Configuration/Channel-Drivers/WebSocket>.
    Asterisk,
    /// Ours, for devices and gateways of one's own: `docs/telephony.md`.
    Raw,
}

/// One thing a gateway said.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Word {
    /// The call begins.
    Start(Box<Start>),
    /// Sound of the caller; its bytes are in the buffer that was given to the reader.
    Sound {
        /// Its place among all sound of the call, where the vendor counts.
        place: Option<u64>,
    },
    /// The caller pressed a key.
    Key(char),
    /// All that was sent before this mark has been played, or thrown away after a `clear`.
    Mark(u64),
    /// The call is over.
    Stop,
    /// The text is a client event of the Realtime protocol.
    Event,
    /// Nothing that matters here.
    Nothing,
}

/// How a call begins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Start {
    /// The vendor's name of the stream, which goes back with all that is said into it.
    pub(crate) stream: String,
    /// The vendor's name of the call, for the log.
    pub(crate) call: String,
    /// How its sound is written, both ways.
    pub(crate) format: Format,
    /// What whoever set the stream up sends along: a token, a greeting.
    pub(crate) parameters: Vec<(String, String)>,
}

#[cfg(test)]
impl Start {
    /// The first parameter of this name.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }
}

/// How sound is written: always one channel.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Format {
    /// Sample by sample.
    Samples {
        /// What stands for one.
        encoding: Encoding,
        /// How many of them a second has.
        rate: SampleRate,
    },
    /// Opus (RFC 6716), a packet a message.
    Opus,
}

impl Format {
    /// G.711 µ-law, the format of North American and Japanese networks.
    pub(crate) const ULAW: Self = Self::Samples { encoding: Encoding::Ulaw, rate: SampleRate::HZ_8000 };
    /// G.711 A-law, that of all others.
    pub(crate) const ALAW: Self = Self::Samples { encoding: Encoding::Alaw, rate: SampleRate::HZ_8000 };

    /// Signed 16-bit samples at one of the rates telephones and devices have; `None` for any other.
    pub(crate) const fn pcm(hertz: u32) -> Option<Self> {
        match (SampleRate::new(hertz), hertz) {
            (Some(rate), 8_000 | 16_000 | 24_000 | 48_000) => Some(Self::Samples { encoding: Encoding::Pcm16, rate }),
            _ => None,
        }
    }

    /// Most bytes of one message: two seconds, a hundred times what gateways send at once; or 120 ms of Opus, the longest
    /// packet it has, at its highest rate.
    pub(crate) const fn most(self) -> usize {
        match self {
            Self::Samples { encoding, rate } => rate.hertz() as usize * encoding.bytes_per_sample() * 2,
            Self::Opus => 7_650,
        }
    }
}

/// Why a stream cannot go on. Told to the gateway as the close code and reason (RFC 6455, 7.4).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    /// The text is none of the dialect's messages.
    Garbled,
    /// The sound's base64 is none.
    Base64,
    /// The bytes end within a sample.
    Odd,
    /// The bytes are no packet of the format.
    Packet,
    /// More sound at once than a message may carry.
    TooLong,
    /// A binary message where sound travels as text.
    Binary,
    /// The announced format is none that is served.
    Format,
    /// Sound or keys before the start.
    Early,
    /// No start came in time.
    Late,
    /// A second start.
    Twice,
    /// Sound comes much faster than it can be said.
    Flood,
}

impl Fault {
    /// The close code.
    pub(crate) const fn code(self) -> u16 {
        match self {
            Self::Garbled | Self::Base64 | Self::Odd | Self::Packet => 1007,
            Self::Binary | Self::Format => 1003,
            Self::TooLong => 1009,
            Self::Early | Self::Twice => 1002,
            Self::Late | Self::Flood => 1008,
        }
    }

    /// The reason, at most 123 bytes.
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::Garbled => "The message is not one of this dialect.",
            Self::Base64 => "The sound is not base64.",
            Self::Odd => "The sound does not consist of whole samples.",
            Self::Packet => "The sound is no packet of its format.",
            Self::TooLong => "One message carries at most two seconds of sound.",
            Self::Binary => "Sound is expected as text in this dialect.",
            Self::Format => "The format of the sound is not served: docs/telephony.md has those that are.",
            Self::Early => "A stream begins with its start.",
            Self::Late => "No start came in time.",
            Self::Twice => "The stream has started already.",
            Self::Flood => "Sound comes faster than it can be said.",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())
    }
}

/// One thing a gateway is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Said {
    /// A text message.
    Text(String),
    /// A binary message.
    Binary(Vec<u8>),
}

impl Dialect {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Twilio, Self::Telnyx, Self::Vonage, Self::Asterisk, Self::Raw];

    /// Its name in paths, logs and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Twilio => "twilio",
            Self::Telnyx => "telnyx",
            Self::Vonage => "vonage",
            Self::Asterisk => "asterisk",
            Self::Raw => "raw",
        }
    }

    /// Whether whoever is at the other end follows the Realtime protocol's events.
    pub(crate) const fn tells_events(self) -> bool {
        match self {
            Self::Raw => true,
            Self::Twilio | Self::Telnyx | Self::Vonage | Self::Asterisk => false,
        }
    }

    /// Reads a text message; sound goes into `sound`, replacing what was there.
    pub(crate) fn read(self, text: &str, sound: &mut Vec<u8>) -> Result<Word, Fault> {
        match self {
            Self::Twilio => twilio::read(text, sound),
            Self::Telnyx => telnyx::read(text, sound),
            Self::Vonage => vonage::read(text),
            Self::Asterisk => asterisk::read(text),
            Self::Raw => raw::read(text),
        }
    }

    /// Whether binary messages are sound.
    pub(crate) const fn read_binary(self) -> Result<Word, Fault> {
        match self {
            Self::Twilio | Self::Telnyx => Err(Fault::Binary),
            Self::Vonage | Self::Asterisk | Self::Raw => Ok(Word::Sound { place: None }),
        }
    }

    /// Sound to play after all that was sent before.
    pub(crate) fn sound(self, stream: &str, sound: &[u8]) -> Said {
        match self {
            Self::Twilio => Said::Text(twilio::sound(stream, sound)),
            Self::Telnyx => Said::Text(telnyx::sound(sound)),
            Self::Vonage | Self::Asterisk | Self::Raw => Said::Binary(sound.to_vec()),
        }
    }

    /// Asks to be told once all that was sent before has been played.
    pub(crate) fn mark(self, stream: &str, mark: u64) -> Said {
        Said::Text(match self {
            Self::Twilio => twilio::mark(stream, mark),
            Self::Telnyx => telnyx::mark(mark),
            Self::Vonage => vonage::mark(mark),
            Self::Asterisk => asterisk::mark(stream, mark),
            Self::Raw => raw::mark(mark),
        })
    }

    /// Throws away all that was sent and not yet played.
    pub(crate) fn clear(self, stream: &str) -> Said {
        Said::Text(match self {
            Self::Twilio => twilio::clear(stream),
            Self::Telnyx => telnyx::clear(),
            Self::Vonage => vonage::clear(),
            Self::Asterisk => asterisk::clear(stream),
            Self::Raw => raw::clear(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_fit_a_close_frame() {
        let all = [
            Fault::Garbled,
            Fault::Base64,
            Fault::Odd,
            Fault::Packet,
            Fault::TooLong,
            Fault::Binary,
            Fault::Format,
            Fault::Early,
            Fault::Late,
            Fault::Twice,
            Fault::Flood,
        ];
        assert!(all.iter().all(|fault| fault.reason().len() <= 123));
    }

    #[test]
    fn pcm_has_the_rates_of_telephones_and_devices() {
        let rates = [8_000, 11_025, 16_000, 24_000, 44_100, 48_000, 0];
        let served: Vec<_> = rates.into_iter().filter(|&hertz| Format::pcm(hertz).is_some()).collect();
        assert_eq!(served, [8_000, 16_000, 24_000, 48_000]);
    }
}
