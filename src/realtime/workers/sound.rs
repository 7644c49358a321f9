//! Sound of any rate as the session holds it.

use audio::{Clip, Resampler, SampleRate};
use providers::{ErrorKind, ProviderError};

use super::patient::fault;
use crate::metrics::Role;

/// Rate at which speech waits for the client.
pub(crate) const RATE: SampleRate = SampleRate::HZ_24000;
/// Longest piece of sound handed over at once.
pub(super) const PIECE: usize = 12_000;

/// One provider's sound, brought to [`RATE`].
pub(super) struct Sound {
    role: Role,
    /// From the rate the provider was last heard at.
    resampler: Option<(SampleRate, Resampler)>,
}

impl Sound {
    /// Sound of a provider in this role.
    pub(super) const fn of(role: Role) -> Self {
        Self { role, resampler: None }
    }

    /// The next stretch of it.
    pub(super) fn take(&mut self, clip: Clip) -> Result<Vec<i16>, ProviderError> {
        if clip.rate == RATE {
            return Ok(clip.samples);
        }
        let mut out = Vec::with_capacity(RATE.samples_in(clip.duration()) + PIECE);
        let (_, resampler) = match self.resampler.take() {
            Some((rate, mut last)) if rate != clip.rate => {
                last.flush(&mut out);
                self.resampler.insert(self.open(clip.rate)?)
            }
            Some(same) => self.resampler.insert(same),
            None => self.resampler.insert(self.open(clip.rate)?),
        };
        resampler.process(&clip.samples, &mut out);
        Ok(out)
    }

    /// What a filter still holds.
    pub(super) fn tail(&mut self) -> Vec<i16> {
        let mut tail = Vec::new();
        if let Some((_, resampler)) = &mut self.resampler {
            resampler.flush(&mut tail);
        }
        tail
    }

    fn open(&self, rate: SampleRate) -> Result<(SampleRate, Resampler), ProviderError> {
        let resampler = Resampler::aligned(rate, RATE).map_err(|error| fault(self.role, ErrorKind::Protocol, error))?;
        Ok((rate, resampler))
    }
}
