//! Sound as players know it: WAV, raw PCM, Opus in Ogg and, by a program of the system, MP3, written as it is made.
//!
//! AAC and FLAC are not made here: no maintained encoder of them is free of terms that would bind who ships the relay.

use audio::OggOpus;
use axum::body::Bytes;
use futures_util::{
    StreamExt,
    stream::{self, BoxStream, Stream},
};
use uuid::Uuid;

use super::{
    fault::Fault,
    lame::Lame,
    sound::{Broken, RATE, Sound},
};

/// A way to write sound.
#[derive(Debug)]
pub(super) enum Encoding {
    /// 24 kHz, 16 bit; its length is not known when it begins.
    Wav,
    /// The same without a header, little-endian.
    Pcm,
    /// Opus in Ogg, 32 kbit/s.
    Opus,
    /// MP3, 64 kbit/s.
    Mp3(Box<Lame>),
}

impl Encoding {
    /// The encoding of this name, WAV where none is asked for. `field` is where it was.
    ///
    /// # Errors
    ///
    /// What cannot be made: 422 `unsupported_format`. 503 where as much MP3 is made as can be.
    pub(super) fn named(field: &str, name: Option<&str>) -> Result<Self, Fault> {
        match name {
            None | Some("wav") => Ok(Self::Wav),
            Some("pcm") => Ok(Self::Pcm),
            Some("opus") => Ok(Self::Opus),
            Some("mp3") => Lame::start().map(|lame| Self::Mp3(lame.into())).map_err(|absent| absent.told(field)),
            Some(other) => {
                let other: String = other.chars().take(32).collect();
                let message = format!(
                    "The format `{other}` cannot be made here; `wav` and `pcm` (24 kHz, 16 bit), `opus` (in Ogg) and `mp3` can."
                );
                Err(Fault::invalid(field, message).coded("unsupported_format"))
            }
        }
    }

    /// Its media type.
    pub(super) const fn media_type(&self) -> &'static str {
        match self {
            Self::Wav => "audio/wav",
            Self::Pcm => "audio/pcm",
            Self::Opus => "audio/ogg",
            Self::Mp3(_) => "audio/mpeg",
        }
    }

    /// Sound in this encoding, as it comes.
    pub(super) fn write(self, sound: Sound) -> BoxStream<'static, Result<Bytes, Broken>> {
        match self {
            Self::Wav => {
                let header = audio::wav::header(RATE, audio::Encoding::Pcm16, audio::wav::Length::Unknown);
                stream::iter(Some(Ok(header.into()))).chain(pcm(sound)).boxed()
            }
            Self::Pcm => pcm(sound).boxed(),
            Self::Opus => opus(sound).boxed(),
            Self::Mp3(lame) => lame.write(sound).boxed(),
        }
    }
}

fn pcm(sound: Sound) -> impl Stream<Item = Result<Bytes, Broken>> {
    sound.map(|samples| {
        let samples = samples?;
        let mut bytes = Vec::with_capacity(samples.len() * 2);
        audio::Encoding::Pcm16.encode(&samples, &mut bytes);
        Ok(bytes.into())
    })
}

/// Where a stream of Opus stands.
enum Opus {
    Beginning(Sound),
    Writing(Box<OggOpus>, Sound),
    Over,
}

fn opus(sound: Sound) -> impl Stream<Item = Result<Bytes, Broken>> {
    stream::try_unfold(Opus::Beginning(sound), async |state| {
        let mut out = Vec::new();
        let (mut file, mut sound) = match state {
            Opus::Beginning(sound) => {
                let serial = Uuid::now_v7().as_u128() as u32;
                (Box::new(OggOpus::begin(RATE, serial, &mut out).map_err(failed)?), sound)
            }
            Opus::Writing(file, sound) => (file, sound),
            Opus::Over => return Ok(None),
        };
        let Some(samples) = sound.next().await else {
            file.end(&mut out).map_err(failed)?;
            return Ok(Some((out.into(), Opus::Over)));
        };
        for slice in samples?.chunks(SLICE) {
            file.write(slice, &mut out).map_err(failed)?;
            tokio::task::yield_now().await;
        }
        Ok(Some((out.into(), Opus::Writing(file, sound))))
    })
}

fn failed(error: audio::OpusError) -> Broken {
    tracing::error!(%error, "speech could not be encoded");
    Broken
}

/// Samples that are encoded in one go, 100 ms: five packets, half a millisecond of work.
const SLICE: usize = RATE.hertz() as usize / 10;
