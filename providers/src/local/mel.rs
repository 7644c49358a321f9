//! The mel scale as Whisper hears it: 80 Slaney triangles over the 201 bins of a 400-point transform at 16 kHz.

/// Mel bands.
pub(super) const BANDS: usize = 80;
/// Bins of a 400-point real transform.
pub(super) const BINS: usize = 201;

/// How much of each bin's power belongs to each band, area-normalised, band after band.
pub(super) fn filters() -> Vec<[f32; BINS]> {
    let edges: Vec<f64> = (0..BANDS + 2).map(|n| hertz(n as f64 * mels(NYQUIST) / (BANDS + 1) as f64)).collect();
    let band = |edges: &[f64]| {
        let [low, mid, high] = [edges[0], edges[1], edges[2]];
        let weight = |bin: usize| {
            let at = bin as f64 * NYQUIST / (BINS - 1) as f64;
            let slope = ((at - low) / (mid - low)).min((high - at) / (high - mid)).max(0.0);
            (slope * 2.0 / (high - low)) as f32
        };
        std::array::from_fn(weight)
    };
    edges.windows(3).map(band).collect()
}

/// Half of 16 kHz.
const NYQUIST: f64 = 8_000.0;
/// Where Slaney's scale turns from linear to logarithmic.
const KNEE_HERTZ: f64 = 1_000.0;
const KNEE_MELS: f64 = 15.0;

fn mels(hertz: f64) -> f64 {
    if hertz < KNEE_HERTZ { hertz * 3.0 / 200.0 } else { KNEE_MELS + (hertz / KNEE_HERTZ).ln() * 27.0 / 6.4_f64.ln() }
}

fn hertz(mels: f64) -> f64 {
    if mels < KNEE_MELS { mels * 200.0 / 3.0 } else { KNEE_HERTZ * ((mels - KNEE_MELS) * 6.4_f64.ln() / 27.0).exp() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_rise_and_every_bin_between_the_first_and_last_edge_is_heard() {
        let filters = filters();
        assert_eq!(filters.len(), BANDS);
        let peak = |band: &[f32; BINS]| (0..BINS).max_by(|a, b| band[*a].total_cmp(&band[*b])).unwrap();
        assert!(filters.windows(2).all(|pair| peak(&pair[0]) <= peak(&pair[1])));
        assert!((1..BINS - 1).all(|bin| filters.iter().any(|band| band[bin] > 0.0)));
    }

    #[test]
    fn weights_equal_those_of_whispers_own_extractor() {
        // Computed in Python by the extractor that smart-turn's authors ship (`_build_mel_filterbank`).
        let filters = filters();
        let known = [(0, 1, 0.024_862_594), (0, 2, 0.0), (79, 190, 0.002_232_055), (79, 199, 0.000_448_759)];
        for (band, bin, weight) in known {
            assert!((filters[band][bin] - weight).abs() < 1e-8, "{band} {bin}: {}", filters[band][bin]);
        }
    }
}
