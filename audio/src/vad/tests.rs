//! Real speech, and what must not be taken for it.

use std::path::Path;

use super::*;
use crate::{Decoder, Encoding, Level, Resampler, SampleRate, codec::pcm16};

#[test]
fn real_speech_is_heard_soon_and_from_its_beginning_to_its_end() {
    // In the noisiest room the soft consonant that opens "four" is lost to it.
    for (room, slack) in [(0.0, 0), (10.0, 0), (100.0, 100)] {
        for (name, speech) in utterances() {
            let (first, last) = loud_part(&speech);
            let sound = in_a_room(room, &[silence(1_000), speech, silence(1_000)].concat());
            let heard = stretches(&mut vad(Engine::Earshot), &sound);
            assert!((1..=2).contains(&heard.len()), "{name}: {heard:?}");
            let (onset, end) = (heard[0], heard[heard.len() - 1]);
            assert!((first + 700..=first + 1_060 + slack).contains(&onset.from), "{name} from {first}: {onset:?}");
            assert!(onset.told <= first + 1_140 + slack, "{name} from {first}: {onset:?}");
            assert!((last + 980..=last + 1_260).contains(&end.until), "{name} until {last}: {end:?}");
            for stretch in heard {
                assert!(stretch.told - stretch.from <= 120, "{name}: {stretch:?}");
                assert!(stretch.ended - stretch.until <= 140, "{name}: {stretch:?}");
            }
        }
    }
}

#[test]
fn a_telephone_line_changes_onsets_by_little() {
    for (name, speech) in utterances() {
        let sound = in_a_room(10.0, &[silence(500), speech, silence(500)].concat());
        let (plain, line) = (stretches(&mut vad(Engine::Earshot), &sound), over_the_telephone(&sound));
        let line = stretches(&mut vad(Engine::Earshot), &line);
        let apart = plain[0].from.abs_diff(line[0].from);
        assert!(apart <= 300, "{name}: {} and {}", plain[0].from, line[0].from);
    }
}

#[test]
fn silence_clicks_and_noise_are_not_speech() {
    for engine in [Engine::Earshot, Engine::Energy] {
        assert_eq!(stretches(&mut vad(engine), &silence(5_000)), []);
        for room in [0.0, 30.0] {
            for width in [1, 8, 30, 80, 160] {
                let mut sound = in_a_room(room, &silence(5_000));
                for click in [15_000, 31_111, 47_001, 64_000] {
                    sound[click..click + width]
                        .iter_mut()
                        .zip([25_000, 25_000, -25_000, -25_000].iter().cycle())
                        .for_each(|(sample, &value)| *sample = value);
                }
                assert_eq!(stretches(&mut vad(engine), &sound), [], "{engine:?}, clicks of {width} samples");
            }
        }
    }
    for amplitude in [10.0, 100.0, 300.0, 1_000.0, 3_000.0] {
        let sound = in_a_room(amplitude, &silence(5_000));
        assert_eq!(stretches(&mut vad(Engine::Earshot), &sound), [], "white noise of amplitude {amplitude}");
    }
}

#[test]
fn the_energy_gate_hears_speech_and_gets_used_to_noise() {
    for (name, speech) in utterances() {
        let (first, _) = loud_part(&speech);
        let sound = in_a_room(20.0, &[silence(1_000), speech, silence(1_000)].concat());
        let heard = stretches(&mut vad(Engine::Energy), &sound);
        assert!(heard[0].told <= first + 1_140, "{name}: {heard:?}");
        assert!(heard[heard.len() - 1].ended < u128::MAX, "{name}: {heard:?}");
    }
    let fan = stretches(&mut vad(Engine::Energy), &in_a_room(3_000.0, &silence(8_000)));
    assert!(fan.iter().all(|stretch| stretch.until < 5_000), "{fan:?}");
}

#[test]
fn the_threshold_goes_from_nearly_always_to_never() {
    let (_, speech) = utterances().swap_remove(0);
    let spoken = |threshold| {
        let mut vad = Vad::new(Engine::Earshot, Threshold::new(threshold).unwrap());
        frames(&in_a_room(30.0, &speech)).filter(|frame| matches!(vad.hear(frame), Voice::Speech { .. })).count()
    };
    let counts = [0.0, 0.3, 0.5, 0.8, 1.0].map(spoken);
    assert!(counts.is_sorted_by(|more, fewer| more >= fewer), "{counts:?}");
    assert!(counts[0] >= frames(&speech).count() - 3, "{counts:?}");
    assert_eq!(counts[4], 0);
}

#[test]
fn silent_streams_beside_a_speaker_change_nothing() {
    let (_, speech) = utterances().swap_remove(5);
    let mut alone = vad(Engine::Earshot);
    let expected: Vec<Voice> = frames(&speech).map(|frame| alone.hear(&frame)).collect();
    let (mut speaker, mut others) =
        (vad(Engine::Earshot), vec![(); 8].into_iter().map(|()| vad(Engine::Earshot)).collect::<Vec<_>>());
    for (frame, expected) in frames(&speech).zip(expected) {
        for other in &mut others {
            assert_eq!(other.hear(&Frame::SILENCE), Voice::Quiet { since: Duration::ZERO });
        }
        assert_eq!(speaker.hear(&frame), expected);
    }
}

/// A voice that holds one sound for so many milliseconds: harmonics through formants (Hz, bandwidth).
fn held(formants: &[(f32, f32)], millis: u16) -> Vec<i16> {
    let rate = 16_000.0;
    let gain = |f: f32| formants.iter().map(|&(at, wide)| at * at / (at * at - f * f).hypot(wide * f)).product::<f32>();
    let seconds = f32::from(millis) / 1_000.0;
    let mut phase = 0.0_f32;
    let sample = |at: u16| {
        let time = f32::from(at) / rate;
        let pitch = 120.0 * (1.0 + 0.2 * time);
        phase += std::f32::consts::TAU * pitch / rate;
        let sum: f32 = (1..40_u8).map(f32::from).map(|k| gain(k * pitch) / k * (k * phase).sin()).sum();
        let envelope = (time / 0.03).min((seconds - time) / 0.05).clamp(0.0, 1.0);
        (sum * envelope * 1_500.0) as i16
    };
    (0..millis * 16).map(sample).collect()
}

const HUM: &[(f32, f32)] = &[(260.0, 60.0), (1_050.0, 150.0), (2_200.0, 200.0), (2_900.0, 250.0)];
const UH: &[(f32, f32)] = &[(620.0, 80.0), (1_200.0, 100.0), (2_500.0, 150.0), (3_500.0, 250.0)];

/// The length of the first speech, and after how much of it its sound had varied.
fn variation(sound: &[i16]) -> (Duration, Option<Duration>) {
    let mut vad = vad(Engine::Earshot);
    let (mut length, mut varies) = (Duration::ZERO, None);
    for frame in frames(&in_a_room(30.0, sound)) {
        match vad.hear(&frame) {
            Voice::Speech { since, last, varied } => {
                length = last - since;
                if varied && varies.is_none() {
                    varies = Some(vad.position() - since);
                }
            }
            Voice::Quiet { .. } if !length.is_zero() => break,
            Voice::Quiet { .. } => {}
        }
    }
    (length, varies)
}

#[test]
fn hums_and_held_vowels_stay_even_however_often_they_are_made() {
    for formants in [HUM, UH] {
        let sound = [vec![0; 8_000], held(formants, 220), vec![0; 1_000], held(formants, 350), vec![0; 8_000]].concat();
        let (length, varies) = variation(&sound);
        assert!(length > Duration::from_millis(400), "{length:?} is heard as speech");
        assert_eq!(varies, None);
    }
    let both = [vec![0; 8_000], held(HUM, 200), held(UH, 200), vec![0; 8_000]].concat();
    assert!(variation(&both).1.is_some(), "from one sound to another is a word");
    let mut seed = 1_u32;
    let mut noise = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 16) as i16 / 40
    };
    let (mut last, mut hiss) = (0, Vec::new());
    for _ in 0..1_600 {
        let next = noise();
        hiss.push(next - std::mem::replace(&mut last, next));
    }
    let stop = [vec![0; 8_000], hiss, vec![0; 960], held(UH, 220), vec![0; 8_000]].concat();
    assert!(variation(&stop).1.is_some(), "a hiss before a vowel is a word: stop");
}

#[test]
fn words_vary_within_a_quarter_of_a_second() {
    let times: Vec<_> = utterances().into_iter().filter_map(|(_, speech)| variation(&speech).1).collect();
    let soon = times.iter().filter(|time| **time <= Duration::from_millis(240)).count();
    assert!(times.len() == 10 && soon >= 9, "{times:?}");
}

#[test]
fn a_reset_forgets_the_speech_and_keeps_the_position() {
    for engine in [Engine::Earshot, Engine::Energy] {
        let (_, speech) = utterances().swap_remove(3);
        let (mut vad, mut fresh) = (vad(engine), vad(engine));
        let middle = frames(&speech).find(|frame| matches!(vad.hear(frame), Voice::Speech { .. }));
        assert!(middle.is_some());
        let position = vad.position();
        vad.reset();
        assert_eq!(vad.hear(&Frame::SILENCE), Voice::Quiet { since: position });
        fresh.hear(&Frame::SILENCE);
        let later = |voice| match voice {
            Voice::Quiet { since } => (false, since),
            Voice::Speech { since, .. } => (true, since),
        };
        for frame in frames(&speech) {
            let ((spoken, at), (expected, from_zero)) = (later(vad.hear(&frame)), later(fresh.hear(&frame)));
            assert_eq!((spoken, at), (expected, from_zero + position), "as a new stream would, from there on");
        }
    }
}

/// One stretch of speech: when it was told, from where, when its end was told, where that was (ms).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Stretch {
    told: u128,
    from: u128,
    ended: u128,
    until: u128,
}

fn stretches(vad: &mut Vad, sound: &[i16]) -> Vec<Stretch> {
    let mut stretches: Vec<Stretch> = Vec::new();
    let mut speaking = false;
    for frame in frames(sound) {
        let (voice, now) = (vad.hear(&frame), vad.position().as_millis());
        match voice {
            Voice::Speech { since, .. } if !speaking => {
                stretches.push(Stretch { told: now, from: since.as_millis(), ended: u128::MAX, until: u128::MAX });
                speaking = true;
            }
            Voice::Quiet { since } if speaking => {
                let stretch = stretches.last_mut().unwrap();
                (stretch.ended, stretch.until) = (now, since.as_millis());
                speaking = false;
            }
            Voice::Speech { .. } | Voice::Quiet { .. } => {}
        }
    }
    stretches
}

/// Where the first frame is that is certainly speech, within 16 dB of the loudest, and where the last ends that may
/// be, within 25 dB (ms).
fn loud_part(speech: &[i16]) -> (u128, u128) {
    let levels: Vec<f32> = frames(speech).map(|frame| Level::of(frame.samples()).rms.dbfs()).collect();
    let loudest = levels.iter().copied().fold(f32::MIN, f32::max);
    let first = levels.iter().position(|&level| level > loudest - 16.0).unwrap();
    let last = levels.iter().rposition(|&level| level > loudest - 25.0).unwrap() + 1;
    (first as u128 * 20, last as u128 * 20)
}

fn over_the_telephone(sound: &[i16]) -> Vec<i16> {
    let (mut narrow, mut bytes, mut back, mut wide) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    Resampler::aligned(Frame::RATE, SampleRate::HZ_8000).unwrap().process(sound, &mut narrow);
    Encoding::Ulaw.encode(&narrow, &mut bytes);
    Decoder::new(Encoding::Ulaw).decode(&bytes, &mut back);
    Resampler::aligned(SampleRate::HZ_8000, Frame::RATE).unwrap().process(&back, &mut wide);
    wide
}

fn vad(engine: Engine) -> Vad {
    Vad::new(engine, Threshold::default())
}

fn frames(sound: &[i16]) -> impl Iterator<Item = Frame> {
    sound.as_chunks().0.iter().copied().map(Frame)
}

fn silence(millis: usize) -> Vec<i16> {
    vec![0; millis * 16]
}

/// The sound with white noise of this amplitude added.
fn in_a_room(amplitude: f32, sound: &[i16]) -> Vec<i16> {
    let mut seed = 7_u32;
    let mut noise = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((seed >> 8) as f32 / 8_388_608.0 - 1.0) * amplitude
    };
    sound.iter().map(|sample| sample.saturating_add(noise().round() as i16)).collect()
}

/// The samples of the repository, with their names: 16 kHz mono PCM16 behind plain headers of 44 bytes.
fn utterances() -> Vec<(String, Vec<i16>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples");
    let labels = std::fs::read_to_string(folder.join("transcripts.tsv")).unwrap();
    let names = labels.lines().map(|line| line.split('\t').next().unwrap());
    names
        .map(|name| {
            let (bytes, mut samples) = (std::fs::read(folder.join(name)).unwrap(), Vec::new());
            pcm16::decode(None, &bytes[44..], &mut samples);
            (name.to_owned(), samples)
        })
        .collect()
}
