//! Sound that says which word it stands for, and speech that says whose it is.

use std::time::Duration;

/// How long each word sounds.
pub(crate) const LENGTH: Duration = Duration::from_millis(100);

/// Of mouths and clients; ears hear at [`EAR`].
const RATE: usize = 24_000;
const EAR: usize = 16_000;
const BLOCK: usize = RATE / 10;
/// Tones that words have: a multiple of 10 Hz each, so that a block holds whole waves.
const TONES: usize = 64;
/// Utterances of a session that can be told apart.
pub(crate) const UTTERANCES: u32 = 16;
const SESSIONS: u32 = 50;
/// Loud enough beside an "s", faint enough to leave speech what it is.
const PILOT: f64 = 1_500.0;

/// What has a sound of its own.
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_whitespace().filter(|word| word.contains(char::is_alphanumeric))
}

/// Which tone a word has.
pub(crate) fn tone(word: &str) -> usize {
    let letters = word.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase);
    letters.fold(7, |hash: usize, c| hash.wrapping_mul(31).wrapping_add(c as usize)) % TONES
}

/// A word as PCM16.
pub(crate) fn bytes(word: &str) -> Vec<u8> {
    let hertz = hertz(tone(word));
    (0..BLOCK).flat_map(|n| ((8_000.0 * wave(hertz, n, RATE)) as i16).to_le_bytes()).collect()
}

/// The tones in PCM16, a block each; `None` where there is none.
pub(crate) fn heard(sound: &[u8]) -> Vec<Option<usize>> {
    let samples: Vec<i16> = sound.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect();
    let block = |samples: &[i16]| {
        let total: f64 = samples.iter().map(|sample| f64::from(*sample).powi(2)).sum();
        let (tone, power) = strongest((0..TONES).map(hertz), samples, RATE)?;
        (power * 2.0 / samples.len() as f64 > total * 0.8).then_some(tone)
    };
    samples.chunks(BLOCK).map(block).collect()
}

/// Whether the tones are those of the text: every word in order, none left out; where a mouth was lost it may have begun
/// again at an earlier word, at most `restarts` times.
pub(crate) fn tell(text: &str, heard: &[Option<usize>], restarts: usize) -> Result<(), String> {
    let told: Vec<usize> = words(text).map(tone).collect();
    let Some(sounds) = heard.iter().copied().collect::<Option<Vec<usize>>>() else {
        return Err(format!("some of it is no tone: {heard:?}"));
    };
    if follows(&told, &sounds, 0, restarts) {
        return Ok(());
    }
    Err(format!("{sounds:?} do not tell {text:?}, which is {told:?}"))
}

/// Whether `sounds` go from `at` to the end of `told`.
fn follows(told: &[usize], sounds: &[usize], at: usize, restarts: usize) -> bool {
    let Some((first, rest)) = sounds.split_first() else { return at == told.len() };
    if told.get(at) == Some(first) && follows(told, rest, at + 1, restarts) {
        return true;
    }
    restarts > 0 && (0..at).rev().any(|back| told[back] == *first && follows(told, rest, back + 1, restarts - 1))
}

/// Speech with two faint tones that say which utterance it is.
pub(crate) fn with_pilot(speech: &[i16], number: u32) -> Vec<i16> {
    let (session, utterance) = pilots(number);
    let mixed = speech.iter().enumerate().map(|(n, sample)| {
        let pilots = PILOT * (wave(session, n, RATE) + wave(utterance, n, RATE));
        sample.saturating_add(pilots as i16)
    });
    mixed.collect()
}

/// Which utterance it is.
pub(crate) fn pilot(heard: &[i16]) -> Option<u32> {
    let (session, _) = strongest((0..SESSIONS).map(|s| pilots(s * UTTERANCES).0), heard, EAR)?;
    let (utterance, _) = strongest((0..UTTERANCES).map(|u| pilots(u).1), heard, EAR)?;
    Some(u32::try_from(session).ok()? * UTTERANCES + u32::try_from(utterance).ok()?)
}

/// What such an utterance says: digits, so that each is another.
pub(crate) fn spoken(number: u32) -> String {
    const DIGITS: [&str; 10] = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
    let digits: Vec<_> = format!("{number:03}").bytes().map(|byte| DIGITS[usize::from(byte - b'0')]).collect();
    format!("number {} please", digits.join(" "))
}

fn pilots(number: u32) -> (f64, f64) {
    (3_000.0 + 40.0 * f64::from(number / UTTERANCES), 5_400.0 + 120.0 * f64::from(number % UTTERANCES))
}

fn hertz(tone: usize) -> f64 {
    400.0 + 50.0 * tone as f64
}

fn wave(hertz: f64, n: usize, rate: usize) -> f64 {
    (std::f64::consts::TAU * hertz * n as f64 / rate as f64).sin()
}

/// The strongest of these frequencies and its power, after Goertzel.
fn strongest(hertz: impl Iterator<Item = f64>, samples: &[i16], rate: usize) -> Option<(usize, f64)> {
    let power = |hertz: f64| {
        let turn = 2.0 * (std::f64::consts::TAU * hertz / rate as f64).cos();
        let (mut one, mut two) = (0.0, 0.0);
        for sample in samples {
            (one, two) = (f64::from(*sample) + turn * one - two, one);
        }
        one * one + two * two - turn * one * two
    };
    hertz.map(power).enumerate().max_by(|a, b| a.1.total_cmp(&b.1)).filter(|(_, power)| *power > 0.0)
}

#[test]
fn words_are_told_from_their_tones() {
    let text = "The sun is far away.";
    let sound = |words: &[&str]| heard(&words.iter().flat_map(|word| bytes(word)).collect::<Vec<_>>());
    assert_eq!(tell(text, &sound(&["The", "sun", "is", "far", "away."]), 0), Ok(()));
    assert_eq!(tell(text, &sound(&["The", "sun", "is", "sun", "is", "far", "away."]), 1), Ok(()));
    for wrong in [&["The", "sun", "is", "away."][..], &["The", "sun", "is", "sun", "is", "far", "away."], &["The"]] {
        assert!(tell(text, &sound(wrong), 0).is_err(), "{wrong:?}");
    }
    assert!(tell(text, &heard(&[0; BLOCK * 2]), 0).is_err());
}

#[test]
fn utterances_are_told_from_their_pilots() {
    let speech = crate::client::recording("cards-003");
    for number in [0, 17, 331, 673, 785, 799] {
        let clip = audio::Clip::new(audio::SampleRate::HZ_24000, with_pilot(&speech, number));
        let spoken = clip.resampled(audio::SampleRate::HZ_16000).unwrap().samples;
        // However much silence the relay hears before.
        for silence in [0, EAR / 4, EAR / 2] {
            let heard = [&vec![0; silence], &spoken[..]].concat();
            assert_eq!(pilot(&heard), Some(number));
            assert_eq!(pilot(&heard[..EAR]), Some(number), "from its beginning, after {silence} samples of silence");
        }
    }
    assert_eq!(spoken(17), "number zero one seven please");
}
