//! Smart-turn on real speech: whole sentences against the same ones cut off.
//!
//! Needs the models (`VOICE_RELAY_MODELS`, else the XDG data dir) and Debian's pocketsphinx-testdata; without them the
//! test says so and passes.

use std::{
    io::Write,
    path::{Path, PathBuf},
};

use audio::Frame;
use providers::{
    TurnDetector,
    local::{pool::Pool, turn::SmartTurn},
};

#[tokio::test]
async fn whole_sentences_score_higher_than_cut_ones() {
    let Some(detector) = detector() else { return };
    let (mut whole, mut cut) = (Vec::new(), Vec::new());
    for name in ["0870", "0880", "0890", "0930"] {
        let Some(frames) = sentence(name) else { return };
        whole.push(detector.complete(frames.clone()).await.unwrap());
        cut.push(detector.complete(frames[..frames.len() * 3 / 5].to_vec()).await.unwrap());
    }
    eprintln!("whole {whole:.3?}, cut {cut:.3?}");
    assert!(whole.iter().chain(&cut).all(|probability| (0.0..=1.0).contains(probability)));
    let mean = |probabilities: &[f32]| probabilities.iter().sum::<f32>() / probabilities.len() as f32;
    assert!(mean(&whole) > mean(&cut), "whole {whole:.3?}, cut {cut:.3?}");
    assert!(whole[0] > 0.95, "{whole:.3?}");
}

#[tokio::test]
async fn nothing_and_a_minute_are_judged_too() {
    let Some(detector) = detector() else { return };
    for frames in [0, 3_000] {
        let probability = detector.complete(vec![Frame::SILENCE; frames]).await.unwrap();
        assert!((0.0..=1.0).contains(&probability), "{probability}");
    }
}

#[test]
fn a_missing_model_is_named_with_its_remedy() {
    let error = SmartTurn::load(Path::new("/nowhere/smart-turn.onnx"), Pool::new(1, 1)).unwrap_err();
    assert!(error.detail.contains("/nowhere/smart-turn.onnx") && error.detail.contains("models install"), "{error}");
}

fn detector() -> Option<SmartTurn> {
    let path = models().join("smart-turn.onnx");
    if !path.exists() {
        skipped(&format!("no {}; `voice-relay models install` fetches it", path.display()));
        return None;
    }
    Some(SmartTurn::load(&path, Pool::new(2, 8)).unwrap())
}

fn sentence(name: &str) -> Option<Vec<Frame>> {
    let path = format!("/usr/share/pocketsphinx/test/data/librivox/sense_and_sensibility_01_austen_64kb-{name}.wav");
    let Ok(bytes) = std::fs::read(&path) else {
        skipped(&format!("no {path}; Debian's pocketsphinx-testdata has it"));
        return None;
    };
    let data = bytes.windows(4).position(|mark| mark == b"data").unwrap() + 8;
    let samples: Vec<i16> = bytes[data..].as_chunks().0.iter().map(|pair| i16::from_le_bytes(*pair)).collect();
    Some(samples.as_chunks().0.iter().map(|frame| Frame(*frame)).collect())
}

/// Past the test harness, which shows a passing test's output to nobody.
fn skipped(why: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED: {why}");
}

fn models() -> PathBuf {
    let data = || {
        let home = || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".local/share");
        std::env::var_os("XDG_DATA_HOME").map_or_else(home, PathBuf::from).join("voice-relay/models")
    };
    std::env::var_os("VOICE_RELAY_MODELS").map_or_else(data, PathBuf::from)
}
