//! What a connection asks for in its URL.

use super::error;
use crate::realtime::session::{output::ClientError, settings::Kind};

/// What a connection is to be.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Query {
    /// A conversation with this model. Without one, the session of a client secret must name it.
    Conversation {
        /// `model`.
        model: Option<String>,
    },
    /// `intent=transcription`; wins over a model, which some clients send too.
    Transcription {
        /// `model`: that of the transcripts.
        model: Option<String>,
    },
    /// A second controller of a running call.
    Sideband {
        /// `call_id`.
        call: String,
    },
}

impl Query {
    /// Reads a URL's query (without the question mark). Parameters we do not know are ignored.
    ///
    /// # Errors
    /// `invalid_value` for a model or call whose name is absurdly long.
    pub fn parse(query: &str) -> Result<Self, ClientError> {
        let find = |name: &str| {
            let value = form_urlencoded::parse(query.as_bytes()).find(|(given, _)| given == name);
            value.map(|(_, value)| value.into_owned()).filter(|value| !value.is_empty())
        };
        let bounded = |name: &str| match find(name) {
            Some(value) if value.len() > LONGEST => Err(error::invalid_value(name, "The value is too long.")),
            value => Ok(value),
        };
        if let Some(call) = bounded("call_id")? {
            return Ok(Self::Sideband { call });
        }
        // Azure's dated API versions call it a deployment.
        let model = bounded("model")?.or(bounded("deployment")?);
        Ok(match find("intent").as_deref() {
            Some("transcription") => Self::Transcription { model },
            Some(_) | None => Self::Conversation { model },
        })
    }

    /// What the session is for.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Conversation { .. } | Self::Sideband { .. } => Kind::Conversation,
            Self::Transcription { .. } => Kind::Transcription,
        }
    }

    /// The model it names.
    pub fn model(&self) -> Option<&str> {
        match self {
            Self::Conversation { model } | Self::Transcription { model } => model.as_deref(),
            Self::Sideband { .. } => None,
        }
    }
}

/// Longest name in a URL, in bytes.
const LONGEST: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_is_read_from_the_url() {
        let query = Query::parse("model=qwen%2F2.5&foo=bar").unwrap();
        assert_eq!(query, Query::Conversation { model: Some("qwen/2.5".into()) });
    }

    #[test]
    fn a_deployment_is_a_model() {
        let query = Query::parse("api-version=2024-10-01-preview&deployment=gpt-realtime").unwrap();
        assert_eq!(query.model(), Some("gpt-realtime"));
        assert_eq!(Query::parse("deployment=a&model=b").unwrap().model(), Some("b"));
    }

    #[test]
    fn the_intent_to_transcribe_wins_over_a_model() {
        let query = Query::parse("model=whisper-1&intent=transcription").unwrap();
        assert_eq!(query, Query::Transcription { model: Some("whisper-1".into()) });
    }

    #[test]
    fn a_call_is_joined_by_its_id() {
        assert_eq!(Query::parse("call_id=rtc_1").unwrap(), Query::Sideband { call: "rtc_1".into() });
    }

    #[test]
    fn an_empty_model_is_none() {
        assert_eq!(Query::parse("model=").unwrap(), Query::Conversation { model: None });
        assert_eq!(Query::parse("").unwrap(), Query::Conversation { model: None });
    }
}
