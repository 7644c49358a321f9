//! Login by `Sec-WebSocket-Protocol`, for browsers, which can send no other header.

use providers::Secret;

use super::Dialect;

/// What a client's list of subprotocols amounts to.
#[derive(Debug, Default)]
pub struct Offer {
    /// The only answer clients accept; `None` when `realtime` was not offered, and then nothing is to be answered.
    pub answer: Option<&'static str>,
    /// The key or client secret in it.
    pub credential: Option<Secret>,
    /// What the client speaks.
    pub dialect: Dialect,
}

/// Reads the header's values, several headers or one list. Organisation, project and version entries are tolerated.
pub fn read<'a>(values: impl IntoIterator<Item = &'a str>) -> Offer {
    let mut offer = Offer::default();
    for entry in values.into_iter().flat_map(|value| value.split(',')).map(str::trim) {
        if entry == ANSWER {
            offer.answer = Some(ANSWER);
        } else if entry == BETA {
            offer.dialect = Dialect::Beta;
        } else if let Some(key) = entry.strip_prefix("openai-insecure-api-key.").filter(|key| !key.is_empty()) {
            offer.credential.get_or_insert_with(|| key.into());
        }
    }
    offer
}

const ANSWER: &str = "realtime";
const BETA: &str = "openai-beta.realtime-v1";

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_browser_logs_in_and_is_answered_realtime() {
        let offer = read(["realtime, openai-insecure-api-key.ek_1", "openai-agents-sdk.0.20.0"]);
        assert_eq!(offer.answer, Some("realtime"));
        assert_eq!(offer.credential.unwrap().expose_secret(), "ek_1");
    }

    #[test]
    fn the_beta_is_asked_for_and_not_selected() {
        let offer = read(["realtime", "openai-insecure-api-key.ek_1", "openai-beta.realtime-v1"]);
        assert_eq!((offer.answer, offer.dialect), (Some("realtime"), Dialect::Beta));
        assert_eq!(read(["realtime"]).dialect, Dialect::Ga);
    }

    #[test]
    fn nothing_is_selected_that_was_not_offered() {
        let offer = read(["openai-insecure-api-key.ek_1"]);
        assert_eq!(offer.answer, None);
        assert!(read(["realtime"]).credential.is_none());
    }

    #[test]
    fn gotcha_12_the_token_in_the_subprotocol_is_not_printed() {
        assert!(!format!("{:?}", read(["realtime, openai-insecure-api-key.ek_1"])).contains("ek_1"));
    }
}
