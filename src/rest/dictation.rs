//! A recording on its way through speech-to-text.
//!
//! Decoding is done away from the runtime's threads, a few files at a time: a short MP3 may hold an hour of sound.

use std::{sync::Arc, time::Duration};

use audio::{Frame, Resampler, media::MediaError};
use axum::http::StatusCode;
use futures_util::{StreamExt, stream};
use providers::{
    ErrorKind, SpeechToText,
    stt::{FinalTranscript, SttOptions, Transcript, TranscriptStream},
};
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout, timeout_at},
};

use super::{Context, fault::Fault, provider};
use crate::metrics::Role;

/// Where recordings wait their turn.
pub(super) struct Desk {
    /// Uploads held in memory.
    uploads: Semaphore,
    /// Files being decoded.
    decoders: Semaphore,
}

impl Desk {
    pub(super) fn new() -> Self {
        Self { uploads: Semaphore::new(UPLOADS), decoders: Semaphore::new(DECODERS) }
    }

    /// A place for an upload, or a refusal when all are taken.
    pub(super) fn seat(&self) -> Result<tokio::sync::SemaphorePermit<'_>, Fault> {
        self.uploads.try_acquire().map_err(|_| {
            let message = "Too many recordings are being transcribed: try again in a moment.";
            Fault::new(StatusCode::TOO_MANY_REQUESTS, "rate_limit_exceeded", message).after(Duration::from_secs(2))
        })
    }

    /// The sound of a file, at the rate that everything listens at. `field` is where it came.
    pub(super) async fn decode(&self, field: &str, file: Vec<u8>) -> Result<Vec<i16>, Fault> {
        let _turn = self.decoders.acquire().await.map_err(|_| Fault::internal())?;
        let decoding = tokio::task::spawn_blocking(move || {
            let clip = audio::media::decode(file, LONGEST)?;
            let mut resampler =
                Resampler::aligned(clip.rate, Frame::RATE).map_err(|error| MediaError::Damaged(error.to_string()))?;
            let mut samples = Vec::with_capacity(Frame::RATE.samples_in(clip.duration()) + Frame::SAMPLES);
            resampler.process(&clip.samples, &mut samples);
            resampler.flush(&mut samples);
            Ok(samples)
        });
        let decoded: Result<_, MediaError> = decoding.await.map_err(|_| Fault::internal())?;
        decoded.map_err(|error| {
            let message = format!("`{field}` cannot be transcribed: {error}.");
            Fault::invalid(field, message).coded("invalid_audio")
        })
    }
}

/// Transcripts of one recording; gives up when the engine takes longer than the recording allows.
pub(super) struct Dictation {
    transcripts: TranscriptStream,
    deadline: Instant,
    duration: Duration,
}

impl Dictation {
    /// Hands the recording to the engine.
    pub(super) async fn begin(
        context: &Context,
        stt: Arc<dyn SpeechToText>,
        options: SttOptions,
        samples: Vec<i16>,
    ) -> Result<Self, Fault> {
        let duration = Frame::RATE.duration_of(samples.len());
        let patience = context.engine.config.patience();
        let frames = stream::iter(Frames { samples, at: 0 }).boxed();
        let opening = stt.transcribe(options, frames);
        let opened = timeout(patience, opening).await;
        let opened = opened.map_err(|_| provider::silent(Role::Listen, ErrorKind::Timeout))?;
        let transcripts = opened.map_err(|error| provider::failed(Role::Listen, &error))?;
        let deadline = Instant::from_std(context.engine.clock.now()) + patience + duration * SLOWEST;
        Ok(Self { transcripts, deadline, duration })
    }

    /// The next transcript; `None` after the final one.
    pub(super) async fn next(&mut self) -> Result<Transcript, Fault> {
        let next = timeout_at(self.deadline, self.transcripts.next()).await;
        match next.map_err(|_| provider::silent(Role::Listen, ErrorKind::Timeout))? {
            Some(Ok(transcript)) => Ok(transcript),
            Some(Err(error)) => Err(provider::failed(Role::Listen, &error)),
            None => Err(provider::silent(Role::Listen, ErrorKind::Protocol)),
        }
    }

    /// Skips to the final transcript.
    pub(super) async fn finish(mut self) -> Result<FinalTranscript, Fault> {
        loop {
            if let Transcript::Final(last) = self.next().await? {
                return Ok(last);
            }
        }
    }

    /// How long the recording lasts.
    pub(super) const fn duration(&self) -> Duration {
        self.duration
    }
}

/// A recording frame by frame, the last one filled up with silence.
struct Frames {
    samples: Vec<i16>,
    at: usize,
}

impl Iterator for Frames {
    type Item = Frame;

    fn next(&mut self) -> Option<Frame> {
        let rest = self.samples.get(self.at..).filter(|rest| !rest.is_empty())?;
        let taken = rest.len().min(Frame::SAMPLES);
        let mut frame = Frame::SILENCE;
        frame.0[..taken].copy_from_slice(&rest[..taken]);
        self.at += taken;
        Some(frame)
    }
}

/// Uploads at once: each may hold 25 MB.
const UPLOADS: usize = 8;
/// Files decoded at once: each may hold [`LONGEST`] of sound.
const DECODERS: usize = 2;
/// Longest recording: 30 minutes at 48 kHz are 165 MiB.
const LONGEST: Duration = Duration::from_secs(30 * 60);
/// An engine that takes longer than this many times the recording is given up.
const SLOWEST: u32 = 4;
