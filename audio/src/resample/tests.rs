//! What a resampler promises: exact counts, no trace of how its input was cut, and the same sound.

use std::f64::consts::TAU;

use proptest::prelude::*;

use super::*;

const RATES: [u32; 5] = [8_000, 16_000, 24_000, 44_100, 48_000];

#[test]
fn every_20_ms_give_20_ms_at_once_over_an_hour() {
    for (from, to) in [(24_000, 16_000), (8_000, 16_000), (24_000, 8_000), (48_000, 16_000), (16_000, 24_000)] {
        let mut resampler = Resampler::new(rate(from), rate(to)).unwrap();
        let chunk = vec![100; from as usize / 50];
        let (mut out, mut total) = (Vec::new(), 0);
        for _ in 0..50 * 3_600 {
            out.clear();
            resampler.process(&chunk, &mut out);
            assert_eq!(out.len(), to as usize / 50);
            total += out.len();
        }
        resampler.flush(&mut out);
        assert_eq!((total, out.len()), (to as usize * 3_600, to as usize / 50), "nothing waits after whole blocks");
    }
}

#[test]
fn the_delay_is_5_ms_and_10_where_telephony_is_an_end() {
    let delay = |from, to| Resampler::new(rate(from), rate(to)).unwrap().delay().as_micros();
    for (from, to) in [(24_000, 16_000), (16_000, 24_000), (48_000, 16_000), (16_000, 48_000), (48_000, 24_000)] {
        assert_eq!(delay(from, to), 5_000, "{from} to {to}");
    }
    for (from, to) in [(8_000, 16_000), (24_000, 8_000), (8_000, 24_000), (8_000, 48_000)] {
        assert_eq!(delay(from, to), 10_000, "{from} to {to}");
    }
    assert_eq!(delay(16_000, 16_000), 0);
    assert_eq!(Resampler::aligned(rate(24_000), rate(8_000)).unwrap().delay(), Duration::ZERO);
}

#[test]
fn a_tone_keeps_its_place_its_level_and_its_purity() {
    for from in RATES {
        for to in RATES {
            let clip = Clip::new(rate(from), tone(from, 1_000.0, from as usize));
            let converted = clip.resampled(rate(to)).unwrap();
            assert_eq!(converted.samples.len(), to as usize, "a second stays a second");
            let expected = tone(to, 1_000.0, to as usize);
            let away_from_the_edges = to as usize / 20..to as usize - to as usize / 20;
            for at in away_from_the_edges {
                let off = i32::from(converted.samples[at]) - i32::from(expected[at]);
                assert!(off.abs() <= 2, "{from} to {to}: {off} at {at}");
            }
        }
    }
}

#[test]
fn what_the_lower_rate_cannot_hold_is_taken_out() {
    let clip = Clip::new(rate(48_000), tone(48_000, 11_000.0, 48_000));
    let converted = clip.resampled(rate(16_000)).unwrap();
    let inside = &converted.samples[800..15_200];
    assert!(inside.iter().all(|sample| sample.abs() <= 1), "11 kHz may not fold back into 16 kHz");
}

#[test]
fn any_rate_a_file_may_have_is_converted_to_its_full_length() {
    for from in [1, 7, 4_000, 11_025, 12_000, 15_999, 22_050, 32_000, 44_056, 96_000, 192_000] {
        let clip = Clip::new(rate(from), vec![5_000; from as usize * 3 / 2]);
        let converted = clip.resampled(SampleRate::HZ_16000).unwrap();
        assert_eq!(converted.samples.len(), (from as usize * 3 / 2 * 16_000).div_ceil(from as usize), "{from}");
    }
}

#[test]
fn a_flushed_resampler_begins_another_stream() {
    let mut resampler = Resampler::aligned(rate(24_000), rate(16_000)).unwrap();
    let sound = tone(24_000, 440.0, 1_001);
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for out in [&mut first, &mut second] {
        resampler.process(&sound, out);
        resampler.flush(out);
    }
    assert_eq!(first.len(), 668);
    assert_eq!(first, second);
    resampler.flush(&mut second);
    assert_eq!(second.len(), 668, "flushing twice adds nothing");
}

#[test]
fn full_scale_overshoot_saturates() {
    let square: Vec<i16> = (0..4_800).map(|n| if n / 24 % 2 == 0 { i16::MAX } else { i16::MIN }).collect();
    let converted = Clip::new(rate(48_000), square).resampled(rate(24_000)).unwrap();
    let jump = converted.samples.windows(2).map(|pair| i32::from(pair[1]) - i32::from(pair[0])).max();
    assert!(jump.is_some_and(|jump| jump > 0), "the square is still there");
    assert!(converted.samples.contains(&i16::MAX) && converted.samples.contains(&i16::MIN));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_chunking_gives_identical_samples(
        from in prop::sample::select(&RATES[..]),
        to in prop::sample::select(&RATES[..]),
        samples in prop::collection::vec(any::<i16>(), 0..4_000),
        cuts in prop::collection::vec(0_usize..1_500, 0..20),
        aligned in any::<bool>(),
    ) {
        let make = || if aligned { Resampler::aligned(rate(from), rate(to)) } else { Resampler::new(rate(from), rate(to)) };
        let (mut whole, mut pieces) = (Vec::new(), Vec::new());
        let mut resampler = make().unwrap();
        resampler.process(&samples, &mut whole);
        resampler.flush(&mut whole);
        let (mut resampler, mut rest) = (make().unwrap(), samples.as_slice());
        for cut in cuts {
            let (head, tail) = rest.split_at(cut.min(rest.len()));
            resampler.process(head, &mut pieces);
            rest = tail;
        }
        resampler.process(rest, &mut pieces);
        resampler.flush(&mut pieces);
        prop_assert_eq!(whole.len(), (samples.len() * to as usize).div_ceil(from as usize));
        prop_assert_eq!(whole, pieces);
    }
}

fn rate(hertz: u32) -> SampleRate {
    SampleRate::new(hertz).unwrap()
}

fn tone(rate: u32, hertz: f64, samples: usize) -> Vec<i16> {
    let step = TAU * hertz / f64::from(rate);
    (0..samples).map(|n| ((n as f64 * step).sin() * 16_000.0).round() as i16).collect()
}
