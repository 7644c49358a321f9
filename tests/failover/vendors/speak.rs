//! Two mouths that make a tone a word: Deepgram's, <https://developers.deepgram.com/reference/text-to-speech/speak-streaming>,
//! and ElevenLabs',
//! <https://elevenlabs.io/docs/api-reference/text-to-speech/v-1-text-to-speech-voice-id-multi-stream-input>.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use super::{
    Shared, Vendor,
    line::{Gone, Line},
};
use crate::tones;

pub(super) async fn aura(mut line: Line, shared: &Shared) -> Result<(), Gone> {
    let mut text = String::new();
    loop {
        let Some(asked) = asked(&mut line).await? else { continue };
        match asked["type"].as_str().unwrap_or_default() {
            "Speak" => text.push_str(asked["text"].as_str().unwrap_or_default()),
            "Flush" => {
                let text = std::mem::take(&mut text);
                shared.note(Vendor::Aura, &text);
                for word in tones::words(&text) {
                    line.send(Message::binary(tones::bytes(word))).await?;
                }
                line.send(Message::text(r#"{"type":"Flushed","sequence_id":0}"#)).await?;
            }
            "Close" | "Clear" => {
                line.close().await;
                return Ok(());
            }
            _ => {}
        }
    }
}

pub(super) async fn eleven(mut line: Line, shared: &Shared) -> Result<(), Gone> {
    loop {
        let Some(asked) = asked(&mut line).await? else { continue };
        let context = asked["context_id"].as_str().unwrap_or_default();
        if asked["flush"] == true {
            let text = asked["text"].as_str().unwrap_or_default();
            shared.note(Vendor::Eleven, text);
            for word in text.split_inclusive(' ').filter(|word| word.contains(char::is_alphanumeric)) {
                line.send(chunk(context, word)).await?;
            }
        } else if asked["close_context"] == true {
            line.send(Message::text(json!({"isFinal": true, "contextId": context}).to_string())).await?;
        } else if asked["close_socket"] == true {
            line.close().await;
            return Ok(());
        }
    }
}

/// A word and its blank, with the times of its characters.
fn chunk(context: &str, word: &str) -> Message {
    let chars: Vec<String> = word.chars().map(String::from).collect();
    let each = tones::LENGTH.as_secs_f64() * 1_000.0 / chars.len() as f64;
    let starts: Vec<f64> = (0..chars.len()).map(|n| each * n as f64).collect();
    let lengths = vec![each; chars.len()];
    let alignment = json!({"chars": chars, "charStartTimesMs": starts, "charDurationsMs": lengths});
    let audio = BASE64_STANDARD.encode(tones::bytes(word));
    let text = json!({"audio": audio, "contextId": context, "isFinal": null, "alignment": alignment});
    Message::text(text.to_string())
}

async fn asked(line: &mut Line) -> Result<Option<Value>, Gone> {
    match line.next().await? {
        Message::Text(text) => Ok(serde_json::from_str(&text).ok()),
        Message::Binary(_) | Message::Ping(_) | Message::Pong(_) | Message::Close(_) | Message::Frame(_) => Ok(None),
    }
}
