//! What a voice is asked, and what comes back beside its sound.
//!
//! Sources: `SynthesisAdapterBase.ts`, `SynthesisContext.ts`, `Synthesizer.ts` and
//! `ServiceMessages/SynthesisAudioMetadata.ts` of Microsoft's JavaScript SDK; SSML after
//! <https://learn.microsoft.com/azure/ai-services/speech-service/speech-synthesis-markup-voice#adjust-prosody> and
//! <https://learn.microsoft.com/azure/ai-services/speech-service/speech-synthesis-markup-structure#add-silence>.

use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use super::{Message, ticks, trouble::Trouble};
use crate::azure::speech::voices;

/// What the service says of a clause.
#[derive(Clone, PartialEq, Debug)]
pub(in crate::azure::speech) enum Told<'a> {
    /// Sound, perhaps cut within a sample.
    Sound(&'a [u8]),
    /// Words and when they are spoken.
    Words(Vec<Spoken>),
    /// All of it was sent.
    Over,
    /// Nothing of interest.
    Other,
}

/// A word, and when it is spoken from the start of the sound.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::azure::speech) struct Spoken {
    pub(in crate::azure::speech) text: String,
    pub(in crate::azure::speech) start: Duration,
    pub(in crate::azure::speech) end: Duration,
}

/// The body of `synthesis.context`: sound as samples of 16 bits at 24 kHz, and the times of words.
pub(in crate::azure::speech) fn context() -> String {
    let events = json!({
        "bookmarkEnabled": false,
        "punctuationBoundaryEnabled": false,
        "sentenceBoundaryEnabled": false,
        "sessionEndEnabled": true,
        "visemeEnabled": false,
        "wordBoundaryEnabled": true,
    });
    let audio = json!({"metadataOptions": events, "outputFormat": "raw-24khz-16bit-mono-pcm"});
    json!({"synthesis": {"audio": audio, "language": {"autoDetection": false}}}).to_string()
}

/// The body of `synthesis.control`: be silent.
pub(in crate::azure::speech) const STOP: &str = r#"{"action":"stop"}"#;

/// The body of `ssml`.
///
/// HD voices take neither a pace nor a pause.
pub(in crate::azure::speech) fn ssml(voice: &str, speed: f32, text: &str) -> String {
    let locale = escaped(&voices::locale_of(voice));
    let mut spoken = escaped(text);
    let mut pause = String::new();
    if !voices::is_hd(voice) {
        if let Some(rate) = rate(speed) {
            spoken = format!("<prosody rate='{rate}'>{spoken}</prosody>");
        }
        // The service ends each request in most of a second of silence.
        let millis = if text.trim_end().ends_with(ENDS) { 250 } else { 80 };
        pause = format!("<mstts:silence type='Tailing-exact' value='{millis}ms'/>");
    }
    let voice = escaped(voice);
    format!(
        "<speak version='1.0' xmlns='http://www.w3.org/2001/10/synthesis' xmlns:mstts='http://www.w3.org/2001/mstts' \
         xml:lang='{locale}'><voice name='{voice}'>{pause}{spoken}</voice></speak>"
    )
}

/// A pace of the voice's own as the change from it, within what the service speaks.
fn rate(speed: f32) -> Option<String> {
    let speed = if speed.is_finite() { speed.clamp(SLOWEST, FASTEST) } else { 1.0 };
    let percent = (speed * 100.0).round() as i32 - 100;
    (percent != 0).then(|| format!("{percent:+}%"))
}

/// Text as it may stand in XML. Characters that XML cannot hold are blanks.
fn escaped(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\u{fffe}' | '\u{ffff}' => out.push(' '),
            c if c.is_control() && !matches!(c, '\t' | '\n' | '\r') => out.push(' '),
            c => out.push(c),
        }
        out
    })
}

/// Reads one message of a turn.
///
/// # Errors
///
/// The message is broken.
pub(in crate::azure::speech) fn read<'a>(message: &Message<'a>) -> Result<Told<'a>, Trouble> {
    match message.kind().as_str() {
        "audio" => Ok(Told::Sound(message.body)),
        "audio.metadata" => message.read::<Metadata>().map(Metadata::told),
        "turn.end" => Ok(Told::Over),
        _ => Ok(Told::Other),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Metadata {
    #[serde(default)]
    metadata: Vec<Event>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Event {
    #[serde(default)]
    r#type: String,
    #[serde(default)]
    data: Data,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
struct Data {
    #[serde(default)]
    offset: f64,
    #[serde(default)]
    duration: f64,
    #[serde(default, rename = "text")]
    text: Option<Text>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Text {
    #[serde(default)]
    text: String,
    #[serde(default)]
    boundary_type: String,
}

impl Metadata {
    fn told(self) -> Told<'static> {
        let words = self.metadata.into_iter().filter(|event| event.r#type == "WordBoundary").filter_map(|event| {
            let text = event.data.text.filter(|text| text.boundary_type != "PunctuationBoundary")?;
            let start = ticks(event.data.offset);
            let end = ticks(event.data.offset + event.data.duration).max(start);
            Some(Spoken { text: text.text, start, end })
        });
        Told::Words(words.collect())
    }
}

/// The service's bounds for a pace.
const SLOWEST: f32 = 0.5;
const FASTEST: f32 = 2.0;
/// Ends of sentences.
const ENDS: [char; 8] = ['.', '!', '?', '…', '。', '！', '？', ':'];

#[cfg(test)]
mod tests {
    use super::*;

    fn told(path: &str, body: &str) -> Result<Vec<Spoken>, Trouble> {
        let text = format!("Path:{path}\r\n\r\n{body}");
        match read(&Message::text(&text)?)? {
            Told::Words(words) => Ok(words),
            Told::Sound(_) | Told::Over | Told::Other => Ok(Vec::new()),
        }
    }

    #[test]
    fn text_is_escaped_and_paced() {
        let ssml = ssml("en-US-AvaMultilingualNeural", 1.3, "Tom & \"Jerry\" <3\u{0}, it's.");
        assert_eq!(
            ssml,
            "<speak version='1.0' xmlns='http://www.w3.org/2001/10/synthesis' xmlns:mstts='http://www.w3.org/2001/mstts' \
             xml:lang='en-US'><voice name='en-US-AvaMultilingualNeural'><mstts:silence type='Tailing-exact' \
             value='250ms'/><prosody rate='+30%'>Tom &amp; &quot;Jerry&quot; &lt;3 , it&apos;s.</prosody></voice></speak>"
        );
        let injected = super::ssml("x'/><break/>", 1.0, "</voice><audio src='https://h'/>");
        assert_eq!(injected.matches('<').count(), 5, "{injected}");
    }

    #[test]
    fn hd_voices_are_asked_for_plain_text() {
        let ssml = ssml("de-DE-Seraphina:DragonHDLatestNeural", 2.0, "Hallo.");
        assert!(
            ssml.ends_with(
                "xml:lang='de-DE'><voice name='de-DE-Seraphina:DragonHDLatestNeural'>Hallo.</voice></speak>"
            )
        );
    }

    #[test]
    fn paces_stay_within_what_is_spoken() {
        for (speed, expected) in [
            (1.0, None),
            (1.001, None),
            (0.8, Some("-20%")),
            (1.25, Some("+25%")),
            (0.1, Some("-50%")),
            (9.0, Some("+100%")),
            (f32::NAN, None),
        ] {
            assert_eq!(rate(speed).as_deref(), expected, "{speed}");
        }
    }

    #[test]
    fn words_come_with_their_times() {
        let body = r#"{"Metadata":[{"Type":"WordBoundary","Data":{"Offset":1000000,"Duration":5625000,
            "text":{"Text":"Hello","Length":5,"BoundaryType":"WordBoundary"}}},
            {"Type":"WordBoundary","Data":{"Offset":1,"Duration":1,"text":{"Text":",","Length":1,"BoundaryType":"PunctuationBoundary"}}},
            {"Type":"SessionEnd","Data":{"Offset":9000000}},{"Type":"Viseme","Data":{"Offset":1,"VisemeId":2}},{}]}"#;
        let hello =
            Spoken { text: "Hello".into(), start: Duration::from_millis(100), end: Duration::from_micros(662_500) };
        assert_eq!(told("audio.metadata", body), Ok(vec![hello]));
        assert!(told("audio.metadata", "{").is_err());
        assert_eq!(told("turn.start", "{"), Ok(Vec::new()));
    }

    proptest::proptest! {
        #[test]
        fn any_text_makes_one_document_and_any_message_is_survived(text: String, bytes: Vec<u8>) {
            let ssml = ssml("en-US-JennyNeural", 1.0, &text);
            proptest::prop_assert_eq!(ssml.matches('<').count(), 5);
            proptest::prop_assert!(!ssml.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r')));
            let _ = Message::text(&text).and_then(|message| read(&message).map(|_| ()));
            let _ = Message::binary(&bytes).and_then(|message| read(&message).map(|_| ()));
        }
    }
}
