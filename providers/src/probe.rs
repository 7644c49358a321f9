//! Whether a vendor would take our key: the cheapest question that each answers, none of which costs anything.
//!
//! | vendor | question | its page |
//! |---|---|---|
//! | OpenAI, and servers like it | `GET models` | <https://developers.openai.com/api/reference/resources/models> |
//! | Anthropic | `GET v1/models` | <https://platform.claude.com/docs/en/api/models/list> |
//! | Azure OpenAI | `GET openai/models?api-version=…`, `GET openai/v1/models` | <https://learn.microsoft.com/en-us/rest/api/azureopenai/models/list> |
//! | Azure Speech | `GET cognitiveservices/voices/list` | <https://learn.microsoft.com/en-us/azure/ai-services/speech-service/rest-text-to-speech> |
//! | Deepgram | `GET v1/projects` | <https://developers.deepgram.com/reference/manage/projects/list> |
//! | DeepSeek | `GET models` | <https://api-docs.deepseek.com/api/list-models> |
//! | ElevenLabs | `GET v1/user` | <https://elevenlabs.io/docs/api-reference/user/get> |
//! | Gemini | `GET models?pageSize=1` | <https://ai.google.dev/api/models> |
//! | Google Cloud | `GET v1/voices?languageCode=en-US` | <https://docs.cloud.google.com/text-to-speech/docs/reference/rest/v1/voices/list> |
//!
//! A key that is known, but may not ask this, is good: ElevenLabs answers 401 `missing_permissions`, Deepgram 403. Google
//! refuses an unknown key with 400 `API_KEY_INVALID`. What went wrong is told in the few words of [`Ailment`], which may be
//! shown to anybody; a vendor's own words are for the log.

use std::{fmt, time::Duration};

use reqwest::{
    Response, StatusCode, Url,
    header::{self, HeaderName, HeaderValue},
};
use secrecy::ExposeSecret;

use crate::{
    ErrorKind, ProviderError, Secret, anthropic, deepgram, deepseek, elevenlabs, gemini,
    net::{
        http,
        refusal::{read_body, said, unkeyed},
    },
    openai,
};

/// What ails a provider, in words fit for anybody.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Hash)]
pub enum Ailment {
    /// No key is configured.
    KeyMissing,
    /// The vendor does not take the key.
    KeyRefused,
    /// Too many requests, or the quota is spent.
    RateLimited,
    /// No answer in time.
    Timeout,
    /// Down, overloaded, or not to be reached.
    Unreachable,
    /// Anything else.
    Failing,
}

impl Ailment {
    /// As it is told: `key refused`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::KeyMissing => "key missing",
            Self::KeyRefused => "key refused",
            Self::RateLimited => "rate limited",
            Self::Timeout => "timeout",
            Self::Unreachable => "unreachable",
            Self::Failing => "failing",
        }
    }
}

impl fmt::Display for Ailment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<ErrorKind> for Ailment {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::RateLimited => Self::RateLimited,
            ErrorKind::Unauthorized => Self::KeyRefused,
            ErrorKind::Unavailable => Self::Unreachable,
            ErrorKind::Timeout => Self::Timeout,
            ErrorKind::Rejected | ErrorKind::Protocol => Self::Failing,
        }
    }
}

/// One vendor's question. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Probe {
    vendor: &'static str,
    base_url: String,
    path: &'static str,
    query: Option<(&'static str, String)>,
    extra: Option<(HeaderName, HeaderValue)>,
    sign: Sign,
    key: Option<Secret>,
    keyless: Keyless,
}

/// How a key is sent.
#[derive(Clone, Debug)]
enum Sign {
    /// `authorization`, after this word.
    Authorization(&'static str),
    /// This header.
    Header(&'static str),
}

/// What it means that there is no key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Keyless {
    /// Nobody is asked: it is missing.
    Missing,
    /// Servers of one's own want none.
    Fine,
}

impl Probe {
    /// The question for this vendor, by its section in a configuration; without an address, at the vendor's own. `None` for
    /// vendors that are not known, and for those that have no address of their own.
    pub fn of(vendor: &str, base_url: &str, key: Option<&Secret>) -> Option<Self> {
        let at = |usual: String| if base_url.is_empty() { usual } else { base_url.to_owned() };
        let probe = match vendor {
            "openai" => Self::openai(&at(openai::Config::default().base_url), key),
            "anthropic" => Self::anthropic(&at(anthropic::Config::default().base_url), key),
            "deepgram" => Self::deepgram(&at(deepgram::Config::default().base_url), key),
            "deepseek" => Self::deepseek(&at(deepseek::Config::default().base_url), key),
            "elevenlabs" => Self::elevenlabs(&at(elevenlabs::Config::default().base_url), key),
            "gemini" => Self::gemini(&at(gemini::Config::default().base_url), key),
            "google" => Self::google(&at("https://texttospeech.googleapis.com".to_owned()), key),
            "azure_openai" if !base_url.is_empty() => Self::azure_openai(base_url, None, key),
            "azure_speech" if !base_url.is_empty() => Self::azure_speech(base_url, key),
            _ => return None,
        };
        Some(probe)
    }

    /// OpenAI's own, or any server like it, up to and including `/v1`. Without a key it is asked all the same.
    pub fn openai(base_url: &str, key: Option<&Secret>) -> Self {
        let probe = Self::new("openai", base_url, "models", Sign::Authorization("Bearer "), key);
        Self { keyless: Keyless::Fine, ..probe }
    }

    /// Anthropic, without a version in the address.
    pub fn anthropic(base_url: &str, key: Option<&Secret>) -> Self {
        let version = (HeaderName::from_static("anthropic-version"), HeaderValue::from_static("2023-06-01"));
        let probe = Self::new("anthropic", base_url, "v1/models", Sign::Header("x-api-key"), key);
        Self { extra: Some(version), ..probe }
    }

    /// Azure OpenAI: the resource's address, and the dated version where its classic path is used.
    pub fn azure_openai(base_url: &str, api_version: Option<&str>, key: Option<&Secret>) -> Self {
        let path = if api_version.is_some() { "openai/models" } else { "openai/v1/models" };
        let probe = Self::new("azure", base_url, path, Sign::Header("api-key"), key);
        Self { query: api_version.map(|version| ("api-version", version.to_owned())), ..probe }
    }

    /// Azure Speech: `https://REGION.tts.speech.microsoft.com`.
    pub fn azure_speech(base_url: &str, key: Option<&Secret>) -> Self {
        let sign = Sign::Header("ocp-apim-subscription-key");
        Self::new("azure", base_url, "cognitiveservices/voices/list", sign, key)
    }

    /// Deepgram, without a version in the address.
    pub fn deepgram(base_url: &str, key: Option<&Secret>) -> Self {
        Self::new("deepgram", base_url, "v1/projects", Sign::Authorization("Token "), key)
    }

    /// DeepSeek.
    pub fn deepseek(base_url: &str, key: Option<&Secret>) -> Self {
        Self::new("deepseek", base_url, "models", Sign::Authorization("Bearer "), key)
    }

    /// ElevenLabs, without a version in the address. Its list of models is open to anybody and would prove nothing.
    pub fn elevenlabs(base_url: &str, key: Option<&Secret>) -> Self {
        Self::new("elevenlabs", base_url, "v1/user", Sign::Header("xi-api-key"), key)
    }

    /// Gemini by an AI Studio key, up to and including the version.
    pub fn gemini(base_url: &str, key: Option<&Secret>) -> Self {
        let probe = Self::new("gemini", base_url, "models", Sign::Header("x-goog-api-key"), key);
        Self { query: Some(("pageSize", "1".to_owned())), ..probe }
    }

    /// Google Cloud by an API key: `https://texttospeech.googleapis.com`.
    pub fn google(base_url: &str, key: Option<&Secret>) -> Self {
        let probe = Self::new("google", base_url, "v1/voices", Sign::Header("x-goog-api-key"), key);
        Self { query: Some(("languageCode", "en-US".to_owned())), ..probe }
    }

    /// ... by a token.
    pub fn google_by_token(base_url: &str, token: Option<&Secret>) -> Self {
        Self { sign: Sign::Authorization("Bearer "), ..Self::google(base_url, token) }
    }

    fn new(vendor: &'static str, base_url: &str, path: &'static str, sign: Sign, key: Option<&Secret>) -> Self {
        let key = key.filter(|key| !key.expose_secret().is_empty()).cloned();
        let base_url = base_url.to_owned();
        Self { vendor, base_url, path, query: None, extra: None, sign, key, keyless: Keyless::Missing }
    }

    /// Asks, and waits no longer than `patience`. The vendor's own words go to the log, at DEBUG.
    ///
    /// # Errors
    ///
    /// What ails it.
    pub async fn ask(&self, patience: Duration) -> Result<(), Ailment> {
        if self.key.is_none() && self.keyless == Keyless::Missing {
            return Err(Ailment::KeyMissing);
        }
        let asked = tokio::time::timeout(patience, self.answer()).await;
        let late = |_| self.error(ErrorKind::Timeout, format!("no answer in {} ms", patience.as_millis()));
        asked.map_err(late).and_then(|answered| answered).map_err(|error| {
            tracing::debug!(%error, "a probe failed");
            let missing = error.kind == ErrorKind::Unauthorized && self.key.is_none();
            if missing { Ailment::KeyMissing } else { error.kind.into() }
        })
    }

    async fn answer(&self) -> Result<(), ProviderError> {
        let wrong = |why: String| self.error(ErrorKind::Rejected, format!("base_url {why}"));
        let mut url: Url = http::endpoint(&self.base_url, self.path).map_err(wrong)?;
        if let Some((name, value)) = &self.query {
            url.query_pairs_mut().append_pair(name, value);
        }
        let mut request = http::client(self.vendor, &url).await?.get(url);
        if let Some((name, value)) = self.extra.clone() {
            request = request.header(name, value);
        }
        if let Some(key) = &self.key {
            let (name, value) = self.signature(key)?;
            request = request.header(name, value);
        }
        let response = request.send().await.map_err(|error| http::failure(self.vendor, error))?;
        if response.status().is_success() { Ok(()) } else { self.judge(response).await }
    }

    fn signature(&self, key: &Secret) -> Result<(HeaderName, HeaderValue), ProviderError> {
        let (name, text) = match self.sign {
            Sign::Authorization(word) => (header::AUTHORIZATION, format!("{word}{}", key.expose_secret())),
            Sign::Header(name) => (HeaderName::from_static(name), key.expose_secret().to_owned()),
        };
        let mut value = HeaderValue::from_str(&text)
            .map_err(|_| self.error(ErrorKind::Unauthorized, "the key makes no header".to_owned()))?;
        value.set_sensitive(true);
        Ok((name, value))
    }

    /// A refusal may still tell that the key is known.
    async fn judge(&self, response: Response) -> Result<(), ProviderError> {
        let status = response.status();
        let body = read_body(response).await.unwrap_or_default();
        let names = |mark: &str| body.windows(mark.len()).any(|window| window == mark.as_bytes());
        let known = match self.vendor {
            "elevenlabs" => status == StatusCode::UNAUTHORIZED && names("missing_permissions"),
            "deepgram" => status == StatusCode::FORBIDDEN,
            _ => false,
        };
        if known {
            return Ok(());
        }
        let refused = status == StatusCode::BAD_REQUEST && names("API_KEY_INVALID");
        let kind = if refused { ErrorKind::Unauthorized } else { http::kind_of(status) };
        Err(self.error(kind, format!("status {}: {}", status.as_u16(), unkeyed(&said(&body), self.key.as_ref()))))
    }

    fn error(&self, kind: ErrorKind, why: String) -> ProviderError {
        ProviderError::new(self.vendor, kind, why)
    }
}
