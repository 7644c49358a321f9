//! `/v1/speak`: Aura.

use serde_json::json;

use super::{Trouble, complaint, kind};
use crate::{
    ErrorKind,
    deepgram::{Config, voices},
};

/// The voice, at a pace, as 16-bit samples at 24 kHz.
pub(in crate::deepgram) fn query(voice: &str, speed: f32, config: &Config) -> Vec<(&'static str, String)> {
    let mut query =
        vec![("model", voice.to_owned()), ("encoding", "linear16".to_owned()), ("sample_rate", "24000".to_owned())];
    query.extend(pace(voice, speed).map(|pace| ("speed", format!("{pace:.2}"))));
    if config.mip_opt_out {
        query.push(("mip_opt_out", true.to_string()));
    }
    query
}

/// Only Aura-2 can, in English and Spanish, within limits; below 0.9 Spanish stumbles.
fn pace(voice: &str, speed: f32) -> Option<f32> {
    let least = match voices::language(voice) {
        "en" => 0.7,
        "es" => 0.9,
        _ => return None,
    };
    let other = (speed - 1.0).abs() > 0.005;
    (voice.starts_with("aura-2-") && other).then(|| speed.clamp(least, 1.5))
}

/// Text to say after what was sent before it.
pub(in crate::deepgram) fn text(text: &str) -> String {
    json!({"type": "Speak", "text": text}).to_string()
}

/// Says all that was sent; without, nothing is said.
pub(in crate::deepgram) const FLUSH: &str = r#"{"type":"Flush"}"#;
/// Throws away what was not said yet.
pub(in crate::deepgram) const CLEAR: &str = r#"{"type":"Clear"}"#;
/// Nothing follows.
pub(in crate::deepgram) const CLOSE: &str = r#"{"type":"Close"}"#;

/// What Deepgram says beside sound.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::deepgram) enum Told {
    /// All sound of what was flushed was sent.
    Flushed,
    /// Something is amiss, but speech goes on.
    Warning(Trouble),
    /// Nothing of interest.
    Other,
}

/// Reads one message.
///
/// # Errors
///
/// What Deepgram complains about, or that the message is broken.
pub(in crate::deepgram) fn read_message(text: &str) -> Result<Told, Trouble> {
    match kind(text)?.as_str() {
        "Flushed" => Ok(Told::Flushed),
        "Warning" => {
            let warning = complaint(text)?;
            // Beyond 20 in a minute, flushes are ignored: what was asked to be said would never come.
            let ignored = warning.detail.to_lowercase().contains("flush");
            if ignored { Err(Trouble { kind: ErrorKind::RateLimited, ..warning }) } else { Ok(Told::Warning(warning)) }
        }
        "Error" => Err(complaint(text)?),
        _ => Ok(Told::Other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_some_voices_change_pace() {
        for (voice, speed, expected) in [
            ("aura-2-thalia-en", 1.0, None),
            ("aura-2-thalia-en", 0.25, Some("0.70")),
            ("aura-2-thalia-en", 4.0, Some("1.50")),
            ("aura-2-thalia-en", 1.2, Some("1.20")),
            ("aura-2-celeste-es", 0.5, Some("0.90")),
            ("aura-2-lara-de", 1.2, None),
            ("aura-asteria-en", 1.2, None),
        ] {
            let query = query(voice, speed, &Config::default());
            let said = query.iter().find(|(key, _)| *key == "speed").map(|(_, value)| value.as_str());
            assert_eq!(said, expected, "{voice} {speed}");
        }
        let private = Config { mip_opt_out: true, ..Config::default() };
        assert!(query("aura-2-thalia-en", 1.0, &private).contains(&("mip_opt_out", "true".to_owned())));
    }

    #[test]
    fn messages_are_known_or_passed_over() {
        assert_eq!(text("say \"hi\""), r#"{"text":"say \"hi\"","type":"Speak"}"#);
        for (text, expected) in [
            (r#"{"type":"Metadata","request_id":"r","model_name":"aura-2-thalia-en"}"#, Told::Other),
            (r#"{"type":"Cleared","sequence_id":1}"#, Told::Other),
            (r#"{"type":"Flushed","sequence_id":0}"#, Told::Flushed),
        ] {
            assert_eq!(read_message(text), Ok(expected));
        }
        let warning = r#"{"type":"Warning","code":"DATA-0001","description":"throughput"}"#;
        assert!(
            matches!(read_message(warning), Ok(Told::Warning(warning)) if warning.detail == "DATA-0001 throughput")
        );
        let ignored = r#"{"type":"Warning","warn_code":"X","warn_msg":"Too many flushes in 60 seconds"}"#;
        assert_eq!(read_message(ignored).unwrap_err().kind, ErrorKind::RateLimited);
        let error = r#"{"type":"Error","err_code":"BIG-0001","err_msg":"too long"}"#;
        assert_eq!(read_message(error).unwrap_err().kind, ErrorKind::Rejected);
        assert_eq!(read_message("nonsense").unwrap_err().kind, ErrorKind::Protocol);
    }
}
