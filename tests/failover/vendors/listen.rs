//! Deepgram's ear, <https://developers.deepgram.com/reference/speech-to-text/listen-streaming>: guesses every 200 ms of
//! sound, settled every second and when asked to.

use std::time::Duration;

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::{
    Shared, Truth,
    line::{Gone, Line},
};
use crate::tones;

/// Samples a second.
const RATE: usize = 16_000;
/// Samples between guesses, and between settlements.
const GUESS: usize = RATE / 5;
const SETTLE: usize = RATE;
/// Silence before the speech included.
const KNOWN: usize = RATE - 1;

pub(super) async fn listen(mut line: Line, shared: &Shared) -> Result<(), Gone> {
    let mut truth = shared.truth.lock().unwrap().clone();
    let mut heard: Vec<i16> = Vec::new();
    // Words that were settled, and samples.
    let (mut settled, mut at) = (0, 0);
    loop {
        match line.next().await? {
            Message::Binary(bytes) => {
                let before = heard.len();
                heard.extend(bytes.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])));
                if before / GUESS == heard.len() / GUESS {
                    continue;
                }
                let words = words(&mut truth, &heard, false);
                let settles = before / SETTLE != heard.len() / SETTLE && words.len() > settled;
                line.send(results(&words[settled.min(words.len())..], at, heard.len(), settles, false)).await?;
                if settles {
                    (settled, at) = (words.len(), heard.len());
                }
            }
            Message::Text(text) => {
                let asked: Value = serde_json::from_str(&text).map_err(|_| Gone)?;
                match asked["type"].as_str().unwrap_or_default() {
                    "Finalize" => {
                        let words = words(&mut truth, &heard, true);
                        line.send(results(&words[settled.min(words.len())..], at, heard.len(), true, true)).await?;
                        (settled, at) = (words.len(), heard.len());
                    }
                    "CloseStream" => {
                        line.send(Message::text(r#"{"type":"Metadata","duration":0.0,"channels":1}"#)).await?;
                        line.close().await;
                        return Ok(());
                    }
                    _ => {}
                }
            }
            Message::Ping(_) | Message::Pong(_) | Message::Close(_) | Message::Frame(_) => {}
        }
    }
}

/// What was said so far, or in all. A pilot is listened for once: after this much of it, it is known.
fn words(truth: &mut Truth, heard: &[i16], all: bool) -> Vec<String> {
    if matches!(truth, Truth::Pilot) && (all || heard.len() > KNOWN) {
        let text = tones::pilot(heard).map_or_else(|| "mumbling".to_owned(), tones::spoken);
        *truth = Truth::Words(text, Duration::from_secs(1));
    }
    let Truth::Words(text, length) = truth else { return Vec::new() };
    let words: Vec<_> = text.split_whitespace().map(str::to_owned).collect();
    let share = heard.len() as f64 / RATE as f64 / length.as_secs_f64();
    let count = if all { words.len() } else { (words.len() as f64 * share) as usize };
    words[..count.min(words.len())].to_vec()
}

fn results(words: &[String], from: usize, to: usize, settled: bool, asked: bool) -> Message {
    let seconds = |samples: usize| samples as f64 / RATE as f64;
    let (start, length) = (seconds(from), seconds(to - from));
    let each = length / words.len().max(1) as f64;
    let timed: Vec<_> = words
        .iter()
        .zip(0..)
        .map(|(word, n)| {
            let begin = start + each * f64::from(n);
            json!({"word": word, "punctuated_word": word, "start": begin, "end": begin + each, "confidence": 0.9})
        })
        .collect();
    let text = json!({
        "type": "Results", "channel_index": [0, 1], "start": start, "duration": length, "is_final": settled,
        "speech_final": settled, "from_finalize": asked,
        "channel": {"alternatives": [{"transcript": words.join(" "), "confidence": 0.9, "words": timed}]},
    });
    Message::text(text.to_string())
}
