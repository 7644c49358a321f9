//! Whole audio files as people upload them: WAV, MP3, M4A (AAC-LC), FLAC, Ogg and WebM (Opus, Vorbis).

mod opus;

use std::{
    io::Cursor,
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use symphonia::core::{
    codecs::audio::{AudioDecoder, AudioDecoderOptions, well_known},
    errors::Error,
    formats::{FormatReader, TrackType},
    io::MediaSourceStream,
};

use crate::{
    Clip, SampleRate,
    wav::{self, WavError},
};

/// Why a file gives no sound.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MediaError {
    /// The file is in no container known here.
    #[error("the file is not audio in a supported format (wav, mp3, m4a, ogg, flac, webm)")]
    Unrecognised,
    /// The container is fine, its codec has no decoder here.
    #[error("audio coded as {0} is not supported")]
    Unsupported(&'static str),
    /// The file broke before any sound came out of it.
    #[error("the audio file is damaged: {0}")]
    Damaged(String),
    /// It lasts longer than allowed.
    #[error("the audio is longer than {} seconds", .0.as_secs())]
    TooLong(Duration),
}

/// Decodes a file to mono at its own rate. Never more than `longest` of sound is held in memory.
///
/// A file damaged or cut in the middle gives what could be decoded, where its container can be opened without its end.
///
/// # Errors
/// [`MediaError`] as it says. No input makes it panic.
pub fn decode(bytes: Vec<u8>, longest: Duration) -> Result<Clip, MediaError> {
    let damaged = |_| Err(MediaError::Damaged("its decoder gave up".to_owned()));
    // Decoders of other people's formats: a panic over a hostile file is theirs, surviving it is ours.
    catch_unwind(AssertUnwindSafe(|| decode_any(bytes, longest))).unwrap_or_else(damaged)
}

fn decode_any(bytes: Vec<u8>, longest: Duration) -> Result<Clip, MediaError> {
    match wav::read(&bytes) {
        Ok(clip) if clip.duration() > longest => Err(MediaError::TooLong(longest)),
        Ok(clip) => Ok(clip),
        // Not ours to read; another decoder may know it.
        Err(WavError::NotWav | WavError::Unsupported { .. }) => decode_container(bytes, longest),
        Err(error @ (WavError::Malformed(_) | WavError::NoData)) => Err(MediaError::Damaged(error.to_string())),
    }
}

fn decode_container(bytes: Vec<u8>, longest: Duration) -> Result<Clip, MediaError> {
    let stream = MediaSourceStream::new(Box::new(Cursor::new(bytes)), Default::default());
    let probe = symphonia::default::get_probe();
    let mut file = probe
        .probe(&Default::default(), stream, Default::default(), Default::default())
        .map_err(|_| MediaError::Unrecognised)?;
    let track = file.default_track(TrackType::Audio).ok_or(MediaError::Unrecognised)?;
    let params = track.codec_params.as_ref().and_then(|params| params.audio()).ok_or(MediaError::Unrecognised)?;
    if params.codec == well_known::CODEC_ID_OPUS {
        let (id, head) = (track.id, params.extra_data.as_deref().map(opus::Head::read).unwrap_or_default());
        return opus::decode(&mut *file, id, head, longest);
    }
    let decoder = symphonia::default::get_codecs().make_audio_decoder(params, &AudioDecoderOptions::default());
    let decoder = decoder.map_err(|error| {
        if matches!(error, Error::Unsupported(_)) {
            MediaError::Unsupported("something other than AAC-LC, FLAC, MP3, Opus, PCM or Vorbis")
        } else {
            MediaError::Damaged(error.to_string())
        }
    })?;
    let track = track.id;
    mix_down(&mut *file, track, decoder, longest)
}

/// Decodes one track and takes the mean of its channels.
fn mix_down(
    file: &mut dyn FormatReader,
    track: u32,
    mut decoder: Box<dyn AudioDecoder>,
    longest: Duration,
) -> Result<Clip, MediaError> {
    let (mut clip, mut interleaved): (Option<Clip>, Vec<i16>) = (None, Vec::new());
    let mut failure = None;
    // An error here is the end of a file cut short, or of one whose tracks change: what came before it counts.
    while let Ok(Some(packet)) = file.next_packet().map_err(|error| failure = Some(error.to_string())) {
        if packet.track_id != track {
            continue;
        }
        let decoded = match decoder.decode(&packet) {
            Ok(decoded) => decoded,
            Err(error) => {
                failure = Some(error.to_string());
                if matches!(error, Error::DecodeError(_)) { continue } else { break }
            }
        };
        let (channels, rate) = (decoded.spec().channels().count(), SampleRate::new(decoded.spec().rate()));
        let Some(rate) = rate.filter(|_| channels > 0) else { continue };
        let clip = clip.get_or_insert_with(|| Clip::new(rate, Vec::new()));
        if clip.rate != rate {
            break;
        }
        decoded.copy_to_vec_interleaved(&mut interleaved);
        let mean =
            |block: &[i16]| (block.iter().map(|&sample| i64::from(sample)).sum::<i64>() / channels as i64) as i16;
        clip.samples.extend(interleaved.chunks_exact(channels).map(mean));
        if clip.duration() > longest {
            return Err(MediaError::TooLong(longest));
        }
    }
    clip.ok_or_else(|| MediaError::Damaged(failure.unwrap_or_else(|| "it holds no sound".to_owned())))
}

#[cfg(test)]
mod tests;
