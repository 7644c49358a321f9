//! Files made by ffmpeg from `samples/cards-001.wav` (in `tests/media/`), whole and broken.

use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::Level;

const MINUTE: Duration = Duration::from_secs(60);
const DECODED: [&str; 8] =
    ["ten.mp3", "ten.m4a", "ten.ogg", "ten.flac", "ten-vorbis.webm", "ten-opus.ogg", "ten-opus.webm", "ten-adpcm.wav"];

#[test]
fn every_format_gives_the_sound_that_went_in() {
    let original = decode(sample(), MINUTE).unwrap();
    let loudness = Level::of(&original.samples).rms.dbfs();
    for name in DECODED {
        let clip = decode(file(name), MINUTE).unwrap_or_else(|error| panic!("{name}: {error}"));
        let rate = if name.contains("opus") { SampleRate::HZ_48000 } else { original.rate };
        assert_eq!(clip.rate, rate, "{name}");
        let longer = clip.duration().as_secs_f64() - original.duration().as_secs_f64();
        assert!((-0.01..0.2).contains(&longer), "{name} is {longer} s longer");
        let louder = Level::of(&clip.samples).rms.dbfs() - loudness;
        assert!(louder.abs() < 1.0, "{name} is {louder} dB louder");
    }
    assert_eq!(decode(file("ten.flac"), MINUTE).unwrap().samples, original.samples, "two equal channels are one");
}

#[test]
fn other_files_are_no_audio() {
    assert_eq!(decode(b"%PDF-1.7 nothing to hear".to_vec(), MINUTE), Err(MediaError::Unrecognised));
    assert_eq!(decode(Vec::new(), MINUTE), Err(MediaError::Unrecognised));
    let empty = b"RIFF\x04\0\0\0WAVE".to_vec();
    assert_eq!(decode(empty, MINUTE), Err(MediaError::Damaged("the WAV file ends before its data".into())));
}

#[test]
fn what_is_longer_than_allowed_is_an_error_and_not_a_shorter_clip() {
    let second = Duration::from_secs(1);
    assert_eq!(decode(sample(), second), Err(MediaError::TooLong(second)));
    for name in DECODED {
        assert_eq!(decode(file(name), second), Err(MediaError::TooLong(second)), "{name}");
    }
}

#[test]
fn a_file_cut_in_the_middle_gives_its_beginning() {
    for name in ["ten.mp3", "ten.flac"] {
        let whole = file(name);
        let half = decode(whole[..whole.len() * 2 / 3].to_vec(), MINUTE);
        let half = half.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(half.duration() > Duration::from_millis(200), "{name}: {:?}", half.duration());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn damage_never_panics(
        name in prop::sample::select(&DECODED[..]),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
        keep in any::<prop::sample::Index>(),
    ) {
        let mut bytes = file(name);
        for (at, value) in damage {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        bytes.truncate(keep.index(bytes.len()) + 1);
        let _ = decode(bytes, MINUTE);
    }

    #[test]
    fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = decode(bytes, MINUTE);
    }
}

fn sample() -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples/cards-001.wav")).unwrap()
}

fn file(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/media").join(name)).unwrap()
}
