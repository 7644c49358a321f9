//! The voice library of an account: list, clone from samples, delete.
//!
//! Whoever clones a voice states that its owner agrees; the vendor's interface has no field for this, so it is asked
//! for here, before anything is sent.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc, time::Duration};

use bytes::Bytes;
use reqwest::{
    Method, RequestBuilder, Response, Url,
    multipart::{Form, Part},
};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tokio::time::timeout;

use super::{Config, config::is_id, link::Account, wire::fault};
use crate::{
    ErrorKind, ProviderError,
    net::{
        http,
        refusal::{read_body, said},
    },
};

/// The voices of one account.
#[derive(Clone, Debug)]
pub struct Library {
    account: Account,
}

/// One page of the list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Page {
    /// Its voices.
    pub voices: Vec<Owned>,
    /// Names the next page; `None` on the last.
    pub next: Option<String>,
}

/// A voice an account can speak with.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Owned {
    /// What to name it by when asking for speech.
    #[serde(rename = "voice_id")]
    pub id: String,
    /// As people call it.
    #[serde(default)]
    pub name: Option<String>,
    /// Where it comes from.
    #[serde(default)]
    pub category: Category,
    /// What is said of it.
    #[serde(default)]
    pub description: Option<String>,
    /// Accent, gender, age and the like.
    #[serde(default, deserialize_with = "or_default")]
    pub labels: BTreeMap<String, String>,
    /// A recording of it.
    #[serde(default)]
    pub preview_url: Option<String>,
    /// Whether it is this account's own, and not somebody's who shares it; `None` where the vendor does not say.
    #[serde(default)]
    pub is_owner: Option<bool>,
}

/// Where a voice comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// Every account has it.
    Premade,
    /// Cloned from samples.
    Cloned,
    /// Made from a description.
    Generated,
    /// Cloned from hours of recordings.
    Professional,
    /// Something else.
    #[default]
    #[serde(other)]
    Other,
}

/// A voice to be cloned.
#[derive(Clone, Debug)]
pub struct NewVoice {
    /// As people will call it.
    pub name: String,
    /// What is said of it.
    pub description: Option<String>,
    /// Accent, gender, age and the like.
    pub labels: BTreeMap<String, String>,
    /// Recordings of one speaker; one or two minutes in all serve best.
    pub samples: Vec<Sample>,
    /// The speaker has agreed to be cloned. Without, nothing is sent.
    pub consent: bool,
    /// Frees the samples from noise first; makes clean ones worse.
    pub remove_background_noise: bool,
}

/// A recording: MP3, WAV, FLAC, OGG or whatever else the vendor reads.
#[derive(Clone)]
pub struct Sample {
    /// Its file name.
    pub name: String,
    /// Its bytes, at most [`LARGEST_SAMPLE`].
    pub bytes: Bytes,
}

/// What became of a voice to be cloned.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Cloned {
    /// Names the new voice.
    #[serde(rename = "voice_id")]
    pub id: String,
    /// The vendor wants its owner's voice verified before it speaks.
    #[serde(default)]
    pub requires_verification: bool,
}

impl std::fmt::Debug for Sample {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sample({} bytes)", self.bytes.len())
    }
}

impl Library {
    /// A library that reports its failures under this name: `elevenlabs`.
    pub fn new(name: impl Into<Cow<'static, str>>, config: Arc<Config>) -> Self {
        Self { account: Account { name: name.into(), config } }
    }

    /// All voices, page by page.
    ///
    /// # Errors
    ///
    /// As [`Library::page`]; [`ErrorKind::Protocol`] when the pages do not end.
    pub async fn list(&self) -> Result<Vec<Owned>, ProviderError> {
        let mut voices = Vec::new();
        let mut after = None;
        for _ in 0..MOST_PAGES {
            let page = self.page(after.as_deref()).await?;
            voices.extend(page.voices);
            if page.next.is_none() {
                return Ok(voices);
            }
            after = page.next;
        }
        Err(self.account.error(ErrorKind::Protocol, "the list of voices does not end"))
    }

    /// One page of up to a hundred voices: the first, or the one named by the page before it.
    ///
    /// # Errors
    ///
    /// Those of any request; [`ErrorKind::Timeout`] after ten seconds.
    pub async fn page(&self, after: Option<&str>) -> Result<Page, ProviderError> {
        let mut url = self.url("v2/voices")?;
        url.query_pairs_mut().append_pair("page_size", "100").append_pair("include_total_count", "false");
        if let Some(token) = after {
            url.query_pairs_mut().append_pair("next_page_token", token);
        }
        let list: List = self.ask(PATIENCE, self.request(Method::GET, url).await?).await?;
        let next = list.next_page_token.filter(|_| list.has_more).filter(|token| Some(token.as_str()) != after);
        Ok(Page { voices: list.voices, next })
    }

    /// One voice; `None` where there is none of this id.
    ///
    /// # Errors
    ///
    /// Those of any request; [`ErrorKind::Timeout`] after ten seconds.
    pub async fn find(&self, id: &str) -> Result<Option<Owned>, ProviderError> {
        if !is_id(id) {
            return Ok(None);
        }
        let url = self.url(&format!("v1/voices/{id}"))?;
        match self.ask::<Owned>(PATIENCE, self.request(Method::GET, url).await?).await {
            Ok(voice) if voice.id == id => Ok(Some(voice)),
            Ok(_) => Err(self.account.error(ErrorKind::Protocol, "the answer is another voice")),
            Err(error) if error.kind == ErrorKind::Rejected => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Clones a voice from samples.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Rejected`] without consent, a name, or samples within [`MOST_SAMPLES`] and [`LARGEST_SAMPLE`], before
    /// anything is sent; else those of any request, [`ErrorKind::Timeout`] after two minutes.
    pub async fn clone_voice(&self, voice: NewVoice) -> Result<Cloned, ProviderError> {
        if let Some(why) = voice.problem() {
            return Err(self.account.error(ErrorKind::Rejected, why));
        }
        let url = self.url("v1/voices/add")?;
        let request = self.request(Method::POST, url).await?.multipart(voice.form());
        let cloned: Cloned = self.ask(PATIENCE_FOR_SAMPLES, request).await?;
        if is_id(&cloned.id) {
            Ok(cloned)
        } else {
            Err(self.account.error(ErrorKind::Protocol, "the new voice has no id"))
        }
    }

    /// Deletes a voice for good.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Rejected`] when there is none; else those of any request, [`ErrorKind::Timeout`] after ten seconds.
    pub async fn delete(&self, id: &str) -> Result<(), ProviderError> {
        if !is_id(id) {
            return Err(self.account.error(ErrorKind::Rejected, "a voice's id consists of letters and digits"));
        }
        let url = self.url(&format!("v1/voices/{id}"))?;
        let _: serde::de::IgnoredAny = self.ask(PATIENCE, self.request(Method::DELETE, url).await?).await?;
        Ok(())
    }

    fn url(&self, path: &str) -> Result<Url, ProviderError> {
        http::endpoint(&self.account.config.base_url, path)
            .map_err(|why| self.account.error(ErrorKind::Rejected, &format!("base_url {why}")))
    }

    async fn request(&self, method: Method, url: Url) -> Result<RequestBuilder, ProviderError> {
        let request = http::client(&self.account.name, &url).await?.request(method, url);
        Ok(match &self.account.config.key {
            Some(key) => request.header("xi-api-key", key.expose_secret()),
            None => request,
        })
    }

    async fn ask<T: DeserializeOwned>(&self, patience: Duration, request: RequestBuilder) -> Result<T, ProviderError> {
        let late = || self.account.error(ErrorKind::Timeout, &format!("no answer in {} s", patience.as_secs()));
        timeout(patience, self.answer(request)).await.unwrap_or_else(|_| Err(late()))
    }

    async fn answer<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, ProviderError> {
        let failed = |error| http::failure(&self.account.name, error);
        let response = request.send().await.map_err(failed)?;
        if !response.status().is_success() {
            return Err(self.refusal(response).await);
        }
        let body = read_body(response).await.map_err(failed)?;
        serde_json::from_slice(&body)
            .map_err(|error| self.account.error(ErrorKind::Protocol, &format!("unreadable answer: {error}")))
    }

    /// As [`judged`](crate::net::refusal::judged), but the vendor's own word for what is wrong goes before the status.
    async fn refusal(&self, response: Response) -> ProviderError {
        let status = response.status();
        let retry_after = http::retry_after(response.headers());
        let body = read_body(response).await.unwrap_or_default();
        let kind = fault::word(&body).unwrap_or_else(|| http::kind_of(status));
        let detail = format!("status {}: {}", status.as_u16(), said(&body));
        ProviderError { retry_after, ..self.account.error(kind, &detail) }
    }
}

impl Owned {
    /// Whether this account cloned it itself from samples.
    pub fn is_own_clone(&self) -> bool {
        self.category == Category::Cloned && self.is_owner != Some(false)
    }
}

impl NewVoice {
    fn problem(&self) -> Option<&'static str> {
        if !self.consent {
            return Some("cloning a voice needs its owner's consent");
        }
        if !(1..=LONGEST_NAME).contains(&self.name.trim().chars().count()) {
            return Some("a voice needs a name of at most 100 characters");
        }
        if !(1..=MOST_SAMPLES).contains(&self.samples.len()) {
            return Some("cloning a voice takes 1 to 25 samples");
        }
        let fits = |sample: &Sample| (1..=LARGEST_SAMPLE).contains(&sample.bytes.len());
        (!self.samples.iter().all(fits)).then_some("a sample must be of 1 byte to 10 MiB")
    }

    fn form(self) -> Form {
        let mut form = Form::new()
            .text("name", self.name.trim().to_owned())
            .text("remove_background_noise", self.remove_background_noise.to_string());
        if let Some(description) = self.description {
            form = form.text("description", description);
        }
        if !self.labels.is_empty() {
            form = form.text("labels", serde_json::json!(self.labels).to_string());
        }
        for sample in self.samples {
            let length = sample.bytes.len() as u64;
            form = form.part("files", Part::stream_with_length(sample.bytes, length).file_name(sample.name));
        }
        form
    }
}

/// `null` where nothing is.
fn or_default<'de, D: serde::Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

#[derive(Deserialize)]
struct List {
    voices: Vec<Owned>,
    #[serde(default)]
    has_more: bool,
    next_page_token: Option<String>,
}

/// Ten thousand voices.
const MOST_PAGES: usize = 100;
const PATIENCE: Duration = Duration::from_secs(10);
/// The samples go up, and the vendor listens to them.
const PATIENCE_FOR_SAMPLES: Duration = Duration::from_secs(120);
/// Samples of a voice. The reference names no bounds (elevenlabs/elevenlabs-docs#153), so these are ours; where the
/// vendor is stricter, it says so.
pub const MOST_SAMPLES: usize = 25;
/// Bytes of a sample.
pub const LARGEST_SAMPLE: usize = 10 << 20;
const LONGEST_NAME: usize = 100;
